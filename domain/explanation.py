"""The complete explanation of an enrollment: why it is in its status now, as a sentence and as a trace, and what would
change it. Pure: made of one view of the state and the facts. Words say codes, IDs, times, and what a server replied.

`domain.explain` has what the workflow can say by itself; this adds what only PostgreSQL knows.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import explain as words
from domain.guards import Check, Trace
from domain.messages import COMMANDS
from domain.reasons import find
from domain.state import EnrollmentState, Hold, main_hold, next_release, status
from domain.statuses import HaltKind, HoldKind, Release, Status
from domain.transitions import give_up_at, refusal
from domain.waiting import Clock, Wait, Waiting, waits
from domain.watching import TROUBLE

UNGUARDED = frozenset({"same_account_reply", "delivery_failed", "content_rejected"})
"""Reasons for Not Sent that no guard watches: nobody can say that their cause has cleared."""

_ACTORS = {
    "person": "{} (a person)",
    "mail": "the inbound mail {}",
    "key": "the key {}",
    "policy": "the policy {}",
    "temporal": "somebody at Temporal ({})",
}
_STANDS = {"down": "is down", "guardrail": "is held by its guardrail", "paused": "is paused by a person"}


@dataclass(frozen=True)
class Gate:
    """A closed gate: the switch over everything (`global`), a sequence's, or a mailbox in `state` because of `code`; since
    when, and by whom where that is known."""

    gate: str
    key: str
    at: datetime
    by: str | None = None
    state: str = "off"
    code: str | None = None


@dataclass(frozen=True)
class Recorded:
    """A stop that is recorded and that the workflow has not taken up; `shown` as lists say it ("pausing")."""

    message: str
    id: str
    by: str
    at: str | None
    shown: str


@dataclass(frozen=True)
class Try:
    """The step's last attempt in the send ledger, where the server refused it (`deferred` or `rejected`): how often it was
    tried, and the server's last reply."""

    state: str
    tries: int
    reply: str


@dataclass(frozen=True)
class View:
    """Everything an explanation is made of, read in one go. `trace`: the guards over the facts of the next try; None where
    no step is ahead. `waiting`: None unless it is Active."""

    state: EnrollmentState
    now: datetime
    clock: Clock
    trace: Trace | None = None
    waiting: Waiting | None = None
    gates: tuple[Gate, ...] = ()
    recorded: tuple[Recorded, ...] = ()
    last_try: Try | None = None

    def gate(self, name: str | None) -> Gate | None:
        """The closed gate of that kind, if it is closed."""
        return next((gate for gate in self.gates if gate.gate == name), None)

    @property
    def switch(self) -> Gate | None:
        """The switch that keeps an Active enrollment from sending, if one is off."""
        return self.gate("global") or self.gate("sequence")


def explain(view: View) -> dict[str, Any]:
    """The explanation as JSON, beside the snapshot of `domain.explain`.

    `sentence` why; `waits` what stands between now and the next email; `holds` with who set them and what releases each;
    `halt` with what is needed; `recorded` stops; `actions` open to a person, and why the others are not; `ready_to`: `retry`
    or `resume` when the cause of a halt has cleared; `blocked_by` the first guard that objects; `guards` all of them.
    """
    state = view.state
    open_now = not (state.closed or state.settling)
    trace = view.trace if open_now else None
    ahead = _waits(view)
    failed = trace.failed if trace is not None else None
    ready = ready_to(state, trace)
    offered = actions(state)
    return {
        "sentence": _sentence(view, ahead, failed, ready),
        "waits": [wait.as_json() for wait in ahead],
        "holds": [_hold(view, hold) for hold in state.holds],
        "halt": _halt(view),
        "switch": _switch(view),
        "recorded": [
            {"message": one.message, "id": one.id, "by": one.by, "at": one.at, "shown": one.shown}
            for one in view.recorded
        ],
        "zone": {"zone": view.clock.zone.zone, "source": view.clock.zone.source},
        "allowed": [one["action"] for one in offered if one["open"]],
        "actions": offered,
        "ready_to": ready,
        "blocked_by": failed.as_json() if failed is not None else None,
        "guards": [check.as_json() for check in trace.checks] if trace is not None else [],
    }


def ready_to(state: EnrollmentState, trace: Trace | None) -> str | None:
    """The command that would go through now, since the cause of the halt has cleared."""
    halt = state.halt
    if halt is None or state.closed or trace is None or trace.failed is not None or halt.reason in UNGUARDED:
        return None
    if halt.kind is HaltKind.NOT_SENT:
        return "retry"
    # What made a server call an email spam is not among the facts.
    return "resume" if halt.kind is HaltKind.HARD_BOUNCE else None


def actor(by: str) -> str:
    """Who set something, in words: from `person:ana`, `mail:<id>`, `key:api`, `system` and the like."""
    kind, _, name = by.partition(":")
    if kind == "system":
        return "Onward"
    return _ACTORS[kind].format(name) if name and kind in _ACTORS else by


def _waits(view: View) -> tuple[Wait, ...]:
    active = status(view.state) is Status.ACTIVE and not view.state.closed and view.switch is None
    return waits(view.waiting) if active and view.waiting is not None else ()


# ---------------------------------------------------------------------------------------------------------------------
# The sentence


def _sentence(view: View, ahead: tuple[Wait, ...], failed: Check | None, ready: str | None) -> str:
    told = _why(view, ahead)
    if failed is not None and ahead and failed.verdict != "stop":
        then = "be held" if failed.verdict == "hold" else "not be sent"
        told += f" As the facts are now it would then {then} ({failed.reason}): {failed.change}."
    if ready is not None:
        told += f" The cause has cleared: {ready} goes through now."
    if view.recorded:
        names = ", ".join(one.message for one in view.recorded)
        told += f" Recorded, and about to be taken up: {names}."
    return told


def _why(view: View, ahead: tuple[Wait, ...]) -> str:
    state, clock = view.state, view.clock
    plain = words.sentence(state, view.now)
    if state.settling and state.settle_until is not None:
        return f"{plain} It ends as no_reply at {clock.full(state.settle_until)}."
    if status(state) in (Status.REMOVED, Status.FINISHED):
        return plain
    if state.closed:
        return f"{plain} It has ended like this and does not go on: enroll the contact again."
    if state.halt is not None:
        return f"{plain} Needed: {_needed(view)}." + _gives_up(view)
    hold = main_hold(state)
    if hold is not None:
        return _held(view, hold) + _gives_up(view)
    switch = view.switch
    if switch is not None:
        return f"{find('hold', HoldKind.SEQUENCE_OFF.value).sentence} {_capital(_off(view, switch))}."
    step = f"Step {state.step.number} of {state.step.total}" if state.step else "The next step"
    if state.slot is None or not ahead:
        return plain
    first = ahead[0]
    if first.code == "sending":
        return f"{step} is being sent: {first.words}."
    told = [wait.words for wait in ahead]
    if len(told) > 3:
        told = [*told[:2], f"({len(told) - 3} more in between) {told[-1]}"]
    return f"{step} leaves {clock.full(state.slot.at)}. Why not now: {'. Then: '.join(told)}."


def _held(view: View, hold: Hold) -> str:
    told = f"{find('hold', hold.kind.value).sentence} {_capital(_source(view, hold))}."
    others = [other.kind.value for other in view.state.holds if other is not hold]
    if others:
        told += f" Also held by {', '.join(others)}."
    release = next_release(view.state)
    if release is not None:
        return f"{told} It goes on at {view.clock.full(release)}."
    waits_for = words.next_event(view.state)["waits_for"]
    return f"{told} It waits for {waits_for}."


def _gives_up(view: View) -> str:
    end = give_up_at(view.state)
    return "" if end is None else f" It gives up at {view.clock.full(end)}."


# ---------------------------------------------------------------------------------------------------------------------
# The parts of the trace


def _hold(view: View, hold: Hold) -> dict[str, Any]:
    entry = find("hold", hold.kind.value)
    shown = hold.model_dump(mode="json")
    return {
        **shown,
        "sentence": entry.sentence,
        "fix": entry.fix,
        "resume_clears": hold.released_by(Release.RESUME),
        "source": _source(view, hold),
        "released_by": _releases(view, hold),
    }


def _source(view: View, hold: Hold) -> str:
    """Who or what set the hold, and when."""
    since = f"since {view.clock.short(hold.at)}"
    match hold.kind:
        case HoldKind.SEQUENCE_OFF:
            switch = view.gate(hold.gate or "sequence")
            return f"parked {since}" + (f"; {_off(view, switch)}" if switch is not None else "; it is on again")
        case HoldKind.MAILBOX_DOWN | HoldKind.GUARDRAIL:
            closed = view.gate("mailbox")
            if closed is None:
                return f"mailbox {view.state.mailbox}, {since}; it can send again, and wakes those that it held"
            trouble = f" ({TROUBLE.get(closed.code, closed.code)})" if closed.code else ""
            stands = _STANDS.get(closed.state, closed.state)
            return f"mailbox {closed.key} {stands}{trouble} since {view.clock.short(closed.at)}"
        case HoldKind.DELIVERY_UNKNOWN:
            return f"set by Onward {since}, for the email {hold.ref or '(its Message-ID is in the attempts)'}"
        case HoldKind.SYSTEM_ERROR:
            return f"set by Onward {since}, after the error {hold.ref or 'in the worker log'}"
        case HoldKind.ACCOUNT_REPLY:
            reply = f" in enrollment {hold.ref}" if hold.ref else ""
            return (
                f"set by the sequence's policy account_reply: pause {since}, for a reply{reply} (by {actor(hold.by)})"
            )
    corrected = ", a correction" if hold.corrected and hold.kind is HoldKind.OUT_OF_OFFICE else ""
    return f"set by {actor(hold.by)} {since}{corrected}"


def _off(view: View, switch: Gate) -> str:
    what = "everything" if switch.gate == "global" else f"sequence {switch.key}"
    by = f" by {actor(switch.by)}" if switch.by else ""
    return f"{what} is switched off{by} since {view.clock.short(switch.at)}"


def _releases(view: View, hold: Hold) -> list[str]:
    """What ends the hold, in words."""
    ways = []
    if hold.released_by(Release.DATE):
        if hold.until is not None:
            ways.append(f"its date: {view.clock.full(hold.until)}")
        elif hold.day is not None:
            ways.append(f"its date: {hold.day}; its sending window is being looked up")
        else:
            ways.append("a date, which resume_at sets")
    if hold.released_by(Release.RESUME):
        ways.append("resume")
    if hold.released_by(Release.SETTLEMENT):
        ways.append("settle_delivery, or mail that names the email")
    if hold.released_by(Release.GATE):
        ways.append(
            {
                HoldKind.SEQUENCE_OFF: "switching on" + (" everything" if hold.gate == "global" else " the sequence"),
                HoldKind.GUARDRAIL: "an admin opening the mailbox",
            }.get(hold.kind, "the mailbox coming back")
        )
    return ways


def _halt(view: View) -> dict[str, Any] | None:
    halt = view.state.halt
    if halt is None:
        return None
    entry = find("not_sent" if halt.kind is HaltKind.NOT_SENT else "bounced", halt.reason)
    return {
        **halt.model_dump(mode="json"),
        "sentence": entry.sentence,
        "who": entry.who,
        "needed": _needed(view),
        "heals": entry.heals,
        "position": entry.position,
        "server": _server(view),
    }


def _needed(view: View) -> str:
    """What is needed for the halted step to go out, with the server's word where it was the server that said no."""
    halt = view.state.halt
    assert halt is not None
    entry = find("not_sent" if halt.kind is HaltKind.NOT_SENT else "bounced", halt.reason)
    server = _server(view)
    return f"{entry.fix} ({entry.who})" + (f"; the server said: {server}" if server else "")


def _server(view: View) -> str | None:
    halt, last = view.state.halt, view.last_try
    if halt is None or (halt.kind is HaltKind.NOT_SENT and halt.reason not in ("delivery_failed", "content_rejected")):
        return None
    return last.reply if last is not None else halt.ref


def _switch(view: View) -> dict[str, Any] | None:
    switch = view.switch
    if switch is None:
        return None
    return {"gate": switch.gate, "key": switch.key, "by": switch.by, "at": _iso(switch.at), "words": _off(view, switch)}


def actions(state: EnrollmentState) -> list[dict[str, Any]]:
    """Every command, whether it is open to a person now, and if not, why."""
    found = []
    for name in COMMANDS:
        refused = refusal(state, name)
        line: dict[str, Any] = {"action": name, "open": refused is None}
        found.append(line if refused is None else line | {"code": refused.code, "why": refused.message})
    return found


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
