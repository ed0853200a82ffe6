"""Where one more email fits into a mailbox's calendar, and whether it may leave now.

A slot is the earliest instant, from the one asked for on, at which one more email breaks nothing, given the emails that are
booked and those that left:

- It is inside a window. Windows may be in the contact's zone; days are counted in that of the sequence's schedule.
- `per_day`, `new_per_day`: its calendar day holds no more emails, or no more first touches, than that.
- `per_hour`, `per_24h`: no 60 minutes and no 24 hours, wherever they begin, hold more. Spans are half-open, so that two
  emails exactly 60 minutes apart are not in the same hour.
- `gap`: after each email the mailbox rests for the gap and for that email's own jitter. So the email may come neither too
  soon after one before it, nor too shortly before one behind it.
- `touch_gap`: it is that far from the other emails to the same contact, from whichever sequence, before it and behind it.

Instants are aware; results are UTC. Jitter is whole seconds and a pure function of enrollment and step.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import blake2b
from typing import Literal

from domain.schedule import day_bounds, is_open, local_day, next_open, openings
from domain.sequences import Limits, Schedule

HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
_CALENDAR_DAY = timedelta(days=1)
_NONE = timedelta()

DayLimit = Literal["per_day", "new_per_day"]
Cause = Literal["window", "per_day", "new_per_day", "per_24h", "per_hour", "gap", "touch_gap"]

_Obstacles = Iterator[tuple[datetime, datetime, Cause]]


@dataclass(frozen=True)
class Booking:
    """An email's place in a mailbox's calendar. `first_touch`: the first email of its enrollment."""

    at: datetime
    first_touch: bool = False
    jitter: timedelta = _NONE
    """The space kept behind it, beside the gap; no more of it counts than the limits allow now."""


@dataclass(frozen=True)
class Load:
    """What a calendar day holds: emails, and those of them that are first touches."""

    emails: int
    first_touches: int


@dataclass(frozen=True)
class Rule:
    """What decides where an email may leave from a mailbox, whoever it goes to."""

    windows: Schedule
    """When emails may leave."""
    days: Schedule
    """In whose zone days are counted."""
    limits: Limits
    first_touch: bool

    @property
    def reach(self) -> timedelta:
        """How far before and behind an instant other emails matter to it, apart from the count of its day."""
        return max(HOUR, DAY if self.limits.per_24h is not None else HOUR, self.rest)

    @property
    def rest(self) -> timedelta:
        """The longest that the mailbox rests after an email."""
        return self.limits.gap.delta + self.limits.jitter.delta

    @cached_property
    def key(self) -> str:
        """The same for rules by which the same instants are free."""
        parts = (
            self.windows.model_dump_json(exclude={"id"}),
            self.days.zone,
            self.limits.model_dump_json(),
            str(self.first_touch),
        )
        return blake2b("\n".join(parts).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Own:
    """What counts for one email alone: its jitter, and the other emails to the same contact, sorted."""

    jitter: timedelta = _NONE
    touches: tuple[datetime, ...] = ()
    touch_gap: timedelta = _NONE


NOTHING = Own()


@dataclass(frozen=True)
class Fit:
    """A place for an email. `cause`: the last obstacle that moved it to later than asked; None if nothing did."""

    at: datetime
    cause: Cause | None


@dataclass(frozen=True)
class Full:
    """No place before `until` (UTC); go on from there. `cause`: the last obstacle."""

    until: datetime
    cause: Cause


@dataclass(frozen=True)
class Broken:
    """What an email that left now would break, and when that would be over if nothing else happened."""

    cause: Cause
    frees_at: datetime


def jitter(limits: Limits, enrollment: str, step: str) -> timedelta:
    """The jitter of an email: whole seconds from none to the limits' `jitter`, both included."""
    most = int(limits.jitter.delta.total_seconds())
    if not most:
        return _NONE
    digest = blake2b(f"{enrollment}/{step}".encode(), digest_size=8, person=b"jitter").digest()
    return timedelta(seconds=int.from_bytes(digest) % (most + 1))


def fit(
    rule: Rule,
    earliest: datetime,
    bookings: Seq[Booking],
    *,
    own: Own = NOTHING,
    load: Load | None = None,
    until: datetime | None = None,
) -> Fit | Full:
    """The earliest instant from `earliest` on, within its day and before `until`, at which an email breaks nothing.

    `bookings` are sorted by time and cover the time searched and `rule.reach` on both sides of it; without `load`, what the
    day holds, they also cover the day. Bookings that break the limits among themselves (after an edit of the limits) are
    taken as they are. Time: O(n) in the bookings.
    """
    earliest = earliest.astimezone(UTC)
    begin, end = day_bounds(rule.days, earliest)
    last = end if until is None else min(end, until)
    windows = _open_between(rule.windows, earliest, last)
    if not windows:
        return Full(last, "window")
    full = _full_day(rule, load or _load(bookings, begin, end))
    if full is not None:
        return Full(end, full)
    # Every obstacle forbids an open interval of time. Taken in order of their begins, each is looked at once: the
    # candidate only moves forward, past every obstacle that began before it, and those that begin at it or later do
    # not contain it. Only ends of obstacles and begins of windows can be the answer, so no other instant is tried.
    obstacles = _obstacles(rule, bookings, own)
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
        if at < min(closes, last):
            return Fit(at, cause)
    assert cause is not None  # `earliest` is before the last window's end, so something moved the candidate past it
    return Full(max(at, last), cause)


def breaks(
    rule: Rule, at: datetime, used: Seq[Booking], *, own: Own = NOTHING, load: Load | None = None
) -> Broken | None:
    """What an email leaving at `at` (aware) would break, given those that really left; None if it may leave.

    `used` is sorted and covers `rule.reach` before `at`; without `load`, also the day so far.
    """
    at = at.astimezone(UTC)
    if not is_open(rule.windows, at):
        return Broken("window", next_open(rule.windows, at))
    begin, end = day_bounds(rule.days, at)
    full = _full_day(rule, load or _load(used, begin, end))
    if full is not None:
        return Broken(full, end)
    for span, most, cause in _spans(rule.limits):
        if len(used) - bisect_right(used, at - span, key=_at) >= most:
            return Broken(cause, used[-most].at.astimezone(UTC) + span)
    rested = max((booking.at + _rest(rule.limits, booking) for booking in used), default=at)
    if rested > at:
        return Broken("gap", rested.astimezone(UTC))
    near = [touch for touch in own.touches if abs(at - touch) < own.touch_gap]
    return Broken("touch_gap", near[-1].astimezone(UTC) + own.touch_gap) if near else None


def _at(booking: Booking) -> datetime:
    return booking.at


def _rest(limits: Limits, booking: Booking) -> timedelta:
    """How long the mailbox rests after this email."""
    return limits.gap.delta + min(booking.jitter, limits.jitter.delta)


def _spans(limits: Limits) -> list[tuple[timedelta, int, Cause]]:
    """The rolling limits: a span, what it may hold, the limit's name."""
    spans: list[tuple[timedelta, int, Cause]] = [(HOUR, limits.per_hour, "per_hour")]
    if limits.per_24h is not None:
        spans.insert(0, (DAY, limits.per_24h, "per_24h"))
    return spans


def _load(bookings: Seq[Booking], begin: datetime, end: datetime) -> Load:
    today = bookings[bisect_left(bookings, begin, key=_at) : bisect_left(bookings, end, key=_at)]
    return Load(len(today), sum(booking.first_touch for booking in today))


def _full_day(rule: Rule, load: Load) -> DayLimit | None:
    if load.emails >= rule.limits.per_day:
        return "per_day"
    if rule.first_touch and load.first_touches >= rule.limits.first_touches:
        return "new_per_day"
    return None


def _open_between(windows: Schedule, begin: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The open intervals that reach into the time from `begin` to `end` (exclusive), in order."""
    found = []
    day, last = local_day(windows, begin), local_day(windows, end)
    while day <= last:
        found += [window for window in openings(windows, day) if begin < window[1] and window[0] < end]
        day += _CALENDAR_DAY
    return found


def _obstacles(rule: Rule, bookings: Seq[Booking], own: Own) -> _Obstacles:
    """The intervals, without their ends, in which no further email may leave; sorted by begin."""
    times = [booking.at.astimezone(UTC) for booking in bookings]
    kinds = [_crowded(times, *span) for span in _spans(rule.limits)]
    if rule.rest or own.jitter:
        # Of two at the same instant the one that is there counts as the earlier.
        before = max(rule.limits.gap.delta + own.jitter, timedelta.resolution)
        rests = (_rest(rule.limits, booking) for booking in bookings)
        kinds.append((at - before, at + rest, "gap") for at, rest in zip(times, rests, strict=True))
    if own.touch_gap:
        kinds.append((at - own.touch_gap, at + own.touch_gap, "touch_gap") for at in own.touches)
    return heapq.merge(*kinds)


def _crowded(times: Seq[datetime], span: timedelta, most: int, cause: Cause) -> _Obstacles:
    """Where a span with `most` emails in it has no room: one more would share it if it came less than `span` before the last
    of them or less than `span` after the first. Neighbours that far apart share none."""
    for first, last in zip(times, times[most - 1 :], strict=False):
        if last - first < span:
            yield last - span, first + span, cause
