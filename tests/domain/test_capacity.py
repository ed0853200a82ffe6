"""Where an email fits into a mailbox's calendar: examples, and random calendars against a naive walk."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import capacity
from domain.capacity import Booking, Fit, Full, Own, Rule, jitter
from domain.schedule import day_bounds
from domain.sequences import WEEKDAYS, Limits, Schedule

HOUR = timedelta(hours=1)


def schedule(zone: str = "UTC", *spans: str) -> Schedule:
    """The same windows on every day."""
    windows = [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in spans or ("00:00-24:00",)]
    return Schedule.model_validate({"id": "s", "zone": zone, "windows": dict.fromkeys(WEEKDAYS, windows)})


def limits(**changes: Any) -> Limits:
    wide = {"per_day": 1000, "per_hour": 1000, "gap": "0s", "new_per_day": changes.get("per_day", 1000) * 2 // 5 or 1}
    return Limits.model_validate(wide | changes)


def fit(
    plan: Schedule, rule: Limits, earliest: datetime, bookings: list[Booking], first_touch: bool, **more: Any
) -> Fit | Full:
    """Windows and days in one zone."""
    return capacity.fit(Rule(plan, plan, rule, first_touch), earliest, bookings, **more)


def breaks(plan: Schedule, rule: Limits, at: datetime, used: list[Booking], first_touch: bool, **more: Any) -> Any:
    return capacity.breaks(Rule(plan, plan, rule, first_touch), at, used, **more)


def clock(text: str, day: int = 1) -> datetime:
    return datetime.combine(datetime(2026, 12, day).date(), time.fromisoformat(text), UTC)  # noqa: DTZ001


def booked(*texts: str, first_touch: bool = False) -> list[Booking]:
    return [Booking(clock(text), first_touch) for text in texts]


NEXT_DAY = clock("00:00", day=2)


def test_an_empty_calendar_takes_the_instant_asked_for() -> None:
    asked = clock("10:00:00.000001")
    assert fit(schedule(), limits(), asked, [], True) == Fit(asked, None)


def test_a_closed_instant_moves_to_the_next_window_of_the_day_or_to_the_next_day() -> None:
    office = schedule("UTC", "09:00-12:00", "13:00-17:00")
    assert fit(office, limits(), clock("08:00"), [], False) == Fit(clock("09:00"), "window")
    assert fit(office, limits(), clock("12:00"), [], False) == Fit(clock("13:00"), "window")
    assert fit(office, limits(), clock("17:00"), [], False) == Full(NEXT_DAY, "window")


def test_the_gap_holds_before_and_after_a_booking_and_may_be_met_exactly() -> None:
    plan, gap = schedule(), limits(gap="10m")
    calendar = booked("10:00", "10:20", "10:35")
    assert fit(plan, gap, clock("09:50"), calendar, False) == Fit(clock("09:50"), None)
    assert fit(plan, gap, clock("09:50:00.000001"), calendar, False) == Fit(clock("10:10"), "gap")
    assert fit(plan, gap, clock("10:11"), calendar, False) == Fit(clock("10:45"), "gap")


def test_a_gap_larger_than_the_window_goes_on_to_the_next_day() -> None:
    plan = schedule("UTC", "09:00-09:30")
    assert fit(plan, limits(gap="2h"), clock("09:10"), booked("09:05"), False) == Full(NEXT_DAY, "gap")
    # A place is looked for in the day only; what is known beyond it is not looked at again.
    assert fit(plan, limits(gap="20h"), clock("09:10"), booked("09:05"), False) == Full(clock("05:05", 2), "gap")
    assert fit(plan, limits(gap="2h"), clock("08:00"), booked("08:00"), False) == Full(NEXT_DAY, "gap")


def test_a_gap_reaches_over_midnight_to_the_days_around() -> None:
    day_and_half = limits(gap="36h")
    yesterday = [Booking(clock("00:00", 1), False)]
    assert fit(schedule(), day_and_half, clock("00:00", 2), yesterday, False) == Fit(clock("12:00", 2), "gap")


def test_per_hour_counts_any_60_minutes_and_lets_the_60th_pass() -> None:
    plan, two = schedule(), limits(per_hour=2)
    assert fit(plan, two, clock("10:30"), booked("10:00", "10:20"), False) == Fit(clock("11:00"), "per_hour")
    # Between two that share no hour there is room; in front of two that share one there is not.
    assert fit(plan, two, clock("10:30"), booked("10:00", "11:00"), False) == Fit(clock("10:30"), None)
    assert fit(plan, two, clock("09:30"), booked("10:00", "10:20"), False) == Fit(clock("11:00"), "per_hour")
    assert fit(plan, two, clock("09:20"), booked("10:00", "10:20"), False) == Fit(clock("09:20"), None)


def test_one_per_hour_is_a_gap_of_an_hour() -> None:
    one = limits(per_hour=1)
    assert fit(schedule(), one, clock("09:30"), booked("10:00", "11:30", "13:30"), False) == Fit(
        clock("12:30"), "per_hour"
    )
    late = schedule("UTC", "23:00-24:00")
    assert fit(late, one, clock("23:00"), booked("23:00"), False) == Full(NEXT_DAY, "per_hour")


def test_limits_take_turns_in_pushing_an_email_on() -> None:
    both = limits(per_hour=2, gap="10m")
    calendar = booked("10:00", "10:30", "11:05", "12:00", "12:20")
    # With all five, every pair of neighbours shares an hour, up to the one that 12:00 begins.
    assert fit(schedule(), both, clock("10:05"), calendar[:1], False) == Fit(clock("10:10"), "gap")
    assert fit(schedule(), both, clock("10:05"), calendar[:2], False) == Fit(clock("11:00"), "per_hour")
    assert fit(schedule(), limits(per_hour=3, gap="10m"), clock("10:05"), calendar, False) == Fit(clock("10:10"), "gap")
    assert fit(schedule(), both, clock("10:05"), calendar, False) == Fit(clock("13:00"), "per_hour")


def test_the_window_named_last_is_the_cause_when_a_limit_pushed_past_the_one_before() -> None:
    plan = schedule("UTC", "09:00-10:00", "15:00-16:00")
    assert fit(plan, limits(gap="30m"), clock("09:45"), booked("09:45"), False) == Fit(clock("15:00"), "window")


def test_the_daily_limit_counts_the_calendar_day_of_the_zone() -> None:
    plan, three = schedule("Asia/Kathmandu"), limits(per_day=3)
    calendar = booked("18:14", "18:15", "18:16", "18:17")  # Kathmandu's 2 December begins at 18:15 UTC
    assert fit(plan, three, clock("10:00"), calendar, False) == Fit(clock("10:00"), None)
    assert fit(plan, three, clock("19:00"), calendar, False) == Full(clock("18:15", day=2), "per_day")
    assert fit(plan, limits(per_day=2), clock("10:00"), calendar, False) == Fit(clock("10:00"), None)


def test_first_touches_leave_room_for_follow_ups() -> None:
    calendar = booked("09:00", "09:30", first_touch=True)
    five = limits(per_day=5)  # 40 %: two first touches
    assert fit(schedule(), five, clock("10:00"), calendar, True) == Full(NEXT_DAY, "new_per_day")
    assert fit(schedule(), five, clock("10:00"), calendar, False) == Fit(clock("10:00"), None)
    assert fit(schedule(), limits(new_per_day=3), clock("10:00"), calendar, True) == Fit(clock("10:00"), None)


def test_a_day_whose_windows_are_over_waits_for_the_window_even_if_it_is_full() -> None:
    plan = schedule("UTC", "09:00-10:00")
    assert fit(plan, limits(per_day=1), clock("10:00"), booked("09:00"), False) == Full(NEXT_DAY, "window")
    assert fit(plan, limits(per_day=1), clock("09:30"), booked("09:00"), False) == Full(NEXT_DAY, "per_day")


@pytest.mark.parametrize(("zone", "hours"), [("Europe/Berlin", 25), ("Australia/Lord_Howe", 24)])
def test_a_long_day_takes_no_more_than_the_daily_limit(zone: str, hours: int) -> None:
    begin = datetime(2026, 10, 25, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    calendar: list[Booking] = []
    for _ in range(hours):
        place = fit(schedule(zone), limits(per_day=hours, per_hour=1), begin, calendar, False)
        assert isinstance(place, Fit)
        calendar.append(Booking(place.at, False))
    assert calendar[-1].at == begin + (hours - 1) * HOUR
    end = begin + hours * HOUR
    assert fit(schedule(zone), limits(per_day=hours, per_hour=1), begin, calendar, False) == Full(end, "per_day")
    assert fit(schedule(zone), limits(per_day=99, per_hour=1), begin, calendar, False) == Full(end, "per_hour")


def test_booking_one_after_another_packs_500_into_hours_of_50() -> None:
    plan, fifty = schedule("UTC", "08:00-18:00"), limits(per_hour=50, gap="30s")
    calendar: list[Booking] = []
    for _ in range(500):
        place = fit(plan, fifty, clock("08:00"), calendar, False)
        assert isinstance(place, Fit)
        calendar.append(Booking(place.at, False))
    times = [booking.at for booking in calendar]
    assert times[-1] == clock("17:24:30")
    assert all(b - a >= timedelta(seconds=30) for a, b in pairwise(times))
    assert all(later - earlier >= HOUR for earlier, later in zip(times, times[50:], strict=False))
    assert fit(plan, fifty, clock("08:00"), calendar, False) == Full(NEXT_DAY, "per_hour")


def spaced(*bookings: tuple[str, int]) -> list[Booking]:
    """Time and seconds of jitter."""
    return [Booking(clock(text), jitter=timedelta(seconds=seconds)) for text, seconds in bookings]


def test_the_jitter_of_an_email_is_the_space_behind_it() -> None:
    rule, calendar = limits(gap="10m", jitter="5m"), spaced(("10:00", 120), ("10:30", 0))
    assert fit(schedule(), rule, clock("10:05"), calendar, False) == Fit(clock("10:12"), "gap")
    # The new one comes before 10:30, so the space between them is the gap and its own jitter.
    own = Own(jitter=timedelta(minutes=5))
    assert fit(schedule(), rule, clock("10:12"), calendar, False, own=own) == Fit(clock("10:12"), None)
    assert fit(schedule(), rule, clock("10:16"), calendar, False, own=own) == Fit(clock("10:40"), "gap")
    assert fit(schedule(), rule, clock("10:16"), calendar, False) == Fit(clock("10:16"), None)


def test_after_an_edit_no_more_jitter_counts_than_the_limits_allow() -> None:
    calendar = spaced(("10:00", 300))
    assert fit(schedule(), limits(gap="10m"), clock("10:05"), calendar, False) == Fit(clock("10:10"), "gap")
    assert fit(schedule(), limits(jitter="60s"), clock("10:00:01"), calendar, False) == Fit(clock("10:01"), "gap")


def test_jitter_is_whole_seconds_from_none_to_the_limit_and_always_the_same() -> None:
    three = limits(jitter="3s")
    found = {jitter(three, "enrollment", f"step{number}") for number in range(60)}
    assert found == {timedelta(seconds=seconds) for seconds in range(4)}
    assert jitter(three, "enrollment", "step1") == jitter(three, "enrollment", "step1")
    assert jitter(limits(), "enrollment", "step1") == timedelta()
    minute = limits(jitter="60s")
    # A forecast of another process, or of another version of this program, says the same.
    assert [jitter(minute, "e", f"step{n}").seconds for n in range(3)] == [36, 12, 47]
    assert len({jitter(minute, f"e{n}", "step1") for n in range(100)}) > 30


def test_per_24h_rolls_over_midnight() -> None:
    two = limits(per_24h=2)
    calendar = booked("20:00", "22:00")
    assert fit(schedule(), two, clock("03:00", 2), calendar, False) == Fit(clock("20:00", 2), "per_24h")
    assert fit(schedule(), two, clock("20:00", 2), calendar, False) == Fit(clock("20:00", 2), None)
    assert breaks(schedule(), two, clock("19:59", 2), calendar, False).cause == "per_24h"
    assert breaks(schedule(), two, clock("20:00", 2), calendar, False) is None


def test_windows_may_be_in_another_zone_than_days() -> None:
    office, new_york = schedule("Asia/Tokyo", "09:00-17:00"), schedule("America/New_York")
    rule = Rule(office, new_york, limits(per_day=1), False)
    # Tokyo opens at 00:00 UTC, when New York has still the day before; its new day begins at 05:00 UTC.
    calendar = booked("00:00")
    assert capacity.fit(rule, clock("00:00"), calendar) == Full(clock("05:00"), "per_day")
    assert capacity.fit(rule, clock("05:00"), calendar) == Fit(clock("05:00"), None)
    assert capacity.fit(rule, clock("08:00"), calendar) == Fit(clock("00:00", 2), "window")  # the same day in New York


def test_a_touch_gap_keeps_off_other_emails_to_the_contact_on_both_sides() -> None:
    own = Own(touches=(clock("10:00"), clock("15:00")), touch_gap=timedelta(hours=2))
    assert fit(schedule(), limits(), clock("09:00"), [], False, own=own) == Fit(clock("12:00"), "touch_gap")
    assert fit(schedule(), limits(), clock("13:00"), [], False, own=own) == Fit(clock("13:00"), None)
    assert fit(schedule(), limits(), clock("13:01"), [], False, own=own) == Fit(clock("17:00"), "touch_gap")
    week = Own(touches=(clock("10:00"),), touch_gap=timedelta(days=7))
    assert fit(schedule(), limits(), clock("11:00"), [], False, own=week) == Full(clock("10:00", 8), "touch_gap")


def test_a_search_in_parts_finds_what_one_over_the_whole_day_finds() -> None:
    plan, rule = schedule("UTC", "09:00-17:00"), limits(per_hour=2, gap="10m")
    calendar = booked("09:00", "09:20", "10:00", "10:30", "11:00", "11:30", "12:00", "12:40")
    whole = fit(plan, rule, clock("09:05"), calendar, False)
    at = clock("09:05")
    while isinstance(part := fit(plan, rule, at, calendar, False, until=at + timedelta(minutes=7)), Full):
        assert part.until > at
        at = part.until
    assert isinstance(whole, Fit)
    assert part.at == whole.at == clock("13:00")


def test_the_key_of_a_rule_is_that_of_what_it_says() -> None:
    plan, rule = schedule("UTC", "09:00-17:00"), limits()
    key = Rule(plan, plan, rule, False).key
    renamed = schedule("UTC", "09:00-17:00").model_copy(update={"id": "other"})
    assert Rule(renamed, plan, limits(), False).key == key
    others = [
        Rule(schedule("UTC", "09:00-16:00"), plan, rule, False),
        Rule(plan, schedule("Europe/Berlin"), rule, False),
        Rule(plan, plan, limits(per_hour=3), False),
        Rule(plan, plan, rule, True),
    ]
    assert len({key, *(other.key for other in others)}) == 5


@pytest.mark.parametrize(
    ("rule", "used", "cause", "frees_at"),
    [
        (limits(), [], None, None),
        (limits(per_day=2), booked("08:00", "11:00"), "per_day", NEXT_DAY),
        (limits(per_day=3), booked("08:00", "11:00"), None, None),
        (limits(new_per_day=1), booked("08:00", first_touch=True), "new_per_day", NEXT_DAY),
        (limits(new_per_day=1), booked("08:00"), None, None),
        (limits(per_hour=2), booked("11:00:00.000001", "11:30"), "per_hour", clock("12:00:00.000001")),
        (limits(per_hour=2), booked("11:00", "11:30"), None, None),
        (limits(per_hour=2), booked("11:20", "11:30", "11:40"), "per_hour", clock("12:30")),
        (limits(gap="60s"), booked("11:59:00"), None, None),
        (limits(gap="60s"), booked("11:59:00.000001"), "gap", clock("12:00:00.000001")),
        (limits(gap="60s", jitter="30s"), spaced(("11:58:45", 15)), None, None),
        (limits(gap="60s", jitter="30s"), spaced(("11:58:45", 16)), "gap", clock("12:00:01")),
    ],
)
def test_breaks_names_the_limit_that_leaving_now_would_break_and_until_when(
    rule: Limits, used: list[Booking], cause: str | None, frees_at: datetime | None
) -> None:
    found = breaks(schedule(), rule, clock("12:00"), used, True)
    assert (found.cause, found.frees_at) == (cause, frees_at) if found else cause is None


def test_breaks_names_a_closed_window_and_a_touch_gap() -> None:
    closed = breaks(schedule("UTC", "09:00-12:00"), limits(), clock("12:00"), [], False)
    assert (closed.cause, closed.frees_at) == ("window", clock("09:00", 2))
    own = Own(touches=(clock("10:00"),), touch_gap=timedelta(hours=3))
    touched = breaks(schedule(), limits(), clock("12:00"), [], False, own=own)
    assert (touched.cause, touched.frees_at) == ("touch_gap", clock("13:00"))
    assert breaks(schedule(), limits(), clock("13:00"), [], False, own=own) is None


def test_breaks_forgets_yesterday_in_the_zone_of_the_schedule() -> None:
    used = booked("18:14:59", "18:15:00")
    assert breaks(schedule("Asia/Kathmandu"), limits(per_day=2), clock("18:20"), used, False) is None
    assert breaks(schedule("UTC"), limits(per_day=2), clock("18:20"), used, False).cause == "per_day"


# The naive reference: try every tick, and count every span. Everything lies on ticks, so no answer is between two.


def is_open(plan: Schedule, moment: datetime) -> bool:
    local = moment.astimezone(ZoneInfo(plan.zone))
    windows = [w for day, ws in plan.windows.items() if day == WEEKDAYS[local.weekday()] for w in ws]
    return any(w.start <= local.time() and (local.time() < w.end or w.end == time.max) for w in windows)


def obstacles(
    plan: Schedule, rule: Limits, moment: datetime, calendar: list[Booking], first_touch: bool, own: Own
) -> set[str]:
    """Every reason why an email may not leave at `moment`."""
    zone, times = ZoneInfo(plan.zone), [booking.at for booking in calendar]
    today = [b for b in calendar if b.at.astimezone(zone).date() == moment.astimezone(zone).date()]
    found = set()
    if len(today) >= rule.per_day:
        found.add("per_day")
    if first_touch and len([b for b in today if b.first_touch]) >= rule.first_touches:
        found.add("new_per_day")
    if not is_open(plan, moment):
        found.add("window")
    gap, most = rule.gap.delta, rule.jitter.delta
    if any(moment < other.at < moment + gap + own.jitter for other in calendar):
        found.add("gap")
    if any(other.at <= moment < other.at + gap + min(other.jitter, most) for other in calendar):
        found.add("gap")
    if any(abs(moment - touch) < own.touch_gap for touch in own.touches):
        found.add("touch_gap")
    # A span that holds too many still does when it is moved to begin at the first email in it.
    everything = [*times, moment]
    for span, count, name in ((HOUR, rule.per_hour, "per_hour"), (timedelta(hours=24), rule.per_24h, "per_24h")):
        for begin in everything:
            if begin <= moment < begin + span and sum(begin <= x < begin + span for x in everything) > (count or 10**9):
                found.add(name)
    return found


def check_against_a_walk(
    plan: Schedule,
    rule: Limits,
    earliest: datetime,
    calendar: list[Booking],
    first_touch: bool,
    own: Own,
    tick: timedelta,
) -> None:
    _, end = day_bounds(plan, earliest)
    walk = earliest
    while walk < end and obstacles(plan, rule, walk, calendar, first_touch, own):
        walk += tick
    place = fit(plan, rule, earliest, calendar, first_touch, own=own)
    if walk >= end:
        assert isinstance(place, Full)
        assert place.until >= end
        if place.cause == "window":
            assert not is_open(plan, end - tick)
        elif place.cause in ("per_day", "new_per_day"):
            assert place.cause in obstacles(plan, rule, earliest, calendar, first_touch, own)
    else:
        assert isinstance(place, Fit)
        assert place.at == walk
        if place.cause is None:
            assert place.at == earliest
        else:
            assert place.cause in obstacles(plan, rule, place.at - tick, calendar, first_touch, own)


@st.composite
def rules(draw: st.DrawFn, tick: timedelta) -> Limits:
    return limits(
        per_day=draw(st.integers(1, 12)),
        per_hour=draw(st.integers(1, 5)),
        per_24h=draw(st.none() | st.integers(1, 8)),
        gap=f"{draw(st.integers(0, 12)) * tick.seconds}s",
        jitter=f"{draw(st.integers(0, 4)) * tick.seconds}s",
        new_per_day=draw(st.none() | st.integers(1, 5)),
    )


@st.composite
def owns(draw: st.DrawFn, begin: datetime, tick: timedelta, rule: Limits) -> Own:
    touches = draw(st.lists(st.integers(0, 288), max_size=2).map(sorted))
    return Own(
        jitter=draw(st.integers(0, int(rule.jitter.delta / tick))) * tick,
        touches=tuple(begin + n * tick for n in touches),
        touch_gap=draw(st.integers(0, 24)) * tick,
    )


@st.composite
def bookings(draw: st.DrawFn, begin: datetime, tick: timedelta, ticks: list[int]) -> list[Booking]:
    return [Booking(begin + n * tick, draw(st.booleans()), draw(st.integers(0, 5)) * tick) for n in ticks]


FIVE_MINUTES, SECOND = timedelta(minutes=5), timedelta(seconds=1)
DAYS = [
    ("Europe/Berlin", "2026-03-29"),
    ("Europe/Berlin", "2026-10-25"),
    ("America/New_York", "2026-11-01"),
    ("Australia/Lord_Howe", "2026-04-05"),
    ("Australia/Lord_Howe", "2026-10-04"),
    ("Asia/Kathmandu", "2026-06-01"),
]


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from(DAYS), rules(FIVE_MINUTES), st.booleans())
def test_fit_is_the_first_tick_of_a_whole_day_that_breaks_nothing(
    data: st.DataObject, case: tuple[str, str], rule: Limits, first_touch: bool
) -> None:
    zone, day = case
    edges = sorted(data.draw(st.lists(st.integers(0, 288), min_size=2, max_size=6, unique=True)))
    edges = edges[: len(edges) // 2 * 2]
    plan = schedule(
        zone,
        *(
            f"{a // 12:02d}:{a % 12 * 5:02d}-{b // 12:02d}:{b % 12 * 5:02d}"
            for a, b in zip(edges[::2], edges[1::2], strict=False)
        ),
    )
    begin = datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    # Crowded around one hour of the day, and an hour over its edges.
    centre = data.draw(st.integers(-12, 290))
    ticks = data.draw(st.lists(st.integers(centre - 24, centre + 24) | st.integers(-12, 300), max_size=10).map(sorted))
    calendar = data.draw(bookings(begin, FIVE_MINUTES, ticks))
    own = data.draw(owns(begin, FIVE_MINUTES, rule))
    earliest = (
        begin
        + data.draw(st.integers(0, 275) | st.integers(max(0, centre - 30), max(0, min(275, centre)))) * FIVE_MINUTES
    )
    check_against_a_walk(plan, rule, earliest, calendar, first_touch, own, FIVE_MINUTES)


@settings(max_examples=100, deadline=None)
@given(st.data(), rules(SECOND), st.booleans())
def test_fit_is_the_first_second_before_midnight_that_breaks_nothing(
    data: st.DataObject, rule: Limits, first_touch: bool
) -> None:
    plan = schedule("UTC", "23:55-23:56", "23:57-24:00")
    begin = clock("23:54")
    # Near the window, and an hour before it, where the hours of the early ones end inside it.
    seconds = st.integers(0, 400) | st.integers(-3600, -3240)
    calendar = data.draw(bookings(begin, SECOND, data.draw(st.lists(seconds, max_size=10).map(sorted))))
    own = data.draw(owns(begin, SECOND, rule))
    earliest = begin + data.draw(st.integers(0, 359)) * SECOND
    check_against_a_walk(plan, rule, earliest, calendar, first_touch, own, SECOND)


@settings(max_examples=100, deadline=None)
@given(st.data(), rules(FIVE_MINUTES), st.booleans())
def test_leaving_at_the_place_found_breaks_nothing(data: st.DataObject, rule: Limits, first_touch: bool) -> None:
    begin = clock("00:00")
    calendar = data.draw(
        bookings(begin, FIVE_MINUTES, data.draw(st.lists(st.integers(0, 60), max_size=10).map(sorted)))
    )
    own = data.draw(owns(begin, FIVE_MINUTES, rule))
    earliest = begin + data.draw(st.integers(0, 60)) * FIVE_MINUTES
    place = fit(schedule(), rule, earliest, calendar, first_touch, own=own)
    if isinstance(place, Fit):
        used = [booking for booking in calendar if booking.at <= place.at]
        assert breaks(schedule(), rule, place.at, used, first_touch, own=own) is None
