"""Many who are resumed, or switched on, at once: no burst, nobody before whoever was due earlier, done when arithmetic says."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta

import pytest

from tests.harness import plain_step
from tests.virtual.conftest import VirtualWorld, berlin, next_monday

MANY, MAILBOXES, AN_HOUR = 60, 4, 5
HOURS = MANY // MAILBOXES // AN_HOUR
HOUR = timedelta(hours=1)
LIMITS = {"per_day": 1000, "per_hour": AN_HOUR, "gap": "1m", "new_per_day": 1000}


@pytest.mark.parametrize("how", ["resumed", "switched on"])
async def test_many_at_once_keep_the_hourly_limit_and_their_order(virtual: VirtualWorld, how: str) -> None:
    world, start = virtual.world, berlin(next_monday())
    boxes = [await world.add_mailbox(f"box{number}-{world.token}", limits=LIMITS) for number in range(MAILBOXES)]
    await world.add_sequence(steps=[plain_step(1)], mailboxes=boxes)
    if how == "switched on":
        await world.clients.switch("sequence", world.sequence, on=False, by="person:test")
    enrolled: dict[str, str] = {}
    for number in range(MANY):
        due, contact = start + timedelta(seconds=number), f"c{number:02}"
        enrolled[contact] = await virtual.enroll(contact, due, mailbox=boxes[number % MAILBOXES])
        if how == "resumed":
            await world.command(enrolled[contact], "pause")

    at_once = asyncio.Semaphore(16)

    async def until(contact: str, instant: datetime) -> None:
        async with at_once:
            await virtual.pass_until(contact, instant)

    # By then the last one's slot has come up.
    back = start + (HOURS + 1) * HOUR
    await asyncio.gather(*(until(contact, back) for contact in enrolled))
    if how == "resumed":
        for enrollment in enrolled.values():
            await world.command(enrollment, "resume")
    else:
        await world.clients.switch("sequence", world.sequence, on=True, by="person:test")
        for enrollment in enrolled.values():
            await world.until_state(
                enrollment, lambda state: not state.holds and (state.slot or state.sent) is not None
            )

    async def play(mailbox: str) -> None:
        """Each has a clock of their own: whose email is next goes first."""
        states = [(contact, await world.state(enrollment)) for contact, enrollment in enrolled.items()]
        slots = {contact: state.slot.at for contact, state in states if state.mailbox == mailbox and state.slot}
        for contact in sorted(slots, key=slots.__getitem__):
            await virtual.pass_until(contact, max(slots[contact], back) + timedelta(seconds=1))
            await world.until_status(enrolled[contact], "finished")

    await asyncio.gather(*(play(mailbox) for mailbox in boxes))

    left: dict[str, list[tuple[datetime, str]]] = defaultdict(list)
    for contact, enrollment in enrolled.items():
        await world.until_status(enrollment, "finished")
        [row] = await world.ledger(enrollment)
        left[row["mailbox_id"]].append((row["sending_at"], contact))
    assert {mailbox: len(sent) for mailbox, sent in left.items()} == dict.fromkeys(boxes, MANY // MAILBOXES)
    for sent in left.values():
        times = [at for at, _ in sorted(sent)]
        assert all(later - earlier >= HOUR for earlier, later in zip(times, times[AN_HOUR:], strict=False))
        assert back <= times[0]
        # As many hours as the limit allows, the last of them not a whole one.
        assert times[-1] < back + HOURS * HOUR
        assert [at for at, _ in sent] == times
    assert not world.recipients.duplicates()
