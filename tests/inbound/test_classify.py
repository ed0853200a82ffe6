"""What a mail is: the order of the rules, what a person writes, and what is told beside the kind."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.inbound import Kind
from mail.inbound import parse, read, received_at_of
from tests.inbound.letters import WHEN, in_context, letter, said

PEOPLE = (
    "Please don't stop, this is great.",
    "Stop by next week if you are in town.",
    "Could you stop by our booth on Tuesday?",
    "Remove the second paragraph and it's fine.",
    "I'd like to unsubscribe from our current vendor and move to you. How do we start?",
    "Please remove my colleague Bob from the thread and add Anna.",
    "Sure, Thursday works.",
    "I'm out of the office next week, let's talk after.",
    "Interesting, thanks. I'm on holiday until the 14th but happy to talk the week after. Can you send pricing?",
    "Thanks for your email. I'm on vacation until the 14th; let's talk when I'm back.",
    "Our office is closed on Friday, does Monday work for you?",
    "Unsubscribe links are broken on your site, by the way.",
    "We have received your proposal and will discuss it internally. I'll get back to you next week.",
    "Jane no longer works here, but I took over her role. Happy to chat.",
    "I no longer handle purchasing. Could you send this to Bob?",
    "My new email address is on the signature below. What is the price?",
    "Is this an automated message?",
    "Can you stop sending me the PDF version? The Word file is easier.",
    "Not interested, thanks.",
    "No thanks.",
    "Please call me on Monday.",
    "We don't want to end the contract. Cancel the meeting on Friday though and let's reschedule.",
    "Delete the attachment and resend please.",
    "Cancel Tuesday's call, something came up.",
    "I got your out of office reply, hope you had fun. When can we talk?",
    "Your last mail bounced, trying again. Mailbox full? Anyway: yes, we're interested.",
    "The delivery failed because the carrier could not find our dock. Can you help us with that?",
    "We keep getting 550 5.1.1 user unknown from your support address, is it down?",
    "Bitte nicht aufhören, das ist super!",
    "Melden Sie sich gerne nächste Woche, ich bin bis Freitag im Urlaub.",
    "Danke, ich bin ab Montag wieder im Büro. Passt Ihnen Dienstag?",
    "Können Sie mich bitte bei Herrn Müller anmelden?",
    "Bitte melden Sie mich für die Demo an.",
    "Nehmen Sie mich bitte in den Verteiler auf.",
    "Je suis en congé la semaine prochaine, pouvons-nous en parler après ?",
    "Merci de me rappeler lundi.",
    "Merci de retirer la ligne 3 du devis.",
    "Estoy de viaje esta semana, hablamos el lunes.",
    "Puede quitar el segundo punto de la propuesta y lo firmamos.",
    "Sono in ferie fino a venerdì, sentiamoci lunedì.",
    "Estou de férias, podemos falar dia 21?",
    "Ik ben volgende week op vakantie, bel me daarna.",
    "Jag är på semester nästa vecka, kan vi höras efter det?",
    "来週は出張ですので、再来週でお打ち合わせいかがでしょうか。",
    "我下周出差,回来后我们再聊。",
    "다음 주 휴가입니다. 그 다음 주에 미팅 가능할까요?",
    "На следующей неделе я в отпуске, давайте созвонимся после.",
    "We are retiring our old system, so timing is good.",
    "I left Acme's demo early, but liked it.",
    "Thanks for contacting us! What's your MOQ?",
    "Ticket #123 in our system is about this topic. Let me check with the team.",
    "I was away last week, sorry for the late reply. Let's do it.",
    "We're closed for new vendors until Q1.",
    "Take me through the pricing.",
    "Take me off the cc, Anna will handle it.",
    "Stop me if you've heard this, but we use a competitor.",
    "End of the month is better.",
    "Basta que me envíe el contrato.",
    "Sair para almoço na quinta?",
    "Remove me from the attendee list for Thursday, but keep the meeting.",
    "Opt out of clause 7 and we sign.",
    "Out of office is fine, you can leave a voicemail.",
)  # fmt: skip

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


@pytest.mark.parametrize("body", PEOPLE)
def test_what_a_person_writes(body: str) -> None:
    assert said(body, In_Reply_To="<s.1@ours.example>").kind is Kind.HUMAN_REPLY


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
