"""Every interleaving of messages, deliveries, reservations and passing time keeps the invariants (hypothesis).

The machine plays the workflow around the pure rules: at most one `deliver` or `reserve` runs at a time, messages come at
any moment, and a ledger remembers what became of each attempt, as PostgreSQL's does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain.delivery import DeliverResult, ReserveResult
from domain.explain import answer, details, explanation, headline, next_event
from domain.messages import COMMANDS, parse_message
from domain.sequences import StepRef
from domain.state import EnrollmentState, Slot, can_send, phase, reason, status, status_label
from domain.statuses import HaltKind, HoldKind, Outcome, Release, Status
from domain.transitions import (
    Decision,
    allowed_actions,
    apply,
    apply_delivery,
    apply_reservation,
    caught_up,
    pass_time,
    resolved,
    system_error,
    wake_at,
)
from tests.domain.states import DAY, NOW, TOTAL, active, bounced, message_id, not_sent, policy, settling, step, unknown

POLICIES = st.builds(
    policy,
    finish_on_reply=st.booleans(),
    finish_on_meeting=st.booleans(),
    pause_on_out_of_office=st.booleans(),
    account_reply=st.sampled_from(["nothing", "finish", "pause", "not_sent"]),
    account_reply_pause_seconds=st.just(86400.0),
    out_of_office_default_seconds=st.none() | st.just(3600.0),
    give_up_seconds=st.none() | st.just(5 * 86400.0),
)
MOMENTS = st.sampled_from(
    ["2026-11-30", "2026-12-02", "2026-12-05", "2026-12-03T10:00:00+01:00", "2026-11-01T00:00:00Z"]
)
EMAILS = st.sampled_from([f"<{message_id(step(n), a)}>" for n in (1, 2, 3) for a in (1, 2)])
IDS = st.none() | st.sampled_from(["m1", "m2", "m3"])
PEOPLE = st.sampled_from(["person:ana", "system", "key:7"])
PAYLOADS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "pause": st.fixed_dictionaries({}, optional={"until": MOMENTS}),
    "resume": st.fixed_dictionaries({}, optional={"mailbox": st.sampled_from(["mara", "nico"])}),
    "resume_at": st.fixed_dictionaries({"until": MOMENTS}),
    "send_now": st.fixed_dictionaries({}, optional={"step": st.sampled_from(["s1", "s2", "s3"])}),
    "skip": st.fixed_dictionaries({}, optional={"step": st.sampled_from(["s1", "s2", "s3"])}),
    "retry": st.fixed_dictionaries({}, optional={"mailbox": st.sampled_from(["mara", "nico"])}),
    "finish": st.fixed_dictionaries(
        {}, optional={"outcome": st.sampled_from(["manual", "replied"]), "disposition": st.just("no budget")}
    ),
    "remove": st.just({}),
    "settle_delivery": st.fixed_dictionaries({"verdict": st.sampled_from(["sent", "not_sent"])}),
    "reply": st.fixed_dictionaries(
        {}, optional={"message_id": EMAILS, "interest": st.sampled_from(["interested", "not_interested"])}
    ),
    "out_of_office": st.fixed_dictionaries(
        {}, optional={"return_date": MOMENTS, "message_id": EMAILS, "corrected": st.booleans()}
    ),
    "bounce": st.fixed_dictionaries(
        {"kind": st.sampled_from(["hard_bounce", "spam_block", "soft"])},
        optional={"message_id": EMAILS, "step": st.sampled_from(["s1", "s2", "s3"]), "attempt": st.integers(1, 3)},
    ),
    "unsubscribe": st.just({}),
    "complaint": st.just({}),
    "meeting_booked": st.just({}),
    "contact_gone": st.just({}),
    "account_reply": st.fixed_dictionaries({}, optional={"origin": st.just("e-2")}),
    "gate_opened": st.fixed_dictionaries(
        {"gate": st.sampled_from(["global", "sequence", "mailbox"]), "epoch": st.integers(1, 4)}
    ),
    "cause_cleared": st.fixed_dictionaries({"reason": st.sampled_from(["template_error", "mailbox_missing"])}),
    "close_settling": st.just({}),
    "replanned": st.fixed_dictionaries(
        {
            "mailbox": st.sampled_from(["mara", "nico"]),
            "step": st.sampled_from(["s1", "s2", "s3"]),
            "slot": st.sampled_from(["2026-11-01T00:00:00Z", "2026-12-01T10:00:00Z"]),
        },
        optional={"before": st.just("2026-12-02T10:00:00Z")},
    ),
    "repaired": st.just({}),
}
ENDINGS = ("finish", "remove", "reply", "unsubscribe", "complaint", "meeting_booked", "contact_gone")
"""Messages that mostly end it; said less often, so that the runs go deep."""
OTHERS = sorted(set(PAYLOADS) - set(ENDINGS))
RESULTS = ("sent", "rejected", "not_sent", "deferred", "wait", "hold", "unknown", "stopped", "resync")
FINAL = ("sent", "rejected", "unknown")
MAY_CHANGE = (None, Outcome.COMPLETED, Outcome.NO_REPLY)


class Enrollment(RuleBasedStateMachine):
    """One enrollment, with what the world knows of it."""

    @initialize(
        policy=POLICIES,
        start=st.sampled_from(["new", "second step", "bounced", "not sent", "unknown", "settling", "on its way"]),
    )
    def enroll(self, policy: Any, start: str) -> None:
        self.now = NOW
        states = {
            "new": active(1, slot=Slot(at=NOW), due=NOW),
            "second step": active(2, slot=Slot(at=NOW), due=NOW),
            "bounced": bounced(2),
            "not sent": not_sent(2, "template_error"),
            "unknown": unknown(2),
            "settling": settling(),
            "on its way": active(2, slot=Slot(at=NOW), due=NOW),
        }
        self.state = states[start].model_copy(update={"policy": policy})
        self.delivering: tuple[StepRef, int] | None = (step(2), 1) if start == "on its way" else None
        self.reserving: EnrollmentState | None = None
        self.ledger: dict[tuple[str, int], DeliverResult] = {
            (f"s{number}", 1): DeliverResult(outcome="sent") for number in range(1, self.state.sent + 1)
        }
        doubtful = {"bounced": "rejected", "unknown": "unknown"}.get(start)
        if doubtful is not None:
            self.ledger["s2", 1] = DeliverResult.model_validate({"outcome": doubtful, "at": NOW})
        self.settled: set[tuple[str, int]] = set()
        self.counted = self.state.sent
        self.epochs = {"sequence": 1, "mailbox": 1}

    # -- what can happen ----------------------------------------------------------------------------------------------

    def say(self, name: str, payload: dict[str, Any]) -> None:
        before = self.state
        message = parse_message(name, payload, strict=True)
        may = name not in COMMANDS or name in allowed_actions(before)
        decision = apply(before, message, self.now)
        again = parse_message(name, message.model_dump(mode="json"), strict=True)
        reread = EnrollmentState.model_validate_json(before.model_dump_json())
        assert again == message
        same = apply(reread, again, self.now)
        assert replace(same, refused=None) == replace(decision, refused=None), "JSON says the same"
        assert str(same.refused) == str(decision.refused)
        repeated = message.id is not None and message.id in before.seen
        if repeated:
            assert decision == Decision(before), "the same id has its effect once"
            return
        assert len(decision.log) == 1
        self.counted += sum(effect.kind == "settle" and effect.verdict == "sent" for effect in decision.effects)
        for effect in decision.effects:
            if effect.kind == "settle":
                key = (str(effect.step), int(effect.attempt or 0))
                assert self.ledger[key].outcome == "unknown", "settles the attempt that is unknown"
                assert key not in self.settled
                self.settled.add(key)
        assert len({effect.model_dump_json() for effect in decision.effects}) == len(decision.effects)
        if decision.refused is not None:
            assert decision.refused.allowed == allowed_actions(before)
            assert not decision.effects
            assert decision.state.model_copy(update={"seen": before.seen}) == before
            if decision.refused.code not in ("date_in_past", "other_step"):
                assert not may
            return
        assert may
        assert decision.state.version == before.version + 1
        if message.id is not None:
            assert apply(decision.state, message, self.now) == Decision(decision.state)
        self.become(decision.state, cause=name, by_person=name in COMMANDS or payload.get("corrected") is True)

    @rule(data=st.data(), name=st.sampled_from(OTHERS), id=IDS, by=PEOPLE)
    def something_is_said(self, data: st.DataObject, name: str, id: str | None, by: str) -> None:
        self.say(name, {**data.draw(PAYLOADS[name]), "by": by, **({"id": id} if id else {})})

    @rule(data=st.data(), name=st.sampled_from(ENDINGS), dice=st.integers(1, 8))
    def an_end_is_said(self, data: st.DataObject, name: str, dice: int) -> None:
        # Not an edge of the range: those come more often.
        if dice == 5 or self.state.closed:
            self.say(name, data.draw(PAYLOADS[name]))

    @precondition(lambda self: bool(allowed_actions(self.state)))
    @rule(data=st.data(), by=PEOPLE)
    def a_command_that_is_allowed(self, data: st.DataObject, by: str) -> None:
        names = [name for name in allowed_actions(self.state) if name not in ENDINGS and name != "pause"]
        if names:
            name = data.draw(st.sampled_from(names))
            self.say(name, {**data.draw(PAYLOADS[name]), "by": by})

    @precondition(lambda self: self.delivering is not None or self.may_deliver())
    @rule(data=st.data(), name=st.sampled_from(["bounce", "account_reply", "skip", "pause", "retry", "send_now"]))
    def something_is_said_beside_a_send(self, data: st.DataObject, name: str) -> None:
        if self.delivering is None:
            self.deliver_starts()
        self.say(name, data.draw(PAYLOADS[name]))

    @rule(hours=st.sampled_from([1, 20, 50]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        before = self.state
        decision = pass_time(before, self.now)
        assert (decision.state is before) == (not decision.log)
        assert decision.state.version == before.version + bool(decision.log)
        for gone in set(before.holds) - set(decision.state.holds):
            assert gone.released_by(Release.DATE)
            assert gone.until is not None
            assert gone.until <= self.now
        self.become(decision.state, cause="time")
        wake = wake_at(self.state)
        if status(self.state) is not Status.ACTIVE and wake is not None and wake <= self.now:
            again = pass_time(self.state, self.now)
            assert again.log, "a wake-up in the past does something: the workflow never spins"

    def may_deliver(self) -> bool:
        at_rest = self.delivering is None and self.reserving is None
        return at_rest and can_send(self.state) and self.state.slot is not None

    @precondition(lambda self: self.may_deliver())
    @rule()
    def deliver_starts(self) -> None:
        assert self.state.step is not None
        assert self.state.slot is not None
        self.now = max(self.now, self.state.slot.at)
        key = (self.state.step.id, self.state.attempt)
        assert key not in self.settled, "an attempt that was settled is never tried again"
        if key in self.ledger:
            earlier = self.ledger[key].outcome
            assert earlier in ("sent", "unknown"), f"an attempt that was {earlier} is never tried again"
        self.delivering = (self.state.step, self.state.attempt)

    @precondition(lambda self: self.delivering is not None)
    @rule(
        kind=st.sampled_from(RESULTS),
        bounce=st.sampled_from(list(HaltKind)[:2]),
        gate=st.sampled_from(["sequence", "mailbox"]),
    )
    def deliver_ends(self, kind: str, bounce: HaltKind, gate: str) -> None:
        ref, attempt, result = self._come_to_an_end(kind, bounce, gate)
        before = self.state
        assert DeliverResult.model_validate_json(result.model_dump_json()) == result
        after = apply_delivery(before, ref, attempt, result)
        assert after.version == before.version, "the caller sets the version"
        back_before = before.step is not None and before.step.number < ref.number
        if result.outcome == "sent" and not (back_before and _going(before)):
            self.counted += 1
        self.become(after, cause=result.outcome)
        if result.outcome == "unknown" and _going(after) and not back_before:
            assert after.hold(HoldKind.DELIVERY_UNKNOWN) is not None
        if result.outcome == "hold" and result.epoch is not None and result.gate is not None:
            newly = set(after.holds) - set(before.holds)
            assert not newly or before.gate_epoch(result.gate) <= result.epoch, "never parked on an older epoch"

    @precondition(lambda self: _going(self.state))
    @rule(kind=st.sampled_from(FINAL), bounce=st.sampled_from(list(HaltKind)[:2]))
    def it_is_reset(self, kind: str, bounce: HaltKind) -> None:
        """To its beginning: it goes on from the record and the ledger. An email under way comes to its end unheard."""
        unheard = None if self.delivering is None else self._come_to_an_end(kind, bounce, "sequence")
        self.reserving = None
        before = self.state
        assert before.step is not None
        own = (key for key in self.ledger if key[0] == before.step.id and key[1] <= before.attempt)
        newest = max(own, default=None)
        after = before
        if newest is not None and newest not in self.settled:
            after = caught_up(before, newest[1], self.ledger[newest])
        # A bounce beside an email may have taken it back to an earlier step: then the ledger tells when it comes here again.
        if unheard is None or before.step.number < unheard[0].number:
            assert after == before, "what was heard is not taken twice"
            return
        would = apply_delivery(before, *unheard)
        assert after.model_copy(update={"version": would.version}) == would, "as if it had heard"
        self.counted += unheard[2].outcome == "sent"
        self.become(after, cause=unheard[2].outcome)

    def _come_to_an_end(self, kind: str, bounce: HaltKind, gate: str) -> tuple[StepRef, int, DeliverResult]:
        """The email under way; the ledger knows of it from now on."""
        assert self.delivering is not None
        (ref, attempt), self.delivering = self.delivering, None
        result = self.ledger.get((ref.id, attempt)) or self._result(kind, ref, attempt, bounce, gate)
        if result.outcome in FINAL:
            self.ledger[ref.id, attempt] = result
        return ref, attempt, result

    def _result(self, kind: str, ref: StepRef, attempt: int, bounce: HaltKind, gate: str) -> DeliverResult:
        fields: dict[str, Any] = {"outcome": kind, "at": self.now, "message_id": message_id(ref, attempt)}
        later = Slot(at=self.now + DAY, cause="window")
        if kind == "sent" and ref.number < TOTAL:
            fields |= {"step": step(ref.number + 1), "due": self.now, "slot": later}
        elif kind == "sent":
            fields |= {"settle_until": self.now + 2 * DAY}
        elif kind == "rejected":
            fields |= {"halt": bounce, "code": "5.1.1"}
        elif kind == "not_sent":
            fields |= {"reason": "template_error"}
        elif kind in ("deferred", "wait"):
            fields |= {"slot": later}
        elif kind == "hold":
            hold = HoldKind.SEQUENCE_OFF if gate == "sequence" else HoldKind.MAILBOX_DOWN
            fields |= {"hold": hold, "gate": gate, "epoch": self.epochs[gate]}
            self.epochs[gate] = min(self.epochs[gate] + 1, 4)
        return DeliverResult.model_validate(fields)

    @precondition(
        lambda self: (
            self.delivering is None
            and self.reserving is None
            and status(self.state) is Status.ACTIVE
            and not self.state.closed
            and (self.state.slot is None or self.state.advance)
        )
    )
    @rule()
    def reserve_starts(self) -> None:
        self.reserving = self.state

    @precondition(lambda self: self.reserving is not None)
    @rule()
    def reserve_ends(self) -> None:
        asked, self.reserving = self.reserving, None
        assert asked is not None
        assert asked.step is not None
        number = asked.step.number + 1 if asked.advance else asked.step.number
        if number > TOTAL:
            result = ReserveResult(settle_until=self.now + 2 * DAY)
        else:
            due = asked.due or self.now
            result = ReserveResult(step=step(number), due=due, slot=Slot(at=max(due, self.now)))
        before = self.state
        after = apply_reservation(before, asked, result)
        if status(before) is Status.ACTIVE and before == asked and number <= TOTAL:
            assert can_send(after)
            assert after.slot is not None
        if (before.step, before.advance, before.hurried, before.halt) != (
            asked.step,
            asked.advance,
            asked.hurried,
            None,
        ):
            same = (after.step, after.attempt, after.advance, after.hurried)
            assert same == (before.step, before.attempt, before.advance, before.hurried), "what came meanwhile wins"
        self.become(after, cause="reserved")

    @precondition(lambda self: any(hold.day is not None for hold in self.state.holds))
    @rule()
    def dates_are_resolved(self) -> None:
        asked = self.state
        until = {hold.kind: _instant(hold.day) for hold in asked.holds if hold.day is not None}
        self.become(resolved(asked, asked, until), cause="resolved")

    @precondition(lambda self: self.delivering is None)
    @rule()
    def our_program_fails(self) -> None:
        if status(self.state) is Status.ACTIVE:
            self.become(system_error(self.state, "bug", self.now).state, cause="system_error")

    # -- what must always hold ----------------------------------------------------------------------------------------

    def become(self, after: EnrollmentState, *, cause: str, by_person: bool = False) -> None:
        before, self.state = self.state, after
        if after.advance and after.hurried and not (before.advance and before.hurried):
            assert cause == "send_now", "only who asks for the next step hurries it"
            assert before.advance
        now_ended = status(after) in (Status.FINISHED, Status.REMOVED)
        if before.outcome not in MAY_CHANGE:
            assert after.outcome == before.outcome, "finished for good"
        assert after.closed or not before.closed, "closed never reopens"
        assert after.removed or not before.removed
        if before.closed and not after.removed:
            assert status(after) in (status(before), Status.FINISHED)
        if not by_person and not now_ended and cause != "resolved":
            for hold in before.holds:
                if hold.corrected and not (cause == "time" and hold.until is not None and hold.until <= self.now):
                    assert hold in after.holds, f"{cause} took away what a person had set"
        if not by_person and cause in ("out_of_office", "account_reply"):
            for hold in before.holds:
                assert now_ended or after.hold(hold.kind) is not None, "a system hold clears no other"
        if cause == "resume":
            kept = {hold for hold in before.holds if not hold.released_by(Release.RESUME)}
            mailbox = {HoldKind.MAILBOX_DOWN, HoldKind.GUARDRAIL} if after.mailbox != before.mailbox else set()
            assert set(after.holds) == {hold for hold in kept if hold.kind not in mailbox}
        same_step = before.step is not None and after.step is not None and before.step.id == after.step.id
        if same_step and after.attempt > before.attempt:
            assert cause in ("retry", "resume", "settle_delivery", "cause_cleared")
            assert after.attempt == before.attempt + 1

    @invariant()
    def the_state_is_sound(self) -> None:
        if not hasattr(self, "state"):
            return
        state = self.state
        own = status(state)
        kinds = [hold.kind for hold in state.holds]
        assert len(kinds) == len(set(kinds)), "at most one hold of each kind"
        if own in (Status.FINISHED, Status.REMOVED):
            assert not state.holds
        assert own is _by_precedence(state)
        if own is not Status.ACTIVE:
            assert state.slot is None, "what stands still holds no slot"
            assert not can_send(state)
            assert phase(state, self.now) is None
        assert (reason(state) is None) == (own is Status.ACTIVE)
        assert state.sent == self.counted
        assert state.settling == (state.settle_until is not None)

    @invariant()
    def it_is_never_silent(self) -> None:
        if not hasattr(self, "state"):
            return
        state = self.state
        coming = next_event(state)
        assert coming["what"] in ("nothing", "settle", "reserve", "send", "resume", "wait")
        assert (coming["what"] == "nothing") == state.closed
        assert state.closed or coming.get("at") or coming.get("waits_for")
        assert coming.get("waits_for") != "its dates"
        assert explanation(state, self.now)["allowed"] == list(answer(state, self.now).allowed)
        assert details(state, self.now)
        assert headline(state)
        assert status_label(state)
        if not state.closed:
            assert allowed_actions(state)

    @invariant()
    def its_json_is_exact(self) -> None:
        if hasattr(self, "state"):
            assert EnrollmentState.model_validate_json(self.state.model_dump_json()) == self.state


def _going(state: EnrollmentState) -> bool:
    return status(state) not in (Status.FINISHED, Status.REMOVED)


def _by_precedence(state: EnrollmentState) -> Status:
    """Design section 3, spelled out once more: removed > finished > bounced > not sent > paused > active."""
    present = {
        Status.REMOVED: state.removed,
        Status.FINISHED: state.outcome is not None,
        Status.BOUNCED: state.halt is not None and state.halt.kind in (HaltKind.HARD_BOUNCE, HaltKind.SPAM_BLOCK),
        Status.NOT_SENT: state.halt is not None and state.halt.kind is HaltKind.NOT_SENT,
        Status.PAUSED: bool(state.holds),
        Status.ACTIVE: True,
    }
    return next(own for own, there in present.items() if there)


def _instant(day: Any) -> datetime:
    return day if isinstance(day, datetime) else datetime(day.year, day.month, day.day, 9, tzinfo=NOW.tzinfo)


# Nine seconds of work, and many times that on a machine that has others to do.
TestInterleavings = Enrollment.TestCase
TestInterleavings.settings = settings(
    deadline=None,
    max_examples=150,
    stateful_step_count=40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
TestInterleavings = pytest.mark.timeout(900)(TestInterleavings)
