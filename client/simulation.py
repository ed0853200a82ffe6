"""A sequence played through before it is applied: who would be refused, when every email leaves, who is not sent and why.

No server: definitions and contacts come from files, and the planner books as the activities do. Nobody replies or bounces.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.entry import EntryFacts, Refusal, examine
from domain.guards import ContactFacts
from domain.planner import Play, histogram
from domain.plans import ASSUMPTIONS, End, Gate, Newcomer, Planned, Running, Sender, World
from domain.reasons import find
from domain.sequences import Mailbox, Schedule, Sequence, Step
from store.csv_files import AccountRow, ContactRow

Gaps = Callable[[Mapping[str, Any], Step, Mailbox], tuple[tuple[str, ...], str | None]]
"""What a step's email would lack for these facts (`mail.filling.gap_finder`)."""

_HOUR = timedelta(hours=1)
FIRST_STAGE = "Cold"


@dataclass(frozen=True)
class Case:
    """What is simulated. `switch_on_at`: the sequence is off until then; `resume_at`: all are paused until then."""

    sequence: Sequence
    schedule: Schedule
    mailboxes: tuple[Mailbox, ...]
    contacts: tuple[ContactRow, ...]
    accounts: tuple[AccountRow, ...]
    start: datetime
    switch_on_at: datetime | None = None
    resume_at: datetime | None = None


@dataclass(frozen=True)
class Simulation:
    """What would happen. `ends`: enrollment (here the contact's ID) -> how it goes on after its last email."""

    case: Case
    emails: tuple[Planned, ...]
    refused: Mapping[str, tuple[Refusal, ...]]
    ends: Mapping[str, End]

    @property
    def not_sent(self) -> list[End]:
        """Enrollments that stop at an email that is not sent, by time."""
        found = [end for end in self.ends.values() if end.what == "not_sent"]
        return sorted(found, key=lambda end: (end.at is None, end.at, end.enrollment))


def simulate(case: Case, *, valid: Callable[[str], bool], gaps: Gaps) -> Simulation:
    """Play it. Contacts are enrolled all at once, in the order of the file. Raises NeverOpen, NoRoom."""
    accounts = {row.id: row for row in case.accounts}
    refused: dict[str, tuple[Refusal, ...]] = {}
    newcomers = []
    width = len(str(len(case.contacts)))
    for number, row in enumerate(case.contacts):
        account = accounts.get(row.account or "")
        found = examine(EntryFacts(now=case.start, contact=_facts(row, account, valid), sequence=case.sequence))
        if found:
            refused[row.id] = found
            continue
        newcomers.append(
            Newcomer(
                f"{number:0{width}}",
                row.id,
                case.sequence.id,
                case.start,
                row.zone,
                row.country,
                held_until=case.resume_at,
                not_sent=_not_sent(case, row, account, gaps),
            )
        )
    switch = Gate() if case.switch_on_at is None else Gate(open=False, opens_at=case.switch_on_at)
    world = World(
        case.start,
        {case.sequence.id: Running(case.sequence, case.schedule, switch)},
        {mailbox.id: Sender(mailbox.limits) for mailbox in case.mailboxes},
        newcomers=newcomers,
    )
    play = Play(world)
    emails = tuple(play.run())
    names = {newcomer.enrollment: newcomer.contact for newcomer in newcomers}
    return Simulation(case, emails, refused, {names[key]: end for key, end in play.ends.items()})


def _facts(row: ContactRow, account: AccountRow | None, valid: Callable[[str], bool]) -> ContactFacts:
    return ContactFacts(
        id=row.id,
        stage=row.stage or FIRST_STAGE,
        email=row.email,
        email_valid=row.email is not None and valid(row.email),
        email_status=row.email_status or "unknown",
        consent=row.consent,
        changed_job=bool(row.changed_job),
        account=row.account,
        account_stage=None if account is None else account.stage or FIRST_STAGE,
    )


def _not_sent(case: Case, row: ContactRow, account: AccountRow | None, gaps: Gaps) -> Mapping[str, str]:
    """Steps whose templates lack something of this contact."""
    facts: dict[str, Any] = {
        "contact_fields": row.fields,
        "contact_id": row.id,
        "first_name": row.first_name or "",
        "last_name": row.last_name or "",
        "email": row.email,
        "stage": row.stage or FIRST_STAGE,
        "account_fields": account.fields if account else None,
        "account_name": account.name if account else None,
        "account_stage": account.stage or FIRST_STAGE if account else None,
    }
    reasons = {}
    for step in case.sequence.steps:
        missing, broken = gaps(facts, step, case.mailboxes[0])
        if missing or broken:
            reasons[step.id] = "template_error" if broken else "variable_missing"
    return reasons


# ---------------------------------------------------------------------------------------------------------------------
# What it says


@dataclass(frozen=True)
class Burst:
    """The most emails of a mailbox in any 60 minutes, or on any day, and when that is."""

    emails: int
    begins: datetime | None = None
    day: date | None = None


def most_per_hour(times: Seq[datetime]) -> Burst:
    """The fullest 60 minutes, wherever they begin. `times` are sorted."""
    best, first = Burst(0), 0
    for last, at in enumerate(times):
        while at - times[first] >= _HOUR:
            first += 1
        if last - first + 1 > best.emails:
            best = Burst(last - first + 1, begins=times[first])
    return best


def per_day(emails: Seq[Planned], zone: str) -> dict[date, Counter[str]]:
    """Emails per calendar day of the zone and mailbox."""
    where, days = ZoneInfo(zone), defaultdict[date, Counter[str]](Counter)
    for email in emails:
        days[email.at.astimezone(where).date()][email.mailbox] += 1
    return dict(sorted(days.items()))


def as_json(found: Simulation) -> dict[str, Any]:
    """The whole of it, for programs."""
    case, days = found.case, per_day(found.emails, found.case.schedule.zone)
    hours = histogram(found.emails)
    return {
        "sequence": case.sequence.id,
        "start": iso(case.start),
        "zone": case.schedule.zone,
        "contacts": len(case.contacts),
        "enrolled": len(case.contacts) - len(found.refused),
        "emails": len(found.emails),
        "first_email_at": iso(found.emails[0].at) if found.emails else None,
        "last_email_at": iso(found.emails[-1].at) if found.emails else None,
        "mailboxes": [_mailbox_json(found, mailbox, days) for mailbox in case.mailboxes],
        "hours": [
            {"mailbox": mailbox, "begins": iso(begins), "emails": count}
            for (mailbox, begins), count in sorted(hours.items(), key=lambda one: (one[0][1], one[0][0]))
        ],
        "days": [{"day": str(day), "mailboxes": dict(sorted(counts.items()))} for day, counts in days.items()],
        "refused": [
            {"contact": contact, "reasons": [one.as_json() for one in reasons]}
            for contact, reasons in found.refused.items()
        ],
        "not_sent": [
            {"contact": contact, "step": end.step.id if end.step else None, "at": iso(end.at), "reason": end.reason}
            | {"sentence": find("not_sent", end.reason or "").sentence}
            for contact, end in found.ends.items()
            if end.what == "not_sent"
        ],
        "calendar": [
            {
                "contact": email.contact,
                "step": email.step.id,
                "number": email.step.number,
                "mailbox": email.mailbox,
                "due": iso(email.due),
                "at": iso(email.at),
                "cause": email.cause,
            }
            for email in found.emails
        ],
        "assumptions": list(ASSUMPTIONS),
    }


def _mailbox_json(found: Simulation, mailbox: Mailbox, days: Mapping[date, Counter[str]]) -> dict[str, Any]:
    times = [email.at for email in found.emails if email.mailbox == mailbox.id]
    hour = most_per_hour(times)
    day = max(days, key=lambda one: days[one][mailbox.id], default=None)
    return {
        "mailbox": mailbox.id,
        "emails": len(times),
        "first_email_at": iso(times[0]) if times else None,
        "last_email_at": iso(times[-1]) if times else None,
        "most_in_an_hour": {"emails": hour.emails, "begins": iso(hour.begins), "limit": mailbox.limits.per_hour},
        "most_in_a_day": {
            "emails": days[day][mailbox.id] if day else 0,
            "day": str(day) if day and times else None,
            "limit": mailbox.limits.per_day,
        },
    }


def iso(at: datetime | None) -> str | None:
    """RFC 3339, UTC."""
    return None if at is None else at.isoformat().replace("+00:00", "Z")
