"""The closed vocabularies: statuses, phases, holds, halts, outcomes. Their meanings are in docs/terms.md."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where an enrollment stands. Derived from its state, never stored beside it (design section 3)."""

    ACTIVE = "active"
    PAUSED = "paused"
    BOUNCED = "bounced"
    NOT_SENT = "not_sent"
    FINISHED = "finished"
    REMOVED = "removed"

    @property
    def label(self) -> str:
        """The users' word. A bounced enrollment is labelled by its halt instead: see `state.status_label`."""
        return {"not_sent": "Not Sent"}.get(self.value, self.value.capitalize())


class Phase(StrEnum):
    """What an Active enrollment waits for now."""

    DELAY = "delay"
    WINDOW = "window"
    CAPACITY = "capacity"
    TASK = "task"
    SENDING = "sending"


class HoldKind(StrEnum):
    """One reason to stand still. Who sets and who releases each is in `RELEASES`."""

    MANUAL = "manual"
    OUT_OF_OFFICE = "out_of_office"
    ACCOUNT_REPLY = "account_reply"
    MAILBOX_DOWN = "mailbox_down"
    GUARDRAIL = "guardrail"
    DELIVERY_UNKNOWN = "delivery_unknown"
    SEQUENCE_OFF = "sequence_off"
    SYSTEM_ERROR = "system_error"


class Release(StrEnum):
    """What may release a hold."""

    RESUME = "resume"
    DATE = "date"
    GATE = "gate"
    SETTLEMENT = "settlement"


RELEASES: dict[HoldKind, frozenset[Release]] = {
    HoldKind.MANUAL: frozenset({Release.RESUME, Release.DATE}),
    HoldKind.OUT_OF_OFFICE: frozenset({Release.RESUME, Release.DATE}),
    HoldKind.ACCOUNT_REPLY: frozenset({Release.RESUME, Release.DATE}),
    HoldKind.MAILBOX_DOWN: frozenset({Release.GATE}),
    HoldKind.GUARDRAIL: frozenset({Release.GATE}),
    HoldKind.SEQUENCE_OFF: frozenset({Release.GATE}),
    HoldKind.DELIVERY_UNKNOWN: frozenset({Release.SETTLEMENT}),
    # Set after repeated failures of our own program; a person looks, mends and resumes.
    HoldKind.SYSTEM_ERROR: frozenset({Release.RESUME, Release.DATE}),
}

# Which of several holds names the reason in a list: what needs a person first, what heals by itself last.
HOLD_ORDER: tuple[HoldKind, ...] = (
    HoldKind.DELIVERY_UNKNOWN,
    HoldKind.SYSTEM_ERROR,
    HoldKind.MANUAL,
    HoldKind.OUT_OF_OFFICE,
    HoldKind.ACCOUNT_REPLY,
    HoldKind.MAILBOX_DOWN,
    HoldKind.GUARDRAIL,
    HoldKind.SEQUENCE_OFF,
)

GATE_HOLDS: dict[str, tuple[HoldKind, ...]] = {
    "global": (HoldKind.SEQUENCE_OFF,),
    "sequence": (HoldKind.SEQUENCE_OFF,),
    "mailbox": (HoldKind.MAILBOX_DOWN, HoldKind.GUARDRAIL),
}
"""Which holds an opened gate releases."""


class HaltKind(StrEnum):
    """Why an enrollment stopped at a step."""

    HARD_BOUNCE = "hard_bounce"
    SPAM_BLOCK = "spam_block"
    NOT_SENT = "not_sent"


class Outcome(StrEnum):
    """How an enrollment ended. `completed` is provisional until the settle time is over."""

    COMPLETED = "completed"
    NO_REPLY = "no_reply"
    REPLIED = "replied"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    MEETING_BOOKED = "meeting_booked"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"
    CONTACT_GONE = "contact_gone"
    ACCOUNT_REPLIED = "account_replied"
    MANUAL = "manual"


class StageEvent(StrEnum):
    """Events that may set a contact's stage (the sequence's stage map)."""

    DELIVERED = "delivered"
    REPLIED = "replied"
    INTERESTED = "interested"
    NOT_INTERESTED = "not_interested"
    MEETING = "meeting"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    CONTACT_GONE = "contact_gone"
    UNRESPONSIVE = "unresponsive"
