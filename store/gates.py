"""Gates (the global switch, a sequence's switch, a mailbox), their epochs, and those parked at them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from store import ledger, locks
from store.database import Connection
from store.queries import sql

Gate = Literal["global", "sequence", "mailbox", "template"]
_LOCKS = {"global": locks.GLOBAL, "sequence": locks.SEQUENCE, "mailbox": locks.MAILBOX}


@dataclass(frozen=True)
class Opened:
    """A gate and the epoch at which it stands."""

    gate: str
    key: str
    epoch: int


async def switch(
    connection: Connection, gate: Gate, key: str, *, state: str, by: str, now: datetime, code: str | None = None
) -> int | None:
    """Set a gate (`on`/`off`; a mailbox `up`, `down`, `guardrail` or `paused`) under its exclusive lock: one row, however
    many are enrolled. Answers the new epoch, or None when it stood so already. Once committed, no email passes a closed one.
    """
    await locks.exclude(connection, _LOCKS[gate], key)
    epoch: int | None
    if gate == "sequence":
        epoch = await connection.fetchval(sql("gates.switch_sequence"), key, state == "on", by, now)
    elif gate == "global":
        epoch = await connection.fetchval(sql("gates.switch_global"), state == "on", by, now)
    else:
        epoch = await connection.fetchval(sql("gates.switch_mailbox"), key, state, code, now)
    if epoch is not None:
        await connection.execute(sql("gates.event"), gate, key, state, epoch, by, now)
    return epoch


async def guard(connection: Connection, mailbox: str, *, most: int, now: datetime) -> None:
    """Hold a mailbox that was refused `most` times within an hour, before it burns the rest of the contacts."""
    if await ledger.spam_refusals(connection, mailbox, now - timedelta(hours=1)) >= most:
        await switch(connection, "mailbox", mailbox, state="guardrail", by="system", now=now, code="spam_block")


async def read(connection: Connection, gate: str, key: str) -> tuple[bool, int]:
    """Whether a gate is open, and its epoch. The caller holds its lock."""
    row = await connection.fetchrow(sql(f"gates.gate_{gate}"), *([] if gate == "global" else [key]))
    return (False, 0) if row is None else (row["open"], row["epoch"])


async def park(connection: Connection, enrollment: str, gate: str, key: str, epoch: int) -> None:
    """Note who waits at a gate, in the transaction that read it under its lock."""
    await connection.execute(sql("gates.park"), UUID(enrollment), gate, key, epoch)


async def slow_down(connection: Connection, mailbox: str, until: datetime) -> None:
    """No slot of this mailbox is given before `until`."""
    await connection.execute(sql("gates.slow_down"), mailbox, until)


@dataclass(frozen=True)
class Parked:
    """Somebody who waits at a gate. `halted`: the reason of the halt, where the gate is a sequence's template."""

    enrollment: str
    workflow_id: str
    halted: str | None


async def page(connection: Connection, gate: str, key: str, *, after: str, limit: int) -> list[Parked]:
    """Those parked at a gate, in the order of their IDs, from behind `after`."""
    rows = await connection.fetch(sql("gates.page"), gate, key, UUID(after), limit)
    return [Parked(str(row["enrollment_id"]), row["workflow_id"], row["halted"]) for row in rows]


async def parked(connection: Connection, gate: str, key: str) -> int:
    """How many wait at a gate."""
    return int(await connection.fetchval(sql("gates.count"), gate, key))


async def open_with_waiters(connection: Connection, grace: timedelta) -> list[Opened]:
    """Open gates at which somebody has been parked for longer than `grace`."""
    rows = await connection.fetch(sql("gates.waiting_open"), grace)
    return [Opened(row["gate"], row["key"], row["epoch"]) for row in rows]


@dataclass(frozen=True)
class Cleared:
    """A Not Sent enrollment whose facts changed at `changed_at`, so that its `reason` may hold no longer."""

    enrollment: str
    workflow_id: str
    reason: str
    changed_at: datetime


async def cleared(connection: Connection, reasons: Sequence[str], limit: int) -> list[Cleared]:
    """Those of sequences with `retry_when_cleared` only."""
    rows = await connection.fetch(sql("gates.cleared"), list(reasons), limit)
    return [Cleared(str(row["enrollment_id"]), row["workflow_id"], row["reason"], row["changed_at"]) for row in rows]


async def down_mailboxes(connection: Connection) -> list[dict[str, Any]]:
    """Mailboxes that could not send: id, definition, epoch, state_code; `unread`: nor can they be read."""
    return [dict(row) for row in await connection.fetch(sql("gates.down_mailboxes"))]
