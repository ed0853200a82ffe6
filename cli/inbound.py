"""`onward inbound`: mail that came in, what was made of it, and what a person says of it."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import Code, Failure, emit, table
from cli.session import AsOption, JsonOption, actor, changing, open_database, open_enrollments, run, which
from client.inbound import Inbound, Taken
from client.reading import inbound_shown
from domain.inbound import Arrival, Kind
from settings import load_settings
from store import inbound

group = typer.Typer(no_args_is_help=True, help="Mail that came in: replies, bounces, absences.")
MailArgument = Annotated[str, typer.Argument(metavar="MAIL", help="The mail's ID, as `onward inbound list` shows it.")]


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="inbound", rich_help_panel="Mail")


@asynccontextmanager
async def _open() -> AsyncIterator[Inbound]:
    settings = load_settings()
    async with open_enrollments() as onward:
        yield Inbound(onward, settings.require_secret(), settings.guardrail_refusals)


@group.command("list")
def list_mail(
    needs: Annotated[bool, typer.Option("--needs", help="Only what a person must look at.")] = False,
    unmatched: Annotated[bool, typer.Option("--unmatched", help="Only mail that belongs to no enrollment.")] = False,
    kind: Annotated[Kind | None, typer.Option(help="Only this kind.")] = None,
    enrollment: Annotated[
        str | None, typer.Option(help="Only mail of this enrollment: its ID, or a contact with one open enrollment.")
    ] = None,
    after: Annotated[str | None, typer.Option(metavar="MAIL", help="From behind this mail on.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500)] = 50,
    as_json: JsonOption = False,
) -> None:
    """List inbound mail, newest first."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            rows = await inbound.page(
                connection,
                after=after,
                kind=kind,
                enrollment=None if enrollment is None else await which(connection, [enrollment], None),
                unmatched=True if unmatched else None,
                needs=needs,
                limit=limit,
            )
        shown = [inbound_shown(row) for row in rows]
        lines = table("received", "kind", "from", "subject", "of", "did", "needs", "mail")
        for one in shown:
            lines.add_row(*_row(one))
        emit({"items": shown}, lines if shown else "no mail", as_json=as_json)

    run(work())


def _row(one: Mapping[str, Any]) -> tuple[str, ...]:
    return (
        one["received_at"][:16].replace("T", " "),
        one["kind"],
        one["from"],
        one["subject"][:40],
        f"{one['sequence']}/{one['contact']}" if one["sequence"] else (one["contact"] or "-"),
        ", ".join(sorted({told["message"] for told in one["told"]})) or "-",
        (one["needs"] or "-") if one["settled_at"] is None else "settled",
        one["id"],
    )


@group.command("show")
def show_mail(mail: MailArgument, as_json: JsonOption = False) -> None:
    """Show what a mail is, on what evidence, whose it is and what it did."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            shown = inbound_shown(await inbound.get(connection, mail))
        emit(shown, _lines(shown), as_json=as_json)

    run(work())


def _lines(one: Mapping[str, Any]) -> list[str]:
    found = one["return"]
    lines = [
        f"{one['kind']} from {one['from'] or 'nobody'} at {one['received_at']}: {one['subject']}",
        f"  rule     {one['rule']}",
        *(f"  because  {piece['where']}: {piece.get('text', '')}" for piece in one["evidence"]),
    ]
    if found["status"] != "none":
        said = found.get("date") or ", ".join(found.get("candidates", [])) or "-"
        lines.append(f"  back     {said} ({found['status']}): {found.get('evidence', '')}")
    for piece in one["bounce"]:
        lines.append(
            f"  bounce   {piece.get('recipient', '')} {piece.get('cls', 'unknown')}: {piece.get('diagnostic', '')}"
        )
    for piece in one["proposed"]:
        lines.append(f"  instead  {piece.get('name', '')} <{piece['address']}>")
    whose = f"{one['sequence']}/{one['contact']}" if one["sequence"] else (one["contact"] or "nobody's")
    lines.append(f"  of       {whose} (by {one['matched_by'] or 'nothing'})")
    lines += [f"  told     {told['enrollment']}: {told['message']}" for told in one["told"]]
    if one["needs"] and one["settled_at"] is None:
        lines.append(f"  needs    a person: {one['needs']}")
    if one["settled_at"]:
        lines.append(f"  settled  {one['settled_at']} by {one['settled_by']} {one['correction'] or ''}".rstrip())
    return lines


@group.command("take")
def take(
    files: Annotated[list[Path], typer.Argument(metavar="FILE...", help="Raw mails; - reads standard input.")],
    mailbox: Annotated[str | None, typer.Option(help="The mailbox they arrived in.")] = None,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take mails in, as if they had arrived. The same mail again has no second effect."""
    raws = [(str(path), _bytes(path)) for path in files]

    async def work() -> None:
        async with _open() as way, changing(way.onward.database, "post_mail", by) as trail:
            done = []
            for name, raw in raws:
                taken = await way.take(Arrival(raw, datetime.now(UTC), "http", mailbox))
                trail.add("post_mail", "mail", taken.id)
                done.append((name, taken))
        emit(
            {"items": [{"path": name, **taken.as_json()} for name, taken in done]},
            [f"{name}: {_said(taken)}" for name, taken in done],
            as_json=as_json,
        )

    run(work())


def _bytes(path: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if str(path) == "-" else path.read_bytes()
    except OSError as error:
        raise Failure(Code.INVALID, "file_unreadable", f"{path}: {error.strerror}", field="file") from error


def _said(taken: Taken) -> str:
    told = ", ".join(sorted({str(one["message"]) for one in taken.told})) or "nothing told"
    whose = f"enrollment {taken.enrollment} by {taken.matched_by}" if taken.enrollment else "matched to nobody"
    again = " (came before)" if taken.duplicate else ""
    needs = f"; needs a person: {taken.needs}" if taken.needs else ""
    return f"{taken.kind}{again}, {whose}, {told}{needs}  [{taken.id}]"


@group.command("correct")
def correct(
    mail: MailArgument,
    kind: Annotated[Kind | None, typer.Option(help="What it is.")] = None,
    return_date: Annotated[
        str | None, typer.Option("--return-date", metavar="DATE", help="The day its writer is back.")
    ] = None,
    enrollment: Annotated[
        str | None, typer.Option(help="Whose it is: an enrollment's ID, or a contact with one open enrollment.")
    ] = None,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say what a mail is, when its writer is back, or whose it is. No later auto-reply overrides it."""
    try:
        day = None if return_date is None else date.fromisoformat(return_date)
    except ValueError:
        raise Failure(
            Code.INVALID, "invalid_message", "not a date", field="return_date", fix="write it as 2026-12-01"
        ) from None
    if (kind, day, enrollment) == (None, None, None):
        raise Failure(Code.INVALID, "usage", "say what is wrong", fix="--kind, --return-date or --enrollment")

    async def work() -> None:
        async with _open() as way:
            owner = None
            if enrollment is not None:
                async with way.onward.database.read() as connection:
                    owner = await which(connection, [enrollment], None)
            async with changing(way.onward.database, "correct_mail", by, "mail", mail):
                taken = await way.correct(mail, by=actor(by), kind=kind, return_date=day, enrollment=owner)
        emit(taken.as_json(), _said(taken), as_json=as_json)

    run(work())


@group.command("settle")
def settle(mail: MailArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Say that a mail was looked at and nothing more is to be done."""

    async def work() -> None:
        async with open_database() as database:
            async with changing(database, "settle_mail", by, "mail", mail), database.transaction() as connection:
                await inbound.settle(connection, mail, by=actor(by), now=datetime.now(UTC))
            async with database.read() as connection:
                shown = inbound_shown(await inbound.get(connection, mail))
        emit(shown, _lines(shown), as_json=as_json)

    run(work())
