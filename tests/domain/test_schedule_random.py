"""Random schedules around clock changes against a walk on the local clock, quarter by quarter.

Windows, offsets and changes lie on quarters of an hour, so every instant at which something opens or closes is one too.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import holidays
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.durations import Duration
from domain.schedule import after, day_bounds, is_open, local_day, next_open, openings, seen_by
from domain.sequences import WEEKDAYS, Schedule
from tests.domain.calendars import APIA, ASUNCION, BERLIN, CAIRO, HAVANA, KATHMANDU, LORD_HOWE, NEW_YORK, at, schedule

QUARTER = timedelta(minutes=15)
DAY = timedelta(days=1)
CHANGES = [
    (BERLIN, "2026-03-29"),
    (BERLIN, "2026-10-25"),
    (NEW_YORK, "2026-03-08"),
    (NEW_YORK, "2026-11-01"),
    (LORD_HOWE, "2026-04-05"),
    (LORD_HOWE, "2026-10-04"),
    (KATHMANDU, "2026-06-01"),
    (CAIRO, "2026-04-24"),
    (CAIRO, "2026-10-30"),
    (HAVANA, "2026-11-01"),
    (ASUNCION, "2023-10-01"),
    (ASUNCION, "2024-03-24"),
    (APIA, "2011-12-30"),
    ("Asia/Tehran", "2022-03-22"),
    ("Africa/Casablanca", "2026-02-15"),
    ("Pacific/Chatham", "2026-09-27"),
    ("America/Nuuk", "2026-03-29"),
    ("Antarctica/Troll", "2026-03-29"),  # two hours
]
COUNTRIES = ["US", "DE", "DE-BY", "EG"]


@st.composite
def spans(draw: st.DrawFn) -> list[str]:
    edges = sorted(draw(st.lists(st.integers(0, 96), max_size=6, unique=True)))
    return [
        f"{a // 4:02d}:{a % 4 * 15:02d}-{b // 4:02d}:{b % 4 * 15:02d}"
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]


@st.composite
def cases(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    """A schedule, seen in the zone of a contact half of the time, and a moment near a change of that zone's clock."""
    zone, day = draw(st.sampled_from(CHANGES))
    windows = draw(st.dictionaries(st.sampled_from(WEEKDAYS), spans(), min_size=1).filter(lambda d: any(d.values())))
    dates = st.integers(-4, 12).map(lambda n: date.fromisoformat(day) + n * DAY)
    closed = draw(st.lists(st.tuples(dates, dates).map(sorted), max_size=2))
    more: dict[str, Any] = {
        "closed": [{"from": first, "to": last} for first, last in closed],
        "holidays": draw(st.lists(st.sampled_from(COUNTRIES), max_size=2)),
        "open_anyway": draw(st.lists(dates, max_size=2)),
    }
    start = at(zone, day) + draw(st.integers(-200, 200)) * QUARTER
    if draw(st.booleans()):
        theirs, choice = seen_by(schedule(KATHMANDU, windows, zone_of="contact", **more), zone, None)
        assert choice.source == "contact"
        return theirs, start
    return schedule(zone, windows, **more), start


@cache
def library(name: str) -> holidays.HolidayBase:
    country, _, part = name.partition("-")
    return holidays.country_holidays(country, subdiv=part or None)


def open_by_the_clock(plan: Schedule, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(plan.zone))
    day = local.date()
    if day not in plan.open_anyway:
        if any(blackout.first <= day <= blackout.last for blackout in plan.closed):
            return False
        if any(day in library(name) for name in plan.holidays):
            return False
    windows = [w for day, ws in plan.windows.items() if day == WEEKDAYS[local.weekday()] for w in ws]
    return any(w.start <= local.time() and (local.time() < w.end or w.end == time.max) for w in windows)


def quarters(start: datetime) -> Iterator[datetime]:
    while True:
        yield start
        start += QUARTER


@settings(max_examples=120, deadline=None)
@given(cases(), st.integers(0, 15 * 60 * 10**6 - 1))
def test_next_open_is_what_a_walk_on_the_local_clock_finds(case: tuple[Schedule, datetime], inside: int) -> None:
    plan, start = case
    assert next_open(plan, start) == next(moment for moment in quarters(start) if open_by_the_clock(plan, moment))
    within = start + timedelta(microseconds=inside)
    assert is_open(plan, within) is open_by_the_clock(plan, within)
    begin, end = day_bounds(plan, within)
    assert begin <= within < end
    day = local_day(plan, within)
    assert [moment for moment in quarters_between(begin, end) if open_by_the_clock(plan, moment)] == [
        moment for opens, closes in openings(plan, day) for moment in quarters_between(opens, closes)
    ]


def quarters_between(begin: datetime, end: datetime) -> list[datetime]:
    return [begin + n * QUARTER for n in range((end - begin) // QUARTER)]


@settings(max_examples=80, deadline=None)
@given(cases(), st.integers(1, 9))
def test_calendar_days_end_when_the_local_clock_shows_that_time_first(case: tuple[Schedule, datetime], n: int) -> None:
    plan, start = case
    zone = ZoneInfo(plan.zone)
    wanted = start.astimezone(zone).replace(tzinfo=None) + n * DAY
    shown = next(moment for moment in quarters(start) if moment.astimezone(zone).replace(tzinfo=None) >= wanted)
    assert after(plan, start, Duration(days=n)) == shown


@settings(max_examples=50, deadline=None)
@given(cases(), st.integers(1, 4))
def test_business_days_are_the_local_dates_on_which_something_opens(case: tuple[Schedule, datetime], n: int) -> None:
    plan, start = case
    zone = ZoneInfo(plan.zone)
    wanted = start.astimezone(zone).time()
    days = {start.astimezone(zone).date()}
    for moment in quarters(start):
        local = moment.astimezone(zone)
        if local.date() not in days and open_by_the_clock(plan, moment):
            days.add(local.date())
            if len(days) > n:
                break
    last = max(days)
    # That time of the day reached, or the instant after the gap that holds it.
    shown = next(
        moment
        for moment in quarters(at(plan.zone, last.isoformat()) - 2 * DAY)
        if moment.astimezone(zone).replace(tzinfo=None) >= datetime.combine(last, wanted)
    )
    assert after(plan, start, Duration(business_days=n)) == shown
