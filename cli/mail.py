"""`onward mail`: what a mail or a refusal is, told without any server or setting."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.mail_refusal import refusal_json
from cli.output import Code, Failure
from domain.inbound import Reading

group = typer.Typer(no_args_is_help=True, help="What a mail or a refusal is; needs no server.")


def add_to(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(group, name="mail", rich_help_panel="Mail")


@group.command("classify")
def classify(
    paths: Annotated[
        list[Path],
        typer.Argument(metavar="PATH...", help="Mails as files, directories of *.eml, or - for standard input."),
    ],
    received_at: Annotated[
        str | None,
        typer.Option(
            "--received-at",
            metavar="ISO",
            help="When they were received, instead of what their headers say; UTC without an offset.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON document per mail and line.")] = False,
) -> None:
    """Tell what kind of mail each is, with return dates, bounces and the evidence. Reads only; exit code 0 whatever they hold."""
    from mail.inbound import read  # many patterns, and only needed here

    when = _instant(received_at)
    for path in _files(paths):
        try:
            raw = _bytes(path)
        except OSError as error:
            _say({"path": str(path), "error": error.strerror or type(error).__name__}, as_json)
            continue
        _say(reading_json(str(path), read(raw, when)), as_json)


def _bytes(path: Path) -> bytes:
    """What the parser looks at of a file, and a byte more, by which it sees that there is more."""
    from mail.inbound.parsing import MOST_BYTES

    if str(path) == "-":
        return sys.stdin.buffer.read(MOST_BYTES + 1)
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


@group.command("refusal")
def refusal(
    text: Annotated[str, typer.Argument(metavar="REPLY", help='The reply of a server: "550 5.1.1 User unknown".')],
) -> None:
    """Tell what a server's refusal means: class, scope, action, and whether the address is dead. Prints JSON."""
    print(json.dumps(refusal_json(text)))


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        when = None
    if when is None or not 1970 < when.year < 2199:
        raise Failure(
            Code.INVALID,
            "received_at_invalid",
            "not a time" if when is None else "a year from 1971 to 2198",
            field="--received-at",
            fix="write it as 2026-12-01T09:00:00+01:00 or with Z",
        )
    # Nothing is done at that time, so one without an offset need not be refused.
    return when if when.tzinfo is not None else when.replace(tzinfo=UTC)


def _files(paths: list[Path]) -> Iterator[Path]:
    for path in paths:
        if path.is_dir():
            yield from sorted(path.rglob("*.eml"))
        else:
            yield path


def reading_json(path: str, reading: Reading) -> dict[str, Any]:
    """A reading as docs/inbound.md describes it: the first seven fields always, the others where they say something."""
    return_ = reading.return_
    shown: dict[str, Any] = {
        "path": path,
        "kind": reading.kind.value,
        "return": {
            "status": return_.status,
            "date": return_.date.isoformat() if return_.date else None,
            "candidates": [day.isoformat() for day in return_.candidates],
            "evidence": return_.evidence,
        },
        "bounce": [
            {
                "recipient": one.recipient,
                "class": one.cls,
                "scope": one.scope,
                "hard": one.hard,
                "code": one.code,
                "enhanced": one.enhanced,
                "diagnostic": one.diagnostic,
            }
            for one in reading.bounce
        ],
        "rule": reading.rule,
        "evidence": [{"where": one.where, "text": one.text, "start": one.start} for one in reading.evidence],
        "ignored": list(reading.ignored),
    }
    if reading.meeting is not None:
        shown["meeting"] = reading.meeting
    if reading.feedback is not None:
        shown["feedback"] = reading.feedback
    if reading.proposed:
        shown["proposed"] = [{"address": one.address, "name": one.name} for one in reading.proposed]
    return shown


def _say(shown: dict[str, Any], as_json: bool) -> None:
    if as_json:
        document = json.dumps(shown, ensure_ascii=False)
        print(document if _writable(document) == document else json.dumps(shown))
        return
    print(_writable("\n".join(_lines(shown))))


def _writable(text: str) -> str:
    """The text, escaped where standard output cannot hold it: lone surrogates of a file name, or letters that its encoding lacks."""
    encoding = sys.stdout.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)


def _lines(shown: dict[str, Any]) -> Iterator[str]:
    path = shown["path"]
    if "error" in shown:
        yield f"{path}: cannot be read: {shown['error']}"
        return
    yield f"{path}: {shown['kind']} ({shown['rule']})"
    back = shown["return"]
    if back["status"] != "none":
        days = back["date"] or ", ".join(back["candidates"]) or "-"
        yield f"  back     {days} ({back['status']}): {back['evidence']}"
    for one in shown["bounce"]:
        hard = " hard" if one["hard"] else ""
        yield f"  bounce   {one['recipient'] or '-'} {one['class']}{hard}: {one['diagnostic']}"
    for one in shown.get("proposed", ()):
        yield f"  instead  {one['name']} <{one['address']}>".replace("  <", " <")
    for one in shown["evidence"]:
        yield f"  because  {one['where']}: {one['text']}"
