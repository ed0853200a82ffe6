"""Windows, business days and waits, with the clock changes of real zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.durations import Duration, parse_duration
from domain.schedule import (
    add_business_days,
    after,
    day_bounds,
    first_window,
    is_open,
    local_day,
    next_open,
    openings,
    resolve_moment,
    return_from_absence,
)
from domain.sequences import WEEKDAYS, Schedule

BERLIN, NEW_YORK, LORD_HOWE, KATHMANDU = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"
QUARTER = timedelta(minutes=15)


def schedule(zone: str, windows: dict[str, list[str]]) -> Schedule:
    """`{"mon": ["09:00-17:00"]}` in a zone; `mon-fri` and `all` name several days."""
    names = {"all": WEEKDAYS, "mon-fri": WEEKDAYS[:5]}
    days = {day: spans for key, spans in windows.items() for day in names.get(key, (key,))}
    parsed = {
        day: [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in spans]
        for day, spans in days.items()
    }
    return Schedule.model_validate({"id": "s", "zone": zone, "windows": parsed})


def at(zone: str, text: str, fold: int = 0) -> datetime:
    """A local time as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


OFFICE = schedule(BERLIN, {"mon-fri": ["09:00-12:00", "13:00-17:00"]})


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-12-01T08:59:59.999999", "2026-12-01T09:00"),
        ("2026-12-01T09:00", "2026-12-01T09:00"),
        ("2026-12-01T11:59:59.999999", "2026-12-01T11:59:59.999999"),
        ("2026-12-01T12:00", "2026-12-01T13:00"),
        ("2026-12-01T17:00", "2026-12-02T09:00"),
        ("2026-12-04T17:00", "2026-12-07T09:00"),
        ("2026-12-05T10:00", "2026-12-07T09:00"),
    ],
)
def test_next_open_waits_for_the_window_and_keeps_open_instants(start: str, expected: str) -> None:
    assert next_open(OFFICE, at(BERLIN, start)) == at(BERLIN, expected)
    assert is_open(OFFICE, at(BERLIN, start)) is (start == expected)


def test_results_are_in_utc_whatever_the_zone_asked_in() -> None:
    asked = datetime(2026, 12, 1, 10, 0, 0, 123456, tzinfo=ZoneInfo(KATHMANDU))
    result = next_open(schedule("UTC", {"all": ["00:00-24:00"]}), asked)
    assert (result, result.tzinfo) == (asked, UTC)


def test_windows_written_out_of_order_open_in_order() -> None:
    odd = schedule(BERLIN, {"tue": ["13:00-14:00", "09:00-10:00"]})
    assert next_open(odd, at(BERLIN, "2026-12-01T00:00")) == at(BERLIN, "2026-12-01T09:00")


def test_a_window_to_24_00_joins_the_next_day_without_a_hole() -> None:
    nights = schedule(BERLIN, {"mon": ["22:00-24:00"], "tue": ["00:00-02:00"]})
    for text in ("2026-11-30T23:59:59.999999", "2026-12-01T00:00", "2026-12-01T01:59:59"):
        assert is_open(nights, at(BERLIN, text))
    assert not is_open(nights, at(BERLIN, "2026-12-01T02:00"))


@pytest.mark.parametrize(
    ("zone", "windows", "start", "expected"),
    [
        # Berlin 2026-03-29: 02:00 becomes 03:00, at 01:00 UTC.
        (BERLIN, "02:30-04:00", "2026-03-29T00:30", "2026-03-29T01:00"),
        (BERLIN, "01:00-02:30", "2026-03-29T00:59:59", "2026-03-29T00:59:59"),
        (BERLIN, "01:00-02:30", "2026-03-29T01:00", "2026-03-29T23:00"),
        (BERLIN, "02:15-02:45", "2026-03-29T00:00", "2026-03-30T00:15"),
        # Berlin 2026-10-25: 03:00 becomes 02:00, at 01:00 UTC; 02:00 to 03:00 comes twice.
        (BERLIN, "02:15-02:45", "2026-10-25T00:00", "2026-10-25T00:15"),
        (BERLIN, "02:15-02:45", "2026-10-25T00:45", "2026-10-25T01:15"),
        (BERLIN, "02:15-02:45", "2026-10-25T01:45", "2026-10-26T01:15"),
        (BERLIN, "02:00-03:00", "2026-10-25T01:00", "2026-10-25T01:00"),
        # New York 2026-03-08 at 07:00 UTC and 2026-11-01 at 06:00 UTC.
        (NEW_YORK, "02:30-04:00", "2026-03-08T05:00", "2026-03-08T07:00"),
        (NEW_YORK, "01:30-01:45", "2026-11-01T05:45", "2026-11-01T06:30"),
        # Lord Howe, half an hour: 2026-10-04 02:00 becomes 02:30 at 15:30 UTC; 2026-04-05 02:00 becomes 01:30 at 15:00 UTC.
        (LORD_HOWE, "02:15-03:00", "2026-10-03T14:00", "2026-10-03T15:30"),
        (LORD_HOWE, "01:30-01:45", "2026-04-04T14:45", "2026-04-04T15:00"),
        (KATHMANDU, "09:00-10:00", "2026-12-01T00:00", "2026-12-01T03:15"),
    ],
)
def test_next_open_across_clock_changes(zone: str, windows: str, start: str, expected: str) -> None:
    assert next_open(schedule(zone, {"all": [windows]}), utc(start)) == utc(expected)


def test_the_only_window_of_the_week_lost_in_a_gap_opens_a_week_later() -> None:
    lost = schedule(BERLIN, {"sun": ["02:10-02:20"]})
    assert next_open(lost, at(BERLIN, "2026-03-22T02:20")) == at(BERLIN, "2026-04-05T02:10")
    assert next_open(lost, at(BERLIN, "2026-03-28T12:00")) == at(BERLIN, "2026-04-05T02:10")
    assert first_window(lost, date(2026, 3, 29)) == at(BERLIN, "2026-04-05T02:10")


def test_first_window_of_a_day_and_of_a_day_without_any() -> None:
    assert first_window(OFFICE, date(2026, 12, 1)) == at(BERLIN, "2026-12-01T09:00")
    assert first_window(OFFICE, date(2026, 12, 5)) == at(BERLIN, "2026-12-07T09:00")


@pytest.mark.parametrize(
    ("day", "n", "expected"),
    [
        ("2026-12-01", 0, "2026-12-01"),
        ("2026-12-01", 1, "2026-12-02"),
        ("2026-12-04", 1, "2026-12-07"),
        ("2026-12-05", 0, "2026-12-05"),
        ("2026-12-05", 1, "2026-12-07"),
        ("2026-12-05", 10, "2026-12-18"),
    ],
)
def test_business_days_are_days_with_a_window(day: str, n: int, expected: str) -> None:
    assert add_business_days(OFFICE, date.fromisoformat(day), n) == date.fromisoformat(expected)


def test_a_moment_is_a_date_or_an_instant() -> None:
    assert resolve_moment(OFFICE, date(2026, 12, 5)) == at(BERLIN, "2026-12-07T09:00")
    closed = at(BERLIN, "2026-12-05T03:00:00.000001")
    assert resolve_moment(OFFICE, closed) == closed


@pytest.mark.parametrize(
    ("back", "buffer", "expected"),
    [
        (date(2026, 12, 8), "1bd", "2026-12-09T09:00"),
        (date(2026, 12, 11), "1bd", "2026-12-14T09:00"),
        (date(2026, 12, 12), "0s", "2026-12-14T09:00"),
        (date(2026, 12, 8), "2h", "2026-12-08T11:00"),
        (date(2026, 12, 8), "3h", "2026-12-08T13:00"),
        (date(2026, 12, 11), "1d", "2026-12-14T09:00"),
        (at(BERLIN, "2026-12-08T23:30"), "2h", "2026-12-09T01:30"),
        (at(BERLIN, "2026-12-08T23:30"), "1bd", "2026-12-09T09:00"),
        (at(BERLIN, "2026-12-09T00:30"), "1bd", "2026-12-10T09:00"),
    ],
)
def test_return_from_absence_adds_the_buffer(back: date | datetime, buffer: str, expected: str) -> None:
    assert return_from_absence(OFFICE, back, parse_duration(buffer)) == at(BERLIN, expected)


@pytest.mark.parametrize(
    ("zone", "inside", "hours"),
    [
        (BERLIN, "2026-03-29T12:00", 23),
        (BERLIN, "2026-10-25T12:00", 25),
        (NEW_YORK, "2026-03-08T12:00", 23),
        (NEW_YORK, "2026-11-01T12:00", 25),
        (LORD_HOWE, "2026-10-04T12:00", 23.5),
        (LORD_HOWE, "2026-04-05T12:00", 24.5),
        (KATHMANDU, "2026-06-01T12:00", 24),
        ("Africa/Cairo", "2026-04-24T12:00", 23),  # the gap begins at midnight
        ("America/Havana", "2026-11-01T12:00", 25),  # midnight comes twice
        ("America/Toronto", "1919-03-31T12:00", 23.5),  # the gap holds midnight: 23:30 became 00:30
    ],
)
def test_day_bounds_know_short_and_long_days(zone: str, inside: str, hours: float) -> None:
    everyday = schedule(zone, {"all": ["00:00-24:00"]})
    begin, end = day_bounds(everyday, at(zone, inside))
    assert end - begin == timedelta(hours=hours)
    day = datetime.fromisoformat(inside).date()
    assert begin.astimezone(ZoneInfo(zone)).date() == day
    assert (begin - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day - timedelta(days=1)
    assert day_bounds(everyday, begin) == (begin, end)
    assert day_bounds(everyday, end - timedelta(microseconds=1)) == (begin, end)
    assert sum((closes - opens for opens, closes in openings(everyday, day)), timedelta()) == end - begin


def test_a_date_that_a_zone_skipped_has_no_window() -> None:
    assert openings(schedule("Pacific/Apia", {"all": ["00:00-24:00"]}), date(2011, 12, 30)) == []


def test_days_do_not_overlap_where_the_clock_goes_back_over_midnight() -> None:
    everyday = schedule("America/St_Johns", {"all": ["00:00-24:00"]})
    moment = utc("2010-11-06T12:00")
    for _ in range(3):
        begin, end = day_bounds(everyday, moment)
        assert begin <= moment < end
        moment = end
    repeated = at("America/St_Johns", "2010-11-06T23:30", fold=1)
    assert local_day(everyday, repeated) == date(2010, 11, 7)


@pytest.mark.parametrize(
    ("begin", "wait", "expected"),
    [
        (at(BERLIN, "2026-12-04T15:00:00.000007"), "1bd", at(BERLIN, "2026-12-07T15:00:00.000007")),
        (at(BERLIN, "2026-12-05T23:30"), "2bd", at(BERLIN, "2026-12-08T23:30")),
        (at(BERLIN, "2026-03-27T15:00"), "1bd", at(BERLIN, "2026-03-30T15:00")),
        (at(BERLIN, "2026-03-27T15:00"), "3d", at(BERLIN, "2026-03-30T16:00")),
        (at(BERLIN, "2026-12-04T15:00"), "90s", at(BERLIN, "2026-12-04T15:01:30")),
    ],
)
def test_a_wait_is_clock_time_or_business_days_at_the_same_local_time(
    begin: datetime, wait: str, expected: datetime
) -> None:
    assert after(OFFICE, begin, parse_duration(wait)) == expected


def test_a_business_wait_that_ends_in_a_gap_or_twice() -> None:
    everyday = schedule(BERLIN, {"all": ["09:00-17:00"]})
    assert after(everyday, at(BERLIN, "2026-03-28T02:30"), Duration(business_days=1)) == utc("2026-03-29T01:00")
    assert after(everyday, at(BERLIN, "2026-10-24T02:30"), Duration(business_days=1)) == utc("2026-10-25T00:30")
    # From the second 02:30, and from an instant that is not in UTC.
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(BERLIN), fold=1)
    assert after(everyday, twice, Duration(business_days=1)) == at(BERLIN, "2026-10-26T02:30")
    assert is_open(schedule(BERLIN, {"sun": ["02:00-03:00"]}), twice)


# Random schedules around every clock change of 2026, against a walk on the local clock. Windows, offsets and changes lie
# on quarters of an hour, so every instant at which something opens is one too.

CHANGES = [
    (BERLIN, "2026-03-29"),
    (BERLIN, "2026-10-25"),
    (NEW_YORK, "2026-03-08"),
    (NEW_YORK, "2026-11-01"),
    (LORD_HOWE, "2026-04-05"),
    (LORD_HOWE, "2026-10-04"),
    (KATHMANDU, "2026-06-01"),
    ("Africa/Cairo", "2026-04-24"),
    ("Africa/Cairo", "2026-10-30"),
    ("America/Havana", "2026-11-01"),
]


@st.composite
def spans(draw: st.DrawFn) -> list[str]:
    edges = sorted(draw(st.lists(st.integers(0, 96), max_size=6, unique=True)))
    return [
        f"{a // 4:02d}:{a % 4 * 15:02d}-{b // 4:02d}:{b % 4 * 15:02d}"
        for a, b in zip(edges[::2], edges[1::2], strict=False)
    ]


@st.composite
def schedules_near_changes(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    zone, day = draw(st.sampled_from(CHANGES))
    windows = draw(st.dictionaries(st.sampled_from(WEEKDAYS), spans(), min_size=1).filter(lambda d: any(d.values())))
    start = at(zone, day) + draw(st.integers(-200, 200)) * QUARTER
    return schedule(zone, windows), start


def open_by_the_clock(schedule: Schedule, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(schedule.zone))
    windows = [w for day, ws in schedule.windows.items() if day == WEEKDAYS[local.weekday()] for w in ws]
    return any(w.start <= local.time() and (local.time() < w.end or w.end == time.max) for w in windows)


@settings(max_examples=150, deadline=None)
@given(schedules_near_changes(), st.integers(0, 15 * 60 * 10**6 - 1))
def test_next_open_is_what_a_walk_on_the_local_clock_finds(case: tuple[Schedule, datetime], inside: int) -> None:
    plan, start = case
    walk = start
    while not open_by_the_clock(plan, walk):
        walk += QUARTER
    assert next_open(plan, start) == walk
    within = start + timedelta(microseconds=inside)
    assert is_open(plan, within) is open_by_the_clock(plan, within)
    assert day_bounds(plan, within)[0] <= within < day_bounds(plan, within)[1]
