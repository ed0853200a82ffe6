"""What follows from a mail, by its classification and by how surely it is matched."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from domain.consequences import Consequences, Match, MatchedBy, Told, consequences
from domain.inbound import Bounced, Kind, Meeting, Proposed, Reading, Return
from domain.sequences import Policy
from domain.state import EnrollmentState


def state(**policy: Any) -> EnrollmentState:
    return EnrollmentState(
        enrollment="0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071", sequence="spring", contact="anna", policy=Policy(**policy)
    )


def matched(by: MatchedBy = "answers", **changes: Any) -> Match:
    return Match(
        by, state(), **{"message_id": "s.1@x.test", "recipient": "anna@acme.test", "ledger": "sent", **changes}
    )


def read(kind: Kind, **changes: Any) -> Reading:
    return Reading(kind=kind, rule="test", **changes)


def bounced(cls: str, *, hard: bool = False) -> Reading:
    return read(Kind.BOUNCE, bounce=(Bounced(recipient="anna@acme.test", cls=cls, hard=hard, enhanced="5.9.9"),))


NAMED = {"message_id": "s.1@x.test"}


@pytest.mark.parametrize(
    ("reading", "told"),
    [
        (read(Kind.HUMAN_REPLY), Told("reply", NAMED)),
        (read(Kind.UNSUBSCRIBE), Told("unsubscribe")),
        (read(Kind.COMPLAINT), Told("complaint")),
        (read(Kind.CONTACT_GONE), Told("contact_gone")),
        (read(Kind.CALENDAR, meeting="accepted"), Told("meeting_booked")),
        (read(Kind.CALENDAR, meeting="request"), Told("reply", NAMED)),
        (read(Kind.CALENDAR, meeting="counter"), Told("reply", NAMED)),
        (
            read(Kind.OUT_OF_OFFICE, return_=Return(status="date", date=date(2026, 3, 16))),
            Told("out_of_office", {**NAMED, "return_date": "2026-03-16"}),
        ),
        (bounced("hard_invalid", hard=True), Told("bounce", {"kind": "hard_bounce", "code": "5.9.9", **NAMED})),
        (bounced("spam_block"), Told("bounce", {"kind": "spam_block", "code": "spam_block", **NAMED})),
        (bounced("auth_failure"), Told("bounce", {"kind": "spam_block", "code": "auth_failure", **NAMED})),
        (bounced("mailbox_full"), Told("bounce", {"kind": "soft", "code": "mailbox_full", **NAMED})),
    ],
)
def test_each_kind_tells_its_enrollment_one_thing(reading: Reading, told: Told) -> None:
    assert consequences(reading, matched()).told == (told,)


@pytest.mark.parametrize("meeting", ["declined", "tentative", "cancelled"])
def test_a_meeting_that_is_not_accepted_is_only_noted(meeting: Meeting) -> None:
    assert consequences(read(Kind.CALENDAR, meeting=meeting), matched()) == Consequences(note=True)


@pytest.mark.parametrize(
    "kind",
    [Kind.DELAYED, Kind.DELIVERED, Kind.READ_RECEIPT, Kind.ACKNOWLEDGEMENT, Kind.OTHER_AUTOMATIC, Kind.LIST],
)
def test_what_says_nothing_of_the_person_is_only_noted(kind: Kind) -> None:
    assert consequences(read(kind), matched()) == Consequences(note=True)


@pytest.mark.parametrize("kind", [Kind.DELAYED, Kind.DELIVERED, Kind.READ_RECEIPT, Kind.ACKNOWLEDGEMENT])
def test_what_names_an_unknown_email_proves_that_it_left(kind: Kind) -> None:
    told = consequences(read(kind), matched(ledger="unknown")).told
    assert told == (Told("settle_delivery", {"verdict": "sent"}),)


@pytest.mark.parametrize("kind", [Kind.ADDRESS_CHANGED, Kind.UNMONITORED, Kind.CHALLENGE])
def test_an_answer_that_pauses_proves_it_too(kind: Kind) -> None:
    told = consequences(read(kind), matched(ledger="unknown")).told
    assert [one.name for one in told] == ["settle_delivery", "pause"]
    assert [one.name for one in consequences(read(kind), matched("address", ledger="unknown")).told] == ["pause"]


def test_a_soft_bounce_of_an_unknown_email_proves_that_it_left() -> None:
    told = consequences(bounced("mailbox_full"), matched(ledger="unknown")).told
    assert [one.name for one in told] == ["settle_delivery", "bounce"]


@pytest.mark.parametrize("cls", ["hard_invalid", "spam_block", "mailbox_full"])
def test_a_bounce_matched_by_address_alone_may_be_forged_and_tells_nobody(cls: str) -> None:
    found = consequences(bounced(cls, hard=cls == "hard_invalid"), matched("address"))
    assert found == Consequences(note=True, needs="unproven_bounce")


def test_the_third_soft_bounce_of_an_address_in_a_month_pauses_its_enrollments_for_a_person() -> None:
    assert consequences(bounced("mailbox_full"), matched(soft=1)).needs is None
    found = consequences(bounced("mailbox_full"), matched(soft=2))
    assert found.told[-1] == Told("pause", everywhere=True)
    assert found.needs == "soft_bounces"


@pytest.mark.parametrize("status", ["ambiguous", "vague", "past", "too_far", "invalid", "none"])
def test_an_absence_whose_day_is_not_sure_is_never_told_a_day(status: Any) -> None:
    reading = read(Kind.OUT_OF_OFFICE, return_=Return(status=status, candidates=(date(2026, 4, 5),)))
    found = consequences(reading, matched())
    assert found.told == (Told("out_of_office", NAMED),)
    assert found.needs == "return_date"


def test_a_sequence_with_a_pause_for_unknown_days_needs_nobody() -> None:
    match = Match("answers", state(out_of_office_default_seconds=86400.0))
    assert consequences(read(Kind.OUT_OF_OFFICE), match).needs is None


@pytest.mark.parametrize("kind", [Kind.ADDRESS_CHANGED, Kind.UNMONITORED, Kind.CHALLENGE])
def test_an_address_that_nobody_reads_stands_still_until_a_person_decides(kind: Kind) -> None:
    found = consequences(read(kind), matched())
    assert found.told == (Told("pause", everywhere=True),)
    assert found.needs == kind.value


def test_who_is_named_instead_is_shown_to_a_person() -> None:
    named = (Proposed(address="carla@acme.test"),)
    assert consequences(read(Kind.CONTACT_GONE, proposed=named), matched()).needs == "new_contact"
    assert consequences(read(Kind.ADDRESS_CHANGED, proposed=named), matched()).needs == "new_address"


def test_only_mail_that_somebody_may_be_waiting_for_asks_for_a_person_when_it_is_nobodys() -> None:
    asked = {kind for kind in Kind if consequences(read(kind), None).needs == "unmatched"}
    assert Kind.HUMAN_REPLY in asked
    assert Kind.BOUNCE in asked
    assert not asked & {Kind.LIST, Kind.OWN, Kind.OTHER_AUTOMATIC, Kind.READ_RECEIPT, Kind.DELIVERED, Kind.DELAYED}
