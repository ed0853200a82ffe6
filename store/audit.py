"""The audit: who did what, on whom, when, from where, and what came of it. Append-only.

An entry is committed before its command runs and its result after it: an entry without a result was cut off.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, cast, get_args

from domain.errors import DomainError
from store.database import Connection
from store.queries import sql

MAX_LIMIT = 200

Result = Literal["done", "refused", "failed"]


class CursorInvalid(DomainError):
    """The cursor is not of this list."""

    code = "invalid_cursor"


@dataclass(frozen=True)
class Who:
    """Whoever acts. `key`: the key's ID, `token`, `cli`, or None where nobody is known. `origin`: an address, or `cli`.
    `request`: the same for all entries of one request."""

    key: str | None
    actor: str | None
    origin: str
    request: str
    session: str | None = None


@dataclass(frozen=True)
class Entry:
    """A line of the audit. `result` None: it still runs, or was cut off. `by`: whom the command named, where that is not the
    key's own actor."""

    id: int
    at: datetime
    key: str | None
    actor: str | None
    session: str | None
    action: str
    kind: str | None
    target: str | None
    origin: str
    request: str
    finished_at: datetime | None
    result: Result | None
    status: int | None
    code: str | None
    by: str | None

    def as_json(self) -> dict[str, Any]:
        """For callers."""
        return {
            "id": self.id,
            "at": self.at.isoformat(),
            "key": self.key,
            "actor": self.actor,
            "by": self.by,
            "session": self.session,
            "action": self.action,
            "kind": self.kind,
            "target": self.target,
            "from": self.origin,
            "request": self.request,
            "result": self.result,
            "status": self.status,
            "code": self.code,
            "finished_at": None if self.finished_at is None else self.finished_at.isoformat(),
        }


@dataclass(frozen=True)
class Part:
    """One of several things that a request or command acted on."""

    action: str
    kind: str
    target: str
    result: Result
    code: str | None


@dataclass
class Trail:
    """What the audit will say of a request or command besides its action, target and outcome."""

    parts: list[Part] = field(default_factory=list)
    by: str | None = None
    """Whom it names, where that is not the key's own actor."""
    result: Result | None = None
    code: str | None = None

    def add(self, action: str, kind: str, target: str, result: str = "done", code: str | None = None) -> None:
        """One of several things that it acted on gets an entry of its own. `result`: done, refused, failed, or the code of a
        refusal."""
        if result not in get_args(Result):
            result, code = "refused", result
        self.parts.append(Part(action, kind, target, cast(Result, result), code))

    def ended(self, result: Result, code: str | None = None) -> None:
        """What came of it, where that does not show: a form is answered by a redirect in any case."""
        self.result, self.code = result, code


async def begin(
    connection: Connection, who: Who, action: str, kind: str | None = None, target: str | None = None
) -> int:
    """Somebody is about to do something; answers the entry."""
    given = (who.key, who.actor, who.session, action, kind, target, who.origin, who.request)
    return int(await connection.fetchval(sql("audit.begin"), *(_kept(one) for one in given)))


async def finish(
    connection: Connection,
    entry: int,
    result: Result,
    *,
    status: int | None = None,
    code: str | None = None,
    by: str | None = None,
) -> None:
    """What came of it."""
    await connection.execute(sql("audit.finish"), entry, result, status, _kept(code), _kept(by))


async def note(
    connection: Connection,
    who: Who,
    action: str,
    kind: str | None,
    target: str | None,
    result: Result,
    *,
    status: int | None = None,
    code: str | None = None,
    by: str | None = None,
) -> None:
    """An entry and its result at once: a part of what an entry before told of, or something that is over already."""
    entry = await begin(connection, who, action, kind, target)
    await finish(connection, entry, result, status=status, code=code, by=by)


async def finish_with(
    connection: Connection,
    who: Who,
    entry: int,
    trail: Trail,
    result: Result,
    *,
    status: int | None = None,
    code: str | None = None,
) -> None:
    """What came of it and of its parts."""
    for part in trail.parts:
        told = (part.action, part.kind, part.target, part.result)
        await note(connection, who, *told, code=part.code, by=trail.by)
    await finish(connection, entry, trail.result or result, status=status, code=trail.code or code, by=trail.by)


def _kept(text: str | None) -> str | None:
    """As PostgreSQL can hold it; what a caller wrote may be of any length."""
    return None if text is None else text.replace("\x00", "").encode(errors="replace").decode()[:500]


async def page(
    connection: Connection,
    *,
    cursor: str | None = None,
    key: str | None = None,
    actor: str | None = None,
    action: str | None = None,
    kind: str | None = None,
    target: str | None = None,
    limit: int = 50,
) -> tuple[list[Entry], str | None]:
    """A page of entries, newest first, and where the next one begins. Raises CursorInvalid."""
    if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) <= 18):
        raise CursorInvalid("not a cursor", field="cursor", fix="pass `next_cursor` of the page before")
    after = None if cursor is None else int(cursor)
    rows = await connection.fetch(sql("audit.page"), after, key, actor, action, kind, target, limit + 1)
    renamed = {"key_id": "key", "session_id": "session"}
    entries = [Entry(**{renamed.get(name, name): value for name, value in row.items()}) for row in rows[:limit]]
    return entries, str(entries[-1].id) if len(rows) > limit else None
