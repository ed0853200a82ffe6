"""Which errors are expected, and how they are put in words. Apart from cli/output.py, for it imports what all commands together need."""

from __future__ import annotations

import asyncpg
import typer
from pydantic import ValidationError
from temporalio.service import RPCError

from cli.output import Code, Failure
from client.enrollments import WorkflowGone
from domain.errors import DomainError, Refused
from embedded.errors import EmbeddedError
from mail.errors import CredentialInvalid, CredentialMissing, MailError, SmtpLost, SmtpUnavailable
from settings import SettingsError
from store.database import UNAVAILABLE
from store.migrate import MigrationError


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
