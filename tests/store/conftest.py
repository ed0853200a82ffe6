"""Databases for the store's tests: mostly one transaction that is rolled back; a database of their own where needed."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

import asyncpg
import pytest_asyncio

from embedded.stack import Stack
from store.database import Connection, Database
from tests.conftest import database_url


async def _admin(stack: Stack, statement: str) -> None:
    connection = await asyncpg.connect(stack.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


@pytest_asyncio.fixture
async def empty_url(stack: Stack) -> AsyncIterator[str]:
    """The URL of a database with nothing in it."""
    name = f"empty_{os.urandom(6).hex()}"
    await _admin(stack, f"CREATE DATABASE {name}")
    yield database_url(stack, name)
    await _admin(stack, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture
async def database(fresh_database: str) -> AsyncIterator[Database]:
    """A migrated database of the test's own, for tests with several sessions."""
    opened = await Database.connect(fresh_database)
    yield opened
    await opened.close()


@pytest_asyncio.fixture(scope="session")
async def shared(stack: Stack, template: str) -> AsyncIterator[Database]:
    """A migrated database for `connection`, always empty between tests: to copy one takes half a second."""
    await _admin(stack, f'CREATE DATABASE store_tests TEMPLATE "{template}"')
    opened = await Database.connect(database_url(stack, "store_tests"))
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
