"""Enrollment states for tests of the pure rules, and saying things to them as JSON."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.delivery import DeliverResult
from domain.messages import parse_message
from domain.sequences import Policy, StepRef
from domain.state import EnrollmentState, Hold, Sent, Slot
from domain.statuses import HoldKind
from domain.transitions import Decision, apply, apply_delivery

NOW = datetime(2026, 12, 1, 9, 0, tzinfo=UTC)
DAY = timedelta(days=1)
TOTAL = 3


def step(number: int) -> StepRef:
    return StepRef(id=f"s{number}", number=number, total=TOTAL)


def message_id(ref: StepRef, attempt: int) -> str:
    return f"{ref.id}.{attempt}@sender.test"


def sent(number: int, attempt: int = 1) -> Sent:
    return Sent(step=step(number), attempt=attempt, message_id=message_id(step(number), attempt))


def active(at: int = 2, **fields: Any) -> EnrollmentState:
    """Waiting for the slot of step `at`, a day from now, with the steps before it sent."""
    state = EnrollmentState(
        enrollment="e-1",
        sequence="spring",
        contact="anna",
        mailbox="mara",
        version=7,
        step=step(at),
        due=NOW + DAY,
        slot=Slot(at=NOW + DAY),
        sent=at - 1,
        last_sent=sent(at - 1) if at > 1 else None,
    )
    return state.model_copy(update=fields)


def policy(**fields: Any) -> Policy:
    return Policy(**fields)


def say(state: EnrollmentState, name: str, /, now: datetime = NOW, **payload: Any) -> Decision:
    """Apply a message given as JSON."""
    return apply(state, parse_message(name, payload, strict=True), now)


def told(state: EnrollmentState, *messages: str, now: datetime = NOW) -> EnrollmentState:
    """The state after these messages without fields, none of which may be refused."""
    for name in messages:
        decision = say(state, name, now)
        assert decision.refused is None, (name, decision.refused)
        state = decision.state
    return state


def delivered(state: EnrollmentState, result: str, **fields: Any) -> EnrollmentState:
    """The state after `deliver` of its step says `result`."""
    assert state.step is not None
    return outcome_of(state, state.step, state.attempt, result, **fields)


def outcome_of(state: EnrollmentState, ref: StepRef, attempt: int, result: str, **fields: Any) -> EnrollmentState:
    """The state after `deliver` of `attempt` at `ref` says `result`; what it names by itself is filled in."""
    known: dict[str, Any] = {"outcome": result, "at": NOW, "message_id": message_id(ref, attempt)}
    if result == "sent" and "settle_until" not in fields:
        known |= {"step": step(ref.number + 1), "due": NOW + DAY, "slot": Slot(at=NOW + DAY)}
        if ref.number == TOTAL:
            known |= {"step": None, "due": None, "slot": None, "settle_until": NOW + 5 * DAY}
    if result == "rejected":
        known |= {"halt": "hard_bounce", "code": "5.1.1"}
    if result == "not_sent":
        known |= {"reason": "no_email"}
    if result in ("deferred", "wait"):
        known |= {"slot": Slot(at=NOW + timedelta(hours=1), cause="deferred")}
    if result == "hold":
        known |= {"hold": "sequence_off", "gate": "sequence", "epoch": 1}
    return apply_delivery(state, ref, attempt, DeliverResult.model_validate(known | fields))


def bounced(at: int = 2, kind: str = "hard_bounce") -> EnrollmentState:
    return delivered(active(at), "rejected", halt=kind)


def not_sent(at: int = 2, reason: str = "no_email") -> EnrollmentState:
    return delivered(active(at), "not_sent", reason=reason)


def unknown(at: int = 2) -> EnrollmentState:
    return delivered(active(at), "unknown")


def settling() -> EnrollmentState:
    return delivered(active(TOTAL), "sent")


def held(kind: HoldKind, **fields: Any) -> EnrollmentState:
    return active(holds=(Hold(kind=kind, by="system", at=NOW, **fields),), slot=None)
