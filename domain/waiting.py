"""Why an email has not left yet, in concrete words: what stands between now and its sending time, one thing after another.

Windows and limits are asked by the rule that also books (`domain.capacity`), over the bookings as they are now: what is told
is true now, not a memory of the booking. Instants are aware, results UTC; words name the zone that they are told in.
Never call this from workflow code: a new tzdata would break a replay.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.capacity import DAY, HOUR, Booking, Fit, Own, Rule, fit
from domain.durations import Duration
from domain.reasons import find
from domain.schedule import NeverOpen, day_bounds, local_day, next_open, why_closed
from domain.sequences import Limits, Schedule
from domain.state import EnrollmentState
from domain.watching import TROUBLE
from domain.zones import ZoneChoice

LOOKED_AHEAD = timedelta(days=8)
"""How far ahead bookings are told one by one; behind that a queue is told as a whole."""

MOST_CLOSED = 5
"""Stretches of closed days that are told of one wait for a window."""

_SOURCES = {
    "schedule": "the schedule's zone",
    "contact": "the contact's own zone",
    "country": "the zone of the contact's country",
}
_DAY = timedelta(days=1)


@dataclass(frozen=True)
class Clock:
    """How instants are told to people: in the zone that counts for the contact. The year is told where it is another than
    that of `now`."""

    zone: ZoneChoice
    now: datetime

    def short(self, at: datetime) -> str:
        """`Tue 2 Dec 09:00`, with seconds where there are any."""
        local = at.astimezone(ZoneInfo(self.zone.zone))
        return f"{self.day(local)} {local:%H:%M:%S}".removesuffix(":00")

    def full(self, at: datetime) -> str:
        """`Tue 2 Dec 09:00 (Europe/Berlin, the contact's own zone)`."""
        return f"{self.short(at)} ({self.zone.zone}, {_SOURCES[self.zone.source]})"

    def day(self, day: date) -> str:
        """`Tue 2 Dec`."""
        year = f" {day.year}" if day.year != self.now.astimezone(ZoneInfo(self.zone.zone)).year else ""
        return f"{day:%a} {day.day} {day:%b}{year}"


@dataclass(frozen=True)
class Deferral:
    """A temporary refusal of this attempt: after how many tries, and what the server said or why it did not."""

    tries: int
    reply: str


@dataclass(frozen=True)
class Touch:
    """Another email to the same contact: when it left or is booked, and of which sequence."""

    at: datetime
    sequence: str
    left: bool


@dataclass(frozen=True)
class Waiting:
    """What the sending time of an Active enrollment depends on, read in one go.

    `windows` is the schedule as it counts for the contact, by `clock`; `days` the schedule in whose zone days are counted.
    `sent` and `booked` are the mailbox's other emails, each sorted by time, from a day and a half before now on until
    `known_until` and a day behind. `limits` is None where the enrollment has no mailbox.
    """

    state: EnrollmentState
    now: datetime
    clock: Clock
    windows: Schedule
    days: Schedule
    known_until: datetime
    wait: Duration | None = None
    limits: Limits | None = None
    not_before: datetime | None = None
    sent: tuple[Booking, ...] = ()
    booked: tuple[Booking, ...] = ()
    jitter: timedelta = timedelta()
    touches: tuple[Touch, ...] = ()
    touch_gap: timedelta = timedelta()
    deferral: Deferral | None = None
    unread: str | None = None
    """Why the mailbox cannot be read, by its code (`domain.watching`)."""


@dataclass(frozen=True)
class Wait:
    """One thing that stands between now and the sending time. `code`: of the catalogue's waits. `until`: when it is over,
    None where that is not known. `figures`: the numbers behind the words."""

    code: str
    words: str
    since: datetime
    until: datetime | None
    figures: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For callers: with what ends it before its time."""
        return {
            "code": self.code,
            "words": self.words,
            "since": _iso(self.since),
            "until": _iso(self.until),
            **self.figures,
            "change": find("wait", self.code).fix,
        }


def waits(waiting: Waiting) -> tuple[Wait, ...]:
    """What stands in the way, in the order of time; never empty. The first is why the email does not leave now."""
    state, now = waiting.state, waiting.now
    if state.slot is None:
        words = "a worker is about to find its sending time; if this lasts, see whether one runs"
        return (Wait("reserving", words, now, None),)
    if state.slot.at <= now:
        words = f"its time came at {waiting.clock.full(state.slot.at)}; a worker sends it"
        return (Wait("sending", words, state.slot.at, None),)
    return _Walk(waiting, state.slot.at, state.slot.cause).found()


class _Walk:
    """The way from now to the sending time, past everything in between."""

    def __init__(self, waiting: Waiting, slot: datetime, cause: str | None) -> None:
        self.waiting = waiting
        self.clock = waiting.clock
        self.slot = slot
        self.cause = cause
        self.at = waiting.now
        self.waits: list[Wait] = []

    def found(self) -> tuple[Wait, ...]:
        self._delayed()
        self._put_off()
        try:
            self._by_calendar()
        except NeverOpen as error:
            self._tell("window", f"{error.message}; {error.fix}", None)
            return tuple(self.waits)
        self._rest()
        return tuple(self.waits)

    def _tell(self, code: str, words: str, until: datetime | None, **figures: Any) -> None:
        self.waits.append(Wait(code, words, self.at, until, figures))
        if until is not None:
            self.at = until

    def _delayed(self) -> None:
        state, due = self.waiting.state, self.waiting.state.due
        if due is None or due <= self.at or state.hurried:
            return
        wait = self.waiting.wait
        length = f" of {wait}" if wait is not None and wait != Duration() else ""
        words = f"the wait{length} before this step ends at {self.clock.full(due)}"
        self._tell("delay", words, due, wait=None if wait is None else str(wait))

    def _put_off(self) -> None:
        """What servers asked for: this one email's, or all of the mailbox."""
        deferral, not_before = self.waiting.deferral, self.waiting.not_before
        if deferral is not None:
            tries = "once" if deferral.tries == 1 else f"{deferral.tries} times"
            until = self.slot if self.cause == "deferred" else None
            when = f"; next try at {self.clock.full(self.slot)}" if until else ""
            words = f"deferred by the server, tried {tries} ({deferral.reply}){when}"
            self._tell("deferred", words, until, tries=deferral.tries, reply=deferral.reply)
        if self.cause == "unread":
            trouble = f" ({TROUBLE.get(self.waiting.unread, self.waiting.unread)})" if self.waiting.unread else ""
            words = f"the mailbox has not been read for some minutes{trouble}, and replies are looked at first"
            self._tell("unread", words, self.slot)
        if not_before is not None and not_before > self.at:
            words = f"the mailbox was told to slow down until {self.clock.full(not_before)}"
            self._tell("backoff", words, not_before)

    def _by_calendar(self) -> None:
        waiting = self.waiting
        bookings = sorted((*waiting.sent, *waiting.booked), key=lambda booking: booking.at)
        own = Own(waiting.jitter, tuple(touch.at for touch in waiting.touches), waiting.touch_gap)
        # The sending time itself is looked at too: it may fit no longer.
        while self.at <= self.slot:
            opens = next_open(waiting.windows, self.at)
            if opens > self.at:
                self._closed(opens)
                continue
            if waiting.limits is None or self.at > waiting.known_until:
                return
            rule = Rule(waiting.windows, waiting.days, waiting.limits, waiting.state.sent == 0)
            place = fit(rule, self.at, bookings, own=own)
            if isinstance(place, Fit):
                if place.at > self.at:
                    assert place.cause is not None
                    self._limited(waiting.limits, place.cause, place.at)
                return
            if place.cause == "window":
                self._closed(next_open(waiting.windows, place.until))
            else:
                self._limited(waiting.limits, place.cause, place.until)

    def _closed(self, opens: datetime) -> None:
        """Outside the windows until `opens`: which days are closed, and why."""
        windows, clock = self.waiting.windows, self.clock
        first, last = local_day(windows, self.at), local_day(windows, opens)
        days = (first + n * _DAY for n in range((last - first).days))
        closed = [(day, why) for day in days if (why := why_closed(windows, day)) is not None]
        told = []
        words = f"next window at {clock.full(opens)}"
        for why, group in itertools.groupby(closed, key=lambda one: one[1]):
            stretch = [day for day, _ in group]
            told.append({"from": stretch[0].isoformat(), "to": stretch[-1].isoformat(), "why": why})
            to = f" to {clock.day(stretch[-1])}" if len(stretch) > 1 else ""
            words += f"; {clock.day(stretch[0])}{to}: {why}" if len(told) <= MOST_CLOSED else ""
        if len(told) > MOST_CLOSED:
            words += f"; and {len(told) - MOST_CLOSED} more"
        self._tell("window", words, opens, zone=clock.zone.zone, zone_source=clock.zone.source, closed=told)

    def _limited(self, limits: Limits, code: str, until: datetime) -> None:
        """A limit leaves no room until `until`, which may be the end of a day that is closed by then."""
        if code == "window":
            self._closed(until)
        elif code in ("per_day", "new_per_day"):
            self._day(code, limits, until)
        elif code in ("per_hour", "per_24h"):
            self._span(code, limits, until)
        elif code == "gap":
            self._rested(limits, until)
        else:
            self._touched(until)

    def _rested(self, limits: Limits, until: datetime) -> None:
        others = (*self.waiting.sent, *self.waiting.booked)
        ends = {one.at + limits.gap.delta + min(one.jitter, limits.jitter.delta): one.at for one in others}
        free = max((end for end in ends if self.at < end <= until), default=until)
        last = f", the email before is at {self.clock.short(ends[free])}" if free in ends else ""
        more = f" and up to {limits.jitter} more" if limits.jitter.delta else ""
        words = f"minimum gap of {limits.gap}{more}{last}; free at {self.clock.full(free)}"
        self._tell("gap", words, free, gap=str(limits.gap), jitter=str(limits.jitter))
        self.at = until

    def _day(self, code: str, limits: Limits, until: datetime) -> None:
        """A full day. Its figures are those of the whole mailbox, in the zone in which its days are counted."""
        begin, end = day_bounds(self.waiting.days, self.at)
        first_only = code == "new_per_day"
        limit = limits.first_touches if first_only else limits.per_day
        sent = _count(self.waiting.sent, begin, end, first_only=first_only)
        booked = _count(self.waiting.booked, begin, end, first_only=first_only)
        counted = Clock(ZoneChoice(self.waiting.days.zone, "schedule"), self.waiting.now)
        day = local_day(self.waiting.days, self.at)
        name = "daily limit of new contacts" if first_only else "daily limit"
        words = (
            f"{name} {sent + booked} of {limit} on {counted.day(day)} ({sent} sent, {booked} booked), "
            f"frees at {counted.full(until)}"
        )
        self._tell(code, words, until, limit=limit, sent=sent, booked=booked, day=day.isoformat())

    def _span(self, code: str, limits: Limits, until: datetime) -> None:
        """A rolling limit. Where it ends because the first of those that fill it falls out of the span, they are counted."""
        span, name, limit = (HOUR, "hourly limit", limits.per_hour)
        if code == "per_24h":
            span, name, limit = (DAY, "limit of 24 hours", limits.per_24h or 0)
        begin = until - span
        if not any(one.at == begin for one in (*self.waiting.sent, *self.waiting.booked)):
            words = f"{name} of {limit}: no room from {self.clock.short(self.at)} to {self.clock.full(until)}"
            self._tell(code, words, until, limit=limit)
            return
        sent = _count(self.waiting.sent, begin, until)
        booked = _count(self.waiting.booked, begin, until)
        words = (
            f"{name} {sent + booked} of {limit} from {self.clock.short(begin)} on "
            f"({sent} sent, {booked} booked), frees at {self.clock.full(until)}"
        )
        self._tell(code, words, until, limit=limit, sent=sent, booked=booked)

    def _touched(self, until: datetime) -> None:
        gap = self.waiting.touch_gap
        near = max(
            (touch for touch in self.waiting.touches if touch.at + gap <= until),
            key=lambda touch: touch.at,
            default=self.waiting.touches[0],
        )
        free = min(near.at + gap, until)
        verb = "left" if near.left else "is booked"
        words = (
            f"touch gap of {_length(gap)}: another email to the contact, of sequence {near.sequence}, {verb} at "
            f"{self.clock.short(near.at)}; free at {self.clock.full(free)}"
        )
        figures = {"touch_gap_seconds": gap.total_seconds(), "other": near.sequence, "other_at": _iso(near.at)}
        self._tell("touch_gap", words, free, **figures)
        self.at = until

    def _rest(self) -> None:
        """Where the way of now ends elsewhere than at the booking: the booking is older than what it would find now."""
        code = self.cause or "delay"
        booked = f"booked for {self.clock.full(self.slot)}"
        if self.at > self.slot:
            words = f"{booked}, where it no longer fits; it is booked anew, for {self.clock.full(self.at)} or later"
            self.waits.append(Wait(self.waits[-1].code, words, self.slot, None, {"expected_at": _iso(self.at)}))
        elif self.waiting.known_until < self.at < self.slot:
            words = f"those booked before it fill the mailbox's calendar; {booked}"
            self._tell(code, words, self.slot)
        elif self.at < self.slot and (self.waiting.deferral is None or not self.waits):
            words = f"{booked}, the earliest place when it was booked ({find('wait', code).sentence})"
            if self.waiting.limits is not None:
                words += f" Room has come free at {self.clock.short(self.at)}: send_now takes it"
            self._tell(code, words, self.slot)


def _count(bookings: Seq[Booking], begin: datetime, end: datetime, *, first_only: bool = False) -> int:
    inside = bookings[
        bisect_left(bookings, begin, key=lambda one: one.at) : bisect_left(bookings, end, key=lambda one: one.at)
    ]
    return sum(booking.first_touch or not first_only for booking in inside)


def _length(delta: timedelta) -> str:
    seconds = int(delta.total_seconds())
    if seconds % 86400 == 0:
        return str(Duration(days=seconds // 86400))
    return str(Duration(seconds=seconds))


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")
