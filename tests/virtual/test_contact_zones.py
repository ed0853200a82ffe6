"""A schedule that follows each contact's clock and holidays: the email leaves in the contact's morning."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from tests.harness import plain_step
from tests.virtual.conftest import OFFICE_HOURS, VirtualWorld, berlin, next_monday

TOKYO, NEW_YORK = ZoneInfo("Asia/Tokyo"), ZoneInfo("America/New_York")


async def test_each_contact_gets_the_email_in_its_own_office_hours(virtual: VirtualWorld) -> None:
    world = virtual.world
    monday = next_monday()
    tuesday = monday + timedelta(days=1)
    blackout = {"closed": [{"from": str(tuesday), "name": "offsite"}]}
    await world.add_schedule("theirs", OFFICE_HOURS, "Europe/Berlin", zone_of="contact", **blackout)
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1d")], schedule="theirs")
    await world.add_contact("keiko", country="JP")
    await world.add_contact("nora", country="JP", zone="America/New_York")
    await world.add_contact("bernd")
    expected = {
        "keiko": datetime.combine(monday, time(11), TOKYO),  # 3:00 in Berlin (or 4:00) is in Tokyo's hours: at once
        "nora": datetime.combine(monday, time(9), NEW_YORK),
        "bernd": berlin(monday, 9),
    }
    start = datetime.combine(monday, time(11), TOKYO)
    for contact, first in expected.items():
        enrollment = await virtual.enroll(contact, start)
        state = await world.state(enrollment)
        assert state.slot is not None
        assert state.slot.at == first
        await virtual.pass_until(contact, first + timedelta(minutes=1))
        # One day later is Tuesday, when nothing is sent: it is Wednesday morning, where the contact is.
        booked = await world.until_state(enrollment, lambda now: now.sent == 1 and now.slot is not None)
        assert booked.slot is not None
        there = first.tzinfo
        assert booked.slot.at == datetime.combine(tuesday + timedelta(days=1), time(9), there)
