"""Holidays, blackouts and exceptions: what closes a day, what it is called, and what happens to waits."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, timedelta

import pytest
import yaml

from domain.durations import Duration, parse_duration
from domain.schedule import (
    NeverOpen,
    add_business_days,
    after,
    first_window,
    is_open,
    next_open,
    return_from_absence,
    why_closed,
)
from domain.sequences import Schedule, parse_definition
from tests.domain.calendars import BERLIN, NEW_YORK, at, schedule

OFFICE = {"mon-fri": ["09:00-17:00"]}
BREAK = {"from": "2026-12-23", "to": "2027-01-02", "name": "Christmas break"}
FULL = schedule(
    NEW_YORK,
    OFFICE,
    holidays=["US", "US-CA"],
    closed=["2026-11-27", BREAK, {"from": "2027-02-01", "to": "2027-02-03"}],
    open_anyway=["2026-11-11", "2026-12-29", "2026-12-26"],
)


@pytest.mark.parametrize(
    ("day", "cause"),
    [
        ("2026-11-25", None),
        ("2026-11-26", "holiday Thanksgiving"),
        ("2026-11-27", "blackout 2026-11-27"),
        ("2026-11-28", "no window on Saturday"),
        ("2026-07-03", "holiday Independence Day (observed)"),
        ("2026-03-31", "holiday Cesar Chavez Day"),  # California's
        ("2026-12-23", "blackout Christmas break"),
        ("2026-12-25", "blackout Christmas break"),
        ("2026-12-29", None),
        ("2026-12-26", "no window on Saturday"),
        ("2027-01-01", "blackout Christmas break"),
        ("2027-01-04", None),
        ("2027-02-03", "blackout 2027-02-01 to 2027-02-03"),
        ("2026-11-11", None),
    ],
)
def test_a_closed_day_has_a_cause_with_a_name(day: str, cause: str | None) -> None:
    found = why_closed(FULL, date.fromisoformat(day))
    assert found is None if cause is None else (found or "").startswith(cause)
    assert is_open(FULL, at(NEW_YORK, f"{day}T10:00")) is (cause is None)


def test_without_its_cause_the_day_is_open() -> None:
    day = date(2026, 11, 26)
    assert why_closed(FULL.model_copy(update={"holidays": ()}), day) is None
    assert why_closed(FULL.model_copy(update={"closed": ()}), day) is not None
    assert why_closed(FULL.model_copy(update={"open_anyway": (day,)}), day) is None


def test_windows_and_business_days_skip_what_is_closed() -> None:
    assert next_open(FULL, at(NEW_YORK, "2026-11-25T17:00")) == at(NEW_YORK, "2026-11-30T09:00")
    assert first_window(FULL, date(2026, 12, 30)) == at(NEW_YORK, "2027-01-04T09:00")
    assert add_business_days(FULL, date(2026, 11, 25), 2) == date(2026, 12, 1)
    assert add_business_days(FULL, date(2026, 12, 22), 2) == date(2027, 1, 4)
    assert after(FULL, at(NEW_YORK, "2026-11-25T15:00"), parse_duration("3bd")) == at(NEW_YORK, "2026-12-02T15:00")
    assert after(FULL, at(NEW_YORK, "2026-11-25T15:00"), parse_duration("3d")) == at(NEW_YORK, "2026-11-28T15:00")
    back = return_from_absence(FULL, date(2026, 12, 24), Duration(business_days=1))
    assert back == at(NEW_YORK, "2026-12-29T09:00")


def test_a_blackout_is_as_long_as_it_is() -> None:
    year = {"from": "2026-01-05", "to": "2030-12-31", "name": "no sends"}
    closed = schedule(BERLIN, {"mon": ["09:00-10:00"]}, closed=[year])
    assert next_open(closed, at(BERLIN, "2026-01-05T09:30")) == at(BERLIN, "2031-01-06T09:00")
    assert add_business_days(closed, date(2026, 1, 4), 1) == date(2031, 1, 6)


def test_a_schedule_that_does_not_open_for_ten_years_is_named() -> None:
    decade = [{"from": f"{year}-01-01", "to": f"{year + 3}-12-31"} for year in (2026, 2030, 2034)]
    never = schedule(BERLIN, OFFICE, closed=decade)
    for ask in (
        lambda: next_open(never, at(BERLIN, "2026-01-01T00:00")),
        lambda: first_window(never, date(2026, 6, 1)),
        lambda: add_business_days(never, date(2026, 1, 1), 1),
    ):
        with pytest.raises(NeverOpen, match="'s'") as raised:
            ask()
        assert raised.value.code == "never_open"
    assert not is_open(never, at(BERLIN, "2026-01-05T10:00"))
    assert next_open(never, at(BERLIN, "2025-12-31T18:00") - timedelta(hours=2)) == at(BERLIN, "2025-12-31T16:00")


def test_what_yaml_makes_of_dates_and_of_norway() -> None:
    text = """
    id: s
    zone: Europe/Oslo
    windows: {mon: [{start: "09:00", end: "17:00"}]}
    holidays: [NO, de-by]
    closed: [2026-12-24, {from: 2026-12-24, to: 2027-01-02, name: Christmas break}]
    open_anyway: [2026-12-25]
    """
    found = parse_definition(Schedule, yaml.safe_load(text))
    assert found.holidays == ("NO", "DE-BY")
    assert [(one.first, one.last, one.name) for one in found.closed] == [
        (date(2026, 12, 24), date(2026, 12, 24), ""),
        (date(2026, 12, 24), date(2027, 1, 2), "Christmas break"),
    ]
    assert found.open_anyway == (date(2026, 12, 25),)
    assert found.model_dump(mode="json")["closed"] == [
        "2026-12-24",
        {"from": "2026-12-24", "to": "2027-01-02", "name": "Christmas break"},
    ]


def test_who_needs_no_holidays_does_not_wait_for_their_library() -> None:
    code = "import sys, domain.schedule; sys.exit('holidays' in sys.modules or 'babel' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
