"""The catalogue is complete, and docs/reasons.md is what it generates."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from domain.capacity import Cause
from domain.reasons import _ALL, CATALOGUE, CLEARED_BY_FACTS, HEALING, NOT_SENT, as_markdown, find
from domain.statuses import HaltKind, HoldKind, Outcome, Phase

ROOT = Path(__file__).parents[2]


def test_the_page_is_the_one_that_the_catalogue_generates() -> None:
    page = (ROOT / "docs" / "reasons.md").read_text()
    assert page == as_markdown(), "run: python -m domain.reasons > docs/reasons.md"


def test_every_hold_halt_and_outcome_has_its_reason() -> None:
    assert {code for group, code in CATALOGUE if group == "hold"} == {kind.value for kind in HoldKind}
    assert {code for group, code in CATALOGUE if group == "finished"} == {one.value for one in Outcome}
    assert {code for group, code in CATALOGUE if group == "bounced"} == {
        kind.value for kind in HaltKind if kind is not HaltKind.NOT_SENT
    }


def test_no_code_stands_twice_in_a_group() -> None:
    assert len(CATALOGUE) == len(_ALL)


def test_every_entry_says_what_who_and_how() -> None:
    for reason in _ALL:
        assert re.fullmatch(r"[a-z0-9_]+", reason.code)
        assert reason.sentence[0].isupper()
        assert reason.sentence.endswith(".")
        assert reason.who
        assert reason.fix
        assert not reason.fix.endswith(".")
        assert "|" not in reason.sentence + reason.fix + reason.who


def test_only_our_own_faults_heal_by_themselves() -> None:
    assert {"template_error", "mailbox_missing"} == HEALING
    assert set(CLEARED_BY_FACTS) <= set(NOT_SENT)
    assert not HEALING & set(CLEARED_BY_FACTS)


def test_the_not_sent_reasons_are_those_of_the_design() -> None:
    assert set(NOT_SENT) == {
        "contact_stage_excluded",
        "account_stage_excluded",
        "same_account_reply",
        "no_email",
        "email_invalid",
        "email_unverified",
        "unsubscribed",
        "suppressed",
        "known_hard_bounce",
        "variable_missing",
        "template_error",
        "thread_original_missing",
        "mailbox_missing",
        "step_expired",
        "contact_changed_job",
        "delivery_failed",
        "content_rejected",
        "consent_missing",
    }


def test_every_reason_that_the_code_gives_by_name_is_in_the_catalogue() -> None:
    deliver = (ROOT / "activities" / "deliver.py").read_text()
    guards = (ROOT / "domain" / "guards.py").read_text()
    named = set(re.findall(r'_given_up\([^)]*?"([a-z_]+)"', deliver))
    named |= set(re.findall(r'^\s+"([a-z_]+)",\n\s+\)$', guards, re.M))
    assert {"delivery_failed", "content_rejected", "step_expired"} <= named
    for code in named:
        assert code in NOT_SENT, code


def test_every_wait_that_the_calendar_gives_is_in_the_catalogue() -> None:
    causes = {*get_args(Cause), Phase.DELAY.value, Phase.WINDOW.value, "deferred"}
    for code in causes:
        assert find("wait", code).heals


def test_an_unknown_code_is_a_defect() -> None:
    with pytest.raises(KeyError):
        find("hold", "nothing")
