"""What the demo's contacts write: mail as people, their responders, calendars and servers write it, made from the email that they
received.

The same email is always answered by the same mail, so that writing it again after a restart of the demo has no second effect.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr

from embedded.recipients import Received

AWAY_DAYS = 5
WEEKEND = 5
_WRITING = timedelta(seconds=1)


def reply(received: Received) -> bytes:
    """A person answers, above the quoted email."""
    text = (
        "Hello Alex,\n\ngood timing, we lose follow-ups between two systems all the time. Could you call me on Thursday\n"
        "after 2 pm?\n\nKind regards\nNadia Berg\nFjordline Shipping"
    )
    return _answer(received, text).as_bytes()


def unsubscribe(received: Received) -> bytes:
    """A person wants no more of it. The words with which our own email offers that are quoted below."""
    return _answer(received, "Please unsubscribe me.\n\nRuth").as_bytes()


def away_until(received: Received) -> bytes:
    """An automatic reply of Exchange that names the day of return."""
    day = back_on(received.received_at.date())
    text = (
        "Thank you for your message. I am out of the office and will be back on "
        f"{day:%A}, {day.day} {day:%B}.\nIn urgent cases please call our front desk.\n\nMara Okafor\n"
    )
    return _automatic(received, "Automatic reply", text).as_bytes()


def away(received: Received) -> bytes:
    """An automatic reply, in Spanish, that leaves the return open."""
    text = (
        "Gracias por su mensaje. Estoy fuera de la oficina con acceso limitado al correo electrónico.\n"
        "Le responderé a mi regreso.\n\nTomas Ruiz\n"
    )
    return _automatic(received, "Respuesta automática", text).as_bytes()


def back_on(sent: date) -> date:
    """The day of return that an automatic reply names to an email of the day `sent`: a weekday."""
    day = sent + timedelta(days=AWAY_DAYS)
    return day + timedelta(days=7 - day.weekday()) if day.weekday() >= WEEKEND else day


def accepted(received: Received) -> bytes:
    """A calendar accepts an invitation, which Alex sent from his own (RFC 5546, REPLY). It names no email of the sequence."""
    mail = _begun(received, "accepted")
    sender = parseaddr(str(_email(received)["From"]))[1]
    start = (received.received_at + timedelta(days=3)).replace(hour=9, minute=0, second=0)
    mail["Subject"] = f"Accepted: Follow-ups at Solvento ({start:%a} {start.day} {start:%b}, 09:00 UTC)"
    mail.set_content(f"{received.address} has accepted this invitation.\n")
    lines = [
        "BEGIN:VCALENDAR",
        "PRODID:-//Solvento//Calendar//EN",
        "VERSION:2.0",
        "METHOD:REPLY",
        "BEGIN:VEVENT",
        f"UID:{_digest(received)}@northwind.example",
        f"DTSTAMP:{_written_at(received):%Y%m%dT%H%M%SZ}",
        f"DTSTART:{start:%Y%m%dT%H%M%SZ}",
        f"DTEND:{start + timedelta(minutes=30):%Y%m%dT%H%M%SZ}",
        f"ORGANIZER:mailto:{sender}",
        f"ATTENDEE;CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED:mailto:{received.address}",
        "SUMMARY:Follow-ups at Solvento",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    mail.add_alternative("\r\n".join(lines) + "\r\n", subtype="calendar", params={"method": "REPLY"})
    mail.set_boundary(_digest(received))
    return mail.as_bytes()


def not_delivered(received: Received) -> bytes:
    """A server took the email and sends it back: there is nobody of that name."""
    said = f"550 5.1.1 <{received.address}>: Recipient address rejected: User unknown in local recipient table"
    return _sent_back(received, said, "RCPT TO command")


def refused_as_spam(received: Received) -> bytes:
    """A server took the email and sends it back: the filter behind it takes it for spam."""
    return _sent_back(received, "550 5.7.1 Message rejected as spam by content filter", "end of DATA command")


def _sent_back(received: Received, said: str, command: str) -> bytes:
    """A delivery status notification (RFC 3464) to the envelope's sender. `said`: the reply, with code and enhanced code, of the
    server behind to `command`."""
    domain = received.address.partition("@")[2]
    status = said.split()[1]
    headers = received.body.partition(b"\r\n\r\n")[0].decode("ascii", "replace").replace("\r\n", "\n")
    boundary = _digest(received)
    return f"""\
Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.{domain}>
To: {received.sender}
Date: {format_datetime(_written_at(received))}
Message-ID: <dsn.{_digest(received)}@mx.{domain}>
Subject: Undelivered Mail Returned to Sender
Auto-Submitted: auto-replied
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="{boundary}"

--{boundary}
Content-Type: text/plain; charset=us-ascii

This is the mail system at host mx.{domain}.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<{received.address}>: host store.{domain} said:
    {said}
    (in reply to {command})

--{boundary}
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.{domain}
Arrival-Date: {format_datetime(received.received_at)}

Final-Recipient: rfc822; {received.address}
Action: failed
Status: {status}
Remote-MTA: dns; store.{domain}
Diagnostic-Code: smtp; {said}

--{boundary}
Content-Type: text/rfc822-headers

{headers}

--{boundary}--
""".replace("\n", "\r\n").encode()


def _answer(received: Received, text: str) -> EmailMessage:
    """In the thread, with the email quoted below."""
    ours = _email(received)
    mail = _begun(received, "answer")
    mail["Subject"] = _re(str(ours["Subject"]))
    _thread(mail, ours)
    body = ours.get_body(("plain",))
    said = str(body.get_content()).splitlines() if body is not None else []
    quoted = "".join(f"> {line}".rstrip() + "\n" for line in said)
    when = received.received_at
    mail.set_content(
        f"{text}\n\nOn {when:%a}, {when.day} {when:%b} {when:%Y} at {when:%H:%M}, {ours['From']} wrote:\n\n{quoted}"
    )
    return mail


def _automatic(received: Received, prefix: str, text: str) -> EmailMessage:
    ours = _email(received)
    mail = _begun(received, "automatic")
    mail["Subject"] = f"{prefix}: {ours['Subject']}"
    _thread(mail, ours)
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Auto-Response-Suppress"] = "All"
    mail.set_content(text)
    return mail


def _begun(received: Received, kind: str) -> EmailMessage:
    """A mail with the headers that every one has."""
    ours = _email(received)
    domain = received.address.partition("@")[2]
    mail = EmailMessage(policy=policy.SMTP.clone(max_line_length=990))
    mail["From"] = str(ours["To"])
    mail["To"] = str(ours["From"])
    mail["Date"] = format_datetime(_written_at(received))
    mail["Message-ID"] = f"<{kind}.{_digest(received)}@{domain}>"
    return mail


def _thread(mail: EmailMessage, ours: EmailMessage) -> None:
    key = str(ours["Message-ID"])
    mail["In-Reply-To"] = key
    mail["References"] = " ".join([*str(ours.get("References", "")).split(), key])


def _email(received: Received) -> EmailMessage:
    parsed = message_from_bytes(received.body, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def _digest(received: Received) -> str:
    return hashlib.sha256(received.message_id.encode()).hexdigest()[:16]


def _written_at(received: Received) -> datetime:
    return received.received_at.replace(microsecond=0) + _WRITING


def _re(subject: str) -> str:
    return subject if subject.lower().startswith("re:") else f"Re: {subject}"
