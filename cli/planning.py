"""`onward plan`, `onward forecast`: when each next email leaves, and how many per mailbox and day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.table import Table

from activities.services import valid_address
from cli import words
from cli.output import emit, table
from cli.session import ContactOption, JsonOption, WhichArgument, open_database, run, which
from client import planning
from mail.filling import gap_finder
from settings import load_settings

PANEL = "Planning"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(rich_help_panel=PANEL)(plan)
    app.command(rich_help_panel=PANEL)(forecast)


def plan(who: WhichArgument = None, contact: ContactOption = None, as_json: JsonOption = False) -> None:
    """Show every remaining step of an enrollment: when it leaves, from which mailbox, and why not sooner."""

    async def work() -> None:
        settings, now = load_settings(), datetime.now(UTC)
        async with open_database(settings) as database:
            async with database.read() as connection:
                key = await which(connection, who, contact)
            told = await planning.plan_of(
                database, key, now=now, valid=valid_address, gaps=gap_finder(settings.public_url)
            )
        emit(told, _plan_lines(told, now), as_json=as_json)

    run(work())


def _plan_lines(told: Mapping[str, Any], now: datetime) -> list[str]:
    zone = told["zone"]
    lines = [f"{told['contact']} in {told['sequence']}, in the time zone {zone['name']} (the {zone['of']}'s)"]
    for step in told["steps"]:
        when = words.moment_of(step["at"], now) if step["at"] else "no time yet"
        why = f", waits for {step['cause']}" if step["cause"] else ""
        origin = f" from {step['mailbox']}, {step['certainty']}" if step["at"] else ""
        lines.append(f"  step {step['number']} of {step['total']} ({step['id']})  {when}{origin}{why}")
    end = told["end"]
    if end is not None:
        at = f" {words.moment_of(end['at'], now)}" if end["at"] else ""
        what = {"finished": "ends", "closed": "has ended", "not_sent": "is not sent", "waits": "waits"}[end["what"]]
        lines.append(f"  then {what}{at}: {end['reason']}. {end['sentence'] or ''}".rstrip())
        if end["fix"] and end["what"] in ("waits", "not_sent"):
            lines.append(f"    fix: {end['fix']}")
    return [*lines, f"  if: {'; '.join(told['assumptions'])}"]


def forecast(
    sequence: Annotated[str, typer.Argument(metavar="SEQUENCE")],
    days: Annotated[int, typer.Option(min=1, max=planning.MOST_DAYS, help="How far to look ahead.")] = 14,
    as_json: JsonOption = False,
) -> None:
    """Count a sequence's coming emails per mailbox and day; --json has the hours."""

    async def work() -> None:
        settings, now = load_settings(), datetime.now(UTC)
        async with open_database(settings) as database:
            told = await planning.forecast_of(
                database, sequence, now=now, days=days, valid=valid_address, gaps=gap_finder(settings.public_url)
            )
        emit(told, _forecast_table(told), as_json=as_json)

    run(work())


def _forecast_table(told: Mapping[str, Any]) -> Table:
    zone = ZoneInfo(told["zone"])
    names = [one["mailbox"] for one in told["mailboxes"]]
    shown = table("day", *(f"{name} (others)" for name in names))
    counts: Counter[tuple[date, str, str]] = Counter()
    for one in told["mailboxes"]:
        for hour in one["hours"]:
            day = datetime.fromisoformat(hour["begins"]).astimezone(zone).date()
            for kind in ("emails", "others"):
                counts[day, one["mailbox"], kind] += hour[kind]
    for day in sorted({day for day, _, _ in counts}):
        shown.add_row(f"{day:%a %Y-%m-%d}", *(_cell(counts[day, n, "emails"], counts[day, n, "others"]) for n in names))
    shown.caption = "\n".join([*_ends(told["ends"]), f"if: {'; '.join(told['assumptions'])}"])
    shown.caption_justify = "left"
    return shown


def _cell(own: int, others: int) -> str:
    return f"{own} ({others})" if others else str(own)


def _ends(ends: Mapping[str, Mapping[str, int]]) -> Iterable[str]:
    for what, reasons in ends.items():
        yield f"{what}: " + ", ".join(f"{count} {reason}" for reason, count in reasons.items())
