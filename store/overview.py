"""Sequences at a glance: the switch, counts, what is about to leave and what has left; and each step with what became of it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.consequences import SOFT
from domain.statuses import Outcome, Status
from store import catalog, live
from store.database import Connection
from store.live import Switch
from store.queries import sql

HOURS = 24

ANSWERED = (Outcome.REPLIED, Outcome.INTERESTED, Outcome.NOT_INTERESTED, Outcome.MEETING_BOOKED)
"""Outcomes by which a contact has answered."""

_ENDED = (*ANSWERED, Outcome.UNSUBSCRIBED, Outcome.COMPLAINED)


@dataclass(frozen=True)
class SequenceLine:
    """A sequence in the list of all.

    `switch`: its own; `on`: whether its emails may leave now, which takes the switch over everything, too. `counts`: by
    effective status. `coming`: emails booked for each of the next 24 hours, overdue ones in the first; all 0 while they may
    not leave, when `held_back` says how many are booked. `sent_day`, `sent_week`: emails that left in 24 hours and in 7 days.
    """

    id: str
    name: str
    steps: int
    schedule: str
    switch: Switch
    on: bool
    counts: dict[Status, int]
    coming: tuple[int, ...]
    held_back: int
    sent_day: int
    sent_week: int


@dataclass(frozen=True)
class Overview:
    """All sequences by their names, and the switch over everything."""

    everything: Switch
    sequences: tuple[SequenceLine, ...]


@dataclass(frozen=True)
class StepLine:
    """A step, and what became of its emails over all time.

    `sent`: emails that left. `bounced`: came back for good, or were refused for the address or as spam; soft bounces are not
    in it. `replied`: enrollments that an answer or a booked meeting ended after this email (`unsubscribed`, `complained`
    likewise). `standing`: enrollments that are at this step now, by effective status; `not_sent` those of them that stopped
    here as Not Sent. `number`: from 1; None for a step that is no longer in the sequence.
    """

    id: str
    number: int | None
    subject: str
    thread: str
    wait: str
    sent: int = 0
    bounced: int = 0
    replied: int = 0
    unsubscribed: int = 0
    complained: int = 0
    standing: dict[Status, int] = field(default_factory=dict)

    @property
    def not_sent(self) -> int:
        """Enrollments that stopped at this step as Not Sent."""
        return self.standing.get(Status.NOT_SENT, 0)


async def sequences(connection: Connection, *, now: datetime) -> Overview:
    """Every sequence with what people ask of it first. Six statements, however many there are."""
    known = await live.switches(connection)
    counts = await live.counts(connection, known)
    booked = await coming(connection, now=now)
    rows = await connection.fetch(sql("overview.sent_lately"), now - timedelta(days=7), now - timedelta(days=1))
    sent = {row["sequence_id"]: (row["day"], row["week"]) for row in rows}
    lines = []
    for row in await connection.fetch(sql("overview.sequences")):
        key = row["id"]
        if key not in known.sequences:
            continue  # added since
        hours, on = booked.get(key, (0,) * HOURS), known.on(key)
        day, week = sent.get(key, (0, 0))
        lines.append(
            SequenceLine(
                id=key,
                name=row["name"],
                steps=row["steps"],
                schedule=row["schedule_id"],
                switch=known.sequences[key],
                on=on,
                counts=counts[key],
                coming=hours if on else (0,) * HOURS,
                held_back=0 if on else sum(hours),
                sent_day=day,
                sent_week=week,
            )
        )
    return Overview(known.everything, tuple(lines))


async def coming(connection: Connection, *, now: datetime, sequence: str | None = None) -> dict[str, tuple[int, ...]]:
    """Emails booked for each of the next 24 hours, by sequence; whether a switch is off is not looked at."""
    found: dict[str, list[int]] = defaultdict(lambda: [0] * HOURS)
    until = now + timedelta(hours=HOURS)
    for row in await connection.fetch(sql("overview.booked"), sequence, now, until):
        found[row["sequence_id"]][row["hour"]] += row["n"]
    return {key: tuple(hours) for key, hours in found.items()}


async def steps(connection: Connection, sequence: str) -> tuple[StepLine, ...]:
    """The steps in their order, and behind them those that are gone from the sequence but not from its past. Raises NotFound
    (`sequence_unknown`)."""
    stored = await catalog.sequence(connection, sequence)
    on = (await live.switches(connection)).on(sequence)
    numbers: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    standing: dict[str, dict[Status, int]] = defaultdict(lambda: defaultdict(int))
    for row in await connection.fetch(sql("overview.steps_sent"), sequence):
        numbers[row["step_id"]]["sent"] += row["n"]
    for row in await connection.fetch(sql("overview.steps_back"), sequence, list(SOFT)):
        numbers[row["step_id"]]["bounced"] += row["n"]
    ended = [outcome.value for outcome in _ENDED]
    for row in await connection.fetch(sql("overview.steps_ended"), sequence, ended):
        word = "replied" if Outcome(row["reason"]) in ANSWERED else row["reason"]
        if row["step_id"] is not None:
            numbers[row["step_id"]][word] += row["n"]
    for row in await connection.fetch(sql("overview.steps_standing"), sequence):
        own = Status(row["status"])
        if row["step_id"] is not None:
            standing[row["step_id"]][Status.PAUSED if own is Status.ACTIVE and not on else own] += row["n"]
    lines = [
        StepLine(
            step.id,
            number,
            step.subject,
            step.thread,
            str(step.wait),
            **numbers.pop(step.id, {}),
            standing=dict(standing.pop(step.id, {})),
        )
        for number, step in enumerate(stored.definition.steps, 1)
    ]
    for gone in sorted({*numbers, *standing}):
        told = numbers.get(gone, {})
        lines.append(StepLine(gone, None, "", "", "", **told, standing=dict(standing.get(gone, {}))))
    return tuple(lines)
