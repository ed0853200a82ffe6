"""A world whose worker is another process, with few sends at once so that a kill meets some of each kind."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from embedded.recipients import Recipients
from tests.durability.play import named
from tests.durability.processes import WorkerProcess
from tests.harness import World, open_world
from tests.servers import Servers


@pytest_asyncio.fixture
async def apart(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers; the worker is for `process`."""
    async with open_world(
        stack.temporal_address, fresh_database, recipients, lease_seconds=2.0, max_concurrent_activities=5
    ) as world:
        yield world


def process(world: World, home: Path, name: str = "worker") -> WorkerProcess:
    """A worker of this world as a process of its own, not yet started."""
    assert world.settings.database_url is not None
    settings = world.settings.model_copy(update={"database_url": named(world.settings.database_url)})
    return WorkerProcess(settings, home, name)
