"""Out-of-office replies: with and without a date, corrected, in every open enrollment of the person."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from domain.statuses import HoldKind
from tests.harness import World, plain_step

STEPS = [plain_step(1), plain_step(2, wait="2s")]
SOON, LATER, LAST = (datetime.now(UTC).date() + timedelta(days=days) for days in (10, 20, 30))


async def away(world: World, contact: str, **fact: object) -> str:
    """Step 1 has arrived, and an automatic reply to it."""
    enrollment = await world.enroll(contact)
    await world.until_sent(enrollment, 1)
    await world.fact(enrollment, "out_of_office", **fact)
    await world.until_status(enrollment, "paused", "out_of_office")
    return enrollment


async def until(world: World, enrollment: str) -> date | None:
    """The day on which the hold ends; None while it waits for a person."""
    state = await world.until_state(
        enrollment, lambda state: all(hold.day is None for hold in state.holds) and bool(state.holds)
    )
    hold = state.hold(HoldKind.OUT_OF_OFFICE)
    assert hold is not None
    return None if hold.until is None else hold.until.date()


async def test_without_a_date_a_person_decides_how_it_goes_on(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    resumed = await away(world, "anna")
    dated = await away(world, "bea")
    finished = await away(world, "carl")
    removed = await away(world, "dora")
    assert await until(world, dated) is None
    snapshot = await world.clients.own_status(dated)
    assert snapshot["next"]["waits_for"] == "a person to set a date or resume"

    await world.command(resumed, "resume")
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    answer = await world.command(dated, "resume_at", until=soon)
    assert answer.status == "paused"
    assert (await world.command(finished, "finish")).reason == "manual"
    assert (await world.command(removed, "remove")).status == "removed"

    for enrollment in (resumed, dated):
        await world.until_status(enrollment, "finished", "completed")
    counts = {name: len(world.recipients.inbox(world.address(name))) for name in ("anna", "bea", "carl", "dora")}
    assert counts == {"anna": 2, "bea": 2, "carl": 1, "dora": 1}
    assert (await world.contact("carl")).stage == "Approaching"


async def test_a_date_pauses_every_open_enrollment_of_the_person(world: World) -> None:
    settings = {"active_elsewhere": "allow", "out_of_office_buffer": "2d"}
    other = await world.add_sequence("other", steps=STEPS, settings=settings)
    deaf = await world.add_sequence("deaf", steps=STEPS, settings={**settings, "pause_on_out_of_office": False})
    await world.add_sequence(steps=STEPS, settings=settings)
    elsewhere, unmoved = await world.enroll("anna", other), await world.enroll("anna", deaf)
    enrollment = await away(world, "anna", return_date=SOON.isoformat())
    await world.until_status(elsewhere, "paused", "out_of_office")
    assert await until(world, enrollment) == await until(world, elsewhere) == SOON + timedelta(days=2)
    await world.until_status(unmoved, "finished", "completed")
    # Told once to each, however many enrollments pass it on.
    assert (await world.kinds(elsewhere)).count("out_of_office") == 1


async def test_a_new_reply_replaces_the_old_and_one_without_a_date_keeps_the_known_one(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await away(world, "anna")
    buffered = timedelta(days=1)
    await world.fact(enrollment, "out_of_office", return_date=LATER.isoformat())
    assert await until(world, enrollment) == LATER + buffered
    await world.fact(enrollment, "out_of_office", return_date=SOON.isoformat())
    assert await until(world, enrollment) == SOON + buffered
    await world.fact(enrollment, "out_of_office")
    assert await until(world, enrollment) == SOON + buffered
    assert len((await world.state(enrollment)).holds) == 1


async def test_what_a_person_corrected_no_automatic_reply_overrides(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await away(world, "anna", return_date=SOON.isoformat())
    await world.fact(enrollment, "out_of_office", return_date=LATER.isoformat(), corrected=True)
    await world.fact(enrollment, "out_of_office", return_date=LAST.isoformat())
    assert await until(world, enrollment) == LATER + timedelta(days=1)

    dated = await away(world, "bea")
    await world.command(dated, "resume_at", until=LATER.isoformat())
    await world.fact(dated, "out_of_office", return_date=LAST.isoformat())
    assert await until(world, dated) == LATER


async def test_an_absence_does_not_clear_a_persons_pause_nor_the_other_way_round(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await away(world, "anna")
    await world.command(enrollment, "pause", until=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    state = await world.until_state(enrollment, lambda state: len(state.holds) == 1)
    assert [hold.kind for hold in state.holds] == [HoldKind.OUT_OF_OFFICE]
    assert await world.status(enrollment) == ("paused", "out_of_office")
    await world.command(enrollment, "pause")
    answer = await world.command(enrollment, "resume")
    assert answer.remaining_holds == ()
    await world.until_status(enrollment, "finished", "completed")
