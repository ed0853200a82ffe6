"""The connection pool, and how values cross it: jsonb as Python objects, instants as aware datetimes in UTC."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import asyncpg
from pydantic_core import to_jsonable_python

if TYPE_CHECKING:
    Connection = asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]
    Pool = asyncpg.Pool[asyncpg.Record]
else:
    Connection = Any
    Pool = Any

UNAVAILABLE: tuple[type[BaseException], ...] = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InterfaceError,
    ConnectionError,
    TimeoutError,
    OSError,
)
"""Errors that say nothing about the data: the server is away or coming back."""


def dumps(value: Any) -> str:
    """JSON for jsonb. PostgreSQL text cannot hold NUL or half a surrogate pair; they are never meant."""
    text = json.dumps(_without_nul(to_jsonable_python(value)), ensure_ascii=False)
    return text.encode("utf-8", "replace").decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\x00", "")
    if isinstance(value, dict):
        return {_without_nul(key): _without_nul(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nul(item) for item in value]
    return value


async def _set_up(connection: Any) -> None:
    await connection.set_type_codec("jsonb", encoder=dumps, decoder=json.loads, schema="pg_catalog")


class Database:
    """A pool of connections to Onward's PostgreSQL database."""

    def __init__(self, pool: Pool) -> None:
        self.pool = pool

    @classmethod
    async def connect(cls, url: str, size: int = 16) -> Database:
        """Open the pool. Raises OSError or asyncpg errors when the server cannot be reached."""
        pool = await asyncpg.create_pool(url, min_size=1, max_size=size, init=_set_up, timeout=10, command_timeout=60)
        return cls(pool)

    async def close(self) -> None:
        """Close the pool; connections in use are given 10 s."""
        try:
            async with asyncio.timeout(10):
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """A connection outside a transaction, for single statements."""
        async with self.pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A connection inside a READ COMMITTED transaction; committed at the end, rolled back on an error."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection
