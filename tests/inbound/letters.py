"""Mails of our own writing, for the tests of what mail is."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from domain.inbound import Reading
from mail.inbound import Context, read

WHEN = datetime(2026, 9, 9, 8, 30, tzinfo=UTC)
"""A Wednesday."""


def letter(body: str = "", subject: str = "Re: A question about your line", **headers: str) -> bytes:
    """A mail as bytes; header names with `_` for `-`, an empty value leaves a field out."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    fields = {
        "From": "Dana Whitfield <dana@customer.example>",
        "To": "Sam Ortega <sam@ours.example>",
        "Date": format_datetime(WHEN),
        "Message-ID": "<7c1@customer.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
        "Subject": subject,
    }
    message.set_content(body)
    for name, value in fields.items():
        if value:
            message[name] = value
    return message.as_bytes()


def said(body: str, subject: str = "Re: A question about your line", **headers: str) -> Reading:
    """What a mail is read as."""
    return read(letter(body, subject, **headers))


def said_by_machine(body: str, subject: str = "Re: A question about your line", **headers: str) -> Reading:
    """What a mail is read as that says in its header that it is an automatic answer, and no more."""
    return said(body, subject, Auto_Submitted="auto-replied", **headers)


def in_context(raw: bytes, **known: object) -> Reading:
    """What a mail is read as by somebody who knows this of it."""
    return read(raw, WHEN, Context(**known))  # type: ignore[arg-type]
