"""What a mail that came in turned out to be: the classifier's typed answer, with the evidence for it."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from domain.wire import Instant, Wire


class Kind(StrEnum):
    """The kinds of inbound mail, in the words of docs/inbound.md."""

    HUMAN_REPLY = "human_reply"
    OUT_OF_OFFICE = "out_of_office"
    BOUNCE = "bounce"
    DELAYED = "delayed"
    COMPLAINT = "complaint"
    UNSUBSCRIBE = "unsubscribe"
    CONTACT_GONE = "contact_gone"
    ADDRESS_CHANGED = "address_changed"
    UNMONITORED = "unmonitored"
    ACKNOWLEDGEMENT = "acknowledgement"
    CHALLENGE = "challenge"
    CALENDAR = "calendar"
    READ_RECEIPT = "read_receipt"
    LIST = "list"
    OTHER_AUTOMATIC = "other_automatic"
    OWN = "own"
    DELIVERED = "delivered"


class Evidence(Wire):
    """Why: the words that decided. `where`: `header:<Name>`, `subject`, `text` (the new text, without quotes and
    signature) or `part:<content type>`. `start`: offset of `text` in the new text, where it lies there. At most 200
    characters of text."""

    where: str
    text: str = ""
    start: int | None = None


ReturnStatus = Literal["date", "ambiguous", "vague", "past", "too_far", "invalid", "none"]


class Return(Wire):
    """When somebody absent is back. `date` is the first day back in the sender's own zone, only with status `date`;
    `candidates` are the days that could be meant, where there are several, or the one that is not to be trusted (past, too far,
    vague). `evidence`: the words read. `at`: the instant, where a header states one."""

    status: ReturnStatus = "none"
    date: dt.date | None = None
    candidates: tuple[dt.date, ...] = ()
    evidence: str = ""
    at: Instant | None = None


class Bounced(Wire):
    """One recipient's fate in a bounce. `cls`, `scope`, `action` and `hard` come from the refusal table
    (mail/refusals.py). `code` is the SMTP reply code, `enhanced` the RFC 3463 code, `diagnostic` the text judged, on one line
    (at most 500 characters); `source` the rule of the table."""

    recipient: str = ""
    cls: str = "unknown"
    scope: str = "message"
    action: str = "unknown"
    hard: bool = False
    code: int | None = None
    enhanced: str | None = None
    diagnostic: str = ""
    source: str = ""


class Proposed(Wire):
    """A person or address that an automatic mail names instead of the sender: offered to people, never taken by itself."""

    address: str
    name: str = ""


Meeting = Literal["accepted", "declined", "tentative", "request", "counter", "cancelled"]


class Reading(Wire):
    """The classification of one mail. `rule`: the stable name of the rule that decided. `ignored`: names of signals that were
    seen and not used, and what was cut off (`quoted_text`, `signature`, `own_text`, `precedence_bulk`, `truncated`, ...).
    `return_`: for out_of_office, and as a hint in a human reply that states an absence. `bounce`: for bounce, delayed and delivered, one entry
    per recipient. `meeting`: for calendar. `feedback`: the ARF Feedback-Type. `proposed`: for contact_gone and
    address_changed. `zone_offset`: the sender's UTC offset in minutes, from the Date header."""

    kind: Kind
    rule: str
    evidence: tuple[Evidence, ...] = ()
    ignored: tuple[str, ...] = ()
    return_: Return = Return()
    bounce: tuple[Bounced, ...] = ()
    meeting: Meeting | None = None
    feedback: str | None = None
    proposed: tuple[Proposed, ...] = ()
    zone_offset: int | None = None


class Names(Wire):
    """What a mail says of other mails and of addresses: what it can be matched by. Message-IDs are without brackets, addresses lower-case.

    `message_id`: its own. `answers`: In-Reply-To, then References newest first, without repetition. `originals`: Message-IDs
    of mails embedded in it (a bounce's original, an ARF report's). `sender`: From (Reply-To where From is missing).
    `recipients`: To, Cc, Delivered-To, X-Original-To, Envelope-To: where it was sent; here plus-address tokens are. `concerned`: addresses that a
    report is about (Final- and Original-Recipient, X-Failed-Recipients, Original-Rcpt-To, To of an embedded original)."""

    message_id: str | None = None
    answers: tuple[str, ...] = ()
    originals: tuple[str, ...] = ()
    sender: str = ""
    recipients: tuple[str, ...] = ()
    concerned: tuple[str, ...] = ()
    subject: str = ""
    date: Instant | None = None


@dataclass(frozen=True)
class Arrival:
    """One mail on its way in: the bytes, when the server received them (aware), and the way they came. `truncated`: the mail
    was larger than what is read, and `raw` is its beginning."""

    raw: bytes
    received_at: dt.datetime
    source: Literal["imap", "http"]
    mailbox: str | None = None
    folder: str | None = None
    truncated: bool = False
