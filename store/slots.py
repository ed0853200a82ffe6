"""A mailbox's calendar: sending times booked ahead, used ones behind. One booking at a time, under the calendar's lock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain import capacity
from domain.capacity import Booking, DayFull
from domain.schedule import day_bounds, next_open
from domain.sequences import Limits, Schedule
from domain.state import Slot
from store import locks
from store.database import Connection
from store.queries import sql

HORIZON_DAYS = 3660
"""Ten years of full days are a defect of limits, not a queue."""

TOLERANCE = timedelta(seconds=2)
"""A slot this near counts as due (design section 5)."""


class CalendarFull(Exception):
    """No room within the horizon."""

    code = "calendar_full"


@dataclass(frozen=True)
class Calendar:
    """What decides where a booking fits."""

    mailbox: str
    schedule: Schedule
    limits: Limits
    not_before: datetime | None = None
    """The mailbox was told to slow down until then."""


async def book(
    connection: Connection,
    calendar: Calendar,
    enrollment: str,
    *,
    due: datetime,
    first_touch: bool,
    cause: str | None = None,
) -> Slot:
    """Book the earliest sending time at or after `due`, in place of any booking of this enrollment.

    `cause` is kept when nothing later stood in the way. Raises CalendarFull.
    """
    await locks.calendar(connection, calendar.mailbox)
    earliest, reach = due, capacity.reach(calendar.limits)
    if calendar.not_before is not None and calendar.not_before > earliest:
        earliest, cause = calendar.not_before, "backoff"
    for _ in range(HORIZON_DAYS):
        open_at = next_open(calendar.schedule, earliest)
        if open_at > earliest:
            cause = "window"
        start, end = day_bounds(calendar.schedule, open_at)
        rows = await connection.fetch(
            sql("slots.around"), calendar.mailbox, start - reach, end + reach, UUID(enrollment)
        )
        bookings = [Booking(row["at"], row["first_touch"]) for row in rows]
        found = capacity.fit(calendar.schedule, calendar.limits, open_at, bookings, first_touch)
        if isinstance(found, DayFull):
            earliest, cause = found.next_day, found.cause
            continue
        slot = Slot(at=found.at, cause=found.cause or cause)
        await connection.execute(sql("slots.book"), calendar.mailbox, UUID(enrollment), slot.at, first_touch)
        return slot
    raise CalendarFull(f"mailbox {calendar.mailbox} has no room in ten years")


async def broken_limit(connection: Connection, calendar: Calendar, *, now: datetime, first_touch: bool) -> str | None:
    """The limit that an email leaving now would break, by the emails that really left; under the calendar's lock."""
    await locks.calendar(connection, calendar.mailbox)
    start, _ = day_bounds(calendar.schedule, now)
    since = min(start, now - capacity.reach(calendar.limits))
    rows = await connection.fetch(sql("slots.used"), calendar.mailbox, since, now + TOLERANCE)
    used = [Booking(row["at"], row["first_touch"]) for row in rows]
    return capacity.breaks(calendar.schedule, calendar.limits, now, used, first_touch, TOLERANCE.total_seconds())


async def use(connection: Connection, mailbox: str, enrollment: str, *, now: datetime, first_touch: bool) -> int:
    """Turn the booking into a used slot at `now`; answers its ID. The caller holds the calendar's lock."""
    slot = await connection.fetchval(sql("slots.use"), mailbox, UUID(enrollment), now, first_touch)
    await connection.execute(sql("slots.mark_used"), slot)
    return int(slot)


async def give_back(connection: Connection, slot: int) -> None:
    """The email did not leave: its room is free again."""
    await connection.execute(sql("slots.unuse"), slot)


async def least_booked(connection: Connection, mailboxes: tuple[str, ...]) -> str:
    """The mailbox with the fewest bookings ahead; the first named among equals."""
    rows = await connection.fetch(sql("slots.load"), list(mailboxes))
    load = {row["mailbox_id"]: row["n"] for row in rows}
    return min(mailboxes, key=lambda mailbox: load.get(mailbox, 0))
