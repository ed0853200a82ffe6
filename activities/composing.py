"""From facts to the bytes of one email: rendering, Message-ID, thread, unsubscribe link."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from activities.services import Config
from domain.sequences import Mailbox, Step
from mail import tokens
from mail.addresses import normalize
from mail.compose import compose, message_id
from mail.errors import AddressInvalid, ContentError, TemplateError, VariableMissing
from mail.filling import variables
from mail.templates import Templates, blank, render
from store.ledger import Key


@dataclass(frozen=True)
class Email:
    """An email ready to leave, or what is missing for it. `message_id` is without angle brackets."""

    message_id: str = ""
    recipient: str = ""
    subject: str = ""
    message: bytes | None = None
    missing: tuple[str, ...] = ()
    template_error: str | None = None


def email_for(
    *, row: asyncpg.Record, step: Step, mailbox: Mailbox | None, key: Key, config: Config, now: datetime
) -> Email:
    """Compose the email of an attempt from its facts (store.ledger.context). A try that left bytes behind keeps them,
    unless the address or the mailbox was changed since: a server that greylists wants to see the same email again."""
    if mailbox is None:
        return Email()
    try:
        recipient = normalize(row["email"] or "")
    except AddressInvalid:
        recipient = ""
    if row["message"] is not None and row["recipient"] == recipient and row["ledger_mailbox"] == mailbox.id:
        return Email(row["message_id"], recipient, row["ledger_subject"], bytes(row["message"]))
    thread = row["thread"] or []
    templates = Templates(subject=step.subject, text=step.text, html=step.html)
    url = unsubscribe_url(config, key.enrollment)
    values = variables(row, mailbox, url)
    identity = message_id(config.secret, key.enrollment, key.step, key.attempt, mailbox.address.rpartition("@")[2])
    known = Email(message_id=identity.strip("<>"), recipient=recipient)
    try:
        missing = blank(templates, values)
        if missing:
            return Email(missing=tuple(missing))
        rendered = render(templates, values)
        if step.thread == "reply" and not rendered.subject and thread:
            rendered = type(rendered)(subject=thread[-1]["subject"], text=rendered.text, html=rendered.html)
        if not recipient:
            return known
        replying = step.thread == "reply" and bool(thread)
        message = compose(
            rendered=rendered,
            from_name=mailbox.name,
            from_address=normalize(mailbox.address),
            to_name=f"{row['first_name']} {row['last_name']}".strip(),
            to_address=recipient,
            message_id=identity,
            date=now,
            in_reply_to=f"<{thread[-1]['id']}>" if replying else None,
            references=[f"<{earlier['id']}>" for earlier in thread] if replying else (),
            unsubscribe_url=url,
            unsubscribe_mailto=f"mailto:{_unsubscribe_address(config, mailbox, key.enrollment)}?subject=unsubscribe",
            reply_to=mailbox.reply_to,
        )
    except VariableMissing as error:
        return Email(missing=tuple(error.paths))
    except (TemplateError, ContentError, AddressInvalid) as error:
        return Email(template_error=str(error)[:300])
    return Email(known.message_id, recipient, rendered.subject, message)


def return_path(config: Config, mailbox: Mailbox, enrollment: str) -> str:
    """The envelope sender: where bounces go."""
    if not mailbox.plus_return_path:
        return mailbox.address
    return tokens.plus_address(config.secret, "b", enrollment, mailbox.address)


def _unsubscribe_address(config: Config, mailbox: Mailbox, enrollment: str) -> str:
    if not mailbox.plus_addresses:
        return mailbox.reply_to or mailbox.address
    return tokens.plus_address(config.secret, "u", enrollment, mailbox.address)


def unsubscribe_url(config: Config, enrollment: str) -> str | None:
    """The one-click link of RFC 8058, or None where no public URL is set."""
    if not config.public_url:
        return None
    return f"{config.public_url.rstrip('/')}/u/{tokens.sign(config.secret, 'unsubscribe', enrollment)}"
