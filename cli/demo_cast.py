"""The demo's eight contacts: how their servers treat mail, and what they do when they have read it.

Nothing about the run is special but that its waits are seconds. What the contacts do reaches Onward the ways it always
does: as replies of an SMTP server, as facts reported through the typed client, as a change of an account's stage.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from client.enrollments import Enrollments
from embedded.recipients import Behaviour
from store import catalog, enrollments
from store.catalog import AccountChanges

BY = "demo:cast"
"""The contacts; what they did in an enrollment is known by it."""
DIRECTOR = "demo:director"
"""Whoever enrolls them and looks after an email whose delivery is unknown."""
SEQUENCE = "spring-launch"
MAILBOX = "alex"
AWAY = timedelta(seconds=8)
READS_FOR = 1.0
"""Seconds between the arrival of an email and what its reader does."""

Shown = Mapping[str, Any]


@dataclass(frozen=True)
class Member:
    """One contact. `ends`: status and reason at the end of the run; `acts_on`: after how many emails they act."""

    contact: str
    ends: tuple[str, str]
    acts_on: int = 0
    act: Callable[[Enrollments, Shown], Awaitable[None]] | None = None
    server: Behaviour | None = None
    also: tuple[str, str] | None = None
    """A status and reason that must be seen on the way."""


async def _answer(onward: Enrollments, shown: Shown) -> None:
    await onward.fact(shown["enrollment"], "reply", _said(shown, "reply"))


async def _away_until(onward: Enrollments, shown: Shown) -> None:
    back = (datetime.now(UTC) + AWAY).isoformat()
    await onward.fact(shown["enrollment"], "out_of_office", {**_said(shown, "away"), "return_date": back})


async def _away(onward: Enrollments, shown: Shown) -> None:
    await onward.fact(shown["enrollment"], "out_of_office", _said(shown, "away"))


async def _meet(onward: Enrollments, shown: Shown) -> None:
    await onward.fact(shown["enrollment"], "meeting_booked", _said(shown, "meeting"))


async def _become_client(onward: Enrollments, shown: Shown) -> None:
    async with onward.database.transaction() as connection:
        person = await catalog.contact(connection, shown["contact"])
        assert person.account is not None
        changes = AccountChanges(stage="Current Client")
        await catalog.set_account(connection, person.account, changes, by=BY, now=datetime.now(UTC))


def _said(shown: Shown, what: str) -> dict[str, Any]:
    # With an ID of its own, saying it again after a restart of the demo has no second effect.
    return {"id": f"demo/{what}/{shown['enrollment']}", "by": BY}


CAST: tuple[Member, ...] = (
    Member("nadia", ("finished", "replied"), 1, _answer),
    Member("mara", ("finished", "no_reply"), 1, _away_until, also=("paused", "out_of_office")),
    Member("tomas", ("paused", "out_of_office"), 1, _away),
    Member(
        "oleg",
        ("bounced", "hard_bounce"),
        server=Behaviour(at_rcpt="550 5.1.1 <oleg@mapleworks.example>: user unknown"),
    ),
    Member(
        "priya",
        ("bounced", "spam_block"),
        server=Behaviour(at_end="550 5.7.1 Message rejected as spam by content filter"),
    ),
    Member("chen", ("not_sent", "account_stage_excluded"), 1, _become_client),
    Member("luisa", ("finished", "meeting_booked"), 2, _meet),
    Member("ben", ("finished", "no_reply")),
)


async def has_acted(onward: Enrollments, enrollment: str) -> bool:
    """Whether this contact has done their part in this enrollment, in this run of the demo or an earlier one."""
    async with onward.database.read() as connection:
        return any(line["by"] == BY for line in await enrollments.story(connection, enrollment))


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
