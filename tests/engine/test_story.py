"""An undisturbed enrollment, from the enrollment to the provisional end."""

from __future__ import annotations

from tests.harness import World


async def test_every_step_arrives_once_and_in_order(world: World) -> None:
    await world.add_sequence(steps=3)
    enrollment = await world.enroll("anna")
    state = await world.until_status(enrollment, "finished", "completed")
    mails = world.recipients.inbox(world.address("anna"))
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2", "Subject 3"]
    assert state.sent == 3
    assert state.settle_until is not None
    assert await world.kinds(enrollment) == ["enrolled", "sent", "sent", "sent"]
    assert {row["state"] for row in await world.ledger(enrollment)} == {"sent"}
