"""The statement of a page: a list in an order, filtered, from a cursor on. One ordered scan of an index per own status."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import asyncpg

from domain.errors import DomainError
from domain.state import effective_status
from domain.statuses import HoldKind, Status
from store.queries import sql

Sort = Literal["last_event", "next_action", "step", "name", "status"]

# The expressions of the indexes on enrollments, and the type of the cursor's value. Who waits for a person or an event acts
# at `infinity`, and who has no step left is past every step: ascending they come last, descending first.
_KEYS: dict[Sort, tuple[str, str]] = {
    "last_event": ("e.last_event_at", "{}::timestamptz"),
    "next_action": ("coalesce(e.next_at, 'infinity'::timestamptz)", "coalesce({}::timestamptz, 'infinity')"),
    "step": ("coalesce(e.step_number, 2147483647)", "coalesce({}::integer, 2147483647)"),
    "name": ("e.contact_name", "{}::text"),
    "status": ("e.last_event_at", "{}::timestamptz"),
}
_COLUMNS: dict[Sort, str] = {
    "last_event": "last_event_at",
    "next_action": "next_at",
    "step": "step_number",
    "name": "contact_name",
    "status": "last_event_at",
}
_MATCHES = (
    "(SELECT c.search LIKE {0}::text OR coalesce(a.search LIKE {0}::text, false)"
    " FROM contacts c LEFT JOIN accounts a ON a.id = c.account_id WHERE c.id = e.contact_id)"
)

_RANKS = {status: rank for rank, status in enumerate(Status)}
_EVER = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1))
"""Behind every event."""


class InvalidFilter(DomainError):
    """A page was asked for with a status, sort, search, limit or cursor that does not exist."""

    code = "invalid_filter"


class InvalidCursor(InvalidFilter):
    """A cursor that is not one of ours, or of another sorting."""

    code = "invalid_cursor"


@dataclass(frozen=True)
class Filters:
    """Which enrollments: those of which all that is given is true. `reason`: the effective one. `step`: the ID of the step at
    which they stand. `search`: what the contact's name, address or ID, or the account's name, holds; without regard to case."""

    reason: str | None = None
    step: str | None = None
    mailbox: str | None = None
    search: str | None = None


@dataclass(frozen=True)
class Place:
    """Where a page begins: behind this key and ID; sorted by status, in this effective status."""

    key: datetime | int | str | None
    enrollment: UUID
    status: Status | None = None


@dataclass(frozen=True)
class Asked:
    """A page as it is asked of the database. `own`: own statuses."""

    sequence: str
    own: Sequence[Status]
    filters: Filters
    sort: Sort
    descending: bool
    after: Place | None
    limit: int
    switched_on: bool


@dataclass(frozen=True)
class Matching:
    """How a search is looked for, by how many contacts it finds: `few`, and these are they; `some`, so that they are gathered
    first; else each row's contact is looked at."""

    few: Sequence[str] | None = None
    some: bool = False


def statement(asked: Asked, matching: Matching = Matching()) -> tuple[Any, ...]:
    """The SQL of a page and its values."""
    values: list[Any] = [asked.sequence, [one.value for one in asked.own], asked.limit + 1]

    def given(value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    key, typed = _KEYS[asked.sort]
    ordered: tuple[tuple[str, bool], ...] = (("key", asked.descending), ("id", asked.descending))
    own, rank, where = "unnest($2::text[]) AS own (status)", "0", []
    if asked.sort == "status":
        ordered = (("rank", asked.descending), ("key", True), ("id", True))
        values[1:2], arrays = _by_status(asked)
        own = f"unnest($2::text[], {', '.join(given(array) + kind for array, kind in arrays)}) AS own (status, rank, at, id)"
        rank = "own.rank"
        where.append("(e.last_event_at, e.id) < (own.at, own.id)")
    elif asked.after is not None:
        beyond = "<" if asked.descending else ">"
        where.append(
            f"({key}, e.id) {beyond} ({typed.format(given(asked.after.key))}, {given(asked.after.enrollment)})"
        )
    where += _where(asked, given)
    with_matching = ""
    if asked.filters.search is not None and matching.few is None:
        words = given(pattern(asked.filters.search))
        if matching.some:
            with_matching = f"WITH matching AS MATERIALIZED ({sql('listing.matching').format(words=words)}) "
            # IS TRUE keeps it a look into a hash table, so that the order of the index is kept.
            where.append("(e.contact_id IN (SELECT id FROM matching)) IS TRUE")
        else:
            where.append(_MATCHES.format(f"lower({words})"))
    text = sql("listing.page" if matching.few is None else "listing.found").format(
        own=own,
        key=key,
        rank=rank,
        direction="DESC" if ordered[-1][1] else "ASC",
        where=" ".join(f"AND {one}" for one in where),
        order=_order(ordered),
        contacts="" if matching.few is None else given(list(matching.few)),
        with_matching=with_matching,
    )
    return sql("listing.shown").format(found=text, order=_order(ordered, "found.")), *values


def _order(keys: Sequence[tuple[str, bool]], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{key} {'DESC' if descending else 'ASC'}" for key, descending in keys)


def _by_status(asked: Asked) -> tuple[list[list[str]], list[tuple[list[Any], str]]]:
    """The own statuses behind the cursor, each with its rank and where its rows begin."""
    found: list[tuple[Any, ...]] = []
    for own in asked.own:
        rank, place = _RANKS[effective_status(own, switched_on=asked.switched_on)], _EVER
        if asked.after is not None and asked.after.status is not None:
            last = _RANKS[asked.after.status]
            if rank == last:
                assert isinstance(asked.after.key, datetime)
                place = (asked.after.key, asked.after.enrollment)
            elif (rank < last) is not asked.descending:
                continue
        found.append((own.value, rank, *place))
    own_statuses, ranks, ats, ids = ([row[n] for row in found] for n in range(4))
    return [own_statuses], [(ranks, "::integer[]"), (ats, "::timestamptz[]"), (ids, "::uuid[]")]


def _where(asked: Asked, given: Callable[[Any], str]) -> list[str]:
    filters, where = asked.filters, []
    if filters.reason is not None:
        wanted = given(filters.reason)
        # Active has no reason of its own; with the switch off it has this one.
        parked = not asked.switched_on and filters.reason == HoldKind.SEQUENCE_OFF.value
        where.append(f"coalesce(e.reason, {wanted}) = {wanted}" if parked else f"e.reason = {wanted}")
    if filters.step is not None:
        where.append(f"e.step_id = {given(filters.step)}")
    if filters.mailbox is not None:
        where.append(f"e.mailbox_id = {given(filters.mailbox)}")
    return where


def pattern(search: str) -> str:
    """For LIKE, beside a lower-case text: what holds the words of a search."""
    return "%" + search.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_") + "%"


def write_cursor(last: asyncpg.Record, status: Status, sort: Sort, descending: bool) -> str:
    """The cursor of the page behind this row, of that effective status."""
    key = last[_COLUMNS[sort]]
    place = [sort, descending, key.isoformat() if isinstance(key, datetime) else key, last["id"].hex]
    if sort == "status":
        place.append(status.value)
    return urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


def read_cursor(cursor: str, sort: Sort, descending: bool) -> Place:
    """Where the page begins. Raises InvalidCursor."""
    fix = "use next_cursor of the page before, as it is; start without a cursor after changing the order"
    try:
        place = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        of_sort, of_direction, key, last, *status = place
        if (of_sort, of_direction, len(status)) != (sort, descending, int(sort == "status")):
            raise ValueError
        return Place(_key(sort, key), UUID(last), Status(status[0]) if status else None)
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
