"""The servers of a test run: one PostgreSQL, one Temporal and one Temporal that skips time, for all of its processes.

With pytest-xdist, as in `make test`, the tests run in worker processes: the process that hands the tests out starts the
servers and tells each worker where they are. Without it the only process starts those that its tests ask for. Either way
they end with the process that started them, however that ends (see `embedded.guard`).

Each worker has a Temporal namespace of its own: some IDs, such as that of the master switch's waker, are the same in every
test, so tests that run at the same time must not meet there.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from embedded.errors import EmbeddedError
from embedded.postgres import run_apart
from embedded.stack import forget, reachable_tempdir, start_stack
from embedded.temporal import TIME_SKIPPING, Temporal
from store.migrate import migrate

TEMPLATE = "onward_template"
SHARED_MEMORY = "/dev/shm"
ENOUGH = 1 << 30  # bytes; a run takes about a quarter of it


@dataclass(frozen=True)
class Servers:
    """Where the embedded stack is: the URL of PostgreSQL's first database, which stays empty, and Temporal's host:port."""

    database_url: str
    temporal_address: str


@contextmanager
def running_stack(namespaces: Sequence[str] = ()) -> Iterator[Servers]:
    """PostgreSQL with a migrated database to copy, and Temporal with these namespaces besides `default`."""
    for left in Path(SHARED_MEMORY).glob("onward-*"):
        with suppress(EmbeddedError, OSError):
            forget(left)  # of a run that was killed; refused for one that lives
    with (
        reachable_tempdir(_memory()) as home,
        start_stack(home, ui=False, durable=False, in_memory=True, namespaces=namespaces) as stack,
    ):
        servers = Servers(stack.database_url, stack.temporal_address)
        run_apart(_make_template(servers))
        yield servers


@contextmanager
def running_time_skipper(namespaces: Sequence[str] = ()) -> Iterator[str]:
    """The address of a Temporal server with time skipping switched on."""
    with reachable_tempdir() as home:
        temporal = Temporal(home, ui=False, in_memory=True, dynamic_config=TIME_SKIPPING, namespaces=namespaces)
        temporal.start()
        try:
            yield temporal.address
        finally:
            temporal.stop()


@asynccontextmanager
async def own_database(servers: Servers, *, migrated: bool = True) -> AsyncIterator[str]:
    """The URL of a database that is dropped at the end: with our tables and nothing in them, or not even these."""
    name = f"t_{os.urandom(6).hex()}"
    await _administer(
        servers, f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{TEMPLATE}" STRATEGY FILE_COPY' if migrated else "")
    )
    try:
        yield _database_url(servers, name)
    finally:
        await _administer(servers, f'DROP DATABASE "{name}" WITH (FORCE)')


def _memory() -> str | None:
    """A file system in memory, where there is one with room: to create a database in it takes a tenth of the time, since
    ext4 goes through the inodes of all recently deleted files to create one. None is for the usual place."""
    try:
        found = os.statvfs(SHARED_MEMORY)
    except OSError:
        return None
    # PostgreSQL's programs may have to be copied there (see `embedded.postgres`), so it has to let them run.
    fits = found.f_bavail * found.f_frsize >= ENOUGH and not found.f_flag & os.ST_NOEXEC
    return SHARED_MEMORY if fits and os.stat(SHARED_MEMORY).st_mode & 0o1777 == 0o1777 else None


async def _make_template(servers: Servers) -> None:
    await _administer(servers, f'CREATE DATABASE "{TEMPLATE}"')
    await migrate(_database_url(servers, TEMPLATE))


def _database_url(servers: Servers, name: str) -> str:
    return f"{servers.database_url.rpartition('/')[0]}/{name}"


async def _administer(servers: Servers, statement: str) -> None:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
