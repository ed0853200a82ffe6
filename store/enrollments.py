"""The projection of enrollments: written only for the workflow that owns them, versioned, monotonic; and their story."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import asyncpg

from domain.delivery import Effect, LogEntry
from domain.errors import DomainError
from domain.messages import Message
from domain.state import EnrollmentState, reason, status
from domain.statuses import HaltKind
from domain.transitions import apply, wake_at
from store import effects as facts
from store.database import Connection
from store.queries import sql


class EnrollmentUnknown(DomainError):
    """There is no such enrollment."""

    code = "enrollment_unknown"


@dataclass(frozen=True)
class Row:
    """The locked row of an enrollment: its state, and whether it may be written under this run and version."""

    run_id: UUID
    run_epoch: int
    version: int
    state: EnrollmentState
    closed: bool


async def lock(connection: Connection, enrollment: str) -> Row | None:
    """Lock the row until the transaction ends. Stop marks and sends of one enrollment go one after the other."""
    row = await connection.fetchrow(sql("enrollments.lock"), UUID(enrollment))
    if row is None:
        return None
    state = EnrollmentState.model_validate(row["state"])
    return Row(row["run_id"], row["run_epoch"], row["version"], state, row["closed"])


async def insert(
    connection: Connection,
    state: EnrollmentState,
    *,
    workflow_id: str,
    run_id: str,
    now: datetime,
    overrides: Iterable[str],
) -> None:
    """Insert the record at admission. Raises asyncpg.UniqueViolationError when another enrollment is open."""
    await connection.execute(
        sql("enrollments.insert"),
        UUID(state.enrollment),
        workflow_id,
        state.sequence,
        state.contact,
        state.mailbox,
        UUID(run_id),
        state.version,
        state,
        status(state).value,
        reason(state),
        state.step.number if state.step else None,
        wake_at(state),
        now,
        list(overrides),
    )
    await connection.execute(sql("enrollments.first_run"), UUID(state.enrollment), UUID(run_id))


async def _epoch(connection: Connection, row: Row, enrollment: str, run_id: str) -> int:
    """The place of a run among this enrollment's runs, in the order they first wrote. A reset run comes later."""
    run = UUID(run_id)
    if run == row.run_id:
        return row.run_epoch
    await connection.execute(sql("enrollments.next_run"), UUID(enrollment), run)
    return int(await connection.fetchval(sql("enrollments.run_epoch"), UUID(enrollment), run))


async def project(
    connection: Connection,
    row: Row,
    state: EnrollmentState,
    *,
    run_id: str,
    now: datetime,
    log: Sequence[LogEntry] = (),
    adopted: Sequence[str] = (),
    source: str,
) -> bool:
    """Write a state over the locked `row`, tell its story, adopt its marks. Answers whether the state was newer.

    Log entries and marks are kept even where the state is not newer: they happened. `source` makes the entries' keys
    distinct where they carry no message ID.
    """
    enrollment = UUID(state.enrollment)
    epoch = await _epoch(connection, row, state.enrollment, run_id)
    here, there = (row.run_epoch, row.version), (epoch, state.version)
    # A task that closes is run anew when its worker dies before it is completed; what comes meanwhile then goes into it,
    # under the version that the first closing record has already taken.
    newer = here < there or (here == there and state.closed)
    if newer:
        await connection.execute(
            sql("enrollments.project"),
            enrollment,
            UUID(run_id),
            epoch,
            state.version,
            state,
            status(state).value,
            reason(state),
            state.step.number if state.step else None,
            wake_at(state),
            max((entry.at for entry in log), default=now),
            state.mailbox,
            state.closed,
        )
        # Only what is there to be cleared costs a statement: most sends clear nothing.
        if state.slot is None and row.state.slot is not None:
            await connection.execute(sql("enrollments.release_slot"), enrollment)
        if row.state.holds or row.state.halt is not None or state.closed:
            await connection.execute(sql("enrollments.unpark"), enrollment, _gates(state))
    await tell(connection, state.enrollment, log, f"{run_id[:8]}.{source}")
    if adopted:
        await connection.execute(sql("marks.adopt"), enrollment, list(adopted))
    return newer


def _gates(state: EnrollmentState) -> list[str]:
    """The gates this state still waits at; rows of others are done with. What has ended waits at none, whatever holds
    its record shows: nobody could take the wake-up."""
    if state.closed:
        return []
    gates = [hold.gate for hold in state.holds if hold.gate is not None]
    if state.halt is not None and state.halt.kind is HaltKind.NOT_SENT:
        gates += {"template_error": ["template"], "mailbox_missing": ["template"]}.get(state.halt.reason, [])
    return gates


async def tell(connection: Connection, enrollment: str, log: Sequence[LogEntry], source: str) -> None:
    """Append to the story. The same event recorded again (same message ID, or same place in the same run) is one line."""
    if not log:
        return
    lines = [
        {
            "key": f"{entry.kind}:{entry.id}" if entry.id else f"{entry.kind}:{source}.{index}",
            "kind": entry.kind,
            "by": entry.by,
            "at": entry.at,
            "data": dict(entry.data),
        }
        for index, entry in enumerate(log)
    ]
    await connection.execute(sql("enrollments.log"), UUID(enrollment), lines)


async def amend(connection: Connection, enrollment: str, message: Message, now: datetime) -> EnrollmentState:
    """Apply late mail to a closed record by the same pure rules; nothing restarts. Raises EnrollmentUnknown.

    Fan-out effects are not performed here: the caller has placed the marks of the others.
    """
    peek = await connection.fetchrow(sql("enrollments.get"), UUID(enrollment))
    if peek is None:
        raise EnrollmentUnknown(f"no enrollment {enrollment}", field="enrollment")
    decision = apply(EnrollmentState.model_validate(peek["state"]), message, now)
    await facts.lock_for(connection, decision.effects, contact=peek["contact_id"])
    row = await lock(connection, enrollment)
    assert row is not None
    decision = apply(row.state, message, now)
    await project(
        connection,
        row,
        decision.state,
        run_id=str(row.run_id),
        now=now,
        log=decision.log,
        adopted=[message.id] if message.id else [],
        source=f"late{decision.state.version}",
    )
    await facts.perform(connection, decision.effects, state=decision.state, by=message.by, now=now)
    return decision.state


async def get(connection: Connection, enrollment: str) -> asyncpg.Record:
    """The projection's row with its sequence's switch and whether a mark is pending. Raises EnrollmentUnknown."""
    try:
        row = await connection.fetchrow(sql("enrollments.get"), UUID(enrollment))
    except ValueError:
        row = None
    if row is None:
        raise EnrollmentUnknown(f"no enrollment {str(enrollment)[:60]!r}", field="enrollment")
    return row


async def find(connection: Connection, sequence: str, contact: str) -> str:
    """The newest enrollment of a contact in a sequence. Raises EnrollmentUnknown."""
    found = await connection.fetchval(sql("enrollments.newest"), f"enrollment/{sequence}/{contact}")
    if found is None:
        raise EnrollmentUnknown(f"contact {contact!r} was never enrolled in sequence {sequence!r}", field="contact")
    return str(found)


async def story(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """Everything that happened, in order, with the switches of its sequence."""
    return [dict(row) for row in await connection.fetch(sql("enrollments.story"), UUID(enrollment))]


@dataclass(frozen=True)
class Effects:
    """Effects split by where they are performed: `own` in the recording transaction, `fan_out` in one of its own."""

    own: tuple[Effect, ...]
    fan_out: tuple[Effect, ...]


def split(effects: Sequence[Effect]) -> Effects:
    """Fan-out locks rows of other enrollments; it goes after the own row is committed, so that two never wait crosswise."""
    return Effects(
        tuple(effect for effect in effects if effect.kind != "fan_out"),
        tuple(effect for effect in effects if effect.kind == "fan_out"),
    )
