"""Many contacts at once, and what must be true of their emails whatever was killed meanwhile."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from embedded.recipients import Received
from tests.harness import World, eventually

WORKER_NAME = "onward_worker"


def at_least(count: int) -> Callable[[list[Received]], bool]:
    """For Recipients.wait_for: so many emails have arrived."""
    return lambda received: len(received) >= count


def named(database_url: str) -> str:
    """The URL by which PostgreSQL knows a worker's sessions from the test's own."""
    return f"{database_url}?application_name={WORKER_NAME}"


async def enroll_many(world: World, count: int, *, after: float = 0.0) -> list[str]:
    """Enroll so many contacts, the first step due `after` seconds from now; answers their enrollments' IDs."""
    start_at = datetime.now(UTC) + timedelta(seconds=after)
    keys = [f"c{number:02d}" for number in range(count)]
    for key in keys:
        await world.add_contact(key)
    return list(await asyncio.gather(*(world.enroll(key, start_at=start_at) for key in keys)))


async def until_all_rest(world: World, enrollments: list[str], *, seconds: float = 90.0) -> dict[str, tuple[str, str]]:
    """Wait until every enrollment is finished or held; answers status and reason of each."""

    async def there() -> dict[str, tuple[str, str]] | None:
        async with world.database.read() as connection:
            rows = await connection.fetch("SELECT id, status, reason FROM enrollments WHERE status <> 'active'")
        found = {str(row["id"]): (row["status"], row["reason"]) for row in rows}
        return found if len(found) == len(enrollments) else None

    async def describe() -> str:
        async with world.database.read() as connection:
            rows = await connection.fetch("SELECT id, status, reason, next_at, version FROM enrollments")
            ledger = await connection.fetch(
                "SELECT enrollment_id, step_id, state, fence, lease_until, owner FROM send_ledger WHERE state <> 'sent'"
            )
        return "\n".join(str(dict(row)) for row in [*rows, *ledger])

    found: dict[str, tuple[str, str]] = await eventually(there, describe, seconds=seconds)
    return found


async def rows_in(world: World, *states: str) -> set[tuple[str, str, int]]:
    """The ledger's rows in these states: enrollment, step, attempt."""
    async with world.database.read() as connection:
        rows = await connection.fetch(
            "SELECT enrollment_id, step_id, attempt FROM send_ledger WHERE state = ANY ($1::text[])", list(states)
        )
    return {(str(row["enrollment_id"]), row["step_id"], row["attempt"]) for row in rows}


async def until_workers_sessions_end(world: World) -> None:
    """Wait until PostgreSQL has let go of a killed worker: what it had sent may still have been committed."""

    async def gone() -> bool:
        async with world.database.read() as connection:
            count = await connection.fetchval(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1",
                WORKER_NAME,
            )
        return bool(count == 0)

    await eventually(gone)


def assert_nothing_twice(world: World) -> None:
    """By Message-ID, and by recipient and step."""
    assert world.recipients.duplicates() == []
    steps = Counter((mail.address, mail.subject) for mail in world.recipients.received())
    assert [step for step, times in steps.items() if times > 1] == []


async def assert_ledger_is_what_arrived(world: World) -> None:
    """Every email that the ledger calls sent arrived; what arrived is sent, or unknown."""
    async with world.database.read() as connection:
        rows = await connection.fetch("SELECT message_id, state FROM send_ledger")
    states = {row["message_id"]: row["state"] for row in rows}
    arrived = {mail.message_id.strip("<>") for mail in world.recipients.received()}
    assert {message for message, state in states.items() if state == "sent"} <= arrived
    assert {states[message] for message in arrived} <= {"sent", "unknown"}
