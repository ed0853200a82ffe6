"""The state of one enrollment, as its workflow owns it and PostgreSQL projects it. Pure data, and what follows from it."""

from __future__ import annotations

from datetime import datetime

from domain.sequences import Policy, StepRef
from domain.statuses import HOLD_ORDER, RELEASES, HaltKind, HoldKind, Outcome, Phase, Release, Status
from domain.wire import Instant, Moment, Wire

SEEN_LIMIT = 64
"""How many message IDs an enrollment remembers to give a repeated command the same effect once."""


class Slot(Wire):
    """A reserved sending time. `cause` says why it is later than the due time: window, capacity codes, or deferred."""

    at: Instant
    cause: str | None = None


class Sent(Wire):
    """An email that left (or may have left): which attempt of which step, and its Message-ID without brackets."""

    step: StepRef
    attempt: int
    message_id: str


class Hold(Wire):
    """One reason to stand still."""

    kind: HoldKind
    by: str
    at: Instant
    until: Instant | None = None
    day: Moment | None = None
    """A plain date whose instant `record` has yet to compute (no calendar arithmetic in a workflow)."""
    buffered: bool = False
    """The sequence's out-of-office buffer is to be added to `day` or `until` when it is resolved."""
    ref: str | None = None
    """Evidence by reference: a message ID, an event ID or an SMTP code; never text of a mail."""
    gate: str | None = None
    """For holds of a gate: `sequence`, `mailbox` or `global`."""
    corrected: bool = False
    """A person set or corrected it: no auto-reply overrides that."""

    def released_by(self, release: Release) -> bool:
        """Whether `release` may end this hold."""
        return release in RELEASES[self.kind]


class Halt(Wire):
    """A stop at a step: bounced or not sent, with a reason of the catalogue."""

    kind: HaltKind
    reason: str
    at: Instant
    ref: str | None = None
    """Evidence by reference: the enhanced status code, a guard's input code, an event ID."""


class EnrollmentState(Wire):
    """Everything the workflow knows. `version` counts changes; `revision` is the sequence's revision its policy is from."""

    enrollment: str
    sequence: str
    contact: str
    mailbox: str | None = None
    revision: int = 0
    policy: Policy = Policy()
    version: int = 0
    step: StepRef | None = None
    attempt: int = 1
    due: Instant | None = None
    slot: Slot | None = None
    advance: bool = False
    """The step before `step` was settled without `deliver`: `reserve` has yet to find the next one."""
    hurried: bool = False
    """`send_now` was asked for: the next reservation ignores the wait."""
    holds: tuple[Hold, ...] = ()
    halt: Halt | None = None
    outcome: Outcome | None = None
    disposition: str | None = None
    settle_until: Instant | None = None
    removed: bool = False
    closed: bool = False
    last_sent: Sent | None = None
    sent: int = 0
    gates: tuple[tuple[str, int], ...] = ()
    """The newest epoch seen of each gate, so that nobody parks on an older one."""
    seen: tuple[str, ...] = ()

    def hold(self, kind: HoldKind) -> Hold | None:
        """The hold of that kind, if it is on. There is at most one of each kind."""
        return next((hold for hold in self.holds if hold.kind is kind), None)

    def gate_epoch(self, gate: str) -> int:
        """The newest epoch seen of a gate; 0 before any."""
        return dict(self.gates).get(gate, 0)

    @property
    def settling(self) -> bool:
        """All steps are done and a reply or bounce may still change the outcome."""
        return self.outcome is Outcome.COMPLETED and not self.closed


def status(state: EnrollmentState) -> Status:
    """The own status. Precedence: removed > finished > bounced > not sent > paused > active (design section 3)."""
    if state.removed:
        return Status.REMOVED
    if state.outcome is not None:
        return Status.FINISHED
    if state.halt is not None:
        return Status.NOT_SENT if state.halt.kind is HaltKind.NOT_SENT else Status.BOUNCED
    if state.holds:
        return Status.PAUSED
    return Status.ACTIVE


def effective_status(own: Status, *, switched_on: bool) -> Status:
    """What people see: an Active contact of a switched-off sequence is Paused; all others are what they are."""
    return Status.PAUSED if own is Status.ACTIVE and not switched_on else own


def status_label(state: EnrollmentState) -> str:
    """The users' word: a bounce by refusal as spam is shown as Spamblocked."""
    current = status(state)
    if current is Status.BOUNCED and state.halt is not None and state.halt.kind is HaltKind.SPAM_BLOCK:
        return "Spamblocked"
    return current.label


def main_hold(state: EnrollmentState) -> Hold | None:
    """The hold that names the reason: the one a person must look at first."""
    return min(state.holds, key=lambda hold: HOLD_ORDER.index(hold.kind), default=None)


def reason(state: EnrollmentState) -> str | None:
    """The code of the reason for the status; None while Active (the phase says what it waits for)."""
    if state.removed:
        return "removed"
    if state.outcome is not None:
        return state.outcome.value
    if state.halt is not None:
        return state.halt.reason
    hold = main_hold(state)
    return hold.kind.value if hold else None


def phase(state: EnrollmentState, now: datetime) -> Phase | None:
    """What an Active enrollment waits for at `now` (aware); None in every other status."""
    if status(state) is not Status.ACTIVE:
        return None
    if state.slot is None or state.due is None:
        return Phase.CAPACITY
    if now < state.due and not state.hurried:
        return Phase.DELAY
    if now < state.slot.at:
        return Phase.WINDOW if state.slot.cause == "window" else Phase.CAPACITY
    return Phase.SENDING


def can_send(state: EnrollmentState) -> bool:
    """Nothing in the state itself stands against sending the current step."""
    return status(state) is Status.ACTIVE and not state.closed and state.step is not None and not state.advance


def next_release(state: EnrollmentState) -> datetime | None:
    """When the last dated hold ends, if every hold ends by a date; None if one waits for a person or an event.

    While one hold has no date the dates of the others still pass one by one, but none of them lets an email out.
    """
    dates = [hold.until for hold in state.holds]
    if not dates or any(date is None for date in dates):
        return None
    return max(date for date in dates if date is not None)


def first_release(state: EnrollmentState) -> datetime | None:
    """The next instant at which some hold ends by its date."""
    return min((hold.until for hold in state.holds if hold.until is not None), default=None)
