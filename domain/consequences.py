"""What a mail that came in does: its classification and the enrollment it is of -> what enrollments are told, and what a
person must look at. Pure; the inbound path performs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from domain.inbound import Bounced, Kind, Reading
from domain.state import EnrollmentState

MatchedBy = Literal["answers", "original", "token", "address", "person"]
"""By what a mail was matched: it answers a Message-ID of ours; a mail of ours is embedded in it; a signed plus-address; the exact
address of a contact; or a person said so."""

SOFT_LIMIT = 3
"""Soft bounces of an address within 30 days after which its enrollments pause (mail.md 3.2: suspend)."""

_FOR_A_PERSON = frozenset(
    {
        Kind.HUMAN_REPLY,
        Kind.OUT_OF_OFFICE,
        Kind.BOUNCE,
        Kind.COMPLAINT,
        Kind.UNSUBSCRIBE,
        Kind.CONTACT_GONE,
        Kind.ADDRESS_CHANGED,
        Kind.UNMONITORED,
        Kind.CHALLENGE,
        Kind.CALENDAR,
    }
)
"""Kinds that somebody should see when nobody knows whose they are."""

OURS = frozenset(
    {"spam_block", "policy_block", "auth_failure", "own_config", "sender_quota", "content", "rate_limited"}
)
"""Classes of refusal that are about us or our message, never about the contact: the email is back, the address is fine."""

SOFT = ("mailbox_full", "greylist", "expired", "unknown")
"""Classes that say nothing for good: the address may work tomorrow."""

_PROVE_NOTHING = frozenset({Kind.LIST, Kind.OTHER_AUTOMATIC})


@dataclass(frozen=True)
class Match:
    """The enrollment a mail is of. `message_id`, `recipient` and `ledger` (the state of its row) are of the email of ours that
    the mail names, where it names one. `soft`: soft bounces of that address in 30 days, without this one."""

    by: MatchedBy
    state: EnrollmentState
    message_id: str | None = None
    recipient: str | None = None
    ledger: str | None = None
    soft: int = 0

    @property
    def proven(self) -> bool:
        """It names a Message-ID or token that only a receiver of our mail can know, or a person vouches for it."""
        return self.by != "address"


@dataclass(frozen=True)
class Told:
    """A message for the matched enrollment; with `everywhere` for every open enrollment of its contact."""

    name: str
    payload: Mapping[str, Any] = field(default_factory=dict)
    everywhere: bool = False


@dataclass(frozen=True)
class Consequences:
    """`told`: in this order. `note`: a line in the story where nothing is told. `bounce_class`: for the ledger row of the email
    that came back. `ours`: the refusal speaks against our mailbox and counts towards its guardrail. `needs`: why a person must
    look at the mail."""

    told: tuple[Told, ...] = ()
    note: bool = False
    bounce_class: str | None = None
    ours: bool = False
    needs: str | None = None


def consequences(reading: Reading, match: Match | None) -> Consequences:
    """What follows from a mail."""
    if match is None:
        return Consequences(needs="unmatched" if reading.kind in _FOR_A_PERSON else None)
    if reading.kind is Kind.BOUNCE:
        return _bounce(reading, match)
    handler = _HANDLERS.get(reading.kind)
    found = handler(reading, match) if handler is not None else Consequences(note=True)
    if (
        match.proven
        and match.ledger == "unknown"
        and reading.kind not in _PROVE_NOTHING
        # Replies and absences name the email themselves; what ends the enrollment leaves nothing to settle.
        and all(one.name == "pause" for one in found.told)
    ):
        return replace(found, told=(Told("settle_delivery", {"verdict": "sent"}), *found.told))
    return found


def _reply(reading: Reading, match: Match) -> Consequences:
    return Consequences(told=(Told("reply", _naming(match)),))


def _out_of_office(reading: Reading, match: Match) -> Consequences:
    found = reading.return_
    day = found.date if found.status == "date" else None
    payload = _naming(match) | ({"return_date": day.isoformat()} if day else {})
    waits = day is None and match.state.policy.out_of_office_default_seconds is None
    return Consequences(told=(Told("out_of_office", payload),), needs="return_date" if waits else None)


def _unsubscribe(reading: Reading, match: Match) -> Consequences:
    return Consequences(told=(Told("unsubscribe"),))


def _complaint(reading: Reading, match: Match) -> Consequences:
    return Consequences(told=(Told("complaint"),))


def _contact_gone(reading: Reading, match: Match) -> Consequences:
    return Consequences(told=(Told("contact_gone"),), needs="new_contact" if reading.proposed else None)


def _pause(reading: Reading, match: Match) -> Consequences:
    """The address is not read any more, or not by this way: a person must decide, so everybody stands still till then."""
    needs = "new_address" if reading.kind is Kind.ADDRESS_CHANGED and reading.proposed else reading.kind.value
    return Consequences(told=(Told("pause", everywhere=True),), needs=needs)


def _calendar(reading: Reading, match: Match) -> Consequences:
    if reading.meeting == "accepted":
        return Consequences(told=(Told("meeting_booked"),))
    if reading.meeting in ("request", "counter"):
        # A person of theirs wants to meet: an answer like any other.
        return _reply(reading, match)
    return Consequences(note=True)


_HANDLERS = {
    Kind.HUMAN_REPLY: _reply,
    Kind.OUT_OF_OFFICE: _out_of_office,
    Kind.UNSUBSCRIBE: _unsubscribe,
    Kind.COMPLAINT: _complaint,
    Kind.CONTACT_GONE: _contact_gone,
    Kind.ADDRESS_CHANGED: _pause,
    Kind.UNMONITORED: _pause,
    Kind.CHALLENGE: _pause,
    Kind.CALENDAR: _calendar,
}


def _bounce(reading: Reading, match: Match) -> Consequences:
    """A bounce that names no Message-ID or token of ours may be forged: it changes nothing, and a person is told."""
    if not match.proven:
        return Consequences(note=True, needs="unproven_bounce")
    of = _concerned(reading, match)
    settled = (Told("settle_delivery", {"verdict": "sent"}),) if match.ledger == "unknown" else ()
    if of.action == "none":
        # Others are told of in the same report: to whom our email went it was delivered.
        return Consequences(told=settled, note=True)
    code = (of.enhanced or of.cls)[:40]
    naming = _naming(match)
    if of.hard:
        told = (Told("bounce", {"kind": "hard_bounce", "code": code, **naming}),)
        return Consequences(told=told, bounce_class=of.cls)
    if of.cls in OURS:
        told = (Told("bounce", {"kind": "spam_block", "code": of.cls, **naming}),)
        return Consequences(told=told, bounce_class=of.cls, ours=True)
    soft = (Told("bounce", {"kind": "soft", "code": of.cls, **naming}),)
    if match.soft + 1 >= SOFT_LIMIT:
        told = (*settled, *soft, Told("pause", everywhere=True))
        return Consequences(told=told, bounce_class=of.cls, needs="soft_bounces")
    return Consequences(told=(*settled, *soft), bounce_class=of.cls)


def _concerned(reading: Reading, match: Match) -> Bounced:
    """The entry of the recipient that our email went to; else the first that failed, since a forwarded address bounces under
    its own name. Of what was delivered the action is `none`."""
    wanted = (match.recipient or "").casefold()
    named = next((one for one in reading.bounce if wanted and one.recipient.casefold() == wanted), None)
    return named or next((one for one in reading.bounce if one.action != "none"), Bounced())


def _naming(match: Match) -> dict[str, Any]:
    return {"message_id": match.message_id} if match.proven and match.message_id else {}
