"""Idempotency keys: a write repeated with its key gets the first one's answer and has no second effect.

`begin` is committed before the request's work starts, so that a repetition at the same time sees it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.errors import DomainError
from store.database import Connection
from store.queries import sql

KEPT = timedelta(hours=24)
"""How long an answer is kept."""

LOST = timedelta(minutes=5)
"""After this long without an answer the request's process is taken for dead, and the same request may run again: the
commands behind it have IDs of their own and no second effect."""


class IdempotencyConflict(DomainError):
    """The key was used for another request."""

    code = "idempotency_key_reused"


class InProgress(DomainError):
    """The first request with this key is still running."""

    code = "idempotency_in_progress"


@dataclass(frozen=True)
class Fresh:
    """The request is to be carried out, then `finish` or `abandon` called."""


@dataclass(frozen=True)
class Stored:
    """What the first request was answered."""

    status: int
    body: Any


async def begin(connection: Connection, key: str, route: str, request_hash: str) -> Fresh | Stored:
    """Take the key, or find the answer. `route` and `request_hash` say which request the key stands for.

    Raises IdempotencyConflict, InProgress.
    """
    if await connection.fetchval(sql("idempotency.begin"), key, route, request_hash, KEPT, LOST) is not None:
        await connection.execute(sql("idempotency.expire"), KEPT)
        return Fresh()
    row = await connection.fetchrow(sql("idempotency.read"), key)
    if row is None or (row["status"] is None and _same(row, route, request_hash)):
        # No row: the first request gave up between the two statements.
        raise InProgress("the first request with this key is still running", fix="repeat it in a moment")
    if not _same(row, route, request_hash):
        raise IdempotencyConflict("this key was used for another request", fix="use a new key for each new request")
    return Stored(row["status"], row["body"])


def _same(row: Any, route: str, request_hash: str) -> bool:
    return bool(row["route"] == route and row["request_hash"] == request_hash)


async def finish(connection: Connection, key: str, status: int, body: Any) -> None:
    """Keep the answer. `body` is anything that JSON can say."""
    await connection.execute(sql("idempotency.finish"), key, status, body)


async def abandon(connection: Connection, key: str) -> None:
    """The request failed without effect (a fault of ours): the key may be used again."""
    await connection.execute(sql("idempotency.abandon"), key)
