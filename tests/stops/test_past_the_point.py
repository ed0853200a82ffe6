"""A stop that comes after the point of no return: the one email under way leaves, its outcome is recorded, none follows."""

from __future__ import annotations

import asyncio

import pytest

from embedded.recipients import Behaviour, Gate
from tests.harness import World, eventually
from tests.stops import play

ENDS = {
    "reply": ("finished", "replied"),
    "unsubscribe": ("finished", "unsubscribed"),
    "finish": ("finished", "manual"),
    "remove": ("removed", "removed"),
    "pause": ("paused", "manual"),
}


async def _enroll_until(world: World, contact: str, **at: Gate) -> str:
    world.recipients.behave(world.address(contact), Behaviour(**at))  # type: ignore[arg-type]
    enrollment = await world.enroll(contact)
    await asyncio.to_thread(next(iter(at.values())).wait_reached, 20)
    return enrollment


@pytest.mark.parametrize("way", ["client", "signal"])
async def test_the_email_under_way_is_the_last_and_its_outcome_is_recorded(world: World, way: str) -> None:
    await world.add_sequence(steps=2)
    gates = {contact: Gate() for contact in ENDS}
    enrollments = await asyncio.gather(
        *(_enroll_until(world, contact, before_data=gate) for contact, gate in gates.items())
    )
    for (stop, end), enrollment in zip(ENDS.items(), enrollments, strict=True):
        payload = {"by": "person:test", "id": f"stop/{stop}"}
        if way == "signal":
            await world.signal(stop, stop, payload)
        elif stop in ("reply", "unsubscribe"):
            await world.clients.fact(enrollment, stop, payload)
        else:
            await world.clients.command(enrollment, stop, payload)
        await world.until_status(enrollment, *end)  # recorded beside the running `deliver`
    for gate in gates.values():
        gate.open()
    for (stop, end), enrollment in zip(ENDS.items(), enrollments, strict=True):
        state = await world.until_state(enrollment, lambda state: state.sent == 1)
        assert await world.status(enrollment) == end
        assert [row["state"] for row in await world.ledger(enrollment)] == ["sent"]
        assert state.slot is None
        assert (await world.kinds(enrollment)).count("sent") == 1
        if stop != "pause":
            await world.client.get_workflow_handle(play.workflow_id(world, stop)).result()
        assert await play.health(world, play.workflow_id(world, stop)) == []
    paused = enrollments[list(ENDS).index("pause")]
    await world.clients.command(paused, "resume", {"by": "person:test"})
    await world.until_status(paused, "finished", "completed")
    for stop in ENDS:
        got = [mail.subject for mail in world.recipients.inbox(world.address(stop))]
        assert got == (["Subject 1", "Subject 2"] if stop == "pause" else ["Subject 1"]), stop


async def test_a_step_skipped_while_its_email_stands_at_the_door_does_not_leave(world: World) -> None:
    await world.add_sequence(steps=2)
    gate = Gate()
    enrollment = await _enroll_until(world, "anna", before_rcpt=gate)
    await world.clients.command(enrollment, "skip", {"by": "person:ana"})
    gate.open()
    await world.until_status(enrollment, "finished", "completed")
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == ["Subject 2"]
    rows = {row["step_id"]: row["state"] for row in await world.ledger(enrollment)}
    assert rows == {"step1": "withdrawn", "step2": "sent"}


async def test_paused_and_resumed_while_its_email_stands_at_the_door_it_leaves_once(world: World) -> None:
    await world.add_sequence(steps=1)
    gate = Gate()
    enrollment = await _enroll_until(world, "anna", before_rcpt=gate)
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    await world.signal("anna", "resume", {"by": "person:ana"})

    async def resumed() -> bool:
        return "resume" in await world.kinds(enrollment)

    await eventually(resumed, lambda: world.describe(enrollment))
    gate.open()
    await world.until_status(enrollment, "finished", "completed")
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == ["Subject 1"]


@pytest.mark.parametrize("way", ["client", "signal"])
@pytest.mark.parametrize("step", [1, 2])
async def test_a_bounce_that_overtakes_the_answer_to_its_email_is_not_lost(world: World, way: str, step: int) -> None:
    await world.add_sequence(steps=3)
    gate, address = Gate(), world.address("anna")
    last = Behaviour(before_end=gate)
    first = Behaviour(before_end=lambda: world.recipients.behave(address, last))
    world.recipients.behave(address, first if step == 2 else last)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 20)
    mail = world.recipients.inbox(address)[-1]
    payload = {"by": "mail:imap", "id": "dsn/1", "message_id": mail.message_id}
    if way == "client":
        world.clients.patience = 0.1
        assert (await world.clients.fact(enrollment, "bounce", payload)).adopted is False
    else:
        await world.signal("anna", "bounce", payload)
    gate.open()
    state = await world.until_status(enrollment, "bounced", "hard_bounce")
    assert state.step is not None
    assert state.step.number == step
    await play.until_adopted(world, enrollment)
    assert len(world.recipients.inbox(address)) == step
    assert (await world.kinds(enrollment)).count("bounce") == 1
    assert await play.health(world, play.workflow_id(world, "anna")) == []
