"""What a mail is: the order of the rules, what a person writes, and what is told beside the kind."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.inbound import Kind
from mail.inbound import parse, read, received_at_of
from tests.inbound.human_texts import ANSWERS
from tests.inbound.letters import WHEN, in_context, letter, said

DSN = b"""From: MAILER-DAEMON@relay.example\r
To: sam@ours.example\r
Subject: Automatic reply: Undelivered Mail Returned to Sender\r
Auto-Submitted: auto-replied\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
\r
Stop. I am out of the office until 21 September.\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; relay.example\r
\r
Final-Recipient: rfc822; dana@customer.example\r
Action: failed\r
Status: 5.1.1\r
--b--\r
"""


def test_what_a_person_writes() -> None:
    for text in ANSWERS:
        reading = said(text, In_Reply_To="<s.1@ours.example>")
        assert reading.kind is Kind.HUMAN_REPLY, (text, reading)


def test_an_absence_that_a_person_states_stays_as_a_hint() -> None:
    reading = said("Interesting, thanks. I'm on holiday until 21 September. Can you send pricing?")
    assert (reading.kind, reading.return_.date) == (Kind.HUMAN_REPLY, date(2026, 9, 21))
    assert said("We launch on 21 September. Can you send pricing?").return_.status == "none"


def test_a_report_comes_before_every_word() -> None:
    reading = read(DSN)
    assert (reading.kind, reading.bounce[0].cls) == (Kind.BOUNCE, "hard_invalid")


def test_our_own_mail() -> None:
    raw = letter("I am out of the office.", "Automatic reply: a question", Auto_Submitted="auto-replied")
    assert in_context(raw, own_addresses=frozenset({"dana@customer.example"})).rule == "own:sender"
    assert in_context(raw, own_message_ids=frozenset({"7c1@customer.example"})).rule == "own:message_id"
    answered = in_context(raw, own_message_ids=frozenset({"s.1@ours.example"}))
    assert answered.kind is Kind.OUT_OF_OFFICE


def test_challenges() -> None:
    for body, headers in (
        (
            "Please click the link below to be added to my Guest List: https://www.boxbe.example/x",
            {"From": "x@boxbe.com"},
        ),
        (
            "Your message is being held because your address is not on my approved senders list. Click here to prove you are "
            "a human and have it delivered.",
            {"Auto_Submitted": "auto-replied"},
        ),
        (
            "I'm protecting myself from junk mail. Please click the link and complete the verification process, "
            "you have to do this only once: https://x.example",
            {"Auto_Submitted": "auto-replied"},
        ),
        (
            "Um Ihre E-Mail zuzustellen, klicken Sie auf den Link und bestätigen Sie, dass Sie ein Mensch sind: https://x.example",
            {},
        ),
    ):
        assert said(body, "Please confirm", **headers).kind is Kind.CHALLENGE, body
    assert said("Click the link below to see the drawing and confirm the order.").kind is Kind.HUMAN_REPLY


def test_list_mail_is_nobodys_answer_unless_it_answers_ours() -> None:
    raw = letter(
        "Has anyone tried the new line?", List_Id="<packaging.lists.example>", In_Reply_To="<s.1@ours.example>"
    )
    assert read(raw).kind is Kind.LIST
    assert in_context(raw, own_message_ids=frozenset({"s.1@ours.example"})).kind is Kind.HUMAN_REPLY


def test_tomorrow_is_the_senders_tomorrow() -> None:
    late = letter("", "", Date="Wed, 09 Sep 2026 23:30:00 -0700")
    assert read(late).zone_offset == -420
    raw = letter("I'm off sick. Back tomorrow.", Auto_Submitted="auto-replied", Date="Wed, 09 Sep 2026 23:30:00 -0700")
    assert read(raw, datetime(2026, 9, 10, 6, 31, tzinfo=UTC)).return_.date == date(2026, 9, 10)


def test_when_it_was_received() -> None:
    received = "from mx.example by in.ours.example; Thu, 10 Sep 2026 09:00:00 +0200"
    assert received_at_of(parse(letter("", Received=received))) == datetime(2026, 9, 10, 7, tzinfo=UTC)
    assert received_at_of(parse(letter("", Received="nonsense"))) == WHEN
    assert received_at_of(parse(letter("", Date="the day after"))) is None
    assert read(letter("Yes.", Date="Mon, 99 Foo 2026 99:99:99 +9999")).kind is Kind.HUMAN_REPLY


def test_what_was_cut_off_is_told() -> None:
    body = (
        "Yes.\n\nBest regards,\nDana\n\nOn Tue, Sep 8, 2026 at 10:12 AM Sam <sam@ours.example> wrote:\n> Back on 3 May."
    )
    assert {"quoted_text", "signature"} <= set(said(body).ignored)


@pytest.mark.parametrize(
    "raw", [b"", b"\x00", b"\xff" * 300, b"Subject: \r\n\r\n", b"From: x\r\nContent-Type: text/calendar"]
)
def test_no_bytes_raise(raw: bytes) -> None:
    assert read(raw).rule
