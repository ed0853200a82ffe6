"""No worker for three days: what fell due meanwhile goes through slots, in order; what is too late is told, not sent."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise

from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory
from temporalio.worker import Worker

from domain.delivery import DeliverInput, DeliverResult
from domain.state import EnrollmentState
from tests.harness import plain_step
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, local, next_monday
from workflows.enrollment import Enrollment

AN_HOUR, GAP = 3, timedelta(minutes=10)
LIMITS = {"per_day": 100, "per_hour": AN_HOUR, "gap": "10m", "new_per_day": 100}
DAY = timedelta(days=1)


class _Nobody:
    """Stands for the absence of workers until `end`. The server lets no time pass while a task waits to be taken, but it does
    between two tries of an activity: the task is put back until the end of the outage, as if nobody had taken it before."""

    def __init__(self, end: datetime) -> None:
        self.end = end

    @activity.defn(name="deliver")
    async def deliver(self, input: DeliverInput) -> DeliverResult:
        left = max(self.end - activity.info().started_time, timedelta(seconds=0.2))
        raise ApplicationError(
            "nobody is there", type="outage", next_retry_delay=left, category=ApplicationErrorCategory.BENIGN
        )


@asynccontextmanager
async def outage(virtual: VirtualWorld, contacts: Iterable[tuple[str, str]], end: datetime) -> AsyncIterator[None]:
    """Let the clocks of these contacts in their sequences pass until a minute before `end`, and nobody sends. Then a new worker
    is there."""
    world = virtual.world
    async with Worker(
        world.client,
        task_queue=world.settings.task_queue,
        workflows=[Enrollment],
        activities=[_Nobody(end).deliver],
    ):
        for contact, sequence in contacts:
            await virtual.pass_until(contact, end - timedelta(minutes=1), sequence)
    async with world.worker():
        yield


def moved_on(at: datetime, state: EnrollmentState) -> bool:
    return state.slot is None or state.slot.at > at


async def play(virtual: VirtualWorld, enrolled: dict[str, tuple[str, str]], until: datetime) -> None:
    """Let time pass for everybody, whose email is next first. enrollment -> contact, sequence."""
    while True:
        states = [await virtual.world.state(enrollment) for enrollment in enrolled]
        coming = [(state.slot.at, state.enrollment) for state in states if state.slot and state.slot.at < until]
        if not coming:
            return
        at, enrollment = min(coming)
        await virtual.pass_until(enrolled[enrollment][0], at + timedelta(seconds=1), enrolled[enrollment][1])
        await virtual.world.until_state(enrollment, partial(moved_on, at))


def free_from(due: datetime, others: list[datetime]) -> datetime:
    """The first time from `due` on at which gap and hourly limit hold among all others, even if each takes a while to leave."""
    gap, hour = GAP + timedelta(seconds=10), timedelta(hours=1, seconds=10)
    while True:
        after = [at + gap for at in others if abs(at - due) < gap]
        for first, last in zip(others, others[AN_HOUR - 1 :], strict=False):
            if max(last, due) - min(first, due) < hour:
                after.append(first + hour)
        if not after:
            return due
        due = min(after)


async def test_after_three_days_without_a_worker_the_rest_leaves_in_order_and_within_the_limits(
    workerless_virtual: VirtualWorld,
) -> None:
    virtual, world, monday = workerless_virtual, workerless_virtual.world, next_monday()
    await world.add_schedule("office", OFFICE_HOURS, "Europe/Berlin")
    box = await world.add_mailbox(limits=LIMITS)
    steps = [plain_step(1), plain_step(2, wait="1d")]
    common = {"schedule": "office", "mailboxes": [box], "settings": {"settle": "60d"}}
    patient = await world.add_sequence("patient", steps, **common)
    urgent = await world.add_sequence("urgent", [plain_step(1, expires_after="2d")], **common)

    enrolled: dict[str, tuple[str, str]] = {}
    async with world.worker():
        for number in range(12):
            contact, sequence = f"c{number}", urgent if number % 4 == 3 else patient
            enrolled[await virtual.enroll(contact, berlin(monday, 6), sequence=sequence)] = contact, sequence
        # Two emails leave; their second ones are booked for Tuesday.
        early = list(enrolled)[:2]
        await play(virtual, {one: enrolled[one] for one in early}, berlin(monday, 9, 15))

    back = berlin(monday + 3 * DAY, 9, 15)
    async with outage(virtual, enrolled.values(), back):
        # They come in no order that could be relied on: the last one first.
        for contact, sequence in reversed(enrolled.values()):
            await virtual.pass_until(contact, back + timedelta(seconds=1), sequence)
        for enrollment, (_, sequence) in enrolled.items():
            if sequence == urgent:
                state = await world.until_status(enrollment, "not_sent", "step_expired")
                assert state.step is not None
                assert (state.step.id, state.sent) == ("step1", 0)
            else:
                await world.until_state(enrollment, partial(moved_on, back))
        await play(virtual, enrolled, berlin(monday + 10 * DAY))

    left = {enrollment: dict(await virtual.sendings(enrollment)) for enrollment in enrolled}
    patients = [one for one, (_, sequence) in enrolled.items() if sequence == patient]
    waiting = patients[2:]
    # Whose slots were on Monday in the order of these, then the second emails of Tuesday.
    overdue = [*(left[one]["step1"] for one in waiting), *(left[one]["step2"] for one in early)]
    assert overdue == sorted(overdue)
    assert back <= overdue[0] < back + GAP
    assert local(overdue[-1])[0] == local(back)[0]
    # What comes behind is planned from when the email before it really left: a day later, or at the first place behind that.
    everything = sorted(at for sent in left.values() for at in sent.values())
    for one in waiting:
        due, behind = left[one]["step1"] + DAY, left[one]["step2"]
        latest = free_from(due, [at for at in everything if at != behind])
        assert due - timedelta(minutes=1) <= behind <= latest + timedelta(minutes=1)
    assert {one: tuple(left[one]) for one in patients} == dict.fromkeys(patients, ("step1", "step2"))
    assert len(everything) == 2 * len(patients)
    assert [(earlier, later) for earlier, later in pairwise(everything) if later - earlier < GAP] == []
    assert all(
        later - earlier >= timedelta(hours=1) for earlier, later in zip(everything, everything[AN_HOUR:], strict=False)
    )
    assert all(9 <= local(at)[1] < 17 for at in everything)
    assert not world.recipients.duplicates()


async def test_what_a_limit_kept_waiting_is_late_from_its_slot_on_only(workerless_virtual: VirtualWorld) -> None:
    """Due on Monday all of them, two a day. On Thursday those of Wednesday are not too late, and keep their order."""
    virtual, world, monday = workerless_virtual, workerless_virtual.world, next_monday()
    await world.add_schedule("office", OFFICE_HOURS, "Europe/Berlin")
    box = await world.add_mailbox(limits={"per_day": 2, "per_hour": 100, "gap": "10m", "new_per_day": 2})
    sequence = await world.add_sequence(
        "patient", [plain_step(1, expires_after="36h")], schedule="office", mailboxes=[box], settings={"settle": "60d"}
    )
    async with world.worker():
        contacts = [f"c{number}" for number in range(6)]
        enrolled = {await virtual.enroll(contact, berlin(monday, 6)): (contact, sequence) for contact in contacts}
    *late, fifth, sixth = enrolled
    back = berlin(monday + 3 * DAY, 9, 15)
    async with outage(virtual, enrolled.values(), back):
        for contact, _ in reversed(enrolled.values()):
            await virtual.pass_until(contact, back + timedelta(seconds=1))
        for enrollment in late:
            await world.until_status(enrollment, "not_sent", "step_expired")
        await play(virtual, {one: enrolled[one] for one in (fifth, sixth)}, berlin(monday + 4 * DAY))
        for enrollment in (fifth, sixth):
            await world.until_state(enrollment, lambda state: state.sent == 1)
    [(_, first)], [(_, second)] = await virtual.sendings(fifth), await virtual.sendings(sixth)
    assert back <= first < back + GAP
    assert first + GAP <= second < first + 2 * GAP
