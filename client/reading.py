"""What people see of one enrollment: the projection with the switch and the recorded stops, why it stands so, its story.

Everything is plain JSON: the HTTP API and the CLI show the same. Nothing here needs a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import asyncpg

from domain import explain as words
from domain.guards import Trace, evaluate
from domain.reasons import find
from domain.sequences import Mailbox, Step, find_step, parse_definition
from domain.state import EnrollmentState, effective_status, status
from domain.statuses import HaltKind, HoldKind, Status
from store import catalog, enrollments, ledger, marks
from store.database import Connection, Database
from store.facts import guard_facts
from store.ledger import Key

Gaps = Callable[[asyncpg.Record, Step, Mailbox], tuple[tuple[str, ...], str | None]]

PENDING = {"pause": "pausing", "out_of_office": "pausing", "finish": "finishing", "remove": "removing"}
"""What people see while a recorded stop is not taken up yet; every other one is "stopping"."""

UNGUARDED = frozenset({"same_account_reply", "delivery_failed", "content_rejected"})
"""Reasons for Not Sent that no guard watches: nobody can say that their cause has cleared."""


async def read_enrollment(connection: Connection, enrollment: str, now: datetime) -> dict[str, Any]:
    """One enrollment as it is: the snapshot of `domain.explain`, with `status`, `label`, `reason` and `next` as people see
    them (the switch included), and `pending` stops. Raises EnrollmentUnknown."""
    return await _shown(connection, await enrollments.get(connection, enrollment), now)


async def explain(
    database: Database, enrollment: str, *, now: datetime, valid: Callable[[str], bool], gaps: Gaps
) -> dict[str, Any]:
    """Why the enrollment stands as it does, what would change it, and what every guard says of the facts at `now`.

    `valid` judges the form of an address, `gaps` what a step's email would lack (`mail.filling.gap_finder`). `ready_to` is
    `retry` or `resume` when the cause of a halt has cleared, else None. Raises EnrollmentUnknown.
    """
    async with database.read() as connection:
        row = await enrollments.get(connection, enrollment)
        shown = await _shown(connection, row, now)
        state = EnrollmentState.model_validate(row["state"])
        trace = await _trace(connection, state, now, valid, gaps)
    open_now = not (state.closed or state.settling)
    failed = trace.failed if trace is not None and open_now else None
    return {
        **shown,
        "sentence": _sentence(state, shown, now),
        "allowed": words.explanation(state, now)["allowed"],
        "ready_to": _ready(state, trace),
        "blocked_by": failed.as_json() if failed is not None else None,
        "guards": [check.as_json() for check in trace.checks] if trace is not None and open_now else [],
    }


async def story(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """Everything that happened to the enrollment, oldest first: kind, by, at, data. Raises EnrollmentUnknown."""
    row = await enrollments.get(connection, enrollment)
    return [{**line, "at": _iso(line["at"])} for line in await enrollments.story(connection, str(row["id"]))]


async def attempts(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """Every try to get an email out, oldest first, as the send ledger has it."""
    row = await enrollments.get(connection, enrollment)
    return [
        {name: _iso(value) if isinstance(value, datetime) else value for name, value in line.items()}
        for line in await ledger.of_enrollment(connection, str(row["id"]))
    ]


def temporal_link(base: str | None, namespace: str, shown: Mapping[str, Any]) -> str | None:
    """The page of the enrollment's workflow in Temporal UI, or None where no UI is known."""
    if not base:
        return None
    workflow, run = quote(shown["workflow_id"], safe=""), shown["run_id"]
    return f"{base.rstrip('/')}/namespaces/{quote(namespace, safe='')}/workflows/{workflow}/{run}/history"


async def _shown(connection: Connection, row: asyncpg.Record, now: datetime) -> dict[str, Any]:
    state = EnrollmentState.model_validate(row["state"])
    shown = words.snapshot(state, now)
    effective = effective_status(status(state), switched_on=row["switched_on"])
    recorded = await marks.pending(connection, str(row["id"]))
    shown |= {
        "status": effective.value,
        "switched_on": row["switched_on"],
        "pending": [{"message": mark["message"], "shown": pending_word(mark["message"])} for mark in recorded],
        "workflow_id": row["workflow_id"],
        "run_id": str(row["run_id"]),
        "started_at": _iso(row["started_at"]),
        "ended_at": _iso(row["ended_at"]),
        "last_event_at": _iso(row["last_event_at"]),
    }
    if effective is not status(state):
        switch = find("hold", HoldKind.SEQUENCE_OFF.value)
        shown |= {
            "label": effective.label,
            "reason": switch.code,
            "phase": None,
            "next": {"what": "wait", "waits_for": "the sequence to be switched on", "fix": switch.fix},
        }
    return shown


def pending_word(message: str) -> str:
    """What people see of a recorded stop that the workflow has not taken up."""
    return PENDING.get(message, "stopping")


def _sentence(state: EnrollmentState, shown: Mapping[str, Any], now: datetime) -> str:
    switched_off = status(state) is Status.ACTIVE and not shown["switched_on"]
    sentence = find("hold", HoldKind.SEQUENCE_OFF.value).sentence if switched_off else words.sentence(state, now)
    if not shown["pending"]:
        return sentence
    names = ", ".join(mark["message"] for mark in shown["pending"])
    return f"{sentence} Recorded, and about to be taken up: {names}."


async def _trace(
    connection: Connection, state: EnrollmentState, now: datetime, valid: Callable[[str], bool], gaps: Gaps
) -> Trace | None:
    """The guards over the facts of the next try; None where no step is ahead."""
    if state.step is None:
        return None
    # A halted step goes out again as a further attempt; the guards judge that one.
    attempt = state.attempt + 1 if state.halt is not None else state.attempt
    row = await ledger.context(connection, Key(state.enrollment, state.step.id, attempt))
    assert row is not None
    sequence = (await catalog.sequence(connection, state.sequence)).definition
    index = find_step(sequence, state.step)
    step = None if index is None else sequence.steps[index]
    mailbox = parse_definition(Mailbox, row["mailbox"]) if row["mailbox"] is not None else None
    missing, broken = gaps(row, step, mailbox) if step is not None and mailbox is not None else ((), None)
    return evaluate(
        guard_facts(
            row,
            state=state,
            settings=sequence.settings,
            step=step,
            mailbox=mailbox,
            attempt=attempt,
            now=now,
            valid=valid,
            pending_marks=tuple(mark["message"] for mark in row["marks"] or ()),
            missing_variables=missing,
            template_error=broken,
        )
    )


def _ready(state: EnrollmentState, trace: Trace | None) -> str | None:
    """The command that would go through now, since the cause of the halt has cleared."""
    halt = state.halt
    if halt is None or state.closed or trace is None or trace.failed is not None or halt.reason in UNGUARDED:
        return None
    if halt.kind is HaltKind.NOT_SENT:
        return "retry"
    # What made a server call an email spam is not among the facts.
    return "resume" if halt.kind is HaltKind.HARD_BOUNCE else None


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def inbound_shown(row: asyncpg.Record) -> dict[str, Any]:
    """An inbound mail for people and callers: what it is and why, whose it is, what it did, why somebody must look at it."""
    reading = row["reading"]
    return {
        "id": str(row["id"]),
        "received_at": _iso(row["received_at"]),
        "source": row["source"],
        "mailbox": row["mailbox_id"],
        "folder": row["folder"],
        "message_id": row["message_id"],
        "from": row["sender"],
        "subject": row["subject"],
        "size": row["size"],
        "kind": row["kind"],
        "rule": row["rule"],
        "evidence": reading.get("evidence", []),
        "ignored": reading.get("ignored", []),
        "return": reading.get("return_", {"status": "none"}),
        "bounce": reading.get("bounce", []),
        "meeting": reading.get("meeting"),
        "proposed": reading.get("proposed", []),
        "matched_by": row["matched_by"],
        "enrollment": str(row["enrollment_id"]) if row["enrollment_id"] else None,
        "sequence": row["sequence_id"],
        "contact": row["contact_id"],
        "told": row["told"],
        "needs": row["needs"],
        "settled_at": _iso(row["settled_at"]),
        "settled_by": row["settled_by"],
        "correction": row["correction"],
    }
