"""Pages of a sequence's enrollments by effective status, in the same time at a million as at a thousand."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args
from uuid import UUID

import asyncpg

from domain.errors import DomainError
from domain.sequences import StepRef
from domain.state import EnrollmentState, effective_status, status_label
from domain.statuses import HoldKind, Status
from store.catalog import NotFound
from store.database import Connection
from store.queries import sql

Sort = Literal["last_event", "next_action", "step", "name"]
MAX_LIMIT = 200

# The expressions of the indexes on enrollments, and the cursor's value as the same type. Who waits for a person or an
# event acts at `infinity`, and who has no step left is past every step: ascending they come last, descending first.
_KEYS: dict[Sort, tuple[str, str]] = {
    "last_event": ("e.last_event_at", "$6::timestamptz"),
    "next_action": ("coalesce(e.next_at, 'infinity'::timestamptz)", "coalesce($6::timestamptz, 'infinity')"),
    "step": ("coalesce(e.step_number, 2147483647)", "coalesce($6::integer, 2147483647)"),
    "name": ("e.contact_name", "$6::text"),
}
_COLUMNS: dict[Sort, str] = {
    "last_event": "last_event_at",
    "next_action": "next_at",
    "step": "step_number",
    "name": "contact_name",
}


class InvalidFilter(DomainError):
    """A page was asked for with a status, sort, limit or cursor that does not exist."""

    code = "invalid_filter"


class InvalidCursor(InvalidFilter):
    """A cursor that is not one of ours, or of another sorting."""

    code = "invalid_cursor"


@dataclass(frozen=True)
class Row:
    """One enrollment of a list. `status`, `label` and `reason` are the effective ones, `own_status` leaves the switch out.

    `next_at`: when it acts by itself (UTC), if it does. `pending`: names of recorded stops that its workflow has not
    adopted yet; while there are any nothing leaves, and people see "pausing" (or "stopping").
    """

    enrollment: str
    contact: str
    name: str
    email: str | None
    account: str | None
    account_name: str | None
    mailbox: str | None
    status: Status
    label: str
    own_status: Status
    reason: str | None
    pending: tuple[str, ...]
    step: StepRef | None
    next_at: datetime | None
    last_event_at: datetime
    state: EnrollmentState


@dataclass(frozen=True)
class Page:
    """Rows in order, and the cursor of the next page if there is one."""

    rows: tuple[Row, ...]
    next_cursor: str | None


async def page(
    connection: Connection,
    sequence: str,
    *,
    status: Seq[str] | None = None,
    reason: str | None = None,
    sort: Sort = "last_event",
    descending: bool = True,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of a sequence's enrollments.

    `status`: effective statuses (`failed` means not_sent); None is all but removed. `reason`: the effective reason.
    `limit`: 1 to 200. Raises NotFound (`sequence_unknown`), InvalidFilter, InvalidCursor.
    """
    if sort not in _KEYS:
        raise InvalidFilter(f"{sort!r} is no order", field="sort", fix=f"one of {', '.join(get_args(Sort))}")
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidFilter(f"{limit} rows", field="limit", fix=f"1 to {MAX_LIMIT}")
    wanted = _statuses(status)
    switched_on = await _switched_on(connection, sequence)
    own = [one.value for one in Status if effective_status(one, switched_on=switched_on) in wanted]
    # Active has no reason of its own; with the switch off it has this one.
    active_reason = None if switched_on else HoldKind.SEQUENCE_OFF.value
    # One more than asked for tells whether there is a next page.
    values: list[Any] = [sequence, own, limit + 1, reason, active_reason]
    if cursor is not None:
        values += _read_cursor(cursor, sort, descending)
    rows = await connection.fetch(statement(sort, descending, with_cursor=cursor is not None), *values)
    more = len(rows) > limit
    return Page(
        tuple(_row(row, switched_on) for row in rows[:limit]),
        _write_cursor(rows[limit - 1], sort, descending) if more else None,
    )


async def counts(connection: Connection, sequence: str) -> dict[Status, int]:
    """How many enrollments of a sequence have each effective status. Raises NotFound (`sequence_unknown`)."""
    switched_on = await _switched_on(connection, sequence)
    found = dict.fromkeys(Status, 0)
    for row in await connection.fetch(sql("enrollments.counts"), sequence):
        found[effective_status(Status(row["status"]), switched_on=switched_on)] += row["n"]
    return found


def statement(sort: Sort, descending: bool, *, with_cursor: bool) -> str:
    """The SQL of a page. Parameters: sequence, own statuses, limit, reason, reason of the active; cursor's key and ID."""
    key, value = _KEYS[sort]
    direction, beyond = ("DESC", "<") if descending else ("ASC", ">")
    after = f"AND ({key}, e.id) {beyond} ({value}, $7::uuid)" if with_cursor else ""
    return sql("listing.page").format(key=key, direction=direction, after=after)


def _statuses(given: Seq[str] | None) -> set[Status]:
    if given is None:
        return set(Status) - {Status.REMOVED}
    found = set()
    for word in given:
        try:
            found.add(Status.NOT_SENT if word == "failed" else Status(word))
        except ValueError:
            known = ", ".join(Status)
            raise InvalidFilter(f"{word[:40]!r} is no status", field="status", fix=f"one of {known}") from None
    return found


async def _switched_on(connection: Connection, sequence: str) -> bool:
    switched_on = await connection.fetchval(sql("listing.switches"), sequence)
    if switched_on is None:
        raise NotFound("sequence", sequence)
    return bool(switched_on)


def _row(row: asyncpg.Record, switched_on: bool) -> Row:
    state = EnrollmentState.model_validate(row["state"])
    own = Status(row["status"])
    effective = effective_status(own, switched_on=switched_on)
    switched_off = effective is not own
    return Row(
        enrollment=str(row["id"]),
        contact=row["contact_id"],
        name=f"{row['first_name']} {row['last_name']}".strip(),
        email=row["email"],
        account=row["account_id"],
        account_name=row["account_name"],
        mailbox=row["mailbox_id"],
        status=effective,
        label=effective.label if switched_off else status_label(state),
        own_status=own,
        reason=HoldKind.SEQUENCE_OFF.value if switched_off else row["reason"],
        pending=tuple(row["pending"]),
        step=state.step,
        next_at=row["next_at"],
        last_event_at=row["last_event_at"],
        state=state,
    )


def _write_cursor(last: asyncpg.Record, sort: Sort, descending: bool) -> str:
    key = last[_COLUMNS[sort]]
    place = [sort, descending, key.isoformat() if isinstance(key, datetime) else key, last["id"].hex]
    return urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, sort: Sort, descending: bool) -> tuple[datetime | int | str | None, UUID]:
    """The key and ID after which the page begins."""
    fix = "use next_cursor of the page before, as it is; start without a cursor after changing the order"
    try:
        place = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        of_sort, of_direction, key, last = place
        if (of_sort, of_direction) != (sort, descending):
            raise ValueError
        return _key(sort, key), UUID(last)
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        raise InvalidCursor("not a cursor of this list", field="cursor", fix=fix) from None


def _key(sort: Sort, value: Any) -> datetime | int | str | None:
    if value is None and sort in ("next_action", "step"):
        return None
    if sort == "step":
        if type(value) is not int or not 0 <= value < 2**31:
            raise ValueError
        return value
    if not isinstance(value, str) or "\x00" in value:
        raise ValueError
    if sort == "name":
        value.encode()  # half a character in a forged cursor: UnicodeEncodeError is a ValueError
        return value
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError
    return at.astimezone(UTC)
