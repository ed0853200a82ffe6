"""How far each mailbox has been read by IMAP, and how its reading goes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from store.database import Connection
from store.queries import sql


@dataclass(frozen=True)
class Cursor:
    """Everything up to `uid`, within one UIDVALIDITY, is taken in (0: nothing yet). Mail received before the day `since` is
    not looked at. `received_at`: of the newest mail taken in, under whatever validity."""

    uid_validity: int
    uid: int
    since: date
    received_at: datetime | None


@dataclass(frozen=True)
class Watched:
    """How the reading of a mailbox goes. `holds`: it fails so that nothing may be sent; `detail`: what the server said."""

    looked_at: datetime
    read_at: datetime | None
    failing_since: datetime | None
    code: str | None
    detail: str | None
    holds: bool


@dataclass(frozen=True)
class Unwatched:
    """A mailbox whose watcher is missing, silent, or has not looked since the mailbox was `changed` (false at first)."""

    mailbox: str
    changed: bool


async def cursor(connection: Connection, mailbox: str, folder: str) -> Cursor | None:
    """Where the reading of a folder stands; None at first sight."""
    row = await connection.fetchrow(sql("cursors.cursor"), mailbox, folder)
    return None if row is None else Cursor(**row)


async def begin(connection: Connection, mailbox: str, folder: str, *, uid_validity: int, since: date) -> Cursor:
    """Read a folder from the day `since`: at first sight, and when its UIDs are no longer the same."""
    row = await connection.fetchrow(sql("cursors.begin"), mailbox, folder, uid_validity, since)
    assert row is not None
    return Cursor(**row)


async def advance(
    connection: Connection, mailbox: str, folder: str, *, uid_validity: int, uid: int, received_at: datetime | None
) -> None:
    """Everything up to `uid` is taken in. Never goes back, and does nothing under another validity."""
    await connection.execute(sql("cursors.advance"), mailbox, folder, uid_validity, uid, received_at)


async def looked(connection: Connection, mailbox: str) -> None:
    """The watcher begins to look."""
    await connection.execute(sql("cursors.looked"), mailbox)


async def read(connection: Connection, mailbox: str) -> None:
    """All folders were read to their ends: whatever failed before is over."""
    await connection.execute(sql("cursors.read"), mailbox)


async def failed(
    connection: Connection, mailbox: str, *, code: str, detail: str, at_once: bool, patience: timedelta
) -> bool:
    """The mailbox could not be read. Answers whether that holds it: `at_once`, or after `patience` since it was last read
    (since the first failure, where it never was)."""
    return bool(await connection.fetchval(sql("cursors.failed"), mailbox, code, detail[:1000], at_once, patience))


async def forget(connection: Connection, mailbox: str) -> None:
    """The mailbox is not read by IMAP any more. Its cursors stay: it may be again."""
    await connection.execute(sql("cursors.forget"), mailbox)


async def watched(connection: Connection, mailbox: str) -> Watched | None:
    """How the reading of a mailbox goes; None where nobody has looked yet."""
    row = await connection.fetchrow(sql("cursors.watch"), mailbox)
    return None if row is None else Watched(**row)


async def unwatched(connection: Connection, silence: timedelta) -> list[Unwatched]:
    """Mailboxes with `imap` whose watcher has been silent for so long, or has not looked since they were changed."""
    rows = await connection.fetch(sql("cursors.unwatched"), silence)
    return [Unwatched(row["id"], row["changed"]) for row in rows]
