"""The demo's ten contacts: how their servers treat mail, and what they do when they have read it.

Nothing about the run is special but that its waits are seconds. What the contacts do reaches Onward the ways it always
does: as replies of an SMTP server, as mail in a mailbox that Onward reads by IMAP, as a change of an account's stage.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

from cli import demo_mail
from client.enrollments import Enrollments
from embedded.recipients import Behaviour, Received
from store import catalog, enrollments
from store.catalog import AccountChanges

BY = "demo:cast"
"""The contacts, where they do something else than writing mail."""
DIRECTOR = "demo:director"
"""Whoever enrolls them, looks after an email whose delivery is unknown, and hears that somebody is back early."""
SEQUENCE = "spring-launch"
MAILBOX = "alex"
READS_FOR = 1.0
"""Seconds between the arrival of an email and what its reader does."""
BACK_AFTER = 3.0
"""Seconds between an automatic reply and the call that says its sender is back before the day it names."""

Shown = Mapping[str, Any]


class Answer(NamedTuple):
    """The mail by which a contact, or their server, answers: its maker, the folder it comes to, how it is understood."""

    write: Callable[[Received], bytes]
    kind: str
    matched_by: str
    folder: str = "INBOX"


@dataclass(frozen=True)
class Member:
    """One contact. `ends`: status and reason at the end of the run; `acts_on`: after how many emails they act.
    `back_early`: they call, so that the director resumes them by hand."""

    contact: str
    ends: tuple[str, str]
    acts_on: int = 0
    answer: Answer | None = None
    becomes_client: bool = False
    back_early: bool = False
    server: Behaviour | None = None


CAST: tuple[Member, ...] = (
    Member("nadia", ("finished", "replied"), 1, Answer(demo_mail.reply, "human_reply", "answers")),
    Member(
        "mara",
        ("finished", "no_reply"),
        1,
        Answer(demo_mail.away_until, "out_of_office", "answers"),
        back_early=True,
    ),
    Member("tomas", ("paused", "out_of_office"), 1, Answer(demo_mail.away, "out_of_office", "answers")),
    Member("viktor", ("bounced", "hard_bounce"), 1, Answer(demo_mail.not_delivered, "bounce", "original")),
    Member("ruth", ("finished", "unsubscribed"), 1, Answer(demo_mail.unsubscribe, "unsubscribe", "answers", "Junk")),
    Member("luisa", ("finished", "meeting_booked"), 2, Answer(demo_mail.accepted, "calendar", "address")),
    Member(
        "oleg",
        ("bounced", "hard_bounce"),
        server=Behaviour(at_rcpt="550 5.1.1 <oleg@mapleworks.example>: user unknown"),
    ),
    Member("priya", ("bounced", "spam_block"), 1, Answer(demo_mail.refused_as_spam, "bounce", "original")),
    Member("chen", ("not_sent", "account_stage_excluded"), 1, becomes_client=True),
    Member("ben", ("finished", "no_reply")),
)


async def become_client(onward: Enrollments, shown: Shown) -> None:
    """Somebody sets the stage of the contact's account."""
    async with onward.database.transaction() as connection:
        person = await catalog.contact(connection, shown["contact"])
        assert person.account is not None
        changes = AccountChanges(stage="Current Client")
        await catalog.set_account(connection, person.account, changes, by=BY, now=datetime.now(UTC))


async def has_acted(onward: Enrollments, enrollment: str) -> bool:
    """Whether this contact has done their part in this enrollment, in this run of the demo or an earlier one."""
    async with onward.database.read() as connection:
        return any(line["by"] == BY or from_mail(line) for line in await enrollments.story(connection, enrollment))


def from_mail(line: Mapping[str, Any]) -> bool:
    """Whether a line of a story comes from a mail that came in."""
    return str(line["by"]).startswith("mail:")


async def resume(onward: Enrollments, shown: Shown) -> None:
    """Somebody is back before the day that their automatic reply names, and a person lets the sequence go on."""
    key = shown["enrollment"]
    await onward.command(key, "resume", {"id": f"demo/resume/{key}", "by": DIRECTOR})


async def settle_unknown(onward: Enrollments, shown: Shown, received: set[str]) -> bool:
    """Play the person who looks for an email whose delivery is unknown: the worker may be killed in the very moment of a
    send. `received`: Message-IDs without brackets. Answers whether there was one."""
    hold = next((hold for hold in shown["holds"] if hold["kind"] == "delivery_unknown"), None)
    if hold is None:
        return False
    verdict = "sent" if hold.get("ref") in received else "not_sent"
    await onward.command(
        shown["enrollment"], "settle_delivery", {"id": f"demo/settle/{hold['ref']}", "by": DIRECTOR, "verdict": verdict}
    )
    return True
