"""What time does by itself: dates of holds, give-up times, limits of mailboxes over days and hours."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from domain.capacity import jitter
from domain.sequences import Limits
from domain.state import EnrollmentState, phase
from domain.statuses import Phase
from tests.harness import plain_step
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, local, next_monday

CONTACTS = ["anna", "bea", "carl", "dora", "emil"]


async def office(virtual: VirtualWorld, *, mailbox: dict[str, object] | None = None, **settings: object) -> None:
    await virtual.world.add_schedule("office", OFFICE_HOURS, "Europe/Berlin")
    mailboxes = None if mailbox is None else [await virtual.world.add_mailbox(limits=mailbox)]
    await virtual.world.add_sequence(
        steps=[plain_step(1), plain_step(2, wait="1d")],
        schedule="office",
        settings={"settle": "60d", **settings},
        mailboxes=mailboxes,
    )


async def enroll_five(virtual: VirtualWorld) -> dict[str, str]:
    """Five contacts for a Monday; contact -> enrollment."""
    return {contact: await virtual.enroll(contact, berlin(next_monday(), 6)) for contact in CONTACTS}


async def slots(virtual: VirtualWorld, enrolled: dict[str, str]) -> dict[str, datetime]:
    """When each next email is booked to leave."""
    states = {contact: await virtual.world.state(enrollment) for contact, enrollment in enrolled.items()}
    return {contact: state.slot.at for contact, state in states.items() if state.slot is not None}


def moved_on(at: datetime, state: EnrollmentState) -> bool:
    return state.slot is None or state.slot.at > at


async def play(virtual: VirtualWorld, enrolled: dict[str, str], days: int) -> list[datetime]:
    """Let days pass for everybody. Each has a clock of their own: whose email is next goes first. When emails left."""
    end = berlin(next_monday() + timedelta(days=days - 1), 18)
    while True:
        coming = [(at, contact) for contact, at in (await slots(virtual, enrolled)).items() if at < end]
        if not coming:
            break
        at, contact = min(coming)
        await virtual.pass_until(contact, at + timedelta(seconds=1))
        await virtual.world.until_state(enrolled[contact], partial(moved_on, at))
    async with virtual.world.database.read() as connection:
        rows = await connection.fetch("SELECT sending_at FROM send_ledger WHERE state = 'sent' ORDER BY sending_at")
    return [row["sending_at"] for row in rows]


async def test_what_falls_due_outside_the_window_waits_until_it_opens(virtual: VirtualWorld) -> None:
    await office(virtual)
    monday = next_monday()
    enrollment = await virtual.enroll("anna", berlin(monday + timedelta(days=5), 12))
    state = await virtual.world.state(enrollment)
    assert state.slot is not None
    assert state.slot.cause == "window"
    await virtual.pass_until("anna", berlin(monday + timedelta(days=5), 13))
    assert phase(state, await virtual.now("anna")) is Phase.WINDOW
    await virtual.pass_until("anna", berlin(monday + timedelta(days=7), 10))
    assert [local(at) for _, at in await virtual.sendings(enrollment)] == [(monday + timedelta(days=7), 9, 0)]


async def test_the_daily_limit_moves_the_rest_to_the_next_day(virtual: VirtualWorld) -> None:
    await office(virtual, mailbox={"per_day": 2, "per_hour": 100, "gap": "0s", "new_per_day": 2})
    monday = next_monday()
    first = [(monday + timedelta(days=day), 9, 0) for day in (0, 0, 1, 1, 2)]
    enrolled = await enroll_five(virtual)
    assert [local(at) for at in (await slots(virtual, enrolled)).values()] == first
    days = [local(at)[0] for at in await play(virtual, enrolled, 8)]
    assert len(days) == 10
    assert max(days.count(day) for day in days) == 2


async def test_the_hourly_limit_and_the_gap_space_emails_out(virtual: VirtualWorld) -> None:
    await office(virtual, mailbox={"per_day": 100, "per_hour": 2, "gap": "10m", "new_per_day": 100})
    enrolled = await enroll_five(virtual)
    booked = [local(at)[1:] for at in (await slots(virtual, enrolled)).values()]
    assert booked == [(9, 0), (9, 10), (10, 0), (10, 10), (11, 0)]
    left = await play(virtual, enrolled, 1)
    assert len(left) == 5
    # The limits hold for what really left, though an email leaves a moment after its slot: nobody needs another slot for that.
    assert all(later - earlier >= timedelta(minutes=10) for earlier, later in pairwise(left))
    assert all(later - earlier >= timedelta(hours=1) for earlier, later in zip(left, left[2:], strict=False))
    for enrollment in enrolled.values():
        assert "rebooked" not in await virtual.world.kinds(enrollment)


async def test_new_contacts_leave_room_for_follow_ups(virtual: VirtualWorld) -> None:
    await office(virtual, mailbox={"per_day": 2, "per_hour": 100, "gap": "0s", "new_per_day": 1})
    monday = next_monday()
    enrolled = await enroll_five(virtual)
    assert [local(at)[0] for at in (await slots(virtual, enrolled)).values()] == [
        monday + timedelta(days=day) for day in range(5)
    ]
    left = [local(at)[0] for at in await play(virtual, enrolled, 4)]
    # From the second day on, one new contact and the follow-up of the day before.
    assert left == [monday, *(monday + timedelta(days=day) for day in (1, 1, 2, 2, 3, 3))]


async def test_the_same_jitter_spaces_emails_as_the_limits_say(virtual: VirtualWorld) -> None:
    await office(virtual, mailbox={"per_day": 100, "per_hour": 100, "gap": "5m", "jitter": "300s", "new_per_day": 100})
    enrolled = await enroll_five(virtual)
    limits = Limits.model_validate({"jitter": "300s"})
    booked = list((await slots(virtual, enrolled)).values())
    rests = [timedelta(minutes=5) + jitter(limits, enrollment, "step1") for enrollment in enrolled.values()]
    assert [later - earlier for earlier, later in pairwise(booked)] == rests[:-1]
    left = await play(virtual, enrolled, 1)
    assert all(later - earlier >= rest for (earlier, later), rest in zip(pairwise(left), rests, strict=False))


async def test_a_touch_gap_is_kept_to_emails_of_other_sequences(virtual: VirtualWorld) -> None:
    await office(virtual)
    plain = virtual.world.sequence
    reserved = await virtual.world.add_sequence(
        "reserved", 1, schedule="office", settings={"touch_gap": "1d", "active_elsewhere": "allow", "settle": "60d"}
    )
    monday = next_monday()
    tuesday = monday + timedelta(days=1)
    await virtual.enroll("anna", berlin(monday, 9), sequence=plain)
    anna = await virtual.enroll("anna", berlin(monday, 10), sequence=reserved)
    booked = (await virtual.world.state(anna)).slot
    assert booked is not None
    assert (local(booked.at), booked.cause) == ((tuesday, 9, 0), "touch_gap")
    # Bea's is booked when another email comes in between: it shows when hers is to leave.
    bea = await virtual.enroll("bea", berlin(tuesday, 9), sequence=reserved)
    other = await virtual.enroll("bea", berlin(monday, 12), sequence=plain, overrides=["active_in_other_sequence"])
    await virtual.pass_until("bea", berlin(monday, 13), plain)
    await virtual.pass_until("bea", berlin(tuesday, 9, 5), reserved)
    again = await virtual.world.until_state(bea, lambda state: state.slot is not None and state.slot.cause is not None)
    assert again.slot is not None
    # A day after the other sequence's next one too, which is booked by now.
    wednesday = monday + timedelta(days=2)
    assert (local(again.slot.at), again.slot.cause) == ((wednesday, 12, 0), "touch_gap")
    await virtual.pass_until("bea", berlin(tuesday, 13), plain)
    await virtual.pass_until("bea", berlin(wednesday, 13), reserved)
    [(_, left)] = await virtual.sendings(bea)
    assert left - (await virtual.sendings(other))[-1][1] >= timedelta(days=1)
    assert (await virtual.world.kinds(bea)).count("rebooked") == 1


async def test_an_absence_without_a_date_ends_after_the_sequences_default(virtual: VirtualWorld) -> None:
    await office(virtual, out_of_office_default="7d")
    monday = next_monday()
    enrollment = await virtual.enroll("anna", berlin(monday, 6))
    await virtual.pass_until("anna", berlin(monday, 10))
    await virtual.world.clients.fact(enrollment, "out_of_office", {})
    await virtual.world.until_status(enrollment, "paused", "out_of_office")
    await virtual.pass_until("anna", berlin(monday + timedelta(days=6), 18))
    assert await virtual.world.status(enrollment) == ("paused", "out_of_office")
    await virtual.pass_until("anna", berlin(monday + timedelta(days=7), 12))
    assert [local(at)[0] for _, at in await virtual.sendings(enrollment)] == [monday, monday + timedelta(days=7)]


async def test_the_pause_after_a_colleagues_reply_ends_by_its_date(virtual: VirtualWorld) -> None:
    await office(virtual, account_reply="pause", account_reply_pause="14d")
    monday = next_monday()
    enrollment = await virtual.enroll("anna", berlin(monday, 6))
    await virtual.pass_until("anna", berlin(monday, 10))
    await virtual.world.signal("anna", "account_reply", {"by": "policy"})
    await virtual.world.until_status(enrollment, "paused", "account_reply")
    await virtual.pass_until("anna", berlin(monday + timedelta(days=14), 12))
    assert [local(at)[0] for _, at in await virtual.sendings(enrollment)] == [monday, monday + timedelta(days=14)]


async def test_a_halted_enrollment_gives_up_after_its_time_and_a_paused_one_never(virtual: VirtualWorld) -> None:
    await office(virtual, give_up_after="10d")
    monday = next_monday()
    halted = await virtual.enroll("anna", berlin(monday, 6))
    paused = await virtual.enroll("bea", berlin(monday, 6))
    for contact in ("anna", "bea"):
        await virtual.pass_until(contact, berlin(monday, 10))
    await virtual.world.clients.fact(halted, "bounce", {"kind": "hard_bounce"})
    await virtual.world.clients.command(paused, "pause", {})
    for contact in ("anna", "bea"):
        await virtual.pass_until(contact, berlin(monday + timedelta(days=11), 12))
    gone = await virtual.world.until_state(halted, lambda state: state.closed)
    assert gone.halt is not None
    assert await virtual.world.status(halted) == ("bounced", "hard_bounce")
    assert not (await virtual.world.state(paused)).closed
    assert await virtual.world.status(paused) == ("paused", "manual")
