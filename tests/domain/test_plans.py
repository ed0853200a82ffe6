"""What a plan says of holds, switches, limits and outages; and of ten thousand at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.capacity import Booking
from domain.planner import Play, following, forecast, plan
from domain.plans import Gate, Member, Newcomer, Running, Sender, World
from domain.sequences import WEEKDAYS, Limits, Schedule, Sequence, StepRef
from domain.state import EnrollmentState, Halt, Hold, Slot
from domain.statuses import HaltKind, HoldKind, Outcome
from tests.domain import naive_planner as naive

NOW = datetime(2026, 3, 2, 8, tzinfo=UTC)
OPEN = Gate()
HOUR = timedelta(hours=1)


def always(zone: str = "UTC") -> Schedule:
    windows = [{"start": "00:00", "end": "24:00"}]
    return Schedule.model_validate({"id": "s", "zone": zone, "windows": dict.fromkeys(WEEKDAYS, windows)})


def running(*waits: str, switch: Gate = OPEN, mailboxes: tuple[str, ...] = ("a",), **step: Any) -> Running:
    steps = [{"id": f"step{n}", "subject": "s", "text": "t", "wait": wait, **step} for n, wait in enumerate(waits)]
    definition = {"id": "q", "name": "q", "schedule": "s", "mailboxes": mailboxes, "steps": steps}
    return Running(Sequence.model_validate(definition), always(), switch)


def wide(**changes: Any) -> Sender:
    rule = {"per_day": 100_000, "new_per_day": 100_000, "per_hour": 100_000, "gap": "0s"}
    return Sender(Limits.model_validate(rule | changes))


def state(**changes: Any) -> EnrollmentState:
    at = {"due": NOW + HOUR, "slot": Slot(at=NOW + HOUR), "step": StepRef(id="step0", number=1, total=2)}
    return EnrollmentState(**{"enrollment": "e", "sequence": "q", "contact": "c", "mailbox": "a", **at, **changes})


def only(who: Member, now: datetime = NOW, sender: Sender | None = None, **options: Any) -> World:
    return World(now, {"q": running("0s", "2d", **options)}, {"a": sender or wide()}, [who])


def times(world: World) -> list[datetime]:
    return [email.at for email in plan(world, "e").emails]


def test_a_booked_slot_is_certain_and_what_follows_is_an_estimate() -> None:
    found = plan(only(Member(state())), "e")
    assert [(one.step.number, one.at, one.booked) for one in found.emails] == [
        (1, NOW + HOUR, True),
        (2, NOW + HOUR + timedelta(days=2), False),
    ]
    assert found.end is not None
    assert (found.end.what, found.end.at) == ("finished", NOW + HOUR + timedelta(days=7))
    assert found.assumptions


@pytest.mark.parametrize(
    "hold",
    [
        Hold(kind=HoldKind.MANUAL, by="person:ana", at=NOW),
        Hold(kind=HoldKind.DELIVERY_UNKNOWN, by="system", at=NOW),
    ],
)
def test_what_waits_for_a_person_has_no_times(hold: Hold) -> None:
    dated = Hold(kind=HoldKind.OUT_OF_OFFICE, by="system", at=NOW, until=NOW + HOUR)
    found = plan(only(Member(state(slot=None, holds=(dated, hold)))), "e")
    assert (found.emails, found.end and (found.end.what, found.end.reason)) == ((), ("waits", hold.kind.value))


def test_a_plain_return_day_counts_with_its_buffer_like_in_the_record() -> None:
    back = Hold(kind=HoldKind.OUT_OF_OFFICE, by="system", at=NOW, day=NOW.date() + timedelta(days=3), buffered=True)
    # Back on Thursday; the default buffer of one business day makes it Friday.
    assert times(only(Member(state(slot=None, holds=(back,)))))[0] == datetime(2026, 3, 6, tzinfo=UTC)


def test_a_halted_a_stopping_and_an_excluded_contact_get_nothing() -> None:
    halt = Halt(kind=HaltKind.HARD_BOUNCE, reason="hard_bounce", at=NOW)
    ends = [
        plan(only(Member(state(slot=None, halt=halt))), "e").end,
        plan(only(Member(state(), stopped="finish")), "e").end,
        plan(only(Member(state(), not_sent={"step0": "unsubscribed"})), "e").end,
        plan(only(Member(state(slot=None, outcome=Outcome.REPLIED, closed=True))), "e").end,
    ]
    assert [(end.what, end.reason) for end in ends if end] == [
        ("waits", "hard_bounce"),
        ("waits", "finish"),
        ("not_sent", "unsubscribed"),
        ("closed", "replied"),
    ]


def test_a_switched_off_sequence_waits_at_its_slot_and_goes_on_when_it_opens() -> None:
    shut = plan(only(Member(state()), switch=Gate(open=False)), "e")
    assert (shut.emails, shut.end and shut.end.reason) == ((), "sequence_off")
    later = Gate(open=False, opens_at=NOW + 5 * HOUR)
    assert times(only(Member(state()), switch=later))[0] == NOW + 5 * HOUR


def test_after_an_outage_what_is_overdue_leaves_now_in_order_or_expires() -> None:
    now = NOW + timedelta(days=3)
    assert times(only(Member(state()), now))[0] == now
    late = plan(only(Member(state()), now, expires_after="2d"), "e")
    assert late.end is not None
    assert (late.emails, late.end.what, late.end.reason) == ((), "not_sent", "step_expired")


def test_a_slot_that_breaks_a_new_limit_is_booked_again() -> None:
    left = (Booking(NOW + timedelta(minutes=30)),)
    sender = Sender(wide(per_hour=1).limits, left=left)
    found = plan(only(Member(state()), sender=sender), "e")
    assert (found.emails[0].at, found.emails[0].cause, found.emails[0].booked) == (left[0].at + HOUR, "per_hour", False)


def test_an_email_that_left_in_time_starts_the_next_wait_at_its_slot() -> None:
    sequence, first = running("0s", "1h").sequence, StepRef(id="step0", number=1, total=2)
    for seconds, counted in ((0.4, 0.0), (59.0, 0.0), (61.0, 61.0)):
        left = NOW + timedelta(seconds=seconds)
        _, due = following(sequence, always(), first, (), NOW, left)
        assert due == NOW + timedelta(seconds=counted) + HOUR


@pytest.mark.parametrize("switched_on", [True, False])
def test_ten_thousand_at_once_take_the_time_that_arithmetic_says(switched_on: bool) -> None:
    boxes = ("a", "b", "c", "d")
    opens = NOW + 60 * HOUR  # when every slot has come up and found the switch off
    switch = Gate() if switched_on else Gate(open=False, opens_at=opens)
    newcomers = [Newcomer(f"e{n:05}", f"c{n}", "q", NOW) for n in range(10_000)]
    senders = dict.fromkeys(boxes, wide(per_hour=50, gap="1m"))
    emails = list(Play(World(NOW, {"q": running("0s", switch=switch, mailboxes=boxes)}, senders, (), newcomers)).run())
    begin = NOW if switched_on else opens
    assert len(emails) == 10_000
    for box in boxes:
        mine = [email for email in emails if email.mailbox == box]
        assert naive.broken_limits([email.at for email in mine], senders[box].limits) == []
        # 2,500 of each mailbox, 50 in every hour from the beginning on: order kept, nothing idle.
        assert [email.enrollment for email in mine] == sorted(email.enrollment for email in mine)
        expected = [begin + n // 50 * HOUR + n % 50 * timedelta(minutes=1) for n in range(len(mine))]
        assert [email.at for email in mine] == expected
        assert len(mine) == 2_500
    hours = forecast(World(NOW, {"q": running("0s", mailboxes=boxes)}, senders, (), newcomers[:400]), NOW + 2 * HOUR)
    assert hours == {(box, NOW + hour * HOUR): 50 for box in boxes for hour in (0, 1)}
