"""Mail as people and servers write it back: built from what an email of ours looked like when it arrived."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from email.utils import make_msgid

from embedded.recipients import Received


def headers_of(received: Received) -> EmailMessage:
    """The email of ours, as its receiver sees it."""
    parsed = email.message_from_bytes(received.body, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def answer(
    received: Received,
    text: str,
    *,
    subject: str | None = None,
    sender: str | None = None,
    threaded: bool = True,
    **headers: str,
) -> bytes:
    """An answer to an email of ours, with it quoted below as mail programs do."""
    ours = headers_of(received)
    mail = EmailMessage(policy=email.policy.SMTP.clone(max_line_length=998))
    mail["From"] = sender or received.address
    mail["To"] = str(ours["From"])
    mail["Subject"] = subject or f"Re: {ours['Subject']}"
    mail["Message-ID"] = make_msgid(domain="reply.test")
    mail["Date"] = str(ours["Date"])
    if threaded:
        mail["In-Reply-To"] = str(ours["Message-ID"])
        mail["References"] = str(ours["Message-ID"])
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    body = ours.get_body(("plain",))
    quoted = "".join(f"> {line}\n" for line in (body.get_content() if body else "").splitlines())
    mail.set_content(f"{text}\n\nOn Mon, 2 Mar 2026 at 09:00, {ours['From']} wrote:\n{quoted}")
    return mail.as_bytes()


def absence(received: Received, text: str, **headers: str) -> bytes:
    """An auto-reply."""
    ours = headers_of(received)
    return answer(
        received, text, subject=f"Automatic reply: {ours['Subject']}", Auto_Submitted="auto-replied", **headers
    )


def bounce(
    received: Received, reply: str = "550 5.1.1 user unknown", *, names_ours: bool = True, to: str = ""
) -> bytes:
    """A delivery status notification (RFC 3464). `names_ours`: it carries the headers of the email that came back."""
    ours = headers_of(received)
    original = f"Message-ID: {ours['Message-ID']}\n" if names_ours else ""
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.test>
To: {to or ours["From"]}
Subject: Undelivered Mail Returned to Sender
Message-ID: {make_msgid(domain="mx.test")}
Date: {ours["Date"]}
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="B"

--B
Content-Type: text/plain

This is the mail system at host mx.test. Your message could not be delivered.

<{received.address}>: {reply}

--B
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.test

Final-Recipient: rfc822; {received.address}
Action: failed
Status: {reply.split()[1]}
Diagnostic-Code: smtp; {reply}

--B
Content-Type: text/rfc822-headers

From: {ours["From"]}
To: {received.address}
Subject: {ours["Subject"]}
{original}
--B--
""".replace("\n", "\r\n").encode()


def complaint(received: Received) -> bytes:
    """A feedback report (RFC 5965)."""
    ours = headers_of(received)
    return f"""\
From: <feedback@isp.test>
To: {ours["From"]}
Subject: FW: {ours["Subject"]}
Message-ID: {make_msgid(domain="isp.test")}
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="B"

--B
Content-Type: text/plain

This is an email abuse report.

--B
Content-Type: message/feedback-report

Feedback-Type: abuse
User-Agent: Test/1.0
Version: 1

--B
Content-Type: message/rfc822

From: {ours["From"]}
To: {received.address}
Subject: {ours["Subject"]}
Message-ID: {ours["Message-ID"]}

Hello
--B--
""".replace("\n", "\r\n").encode()


def invitation(received: Received, status: str = "ACCEPTED") -> bytes:
    """The answer of a calendar to an invitation (RFC 5546 REPLY)."""
    ours = headers_of(received)
    return f"""\
From: {received.address}
To: {ours["From"]}
Subject: {status.capitalize()}: A call
Message-ID: {make_msgid(domain="calendar.test")}
MIME-Version: 1.0
Content-Type: multipart/alternative; boundary="B"

--B
Content-Type: text/plain

{received.address} has answered the invitation.

--B
Content-Type: text/calendar; method=REPLY; charset=utf-8

BEGIN:VCALENDAR
VERSION:2.0
METHOD:REPLY
BEGIN:VEVENT
UID:call-1
DTSTART:20260310T090000Z
ORGANIZER:mailto:{ours["From"]}
ATTENDEE;PARTSTAT={status}:mailto:{received.address}
END:VEVENT
END:VCALENDAR
--B--
""".replace("\n", "\r\n").encode()
