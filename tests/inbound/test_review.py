"""Inbound mail where it is hard: several mails at the same moment, corrections of corrections, reports about others, odd bytes."""

from __future__ import annotations

import asyncio
import json

import pytest

from client.inbound import Inbound
from domain.errors import InvalidMessage
from domain.inbound import Kind
from domain.statuses import HoldKind
from store import inbound
from tests.harness import World
from tests.inbound import mails
from tests.inbound.test_effects import OFFERS, People, people

__all__ = ["people"]  # the fixture


async def test_mails_of_one_account_at_the_same_moment_are_all_recorded(people: People) -> None:
    world = people.world
    (bens,) = await world.until_mails("ben", 1)
    raws = [
        raw
        for number in range(3)
        for raw in (
            mails.answer(people.mail, f"Yes, number {number}."),
            mails.absence(people.other, f"I am out of the office, {number}."),
            mails.answer(bens, f"Call me, {number}."),
            mails.answer(people.mail, f"Please unsubscribe me. {number}"),
        )
    ]
    # Before the end and after it.
    for part in (raws[:6], raws[6:]):
        taken = await asyncio.gather(*(world.take(raw) for raw in part))
        assert not any(one.duplicate for one in taken)
        await world.until_state(people.first, lambda state: state.closed)


def _way(world: World) -> Inbound:
    return Inbound(world.clients, world.settings.require_secret())


async def test_an_absence_corrected_to_anything_else_ends_every_pause_that_it_made(people: People) -> None:
    world, way = people.world, _way(people.world)
    raw = mails.answer(
        people.mail, "We have received your message. Your ticket is #1234.", Auto_Submitted="auto-replied"
    )
    taken = await world.take(raw)
    assert (taken.kind, taken.told) == ("acknowledgement", ())
    with pytest.raises(InvalidMessage):
        await way.correct(taken.id, by="person:ana")
    await way.correct(taken.id, by="person:ana", kind=Kind.OUT_OF_OFFICE)
    await world.until_status(people.first, "paused", "out_of_office")
    # It was Ben who is away.
    await way.correct(taken.id, by="person:ana", enrollment=people.ben)
    for enrollment in (people.first, people.second):
        await world.until_status(enrollment, "active")
    await world.until_status(people.ben, "paused", "out_of_office")
    await way.correct(taken.id, by="person:ana", kind=Kind.OTHER_AUTOMATIC)
    await world.until_status(people.ben, "active")

    taken = await world.take(mails.absence(people.mail, "I am out of the office."))
    await world.until_status(people.second, "paused", "out_of_office")
    await way.correct(taken.id, by="person:ana", kind=Kind.HUMAN_REPLY)
    await world.until_status(people.first, "finished", "replied")
    await world.until_state(people.second, lambda state: state.hold(HoldKind.OUT_OF_OFFICE) is None)
    async with world.database.read() as connection:
        assert (await inbound.get(connection, taken.id))["matched_by"] == "answers"


async def test_a_kind_that_a_person_confirms_keeps_its_date(people: People) -> None:
    world = people.world
    taken = await world.take(mails.absence(people.mail, "I am out of the office, back tomorrow."))
    await _way(world).correct(taken.id, by="person:ana", kind=Kind.OUT_OF_OFFICE)
    async with world.database.read() as connection:
        row = await inbound.get(connection, taken.id)
        assert row["correction"]["return_date"] == row["reading"]["return_"]["date"]


async def test_a_report_about_several_says_of_ours_what_it_says_of_ours(people: People) -> None:
    ours = f"Final-Recipient: rfc822; {people.mail.address}\r\n".encode()
    other = b"Action: delivered\r\nStatus: 2.0.0\r\n\r\nFinal-Recipient: rfc822; zoe@elsewhere.test\r\n"
    taken = await people.world.take(mails.bounce(people.mail).replace(ours, ours + other))
    assert (taken.kind, taken.matched_by, taken.told) == ("bounce", "original", ())
    assert (await people.world.ledger(people.first))[0]["bounce_class"] is None


async def test_an_opt_out_that_a_provider_reports_is_of_the_address_it_names(people: People) -> None:
    raw = (
        mails.complaint(people.mail)
        .replace(b"Feedback-Type: abuse", f"Feedback-Type: opt-out\r\nOriginal-Rcpt-To: {people.mail.address}".encode())
        .replace(b"Message-ID: " + people.mail.message_id.encode(), b"X-Removed: yes")
    )
    taken = await people.world.take(raw)
    assert (taken.kind, taken.matched_by) == ("unsubscribe", "address")
    await people.world.until_status(people.second, "finished", "unsubscribed")


async def test_our_own_email_seen_again_is_nobodys_even_from_an_address_that_the_mailbox_had_once(world: World) -> None:
    await world.add_sequence(steps=OFFERS)
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    (mail,) = await world.until_mails("anna", 1)
    kinds = await world.kinds(enrollment)
    for raw in (mail.body, mail.body.replace(f"{world.mailbox}@sender.test".encode(), b"mara.once@sender.test")):
        taken = await world.take(raw)
        assert (taken.kind, taken.enrollment, taken.told) == ("own", None, ())
    assert await world.kinds(enrollment) == kinds

    # What a rule of our mailbox redirects bears a mark of that rule, and stays a person's reply.
    raw = mails.answer(mail, "Yes, call me.", X_MS_Exchange_Inbox_Rules_Loop=f"{world.mailbox}@sender.test")
    assert (await world.take(raw)).kind == "human_reply"


async def test_whoever_tries_it_out_on_a_mailbox_of_ours_can_answer(world: World) -> None:
    await world.add_sequence(steps=OFFERS)
    await world.add_contact("mara", email=f"{world.mailbox}@sender.test")
    enrollment = await world.enroll("mara")
    await world.until_sent(enrollment, 1)
    mail = world.recipients.inbox(f"{world.mailbox}@sender.test")[0]
    assert (await world.take(mail.body)).kind == "own"
    taken = await world.take(mails.answer(mail, "It works."))
    assert (taken.kind, taken.enrollment) == ("human_reply", enrollment)


async def test_half_a_surrogate_pair_can_be_kept(workerless: World) -> None:
    bounce = {
        "bounceType": "Permanent",
        "bouncedRecipients": [
            {"emailAddress": "a\ud800@b.test", "diagnosticCode": "smtp; 550 5.1.1 \x00 \udfff unknown user"}
        ],
    }
    body = json.dumps({"notificationType": "Bounce", "bounce": bounce})
    taken = await workerless.take(f"From: sns@amazon.test\r\nSubject: Notice\r\n\r\n{body}\r\n".encode())
    assert (taken.kind, taken.needs) == ("bounce", "unmatched")
    async with workerless.database.read() as connection:
        assert len(await inbound.page(connection, needs=True, kind=Kind.BOUNCE)) == 1
        assert await inbound.page(connection, needs=True, kind=Kind.HUMAN_REPLY) == []
