"""Whether the unattended demo was what it claims to be: every status for its real cause, the ledger equal to the receiver,
the projection equal to the workflow, nobody silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from temporalio.service import RPCError

from cli.demo_cast import CAST, from_mail
from cli.demo_mail import back_on
from client import reading
from client.checking import COMPARED
from client.enrollments import Enrollments
from domain.statuses import Status
from embedded.recipients import Received, duplicates

FIVE = ("active", "paused", "bounced", "not_sent", "finished")
FACTS = ("reply", "out_of_office", "bounce", "unsubscribe", "meeting_booked")
"""What only a mail may tell a workflow here; a refusal at the SMTP dialogue is `system`'s."""


@dataclass
class Run:
    """What was seen while it played. `seen`: (contact, status, reason). `until`: to which day an absence held a contact."""

    killed: int = 0
    seen: set[tuple[str, str, str | None]] = field(default_factory=set)
    until: dict[str, date] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)

    def see(self, shown: Mapping[str, Any]) -> None:
        """Note how an enrollment stands now."""
        self.seen.add((shown["contact"], shown["status"], shown["reason"]))
        for hold in shown["holds"]:
            if hold["kind"] == "out_of_office" and hold.get("until"):
                self.until[shown["contact"]] = datetime.fromisoformat(hold["until"]).date()

    @property
    def statuses(self) -> set[str]:
        """The statuses seen at any time."""
        return {status for _, status, _ in self.seen}


def summary(
    run: Run,
    cast: Sequence[Mapping[str, Any]],
    mails: Sequence[Received],
    came: Sequence[Mapping[str, Any]],
    seconds: float,
) -> dict[str, Any]:
    """The numbers of a run. `came`: the mail that came in."""
    order = [status.value for status in Status]
    return {
        "counts": dict(Counter(shown["status"] for shown in cast)),
        "seen": sorted(run.statuses, key=order.index),
        "reasons": dict(Counter(shown["reason"] for shown in cast if shown["reason"])),
        "sent": len(mails),
        "duplicates": len(duplicates(mails)),
        "inbound": dict(sorted(Counter(mail["kind"] for mail in came).items())),
        "seconds": round(seconds, 1),
    }


async def problems(
    onward: Enrollments,
    run: Run,
    cast: Sequence[Mapping[str, Any]],
    mails: Sequence[Received],
    came: Sequence[Mapping[str, Any]],
) -> list[str]:
    """One line for each condition that does not hold."""
    found = list(run.errors)
    found += [f"status {status} was never reached" for status in FIVE if status not in run.statuses]
    if run.killed != 1:
        found.append(f"{run.killed} workers were killed")
    by_contact = {shown["contact"]: shown for shown in cast}
    attempts: dict[str, list[dict[str, Any]]] = {}
    stories: dict[str, list[dict[str, Any]]] = {}
    async with onward.database.read() as connection:
        for contact, shown in by_contact.items():
            attempts[contact] = await reading.attempts(connection, shown["enrollment"])
            stories[contact] = await reading.story(connection, shown["enrollment"])
    found += _endings(by_contact)
    found += _refusals(attempts)
    found += _pauses(run, by_contact, came)
    found += _answers(stories, came)
    found += _client_stage(stories)
    found += _receiver_differs([line for lines in attempts.values() for line in lines], mails)
    for shown in cast:
        found += await _differs(onward, shown)
        if not shown["closed"] and shown["wake_at"] is None and not shown["next"].get("waits_for"):
            found.append(f"{shown['contact']} is open and names no wake-up: {shown['next']}")
    return found


def _endings(cast: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for member in CAST:
        shown = cast.get(member.contact)
        if shown is None:
            found.append(f"{member.contact} was not enrolled")
        elif (shown["status"], shown["reason"]) != member.ends:
            found.append(f"{member.contact} ended as {shown['status']}/{shown['reason']}, not {'/'.join(member.ends)}")
    return found


def _refusals(attempts: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """What the receiving servers refused is in the ledger, with their words."""
    found = []
    for member in CAST:
        if member.server is None:
            continue
        said = member.server.at_rcpt or member.server.at_end or ""
        code = said.split()[1]
        lines = attempts.get(member.contact, ())
        if not any(
            line["state"] == "rejected" and line["reply_code"] == 550 and code in (line["reply_text"] or "")
            for line in lines
        ):
            found.append(f"{member.contact}: the ledger has no rejection {said!r}: {lines}")
    return found


def _pauses(run: Run, cast: Mapping[str, Mapping[str, Any]], came: Sequence[Mapping[str, Any]]) -> list[str]:
    """Who named a day of return was held beyond it; who named none waits for a person."""
    found = []
    for member in CAST:
        for mail in came:
            if not member.back_early or mail["contact"] != member.contact:
                continue
            named = back_on(datetime.fromisoformat(mail["received_at"]).date())
            if mail["return"].get("date") != named.isoformat() or run.until.get(member.contact, named) <= named:
                found.append(f"{member.contact} named {named}, was held until {run.until.get(member.contact)}: {mail}")
        if member.ends != ("paused", "out_of_office") or member.contact not in cast:
            continue
        holds = cast[member.contact]["holds"]
        if [(hold["kind"], hold.get("until"), hold.get("day")) for hold in holds] != [("out_of_office", None, None)]:
            found.append(f"{member.contact} does not wait for a person because of an auto-reply: {holds}")
    return found


def _answers(stories: Mapping[str, Sequence[Mapping[str, Any]]], came: Sequence[Mapping[str, Any]]) -> list[str]:
    """All that the contacts wrote came by IMAP, was understood and matched, and nothing else told the workflows of it."""
    wanted = {
        (member.contact, member.answer.kind, member.answer.matched_by, member.answer.folder, "imap")
        for member in CAST
        if member.answer is not None
    }
    had = [(mail["contact"], mail["kind"], mail["matched_by"], mail["folder"], mail["source"]) for mail in came]
    found = [f"this mail never came in: {one}" for one in wanted - set(had)]
    found += [f"this mail came in and nobody wrote it: {one}" for one in (Counter(had) - Counter(wanted)).elements()]
    for contact, story in stories.items():
        by_mail = {line["by"] for line in story if from_mail(line)}
        own = {f"mail:{mail['id']}" for mail in came if mail["contact"] == contact}
        if by_mail != own:
            found.append(f"{contact}: the story names other mails than came in: {by_mail ^ own}")
        found += [
            f"{contact}: {line['kind']} was told by {line['by']}, not by mail"
            for line in story
            if line["kind"] in FACTS and line["by"] != "system" and not from_mail(line)
        ]
    return found


def _client_stage(stories: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """Not Sent comes from the guard that saw the account's stage."""
    found = []
    for member in CAST:
        story = stories.get(member.contact, ())
        if member.becomes_client and not any(
            line["kind"] == "not_sent" and line["data"].get("seen_stage") == "Current Client" for line in story
        ):
            found.append(f"{member.contact}: no guard stopped an email because of the account's stage")
    return found


def _receiver_differs(ledger: Sequence[Mapping[str, Any]], mails: Sequence[Received]) -> list[str]:
    sent = Counter(line["message_id"] for line in ledger if line["state"] == "sent")
    received = Counter(mail.message_id.strip("<>") for mail in mails)
    found = [f"{address} received {key} {times} times" for address, key, times in duplicates(mails)]
    found += [f"the ledger says sent, nobody received it: {key}" for key in sent - received]
    found += [f"received, but not in the ledger as sent: {key}" for key in received - sent]
    return found


async def _differs(onward: Enrollments, shown: Mapping[str, Any]) -> list[str]:
    """What the workflow says of itself, beside the projection."""
    try:
        own = await onward.own_status(shown["enrollment"])
    except RPCError as error:
        return [f"{shown['contact']}: the workflow does not answer: {error.message}"]
    differing = [name for name in COMPARED if name not in ("reason", "own_status") and own.get(name) != shown[name]]
    if (own["own_status"], own["reason"]) != (shown["own_status"], shown["reason"]):
        differing.append("own_status, reason")
    return [f"{shown['contact']}: projection and workflow differ in {', '.join(differing)}"] if differing else []
