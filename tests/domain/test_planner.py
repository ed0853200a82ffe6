"""What will happen, in random worlds, against a naive walk through time."""

from __future__ import annotations

import os
import random
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from domain.capacity import Booking, Cause
from domain.planner import Play
from domain.plans import Member, Newcomer, Running, Sender, World
from domain.sequences import WEEKDAYS, Limits, Schedule, Sequence, StepRef
from domain.state import EnrollmentState, Hold
from domain.statuses import HoldKind
from tests.domain import naive_planner as naive

WORLDS = int(os.environ.get("ONWARD_TEST_WORLDS", "1000"))
BATCHES = 10

DAY = timedelta(days=1)
# Some days before a change of the clock: at night, at midnight, by half an hour, backwards; some with a holiday near.
CHANGES = {
    "Europe/Berlin": ("2026-03-27", "2026-10-23"),
    "America/New_York": ("2026-03-06", "2026-10-30"),
    "Australia/Lord_Howe": ("2026-04-03", "2026-10-02"),
    "Africa/Cairo": ("2026-04-22", "2026-10-28"),
    "America/Havana": ("2026-03-06", "2026-10-30"),
    "Asia/Kathmandu": ("2026-05-01",),
}


def make_schedule(chance: random.Random, zone: str, day: date) -> Schedule:
    """`day`: where its own closed days are."""
    spans = chance.choice(
        [
            ["00:00-24:00"],
            ["09:00-17:00"],
            ["08:30-11:00", "13:15-16:45"],
            ["00:00-02:45", "22:00-24:00"],
            ["01:30-03:00"],
        ]
    )
    windows = [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in spans]
    days = chance.choice([WEEKDAYS, WEEKDAYS[:5], WEEKDAYS[4:], ("tue", "thu", "sun")])
    definition: dict[str, Any] = {"id": "s", "zone": zone, "windows": dict.fromkeys(days, windows)}
    definition["zone_of"] = chance.choice(["schedule", "contact"])
    definition["holidays"] = chance.choice([(), (), ("DE-BY",), ("EG", "contact"), ("contact",), ("US", "CU")])
    closed = [day + chance.randrange(8) * DAY for _ in range(chance.choice([0, 0, 1, 2]))]
    definition["closed"] = [{"from": first, "to": first + chance.randrange(3) * DAY} for first in closed]
    definition["open_anyway"] = [day + chance.randrange(12) * DAY for _ in range(chance.choice([0, 0, 2]))]
    return Schedule.model_validate(definition)


def make_limits(chance: random.Random, jitter: str) -> Limits:
    if jitter != "0s":  # these are walked by seconds: what keeps an email waiting for days is for the others
        wide = {"per_day": 5, "per_hour": chance.choice([3, 20]), "gap": chance.choice(["1m", "20m"])}
        return Limits.model_validate({**wide, "new_per_day": 5, "jitter": jitter})
    per_day = chance.choice([1, 2, 3, 5, 50])
    return Limits.model_validate(
        {
            "per_day": per_day,
            "per_24h": chance.choice([None, None, 1, 2, 4]),
            "per_hour": chance.choice([1, 2, 3, 20]),
            "gap": chance.choice(["15m", "15m", "30m", "90m", "3h"]),
            "new_per_day": chance.choice([None, 1, per_day]),
        }
    )


def make_bookings(chance: random.Random, now: datetime, direction: int) -> tuple[Booking, ...]:
    quarters = chance.sample(range(1, 96 * 2), chance.choice([0, 0, 2, 5]))
    times = sorted(now + direction * timedelta(minutes=15 * quarter) for quarter in quarters)
    return tuple(Booking(at, chance.random() < 0.5, timedelta()) for at in times)


def make_world(chance: random.Random) -> World:
    zone = chance.choice(list(CHANGES))
    first = datetime.fromisoformat(chance.choice(CHANGES[zone])).replace(tzinfo=UTC)
    now = first + chance.randrange(96 * 3) * timedelta(minutes=15)
    plans = {f"s{n}": make_schedule(chance, zone, now.date()) for n in range(2)}
    waits = ["0s", "15m", "4h", "1d", "3d", "1bd", "2bd", "30h"]
    jitter = chance.choice(["0s", "0s", "0s", "7s", "90s"])
    gaps = chance.choice([["0s", "0s"], ["0s", "6h"], ["2d", "0s"]] if jitter == "0s" else [["0s", "0s"], ["1h", "0s"]])
    mailboxes = ["a", "b"][: chance.choice([1, 2])]
    sequences = {}
    for n, (name, gap) in enumerate(zip("qr", gaps, strict=True)):
        steps = [
            {"id": f"step{i}", "subject": "s", "text": "t", "wait": chance.choice(waits if i else ["0s", "1d", "1bd"])}
            for i in range(chance.choice([1, 2, 3]))
        ]
        definition = {"id": name, "name": name, "schedule": f"s{n}", "mailboxes": mailboxes, "steps": steps}
        sequence = Sequence.model_validate({**definition, "settings": {"touch_gap": gap}})
        sequences[name] = Running(sequence, plans[f"s{n}"])
    senders = {
        # What left before, and what is booked by others that are not played.
        name: Sender(make_limits(chance, jitter), make_bookings(chance, now, 1), make_bookings(chance, now, -1))
        for name in mailboxes
    }
    newcomers, members = [], []
    for number in range(chance.choice([1, 2, 4, 6])):
        name = chance.choice("qr")
        # Some contacts are in both sequences.
        contact = f"c{chance.randrange(4)}"
        theirs: dict[str, str | None] = {
            "zone": chance.choice([None, None, *CHANGES]),
            "country": chance.choice([None, *naive.ZONE_OF_COUNTRY]),
        }
        if chance.random() < 0.6:
            at = now + chance.randrange(8) * timedelta(minutes=45)
            newcomers.append(Newcomer(f"e{number}", contact, name, at, **theirs))
            continue
        steps_of = sequences[name].sequence.steps
        index = chance.randrange(len(steps_of))
        due = now + chance.randrange(-40, 40) * timedelta(minutes=45)
        until = now + chance.randrange(96) * timedelta(minutes=30)
        hold = Hold(kind=HoldKind.MANUAL, by="person:ana", at=now, until=until)
        state = EnrollmentState(
            enrollment=f"e{number}",
            sequence=name,
            contact=contact,
            mailbox=chance.choice(mailboxes),
            step=StepRef(id=steps_of[index].id, number=index + 1, total=len(steps_of)),
            due=due,
            holds=(hold,) if chance.random() < 0.5 else (),
            sent=index,
        )
        members.append(Member(state, **theirs))
    return World(now, sequences, senders, members, newcomers)


def test_the_worlds_have_in_them_what_decides_when_emails_leave() -> None:
    """Else the walk through time would prove less than it says."""
    causes: set[str | None] = set()
    found: Counter[str] = Counter()
    for number in range(150):
        world = make_world(random.Random(f"world {number}"))
        emails = list(Play(world).run())
        causes |= {one.cause for one in emails}
        zones = {ZoneInfo(running.schedule.zone) for running in world.sequences.values()}
        found["clock change"] += any(len({one.at.astimezone(zone).utcoffset() for one in emails}) > 1 for zone in zones)
        plain = {name: replace(one, schedule=without_holidays(one.schedule)) for name, one in world.sequences.items()}
        working = Play(replace(world, sequences=plain)).run()
        found["holiday"] += [one.at for one in working] != [one.at for one in emails]
        found["mailboxes"] += len({one.mailbox for one in emails}) > 1
        found["jitter"] += any(sender.limits.jitter.delta for sender in world.senders.values())
        waits = {step.wait for one in world.sequences.values() for step in one.sequence.steps}
        found["business days"] += any(wait.business_days for wait in waits)
    assert causes == {None, *get_args(Cause)}
    assert all(count >= 10 for count in found.values()), found


def without_holidays(schedule: Schedule) -> Schedule:
    return schedule.model_copy(update={"holidays": ()})


@pytest.mark.parametrize("batch", range(BATCHES))
def test_with_no_outside_event_the_forecast_is_what_a_walk_through_time_finds(batch: int) -> None:
    for number in range(batch, WORLDS, BATCHES):
        world = make_world(random.Random(f"world {number}"))
        emails = list(Play(world).run())
        found = [(one.enrollment, one.step.id, one.mailbox, one.due, one.at) for one in emails]
        assert found == naive.Naive(world).run(), number
        check_invariants(world, emails, number)


def check_invariants(world: World, emails: list[Any], number: int) -> None:
    assert [one.at for one in emails] == sorted(one.at for one in emails), number
    steps = defaultdict(list)
    left = defaultdict(list)
    people: dict[str, Member | Newcomer] = {who.enrollment: who for who in world.newcomers}
    people |= {member.state.enrollment: member for member in world.members}
    for one in emails:
        steps[one.enrollment].append(one.step.number)
        left[one.mailbox].append(one.at)
        own = naive.seen(world.sequences[one.sequence].schedule, people[one.enrollment])
        assert naive.is_open(own, one.at), number
    for who in world.newcomers:
        total = len(world.sequences[who.sequence].sequence.steps)
        assert steps[who.enrollment] == list(range(1, total + 1)), number
    for member in world.members:
        step = member.state.step
        assert step is not None
        assert steps[member.state.enrollment] == list(range(step.number, step.total + 1)), number
    for mailbox, times in left.items():
        limits = world.senders[mailbox].limits
        assert naive.broken_limits(times, limits) == [], (number, mailbox)
        for running in world.sequences.values():
            zone_ = ZoneInfo(running.schedule.zone)
            most = Counter(at.astimezone(zone_).date() for at in times).most_common(1)
            assert most[0][1] <= limits.per_day, (number, mailbox)
