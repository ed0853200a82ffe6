"""Upkeep: what goes wrong with one enrollment or one mailbox stays with it."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.service import RPCError, RPCStatusCode

from activities import upkeep
from store import gates, marks
from store.marks import Mark
from tests.harness import World, eventually


async def _set(world: World, state: str, by: str = "system") -> int | None:
    async with world.database.transaction() as connection:
        return await gates.switch(connection, "mailbox", world.mailbox, state=state, by=by, now=datetime.now(UTC))


async def _state(world: World) -> Any:
    async with world.database.read() as connection:
        return await connection.fetchval("SELECT state FROM mailboxes WHERE id = $1", world.mailbox)


async def test_the_system_never_takes_a_persons_pause_away(workerless: World) -> None:
    world = workerless
    world.mailbox = await world.add_mailbox()
    assert await _set(world, "paused", by="person:admin") is not None
    assert await _set(world, "down") is None, "a login that fails"
    assert await _set(world, "guardrail") is None
    assert await _state(world) == "paused"
    await _set(world, "up", by="person:admin")
    await _set(world, "guardrail")
    assert await _set(world, "down") is None, "the prober would open it, and only a person may"
    assert await _state(world) == "guardrail"


async def test_a_mailbox_paused_while_it_is_probed_stays_paused(
    workerless: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = workerless
    world.mailbox = await world.add_mailbox()
    await _set(world, "down")

    async def slow(_: object) -> None:
        await _set(world, "paused", by="person:admin")

    monkeypatch.setattr(upkeep, "check", slow)
    await world.upkeep().probe_mailboxes()
    assert await _state(world) == "paused"


async def test_one_part_that_fails_keeps_no_other_from_its_work(
    workerless: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = workerless
    world.mailbox = await world.add_mailbox()
    await _set(world, "down")
    tending = world.upkeep()

    async def broken() -> int:
        raise ValueError("a mark that nobody can read")

    broken.__name__ = "signal_forgotten"
    monkeypatch.setattr(tending, "signal_forgotten", broken)
    task = asyncio.create_task(tending.run())
    try:
        await eventually(lambda: _is_up(world))
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def _is_up(world: World) -> bool:
    return bool(await _state(world) == "up")


async def test_a_mark_that_cannot_be_signalled_keeps_no_other_waiting(
    workerless: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = workerless
    await world.add_sequence(steps=1, wait="1h")
    async with world.worker():
        owned = [await world.enroll(contact) for contact in ("anna", "bert")]
    async with world.database.transaction() as connection:
        for enrollment, contact in zip(owned, ("anna", "bert"), strict=True):
            key = f"enrollment/{world.sequence}/{contact}"
            await marks.place(
                connection, Mark(enrollment, key, "pause", {"id": f"m-{contact}", "by": "x"}), now=datetime.now(UTC)
            )
        await connection.execute("UPDATE stop_marks SET recorded_at = recorded_at - interval '1 minute'")
    told: list[str] = []

    async def signal(workflow: str, name: str, payload: object) -> bool:
        told.append(workflow.rpartition("/")[2])
        if workflow.endswith("anna"):
            raise RPCError("exceeded the limit of signals", RPCStatusCode.INVALID_ARGUMENT, b"")
        return True

    monkeypatch.setattr(world.services, "signal", signal)
    assert await world.upkeep().signal_forgotten() == 2
    assert sorted(told) == ["anna", "bert"]
    assert await world.upkeep().signal_forgotten() == 0, "each has to wait for its turn"


async def test_who_gave_up_is_parked_no_more(world: World) -> None:
    """Nobody could take the wake-up: the waker would be started again for ever."""
    await world.add_sequence(steps=1, settings={"give_up_after": "1s"})
    await world.clients.set_mailbox(world.mailbox, "paused", by="person:admin")
    enrollment = await world.enroll("anna")

    async def closed() -> bool:
        return bool((await world.row(enrollment))["closed"])

    await eventually(closed)
    async with world.database.read() as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
