"""The world of a plan, read from PostgreSQL in a few queries: definitions, calendars, and who shares the mailboxes."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg

from domain.capacity import Booking
from domain.guards import Facts, evaluate
from domain.plans import Gate, Member, Running, Sender, World
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


async def of_sequence(
    connection: Connection, sequence: str, *, now: datetime, valid: Valid, not_sent: NotSent | None = None
) -> Loaded:
    """The world of a sequence: all open enrollments that share its mailboxes. `not_sent` judges its own."""
    rows = await connection.fetch(sql("planning.mailboxes_of_sequence"), sequence)
    mailboxes = [row["mailbox_id"] for row in rows]
    return await _load(connection, mailboxes, now, valid, sequence=sequence, not_sent=not_sent, most=MOST_MEMBERS)


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

    def judged(row: asyncpg.Record, its: EnrollmentState) -> Mapping[str, str]:
        running = sequences[its.sequence].sequence
        reasons = _by_facts(row, running, its, now, valid)
        if not_sent is None or reasons or its.sequence != asked or its.mailbox not in definitions:
            return reasons
        return not_sent(row, running, definitions[its.mailbox]) if row["id"] == own or own is None else reasons

    # For thousands of members that takes seconds, in which this process has others to answer.
    members = await asyncio.to_thread(_members, rows, calendars, judged)
    played = {UUID(member.state.enrollment) for member in members}
    senders = {
        key: Sender(
            each.limits,
            tuple(
                _booking(row)
                for row in calendars
                if row["mailbox_id"] == key and not row["used"] and row["enrollment_id"] not in played
            ),
            tuple(_booking(row) for row in calendars if row["mailbox_id"] == key and row["used"]),
            found[key]["not_before"],
            Gate(found[key]["state"] == "up"),
        )
        for key, each in definitions.items()
    }
    touches = await _touches(connection, sequences.values(), members, mailboxes, now)
    return Loaded(World(now, sequences, senders, members, touches=touches), complete)


def _members(
    rows: list[asyncpg.Record],
    calendars: list[asyncpg.Record],
    judged: Callable[[asyncpg.Record, EnrollmentState], Mapping[str, str]],
) -> list[Member]:
    booked = {row["enrollment_id"]: _booking(row) for row in calendars if not row["used"]}
    members = []
    for row in rows:
        state = EnrollmentState.model_validate(row["state"])
        done = frozenset(row["done"] or ())
        members.append(
            Member(state, row["zone"], row["country"], booked.get(row["id"]), done, row["stopped"], judged(row, state))
        )
    return members


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
