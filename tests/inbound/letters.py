"""Mails of our own writing for the tests of inbound mail."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

WHEN = datetime(2026, 9, 9, 8, 30, tzinfo=UTC)
RESPONDER = {"Auto-Submitted": "auto-replied"}


def letter(body: str = "", subject: str = "Re: A question about your line", **headers: str) -> bytes:
    """A mail as bytes. Names of headers with `_` for `-`; `None`-like empty From leaves the field out."""
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    fields = {
        "From": "Dana Whitfield <dana@customer.example>",
        "To": "Sam Ortega <sam@ours.example>",
        "Date": format_datetime(WHEN),
        "Message-ID": "<7c1@customer.example>",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    for name, value in fields.items():
        if value:
            message[name] = value
    message["Subject"] = subject
    message.set_content(body)
    return message.as_bytes()
