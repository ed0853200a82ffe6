"""The connection to PostgreSQL breaks at the point of no return: no DATA follows, and the email leaves later, once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from embedded.recipients import Behaviour, Gate
from store import locks
from store.database import Connection, Database
from tests.durability.play import assert_nothing_twice
from tests.harness import World, eventually


class Doubtful(Database):
    """A database whose connection breaks once, right after a commit: it happened, but nobody hears so."""

    lose_answer = False

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        losing, self.lose_answer = self.lose_answer, False
        async with super().transaction() as connection:
            yield connection
        if losing:
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")


class Commands:
    """Counts the DATA commands."""

    def __init__(self) -> None:
        self.data = 0

    def __call__(self) -> None:
        self.data += 1


async def test_a_commit_that_happened_unheard_is_withdrawn_before_data(world: World) -> None:
    gate, commands = Gate(), Commands()
    database = Doubtful(world.database.pool)
    world.services.database = database
    world.recipients.behave("*", Behaviour(before_rcpt=gate, before_data=commands))
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 30)
    database.lose_answer = True  # the next transaction is the one of the point of no return
    gate.open()

    await world.until_status(enrollment, "finished", "completed")
    (row,) = await world.ledger(enrollment)
    assert (row["state"], row["tries"]) == ("sent", 2)
    assert commands.data == 1
    assert_nothing_twice(world)


async def test_a_connection_that_breaks_before_the_commit(world: World) -> None:
    gate, commands = Gate(), Commands()
    world.recipients.behave("*", Behaviour(before_rcpt=gate, before_data=commands))
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 30)
    async with world.database.transaction() as connection:
        await locks.exclude(connection, locks.CONTACT, "anna")
        own = await connection.fetchval("SELECT pg_backend_pid()")
        gate.open()

        async def waiting() -> int | None:
            async with world.database.read() as other:
                found: int | None = await other.fetchval(
                    "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid <> $1"
                    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
                    own,
                )
            return found

        sender = await eventually(waiting)
        assert await connection.fetchval("SELECT pg_terminate_backend($1)", sender)

    await world.until_status(enrollment, "finished", "completed")
    (row,) = await world.ledger(enrollment)
    assert (row["state"], row["tries"]) == ("sent", 2)
    assert commands.data == 1
    assert_nothing_twice(world)


async def test_an_outcome_whose_commit_is_in_doubt_is_told_once(world: World) -> None:
    gate = Gate()
    database = Doubtful(world.database.pool)
    world.services.database = database
    world.recipients.behave("*", Behaviour(before_end=gate))
    await world.add_sequence(steps=2)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 30)
    database.lose_answer = True  # the next transaction is the one that records `sent`
    gate.open()

    state = await world.until_status(enrollment, "finished", "completed")
    assert state.sent == 2
    assert await world.kinds(enrollment) == ["enrolled", "sent", "sent"]
    assert [(row["state"], row["tries"]) for row in await world.ledger(enrollment)] == [("sent", 1), ("sent", 1)]
    assert_nothing_twice(world)
