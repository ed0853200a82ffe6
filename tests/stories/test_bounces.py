"""A step comes back: the address is dead, or the message is refused as spam."""

from __future__ import annotations

from email import message_from_bytes
from email.utils import parseaddr

import pytest

from domain.errors import Refused
from embedded.recipients import Behaviour, Received
from tests.harness import World, plain_step
from workflows.enrollment import MAILBOX

NO_SUCH_USER = Behaviour(at_rcpt="550 5.1.1 no such user here")
SPAM = Behaviour(at_end="550 5.7.1 message refused as spam")
# Later steps wait long, and the tests say `send_now`: what happens between two steps is theirs to choose.
STEPS = [plain_step(1), plain_step(2, wait="1h"), plain_step(3, wait="1h")]


def subjects(world: World, address: str) -> list[str]:
    return [mail.subject for mail in world.recipients.inbox(address)]


def sender(mail: Received) -> str:
    return parseaddr(str(message_from_bytes(mail.body)["From"]))[1]


async def bounced_at_step_two(world: World, contact: str) -> str:
    """Step 1 has arrived, and the server knows nobody of that name when step 2 comes."""
    enrollment = await world.enroll(contact)
    await world.until_sent(enrollment, 1)
    world.recipients.behave(world.address(contact), NO_SUCH_USER)
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "bounced", "hard_bounce")
    return enrollment


async def test_a_new_address_and_resume_send_the_bounced_step_there_once_and_go_on(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await bounced_at_step_two(world, "anna")
    contact = await world.contact("anna")
    assert (contact.stage, contact.email_status) == ("Bad Data", "bounced")
    assert (await world.clients.own_status(enrollment))["label"] == "Bounced"

    contact = await world.set_contact("anna", email=f"new@{world.token}.test")
    assert (contact.stage, contact.email_status) == ("Approaching", "unknown")
    await world.command(enrollment, "resume")
    await world.until_sent(enrollment, 2)
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")

    assert subjects(world, world.address("anna")) == ["Subject 1"]
    assert subjects(world, f"new@{world.token}.test") == ["Subject 2", "Subject 3"]
    states = [(row["step_id"], row["attempt"], row["state"]) for row in await world.ledger(enrollment)]
    assert states == [("step1", 1, "sent"), ("step2", 1, "rejected"), ("step2", 2, "sent"), ("step3", 1, "sent")]


async def test_a_late_bounce_that_names_the_email_sends_that_step_again_to_the_new_address(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    await world.command(enrollment, "send_now")
    await world.until_sent(enrollment, 2)
    late = (await world.until_mails("anna", 2))[1].message_id

    answer = await world.fact(enrollment, "bounce", kind="hard_bounce", code="5.1.1", message_id=late)
    assert (answer.status, answer.reason) == ("bounced", "hard_bounce")
    assert (await world.contact("anna")).stage == "Bad Data"

    await world.set_contact("anna", email=f"new@{world.token}.test")
    await world.command(enrollment, "resume")
    await world.until_sent(enrollment, 3)
    # The same bounce once more, by another way: it is of the old attempt and is only recorded.
    await world.fact(enrollment, "bounce", kind="hard_bounce", message_id=late)
    assert await world.status(enrollment) == ("active", None)
    assert (await world.contact("anna")).email_status == "unknown"

    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")
    assert subjects(world, f"new@{world.token}.test") == ["Subject 2", "Subject 3"]


async def test_a_bounce_after_the_last_step_withdraws_the_provisional_end(world: World) -> None:
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "finished", "completed")
    await world.fact(enrollment, "bounce", kind="hard_bounce")
    await world.until_status(enrollment, "bounced", "hard_bounce")
    await world.set_contact("anna", email=f"new@{world.token}.test")
    await world.command(enrollment, "resume")
    await world.until_status(enrollment, "finished", "completed")
    assert subjects(world, f"new@{world.token}.test") == ["Subject 1"]


async def test_a_bounced_contact_is_refused_in_another_sequence_until_the_address_is_new(world: World) -> None:
    other = await world.add_sequence("other", steps=1)
    await world.add_sequence(steps=STEPS)
    enrollment = await bounced_at_step_two(world, "anna")
    await world.command(enrollment, "finish")

    refused = await world.refusals("anna", other)
    assert refused["previously_bounced"]["override"] is None
    assert "previously_bounced" in await world.refusals("anna", other, overrides=list(refused))
    await world.set_contact("anna", email=f"new@{world.token}.test")
    assert await world.refusals("anna", other) == {}


async def test_resume_without_a_new_address_is_not_sent_and_says_why(world: World) -> None:
    await world.add_sequence(steps=STEPS)
    enrollment = await bounced_at_step_two(world, "anna")
    await world.command(enrollment, "resume")
    await world.until_status(enrollment, "not_sent", "known_hard_bounce")
    assert subjects(world, world.address("anna")) == ["Subject 1"]


async def two_mailboxes(world: World) -> tuple[str, str]:
    first = await world.add_mailbox(f"first-{world.token}")
    second = await world.add_mailbox(f"second-{world.token}", address=f"mara@second-{world.token}.test")
    await world.add_sequence(steps=STEPS, mailboxes=[first, second])
    return first, second


async def test_refused_as_spam_then_sent_from_another_mailbox(world: World) -> None:
    first, second = await two_mailboxes(world)
    enrollment = await world.enroll("anna", mailbox=first)
    await world.until_sent(enrollment, 1)
    world.recipients.behave(world.address("anna"), SPAM)
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "bounced", "spam_block")
    assert (await world.clients.own_status(enrollment))["label"] == "Spamblocked"
    contact = await world.contact("anna")
    assert (contact.stage, contact.email_status) == ("Approaching", "unknown")

    world.recipients.behave(world.address("anna"), None)
    with pytest.raises(Refused) as refused:
        await world.command(enrollment, "resume", mailbox="nobodys")
    assert refused.value.code == "mailbox_unknown"
    await world.command(enrollment, "resume", mailbox=second)
    await world.until_sent(enrollment, 2)
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")

    mails = await world.until_mails("anna", 3)
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2", "Subject 3"]
    old, new = f"{first}@sender.test", f"mara@second-{world.token}.test"
    assert [sender(mail) for mail in mails] == [old, new, new]
    assert (await world.row(enrollment))["mailbox_id"] == second
    description = await world.client.get_workflow_handle(f"enrollment/{world.sequence}/anna").describe()
    assert description.typed_search_attributes[MAILBOX] == second


async def test_another_mailbox_also_frees_whom_the_old_one_held(world: World) -> None:
    first, second = await two_mailboxes(world)
    enrollment = await world.enroll("anna", mailbox=first)
    await world.until_sent(enrollment, 1)
    for _ in range(3):  # the gate of the old mailbox has a higher epoch than that of the new one
        await world.clients.set_mailbox(first, "paused", by="person:test")
        await world.clients.set_mailbox(first, "up", by="person:test")
    await world.clients.set_mailbox(first, "paused", by="person:test")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "paused", "mailbox_down")

    await world.clients.set_mailbox(second, "paused", by="person:test")
    await world.command(enrollment, "resume", mailbox=second)
    await world.until_status(enrollment, "paused", "mailbox_down")
    # The old mailbox's coming back is no concern of an enrollment that has left it.
    await world.clients.set_mailbox(first, "up", by="person:test")
    await world.clients.set_mailbox(second, "up", by="person:test")
    await world.until_sent(enrollment, 2)
    assert sender((await world.until_mails("anna", 2))[1]) == f"mara@second-{world.token}.test"
    assert (await world.kinds(enrollment)).count("parked") == 2


async def test_a_signal_that_names_an_unknown_mailbox_is_not_sent_and_mended_by_a_known_one(world: World) -> None:
    first, second = await two_mailboxes(world)
    enrollment = await world.enroll("anna", mailbox=first)
    await world.until_sent(enrollment, 1)
    await world.command(enrollment, "pause")
    await world.signal("anna", "resume", {"mailbox": "nobodys"})
    await world.until_status(enrollment, "active")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "not_sent", "mailbox_missing")
    await world.command(enrollment, "retry", mailbox=second)
    await world.until_sent(enrollment, 2)
    assert sender((await world.until_mails("anna", 2))[1]) == f"mara@second-{world.token}.test"
