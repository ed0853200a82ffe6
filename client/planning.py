"""What is ahead of an enrollment and of a sequence, for people and callers: the planner's answers as plain JSON.

The HTTP API and the CLI show the same. Nothing here needs a worker.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import asyncpg

from client.reading import Gaps
from domain.planner import Play, histogram, plan
from domain.plans import ASSUMPTIONS, End, Plan, Planned, World
from domain.reasons import find
from domain.schedule import seen_by
from domain.sequences import Mailbox, Sequence, find_step
from domain.state import EnrollmentState
from store import catalog, enrollments, planning
from store.database import Database
from store.planning import Valid

STANDING = "others in the same mailbox by what they have booked now: too many wait to play their later steps"
MOST_DAYS = 366

_GROUPS = ("not_sent", "hold", "bounced", "finished")


async def plan_of(database: Database, enrollment: str, *, now: datetime, valid: Valid, gaps: Gaps) -> dict[str, Any]:
    """Every remaining step of an enrollment with its time, its mailbox and what the time rests on. Raises EnrollmentUnknown,
    NeverOpen, NoRoom."""
    async with database.read() as connection:
        row = await enrollments.get(connection, enrollment)
        state = EnrollmentState.model_validate(row["state"])
        loaded = await planning.of_enrollment(connection, state, now=now, valid=valid, not_sent=_lacking(gaps))
    found = await asyncio.to_thread(plan, loaded.world, state.enrollment)
    return _plan_json(loaded.world, state, found, complete=loaded.complete)


def _lacking(gaps: Gaps) -> planning.NotSent:
    """Which steps would be Not Sent for what their templates lack."""

    def not_sent(row: asyncpg.Record, sequence: Sequence, mailbox: Mailbox) -> Mapping[str, str]:
        found = {step.id: gaps(row, step, mailbox) for step in sequence.steps}
        return {
            key: "template_error" if broken else "variable_missing"
            for key, (missing, broken) in found.items()
            if missing or broken
        }

    return not_sent


def _plan_json(world: World, state: EnrollmentState, found: Plan, *, complete: bool) -> dict[str, Any]:
    running = world.sequences[state.sequence]
    member = next(each for each in world.members if each.state.enrollment == state.enrollment)
    _, choice = seen_by(running.schedule, member.zone, member.country)
    return {
        "enrollment": state.enrollment,
        "sequence": state.sequence,
        "contact": state.contact,
        "as_of": _iso(world.now),
        "zone": {"name": choice.zone, "of": choice.source},
        "steps": [_email_json(email) for email in found.emails] + _unplanned(running.sequence, found),
        "end": None if found.end is None else _end_json(found.end),
        "assumptions": [*ASSUMPTIONS, *([] if complete else [STANDING])],
    }


def _email_json(email: Planned) -> dict[str, Any]:
    return {
        **email.step.model_dump(mode="json"),
        "mailbox": email.mailbox,
        "due": _iso(email.due),
        "at": _iso(email.at),
        "cause": email.cause,
        "certainty": "booked" if email.booked else "estimated",
    }


def _unplanned(sequence: Sequence, found: Plan) -> list[dict[str, Any]]:
    """The steps that have no time, since something must happen first."""
    if found.end is None or found.end.what not in ("waits", "not_sent") or found.end.step is None:
        return []
    first = find_step(sequence, found.end.step)
    return [
        {"id": step.id, "number": index + 1, "total": len(sequence.steps), "mailbox": None, "due": None, "at": None}
        | {"cause": None, "certainty": "waits"}
        for index, step in enumerate(sequence.steps)
        if first is not None and index >= first
    ]


def _end_json(end: End) -> dict[str, Any]:
    told: dict[str, Any] = {"what": end.what, "at": _iso(end.at), "reason": end.reason}
    for group in _GROUPS:
        if end.reason is not None:
            try:
                reason = find(group, end.reason)  # type: ignore[arg-type]
            except KeyError:
                continue
            return {**told, "sentence": reason.sentence, "fix": reason.fix}
    return {**told, "sentence": None, "fix": None}


async def forecast_of(
    database: Database, sequence: str, *, now: datetime, days: int, valid: Valid, gaps: Gaps
) -> dict[str, Any]:
    """The emails of the coming days from a sequence's mailboxes, per mailbox and hour: its own, and those of others that
    share them. Raises NotFound, NeverOpen, NoRoom."""
    async with database.read() as connection:
        await catalog.sequence(connection, sequence)
        loaded = await planning.of_sequence(connection, sequence, now=now, valid=valid, not_sent=_lacking(gaps))
    return await asyncio.to_thread(_forecast, loaded.world, sequence, now + timedelta(days=days), loaded.complete)


def _forecast(world: World, sequence: str, until: datetime, complete: bool) -> dict[str, Any]:
    play = Play(world)
    emails = list(play.run(until=until))
    own = [email for email in emails if email.sequence == sequence]
    ends: dict[str, Counter[str]] = defaultdict(Counter)
    members = {member.state.enrollment for member in world.members if member.state.sequence == sequence}
    for end in play.ends.values():
        if end.enrollment in members:
            ends[end.what][end.reason or ""] += 1
    hours, all_hours = histogram(own), histogram(emails)
    return {
        "sequence": sequence,
        "from": _iso(world.now),
        "until": _iso(until),
        "zone": world.sequences[sequence].schedule.zone,
        "emails": len(own),
        "last_email_at": _iso(own[-1].at) if own else None,
        "mailboxes": [
            {
                "mailbox": mailbox,
                "emails": sum(email.mailbox == mailbox for email in own),
                "others": sum(email.mailbox == mailbox for email in emails if email.sequence != sequence),
                "hours": [
                    {
                        "begins": _iso(hour),
                        "emails": hours.get((name, hour), 0),
                        "others": count - hours.get((name, hour), 0),
                    }
                    for (name, hour), count in sorted(all_hours.items())
                    if name == mailbox
                ],
            }
            for mailbox in sorted(world.senders)
        ],
        "enrollments": len(members),
        "ends": {what: dict(sorted(reasons.items())) for what, reasons in sorted(ends.items())},
        "assumptions": [*ASSUMPTIONS, *([] if complete else [STANDING])],
    }


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
