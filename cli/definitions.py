"""`onward sequence`, `schedule`, `mailbox`: what people define in files, and the switches."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
import yaml

from cli.output import emit, table
from cli.session import AsOption, JsonOption, actor, changing, open_database, open_enrollments, read_yaml, run
from client import definitions
from mail import imap
from mail.definitions import check_mailbox, check_sequence, server_of
from mail.smtp import check as log_in
from settings import load_settings
from store import catalog, listing
from store.catalog import Applied, StoredMailbox, StoredSequence

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A YAML or JSON file; - reads standard input.")]

sequence = typer.Typer(no_args_is_help=True, help="Sequences: steps, settings, the master switch.")
schedule = typer.Typer(no_args_is_help=True, help="Schedules: sending windows in a time zone.")
mailbox = typer.Typer(no_args_is_help=True, help="Mailboxes: sending addresses, their servers and limits.")


def add_to(app: typer.Typer) -> None:
    """Add the groups of commands."""
    for name, group in (("sequence", sequence), ("schedule", schedule), ("mailbox", mailbox)):
        app.add_typer(group, name=name, rich_help_panel="Definitions")


def _applied(kind: str, applied: Applied) -> str:
    revision = f", revision {applied.revision}" if applied.revision is not None else ""
    return f"{kind} {applied.id} {'applied' if applied.changed else 'is unchanged'}{revision}"


def _id_of(data: Any) -> str | None:
    """What a definition calls itself, before it is judged."""
    found = data.get("id") if isinstance(data, dict) else None
    return found if isinstance(found, str) else None


@sequence.command("apply")
def sequence_apply(file: FileArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Add a sequence or change it. Nothing is written when anything in the file is wrong."""
    data = read_yaml(file)

    async def work() -> None:
        async with (
            open_enrollments() as enrollments,
            changing(enrollments.database, "put_sequence", by, "sequence", _id_of(data)),
        ):
            applied = await definitions.apply_sequence(enrollments, data, check=check_sequence)
        emit(asdict(applied), _applied("sequence", applied), as_json=as_json)

    run(work())


def _sequence_json(found: StoredSequence) -> dict[str, Any]:
    return {
        "id": found.definition.id,
        "name": found.definition.name,
        "revision": found.revision,
        "switched_on": found.switched_on,
        "switched_at": found.switched_at.isoformat(),
        "switched_by": found.switched_by,
        "definition": found.definition.model_dump(mode="json", exclude_defaults=True),
    }


@sequence.command("show")
def sequence_show(key: Annotated[str, typer.Argument(metavar="SEQUENCE")], as_json: JsonOption = False) -> None:
    """Show a sequence: its definition, its switch and how many contacts stand where."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.sequence(connection, key)
            counts = {status.value: n for status, n in (await listing.counts(connection, key)).items()}
        shown = _sequence_json(found)
        switch = "on" if found.switched_on else f"off since {found.switched_at:%Y-%m-%d %H:%M} UTC"
        emit(
            {**shown, "counts": counts},
            [
                f"{key} ({found.definition.name}), revision {found.revision}, switched {switch} by {found.switched_by}",
                "  ".join(f"{status} {n}" for status, n in counts.items() if n) or "nobody is enrolled",
                "",
                yaml.safe_dump(shown["definition"], sort_keys=False, allow_unicode=True).rstrip(),
            ],
            as_json=as_json,
        )

    run(work())


@sequence.command("list")
def sequence_list(as_json: JsonOption = False) -> None:
    """List all sequences with their switches."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.sequences(connection, limit=1000)
        shown = table("sequence", "name", "steps", "switch", "revision")
        for each in found:
            switch = "on" if each.switched_on else "off"
            definition = each.definition
            shown.add_row(definition.id, definition.name, str(len(definition.steps)), switch, str(each.revision))
        emit({"sequences": [_sequence_json(each) for each in found]}, shown, as_json=as_json)

    run(work())


@sequence.command("on")
def sequence_on(
    key: Annotated[str, typer.Argument(metavar="SEQUENCE")], by: AsOption = None, as_json: JsonOption = False
) -> None:
    """Switch a sequence on. Waits have kept running; what fell due meanwhile takes sending slots in turn."""
    _switch(key, True, by, as_json)


@sequence.command("off")
def sequence_off(
    key: Annotated[str, typer.Argument(metavar="SEQUENCE")], by: AsOption = None, as_json: JsonOption = False
) -> None:
    """Switch a sequence off. From the moment this answers no email of it leaves."""
    _switch(key, False, by, as_json)


def _switch(key: str, on: bool, by: str | None, as_json: bool) -> None:
    async def work() -> None:
        action = "switch_on" if on else "switch_off"
        async with (
            open_enrollments() as enrollments,
            changing(enrollments.database, action, by, "sequence", key),
        ):
            epoch = await enrollments.switch("sequence", key, on=on, by=actor(by))
        word = "on" if on else "off"
        text = f"{key} is switched {word}" if epoch is not None else f"{key} was {word} already"
        emit({"sequence": key, "switched_on": on, "changed": epoch is not None}, text, as_json=as_json)

    run(work())


@schedule.command("apply")
def schedule_apply(file: FileArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Add a schedule or change it."""
    data = read_yaml(file)

    async def work() -> None:
        async with open_database() as database, changing(database, "put_schedule", by, "schedule", _id_of(data)):
            applied = await definitions.apply_schedule(database, data)
        emit(asdict(applied), _applied("schedule", applied), as_json=as_json)

    run(work())


@schedule.command("show")
def schedule_show(key: Annotated[str, typer.Argument(metavar="SCHEDULE")], as_json: JsonOption = False) -> None:
    """Show a schedule's definition."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.schedule(connection, key)
        definition = found.definition.model_dump(mode="json", exclude_defaults=True)
        text = yaml.safe_dump(definition, sort_keys=False).rstrip()
        emit({"revision": found.revision, "definition": definition}, text, as_json=as_json)

    run(work())


@mailbox.command("add")
def mailbox_add(file: FileArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Add a mailbox or change it. Passwords are references (env:NAME, file:/path), never the secret itself."""
    data = read_yaml(file)

    async def work() -> None:
        async with open_database() as database, changing(database, "put_mailbox", by, "mailbox", _id_of(data)):
            applied = await definitions.apply_mailbox(database, data, check=check_mailbox)
        emit(asdict(applied), _applied("mailbox", applied), as_json=as_json)

    run(work())


def _mailbox_json(found: StoredMailbox) -> dict[str, Any]:
    return {
        "id": found.definition.id,
        "state": found.state,
        "state_code": found.state_code,
        "not_before": found.not_before.isoformat() if found.not_before else None,
        "definition": found.definition.model_dump(mode="json", exclude_defaults=True),
    }


@mailbox.command("list")
def mailbox_list(as_json: JsonOption = False) -> None:
    """List all mailboxes with their states."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.mailboxes(connection, limit=1000)
        shown = table("mailbox", "address", "state", "why")
        for each in found:
            shown.add_row(each.definition.id, each.definition.address, each.state, each.state_code or "")
        emit({"mailboxes": [_mailbox_json(each) for each in found]}, shown, as_json=as_json)

    run(work())


@mailbox.command("check")
def mailbox_check(key: Annotated[str, typer.Argument(metavar="MAILBOX")], as_json: JsonOption = False) -> None:
    """Connect and log in to a mailbox's servers (SMTP, and IMAP if it is read) from here, and say whether that works. Sends
    and changes nothing."""

    async def work() -> None:
        settings = load_settings()
        async with open_database(settings) as database, database.read() as connection:
            found = await catalog.mailbox(connection, key)
        await log_in(server_of(found.definition, connect_seconds=settings.smtp_connect_seconds))
        if found.definition.imap is not None:
            await imap.check(found.definition.imap, seconds=settings.imap_timeout_seconds)
        text = f"{key}: the servers answer and the login works; the mailbox is {found.state}"
        emit({**_mailbox_json(found), "reachable": True}, text, as_json=as_json)

    run(work())


@mailbox.command("pause")
def mailbox_pause(
    key: Annotated[str, typer.Argument(metavar="MAILBOX")], by: AsOption = None, as_json: JsonOption = False
) -> None:
    """Stop sending from a mailbox until `up`."""
    _set_mailbox(key, "paused", by, as_json)


@mailbox.command("up")
def mailbox_up(
    key: Annotated[str, typer.Argument(metavar="MAILBOX")], by: AsOption = None, as_json: JsonOption = False
) -> None:
    """Open a mailbox again, also after a guardrail held it; everybody it held goes on."""
    _set_mailbox(key, "up", by, as_json)


def _set_mailbox(key: str, state: Literal["up", "paused"], by: str | None, as_json: bool) -> None:
    async def work() -> None:
        action = "up" if state == "up" else "pause"
        async with (
            open_enrollments() as enrollments,
            changing(enrollments.database, action, by, "mailbox", key),
        ):
            epoch = await enrollments.set_mailbox(key, state, by=actor(by))
        text = f"{key} is {state}" if epoch is not None else f"{key} was {state} already"
        emit({"mailbox": key, "state": state, "changed": epoch is not None}, text, as_json=as_json)

    run(work())
