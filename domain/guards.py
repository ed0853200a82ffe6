"""May this email leave now? One pure function over the facts, in a fixed order, that says why.

`deliver` decides by it, `explain` shows it, the enrollment preview uses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from domain.reasons import find
from domain.sequences import SequenceSettings, Step
from domain.state import EnrollmentState
from domain.statuses import HoldKind
from domain.watching import TROUBLE


@dataclass(frozen=True)
class ContactFacts:
    """What is known of the contact. `email_status`: unknown, verified, unverified or bounced."""

    id: str
    stage: str
    email: str | None
    email_valid: bool
    email_status: str = "unknown"
    stage_set_by: str | None = None
    """The enrollment whose event set the stage, if one did."""
    consent: bool | None = None
    changed_job: bool = False
    suppressed: str | None = None
    """Why the address is suppressed: unsubscribed, complained, or another reason of an admin."""
    account: str | None = None
    account_stage: str | None = None


@dataclass(frozen=True)
class MailboxFacts:
    """What is known of the mailbox. `state`: up, down, guardrail or paused, because of `code`; `listed`: the sequence still
    names it."""

    id: str
    state: str = "up"
    listed: bool = True
    epoch: int = 0
    code: str | None = None


@dataclass(frozen=True)
class Facts:
    """Everything the guards look at, read in one go. `now` and `due` are aware instants."""

    now: datetime
    contact: ContactFacts
    mailbox: MailboxFacts | None
    settings: SequenceSettings
    enrollment: str | None = None
    step: Step | None = None
    due: datetime | None = None
    expires: bool = True
    """Whether `expires_after` applies: not to a retry, which a person asked for knowing it is late."""
    attempt: int = 1
    global_on: bool = True
    global_epoch: int = 0
    sequence_on: bool = True
    sequence_epoch: int = 0
    pending_marks: tuple[str, ...] = ()
    """Names of stop marks that the workflow has not adopted."""
    overrides: frozenset[str] = frozenset()
    admitted_stage: str | None = None
    admitted_account_stage: str | None = None
    """The stages at admission: an override accepted those, not later ones."""
    has_thread: bool = False
    missing_variables: tuple[str, ...] = ()
    template_error: str | None = None


Verdict = Literal["stop", "hold", "not_sent"]


@dataclass(frozen=True)
class Check:
    """One guard's line in the trace: what it looked at, whether it passed, what would have to change."""

    guard: str
    passed: bool
    inputs: dict[str, Any]
    verdict: Verdict | None = None
    reason: str | None = None
    change: str | None = None
    hold: HoldKind | None = None
    gate: str | None = None
    epoch: int | None = None

    def as_json(self) -> dict[str, Any]:
        """For `explain`."""
        line: dict[str, Any] = {"guard": self.guard, "passed": self.passed, "inputs": self.inputs, "verdict": "pass"}
        if not self.passed:
            line |= {"verdict": self.verdict, "reason": self.reason, "change": self.change}
        return line


@dataclass(frozen=True)
class Trace:
    """All guards in their order. The first that failed decides."""

    checks: tuple[Check, ...]

    @property
    def failed(self) -> Check | None:
        """The deciding guard, or None when the email may leave."""
        return next((check for check in self.checks if not check.passed), None)


def evaluate(facts: Facts) -> Trace:
    """Evaluate every guard, also those after a failure: people want to see all that stands in the way."""
    return Trace(tuple(_checks(facts)))


def _hold(guard: str, passed: bool, inputs: dict[str, Any], kind: HoldKind, gate: str, epoch: int) -> Check:
    if passed:
        return Check(guard, True, inputs)
    return Check(guard, False, inputs, "hold", kind.value, find("hold", kind.value).fix, kind, gate, epoch)


def _fact(guard: str, passed: bool, inputs: dict[str, Any], reason: str) -> Check:
    if passed:
        return Check(guard, True, inputs)
    return Check(guard, False, inputs, "not_sent", reason, find("not_sent", reason).fix)


def _checks(facts: Facts) -> Iterator[Check]:
    contact, settings = facts.contact, facts.settings
    marks = list(facts.pending_marks)
    yield Check(
        "stop_mark",
        not marks,
        {"recorded": marks},
        None if not marks else "stop",
        None if not marks else marks[0],
        None if not marks else "nothing to do: the enrollment takes the recorded stop up",
    )
    yield _hold(
        "global_switch", facts.global_on, {"on": facts.global_on}, HoldKind.SEQUENCE_OFF, "global", facts.global_epoch
    )
    yield _hold(
        "sequence_switch",
        facts.sequence_on,
        {"on": facts.sequence_on},
        HoldKind.SEQUENCE_OFF,
        "sequence",
        facts.sequence_epoch,
    )
    yield from _contact_checks(facts)
    yield _fact(
        "contact_stage",
        _stage_allowed(
            contact.stage,
            settings.excluded_contact_stages,
            accepted="contact_stage_excluded" in facts.overrides and contact.stage == facts.admitted_stage,
            # A stage that this enrollment's own event set never turns that event into Not Sent (design section 3).
            own=contact.stage_set_by is not None and contact.stage_set_by == facts.enrollment,
        ),
        {"stage": contact.stage, "excluded": list(settings.excluded_contact_stages)},
        "contact_stage_excluded",
    )
    yield _fact(
        "account_stage",
        contact.account_stage is None
        or _stage_allowed(
            contact.account_stage,
            settings.excluded_account_stages,
            accepted="account_stage_excluded" in facts.overrides
            and contact.account_stage == facts.admitted_account_stage,
            own=False,
        ),
        {"stage": contact.account_stage, "excluded": list(settings.excluded_account_stages)},
        "account_stage_excluded",
    )
    if facts.step is not None:
        yield from _step_checks(facts, facts.step)
    mailbox = facts.mailbox
    yield _fact(
        "mailbox",
        mailbox is not None and mailbox.listed,
        {"mailbox": mailbox.id if mailbox else None},
        "mailbox_missing",
    )
    if mailbox is not None:
        kind = HoldKind.GUARDRAIL if mailbox.state == "guardrail" else HoldKind.MAILBOX_DOWN
        inputs = {"mailbox": mailbox.id, "state": mailbox.state}
        if mailbox.state != "up" and mailbox.code:
            inputs |= {"code": mailbox.code, "why": TROUBLE.get(mailbox.code, mailbox.code)}
        yield _hold("mailbox_able", mailbox.state == "up", inputs, kind, "mailbox", mailbox.epoch)


def _contact_checks(facts: Facts) -> Iterator[Check]:
    contact, settings = facts.contact, facts.settings
    opted_out = contact.suppressed in ("unsubscribed", "complained")
    yield _fact("opted_in", not opted_out, {"suppressed": contact.suppressed}, "unsubscribed")
    listed = contact.suppressed is not None and not opted_out
    yield _fact("not_suppressed", not listed, {"suppressed": contact.suppressed}, "suppressed")
    yield _fact("address_present", bool(contact.email), {"present": bool(contact.email)}, "no_email")
    valid = contact.email_valid or not contact.email
    yield _fact("address_valid", valid, {"valid": contact.email_valid}, "email_invalid")
    yield _fact(
        "address_alive",
        contact.email_status != "bounced",
        {"email_status": contact.email_status},
        "known_hard_bounce",
    )
    yield _fact(
        "address_verified",
        contact.email_status != "unverified" or settings.send_unverified or "email_unverified" in facts.overrides,
        {"email_status": contact.email_status, "send_unverified": settings.send_unverified},
        "email_unverified",
    )
    yield _fact(
        "consent",
        contact.consent is True or not settings.require_consent,
        {"consent": contact.consent, "required": settings.require_consent},
        "consent_missing",
    )
    yield _fact(
        "same_job",
        not contact.changed_job or "contact_changed_job" in facts.overrides,
        {"changed_job": contact.changed_job},
        "contact_changed_job",
    )


def _step_checks(facts: Facts, step: Step) -> Iterator[Check]:
    expiry = expires_at(step, facts.due) if facts.expires else None
    yield _fact(
        "in_time",
        expiry is None or facts.now <= expiry,
        {"due": _iso(facts.due), "expires": _iso(expiry), "now": _iso(facts.now)},
        "step_expired",
    )
    threaded = step.thread == "reply"
    yield _fact(
        "thread",
        facts.has_thread or not threaded,
        {"thread": step.thread, "original": facts.has_thread},
        "thread_original_missing",
    )
    yield _fact("template", facts.template_error is None, {"error": facts.template_error}, "template_error")
    missing = list(facts.missing_variables)
    yield _fact("variables", not missing, {"missing": missing}, "variable_missing")


def late_from(state: EnrollmentState) -> datetime | None:
    """From when on an email counts as late: its slot. Waiting for a window or a limit makes no email late (design section 3)."""
    return state.slot.at if state.slot else state.due


def expires_at(step: Step, due: datetime | None) -> datetime | None:
    """After which instant the email of a step that is due then is too late, by its `expires_after`; None for never."""
    if due is None or step.expires_after is None:
        return None
    return due + step.expires_after.delta + timedelta(days=step.expires_after.business_days)


def _stage_allowed(stage: str, excluded: tuple[str, ...], *, accepted: bool, own: bool) -> bool:
    """Stages are compared without regard to case: they are words that people type."""
    return accepted or own or stage.casefold() not in {name.casefold() for name in excluded}


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
