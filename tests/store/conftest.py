"""One PostgreSQL server per session, one fresh database per test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest
import pytest_asyncio

from embedded.postgres import Postgres
from embedded.stack import reachable_tempdir
from store.database import Connection, Database
from store.migrate import migrate

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The URL of a server, without a database name."""
    with reachable_tempdir() as directory:
        postgres = Postgres(directory / "home", durable=False)
        url = postgres.start()
        try:
            yield url.rpartition("/")[0]
        finally:
            postgres.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated(server: str) -> str:
    """The name of a migrated database to copy."""
    await _run(server, "CREATE DATABASE migrated")
    await migrate(f"{server}/migrated")
    return "migrated"


@pytest_asyncio.fixture(loop_scope="session")
async def empty_url(server: str) -> AsyncIterator[str]:
    """A database with nothing in it."""
    name = f"test_{next(_numbers)}"
    await _run(server, f"CREATE DATABASE {name}")
    yield f"{server}/{name}"
    await _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="session")
async def database(server: str, migrated: str) -> AsyncIterator[Database]:
    """A migrated database of the test's own."""
    name = f"test_{next(_numbers)}"
    await _run(server, f"CREATE DATABASE {name} TEMPLATE {migrated}")
    opened = await Database.connect(f"{server}/{name}")
    yield opened
    await opened.close()
    await _run(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="session")
async def connection(database: Database) -> AsyncIterator[Connection]:
    """A connection outside a transaction."""
    async with database.read() as opened:
        yield opened


async def _run(server: str, command: str) -> None:
    opened = await asyncpg.connect(f"{server}/onward")
    try:
        await opened.execute(command)
    finally:
        await opened.close()
