"""Who may enter a sequence: each refusal, what overrides it, and what is only a warning."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from domain.entry import Elsewhere, EntryFacts, Refusal, examine
from domain.guards import ContactFacts
from domain.reasons import OVERRIDES, REFUSALS
from domain.sequences import Sequence, parse_definition
from tests.domain.states import DAY, NOW

CONTACT = ContactFacts(id="anna", stage="Cold", email="anna@acme.test", email_valid=True)


def sequence(**settings: Any) -> Sequence:
    return parse_definition(
        Sequence,
        {
            "id": "spring",
            "name": "Spring",
            "schedule": "office",
            "mailboxes": ["mara"],
            "steps": [{"id": "s1", "subject": "Hello", "text": "Hi"}],
            "settings": settings,
        },
    )


FREE = EntryFacts(now=NOW, contact=CONTACT, sequence=sequence())


def other(
    status: str, reason: str | None = None, *, open: bool = False, settling: bool = False, ended: datetime | None = None
) -> Elsewhere:
    return Elsewhere("e-9", "autumn", status, reason, open, settling, ended)


def contact(**changes: Any) -> dict[str, Any]:
    return {"contact": replace(CONTACT, **changes)}


CAUSES: dict[str, dict[str, Any]] = {
    "sequence_unknown": {"sequence": None},
    "contact_unknown": {"contact": None},
    "mailbox_unknown": {"mailbox_id": "nobody"},
    "already_in_sequence": {"here": (other("paused", "manual", open=True),)},
    "active_in_other_sequence": {"elsewhere": (other("bounced", "hard_bounce", open=True),)},
    "reenroll_not_allowed": {"sequence": sequence(reenroll="never"), "here": (other("finished", "manual", ended=NOW),)},
    "cooldown": {"sequence": sequence(cooldown="30d"), "here": (other("finished", "no_reply", ended=NOW - DAY),)},
    "contact_stage_excluded": contact(stage="Replied"),
    "account_stage_excluded": contact(account_stage="Current Client"),
    "previously_bounced": contact(email_status="bounced"),
    "unsubscribed": contact(suppressed="complained"),
    "suppressed": contact(suppressed="competitor"),
    "no_email": contact(email=None, email_valid=False),
    "email_invalid": contact(email="anna@", email_valid=False),
    "email_unverified": {"sequence": sequence(send_unverified=False), **contact(email_status="unverified")},
    "consent_missing": {"sequence": sequence(require_consent=True)},
    "contact_changed_job": contact(changed_job=True),
    "finished_in_other_sequence": {"elsewhere": (other("finished", "replied"),)},
}


def found(**changes: Any) -> tuple[Refusal, ...]:
    return examine(replace(FREE, **changes))


def test_nothing_stands_against_a_new_contact() -> None:
    assert found() == ()


def test_every_refusal_of_the_catalogue_is_tried_here() -> None:
    assert set(CAUSES) == set(REFUSALS)


@pytest.mark.parametrize("code", CAUSES)
def test_each_cause_is_refused_by_its_code_alone_with_a_fix(code: str) -> None:
    (refusal,) = found(**CAUSES[code])
    assert refusal.code == code
    shown = refusal.as_json()
    assert shown["message"]
    assert shown["fix"]


@pytest.mark.parametrize("code", CAUSES)
def test_an_override_counts_where_the_catalogue_has_one(code: str) -> None:
    rest = found(**CAUSES[code], overrides=frozenset({code}))
    if code in OVERRIDES:
        assert rest == ()
    else:
        assert [refusal.code for refusal in rest] == [code]


@pytest.mark.parametrize(
    "code", ["unsubscribed", "suppressed", "no_email", "previously_bounced", "already_in_sequence"]
)
def test_what_no_override_helps_against(code: str) -> None:
    assert code not in OVERRIDES
    assert found(**CAUSES[code])[0].as_json()["override"] is None


def test_a_refusal_names_the_other_sequence_and_the_true_state_there() -> None:
    (refusal,) = found(**CAUSES["active_in_other_sequence"])
    assert refusal.detail == {"sequence": "autumn", "status": "bounced", "reason": "hard_bounce", "enrollment": "e-9"}


def test_having_finished_elsewhere_is_a_warning_only() -> None:
    (warning,) = found(elsewhere=(other("finished", "manual"),))
    assert warning.warning
    assert warning.as_json()["override"] is None


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_a_settling_enrollment_does_not_count_as_active(where: str) -> None:
    settling = other("finished", "completed", open=True, settling=True)
    assert [refusal for refusal in found(**{where: (settling,)}) if not refusal.warning] == []


def test_removed_elsewhere_is_not_even_a_warning() -> None:
    assert found(elsewhere=(other("removed", "removed"),)) == ()


def test_a_sequence_may_allow_contacts_that_are_active_elsewhere() -> None:
    assert found(sequence=sequence(active_elsewhere="allow"), elsewhere=(other("active", open=True),)) == ()


def test_after_the_cooldown_the_contact_may_enter_again() -> None:
    assert found(sequence=sequence(cooldown="30d"), here=(other("finished", "no_reply", ended=NOW - 31 * DAY),)) == ()
    (refusal,) = found(**CAUSES["cooldown"])
    assert refusal.detail["until"] == (NOW + 29 * DAY).isoformat()


def test_several_causes_are_all_told() -> None:
    codes = [refusal.code for refusal in found(**contact(stage="Replied", email=None, email_valid=False))]
    assert codes == ["no_email", "contact_stage_excluded"]
