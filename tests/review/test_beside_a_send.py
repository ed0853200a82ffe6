"""What comes beside a running send and changes nothing must not be taken for what the send led to."""

from __future__ import annotations

import asyncio
from functools import partial

from embedded.recipients import Behaviour, Gate
from tests.harness import World, eventually
from tests.stops import play


async def test_a_refused_signal_beside_the_last_send_leaves_no_stale_record(world: World) -> None:
    """It is recorded while `deliver` runs, under the version that `deliver` was to project under."""
    gates = {"anna": Gate(), "bert": Gate()}
    world.recipients.behave(world.address("anna"), Behaviour(before_end=gates["anna"]))
    world.recipients.behave(world.address("bert"), Behaviour(before_end=gates["bert"], at_end="550 5.1.1 no such user"))
    await world.add_sequence(steps=1)
    enrollments = {contact: await world.enroll(contact) for contact in gates}
    for contact, gate in gates.items():
        await asyncio.to_thread(gate.wait_reached, 30)
        await world.signal(contact, "frobnicate")
        await eventually(partial(_told, world, enrollments[contact]))
        gate.open()
    await world.until_status(enrollments["anna"], "finished", "completed")
    await world.until_status(enrollments["bert"], "bounced", "hard_bounce")
    for contact, enrollment in enrollments.items():
        own = await world.clients.own_status(enrollment)
        assert own["own_status"] == (await world.row(enrollment))["status"]
        assert await play.health(world, play.workflow_id(world, contact)) == []


async def _told(world: World, enrollment: str) -> bool:
    return "unknown_signal" in await world.kinds(enrollment)
