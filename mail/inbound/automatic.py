"""Automatic mail: whether a machine wrote it, and which of the machines: gone, moved, unread, a receipt, an absence.

Order of what is read from the words: somebody who has left, an address that changed, then what speaks of an absence or of a receipt. A
ticket's receipt is never an absence; an absence that mentions a mailbox nobody reads meanwhile stays one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from domain.inbound import Evidence, Kind, Proposed, Reading, Return
from mail.inbound.dates import returning
from mail.inbound.folding import Folded
from mail.inbound.names import addresses
from mail.inbound.parsing import Parsed
from mail.inbound.phrases import absence, acknowledging, leaving, moving, subjects, whole
from mail.inbound.proposals import proposed_in
from mail.inbound.signals import Signals
from mail.inbound.text import NewText
from mail.inbound.whole import wholly_automatic

_FIRST = 400
"""Characters in which a text that has weak signals only must speak of an absence."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail as these rules see it. `text`: the new text, folded; `received`: in the sender's own offset."""

    parsed: Parsed
    sender: str
    subject: Folded
    text: Folded
    new: NewText
    signals: Signals
    received: datetime


def read_automatic(letter: Letter) -> Reading | None:
    """What sort of automatic mail it is; None where nothing shows that a machine wrote it."""
    signals = letter.signals
    if signals.strong:
        return _sort(letter, "header", signals.strong[0])
    if signals.medium:
        return _sort(letter, signals.medium[0].where.partition(":")[0], signals.medium[0])
    if signals.weak:
        first = Folded.of(letter.text.original, _FIRST)
        told = absence.AWAY.find(first) or leaving.GONE.find(first) or moving.NEW_ADDRESS.find(first)
        if told is not None and "?" not in letter.text.line and not whole.PERSONAL.match(letter.text.line):
            return _sort(letter, "weak_header", signals.weak[0])
    if wholly_automatic(letter.text, letter.subject):
        return _sort(letter, "text", None)
    return None


def back_in(letter: Letter) -> Return:
    """When the sender is back, as far as the text or the subject says."""
    domain = letter.sender.rpartition("@")[2]
    headers = letter.parsed.headers
    return returning(
        letter.text.original,
        letter.subject.original,
        letter.received,
        tld=domain.rpartition(".")[2] if "." in domain else "",
        language=headers.get("content-language")[:40],
        signature=letter.new.signature[:2_000],
        apple_criteria=headers.get("x-apple-criteria")[:2_000],
    )


def _sort(letter: Letter, by: str, signal: Evidence | None) -> Reading:
    text, subject = letter.text, letter.subject
    kind, rule, told = _kind(text, subject)
    return_ = Return()
    if kind in (Kind.OUT_OF_OFFICE, Kind.OTHER_AUTOMATIC):
        return_ = back_in(letter)
    if kind is Kind.OTHER_AUTOMATIC:
        if return_.status not in ("none", "invalid") and by in ("header", "subject"):
            kind, rule = Kind.OUT_OF_OFFICE, "absence"
        elif letter.signals.responder and text.line:
            kind, rule = Kind.OUT_OF_OFFICE, "responder"
        else:
            return_ = Return()
    proposed: tuple[Proposed, ...] = ()
    if kind in (Kind.CONTACT_GONE, Kind.ADDRESS_CHANGED, Kind.UNMONITORED):
        proposed = proposed_in(letter.new.text or letter.new.doubtful, {letter.sender, *_own_of(letter)})
    return Reading(
        kind=kind,
        rule=f"{rule}:{by}",
        evidence=tuple(one for one in (signal, told) if one is not None),
        return_=return_,
        proposed=proposed,
    )


def _own_of(letter: Letter) -> list[str]:
    """Addresses it was sent to: ours, and never those of somebody new."""
    return [found for value in letter.parsed.headers.all("to") for found in addresses(value)]


def _kind(text: Folded, subject: Folded) -> tuple[Kind, str, Evidence | None]:
    """The kind by the words, the rule's name, and the words."""
    gone = leaving.GONE.find(text) or leaving.GONE.find(subject, "subject")
    if gone is not None:
        return Kind.CONTACT_GONE, "gone", gone
    moved = moving.NEW_ADDRESS.find(text) or moving.NEW_ADDRESS.find(subject, "subject")
    if moved is not None:
        return Kind.ADDRESS_CHANGED, "new_address", moved
    away = absence.AWAY.find(text)
    unread = moving.UNREAD.find(text)
    if unread is not None and (away is None or (unread.start or 0) < (away.start or 0)):
        return Kind.UNMONITORED, "unread", unread
    role = moving.NEW_ROLE.find(text) if away is None else None
    if role is not None:
        return Kind.ADDRESS_CHANGED, "new_role", role
    ticket = acknowledging.TICKET.find(subject, "subject") or subjects.ACKNOWLEDGED.find(subject, "subject")
    ticket = ticket or acknowledging.TICKET.find(text)
    received = acknowledging.RECEIVED.find(text)
    absent = subjects.ABSENT.find(subject, "subject")
    back = absence.BACK.find(text)
    if away is not None and (ticket is None or absent is not None):
        return Kind.OUT_OF_OFFICE, "absence", away
    if ticket is not None:
        return Kind.ACKNOWLEDGEMENT, "receipt", received or ticket
    if absent is not None or back is not None:
        return Kind.OUT_OF_OFFICE, "absence", back or absent
    if received is not None:
        return Kind.ACKNOWLEDGEMENT, "receipt", received
    hours = absence.HOURS.find(text)
    if hours is not None:
        return Kind.OUT_OF_OFFICE, "hours", hours
    unattended = moving.UNATTENDED.find(text)
    answer = acknowledging.WILL_ANSWER.find(text)
    if answer is not None and unattended is None:
        return Kind.ACKNOWLEDGEMENT, "receipt", answer
    if unattended is not None:
        return Kind.UNMONITORED, "unattended", unattended
    return Kind.OTHER_AUTOMATIC, "automatic", None
