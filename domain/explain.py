"""Status, reason and what happens next, in words and as data. Written for support staff; says only codes, IDs, times."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.delivery import Answer
from domain.reasons import find
from domain.state import (
    EnrollmentState,
    Hold,
    effective_status,
    main_hold,
    next_release,
    phase,
    reason,
    status,
    status_label,
)
from domain.statuses import HaltKind, HoldKind, Outcome, Phase, Release, Status
from domain.transitions import allowed_actions, give_up_at, wake_at

_WAITS_FOR: dict[HoldKind, str] = {
    HoldKind.MANUAL: "a person to resume",
    HoldKind.OUT_OF_OFFICE: "a person to set a date or resume",
    HoldKind.ACCOUNT_REPLY: "a person to resume",
    HoldKind.MAILBOX_DOWN: "the mailbox to come back",
    HoldKind.GUARDRAIL: "an admin to clear the mailbox's guardrail",
    HoldKind.DELIVERY_UNKNOWN: "a person to say what became of the email (settle_delivery)",
    HoldKind.SEQUENCE_OFF: "the sequence to be switched on",
    HoldKind.SYSTEM_ERROR: "an engineer to mend the cause and resume",
}


def _when(at: datetime) -> str:
    return f"{at:%a %Y-%m-%d %H:%M} UTC"


def sentence(state: EnrollmentState, now: datetime) -> str:
    """Why the enrollment is in its status, as one sentence for people."""
    current = status(state)
    if current is Status.REMOVED:
        return "The contact was removed from the sequence."
    if current is Status.FINISHED:
        assert state.outcome is not None
        text = find("finished", state.outcome.value).sentence
        return f"{text} Disposition: {state.disposition}." if state.disposition else text
    if state.halt is not None:
        group = "not_sent" if state.halt.kind is HaltKind.NOT_SENT else "bounced"
        text = find(group, state.halt.reason).sentence  # type: ignore[arg-type]
        at = f" Stopped at step {state.step.number} of {state.step.total}." if state.step else ""
        return text + at
    hold = main_hold(state)
    if hold is not None:
        # The last date counts, and only if every hold has one: else it stays paused beyond it.
        release = next_release(state)
        until = f" Until {_when(release)}." if release else ""
        return find("hold", hold.kind.value).sentence + until
    current_phase = phase(state, now)
    step = f"Step {state.step.number} of {state.step.total}" if state.step else "The next step"
    if current_phase is Phase.SENDING:
        return f"{step} is being sent."
    if state.slot is None:
        return f"{step} is waiting for a slot."
    cause = "delay" if current_phase is Phase.DELAY else state.slot.cause or "delay"
    return f"{step} leaves {_when(state.slot.at)}. {find('wait', cause).sentence}"


def headline(state: EnrollmentState) -> str:
    """Status and reason in a few words: for summaries of timers and activities in Temporal UI."""
    why = reason(state)
    label = status_label(state)
    if why is None:
        return label
    hold = main_hold(state)
    if status(state) is Status.PAUSED and hold is not None and hold.until is not None:
        return f"{label} ({why}) until {_when(hold.until)}"
    return f"{label} ({why})"


def next_event(state: EnrollmentState) -> dict[str, Any]:
    """What happens next by itself with its time, or whom or what it waits for. Never empty: no silence (invariant 4)."""
    if state.closed:
        return {"what": "nothing", "why": "the enrollment has ended"}
    current = status(state)
    if state.settling and state.settle_until is not None:
        return {"what": "settle", "at": _iso(state.settle_until)}
    if current is Status.ACTIVE:
        if state.slot is None:
            return {"what": "reserve", "waits_for": "a slot"}
        step = state.step
        return {
            "what": "send",
            "at": _iso(state.slot.at),
            "step": step.id if step else None,
            "number": step.number if step else None,
            "total": step.total if step else None,
            "cause": state.slot.cause,
        }
    if current in (Status.BOUNCED, Status.NOT_SENT):
        waits: dict[str, Any] = {"what": "wait", "waits_for": "a person", "allowed": list(allowed_actions(state))}
        if state.halt is not None and state.halt.kind is HaltKind.NOT_SENT:
            entry = find("not_sent", state.halt.reason)
            waits["fix"] = entry.fix
            if entry.heals:
                waits["waits_for"] = f"{entry.who}; it goes on by itself when mended"
        elif state.halt is not None:
            waits["fix"] = find("bounced", state.halt.reason).fix
    else:
        release = next_release(state)
        blocking = [hold for hold in state.holds if hold.until is None]
        if release is not None:
            waits = {"what": "resume", "at": _iso(release)}
        else:
            waits = {"what": "wait", "waits_for": "; ".join(_waits_for(hold) for hold in blocking)}
    end = give_up_at(state)
    if end is not None:
        waits["gives_up_at"] = _iso(end)
    return waits


def _waits_for(hold: Hold) -> str:
    """Whom or what a hold without an instant waits for. The instant of a plain date is about to be recorded."""
    return _WAITS_FOR[hold.kind] if hold.day is None else f"its date, {hold.day}"


def snapshot(state: EnrollmentState, now: datetime) -> dict[str, Any]:
    """The query `status`: everything a page shows of an enrollment by itself."""
    wake = wake_at(state)
    current_phase = phase(state, now)
    return {
        "enrollment": state.enrollment,
        "sequence": state.sequence,
        "contact": state.contact,
        "mailbox": state.mailbox,
        "own_status": status(state).value,
        "label": status_label(state),
        "reason": reason(state),
        "phase": current_phase.value if current_phase else None,
        "step": state.step.model_dump(mode="json") if state.step else None,
        "attempt": state.attempt,
        "due": _iso(state.due),
        "slot": state.slot.model_dump(mode="json") if state.slot else None,
        "holds": [_hold(hold) for hold in state.holds],
        "halt": state.halt.model_dump(mode="json") if state.halt else None,
        "outcome": state.outcome.value if state.outcome else None,
        "settling": state.settling,
        "sent": state.sent,
        "next": next_event(state),
        "wake_at": _iso(wake),
        "closed": state.closed,
        "version": state.version,
    }


def known_plan(state: EnrollmentState) -> dict[str, Any]:
    """The query `plan`: the emails ahead as far as a workflow knows them. The one that is booked has its time; the later ones
    have none here, since a workflow reads no calendar: the plan of the API estimates them."""
    if status(state) is not Status.ACTIVE or state.step is None:
        return {"emails": [], "next": next_event(state)}
    slot = None if state.advance else state.slot
    first = {
        "number": state.step.number,
        "step": None if state.advance else state.step.id,
        "at": _iso(slot.at) if slot else None,
        "booked": slot is not None,
        "cause": slot.cause if slot else None,
    }
    later = [
        {"number": number, "step": None, "at": None, "booked": False, "cause": None}
        for number in range(state.step.number + 1, state.step.total + 1)
    ]
    return {"emails": [first, *later], "next": next_event(state)}


def seen(state: EnrollmentState, now: datetime, *, switched_on: bool) -> dict[str, Any]:
    """The snapshot as people see it: with the effective `status`, and the switch in label, reason, phase and next."""
    shown = snapshot(state, now)
    effective = effective_status(status(state), switched_on=switched_on)
    shown |= {"status": effective.value, "switched_on": switched_on}
    if effective is not status(state):
        shown |= {
            "label": effective.label,
            "reason": HoldKind.SEQUENCE_OFF.value,
            "phase": None,
            "next": next_seen(state, switched_on=switched_on),
        }
    return shown


def next_seen(state: EnrollmentState, *, switched_on: bool) -> dict[str, Any]:
    """What happens next as people see it: while the switch is off, an Active enrollment waits for it."""
    if effective_status(status(state), switched_on=switched_on) is status(state):
        return next_event(state)
    fix = find("hold", HoldKind.SEQUENCE_OFF.value).fix
    return {"what": "wait", "waits_for": _WAITS_FOR[HoldKind.SEQUENCE_OFF], "fix": fix}


def _hold(hold: Hold) -> dict[str, Any]:
    entry = find("hold", hold.kind.value)
    shown = hold.model_dump(mode="json")
    return {**shown, "sentence": entry.sentence, "fix": entry.fix, "resume_clears": hold.released_by(Release.RESUME)}


def explanation(state: EnrollmentState, now: datetime) -> dict[str, Any]:
    """The query `explain`: the snapshot, a sentence, and the commands open to a person now."""
    return {**snapshot(state, now), "sentence": sentence(state, now), "allowed": list(allowed_actions(state))}


def answer(state: EnrollmentState, now: datetime) -> Answer:
    """What a command answers."""
    return Answer(
        enrollment=state.enrollment,
        status=status(state).value,
        label=status_label(state),
        reason=reason(state),
        remaining_holds=tuple(hold.kind.value for hold in state.holds),
        next=next_event(state),
        allowed=allowed_actions(state),
    )


def details(state: EnrollmentState, now: datetime) -> str:
    """Temporal UI's "current details", in Markdown."""
    lines = [f"**{headline(state)}**", "", sentence(state, now)]
    coming = next_event(state)
    at = f" at {coming['at']}" if "at" in coming else ""
    lines.append(
        f"\nNext: {coming['what']}{at}" + (f" — waits for {coming['waits_for']}" if "waits_for" in coming else "")
    )
    if state.outcome is Outcome.COMPLETED and state.settle_until:
        lines.append(f"A reply or bounce until {_when(state.settle_until)} still changes the outcome.")
    allowed = allowed_actions(state)
    if allowed:
        lines.append(f"\nA person may: {', '.join(allowed)}")
    return "\n".join(lines)


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat().replace("+00:00", "Z")
