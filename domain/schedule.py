"""When a schedule is open: windows, business days and waits, computed from the local calendar of the schedule's zone.

An instant is open when the local clock shows a time inside a window of the local weekday. So a window whose start
falls in a daylight-saving gap opens at the instant after the gap, and local times that come twice are open twice.
Instants are aware; results are UTC. Never call this from workflow code: a new tzdata would break a replay.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from domain.durations import Duration
from domain.sequences import WEEKDAYS, Schedule, Window

_DAY = timedelta(days=1)
# The only window of a week may fall into a daylight-saving gap: today's is over, next week's is lost, the one after opens.
_SEARCH_DAYS = 15


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether `at` (aware) lies inside a window. A window's end is outside."""
    at = at.astimezone(UTC)  # comparing across zones is never equal at local times that come twice (PEP 495)
    return next_open(schedule, at) == at


def next_open(schedule: Schedule, at: datetime) -> datetime:
    """The earliest instant (UTC) from `at` (aware) on that lies inside a window; `at` itself if it does."""
    at = at.astimezone(UTC)
    day = local_day(schedule, at)
    for ahead in range(_SEARCH_DAYS):
        for opens, closes in openings(schedule, day + ahead * _DAY):
            if at < closes:
                return max(at, opens)
    raise AssertionError(f"schedule {schedule.id!r} has a window every week, but none within {_SEARCH_DAYS} days")


def first_window(schedule: Schedule, day: date) -> datetime:
    """The first open instant (UTC) of a day in the schedule's zone; if it has none, the next open instant after it."""
    return next_open(schedule, _midnight(_zone(schedule), day))


def add_business_days(schedule: Schedule, day: date, n: int) -> date:
    """The n-th business day after `day`; `day` itself for 0. A business day is a weekday with a window."""
    while n > 0:
        day += _DAY
        if _windows(schedule, day):
            n -= 1
    return day


def resolve_moment(schedule: Schedule, moment: date | datetime) -> datetime:
    """The instant (UTC) that a person means: of a plain date its first window, an aware instant as it is."""
    return moment.astimezone(UTC) if isinstance(moment, datetime) else first_window(schedule, moment)


def return_from_absence(schedule: Schedule, back: date | datetime, buffer: Duration) -> datetime:
    """When an absent person may be written to again (UTC): the return, a date or an aware instant, plus `buffer`.

    Business days are counted from the return's local day and end at the first window of the day reached. A clock
    buffer runs from the first window of a plain date and then waits for the next window; it is added to an instant as is.
    """
    if buffer.business_days:
        day = local_day(schedule, back) if isinstance(back, datetime) else back
        return first_window(schedule, add_business_days(schedule, day, buffer.business_days))
    if isinstance(back, datetime):
        return back.astimezone(UTC) + buffer.delta
    return next_open(schedule, first_window(schedule, back) + buffer.delta)


def after(schedule: Schedule, at: datetime, wait: Duration) -> datetime:
    """When a wait that begins at `at` (aware) is over (UTC), open or not.

    Business days keep the local time of day; where that falls in a daylight-saving gap, it is the instant after the gap.
    """
    if not wait.business_days:
        return at.astimezone(UTC) + wait.delta
    zone = _zone(schedule)
    day = add_business_days(schedule, local_day(schedule, at), wait.business_days)
    return _instant(zone, datetime.combine(day, at.astimezone(zone).time()))


def local_day(schedule: Schedule, at: datetime) -> date:
    """The calendar day of `at` (aware) in the schedule's zone."""
    zone = _zone(schedule)
    day = at.astimezone(zone).date()
    # A clock set back over midnight shows the old date once more (Newfoundland did so until 2011). The new day has
    # begun all the same, otherwise days would overlap.
    return day + _DAY if at >= _midnight(zone, day + _DAY) else day


def day_bounds(schedule: Schedule, at: datetime) -> tuple[datetime, datetime]:
    """Begin and end (exclusive, UTC) of the calendar day of `at` in the schedule's zone; 23 or 25 hours on some days."""
    zone, day = _zone(schedule), local_day(schedule, at)
    return _midnight(zone, day), _midnight(zone, day + _DAY)


def openings(schedule: Schedule, day: date) -> list[tuple[datetime, datetime]]:
    """The open intervals (UTC, end exclusive) of a calendar day in the schedule's zone, in order."""
    windows = _windows(schedule, day)
    if not windows:
        return []
    zone = _zone(schedule)
    begin, end = _midnight(zone, day), _midnight(zone, day + _DAY)
    # Between two changes of the clock, local times follow each other without gap or repetition, so a window is one
    # interval. No zone changes twice within a day.
    change = _change(zone, begin, end) if _offset(zone, begin) != _offset(zone, end) else end
    result = []
    for first, last in ((begin, change), (change, end)):
        offset = _offset(zone, first)
        for window in windows:
            until = datetime.combine(day, window.end, UTC) if window.end != time.max else _utc_midnight(day + _DAY)
            opens = max(datetime.combine(day, window.start, UTC) - offset, first)
            closes = min(until - offset, last)
            if opens < closes:
                result.append((opens, closes))
    return result


def _windows(schedule: Schedule, day: date) -> list[Window]:
    """The windows of a calendar day in order. The one place that knows which days are for sending."""
    weekday = WEEKDAYS[day.weekday()]
    windows = (window for name, windows in schedule.windows.items() if name == weekday for window in windows)
    return sorted(windows, key=lambda window: window.start)


def _zone(schedule: Schedule) -> ZoneInfo:
    return ZoneInfo(schedule.zone)


def _utc_midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, UTC)


def _midnight(zone: ZoneInfo, day: date) -> datetime:
    """The instant at which a local day begins."""
    return _instant(zone, datetime.combine(day, time.min))


def _instant(zone: ZoneInfo, local: datetime) -> datetime:
    """The first instant at which clocks show `local` (naive); where they skip it, the instant after the gap."""
    instant = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == local:
        return instant
    # PEP 495: inside a gap, fold 0 counts by the offset before the change and so lies after it, fold 1 the reverse.
    return _change(zone, local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant)


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    offset = at.astimezone(zone).utcoffset()
    assert offset is not None
    return offset


def _change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant after `low`, at latest `high`, at which the offset becomes that of `high`. Clocks change on whole seconds."""
    offset = _offset(zone, high)
    seconds = range(math.floor(low.timestamp()), math.floor(high.timestamp()) + 1)
    index = bisect_left(seconds, True, key=lambda second: datetime.fromtimestamp(second, zone).utcoffset() == offset)
    return datetime.fromtimestamp(seconds[index], UTC)
