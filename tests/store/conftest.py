"""Databases for the store's tests: mostly one transaction that is rolled back; a database of their own where needed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from store.database import Connection, Database
from tests.servers import Servers, own_database


@pytest_asyncio.fixture
async def empty_url(stack: Servers) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    async with own_database(stack, migrated=False) as url:
        yield url


@pytest_asyncio.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    """A migrated database of the test's own, for tests with several sessions."""
    opened = await Database.connect(fresh_database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session")
async def shared(stack: Servers) -> AsyncIterator[Database]:
    """A migrated database for `connection`, always empty between tests: to copy one takes half a second."""
    async with own_database(stack) as url:
        opened = await Database.connect(url)
        yield opened
        await opened.close()


@pytest_asyncio.fixture
async def connection(shared: Database) -> AsyncIterator[Connection]:
    """A connection inside a transaction that is rolled back at the end of the test."""
    async with shared.read() as opened:
        transaction = opened.transaction()
        await transaction.start()
        yield opened
        await transaction.rollback()
