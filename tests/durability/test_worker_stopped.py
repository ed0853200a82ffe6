"""The worker must end before an email's fate is known: its graceful time-out is over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

import pytest_asyncio

from embedded.recipients import Behaviour, Gate, Recipients
from tests.durability.play import assert_nothing_twice, rows_in
from tests.harness import World, open_world
from tests.servers import Servers


@pytest_asyncio.fixture
async def hasty(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """A world whose workers wait half a second when they stop."""
    async with open_world(
        stack.temporal_address, fresh_database, recipients, graceful_shutdown_seconds=0.5, lease_seconds=1.0
    ) as world:
        yield world


async def test_without_the_final_reply_the_delivery_is_unknown(hasty: World) -> None:
    gate = Gate()
    hasty.recipients.behave("*", Behaviour(before_end=gate))
    await hasty.add_sequence(steps=2)
    async with hasty.worker():
        enrollment = await hasty.enroll("anna")
        await asyncio.to_thread(gate.wait_reached, 30)
    assert await rows_in(hasty, "unknown") == {(enrollment, "step1", 1)}
    async with hasty.worker():
        await hasty.until_status(enrollment, "paused", "delivery_unknown")
    assert len(hasty.recipients.received()) == 1


async def test_an_accepted_email_whose_record_could_not_be_written_is_never_given_back(hasty: World) -> None:
    """Cancelled while it writes `sent`, `deliver` leaves the row as it is: `sending`, which becomes unknown."""
    gate = Gate()
    hasty.recipients.behave("*", Behaviour(before_end=gate))
    await hasty.add_sequence(steps=2)
    async with hasty.database.transaction() as connection:
        async with hasty.worker():
            enrollment = await hasty.enroll("anna")
            await asyncio.to_thread(gate.wait_reached, 30)
            await connection.execute("SELECT 1 FROM enrollments WHERE id = $1 FOR UPDATE", UUID(enrollment))
            gate.open()
        assert await rows_in(hasty, "sending") == {(enrollment, "step1", 1)}
    async with hasty.worker():
        await hasty.until_status(enrollment, "paused", "delivery_unknown")
    assert_nothing_twice(hasty)
    assert len(hasty.recipients.received()) == 1
