"""What the command line answers: text for people, one JSON document for programs, and the exit code.

Exit codes: 0 done, 1 unexpected, 2 wrong input, 3 refused by state or policy, 4 a server is not reachable, 5 `check`
found problems. With `--json` standard output holds one JSON document and nothing else, also for an error:
`{"error": {"code", "message", "field", "fix", "allowed"}}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

import asyncpg
import typer
from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from temporalio.service import RPCError

from client.enrollments import WorkflowGone
from domain.errors import DomainError, Refused
from embedded.errors import EmbeddedError
from mail.errors import CredentialInvalid, CredentialMissing, MailError, SmtpLost, SmtpUnavailable
from settings import SettingsError
from store.database import UNAVAILABLE
from store.migrate import MigrationError


class Code(IntEnum):
    """Exit codes."""

    OK = 0
    UNEXPECTED = 1
    INVALID = 2
    REFUSED = 3
    UNREACHABLE = 4
    PROBLEMS = 5


class Failure(Exception):
    """An error as a person or program reads it: what is wrong, with which field, and the fix."""

    def __init__(
        self,
        exit_code: Code,
        code: str,
        message: str,
        *,
        field: str | None = None,
        fix: str | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.field = field
        self.fix = fix
        self.allowed = tuple(allowed)

    def as_json(self) -> dict[str, Any]:
        """The document that stands on standard output with `--json`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "field": self.field,
                "fix": self.fix,
                "allowed": list(self.allowed),
            }
        }

    def as_text(self) -> str:
        """One or two lines."""
        lines = [f"onward: {self.field}: {self.message}" if self.field else f"onward: {self.message}"]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        elif self.allowed and not self.field:  # where a field is wrong, another command is no help
            lines.append(f"  possible now: {', '.join(self.allowed)}")
        return "\n".join(lines)


def failure_of(error: Exception) -> Failure | None:
    """An expected error in words; None for a defect of ours."""
    match error:
        case Failure():
            return error
        case typer.TyperException():
            return Failure(Code.INVALID, "usage", error.format_message())
        case SettingsError():
            absent = error.code in ("database_url_missing", "temporal_address_missing")
            exit_code = Code.UNREACHABLE if absent else Code.INVALID
            return Failure(exit_code, error.code, error.fix, field=error.field)
        case ValidationError():
            return _of_settings(error)
        case Refused():
            return Failure(Code.REFUSED, error.code, error.message, field=error.field, allowed=error.allowed)
        case WorkflowGone():
            return Failure(Code.REFUSED, error.code, error.message, fix="run `onward check`")
        case DomainError():
            return Failure(Code.INVALID, error.code, error.message, field=error.field, fix=error.fix)
        case EmbeddedError():
            wrong_home = error.code in ("home_foreign", "home_not_writable")
            return Failure(
                Code.INVALID if wrong_home else Code.UNREACHABLE, error.code, error.message, fix=error.fix or None
            )
        case MailError():
            return _of_mail(error)
        case MigrationError():
            return Failure(Code.REFUSED, error.code, str(error))
        case _:
            return _of_servers(error)


def _of_settings(error: ValidationError) -> Failure:
    first = error.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else ""
    variable = name if name.isupper() else f"ONWARD_{name.upper()}"
    return Failure(Code.INVALID, "setting_invalid", first["msg"], field=variable)


def _of_mail(error: MailError) -> Failure:
    if isinstance(error, SmtpUnavailable | SmtpLost):
        exit_code = Code.UNREACHABLE
    elif isinstance(error, CredentialMissing | CredentialInvalid):
        exit_code = Code.INVALID
    else:
        exit_code = Code.REFUSED
    return Failure(exit_code, error.code, error.detail or error.code)


def _of_servers(error: Exception) -> Failure | None:
    if isinstance(error, asyncpg.UndefinedTableError | asyncpg.UndefinedColumnError):
        return Failure(Code.REFUSED, "not_migrated", "the database lacks Onward's tables", fix="run `onward migrate`")
    if isinstance(error, RPCError):
        return Failure(Code.UNREACHABLE, "temporal_unreachable", f"Temporal: {error.message or error.status.name}")
    if isinstance(error, (*UNAVAILABLE, asyncpg.PostgresError)) and not isinstance(error, BrokenPipeError):
        text = str(error) or type(error).__name__
        return Failure(Code.UNREACHABLE, "database_unreachable", f"PostgreSQL: {text}", fix="see ONWARD_DATABASE_URL")
    return None


def emit(data: Any, text: str | Iterable[str] | Table, *, as_json: bool) -> None:
    """Print the JSON document or the text; a table is as wide as the terminal, or as it needs to be in a pipe."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
    elif isinstance(text, Table):
        Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(text)
    else:
        print(text if isinstance(text, str) else "\n".join(text))


def table(*columns: str) -> Table:
    """A plain table with these columns."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column)
    return made
