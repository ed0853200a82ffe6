"""A mailbox's calendar: sending times booked ahead, used ones behind. One booking at a time, under the calendar's lock.

A booking takes the earliest slot there is (`domain.capacity` says what a slot is), and its cost does not depend on how many
wait: it does not pass by them. It goes by what bookings before it have learned: from this instant to that one nothing fits,
by these windows, days and limits (`full_times`). Further bookings leave that true. What frees a slot notes it (a trigger, so
that nothing can forget to), and the next booking forgets what was known of the times around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from domain import capacity
from domain.capacity import NOTHING, Booking, Broken, Cause, Fit, Full, Load, Own, Rule
from domain.schedule import day_bounds, next_open
from domain.sequences import Limits, Schedule
from domain.state import Slot
from store import locks
from store.database import Connection
from store.queries import sql

MOST_LOOKS = 40_000
"""Ten years of full days, looked at in four parts each, are a defect of limits, not a queue."""

TOLERANCE = timedelta(seconds=2)
"""A slot this near counts as due (design section 5)."""

IN_PLACE = timedelta(seconds=8)
"""An email that left this near to its slot keeps it as its place in the calendar, so that what is booked behind it lies where
it was forecast. Limits hold for real departures: the email behind waits for its moment (`PATIENCE` in activities/deliver.py,
which is longer)."""

WORTH_LEARNING = 16
"""Bookings that were passed by: with fewer, the next one is as fast without."""

COUNTED = 200
"""Up to so many waiting, mailboxes are compared by their number; the cost of an admission has a limit too."""

_MOMENT = timedelta.resolution
_LONGEST_DAY = timedelta(hours=26)
_SPAN = timedelta(hours=2)
_WIDEST = timedelta(hours=8)


class CalendarFull(Exception):
    """No room within the horizon."""

    code = "calendar_full"


@dataclass(frozen=True)
class Calendar:
    """What decides where an email of a sequence fits into a mailbox's calendar."""

    mailbox: str
    windows: Schedule
    """When emails may leave."""
    days: Schedule
    """In whose zone days are counted."""
    limits: Limits
    not_before: datetime | None = None
    """The mailbox was told to slow down until then."""

    def rule(self, email: Email) -> Rule:
        """The rule by which this email is placed."""
        return Rule(self.windows, self.days, self.limits, email.first_touch)


@dataclass(frozen=True)
class Email:
    """An email that is to leave: the step of an enrollment of a contact."""

    enrollment: str
    contact: str
    step: str
    first_touch: bool
    touch_gap: timedelta = timedelta()
    """The least time from other emails to the contact."""


async def book(
    connection: Connection, calendar: Calendar, email: Email, *, due: datetime, cause: str | None = None
) -> Slot:
    """Book the earliest slot at or after `due`, in place of any booking of this enrollment, whose row the caller has locked.

    `cause` is kept when nothing later stood in the way. Raises CalendarFull.
    """
    await locks.calendar(connection, calendar.mailbox)
    earliest, own = await _asked(connection, calendar, email, due)
    if earliest > due:
        cause = "backoff"
    search = _Search(connection, calendar, email)
    found = await search.run(earliest, own)
    await search.learn(earliest)
    await connection.execute(
        sql("slots.book"), calendar.mailbox, UUID(email.enrollment), found.at, email.first_touch, own.jitter
    )
    return Slot(at=found.at, cause=found.cause or cause)


Known = dict[str, tuple[datetime, datetime]]
"""By the key of a rule: from this instant to that one nothing fits."""


async def place(
    connection: Connection, calendar: Calendar, email: Email, *, due: datetime, unplaced: int, known: Known
) -> tuple[Fit, timedelta]:
    """Where an email goes at or after `due` as if no booking with an ID up to `unplaced` were there (store/replanning.py), and
    the space behind it; books nothing. The caller holds the calendar's lock.

    `known` is what searches before this one with the same `unplaced` have learned, and takes in what this one learns: a room
    that is freed in between is not found. Raises CalendarFull.
    """
    earliest, own = await _asked(connection, calendar, email, due)
    search = _SearchAmongPlaced(connection, calendar, email, unplaced)
    key = search.rule.key
    since, until = known.get(key, (earliest, earliest))
    # From the last full microsecond on, so that the cause is found again.
    found = await search.run(until - _MOMENT if since <= earliest < until else earliest, own)
    if search.free is not None:
        if since <= earliest <= until:
            known[key] = (since, max(until, search.free))
        elif search.passed >= WORTH_LEARNING:
            known[key] = (earliest, search.free)
    return found, own.jitter


async def _asked(connection: Connection, calendar: Calendar, email: Email, due: datetime) -> tuple[datetime, Own]:
    """From when on an email due at `due` may have a slot, and what counts for it alone."""
    earliest = due if calendar.not_before is None else max(due, calendar.not_before)
    own = Own(capacity.jitter(calendar.limits, email.enrollment, email.step))
    if email.touch_gap:
        rows = await connection.fetch(
            sql("slots.touches"), email.contact, UUID(email.enrollment), earliest - email.touch_gap
        )
        own = replace(own, touches=tuple(row["at"] for row in rows), touch_gap=email.touch_gap)
    return earliest, own


@dataclass(frozen=True)
class _View:
    """What is booked from `begin` until `until`, a stretch of one day; an empty one where that day's `load` is not known."""

    begin: datetime
    until: datetime
    load: Load
    bookings: list[Booking]


class _Search:
    """The way to the earliest slot of one email."""

    def __init__(self, connection: Connection, calendar: Calendar, email: Email) -> None:
        self.connection = connection
        self.mailbox = calendar.mailbox
        self.enrollment = UUID(email.enrollment)
        self.rule = calendar.rule(email)
        self.span = max(_SPAN, 2 * self.rule.rest)
        self.up_to_date = False
        self.free: datetime | None = None
        """The earliest instant at which the calendar has room, whatever counts for this email alone."""
        self.passed = 0

    async def run(self, earliest: datetime, own: Own) -> Fit:
        """The earliest slot from `earliest` on. Raises CalendarFull."""
        at, cause = earliest, None
        for _ in range(MOST_LOOKS):
            at, cause = self._opens(at, cause)
            view = await self._look(at)
            if view.begin > at:
                at, cause = self._opens(view.begin, cause)
            if not view.begin <= at < view.until:
                continue
            found = self._fit(view, at, own)
            cause = found.cause or cause
            if isinstance(found, Fit):
                return Fit(found.at, cause)
            at = found.until
        raise CalendarFull(f"mailbox {self.mailbox} has no room in ten years")

    def _opens(self, at: datetime, cause: Cause | None) -> tuple[datetime, Cause | None]:
        opens = next_open(self.rule.windows, at)
        return opens, "window" if opens > at else cause

    def _fit(self, view: _View, at: datetime, own: Own) -> Fit | Full:
        """A place for the email. Where the calendar has room is found first: what counts for it alone others need not heed."""
        if self.free is None:
            found = capacity.fit(self.rule, at, view.bookings, load=view.load, until=view.until)
            if isinstance(found, Full):
                # It costs another look; the next one takes in more.
                self.passed += WORTH_LEARNING
                self.span = min(2 * self.span, max(self.span, _WIDEST))
                return found
            self.free = found.at
            self.passed += sum(at <= booking.at < found.at for booking in view.bookings)
            if own == NOTHING:
                return found
        return capacity.fit(self.rule, at, view.bookings, own=own, load=view.load, until=view.until)

    async def _look(self, at: datetime) -> _View:
        """What is booked from `at` on; where the calendar is known to be full, from the last full microsecond on, so that
        the cause is found again."""
        rule = self.rule
        day = asyncpg.Range(*day_bounds(rule.days, at))
        while True:
            row = await self.connection.fetchrow(
                sql("slots.look"), self.mailbox, self.enrollment, at, rule.key, day, rule.reach, self.span
            )
            assert row is not None
            # What is freed while we search stays noted for the next one: we may have passed by it already.
            if self.up_to_date or not row["stale"]:
                break
            await self.connection.execute(sql("slots.release"), self.enrollment)
            await self.connection.execute(sql("slots.forget"), self.mailbox)
        self.up_to_date = True
        begin, end = row["start"], row["day_end"]
        until = begin if end is None else min(begin + self.span, end)
        return _View(begin, until, Load(row["emails"], row["first_touches"]), _bookings(row))

    async def learn(self, earliest: datetime) -> None:
        """Keep for the next ones that nothing fits from `earliest` to where this one found room."""
        if self.passed < WORTH_LEARNING or self.free is None or self.free <= earliest:
            return
        await self.connection.execute(
            sql("slots.learn"),
            self.mailbox,
            self.rule.key,
            earliest,
            self.free,
            asyncpg.Range(*day_bounds(self.rule.days, self.free)),
            max(self.rule.reach, _LONGEST_DAY),
        )


class _SearchAmongPlaced(_Search):
    """A search that does not see bookings with IDs up to `unplaced`."""

    def __init__(self, connection: Connection, calendar: Calendar, email: Email, unplaced: int) -> None:
        super().__init__(connection, calendar, email)
        self.unplaced = unplaced

    async def _look(self, at: datetime) -> _View:
        begin, end = day_bounds(self.rule.days, at)
        day = asyncpg.Range(begin, end)
        row = await self.connection.fetchrow(
            sql("replanning.look"), self.mailbox, at, day, self.rule.reach, self.unplaced, self.span
        )
        assert row is not None
        return _View(at, min(at + self.span, end), Load(row["emails"], row["first_touches"]), _bookings(row))


def _bookings(row: asyncpg.Record) -> list[Booking]:
    """The emails that a row holds as arrays. Whether they are first touches is counted by the day, not here."""
    return [Booking(at, jitter=jitter) for at, jitter in zip(row["times"] or (), row["jitters"] or (), strict=True)]


async def booked(connection: Connection, enrollment: str) -> Slot | None:
    """The booking of an enrollment; its cause only where it was placed anew after an edit."""
    row = await connection.fetchrow(sql("slots.booked"), UUID(enrollment))
    return None if row is None else Slot(at=row["at"], cause=row["cause"])


async def broken_limit(connection: Connection, calendar: Calendar, email: Email, *, now: datetime) -> Broken | None:
    """What an email leaving now would break, by the emails that really left; under the calendar's lock. `locks.share` was
    told of a touch gap."""
    await locks.calendar(connection, calendar.mailbox)
    rule = calendar.rule(email)
    begin, _ = day_bounds(rule.days, now)
    reach = now - rule.reach, now + TOLERANCE
    row = await connection.fetchrow(sql("slots.used"), calendar.mailbox, begin, *reach, IN_PLACE)
    assert row is not None
    own = NOTHING
    if email.touch_gap:
        last = await connection.fetchval(sql("slots.last_touch"), email.contact)
        own = Own(touches=() if last is None else (last,), touch_gap=email.touch_gap)
    load = Load(row["emails"], row["first_touches"])
    return capacity.breaks(rule, now, _bookings(row), own=own, load=load)


@dataclass(frozen=True)
class Used:
    """The place in the calendar of an email that left."""

    id: int
    at: datetime


async def use(connection: Connection, calendar: Calendar, email: Email, *, now: datetime) -> Used:
    """Turn the booking into a used slot of an email that leaves at `now`. The caller holds the calendar's lock."""
    space = capacity.jitter(calendar.limits, email.enrollment, email.step)
    email_of = calendar.mailbox, UUID(email.enrollment)
    row = await connection.fetchrow(sql("slots.use"), *email_of, now, email.first_touch, space, IN_PLACE)
    assert row is not None
    return Used(row["id"], row["at"])


async def give_back(connection: Connection, slot: int) -> None:
    """The email did not leave: its room is free again."""
    await connection.execute(sql("slots.unuse"), slot)


async def least_booked(connection: Connection, mailboxes: tuple[str, ...]) -> str:
    """The mailbox with the fewest bookings ahead; among those with many, the one whose queue ends first; the first named
    among equals."""
    if len(mailboxes) == 1:
        return mailboxes[0]
    rows = await connection.fetch(sql("slots.load"), list(mailboxes), COUNTED)
    queues = {row["id"]: (row["waiting"], row["last"].timestamp() if row["last"] else 0.0) for row in rows}
    return min(mailboxes, key=lambda mailbox: queues[mailbox] if queues[mailbox][0] >= COUNTED else queues[mailbox][:1])
