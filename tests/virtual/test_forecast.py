"""What was forecast happens, to the second: random sequences as real workflows in virtual time, on real PostgreSQL."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime, timedelta
from functools import partial

from activities.services import valid_address
from domain.planner import Play
from domain.state import EnrollmentState
from store import planning
from tests.harness import ALWAYS, plain_step
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, next_monday

FORECASTS = int(os.environ.get("ONWARD_TEST_FORECASTS", "6"))
"""How many random sequences are played. Hours of virtual time cost about as many milliseconds; an email, some tenths of a second."""

SECOND = timedelta(seconds=1)
Left = dict[tuple[str, str], tuple[str, datetime, datetime]]
"""Enrollment and step -> from which mailbox, at which slot, and when it really left."""

PROMPT = timedelta(seconds=10)
"""How long after its slot an email may leave on a busy machine: the clock that was moved to the slot goes on by itself."""


async def make_sequence(virtual: VirtualWorld, chance: random.Random, number: int) -> tuple[str, dict[str, str]]:
    """A random sequence with contacts enrolled in it; its ID, and contact -> enrollment."""
    world = virtual.world
    zone = chance.choice(["Europe/Berlin", "America/New_York", "Asia/Kathmandu"])
    follows = {"zone_of": chance.choice(["schedule", "contact"])}
    await world.add_schedule(f"plan-{number}", chance.choice([OFFICE_HOURS, OFFICE_HOURS, ALWAYS]), zone, **follows)
    limits = {
        "per_day": chance.choice([1, 2, 5]),
        "per_24h": chance.choice([None, 2]),
        "per_hour": chance.choice([1, 2, 10]),
        "gap": chance.choice(["1m", "10m"]),
        "jitter": chance.choice(["0s", "90s"]),
        "new_per_day": chance.choice([1, 5]),
    }
    mailboxes = [
        await world.add_mailbox(f"box-{number}-{each}-{world.token}", limits=limits)
        for each in range(chance.choice([1, 2]))
    ]
    steps = [
        plain_step(step, wait=chance.choice(["2h", "1d", "3d", "1bd", "2bd"]) if step > 1 else "0s")
        for step in range(1, chance.choice([2, 3]) + 1)
    ]
    settings = {"settle": "90d", "touch_gap": chance.choice(["0s", "0s", "30h"])}
    sequence = await world.add_sequence(
        f"random{number}", steps, schedule=f"plan-{number}", mailboxes=mailboxes, settings=settings
    )
    enrolled = {}
    for contact in range(chance.choice([2, 3, 4])):
        key = f"c{number}-{contact}"
        await world.add_contact(key, zone=chance.choice([None, "Asia/Tokyo", "America/Los_Angeles"]))
        enrolled[key] = await virtual.enroll(key, berlin(next_monday(), chance.randrange(6, 12)), sequence=sequence)
    return sequence, enrolled


def moved_on(sent: int, state: EnrollmentState) -> bool:
    return state.sent > sent


async def play(virtual: VirtualWorld, sequence: str, enrolled: dict[str, str]) -> Left:
    """Let everybody's clock pass, whose email is next first, until all emails have left."""
    contacts = {enrollment: contact for contact, enrollment in enrolled.items()}
    left: Left = {}
    while True:
        states = [await virtual.world.state(enrollment) for enrollment in enrolled.values()]
        coming = [(state.slot.at, state.enrollment, state) for state in states if state.slot is not None]
        if not coming:
            return left
        at, enrollment, state = min(coming, key=lambda one: one[:2])
        await virtual.pass_until(contacts[enrollment], at + SECOND, sequence)
        await virtual.world.until_state(enrollment, partial(moved_on, state.sent))
        step, sent_at = (await virtual.sendings(enrollment))[-1]
        assert state.mailbox is not None
        left[enrollment, step] = (state.mailbox, at, sent_at)


async def test_what_happens_is_what_was_forecast(virtual: VirtualWorld) -> None:
    for number in range(FORECASTS):
        sequence, enrolled = await make_sequence(virtual, random.Random(f"sequence {number}"), number)
        async with virtual.world.database.read() as connection:
            loaded = await planning.of_sequence(connection, sequence, now=datetime.now(UTC), valid=valid_address)
        expected = {(one.enrollment, one.step.id): (one.mailbox, one.at) for one in Play(loaded.world).run()}
        happened = await play(virtual, sequence, enrolled)
        assert happened.keys() == expected.keys(), number
        for key, (mailbox, slot, left) in happened.items():
            assert mailbox == expected[key][0], (number, key)
            assert abs(slot - expected[key][1]) < SECOND, (number, key, slot, expected)
            assert timedelta() <= left - slot < PROMPT
