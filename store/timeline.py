"""All that is on record of one enrollment, for its page: its story, emails and mails, the switches in its lifetime."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.state import EnrollmentState, effective_status, status_label
from domain.statuses import HoldKind, Status
from store.database import Connection
from store.enrollments import EnrollmentUnknown
from store.queries import sql

MOST = 500
"""Of each sort: the newest. More than so many lines are a defect or an attack, and nobody reads them."""


@dataclass(frozen=True)
class Email:
    """One attempt at a step's email, as the send ledger has it. `state`: claimed, sending, sent, rejected, deferred, withdrawn
    or unknown. `settled_as`: what was said of an unknown one. `bounced_at`: when it came back after it had left."""

    step: str
    attempt: int
    state: str
    mailbox: str
    message_id: str
    recipient: str
    subject: str
    tries: int
    due_at: datetime | None
    created_at: datetime
    sending_at: datetime | None
    settled_at: datetime | None
    reply_code: int | None
    reply_text: str | None
    settled_by: str | None
    settled_as: str | None
    bounced_at: datetime | None
    bounce_class: str | None

    @property
    def at(self) -> datetime:
        """When what became of it was known; before that, when it was taken up."""
        return self.sending_at or self.settled_at or self.created_at


@dataclass(frozen=True)
class Line:
    """A line of the story, or a switch (`kind` is switch_on, switch_off, mailbox_up and so on)."""

    kind: str
    by: str
    at: datetime
    data: dict[str, Any]


@dataclass(frozen=True)
class Records:
    """What is on record, each sort oldest first. `mails`: rows as `client.reading.inbound_shown` takes them. `steps`: the
    numbers of the sequence's steps by their IDs. `cut`: there is more than is shown."""

    contact: str
    steps: dict[str, int]
    lines: tuple[Line, ...]
    emails: tuple[Email, ...]
    mails: tuple[asyncpg.Record, ...]
    switches: tuple[Line, ...]
    cut: bool


@dataclass(frozen=True)
class Other:
    """Another enrollment of the same contact, by its effective status."""

    enrollment: str
    sequence: str
    sequence_name: str
    status: Status
    label: str
    reason: str | None
    closed: bool
    started_at: datetime
    ended_at: datetime | None


async def read(connection: Connection, enrollment: str) -> Records:
    """Everything of one enrollment. Raises EnrollmentUnknown."""
    key, row = await _row(connection, enrollment)
    lines = await connection.fetch(sql("timeline.events"), key, MOST + 1)
    emails = await connection.fetch(sql("timeline.emails"), key, MOST + 1)
    mails = await connection.fetch(sql("timeline.mails"), key, MOST + 1)
    mailboxes = sorted({one["mailbox_id"] for one in (row, *emails) if one["mailbox_id"] is not None})
    until = row["ended_at"] or datetime(9999, 12, 31, tzinfo=UTC)
    switches = await connection.fetch(
        sql("timeline.switches"), row["sequence_id"], mailboxes, row["started_at"], until, MOST + 1
    )
    return Records(
        contact=row["contact_id"],
        steps={step["id"]: number for number, step in enumerate(row["steps"], 1)},
        lines=tuple(Line(one["kind"], one["by"], one["at"], one["data"]) for one in reversed(lines[:MOST])),
        emails=tuple(_email(one) for one in reversed(emails[:MOST])),
        mails=tuple(reversed(mails[:MOST])),
        switches=tuple(_switch(one) for one in reversed(switches[:MOST])),
        cut=any(len(rows) > MOST for rows in (lines, emails, mails, switches)),
    )


async def others(connection: Connection, enrollment: str, *, limit: int = 50) -> tuple[Other, ...]:
    """The other enrollments of its contact, the newest first. Raises EnrollmentUnknown."""
    key, row = await _row(connection, enrollment)
    found = await connection.fetch(sql("timeline.others"), row["contact_id"], key, limit)
    return tuple(_other(one) for one in found)


async def _row(connection: Connection, enrollment: str) -> tuple[UUID, asyncpg.Record]:
    try:
        key = UUID(enrollment)
        row = await connection.fetchrow(sql("timeline.enrollment"), key)
    except ValueError:
        row = None
    if row is None:
        raise EnrollmentUnknown(f"no enrollment {str(enrollment)[:60]!r}", field="enrollment")
    return key, row


def _email(row: asyncpg.Record) -> Email:
    values = dict(row)
    return Email(step=values.pop("step_id"), mailbox=values.pop("mailbox_id"), **values)


def _switch(row: asyncpg.Record) -> Line:
    kind = f"{'mailbox' if row['gate'] == 'mailbox' else 'switch'}_{row['state']}"
    return Line(kind, row["by"], row["at"], {"gate": row["gate"], "key": row["key"], "epoch": row["epoch"]})


def _other(row: asyncpg.Record) -> Other:
    own = Status(row["status"])
    # Whose workflow has ended does not change any more, whatever is switched.
    effective = own if row["closed"] else effective_status(own, switched_on=row["switched_on"])
    switched_off = effective is not own
    return Other(
        enrollment=str(row["id"]),
        sequence=row["sequence_id"],
        sequence_name=row["name"],
        status=effective,
        label=effective.label if switched_off else status_label(EnrollmentState.model_validate(row["state"])),
        reason=HoldKind.SEQUENCE_OFF.value if switched_off else row["reason"],
        closed=row["closed"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
    )
