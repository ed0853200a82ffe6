"""Six steps over two weeks and more, within office hours in Berlin, on virtual time."""

from __future__ import annotations

from datetime import timedelta

from store import catalog
from tests.harness import plain_step
from tests.inbound import mails
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, local, next_monday

STEPS = [plain_step(1), *(plain_step(number, wait="3d") for number in range(2, 7))]


async def six_steps(virtual: VirtualWorld, contact: str) -> str:
    """An enrollment whose first email is due on a Monday at six in the morning in Berlin."""
    await virtual.world.add_schedule("office", OFFICE_HOURS, "Europe/Berlin")
    await virtual.world.add_sequence(steps=STEPS, schedule="office", settings={"settle": "5d"})
    return await virtual.enroll(contact, berlin(next_monday(), 6))


async def stage(virtual: VirtualWorld, contact: str) -> str:
    async with virtual.world.database.read() as connection:
        return (await catalog.contact(connection, contact)).stage


async def test_each_email_leaves_in_its_window_and_silence_makes_the_contact_unresponsive(
    virtual: VirtualWorld,
) -> None:
    enrollment = await six_steps(virtual, "anna")
    monday = next_monday()

    await virtual.pass_until("anna", berlin(monday + timedelta(days=18)))
    # Three days after a Thursday is a Sunday: the email waits for Monday.
    expected = [(f"step{n}", (monday + timedelta(days=day), 9, 0)) for n, day in enumerate((0, 3, 7, 10, 14, 17), 1)]
    assert [(step, local(at)) for step, at in await virtual.sendings(enrollment)] == expected
    assert await virtual.world.status(enrollment) == ("finished", "completed")
    assert await stage(virtual, "anna") == "Approaching"

    await virtual.pass_until("anna", berlin(monday + timedelta(days=22), 8))
    assert await virtual.world.status(enrollment) == ("finished", "completed")
    await virtual.pass_until("anna", berlin(monday + timedelta(days=22), 10))
    await virtual.world.until_status(enrollment, "finished", "no_reply")
    assert await stage(virtual, "anna") == "Unresponsive"
    assert (await virtual.world.state(enrollment)).closed

    mails = virtual.world.recipients.inbox(virtual.world.address("anna"))
    assert [mail.subject for mail in mails] == [f"Subject {number}" for number in range(1, 7)]


async def test_pause_resume_at_and_out_of_office_on_the_way(virtual: VirtualWorld) -> None:
    enrollment = await six_steps(virtual, "anna")
    clients, monday = virtual.world.clients, next_monday()

    def day(number: int) -> object:
        return monday + timedelta(days=number)

    # Step 2 is due on Thursday; paused from Tuesday to Friday noon, it leaves then: no burst, nothing lost.
    await virtual.pass_until("anna", berlin(monday + timedelta(days=1), 12))
    await clients.command(enrollment, "pause", {"by": "person:ana"})
    await virtual.pass_until("anna", berlin(monday + timedelta(days=4), 12))
    assert len(await virtual.sendings(enrollment)) == 1
    await clients.command(enrollment, "resume", {"by": "person:ana"})
    await virtual.world.until_state(enrollment, lambda state: state.sent == 2)

    # Step 3 is due on Monday noon; paused until a plain date it leaves in the first window of that day.
    await virtual.pass_until("anna", berlin(monday + timedelta(days=5), 12))
    await clients.command(enrollment, "pause", {"by": "person:ana"})
    answer = await clients.command(
        enrollment, "resume_at", {"by": "person:ana", "until": (monday + timedelta(days=9)).isoformat()}
    )
    assert answer.next is not None
    assert answer.next["what"] == "resume"
    await virtual.pass_until("anna", berlin(monday + timedelta(days=9), 12))

    # Step 4 is due on Saturday. The contact is back on a Friday, and one business day later is the Monday after.
    await virtual.pass_until("anna", berlin(monday + timedelta(days=10), 12))
    back = monday + timedelta(days=18)
    await clients.fact(enrollment, "out_of_office", {"return_date": back.isoformat()})
    await virtual.world.until_status(enrollment, "paused", "out_of_office")
    await virtual.pass_until("anna", berlin(monday + timedelta(days=21), 8))
    assert len(await virtual.sendings(enrollment)) == 3

    await virtual.pass_until("anna", berlin(monday + timedelta(days=40)))
    assert [(step, local(at)) for step, at in await virtual.sendings(enrollment)] == [
        ("step1", (day(0), 9, 0)),
        ("step2", (day(4), 12, 0)),
        ("step3", (day(9), 9, 0)),
        ("step4", (day(21), 9, 0)),
        ("step5", (day(24), 9, 0)),
        ("step6", (day(28), 9, 0)),
    ]
    assert await virtual.world.status(enrollment) == ("finished", "no_reply")
    assert not virtual.world.recipients.duplicates()


async def test_resume_before_the_due_time_keeps_the_due_time(virtual: VirtualWorld) -> None:
    enrollment = await six_steps(virtual, "anna")
    monday = next_monday()
    await virtual.pass_until("anna", berlin(monday, 12))
    due = (await virtual.world.state(enrollment)).due
    await virtual.world.clients.command(enrollment, "pause", {})
    await virtual.pass_until("anna", berlin(monday + timedelta(days=1), 12))
    await virtual.world.clients.command(enrollment, "resume", {})
    state = await virtual.world.state(enrollment)
    assert state.due == due
    await virtual.pass_until("anna", berlin(monday + timedelta(days=3), 12))
    assert [local(at) for _, at in await virtual.sendings(enrollment)][1] == (monday + timedelta(days=3), 9, 0)


async def test_an_automatic_reply_with_a_day_moves_every_open_enrollment_of_the_person_to_the_first_slot_after_the_buffer(
    virtual: VirtualWorld,
) -> None:
    world, monday = virtual.world, next_monday()
    await world.add_schedule("office", OFFICE_HOURS, "Europe/Berlin")
    settings = {"active_elsewhere": "allow"}
    other = await world.add_sequence("other", steps=STEPS[:2], schedule="office", settings=settings)
    here = await world.add_sequence(steps=STEPS[:3], schedule="office", settings=settings)
    enrollments = {
        sequence: await virtual.enroll("anna", berlin(monday, 6), sequence=sequence) for sequence in (here, other)
    }
    for sequence in enrollments:
        await virtual.pass_until("anna", berlin(monday, 12), sequence)

    # Back on a Friday, says the automatic answer to one of the two: one business day later is Monday.
    back = monday + timedelta(days=4)
    mail = world.recipients.inbox(world.address("anna"))[0]
    taken = await world.take(mails.absence(mail, f"I am out of the office until {back:%A, %d %B %Y}."))
    assert (taken.kind, taken.needs) == ("out_of_office", None)
    for enrollment in enrollments.values():
        await world.until_status(enrollment, "paused", "out_of_office")
    for sequence, enrollment in enrollments.items():
        await virtual.pass_until("anna", berlin(monday + timedelta(days=7), 8), sequence)
        assert len(await virtual.sendings(enrollment)) == 1
        await virtual.pass_until("anna", berlin(monday + timedelta(days=8)), sequence)
        left = [local(at) for _, at in await virtual.sendings(enrollment)]
        assert left == [(monday, 9, 0), (monday + timedelta(days=7), 9, 0)]
    assert len(world.recipients.inbox(world.address("anna"))) == 4
