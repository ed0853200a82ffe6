"""Stop marks: what stops an enrollment, committed before its workflow is told. While one is not adopted nothing leaves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from domain.delivery import Effect
from domain.messages import Message, parse_message
from store.database import Connection
from store.queries import sql


@dataclass(frozen=True)
class Mark:
    """A message recorded for an enrollment: what its workflow is, or will be, signalled."""

    enrollment: str
    workflow_id: str
    message: str
    payload: dict[str, Any]

    def parsed(self) -> Message:
        """The message it carries."""
        return parse_message(self.message, self.payload, strict=False)


async def place(connection: Connection, mark: Mark, *, now: datetime) -> None:
    """Record one mark; the same message again is the same mark. The caller holds the enrollment's row locked."""
    await connection.execute(
        sql("marks.place"),
        mark.payload["id"],
        UUID(mark.enrollment),
        mark.message,
        mark.payload,
        mark.payload.get("by", "system"),
        now,
    )


async def lock_rows(connection: Connection, enrollments: Sequence[str]) -> None:
    """Lock the rows in one order, so that two writers of marks never wait crosswise."""
    await connection.execute(
        "SELECT 1 FROM enrollments WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE",
        [UUID(enrollment) for enrollment in enrollments],
    )


async def relatives(connection: Connection, effect: Effect, *, contact: str, enrollment: str) -> list[Mark]:
    """The open enrollments that a fan-out effect concerns, each with the message for it."""
    if effect.scope == "address":
        rows = await connection.fetch(
            sql("enrollments.siblings_of_address"), UUID(enrollment), effect.step, effect.attempt
        )
    else:
        name = "siblings_of_contact" if effect.scope == "contact" else "siblings_of_account"
        rows = await connection.fetch(sql(f"enrollments.{name}"), contact, UUID(enrollment))
    assert effect.event is not None
    return [Mark(str(row["id"]), row["workflow_id"], effect.event, dict(effect.payload or {})) for row in rows]


async def pending(connection: Connection, enrollment: str) -> list[dict[str, Any]]:
    """Marks that the workflow has not adopted, oldest first: id, message, payload."""
    return [dict(row) for row in await connection.fetch(sql("marks.pending"), UUID(enrollment))]


async def adopted(connection: Connection, enrollment: str, mark_id: str) -> bool:
    """Whether the workflow has taken this mark up."""
    return bool(await connection.fetchval(sql("marks.adopted"), UUID(enrollment), mark_id))


async def signalled(connection: Connection, mark: Mark) -> None:
    """Note that the workflow was told, so that the sweeper waits before it tells it again."""
    await connection.execute(sql("marks.signalled"), UUID(mark.enrollment), mark.payload["id"])


async def to_sweep(connection: Connection, *, grace: timedelta, limit: int) -> list[Mark]:
    """Marks that nobody adopted within `grace` of the last signal."""
    rows = await connection.fetch(sql("marks.sweep"), grace, limit)
    return [Mark(str(row["enrollment_id"]), row["workflow_id"], row["message"], row["payload"]) for row in rows]
