"""Every guard by itself, their order, and what each failure says would have to change."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from domain.guards import ContactFacts, Facts, MailboxFacts, evaluate
from domain.reasons import CATALOGUE, NOT_SENT
from domain.sequences import SequenceSettings, Step, parse_definition
from domain.statuses import HoldKind
from tests.domain.states import DAY, NOW

STEP = parse_definition(Step, {"id": "s1", "subject": "Hello", "text": "Hi", "expires_after": "2d"})
CONTACT = ContactFacts(
    id="anna", stage="Cold", email="anna@acme.test", email_valid=True, account="acme", account_stage="Cold"
)
CLEAR = Facts(
    now=NOW,
    contact=CONTACT,
    mailbox=MailboxFacts("mara"),
    settings=SequenceSettings(),
    enrollment="e-1",
    step=STEP,
    due=NOW,
)
STRICT = SequenceSettings(send_unverified=False, require_consent=True)


def contact(**changes: Any) -> dict[str, Any]:
    return {"contact": replace(CONTACT, **changes)}


# In the order in which the guards look: the guard, one change that it objects to, its verdict and reason.
CAUSES: list[tuple[str, dict[str, Any], str, str]] = [
    ("stop_mark", {"pending_marks": ("reply",)}, "stop", "reply"),
    ("global_switch", {"global_on": False}, "hold", "sequence_off"),
    ("sequence_switch", {"sequence_on": False}, "hold", "sequence_off"),
    ("opted_in", contact(suppressed="unsubscribed"), "not_sent", "unsubscribed"),
    ("not_suppressed", contact(suppressed="competitor"), "not_sent", "suppressed"),
    ("address_present", contact(email=None, email_valid=False), "not_sent", "no_email"),
    ("address_valid", contact(email="anna@", email_valid=False), "not_sent", "email_invalid"),
    ("address_alive", contact(email_status="bounced"), "not_sent", "known_hard_bounce"),
    (
        "address_verified",
        {"settings": SequenceSettings(send_unverified=False), **contact(email_status="unverified")},
        "not_sent",
        "email_unverified",
    ),
    ("consent", {"settings": SequenceSettings(require_consent=True)}, "not_sent", "consent_missing"),
    ("same_job", contact(changed_job=True), "not_sent", "contact_changed_job"),
    ("contact_stage", contact(stage="Do Not Contact"), "not_sent", "contact_stage_excluded"),
    ("account_stage", contact(account_stage="Current Client"), "not_sent", "account_stage_excluded"),
    ("in_time", {"now": NOW + 3 * DAY}, "not_sent", "step_expired"),
    (
        "thread",
        {"step": parse_definition(Step, {"id": "s2", "thread": "reply", "text": "Hi", "expires_after": "2d"})},
        "not_sent",
        "thread_original_missing",
    ),
    ("template", {"template_error": "line 1: unexpected end"}, "not_sent", "template_error"),
    ("variables", {"missing_variables": ("contact.first_name",)}, "not_sent", "variable_missing"),
    ("mailbox", {"mailbox": MailboxFacts("mara", listed=False)}, "not_sent", "mailbox_missing"),
    ("mailbox_able", {"mailbox": MailboxFacts("mara", state="down")}, "hold", "mailbox_down"),
]


def test_the_order_is_fixed_and_all_are_evaluated() -> None:
    trace = evaluate(CLEAR)
    assert [check.guard for check in trace.checks] == [guard for guard, *_ in CAUSES]
    assert trace.failed is None
    assert all(check.passed for check in trace.checks)


@pytest.mark.parametrize(("guard", "change", "verdict", "reason"), CAUSES)
def test_each_guard_fails_for_its_cause_alone_and_removing_it_flips_the_verdict(
    guard: str, change: dict[str, Any], verdict: str, reason: str
) -> None:
    trace = evaluate(replace(CLEAR, **change))
    assert [check.guard for check in trace.checks if not check.passed] == [guard]
    failed = trace.failed
    assert failed is not None
    assert (failed.verdict, failed.reason) == (verdict, reason)
    assert failed.change
    assert failed.as_json()["change"] == failed.change
    assert evaluate(CLEAR).failed is None


def _changed(cause: Any) -> dict[str, Any]:
    """The contact's facts that a cause sets."""
    contact = cause[1].get("contact", CONTACT)
    return {key: value for key, value in vars(contact).items() if value != vars(CONTACT)[key]}


# Two causes in one fact (an address both unverified and bounced) cannot be true at once.
PAIRS = [
    (first, second)
    for first, second in itertools.combinations(CAUSES, 2)
    if not _changed(first).keys() & _changed(second).keys()
]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_the_first_failure_decides(first: Any, second: Any) -> None:
    both = {**second[1], **first[1]}
    if "contact" in first[1] and "contact" in second[1]:
        both["contact"] = replace(first[1]["contact"], **_changed(second))
    failed = evaluate(replace(CLEAR, **both)).failed
    assert failed is not None
    assert failed.guard == first[0]


def test_the_exceptions_are_apollos_by_default_and_case_does_not_matter() -> None:
    settings = SequenceSettings()
    assert settings.excluded_contact_stages == ("Replied", "Interested", "Do Not Contact", "Bad Data")
    assert settings.excluded_account_stages == (
        "Current Client",
        "Active Opportunity",
        "Dead Opportunity",
        "Do Not Prospect",
    )
    for stage in settings.excluded_contact_stages:
        assert _reason(**contact(stage=stage.upper())) == "contact_stage_excluded"
    for stage in settings.excluded_account_stages:
        assert _reason(**contact(account_stage=stage.lower())) == "account_stage_excluded"
    assert _reason(**contact(account=None, account_stage=None)) is None


def test_an_override_accepts_the_stage_it_was_given_for_and_no_later_one() -> None:
    accepted = {"overrides": frozenset({"contact_stage_excluded"}), "admitted_stage": "Replied"}
    assert _reason(**accepted, **contact(stage="Replied")) is None
    assert _reason(**accepted, **contact(stage="Do Not Contact")) == "contact_stage_excluded"
    account = {"overrides": frozenset({"account_stage_excluded"}), "admitted_account_stage": "Current Client"}
    assert _reason(**account, **contact(account_stage="Current Client")) is None
    assert _reason(**account, **contact(account_stage="Do Not Prospect")) == "account_stage_excluded"


def test_a_stage_set_by_the_enrollments_own_event_does_not_stop_it() -> None:
    assert _reason(**contact(stage="Bad Data", stage_set_by="e-1")) is None
    assert _reason(**contact(stage="Bad Data", stage_set_by="e-2")) == "contact_stage_excluded"


def test_overrides_for_the_address_and_the_job() -> None:
    over = {
        "overrides": frozenset({"email_unverified", "contact_changed_job"}),
        "settings": SequenceSettings(send_unverified=False),
    }
    assert _reason(**over, **contact(email_status="unverified", changed_job=True)) is None


@pytest.mark.parametrize("suppressed", ["unsubscribed", "complained"])
def test_nothing_overrides_an_opt_out(suppressed: str) -> None:
    every = {"overrides": frozenset(NOT_SENT)}
    assert _reason(**every, **contact(suppressed=suppressed)) == "unsubscribed"


def test_a_step_expires_after_its_due_time_and_a_retry_does_not() -> None:
    assert _reason(now=NOW + 2 * DAY) is None
    assert _reason(now=NOW + 2 * DAY + timedelta(seconds=1)) == "step_expired"
    assert _reason(now=NOW + 9 * DAY, expires=False) is None


def test_a_reply_step_passes_once_there_is_a_thread() -> None:
    step = parse_definition(Step, {"id": "s2", "thread": "reply", "text": "Hi"})
    assert _reason(step=step, has_thread=True) is None


@pytest.mark.parametrize(
    ("state", "kind"),
    [("down", HoldKind.MAILBOX_DOWN), ("paused", HoldKind.MAILBOX_DOWN), ("guardrail", HoldKind.GUARDRAIL)],
)
def test_an_unable_mailbox_holds_at_its_gate_with_its_epoch(state: str, kind: HoldKind) -> None:
    failed = evaluate(replace(CLEAR, mailbox=MailboxFacts("mara", state=state, epoch=4))).failed
    assert failed is not None
    assert (failed.hold, failed.gate, failed.epoch) == (kind, "mailbox", 4)


def test_a_mailbox_that_is_gone_is_not_sent() -> None:
    assert _reason(mailbox=None) == "mailbox_missing"


def test_every_reason_a_guard_gives_is_in_the_catalogue() -> None:
    for _, _, verdict, reason in CAUSES:
        if verdict != "stop":
            assert (verdict, reason) in CATALOGUE


def _reason(**changes: Any) -> str | None:
    failed = evaluate(replace(CLEAR, **changes)).failed
    return failed.reason if failed else None
