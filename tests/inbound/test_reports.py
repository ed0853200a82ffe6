"""Machine-readable reports: complaints, read receipts, delivery status notifications, Amazon's notifications."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.inbound import Kind, Reading
from mail.inbound.bounces import read_bounce
from mail.inbound.names import names_of
from mail.inbound.parsing import parse
from mail.inbound.reports import read_report

ORIGINAL = (
    "Message-ID: <s.original@sender.example>\nFrom: me@sender.example\nTo: bob@client.example\nSubject: Our offer\n"
)


def report(kind: str, machine: str, fields: str, text: str = "See below.", *headers: str) -> bytes:
    """A multipart/report (RFC 6522): human text, `machine` part with these fields, headers of the original."""
    lines = [
        "From: Mail Delivery System <MAILER-DAEMON@relay.example>",
        "To: me@sender.example",
        "Subject: Report",
        *headers,
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind}; boundary="b"',
        "",
        "--b",
        "Content-Type: text/plain; charset=utf-8",
        "",
        text,
        "--b",
        f"Content-Type: {machine}",
        "",
        fields.strip("\n"),
        "",
        "--b",
        "Content-Type: text/rfc822-headers",
        "",
        ORIGINAL,
        "--b--",
        "",
    ]
    return "\n".join(lines).replace("\n", "\r\n").encode()


def dsn(blocks: str, text: str = "See below.", machine: str = "message/delivery-status") -> bytes:
    return report("delivery-status", machine, f"Reporting-MTA: dns; relay.example\n\n{blocks}", text)


def failed(diagnostic: str, status: str = "5.0.0", who: str = "bob@client.example", action: str = "failed") -> str:
    return f"Final-Recipient: rfc822; {who}\nAction: {action}\nStatus: {status}\nDiagnostic-Code: smtp; {diagnostic}\n"


def read(raw: bytes) -> Reading | None:
    parsed = parse(raw)
    return read_report(parsed)


@pytest.mark.parametrize(
    ("feedback", "kind"),
    [
        ("abuse", Kind.COMPLAINT),
        ("fraud", Kind.COMPLAINT),
        ("virus", Kind.COMPLAINT),
        ("other", Kind.COMPLAINT),
        ("opt-out", Kind.UNSUBSCRIBE),
        ("auth-failure", Kind.OTHER_AUTOMATIC),
        ("not-spam", Kind.OTHER_AUTOMATIC),
    ],
)
def test_the_feedback_type_decides_what_an_abuse_report_is(feedback: str, kind: Kind) -> None:
    fields = f"Feedback-Type: {feedback}\nUser-Agent: loop/1.0\nVersion: 1\nOriginal-Rcpt-To: bob@client.example"
    reading = read(report("feedback-report", "message/feedback-report", fields))
    assert reading is not None
    assert (reading.kind, reading.rule, reading.feedback) == (kind, "arf", feedback)


def test_a_loop_older_than_arf_is_a_complaint() -> None:
    raw = b"From: staff@hotmail.example\r\nSubject: complaint about message from 192.0.2.1\r\n\r\nX-HmXmrOriginalRecipient: bob@client.example\r\n"
    reading = read(raw)
    assert reading is not None
    assert (reading.kind, reading.rule) == (Kind.COMPLAINT, "fbl")


def test_the_unsubscribe_button_of_apple_mail_unsubscribes() -> None:
    reading = read(
        b"From: bob@icloud.example\r\nSubject: unsubscribe\r\nX-Apple-Unsubscribe: true\r\n\r\nApple Mail sent this email.\r\n"
    )
    assert reading is not None
    assert reading.kind is Kind.UNSUBSCRIBE


def test_a_disposition_notification_is_a_read_receipt() -> None:
    fields = "Final-Recipient: rfc822; bob@client.example\nDisposition: manual-action/MDN-sent-manually; displayed"
    reading = read(report("disposition-notification", "message/disposition-notification", fields))
    assert reading is not None
    assert (reading.kind, reading.rule) == (Kind.READ_RECEIPT, "mdn")


@pytest.mark.parametrize(
    ("subject", "text", "receipt"),
    [
        ("Read: Our offer", "Your message was read on Tuesday, November 3, 2026 9:00 AM.", True),
        ("Gelesen: Unser Angebot", "Ihre Nachricht wurde am 3. November 2026 gelesen.", True),
        ("Lu : Notre offre", "Votre message a été lu le mardi 3 novembre 2026.", True),
        ("Leído: Nuestra oferta", "El mensaje se leyó el martes, 3 de noviembre.", True),
        ("Read: this before our call", "Hi, please have a look at the attached before our call.", False),
        ("Re: Our offer", "It was read with interest, thank you.", False),
    ],
)
def test_a_receipt_without_report_needs_its_subject_and_its_words(subject: str, text: str, receipt: bool) -> None:
    raw = f"From: bob@client.example\r\nSubject: {subject}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}\r\n"
    reading = read(raw.encode())
    assert (reading is not None and reading.kind is Kind.READ_RECEIPT) is receipt


@pytest.mark.parametrize(
    ("diagnostic", "status", "cls", "hard"),
    [
        ("550 5.1.1 <bob@client.example>... User unknown", "5.1.1", "hard_invalid", True),
        ("552 5.2.2 mailbox full", "5.2.2", "mailbox_full", False),
        ("550 5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent, part of their network is on our block list (S3150)", "5.7.1", "spam_block", False),
        ("554 5.7.26 unauthenticated mail: SPF and DKIM failed", "5.7.26", "auth_failure", False),
        ("554 5.4.6 too many hops", "5.4.6", "expired", False),
        ("", "5.1.1", "hard_invalid", True),
        ("", "5.4.4", "hard_domain", True),
        # the server gave up after temporary answers
        ("450 4.2.0 greylisted for now", "4.4.7", "greylist", False),
        ("421 4.4.2 Connection timed out", "4.4.7", "expired", False),
        ("450 4.1.1 user unknown", "4.4.7", "hard_invalid", True),
        ("450 4.2.0 mailbox unavailable", "4.4.7", "expired", False),
        ("451 4.3.5 no reason", "4.4.7", "expired", False),
        # no words: the code of a sender's address is not about the recipient
        ("550 5.1.8 no such domain", "5.1.8", "own_config", False),
    ],
)  # fmt: skip
def test_a_failed_recipient_has_the_class_of_the_refusal_table(
    diagnostic: str, status: str, cls: str, hard: bool
) -> None:
    reading = read(dsn(failed(diagnostic, status)))
    assert reading is not None
    assert (reading.kind, reading.rule) == (Kind.BOUNCE, "dsn")
    (one,) = reading.bounce
    assert (one.recipient, one.cls, one.hard) == ("bob@client.example", cls, hard), one
    assert one.enhanced is not None


def test_the_human_part_tells_what_the_fields_leave_out() -> None:
    text = "<bob@client.example>: host mx.client.example[192.0.2.7] said: 550 no (in reply to\n    MAIL FROM command)\n"
    (one,) = read(dsn(failed("550 does not exist"), text)).bounce  # type: ignore[union-attr]
    assert (one.cls, one.hard) == ("policy_block", False)
    (one,) = read(dsn(failed("", "5.0.0"), "bob@client.example\n  The recipient's mailbox is full.\n")).bounce  # type: ignore[union-attr]
    assert one.cls == "mailbox_full"


def test_what_the_original_says_is_not_the_reason() -> None:
    text = "<bob@client.example>: failed\n\n----- Original message -----\n\nuser unknown, mailbox full, spam\n"
    (one,) = read(dsn(failed("", "5.0.0"), text)).bounce  # type: ignore[union-attr]
    assert one.cls == "unknown"


def test_several_recipients_have_fates_of_their_own_and_the_worst_names_the_mail() -> None:
    blocks = "\n".join(
        (
            failed("250 ok", "2.0.0", "amy@client.example", "relayed"),
            failed("450 4.2.2 over quota", "4.2.2", "eve@client.example", "delayed"),
            failed("550 5.1.1 no such user", "5.1.1"),
        )
    )
    reading = read(dsn(blocks))
    assert reading is not None
    assert reading.kind is Kind.BOUNCE
    assert {one.recipient: (one.cls, one.hard) for one in reading.bounce if one.cls != "unknown"} == {
        "eve@client.example": ("mailbox_full", False),
        "bob@client.example": ("hard_invalid", True),
    }


@pytest.mark.parametrize(
    ("action", "kind"),
    [
        ("failed", Kind.BOUNCE),
        ("failed (permanently)", Kind.BOUNCE),
        ("delayed", Kind.DELAYED),
        ("delivered", Kind.DELIVERED),
        ("relayed (to non-DSN-aware mailer)", Kind.DELIVERED),
        ("expanded", Kind.DELIVERED),
    ],
)
def test_the_action_decides_the_kind(action: str, kind: Kind) -> None:
    reading = read(dsn(failed("user unknown", "2.1.5" if kind is Kind.DELIVERED else "4.1.1", action=action)))
    assert reading is not None
    assert reading.kind is kind
    if kind is not Kind.BOUNCE:
        assert not any(one.hard or one.action == "bounce_hard" for one in reading.bounce)


def test_the_address_that_was_written_to_is_named_not_the_end_of_a_forward() -> None:
    block = (
        f"Original-Recipient: rfc822; bob@client.example\n{failed('550 user unknown', who='robert@elsewhere.example')}"
    )
    assert [one.recipient for one in read(dsn(block)).bounce] == ["bob@client.example"]  # type: ignore[union-attr]


def test_an_internationalized_report_is_read() -> None:
    block = failed("550 5.1.1 user unknown", "5.1.1", "bób@client.example").replace("rfc822", "utf-8")
    reading = read(dsn(block, machine="message/global-delivery-status"))
    assert reading is not None
    assert [(one.recipient, one.hard) for one in reading.bounce] == [("bób@client.example", True)]


def test_a_report_whose_parts_are_broken_is_read_from_its_text() -> None:
    raw = dsn(failed("550 5.1.1 user unknown", "5.1.1")).replace(b'boundary="b"', b'boundary="c"')
    reading = read(raw)
    assert reading is not None
    assert [(one.recipient, one.cls) for one in reading.bounce] == [("bob@client.example", "hard_invalid")]


def notification(**content: object) -> bytes:
    # SNS breaks long lines of mail with "!".
    body = json.dumps(content).replace('"mail"', '!\r\n "mail"')
    head = "From: Alerts <no-reply@sns.amazonaws.example>\r\nTo: me@sender.example\r\nSubject: AWS Notification Message\r\n\r\n"
    return f"{head}{body}\r\n\r\n--\r\nIf you wish to stop receiving notifications\r\n".encode()


def test_amazon_notifications_are_read() -> None:
    mail = {"messageId": "x", "source": "me@sender.example", "destination": ["bob@client.example"]}
    who = {
        "emailAddress": "Bob@client.example",
        "action": "failed",
        "status": "5.1.1",
        "diagnosticCode": "smtp; 550 5.1.1 user unknown",
    }
    reading = read(
        notification(
            notificationType="Bounce", bounce={"bounceType": "Permanent", "bouncedRecipients": [who]}, mail=mail
        )
    )
    assert reading is not None
    assert (reading.kind, reading.rule) == (Kind.BOUNCE, "ses")
    assert [(one.recipient, one.cls, one.hard) for one in reading.bounce] == [
        ("bob@client.example", "hard_invalid", True)
    ]
    reading = read(notification(notificationType="Complaint", complaint={"complaintFeedbackType": "abuse"}, mail=mail))
    assert reading is not None
    assert (reading.kind, reading.feedback) == (Kind.COMPLAINT, "abuse")
    reading = read(
        notification(notificationType="Delivery", delivery={"recipients": ["bob@client.example"]}, mail=mail)
    )
    assert reading is not None
    assert reading.kind is Kind.DELIVERED


@pytest.mark.parametrize(
    "body",
    [
        '{"notificationType": "Bounce"',
        '{"notificationType": "Bounce", "bounce": []}',
        '{"notificationType": "Bounce", "bounce": {"bouncedRecipients": [1, {}, {"emailAddress": null}]}}',
        '"notificationType" {' + "[" * 5000,
    ],
)
def test_amazon_notifications_out_of_shape_do_no_harm(body: str) -> None:
    read(f"From: a@b.example\r\nSubject: x\r\n\r\n{body}\r\n".encode())


@pytest.mark.parametrize(
    "raw",
    [
        b"From: Bob <bob@client.example>\r\nSubject: Re: Our offer\r\n\r\nYes, let us talk.\r\n",
        b'From: Bob <bob@client.example>\r\nSubject: Re: Our offer\r\n\r\nWe got this: {"notificationType": "Complaint", "complaint": {}}\r\n',
        b"From: Bob <bob@client.example>\r\nSubject: Fwd: bounce\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nsee below\r\n--x\r\nContent-Type: message/rfc822\r\n\r\n"
        + dsn(failed("550 5.1.1 user unknown", "5.1.1"))
        + b"\r\n--x--\r\n",
    ],
    ids=["a reply", "a notification pasted by a person", "a bounce attached by a person"],
)
def test_mail_of_people_is_no_report(raw: bytes) -> None:
    assert read(raw) is None


_WORDS = st.sampled_from(
    ["Final-Recipient: rfc822; a@b.c", "Action: failed", "Status: 5.1.1", "Received: from x", "550 5.1.1 user unknown", "<a@b.c>:", "-----", " ", "", "{\"notificationType\"", "\x00", "ü@ü", "Content-Type: message/delivery-status"]
)  # fmt: skip


@given(st.one_of(st.binary(max_size=300), st.lists(_WORDS, max_size=30).map(lambda lines: "\n".join(lines).encode())))
@example(b"")
def test_no_text_makes_it_fail(body: bytes) -> None:
    for head in (
        b"Return-Path: <>\nFrom: MAILER-DAEMON\nSubject: failure notice\n\n",
        b'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n--b\n\n',
        b"Content-Type: message/delivery-status\n\n",
    ):
        parsed = parse(head + body)
        names = names_of(parsed)
        for reading in (read_report(parsed), read_bounce(parsed, names, parsed.text)):
            for one in reading.bounce if reading else ():
                assert len(one.diagnostic) <= 500
                assert one.cls in ("hard_invalid", "hard_domain", "moved", "inactive") or not one.hard
