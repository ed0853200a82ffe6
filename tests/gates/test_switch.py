"""The master switch: one row; nothing leaves from its commit on; what parked goes on once, whatever is lost meanwhile."""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.waking import wake_id
from embedded.recipients import Recipients
from store import gates, listing
from tests.harness import World, eventually, open_world, plain_step
from tests.servers import Servers
from tests.stops import play


async def _switch(world: World, on: bool, gate: Any = "sequence") -> int | None:
    return await world.clients.switch(gate, world.sequence if gate == "sequence" else "", on=on, by="person:test")


async def _parked(world: World, gate: str = "sequence") -> int:
    async with world.database.read() as connection:
        return await gates.parked(connection, gate, world.sequence if gate == "sequence" else "")


async def _until_parked(world: World, count: int, gate: str = "sequence") -> None:
    async def there() -> bool:
        return await _parked(world, gate) == count

    await eventually(there)


async def _listed(world: World) -> dict[str, tuple[str, str | None]]:
    """Effective status and reason by contact."""
    async with world.database.read() as connection:
        page = await listing.page(connection, world.sequence, limit=200)
    return {row.contact: (row.status.value, row.reason) for row in page.rows}


async def _wake_all(world: World, enrollments: list[str], status: str = "finished") -> None:
    """What the worker does beside its tasks, until everybody is there."""
    upkeep = world.upkeep()

    async def there() -> bool:
        await upkeep.round()
        return all([(await world.status(one))[0] == status for one in enrollments])

    await eventually(there)


def _everybody_got(world: World, contacts: list[str], count: int) -> None:
    got = {contact: len(world.recipients.inbox(world.address(contact))) for contact in contacts}
    assert got == dict.fromkeys(contacts, count)
    assert world.recipients.duplicates() == []


async def test_no_email_passes_the_switch_while_twenty_send(
    stack: Servers, fresh_database: str, recipients: Recipients
) -> None:
    rounds, senders = 5, 20
    async with open_world(
        stack.temporal_address, fresh_database, recipients, wake_per_second=1000, database_pool_size=30
    ) as world:
        await world.add_sequence(steps=100)
        contacts = [f"c{number}" for number in range(senders)]
        async with world.worker():
            await asyncio.gather(*(world.enroll(contact) for contact in contacts))
            for _ in range(rounds):
                seen = len(recipients.received())
                await eventually(_more_than(recipients, seen + senders // 2))
                async with world.database.transaction() as connection:
                    await gates.switch(
                        connection, "sequence", world.sequence, state="off", by="person:test", now=datetime.now(UTC)
                    )
                    # Under the switch's lock: every `sending` commit before it is seen, none can come until it commits.
                    before = await connection.fetchval(_SENDING)
                await _until_parked(world, senders)
                async with world.database.read() as connection:
                    assert await connection.fetchval(_SENDING) == before
                assert len(recipients.received()) == before
                await _switch(world, True)
            await _switch(world, False)
            await _until_parked(world, senders)
        assert recipients.duplicates() == []


_SENDING = "SELECT count(*) FROM send_ledger WHERE sending_at IS NOT NULL"


def _more_than(recipients: Recipients, count: int) -> Any:
    async def there() -> bool:
        return len(recipients.received()) > count

    return there


@pytest.mark.parametrize("gate", ["sequence", "global"])
async def test_off_shows_at_once_without_a_signal_and_on_restores_what_was(world: World, gate: str) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    ids = {contact: await world.enroll(contact) for contact in ("active", "paused", "finished", "due")}
    await world.clients.command(ids["paused"], "pause", {"by": "person:ana"})
    await world.clients.command(ids["finished"], "finish", {"by": "person:ana"})
    before = await _listed(world)
    assert before["active"] == ("active", None)
    await _switch(world, False, gate)
    off = await _listed(world)
    assert off == {
        "active": ("paused", "sequence_off"),
        "due": ("paused", "sequence_off"),
        "paused": ("paused", "manual"),
        "finished": ("finished", "manual"),
    }
    # One comes up while it is off: it parks, and its own status says so.
    await world.clients.command(ids["due"], "send_now", {"by": "person:ana"})
    await world.until_status(ids["due"], "paused", "sequence_off")
    assert await _parked(world, gate) == 1
    assert await _listed(world) == off
    await _switch(world, True, gate)
    await world.until_status(ids["due"], "finished", "completed")
    assert await _listed(world) == {**before, "due": ("finished", "completed")}
    assert await _parked(world, gate) == 0
    _everybody_got(world, ["due"], 1)
    for contact, enrollment in ids.items():
        signals = await play.count_events(world, play.workflow_id(world, contact), "workflow_execution_signaled")
        expected = {"active": 0, "paused": 1, "finished": 1, "due": 1}[contact]
        assert signals == expected, contact
        switches = [line["kind"] for line in await world.story(enrollment) if line["kind"].startswith("switch_")]
        assert switches == (["switch_off", "switch_on"] if contact != "finished" else []), contact


async def test_a_paused_contact_that_is_resumed_while_off_waits_for_the_switch(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    await _switch(world, False)
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.clients.command(enrollment, "send_now", {"by": "person:ana"})
    await world.until_status(enrollment, "paused", "sequence_off")
    # A person cannot resume past the switch; a pause on top of it stays when the switch is on again.
    assert (await world.clients.command(enrollment, "resume", {"by": "person:ana"})).remaining_holds == (
        "sequence_off",
    )
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    await _switch(world, True)
    await world.until_state(enrollment, lambda state: [hold.kind.value for hold in state.holds] == ["manual"])
    assert await _parked(world) == 0
    assert world.recipients.received() == []
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.until_status(enrollment, "finished", "completed")
    _everybody_got(world, ["anna"], 1)


async def test_toggling_quickly_leaves_nobody_behind_and_lets_nothing_out_while_off(world: World) -> None:
    await world.add_sequence(steps=6)
    contacts = [f"c{number}" for number in range(12)]
    enrollments = list(await asyncio.gather(*(world.enroll(contact) for contact in contacts)))
    dice = random.Random(7)
    for _ in range(12):
        await _switch(world, False)
        async with world.database.read() as connection:
            before = await connection.fetchval(_SENDING)
        await asyncio.sleep(dice.choice([0, 0.02, 0.1]))
        async with world.database.read() as connection:
            assert await connection.fetchval(_SENDING) == before
        await _switch(world, True)
        await asyncio.sleep(dice.choice([0, 0.01, 0.05]))
    await _wake_all(world, enrollments)
    _everybody_got(world, contacts, 6)
    assert await _parked(world) == 0


async def test_a_waker_that_is_lost_or_killed_is_made_good_by_upkeep(
    stack: Servers, fresh_database: str, recipients: Recipients
) -> None:
    async with open_world(stack.temporal_address, fresh_database, recipients, wake_per_second=4) as world:
        await world.add_sequence(steps=2)
        await _switch(world, False)
        contacts = [f"c{number}" for number in range(8)]
        async with world.worker():
            enrollments = list(await asyncio.gather(*(world.enroll(contact) for contact in contacts)))
            await _until_parked(world, len(contacts))
            epoch = await _switch(world, True)
            waker = world.client.get_workflow_handle(wake_id("sequence", world.sequence, epoch or 0))

            async def some() -> bool:
                return 0 < await _parked(world) < len(contacts)

            await eventually(some)
            await waker.terminate("killed in the middle")
            await _wake_all(world, enrollments)
            # Lost altogether: the switch was committed, its process died before it could start a waker.
            await world.add_sequence("lost", 1)
            await _switch(world, False)
            enrollments = [
                await world.enroll(contact, mailbox=world.mailbox, overrides=("active_in_other_sequence",))
                for contact in contacts[:3]
            ]
            await _until_parked(world, 3)
            async with world.database.transaction() as connection:
                await gates.switch(
                    connection, "sequence", world.sequence, state="on", by="person:test", now=datetime.now(UTC)
                )
            await _wake_all(world, enrollments)
        assert {len(recipients.inbox(world.address(contact))) for contact in contacts[:3]} == {3}
        assert {len(recipients.inbox(world.address(contact))) for contact in contacts[3:]} == {2}
        assert recipients.duplicates() == []


async def test_many_parked_take_slots_in_turn(stack: Servers, fresh_database: str, recipients: Recipients) -> None:
    many, an_hour = 100, 10
    async with open_world(
        stack.temporal_address, fresh_database, recipients, wake_per_second=2000, database_pool_size=20
    ) as world:
        await world.add_sequence(steps=[plain_step(1)])
        await _switch(world, False)
        async with world.worker():
            at_once = asyncio.Semaphore(30)

            async def enroll(contact: str) -> str:
                async with at_once:
                    return await world.enroll(contact)

            contacts = [f"c{number}" for number in range(many)]
            await asyncio.gather(*(enroll(contact) for contact in contacts))
            await _until_parked(world, many)
            limits = {"per_day": 10_000, "per_hour": an_hour, "gap": "0s", "new_per_day": 10_000}
            await world.add_mailbox(world.mailbox, limits=limits)
            await _switch(world, True)

            async def all_have_slots() -> bool:
                async with world.database.read() as connection:
                    return bool(await connection.fetchval("SELECT count(*) FROM slots") == many)

            await _until_parked(world, 0)
            await eventually(all_have_slots)

            async def first_hour_sent() -> bool:
                return len(recipients.received()) == an_hour

            await eventually(first_hour_sent)
            async with world.database.read() as connection:
                rows = await connection.fetch("SELECT at, used FROM slots ORDER BY at")
    times = [row["at"] for row in rows]
    assert sum(row["used"] for row in rows) == an_hour
    assert all(
        later - earlier >= timedelta(hours=1) - timedelta(seconds=2)
        for earlier, later in zip(times, times[an_hour:], strict=False)
    )
    assert len(recipients.received()) == an_hour
