"""`onward enroll`, and what people look at: lists, one enrollment, why it stands so, its story."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from activities.services import valid_address
from cli import commands, words
from cli.output import Code, Failure, emit, table
from cli.session import (
    AsOption,
    ContactOption,
    JsonOption,
    WhichArgument,
    actor,
    changing,
    moment,
    open_database,
    open_enrollments,
    read_text,
    run,
    which,
)
from client import reading
from client.enrollments import Enrolled
from domain.messages import ResumeAt, parse_message
from mail.filling import gap_finder
from settings import load_settings
from store import listing
from store.csv_files import parse_contacts_csv

group = typer.Typer(no_args_is_help=True, help="Enrollments: contacts in sequences.")
PANEL = "Enrollments"


def add_to(app: typer.Typer) -> None:
    """Add the commands. `show`, `explain` and `history` are there by themselves too."""
    app.command(rich_help_panel=PANEL)(enroll)
    app.add_typer(group, name="enrollments", rich_help_panel=PANEL)
    group.command("list")(list_enrollments)
    for command in (show, explain, history):
        group.command()(command)
        app.command(rich_help_panel=PANEL)(command)
    commands.add_to(app)


def enroll(
    sequence: Annotated[str, typer.Argument(metavar="SEQUENCE")],
    contacts: Annotated[list[str] | None, typer.Argument(metavar="CONTACT...", help="Contact IDs.")] = None,
    file: Annotated[Path | None, typer.Option(help="A CSV file whose column id names the contacts.")] = None,
    start_at: Annotated[
        str | None, typer.Option(help="The first step leaves no earlier: an instant, or 10m, 3d.")
    ] = None,
    mailbox: Annotated[str | None, typer.Option(help="One of the sequence's mailboxes.")] = None,
    override: Annotated[
        list[str] | None, typer.Option(help="Accept this refusal (its code); may be given several times.")
    ] = None,
    existing: Annotated[
        bool, typer.Option("--existing-ok", help="An open enrollment in this sequence is answered, not refused.")
    ] = False,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Enroll contacts in a sequence, with a result for each. Exit code 3 when any was refused."""
    keys = list(contacts or [])
    if file is not None:
        keys += [row.id for row in parse_contacts_csv(read_text(file)).rows]
    if not keys:
        raise Failure(Code.INVALID, "usage", "name contacts, or --file", field="contact")
    start = _instant(start_at)

    async def work() -> None:
        async with (
            open_enrollments() as enrollments,
            changing(enrollments.database, "enroll", by, "sequence", sequence) as trail,
        ):
            results = []
            for key in keys:
                result = await enrollments.enroll(
                    sequence,
                    key,
                    by=actor(by),
                    start_at=start,
                    mailbox=mailbox,
                    overrides=override or (),
                    on_conflict="return" if existing else "refuse",
                )
                trail.add("enroll", "contact", key, *result.audited)
                results.append(result)
        emit(
            {"results": [result.as_json() for result in results]},
            [line for result in results for line in _enrolled(result)],
            as_json=as_json,
        )
        if any(result.refused for result in results):
            raise typer.Exit(Code.REFUSED)

    run(work())


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    message = parse_message("resume_at", {"until": moment(text)}, strict=True)
    assert isinstance(message, ResumeAt)
    if not isinstance(message.until, datetime):
        raise Failure(
            Code.INVALID,
            "invalid_message",
            "a plain date has no time",
            field="start-at",
            fix="write it as 2026-12-01T09:00:00+01:00",
        )
    return message.until


def _enrolled(result: Enrolled) -> list[str]:
    if result.refused:
        lines = []
        for refusal in result.refused:
            lines.append(f"{result.contact}: refused, {refusal['code']}: {refusal.get('message', '')}".rstrip(": "))
            if refusal.get("fix"):
                lines.append(f"  fix: {refusal['fix']}")
        return lines
    what = "is enrolled already" if result.already_open else "enrolled"
    if result.pending:
        what = "accepted; no worker has taken it up yet"
    warned = [f"  note: {warning['message']}" for warning in result.warnings]
    return [f"{result.contact}: {what} ({result.enrollment})", *warned]


def list_enrollments(
    sequence: Annotated[str, typer.Argument(metavar="SEQUENCE")],
    status: Annotated[
        list[str] | None, typer.Option(help="active, paused, bounced, not_sent, finished, removed; may be repeated.")
    ] = None,
    reason: Annotated[str | None, typer.Option(help="A reason's code.")] = None,
    step: Annotated[str | None, typer.Option(help="The ID of the step at which they stand.")] = None,
    mailbox: Annotated[str | None, typer.Option(help="The ID of the mailbox that sends.")] = None,
    search: Annotated[str | None, typer.Option(help="Part of a name, an address, an account's name or an ID.")] = None,
    sort: Annotated[str, typer.Option(help="last_event, next_action, step, name or status.")] = "last_event",
    ascending: Annotated[bool, typer.Option("--asc/--desc")] = False,
    limit: Annotated[int, typer.Option(help="1 to 200.")] = 50,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List a sequence's enrollments by what people see of them."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            page = await listing.page(
                connection,
                sequence,
                status=status,
                reason=reason,
                step=step,
                mailbox=mailbox,
                search=search,
                sort=sort,  # type: ignore[arg-type]  # `page` refuses what is no order
                descending=not ascending,
                cursor=cursor,
                limit=limit,
            )
        now = datetime.now(UTC)
        shown = table("contact", "name", "status", "reason", "step", "next", "enrollment")
        for row in page.rows:
            label = f"{row.label} ({reading.pending_word(row.pending[0])})" if row.pending else row.label
            at_step = f"{row.step.number}/{row.step.total}" if row.step else ""
            coming = words.moment_of(row.next_at, now) if row.next_at else ""
            shown.add_row(row.contact, row.name, label, row.reason or "", at_step, coming, row.enrollment)
        if page.next_cursor and not as_json:
            shown.caption = f"more: --cursor {page.next_cursor}"
        emit(
            {"enrollments": [_row_json(row) for row in page.rows], "next_cursor": page.next_cursor},
            shown,
            as_json=as_json,
        )

    run(work())


def _row_json(row: listing.Row) -> dict[str, Any]:
    return {
        "enrollment": row.enrollment,
        "contact": row.contact,
        "name": row.name,
        "email": row.email,
        "account": row.account,
        "mailbox": row.mailbox,
        "status": row.status.value,
        "label": row.label,
        "own_status": row.own_status.value,
        "reason": row.reason,
        "pending": list(row.pending),
        "step": row.step.model_dump(mode="json") if row.step else None,
        "next_at": row.next_at.isoformat() if row.next_at else None,
        "last_event_at": row.last_event_at.isoformat(),
    }


def show(who: WhichArgument = None, contact: ContactOption = None, as_json: JsonOption = False) -> None:
    """Show an enrollment: status, reason, holds, what happens next."""

    async def work() -> None:
        settings, now = load_settings(), datetime.now(UTC)
        async with open_database(settings) as database, database.read() as connection:
            shown = await reading.read_enrollment(connection, await which(connection, who, contact), now)
            shown["attempts"] = await reading.attempts(connection, shown["enrollment"])
        shown["temporal_ui"] = reading.temporal_link(settings.temporal_ui_url, settings.temporal_namespace, shown)
        emit(shown, words.shown_lines(shown, now), as_json=as_json)

    run(work())


def explain(who: WhichArgument = None, contact: ContactOption = None, as_json: JsonOption = False) -> None:
    """Say why an enrollment stands as it does, what happens next, what you can do, and what every guard says now."""

    async def work() -> None:
        settings, now = load_settings(), datetime.now(UTC)
        async with open_database(settings) as database:
            async with database.read() as connection:
                key = await which(connection, who, contact)
            told = await reading.explain(
                database, key, now=now, valid=valid_address, gaps=gap_finder(settings.public_url)
            )
        told["temporal_ui"] = reading.temporal_link(settings.temporal_ui_url, settings.temporal_namespace, told)
        emit(told, words.explained_lines(told, now), as_json=as_json)

    run(work())


def history(who: WhichArgument = None, contact: ContactOption = None, as_json: JsonOption = False) -> None:
    """Tell an enrollment's whole story: what happened, when, by whom."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            key = await which(connection, who, contact)
            lines = await reading.story(connection, key)
        emit({"enrollment": key, "events": lines}, [words.event_line(line) for line in lines], as_json=as_json)

    run(work())
