"""What both the HTTP API and the CLI do when somebody applies a definition or brings contacts.

The checks that need the mail room are handed in (see mail.definitions), since this room knows domain and store only.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from client.enrollments import Enrollments
from domain.schedule import next_open
from domain.sequences import Mailbox, Schedule, Sequence, parse_definition
from store import catalog
from store.catalog import Applied, Put
from store.csv_files import AccountRow, ContactRow
from store.database import Database
from store.gates import Opened


@dataclass(frozen=True)
class Imported:
    """What an import of contacts did, in rows. `malformed`: IDs of contacts whose address cannot be mailed as it is."""

    rows: Put
    malformed: tuple[str, ...]


async def apply_schedule(database: Database, data: Any) -> Applied:
    """Insert or update a schedule. Raises InvalidDefinition, NeverOpen."""
    schedule = parse_definition(Schedule, data)
    next_open(schedule, datetime.now(UTC))
    async with database.transaction() as connection:
        return await catalog.apply_schedule(connection, schedule)


async def apply_mailbox(database: Database, data: Any, *, check: Callable[[Mailbox], Mailbox]) -> Applied:
    """Insert or update a mailbox. `check` is `mail.definitions.check_mailbox`. Raises InvalidDefinition."""
    mailbox = check(parse_definition(Mailbox, data))
    async with database.transaction() as connection:
        return await catalog.apply_mailbox(connection, mailbox)


async def apply_sequence(enrollments: Enrollments, data: Any, *, check: Callable[[Sequence], None]) -> Applied:
    """Insert or update a sequence, and wake those whose step could not be sent for a fault of the old definition.

    `check` is `mail.definitions.check_sequence`. Raises InvalidDefinition.
    """
    sequence = parse_definition(Sequence, data)
    check(sequence)
    async with enrollments.database.transaction() as connection:
        applied = await catalog.apply_sequence(connection, sequence)
    if applied.changed and applied.revision is not None and applied.revision > 1:
        await enrollments.wake(Opened("template", sequence.id, applied.revision))
    return applied


async def import_contacts(
    database: Database,
    rows: Seq[ContactRow],
    *,
    spelling: Callable[[str], str | None],
    lines: Seq[int] | None = None,
) -> Imported:
    """Insert or update contacts, all or none. Raises InvalidRows.

    Addresses are stored in their one spelling (`mail.definitions.spelling`); a malformed one is kept as written and
    reported, so that one of them does not keep a whole file out: its contact is refused at enrollment.
    """
    spelled: list[ContactRow] = []
    malformed: list[str] = []
    for row in rows:
        address = None if row.email is None else spelling(row.email)
        if row.email is not None and address is None:
            malformed.append(row.id)
        spelled.append(row if address is None else row.model_copy(update={"email": address}))
    async with database.transaction() as connection:
        return Imported(await catalog.put_contacts(connection, spelled, lines=lines), tuple(malformed))


async def import_accounts(database: Database, rows: Seq[AccountRow], *, lines: Seq[int] | None = None) -> Put:
    """Insert or update accounts, all or none. Raises InvalidRows."""
    async with database.transaction() as connection:
        return await catalog.put_accounts(connection, rows, lines=lines)
