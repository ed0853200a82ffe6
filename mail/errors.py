"""The errors of this room. Each has a stable `code`; text for people comes from the code's place in the catalogue.

No message of these classes contains a password or token.
"""

from __future__ import annotations

from collections.abc import Sequence


class MailError(Exception):
    """Root of everything this room raises on purpose. `code` is stable; `detail` is for a person and may change."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail


class AddressInvalid(MailError):
    """`email_invalid`: the text is not an address that mail can be sent to."""

    def __init__(self, detail: str) -> None:
        super().__init__("email_invalid", detail)


class TemplateError(MailError):
    """`template_error`: a template cannot be used. `field` is subject, text or html; `line` counts from 1, if known."""

    def __init__(self, field: str, line: int | None, detail: str) -> None:
        super().__init__("template_error", f"{field}{f', line {line}' if line else ''}: {detail}")
        self.field = field
        self.line = line


class VariableMissing(MailError):
    """`variable_missing`: the email would show a gap. `paths` names the variables without a value, in order of use."""

    def __init__(self, paths: Sequence[str]) -> None:
        super().__init__("variable_missing", ", ".join(paths))
        self.paths = tuple(paths)


class ContentError(MailError):
    """`content_rejected`: this message cannot be put into the form that mail demands (RFC 5322, RFC 2047)."""

    def __init__(self, detail: str) -> None:
        super().__init__("content_rejected", detail)


class TokenInvalid(MailError):
    """`token_invalid`: the token was not made by us for this purpose, or was cut or changed on its way."""

    def __init__(self) -> None:
        super().__init__("token_invalid")


class CredentialMissing(MailError):
    """`mailbox_credentials_missing`: the reference names a variable or file that is absent, unreadable or empty."""

    def __init__(self, reference: str, detail: str) -> None:
        super().__init__("mailbox_credentials_missing", f"{reference}: {detail}")
        self.reference = reference


class CredentialInvalid(MailError):
    """`mailbox_credentials_invalid`: not a reference at all. What was given is not repeated: it may be the secret."""

    def __init__(self) -> None:
        super().__init__(
            "mailbox_credentials_invalid", "write env:NAME or file:/absolute/path, never the secret itself"
        )


class SmtpError(MailError):
    """Root of the errors of `mail.smtp`.

    `phase` is where it happened: connect, greeting, ehlo, starttls, auth, mail, rcpt, data (the command, before the
    server asked for the body), final (from the first byte of the body to the final reply), reset.
    """

    def __init__(self, code: str, phase: str, detail: str) -> None:
        super().__init__(code, f"{phase}: {detail}")
        self.phase = phase


class SmtpRefused(SmtpError):
    """`smtp_refused`: the server answered no. No email was accepted. `mail.refusals.judge` says what it means.

    `reply_code` is 400-599. `text` is the whole reply without its codes in front, lines joined by a line feed.
    After 421 and after a refusal at `final` the connection is closed; otherwise it stays usable.
    """

    def __init__(self, phase: str, reply_code: int, text: str) -> None:
        super().__init__("smtp_refused", phase, f"{reply_code} {text}")
        self.reply_code = reply_code
        self.text = text


class SmtpUnavailable(SmtpError):
    """`smtp_unavailable`: no usable answer before the body began. No email was accepted: safe to try again."""

    def __init__(self, phase: str, detail: str) -> None:
        super().__init__("smtp_unavailable", phase, detail)


class SmtpLost(SmtpError):
    """`smtp_lost`: the body was on its way and no final reply came. The server may have accepted the email.

    RFC 1047: nothing in the protocol can tell afterwards. Never send again because of this.
    """

    def __init__(self, detail: str) -> None:
        super().__init__("smtp_lost", "final", detail)


class SmtpMisconfigured(SmtpError):
    """The mailbox's settings and the server do not fit; no email can be sent until a person changes something.

    Codes: `smtp_host_invalid`, `smtp_starttls_missing`, `smtp_tls_untrusted`, `smtp_auth_missing`.
    """


class SmtpUnsupported(SmtpError):
    """The server works but cannot take this message or address; nothing was sent, others may go through.

    Codes: `smtp_utf8_missing` (an address that needs RFC 6531), `smtp_message_too_large` (RFC 1870),
    `email_invalid` (an address that cannot stand in an SMTP command).
    """


class ImapError(MailError):
    """Root of the errors of `mail.imap`. After each the connection is of no use any more, unless the class says otherwise."""


class ImapRefused(ImapError):
    """The mailbox's owner must act before it can be read.

    Codes: `imap_login` (user name or password refused), `imap_credentials` (the password's reference leads nowhere).
    """


class ImapUnavailable(ImapError):
    """`imap_unreachable`: no connection, no usable answer, or the server asks to come back later."""

    def __init__(self, detail: str) -> None:
        super().__init__("imap_unreachable", detail)


class ImapMisconfigured(ImapError):
    """The mailbox's settings and the server do not fit.

    Codes: `imap_tls_untrusted`, `imap_starttls_missing`, `imap_folder_missing` (the connection stays usable).
    """
