"""What comes back from people: replies, a colleague's reply, a meeting, a farewell, a complaint."""

from __future__ import annotations

from tests.harness import World, plain_step

STEPS = [plain_step(1), plain_step(2, wait="1h")]


async def enrolled(world: World, contact: str, sequence: str | None = None) -> str:
    enrollment = await world.enroll(contact, sequence)
    await world.until_sent(enrollment, 1)
    return enrollment


async def test_a_reply_finishes_and_says_how_interested_the_contact_is(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    expected = {
        "anna": (None, "replied", "Replied"),
        "bea": ("interested", "interested", "Interested"),
        "carl": ("not_interested", "not_interested", "Not Interested"),
    }
    for contact, (interest, reason, stage) in expected.items():
        enrollment = await enrolled(world, contact)
        message_id = (await world.until_mails(contact, 1))[0].message_id
        fact = {"interest": interest} if interest else {}
        answer = await world.fact(enrollment, "reply", message_id=message_id, **fact)
        assert (answer.status, answer.reason) == ("finished", reason)
        await world.until_status(enrollment, "finished", reason)
        assert (await world.contact(contact)).stage == stage


async def test_a_reply_in_the_settle_time_and_after_the_close_turns_the_outcome(world: World) -> None:
    await world.add_sequence("settling", steps=1)
    settling = await world.enroll("anna")
    await world.until_status(settling, "finished", "completed")
    await world.fact(settling, "reply")
    await world.until_status(settling, "finished", "replied")

    await world.add_sequence("closed", steps=1, settings={"settle": "0s"})
    closed = await world.enroll("bea")
    await world.until_status(closed, "finished", "no_reply")
    assert (await world.contact("bea")).stage == "Unresponsive"
    await world.fact(closed, "reply")
    assert await world.status(closed) == ("finished", "replied")
    assert (await world.contact("bea")).stage == "Replied"


async def test_a_sequence_that_goes_on_after_replies_only_notes_them(world: World) -> None:
    settings = {"finish_on_reply": False, "finish_on_meeting": False}
    await world.add_sequence(steps=STEPS, settings=settings)
    enrollment = await enrolled(world, "anna")
    await world.fact(enrollment, "reply")
    await world.fact(enrollment, "meeting_booked")
    assert await world.status(enrollment) == ("active", None)
    # The stage that its own event set does not stop it; a stage that a person sets does.
    assert (await world.contact("anna")).stage == "Interested"
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")


async def test_a_colleagues_reply_does_what_each_sequence_says(world: World) -> None:
    await world.add_account("acme")
    policies = {
        "nothing": ("active", None),
        "finish": ("finished", "account_replied"),
        "pause": ("paused", "account_reply"),
        "not_sent": ("not_sent", "same_account_reply"),
    }
    enrollments = {}
    for policy in policies:
        sequence = await world.add_sequence(policy, steps=STEPS, settings={"account_reply": policy})
        await world.add_contact(f"with-{policy}", account="acme")
        enrollments[policy] = await enrolled(world, f"with-{policy}", sequence)
    await world.add_contact("stranger")
    stranger = await enrolled(world, "stranger", sequence)
    await world.add_contact("writer", account="acme")
    writer = await enrolled(world, "writer", sequence)

    await world.fact(writer, "reply")
    for policy, (status, reason) in policies.items():
        await world.until_status(enrollments[policy], status, reason)
    assert await world.status(stranger) == ("active", None)
    assert (await world.state(enrollments["pause"])).holds[0].until is not None
    # Only the first reply is passed on: no echo between colleagues.
    assert (await world.kinds(writer)).count("account_reply") == 0

    await world.command(enrollments["pause"], "resume")
    await world.command(enrollments["pause"], "send_now")
    await world.until_status(enrollments["pause"], "finished", "completed")


async def test_a_meeting_finishes_as_booked(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await enrolled(world, "anna")
    await world.fact(enrollment, "meeting_booked")
    await world.until_status(enrollment, "finished", "meeting_booked")
    assert (await world.contact("anna")).stage == "Interested"


async def test_a_contact_who_left_finishes_everywhere(world: World) -> None:
    settings = {"active_elsewhere": "allow"}
    other = await world.add_sequence("other", steps=STEPS, settings=settings)
    await world.add_sequence(steps=STEPS, settings=settings)
    elsewhere, enrollment = await enrolled(world, "anna", other), await enrolled(world, "anna")
    await world.fact(enrollment, "contact_gone")
    for one in (enrollment, elsewhere):
        await world.until_status(one, "finished", "contact_gone")
    assert (await world.contact("anna")).stage == "Changed Job"


async def test_a_complaint_ends_everything_for_the_person_and_bars_the_address(world: World) -> None:
    settings = {"active_elsewhere": "allow"}
    other = await world.add_sequence("other", steps=STEPS, settings=settings)
    await world.add_sequence(steps=STEPS, settings=settings)
    elsewhere, enrollment = await enrolled(world, "anna", other), await enrolled(world, "anna")
    await world.fact(enrollment, "complaint")
    for one in (enrollment, elsewhere):
        await world.until_status(one, "finished", "complained")
    contact = await world.contact("anna")
    assert (contact.stage, contact.suppressed) == ("Do Not Contact", "complained")
    # The address is barred whoever has it now, and no override lifts that.
    await world.add_contact("bea", email=world.address("anna"))
    refused = await world.refusals("bea")
    assert set(refused) == {"unsubscribed"}
    assert "unsubscribed" in await world.refusals("bea", overrides=["unsubscribed"])
