"""What an event does: state + message -> new state, story, effects. Pure; the workflow and the late mail both use it.

Every function here takes `now`, an aware datetime. Nothing here computes calendars: plain dates stay plain (`Hold.day`)
until an activity has resolved them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from domain import messages as m
from domain.delivery import DeliverResult, Effect, LogEntry, ReserveResult
from domain.errors import Refused
from domain.sequences import StepRef
from domain.state import SEEN_LIMIT, EnrollmentState, Halt, Hold, Sent, Slot, can_send, first_release, status
from domain.statuses import GATE_HOLDS, HaltKind, HoldKind, Outcome, Release, StageEvent, Status

M = TypeVar("M", bound=m.Message)


@dataclass(frozen=True)
class Decision:
    """What follows from a message: the new state, lines for the story, effects on facts; or a refusal, state unchanged."""

    state: EnrollmentState
    log: tuple[LogEntry, ...] = ()
    effects: tuple[Effect, ...] = ()
    refused: Refused | None = None


@dataclass
class _Draft:
    """A decision in the making. `changes` are fields of the state to replace."""

    state: EnrollmentState
    message: m.Message
    now: datetime
    data: dict[str, Any] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)

    def change(self, **changes: Any) -> None:
        self.state = self.state.model_copy(update=changes)

    def hold(self, hold: Hold) -> None:
        """Put a hold on, in place of the one of its kind."""
        self.change(holds=_with(self.state, hold))
        self.data["hold"] = hold.kind.value

    def drop_holds(self, kinds: set[HoldKind]) -> None:
        self.change(holds=tuple(hold for hold in self.state.holds if hold.kind not in kinds))

    def stage(self, event: StageEvent) -> None:
        self.effects.append(Effect(kind="stage", event=event.value))

    def fan_out(self, name: str, scope: str, sent: Sent | None = None, **payload: Any) -> None:
        """Tell the other enrollments of the person, the account or the address that `sent` went to; never for what itself
        came from one."""
        if self.message.origin is None:
            told = self.message.id or f"{self.state.enrollment}/{self.state.version}"
            body = {"id": told, "by": self.message.by, "origin": self.state.enrollment, **payload}
            self.effects.append(
                Effect.model_validate(
                    {
                        "kind": "fan_out",
                        "event": name,
                        "scope": scope,
                        "payload": body,
                        "step": sent.step.id if sent else None,
                        "attempt": sent.attempt if sent else None,
                    }
                )
            )

    def finish(self, outcome: Outcome, *, disposition: str | None = None) -> None:
        self.change(outcome=outcome, disposition=disposition, halt=None, holds=(), settle_until=None, closed=True)
        self.data["outcome"] = outcome.value

    def note(self, why: str) -> None:
        """The message changes nothing here; the story says why."""
        self.data["noted"] = why

    def due_again(self) -> None:
        """After standing still the email is due at its original time, or now if that has passed (design section 3)."""
        due = self.state.due
        self.change(due=self.now if due is None else max(due, self.now), slot=None)


def allowed_actions(state: EnrollmentState) -> tuple[str, ...]:
    """The commands that a person may give now, in the order a page would offer them."""
    return tuple(name for name in m.COMMANDS if refusal(state, name) is None)


def refusal(state: EnrollmentState, name: str) -> Refused | None:
    """Why the state does not allow a command; None when it does."""
    code = _refusal_code(state, name)
    return None if code is None else Refused(code[0], code[1])


def _refusal_code(state: EnrollmentState, name: str) -> tuple[str, str] | None:
    current = status(state)
    if current is Status.REMOVED:
        return "removed", "the contact was removed from this sequence"
    if current is Status.FINISHED:
        if name == "remove" or (name == "finish" and state.settling):
            return None
        return "finished", f"the enrollment is finished ({state.outcome.value if state.outcome else ''})"
    if state.closed and name != "remove":
        return "closed", "the enrollment has ended; enroll the contact again"
    halted = state.halt is not None
    bounced = current is Status.BOUNCED
    releasable = any(hold.released_by(Release.RESUME) for hold in state.holds)
    unknown = state.hold(HoldKind.DELIVERY_UNKNOWN) is not None
    if name == "resume" and not (bounced or state.holds):
        return ("not_paused", "there is nothing to resume") if not halted else ("not_sent", "use retry, skip or finish")
    if name == "resume_at" and not releasable:
        return "not_paused", "no hold that a person may release is on"
    if name == "send_now" and (halted or state.holds):
        return "not_active", "only an active enrollment can send now"
    if name == "retry" and not halted:
        return "not_halted", "no step was bounced or not sent"
    if name in ("skip", "retry") and unknown:
        return "delivery_unknown", "say first what became of the last email (settle_delivery)"
    if name == "settle_delivery" and not unknown:
        return "delivery_known", "no delivery is unknown"
    return None


def validate(state: EnrollmentState, message: m.Message, now: datetime) -> None:
    """Raise Refused when the state does not allow the command, its date lies in the past, or it names a step that is not the
    current one. Facts are never refused."""
    if message.name not in m.COMMANDS or (message.id is not None and message.id in state.seen):
        return
    refused = refusal(state, message.name)
    if refused is None and isinstance(message, m.Pause | m.ResumeAt) and message.until is not None:
        past = (
            message.until <= now
            if isinstance(message.until, datetime)
            # A day after today in every zone: the schedule's zone is not known here. Today's date is accepted.
            else message.until < (now - timedelta(hours=12)).date()
        )
        if past:
            refused = Refused("date_in_past", "lies in the past; give a later one", field="until")
    if refused is None and _names_other_step(state, message):
        here = state.step.id if state.step else None
        where = f"has left step {here}" if state.advance else f"is at step {here}"
        refused = Refused("other_step", f"the contact {where}", field="step")
    if refused is not None:
        refused.allowed = allowed_actions(state)
        raise refused


def apply(state: EnrollmentState, message: m.Message, now: datetime) -> Decision:
    """Apply one message. A refused or repeated one leaves the state as it is; both are told in the log.

    `version` rises by one when the state changed.
    """
    at = message.at or now
    if message.id is not None and message.id in state.seen:
        return Decision(state)
    try:
        validate(state, message, now)
    except Refused as refused:
        entry = LogEntry(
            kind=f"{message.name}_refused", by=message.by, at=at, id=message.id, data={"code": refused.code}
        )
        return Decision(_remember(state, message), (entry,), refused=refused)
    draft = _Draft(state, message, now)
    _HANDLERS[type(message)](draft, message)
    after = _remember(_tidy(draft.state), message)
    entry = LogEntry(kind=message.name, by=message.by, at=at, id=message.id, data=draft.data)
    return Decision(after.model_copy(update={"version": state.version + 1}), (entry,), tuple(draft.effects))


def _remember(state: EnrollmentState, message: m.Message) -> EnrollmentState:
    if message.id is None:
        return state
    return state.model_copy(update={"seen": (*state.seen, message.id)[-SEEN_LIMIT:]})


def _tidy(state: EnrollmentState) -> EnrollmentState:
    """What stands still keeps no slot: others may have it; it is taken again on resume."""
    if state.slot is not None and status(state) is not Status.ACTIVE:
        return state.model_copy(update={"slot": None})
    return state


# ---------------------------------------------------------------------------------------------------------------------
# Commands


def _pause(draft: _Draft, message: m.Pause) -> None:
    draft.hold(
        Hold(
            kind=HoldKind.MANUAL,
            by=message.by,
            at=message.at or draft.now,
            corrected=True,
            **_end(message.until),
        )
    )
    if message.until is not None:
        draft.data["until"] = message.until.isoformat()


def _end(moment: datetime | date | None) -> dict[str, Any]:
    """Where a hold's end goes: an instant is known, a plain date has yet to be resolved."""
    if isinstance(moment, datetime):
        return {"until": moment, "day": None}
    return {"until": None, "day": moment}


def _move(draft: _Draft, mailbox: str | None) -> None:
    """Send from another mailbox from now on. What was known of the gate of the old one says nothing about the new one."""
    if mailbox is None or mailbox == draft.state.mailbox:
        return
    gates = tuple(known for known in draft.state.gates if known[0] != "mailbox")
    draft.change(mailbox=mailbox, gates=gates, slot=None)
    draft.drop_holds(set(GATE_HOLDS["mailbox"]))
    draft.data["mailbox"] = mailbox


def _resume(draft: _Draft, message: m.Resume) -> None:
    _move(draft, message.mailbox)
    draft.drop_holds({hold.kind for hold in draft.state.holds if hold.released_by(Release.RESUME)})
    if draft.state.halt is not None and draft.state.halt.kind is not HaltKind.NOT_SENT:
        _again(draft)
    draft.due_again()
    if draft.state.holds:
        draft.data["remaining_holds"] = [hold.kind.value for hold in draft.state.holds]


def _again(draft: _Draft) -> None:
    """The halted step goes out again, as a further attempt."""
    draft.change(halt=None, attempt=draft.state.attempt + 1)
    draft.data["attempt"] = draft.state.attempt
    if draft.state.step is not None:
        draft.data["step"] = draft.state.step.id


def _resume_at(draft: _Draft, message: m.ResumeAt) -> None:
    end = {**_end(message.until), "corrected": True, "buffered": False}
    draft.change(
        holds=tuple(
            hold.model_copy(update=end) if hold.released_by(Release.RESUME) else hold for hold in draft.state.holds
        )
    )
    draft.data["until"] = message.until.isoformat()


def _send_now(draft: _Draft, message: m.SendNow) -> None:
    draft.change(due=draft.now, slot=None, hurried=True)


def _skip(draft: _Draft, message: m.Skip) -> None:
    step = draft.state.step
    if step is not None:
        draft.data["step"] = step.id
    # `send_now` was for the step that is left out: the next one has its own wait.
    draft.change(halt=None, advance=True, hurried=False, slot=None, due=draft.now)


def _retry(draft: _Draft, message: m.Retry) -> None:
    _move(draft, message.mailbox)
    _again(draft)
    draft.due_again()


def _finish(draft: _Draft, message: m.Finish) -> None:
    draft.finish(message.outcome, disposition=message.disposition)
    if message.disposition:
        draft.data["disposition"] = message.disposition


def _remove(draft: _Draft, message: m.Remove) -> None:
    draft.change(removed=True, closed=True, holds=(), settle_until=None)


def _settle_delivery(draft: _Draft, message: m.SettleDelivery) -> None:
    _settle(draft, message.verdict)


def _settle(draft: _Draft, verdict: str) -> None:
    state = draft.state
    step = state.step
    draft.drop_holds({HoldKind.DELIVERY_UNKNOWN})
    if step is None:
        return
    draft.effects.append(Effect(kind="settle", step=step.id, attempt=state.attempt, verdict=verdict))
    draft.data.update(step=step.id, attempt=state.attempt, verdict=verdict)
    if verdict == "sent":
        hold = state.hold(HoldKind.DELIVERY_UNKNOWN)
        sent = Sent(step=step, attempt=state.attempt, message_id=(hold.ref if hold and hold.ref else ""))
        draft.change(last_sent=sent, sent=state.sent + 1, advance=True, hurried=False, slot=None, due=draft.now)
        draft.stage(StageEvent.DELIVERED)
    else:
        draft.change(attempt=state.attempt + 1)
        draft.due_again()


# ---------------------------------------------------------------------------------------------------------------------
# Facts


def _settled_by_evidence(draft: _Draft, message_id: str | None) -> None:
    """Mail that names the message of an unknown delivery proves that it left."""
    hold = draft.state.hold(HoldKind.DELIVERY_UNKNOWN)
    if hold is not None and message_id is not None and hold.ref == bare(message_id) and not draft.state.closed:
        _settle(draft, "sent")


def _settled_by_bounce(draft: _Draft, message: m.Bounce) -> None:
    """A bounce may also name the email by step and attempt; one that names none is of the last that may have left."""
    state = draft.state
    hold = state.hold(HoldKind.DELIVERY_UNKNOWN)
    if hold is None or state.step is None or state.closed:
        return
    left = Sent(step=state.step, attempt=state.attempt, message_id=hold.ref or "")
    if message.kind != "soft" and _names(message, left):
        _settle(draft, "sent")


def bare(message_id: str) -> str:
    """A Message-ID without its angle brackets and spaces."""
    return message_id.strip().removeprefix("<").removesuffix(">")


def _ended(state: EnrollmentState) -> bool:
    """Whether mail is only noted: removed, or finished for good. `completed` and `no_reply` can still change by mail."""
    return state.removed or (state.outcome is not None and state.outcome not in (Outcome.COMPLETED, Outcome.NO_REPLY))


def _reply(draft: _Draft, message: m.Reply) -> None:
    _settled_by_evidence(draft, message.message_id)
    outcome = Outcome(message.interest) if message.interest else Outcome.REPLIED
    if message.message_id:
        draft.data["message_id"] = bare(message.message_id)
    draft.stage(StageEvent(outcome.value))
    draft.fan_out("account_reply", "account")
    if _ended(draft.state):
        draft.note("already_ended")
    elif draft.state.policy.finish_on_reply or draft.state.outcome is not None:
        draft.finish(outcome)
    else:
        draft.note("policy_continues")
        away = draft.state.hold(HoldKind.OUT_OF_OFFICE)
        if away is not None and not away.corrected:
            # Who writes by hand is there.
            draft.drop_holds({HoldKind.OUT_OF_OFFICE})
            draft.due_again()


def _meeting_booked(draft: _Draft, message: m.MeetingBooked) -> None:
    draft.stage(StageEvent.MEETING)
    if _ended(draft.state):
        draft.note("already_ended")
    elif draft.state.policy.finish_on_meeting or draft.state.outcome is not None:
        draft.finish(Outcome.MEETING_BOOKED)
    else:
        draft.note("policy_continues")


def _unsubscribe(draft: _Draft, message: m.Unsubscribe) -> None:
    _opt_out(draft, message, Outcome.UNSUBSCRIBED)


def _complaint(draft: _Draft, message: m.Complaint) -> None:
    _opt_out(draft, message, Outcome.COMPLAINED)


def _opt_out(draft: _Draft, message: m.Message, outcome: Outcome) -> None:
    draft.effects.append(Effect(kind="suppress", event=outcome.value))
    draft.stage(StageEvent.UNSUBSCRIBED)
    draft.fan_out(message.name, "contact")
    if _ended(draft.state):
        draft.note("already_ended")
    else:
        draft.finish(outcome)


def _contact_gone(draft: _Draft, message: m.ContactGone) -> None:
    draft.stage(StageEvent.CONTACT_GONE)
    draft.fan_out("contact_gone", "contact")
    if _ended(draft.state):
        draft.note("already_ended")
    else:
        draft.finish(Outcome.CONTACT_GONE)


def _address_bounced(draft: _Draft, message: m.AddressBounced) -> None:
    state = draft.state
    if state.outcome is not None or state.removed or state.closed:
        draft.note("already_ended")
    elif state.halt is not None:
        draft.note("already_halted")
    else:
        draft.change(halt=Halt(kind=HaltKind.NOT_SENT, reason="known_hard_bounce", at=draft.now, ref=message.origin))


def _account_reply(draft: _Draft, message: m.AccountReply) -> None:
    state, policy = draft.state, draft.state.policy
    if state.outcome is not None or state.removed or state.closed:
        draft.note("already_ended")
    elif policy.account_reply == "finish":
        draft.finish(Outcome.ACCOUNT_REPLIED)
    elif policy.account_reply == "pause":
        present = state.hold(HoldKind.ACCOUNT_REPLY)
        if present is not None and present.corrected:
            draft.note("corrected_by_person")
            return
        until = draft.now + timedelta(seconds=policy.account_reply_pause_seconds)
        draft.hold(Hold(kind=HoldKind.ACCOUNT_REPLY, by=message.by, at=draft.now, until=until, ref=message.origin))
    elif policy.account_reply == "not_sent":
        if state.halt is None:
            draft.change(
                halt=Halt(kind=HaltKind.NOT_SENT, reason="same_account_reply", at=draft.now, ref=message.origin)
            )
        else:
            draft.note("already_halted")
    else:
        draft.note("policy_continues")


def _out_of_office(draft: _Draft, message: m.OutOfOffice) -> None:
    state, policy = draft.state, draft.state.policy
    _settled_by_evidence(draft, message.message_id)
    fields = message.model_dump(mode="json", include={"return_date", "corrected", "present"})
    draft.fan_out("out_of_office", "contact", **fields)
    known = message.return_date is not None
    present = state.hold(HoldKind.OUT_OF_OFFICE)
    if message.return_date is not None:
        draft.data["return_date"] = message.return_date.isoformat()
    if state.outcome is not None or state.removed or state.closed:
        draft.note("already_ended")
        return
    if message.present:
        draft.drop_holds({HoldKind.OUT_OF_OFFICE})
        draft.due_again()
        return
    if not policy.pause_on_out_of_office:
        draft.note("policy_continues")
        return
    if present is not None and not message.corrected:
        if present.corrected:
            draft.note("corrected_by_person")
            return
        if not known and (present.until is not None or present.day is not None):
            draft.note("keeps_known_date")
            return
    default = policy.out_of_office_default_seconds
    until = draft.now + timedelta(seconds=default) if not known and default is not None else None
    draft.hold(
        Hold(
            kind=HoldKind.OUT_OF_OFFICE,
            by=message.by,
            at=message.at or draft.now,
            # The return day is kept as said; `record` adds the sequence's buffer and finds the window.
            day=message.return_date,
            until=until,
            buffered=known,
            corrected=message.corrected,
        )
    )


def _bounce(draft: _Draft, message: m.Bounce) -> None:
    _settled_by_bounce(draft, message)
    state = draft.state
    last = state.last_sent
    draft.data["kind"] = message.kind
    if message.code:
        draft.data["code"] = message.code
    if last is None or not _names(message, last) or _tried_again(state, last):
        draft.note("older_attempt")
        return
    if message.kind == "soft":
        draft.note("soft")
        return
    if message.kind == "hard_bounce":
        draft.effects.append(Effect(kind="address_bounced", step=last.step.id, attempt=last.attempt))
        draft.stage(StageEvent.BOUNCED)
        draft.fan_out("address_bounced", "address", last)
    if state.closed or state.removed or (state.outcome is not None and state.outcome is not Outcome.COMPLETED):
        draft.note("already_ended")
    elif state.halt is not None and state.halt.kind is not HaltKind.NOT_SENT:
        draft.note("already_bounced")
    else:
        halt = Halt(kind=HaltKind(message.kind), reason=message.kind, at=message.at or draft.now, ref=message.code)
        draft.change(
            halt=halt, step=last.step, attempt=last.attempt, advance=False, slot=None, outcome=None, settle_until=None
        )
        # That step was due long ago; `due` is the next one's, which is not the one to send again.
        draft.change(due=draft.now)
        draft.data.update(step=last.step.id, attempt=last.attempt)


def _names_other_step(state: EnrollmentState, message: m.Message) -> bool:
    if not isinstance(message, m.SendNow | m.Skip) or message.step is None:
        return False
    # A step that was skipped or settled is behind: it cannot be sent any more. To skip it again changes nothing.
    behind = state.advance and isinstance(message, m.SendNow)
    return behind or state.step is None or state.step.id != message.step


def may_overtake(state: EnrollmentState, message: m.Message, *, sending: bool) -> bool:
    """Whether a message may be of what an activity under way has brought about, whose answer it has overtaken: `deliver`
    (`sending`) or `reserve`. Both commit the next step before the workflow hears of it, and people see it at once."""
    return _names_other_step(state, message) or (sending and _is_of_email_under_way(state, message))


def _is_of_email_under_way(state: EnrollmentState, message: m.Message) -> bool:
    """Whether a bounce or a settlement may be of the email that is being sent."""
    if isinstance(message, m.SettleDelivery):
        return state.hold(HoldKind.DELIVERY_UNKNOWN) is None
    if not isinstance(message, m.Bounce):
        return False
    return state.last_sent is None or not _names(message, state.last_sent)


def _tried_again(state: EnrollmentState, last: Sent) -> bool:
    """Whether a further attempt at the step of the last email is under way: a late bounce of it changes nothing."""
    if state.hold(HoldKind.DELIVERY_UNKNOWN) is not None:
        # The email that may have left since is the last one now; going back behind it would lose what it is.
        return True
    return state.step is not None and state.step.id == last.step.id and state.attempt > last.attempt


def _names(message: m.Bounce, sent: Sent) -> bool:
    """Whether the bounce is of this email. One that names none is of the last."""
    if message.message_id is not None:
        return bare(message.message_id) == sent.message_id
    if message.step is not None:
        return message.step == sent.step.id and message.attempt in (None, sent.attempt)
    return True


# ---------------------------------------------------------------------------------------------------------------------
# Of the system


def _gate_opened(draft: _Draft, message: m.GateOpened) -> None:
    state = draft.state
    if message.gate == "mailbox" and message.key not in (None, state.mailbox):
        draft.note("other_mailbox")
        return
    if state.closed:
        draft.note("already_ended")
        return
    newest = max(state.gate_epoch(message.gate), message.epoch)
    gates = {**dict(state.gates), message.gate: newest}
    draft.change(gates=tuple(sorted(gates.items())))
    draft.data.update(gate=message.gate, epoch=message.epoch)
    waiting = {hold.kind for hold in state.holds if hold.gate == message.gate or hold.kind in _only_of(message.gate)}
    if waiting:
        draft.drop_holds(waiting)
        draft.due_again()


def _only_of(gate: str) -> tuple[HoldKind, ...]:
    return () if gate == "global" else tuple(kind for kind in GATE_HOLDS[gate] if kind is not HoldKind.SEQUENCE_OFF)


def _replanned(draft: _Draft, message: m.Replanned) -> None:
    """Take the earlier slot, which is booked already. A slot that was booked since the move stands: the calendar holds it."""
    state = draft.state
    present = state.slot
    if state.closed:
        draft.note("already_ended")
    elif present is None or state.step is None or not can_send(state):
        draft.note("no_slot")
    elif state.step.id != message.step or state.mailbox != message.mailbox:
        draft.note("other_slot")
    elif present.at <= message.slot or (message.before is not None and present.at > message.before):
        draft.note("not_earlier")
    else:
        draft.change(slot=Slot(at=message.slot, cause=message.cause))
        draft.data.update(step=message.step, slot=message.slot.isoformat(), before=present.at.isoformat())


def _cause_cleared(draft: _Draft, message: m.CauseCleared) -> None:
    state = draft.state
    halt = state.halt
    if state.closed:
        draft.note("already_ended")
    elif halt is not None and halt.kind is HaltKind.NOT_SENT and halt.reason == message.reason:
        _again(draft)
        draft.due_again()
    else:
        draft.note("cause_not_present")


def _close_settling(draft: _Draft, message: m.CloseSettling) -> None:
    if draft.state.settling:
        draft.change(closed=True, settle_until=None)
    else:
        draft.note("not_settling")


def _repaired(draft: _Draft, message: m.Repaired) -> None:
    """The version rises by this as by any message, and so the state is recorded over whatever the record says."""
    draft.data["differed"] = list(message.differed)


_HANDLERS: Mapping[type[m.Message], Callable[[_Draft, Any], None]] = {
    m.Pause: _pause,
    m.Resume: _resume,
    m.ResumeAt: _resume_at,
    m.SendNow: _send_now,
    m.Skip: _skip,
    m.Retry: _retry,
    m.Finish: _finish,
    m.Remove: _remove,
    m.SettleDelivery: _settle_delivery,
    m.Reply: _reply,
    m.OutOfOffice: _out_of_office,
    m.Bounce: _bounce,
    m.Unsubscribe: _unsubscribe,
    m.Complaint: _complaint,
    m.MeetingBooked: _meeting_booked,
    m.ContactGone: _contact_gone,
    m.AddressBounced: _address_bounced,
    m.AccountReply: _account_reply,
    m.GateOpened: _gate_opened,
    m.Replanned: _replanned,
    m.CauseCleared: _cause_cleared,
    m.CloseSettling: _close_settling,
    m.Repaired: _repaired,
}


def in_order(messages: list[M]) -> list[M]:
    """Messages that coincide, by precedence; equals keep the order they came in."""
    return sorted(messages, key=lambda message: message.rank)


# ---------------------------------------------------------------------------------------------------------------------
# Time


def wake_at(state: EnrollmentState) -> datetime | None:
    """When the enrollment does something by itself; None: it waits for a person or an event."""
    if state.closed:
        return None
    if state.settling:
        return state.settle_until
    if status(state) is Status.ACTIVE:
        return state.slot.at if state.slot else None
    ends = [end for end in (first_release(state), give_up_at(state)) if end is not None]
    return min(ends, default=None)


def give_up_at(state: EnrollmentState) -> datetime | None:
    """When a halted or held enrollment gives up, if its sequence says so; never for a manual hold or a switch."""
    seconds = state.policy.give_up_seconds
    never = {HoldKind.MANUAL, HoldKind.SEQUENCE_OFF}
    if seconds is None or state.outcome is not None or any(hold.kind in never for hold in state.holds):
        return None
    since = [hold.at for hold in state.holds] + ([state.halt.at] if state.halt else [])
    return max(since) + timedelta(seconds=seconds) if since else None


def pass_time(state: EnrollmentState, now: datetime) -> Decision:
    """What time alone does by `now`: dated holds end, the settle time ends, a give-up time ends the enrollment."""
    if state.closed:
        return Decision(state)
    changes: dict[str, Any] = {}
    log: list[LogEntry] = []
    effects: list[Effect] = []
    if state.settling and state.settle_until is not None and state.settle_until <= now:
        changes = {"outcome": Outcome.NO_REPLY, "closed": True, "settle_until": None}
        log.append(LogEntry(kind="settled", by="schedule", at=now, data={"outcome": Outcome.NO_REPLY.value}))
        effects.append(Effect(kind="stage", event=StageEvent.UNRESPONSIVE.value))
    ended = [hold for hold in state.holds if hold.until is not None and hold.until <= now]
    if ended:
        remaining = tuple(hold for hold in state.holds if hold not in ended)
        changes["holds"] = remaining
        log += [LogEntry(kind="hold_ended", by="schedule", at=now, data={"hold": hold.kind.value}) for hold in ended]
        if not remaining and state.halt is None:
            changes["due"] = max(state.due or now, now)
            changes["slot"] = None
    give_up = give_up_at(state)
    if not changes and give_up is not None and give_up <= now:
        changes = {"closed": True}
        log.append(LogEntry(kind="gave_up", by="schedule", at=now))
    if not changes:
        return Decision(state)
    changes["version"] = state.version + 1
    return Decision(state.model_copy(update=changes), tuple(log), tuple(effects))


# ---------------------------------------------------------------------------------------------------------------------
# Answers of activities. They keep `version`: the caller has set it (see workflows/enrollment.py).


def resolved(state: EnrollmentState, asked: EnrollmentState, until: Mapping[HoldKind, datetime]) -> EnrollmentState:
    """Put the instants that an activity computed for `asked` on those holds that are still the same."""
    if not until:
        return state
    holds = tuple(
        hold.model_copy(update={"until": until[hold.kind], "day": None, "buffered": False})
        if hold.kind in until and hold == asked.hold(hold.kind)
        else hold
        for hold in state.holds
    )
    return state.model_copy(update={"holds": holds})


def apply_reservation(state: EnrollmentState, asked: EnrollmentState, result: ReserveResult) -> EnrollmentState:
    """Take the slot that was reserved for `asked`. What moved the enrollment meanwhile wins: it is reserved for anew."""
    changes: dict[str, Any] = {}
    if result.policy is not None:
        changes.update(policy=result.policy, revision=result.revision or state.revision)
    if _place(state) != _place(asked):
        pass
    elif result.settle_until is not None:
        if state.outcome is None and not state.removed and state.halt is None:
            changes.update(
                outcome=Outcome.COMPLETED, settle_until=result.settle_until, slot=None, advance=False, holds=()
            )
    elif result.step is not None:
        moved = state.step is None or state.step.id != result.step.id or state.advance
        changes.update(step=result.step, due=result.due, slot=result.slot, advance=False, hurried=False)
        if moved:
            changes["attempt"] = 1
    return _tidy(state.model_copy(update=changes))


def _place(state: EnrollmentState) -> tuple[Any, ...]:
    """What a reservation was made for."""
    return (state.step, state.attempt, state.advance, state.due, state.hurried, state.mailbox, state.halt)


def apply_delivery(state: EnrollmentState, step: StepRef, attempt: int, result: DeliverResult) -> EnrollmentState:
    """Take what `deliver` says of `attempt` at `step`. Events that came meanwhile win: a finished one stays finished.

    `stopped` and `resync` change nothing here: the marks are applied as the messages they are.
    """
    changes: dict[str, Any] = {}
    if result.policy is not None:
        changes.update(policy=result.policy, revision=result.revision or state.revision)
    # `retry` may have been pressed meanwhile (Not Sent for an account's reply): the further attempt has not begun then.
    here = state.step is not None and state.step.id == step.id and state.attempt >= attempt
    open_here = here and state.outcome is None and not state.removed
    bounced = state.halt is not None and state.halt.kind is not HaltKind.NOT_SENT
    going = open_here and state.halt is None and state.attempt == attempt
    if result.outcome == "sent" and (here or state.outcome is not None or state.removed):
        # A bounce may have taken the enrollment back to an earlier step: then the ledger tells again when it comes here.
        changes.update(
            last_sent=Sent(step=step, attempt=attempt, message_id=result.message_id or ""), sent=state.sent + 1
        )
        if open_here and not bounced and result.step is not None:
            due = result.due or (result.slot.at if result.slot else None)
            changes.update(step=result.step, attempt=1, due=due, slot=result.slot, advance=False, hurried=False)
        elif open_here and not bounced:
            changes.update(
                outcome=Outcome.COMPLETED,
                settle_until=result.settle_until,
                slot=None,
                advance=False,
                holds=(),
                halt=None,
            )
    elif (
        result.outcome == "rejected"
        and open_here
        and not bounced
        and state.attempt == attempt
        and result.halt is not None
        and result.at is not None
    ):
        changes.update(
            last_sent=Sent(step=step, attempt=attempt, message_id=result.message_id or ""),
            halt=Halt(kind=result.halt, reason=result.halt.value, at=result.at, ref=result.code),
            advance=False,
        )
    elif result.outcome == "not_sent" and going and not state.advance and result.at is not None:
        halt = Halt(kind=HaltKind.NOT_SENT, reason=result.reason or "delivery_failed", at=result.at, ref=result.code)
        changes.update(halt=halt, advance=False)
    elif result.outcome == "unknown" and open_here and result.at is not None:
        # Even beside a pause: what became of the email must be settled before the step can be tried again.
        hold = Hold(kind=HoldKind.DELIVERY_UNKNOWN, by="system", at=result.at, ref=result.message_id)
        changes.update(holds=_with(state, hold), attempt=attempt, advance=False)
    elif result.outcome == "hold" and going and result.hold is not None and result.at is not None:
        changes.update(_parked(state, result))
    elif result.outcome in ("deferred", "wait") and going and can_send(state):
        changes.update(slot=result.slot)
    return _tidy(state.model_copy(update=changes))


def caught_up(state: EnrollmentState, attempt: int, result: DeliverResult) -> EnrollmentState:
    """A recorded state with the outcome of its step's newest attempt, as the ledger holds it, where the record has not heard
    of it: a change beside the email was recorded last (a pause, a skip, a halt, even a retry of it), and then the workflow was
    reset. An outcome that somebody settled has been heard."""
    step, last = state.step, state.last_sent
    heard = last is not None and step is not None and last.step.id == step.id and last.attempt >= attempt
    if step is None or heard or state.hold(HoldKind.DELIVERY_UNKNOWN) is not None:
        return state
    after = apply_delivery(state, step, attempt, result)
    return state if after == state else after.model_copy(update={"version": state.version + 1})


def _parked(state: EnrollmentState, result: DeliverResult) -> dict[str, Any]:
    """Park at a gate, unless it has opened since `deliver` looked: then ask for a slot again."""
    assert result.hold is not None
    assert result.at is not None
    if result.gate is not None and state.gate_epoch(result.gate) > (result.epoch or 0):
        return {"slot": None}
    hold = Hold(kind=result.hold, by="system", at=result.at, gate=result.gate, ref=result.code)
    return {"holds": _with(state, hold)}


def _with(state: EnrollmentState, hold: Hold) -> tuple[Hold, ...]:
    """The holds with this one in place of the one of its kind."""
    return (*(other for other in state.holds if other.kind is not hold.kind), hold)


def abandoned(state: EnrollmentState) -> EnrollmentState:
    """How an enrollment ends whose workflow is gone, terminated by hand say, so that nothing would go on: what was on its
    way is finished by hand (disposition `workflow_gone`); what is halted, finished or removed stays so."""
    ended: dict[str, Any] = {"closed": True, "slot": None, "version": state.version + 1}
    if status(state) in (Status.ACTIVE, Status.PAUSED):
        ended |= {"outcome": Outcome.MANUAL, "disposition": "workflow_gone", "holds": ()}
    return state.model_copy(update=ended)


def system_error(state: EnrollmentState, code: str, now: datetime) -> Decision:
    """Our own program failed for good at this enrollment: hold it for a person instead of trying for ever."""
    entry = LogEntry(kind="system_error", by="system", at=now, data={"code": code})
    if state.closed or state.outcome is not None or state.removed:
        return Decision(state, (entry,))
    hold = Hold(kind=HoldKind.SYSTEM_ERROR, by="system", at=now, ref=code)
    after = state.model_copy(update={"holds": _with(state, hold), "version": state.version + 1})
    return Decision(_tidy(after), (entry,))
