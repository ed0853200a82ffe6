"""The connection is lost after the final dot: nobody knows whether the email left, and only a person or evidence says."""

from __future__ import annotations

import pytest

from domain.errors import Refused
from embedded.recipients import Behaviour
from tests.durability.play import assert_nothing_twice
from tests.harness import World

PERSON = {"by": "person:ana"}


async def test_a_lost_reply_is_unknown_and_never_sent_again_by_itself(world: World) -> None:
    world.recipients.behave("*", Behaviour(drop="end"))
    for number in range(5):
        world.recipients.behave(world.address(f"well{number}"), Behaviour())
    await world.add_sequence(steps=2)
    lost = [await world.enroll(f"lost{number}") for number in range(5)]
    well = [await world.enroll(f"well{number}") for number in range(5)]

    for enrollment in well:
        await world.until_status(enrollment, "finished", "completed")
    for number, enrollment in enumerate(lost):
        await world.until_status(enrollment, "paused", "delivery_unknown")
        assert (await world.kinds(enrollment))[-1] == "delivery_unknown"
        with pytest.raises(Refused):
            await world.clients.command(enrollment, "retry", PERSON)
        # Resume does not release it: it would send the step again.
        answer = await world.clients.command(enrollment, "resume", PERSON)
        assert answer.remaining_holds == ("delivery_unknown",)
        assert len(world.recipients.inbox(world.address(f"lost{number}"))) == 1
    await world.upkeep().round()
    assert_nothing_twice(world)


async def test_settled_as_sent_the_next_step_follows(world: World) -> None:
    await _lose_the_first(world)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    world.recipients.behave("*", Behaviour())
    await world.clients.command(enrollment, "settle_delivery", {**PERSON, "verdict": "sent"})
    state = await world.until_status(enrollment, "finished", "completed")

    assert state.sent == 2
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == ["Subject 1", "Subject 2"]
    first, second = await world.ledger(enrollment)
    assert (first["state"], first["settled_by"], first["settled_as"]) == ("sent", "person:ana", "sent")
    assert (second["state"], second["attempt"]) == ("sent", 1)


async def test_settled_as_not_sent_the_step_goes_out_once_more(world: World) -> None:
    await _lose_the_first(world)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    world.recipients.behave("*", Behaviour())
    await world.clients.command(enrollment, "settle_delivery", {**PERSON, "verdict": "not_sent"})
    state = await world.until_status(enrollment, "finished", "completed")

    # The person was wrong: the first had arrived. It is their word that sent it again, under another Message-ID.
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == [
        "Subject 1",
        "Subject 1",
        "Subject 2",
    ]
    assert world.recipients.duplicates() == []
    assert state.sent == 2
    told = [(row["step_id"], row["attempt"], row["state"], row["settled_as"]) for row in await world.ledger(enrollment)]
    assert told == [("step1", 1, "unknown", "not_sent"), ("step1", 2, "sent", None), ("step2", 1, "sent", None)]


async def _lose_the_first(world: World) -> None:
    world.recipients.behave("*", Behaviour(drop="end"))
    await world.add_sequence(steps=2)
