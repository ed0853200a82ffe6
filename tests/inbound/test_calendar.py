"""Invitations and the answers to them: which meeting it is, from the calendar part and, failing that, from the subject."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from domain.inbound import Kind
from mail.inbound import read
from tests.inbound.letters import said

EVENT = """BEGIN:VCALENDAR\r
METHOD:{method}\r
BEGIN:VEVENT\r
UID:7c1\r
ATTENDEE;CN="Dana Whitfield";ROLE=REQ-PARTICIPANT;RSVP=FALSE;X-NUM=\r
 0;PARTSTAT={status}:mailto:dana@customer.example\r
DTSTART:20260921T120000Z\r
END:VEVENT\r
END:VCALENDAR\r
"""


def invitation(method: str, status: str = "NEEDS-ACTION", subject: str = "Intro call", body: str = "") -> bytes:
    """A mail with a calendar part."""
    message = EmailMessage()
    message["From"] = "dana@customer.example"
    message["Subject"] = subject
    message.set_content(body or "When: Monday, 2pm")
    message.add_alternative(EVENT.format(method=method, status=status), subtype="calendar", params={"method": method})
    return message.as_bytes()


@pytest.mark.parametrize(
    ("method", "status", "meeting"),
    [
        ("REPLY", "ACCEPTED", "accepted"),
        ("REPLY", "DECLINED", "declined"),
        ("REPLY", "TENTATIVE", "tentative"),
        ("REQUEST", "NEEDS-ACTION", "request"),
        ("COUNTER", "TENTATIVE", "counter"),
        ("CANCEL", "ACCEPTED", "cancelled"),
    ],
)
def test_the_method_and_the_answer(method: str, status: str, meeting: str) -> None:
    reading = read(invitation(method, status))
    assert (reading.kind, reading.meeting) == (Kind.CALENDAR, meeting)


def test_declined_for_an_absence_is_no_absence() -> None:
    body = "I am out of the office until 21 September."
    reading = read(invitation("REPLY", "DECLINED", "Declined: Intro call", body))
    assert (reading.kind, reading.meeting, reading.return_.status) == (Kind.CALENDAR, "declined", "none")


@pytest.mark.parametrize(
    ("subject", "meeting"),
    [
        ("Accepted: Intro call @ Mon Sep 21, 2026 2pm", "accepted"),
        ("Zugesagt: Kennenlernen", "accepted"),
        ("Refusé : Appel", "declined"),
        ("Tentative: Intro call", "tentative"),
        ("承諾: 打ち合わせ", "accepted"),
    ],
)
def test_the_subject_where_the_part_says_nothing(subject: str, meeting: str) -> None:
    reading = said("Dana has answered.", subject, Content_Class="urn:content-classes:calendarmessage")
    assert (reading.kind, reading.meeting) == (Kind.CALENDAR, meeting)
    assert said("Wonderful.", f"Re: {subject}").kind is Kind.HUMAN_REPLY


def test_a_published_event_attached_by_a_person_is_no_invitation() -> None:
    assert read(invitation("PUBLISH", subject="Re: the fair", body="Here is the date, see you there.")).kind is (
        Kind.HUMAN_REPLY
    )
