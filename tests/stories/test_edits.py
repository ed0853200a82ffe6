"""A sequence is edited while people are in it: they go on sensibly, and nobody gets a step twice."""

from __future__ import annotations

from email import message_from_bytes
from email.message import Message
from typing import Any

from tests.harness import World, plain_step


def steps(*ids: str | dict[str, Any]) -> list[dict[str, Any]]:
    """Steps by ID, with the ID as subject; the first leaves at once, the others wait for `send_now`."""
    named = [{"id": one} if isinstance(one, str) else one for one in ids]
    return [
        {"subject": f"Subject {one['id']}", "text": "Hello.", "wait": "0s" if number == 0 else "1h", **one}
        for number, one in enumerate(named)
    ]


async def at_second_step(world: World, *ids: str | dict[str, Any], **settings: Any) -> str:
    """Anna has got the first step of this sequence and waits for the second."""
    await world.add_sequence(steps=steps(*ids), settings=settings)
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    return enrollment


async def send_the_rest(world: World, enrollment: str) -> list[str]:
    """Say `send_now` until it is over; the subjects that arrived."""
    while True:
        state = await world.until_state(
            enrollment, lambda state: state.outcome is not None or (state.slot is not None and not state.hurried)
        )
        if state.outcome is not None:
            break
        await world.command(enrollment, "send_now")
        await world.until_sent(enrollment, state.sent + 1)
    mails = await world.until_mails("anna", state.sent)
    return [mail.subject.removeprefix("Subject ") for mail in mails]


async def test_a_changed_text_reaches_those_who_wait_for_the_step(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b")
    await world.add_sequence(steps=steps("a", {"id": "b", "subject": "Subject new b"}))
    assert await send_the_rest(world, enrollment) == ["a", "new b"]


async def test_a_deleted_step_gives_way_to_the_one_after_it(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b", "c")
    await world.add_sequence(steps=steps("a", "c"))
    assert await send_the_rest(world, enrollment) == ["a", "c"]


async def test_deleting_the_last_step_ends_the_sequence_for_those_who_wait_for_it(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b")
    await world.add_sequence(steps=steps("a"))
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_a_step_inserted_behind_is_sent_and_one_inserted_before_is_not(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b", "c")
    await world.add_sequence(steps=steps("a", "early", "b", "late", "c"))
    assert await send_the_rest(world, enrollment) == ["a", "b", "late", "c"]
    step = (await world.state(enrollment)).step
    assert step is not None
    assert (step.id, step.number, step.total) == ("c", 5, 5)


async def test_a_step_moved_behind_is_not_sent_again(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b", "c")
    await world.add_sequence(steps=steps("b", "a", "c"))
    assert await send_the_rest(world, enrollment) == ["a", "b", "c"]


async def test_a_sent_step_is_not_sent_again_in_place_of_a_deleted_one(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b", "c")
    await world.add_sequence(steps=steps("c", "a"))
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_a_skipped_last_step_that_is_moved_to_the_front_ends_the_sequence(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b")
    await world.add_sequence(steps=steps("b", "a"))
    await world.command(enrollment, "skip")
    await world.until_status(enrollment, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_a_halted_step_that_was_deleted_is_left_behind_on_retry(world: World) -> None:
    enrollment = await at_second_step(world, "a", {"id": "b", "text": "In {{ contact.city }}"}, "c")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "not_sent", "variable_missing")
    await world.add_sequence(steps=steps("a", "c"))
    await world.command(enrollment, "retry")
    await world.until_status(enrollment, "finished", "completed")
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == ["Subject a", "Subject c"]
    assert {(row["step_id"], row["attempt"]) for row in await world.ledger(enrollment)} == {("a", 1), ("c", 1)}


async def test_a_changed_policy_reaches_those_who_are_in_the_sequence(world: World) -> None:
    enrollment = await at_second_step(world, "a", "b", "c")
    await world.add_sequence(steps=steps("a", "b", "c"), settings={"finish_on_reply": False})
    await world.command(enrollment, "send_now")
    await world.until_sent(enrollment, 2)
    await world.fact(enrollment, "reply")
    assert await world.status(enrollment) == ("active", None)
    assert await send_the_rest(world, enrollment) == ["a", "b", "c"]


async def test_replies_in_thread_carry_the_headers_that_mail_programs_thread_by(world: World) -> None:
    await world.add_sequence(
        steps=[plain_step(1), {"id": "step2", "thread": "reply", "text": "Second."}, plain_step(3, thread="reply")]
    )
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "finished", "completed")
    first, second, third = (message_from_bytes(mail.body) for mail in await world.until_mails("anna", 3))
    assert [mail["Subject"] for mail in (first, second)] == ["Subject 1", "Re: Subject 1"]
    assert str(third["Subject"]).startswith("Re: ")
    assert second["In-Reply-To"] == first["Message-ID"]
    assert references(second) == [first["Message-ID"]]
    assert third["In-Reply-To"] == second["Message-ID"]
    assert references(third) == [first["Message-ID"], second["Message-ID"]]
    assert first["In-Reply-To"] is None


def references(mail: Message) -> list[str]:
    return str(mail["References"]).split()
