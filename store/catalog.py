"""Facts that people set: schedules, mailboxes, sequences, contacts, accounts, suppressions; and the reading of them.

Everything runs in the caller's transaction, under the exclusive locks that its changes need (see store.locks).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

import asyncpg
from pydantic import Field

from domain.entry import Elsewhere, EntryFacts
from domain.errors import DomainError, InvalidDefinition
from domain.guards import ContactFacts
from domain.sequences import Definition, Id, Mailbox, Schedule, Sequence, parse_definition
from domain.statuses import Outcome
from store import locks, replanning
from store.csv_files import (
    AccountRow,
    Address,
    ContactRow,
    Country,
    EmailStatus,
    InvalidRows,
    Key,
    Name,
    Problem,
    Value,
    Word,
    Zone,
    duplicates,
)
from store.database import Connection
from store.queries import sql

MANY_ADDRESSES = 100
"""From so many replaced addresses on, an import takes one lock over all sends instead of two for each address."""


class NotFound(DomainError):
    """There is no such thing. `code` says which: schedule_, mailbox_, sequence_, contact_ or account_unknown."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} {key[:80]!r}", field=kind)
        self.code = f"{kind}_unknown"


@dataclass(frozen=True)
class Applied:
    """A definition as it is now stored. `changed`: it was new or different. Mailboxes keep no revision."""

    id: str
    revision: int | None
    changed: bool


@dataclass(frozen=True)
class StoredSchedule:
    """A schedule and how often its definition changed, from 1."""

    definition: Schedule
    revision: int


@dataclass(frozen=True)
class StoredMailbox:
    """A mailbox and its gate: up, down, guardrail or paused, why, the epoch, and until when it sends nothing."""

    definition: Mailbox
    state: str
    state_code: str | None
    epoch: int
    not_before: datetime | None


@dataclass(frozen=True)
class StoredSequence:
    """A sequence and its master switch. The global switch is not in it."""

    definition: Sequence
    revision: int
    switched_on: bool
    epoch: int
    switched_at: datetime
    switched_by: str


@dataclass(frozen=True)
class StoredAccount:
    """An account as it is."""

    id: str
    name: str
    stage: str
    fields: dict[str, Any]


@dataclass(frozen=True)
class StoredContact:
    """A contact as it is. `stage_set_by`: the enrollment whose event set the stage; `suppressed`: why, if it is."""

    id: str
    account: str | None
    account_name: str | None
    account_stage: str | None
    first_name: str
    last_name: str
    email: str | None
    email_status: str
    stage: str
    stage_set_by: str | None
    stage_before_bounce: str | None
    consent: bool | None
    changed_job: bool
    zone: str | None
    country: str | None
    fields: dict[str, Any]
    suppressed: str | None

    @property
    def name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


@dataclass(frozen=True)
class Put:
    """What a bulk upsert did, in rows."""

    inserted: int
    updated: int
    unchanged: int


class ContactChanges(Definition):
    """What a person changes of a contact: the fields that were given. Null takes what may be missing away."""

    account: Id | None = None
    first_name: Name = ""
    last_name: Name = ""
    email: Address | None = None
    email_status: EmailStatus = "unknown"
    stage: Word = "Cold"
    consent: bool | None = None
    changed_job: bool = False
    zone: Zone | None = None
    country: Country | None = None
    fields: dict[Key, Value | None] = Field(default_factory=dict)


class AccountChanges(Definition):
    """What a person changes of an account: the fields that were given."""

    name: Word = ""
    stage: Word = "Cold"
    fields: dict[Key, Value | None] = Field(default_factory=dict)


# Definitions


async def apply_schedule(connection: Connection, schedule: Schedule) -> Applied:
    """Insert or update; a new revision only when the definition changed. Then what is booked by it is rewritten."""
    revision = await connection.fetchval(sql("catalog.apply_schedule"), schedule.id, _stored(schedule))
    if revision is None:
        return Applied(schedule.id, (await _get(connection, "schedule", schedule.id))["revision"], False)
    if revision > 1:
        await replanning.want_for_schedule(connection, schedule.id)
    return Applied(schedule.id, revision, True)


async def apply_mailbox(connection: Connection, mailbox: Mailbox) -> Applied:
    """Insert or update; the state of its gate stays as it is. When its limits changed, what is booked is rewritten."""
    await locks.exclude(connection, locks.MAILBOX, mailbox.id)
    definition = _stored(mailbox)
    before = await connection.fetchrow(sql("catalog.mailbox"), mailbox.id)
    changed = await connection.fetchval(sql("catalog.apply_mailbox"), mailbox.id, definition)
    if before is not None and before["definition"].get("limits") != definition.get("limits"):
        await replanning.want(connection, [mailbox.id])
    return Applied(mailbox.id, None, changed is not None)


async def apply_sequence(connection: Connection, sequence: Sequence) -> Applied:
    """Insert (switched on) or update; a new revision only when the definition changed; the switch stays as it is. When it has
    another schedule than before, what is booked is rewritten.

    Raises InvalidDefinition when the schedule or a mailbox is unknown.
    """
    await locks.exclude(connection, locks.SEQUENCE, sequence.id)
    if await connection.fetchrow(sql("catalog.schedule"), sequence.schedule) is None:
        raise InvalidDefinition(
            f"there is no schedule {sequence.schedule!r}", field="schedule", fix="apply the schedule first"
        )
    missing = await connection.fetch(sql("catalog.missing_mailboxes"), list(sequence.mailboxes))
    if missing:
        names = ", ".join(repr(row["id"]) for row in missing)
        raise InvalidDefinition(f"there is no mailbox {names}", field="mailboxes", fix="add the mailbox first")
    before = await connection.fetchrow(sql("catalog.sequence"), sequence.id)
    revision = await connection.fetchval(
        sql("catalog.apply_sequence"), sequence.id, _stored(sequence), sequence.schedule
    )
    if revision is None:
        return Applied(sequence.id, (await _get(connection, "sequence", sequence.id))["revision"], False)
    mailboxes = list(sequence.mailboxes)
    await connection.execute(sql("catalog.unlist_mailboxes"), sequence.id, mailboxes)
    await connection.execute(sql("catalog.list_mailboxes"), sequence.id, mailboxes)
    if before is not None and before["definition"]["schedule"] != sequence.schedule:
        await replanning.want(connection, mailboxes)
    return Applied(sequence.id, revision, True)


def _stored(definition: Definition) -> dict[str, Any]:
    """What is written: defaults are left out, and `parse_definition` reads the same definition from it."""
    data: dict[str, Any] = definition.model_dump(mode="json", exclude_defaults=True)
    try:
        json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidDefinition("holds half a character (a lone surrogate)", fix="write it again") from None
    return data


async def _get(connection: Connection, kind: str, key: str) -> asyncpg.Record:
    row = await connection.fetchrow(sql(f"catalog.{kind}"), key)
    if row is None:
        raise NotFound(kind, key)
    return row


async def schedule(connection: Connection, key: str) -> StoredSchedule:
    """Raises NotFound (`schedule_unknown`)."""
    return _schedule(await _get(connection, "schedule", key))


async def schedules(connection: Connection, *, after: str = "", limit: int = 100) -> list[StoredSchedule]:
    """A page in the order of IDs; `after` is the last ID of the page before."""
    return [_schedule(row) for row in await connection.fetch(sql("catalog.schedules"), after, limit)]


def _schedule(row: asyncpg.Record) -> StoredSchedule:
    return StoredSchedule(parse_definition(Schedule, row["definition"]), row["revision"])


async def mailbox(connection: Connection, key: str) -> StoredMailbox:
    """Raises NotFound (`mailbox_unknown`)."""
    return _mailbox(await _get(connection, "mailbox", key))


async def mailboxes(connection: Connection, *, after: str = "", limit: int = 100) -> list[StoredMailbox]:
    """A page in the order of IDs; `after` is the last ID of the page before."""
    return [_mailbox(row) for row in await connection.fetch(sql("catalog.mailboxes"), after, limit)]


def _mailbox(row: asyncpg.Record) -> StoredMailbox:
    return StoredMailbox(**{**row, "definition": parse_definition(Mailbox, row["definition"])})


async def sequence(connection: Connection, key: str) -> StoredSequence:
    """Raises NotFound (`sequence_unknown`)."""
    return _sequence(await _get(connection, "sequence", key))


async def sequences(connection: Connection, *, after: str = "", limit: int = 100) -> list[StoredSequence]:
    """A page in the order of IDs; `after` is the last ID of the page before."""
    return [_sequence(row) for row in await connection.fetch(sql("catalog.sequences"), after, limit)]


def _sequence(row: asyncpg.Record) -> StoredSequence:
    return StoredSequence(**{**row, "definition": parse_definition(Sequence, row["definition"])})


# Accounts and contacts


async def account(connection: Connection, key: str) -> StoredAccount:
    """Raises NotFound (`account_unknown`)."""
    return StoredAccount(**await _get(connection, "account", key))


async def accounts(connection: Connection, *, after: str = "", limit: int = 100) -> list[StoredAccount]:
    """A page in the order of IDs; `after` is the last ID of the page before."""
    return [StoredAccount(**row) for row in await connection.fetch(sql("catalog.accounts"), after, limit)]


async def contact(connection: Connection, key: str) -> StoredContact:
    """Raises NotFound (`contact_unknown`)."""
    return _contact(await _get(connection, "contact", key))


async def contacts(
    connection: Connection, *, account: str | None = None, after: str = "", limit: int = 100
) -> list[StoredContact]:
    """A page in the order of IDs, of all or of one account; `after` is the last ID of the page before."""
    if account is None:
        rows = await connection.fetch(sql("catalog.contacts"), after, limit)
    else:
        rows = await connection.fetch(sql("catalog.contacts_of_account"), after, limit, account)
    return [_contact(row) for row in rows]


def _contact(row: asyncpg.Record) -> StoredContact:
    values = dict(row)
    values["account"] = values.pop("account_id")
    values["stage_set_by"] = None if row["stage_set_by"] is None else str(row["stage_set_by"])
    return StoredContact(**values)


async def put_accounts(connection: Connection, rows: Seq[AccountRow], *, lines: Seq[int] | None = None) -> Put:
    """Insert or update accounts. `lines`: where each row stands in its file, for errors. Raises InvalidRows."""
    _refuse(duplicates([row.id for row in rows], lines or range(1, len(rows) + 1)))
    data = [row.model_dump() for row in rows]
    inserted = {row["id"] for row in await connection.fetch(sql("catalog.insert_accounts"), data)}
    rest = [row for row in data if row["id"] not in inserted]
    updated = await connection.fetch(sql("catalog.update_accounts"), rest)
    return Put(len(inserted), len(updated), len(rest) - len(updated))


async def put_contacts(connection: Connection, rows: Seq[ContactRow], *, lines: Seq[int] | None = None) -> Put:
    """Insert or update contacts; what a row does not carry stays as it is.

    A replaced address resets its status and undoes a stage that a bounce set, unless the row says otherwise; the status
    `bounced` of an address stays. `lines`: where each row stands in its file. Raises InvalidRows, also for an account
    that is not there.
    """
    lines = lines or range(1, len(rows) + 1)
    _refuse(duplicates([row.id for row in rows], lines))
    named = list({row.account for row in rows if row.account is not None})
    unknown = {row["id"] for row in await connection.fetch(sql("catalog.unknown_accounts"), named)}
    fix = "import the account first, or correct the ID"
    _refuse(
        [
            Problem(line, "account", f"there is no account {row.account}; {fix}")
            for row, line in zip(rows, lines, strict=True)
            if row.account in unknown
        ]
    )
    data = [row.model_dump() for row in rows]
    replaced = await connection.fetch(sql("catalog.replaced_addresses"), data)
    if len(replaced) >= MANY_ADDRESSES:
        await locks.exclude(connection, locks.GLOBAL)
    else:
        addresses = [address for row in replaced for address in (row["old"], row["new"])]
        await _lock_addresses(connection, [row["id"] for row in replaced], addresses)
    renamed = [row["id"] for row in await connection.fetch(sql("catalog.renamed_contacts"), data)]
    await connection.execute(sql("catalog.lock_enrollments"), renamed)
    inserted = {row["id"] for row in await connection.fetch(sql("catalog.insert_contacts"), data)}
    rest = [row for row in data if row["id"] not in inserted]
    updated = await connection.fetch(sql("catalog.update_contacts"), rest)
    await connection.execute(sql("catalog.rename_contacts"), renamed)
    return Put(len(inserted), len(updated), len(rest) - len(updated))


def _refuse(problems: Seq[Problem]) -> None:
    if problems:
        raise InvalidRows(problems)


async def _lock_addresses(connection: Connection, contacts: Seq[str], addresses: Seq[str | None]) -> None:
    for key in sorted(contacts):
        await locks.exclude(connection, locks.CONTACT, key)
    for address in sorted({address.casefold() for address in addresses if address}):
        await locks.exclude(connection, locks.ADDRESS, address)


async def set_contact(
    connection: Connection, key: str, changes: ContactChanges, *, by: str, now: datetime
) -> StoredContact:
    """Change a contact by a person's word, and tell its open enrollments' stories who did (no values but the stage).

    A new address resets its status, and undoes a stage that a bounce set. A stage set here is nobody else's any more.
    Raises NotFound (`contact_unknown`), InvalidDefinition (unknown account).
    """
    present = await contact(connection, key)
    moves = "email" in changes.model_fields_set
    await _lock_addresses(connection, [key], [present.email, changes.email] if moves else [])
    await connection.execute(sql("catalog.lock_enrollments"), [key])
    await connection.execute(sql("catalog.lock_contact"), key)
    present = await contact(connection, key)
    if changes.account is not None and await connection.fetchrow(sql("catalog.account"), changes.account) is None:
        raise InvalidDefinition(
            f"there is no account {changes.account!r}", field="account", fix="add the account first, or correct the ID"
        )
    after = _changed(present, changes)
    if after != present:
        await connection.execute(
            sql("catalog.set_contact"),
            key,
            after.account,
            after.first_name,
            after.last_name,
            after.email,
            after.email_status,
            after.stage,
            after.stage_set_by,
            after.stage_before_bounce,
            after.consent,
            after.changed_job,
            after.zone,
            after.country,
            after.fields,
        )
        await connection.execute(sql("catalog.rename_contacts"), [key])
        told = [name for name in ContactChanges.model_fields if getattr(after, name) != getattr(present, name)]
        data = {"changed": told} | ({"stage": after.stage} if after.stage != present.stage else {})
        if told:
            await connection.execute(sql("catalog.tell_of_contact"), key, uuid4().hex, by, now, data)
    return await contact(connection, key)


def _changed(present: StoredContact, changes: ContactChanges) -> StoredContact:
    given = {name: getattr(changes, name) for name in changes.model_fields_set}
    if "fields" in given:
        given["fields"] = _merged(present.fields, changes.fields)
    after = replace(present, **given)
    if (after.email or "").casefold() != (present.email or "").casefold():
        if "email_status" not in given:
            after = replace(after, email_status="unknown")
        if after.email is not None and after.stage_before_bounce is not None:
            after = replace(after, stage=after.stage_before_bounce, stage_set_by=None, stage_before_bounce=None)
    if "stage" in given:
        after = replace(after, stage=changes.stage, stage_set_by=None, stage_before_bounce=None)
    return after


def _merged(present: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    merged = present | changes
    return {name: value for name, value in merged.items() if value is not None}


async def set_account(
    connection: Connection, key: str, changes: AccountChanges, *, by: str, now: datetime
) -> StoredAccount:
    """Change an account by a person's word; a new stage is told in the stories of its contacts' open enrollments.

    Raises NotFound (`account_unknown`).
    """
    row = await connection.fetchrow(sql("catalog.lock_account"), key)
    if row is None:
        raise NotFound("account", key)
    present = StoredAccount(**row)
    given = {name: getattr(changes, name) for name in changes.model_fields_set}
    if "fields" in given:
        given["fields"] = _merged(present.fields, changes.fields)
    after = replace(present, **given)
    if after != present:
        await connection.execute(sql("catalog.set_account"), key, after.name, after.stage, after.fields)
    if after.stage != present.stage:
        data = {"stage": after.stage}
        await connection.execute(sql("catalog.tell_of_account"), key, uuid4().hex, by, now, data)
    return after


async def suppress(connection: Connection, address: str, reason: str, *, by: str, now: datetime) -> bool:
    """No email to this address from the commit on. False: it was suppressed already, and for that reason it stays."""
    await locks.exclude(connection, locks.ADDRESS, address.casefold())
    return await connection.fetchval(sql("catalog.suppress"), address, reason, by, now) is not None


async def unsuppress(connection: Connection, address: str) -> bool:
    """Allow email to this address again. False: it was not suppressed."""
    await locks.exclude(connection, locks.ADDRESS, address.casefold())
    return await connection.fetchval(sql("catalog.unsuppress"), address) is not None


# Facts for the rules


async def contact_facts(connection: Connection, key: str, valid: Callable[[str], bool]) -> ContactFacts | None:
    """What guards look at; `valid` judges the form of an address. None: there is no such contact."""
    row = await connection.fetchrow(sql("catalog.contact"), key)
    if row is None:
        return None
    found = _contact(row)
    return ContactFacts(
        id=found.id,
        stage=found.stage,
        email=found.email,
        email_valid=found.email is not None and valid(found.email),
        email_status=found.email_status,
        stage_set_by=found.stage_set_by,
        consent=found.consent,
        changed_job=found.changed_job,
        suppressed=found.suppressed,
        account=found.account,
        account_stage=found.account_stage,
    )


async def entry_facts(
    connection: Connection,
    *,
    sequence_id: str,
    contact_id: str,
    mailbox_id: str | None,
    overrides: frozenset[str],
    now: datetime,
    valid: Callable[[str], bool],
) -> EntryFacts:
    """What admission looks at (`domain.entry.examine`). An unknown sequence or contact is None there."""
    definition = await connection.fetchrow(sql("catalog.sequence"), sequence_id)
    rows = await connection.fetch(sql("enrollments.of_contact"), contact_id)
    others = [
        Elsewhere(
            enrollment=str(row["id"]),
            sequence=row["sequence_id"],
            status=row["status"],
            reason=row["reason"],
            open=not row["closed"],
            settling=not row["closed"] and row["state"].get("outcome") == Outcome.COMPLETED,
            ended_at=row["ended_at"],
        )
        for row in rows
    ]
    return EntryFacts(
        now=now,
        contact=await contact_facts(connection, contact_id, valid),
        sequence=None if definition is None else _sequence(definition).definition,
        mailbox_id=mailbox_id,
        here=tuple(other for other in others if other.sequence == sequence_id),
        elsewhere=tuple(other for other in others if other.sequence != sequence_id),
        overrides=overrides,
    )
