"""What the benchmarks share: a stack of their own, many contacts at once, CPU time of a process, printing."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
from rich.console import Console
from rich.table import Table
from temporalio.common import WorkflowIDConflictPolicy

from domain.delivery import EnrollmentInput
from domain.ids import WORKFLOW_TYPE, workflow_id
from embedded.recipients import Recipients
from embedded.server import Server, wait_until_ready
from embedded.stack import Stack, reachable_tempdir, start_stack
from store import catalog
from store.csv_files import ContactRow
from store.migrate import migrate
from tests.durability.processes import ROOT
from tests.harness import World, open_world

PARALLEL = 20


@dataclass(frozen=True)
class Bench:
    """A world on servers of its own, as the demo runs them: PostgreSQL with fsync, Temporal with a file database."""

    world: World
    stack: Stack
    home: Path


@asynccontextmanager
async def open_bench(
    recipients: Recipients, *, postgres: Mapping[str, str] | None = None, **settings: Any
) -> AsyncIterator[Bench]:
    """Start the servers, PostgreSQL with these settings of its own; everything is stopped and removed at the end."""
    with reachable_tempdir() as home:
        stack = await asyncio.to_thread(start_stack, home, say, ui=False)
        try:
            await migrate(stack.database_url)
            if postgres:
                await _configure(stack, postgres)
            async with open_world(stack.temporal_address, stack.database_url, recipients, **settings) as world:
                yield Bench(world, stack, home)
        finally:
            await asyncio.to_thread(stack.stop)


async def _configure(stack: Stack, settings: Mapping[str, str]) -> None:
    """Change settings that PostgreSQL reads at its start."""
    connection = await asyncpg.connect(stack.database_url)
    try:
        for name, value in settings.items():
            await connection.execute(f"ALTER SYSTEM SET {name} = {value}")
    finally:
        await connection.close()
    await asyncio.to_thread(stack.postgres.stop)
    await asyncio.to_thread(stack.postgres.start)


@contextmanager
def sink(home: Path, delay: float = 0.0) -> Iterator[int]:
    """An SMTP server that takes everything (benchmarks/sink.py) in its own process; its port."""
    argv = [sys.executable, "-m", "benchmarks.sink", "--delay", str(delay)]
    server = Server("the sink", argv, log=home / "sink.log", cwd=ROOT)
    try:
        wait_until_ready(server, lambda _patience: bool(server.log_tail(1)), seconds=30)
        yield int(server.log_tail(1))
    finally:
        server.stop()


async def add_mailboxes(world: World, count: int, port: int) -> list[str]:
    """Mailboxes without limits that matter, sending to 127.0.0.1:`port`."""
    return [await world.add_mailbox(f"sender{number}", port=port) for number in range(count)]


async def add_contacts(world: World, prefix: str, count: int) -> list[str]:
    """So many contacts; their IDs."""
    keys = [f"{prefix}{number}" for number in range(count)]
    rows = [
        ContactRow(id=key, first_name=f"Given{number}", last_name="Name", email=world.address(key))
        for number, key in enumerate(keys)
    ]
    async with world.database.transaction() as connection:
        await catalog.put_contacts(connection, rows)
    return keys


async def start(world: World, sequence: str, contacts: Sequence[str], at: datetime | None = None) -> None:
    """Start an enrollment of each contact, the first step due at `at`, and wait until all are admitted."""
    gate = asyncio.Semaphore(PARALLEL)

    async def one(contact: str) -> None:
        async with gate:
            await world.client.start_workflow(
                WORKFLOW_TYPE,
                EnrollmentInput(sequence_id=sequence, contact_id=contact, by="benchmark", start_at=at),
                id=workflow_id(sequence, contact),
                task_queue=world.settings.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            )

    await asyncio.gather(*(one(contact) for contact in contacts))
    await reached(world, "SELECT count(*) FROM enrollments WHERE sequence_id = $1", sequence, len(contacts))


async def reached(
    world: World, query: str, argument: Any, count: int, *, every: float = 0.25, seconds: float = 900
) -> None:
    """Wait until the query counts `count`. Raises TimeoutError with what it counts by then."""
    found = 0
    try:
        async with asyncio.timeout(seconds):
            while found < count:
                await asyncio.sleep(every)
                async with world.database.read() as connection:
                    found = await connection.fetchval(query, argument)
    except TimeoutError:
        raise TimeoutError(f"{found} of {count} after {seconds} s: {query}") from None


def cpu_seconds(pid: int) -> float | None:
    """User and system time of a process so far; None where the system does not tell (no /proc)."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def say(message: str) -> None:
    """Progress, beside the figures."""
    Console(stderr=True).print(message, style="dim")


def report(name: str, rows: Sequence[tuple[str, str, str]], figures: Mapping[str, Any]) -> None:
    """Print the table (figure, measured, bar) and the line of JSON."""
    table = Table("figure", "measured", "bar", title=name)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
    machine = {"cpus": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}
    print(json.dumps({"benchmark": name, **figures, "machine": machine}), flush=True)


def later(seconds: float) -> datetime:
    """An instant from now."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
