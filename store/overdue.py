"""Bookings whose time is over and whose emails have not left: workers were away, or have more to do than they can."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from store.database import Connection
from store.queries import sql


@dataclass(frozen=True)
class Overdue:
    """A booking in the order of a mailbox's calendar."""

    slot: int
    enrollment: str
    at: datetime


async def before(connection: Connection, enrollment: str, *, behind: Overdue | None, limit: int) -> list[Overdue]:
    """The bookings in the same mailbox with earlier times than this enrollment's, in order; those behind `behind` only."""
    after = (behind.at, behind.slot) if behind is not None else (None, None)
    rows = await connection.fetch(sql("overdue.before"), UUID(enrollment), *after, limit)
    return [Overdue(row["id"], str(row["enrollment_id"]), row["at"]) for row in rows]


async def note_cause(connection: Connection, enrollment: str, cause: str | None) -> None:
    """Keep why a booking is later than due, for its workflow to be told."""
    await connection.execute(sql("overdue.note_cause"), UUID(enrollment), cause)
