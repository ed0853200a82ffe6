"""What tests of the store put into a database: definitions, people, enrollments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from domain.ids import workflow_id
from domain.sequences import Mailbox, Schedule, Sequence, StepRef, parse_definition
from domain.state import EnrollmentState
from store import catalog, enrollments
from store.csv_files import ContactRow
from store.database import Connection

NOW = datetime(2026, 12, 1, 9, tzinfo=UTC)

SCHEDULE = {"id": "office", "zone": "Europe/Berlin", "windows": {"mon": [{"start": "09:00", "end": "24:00"}]}}
MAILBOX = {"id": "sales", "address": "sales@us.test", "smtp": {"host": "mail.us.test", "port": 587}}
SEQUENCE: dict[str, Any] = {
    "id": "intro",
    "name": "Intro",
    "schedule": "office",
    "mailboxes": ["sales"],
    "steps": [
        {"id": "hello", "subject": "Hello", "text": "Hi"},
        {"id": "bump", "wait": "3d", "thread": "reply", "text": "?"},
    ],
}


def sequence(**changes: Any) -> Sequence:
    return parse_definition(Sequence, {**SEQUENCE, **changes})


def mailbox(**changes: Any) -> Mailbox:
    return parse_definition(Mailbox, {**MAILBOX, **changes})


def schedule(**changes: Any) -> Schedule:
    return parse_definition(Schedule, {**SCHEDULE, **changes})


async def define(connection: Connection, *sequences: Sequence) -> None:
    """The schedule, the mailbox, and `sequences` (by default one, `intro`)."""
    await catalog.apply_schedule(connection, schedule())
    await catalog.apply_mailbox(connection, mailbox())
    for one in sequences or (sequence(),):
        await catalog.apply_sequence(connection, one)


async def people(connection: Connection, *rows: Mapping[str, Any]) -> None:
    await catalog.put_contacts(connection, [ContactRow.model_validate(row) for row in rows])


async def enroll(
    connection: Connection, contact: str, *, sequence: str = "intro", now: datetime = NOW, **changes: Any
) -> EnrollmentState:
    """Insert the record of an enrollment in the state that `changes` describe, and answer the state."""
    key = str(uuid4())
    changes.setdefault("step", StepRef(id="hello", number=1, total=2))
    state = EnrollmentState(
        enrollment=key, sequence=sequence, contact=contact, mailbox="sales", version=1, revision=1, **changes
    )
    workflow = workflow_id(sequence, contact)
    await enrollments.insert(connection, state, workflow_id=workflow, run_id=key, now=now, overrides=())
    return state


async def email(
    connection: Connection,
    state: EnrollmentState,
    *,
    step: str = "hello",
    attempt: int = 1,
    status: str = "sent",
    at: datetime = NOW,
    mailbox: str = "sales",
    **more: Any,
) -> None:
    """A row of the send ledger, as it is when the email has gone that far."""
    columns = {
        "enrollment_id": UUID(state.enrollment),
        "step_id": step,
        "attempt": attempt,
        "state": status,
        "sequence_id": state.sequence,
        "contact_id": state.contact,
        "mailbox_id": mailbox,
        "message_id": f"{step}.{attempt}.{state.enrollment}@us.test",
        "recipient": f"{state.contact}@c.test",
        "subject": "Hello",
        "owner": "test",
        "lease_until": at,
        "sending_at": at if status in ("sent", "unknown", "rejected") else None,
        "settled_at": at,
        **more,
    }
    numbers = ", ".join(f"${number}" for number in range(1, len(columns) + 1))
    await connection.execute(f"INSERT INTO send_ledger ({', '.join(columns)}) VALUES ({numbers})", *columns.values())


async def slot(
    connection: Connection,
    state: EnrollmentState,
    at: datetime,
    *,
    mailbox: str = "sales",
    used: bool = False,
    first_touch: bool = False,
) -> None:
    """A place in a mailbox's calendar."""
    await connection.execute(
        "INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch, used) VALUES ($1, $2, $3, $4, $5)",
        mailbox,
        UUID(state.enrollment),
        at,
        first_touch,
        used,
    )
