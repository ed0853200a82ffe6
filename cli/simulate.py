"""`onward simulate`: a sequence played through from files, without a server."""

from __future__ import annotations

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from activities.services import valid_address
from cli.output import Code, Failure
from cli.picture import picture
from cli.session import moment, read_text, read_yaml
from client import simulation
from client.simulation import Case, Simulation
from domain.plans import ASSUMPTIONS
from domain.reasons import find
from domain.schedule import resolve_moment
from domain.sequences import WEEKDAYS, Limits, Mailbox, Schedule, Sequence, parse_definition
from mail.definitions import check_mailbox, check_sequence
from mail.filling import gap_finder
from store.csv_files import parse_accounts_csv, parse_contacts_csv

PANEL = "Planning"
DAYS_SHOWN = 31
NAMES_SHOWN = 10

_WINDOW = re.compile(r"(\S+)\s+(\d{1,2}:\d\d)\s*-\s*(\d{1,2}:\d\d)")
_DAYS = ", ".join(WEEKDAYS)

FileOption = Annotated[Path, typer.Option(help="Its YAML or JSON file.")]


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(rich_help_panel=PANEL)(simulate)


def simulate(
    sequence: Annotated[Path, typer.Argument(metavar="SEQUENCE_FILE", help="A YAML or JSON file.")],
    schedule: FileOption,
    mailbox: Annotated[list[Path], typer.Option(help="Its YAML or JSON file; once for each mailbox.")],
    contacts: Annotated[Path, typer.Option(help="A CSV file, as for `onward contacts import`.")],
    accounts: Annotated[Path | None, typer.Option(help="A CSV file of their accounts.")] = None,
    start_at: Annotated[
        str | None, typer.Option(help="When all are enrolled: a date, an instant, or 3d from now. Default: now.")
    ] = None,
    per_hour: Annotated[int | None, typer.Option(help="What if every mailbox had this limit.")] = None,
    per_day: Annotated[int | None, typer.Option(help="What if every mailbox had this limit.")] = None,
    window: Annotated[
        list[str] | None, typer.Option(help='What if these were the windows: "mon-fri 09:00-17:00"; may be repeated.')
    ] = None,
    switch_on_at: Annotated[
        str | None, typer.Option(help="What if the sequence was off until then: a date or an instant.")
    ] = None,
    resume_at: Annotated[
        str | None, typer.Option(help="What if all were paused until then: a date or an instant.")
    ] = None,
    json_to: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="All of it as JSON; - prints it.")
    ] = None,
    csv_to: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="A line for each email, refusal and stop.")
    ] = None,
    svg_to: Annotated[
        Path | None, typer.Option("--svg", metavar="FILE", help="A picture of emails per hour and mailbox.")
    ] = None,
) -> None:
    """Play a sequence through from files, without a server: who would be refused, when each email leaves, how many an hour."""
    plan = parse_definition(Schedule, read_yaml(schedule))
    if window:
        plan = parse_definition(Schedule, {**plan.model_dump(mode="json"), "windows": _windows(window)})
    changes = {key: value for key, value in (("per_hour", per_hour), ("per_day", per_day)) if value is not None}
    start = _instant(start_at, plan, "start-at") or datetime.now(UTC).replace(microsecond=0)
    parsed = parse_definition(Sequence, read_yaml(sequence))
    check_sequence(parsed)
    case = Case(
        parsed,
        plan,
        _mailboxes(parsed, mailbox, changes),
        parse_contacts_csv(read_text(contacts)).rows,
        parse_accounts_csv(read_text(accounts)).rows if accounts else (),
        start,
        _instant(switch_on_at, plan, "switch-on-at"),
        _instant(resume_at, plan, "resume-at"),
    )
    if parsed.schedule != plan.id:
        raise Failure(
            Code.INVALID, "schedule_other", f"the sequence names the schedule {parsed.schedule!r}", field="schedule"
        )
    found = simulation.simulate(case, valid=valid_address, gaps=gap_finder("https://onward.example/u/"))
    if json_to is not None:
        _write(json_to, json.dumps(simulation.as_json(found), ensure_ascii=False) + "\n")
    if csv_to is not None:
        _write(csv_to, _csv(found))
    if svg_to is not None:
        emails = ((email.mailbox, email.at) for email in found.emails)
        _write(svg_to, picture(parsed.name, emails, [each.id for each in case.mailboxes], plan.zone))
    if "-" not in map(str, (json_to, csv_to, svg_to)):
        print("\n".join(_lines(found)))


def _mailboxes(sequence: Sequence, files: list[Path], changes: dict[str, int]) -> tuple[Mailbox, ...]:
    found = {}
    for file in files:
        each = check_mailbox(parse_definition(Mailbox, read_yaml(file)))
        if changes:
            limits = parse_definition(Limits, {**each.limits.model_dump(mode="json", exclude_unset=True), **changes})
            each = each.model_copy(update={"limits": limits})
        found[each.id] = each
    missing = [name for name in sequence.mailboxes if name not in found]
    if missing:
        raise Failure(
            Code.INVALID,
            "mailbox_unknown",
            f"the sequence sends from {missing[0]}",
            field="mailbox",
            fix="give its file",
        )
    return tuple(found[name] for name in sequence.mailboxes)


def _windows(given: list[str]) -> dict[str, list[dict[str, str]]]:
    windows: dict[str, list[dict[str, str]]] = {}
    for text in given:
        match = _WINDOW.fullmatch(text.strip().lower())
        days = _weekdays(match[1]) if match else []
        if match is None or not days:
            fix = f'write it as "mon-fri 09:00-17:00"; days are {_DAYS}, or all'
            raise Failure(Code.INVALID, "window_invalid", f"{text!r} is no window", field="window", fix=fix)
        for day in days:
            windows.setdefault(day, []).append({"start": match[2], "end": match[3]})
    return windows


def _weekdays(text: str) -> list[str]:
    if text == "all":
        return list(WEEKDAYS)
    days: list[str] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        if first not in WEEKDAYS or (last and last not in WEEKDAYS):
            return []
        begin, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        days += WEEKDAYS[begin : end + 1] if begin <= end else (*WEEKDAYS[begin:], *WEEKDAYS[: end + 1])
    return days


def _instant(text: str | None, schedule: Schedule, field: str) -> datetime | None:
    """An instant; of a plain date its first window."""
    if text is None:
        return None
    said = moment(text) or text
    try:
        found = date.fromisoformat(said) if len(said) == 10 else datetime.fromisoformat(said)
    except ValueError:
        found = None
    if found is None or (isinstance(found, datetime) and found.tzinfo is None):
        fix = "write a date such as 2026-12-01, or an instant with an offset such as 2026-12-01T09:00:00+01:00"
        raise Failure(Code.INVALID, "instant_invalid", f"{text!r} is no instant", field=field, fix=fix)
    return resolve_moment(schedule, found)


def _write(path: Path, text: str) -> None:
    if str(path) == "-":
        print(text, end="")
        return
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise Failure(Code.INVALID, "file_unwritable", f"{path}: {error.strerror}", field="file") from error


def _csv(found: Simulation) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("what", "contact", "step", "mailbox", "due", "at", "reason"))
    for contact, reasons in found.refused.items():
        writer.writerow(("refused", contact, "", "", "", "", ";".join(one.code for one in reasons)))
    iso = simulation.iso
    for email in found.emails:
        row = (email.contact, email.step.id, email.mailbox, iso(email.due), iso(email.at), email.cause or "")
        writer.writerow(("email", *row))
    for contact, end in found.ends.items():
        if end.what == "not_sent":
            writer.writerow(("not_sent", contact, end.step.id if end.step else "", "", "", iso(end.at), end.reason))
    return out.getvalue()


def _lines(found: Simulation) -> Iterator[str]:
    case, zone = found.case, ZoneInfo(found.case.schedule.zone)
    yield f"{case.sequence.id}: {len(case.contacts)} contacts, {len(found.refused)} refused, {len(found.emails)} emails"

    def said(at: datetime | None) -> str:
        return "" if at is None else f"{at.astimezone(zone):%a %Y-%m-%d %H:%M:%S}"

    if found.emails:
        yield f"the first leaves {said(found.emails[0].at)}, the last {said(found.emails[-1].at)} ({case.schedule.zone})"
        days = simulation.per_day(found.emails, case.schedule.zone)
        yield ""
        rows: list[tuple[str, ...]] = [("mailbox", "emails", "most in 60 minutes", "most in a day", "last email")]
        for box in case.mailboxes:
            times = [email.at for email in found.emails if email.mailbox == box.id]
            hour, day = simulation.most_per_hour(times), max(counts[box.id] for counts in days.values())
            full = f"{hour.emails} of {box.limits.per_hour}, from {said(hour.begins)}" if times else "0"
            rows.append(
                (box.id, str(len(times)), full, f"{day} of {box.limits.per_day}", said(times[-1]) if times else "")
            )
        yield from _columns(rows)
        yield ""
        names = [box.id for box in case.mailboxes]
        shown = list(days.items())[:DAYS_SHOWN]
        yield from _columns([("day", *names), *((f"{d:%a %Y-%m-%d}", *(str(n[b]) for b in names)) for d, n in shown)])
        if len(days) > len(shown):
            yield f"and {len(days) - len(shown)} more days; --csv, --json and --svg have all"
    yield from _grouped("refused", "refused", [(c, one.code) for c, why in found.refused.items() for one in why])
    stopped = found.not_sent
    names_of = {id(end): contact for contact, end in found.ends.items()}
    yield from _grouped("not sent", "not_sent", [(names_of[id(end)], end.reason or "") for end in stopped])
    yield ""
    yield f"if: {'; '.join(ASSUMPTIONS)}"


def _columns(rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _grouped(title: str, group: Any, found: list[tuple[str, str]]) -> Iterator[str]:
    counts = Counter(code for _, code in found)
    for code, count in counts.most_common():
        names = [contact for contact, its in found if its == code]
        more = f" and {count - NAMES_SHOWN} more" if count > NAMES_SHOWN else ""
        reason = find(group, code)
        yield ""
        yield f"{title}, {code}: {', '.join(names[:NAMES_SHOWN])}{more}"
        yield f"  {reason.sentence} {reason.fix}"
