"""Two owners of one email: the lease and the fence decide, and a reply that comes late still counts."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from embedded.recipients import Behaviour, Gate, Recipients
from store import ledger
from store.ledger import Key
from tests.durability.play import assert_nothing_twice, rows_in
from tests.harness import World, eventually, open_world
from tests.servers import Servers


@pytest_asyncio.fixture
async def patient(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """A world with a worker that waits longer for an SMTP reply than Temporal for a heartbeat (30 s)."""
    async with (
        open_world(
            stack.temporal_address, fresh_database, recipients, smtp_connect_seconds=150.0, smtp_final_seconds=150.0
        ) as opened,
        opened.worker(),
    ):
        yield opened


async def test_an_owner_taken_for_dead(patient: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its heartbeats and lease renewals stop, as if its machine stood still: after 30 s Temporal starts a second `deliver`
    beside it. Before DATA that one takes over; past it the delivery is unknown, until the first one's reply comes late."""
    world = patient
    monkeypatch.setattr("activities.deliver.HEARTBEAT_AFTER", 3600.0)
    monkeypatch.setattr(ledger, "renew", _stand_still)
    gates = {name: Gate() for name in ("claimed", "late", "refused", "judged")}
    behaviours = {
        "claimed": Behaviour(before_rcpt=gates["claimed"]),
        "late": Behaviour(before_end=gates["late"]),
        "refused": Behaviour(before_end=gates["refused"], at_end="550 5.1.1 no such user"),
        "judged": Behaviour(before_end=gates["judged"]),
    }
    for name, behaviour in behaviours.items():
        world.recipients.behave(world.address(name), behaviour)
    await world.add_sequence(steps=2)
    owned = {name: await world.enroll(name) for name in behaviours}
    for gate in gates.values():
        await asyncio.to_thread(gate.wait_reached, 30)
    # From now on nobody waits at a gate but the first owners.
    for name in behaviours:
        world.recipients.behave(world.address(name), Behaviour())

    await eventually(lambda: _has_finished(world, owned["claimed"]), seconds=60)
    assert len(world.recipients.inbox(world.address("claimed"))) == 2
    for name in ("late", "refused", "judged"):
        await eventually(partial(_is_unknown, world, owned[name]), seconds=60)
    await world.until_known(owned["judged"])
    await world.clients.command(owned["judged"], "settle_delivery", {"by": "person:ana", "verdict": "not_sent"})
    await world.until_status(owned["judged"], "finished", "completed")

    for gate in gates.values():
        gate.open()

    # The old owner of the claim finds that it was taken over; the others' replies settle what was unknown.
    await world.until_status(owned["late"], "finished", "completed")
    await world.until_status(owned["refused"], "bounced", "hard_bounce")
    assert [mail.subject for mail in world.recipients.inbox(world.address("late"))] == ["Subject 1", "Subject 2"]
    assert "settle_delivery" in await world.kinds(owned["late"])
    assert await _rows(world, owned["late"]) == [("step1", 1, "sent"), ("step2", 1, "sent")]
    assert await _rows(world, owned["refused"]) == [("step1", 1, "rejected")]
    # A person had settled it: their word stands, and the late reply is only told.
    await eventually(lambda: _tells(world, owned["judged"], "sent", 3))
    assert await _rows(world, owned["judged"]) == [
        ("step1", 1, "unknown"),
        ("step1", 2, "sent"),
        ("step2", 1, "sent"),
    ]
    assert (await world.status(owned["judged"])) == ("finished", "completed")
    assert await _pending_marks(world) == 0
    assert len(world.recipients.inbox(world.address("claimed"))) == 2
    assert world.recipients.duplicates() == []


async def test_a_claim_whose_owner_went_on_is_not_taken_over(world: World) -> None:
    """Between looking at an expired lease and taking the row over, its owner may pass the point of no return."""
    before_rcpt, before_end = Gate(), Gate()
    world.recipients.behave("*", Behaviour(before_rcpt=before_rcpt, before_end=before_end))
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(before_rcpt.wait_reached, 30)
    key = Key(enrollment, "step1", 1)
    async with world.database.read() as connection:
        await connection.execute("UPDATE send_ledger SET lease_until = now() - interval '1 s'")
        row = await ledger.context(connection, key)
    assert row is not None
    assert (row["ledger_state"], row["lease_live"]) == ("claimed", False)

    before_rcpt.open()
    await asyncio.to_thread(before_end.wait_reached, 30)
    async with world.database.read() as connection:
        assert not await ledger.abandon(connection, key, row["fence"])
        taken = await ledger.claim(
            connection,
            key,
            sequence=row["sequence_id"],
            contact=row["contact_id"],
            mailbox=row["mailbox_id"],
            message_id=row["message_id"],
            recipient=row["recipient"],
            subject=row["ledger_subject"],
            message=row["message"],
            owner="another",
            lease=timedelta(seconds=5),
            due=row["due_at"],
            fence=row["fence"],
        )
    assert taken is None
    assert await rows_in(world, "sending") == {(enrollment, "step1", 1)}
    before_end.open()
    await world.until_status(enrollment, "finished", "completed")
    assert_nothing_twice(world)


async def _stand_still(*_: Any, **__: Any) -> None:
    """A renewal that never reaches the database."""


async def _has_finished(world: World, enrollment: str) -> bool:
    return await world.status(enrollment) == ("finished", "completed")


async def _is_unknown(world: World, enrollment: str) -> bool:
    return await world.status(enrollment) == ("paused", "delivery_unknown")


async def _tells(world: World, enrollment: str, kind: str, times: int) -> bool:
    return (await world.kinds(enrollment)).count(kind) == times


async def _rows(world: World, enrollment: str) -> list[tuple[str, int, str]]:
    return [(row["step_id"], row["attempt"], row["state"]) for row in await world.ledger(enrollment)]


async def _pending_marks(world: World) -> int:
    async with world.database.read() as connection:
        count: Callable[..., Any] = connection.fetchval
        return int(await count("SELECT count(*) FROM stop_marks WHERE adopted_at IS NULL"))
