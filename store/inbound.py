"""Mail that came in: what it can be matched to, what was kept of it, what was made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domain.consequences import SOFT, Match, MatchedBy
from domain.errors import DomainError
from domain.inbound import Arrival, Names, Reading
from domain.state import EnrollmentState
from store.database import Connection
from store.marks import Mark
from store.queries import sql

SOFT_WINDOW = timedelta(days=30)


class InboundUnknown(DomainError):
    """There is no such inbound mail."""

    code = "inbound_unknown"


@dataclass(frozen=True)
class Found:
    """The enrollment that a mail may be of. `sent`: emails of ours that it may quote, as bytes."""

    match: Match
    closed: bool = False
    sent: tuple[bytes, ...] = ()


async def by_message_ids(connection: Connection, names: Names) -> tuple[Found | None, frozenset[str]]:
    """The enrollment whose email the mail answers, or holds; and which of the IDs it names are ours."""
    own = (names.message_id,) if names.message_id else ()
    rows = await connection.fetch(sql("inbound.ours"), [*own, *names.answers, *names.originals])
    ours = {row["message_id"]: row for row in rows}
    ways: tuple[tuple[MatchedBy, tuple[str, ...]], ...] = (
        ("original", own),  # it is our email itself, seen again
        ("answers", names.answers),
        ("original", names.originals),
    )
    for way, ids in ways:
        row = next((ours[one] for one in ids if one in ours), None)
        if row is not None:
            sent = tuple(bytes(one["message"]) for one in rows if one["message"] is not None)
            return Found(await _match(connection, way, row["enrollment"], row), sent=sent), frozenset(ours)
    return None, frozenset()


async def by_token(connection: Connection, enrollment: str) -> Found | None:
    """The enrollment that a signed plus-address names, with the last email that it sent."""
    row = await connection.fetchrow(sql("inbound.enrollment"), UUID(enrollment))
    if row is None:
        return None
    last = await connection.fetchrow(sql("inbound.last_of"), row["id"])
    return Found(await _match(connection, "token", row["state"], last), sent=await _sent(connection, row["id"]))


async def by_address(connection: Connection, address: str, mailbox: str | None) -> Found | None:
    """The likeliest enrollment of whoever has this address: an open one before a closed one, the one mailed last."""
    row = await connection.fetchrow(sql("inbound.by_address"), address, mailbox) if address else None
    if row is None:
        return None
    match = Match("address", EnrollmentState.model_validate(row["state"]))
    return Found(match, closed=row["closed"], sent=await _sent(connection, row["id"]))


async def chosen(connection: Connection, enrollment: str) -> Match:
    """The match that a person made. Raises InboundUnknown when there is no such enrollment."""
    wanted = _id(enrollment)
    found = None if wanted is None else await by_token(connection, str(wanted))
    if found is None:
        raise InboundUnknown(f"no enrollment {enrollment}", field="enrollment")
    return Match("person", found.match.state)


async def _sent(connection: Connection, enrollment: UUID) -> tuple[bytes, ...]:
    rows = await connection.fetch(sql("inbound.last_sent"), enrollment)
    return tuple(bytes(row["message"]) for row in rows if row["message"] is not None)


async def _match(connection: Connection, way: MatchedBy, state: Mapping[str, Any], row: asyncpg.Record | None) -> Match:
    parsed = EnrollmentState.model_validate(state)
    if row is None:
        return Match(way, parsed)
    since = datetime.now().astimezone() - SOFT_WINDOW
    soft = await connection.fetchval(
        sql("inbound.soft_bounces"), row["recipient"], since, list(SOFT), row["message_id"]
    )
    return Match(way, parsed, row["message_id"], row["recipient"], row["state"], soft)


async def contact_by_address(connection: Connection, address: str) -> str | None:
    """A contact with this address, enrolled or not."""
    found: str | None = await connection.fetchval(sql("inbound.contact_by_address"), address)
    return found


async def own_addresses(connection: Connection, addresses: Sequence[str]) -> frozenset[str]:
    """Which of these (lower-case) addresses are mailboxes of ours."""
    rows = await connection.fetch(sql("inbound.own_addresses"), list(addresses))
    return frozenset(row[0] for row in rows)


async def open_of_contact(connection: Connection, contact: str) -> list[tuple[str, str]]:
    """Enrollment and workflow ID of every open enrollment of a contact."""
    rows = await connection.fetch(sql("inbound.open_of_contact"), contact)
    return [(str(row["id"]), row["workflow_id"]) for row in rows]


@dataclass(frozen=True)
class Kept:
    """A mail to keep: what came, and what was made of it."""

    id: UUID
    fingerprint: bytes
    arrival: Arrival
    names: Names
    reading: Reading
    match: Match | None
    contact: str | None
    needs: str | None
    raw: bytes | None


async def keep(connection: Connection, mail: Kept) -> bool:
    """Keep a mail; False when it was kept before, by whatever way it came then."""
    arrival, names = mail.arrival, mail.names
    kept = await connection.fetchval(
        sql("inbound.keep"),
        mail.id,
        mail.fingerprint,
        arrival.source,
        arrival.mailbox,
        arrival.folder,
        arrival.received_at,
        names.message_id,
        names.sender,
        names.subject,
        len(arrival.raw),
        mail.raw,
        mail.reading.kind.value,
        mail.reading.rule,
        mail.reading,
        mail.match.by if mail.match else None,
        UUID(mail.match.state.enrollment) if mail.match else None,
        mail.contact,
        mail.needs,
    )
    return kept is not None


async def note_told(connection: Connection, mail: UUID, told: Sequence[Mark]) -> None:
    """Note which enrollments were told of the mail, and what."""
    lines = [{"enrollment": mark.enrollment, "message": mark.message, "id": mark.payload["id"]} for mark in told]
    await connection.execute(sql("inbound.told"), mail, lines)


async def note_bounce(connection: Connection, message_id: str, cls: str, at: datetime) -> None:
    """Note at the email that it came back, and why."""
    await connection.execute(sql("inbound.bounced"), message_id, at, cls)


async def find(connection: Connection, fingerprint: bytes) -> asyncpg.Record | None:
    """What was made of a mail that came before."""
    return await connection.fetchrow(sql("inbound.by_fingerprint"), fingerprint)


async def get(connection: Connection, mail: str) -> asyncpg.Record:
    """One mail, whole. Raises InboundUnknown."""
    row = await connection.fetchrow(sql("inbound.get"), _id(mail))
    if row is None:
        raise InboundUnknown(f"no inbound mail {str(mail)[:60]!r}", field="mail")
    return row


async def raw(connection: Connection, mail: str) -> bytes | None:
    """The bytes as they came, where they were kept. Raises InboundUnknown."""
    row = await get(connection, mail)
    found = await connection.fetchval(sql("inbound.raw"), row["id"])
    return None if found is None else bytes(found)


async def page(
    connection: Connection,
    *,
    after: str | None = None,
    kind: str | None = None,
    enrollment: str | None = None,
    unmatched: bool | None = None,
    needs: bool = False,
    limit: int = 50,
) -> list[asyncpg.Record]:
    """A page of mails, newest first, from behind the mail `after`. `needs`: only those that a person must look at. Raises
    InboundUnknown for IDs that are none."""
    wanted = (_id(after), kind, _id(enrollment), unmatched, limit)
    # Statements of their own: each has an index that one plan for all of them would not use.
    name = "page_of_needs" if needs else "page_of_enrollment" if enrollment else "page"
    return list(await connection.fetch(sql(f"inbound.{name}"), *wanted))


def _id(value: str | None) -> UUID | None:
    try:
        return None if value is None else UUID(value)
    except ValueError:
        raise InboundUnknown(f"{str(value)[:60]!r} is no ID", fix="IDs are UUIDs") from None


async def settle(connection: Connection, mail: str, *, by: str, now: datetime) -> None:
    """Somebody has looked at it. Raises InboundUnknown."""
    await get(connection, mail)
    await connection.execute(sql("inbound.settle"), UUID(mail), now, by)


async def correct(
    connection: Connection,
    row: asyncpg.Record,
    correction: Mapping[str, Any],
    match: Match,
    *,
    by: str,
    now: datetime,
) -> None:
    """Keep what a person said of a mail: its kind, its date, whose it is."""
    await connection.execute(
        sql("inbound.correct"),
        row["id"],
        correction,
        now,
        by,
        UUID(match.state.enrollment),
        match.state.contact,
        row["enrollment_id"] != UUID(match.state.enrollment),
    )
