"""A reply that comes in while an email is being sent: at every await point of `deliver` it either stops the email, or finds
it handed over and recorded."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from activities import deliver
from domain.delivery import DeliverResult
from tests.harness import World, eventually, plain_step
from tests.inbound import mails

POINTS = 44
"""More than `deliver` has: the test fails when all of them are met, and so some might be missed."""


@dataclass
class Race:
    """One send, with the reply let in when it suspends for the `at`-th time."""

    at: int
    reply: Callable[[], Coroutine[Any, Any, str | None]]
    met: int = 0
    coming: asyncio.Task[str | None] | None = None
    """Answers the state of the ledger's row at the moment from which the reply is on record."""


@dataclass
class Stepped:
    """A coroutine that looks up at each of its suspensions."""

    inner: Coroutine[Any, Any, Any]
    race: Race

    def __await__(self) -> Generator[Any, Any, Any]:
        thrown: BaseException | None = None  # a cancellation, which goes on to the coroutine
        while True:
            try:
                waiting = self.inner.send(None) if thrown is None else self.inner.throw(thrown)
            except StopIteration as done:
                return done.value
            thrown = None
            self.race.met += 1
            try:
                if self.race.met == self.race.at:
                    self.race.coming = asyncio.create_task(self.race.reply())
                    # Until it is recorded, or stands behind a lock that this send holds.
                    yield from asyncio.wait({self.race.coming}, timeout=0.5).__await__()
                yield waiting
            except BaseException as error:
                thrown = error


async def test_a_reply_at_any_moment_of_a_send_stops_it_or_finds_it_recorded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    races: dict[str, Race] = {}
    of_this_task: ContextVar[Race | None] = ContextVar("race", default=None)
    run, shielded = deliver._Delivery.run, deliver._shielded

    async def stepped_run(self: deliver._Delivery) -> DeliverResult:
        race = races.get(self.key.enrollment)
        if race is None or self.key.step != "step2" or race.met:
            return await run(self)
        of_this_task.set(race)
        found: DeliverResult = await Stepped(run(self), race)
        return found

    async def stepped_shielded(work: Coroutine[Any, Any, Any]) -> Any:
        race = of_this_task.get()

        async def inside() -> Any:
            return await (work if race is None else Stepped(work, race))

        return await shielded(inside())

    monkeypatch.setattr(deliver._Delivery, "run", stepped_run)
    monkeypatch.setattr(deliver, "_shielded", stepped_shielded)
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d"), plain_step(3, wait="30d")])
    contacts = [f"c{number}" for number in range(POINTS)]
    enrollments = await asyncio.gather(*(world.enroll(contact) for contact in contacts))

    async def replied(contact: str, enrollment: str) -> str | None:
        (mail, *_) = world.recipients.inbox(world.address(contact))
        await world.take(mails.answer(mail, "Yes, call me."))
        rows = {row["step_id"]: row["state"] for row in await world.ledger(enrollment)}
        state: str | None = rows.get("step2")
        return state

    for at, (contact, enrollment) in enumerate(zip(contacts, enrollments, strict=True), 1):
        await world.until_sent(enrollment, 1)
        races[enrollment] = Race(at, lambda contact=contact, enrollment=enrollment: replied(contact, enrollment))  # type: ignore[misc]
    await asyncio.gather(*(world.command(enrollment, "send_now") for enrollment in enrollments))

    stopped = went = missed = 0
    for contact, enrollment in zip(contacts, enrollments, strict=True):
        race = races[enrollment]
        await world.until_state(enrollment, lambda state: state.closed or state.sent == 2)
        if race.coming is None:
            missed += 1
            continue
        at_record = await race.coming
        await world.until_status(enrollment, "finished", "replied")
        await eventually(partial(_is_over, world, enrollment))
        received = len(world.recipients.inbox(world.address(contact)))
        row = next((row for row in await world.ledger(enrollment) if row["step_id"] == "step2"), None)
        if received == 2:
            went += 1
            assert row is not None
            assert row["state"] == "sent"
            assert at_record in ("sending", "sent"), (race.at, at_record)
        else:
            stopped += 1
            assert received == 1
            assert row is None or row["state"] == "withdrawn", (race.at, row)
            assert at_record not in ("sending", "sent"), (race.at, at_record)
    assert missed, f"`deliver` suspends {POINTS} times or more: raise POINTS"
    assert stopped
    assert went


async def _is_over(world: World, enrollment: str) -> bool:
    """`deliver` has said what became of step 2; the workflow does not wait for a withdrawal."""
    states = {row["step_id"]: row["state"] for row in await world.ledger(enrollment)}
    return states.get("step2") not in ("claimed", "sending")
