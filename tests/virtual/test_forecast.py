"""What was forecast happens, to the second: random sequences as real workflows in virtual time, on real PostgreSQL."""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

import pytest

from activities.services import valid_address
from domain.planner import Play
from domain.plans import World
from domain.state import EnrollmentState
from store import planning
from tests.domain import naive_planner as naive
from tests.harness import ALWAYS, plain_step
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, next_monday

FORECASTS = int(os.environ.get("ONWARD_TEST_FORECASTS", "100"))
"""How many random sequences are played. Hours of virtual time cost about as many milliseconds; an email, some tenths of a second."""
BATCHES, AT_ONCE = 20, 3

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)
Left = dict[tuple[str, str], tuple[str, datetime, datetime]]
"""Enrollment and step -> from which mailbox, at which slot, and when it really left."""

PROMPT = timedelta(seconds=8)
"""How late an email may leave without moving those behind it (store.slots.IN_PLACE). The clock that was moved to a slot goes on by
itself: on a machine so busy that it takes longer, the sequence is played again."""
TRIES = 3


CHANGING = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")


def next_change(zone: ZoneInfo) -> datetime:
    """Noon of the day on which the clock changes next, some days from now."""
    noon = datetime.combine(datetime.now(zone).date() + 4 * DAY, time(12), zone)
    while noon.utcoffset() == (noon - DAY).utcoffset():
        noon += DAY
    return noon


def make_start(chance: random.Random, zone: str, number: int) -> datetime:
    """Around a Monday; every fifth time, where the zone has that, shortly before its clock changes."""
    if number % 5 == 0 and zone in CHANGING:
        return next_change(ZoneInfo(zone)) - chance.choice([1, 2, 3]) * DAY
    return berlin(next_monday(), 6)


async def make_sequence(virtual: VirtualWorld, chance: random.Random, number: int) -> tuple[str, dict[str, str]]:
    """A random sequence with contacts enrolled in it; its ID, and contact -> enrollment."""
    world = virtual.world
    zone = chance.choice([*CHANGING, "Asia/Kathmandu"])
    start = make_start(chance, zone, number)
    more = {
        "zone_of": chance.choice(["schedule", "contact"]),
        "holidays": chance.choice([[], [], ["US", "contact"], ["DE-BY"]]),
        "closed": chance.choice([[], [], [(start + DAY).date().isoformat()]]),
    }
    await world.add_schedule(f"plan-{number}", chance.choice([OFFICE_HOURS, OFFICE_HOURS, ALWAYS]), zone, **more)
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
        place = {"zone": chance.choice([None, "Asia/Tokyo", *CHANGING]), "country": chance.choice([None, "DE", "EG"])}
        await world.add_contact(key, **place)
        enrolled[key] = await virtual.enroll(key, start + chance.randrange(6) * HOUR, sequence=sequence)
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
        # Not less: where a busy machine takes longer to send than time is to pass, the server lets it pass to the next timer.
        await virtual.pass_until(contacts[enrollment], at + PROMPT, sequence)
        await virtual.world.until_state(enrollment, partial(moved_on, state.sent))
        step, sent_at = (await virtual.sendings(enrollment))[-1]
        assert state.mailbox is not None
        assert state.step is not None
        assert step == state.step.id
        left[enrollment, step] = (state.mailbox, at, sent_at)


async def check(virtual: VirtualWorld, number: int) -> None:
    for again in range(TRIES):
        # The same sequence under another name.
        if await happens(virtual, number, number + again * 1000):
            return
    pytest.fail(f"the machine is too busy: an email of sequence {number} left more than {PROMPT} after its slot")


async def happens(virtual: VirtualWorld, number: int, name: int) -> bool:
    """Whether what was forecast happened; False where the machine was too busy to say so."""
    sequence, enrolled = await make_sequence(virtual, random.Random(f"sequence {number}"), name)
    async with virtual.world.database.read() as connection:
        loaded = await planning.of_sequence(connection, sequence, now=datetime.now(UTC), valid=valid_address)
    expected = {(one.enrollment, one.step.id): (one.mailbox, one.at) for one in Play(loaded.world).run()}
    happened = await play(virtual, sequence, enrolled)
    if any(left - slot >= PROMPT for _, slot, left in happened.values()):
        return False
    steps = loaded.world.sequences[sequence].sequence.steps
    assert happened.keys() == {(one, step.id) for one in enrolled.values() for step in steps}, number
    assert happened.keys() == expected.keys(), number
    for key, (mailbox, slot, left) in happened.items():
        assert mailbox == expected[key][0], (number, key)
        assert abs(slot - expected[key][1]) < SECOND, (number, key, slot, expected)
        assert left >= slot
    check_limits_and_windows(loaded.world, happened, number)
    return True


def check_limits_and_windows(world: World, happened: Left, number: int) -> None:
    """By rules that share no code with ours."""
    people = {member.state.enrollment: member for member in world.members}
    departures = defaultdict(list)
    for (enrollment, _), (mailbox, _, left) in happened.items():
        departures[mailbox].append(left)
        [running] = world.sequences.values()
        assert naive.is_open(naive.seen(running.schedule, people[enrollment]), left), number
    for mailbox, times in departures.items():
        limits = world.senders[mailbox].limits
        assert naive.broken_limits(times, limits) == [], (number, mailbox)
        days = Counter(at.astimezone(ZoneInfo(running.schedule.zone)).date() for at in times)
        assert max(days.values()) <= limits.per_day, (number, mailbox)


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_what_happens_is_what_was_forecast(virtual: VirtualWorld, batch: int) -> None:
    at_once = asyncio.Semaphore(AT_ONCE)

    async def one(number: int) -> None:
        async with at_once:
            await check(virtual, number)

    async with asyncio.TaskGroup() as group:
        for number in range(batch, FORECASTS, BATCHES):
            group.create_task(one(number))
