"""From a command to the servers: settings, connections, who acts, and which enrollment is meant."""

from __future__ import annotations

import asyncio
import getpass
import uuid
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import yaml
from temporalio.client import Client

from activities.services import valid_address
from cli.failures import failure_of
from cli.output import Code, Failure
from client.connection import connect
from client.enrollments import Enrollments
from domain.durations import parse_duration
from settings import Settings, load_settings
from store import audit, finding
from store.audit import Result, Trail
from store.database import UNAVAILABLE, Connection, Database

AsOption = Annotated[
    str | None, typer.Option("--as", metavar="ACTOR", help="Who acts, for the story; default person:<you>.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]
IdOption = Annotated[
    str | None, typer.Option("--id", help="Makes the command repeatable: the same ID has its effect once.")
]
ContactOption = Annotated[str | None, typer.Option("--contact", help="The contact, where only one enrollment is open.")]
WhichArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="ENROLLMENT",
        help="The enrollment's ID, or SEQUENCE CONTACT, or a contact (ID, address or name) with one open enrollment.",
    ),
]


def run(work: Coroutine[Any, Any, None]) -> None:
    """Run a command's work to its end."""
    asyncio.run(work)


def actor(given: str | None) -> str:
    """Who acts: as given, or the person logged in here."""
    if given is not None:
        return given
    try:
        return f"person:{getpass.getuser()}"
    except (OSError, KeyError):
        return "person:unknown"


@asynccontextmanager
async def open_database(settings: Settings | None = None) -> AsyncIterator[Database]:
    """The database of the settings or of the running embedded stack."""
    settings = settings or load_settings()
    url = settings.require_database()
    try:
        database = await Database.connect(url, size=4)
    except (ValueError, OSError) as error:
        raise Failure(
            Code.UNREACHABLE,
            "database_unreachable",
            f"PostgreSQL cannot be reached: {error}",
            fix="see ONWARD_DATABASE_URL, or start `onward demo` or `onward stack`",
        ) from error
    try:
        yield database
    finally:
        await database.close()


async def open_temporal(settings: Settings) -> Client:
    """A Temporal client of the settings or of the running embedded stack."""
    address = settings.require_temporal()
    try:
        return await connect(address, settings.temporal_namespace)
    except RuntimeError as error:
        raise Failure(
            Code.UNREACHABLE,
            "temporal_unreachable",
            f"Temporal cannot be reached at {address}",
            fix="see TEMPORAL_ADDRESS, or start `onward demo` or `onward stack`",
        ) from error


@asynccontextmanager
async def changing(
    database: Database, action: str, by: str | None, kind: str | None = None, target: str | None = None
) -> AsyncIterator[Trail]:
    """Around whatever a command changes: it is on record before it is done, and what came of it after. Actions have the names
    of the HTTP API's."""
    who = audit.Who("cli", actor(by), "cli", uuid.uuid4().hex)
    async with database.read() as connection:
        entry = await audit.begin(connection, who, action, kind, target)
    trail = Trail()

    async def finish(result: Result, code: str | None = None) -> None:
        async with database.transaction() as connection:
            await audit.finish_with(connection, who, entry, trail, result, code=code)

    try:
        yield trail
    except Exception as error:
        failure = failure_of(error)
        expected = failure is not None and failure.exit_code in (Code.INVALID, Code.REFUSED)
        with suppress(*UNAVAILABLE):  # else it would hide what went wrong
            await finish("refused" if expected else "failed", "unexpected" if failure is None else failure.code)
        raise
    await finish("done")


@asynccontextmanager
async def open_enrollments() -> AsyncIterator[Enrollments]:
    """The typed client over both servers."""
    settings = load_settings()
    async with open_database(settings) as database:
        client = await open_temporal(settings)
        yield Enrollments(client, database, valid_address, task_queue=settings.task_queue)


async def which(connection: Connection, words: list[str] | None, contact: str | None) -> str:
    """The enrollment that the arguments name. Raises Failure, DomainError."""
    words = words or []
    if len(words) == 2 and contact is None:
        return await finding.in_sequence(connection, words[0], words[1])
    if len(words) == 1 and contact is None:
        return await finding.enrollment(connection, words[0])
    if not words and contact is not None:
        return await finding.enrollment(connection, contact)
    raise Failure(
        Code.INVALID,
        "usage",
        "name one enrollment",
        field="enrollment",
        fix="write its ID, or SEQUENCE CONTACT, or a contact with one open enrollment",
    )


def moment(text: str | None) -> str | None:
    """A date or an instant as it is; a duration such as 10m, 2h or 3d as the instant that far from now."""
    if text is None:
        return None
    try:
        duration = parse_duration(text)
    except ValueError:
        return text
    if duration.business_days:
        raise Failure(
            Code.INVALID, "invalid_message", "business days need a calendar", field="until", fix="write a date or 3d"
        )
    return (datetime.now(UTC) + duration.delta).isoformat()


def given(**fields: Any) -> dict[str, Any]:
    """The fields that were given."""
    return {name: value for name, value in fields.items() if value is not None}


def read_text(path: Path) -> str:
    """A file's text, `-` for standard input. Raises Failure `file_unreadable`."""
    try:
        if str(path) == "-":
            return typer.get_text_stream("stdin").read()
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise Failure(Code.INVALID, "file_unreadable", f"{path}: {why}", field="file") from error


def read_yaml(path: Path) -> Any:
    """A YAML (or JSON) file. Raises Failure `file_unreadable` or `yaml_invalid` with the line."""
    try:
        return yaml.safe_load(read_text(path))
    except (yaml.YAMLError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f"line {mark.line + 1}: " if mark is not None else ""
        problem = getattr(error, "problem", None) or str(error).partition("\n")[0]
        raise Failure(Code.INVALID, "yaml_invalid", f"{path}: {line}{problem}", field="file") from error
