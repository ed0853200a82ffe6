"""What activities take and answer: the contract between the workflow and the steps that touch the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import ValidationError

from domain.errors import InvalidMessage
from domain.ids import workflow_id
from domain.sequences import Id, Policy, StepRef
from domain.state import EnrollmentState, Slot
from domain.statuses import HaltKind, HoldKind
from domain.wire import Instant, Wire


class EnrollmentInput(Wire):
    """The argument of the workflow `Enrollment`. `state` is set only when a long run continues as new."""

    sequence_id: Id
    contact_id: Id
    by: str = "system"
    start_at: Instant | None = None
    """The first step is due no earlier than this."""
    mailbox_id: str | None = None
    """One of the sequence's mailboxes; else the least booked one is taken."""
    overrides: tuple[str, ...] = ()
    """Refusal codes that the caller accepts (those that have an override)."""
    state: EnrollmentState | None = None


def parse_input(value: object, key: str) -> EnrollmentInput:
    """The input of the workflow with the ID `key`, from whatever JSON was given. Raises InvalidMessage naming the field."""
    if not isinstance(value, Mapping):
        raise InvalidMessage("the input is a JSON object", fix='{"sequence_id": "spring", "contact_id": "anna"}')
    try:
        found = EnrollmentInput.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"])
        raise InvalidMessage(first["msg"].removeprefix("Value error, "), field=field) from None
    wanted = workflow_id(found.sequence_id, found.contact_id)
    if key != wanted:
        # Nobody would find it: every caller computes the ID.
        raise InvalidMessage("the workflow has the wrong ID", field="workflow_id", fix=f"start it as {wanted}")
    return found


class EnrollmentResult(Wire):
    """How the workflow ended: refused with a code, or closed with status and reason."""

    status: str
    reason: str | None = None
    enrollment: str | None = None


class AdmitInput(Wire):
    """May this contact enter the sequence? `enrollment` is the first execution run ID."""

    enrollment: str
    sequence_id: str
    contact_id: str
    by: str
    start_at: Instant | None = None
    mailbox_id: str | None = None
    overrides: tuple[str, ...] = ()


class AdmitResult(Wire):
    """`refused` holds the code when the contact may not enter; else the state at admission."""

    refused: str | None = None
    state: EnrollmentState | None = None


class LogEntry(Wire):
    """One line of the story: what happened, when, by whom, with codes and IDs as data."""

    kind: str
    by: str
    at: Instant
    id: str | None = None
    data: Mapping[str, Any] = {}


class Effect(Wire):
    """A change of facts in PostgreSQL that a transition asks for; performed in the transaction that records it.

    stage: the contact's stage, by the sequence's stage map for `event`. suppress: no email to the address, anywhere.
    address_bounced: the address is dead. settle: a person's or the evidence's verdict on an unknown delivery.
    fan_out: the same fact for the person's other enrollments (`scope` contact), the account's (`scope` account), or those that
    use the address to which `step`, `attempt` went (`scope` address).
    """

    kind: Literal["stage", "suppress", "address_bounced", "settle", "fan_out"]
    event: str | None = None
    step: str | None = None
    attempt: int | None = None
    verdict: str | None = None
    scope: Literal["contact", "account", "address"] | None = None
    payload: Mapping[str, Any] | None = None


class RecordInput(Wire):
    """A state to project, with the story so far untold, the facts to change and the stop marks now adopted."""

    state: EnrollmentState
    log: tuple[LogEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    adopted: tuple[str, ...] = ()


class RecordResult(Wire):
    """Instants that needed a calendar: the end of each hold that was given as a plain date."""

    until: Mapping[HoldKind, Instant] = {}


class ReserveResult(Wire):
    """The step to send and its slot; no step when the last one is behind, with the end of the settle time."""

    until: Mapping[HoldKind, Instant] = {}
    step: StepRef | None = None
    due: Instant | None = None
    slot: Slot | None = None
    settle_until: Instant | None = None
    at: Instant | None = None
    revision: int | None = None
    policy: Policy | None = None


class DeliverInput(Wire):
    """One attempt at one step. `version`: the version under which `deliver` projects its outcome."""

    enrollment: str
    step: str
    attempt: int
    version: int


class DeliverResult(Wire):
    """What became of it.

    sent: `step`, `slot` name the next one, `due` its due time unless that is the slot's (no step: `settle_until`). rejected: `halt`, `code`. not_sent: `reason`.
    deferred: a temporary refusal, `slot` is the next try. wait: the slot no longer fits, `slot` is the new one.
    hold: `hold` is set, of gate `gate` at `epoch`. unknown: the email may have left. stopped: stop marks were found,
    `marks` holds their messages. resync: the projection is not at the version before; record first.
    """

    outcome: Literal["sent", "rejected", "not_sent", "deferred", "wait", "hold", "unknown", "stopped", "resync"]
    at: Instant | None = None
    step: StepRef | None = None
    due: Instant | None = None
    slot: Slot | None = None
    settle_until: Instant | None = None
    message_id: str | None = None
    halt: HaltKind | None = None
    reason: str | None = None
    code: str | None = None
    hold: HoldKind | None = None
    gate: str | None = None
    epoch: int | None = None
    marks: tuple[Mapping[str, Any], ...] = ()
    revision: int | None = None
    policy: Policy | None = None


class Answer(Wire):
    """What a command answers: the status it led to, what remains in the way, and what happens next."""

    enrollment: str
    status: str
    label: str
    reason: str | None = None
    remaining_holds: tuple[str, ...] = ()
    next: Mapping[str, Any] | None = None
    allowed: tuple[str, ...] = ()
    accepted: bool = True
    adopted: bool = True
    """False: the command is recorded and holds, but the workflow has not taken it up yet (no worker alive)."""
