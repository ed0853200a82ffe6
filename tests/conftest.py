"""One embedded stack per run, one database and one task queue per test (starting servers per test would take minutes)."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from embedded.imap import ImapServer
from embedded.recipients import Recipients
from embedded.stack import Stack, reachable_tempdir, start_stack
from store.migrate import migrate
from tests.harness import World, open_world

TEMPLATE = "onward_template"


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """The real servers: Temporal's dev server and PostgreSQL."""
    with reachable_tempdir() as home:
        running = start_stack(home, ui=False, durable=False, in_memory=True)
        try:
            yield running
        finally:
            running.stop()


@pytest_asyncio.fixture(scope="session")
async def template(stack: Stack) -> str:
    """A migrated database that each test's own is copied from; answers its name."""
    await _admin(stack, f'CREATE DATABASE "{TEMPLATE}"')
    await migrate(database_url(stack, TEMPLATE))
    return TEMPLATE


def database_url(stack: Stack, name: str) -> str:
    """The URL of another database on the same server."""
    return f"{stack.database_url.rpartition('/')[0]}/{name}"


async def _admin(stack: Stack, statement: str) -> None:
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def fresh_database(stack: Stack, template: str) -> AsyncIterator[str]:
    """The URL of an empty, migrated database of this test's own."""
    name = f"t_{os.urandom(6).hex()}"
    await _admin(stack, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    yield database_url(stack, name)
    await _admin(stack, f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def recipients() -> Iterator[Recipients]:
    """An SMTP server that plays everybody the test writes to."""
    with Recipients() as running:
        yield running


@pytest.fixture
def imap_server() -> Iterator[ImapServer]:
    """An IMAP server with the mailbox of the user mara, whose password is `right`."""
    with ImapServer({"mara": "right"}) as running:
        yield running


@pytest_asyncio.fixture
async def world(stack: Stack, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers with a worker in this process."""
    async with open_world(stack.temporal_address, fresh_database, recipients) as opened, opened.worker():
        yield opened


@pytest_asyncio.fixture
async def workerless(stack: Stack, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers; the test starts and stops workers itself."""
    async with open_world(stack.temporal_address, fresh_database, recipients) as opened:
        yield opened


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave by os._exit with pytest's own status: the Temporal SDK can crash at interpreter exit (sdk-python #300)."""
    status = getattr(config, "_onward_status", None)
    if status is not None:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(int(status))


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Remember the status for `pytest_unconfigure`, which comes after the summary is printed."""
    session.config._onward_status = exitstatus  # type: ignore[attr-defined]
