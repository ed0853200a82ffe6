"""Stop marks: they hold by themselves, are signalled again until adopted, and are cleared only once adopted."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from domain.errors import Refused
from embedded.recipients import Behaviour, Gate
from store import marks
from store.marks import Mark
from tests.harness import World, eventually, plain_step
from tests.stops import play


async def _mark(world: World, enrollment: str, contact: str, name: str, **payload: Any) -> None:
    """A mark whose writer was lost before it could tell the workflow."""
    body = {"id": f"lost/{contact}", "by": "person:test", **payload}
    async with world.database.transaction() as connection:
        await marks.lock_rows(connection, [enrollment])
        mark = Mark(enrollment, play.workflow_id(world, contact), name, body)
        await marks.place(connection, mark, now=datetime.now(UTC))


async def _at_the_door(world: World, contact: str) -> tuple[Gate, str]:
    """Enroll, and wait until the first email's session stands before the answer to RCPT."""
    door = Gate()
    world.recipients.behave(world.address(contact), Behaviour(before_rcpt=door))
    enrollment = await world.enroll(contact)
    await asyncio.to_thread(door.wait_reached, 20)
    return door, enrollment


@pytest.mark.parametrize(
    ("name", "status"), [("pause", "paused"), ("reply", "finished"), ("unsubscribe", "finished"), ("remove", "removed")]
)
async def test_a_mark_that_nobody_signalled_stops_the_email_and_is_taken_up_by_the_send(
    world: World, name: str, status: str
) -> None:
    await world.add_sequence(steps=1)
    door, enrollment = await _at_the_door(world, "anna")
    await _mark(world, enrollment, "anna", name)
    door.open()
    await world.until_status(enrollment, status)
    assert await play.pending_marks(world, enrollment) == []
    assert world.recipients.inbox(world.address("anna")) == []
    assert [row["state"] for row in await world.ledger(enrollment)] == ["withdrawn"]
    assert (await world.kinds(enrollment)).count(name) == 1


async def test_the_sweeper_signals_a_forgotten_mark_again(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await _mark(world, enrollment, "anna", "pause")
    upkeep = world.upkeep()

    async def swept() -> bool:
        return await upkeep.signal_forgotten() > 0

    await eventually(swept)
    await world.until_status(enrollment, "paused", "manual")
    await play.until_adopted(world, enrollment)
    assert await upkeep.signal_forgotten() == 0
    assert (await world.kinds(enrollment)).count("pause") == 1


async def test_resume_does_not_clear_a_pause_that_is_not_adopted(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    await _mark(world, enrollment, "anna", "pause")
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.clients.command(enrollment, "send_now", {"by": "person:ana"})
    state = await world.until_status(enrollment, "paused", "manual")
    assert state.sent == 0
    assert world.recipients.inbox(world.address("anna")) == []
    assert await play.pending_marks(world, enrollment) == []
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.until_status(enrollment, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_the_same_id_has_the_same_effect_once(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    say = {"by": "person:ana", "id": "one"}
    first = await world.clients.command(enrollment, "pause", say)
    again = await world.clients.command(enrollment, "pause", say)
    await world.signal("anna", "pause", say)
    assert (first.status, again.status) == ("paused", "paused")
    await world.clients.command(enrollment, "resume", {"by": "person:ana", "id": "two"})
    # Late copies of what was already said: the pause does not come back, the resume is not refused.
    await world.signal("anna", "pause", say)
    late = await world.clients.command(enrollment, "pause", say)
    resumed = await world.clients.command(enrollment, "resume", {"by": "person:ana", "id": "two"})
    assert (late.status, resumed.status) == ("active", "active")
    assert await world.kinds(enrollment) == ["enrolled", "pause", "resume"]
    assert await play.pending_marks(world, enrollment) == []


async def test_a_second_message_with_the_id_of_another_is_not_a_new_mark(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.clients.command(enrollment, "pause", {"by": "person:ana", "id": "one"})
    answer = await world.clients.command(enrollment, "finish", {"by": "person:ana", "id": "one"})
    assert answer.status == "paused"
    assert await play.pending_marks(world, enrollment) == []


async def test_commands_that_the_state_does_not_allow_place_no_mark(world: World) -> None:
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.clients.command(enrollment, "finish", {"by": "person:ana"})
    with pytest.raises(Refused) as refused:
        await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    assert refused.value.code == "finished"
    assert refused.value.allowed == ("remove",)
    assert await play.pending_marks(world, enrollment) == []
