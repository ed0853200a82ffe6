"""Whether the unattended demo was what it claims to be: every status for its real cause, the ledger equal to the receiver,
the projection equal to the workflow, nobody silent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from temporalio.service import RPCError

from cli.demo_cast import CAST
from client import reading
from client.checking import COMPARED
from client.enrollments import Enrollments
from domain.statuses import Status
from embedded.recipients import Received, duplicates

FIVE = ("active", "paused", "bounced", "not_sent", "finished")


@dataclass
class Run:
    """What was seen while it played. `seen`: (contact, status, reason)."""

    killed: int = 0
    seen: set[tuple[str, str, str | None]] = field(default_factory=set)
    errors: list[str] = field(default_factory=list)

    def see(self, shown: Mapping[str, Any]) -> None:
        """Note how an enrollment stands now."""
        self.seen.add((shown["contact"], shown["status"], shown["reason"]))

    @property
    def statuses(self) -> set[str]:
        """The statuses seen at any time."""
        return {status for _, status, _ in self.seen}


def summary(run: Run, cast: Sequence[Mapping[str, Any]], mails: Sequence[Received], seconds: float) -> dict[str, Any]:
    """The numbers of a run."""
    order = [status.value for status in Status]
    return {
        "counts": dict(Counter(shown["status"] for shown in cast)),
        "seen": sorted(run.statuses, key=order.index),
        "reasons": dict(Counter(shown["reason"] for shown in cast if shown["reason"])),
        "sent": len(mails),
        "duplicates": len(duplicates(mails)),
        "seconds": round(seconds, 1),
    }


async def problems(
    onward: Enrollments, run: Run, cast: Sequence[Mapping[str, Any]], mails: Sequence[Received]
) -> list[str]:
    """One line for each condition that does not hold."""
    found = list(run.errors)
    found += [f"status {status} was never reached" for status in FIVE if status not in run.statuses]
    if run.killed != 1:
        found.append(f"{run.killed} workers were killed")
    by_contact = {shown["contact"]: shown for shown in cast}
    attempts: dict[str, list[dict[str, Any]]] = {}
    async with onward.database.read() as connection:
        for contact, shown in by_contact.items():
            attempts[contact] = await reading.attempts(connection, shown["enrollment"])
    found += _endings(run, by_contact)
    found += _causes(by_contact, attempts)
    found += await _client_stage(onward, by_contact)
    found += _receiver_differs([line for lines in attempts.values() for line in lines], mails)
    for shown in cast:
        found += await _differs(onward, shown)
        if not shown["closed"] and shown["wake_at"] is None and not shown["next"].get("waits_for"):
            found.append(f"{shown['contact']} is open and names no wake-up: {shown['next']}")
    return found


def _endings(run: Run, cast: Mapping[str, Mapping[str, Any]]) -> list[str]:
    found = []
    for member in CAST:
        shown = cast.get(member.contact)
        if shown is None:
            found.append(f"{member.contact} was not enrolled")
        elif (shown["status"], shown["reason"]) != member.ends:
            found.append(f"{member.contact} ended as {shown['status']}/{shown['reason']}, not {'/'.join(member.ends)}")
        if member.also is not None and (member.contact, *member.also) not in run.seen:
            found.append(f"{member.contact} was never {'/'.join(member.also)}")
    return found


def _causes(cast: Mapping[str, Mapping[str, Any]], attempts: Mapping[str, Sequence[Mapping[str, Any]]]) -> list[str]:
    """The bounces come from what the receiving server said, the pause from an auto-reply without a date."""
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
    holds = cast["tomas"]["holds"] if "tomas" in cast else []
    if [(hold["kind"], hold.get("until")) for hold in holds] != [("out_of_office", None)]:
        found.append(f"tomas does not wait for a person because of an auto-reply: {holds}")
    return found


async def _client_stage(onward: Enrollments, cast: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Not Sent comes from the guard that saw the account's stage."""
    if "chen" not in cast:
        return []
    async with onward.database.read() as connection:
        story = await reading.story(connection, cast["chen"]["enrollment"])
    if any(line["kind"] == "not_sent" and line["data"].get("seen_stage") == "Current Client" for line in story):
        return []
    return ["chen: no guard stopped an email because of the account's stage"]


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
