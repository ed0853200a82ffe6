"""What people see of one enrollment: the projection with the switch and the recorded stops, why it stands so, its story.

Everything is plain JSON: the HTTP API and the CLI show the same. Nothing here needs a worker.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from uuid import UUID

import asyncpg

from domain import explain as words
from domain import explanation
from domain.capacity import Booking, Rule, jitter
from domain.explanation import Gate, Recorded, Try, View
from domain.guards import evaluate
from domain.schedule import seen_by
from domain.sequences import Mailbox, Schedule, Step, find_step, parse_definition
from domain.state import EnrollmentState, status
from domain.statuses import Status
from domain.waiting import LOOKED_AHEAD, Clock, Deferral, Touch, Waiting
from store import catalog, enrollments, ledger, marks
from store.database import Connection, Database
from store.facts import guard_facts
from store.ledger import Key
from store.queries import sql

Gaps = Callable[[asyncpg.Record, Step, Mailbox], tuple[tuple[str, ...], str | None]]

PENDING = {"pause": "pausing", "out_of_office": "pausing", "finish": "finishing", "remove": "removing"}
"""What people see while a recorded stop is not taken up yet; every other one is "stopping"."""

_LONGEST_DAY = timedelta(hours=26)


async def read_enrollment(connection: Connection, enrollment: str, now: datetime) -> dict[str, Any]:
    """One enrollment as it is: the snapshot of `domain.explain`, with `status`, `label`, `reason` and `next` as people see
    them (the switch included), and `pending` stops. Raises EnrollmentUnknown."""
    return await _shown(connection, await enrollments.get(connection, enrollment), now)


async def explain(
    database: Database, enrollment: str, *, now: datetime, valid: Callable[[str], bool], gaps: Gaps
) -> dict[str, Any]:
    """Why the enrollment stands as it does, what would change it, and what every guard says of the facts at `now`: the
    snapshot of `read_enrollment` with `domain.explanation.explain`.

    `valid` judges the form of an address, `gaps` what a step's email would lack (`mail.filling.gap_finder`). Raises
    EnrollmentUnknown.
    """
    async with database.read() as connection:
        row = await enrollments.get(connection, enrollment)
        shown = await _shown(connection, row, now)
        view = await _view(connection, EnrollmentState.model_validate(row["state"]), now, valid, gaps)
    return {**shown, **explanation.explain(view)}


async def actions(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """Every command, whether it is open to a person now, and if not, why. Raises EnrollmentUnknown."""
    row = await enrollments.get(connection, enrollment)
    return explanation.actions(EnrollmentState.model_validate(row["state"]))


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
    shown = words.seen(state, now, switched_on=row["switched_on"])
    recorded = await marks.pending(connection, str(row["id"]))
    return shown | {
        "pending": [{"message": mark["message"], "shown": pending_word(mark["message"])} for mark in recorded],
        "workflow_id": row["workflow_id"],
        "run_id": str(row["run_id"]),
        "started_at": _iso(row["started_at"]),
        "ended_at": _iso(row["ended_at"]),
        "last_event_at": _iso(row["last_event_at"]),
    }


def pending_word(message: str) -> str:
    """What people see of a recorded stop that the workflow has not taken up."""
    return PENDING.get(message, "stopping")


async def _view(
    connection: Connection, state: EnrollmentState, now: datetime, valid: Callable[[str], bool], gaps: Gaps
) -> View:
    """What an explanation is made of."""
    # A halted step goes out again as a further attempt; the guards judge that one.
    attempt = state.attempt + 1 if state.halt is not None else state.attempt
    # Without a step ahead the row is read all the same: it has the contact's zone.
    row = await ledger.context(connection, Key(state.enrollment, state.step.id if state.step else "", attempt))
    assert row is not None
    sequence = (await catalog.sequence(connection, state.sequence)).definition
    schedule = await connection.fetchrow(sql("definitions.schedule"), sequence.schedule)
    assert schedule is not None
    own = _schedule(json.dumps(schedule["definition"]))
    windows, zone = seen_by(own, row["contact_zone"], row["contact_country"])
    view = View(
        state,
        now,
        Clock(zone, now),
        gates=tuple(
            Gate(gate["gate"], gate["key"], gate["at"], gate["by"], gate["state"], gate["code"])
            for gate in await connection.fetch(sql("waiting.closed_gates"), state.sequence, state.mailbox)
        ),
        recorded=tuple(_recorded(mark) for mark in await marks.pending(connection, state.enrollment)),
    )
    if state.step is None:
        return view
    last = await _last_try(connection, state)
    index = find_step(sequence, state.step)
    step = None if index is None else sequence.steps[index]
    mailbox = parse_definition(Mailbox, row["mailbox"]) if row["mailbox"] is not None else None
    missing, broken = gaps(row, step, mailbox) if step is not None and mailbox is not None else ((), None)
    facts = guard_facts(
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
    waiting = Waiting(
        state,
        now,
        view.clock,
        windows,
        own,
        now,
        wait=None if step is None else step.wait,
        limits=None if mailbox is None else mailbox.limits,
        not_before=row["not_before"],
        touch_gap=sequence.settings.touch_gap.delta,
        unread=row["unread_code"],
        deferral=Deferral(last.tries, last.reply) if last is not None and last.state == "deferred" else None,
    )
    if status(state) is Status.ACTIVE and state.slot is not None and mailbox is not None:
        waiting = await _with_calendar(connection, waiting, state.slot.at, mailbox, state.step.id)
    return replace(view, trace=evaluate(facts), waiting=waiting, last_try=last)


async def _with_calendar(
    connection: Connection, waiting: Waiting, slot: datetime, mailbox: Mailbox, step: str
) -> Waiting:
    """With what is booked in the mailbox's calendar between now and the sending time, and around it."""
    state, now = waiting.state, waiting.now
    rule = Rule(waiting.windows, waiting.days, mailbox.limits, state.sent == 0)
    around = max(rule.reach, _LONGEST_DAY)
    begin = max(now, state.due) if state.due is not None and not state.hurried else now
    until = max(begin, min(slot, begin + LOOKED_AHEAD))
    enrollment = UUID(state.enrollment)
    rows = await connection.fetch(sql("waiting.emails"), mailbox.id, begin - around, until + around, enrollment)
    touches: tuple[Touch, ...] = ()
    if waiting.touch_gap:
        since = begin - waiting.touch_gap
        found = await connection.fetch(sql("waiting.touches"), state.contact, enrollment, since)
        touches = tuple(Touch(one["at"], one["sequence_id"], one["left"]) for one in found)
    emails = [(Booking(one["at"], one["first_touch"], one["jitter"]), one["used"]) for one in rows]
    return replace(
        waiting,
        known_until=until,
        sent=tuple(email for email, used in emails if used),
        booked=tuple(email for email, used in emails if not used),
        jitter=jitter(mailbox.limits, state.enrollment, step),
        touches=touches,
    )


async def _last_try(connection: Connection, state: EnrollmentState) -> Try | None:
    """The last attempt at the step, where the server refused it for now or for good."""
    assert state.step is not None
    for row in await ledger.of_enrollment(connection, state.enrollment):
        if (row["step_id"], row["attempt"]) == (state.step.id, state.attempt):
            if row["state"] not in ("rejected", "deferred"):
                return None
            code, text = str(row["reply_code"] or ""), row["reply_text"] or ""
            return Try(row["state"], row["tries"], text if text.startswith(code) else f"{code} {text}")
    return None


def _recorded(mark: Mapping[str, Any]) -> Recorded:
    said = mark["payload"]
    return Recorded(
        mark["message"], mark["id"], said.get("by") or "system", said.get("at"), pending_word(mark["message"])
    )


@lru_cache(maxsize=256)
def _schedule(definition: str) -> Schedule:
    """The same object for the same definition: what is known of a schedule's days is kept by it."""
    return parse_definition(Schedule, json.loads(definition))


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
