"""Mail that comes after the last step, and after the close: it amends the record by the same rules; nothing restarts."""

from __future__ import annotations

from datetime import UTC, datetime

from store import marks
from store.marks import Mark
from tests.harness import World, eventually, plain_step
from tests.stops import play


async def _stage(world: World, contact: str) -> str:
    async with world.database.read() as connection:
        return str(await connection.fetchval("SELECT stage FROM contacts WHERE id = $1", contact))


async def _suppressed(world: World, contact: str) -> str | None:
    async with world.database.read() as connection:
        found = await connection.fetchval("SELECT reason FROM suppressions WHERE address = $1", world.address(contact))
    return None if found is None else str(found)


async def _settled(world: World, contact: str) -> str:
    """An enrollment that went all the way and got no answer; its workflow has ended."""
    await world.add_sequence(steps=1, settings={"settle": "0s"})
    enrollment = await world.enroll(contact)
    await world.until_status(enrollment, "finished", "no_reply")
    await world.client.get_workflow_handle(play.workflow_id(world, contact)).result()
    return enrollment


async def test_no_answer_within_the_settle_time_makes_the_contact_unresponsive(world: World) -> None:
    enrollment = await _settled(world, "anna")
    assert await _stage(world, "anna") == "Unresponsive"
    assert await world.kinds(enrollment) == ["enrolled", "sent", "settled"]


async def test_a_reply_after_the_close_makes_it_replied(world: World) -> None:
    enrollment = await _settled(world, "anna")
    (mail,) = world.recipients.inbox(world.address("anna"))
    fact = {"by": "mail:imap", "id": "reply/1", "message_id": mail.message_id}
    answer = await world.clients.fact(enrollment, "reply", fact)
    again = await world.clients.fact(enrollment, "reply", fact)
    assert (answer.status, answer.reason) == (again.status, again.reason) == ("finished", "replied")
    assert await _stage(world, "anna") == "Replied"
    assert await world.kinds(enrollment) == ["enrolled", "sent", "settled", "reply"]
    row = await world.row(enrollment)
    assert row["closed"]
    assert await play.pending_marks(world, enrollment) == []


async def test_an_unsubscription_after_the_close_suppresses_everywhere(world: World) -> None:
    enrollment = await _settled(world, "anna")
    await world.add_sequence("other", [plain_step(1, wait="1h")])
    other = await world.enroll("anna")
    await world.clients.fact(enrollment, "unsubscribe", {"by": "link"})
    assert await _suppressed(world, "anna") == "unsubscribed"
    assert await _stage(world, "anna") == "Do Not Contact"
    await world.until_status(enrollment, "finished", "unsubscribed")
    await world.until_status(other, "finished", "unsubscribed")
    refused = await world.clients.enroll(world.sequence, "anna", by="person:test")
    assert refused.refused[0]["code"] == "unsubscribed"


async def test_an_unsubscription_after_a_final_outcome_keeps_the_outcome(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.clients.command(enrollment, "finish", {"by": "person:ana", "outcome": "meeting_booked"})
    await world.client.get_workflow_handle(play.workflow_id(world, "anna")).result()
    await world.clients.fact(enrollment, "unsubscribe", {"by": "link"})
    assert await world.status(enrollment) == ("finished", "meeting_booked")
    assert await _suppressed(world, "anna") == "unsubscribed"
    assert (await world.story(enrollment))[-1]["data"] == {"noted": "already_ended"}


async def test_a_bounce_in_the_settle_time_withdraws_completed(world: World) -> None:
    await world.add_sequence(steps=2)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "finished", "completed")
    _, last = world.recipients.inbox(world.address("anna"))
    await world.clients.fact(enrollment, "bounce", {"by": "mail:imap", "message_id": last.message_id})
    state = await world.until_status(enrollment, "bounced", "hard_bounce")
    assert state.step is not None
    assert state.step.id == "step2"
    assert state.outcome is None
    assert await _stage(world, "anna") == "Bad Data"
    assert await play.health(world, play.workflow_id(world, "anna")) == []


async def test_a_reply_in_the_settle_time_is_the_outcome_and_closes(world: World) -> None:
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "finished", "completed")
    await world.clients.fact(enrollment, "reply", {"by": "mail:imap", "interest": "interested"})
    await world.until_status(enrollment, "finished", "interested")
    result = await world.client.get_workflow_handle(play.workflow_id(world, "anna")).result()
    assert result["reason"] == "interested"
    assert await _stage(world, "anna") == "Interested"


async def test_a_bounce_after_the_close_is_noted_and_marks_the_address(world: World) -> None:
    enrollment = await _settled(world, "anna")
    (mail,) = world.recipients.inbox(world.address("anna"))
    await world.clients.fact(enrollment, "bounce", {"by": "mail:imap", "message_id": mail.message_id})
    assert await world.status(enrollment) == ("finished", "no_reply")
    async with world.database.read() as connection:
        assert await connection.fetchval("SELECT email_status FROM contacts WHERE id = 'anna'") == "bounced"


async def test_enrolling_again_in_the_settle_time_closes_the_settling_run_first(world: World) -> None:
    await world.add_sequence(steps=1)
    first = await world.enroll("anna")
    await world.until_status(first, "finished", "completed")
    second = await world.enroll("anna")
    assert second != first
    assert (await world.row(first))["closed"]
    assert (await world.kinds(first))[-1] == "close_settling"
    await world.until_status(second, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 2
    # A late reply to the first email amends the first record, and leaves the second as it is.
    mail, _ = world.recipients.inbox(world.address("anna"))
    await world.clients.fact(first, "reply", {"by": "mail:imap", "message_id": mail.message_id})
    assert await world.status(first) == ("finished", "replied")
    assert "reply" not in await world.kinds(second)


async def test_a_forgotten_mark_of_a_closed_record_amends_it_and_not_the_enrollment_after_it(world: World) -> None:
    first = await _settled(world, "anna")
    second = await world.enroll("anna")
    async with world.database.transaction() as connection:
        mark = Mark(first, play.workflow_id(world, "anna"), "reply", {"id": "late/1", "by": "mail:imap"})
        await marks.place(connection, mark, now=datetime.now(UTC))
    upkeep = world.upkeep()

    async def swept() -> bool:
        return await upkeep.signal_forgotten() > 0

    await eventually(swept)
    assert await world.status(first) == ("finished", "replied")
    assert await play.pending_marks(world, first) == []
    assert "reply" not in await world.kinds(second)


async def test_a_late_reply_concerns_only_the_record_that_it_names(world: World) -> None:
    first = await _settled(world, "anna")
    await world.add_sequence("next", [plain_step(1, wait="1h")])
    second = await world.enroll("anna")
    await world.clients.fact(first, "reply", {"by": "mail:imap"})
    assert await world.status(first) == ("finished", "replied")
    assert await world.status(second) == ("active", None)
