"""Definitions judged by what only this room knows: forms of addresses, references to secrets, templates."""

from __future__ import annotations

from domain.errors import InvalidDefinition
from domain.sequences import Mailbox, Sequence
from mail import addresses, credentials, templates
from mail.errors import AddressInvalid, CredentialInvalid, TemplateError
from mail.smtp import Server
from mail.templates import Templates


def check_sequence(sequence: Sequence) -> None:
    """Every step's templates, before they are stored. Raises InvalidDefinition naming `steps.N.subject|text|html` (N from
    0, as in the definition) and the line."""
    for index, step in enumerate(sequence.steps):
        try:
            templates.check(Templates(step.subject, step.text, step.html))
        except TemplateError as error:
            where = f"line {error.line}: " if error.line else ""
            # The error's own detail begins with field and line; the field is given in full here.
            raise InvalidDefinition(
                where + error.detail.partition(": ")[2], field=f"steps.{index}.{error.field}"
            ) from error


def check_mailbox(mailbox: Mailbox) -> Mailbox:
    """The mailbox with its addresses in their one spelling. Raises InvalidDefinition for a malformed address or for a
    password that is no reference to a secret; the secret itself need not be there yet."""
    reply_to = mailbox.reply_to
    changes = {
        "address": check_address(mailbox.address, "address"),
        "reply_to": None if reply_to is None else check_address(reply_to, "reply_to"),
    }
    secrets = {"smtp": mailbox.smtp.password, "imap": mailbox.imap.password if mailbox.imap else None}
    for name, reference in secrets.items():
        if reference is None:
            continue
        try:
            credentials.check(reference)
        except CredentialInvalid as error:
            raise InvalidDefinition(
                "not a reference to a secret", field=f"{name}.password", fix=error.detail
            ) from error
    return mailbox.model_copy(update=changes)


def check_address(address: str, field: str = "email") -> str:
    """The one spelling of an address. Raises InvalidDefinition naming `field`."""
    try:
        return addresses.normalize(address)
    except AddressInvalid as error:
        raise InvalidDefinition(error.detail, field=field, fix="write it as name@example.com") from error


def spelling(address: str) -> str | None:
    """The one spelling of an address, or None where it is malformed."""
    try:
        return addresses.normalize(address)
    except AddressInvalid:
        return None


def server_of(mailbox: Mailbox, *, connect_seconds: float, final_seconds: float = 600.0) -> Server:
    """How to reach a mailbox's SMTP server, its secret read now. Raises CredentialMissing, CredentialInvalid."""
    smtp = mailbox.smtp
    return Server(
        host=smtp.host,
        port=smtp.port,
        security=smtp.security,
        username=smtp.username,
        password=credentials.resolve(smtp.password) if smtp.password else None,
        connect_seconds=connect_seconds,
        command_seconds=connect_seconds,
        final_seconds=final_seconds,
    )
