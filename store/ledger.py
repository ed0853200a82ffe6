"""The send ledger: one row per enrollment, step and attempt. Every change compares the state and the owner's fence."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from domain.consequences import OURS
from store import locks
from store.database import Connection
from store.queries import sql

SETTLED = ("sent", "rejected", "unknown")
"""States of a row past which its email is never sent again; its `result` says what became of it."""


@dataclass(frozen=True)
class Key:
    """Which email: at most one ever leaves under it."""

    enrollment: str
    step: str
    attempt: int

    @property
    def columns(self) -> tuple[UUID, str, int]:
        """As the ledger's primary key."""
        return UUID(self.enrollment), self.step, self.attempt


@dataclass(frozen=True)
class Claim:
    """The owner's title to a row: changes under an older fence are refused. `tries` counts claims of the row."""

    key: Key
    fence: int
    tries: int


async def context(connection: Connection, key: Key) -> asyncpg.Record | None:
    """All facts for one attempt (see sql/ledger.sql); None when there is no such enrollment."""
    return await connection.fetchrow(sql("ledger.context"), *key.columns)


async def claim(
    connection: Connection,
    key: Key,
    *,
    sequence: str,
    contact: str,
    mailbox: str,
    message_id: str,
    recipient: str,
    subject: str,
    message: bytes,
    owner: str,
    lease: timedelta,
    due: datetime | None,
    fence: int,
) -> Claim | None:
    """Take the row: a new one, one that a try before left, or one whose owner's lease ran out before DATA. None when
    another owner was faster (`fence` is the one read before; 0 for no row)."""
    row = await connection.fetchrow(
        sql("ledger.claim"),
        *key.columns,
        sequence,
        contact,
        mailbox,
        message_id,
        recipient,
        subject,
        message,
        owner,
        lease,
        due,
        fence,
    )
    return None if row is None else Claim(key, row["fence"], row["tries"])


async def renew(connection: Connection, claim: Claim, lease: timedelta) -> None:
    """The owner lives: extend its lease by the database's clock."""
    await connection.execute(sql("ledger.renew"), *claim.key.columns, claim.fence, lease)


async def stops(
    connection: Connection,
    claim: Claim,
    *,
    sequence: str,
    mailbox: str,
    contact: str,
    recipient: str,
    email: str,
    touch_gap: bool,
) -> asyncpg.Record:
    """Take the shared locks, then the enrollment's row, and read what would stop the email. The caller goes on in the
    same transaction, so every stop comes before this read or after the commit. `touch_gap`: see `locks.share`."""
    await locks.share(
        connection, sequence=sequence, mailbox=mailbox, contact=contact, address=recipient, touch_gap=touch_gap
    )
    row = await connection.fetchrow(sql("ledger.stops"), UUID(claim.key.enrollment), recipient, email, mailbox)
    assert row is not None
    return row


async def begin_sending(connection: Connection, claim: Claim, now: datetime, slot: datetime) -> bool:
    """The point of no return, at `now`, for the place `slot` in the calendar. False: the claim was taken over."""
    begun = await connection.fetchval(sql("ledger.begin_sending"), *claim.key.columns, claim.fence, now, slot)
    return begun is not None


async def abandon(connection: Connection, key: Key, fence: int) -> bool:
    """Give back the row of an owner that died before DATA. False: it lives after all, and went on."""
    return await connection.fetchval(sql("ledger.abandon"), *key.columns, fence) is not None


async def read(connection: Connection, key: Key) -> asyncpg.Record | None:
    """State, fence, stored answer and whether the lease is live."""
    return await connection.fetchrow(sql("ledger.read"), *key.columns)


async def newest(connection: Connection, key: Key) -> asyncpg.Record | None:
    """The last attempt at the step, up to the key's, that has left, may have left, was refused, or is on its way; with its
    stored answer, what an unknown one was settled as, and whether the lease is live."""
    return await connection.fetchrow(sql("ledger.newest"), *key.columns)


async def settle(
    connection: Connection,
    claim: Claim,
    *,
    state: str,
    now: datetime,
    code: int | None = None,
    text: str | None = None,
    result: Any = None,
) -> bool:
    """Write the outcome. False: the row is no longer this owner's to change."""
    done = await connection.fetchval(
        sql("ledger.settle"),
        *claim.key.columns,
        claim.fence,
        state,
        code,
        None if text is None else text[:2000],
        result,
        now,
    )
    return done is not None


async def expire(connection: Connection, key: Key, fence: int, *, now: datetime, result: Any) -> bool:
    """Turn a `sending` row of a dead owner into `unknown`. False: it has moved on."""
    return await connection.fetchval(sql("ledger.expire"), *key.columns, fence, now, result) is not None


async def spam_refusals(connection: Connection, mailbox: str, since: datetime) -> int:
    """How many emails of a mailbox were refused since then, or came back, for a reason that speaks against the mailbox."""
    return int(await connection.fetchval(sql("ledger.spam_refusals"), mailbox, since, list(OURS)))


async def of_enrollment(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """The enrollment's rows, oldest first, without the message bytes."""
    return [dict(row) for row in await connection.fetch(sql("ledger.of_enrollment"), UUID(enrollment))]


async def done_steps(connection: Connection, enrollment: str) -> set[str]:
    """IDs of the steps of which an email left, may have left, or was refused."""
    return {row["step_id"] for row in await connection.fetch(sql("ledger.done_steps"), UUID(enrollment))}


async def by_message_id(connection: Connection, message_id: str) -> asyncpg.Record | None:
    """The attempt that carries a Message-ID (without brackets)."""
    return await connection.fetchrow(sql("ledger.by_message_id"), message_id)
