"""What `explain` reads beside the state: the figures of the calendar, other emails to the contact, the server's word, who did it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from activities.services import valid_address
from client import reading
from embedded.recipients import Behaviour, Recipients
from mail.filling import gap_finder
from tests.harness import World, open_world, plain_step
from tests.servers import Servers

TWO_A_DAY = {"per_day": 2, "per_hour": 100, "gap": "0s", "new_per_day": 10}


async def explained(world: World, enrollment: str) -> dict[str, Any]:
    return await reading.explain(
        world.database, enrollment, now=datetime.now(UTC), valid=valid_address, gaps=gap_finder(None)
    )


async def test_a_full_day_and_a_touch_gap_are_told_with_their_figures(world: World) -> None:
    full = await world.add_mailbox(f"full-{world.token}", limits=TWO_A_DAY)
    spring = await world.add_sequence(steps=[plain_step(1)], mailboxes=[full])
    for contact in ("anna", "bea"):
        await world.until_sent(await world.enroll(contact), 1)
    told = await explained(world, await world.enroll("carl"))
    first = told["waits"][0]
    assert (first["code"], first["sent"], first["booked"], first["limit"]) == ("per_day", 2, 0, 2)
    assert first["until"] == told["slot"]["at"]
    assert "daily limit 2 of 2" in told["sentence"]
    # Who comes behind meets what was booked before.
    behind = await explained(world, await world.enroll("dora"))
    assert behind["slot"]["at"] == told["slot"]["at"]

    autumn = await world.add_sequence("autumn", steps=[plain_step(1)], settings={"touch_gap": "36h"})
    told = await explained(world, await world.enroll("anna", autumn))
    (only,) = told["waits"]
    assert (only["code"], only["other"], only["until"]) == ("touch_gap", spring, told["slot"]["at"])


async def test_a_deferral_is_told_with_what_the_server_said(
    stack: Servers, fresh_database: str, recipients: Recipients
) -> None:
    async with (
        open_world(stack.temporal_address, fresh_database, recipients, defer_base_seconds=3600) as world,
        world.worker(),
    ):
        recipients.behave(world.address("anna"), Behaviour(at_rcpt="451 4.7.1 Greylisted, come back"))
        await world.add_sequence(steps=1)
        enrollment = await world.enroll("anna")
        await world.until_state(enrollment, lambda state: state.slot is not None and state.slot.cause == "deferred")
        told = await explained(world, enrollment)
        first = told["waits"][0]
        assert (first["code"], first["tries"], first["until"]) == ("deferred", 1, told["slot"]["at"])
        assert "451 4.7.1 Greylisted, come back" in told["sentence"]


async def test_holds_and_switches_name_who_set_them(world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.clients.switch("sequence", key, on=False, by="person:ana")
    told = await explained(world, enrollment)
    assert (told["status"], told["switch"]["by"], told["waits"]) == ("paused", "person:ana", [])
    assert "switched off by ana (a person)" in told["sentence"]
    await world.clients.switch("sequence", key, on=True, by="person:ana")

    await world.fact(enrollment, "out_of_office", by="mail:m-7", return_date="2099-12-01")
    await world.until_state(enrollment, lambda state: bool(state.holds and state.holds[0].until))
    (hold,) = (await explained(world, enrollment))["holds"]
    assert hold["source"].startswith("set by the inbound mail m-7 since")
    assert hold["released_by"][-1] == "resume"
