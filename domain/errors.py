"""The root of the errors that domain rules raise. Every error has a stable `code`; callers decide by it, never by text."""

from __future__ import annotations


class DomainError(Exception):
    """A rule of the domain was broken by input. `field` names what is wrong, `fix` says what would be right."""

    code = "invalid"

    def __init__(self, message: str, *, field: str | None = None, fix: str | None = None) -> None:
        text = f"{field}: {message}" if field else message
        super().__init__(f"{text}; {fix}" if fix else text)
        self.message = message
        self.field = field
        self.fix = fix


class InvalidMessage(DomainError):
    """A signal, update or command whose payload is not what its name asks for."""

    code = "invalid_message"


class InvalidDefinition(DomainError):
    """A sequence, schedule, mailbox, contact or account that cannot be accepted as written."""

    code = "invalid_definition"


class Refused(DomainError):
    """A well-formed command that the enrollment's state does not allow. `allowed` names the commands it does."""

    code = "refused"

    def __init__(self, code: str, message: str, *, allowed: tuple[str, ...] = (), field: str | None = None) -> None:
        super().__init__(message, field=field)
        self.code = code
        self.allowed = allowed
