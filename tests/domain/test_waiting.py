"""What is told of a wait agrees with the calendar: from now to the sending time without a hole, and with true figures."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.capacity import Booking, Fit, Own, Rule, fit
from domain.durations import Duration
from domain.schedule import next_open, seen_by
from domain.sequences import Limits
from domain.state import Slot
from domain.waiting import Clock, Touch, Waiting, waits
from domain.zones import ZoneChoice
from tests.domain.calendars import schedule
from tests.domain.states import NOW, active

WEEK = timedelta(days=7)
MINUTE = timedelta(minutes=1)


def _random_wait(seed: int) -> Waiting:
    """Somebody behind others in a random calendar, at the place that a booking finds there."""
    chance = random.Random(seed)
    own = schedule(
        "Europe/Berlin", {"mon-fri": ["09:00-12:00", "13:00-17:00"]}, zone_of="contact", holidays=["contact"]
    )
    windows, zone = seen_by(own, chance.choice([None, "America/New_York", "Asia/Tokyo"]), chance.choice([None, "US"]))
    limits = Limits(
        per_day=chance.randint(3, 9),
        per_hour=chance.randint(1, 4),
        per_24h=chance.choice([None, 5]),
        new_per_day=chance.randint(1, 3),
        gap=Duration(seconds=60.0 * chance.randint(0, 20)),
        jitter=Duration(seconds=60.0 * chance.randint(0, 5)),
    )
    now = NOW + chance.random() * WEEK
    first = timedelta(hours=-20)
    emails = sorted(
        (
            Booking(
                now + first + chance.randint(0, 3000) * MINUTE, chance.random() < 0.5, chance.randint(0, 5) * MINUTE
            )
            for _ in range(chance.randint(0, 60))
        ),
        key=lambda one: one.at,
    )
    gap = chance.choice([timedelta(), timedelta(hours=30)])
    touches = (Touch(now + chance.randint(-40, 40) * 60 * MINUTE, "autumn", False),) if gap else ()
    due = now + chance.choice([0, 0, 700]) * MINUTE
    state = active(chance.choice([1, 2]), due=due)
    jitter = chance.randint(0, 5) * MINUTE
    rule = Rule(windows, own, limits, state.sent == 0)
    at = due
    while True:
        at = next_open(windows, at)
        place = fit(rule, at, emails, own=Own(jitter, tuple(touch.at for touch in touches), gap))
        if isinstance(place, Fit):
            break
        at = place.until
    cause = place.cause or ("window" if place.at > due else None)
    return Waiting(
        state.model_copy(update={"slot": Slot(at=place.at, cause=cause)}),
        now,
        Clock(zone, now),
        windows,
        own,
        place.at,
        limits=limits,
        sent=tuple(one for one in emails if one.at < now),
        booked=tuple(one for one in emails if one.at >= now),
        jitter=jitter,
        touches=touches,
        touch_gap=gap,
    )


@pytest.mark.parametrize("seed", range(120))
def test_the_way_to_the_sending_time_has_no_hole_and_its_figures_are_true(seed: int) -> None:
    case = _random_wait(seed)
    assert case.state.slot is not None
    told = waits(case)
    if case.state.slot.at <= case.now:
        assert [wait.code for wait in told] == ["sending"]
        return
    reached = case.now
    for wait in told:
        assert wait.until is not None, wait
        assert wait.until > wait.since
        # What ends while the mailbox is closed is told with its own end, and the wait for the window begins with the day.
        assert wait.since == reached or wait.code == "window", (wait, reached)
        assert wait.since >= reached
        reached = wait.until
        if "limit" in wait.figures and "sent" in wait.figures:
            assert wait.figures["sent"] + wait.figures["booked"] >= wait.figures["limit"]
        assert "no longer fits" not in wait.words
        assert "come free" not in wait.words
    assert reached == case.state.slot.at


def test_the_year_is_told_where_it_is_another() -> None:
    clock = Clock(ZoneChoice("Asia/Tokyo", "contact"), NOW)
    assert clock.full(NOW) == "Tue 1 Dec 18:00 (Asia/Tokyo, the contact's own zone)"
    assert clock.short(datetime(2027, 1, 4, 9, 0, 30, tzinfo=ZoneInfo("Asia/Tokyo"))) == "Mon 4 Jan 2027 09:00:30"
