"""What a mail is: the rules of docs/inbound.md in their order. The first that applies decides."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

from domain.inbound import Evidence, Kind, Names, Reading, Return
from mail.inbound.automatic import Letter, back_in, read_automatic
from mail.inbound.bounces import read_bounce
from mail.inbound.calendar import read_calendar
from mail.inbound.challenge import read_challenge
from mail.inbound.folding import Folded
from mail.inbound.optout import read_optout
from mail.inbound.parsing import Headers, Parsed
from mail.inbound.phrases import absence
from mail.inbound.reports import read_report
from mail.inbound.signals import signals_of
from mail.inbound.text import NewText, new_text

_TEXT = 4_000
"""Characters of the new text that the rules look at."""
_SUBJECT = 300


@dataclass(frozen=True)
class Context:
    """What is known beside the mail itself. `own_addresses`: of our mailboxes, lower-case. `own_message_ids`: those among the
    IDs the mail names that are of mails we sent. `sent`: plain texts that we sent to its sender. `to_unsubscribe`: it was sent
    to our unsubscribe address."""

    own_addresses: frozenset[str] = frozenset()
    own_message_ids: frozenset[str] = frozenset()
    sent: tuple[str, ...] = ()
    to_unsubscribe: bool = False


def classify(parsed: Parsed, names: Names, *, received_at: datetime, context: Context) -> Reading:
    """The mail's kind, with its evidence. `received_at`: aware; its offset counts as the sender's only where the mail has no
    readable Date. Never raises."""
    offset = zone_offset_of(parsed.headers)
    new = new_text(parsed, context.sent)
    zone = received_at.tzinfo if offset is None else timezone(timedelta(minutes=offset))
    reading = (
        _own(names, context)
        or read_report(parsed)
        or read_bounce(parsed, names, new.text)
        or _by_words(parsed, names, new, received_at.astimezone(zone), context)
    )
    ignored = dict.fromkeys((*reading.ignored, *new.cut, *(f"cut_{name}" for name in parsed.cut)))
    return reading.model_copy(update={"zone_offset": offset, "ignored": tuple(ignored)})


def _own(names: Names, context: Context) -> Reading | None:
    if names.message_id is not None and names.message_id in context.own_message_ids:
        return Reading(
            kind=Kind.OWN,
            rule="own:message_id",
            evidence=(Evidence(where="header:Message-ID", text=names.message_id[:200]),),
        )
    if names.sender in context.own_addresses:
        return Reading(
            kind=Kind.OWN, rule="own:sender", evidence=(Evidence(where="header:From", text=names.sender[:200]),)
        )
    return None


def _by_words(parsed: Parsed, names: Names, new: NewText, received: datetime, context: Context) -> Reading:
    subject = Folded.of(names.subject, _SUBJECT)
    text = Folded.of(new.text, _TEXT)
    signals = signals_of(parsed, names.sender, subject, text, context.own_addresses)
    if signals.automatic and not new.text:
        text = Folded.of(new.doubtful, _TEXT)
    bulk = ("list-id" in parsed.headers or "list-unsubscribe" in parsed.headers) and not context.own_message_ids
    letter = Letter(parsed, names.sender, subject, text, new, signals, received)
    reading = (
        read_challenge(names.sender, subject, text, automatic=signals.automatic)
        or read_calendar(parsed)
        or read_optout(new.text, names.subject, bulk=bulk, to_unsubscribe=context.to_unsubscribe)
        or read_automatic(letter)
    )
    if reading is None and bulk:
        name = "List-Id" if "list-id" in parsed.headers else "List-Unsubscribe"
        reading = Reading(
            kind=Kind.LIST,
            rule="list",
            evidence=(Evidence(where=f"header:{name}", text=parsed.headers.get(name)[:200]),),
        )
    if reading is None:
        reading = _human(letter)
    used = {one.where.removeprefix("header:").lower().replace("-", "_") for one in reading.evidence}
    return reading.model_copy(update={"ignored": tuple(name for name in signals.ignored if name not in used)})


def _human(letter: Letter) -> Reading:
    """A person's mail; what it says of an absence stays as a hint."""
    if not letter.sender and not letter.text.line and not letter.subject.line:
        return Reading(kind=Kind.OTHER_AUTOMATIC, rule="empty")
    told = absence.AWAY.find(letter.text)
    return_ = back_in(letter) if told is not None else Return()
    return Reading(kind=Kind.HUMAN_REPLY, rule="human", evidence=(told,) if told is not None else (), return_=return_)


def zone_offset_of(headers: Headers) -> int | None:
    """The UTC offset of the Date header in minutes; None without a readable one, and for `-0000` (RFC 5322 3.3: not told)."""
    date = _instant(headers.get("date"))
    offset = date.utcoffset() if date is not None else None
    return None if offset is None else round(offset.total_seconds() / 60)


def received_at_of(parsed: Parsed) -> datetime | None:
    """When the mail was received: the time of the topmost Received header, else the Date header; None without a readable one."""
    stamps = [value.rpartition(";")[2] for value in parsed.headers.all("received")[:1]]
    for stamp in (*stamps, parsed.headers.get("date")):
        found = _instant(stamp)
        if found is not None:
            return found if found.tzinfo is not None else found.replace(tzinfo=UTC)
    return None


def _instant(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value.strip()[:200])
        found.astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return found if 1970 <= found.year <= 2199 else None
