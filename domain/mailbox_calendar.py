"""A mailbox's calendar in memory: what store/slots.py does in PostgreSQL, by the same rules, for plans and simulations."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable
from collections.abc import Sequence as Seq
from datetime import datetime, timedelta

from domain.capacity import NOTHING, Booking, Broken, Cause, Fit, Load, Own, Rule, breaks, fit
from domain.errors import DomainError
from domain.schedule import day_bounds, next_open

MOST_LOOKS = 40_000
"""Ten years of full days are a defect of limits, not a queue."""

_INSTANT = timedelta.resolution
_SPAN = timedelta(minutes=15)
_LONGEST_DAY = timedelta(hours=26)


class NoRoom(DomainError):
    """No room in a mailbox's calendar within ten years."""

    code = "calendar_full"


class _Sorted:
    """Bookings in the order of their times."""

    def __init__(self, bookings: Iterable[Booking] = ()) -> None:
        self.all = sorted(bookings, key=lambda booking: booking.at)
        self.times = [booking.at for booking in self.all]
        self.first = [booking.at for booking in self.all if booking.first_touch]

    def add(self, booking: Booking) -> None:
        index = bisect_right(self.times, booking.at)
        self.times.insert(index, booking.at)
        self.all.insert(index, booking)
        if booking.first_touch:
            insort(self.first, booking.at)

    def remove(self, booking: Booking) -> None:
        index = next(i for i in range(bisect_left(self.times, booking.at), len(self.all)) if self.all[i] == booking)
        del self.times[index], self.all[index]
        if booking.first_touch:
            del self.first[bisect_left(self.first, booking.at)]

    def between(self, begin: datetime, end: datetime) -> Seq[Booking]:
        """Those after `begin` and before `end`."""
        return self.all[bisect_right(self.times, begin) : bisect_left(self.times, end)]

    def load(self, begin: datetime, end: datetime) -> Load:
        return Load(_count(self.times, begin, end), _count(self.first, begin, end))


def _count(times: list[datetime], begin: datetime, end: datetime) -> int:
    return bisect_left(times, end) - bisect_left(times, begin)


class _Full:
    """Times at which nothing fits by a rule: what searches before have passed by. Bookings added later leave that true."""

    def __init__(self, spread: timedelta) -> None:
        self.spread = spread
        """How far from a place that is given back something may fit."""
        self.begins: list[datetime] = []
        self.ends: list[datetime] = []

    def over(self, at: datetime) -> datetime:
        """The last full instant from `at` on, so that its cause is found again; `at` itself where nothing is known."""
        index = bisect_right(self.begins, at) - 1
        return max(at, self.ends[index] - _INSTANT) if index >= 0 else at

    def learn(self, begin: datetime, end: datetime) -> None:
        low, high = bisect_left(self.ends, begin), bisect_right(self.begins, end)
        if low < high:
            begin, end = min(begin, self.begins[low]), max(end, self.ends[high - 1])
        self.begins[low:high], self.ends[low:high] = [begin], [end]

    def forget(self, begin: datetime, end: datetime) -> None:
        """What lies between is not known any more."""
        known = list(zip(self.begins, self.ends, strict=True))
        self.begins.clear()
        self.ends.clear()
        for first, last in known:
            for left, right in ((first, min(last, begin)), (max(first, end), last)):
                if left < right:
                    self.begins.append(left)
                    self.ends.append(right)


class MailboxCalendar:
    """Emails booked ahead and those that left. Instants are UTC."""

    def __init__(self, booked: Iterable[Booking] = (), left: Iterable[Booking] = ()) -> None:
        self._left = _Sorted(left)
        self._all = _Sorted([*booked, *self._left.all])
        self._waiting = len(self._all.all) - len(self._left.all)
        self._full: dict[str, _Full] = {}

    @property
    def queue(self) -> tuple[int, float]:
        """How many wait, and where the queue ends (seconds since 1970; 0 for none)."""
        return self._waiting, self._all.times[-1].timestamp() if self._all.times else 0.0

    def find(self, rule: Rule, earliest: datetime, own: Own = NOTHING) -> Fit:
        """The earliest instant from `earliest` on at which one more email breaks nothing. Raises NoRoom, NeverOpen."""
        full = self._full.get(rule.key)
        if full is None:
            full = self._full[rule.key] = _Full(max(rule.reach, _LONGEST_DAY))
        found, free = self._search(rule, earliest, own, full)
        if free > earliest:
            full.learn(earliest, free)
        return found

    def _search(self, rule: Rule, earliest: datetime, own: Own, full: _Full) -> tuple[Fit, datetime]:
        """The place, and the first instant at which the calendar has room, whatever counts for this email alone."""
        at, cause, free = earliest, None, None
        for _ in range(MOST_LOOKS):
            at, cause = _opens(rule, at, cause)
            known = full.over(at)
            if known > at:
                at, cause = _opens(rule, known, cause)
            begin, end = day_bounds(rule.days, at)
            until = min(at + max(_SPAN, 2 * rule.rest), end)
            bookings = self._all.between(at - rule.reach, until + rule.reach)
            load = self._all.load(begin, end)
            if free is None:
                found = fit(rule, at, bookings, load=load, until=until)
                if isinstance(found, Fit):
                    free = found.at
            if free is not None and own != NOTHING:
                found = fit(rule, at, bookings, own=own, load=load, until=until)
            cause = found.cause or cause
            if isinstance(found, Fit):
                assert free is not None
                return Fit(found.at, cause), free
            at = found.until
        raise NoRoom("a mailbox has no room in ten years", fix="raise its limits, or open the schedule for longer")

    def book(self, booking: Booking) -> None:
        """Keep a place."""
        self._all.add(booking)
        self._waiting += 1

    def release(self, booking: Booking) -> None:
        """Give a place back: around it something may fit again."""
        self._all.remove(booking)
        self._waiting -= 1
        for full in self._full.values():
            full.forget(booking.at - full.spread, booking.at + full.spread)

    def leave(self, booking: Booking) -> None:
        """A booked email has left at its place."""
        self._left.add(booking)
        self._waiting -= 1

    def broken(self, rule: Rule, at: datetime, own: Own = NOTHING) -> Broken | None:
        """What an email leaving at `at` would break, by those that left."""
        begin, end = day_bounds(rule.days, at)
        before = self._left.between(at - rule.reach, at + _INSTANT)
        return breaks(rule, at, before, own=own, load=self._left.load(begin, end))


def _opens(rule: Rule, at: datetime, cause: Cause | None) -> tuple[datetime, Cause | None]:
    opens = next_open(rule.windows, at)
    return opens, "window" if opens > at else cause
