"""`onward demo` and `onward inbox`: the whole of Onward on this machine, with ten contacts that play along."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from pathlib import Path
from typing import Annotated
from urllib.parse import unquote

import typer

from cli.output import Code, Failure, emit
from cli.session import JsonOption
from settings import Settings


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel="Demo")(demo)
    app.command(rich_help_panel="Demo")(inbox)


def demo(
    once: Annotated[bool, typer.Option("--once", help="Unattended, on fresh data: play, check, exit.")] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="With --once: write the summary there.")
    ] = None,
    forget: Annotated[bool, typer.Option("--forget", help="Delete the demo's data and exit.")] = False,
) -> None:
    """Run everything on this machine: servers, worker, API, and ten contacts that answer, bounce, are away, ...

    Ctrl-C stops it and keeps the data. With --once it runs unattended on fresh data for at most 90 s and exits 0 only if
    every status was reached for its real cause and the books agree: ledger and receiver, record and workflow.
    """
    from rich.console import Console

    # The embedded servers are an extra that a deployment against real servers leaves out.
    from cli import demo_play
    from embedded.stack import forget as forget_home
    from embedded.stack import reachable_tempdir

    if json_file is not None and not once:
        raise Failure(Code.INVALID, "usage", "goes with --once", field="--json", fix="onward demo --once --json FILE")
    if json_file is not None and not json_file.absolute().parent.is_dir():
        raise Failure(Code.INVALID, "usage", "there is no such directory", field="--json", fix="make it first")
    home = Settings().home
    if forget:
        emit({}, "the demo's data is deleted" if forget_home(home) else "there is nothing to forget", as_json=False)
        return
    console = Console(highlight=False)
    if once:
        with reachable_tempdir() as directory:
            code = demo_play.show(directory / "home", once=True, json_file=json_file, console=console)
    else:
        code = demo_play.show(home, once=False, json_file=None, console=console)
    raise typer.Exit(code)


def inbox(
    who: Annotated[str, typer.Argument(metavar="NAME", help="An address, or the part before its @, such as mara.")],
    as_json: JsonOption = False,
) -> None:
    """Read the mail that a contact of the demo has received."""
    directory = Settings().home / "inboxes"
    boxes = sorted(path for path in directory.glob("*@*") if path.is_dir()) if directory.is_dir() else []
    chosen = [box for box in boxes if who.casefold() in (unquote(box.name), unquote(box.name).partition("@")[0])]
    if not chosen:
        names = ", ".join(unquote(box.name).partition("@")[0] for box in boxes)
        raise Failure(
            Code.INVALID, "inbox_unknown", f"{who[:80]!r} has received nothing", fix=f"try {names or 'later'}"
        )
    mails = [_mail(path) for box in chosen for path in sorted(box.glob("*.eml"))]
    lines = []
    for mail in mails:
        lines += [
            f"── {mail['received_at']}  {mail['file']}",
            f"From: {mail['from']}",
            f"Subject: {mail['subject']}",
            "",
        ]
        lines += [mail["text"].rstrip(), ""]
    emit({"mails": mails}, lines, as_json=as_json)


def _mail(path: Path) -> dict[str, str]:
    message = message_from_bytes(path.read_bytes(), policy=email.policy.default)
    body = message.get_body(("plain",))
    return {
        "file": str(path),
        "received_at": str(message.get("X-Received-At", "")),
        "from": str(message.get("From", "")),
        "to": str(message.get("To", "")),
        "subject": str(message.get("Subject", "")),
        "message_id": str(message.get("Message-ID", "")),
        "in_reply_to": str(message.get("In-Reply-To", "")),
        "text": body.get_content() if body is not None else "",
    }
