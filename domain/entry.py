"""May this contact enter this sequence? Entry policies over the facts, with the true state of what stands in the way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from domain.durations import Duration
from domain.guards import ContactFacts, Facts, evaluate
from domain.reasons import OVERRIDES, find
from domain.sequences import Sequence


@dataclass(frozen=True)
class Elsewhere:
    """Another enrollment of the same contact: its sequence, own status and reason as they are now."""

    enrollment: str
    sequence: str
    status: str
    reason: str | None
    open: bool
    settling: bool
    ended_at: datetime | None = None


@dataclass(frozen=True)
class EntryFacts:
    """What admission looks at. `here` are earlier enrollments in the same sequence, newest first."""

    now: datetime
    contact: ContactFacts | None
    sequence: Sequence | None
    mailbox_id: str | None = None
    here: tuple[Elsewhere, ...] = ()
    elsewhere: tuple[Elsewhere, ...] = ()
    overrides: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Refusal:
    """One thing that stands against the enrollment. `warning`: it is said, and the enrollment goes on."""

    code: str
    detail: dict[str, Any]
    warning: bool = False

    def as_json(self) -> dict[str, Any]:
        """For callers: code, sentence, how to mend it, whether an override exists, and the facts."""
        reason = find("refused", self.code)
        return {
            "code": self.code,
            "message": reason.sentence,
            "fix": reason.fix,
            "override": self.code if reason.override and not self.warning else None,
            "warning": self.warning,
            **self.detail,
        }


def examine(facts: EntryFacts) -> tuple[Refusal, ...]:
    """All refusals and warnings that the overrides do not cover; none without `warning` means: may enter."""
    found = _refusals(facts)
    return tuple(
        refusal
        for refusal in found
        if refusal.warning or refusal.code not in facts.overrides or refusal.code not in OVERRIDES
    )


def _refusals(facts: EntryFacts) -> list[Refusal]:
    if facts.sequence is None:
        return [Refusal("sequence_unknown", {})]
    if facts.contact is None:
        return [Refusal("contact_unknown", {})]
    found: list[Refusal] = []
    if facts.mailbox_id is not None and facts.mailbox_id not in facts.sequence.mailboxes:
        found.append(Refusal("mailbox_unknown", {"mailbox": facts.mailbox_id}))
    found += _here(facts, facts.sequence)
    # The same guards that decide at sending time decide at the door, but for what can only be known then.
    trace = evaluate(
        Facts(
            now=facts.now,
            contact=facts.contact,
            mailbox=None,
            settings=facts.sequence.settings,
        )
    )
    at_the_door = {"known_hard_bounce": "previously_bounced"}
    for check in trace.checks:
        if not check.passed and check.verdict == "not_sent" and check.reason and check.guard != "mailbox":
            found.append(Refusal(at_the_door.get(check.reason, check.reason), dict(check.inputs)))
    return found + _elsewhere(facts, facts.sequence)


def _here(facts: EntryFacts, sequence: Sequence) -> list[Refusal]:
    found: list[Refusal] = []
    settings = sequence.settings
    for other in facts.here:
        if other.open and not other.settling:
            return [Refusal("already_in_sequence", _named(other))]
    if facts.here:
        last = facts.here[0]
        if settings.reenroll == "never":
            found.append(Refusal("reenroll_not_allowed", _named(last)))
        elif settings.cooldown != Duration():
            wait = settings.cooldown.delta + timedelta(days=settings.cooldown.business_days)
            if last.ended_at is not None and facts.now < last.ended_at + wait:
                found.append(Refusal("cooldown", {**_named(last), "until": (last.ended_at + wait).isoformat()}))
    return found


def _elsewhere(facts: EntryFacts, sequence: Sequence) -> list[Refusal]:
    found: list[Refusal] = []
    for other in facts.elsewhere:
        if other.open and not other.settling:
            if sequence.settings.active_elsewhere == "refuse":
                found.append(Refusal("active_in_other_sequence", _named(other)))
        elif other.status == "finished":
            found.append(Refusal("finished_in_other_sequence", _named(other), warning=True))
    return found


def _named(other: Elsewhere) -> dict[str, Any]:
    return {"sequence": other.sequence, "status": other.status, "reason": other.reason, "enrollment": other.enrollment}
