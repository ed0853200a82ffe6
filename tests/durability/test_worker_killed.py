"""The worker dies or stops while emails are under way."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

from embedded.recipients import Behaviour, Gate
from tests.durability.conftest import process
from tests.durability.play import (
    assert_ledger_is_what_arrived,
    assert_nothing_twice,
    at_least,
    enroll_many,
    rows_in,
    until_all_rest,
    until_workers_sessions_end,
)
from tests.harness import World

SLOW = Behaviour(delay=0.2)
CONTACTS, STEPS = 20, 3


async def test_no_email_leaves_twice_when_the_worker_is_killed_three_times(apart: World, tmp_path: Path) -> None:
    """Temporal repeats a `deliver` of a dead worker after its heartbeat time-out of 30 s; the ledger answers then."""
    world, chance = apart, random.Random(7)
    world.recipients.behave("*", SLOW)
    await world.add_sequence(steps=STEPS)
    past_return: set[tuple[str, str, int]] = set()
    async with process(world, tmp_path) as worker:
        enrollments = await enroll_many(world, CONTACTS, after=2)
        for mails in (6, 16, 26):
            await asyncio.to_thread(world.recipients.wait_for, at_least(mails), 60)
            # From here on no email gets its reply: the kill meets those that wait for it, and others on their way there.
            gate = Gate()
            world.recipients.behave("*", Behaviour(before_end=gate))
            await asyncio.to_thread(gate.wait_reached, 60)
            await asyncio.sleep(chance.uniform(0, 0.2))
            worker.kill()
            await until_workers_sessions_end(world)
            world.recipients.behave("*", SLOW)
            gate.open()
            under_way = await rows_in(world, "sending") - past_return
            assert under_way, "the kill met no email under way"
            past_return |= under_way
            await worker.start()
        rest = await until_all_rest(world, enrollments)

    assert_nothing_twice(world)
    await assert_ledger_is_what_arrived(world)
    unknown = await rows_in(world, "unknown")
    assert unknown <= past_return
    held = {enrollment for enrollment, _, _ in unknown}
    for enrollment, shown in rest.items():
        assert shown == (("paused", "delivery_unknown") if enrollment in held else ("finished", "completed"))
    finished = len(enrollments) - len(held)
    sent_before_unknown = [(await world.state(enrollment)).sent for enrollment in held]
    assert len(await rows_in(world, "sent")) == finished * STEPS + sum(sent_before_unknown)


async def test_a_worker_that_is_told_to_stop_waits_for_the_replies(apart: World, tmp_path: Path) -> None:
    world = apart
    world.recipients.behave("*", SLOW)
    await world.add_sequence(steps=STEPS)
    async with process(world, tmp_path) as worker:
        enrollments = await enroll_many(world, CONTACTS, after=2)
        await asyncio.to_thread(world.recipients.wait_for, at_least(15), 60)
        assert await worker.terminate() == 0
        assert await rows_in(world, "claimed", "sending", "unknown") == set()
        arrived = len(world.recipients.received())
        assert arrived < CONTACTS * STEPS, "it was over before the stop"
        await worker.start()
        rest = await until_all_rest(world, enrollments)

    assert set(rest.values()) == {("finished", "completed")}
    assert_nothing_twice(world)
    assert len(world.recipients.received()) == CONTACTS * STEPS
