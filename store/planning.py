"""The world of a plan, read from PostgreSQL in a few queries: definitions, calendars, and who shares the mailboxes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from domain.capacity import Booking
from domain.guards import Facts, evaluate
from domain.planner import Gate, Member, Running, Sender, World
from domain.sequences import Mailbox, Schedule, Sequence, parse_definition
from domain.state import EnrollmentState
from store.database import Connection
from store.facts import contact_of
from store.queries import sql

MOST_MEMBERS = 20_000
"""So many enrollments are played at most; beyond, others count by their present bookings only."""

_DAYS = timedelta(days=3)
"""What left longer ago matters to no limit; but a gap may be longer."""

Valid = Callable[[str], bool]
NotSent = Callable[[asyncpg.Record, Sequence, Mailbox], Mapping[str, str]]
"""Steps of a contact that would be Not Sent for what their templates lack, and why."""


@dataclass(frozen=True)
class Loaded:
    """A world, and whether all who share the mailboxes are played in it (else they count by what they have booked now)."""

    world: World
    complete: bool


async def of_sequence(connection: Connection, sequence: str, *, now: datetime, valid: Valid) -> Loaded:
    """The world of a sequence: all open enrollments that share its mailboxes."""
    rows = await connection.fetch(sql("planning.mailboxes_of_sequence"), sequence)
    mailboxes = [row["mailbox_id"] for row in rows]
    return await _load(connection, mailboxes, now, valid, sequence=sequence, most=MOST_MEMBERS)


async def of_enrollment(
    connection: Connection,
    state: EnrollmentState,
    *,
    now: datetime,
    valid: Valid,
    not_sent: NotSent | None = None,
    most: int = 2_000,
) -> Loaded:
    """The world of an enrollment: its mailbox and who shares it. Of more than `most` others only the bookings count."""
    mailboxes = [] if state.mailbox is None else [state.mailbox]
    return await _load(connection, mailboxes, now, valid, state=state, not_sent=not_sent, most=most)


async def _load(
    connection: Connection,
    mailboxes: list[str],
    now: datetime,
    valid: Valid,
    *,
    most: int,
    sequence: str | None = None,
    state: EnrollmentState | None = None,
    not_sent: NotSent | None = None,
) -> Loaded:
    asked = state.sequence if state is not None else sequence
    sequences = _running(await connection.fetch(sql("planning.sequences"), mailboxes, asked))
    found = {row["id"]: row for row in await connection.fetch(sql("planning.senders"), mailboxes)}
    definitions = {key: parse_definition(Mailbox, row["definition"]) for key, row in found.items()}
    own = None if state is None else UUID(state.enrollment)
    rows = await connection.fetch(sql("planning.members"), list(sequences), mailboxes, own, most + 1)
    complete = len(rows) <= most
    if not complete:
        # Those of one sequence take their turns as far as they go; with one enrollment asked for, it is played alone.
        rows = rows[:most] if own is None else await connection.fetch(sql("planning.members"), [], [], own, 1)
    since = now - max([_DAYS, *(each.limits.gap.delta + each.limits.jitter.delta for each in definitions.values())])
    calendars = await connection.fetch(sql("planning.calendars"), mailboxes, since)
    members, booked = [], {row["enrollment_id"]: row for row in calendars if not row["used"]}
    for row in rows:
        its = EnrollmentState.model_validate(row["state"])
        slot = booked.pop(row["id"], None)
        reasons = dict(_by_facts(row, sequences[its.sequence].sequence, its, now, valid))
        if row["id"] == own and not_sent is not None and its.mailbox in definitions:
            reasons = {**not_sent(row, sequences[its.sequence].sequence, definitions[its.mailbox]), **reasons}
        members.append(
            Member(
                its,
                row["zone"],
                row["country"],
                None if slot is None else _booking(slot),
                frozenset(row["done"] or ()),
                row["stopped"],
                reasons,
            )
        )
    senders = {
        key: Sender(
            each.limits,
            tuple(_booking(row) for row in booked.values() if row["mailbox_id"] == key),
            tuple(_booking(row) for row in calendars if row["used"] and row["mailbox_id"] == key),
            found[key]["not_before"],
            Gate(found[key]["state"] == "up"),
        )
        for key, each in definitions.items()
    }
    touches = await _touches(connection, sequences.values(), members, mailboxes, now)
    return Loaded(World(now, sequences, senders, members, touches=touches), complete)


def _running(rows: list[asyncpg.Record]) -> dict[str, Running]:
    schedules: dict[str, Schedule] = {}
    for row in rows:
        schedules.setdefault(row["schedule_id"], parse_definition(Schedule, row["schedule"]))
    return {
        row["id"]: Running(
            parse_definition(Sequence, row["definition"]), schedules[row["schedule_id"]], Gate(row["switched_on"])
        )
        for row in rows
    }


def _booking(row: asyncpg.Record) -> Booking:
    return Booking(row["at"], row["first_touch"], row["jitter"])


def _by_facts(
    row: asyncpg.Record, sequence: Sequence, state: EnrollmentState, now: datetime, valid: Valid
) -> Mapping[str, str]:
    """Why the contact would get none of the emails, by the guards that look at it."""
    facts = Facts(
        now=now,
        contact=contact_of(row, valid),
        mailbox=None,
        settings=sequence.settings,
        enrollment=state.enrollment,
        overrides=frozenset(row["overrides"]),
        admitted_stage=row["admitted_stage"],
        admitted_account_stage=row["admitted_account_stage"],
    )
    failed = (check.reason for check in evaluate(facts).checks if not check.passed and check.guard != "mailbox")
    reason = next(failed, None)
    return {} if reason is None else dict.fromkeys((step.id for step in sequence.steps), reason)


async def _touches(
    connection: Connection, sequences: Iterable[Running], members: list[Member], mailboxes: list[str], now: datetime
) -> dict[str, list[datetime]]:
    gaps = [running.sequence.settings.touch_gap.delta for running in sequences]
    longest = max(gaps, default=timedelta())
    touches: dict[str, list[datetime]] = defaultdict(list)
    if longest:
        contacts = sorted({member.state.contact for member in members})
        for row in await connection.fetch(sql("planning.touches"), contacts, now - longest, mailboxes):
            touches[row["contact_id"]].append(row["at"])
    return touches
