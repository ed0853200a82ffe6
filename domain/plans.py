"""The world of a plan, as it is at one moment, and what the planner says of it. Instants are aware; results are UTC."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from domain.capacity import Booking
from domain.sequences import Limits, Schedule, Sequence, StepRef
from domain.state import EnrollmentState

ASSUMPTIONS = (
    "no reply, no bounce, and no command of a person",
    "mailboxes and workers do their work",
    "switches, limits, schedules and definitions as they are now",
    "nobody else is enrolled",
)


@dataclass(frozen=True)
class Gate:
    """A switch, or a mailbox: whether emails pass; if not, when it opens, as far as that is assumed."""

    open: bool = True
    opens_at: datetime | None = None

    def shut(self, at: datetime) -> bool:
        """Whether no email passes at `at`."""
        return not self.open and (self.opens_at is None or at < self.opens_at)


@dataclass(frozen=True)
class Running:
    """A sequence with its schedule and its switch (the global one included)."""

    sequence: Sequence
    schedule: Schedule
    switch: Gate = Gate()


@dataclass(frozen=True)
class Sender:
    """A mailbox: its limits, what is booked ahead by enrollments outside this world, what has left, its gate."""

    limits: Limits
    booked: tuple[Booking, ...] = ()
    left: tuple[Booking, ...] = ()
    not_before: datetime | None = None
    gate: Gate = Gate()


@dataclass(frozen=True)
class Member:
    """An enrollment: its state, the contact's place, steps that went out, and what is known to stop it."""

    state: EnrollmentState
    zone: str | None = None
    country: str | None = None
    booked: Booking | None = None
    """The booking of its slot."""
    done: frozenset[str] = frozenset()
    stopped: str | None = None
    """A stop that is recorded and not taken up yet: its name."""
    not_sent: Mapping[str, str] = field(default_factory=dict)
    """Steps that would be Not Sent by the facts as they are, and why."""


@dataclass(frozen=True)
class Newcomer:
    """Somebody who enters at `at`, and is paused until `held_until` if that is later. `mailbox`: else the least booked one
    of the sequence."""

    enrollment: str
    contact: str
    sequence: str
    at: datetime
    zone: str | None = None
    country: str | None = None
    mailbox: str | None = None
    held_until: datetime | None = None
    not_sent: Mapping[str, str] = field(default_factory=dict)
    """Steps that would be Not Sent, and why."""


@dataclass(frozen=True)
class World:
    """Everything that decides when emails leave, as it is at `now`."""

    now: datetime
    sequences: Mapping[str, Running]
    senders: Mapping[str, Sender]
    members: Seq[Member] = ()
    newcomers: Seq[Newcomer] = ()
    touches: Mapping[str, Seq[datetime]] = field(default_factory=dict)
    """Contact -> emails that left or are booked from outside this world."""


@dataclass(frozen=True)
class Planned:
    """An email that will leave at `at`. `booked`: that very slot stands in the calendar now; else it is an estimate.
    `cause`: why it is later than due."""

    enrollment: str
    contact: str
    sequence: str
    step: StepRef
    mailbox: str
    due: datetime
    at: datetime
    cause: str | None
    booked: bool


@dataclass(frozen=True)
class End:
    """How it goes on with an enrollment when its last planned email has left. `finished`: the settle time is over at `at`;
    `waits`: for a person or an event, because of `reason`; `not_sent`: its email at `at` is not sent; `closed`: over."""

    enrollment: str
    what: Literal["finished", "waits", "not_sent", "closed"]
    at: datetime | None = None
    reason: str | None = None
    step: StepRef | None = None


@dataclass(frozen=True)
class Plan:
    """The steps of one enrollment that are still to leave, and how it ends."""

    emails: tuple[Planned, ...]
    end: End | None
    assumptions: tuple[str, ...] = ASSUMPTIONS
