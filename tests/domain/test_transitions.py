"""What single events do to an enrollment: the rules of design section 3, case by case."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from domain.delivery import DeliverResult, ReserveResult
from domain.messages import COMMANDS, FACTS, MESSAGES, PRECEDENCE, parse_message
from domain.sequences import Policy
from domain.state import EnrollmentState, Hold, Slot, can_send, effective_status, status, status_label
from domain.statuses import RELEASES, HaltKind, HoldKind, Outcome, Release, Status
from domain.transitions import (
    allowed_actions,
    apply,
    apply_delivery,
    apply_reservation,
    caught_up,
    in_order,
    may_overtake,
    pass_time,
    resolved,
    system_error,
    wake_at,
)
from tests.domain.states import (
    DAY,
    NOW,
    active,
    bounced,
    delivered,
    held,
    message_id,
    not_sent,
    outcome_of,
    policy,
    say,
    sent,
    settling,
    step,
    told,
    unknown,
)

HOUR = timedelta(hours=1)
SITUATIONS: dict[str, EnrollmentState] = {
    "active": active(),
    "skipped, no slot yet": told(active(), "skip"),
    "paused": told(active(), "pause"),
    "mailbox down": held(HoldKind.MAILBOX_DOWN, gate="mailbox"),
    "sequence off": held(HoldKind.SEQUENCE_OFF, gate="sequence"),
    "system error": held(HoldKind.SYSTEM_ERROR),
    "unknown": unknown(),
    "unknown and paused": told(unknown(), "pause"),
    "unknown and not sent": delivered(
        say(active(policy=policy(account_reply="not_sent")), "account_reply").state, "unknown"
    ),
    "bounced": bounced(),
    "spam blocked and paused": told(bounced(kind="spam_block"), "pause"),
    "not sent": not_sent(),
    "not sent and paused": told(not_sent(), "pause"),
    "settling": settling(),
    "replied": told(active(), "reply"),
    "no reply": pass_time(settling(), NOW + 6 * DAY).state,
    "removed": told(active(), "remove"),
    "removed after the end": told(told(active(), "reply"), "remove"),
    "gave up": pass_time(not_sent().model_copy(update={"policy": policy(give_up_seconds=60.0)}), NOW + DAY).state,
}
FIELDS = {"resume_at": {"until": "2026-12-03"}, "settle_delivery": {"verdict": "sent"}}


# ---------------------------------------------------------------------------------------------------------------------
# What is allowed, and refusals


@pytest.mark.parametrize("situation", SITUATIONS)
@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_offered_is_accepted_and_nothing_else(situation: str, name: str) -> None:
    state = SITUATIONS[situation]
    decision = say(state, name, **FIELDS.get(name, {}))
    assert (decision.refused is None) == (name in allowed_actions(state)), decision.refused
    if decision.refused is not None:
        assert decision.state == state
        assert decision.refused.allowed == allowed_actions(state)
        assert [entry.kind for entry in decision.log] == [f"{name}_refused"]


@pytest.mark.parametrize("situation", [key for key, state in SITUATIONS.items() if not state.removed])
def test_every_enrollment_can_be_removed_and_every_open_one_offers_something_more(situation: str) -> None:
    state = SITUATIONS[situation]
    assert "remove" in allowed_actions(state)
    assert state.closed or len(allowed_actions(state)) > 1


@pytest.mark.parametrize(
    ("situation", "name", "code"),
    [
        ("active", "resume", "not_paused"),
        ("active", "resume_at", "not_paused"),
        ("mailbox down", "resume_at", "not_paused"),
        ("active", "retry", "not_halted"),
        ("active", "settle_delivery", "delivery_known"),
        ("not sent", "resume", "not_sent"),
        ("paused", "send_now", "not_active"),
        ("unknown", "skip", "delivery_unknown"),
        ("unknown and not sent", "retry", "delivery_unknown"),
        ("replied", "resume", "finished"),
        ("replied", "finish", "finished"),
        ("settling", "pause", "finished"),
        ("removed", "remove", "removed"),
        ("gave up", "retry", "closed"),
    ],
)
def test_refusals_have_stable_codes(situation: str, name: str, code: str) -> None:
    refused = say(SITUATIONS[situation], name, **FIELDS.get(name, {})).refused
    assert refused is not None
    assert refused.code == code


@pytest.mark.parametrize("name", ["send_now", "skip"])
def test_a_command_for_another_step_is_refused(name: str) -> None:
    """It was given before that step left, say; the one that stands there now was not meant."""
    state = SITUATIONS["active"]
    assert state.step is not None
    refused = say(state, name, step="s1").refused
    assert refused is not None
    assert (refused.code, refused.field) == ("other_step", "step")
    assert state.step.id in refused.message
    assert say(state, name, step=state.step.id).refused is None


def test_to_send_a_step_now_that_was_skipped_is_for_another_step() -> None:
    """Both given by people who saw step 2: step 3 keeps its wait."""
    skipped = say(active(2), "skip", step="s2").state
    late = say(skipped, "send_now", step="s2")
    assert late.refused is not None
    assert (late.refused.code, late.refused.field) == ("other_step", "step")
    assert not late.state.hurried
    assert may_overtake(skipped, parse_message("send_now", {"step": "s2"}, strict=True), sending=False)
    assert say(skipped, "skip", step="s2").refused is None
    assert say(skipped, "send_now").state.hurried


def test_what_was_hurried_is_the_step_that_is_left_behind() -> None:
    hurried = say(active(2), "send_now", step="s2").state
    assert not say(hurried, "skip", step="s2").state.hurried
    lost = delivered(hurried, "unknown")
    assert not say(lost, "settle_delivery", verdict="sent").state.hurried
    assert not say(lost, "reply", message_id=f"<{message_id(step(2), 1)}>").state.hurried


@pytest.mark.parametrize("until", ["2026-12-03", "2026-12-03T10:00:00+00:00"])
def test_the_story_of_a_pause_says_until_when(until: str) -> None:
    assert say(active(), "pause", until=until).log[0].data["until"] == until
    assert "until" not in say(active(), "pause").log[0].data


def test_a_command_for_the_next_step_waits_for_the_answer_that_brings_it() -> None:
    state = active(2)
    ahead, here = (parse_message("send_now", {"step": name}, strict=True) for name in ("s3", "s2"))
    for sending in (True, False):
        assert may_overtake(state, ahead, sending=sending)
        assert not may_overtake(state, here, sending=sending)
        assert not may_overtake(state, parse_message("skip", {}, strict=True), sending=sending)


OUTCOMES = [
    DeliverResult(outcome="sent", message_id=message_id(step(2), 1), step=step(3), due=NOW, slot=Slot(at=NOW)),
    DeliverResult(outcome="rejected", message_id=message_id(step(2), 1), halt=HaltKind.HARD_BOUNCE, at=NOW),
    DeliverResult(outcome="unknown", message_id=message_id(step(2), 1), at=NOW),
]


@pytest.mark.parametrize("result", OUTCOMES, ids=lambda result: result.outcome)
def test_a_record_catches_up_with_an_outcome_that_it_has_not_heard_of_once(result: DeliverResult) -> None:
    paused = told(active(2), "pause")
    after = caught_up(paused, 1, result)
    assert after.version == paused.version + 1
    assert after.holds[0].kind is HoldKind.MANUAL or after.halt is not None
    assert (after.last_sent, after.sent) == ((sent(2), 2) if result.outcome == "sent" else (after.last_sent, 1))
    heard = after.model_copy(update={"step": step(2)})
    assert caught_up(heard, 1, result) == heard


NOT_SENT_HERE = {"policy": policy(account_reply="not_sent")}


@pytest.mark.parametrize(
    "beside",
    [
        ("skip",),
        ("account_reply",),
        ("address_bounced",),
        ("account_reply", "retry"),
        ("account_reply", "skip"),
        ("finish",),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("result", OUTCOMES, ids=lambda result: result.outcome)
def test_a_record_catches_up_to_where_the_workflow_would_have_come(
    result: DeliverResult, beside: tuple[str, ...]
) -> None:
    recorded = told(active(2, **NOT_SENT_HERE), *beside)
    would = apply_delivery(recorded, step(2), 1, result)
    after = caught_up(recorded, 1, result)
    assert after.model_copy(update={"version": would.version}) == would
    if result.outcome == "sent":
        assert (after.last_sent, after.sent) == (sent(2), 2)
    if result.outcome == "unknown" and beside != ("finish",):
        assert "retry" not in allowed_actions(after)
        assert after.attempt == 1


@pytest.mark.parametrize("until", ["2026-11-29", "2026-12-01T08:59:59Z"])
@pytest.mark.parametrize("name", ["pause", "resume_at"])
def test_a_date_in_the_past_is_refused(name: str, until: str) -> None:
    refused = say(SITUATIONS["paused"], name, until=until).refused
    assert refused is not None
    assert (refused.code, refused.field) == ("date_in_past", "until")


def test_today_is_not_in_the_past_in_any_zone() -> None:
    assert say(SITUATIONS["active"], "pause", until="2026-12-01").refused is None


def test_the_same_id_has_its_effect_once() -> None:
    first = say(active(), "pause", id="m1", by="person:ana")
    again = say(told(first.state, "resume"), "pause", id="m1", by="person:ana")
    assert again.state == told(first.state, "resume")
    assert again.log == ()


# ---------------------------------------------------------------------------------------------------------------------
# Holds


def test_the_release_table() -> None:
    assert {kind for kind, by in RELEASES.items() if Release.RESUME in by} == {
        HoldKind.MANUAL,
        HoldKind.OUT_OF_OFFICE,
        HoldKind.ACCOUNT_REPLY,
        HoldKind.SYSTEM_ERROR,
    }
    assert RELEASES[HoldKind.DELIVERY_UNKNOWN] == {Release.SETTLEMENT}
    assert set(RELEASES) == set(HoldKind)


@pytest.mark.parametrize("kind", HoldKind)
def test_resume_releases_what_it_may_and_says_what_remains(kind: HoldKind) -> None:
    paused = told(held(kind), "pause")
    decision = say(paused, "resume")
    remaining = [] if Release.RESUME in RELEASES[kind] else [kind.value]
    assert [hold.kind.value for hold in decision.state.holds] == remaining
    assert decision.log[0].data.get("remaining_holds", []) == remaining


def test_resume_at_moves_every_hold_that_resume_could_clear_and_no_other() -> None:
    state = told(held(HoldKind.MAILBOX_DOWN, gate="mailbox"), "out_of_office", "pause")
    after = say(state, "resume_at", until="2026-12-07").state
    days = {hold.kind: hold.day for hold in after.holds}
    assert days == {
        HoldKind.MAILBOX_DOWN: None,
        HoldKind.OUT_OF_OFFICE: date(2026, 12, 7),
        HoldKind.MANUAL: date(2026, 12, 7),
    }
    until = datetime(2026, 12, 7, 8, tzinfo=UTC)
    known = resolved(after, after, {HoldKind.OUT_OF_OFFICE: until, HoldKind.MANUAL: until})
    later = pass_time(known, until).state
    assert [hold.kind for hold in later.holds] == [HoldKind.MAILBOX_DOWN]


def test_an_instant_computed_for_another_date_is_not_taken() -> None:
    asked = say(active(), "pause", until="2026-12-03").state
    since = say(asked, "pause", until="2026-12-09").state
    after = resolved(since, asked, {HoldKind.MANUAL: NOW + 2 * DAY})
    assert after.holds[0].day == date(2026, 12, 9)
    assert after.holds[0].until is None


def test_a_dated_pause_under_an_absence_ends_without_ending_the_absence() -> None:
    away = say(active(), "out_of_office", return_date="2026-12-20T00:00:00Z").state
    both = say(away, "pause", until="2026-12-02T00:00:00Z").state
    later = pass_time(both, NOW + DAY).state
    assert [hold.kind for hold in later.holds] == [HoldKind.OUT_OF_OFFICE]
    assert status(later) is Status.PAUSED


def test_a_hold_that_ends_under_a_halt_leaves_the_halt() -> None:
    state = say(bounced(), "pause", until=(NOW + HOUR).isoformat()).state
    later = pass_time(state, NOW + HOUR).state
    assert status(later) is Status.BOUNCED
    assert later.holds == ()
    assert later.due == state.due


def test_resume_keeps_the_original_due_time_or_takes_now() -> None:
    early = say(told(active(), "pause"), "resume", NOW + HOUR).state
    assert early.due == NOW + DAY
    late = say(told(active(), "pause"), "resume", NOW + 2 * DAY).state
    assert late.due == NOW + 2 * DAY
    assert late.slot is None


def test_an_absence_that_is_over_already_ends_at_once() -> None:
    state = say(active(), "out_of_office", return_date="2026-11-20").state
    known = resolved(state, state, {HoldKind.OUT_OF_OFFICE: NOW - 9 * DAY})
    assert wake_at(known) == NOW - 9 * DAY
    assert status(pass_time(known, NOW).state) is Status.ACTIVE


AWAY = {
    "none": active(),
    "no date": say(active(), "out_of_office").state,
    "a date": say(active(), "out_of_office", return_date="2026-12-10").state,
    "corrected": say(active(), "out_of_office", return_date="2026-12-10", corrected=True).state,
    "set by a person": say(told(active(), "out_of_office"), "resume_at", until="2026-12-10").state,
}


@pytest.mark.parametrize(
    ("present", "said", "day"),
    [
        ("none", {}, None),
        ("none", {"return_date": "2026-12-05"}, date(2026, 12, 5)),
        ("no date", {"return_date": "2026-12-05"}, date(2026, 12, 5)),
        ("a date", {}, date(2026, 12, 10)),
        ("a date", {"return_date": "2026-12-05"}, date(2026, 12, 5)),
        ("a date", {"corrected": True}, None),
        ("corrected", {"return_date": "2026-12-05"}, date(2026, 12, 10)),
        ("corrected", {"return_date": "2026-12-05", "corrected": True}, date(2026, 12, 5)),
        ("set by a person", {"return_date": "2026-12-05"}, date(2026, 12, 10)),
    ],
)
def test_which_absence_counts(present: str, said: dict[str, object], day: date | None) -> None:
    hold = say(AWAY[present], "out_of_office", **said).state.hold(HoldKind.OUT_OF_OFFICE)
    assert hold is not None
    assert hold.day == day


def test_an_absence_is_counted_with_the_buffer_and_a_persons_date_without() -> None:
    state = AWAY["a date"]
    assert state.holds[0].buffered
    assert not say(state, "resume_at", until="2026-12-12").state.holds[0].buffered


def test_an_absence_without_a_date_takes_the_default_of_the_sequence() -> None:
    state = say(active(policy=policy(out_of_office_default_seconds=3600.0)), "out_of_office").state
    assert state.holds[0].until == NOW + HOUR


def test_an_account_reply_leaves_a_date_that_a_person_set() -> None:
    pausing = active(policy=policy(account_reply="pause"))
    moved = say(told(pausing, "account_reply"), "resume_at", until="2026-12-04").state
    assert say(moved, "account_reply").state.holds == moved.holds


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("nothing", (Status.ACTIVE, None)),
        ("finish", (Status.FINISHED, Outcome.ACCOUNT_REPLIED)),
        ("pause", (Status.PAUSED, None)),
        ("not_sent", (Status.NOT_SENT, None)),
    ],
)
def test_the_account_reply_policies(rule: str, expected: tuple[Status, Outcome | None]) -> None:
    after = say(active(policy=policy(account_reply=rule)), "account_reply").state
    assert (status(after), after.outcome) == expected


# ---------------------------------------------------------------------------------------------------------------------
# Gates


def test_nobody_parks_on_an_older_epoch_than_was_seen() -> None:
    seen = say(active(), "gate_opened", gate="sequence", epoch=2).state
    assert status(delivered(seen, "hold", epoch=1)) is Status.ACTIVE
    assert delivered(seen, "hold", epoch=1).slot is None
    assert status(delivered(seen, "hold", epoch=3)) is Status.PAUSED


def test_an_opened_gate_releases_its_own_holds_only() -> None:
    parked = told(delivered(active(), "hold"), "pause")
    after = say(parked, "gate_opened", gate="sequence", epoch=2).state
    assert [hold.kind for hold in after.holds] == [HoldKind.MANUAL]
    globally = delivered(active(), "hold", gate="global", epoch=1)
    assert say(globally, "gate_opened", gate="sequence", epoch=9).state.holds == globally.holds


def test_another_mailbox_leaves_the_old_ones_hold_behind() -> None:
    down = delivered(active(), "hold", hold="mailbox_down", gate="mailbox", epoch=4)
    moved = say(down, "resume", mailbox="nico").state
    assert (moved.mailbox, moved.holds) == ("nico", ())
    assert say(moved, "gate_opened", gate="mailbox", epoch=9, key="mara").log[0].data["noted"] == "other_mailbox"


def test_a_closed_enrollment_is_not_woken() -> None:
    soon = {"policy": policy(give_up_seconds=60.0)}
    down = pass_time(held(HoldKind.MAILBOX_DOWN, gate="mailbox").model_copy(update=soon), NOW + DAY).state
    faulty = pass_time(not_sent(reason="template_error").model_copy(update=soon), NOW + DAY).state
    assert say(down, "gate_opened", gate="mailbox", epoch=1).state.holds == down.holds != ()
    assert say(faulty, "cause_cleared", reason="template_error").state.halt == faulty.halt is not None


def test_the_master_switch_shows_on_active_contacts_only() -> None:
    assert effective_status(Status.ACTIVE, switched_on=False) is Status.PAUSED
    for own in (Status.PAUSED, Status.BOUNCED, Status.NOT_SENT, Status.FINISHED, Status.REMOVED):
        assert effective_status(own, switched_on=False) is own


# ---------------------------------------------------------------------------------------------------------------------
# Bounces


def test_a_bounce_halts_and_resume_sends_the_same_step_again() -> None:
    decision = say(active(3), "bounce", message_id=f"<{message_id(step(2), 1)}>", code="5.1.1")
    state = decision.state
    assert (status(state), state.step, state.attempt, state.slot) == (Status.BOUNCED, step(2), 1, None)
    assert [effect.kind for effect in decision.effects] == ["address_bounced", "stage", "fan_out"]
    again = told(state, "resume")
    assert (status(again), again.step, again.attempt) == (Status.ACTIVE, step(2), 2)


def test_refused_as_spam_is_shown_as_spamblocked_and_marks_no_address() -> None:
    decision = say(active(), "bounce", kind="spam_block")
    assert status_label(decision.state) == "Spamblocked"
    assert decision.effects == ()


@pytest.mark.parametrize(
    "named", [{"message_id": message_id(step(1), 1)}, {"step": "s1", "attempt": 1}, {"step": "s1"}]
)
def test_a_bounce_of_an_older_email_is_only_recorded(named: dict[str, object]) -> None:
    decision = say(active(3), "bounce", **named)
    assert status(decision.state) is Status.ACTIVE
    assert decision.effects == ()
    assert decision.log[0].data["noted"] == "older_attempt"


def test_a_late_bounce_of_the_old_attempt_after_resume_is_only_recorded() -> None:
    again = told(bounced(), "resume")
    decision = say(again, "bounce", step="s2", attempt=1)
    assert status(decision.state) is Status.ACTIVE
    assert decision.effects == ()
    sent_again = delivered(again, "sent")
    assert say(sent_again, "bounce", step="s2", attempt=1).log[0].data["noted"] == "older_attempt"
    assert status(say(sent_again, "bounce", step="s2", attempt=2).state) is Status.BOUNCED


def test_a_bounce_withdraws_a_provisional_end() -> None:
    state = say(settling(), "bounce").state
    assert (status(state), state.outcome, state.settle_until, state.step) == (Status.BOUNCED, None, None, step(3))


def test_a_bounce_after_the_end_marks_the_address_and_changes_no_outcome() -> None:
    decision = say(SITUATIONS["no reply"], "bounce")
    assert decision.state.outcome is Outcome.NO_REPLY
    assert [effect.kind for effect in decision.effects] == ["address_bounced", "stage", "fan_out"]


def test_a_bounce_under_a_pause_is_kept_and_resume_answers_both() -> None:
    state = say(told(active(), "pause"), "bounce").state
    assert status(state) is Status.BOUNCED
    assert state.hold(HoldKind.MANUAL) is not None
    after = told(state, "resume")
    assert (status(after), after.attempt, after.step) == (Status.ACTIVE, 2, step(1))


def test_skip_leaves_the_bounced_step_out() -> None:
    after = told(bounced(), "skip")
    assert (status(after), after.advance, can_send(after)) == (Status.ACTIVE, True, False)
    moved = apply_reservation(after, after, ReserveResult(step=step(3), due=NOW, slot=Slot(at=NOW)))
    assert (moved.step, moved.attempt, moved.advance) == (step(3), 1, False)


def test_a_soft_bounce_changes_nothing() -> None:
    assert status(say(active(), "bounce", kind="soft").state) is Status.ACTIVE


# ---------------------------------------------------------------------------------------------------------------------
# Unknown deliveries


def test_what_is_unknown_waits_for_a_person() -> None:
    state = unknown()
    assert status(state) is Status.PAUSED
    assert [hold.kind for hold in told(state, "resume").holds] == [HoldKind.DELIVERY_UNKNOWN]
    settled = say(state, "settle_delivery", verdict="sent").state
    assert (settled.sent, settled.advance, settled.holds) == (2, True, ())
    assert settled.last_sent == sent(2)
    again = say(state, "settle_delivery", verdict="not_sent").state
    assert (again.sent, again.attempt, again.step) == (1, 2, step(2))


@pytest.mark.parametrize("evidence", ["reply", "out_of_office", "bounce"])
def test_mail_that_names_the_message_settles_it(evidence: str) -> None:
    decision = say(unknown(), evidence, message_id=f"<{message_id(step(2), 1)}>")
    assert decision.effects[0].kind == "settle"
    assert decision.effects[0].verdict == "sent"
    assert decision.state.hold(HoldKind.DELIVERY_UNKNOWN) is None
    assert decision.state.sent == 2


@pytest.mark.parametrize("named", [{"step": "s2", "attempt": 1}, {"step": "s2"}, {}])
def test_a_bounce_may_settle_it_by_step_or_as_the_last_one(named: dict[str, object]) -> None:
    state = say(unknown(), "bounce", **named).state
    assert (status(state), state.step, state.attempt, state.sent) == (Status.BOUNCED, step(2), 1, 2)


def test_a_bounce_of_the_email_before_leaves_the_unknown_one_to_be_settled() -> None:
    state = say(unknown(), "bounce", step="s1").state
    assert (status(state), state.step) == (Status.PAUSED, step(2))
    assert say(state, "settle_delivery", verdict="sent").state.last_sent == sent(2)


@pytest.mark.parametrize("event", ["contact_gone", "unsubscribe", "finish", "remove"])
def test_an_end_while_unknown_leaves_no_hold(event: str) -> None:
    state = told(unknown(), event)
    assert (state.closed, state.holds, state.sent) == (True, (), 1)


def test_a_reply_to_another_email_proves_nothing_about_the_unknown_one() -> None:
    decision = say(unknown(), "reply", message_id=message_id(step(1), 1))
    assert not [effect for effect in decision.effects if effect.kind == "settle"]


# ---------------------------------------------------------------------------------------------------------------------
# Events beside a running `deliver` or `reserve`


def test_sent_beside_a_pause_goes_to_the_next_step_and_stays_paused() -> None:
    state = delivered(told(active(), "pause"), "sent")
    assert (status(state), state.step, state.slot, state.sent) == (Status.PAUSED, step(3), None, 2)


def test_not_sent_for_an_accounts_reply_beside_a_send_that_left_is_about_the_next_step() -> None:
    stopped = say(active(policy=policy(account_reply="not_sent")), "account_reply").state
    state = delivered(stopped, "sent")
    assert (status(state), state.step, state.sent) == (Status.NOT_SENT, step(3), 2)


def test_retry_beside_a_send_never_makes_a_second_email_of_what_left_or_is_unknown() -> None:
    stopped = say(active(policy=policy(account_reply="not_sent")), "account_reply").state
    retried = told(stopped, "retry")
    assert retried.attempt == 2
    assert outcome_of(retried, step(2), 1, "sent").step == step(3)
    doubtful = outcome_of(retried, step(2), 1, "unknown")
    assert (doubtful.attempt, status(doubtful)) == (1, Status.PAUSED)


def test_skip_beside_a_send_counts_unless_the_email_left_or_came_back() -> None:
    skipped = told(active(), "skip")
    assert delivered(skipped, "not_sent").halt is None
    assert delivered(skipped, "not_sent").advance
    assert status(delivered(skipped, "rejected")) is Status.BOUNCED
    assert (delivered(skipped, "sent").step, delivered(skipped, "sent").advance) == (step(3), False)


def test_an_end_beside_a_send_stands_and_the_email_is_counted() -> None:
    replied = told(active(), "reply")
    for result in ("sent", "rejected", "not_sent", "unknown", "hold", "deferred"):
        after = delivered(replied, result)
        assert (after.outcome, after.halt, after.holds) == (Outcome.REPLIED, None, ())
    assert delivered(replied, "sent").sent == 2


def test_a_reservation_for_a_place_that_was_left_is_not_taken() -> None:
    asked = active(slot=None)
    result = ReserveResult(step=step(2), due=NOW + DAY, slot=Slot(at=NOW + DAY))
    for said in ("skip", "send_now"):
        moved = told(asked, said)
        after = apply_reservation(moved, asked, result)
        assert (after.step, after.due, after.advance, after.hurried, after.slot) == (
            moved.step,
            moved.due,
            moved.advance,
            moved.hurried,
            None,
        )
    back = say(asked, "bounce").state
    assert apply_reservation(back, asked, result).step == step(1)
    paused = told(asked, "pause")
    assert apply_reservation(paused, asked, result).slot is None


def test_our_own_failure_holds_an_open_enrollment_only() -> None:
    state = system_error(active(), "bug", NOW).state
    assert [hold.kind for hold in state.holds] == [HoldKind.SYSTEM_ERROR]
    assert status(told(state, "resume")) is Status.ACTIVE
    ended = told(active(), "reply")
    assert system_error(ended, "bug", NOW).state == ended


# ---------------------------------------------------------------------------------------------------------------------
# Ends


def test_completed_is_provisional_and_becomes_no_reply() -> None:
    state = settling()
    assert (state.outcome, state.closed, wake_at(state)) == (Outcome.COMPLETED, False, NOW + 5 * DAY)
    assert told(state, "reply").outcome is Outcome.REPLIED
    decision = pass_time(state, NOW + 5 * DAY)
    assert (decision.state.outcome, decision.state.closed) == (Outcome.NO_REPLY, True)
    assert [(effect.kind, effect.event) for effect in decision.effects] == [("stage", "unresponsive")]


def test_a_late_reply_amends_no_reply_and_restarts_nothing() -> None:
    after = told(SITUATIONS["no reply"], "reply")
    assert (after.outcome, after.closed) == (Outcome.REPLIED, True)


@pytest.mark.parametrize("late", [name for name in FACTS if name != "bounce"])
def test_a_final_outcome_is_never_changed_by_later_mail(late: str) -> None:
    ended = say(active(), "finish", disposition="no budget").state
    after = told(ended, late)
    assert (after.outcome, after.disposition, after.closed) == (Outcome.MANUAL, "no budget", True)


def test_finish_by_hand_closes_at_once_and_changes_no_stage() -> None:
    decision = say(settling(), "finish", outcome="interested")
    assert (decision.state.outcome, decision.state.closed, decision.effects) == (Outcome.INTERESTED, True, ())


def test_close_settling_keeps_the_provisional_outcome() -> None:
    after = told(settling(), "close_settling")
    assert (after.outcome, after.closed, after.settle_until) == (Outcome.COMPLETED, True, None)


def test_giving_up_spares_what_a_person_paused_and_a_switched_off_sequence() -> None:
    soon = policy(give_up_seconds=60.0)
    assert pass_time(not_sent().model_copy(update={"policy": soon}), NOW + HOUR).state.closed
    for spared in (told(not_sent(), "pause"), held(HoldKind.SEQUENCE_OFF, gate="sequence")):
        assert not pass_time(spared.model_copy(update={"policy": soon}), NOW + DAY).state.closed


def test_what_a_person_says_elsewhere_is_not_passed_on_again() -> None:
    first = say(active(), "unsubscribe", id="m1", by="inbound")
    fan_out = next(effect for effect in first.effects if effect.kind == "fan_out")
    payload = dict(fan_out.payload or {})
    assert (fan_out.scope, payload["origin"], payload["id"]) == ("contact", "e-1", "m1")
    other = active(enrollment="e-2")
    second = apply(other, parse_message("unsubscribe", payload, strict=True), NOW)
    assert second.state.outcome is Outcome.UNSUBSCRIBED
    assert not [effect for effect in second.effects if effect.kind == "fan_out"]


# ---------------------------------------------------------------------------------------------------------------------
# An earlier slot

MOVED = {"mailbox": "mara", "step": "s1", "slot": "2026-01-01T08:00:00Z"}


def test_an_earlier_slot_is_taken_unless_something_else_was_booked_since() -> None:
    state = active()
    assert state.slot is not None
    assert state.step is not None
    assert state.mailbox is not None
    moved = {"mailbox": state.mailbox, "step": state.step.id, "before": state.slot.at.isoformat()}
    at = state.slot.at - timedelta(hours=1)
    taken = say(state, "replanned", slot=at.isoformat(), cause="gap", **moved).state
    assert taken.slot == Slot(at=at, cause="gap")
    assert (taken.due, taken.step, status(taken)) == (state.due, state.step, Status.ACTIVE)
    later = state.model_copy(update={"slot": Slot(at=state.slot.at + timedelta(hours=1))})
    for other, noted, changes in (
        (state, "not_earlier", {"slot": state.slot.at.isoformat()}),
        (later, "not_earlier", {}),
        (state, "other_slot", {"step": "another"}),
        (state, "other_slot", {"mailbox": "another"}),
        (told(state, "pause"), "no_slot", {}),
    ):
        decision = say(other, "replanned", **{"slot": at.isoformat(), **moved, **changes})
        assert decision.log[0].data["noted"] == noted
        assert decision.state.slot == other.slot


# ---------------------------------------------------------------------------------------------------------------------
# Precedence


def test_what_coincides_goes_by_the_precedence_table() -> None:
    ranks = {name: row for row, names in enumerate(PRECEDENCE, start=1) for name in names if name in MESSAGES}
    assert ranks == {name: kind.rank for name, kind in MESSAGES.items()}
    backwards = [
        parse_message(
            name,
            {"gate": "global", "epoch": 1, "reason": "x", **MOVED, **FIELDS.get(name, {"until": "2026-12-09"})},
            strict=False,
        )
        for name in reversed(MESSAGES)
    ]
    ordered = [message.rank for message in in_order(backwards)]
    assert ordered == sorted(ordered)


def test_equals_keep_the_order_they_came_in() -> None:
    messages = [parse_message(name, {}, strict=True) for name in ("resume", "pause", "resume")]
    assert [message.name for message in in_order(messages)] == ["resume", "pause", "resume"]


def test_an_unsubscribe_that_comes_with_a_pause_wins() -> None:
    state = active()
    for message in in_order([parse_message(name, {}, strict=True) for name in ("pause", "reply", "unsubscribe")]):
        state = apply(state, message, NOW).state
    assert state.outcome is Outcome.UNSUBSCRIBED


@pytest.mark.parametrize("halt", [HaltKind.HARD_BOUNCE, HaltKind.SPAM_BLOCK])
def test_status_precedence(halt: HaltKind) -> None:
    everything = bounced(kind=halt.value).model_copy(
        update={"holds": (Hold(kind=HoldKind.MANUAL, by="person:ana", at=NOW),)}
    )
    assert status(everything) is Status.BOUNCED
    assert status(everything.model_copy(update={"outcome": Outcome.REPLIED})) is Status.FINISHED
    assert status(everything.model_copy(update={"outcome": Outcome.REPLIED, "removed": True})) is Status.REMOVED


def test_who_writes_by_hand_is_no_longer_absent_where_the_sequence_goes_on_after_replies() -> None:
    going_on = active().model_copy(update={"policy": Policy(finish_on_reply=False)})
    away = say(going_on, "out_of_office").state
    assert status(away) is Status.PAUSED
    back = say(away, "reply").state
    assert (status(back), back.holds) == (Status.ACTIVE, ())
    corrected = say(going_on, "out_of_office", corrected=True).state
    assert status(say(corrected, "reply").state) is Status.PAUSED
