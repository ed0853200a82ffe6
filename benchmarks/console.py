"""The contacts tab of a large sequence: server time and size of its page beside the bare SQL that it needs.

Each page is asked for through the whole application, with a session's cookie. The statements that this took are noted once and
run again by themselves, in turn with the page: what counts is the ratio of the 95th percentiles, the worst of all views.
"""

from __future__ import annotations

import argparse
import logging
import re
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from statistics import median, quantiles
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from api.app import create_app
from api.services import Services, services_of
from benchmarks import common
from embedded.recipients import Recipients
from store import access, listing
from store.database import Connection, Database
from tests.harness import World

BAR = 5.0
MOST_BYTES = 200_000

PEOPLE = """
INSERT INTO contacts (id, account_id, first_name, last_name, email)
SELECT 'c' || n, 'a' || n % 5000, (ARRAY['Anna', 'Ben', 'Chloe', 'David', 'Emre', 'Fatima', 'Goran', 'Hana'])[1 + n % 8],
       'Name ' || n, 'person' || n || '@company' || n % 5000 || '.example'
FROM generate_series(1, $1::int) n
"""
ACCOUNTS = "INSERT INTO accounts (id, name) SELECT 'a' || n, 'Company ' || n FROM generate_series(0, 4999) n"

# Of ten: four active, two paused, one bounced, one not sent, two finished.
FILL = """
INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, mailbox_id, run_id, version, state, status, reason,
                         step_number, next_at, last_event_at, contact_name, started_at)
SELECT id, 'w' || n, $2, 'c' || n, $3, id, 3, jsonb_build_object(
           'enrollment', id, 'sequence', $2::text, 'contact', 'c' || n, 'mailbox', $3::text, 'version', 3, 'sent', n % 4,
           'attempt', 1, 'due', at, 'step', jsonb_build_object('id', 'step' || 1 + n % 4, 'number', 1 + n % 4, 'total', 4),
           'slot', CASE WHEN status = 'active' THEN jsonb_build_object('at', at, 'cause', 'window') END,
           'holds', CASE WHEN status = 'paused' THEN jsonb_build_array(jsonb_build_object('kind', reason, 'by', 'person:ana',
               'at', now(), 'until', CASE WHEN n % 3 = 0 THEN at END)) ELSE '[]'::jsonb END,
           'halt', CASE WHEN status IN ('bounced', 'not_sent') THEN jsonb_build_object('kind', coalesce(halt, 'not_sent'),
               'reason', reason, 'at', now()) END,
           'outcome', CASE WHEN status = 'finished' THEN reason END, 'closed', status = 'finished'),
       status, reason, 1 + n % 4, CASE WHEN status = 'active' THEN at END, now() - n * interval '7 seconds',
       'name ' || (n::bigint * 7919 % 1000003), now()
FROM (
    SELECT n, gen_random_uuid() AS id, now() + n * interval '9 seconds' AS at,
           (ARRAY['active', 'active', 'active', 'active', 'paused', 'paused', 'bounced', 'not_sent', 'finished', 'finished'])
           [1 + n % 10] AS status,
           (ARRAY[NULL, NULL, NULL, NULL, 'manual', 'out_of_office', CASE WHEN n % 20 = 6 THEN 'spam_block' ELSE 'hard_bounce' END,
                  'no_email', 'replied', 'no_reply'])[1 + n % 10] AS reason,
           CASE WHEN n % 10 = 6 THEN CASE WHEN n % 20 = 6 THEN 'spam_block' ELSE 'hard_bounce' END END AS halt
    FROM generate_series(1, $1::int) n
) one
"""
STORIES = """
INSERT INTO enrollment_events (enrollment_id, key, kind, by, at)
SELECT e.id, 'k' || k, (ARRAY['enrolled', 'sent', 'pause'])[k], 'person:ana', e.last_event_at - (3 - k) * interval '1 day'
FROM enrollments e, generate_series(1, 3) k WHERE e.sequence_id = $1
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--contacts", type=int, default=100_000, help="enrollments in the sequence")
    parser.add_argument("--rounds", type=int, default=100, help="how often each view is asked for")


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with Recipients() as unused:
        async with common.open_bench(unused) as bench:
            world = bench.world
            sequence = await world.add_sequence("large", steps=4)
            await _fill(world, sequence, given.contacts)
            found = {}
            async with _signed_in(world) as console:
                for name, address in await _views(world, sequence, given.contacts):
                    common.say(f"{name}: {address}")
                    found[name] = await console.measure(address, given.rounds)
    worst = max(view.ratio for view in found.values())
    largest = max(view.size for view in found.values())
    rows = [
        (name, f"{view.page:.1f} ms / {view.bare:.1f} ms = {view.ratio:.2f}, {view.size / 1000:.0f} kB", f"<= {BAR:g}")
        for name, view in found.items()
    ]
    rows.append(("largest page", f"{largest / 1000:.0f} kB", f"< {MOST_BYTES / 1000:.0f} kB"))
    figures = {
        "contacts": given.contacts,
        "worst_ratio": round(worst, 2),
        "largest_page": largest,
        "views": {
            name: {"page_ms": round(view.page, 1), "median_ms": round(view.middle, 1), "bare_ms": round(view.bare, 1)}
            for name, view in found.items()
        },
    }
    common.report("console", rows, figures)
    return 0 if worst <= BAR and largest < MOST_BYTES else 1


async def _fill(world: World, sequence: str, count: int) -> None:
    common.say(f"Filling in {count} enrollments")
    async with world.database.pool.acquire() as connection:
        await connection.execute(ACCOUNTS)
        await connection.execute(PEOPLE, count, timeout=900)
        await connection.execute(FILL, count, sequence, world.mailbox, timeout=900)
        await connection.execute(STORIES, sequence, timeout=900)
        await connection.execute("VACUUM ANALYZE", timeout=900)


async def _views(world: World, sequence: str, count: int) -> list[tuple[str, str]]:
    """What people look at, as addresses."""
    base = f"/sequences/{sequence}"
    cursor = None
    async with world.database.read() as connection:
        for _ in range(20):
            page = await listing.page(connection, sequence, limit=200, cursor=cursor)
            cursor = page.next_cursor or cursor
    chosen: dict[str, dict[str, str]] = {
        "all": {},
        "far behind": {"cursor": cursor or ""},
        "paused": {"status": "paused"},
        "by status": {"sort": "status.asc"},
        "by name": {"sort": "name.asc"},
        "by next action": {"sort": "next_action.asc"},
        "one reason": {"reason": "spam_block"},
        "one step": {"step": "step3"},
        "one mailbox, by name": {"mailbox": world.mailbox, "sort": "name.asc"},
        "search, common": {"search": "anna"},
        "search, a company": {"search": "company 42"},
        "search, one": {"search": f"person{count // 2}@"},
        "search, nobody": {"search": "zzzzzz"},
        "search, two characters": {"search": "na"},
    }
    return [(name, f"{base}?{urlencode(query)}" if query else base) for name, query in chosen.items()]


@dataclass(frozen=True)
class View:
    """Milliseconds (95th percentile, and the page's median) and bytes of a view."""

    page: float
    middle: float
    bare: float
    size: int

    @property
    def ratio(self) -> float:
        """The page beside its SQL."""
        return self.page / self.bare


@dataclass
class Console:
    """The application with somebody signed in. `spent`: seconds of each request inside it."""

    client: httpx.AsyncClient
    database: Recording
    spent: list[float]

    async def measure(self, address: str, rounds: int) -> View:
        """Ask for a page and run its statements, in turn."""
        for _ in range(8):
            await self._get(address)  # until plans are kept
        self.database.noted.clear()
        text = await self._get(address)
        rows = len(re.findall(r"<tr", text))
        statements = list(self.database.noted)
        common.say(f"  {len(text)} bytes, {rows} rows, {len(statements)} statements")
        self.spent.clear()
        bare = []
        async with self.database.pool.acquire() as connection:
            for turn in range(rounds + 8):
                await self._get(address)
                began = time.perf_counter()
                await _replay(connection, statements)
                if turn >= 8:
                    bare.append(time.perf_counter() - began)
        page = self.spent[8:]
        size = len(text.encode())
        return View(_late(page) * 1000, median(page) * 1000, _late(bare) * 1000, size)

    async def _get(self, address: str) -> str:
        answer = await self.client.get(address)
        assert answer.status_code == 200, f"{answer.status_code} {answer.text[:300]}"
        return answer.text


def _late(times: list[float]) -> float:
    return quantiles(times, n=20)[-1]


class Recording(Database):
    """A database that notes which statements were run."""

    def __init__(self, database: Database) -> None:
        super().__init__(database.pool)
        self.noted: list[tuple[str, tuple[Any, ...]]] = []

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Connection]:
        """As `Database.read`."""
        async with super().read() as connection:
            yield _Noting(connection, self.noted)


class _Noting:
    """A connection that notes the statements, and otherwise is that connection."""

    def __init__(self, connection: Connection, noted: list[tuple[str, tuple[Any, ...]]]) -> None:
        self._connection = connection
        self._noted = noted

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._connection, name)
        if name not in ("fetch", "fetchrow", "fetchval", "execute", "transaction"):
            return found
        return self._noting(name, found)

    def _noting(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def noting(*arguments: Any) -> Any:
            self._noted.append((name, arguments))
            return _Ending(call(), self._noted) if name == "transaction" else call(*arguments)

        return noting


class _Ending:
    """A transaction whose end is noted, too."""

    def __init__(self, transaction: Any, noted: list[tuple[str, tuple[Any, ...]]]) -> None:
        self._transaction = transaction
        self._noted = noted

    async def __aenter__(self) -> None:
        await self._transaction.__aenter__()

    async def __aexit__(self, *error: Any) -> None:
        self._noted.append(("end", ()))
        await self._transaction.__aexit__(*error)


async def _replay(connection: Connection, statements: list[tuple[str, tuple[Any, ...]]]) -> None:
    """Run the statements by themselves, in transactions as they were."""
    transaction = None
    for name, arguments in statements:
        if name == "transaction":
            transaction = connection.transaction()
            await transaction.start()
        elif name == "end":
            assert transaction is not None
            await transaction.commit()
        else:
            await getattr(connection, name)(*arguments)


class _Timed:
    """The application, with its time."""

    def __init__(self, app: ASGIApp, spent: list[float]) -> None:
        self.app = app
        self.spent = spent

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        began = time.perf_counter()
        await self.app(scope, receive, send)
        self.spent.append(time.perf_counter() - began)


@asynccontextmanager
async def _signed_in(world: World) -> AsyncIterator[Console]:
    services: Services = services_of(world.settings, world.database, world.client)
    async with world.database.transaction() as connection:
        _, key = await access.create_key(
            connection, "benchmark", ["admin"], actor="person:ana", by="person:ana", now=services.now()
        )
    database, spent = Recording(world.database), list[float]()
    services = replace(services, enrollments=replace(services.enrollments, database=database))
    transport = httpx.ASGITransport(_Timed(create_app(services), spent))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=120) as client:
        answer = await client.post("/sign-in", data={"key": key}, headers={"Origin": "http://localhost"})
        assert answer.status_code == 303, answer.text[:300]
        yield Console(client, database, spent)
