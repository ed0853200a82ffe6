"""Nothing after the stop: once it is recorded no email leaves, wherever the send stands and whether or not a worker lives.

Every combination is played at once in two worlds (a worker that lives, a worker that was killed), and judged one by one.
The second email of each contact is under way when its stop is recorded:

- sleeping: it has a slot that is still to come;
- deferred: its first try was answered with a 4xx;
- connected: its session stands before the answer to RCPT; the point of no return comes right after that answer.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from embedded.recipients import Behaviour, Gate
from tests.harness import World, eventually, plain_step
from tests.servers import Servers
from tests.stops import play

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("sleeping", "deferred", "connected")
ENDS = {
    "reply": ("finished", "replied"),
    "bounce": ("bounced", "hard_bounce"),
    "unsubscribe": ("finished", "unsubscribed"),
    "finish": ("finished", "manual"),
    "remove": ("removed", "removed"),
    "pause": ("paused", "manual"),
    "switch_off": ("paused", "sequence_off"),
}
SECOND_EMAIL = {"sleeping": [], "deferred": ["deferred"], "connected": ["withdrawn"]}
"""What the ledger says of it in the end."""
CASES = [
    (place, stop, way)
    for place in PLACES
    for stop in ENDS
    for way in ("client", "signal")
    if (stop, way) != ("switch_off", "signal")
]
AHEAD = (7, 14, 28)
"""Seconds until the slot of those asleep or deferred. All stops must be recorded well before it comes up: on a machine too
busy for that the play is given again, with more time."""


class TooSlow(Exception):
    """Some slot came up before all stops were recorded."""


@dataclass
class Case:
    """One contact: where its second email was when it was stopped, how it was stopped, and what was found afterwards."""

    place: str
    stop: str
    way: str
    sequence: str
    gate: Gate = field(default_factory=Gate)
    enrollment: str = ""
    slot: datetime | None = None
    answer: Any = None
    found: dict[str, Any] = field(default_factory=dict)

    @property
    def contact(self) -> str:
        return f"{self.place}-{self.stop}-{self.way}".replace("_", "-")

    @property
    def key(self) -> str:
        return f"enrollment/{self.sequence}/{self.contact}"


@dataclass
class Played:
    """A world in which every stop was recorded and every slot has passed. A worker lives in it (again)."""

    world: World
    alive: bool
    cases: dict[tuple[str, str, str], Case]


@pytest_asyncio.fixture(scope="module", params=["worker_alive", "worker_killed"])
async def played(request: pytest.FixtureRequest, stack: Servers) -> AsyncIterator[Played]:
    for ahead in AHEAD:
        try:
            async with (
                play.lasting_world(stack, defer_base_seconds=ahead, lease_seconds=1.0) as world,
                _played(world, alive=request.param == "worker_alive", ahead=ahead) as result,
            ):
                yield result
            return
        except TooSlow:
            continue
    pytest.fail(f"not all stops could be recorded within {AHEAD[-1]} s")


@contextlib.asynccontextmanager
async def _played(world: World, *, alive: bool, ahead: int) -> AsyncIterator[Played]:
    cases = await _cases(world, ahead)
    everybody = list(cases.values())
    # Not stopped. They take their places last: when their emails have arrived, the slots of all others have passed.
    controls = [Case(place, "none", "", everybody[0].sequence) for place in ("sleeping", "deferred")]
    async with contextlib.AsyncExitStack() as workers:
        first = None if alive else await workers.enter_async_context(_process(world))
        if alive:
            await workers.enter_async_context(world.worker())
        for place in ("connected", "deferred", "sleeping"):
            await asyncio.gather(*(_enroll(world, case) for case in everybody if case.place == place))
        await asyncio.gather(*(_in_place(world, case) for case in everybody))
        for control in controls:
            control.sequence = next(case.sequence for case in everybody if case.place == control.place)
        await asyncio.gather(*(_enroll(world, control) for control in controls))
        await asyncio.gather(*(_in_place(world, control) for control in controls))
        if first is not None:
            first.send_signal(signal.SIGKILL)
            await first.wait()
            await asyncio.gather(*(play.forget_worker(world, case.key) for case in (*everybody, *controls)))
            world.clients.patience = 0.1
        failed = await asyncio.gather(*(_stop(world, case) for case in everybody), return_exceptions=True)
        recorded = datetime.now(UTC)
        if any(case.slot is not None and case.slot <= recorded for case in everybody):
            raise TooSlow
        for error in failed:
            if error is not None:
                raise error
        if first is not None:
            await workers.enter_async_context(world.worker())
            world.clients.patience = 10.0
        await asyncio.gather(*(_taken_up(world, case) for case in everybody))
        for case in everybody:
            case.gate.open()
        if first is not None:
            await asyncio.gather(*(play.time_out_activities(world, case.key) for case in everybody))
        await asyncio.gather(*(world.until_mails(control.contact, 2) for control in controls))
        await asyncio.gather(*(_quiet(world, case) for case in everybody))
        await asyncio.gather(*(_look(world, case) for case in everybody))
        yield Played(world, alive, cases)


async def _cases(world: World, ahead: int) -> dict[tuple[str, str, str], Case]:
    sequences = {}
    for place in PLACES:
        steps = [plain_step(1), plain_step(2, wait=f"{ahead}s" if place == "sleeping" else "0s")]
        sequences[place, False] = await world.add_sequence(f"{place}-plain", steps)
        sequences[place, True] = await world.add_sequence(f"{place}-switched", steps)
    return {one: Case(*one, sequences[one[0], one[1] == "switch_off"]) for one in CASES}


@contextlib.asynccontextmanager
async def _process(world: World) -> AsyncIterator[asyncio.subprocess.Process]:
    """A worker in a process of its own, so that it can be killed."""
    settings = world.settings
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "worker.py"),
        cwd=ROOT,
        env={
            **os.environ,
            "ONWARD_DATABASE_URL": settings.require_database(),
            "TEMPORAL_ADDRESS": settings.require_temporal(),
            "ONWARD_TASK_QUEUE": settings.task_queue,
            "ONWARD_SECRET_KEY": settings.require_secret().decode(),
            "ONWARD_LEASE_SECONDS": str(settings.lease_seconds),
            "ONWARD_DEFER_BASE_SECONDS": str(settings.defer_base_seconds),
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _enroll(world: World, case: Case) -> None:
    """Enroll. The first email goes out plainly; its arrival sets the stage for the second."""
    address = world.address(case.contact)
    second = {
        "sleeping": Behaviour(),
        "deferred": Behaviour(first_tries=1),
        "connected": Behaviour(before_rcpt=case.gate),
    }[case.place]
    world.recipients.behave(address, Behaviour(before_end=lambda: world.recipients.behave(address, second)))
    case.enrollment = await world.enroll(case.contact, case.sequence)


async def _in_place(world: World, case: Case) -> None:
    """Wait until the second email stands where the case wants it."""

    async def there() -> bool:
        if case.place == "connected":
            return case.gate.reached.is_set()
        state = await world.state(case.enrollment)
        if case.place == "deferred" and "deferred" not in await world.kinds(case.enrollment):
            return False
        case.slot = state.slot.at if state.sent == 1 and state.slot else None
        return case.slot is not None

    await eventually(there, lambda: world.describe(case.enrollment))


async def _stop(world: World, case: Case) -> None:
    payload = {"by": "person:test", "id": f"stop/{case.contact}"}
    if case.stop == "switch_off":
        await world.clients.switch("sequence", case.sequence, on=False, by="person:test")
    elif case.way == "signal":
        await world.signal(case.contact, case.stop, payload, case.sequence)
    elif case.stop in ("reply", "bounce", "unsubscribe"):
        case.answer = await world.clients.fact(case.enrollment, case.stop, payload)
    else:
        case.answer = await world.clients.command(case.enrollment, case.stop, payload)


async def _taken_up(world: World, case: Case) -> None:
    """A mark holds from its commit on; a raw signal is recorded when the workflow's `record` commits."""
    if case.stop != "switch_off":
        await world.until_status(case.enrollment, *ENDS[case.stop])
        await play.until_adopted(world, case.enrollment)


async def _quiet(world: World, case: Case) -> None:
    """Wait until no activity is under way: whatever `deliver` had to say it has said. Those switched off have parked."""
    handle = world.client.get_workflow_handle(case.key)

    async def quiet() -> bool:
        return not (await handle.describe()).raw_description.pending_activities

    await world.until_status(case.enrollment, *ENDS[case.stop])
    await eventually(quiet, lambda: world.describe(case.enrollment))


async def _look(world: World, case: Case) -> None:
    case.found = {
        "mails": [mail.subject for mail in world.recipients.inbox(world.address(case.contact))],
        "status": await world.status(case.enrollment),
        "ledger": [row["state"] for row in await world.ledger(case.enrollment) if row["step_id"] == "step2"],
        "pending": await play.pending_marks(world, case.enrollment),
        "health": await play.health(world, case.key),
        "own": (await world.clients.own_status(case.enrollment))["own_status"],
        "kinds": await world.kinds(case.enrollment),
    }


@pytest.mark.parametrize(("place", "stop", "way"), CASES)
async def test_no_email_leaves_and_the_story_is_told(played: Played, place: str, stop: str, way: str) -> None:
    case = played.cases[place, stop, way]
    found = case.found
    assert found["mails"] == ["Subject 1"], found
    assert found["status"] == ENDS[stop]
    assert found["own"] == ENDS[stop][0], "the workflow and its projection differ"
    assert found["ledger"] == SECOND_EMAIL[place], found
    assert found["pending"] == [], "the mark was never adopted"
    assert found["health"] == []
    if stop != "switch_off":
        assert found["kinds"].count(stop) == 1, found["kinds"]
    if stop != "switch_off" and way == "client":
        assert case.answer.accepted
        assert case.answer.adopted is played.alive


@pytest.mark.parametrize("way", ["client", "signal"])
@pytest.mark.parametrize("place", PLACES)
async def test_a_paused_contact_gets_the_email_once_when_resumed(played: Played, place: str, way: str) -> None:
    world, case = played.world, played.cases[place, "pause", way]
    answer = await world.clients.command(case.enrollment, "resume", {"by": "person:test"})
    assert answer.remaining_holds == ()
    await _arrives_once(world, case)


@pytest.mark.parametrize("place", PLACES)
async def test_a_switched_off_contact_gets_the_email_once_when_switched_on(played: Played, place: str) -> None:
    world, case = played.world, played.cases[place, "switch_off", "client"]
    await world.clients.switch("sequence", case.sequence, on=True, by="person:test")
    await _arrives_once(world, case)


async def _arrives_once(world: World, case: Case) -> None:
    await world.until_status(case.enrollment, "finished", "completed")
    mails = world.recipients.inbox(world.address(case.contact))
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2"]
    assert [row["state"] for row in await world.ledger(case.enrollment)] == ["sent", "sent"]
    assert await play.health(world, case.key) == []
