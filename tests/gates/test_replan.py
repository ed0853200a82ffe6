"""After an edit of a schedule or of limits what is booked is placed anew: earlier or later, in order, once, and nobody is
told for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.replanning import ReplanInput, replan_id
from embedded.recipients import Recipients
from tests.harness import World, eventually, open_world, plain_step
from tests.servers import Servers
from tests.stops import play

HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("activities.replanning.MARGIN", timedelta(seconds=1))
    monkeypatch.setattr("activities.replanning.PAGE", 3)


async def _limit(world: World, per_hour: int, gap: str = "0s", **more: str) -> None:
    limits = {"per_day": 10_000, "per_hour": per_hour, "gap": gap, "new_per_day": 10_000}
    world.mailbox = await world.add_mailbox(world.mailbox or None, limits=limits, **more)


async def _replan(world: World, number: int) -> dict[str, int]:
    """What the worker's upkeep starts after edit `number`; answers what it did."""
    await world.upkeep().replan_edited()
    handle: Any = world.client.get_workflow_handle(replan_id(world.mailbox, number))
    counts: dict[str, int] = await handle.result()
    return counts


async def _booked(world: World, enrollments: Iterable[str]) -> list[datetime]:
    async with world.database.read() as connection:
        rows = await connection.fetch("SELECT enrollment_id, at FROM slots WHERE NOT used")
    at = {str(row["enrollment_id"]): row["at"] for row in rows}
    return [at[one] for one in enrollments if one in at]


async def _signals(world: World, contacts: Iterable[str]) -> list[int]:
    return [
        await play.count_events(world, play.workflow_id(world, contact), "workflow_execution_signaled")
        for contact in contacts
    ]


async def _known(world: World, enrollments: Iterable[str]) -> list[datetime]:
    """The slots that the workflows themselves know of."""
    answers = [await world.clients.own_status(one) for one in enrollments]
    return [datetime.fromisoformat(one["slot"]["at"]) for one in answers]


async def test_a_raised_limit_lets_those_who_wait_leave_earlier_in_order_and_within_it(world: World) -> None:
    await _limit(world, per_hour=2)
    await world.add_sequence(steps=[plain_step(1)])
    contacts = [f"c{number}" for number in range(8)]
    ids = [await world.enroll(contact) for contact in contacts]
    far = await world.add_sequence("far", steps=[plain_step(1, wait="30d")])
    other = await world.enroll("far")
    await world.until_status(ids[1], "finished")
    before = await _booked(world, [*ids, other])
    assert len(before) == 7
    await _limit(world, per_hour=6, gap="1s")
    assert await _replan(world, 1) == {"placed": 7, "earlier": 6, "later": 0}
    for enrollment in ids[:6]:
        await world.until_status(enrollment, "finished")
    assert [len(world.recipients.inbox(world.address(contact))) for contact in contacts] == [1] * 6 + [0] * 2
    async with world.database.read() as connection:
        left = [row["at"] for row in await connection.fetch("SELECT at FROM slots WHERE used ORDER BY at")]
        order = await connection.fetch("SELECT enrollment_id FROM send_ledger ORDER BY sending_at")
    assert [str(row["enrollment_id"]) for row in order] == ids[:6]
    # The rest of them are as early as the new limit allows, and their workflows know it; the one far off was not disturbed.
    later = await _booked(world, [*ids, other])
    assert timedelta(0) <= later[0] - (left[0] + HOUR) < timedelta(seconds=2)
    assert later[0] < before[-3]
    assert later[-1] == before[-1]
    assert await _known(world, [*ids[6:], other]) == later
    world.sequence = far.replace("far", "spring")
    assert await _signals(world, contacts) == [0, 0, 1, 1, 1, 1, 1, 1]
    world.sequence = far
    assert await _signals(world, ["far"]) == [0]


async def test_a_lowered_limit_moves_later_without_a_signal_and_loses_no_step(world: World) -> None:
    await _limit(world, per_hour=3)
    await world.add_sequence(steps=[plain_step(1, wait="15s")])
    contacts = [f"c{number}" for number in range(5)]
    ids = [await world.enroll(contact) for contact in contacts]
    await _limit(world, per_hour=1)
    counts = await _replan(world, 1)
    assert counts == {"placed": 5, "earlier": 0, "later": 4}
    booked = await _booked(world, ids)
    assert [round((at - booked[0]) / HOUR, 3) for at in booked] == [0, 1, 2, 3, 4]
    await world.until_status(ids[0], "finished")

    async def learned() -> bool:
        return await _known(world, ids[1:3]) == booked[1:3]

    # Two came up at their old times and found their places kept.
    await eventually(learned)
    assert await _booked(world, ids[1:]) == booked[1:]
    assert len(world.recipients.received()) == 1
    assert await _signals(world, contacts) == [0] * 5
    await _limit(world, per_hour=10_000, gap="1s")
    await _replan(world, 2)
    for enrollment in ids:
        await world.until_status(enrollment, "finished", "completed")
    assert [len(world.recipients.inbox(world.address(contact))) for contact in contacts] == [1] * 5
    async with world.database.read() as connection:
        order = await connection.fetch("SELECT enrollment_id FROM send_ledger ORDER BY sending_at")
    assert [str(row["enrollment_id"]) for row in order] == ids


async def test_a_window_that_opens_earlier_is_used_at_once(world: World) -> None:
    day = (datetime.now(UTC) + timedelta(days=3)).strftime("%a").lower()
    await world.add_schedule("narrow", {day: [{"start": "09:00", "end": "17:00"}]})
    await _limit(world, per_hour=10_000)
    await world.add_sequence(steps=[plain_step(1)], schedule="narrow")
    ids = [await world.enroll(contact) for contact in ("anna", "bert")]
    assert all(at > datetime.now(UTC) + timedelta(days=1) for at in await _booked(world, ids))
    await world.add_schedule("narrow")
    assert (await _replan(world, 1))["earlier"] == 2
    for enrollment in ids:
        await world.until_status(enrollment, "finished", "completed")
        assert (await world.kinds(enrollment)).count("replanned") == 1


async def test_a_replan_that_is_killed_goes_on_and_repeated_it_changes_nothing(
    stack: Servers, fresh_database: str, recipients: Recipients
) -> None:
    async with open_world(stack.temporal_address, fresh_database, recipients, wake_per_second=5) as world:
        await _limit(world, per_hour=1)
        await world.add_sequence(steps=[plain_step(1, wait="1h")])
        contacts = [f"c{number}" for number in range(8)]
        async with world.worker():
            ids = [await world.enroll(contact) for contact in contacts]
            await _limit(world, per_hour=100)
            await world.upkeep().replan_edited()

            async def some() -> bool:
                return 0 < sum(await _signals(world, contacts)) < 7

            await eventually(some)
            await world.client.get_workflow_handle(replan_id(world.mailbox, 1)).terminate("killed in the middle")
            await _replan(world, 1)
            booked = await _booked(world, ids)
            assert booked == sorted(booked)
            assert booked[-1] - booked[0] < timedelta(minutes=1)

            async def known() -> bool:
                return await _known(world, ids) == booked

            await eventually(known)
            assert [(await world.kinds(one)).count("replanned") for one in ids] == [0] + [1] * 7
            signals = await _signals(world, contacts)
            again = await world.client.execute_workflow(
                "Replan",
                ReplanInput(mailbox=world.mailbox, number=1),
                id=replan_id(world.mailbox, 1),
                task_queue=world.settings.task_queue,
            )
            assert again == {"placed": 8, "earlier": 0, "later": 0}
            assert await _booked(world, ids) == booked
            assert await _signals(world, contacts) == signals
            # No edit asks for it any more, nor does one that changes nothing of when emails leave.
            await _limit(world, per_hour=100, reply_to="answers@sender.test")
            async with world.database.read() as connection:
                assert await connection.fetchval("SELECT count(*) FROM replans WHERE wanted > done") == 0
