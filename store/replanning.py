"""Rewriting a mailbox's calendar: what is booked is placed anew, in the order of its times, by the rule as it is now.

A booking is placed as if those behind it were not there: they come after it. Those that have yet to be placed are told by
their IDs, since placing one gives it a new ID; so a rewriting that was broken off goes on with what is left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.state import EnrollmentState
from store.database import Connection
from store.queries import sql


async def want(connection: Connection, mailboxes: Sequence[str]) -> None:
    """Note, in the transaction of an edit, that the calendars of these mailboxes are to be rewritten."""
    await connection.execute(sql("replanning.want"), list(mailboxes))


async def want_for_schedule(connection: Connection, schedule: str) -> None:
    """Note it for every mailbox of a sequence with this schedule."""
    rows = await connection.fetch(sql("replanning.mailboxes_of_schedule"), schedule)
    await want(connection, [row["mailbox_id"] for row in rows])


async def wanted(connection: Connection) -> list[tuple[str, int]]:
    """Mailboxes whose calendars are to be rewritten, with the number of the last edit."""
    return [(row["mailbox_id"], row["wanted"]) for row in await connection.fetch(sql("replanning.wanted"))]


async def superseded(connection: Connection, mailbox: str, number: int) -> bool:
    """Whether another edit came after edit `number`: its rewriting does everything anew."""
    current = await connection.fetchval(sql("replanning.current"), mailbox)
    return current is not None and current > number


async def finish(connection: Connection, mailbox: str, number: int) -> None:
    """The calendar is rewritten for edit `number`."""
    await connection.execute(sql("replanning.finish"), mailbox, number)


async def newest(connection: Connection, mailbox: str) -> int:
    """The ID of the mailbox's newest slot; 0 without any."""
    return int(await connection.fetchval(sql("replanning.newest"), mailbox))


@dataclass(frozen=True)
class Standing:
    """A booking that has yet to be placed."""

    id: int
    enrollment: str


async def page(connection: Connection, mailbox: str, *, up_to: int, limit: int) -> list[Standing]:
    """The next ones to be placed, in the order of their times."""
    rows = await connection.fetch(sql("replanning.page"), mailbox, up_to, limit)
    return [Standing(row["id"], str(row["enrollment_id"])) for row in rows]


@dataclass(frozen=True)
class Booked:
    """A booking as it stands. `deferred`: its email was refused for a time, and is tried again then."""

    at: datetime
    deferred: bool


async def booking(connection: Connection, standing: Standing, state: EnrollmentState) -> Booked | None:
    """It under the lock of its enrollment's row; None if it has been released, used or booked anew since."""
    step = state.step.id if state.step else ""
    row = await connection.fetchrow(sql("replanning.booking"), standing.id, step, state.attempt)
    return None if row is None else Booked(row["at"], row["deferred"])


async def place(connection: Connection, standing: Standing, at: datetime, jitter: timedelta, cause: str | None) -> None:
    """Move a booking, with the space behind it; it counts as placed."""
    await connection.execute(sql("replanning.place"), standing.id, at, jitter, cause)


async def keep(connection: Connection, standing: Standing, at: datetime) -> None:
    """Leave a booking where it is; it counts as placed."""
    await connection.execute(sql("replanning.place"), standing.id, at, None, None)


@dataclass(frozen=True)
class Placed:
    """A booking that was placed, and what its workflow knows."""

    id: int
    at: datetime
    cause: str | None
    workflow_id: str
    state: EnrollmentState


async def placed(connection: Connection, mailbox: str, *, behind: int, limit: int) -> list[Placed]:
    """Those with IDs behind one, in their order: placed by a rewriting, or booked meanwhile."""
    rows = await connection.fetch(sql("replanning.placed"), mailbox, behind, limit)
    return [
        Placed(row["id"], row["at"], row["cause"], row["workflow_id"], EnrollmentState.model_validate(row["state"]))
        for row in rows
    ]
