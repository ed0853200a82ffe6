"""One Chromium for a process's tests; for each test pages without a past, and a picture of them where it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator, Generator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from embedded.recipients import Recipients
from tests.console.people import Cast, play
from tests.console.visiting import Site, Visitor, launch, serving
from tests.harness import World, open_world
from tests.servers import Servers, own_database

FAILED = pytest.StashKey[bool]()


@pytest_asyncio.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with async_playwright() as playwright:
        running = await launch(playwright)
        yield running
        await running.close()


@pytest_asyncio.fixture
async def site(world: World) -> AsyncIterator[Site]:
    """The console of a world of this test's own."""
    async with serving(world) as served:
        yield served


@asynccontextmanager
async def own_site(stack: Servers) -> AsyncIterator[Site]:
    """The console of a world that several tests share."""
    with Recipients() as recipients:
        async with (
            own_database(stack) as url,
            open_world(stack.temporal_address, url, recipients) as world,
            world.worker(),
            serving(world) as served,
        ):
            yield served


@pytest_asyncio.fixture(scope="module")
async def peopled(stack: Servers) -> AsyncIterator[tuple[Site, Cast]]:
    """The console of a world in which each status has its contact, for tests that only look."""
    async with own_site(stack) as served:
        yield served, await play(served.world)


@pytest_asyncio.fixture
async def visitor(browser: Browser, request: pytest.FixtureRequest) -> AsyncIterator[Visitor]:
    """Opens pages; the test fails if one showed an error that it did not expect."""
    visiting = Visitor(browser)
    try:
        yield visiting
        if visiting.unexpected or request.node.stash.get(FAILED, False):
            for path in await visiting.pictures(request.node.name):
                print(f"picture: {path}")
        assert not visiting.unexpected, visiting.unexpected
    finally:
        await visiting.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """Remember for the fixtures that a test failed."""
    report = yield
    if report.when == "call":
        item.stash[FAILED] = report.failed
    return report
