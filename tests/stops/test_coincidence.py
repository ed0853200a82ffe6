"""What comes at once is taken by precedence, whatever order it came in (design section 3)."""

from __future__ import annotations

import asyncio
import functools
import itertools

from tests.harness import World, eventually, plain_step
from tests.stops import play

OUTCOMES = {
    ("reply", "bounce", "finish"): ("finished", "replied"),
    ("unsubscribe", "reply"): ("finished", "unsubscribed"),
    ("complaint", "meeting_booked"): ("finished", "complained"),
    ("bounce", "finish"): ("finished", "manual"),  # the bounce first; a person may finish what has bounced
    ("bounce", "pause"): ("bounced", "hard_bounce"),
    ("reply", "out_of_office"): ("finished", "replied"),
    ("pause", "out_of_office"): ("paused", "manual"),
    ("finish", "account_reply"): ("finished", "manual"),
    ("finish", "out_of_office"): ("finished", "manual"),
}


async def test_what_comes_in_one_go_is_taken_by_precedence(workerless: World) -> None:
    world = workerless
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    cases = [(order, end) for messages, end in OUTCOMES.items() for order in itertools.permutations(messages)]
    contacts = ["-".join(order).replace("_", "") for order, _ in cases]
    async with world.worker():
        enrollments = await asyncio.gather(*(world.enroll(contact) for contact in contacts))
        for contact in contacts:
            await eventually(
                functools.partial(play.count_events, world, play.workflow_id(world, contact), "timer_started")
            )
    await asyncio.gather(*(play.forget_worker(world, play.workflow_id(world, contact)) for contact in contacts))
    for contact, (order, _) in zip(contacts, cases, strict=True):
        for name in order:
            await world.signal(contact, name, {"by": "person:test", "id": f"{name}/{contact}"})
    async with world.worker():
        for contact, enrollment, (order, end) in zip(contacts, enrollments, cases, strict=True):
            await world.until_status(enrollment, *end)
            kinds = await world.kinds(enrollment)
            told = [kind.removesuffix("_refused") for kind in kinds]
            assert all(told.count(name) == 1 for name in order), kinds
            assert await play.health(world, play.workflow_id(world, contact)) == []
