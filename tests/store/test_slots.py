"""Booking in a mailbox's calendar: always the earliest slot, however much was booked, released, used and moved before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from activities.deliver import PATIENCE
from domain import capacity
from domain.capacity import Booking, Fit, Own
from domain.schedule import next_open
from domain.sequences import WEEKDAYS, Limits, Schedule
from store import slots
from store.database import Connection, Database
from store.slots import Calendar, Email

MONDAY = datetime(2026, 12, 7, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def schedule(zone: str, start: str, end: str, days: int) -> Schedule:
    windows = {day: [{"start": start, "end": end}] for day in WEEKDAYS[:days]}
    return Schedule.model_validate({"id": "s", "zone": zone, "windows": windows})


def limits(**changes: Any) -> Limits:
    return Limits.model_validate({"per_day": 1000, "per_hour": 1000, "gap": "0s", "new_per_day": 1000} | changes)


OFFICE = schedule("Europe/Berlin", "09:00", "17:00", 5)
ALWAYS = schedule("UTC", "00:00", "24:00", 7)


def calendar(rule: Limits, windows: Schedule = OFFICE, mailbox: str = "m1") -> Calendar:
    return Calendar(mailbox, windows, windows, rule)


async def set_up(connection: Connection, enrollments: list[str], contact: str = "c{}") -> None:
    await connection.execute("INSERT INTO mailboxes (id, definition) VALUES ('m1', '{}'), ('m2', '{}')")
    await connection.execute("INSERT INTO schedules (id, definition) VALUES ('s', '{}')")
    await connection.execute(
        "INSERT INTO sequences (id, definition, schedule_id) VALUES ('q', '{}', 's'), ('r', '{}', 's')"
    )
    await connection.execute("INSERT INTO contacts (id) SELECT 'c' || n FROM generate_series(0, 99) n")
    for number, enrollment in enumerate(enrollments):
        await connection.execute(
            "INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, run_id, version, state, status,"
            " last_event_at, started_at) VALUES ($1, 'w', $3, $2, $1, 1, '{}', 'active', now(), now())",
            UUID(enrollment),
            contact.format(number),
            "q" if number % 2 else "r",
        )


@pytest_asyncio.fixture
async def enrollments(connection: Connection) -> AsyncIterator[list[str]]:
    made = [str(UUID(int=number + 1)) for number in range(60)]
    await set_up(connection, made)
    yield made


@asynccontextmanager
async def rolled_back(connection: Connection) -> AsyncIterator[None]:
    transaction = connection.transaction()
    await transaction.start()
    try:
        yield
    finally:
        await transaction.rollback()


def email(enrollment: str, step: str = "s1", *, first_touch: bool = False, contact: str = "c0", gap: int = 0) -> Email:
    return Email(enrollment, contact, step, first_touch, gap * MINUTE)


async def booked(connection: Connection, mailbox: str = "m1") -> list[datetime]:
    rows = await connection.fetch("SELECT at FROM slots WHERE mailbox_id = $1 ORDER BY at", mailbox)
    return [row["at"] for row in rows]


async def test_those_who_wait_take_slots_in_turn(connection: Connection, enrollments: list[str]) -> None:
    five = calendar(limits(per_hour=5, gap="5m"))
    slots_found = [await slots.book(connection, five, email(one), due=MONDAY) for one in enrollments[:45]]
    nine = MONDAY + timedelta(hours=8)
    hours = [nine + timedelta(hours=hour) for hour in range(8)]
    first_day = [hour + 5 * place * MINUTE for hour in hours for place in range(5)]
    assert [slot.at for slot in slots_found[:40]] == first_day
    assert [slot.at for slot in slots_found[40:]] == [at + timedelta(days=1) for at in first_day[:5]]
    assert slots_found[0].cause == "window"
    assert slots_found[1].cause == "gap"
    assert slots_found[5].cause == "per_hour"


async def test_the_room_of_one_who_left_goes_to_the_next_and_the_rest_stay(
    connection: Connection, enrollments: list[str]
) -> None:
    five = calendar(limits(per_hour=5, gap="5m"))
    found = [await slots.book(connection, five, email(one), due=MONDAY) for one in enrollments[:50]]
    await connection.execute("DELETE FROM slots WHERE enrollment_id = $1", UUID(enrollments[7]))
    again = await slots.book(connection, five, email(enrollments[50]), due=MONDAY)
    last = await slots.book(connection, five, email(enrollments[51]), due=MONDAY)
    assert again.at == found[7].at
    assert last.at == found[49].at + timedelta(minutes=40)


async def test_one_who_left_in_the_afternoon_makes_room_in_the_morning(
    connection: Connection, enrollments: list[str]
) -> None:
    twenty, afternoon = calendar(limits(per_day=20, gap="1m")), MONDAY + timedelta(hours=14)
    for one in enrollments[:20]:
        await slots.book(connection, twenty, email(one), due=afternoon)
    for one in enrollments[20:50]:
        assert (await slots.book(connection, twenty, email(one), due=MONDAY)).at > MONDAY + timedelta(days=1)
    await connection.execute("DELETE FROM slots WHERE enrollment_id = $1", UUID(enrollments[7]))
    morning = await slots.book(connection, twenty, email(enrollments[50]), due=MONDAY)
    assert morning.at == MONDAY + timedelta(hours=8)


async def test_a_second_booking_of_an_enrollment_takes_the_place_of_the_first(
    connection: Connection, enrollments: list[str]
) -> None:
    rule = calendar(limits(gap="10m"), ALWAYS)
    for due in (MONDAY, MONDAY + 5 * MINUTE, MONDAY + 2 * MINUTE):
        assert (await slots.book(connection, rule, email(enrollments[0]), due=due)).at == due
    assert await booked(connection) == [MONDAY + 2 * MINUTE]
    await slots.book(connection, replace(rule, mailbox="m2"), email(enrollments[0]), due=MONDAY)
    assert await booked(connection) == []
    assert await booked(connection, "m2") == [MONDAY]


async def test_a_mailbox_told_to_slow_down_gives_no_slot_before(connection: Connection, enrollments: list[str]) -> None:
    slow = replace(calendar(limits(), ALWAYS), not_before=MONDAY + 7 * MINUTE)
    slot = await slots.book(connection, slow, email(enrollments[0]), due=MONDAY, cause="deferred")
    assert (slot.at, slot.cause) == (MONDAY + 7 * MINUTE, "backoff")
    later = await slots.book(connection, slow, email(enrollments[1]), due=MONDAY + 9 * MINUTE, cause="deferred")
    assert (later.at, later.cause) == (MONDAY + 9 * MINUTE, "deferred")


async def test_jitter_is_kept_behind_each_email_and_is_what_the_rule_says(
    connection: Connection, enrollments: list[str]
) -> None:
    rule = limits(gap="1m", jitter="60s")
    at = MONDAY
    for one in enrollments[:20]:
        slot = await slots.book(connection, calendar(rule, ALWAYS), email(one), due=MONDAY)
        assert slot.at == at
        at += MINUTE + capacity.jitter(rule, one, "s1")


async def test_emails_to_one_contact_keep_their_distance(connection: Connection) -> None:
    first, second, third = made = [str(uuid4()) for _ in range(3)]
    await set_up(connection, made[:2], contact="c0")
    await connection.execute("UPDATE enrollments SET closed = true, ended_at = now() WHERE id = $1", UUID(first))
    free = calendar(limits(), ALWAYS)
    await slots.book(connection, free, email(first), due=MONDAY + 60 * MINUTE)
    # Between the booked one and the one that left there is no room for a gap of 50 minutes on both sides.
    await connection.execute(
        "INSERT INTO send_ledger (enrollment_id, step_id, attempt, state, sequence_id, contact_id, mailbox_id, message_id,"
        " recipient, subject, owner, lease_until, sending_at)"
        " VALUES ($1, 's1', 1, 'sent', 'q', 'c0', 'm1', 'x', 'a@c.test', 's', 'o', now(), $2)",
        UUID(second),
        MONDAY - 20 * MINUTE,
    )
    asked = email(second, "s2", gap=50)
    slot = await slots.book(connection, free, asked, due=MONDAY)
    assert (slot.at, slot.cause) == (MONDAY + 110 * MINUTE, "touch_gap")
    assert (await slots.book(connection, free, replace(asked, touch_gap=20 * MINUTE), due=MONDAY)).at == MONDAY
    # Whatever was booked: right before it leaves, what left by then counts.
    broken = await slots.broken_limit(connection, free, asked, now=MONDAY)
    assert broken is not None
    assert (broken.cause, broken.frees_at) == ("touch_gap", MONDAY + 30 * MINUTE)
    assert await slots.broken_limit(connection, free, asked, now=MONDAY + 30 * MINUTE) is None
    assert await slots.broken_limit(connection, free, email(third, contact="c1", gap=50), now=MONDAY) is None


async def test_the_limits_count_what_really_left(connection: Connection, enrollments: list[str]) -> None:
    rule = calendar(limits(per_hour=2, gap="10m"), ALWAYS)
    late = timedelta(milliseconds=300)
    for number in range(2):
        slot = await slots.book(connection, rule, email(enrollments[number]), due=MONDAY)
        await slots.use(connection, rule, email(enrollments[number]), now=slot.at + late)
    edge = MONDAY + timedelta(hours=1)
    broken = await slots.broken_limit(connection, rule, email(enrollments[2]), now=edge)
    assert broken is not None
    assert (broken.cause, broken.frees_at) == ("per_hour", edge + late)
    assert await slots.broken_limit(connection, rule, email(enrollments[2]), now=edge + late) is None


async def test_what_is_booked_behind_an_email_lies_by_its_slot_and_leaves_by_its_departure(
    connection: Connection, enrollments: list[str]
) -> None:
    rule = calendar(limits(gap="10m"), ALWAYS)
    ten, late = timedelta(minutes=10), timedelta(seconds=3)
    for number in range(2):
        await slots.book(connection, rule, email(enrollments[number]), due=MONDAY)
    assert (await slots.use(connection, rule, email(enrollments[0]), now=MONDAY + late)).at == MONDAY
    assert (await slots.book(connection, rule, email(enrollments[2]), due=MONDAY)).at == MONDAY + 2 * ten
    broken = await slots.broken_limit(connection, rule, email(enrollments[1]), now=MONDAY + ten)
    assert broken is not None
    assert broken.frees_at == MONDAY + ten + late
    # What left much later has its place there: those behind it would wait in vain for their moment.
    much = ten + slots.IN_PLACE + timedelta(seconds=1)
    assert (await slots.use(connection, rule, email(enrollments[1]), now=MONDAY + much)).at == MONDAY + much


def test_who_waits_for_a_departure_waits_long_enough() -> None:
    assert slots.IN_PLACE < PATIENCE


async def test_an_email_that_did_not_leave_gives_its_room_back(connection: Connection, enrollments: list[str]) -> None:
    rule = calendar(limits(per_hour=1), ALWAYS)
    used = await slots.use(connection, rule, email(enrollments[0]), now=MONDAY)
    for one in enrollments[1:40]:
        await slots.book(connection, rule, email(one), due=MONDAY)
    await slots.give_back(connection, used.id)
    assert (await slots.book(connection, rule, email(enrollments[40]), due=MONDAY)).at == MONDAY


async def test_the_mailbox_with_the_fewest_waiting_takes_the_next(
    connection: Connection, enrollments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = (calendar(limits(per_hour=1), ALWAYS, mailbox) for mailbox in ("m1", "m2"))
    assert await slots.least_booked(connection, ("m2", "m1")) == "m2"
    await slots.book(connection, two, email(enrollments[0]), due=MONDAY)
    assert await slots.least_booked(connection, ("m2", "m1")) == "m1"
    await slots.book(connection, one, email(enrollments[1]), due=MONDAY)
    await slots.book(connection, one, email(enrollments[2]), due=MONDAY)
    assert await slots.least_booked(connection, ("m1", "m2")) == "m2"
    monkeypatch.setattr(slots, "COUNTED", 1)
    assert await slots.least_booked(connection, ("m1", "m2")) == "m2"  # its queue ends an hour sooner
    assert await slots.least_booked(connection, ("m1",)) == "m1"


async def test_bookings_and_releases_at_once_leave_no_limit_broken_and_no_room_unseen(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slots, "WORTH_LEARNING", 2)
    made = [str(UUID(int=number + 1)) for number in range(81)]
    async with database.transaction() as connection:
        await set_up(connection, made)
    rule = calendar(limits(per_hour=4, gap="5m", per_day=9), ALWAYS)

    async def book(enrollment: str) -> None:
        async with database.transaction() as connection:
            await slots.book(connection, rule, email(enrollment), due=MONDAY)

    async def book_and_release(enrollment: str) -> None:
        await book(enrollment)
        async with database.transaction() as connection:
            await connection.execute("DELETE FROM slots WHERE enrollment_id = $1", UUID(enrollment))

    await asyncio.gather(*(book_and_release(one) if number % 3 else book(one) for number, one in enumerate(made[:80])))
    async with database.transaction() as connection:
        kept = [Booking(at) for at in await booked(connection)]
        assert len(kept) == 27
        for place, booking in enumerate(kept):
            others = kept[:place] + kept[place + 1 :]
            assert capacity.fit(rule.rule(email(made[80])), booking.at, others) == Fit(booking.at, None)
        asked = email(made[80])
        reference = Reference()
        reference.bookings["m1"] = [(booking, True, "") for booking in kept]
        expected, _ = reference.place(rule, asked, MONDAY, Own())
        assert (await slots.book(connection, rule, asked, due=MONDAY)).at == expected


# Random stories against a calendar kept in a list, in which every booking walks from its due time on, day by day.


class Reference:
    """The same bookings, and nothing known of them."""

    def __init__(self) -> None:
        self.bookings: dict[str, list[tuple[Booking, bool, str]]] = {"m1": [], "m2": []}

    def release(self, enrollment: str) -> None:
        for mailbox, held in self.bookings.items():
            self.bookings[mailbox] = [one for one in held if one[1] or one[2] != enrollment]

    def place(self, calendar: Calendar, email: Email, due: datetime, own: Own) -> tuple[datetime, str | None]:
        present = sorted((one[0] for one in self.bookings[calendar.mailbox]), key=lambda booking: booking.at)
        rule, at, cause = calendar.rule(email), due, None
        while True:
            opens = next_open(rule.windows, at)
            at, cause = opens, "window" if opens > at else cause
            found = capacity.fit(rule, at, present, own=own)
            cause = found.cause or cause
            if isinstance(found, Fit):
                return found.at, cause
            at = found.until

    def put(self, calendar: Calendar, email: Email, at: datetime, *, used: bool) -> None:
        self.release(email.enrollment)
        booking = Booking(at, email.first_touch, capacity.jitter(calendar.limits, email.enrollment, email.step))
        self.bookings[calendar.mailbox].append((booking, used, email.enrollment))


CALENDARS = st.builds(
    Calendar,
    st.sampled_from(["m1", "m1", "m1", "m2"]),
    st.sampled_from([OFFICE, ALWAYS, schedule("Asia/Tokyo", "09:00", "11:00", 5)]),
    st.sampled_from([OFFICE, ALWAYS]),
    st.builds(
        lambda **given: limits(**given),
        per_day=st.sampled_from([3, 8, 30]),
        per_hour=st.sampled_from([1, 3, 20]),
        per_24h=st.sampled_from([None, 4, 12]),
        gap=st.sampled_from(["0s", "7m", "50m"]),
        jitter=st.sampled_from(["0s", "5m", "40m"]),
        new_per_day=st.sampled_from([2, 30]),
    ),
)
MOVES = st.tuples(
    st.sampled_from(["book"] * 8 + ["release", "use", "give_back", "wait"]),
    st.integers(0, 24),
    st.integers(0, 40),
    st.integers(0, 1),
    st.booleans(),
)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(calendars=st.lists(CALENDARS, min_size=2, max_size=2), moves=st.lists(MOVES, min_size=20, max_size=60))
async def test_a_booking_is_always_the_earliest_there_is(
    connection: Connection,
    enrollments: list[str],
    monkeypatch: pytest.MonkeyPatch,
    calendars: list[Calendar],
    moves: list[tuple[Any, ...]],
) -> None:
    monkeypatch.setattr(slots, "WORTH_LEARNING", 2)
    monkeypatch.setattr(slots, "_SPAN", timedelta(minutes=50))
    reference, now, used = Reference(), MONDAY + timedelta(hours=7), []
    async with rolled_back(connection):
        for kind, who, when, which, first_touch in moves:
            calendar = calendars[which]
            one = email(enrollments[who], f"s{when % 3}", first_touch=first_touch)
            if kind == "book":
                due = now + when * 45 * MINUTE
                reference.release(one.enrollment)
                own = Own(capacity.jitter(calendar.limits, one.enrollment, one.step))
                at, cause = reference.place(calendar, one, due, own)
                slot = await slots.book(connection, calendar, one, due=due)
                assert slot.at == at
                # Of obstacles that end at the same instant either is as good a cause.
                if slot.cause != cause:
                    assert slot.cause == reference.place(calendar, one, at - timedelta.resolution, own)[1]
                reference.put(calendar, one, slot.at, used=False)
            elif kind == "release":
                await connection.execute(
                    "DELETE FROM slots WHERE enrollment_id = $1 AND NOT used", UUID(one.enrollment)
                )
                reference.release(one.enrollment)
            elif kind == "use":
                # As in life: some moment after its slot, if it has one; later ones must be later than that.
                at = await connection.fetchval(
                    "SELECT at FROM slots WHERE enrollment_id = $1 AND NOT used", UUID(one.enrollment)
                )
                now = max(now, at or now) + when * timedelta(seconds=1)
                left = await slots.use(connection, calendar, one, now=now)
                assert left.at == (at if at is not None and now - at <= slots.IN_PLACE else now)
                used.append((calendar.mailbox, left.id))
                reference.put(calendar, one, left.at, used=True)
            elif kind == "give_back" and used:
                mailbox, slot_id = used.pop(who % len(used))
                at = await connection.fetchval("SELECT at FROM slots WHERE id = $1", slot_id)
                await slots.give_back(connection, slot_id)
                held = reference.bookings[mailbox]
                held.remove(next(one for one in held if one[1] and one[0].at == at))
            elif kind == "wait":
                now += when * 10 * MINUTE
