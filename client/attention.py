"""What needs a person, over all sequences: one list by kinds, each the newest first, bounded and paged, with what to do."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, get_args
from uuid import UUID

import asyncpg

from client.reading import inbound_shown, pending_word
from domain import storytelling
from domain.reasons import find
from domain.sequences import StepRef
from domain.state import EnrollmentState
from domain.storywords import NEEDS
from store.database import Connection
from store.keyset import InvalidCursor, InvalidFilter
from store.queries import sql

Kind = Literal[
    "delivery_unknown", "bounced", "return_date", "mail", "not_sent", "mailbox", "system_error", "not_taken_up"
]
"""What waits for a person: an email of which nobody knows whether it left; a bounced enrollment; an absence whose end is not
sure; another mail that somebody should look at; a Not Sent that does not heal by itself; a mailbox in trouble; a fault of
ours; a recorded stop that no workflow has taken up."""

KINDS: tuple[Kind, ...] = get_args(Kind)
MOST = 200
"""So far things are counted; beyond, people read "200+"."""

LONG = timedelta(minutes=10)
"""After so long somebody should look why a stop is not taken up: it holds all the same."""

TITLES: dict[Kind, str] = {
    "delivery_unknown": "Unknown deliveries",
    "bounced": "Bounced",
    "return_date": "Return dates to settle",
    "mail": "Mail to look at",
    "not_sent": "Not sent",
    "mailbox": "Mailboxes in trouble",
    "system_error": "System errors",
    "not_taken_up": "Stops not taken up",
}

_MAILS: tuple[Kind, ...] = ("return_date", "mail")
_EVER = (datetime(9999, 12, 31, tzinfo=UTC), UUID(int=2**128 - 1), "")


@dataclass(frozen=True)
class Item:
    """One thing that waits for a person. `key`: its ID: the enrollment's, the mail's, the mailbox's or the stop's. `title`: why,
    in a sentence. `fix`: what is to be done.

    `enrollment` and what follows: whom it concerns, where that is known. `address`: of a bounce, where the email went; `email`:
    the contact's now. `mail`: an inbound mail, as `client.reading.inbound_shown` has it. `code`: the reason, the mail's `needs`,
    the mailbox's trouble, or the name of the stop.
    """

    kind: Kind
    key: str
    at: datetime
    title: str
    fix: str
    code: str | None = None
    enrollment: str | None = None
    sequence: str | None = None
    sequence_name: str | None = None
    contact: str | None = None
    name: str | None = None
    email: str | None = None
    account_name: str | None = None
    mailbox: str | None = None
    address: str | None = None
    step: StepRef | None = None
    state: EnrollmentState | None = None
    mail: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Count:
    """How many there are; with `more` there are more than that."""

    n: int
    more: bool

    def __str__(self) -> str:
        return f"{self.n}+" if self.more else str(self.n)


@dataclass(frozen=True)
class Page:
    """Items of one kind, newest first, and the cursor of the next page if there is one."""

    items: tuple[Item, ...]
    next_cursor: str | None


@dataclass(frozen=True)
class Group:
    """A kind with its count and the first page of its items."""

    kind: Kind
    title: str
    count: Count
    page: Page


async def counts(connection: Connection) -> dict[Kind, Count]:
    """How many things of each kind wait, counted up to 200."""
    return {kind: await _count(connection, kind) for kind in KINDS}


async def read(connection: Connection, *, kinds: Seq[Kind] = KINDS, limit: int = 20) -> tuple[Group, ...]:
    """The first items of each kind of which there are any, in the order of `KINDS`."""
    groups = []
    for kind in kinds:
        first = await page(connection, kind, limit=limit)
        if first.items:
            groups.append(Group(kind, TITLES[kind], await _count(connection, kind), first))
    return tuple(groups)


async def page(connection: Connection, kind: Kind, *, cursor: str | None = None, limit: int = 50) -> Page:
    """A page of one kind, newest first. `limit`: 1 to 200. Raises InvalidFilter, InvalidCursor."""
    if kind not in KINDS:
        raise InvalidFilter(f"{kind!r} is no kind", field="kind", fix=f"one of {', '.join(KINDS)}")
    if not 1 <= limit <= MOST:
        raise InvalidFilter(f"{limit} items", field="limit", fix=f"1 to {MOST}")
    at, key, mark = _EVER if cursor is None else _read_cursor(cursor, kind)
    values: list[Any] = [at, key, limit + 1]
    if kind == "mailbox":
        rows = await connection.fetch(sql("attention.mailboxes"), MOST)
        return Page(tuple(_mailbox(row) for row in rows), None)
    if kind == "not_taken_up":
        rows = await connection.fetch(_statement("marks", kind), *values, mark)
        items = [_mark(row) for row in rows]
        places = [(row["at"], row["enrollment_id"], row["id"]) for row in rows]
    elif kind in _MAILS:
        rows = await connection.fetch(_statement("mails", kind), *values)
        items = [_mail(kind, row) for row in rows]
        places = [(row["received_at"], row["id"], "") for row in rows]
    else:
        rows = await connection.fetch(_statement("enrollments", kind), *values)
        items = [_enrollment(kind, row) for row in rows]
        places = [(row["at"], row["id"], "") for row in rows]
    more = len(items) > limit
    return Page(tuple(items[:limit]), _write_cursor(kind, *places[limit - 1]) if more else None)


async def _count(connection: Connection, kind: Kind) -> Count:
    if kind == "mailbox":
        n = len(await connection.fetch(sql("attention.mailboxes"), MOST + 1))
    else:
        table = (
            "stop_marks k" if kind == "not_taken_up" else "inbound_messages m" if kind in _MAILS else "enrollments e"
        )
        n = await connection.fetchval(_statement("count", kind).format(table=table), MOST + 1)
    return Count(min(n, MOST), n > MOST)


def _statement(name: str, kind: Kind) -> str:
    which = sql(f"attention.is_{kind}").format(seconds=int(LONG.total_seconds()))
    return sql(f"attention.{name}").replace("{which}", which)


# ---------------------------------------------------------------------------------------------------------------------
# Items


def _person(row: asyncpg.Record) -> dict[str, Any]:
    name = f"{row['first_name'] or ''} {row['last_name'] or ''}".strip()
    return {
        "sequence": row["sequence_id"],
        "sequence_name": row["sequence_name"],
        "contact": row["contact_id"],
        "name": name or row["contact_id"],
        "email": row["email"],
        "account_name": row["account_name"],
    }


def _enrollment(kind: Kind, row: asyncpg.Record) -> Item:
    state = EnrollmentState.model_validate(row["state"])
    group = "bounced" if kind == "bounced" else "not_sent" if kind == "not_sent" else "hold"
    entry = find(group, row["reason"])  # type: ignore[arg-type]
    return Item(
        kind=kind,
        key=str(row["id"]),
        at=row["at"],
        title=entry.sentence.removesuffix("."),
        fix=entry.fix,
        code=row["reason"],
        enrollment=str(row["id"]),
        mailbox=row["mailbox_id"],
        address=row["recipient"] if kind in ("bounced", "delivery_unknown") else None,
        step=state.step,
        state=state,
        **_person(row),
    )


_MAIL_FIXES = {
    "unmatched": "say whose it is, or settle it",
    "return_date": "say when the contact is back, or resume",
    "unproven_bounce": "report the bounce yourself if it is true, or settle it",
    "new_contact": "add the contact if you want to write there, then settle it",
    "new_address": "change the contact's address and resume, then settle it",
    "address_changed": "find another address and resume, or finish; then settle it",
    "unmonitored": "find another address and resume, or finish; then settle it",
    "challenge": "answer it from the mailbox and resume, then settle it",
    "soft_bounces": "look at the address, then resume or finish; then settle it",
    "failed": "read the worker's log, look at the mail, then settle it",
}


def _mail(kind: Kind, row: asyncpg.Record) -> Item:
    needs = row["needs"]
    why = NEEDS.get(needs, needs.replace("_", " "))
    return Item(
        kind=kind,
        key=str(row["id"]),
        at=row["received_at"],
        title=f"{storytelling.mail_title(row['kind'], row['correction'])}: {why}",
        fix=_MAIL_FIXES.get(needs, "look at it, then settle it"),
        code=needs,
        enrollment=str(row["enrollment_id"]) if row["enrollment_id"] else None,
        mailbox=row["mailbox_id"],
        mail=inbound_shown(row),
        **_person(row),
    )


def _mailbox(row: asyncpg.Record) -> Item:
    what, fix = {
        "down": ("It cannot send, or cannot be read", "mend its cause; it is looked at again and goes on by itself"),
        "guardrail": ("It is held", "find out why its emails were refused, then open it"),
        "paused": ("A person has paused it", "open it when it may send again"),
        "up": ("It cannot be read", "see that its IMAP server answers and its login is right"),
    }[row["state"]]
    code = row["unread_code"] if row["state"] == "up" else row["state_code"]
    why = storytelling.trouble(code)
    return Item(
        kind="mailbox",
        key=row["id"],
        at=row["at"],
        title=f"{what}: {why}" if why and row["state"] != "paused" else what,
        fix=fix,
        code=code or row["state"],
        mailbox=row["id"],
        address=row["address"],
    )


def _mark(row: asyncpg.Record) -> Item:
    return Item(
        kind="not_taken_up",
        key=row["id"],
        at=row["at"],
        title=f"{storytelling.short(row['message'])}, recorded and not taken up by its workflow ({pending_word(row['message'])})",
        fix="nothing leaves meanwhile; see that a worker runs, and look at its workflow",
        code=row["message"],
        enrollment=str(row["enrollment_id"]),
        **_person(row),
    )


# ---------------------------------------------------------------------------------------------------------------------
# Cursors


def _write_cursor(kind: Kind, at: datetime, key: UUID, mark: str) -> str:
    place = [kind, at.isoformat(), key.hex, mark]
    return urlsafe_b64encode(json.dumps(place, ensure_ascii=False).encode()).decode().rstrip("=")


def _read_cursor(cursor: str, kind: Kind) -> tuple[datetime, UUID, str]:
    try:
        of_kind, at, key, mark = json.loads(urlsafe_b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4)))
        behind = datetime.fromisoformat(at)
        if (
            of_kind != kind
            or behind.tzinfo is None
            or not isinstance(mark, str)
            or not (mark.isprintable() or not mark)
        ):
            raise ValueError
        return behind.astimezone(UTC), UUID(key), mark
    except (ValueError, TypeError, AttributeError, OverflowError, RecursionError):
        fix = "use next_cursor of the page before, as it is"
        raise InvalidCursor("not a cursor of this list", field="cursor", fix=fix) from None
