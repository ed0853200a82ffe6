"""What a mail does: to the enrollment it is of, to the person's other enrollments, to the account, to addresses and stages."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from client.inbound import Inbound
from domain.inbound import Kind
from domain.statuses import HoldKind
from embedded.recipients import Behaviour, Received
from store import catalog, inbound
from tests.harness import World, eventually
from tests.inbound import mails

LATER = {"wait": "30d"}
OFFERS = [
    {"id": "one", "subject": "One", "text": "Hello {{ contact.first_name }}, may I call you?"},
    {"id": "two", "subject": "Two", "text": "Hello again", **LATER},
]


@dataclass
class People:
    """Anna in two sequences, and Ben at the same account in one of them; each was sent one email."""

    world: World
    first: str
    second: str
    ben: str
    mail: Received
    other: Received


@pytest.fixture
async def people(world: World) -> People:
    await world.add_account("acme")
    spring = await world.add_sequence(
        "spring", OFFERS, settings={"account_reply": "pause", "active_elsewhere": "allow"}
    )
    autumn = await world.add_sequence(
        "autumn", OFFERS, settings={"active_elsewhere": "allow", "account_reply": "not_sent"}
    )
    for contact in ("anna", "ben"):
        await world.add_contact(contact, account="acme")
    first = await world.enroll("anna", spring)
    second = await world.enroll("anna", autumn)
    ben = await world.enroll("ben", autumn)
    got = await world.until_mails("anna", 2)
    for one in (first, second, ben):
        await world.until_sent(one, 1)
    rows = await world.ledger(first)
    mail = next(one for one in got if one.message_id.strip("<>") == rows[0]["message_id"])
    other = next(one for one in got if one is not mail)
    return People(world, first, second, ben, mail, other)


async def test_a_reply_finishes_what_it_answers_and_touches_the_account_by_policy(people: People) -> None:
    world = people.world
    taken = await world.take(mails.answer(people.mail, "Sounds good, call me on Tuesday."))
    assert (taken.kind, taken.matched_by, taken.enrollment, taken.needs) == (
        "human_reply",
        "answers",
        people.first,
        None,
    )

    await world.until_status(people.first, "finished", "replied")
    await world.until_status(people.second, "not_sent", "same_account_reply")
    await world.until_status(people.ben, "not_sent", "same_account_reply")
    assert (await world.contact("anna")).stage == "Replied"


async def test_the_same_mail_again_has_no_second_effect_whatever_way_it_comes(people: People) -> None:
    world = people.world
    raw = mails.absence(people.mail, "I am out of the office.")
    taken = await world.take(raw)
    await world.until_status(people.first, "paused", "out_of_office")
    state = await world.state(people.first)
    again = await world.take(b"Received: from elsewhere by here\r\nX-Spam-Status: No\r\n" + raw, mailbox=world.mailbox)
    assert again.duplicate
    assert again.id == taken.id
    assert (await world.kinds(people.first)).count("out_of_office") == 1
    assert (await world.state(people.first)).version == state.version


async def test_an_absence_holds_every_enrollment_of_the_person_until_its_day_and_the_buffer(people: People) -> None:
    world = people.world
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    taken = await world.take(mails.absence(people.mail, f"I am out of the office until {day:%d %B %Y}."))
    assert (taken.kind, taken.needs) == ("out_of_office", None)
    for enrollment in (people.first, people.second):
        state = await world.until_state(
            enrollment,
            lambda state: any(hold.kind is HoldKind.OUT_OF_OFFICE and hold.until for hold in state.holds),
        )
        hold = state.hold(HoldKind.OUT_OF_OFFICE)
        assert hold is not None
        assert hold.until is not None
        assert hold.until.date() > day
        assert hold.by == f"mail:{taken.id}"
    assert (await world.status(people.ben))[0] == "active"


async def test_an_absence_without_a_readable_day_waits_for_a_person_whose_word_no_auto_reply_overrides(
    people: People,
) -> None:
    world = people.world
    taken = await world.take(mails.absence(people.mail, "I am out of the office until 04/05 or so.", sender=None))
    assert taken.needs == "return_date"
    await world.until_status(people.first, "paused", "out_of_office")
    day = (datetime.now(UTC) + timedelta(days=12)).date()
    way = Inbound(world.clients, world.settings.require_secret())
    await way.correct(taken.id, by="person:ana", return_date=day)
    held = await world.until_state(
        people.first, lambda state: any(hold.until is not None and hold.corrected for hold in state.holds)
    )
    async with world.database.read() as connection:
        assert not await inbound.page(connection, needs=True)
        assert (await inbound.get(connection, taken.id))["correction"]["return_date"] == day.isoformat()

    later = (datetime.now(UTC) + timedelta(days=100)).date()
    await world.take(mails.absence(people.mail, f"I am out of the office until {later:%d %B %Y}."))
    await eventually(lambda: _noted(world, people.first))
    assert (await world.state(people.first)).holds == held.holds
    assert any(line["by"] == "person:ana" for line in await world.story(people.first))


async def _noted(world: World, enrollment: str) -> bool:
    return any((line["data"] or {}).get("noted") == "corrected_by_person" for line in await world.story(enrollment))


async def test_a_hard_bounce_marks_the_address_and_halts_everybody_who_uses_it(people: People) -> None:
    world = people.world
    await world.add_contact("twin", email=world.address("anna").upper())
    twin = await world.enroll("twin", (await world.row(people.second))["sequence_id"])
    await world.until_sent(twin, 1)
    taken = await world.take(mails.bounce(people.mail))
    assert (taken.kind, taken.matched_by) == ("bounce", "original")

    await world.until_status(people.first, "bounced", "hard_bounce")
    await world.until_status(people.second, "not_sent", "known_hard_bounce")
    await world.until_status(twin, "not_sent", "known_hard_bounce")
    assert (await world.status(people.ben))[0] == "active"
    contact = await world.contact("anna")
    assert (contact.email_status, contact.stage) == ("bounced", "Bad Data")
    row = next(row for row in await world.ledger(people.first))
    assert row["bounce_class"] == "hard_invalid"


async def test_a_bounce_that_names_nothing_of_ours_changes_nothing_and_is_shown_to_a_person(people: People) -> None:
    world = people.world
    before = await world.state(people.first), await world.state(people.second)
    taken = await world.take(mails.bounce(people.mail, names_ours=False))
    assert (taken.kind, taken.matched_by, taken.told, taken.needs) == ("bounce", "address", (), "unproven_bounce")
    assert (await world.state(people.first), await world.state(people.second)) == before
    assert (await world.contact("anna")).email_status == "unknown"


async def test_a_refusal_as_spam_bounces_only_the_email_and_several_hold_the_mailbox(world: World) -> None:
    await world.add_sequence(steps=OFFERS)
    refused = []
    for number in range(3):
        refused.append(await world.enroll(f"c{number}"))
        await world.until_sent(refused[-1], 1)
        (mail,) = await world.until_mails(f"c{number}", 1)
        await world.take(mails.bounce(mail, "550 5.7.1 message rejected as spam"))
        await world.until_status(refused[-1], "bounced", "spam_block")
        assert (await world.contact(f"c{number}")).email_status == "unknown"
    async with world.database.read() as connection:
        assert (await catalog.mailbox(connection, world.mailbox)).state == "guardrail"


async def test_an_opt_out_finishes_everything_of_the_person_and_refuses_the_third(people: People) -> None:
    world = people.world
    taken = await world.take(mails.answer(people.mail, "Unsubscribe", threaded=False))
    assert (taken.kind, taken.matched_by) == ("unsubscribe", "address")
    await world.until_status(people.first, "finished", "unsubscribed")
    await world.until_status(people.second, "finished", "unsubscribed")
    third = await world.add_sequence("winter", OFFERS)
    assert "unsubscribed" in await world.refusals("anna", third)
    assert (await world.contact("anna")).stage == "Do Not Contact"
    assert (await world.status(people.ben))[0] == "active"


async def test_a_complaint_finishes_everything_of_the_person(people: People) -> None:
    world = people.world
    assert (await world.take(mails.complaint(people.other))).kind == "complaint"
    await world.until_status(people.first, "finished", "complained")
    await world.until_status(people.second, "finished", "complained")


async def test_an_opt_out_of_somebody_in_no_sequence_is_kept_too(world: World) -> None:
    await world.add_sequence(steps=OFFERS)
    await world.add_contact("cleo")
    raw = f"From: {world.address('cleo')}\r\nTo: {world.mailbox}@sender.test\r\nSubject: unsubscribe\r\n\r\n".encode()
    taken = await world.take(raw)
    assert (taken.kind, taken.enrollment, taken.needs) == ("unsubscribe", None, None)
    assert "unsubscribed" in await world.refusals("cleo")


async def test_an_accepted_invitation_books_the_meeting_and_a_declined_one_does_not(people: People) -> None:
    world = people.world
    declined = await world.take(mails.invitation(people.mail, "DECLINED"))
    assert (declined.kind, declined.told) == ("calendar", ())
    taken = await world.take(mails.invitation(people.mail))
    assert taken.kind == "calendar"
    await world.until_status(taken.enrollment or "", "finished", "meeting_booked")
    assert (await world.contact("anna")).stage == "Interested"


async def test_who_has_left_is_finished_everywhere_and_the_named_successor_is_proposed(people: People) -> None:
    world = people.world
    taken = await world.take(
        mails.absence(
            people.mail, "I am no longer with Acme. Please contact Carla Ruiz at carla.ruiz@acme.example instead."
        )
    )
    assert (taken.kind, taken.needs) == ("contact_gone", "new_contact")
    await world.until_status(people.first, "finished", "contact_gone")
    await world.until_status(people.second, "finished", "contact_gone")
    assert (await world.contact("anna")).stage == "Changed Job"
    async with world.database.read() as connection:
        (row,) = await inbound.page(connection, needs=True)
    assert [one["address"] for one in row["reading"]["proposed"]] == ["carla.ruiz@acme.example"]


async def test_an_address_that_is_given_up_pauses_the_person_everywhere_until_somebody_decides(people: People) -> None:
    world = people.world
    text = "My email address has changed. Please write to anna@newco.example from now on."
    taken = await world.take(mails.absence(people.mail, text))
    assert (taken.kind, taken.needs) == ("address_changed", "new_address")
    for enrollment in (people.first, people.second):
        state = await world.until_state(enrollment, lambda state: state.hold(HoldKind.MANUAL) is not None)
        assert not state.closed
    assert (await world.status(people.ben))[0] == "active"
    async with world.database.read() as connection:
        (row,) = await inbound.page(connection, needs=True)
    assert [one["address"] for one in row["reading"]["proposed"]] == ["anna@newco.example"]


async def test_mail_of_nobody_is_kept_and_listed_until_a_person_says_whose_it_is(people: People) -> None:
    world = people.world
    raw = mails.answer(people.mail, "Please call me.", sender="assistant@elsewhere.test", threaded=False)
    taken = await world.take(raw)
    assert (taken.kind, taken.enrollment, taken.needs) == ("human_reply", None, "unmatched")
    async with world.database.read() as connection:
        assert [str(row["id"]) for row in await inbound.page(connection, needs=True)] == [taken.id]
        assert await inbound.raw(connection, taken.id) == raw
    way = Inbound(world.clients, world.settings.require_secret())
    await way.correct(taken.id, by="person:ana", enrollment=people.ben)
    await world.until_status(people.ben, "finished", "replied")
    async with world.database.read() as connection:
        assert not await inbound.page(connection, needs=True)


async def test_mail_after_the_end_amends_the_record(people: People) -> None:
    world = people.world
    await world.command(people.first, "finish")
    await world.until_state(people.first, lambda state: state.closed)
    await world.take(mails.answer(people.mail, "Please unsubscribe me"))
    async with world.database.read() as connection:
        contact = await catalog.contact(connection, "anna")
    assert contact.stage == "Do Not Contact"
    await world.until_status(people.second, "finished", "unsubscribed")


async def test_a_mail_counted_as_an_absence_by_mistake_lets_everybody_go_on(people: People) -> None:
    world = people.world
    taken = await world.take(mails.absence(people.mail, "I am out of the office."))
    await world.until_status(people.second, "paused", "out_of_office")
    way = Inbound(world.clients, world.settings.require_secret())
    await way.correct(taken.id, by="person:ana", kind=Kind.OTHER_AUTOMATIC)
    await world.until_status(people.first, "active")
    await world.until_status(people.second, "active")


async def test_two_copies_at_the_same_moment_have_one_effect(people: People) -> None:
    raw = mails.answer(people.mail, "Yes please.")
    taken = await asyncio.gather(*(people.world.take(raw) for _ in range(4)))
    assert len({one.id for one in taken}) == 1
    assert sum(not one.duplicate for one in taken) == 1


async def test_signed_addresses_name_the_enrollment_whoever_writes_and_whatever_the_mail_quotes(world: World) -> None:
    mailbox = await world.add_mailbox(plus_addresses=True, plus_return_path=True)
    await world.add_sequence(steps=OFFERS, mailboxes=[mailbox])
    anna, ben = await world.enroll("anna"), await world.enroll("ben")
    for enrollment in (anna, ben):
        await world.until_sent(enrollment, 1)
    (mail,) = await world.until_mails("anna", 1)
    asked = str(mails.headers_of(mail)["List-Unsubscribe"])
    address = asked[asked.index("mailto:") + 7 : asked.index("?")]
    raw = f"From: anna.private@elsewhere.test\r\nTo: {address}\r\nSubject: unsubscribe\r\n\r\nunsubscribe\r\n".encode()
    taken = await world.take(raw)
    assert (taken.kind, taken.matched_by, taken.enrollment) == ("unsubscribe", "token", anna)
    await world.until_status(anna, "finished", "unsubscribed")

    (mail,) = await world.until_mails("ben", 1)
    assert mail.sender.startswith(f"{mailbox}+b-")
    taken = await world.take(mails.bounce(mail, names_ours=False, to=mail.sender))
    assert (taken.kind, taken.matched_by, taken.enrollment) == ("bounce", "token", ben)
    await world.until_status(ben, "bounced", "hard_bounce")


@pytest.mark.parametrize("kind", ["reply", "absence", "bounce", "soft bounce", "delivered"])
async def test_mail_that_names_an_unknown_email_settles_it(world: World, kind: str) -> None:
    await world.add_sequence(steps=OFFERS)
    world.recipients.behave("*", Behaviour(drop="end"))
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    world.recipients.behave("*", None)
    (mail,) = await world.until_mails("anna", 1)
    raw = {
        "reply": lambda: mails.answer(mail, "Yes, call me."),
        "absence": lambda: mails.absence(mail, "I am out of the office."),
        "bounce": lambda: mails.bounce(mail),
        "soft bounce": lambda: mails.bounce(mail, "452 4.2.2 mailbox full"),
        "delivered": lambda: mails.bounce(mail, "250 2.1.5 delivered").replace(b"Action: failed", b"Action: relayed"),
    }[kind]()
    taken = await world.take(raw)
    assert taken.enrollment == enrollment
    state = await world.until_state(enrollment, lambda state: state.hold(HoldKind.DELIVERY_UNKNOWN) is None)
    assert (state.sent, len(await world.ledger(enrollment))) == (1, 1)
    assert (await world.ledger(enrollment))[0]["settled_as"] == "sent"


async def test_the_third_soft_bounce_of_an_address_pauses_it_for_a_person(world: World) -> None:
    await world.add_sequence(steps=[{**OFFERS[0], "id": f"s{number}", **LATER} for number in range(4)])
    enrollment = await world.enroll("anna")
    for number in range(1, 4):
        await world.command(enrollment, "send_now")
        await world.until_sent(enrollment, number)
        mail = (await world.until_mails("anna", number))[-1]
        taken = await world.take(mails.bounce(mail, "552 5.2.2 mailbox full"))
        assert taken.needs == ("soft_bounces" if number == 3 else None)
        if number < 3:
            assert (await world.status(enrollment))[0] == "active"
    await world.until_status(enrollment, "paused", "manual")
