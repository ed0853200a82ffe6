"""Mailboxes at a glance: whether they can send and be read, what they have sent, what is booked, and who uses them."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from domain.consequences import OURS, SOFT
from domain.sequences import Mailbox, parse_definition
from store.catalog import NotFound
from store.cursors import Watched
from store.database import Connection
from store.queries import sql

DAYS = 14
"""Coming days whose bookings are shown, today with them."""

_WEEK = timedelta(days=7)


@dataclass(frozen=True)
class MailboxLine:
    """A mailbox in the list of all.

    `state`: up, down, guardrail or paused; `code` why (`domain.storytelling.trouble` has it in words), `since` when, `by` whom,
    where it ever changed. `not_before`: it was told to slow down until then. `reading`: how its reading by IMAP goes; None
    where it is not read, or nobody has looked yet. `zone`: where its calendar days begin and end, that of the schedule of its
    first sequence (UTC where it has none); `zones` has more than one where its sequences count their days differently.

    `today`, `hour`, `first_touches`: emails that left on this calendar day, within the last hour, and first emails of
    enrollments today, to be seen beside `definition.limits`. `reserved`: for today and the 13 days behind it, how many emails
    are booked. `bounces`, `spam`: within 7 days, emails that came back for their address, and those that were refused or came
    back for what we send. `sequences`: ID and name of those that send from it.
    """

    definition: Mailbox
    state: str
    code: str | None
    since: datetime
    by: str | None
    epoch: int
    not_before: datetime | None
    reading: Watched | None
    zone: str
    zones: tuple[str, ...]
    today: int
    hour: int
    first_touches: int
    reserved: tuple[tuple[date, int], ...]
    bounces: int
    spam: int
    sequences: tuple[tuple[str, str], ...]


async def mailboxes(connection: Connection, *, now: datetime) -> tuple[MailboxLine, ...]:
    """Every mailbox, by ID. Four statements, however many there are."""
    return await _lines(connection, None, now)


async def mailbox(connection: Connection, key: str, *, now: datetime) -> MailboxLine:
    """One mailbox. Raises NotFound (`mailbox_unknown`)."""
    found = await _lines(connection, key, now)
    if not found:
        raise NotFound("mailbox", key)
    return found[0]


async def _lines(connection: Connection, key: str | None, now: datetime) -> tuple[MailboxLine, ...]:
    rows = await connection.fetch(sql("mailboxes.all"), key)
    keys = [row["id"] for row in rows]
    zones = [row["zones"][0] if row["zones"] else "UTC" for row in rows]
    used = {row["id"]: row for row in await connection.fetch(sql("mailboxes.used"), keys, zones, now)}
    reserved: dict[str, dict[date, int]] = defaultdict(dict)
    until = now + timedelta(days=DAYS + 1)
    for row in await connection.fetch(sql("mailboxes.reserved"), keys, zones, now, until):
        reserved[row["id"]][row["day"]] = row["n"]
    trouble = {
        row["mailbox_id"]: row
        for row in await connection.fetch(sql("mailboxes.trouble"), keys, now - _WEEK, list(OURS), list(SOFT))
    }
    return tuple(
        _line(row, zone, now, used.get(row["id"]), reserved[row["id"]], trouble.get(row["id"]))
        for row, zone in zip(rows, zones, strict=True)
    )


def _line(
    row: asyncpg.Record,
    zone: str,
    now: datetime,
    used: asyncpg.Record | None,
    reserved: dict[date, int],
    trouble: asyncpg.Record | None,
) -> MailboxLine:
    definition = parse_definition(Mailbox, row["definition"])
    reading = None
    if definition.imap is not None and row["looked_at"] is not None:
        reading = Watched(
            row["looked_at"],
            row["read_at"],
            row["failing_since"],
            row["unread_code"],
            row["unread_detail"],
            row["holds"],
        )
    first = now.astimezone(ZoneInfo(zone)).date()
    days = [first + timedelta(days=n) for n in range(DAYS)]
    return MailboxLine(
        definition=definition,
        state=row["state"],
        code=row["state_code"],
        since=row["state_at"],
        by=row["by"],
        epoch=row["epoch"],
        not_before=row["not_before"],
        reading=reading,
        zone=zone,
        zones=tuple(sorted(set(row["zones"] or ()))),
        today=used["today"] if used else 0,
        hour=used["hour"] if used else 0,
        first_touches=used["first_touches"] if used else 0,
        reserved=tuple((day, reserved.get(day, 0)) for day in days),
        bounces=trouble["bounces"] if trouble else 0,
        spam=trouble["spam"] if trouble else 0,
        sequences=tuple(zip(row["sequences"] or (), row["names"] or (), strict=True)),
    )
