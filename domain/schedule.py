"""When a schedule is open: windows, holidays, business days and waits, computed from the local calendar of its zone.

An instant is open when the local clock shows a time inside a window of the local weekday, and the day is not closed. So a
window whose start falls in a daylight-saving gap opens at the instant after the gap, and local times that come twice are
open twice. Instants are aware; results are UTC. Never call this from workflow code: a new tzdata would break a replay.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from domain.durations import Duration
from domain.errors import DomainError
from domain.public_holidays import has_holidays, holiday
from domain.sequences import CONTACT, WEEKDAYS, Schedule, Window
from domain.zones import ZoneChoice, change, choose_zone, instant, midnight, offset

Interval = tuple[datetime, datetime]

_DAY = timedelta(days=1)
_DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SEARCH_DAYS = 3660
"""Ten years without a window are a defect of the schedule, not a long holiday."""
_KEPT_CALENDARS = 2000
_KEPT_DAYS = 100_000


class NeverOpen(DomainError):
    """A schedule that has no window for ten years: holidays and blackouts close every day that has one."""

    code = "never_open"


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether `at` (aware) lies inside a window. A window's end is outside."""
    at = at.astimezone(UTC)  # comparing across zones is never equal at local times that come twice (PEP 495)
    calendar = _calendar(schedule)
    return any(opens <= at < closes for opens, closes in _openings(calendar, calendar.day(at)))


def next_open(schedule: Schedule, at: datetime) -> datetime:
    """The earliest instant (UTC) from `at` (aware) on that lies inside a window; `at` itself if it does.

    Raises NeverOpen.
    """
    at = at.astimezone(UTC)
    calendar = _calendar(schedule)
    day = calendar.day(at)
    for opens, closes in _openings(calendar, day):
        if at < closes:
            return max(at, opens)
    return _first_opening(calendar, day + _DAY)


def first_window(schedule: Schedule, day: date) -> datetime:
    """The first open instant (UTC) of a day in the schedule's zone; if it has none, the next open instant after it.

    Raises NeverOpen.
    """
    return _first_opening(_calendar(schedule), day)


def why_closed(schedule: Schedule, day: date) -> str | None:
    """Why the schedule does not open on a calendar day, such as `holiday Thanksgiving Day`; None if it does open."""
    calendar = _calendar(schedule)
    cause = calendar.closed(day)
    if cause is None and not _openings(calendar, day):
        return "the clock change skips it"
    return cause


def add_business_days(schedule: Schedule, day: date, n: int) -> date:
    """The n-th business day after `day`; `day` itself for 0. A business day is a day on which the schedule opens.

    Raises NeverOpen.
    """
    calendar = _calendar(schedule)
    closed = 0
    while n > 0:
        day += _DAY
        if _openings(calendar, day):
            n, closed = n - 1, 0
        else:
            closed += 1
            if closed > _SEARCH_DAYS:
                raise _never(calendar, day)
    return day


def resolve_moment(schedule: Schedule, moment: date | datetime) -> datetime:
    """The instant (UTC) that a person means: of a plain date its first window, an aware instant as it is."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else first_window(schedule, moment)


def return_from_absence(schedule: Schedule, back: date | datetime, buffer: Duration) -> datetime:
    """When an absent person may be written to again (UTC): the return, a date or an aware instant, plus `buffer`.

    Business days are counted from the return's local day and end at the first window of the day reached. Any other
    buffer runs from the first window of a plain date and then waits for the next window; it is added to an instant as is.
    """
    if buffer.business_days:
        day = local_day(schedule, back) if isinstance(back, datetime) else back
        return first_window(schedule, add_business_days(schedule, day, buffer.business_days))
    if isinstance(back, datetime):
        return after(schedule, back, buffer)
    return next_open(schedule, after(schedule, first_window(schedule, back), buffer))


def after(schedule: Schedule, at: datetime, wait: Duration) -> datetime:
    """When a wait that begins at `at` (aware) is over (UTC), open or not.

    Calendar and business days keep the local time of day, in the schedule's zone: "3d" from Friday 15:00 is Monday 15:00
    even if the clock changes in between. Where that time falls in a daylight-saving gap, it is the instant after the gap;
    where it comes twice, the first.
    """
    if not wait.days and not wait.business_days:
        return at.astimezone(UTC) + wait.delta
    zone = _calendar(schedule).zone
    local = at.astimezone(zone)
    if wait.days:
        day = local.date() + timedelta(days=wait.days)
    else:
        day = add_business_days(schedule, local_day(schedule, at), wait.business_days)
    return instant(zone, datetime.combine(day, local.time()))


def local_day(schedule: Schedule, at: datetime) -> date:
    """The calendar day of `at` (aware) in the schedule's zone."""
    return _calendar(schedule).day(at)


def day_bounds(schedule: Schedule, at: datetime) -> Interval:
    """Begin and end (exclusive, UTC) of the calendar day of `at` in the schedule's zone; 23 or 25 hours on some days."""
    calendar = _calendar(schedule)
    day = calendar.day(at)
    return midnight(calendar.zone, day), midnight(calendar.zone, day + _DAY)


def openings(schedule: Schedule, day: date) -> tuple[Interval, ...]:
    """The open intervals (UTC, end exclusive) of a calendar day in the schedule's zone, in order."""
    return _openings(_calendar(schedule), day)


def seen_by(schedule: Schedule, zone: str | None, country: str | None) -> tuple[Schedule, ZoneChoice]:
    """The schedule as it counts for a contact of that `zone` and `country`, and whence its zone is.

    In the contact's own zone where the schedule says `zone_of: contact`; with the holidays of the contact's country where
    it says `holidays: [contact]`. The same answer is the same object, so that what is known of its days is kept.
    """
    return _seen_by(_calendar(schedule), zone, country)


@dataclass(frozen=True, eq=False)
class _Calendar:
    """A schedule made ready to be asked. Bookings and simulations ask for the same days over and over: what is known of a
    day is kept by the identity of its calendar, since comparing definitions takes longer than the answer."""

    schedule: Schedule
    zone: ZoneInfo
    week: tuple[tuple[Window, ...], ...]

    def day(self, at: datetime) -> date:
        day = at.astimezone(self.zone).date()
        # A clock set back over midnight shows the old date once more (Newfoundland did so until 2011). The new day has
        # begun all the same, otherwise days would overlap.
        return day + _DAY if at >= midnight(self.zone, day + _DAY) else day

    def closed(self, day: date) -> str | None:
        """The one place that knows which days are for sending."""
        if not self.week[day.weekday()]:
            return f"no window on {_DAY_NAMES[day.weekday()]}"
        if day in self.schedule.open_anyway:
            return None
        for blackout in self.schedule.closed:
            if blackout.first <= day <= blackout.last:
                return f"blackout {blackout.name or blackout.dates}"
        for calendar in self.schedule.holidays:
            name = None if calendar == CONTACT else holiday(calendar, day)
            if name is not None:
                return f"holiday {name}"
        return None


_calendars: dict[int, _Calendar] = {}


def _calendar(schedule: Schedule) -> _Calendar:
    found = _calendars.get(id(schedule))
    if found is None:
        windows = {str(day): spans for day, spans in schedule.windows.items()}
        week = tuple(tuple(sorted(windows.get(day, ()), key=lambda window: window.start)) for day in WEEKDAYS)
        found = _Calendar(schedule, ZoneInfo(schedule.zone), week)
        if len(_calendars) >= _KEPT_CALENDARS:
            _calendars.clear()
        # It holds its schedule, so no other object can have the same identity while it is kept.
        _calendars[id(schedule)] = found
    return found


@lru_cache(maxsize=_KEPT_DAYS)
def _openings(calendar: _Calendar, day: date) -> tuple[Interval, ...]:
    if calendar.closed(day) is not None:
        return ()
    zone = calendar.zone
    begin, end = midnight(zone, day), midnight(zone, day + _DAY)
    # Between two changes of the clock, local times follow each other without gap or repetition, so a window is one
    # interval. No zone changes twice within a day.
    changed = change(zone, begin, end) if offset(zone, begin) != offset(zone, end) else end
    result = []
    for first, last in ((begin, changed), (changed, end)):
        ahead = offset(zone, first)
        for window in calendar.week[day.weekday()]:
            until = datetime.combine(day, window.end, UTC) if window.end != time.max else _utc_midnight(day + _DAY)
            opens = max(datetime.combine(day, window.start, UTC) - ahead, first)
            closes = min(until - ahead, last)
            if opens < closes:
                result.append((opens, closes))
    return tuple(result)


@lru_cache(maxsize=_KEPT_DAYS)
def _first_opening(calendar: _Calendar, day: date) -> datetime:
    for ahead in range(_SEARCH_DAYS):
        intervals = _openings(calendar, day + ahead * _DAY)
        if intervals:
            return intervals[0][0]
    raise _never(calendar, day)


@lru_cache(maxsize=_KEPT_CALENDARS)
def _seen_by(calendar: _Calendar, zone: str | None, country: str | None) -> tuple[Schedule, ZoneChoice]:
    own = calendar.schedule
    choice = choose_zone(own.zone, zone, country) if own.zone_of == CONTACT else ZoneChoice(own.zone, "schedule")
    theirs = (country,) if country is not None and has_holidays(country) else ()
    named = tuple(one for name in own.holidays for one in (theirs if name == CONTACT else (name,)))
    if (choice.zone, named) == (own.zone, own.holidays):
        return own, choice
    return own.model_copy(update={"zone": choice.zone, "zone_of": "schedule", "holidays": named}), choice


def _never(calendar: _Calendar, day: date) -> NeverOpen:
    return NeverOpen(
        f"schedule {calendar.schedule.id!r} does not open in the ten years from {day} on",
        fix="shorten its blackouts, or give it windows on days that are no holidays",
    )


def _utc_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)
