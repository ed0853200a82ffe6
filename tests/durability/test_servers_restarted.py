"""PostgreSQL or Temporal is killed and comes back while emails are under way: nothing is lost, nothing goes out twice."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from embedded.postgres import Postgres
from embedded.recipients import Behaviour, Recipients
from embedded.stack import reachable_tempdir
from embedded.temporal import Temporal
from store.migrate import migrate
from tests.durability.play import (
    assert_ledger_is_what_arrived,
    assert_nothing_twice,
    at_least,
    enroll_many,
    until_all_rest,
)
from tests.harness import World, open_world
from tests.servers import Servers

CONTACTS, STEPS = 12, 3


@pytest.fixture
def home() -> Iterator[Path]:
    """Where a server of the test's own keeps its data."""
    with reachable_tempdir() as directory:
        yield directory


async def test_postgres_killed_and_started_again(stack: Servers, recipients: Recipients, home: Path) -> None:
    postgres = Postgres(home)
    try:
        url = await asyncio.to_thread(postgres.start)
        await migrate(url)
        async with open_world(stack.temporal_address, url, recipients, max_concurrent_activities=5) as world:
            async with world.worker():
                enrollments = await _play(world, lambda: _restart(postgres))
            await _assert_whole(world, enrollments)
    finally:
        await asyncio.to_thread(postgres.stop)


async def test_temporal_killed_and_started_again(
    fresh_database: str, recipients: Recipients, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TEMPORAL_NAMESPACE", raising=False)  # this server has none but `default`
    temporal = Temporal(home, ui=False)
    try:
        address = await asyncio.to_thread(temporal.start)
        async with open_world(address, fresh_database, recipients, max_concurrent_activities=5) as world:
            async with world.worker():
                enrollments = await _play(world, lambda: _restart(temporal))
            await _assert_whole(world, enrollments)
    finally:
        await asyncio.to_thread(temporal.stop)


def _restart(server: Postgres | Temporal) -> None:
    server.kill()
    server.start()


async def _play(world: World, interrupt: object) -> list[str]:
    """Enroll, interrupt in the middle, wait until all is done; the enrollments."""
    assert callable(interrupt)
    world.recipients.behave("*", Behaviour(delay=0.2))
    await world.add_sequence(steps=STEPS)
    enrollments = await enroll_many(world, CONTACTS, after=2)
    await asyncio.to_thread(world.recipients.wait_for, at_least(10), 60)
    await asyncio.to_thread(interrupt)
    assert len(world.recipients.received()) < CONTACTS * STEPS, "it was over before the interruption"
    rest = await until_all_rest(world, enrollments, seconds=120)
    assert set(rest.values()) == {("finished", "completed")}
    return enrollments


async def _assert_whole(world: World, enrollments: list[str]) -> None:
    """The worker knew each outcome and kept it until it could be written: nothing is unknown, nothing is missing."""
    assert_nothing_twice(world)
    await assert_ledger_is_what_arrived(world)
    assert len(world.recipients.received()) == len(enrollments) * STEPS
