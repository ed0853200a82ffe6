"""Entry policies: the same contact in this sequence again, or in another one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from embedded.recipients import Behaviour
from tests.harness import World, plain_step

STEPS = [plain_step(1, wait="1h"), plain_step(2, wait="1h"), plain_step(3, wait="1h")]


async def before_the_first(world: World, enrollment: str) -> None:
    assert (await world.state(enrollment)).sent == 0


async def after_the_first(world: World, enrollment: str) -> None:
    await world.command(enrollment, "send_now")
    await world.until_sent(enrollment, 1)


async def before_the_last(world: World, enrollment: str) -> None:
    await after_the_first(world, enrollment)
    await world.command(enrollment, "send_now")
    await world.until_sent(enrollment, 2)


async def while_paused(world: World, enrollment: str) -> None:
    await after_the_first(world, enrollment)
    await world.command(enrollment, "pause")


async def while_not_sent(world: World, enrollment: str) -> None:
    await world.set_contact("anna", stage="Interested")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "not_sent", "contact_stage_excluded")
    await world.set_contact("anna", stage="Cold")


async def while_settling(world: World, enrollment: str) -> None:
    await before_the_last(world, enrollment)
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "finished", "completed")


async def after_a_refusal_as_spam(world: World, enrollment: str) -> None:
    world.recipients.behave(world.address("anna"), Behaviour(at_end="550 5.7.1 spam"))
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "bounced", "spam_block")
    world.recipients.behave(world.address("anna"), None)


@pytest.mark.parametrize(
    "reach",
    [
        before_the_first,
        after_the_first,
        before_the_last,
        while_paused,
        while_not_sent,
        while_settling,
        after_a_refusal_as_spam,
    ],
)
async def test_finished_by_hand_at_any_step_a_contact_enters_elsewhere_without_override(
    world: World, reach: Callable[[World, str], Awaitable[None]]
) -> None:
    other = await world.add_sequence("other", steps=1)
    first = await world.add_sequence(steps=STEPS)
    enrollment = await world.enroll("anna")
    await reach(world, enrollment)
    before = len(world.recipients.inbox(world.address("anna")))
    stage = (await world.contact("anna")).stage
    if reach is not while_settling:
        assert set(await world.refusals("anna", other)) == {"active_in_other_sequence"}

    answer = await world.command(enrollment, "finish", disposition="wrong list")
    assert (answer.status, answer.reason) == ("finished", "manual")
    assert (await world.contact("anna")).stage == stage
    entered = await world.clients.enroll(other, "anna", by="person:test")
    assert not entered.refused
    assert [one["code"] for one in entered.warnings] == ["finished_in_other_sequence"]
    assert entered.warnings[0]["sequence"] == first
    assert entered.enrollment is not None
    await world.until_status(entered.enrollment, "finished", "completed")
    assert len(await world.until_mails("anna", before + 1)) == before + 1


async def test_whoever_replied_enters_elsewhere_only_with_an_override_that_then_holds_at_sending(
    world: World,
) -> None:
    other = await world.add_sequence("other", steps=[plain_step(1), plain_step(2, wait="1h")])
    await world.add_sequence(steps=STEPS)
    enrollment = await world.enroll("anna")
    await after_the_first(world, enrollment)
    await world.fact(enrollment, "reply")
    assert await world.status(enrollment) == ("finished", "replied")
    assert (await world.contact("anna")).stage == "Replied"

    refused = await world.refusals("anna", other)
    assert set(refused) == {"contact_stage_excluded"}
    assert refused["contact_stage_excluded"]["override"] == "contact_stage_excluded"
    assert refused["contact_stage_excluded"]["stage"] == "Replied"
    again = await world.enroll("anna", other, overrides=["contact_stage_excluded"])
    await world.until_sent(again, 1)

    # The override accepted the stage of then, not one that somebody sets later.
    await world.set_contact("anna", stage="Do Not Contact")
    await world.command(again, "send_now")
    await world.until_status(again, "not_sent", "contact_stage_excluded")
    await world.set_contact("anna", stage="Replied")
    await world.command(again, "retry")
    await world.until_status(again, "finished", "completed")
    assert len(await world.until_mails("anna", 3)) == 3


async def test_whoever_is_in_a_sequence_is_refused_there_and_elsewhere_with_its_true_state(world: World) -> None:
    other = await world.add_sequence("other", steps=1)
    here = await world.add_sequence(steps=STEPS)
    enrollment = await world.enroll("anna")
    await world.command(enrollment, "pause")

    again = await world.refusals("anna", here)
    told = {"sequence": here, "enrollment": enrollment, "status": "paused", "reason": "manual"}
    assert told.items() <= again["already_in_sequence"].items()
    assert again["already_in_sequence"]["override"] is None
    assert "already_in_sequence" in await world.refusals("anna", here, overrides=["already_in_sequence"])
    returned = await world.clients.enroll(here, "anna", by="person:test", on_conflict="return")
    assert (returned.enrollment, returned.already_open, returned.refused) == (enrollment, True, ())

    elsewhere = await world.refusals("anna", other)
    assert told.items() <= elsewhere["active_in_other_sequence"].items()
    allowed = await world.enroll("anna", other, overrides=["active_in_other_sequence"])
    await world.until_status(allowed, "finished", "completed")
    assert await world.status(enrollment) == ("paused", "manual")


async def test_a_sequence_may_share_its_contacts_with_others(world: World) -> None:
    shared = await world.add_sequence("shared", steps=1, settings={"active_elsewhere": "allow"})
    await world.add_sequence(steps=STEPS)
    await world.enroll("anna")
    await world.until_status(await world.enroll("anna", shared), "finished", "completed")


async def test_reenrollment_is_a_new_enrollment_as_the_sequence_allows(world: World) -> None:
    once = await world.add_sequence("once", steps=1, settings={"reenroll": "never"})
    first = await world.enroll("anna", once)
    await world.until_status(first, "finished", "completed")
    refused = await world.refusals("anna", once)
    assert refused["reenroll_not_allowed"]["status"] == "finished"
    second = await world.enroll("anna", once, overrides=["reenroll_not_allowed"])
    assert second != first
    assert (await world.row(second))["workflow_id"] == (await world.row(first))["workflow_id"]
    # The settling run was closed first; its provisional end stays as it was.
    assert (await world.state(first)).closed
    assert await world.status(first) == ("finished", "completed")

    slow = await world.add_sequence("slow", steps=1, settings={"cooldown": "1d"})
    left = await world.enroll("bea", slow)
    await world.until_status(left, "finished", "completed")
    await world.command(left, "finish")
    assert "until" in (await world.refusals("bea", slow))["cooldown"]
    assert await world.enroll("bea", slow, overrides=["cooldown"]) != left

    free = await world.add_sequence("free", steps=[plain_step(1, wait="1h")])
    removed = await world.enroll("carl", free)
    await world.command(removed, "remove")
    assert await world.enroll("carl", free) != removed
    assert len(world.recipients.inbox(world.address("anna"))) == 2


async def test_facts_that_no_override_covers_are_refused_with_how_to_mend_them(world: World) -> None:
    await world.add_sequence(steps=1, settings={"require_consent": True, "send_unverified": False})
    await world.add_contact("anna")
    await world.add_contact("bea", email="not an address", consent=True)
    await world.add_account("acme", stage="Current Client")
    await world.add_contact("carl", account="acme", consent=True, email_status="unverified", changed_job=True)
    await world.add_contact("dora", consent=True)
    await world.set_contact("dora", email=None)

    assert set(await world.refusals("anna")) == {"consent_missing"}
    assert set(await world.refusals("bea")) == {"email_invalid"}
    several = await world.refusals("carl")
    assert set(several) == {"account_stage_excluded", "email_unverified", "contact_changed_job"}
    assert set(await world.refusals("dora")) == {"no_email"}
    assert set(await world.refusals("nobody")) == {"contact_unknown"}
    assert set(await world.refusals("anna", "nowhere")) == {"sequence_unknown"}
    assert "mailbox_unknown" in await world.refusals("anna", mailbox="nobodys")
    entered = await world.enroll("carl", overrides=list(several))
    await world.until_status(entered, "finished", "completed")
