"""Pages of a sequence's enrollments by effective status, in the same time at a million as at a thousand.

A page is read along an index in its order. A filter by reason or step has an index of its own in the order of events; in
other orders, and by mailbox, rows are passed by until the page is full. A search that few contacts match reads their
enrollments only; one that many match passes by the others, of which there are few then.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args
from uuid import UUID

import asyncpg

from domain import explain
from domain.errors import Refused
from domain.messages import COMMANDS
from domain.sequences import StepRef
from domain.state import EnrollmentState, effective_status, next_release, status_label
from domain.statuses import HoldKind, Status
from domain.transitions import allowed_actions, refusal
from store.catalog import NotFound
from store.database import Connection
from store.keyset import (
    Asked,
    Filters,
    InvalidCursor,
    InvalidFilter,
    Matching,
    Sort,
    pattern,
    read_cursor,
    statement,
    write_cursor,
)
from store.queries import sql

__all__ = ["InvalidCursor", "InvalidFilter", "Page", "Row", "Sort", "counts", "page", "rows"]

MAX_LIMIT = 200

FEW = 2_000
"""Up to so many contacts that a search finds, their enrollments are read instead of the list."""

SOME = 20_000
"""Up to so many are gathered before the list is read."""

MAX_SEARCH = 200
"""Characters of a search."""


@dataclass(frozen=True)
class Row:
    """One enrollment of a list. `status`, `label` and `reason` are the effective ones, `own_status` leaves the switch out.

    `next_at`: when it acts by itself (UTC), if it does. `until`: when its holds end, if all of them end by a date. `pending`:
    names of recorded stops that its workflow has not adopted yet; while there are any nothing leaves, and people see
    "pausing" (or "stopping"). `last_event`: the kind of the newest line of its story; None where there is none yet.
    `epoch` and `version`: which state this is (see `store.live`).
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
    until: datetime | None
    last_event_at: datetime
    last_event: str | None
    epoch: int
    version: int
    switched_on: bool
    state: EnrollmentState

    @property
    def next(self) -> dict[str, Any]:
        """What happens next, or whom or what it waits for, as people see it (see `domain.explain.next_event`)."""
        return explain.next_seen(self.state, switched_on=self.switched_on)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The commands that a person may give now."""
        return allowed_actions(self.state)

    @property
    def refused(self) -> dict[str, Refused]:
        """The other commands, each with why it is not allowed."""
        return {name: why for name in COMMANDS if (why := refusal(self.state, name)) is not None}


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
    step: str | None = None,
    mailbox: str | None = None,
    search: str | None = None,
    sort: Sort = "last_event",
    descending: bool = True,
    cursor: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of a sequence's enrollments.

    `status`: effective statuses (`failed` means not_sent); None is all but removed. The other filters: see `Filters`.
    `sort`: by `status` they come as Active, Paused, Bounced, Not Sent, Finished, Removed (descending the other way round), in
    each the newest event first. `limit`: 1 to 200. Raises NotFound (`sequence_unknown`), InvalidFilter, InvalidCursor.
    """
    if sort not in get_args(Sort):
        raise InvalidFilter(f"{sort!r} is no order", field="sort", fix=f"one of {', '.join(get_args(Sort))}")
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidFilter(f"{limit} rows", field="limit", fix=f"1 to {MAX_LIMIT}")
    wanted = _statuses(status)
    filters = Filters(reason, step, mailbox, _search(search))
    switched_on = await _switched_on(connection, sequence)
    own = [one for one in Status if effective_status(one, switched_on=switched_on) in wanted]
    after = None if cursor is None else read_cursor(cursor, sort, descending)
    asked = Asked(sequence, own, filters, sort, descending, after, limit, switched_on)
    matching = Matching() if filters.search is None else await _matching(connection, filters.search)
    found = await connection.fetch(*statement(asked, matching))
    # One more than asked for tells whether there is a next page.
    more = len(found) > limit
    rows = tuple(_row(row, switched_on) for row in found[:limit])
    return Page(rows, write_cursor(found[limit - 1], rows[-1].status, sort, descending) if more else None)


async def rows(connection: Connection, sequence: str, enrollments: Iterable[str]) -> tuple[Row, ...]:
    """Rows by their IDs, in that order, to show anew what a page shows: those that are of the sequence, whatever their status.
    Raises NotFound (`sequence_unknown`), InvalidFilter for what is no ID."""
    wanted = list(dict.fromkeys(enrollments))
    try:
        keys = [UUID(key) for key in wanted]
    except ValueError:
        raise InvalidFilter("not an enrollment's ID", field="enrollments", fix="IDs are UUIDs") from None
    if len(keys) > MAX_LIMIT:
        raise InvalidFilter(f"{len(keys)} rows", field="enrollments", fix=f"at most {MAX_LIMIT} at once")
    switched_on = await _switched_on(connection, sequence)
    text = sql("listing.shown").format(found=sql("listing.some"), order="found.id")
    found = {row["id"]: row for row in await connection.fetch(text, sequence, keys)}
    return tuple(_row(found[key], switched_on) for key in keys if key in found)


async def counts(connection: Connection, sequence: str) -> dict[Status, int]:
    """How many enrollments of a sequence have each effective status. Raises NotFound (`sequence_unknown`)."""
    switched_on = await _switched_on(connection, sequence)
    found = dict.fromkeys(Status, 0)
    for row in await connection.fetch(sql("enrollments.counts"), sequence):
        found[effective_status(Status(row["status"]), switched_on=switched_on)] += row["n"]
    return found


# ---------------------------------------------------------------------------------------------------------------------
# The search


def _search(given: str | None) -> str | None:
    """What is looked for: None where nothing is."""
    words = " ".join((given or "").split())
    if len(words) > MAX_SEARCH or not words.isprintable():
        raise InvalidFilter("not a search", field="search", fix=f"at most {MAX_SEARCH} printable characters")
    return words or None


async def _matching(connection: Connection, search: str) -> Matching:
    """How to look for a search. Its index finds nothing by less than three characters."""
    if len(search) < 3:
        return Matching()
    words = pattern(search)
    async with connection.transaction():
        await connection.execute(sql("listing.one_plan_each"))
        contacts = {row["id"] for row in await connection.fetch(sql("listing.few_matching"), words, FEW + 1)}
        if len(contacts) <= FEW:
            return Matching(few=sorted(contacts))
        return Matching(some=await connection.fetchval(sql("listing.count_matching"), words, SOME) < SOME)


# ---------------------------------------------------------------------------------------------------------------------
# What goes in and what comes out


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
        until=next_release(state),
        last_event_at=row["last_event_at"],
        last_event=row["last_event"],
        epoch=row["run_epoch"],
        version=row["version"],
        switched_on=switched_on,
        state=state,
    )
