"""THE way of a mail that comes in, from whatever door: parse, match, classify, record, tell.

What it stops is committed, with the mail itself, before any workflow is told. The same mail again, by the same door or
another, has no second effect.
"""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from client.enrollments import Enrollments
from domain.consequences import Consequences, Match, Told, consequences
from domain.delivery import LogEntry
from domain.errors import InvalidMessage, Refused
from domain.inbound import Arrival, Kind, Names, Reading, Return
from domain.messages import Message, parse_message
from domain.state import EnrollmentState
from mail.inbound import Context, classify, names_of, parse
from mail.inbound.parsing import Parsed
from mail.tokens import read_plus_address
from store import enrollments, gates, inbound, locks, marks
from store.database import Connection
from store.inbound import Found, Kept
from store.marks import Mark
from store.queries import sql

_log = structlog.get_logger(__name__)

MAX_SIZE = 25 * 1024 * 1024
"""Bytes of a mail that is taken in whole."""

TRIES = 3
"""How often a mail is recorded anew when PostgreSQL found two writers waiting crosswise."""

_REPORTS = frozenset({Kind.BOUNCE, Kind.DELAYED, Kind.DELIVERED, Kind.COMPLAINT})
_OPT_OUTS = {Kind.UNSUBSCRIBE: "unsubscribed", Kind.COMPLAINT: "complained"}
_NOBODYS = frozenset({Kind.LIST, Kind.OWN, Kind.OTHER_AUTOMATIC})
"""Kinds of which only the headers are kept when they concern nobody: a mailbox holds much that is not ours to keep."""

CORRECTIONS = (
    Kind.HUMAN_REPLY,
    Kind.OUT_OF_OFFICE,
    Kind.UNSUBSCRIBE,
    Kind.COMPLAINT,
    Kind.CONTACT_GONE,
    Kind.CALENDAR,
    Kind.ACKNOWLEDGEMENT,
    Kind.OTHER_AUTOMATIC,
)
"""What a person may say that a mail is."""


@dataclass(frozen=True)
class Taken:
    """What became of a mail. `told`: which enrollments were told what. `needs`: why a person must look at it."""

    id: str
    kind: str
    rule: str
    matched_by: str | None = None
    enrollment: str | None = None
    told: tuple[Mapping[str, Any], ...] = ()
    needs: str | None = None
    duplicate: bool = False

    def as_json(self) -> dict[str, Any]:
        """For callers."""
        return {
            "id": self.id,
            "kind": self.kind,
            "rule": self.rule,
            "matched_by": self.matched_by,
            "enrollment": self.enrollment,
            "told": [dict(one) for one in self.told],
            "needs": self.needs,
            "duplicate": self.duplicate,
        }


@dataclass(frozen=True)
class _Known:
    """What the database knows of what a mail names."""

    found: Found | None
    by_sender: Found | None
    by_concerned: Found | None
    context: Context


@dataclass
class Inbound:
    """Takes mail in. `secret` signs our plus-addresses. `guardrail`: refusals within an hour that hold a mailbox."""

    onward: Enrollments
    secret: bytes = field(repr=False)
    guardrail: int = 3

    async def take(self, arrival: Arrival) -> Taken:
        """Take one mail in: once it is answered, the mail and all that it stops are on record, whatever dies next."""
        parsed, names = await asyncio.to_thread(_read, arrival.raw)
        fingerprint = _fingerprint(arrival.raw, names)
        async with self.onward.database.read() as connection:
            earlier = await inbound.find(connection, fingerprint)
            if earlier is not None:
                return _again(earlier)
            known = await self._known(connection, parsed, names, arrival.mailbox)
        arrival = replace(arrival, received_at=_plausible(arrival.received_at, self.onward.now()))
        reading = await asyncio.to_thread(
            classify, parsed, names, received_at=arrival.received_at, context=known.context
        )
        if arrival.truncated:
            reading = reading.model_copy(update={"ignored": (*reading.ignored, "truncated")})
        found = _choose(reading, known)
        for attempt in range(1, TRIES + 1):
            try:
                return await self._record(arrival, names, fingerprint, reading, found)
            except asyncpg.DeadlockDetectedError:
                if attempt == TRIES:
                    raise
        raise AssertionError("unreachable")

    async def keep_failed(self, arrival: Arrival, error: BaseException) -> None:
        """Keep a mail that could not be taken in because of a defect of ours, for a person to look at: nothing is lost."""
        names = Names(subject=f"not read: {type(error).__name__}")
        kept = Kept(
            id=uuid.uuid4(),
            fingerprint=_fingerprint(arrival.raw, names),
            arrival=arrival,
            names=names,
            reading=Reading(kind=Kind.OTHER_AUTOMATIC, rule="failed"),
            match=None,
            contact=None,
            needs="failed",
            raw=arrival.raw,
        )
        async with self.onward.database.transaction() as connection:
            await inbound.keep(connection, kept)

    async def _known(self, connection: Connection, parsed: Parsed, names: Names, mailbox: str | None) -> _Known:
        found, ours = await inbound.by_message_ids(connection, names)
        to_unsubscribe = False
        for address in (*names.recipients, *names.concerned):
            token = read_plus_address(self.secret, address)
            if token is None:
                continue
            to_unsubscribe |= token[0] == "u" and address in names.recipients
            found = found or await inbound.by_token(connection, token[1])
        by_sender = await inbound.by_address(connection, names.sender, mailbox)
        by_concerned = None
        for address in names.concerned[:5]:
            by_concerned = by_concerned or await inbound.by_address(connection, address, mailbox)
        quoted = found or by_sender
        # Where a rule of the mailbox redirects its mail, the mark of that rule names the mailbox.
        redirected = (value.strip("<> ").lower() for value in parsed.headers.all("x-ms-exchange-inbox-rules-loop"))
        own = await inbound.own_addresses(connection, [names.sender, *redirected])
        if found is not None and found.match.by == "answers" and (found.match.recipient or "").lower() == names.sender:
            own -= {names.sender}  # somebody who tries Onward out on a mailbox of ours answers as any contact does
        return _Known(
            found,
            by_sender,
            by_concerned,
            Context(
                own_addresses=own,
                own_message_ids=ours,
                sent=tuple(parse(one).text for one in (quoted.sent if quoted else ())),
                to_unsubscribe=to_unsubscribe,
            ),
        )

    async def _record(
        self, arrival: Arrival, names: Names, fingerprint: bytes, reading: Reading, found: Found | None
    ) -> Taken:
        """Keep the mail and commit what follows from it, in one transaction; then tell the workflows."""
        mail = uuid.uuid4()
        match = found.match if found else None
        what = consequences(reading, match)
        async with self.onward.database.transaction() as connection:
            contact = match.state.contact if match else await self._person(connection, reading, names)
            needs = None if match is None and contact is not None and reading.kind in _OPT_OUTS else what.needs
            kept = Kept(
                id=mail,
                fingerprint=fingerprint,
                arrival=arrival,
                names=names,
                reading=reading,
                match=match,
                contact=contact,
                needs=needs,
                raw=None if match is None and reading.kind in _NOBODYS else arrival.raw,
            )
            if not await inbound.keep(connection, kept):
                earlier = await inbound.find(connection, fingerprint)
                assert earlier is not None
                return _again(earlier)
            if match is None and contact is not None and reading.kind in _OPT_OUTS:
                await self._suppress(connection, contact, names, reading.kind, mail)
            source = f"mail/{mail}"
            placed = await self._act(connection, source, f"mail:{mail}", arrival.received_at, reading, match, what)
            await inbound.note_told(connection, mail, placed)
        await self._tell(placed)
        if what.ours and match is not None and match.state.mailbox is not None:
            async with self.onward.database.transaction() as connection:
                await gates.guard(connection, match.state.mailbox, most=self.guardrail, now=self.onward.now())
        told = tuple({"enrollment": one.enrollment, "message": one.message} for one in placed)
        by, enrollment = (match.by, match.state.enrollment) if match else (None, None)
        return Taken(str(mail), reading.kind.value, reading.rule, by, enrollment, told, needs)

    async def _person(self, connection: Connection, reading: Reading, names: Names) -> str | None:
        """Whom an opt-out concerns who is in no sequence: it holds all the same."""
        if reading.kind not in _OPT_OUTS:
            return None
        addresses = names.concerned[:5] if _reported(reading) else (names.sender,)
        for address in addresses:
            contact = await inbound.contact_by_address(connection, address)
            if contact is not None:
                return contact
        return None

    async def _suppress(self, connection: Connection, contact: str, names: Names, kind: Kind, mail: uuid.UUID) -> None:
        await locks.exclude(connection, locks.CONTACT, contact)
        address = await connection.fetchval(sql("effects.address"), contact)
        await locks.exclude(connection, locks.ADDRESS, address.casefold())
        await connection.execute(sql("effects.suppress"), address, _OPT_OUTS[kind], f"mail:{mail}", self.onward.now())

    async def _act(
        self,
        connection: Connection,
        source: str,
        by: str,
        at: datetime,
        reading: Reading,
        match: Match | None,
        what: Consequences,
    ) -> list[Mark]:
        """Commit marks for everything that is told; answers them. `source` makes the messages' IDs, `by` is their actor."""
        if match is None:
            return []
        placed: list[Mark] = []
        for told in what.told:
            said = {**told.payload, "id": f"{source}/{told.name}", "by": by, "at": at.isoformat()}
            placed += await self._commit(connection, match, told, parse_message(told.name, said, strict=True))
        if what.bounce_class is not None and match.message_id is not None:
            await inbound.note_bounce(connection, match.message_id, what.bounce_class, self.onward.now())
        if what.note:
            kind = f"mail_{reading.kind.value}"
            entry = LogEntry(kind=kind, by=by, at=at, id=source, data={"rule": reading.rule})
            await enrollments.tell(connection, match.state.enrollment, (entry,), "mail")
        return placed

    async def _commit(self, connection: Connection, match: Match, told: Told, message: Message) -> list[Mark]:
        if told.everywhere:
            others = await inbound.open_of_contact(connection, match.state.contact)
            placed = [Mark(one, key, message.name, message.model_dump(mode="json")) for one, key in others]
            await marks.lock_rows(connection, [mark.enrollment for mark in placed])
            for mark in placed:
                await marks.place(connection, mark, now=self.onward.now())
            return placed
        row = await enrollments.get(connection, match.state.enrollment)
        state = EnrollmentState.model_validate(row["state"])
        if not message.stops and not state.closed:
            mark = Mark(state.enrollment, row["workflow_id"], message.name, message.model_dump(mode="json"))
            await marks.lock_rows(connection, [state.enrollment])
            await marks.place(connection, mark, now=self.onward.now())
            return [mark]
        placed = await self.onward.record(connection, state, row["workflow_id"], message)
        if state.closed:
            # Behind the others' rows: amending locks the contact, and whoever holds an enrollment's row may wait for that.
            await enrollments.amend(connection, state.enrollment, message, self.onward.now())
        return placed

    async def _tell(self, placed: Sequence[Mark]) -> None:
        """Tell the workflows. Where none runs its record is amended, as the sweeper would do a little later."""
        running = await self.onward.tell(placed)
        for mark in placed:
            if mark.enrollment not in running:
                async with self.onward.database.transaction() as connection:
                    if (await enrollments.get(connection, mark.enrollment))["closed"]:
                        await enrollments.amend(connection, mark.enrollment, mark.parsed(), self.onward.now())

    # -----------------------------------------------------------------------------------------------------------------
    # What people say of a mail

    async def correct(
        self,
        mail: str,
        *,
        by: str,
        kind: Kind | None = None,
        return_date: date | None = None,
        enrollment: str | None = None,
    ) -> Taken:
        """A person says what a mail is, when its writer is back, or whose it is. It is told to the enrollment as a message of
        theirs, which no later auto-reply overrides. Raises InboundUnknown, Refused `not_a_correction`, InvalidMessage."""
        if (kind, return_date, enrollment) == (None, None, None):
            raise InvalidMessage("say what is wrong", field="kind", fix="give kind, return_date or enrollment")
        async with self.onward.database.transaction() as connection:
            row = await inbound.get(connection, mail)
            reading = Reading.model_validate(row["reading"])
            said_before = row["correction"] or {}
            before = Kind(said_before.get("kind", reading.kind))
            read_date = reading.return_.date if reading.return_.status == "date" else None
            known = date.fromisoformat(said_before["return_date"]) if "return_date" in said_before else read_date
            kind = kind or (Kind.OUT_OF_OFFICE if return_date else before)
            if kind not in CORRECTIONS:
                allowed = tuple(one.value for one in CORRECTIONS)
                raise Refused("not_a_correction", f"a mail cannot be made {kind.value}", allowed=allowed, field="kind")
            if return_date is not None and kind is not Kind.OUT_OF_OFFICE:
                raise InvalidMessage("only out_of_office has a return date", field="return_date", fix="leave it out")
            former = str(row["enrollment_id"]) if row["enrollment_id"] else None
            owner = enrollment or former
            if owner is None:
                raise InvalidMessage("nobody knows whose mail this is", field="enrollment", fix="name the enrollment")
            match = await inbound.chosen(connection, owner)
            day = (return_date or known) if kind is Kind.OUT_OF_OFFICE else None
            said = {"kind": kind.value, "enrollment": owner, **({"return_date": day} if day else {})}
            was = await inbound.chosen(connection, former) if former else None
            moved = was is not None and was.state.contact != match.state.contact
            what = _corrected(kind, before, match, day, first=was is None or moved)
            await inbound.correct(connection, row, said, match, by=by, now=self.onward.now())
            # Each correction is a message of its own: the mail's first one has been seen.
            source = f"mail/{mail}/{uuid.uuid4().hex[:8]}"
            placed = await self._act(connection, source, by, self.onward.now(), reading, match, what)
            if moved and before is Kind.OUT_OF_OFFICE:
                ended = Consequences(told=(_PRESENT,))
                placed += await self._act(connection, f"{source}/was", by, self.onward.now(), reading, was, ended)
            await inbound.note_told(connection, row["id"], placed)
        await self._tell(placed)
        told = tuple({"enrollment": one.enrollment, "message": one.message} for one in placed)
        return Taken(mail, kind.value, "person", "person", owner, told)


_PRESENT = Told("out_of_office", {"corrected": True, "present": True})
"""Nobody was absent: the hold that the mail put on ends now."""


def _corrected(kind: Kind, before: Kind, match: Match, day: date | None, *, first: bool) -> Consequences:
    """What follows when a person says what a mail is. `before`: what it was taken for; `day`: when its writer is back; `first`:
    nothing had followed from it for this person yet."""
    if kind is Kind.OUT_OF_OFFICE:
        payload: dict[str, Any] = {"corrected": True, **({"return_date": day.isoformat()} if day else {})}
        return Consequences(told=(Told("out_of_office", payload),))
    told = consequences(Reading(kind=kind, rule="person", meeting="accepted", return_=Return()), match).told
    if before is Kind.OUT_OF_OFFICE and not first:
        told = (_PRESENT, *told)
    return Consequences(told=told, note=not told)


def _read(raw: bytes) -> tuple[Parsed, Names]:
    parsed = parse(raw)
    return parsed, names_of(parsed)


def _choose(reading: Reading, known: _Known) -> Found | None:
    """What the mail names goes first. By address alone: of a report the address it is about, else its sender; and only while the
    enrollment is open, but for opt-outs, which hold whenever they come. Our own mail is nobody's, unless it proves that it left."""
    if reading.kind is Kind.OWN and (known.found is None or known.found.match.ledger != "unknown"):
        return None
    if known.found is not None:
        return known.found
    found = known.by_concerned if _reported(reading) else known.by_sender
    if found is not None and found.closed and reading.kind not in _OPT_OUTS:
        return None
    return None if reading.kind in _NOBODYS else found


def _reported(reading: Reading) -> bool:
    """Whether a server wrote the mail, of somebody else: a feedback report may also tell of an opt-out."""
    return reading.kind in _REPORTS or reading.feedback is not None


def _fingerprint(raw: bytes, names: Names) -> bytes:
    """Of what the mail says: its way adds headers (Received, X-Spam-Status), so only a few of them count."""
    text = raw.replace(b"\r\n", b"\n")
    body = text.partition(b"\n\n")[2].rstrip()
    said = [names.message_id or "", names.sender, names.subject, names.date.isoformat() if names.date else ""]
    digest = hashlib.sha256("\0".join(said).encode("utf-8", "replace"))
    digest.update(b"\0" + body)
    return digest.digest()


def _plausible(received: datetime, now: datetime) -> datetime:
    """Servers with a wrong clock exist, and holds count from here."""
    return received if now - timedelta(days=60) <= received <= now else now


def _again(row: asyncpg.Record) -> Taken:
    enrollment = str(row["enrollment_id"]) if row["enrollment_id"] else None
    told = tuple({"enrollment": one["enrollment"], "message": one["message"]} for one in row["told"])
    return Taken(
        str(row["id"]), row["kind"], row["rule"], row["matched_by"], enrollment, told, row["needs"], duplicate=True
    )
