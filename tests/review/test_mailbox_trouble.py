"""A mailbox in trouble costs its contacts nothing, and its server is not pestered."""

from __future__ import annotations

from embedded.recipients import Behaviour
from tests.harness import World, eventually, plain_step


async def test_a_login_does_not_open_a_mailbox_that_is_refused_after_login(world: World) -> None:
    await world.add_sequence(steps=1)
    sender = f"{world.mailbox}@sender.test"
    world.recipients.behave(sender, Behaviour(at_mail="550 5.7.1 Relaying denied"))
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "mailbox_down")
    async with world.database.read() as connection:
        row = await connection.fetchrow("SELECT state, state_code FROM mailboxes WHERE id = $1", world.mailbox)
    assert tuple(row) == ("down", "refused_after_login")
    # The login works all the while.
    await world.upkeep().probe_mailboxes()
    assert await world.status(enrollment) == ("paused", "mailbox_down")


async def test_a_mailbox_told_to_slow_down_keeps_no_slot_before_that(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="2s")])
    enrollment = await world.enroll("anna")
    async with world.database.transaction() as connection:
        await connection.execute(
            "UPDATE mailboxes SET not_before = now() + interval '1 hour' WHERE id = $1", world.mailbox
        )

    async def rebooked() -> bool:
        state = await world.state(enrollment)
        return state.slot is not None and state.slot.cause == "backoff"

    await eventually(rebooked, lambda: world.describe(enrollment))
    assert world.recipients.received() == []


async def test_a_wrong_password_is_tried_less_and_less(world: World) -> None:
    await world.add_sequence(steps=1)
    world.recipients.stop()
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "mailbox_down")
    upkeep = world.upkeep()
    upkeep.every = 3600.0
    await upkeep.probe_mailboxes()
    world.recipients.start()
    await upkeep.probe_mailboxes()
    assert await world.status(enrollment) == ("paused", "mailbox_down"), "the second look came too soon"
