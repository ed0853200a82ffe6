"""Where one more email fits into a mailbox's calendar, and whether it may leave now.

Days are those of the schedule's zone; an hour is any 60 minutes, half-open, so that two emails exactly 60 minutes
apart are not in the same one. Instants are aware; results are UTC.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from domain.schedule import day_bounds, local_day, openings
from domain.sequences import Limits, Schedule

HOUR = timedelta(hours=1)

Cause = Literal["window", "per_hour", "gap"]
FullCause = Literal["per_day", "new_per_day", "window", "per_hour", "gap"]
LimitCode = Literal["per_day", "new_per_day", "per_hour", "gap"]


@dataclass(frozen=True)
class Booking:
    """An email's place in a mailbox's calendar. `first_touch`: the first email of its enrollment."""

    at: datetime
    first_touch: bool


@dataclass(frozen=True)
class Fit:
    """A place for an email. `cause`: the last obstacle that moved it to later than asked; None if nothing did."""

    at: datetime
    cause: Cause | None


@dataclass(frozen=True)
class DayFull:
    """No place in the rest of the day; go on from `next_day` (UTC). `cause`: the last obstacle."""

    next_day: datetime
    cause: FullCause


def reach(limits: Limits) -> timedelta:
    """How far before and after an instant other emails matter to it, apart from the count of its day."""
    return max(HOUR, limits.gap.delta)


def fit(
    schedule: Schedule, limits: Limits, earliest: datetime, bookings: Seq[Booking], first_touch: bool
) -> Fit | DayFull:
    """The earliest instant from `earliest` on, within its local day, that is open and breaks no limit.

    `bookings` are sorted by time and cover the local day of `earliest` and `reach` on both sides of it. Bookings that
    break the limits among themselves (after an edit of the limits) are taken as they are. Time: O(n) in the bookings.
    """
    earliest = earliest.astimezone(UTC)
    begin, end = day_bounds(schedule, earliest)
    windows = [window for window in openings(schedule, local_day(schedule, earliest)) if earliest < window[1]]
    if not windows:
        return DayFull(end, "window")
    count = _day_limit(limits, _between(bookings, begin, end), first_touch)
    if count is not None:
        return DayFull(end, count)
    # Every obstacle forbids an open interval of time. Taken in order of their begins, each is looked at once: the
    # candidate only moves forward, past every obstacle that began before it, and those that begin at it or later do
    # not contain it. Only ends of obstacles and begins of windows can be the answer, so no other instant is tried.
    obstacles = _obstacles(limits, bookings)
    obstacle = next(obstacles, None)
    at = earliest
    cause: Cause | None = None
    for opens, closes in windows:
        if at < opens:
            at, cause = opens, "window"
        while obstacle is not None and obstacle[0] < at:
            if at < obstacle[1]:
                at, cause = obstacle[1], obstacle[2]
            obstacle = next(obstacles, None)
        if at < closes:
            return Fit(at, cause)
    assert cause is not None  # `earliest` is before the last window's end, so something moved the candidate past it
    return DayFull(end, cause)


def breaks(
    schedule: Schedule,
    limits: Limits,
    at: datetime,
    used: Seq[Booking],
    first_touch: bool,
    tolerance_seconds: float,
) -> LimitCode | None:
    """The limit that an email leaving at `at` (aware) would break, given those that really left; None if it may leave.

    `used` is sorted, none is later than `at`, and it covers the local day so far and `reach` before `at`. The gap may
    be short by `tolerance_seconds`, since an email leaves a moment after its slot; the counts are exact.
    """
    at = at.astimezone(UTC)
    begin, end = day_bounds(schedule, at)
    count = _day_limit(limits, _between(used, begin, end), first_touch)
    if count is not None:
        return count
    if len(used) - bisect_right(used, at - HOUR, key=_at) >= limits.per_hour:
        return "per_hour"
    if used and at - used[-1].at < limits.gap.delta - timedelta(seconds=tolerance_seconds):
        return "gap"
    return None


def _at(booking: Booking) -> datetime:
    return booking.at


def _between(bookings: Seq[Booking], begin: datetime, end: datetime) -> Seq[Booking]:
    return bookings[bisect_left(bookings, begin, key=_at) : bisect_left(bookings, end, key=_at)]


def _day_limit(limits: Limits, today: Seq[Booking], first_touch: bool) -> Literal["per_day", "new_per_day"] | None:
    if len(today) >= limits.per_day:
        return "per_day"
    if first_touch and sum(booking.first_touch for booking in today) >= limits.first_touches:
        return "new_per_day"
    return None


def _obstacles(limits: Limits, bookings: Seq[Booking]) -> Iterator[tuple[datetime, datetime, Cause]]:
    """The intervals, without their ends, in which no further email may leave; sorted by begin."""
    times = [booking.at.astimezone(UTC) for booking in bookings]
    gap, most = limits.gap.delta, limits.per_hour
    # An hour with `most` neighbours in it has no room: one more would share it if it came less than an hour before
    # the last of them or less than an hour after the first. Neighbours an hour or more apart share none.
    hours: Iterator[tuple[datetime, datetime, Cause]] = (
        (last - HOUR, first + HOUR, "per_hour")
        for first, last in zip(times, times[most - 1 :], strict=False)
        if last - first < HOUR
    )
    gaps: Iterator[tuple[datetime, datetime, Cause]] = ((time - gap, time + gap, "gap") for time in times if gap)
    return heapq.merge(hours, gaps)
