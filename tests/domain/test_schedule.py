"""Windows, business days and waits, with the clock changes of real zones."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

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
    why_closed,
)
from tests.domain.calendars import (
    APIA,
    ASUNCION,
    BERLIN,
    CAIRO,
    HAVANA,
    KATHMANDU,
    LORD_HOWE,
    NEW_YORK,
    at,
    schedule,
    utc,
)

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
        # The clock changes at midnight: Cairo 2026-04-24 00:00 becomes 01:00 at 22:00 UTC, and 2026-10-29 24:00 becomes
        # 23:00 at 21:00 UTC; Asuncion 2023-10-01 00:00 became 01:00 at 04:00 UTC, 2024-03-23 24:00 became 23:00 at 03:00.
        (CAIRO, "00:15-02:00", "2026-04-23T21:00", "2026-04-23T22:00"),
        (CAIRO, "00:15-00:45", "2026-04-23T21:00", "2026-04-24T21:15"),
        (CAIRO, "23:15-24:00", "2026-10-29T20:59", "2026-10-29T20:59"),
        (CAIRO, "23:15-24:00", "2026-10-29T21:00", "2026-10-29T21:15"),
        (ASUNCION, "00:30-02:00", "2023-10-01T03:59", "2023-10-01T04:00"),
        (ASUNCION, "23:30-24:00", "2024-03-24T03:00", "2024-03-24T03:30"),
        # Samoa went from 2011-12-29 24:00 to 2011-12-31 00:00, at 10:00 UTC.
        (APIA, "09:00-10:00", "2011-12-29T20:00", "2011-12-30T19:00"),
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
        (CAIRO, "2026-04-24T12:00", 23),  # the gap begins at midnight
        (HAVANA, "2026-11-01T12:00", 25),  # midnight comes twice
        (ASUNCION, "2023-10-01T12:00", 23),
        (ASUNCION, "2024-03-23T12:00", 25),
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


def test_a_date_that_a_zone_skipped_has_no_window_and_is_no_business_day() -> None:
    everyday = schedule(APIA, {"all": ["00:00-24:00"]})
    assert openings(everyday, date(2011, 12, 30)) == ()
    assert why_closed(everyday, date(2011, 12, 30)) == "the clock change skips it"
    assert first_window(everyday, date(2011, 12, 30)) == at(APIA, "2011-12-31T00:00")
    assert add_business_days(everyday, date(2011, 12, 29), 1) == date(2011, 12, 31)
    assert day_bounds(everyday, at(APIA, "2011-12-29T23:59"))[1] == at(APIA, "2011-12-31T00:00")
    # One day after 10:00 of the day before is a time that never was.
    assert after(everyday, at(APIA, "2011-12-29T10:00"), Duration(days=1)) == at(APIA, "2011-12-31T00:00")
    assert after(everyday, at(APIA, "2011-12-29T10:00"), Duration(days=2)) == at(APIA, "2011-12-31T10:00")


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
        (at(BERLIN, "2026-03-27T15:00"), "3d", at(BERLIN, "2026-03-30T15:00")),
        (at(BERLIN, "2026-03-27T15:00"), "72h", at(BERLIN, "2026-03-30T16:00")),
        (at(BERLIN, "2026-10-23T15:00"), "1w", at(BERLIN, "2026-10-30T15:00")),
        (at(BERLIN, "2026-10-23T15:00"), "168h", at(BERLIN, "2026-10-30T14:00")),
        (at(BERLIN, "2026-12-04T23:30"), "52w", at(BERLIN, "2027-12-03T23:30")),
        # Where the zone of the asker shows another day than the schedule's.
        (datetime(2026, 3, 28, 8, 30, tzinfo=ZoneInfo(KATHMANDU)), "1d", utc("2026-03-29T01:45")),
        (datetime(2026, 3, 28, 3, 30, tzinfo=ZoneInfo(KATHMANDU)), "1d", at(BERLIN, "2026-03-28T22:45")),
        (at(BERLIN, "2026-12-04T15:00"), "90s", at(BERLIN, "2026-12-04T15:01:30")),
        (at(BERLIN, "2026-12-04T15:00"), "0d", at(BERLIN, "2026-12-04T15:00")),
    ],
)
def test_a_wait_is_clock_time_or_days_at_the_same_local_time(begin: datetime, wait: str, expected: datetime) -> None:
    assert after(OFFICE, begin, parse_duration(wait)) == expected


@pytest.mark.parametrize("day", [Duration(days=1), Duration(business_days=1)], ids=str)
def test_a_wait_that_ends_in_a_gap_or_twice(day: Duration) -> None:
    everyday = schedule(BERLIN, {"all": ["09:00-17:00"]})
    assert after(everyday, at(BERLIN, "2026-03-28T02:30"), day) == utc("2026-03-29T01:00")
    assert after(everyday, at(BERLIN, "2026-10-24T02:30"), day) == utc("2026-10-25T00:30")
    # From the second 02:30, and from an instant that is not in UTC.
    twice = datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo(BERLIN), fold=1)
    assert after(everyday, twice, day) == at(BERLIN, "2026-10-26T02:30")
    assert is_open(schedule(BERLIN, {"sun": ["02:00-03:00"]}), twice)
