"""Every command on an enrollment and every fact: what it leads to, what it answers, what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from embedded.recipients import Behaviour
from tests.cli.conftest import Shell
from tests.harness import World, plain_step, soon

WAITING = [plain_step(1, wait="1h"), plain_step(2, wait="1h")]


async def test_pause_until_resume_at_and_resume(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=WAITING)
    await world.enroll("anna")
    paused = await onward.json("pause", "anna", "--until", "2h", "--as", "person:ana")
    assert (paused["status"], paused["remaining_holds"], paused["adopted"]) == ("paused", ["manual"], True)
    (hold,) = (await onward.json("show", "anna"))["holds"]
    assert hold["by"] == "person:ana"
    left = datetime.fromisoformat(hold["until"]) - datetime.now(UTC)
    assert timedelta(minutes=119) < left <= timedelta(hours=2)

    date = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    moved = await onward.json("resume-at", "anna", "--until", date)
    assert moved["status"] == "paused"
    (hold,) = (await onward.json("show", "anna"))["holds"]
    assert hold["until"].startswith(date)
    text = await onward.text("resume", "anna")
    assert text.startswith("Active\n")
    assert "\n  you may  " in text
    text = await onward.text("pause", "anna", "--for", date)
    assert "held by  manual" in text
    kinds = [event["kind"] for event in (await onward.json("history", "anna"))["events"]]
    assert kinds.count("pause") == 2


async def test_send_now_skip_and_finish(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=[*WAITING, plain_step(3, wait="1h")])
    enrollment = await world.enroll("anna")
    assert (await onward.json("skip", "anna"))["status"] == "active"
    assert (await onward.json("show", "anna"))["step"]["number"] == 2
    assert (await onward.json("send-now", "anna"))["status"] == "active"
    await world.until_sent(enrollment, 1)
    assert [mail.subject for mail in await world.until_mails("anna", 1)] == ["Subject 2"]
    done = await onward.json("finish", "anna", "--outcome", "interested", "--disposition", "by_phone")
    assert (done["status"], done["reason"]) == ("finished", "interested")
    assert (await onward.json("history", "anna"))["events"][-1]["data"]["disposition"] == "by_phone"


async def test_what_the_state_refuses_exits_3_and_says_what_is_possible(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=WAITING)
    await world.enroll("anna")
    error = await onward.error("retry", "anna", code=3)
    assert error["allowed"]
    assert (await onward.error("resume", "anna", "--mailbox", "absent", code=3))["code"] == "mailbox_unknown"
    assert (await onward.error("resume-at", "anna", "--until", "3d", code=3))["allowed"]
    await onward.text("pause", "anna")
    for words in (("pause", "--until", "2020-01-01"), ("resume-at", "--until", "2020-01-01T09:00:00Z")):
        error = await onward.error(*words, "--contact", "anna", code=3)
        assert (error["field"], error["message"]) == ("until", "lies in the past; give a later one")
    assert "until" not in (await onward.json("show", "anna"))["holds"][0]
    await onward.text("finish", "anna")
    error = await onward.error("resume", "anna", code=3)
    assert "finished" in error["message"].lower()
    await world.enroll("bert")
    assert (await onward.json("remove", "bert"))["status"] == "removed"
    assert (await onward.error("pause", "bert", code=3))["code"]


WRONG: tuple[tuple[tuple[str, ...], str], ...] = (
    (("pause", "--until", "2099-01-01T09:00:00"), "until"),
    (("pause", "--until", "tomorrow"), "until"),
    (("pause", "--until", "2bd"), "until"),
    (("pause", "--until", "9999-01-01"), "until"),
    (("finish", "--outcome", "splendid"), "outcome"),
    (("finish", "--outcome", "no_reply"), "outcome"),
    (("finish", "--disposition", "x\ny"), "disposition"),
    (("settle-delivery", "--verdict", "perhaps"), "verdict"),
    (("pause", "--as", ""), "by"),
    (("report", "reply", "--interest", "somewhat"), "interest"),
    (("report", "bounce", "--kind", "rubber"), "kind"),
    (("report", "out-of-office", "--return", "soon"), "return_date"),
)


async def test_wrong_words_are_named_by_their_field_and_change_nothing(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=WAITING)
    enrollment = await world.enroll("anna")
    before = await world.story(enrollment)
    for words, field in WRONG:
        error = await onward.error(*words, "--contact", "anna", code=2)
        assert error["field"] == field, words
    assert await world.story(enrollment) == before
    assert (await onward.json("show", "anna"))["pending"] == []


async def test_a_bounce_is_mended_by_a_new_address_and_resume(onward: Shell, world: World) -> None:
    world.recipients.behave(world.address("anna"), Behaviour(at_rcpt="550 5.1.1 no such user"))
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "bounced", "hard_bounce")
    await onward.text("contact", "set", "anna", "--email", world.address("anna.new"))
    assert (await onward.json("explain", "anna"))["ready_to"] == "resume"
    await onward.text("resume", "anna")
    await world.until_sent(enrollment, 1)
    assert len(world.recipients.inbox(world.address("anna.new"))) == 1


async def test_retry_goes_through_once_the_cause_has_cleared(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="1h")])
    enrollment = await world.enroll("anna")
    await onward.text("contact", "set", "anna", "--stage", "Do Not Contact")
    await onward.text("send-now", "anna")
    await world.until_status(enrollment, "not_sent", "contact_stage_excluded")
    assert "contact_stage_excluded" in await onward.text("show", "anna")
    await onward.text("contact", "set", "anna", "--stage", "Cold")
    assert "retry goes through now" in await onward.text("explain", "anna")
    await onward.text("retry", "anna", "--mailbox", world.mailbox)
    await world.until_sent(enrollment, 1)


async def test_an_unknown_delivery_is_settled(onward: Shell, world: World) -> None:
    world.recipients.behave(world.address("anna"), Behaviour(drop="end"))
    await world.add_sequence(steps=1)
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    assert "delivery_unknown" in await onward.text("resume", "anna")
    assert (await onward.json("settle-delivery", "anna", "--verdict", "sent"))["status"] == "finished"
    assert (await onward.error("settle-delivery", "anna", "--verdict", "sent", code=3))["code"]


REPORTS: tuple[tuple[tuple[str, ...], str, str | None], ...] = (
    (("reply", "--interest", "interested"), "finished", "interested"),
    (("reply",), "finished", "replied"),
    (("unsubscribe",), "finished", "unsubscribed"),
    (("complaint",), "finished", "complained"),
    (("meeting-booked",), "finished", "meeting_booked"),
    (("contact-gone",), "finished", "contact_gone"),
    (("out-of-office",), "paused", "out_of_office"),
    (("out-of-office", "--return", "3d", "--corrected"), "paused", "out_of_office"),
    (("bounce", "--code", "5.1.1"), "bounced", "hard_bounce"),
    (("bounce", "--kind", "spam_block"), "bounced", "spam_block"),
    (("account-reply",), "active", None),
)


async def test_reported_facts_lead_where_they_should(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    for number, (words, status, reason) in enumerate(REPORTS):
        enrollment = await world.enroll(f"c{number}")
        await world.until_sent(enrollment, 1)
        told = await onward.json("report", *words, f"c{number}", "--id", "once", "--as", "system:mail")
        assert (told["status"], told["reason"]) == (status, reason), words
        assert (await onward.json("report", *words, enrollment, "--id", "once"))["status"] == status
        events = (await onward.json("history", f"c{number}"))["events"]
        same: list[dict[str, Any]] = [event for event in events if event["by"] == "system:mail"]
        assert len({event["kind"] for event in same} & {words[0].replace("-", "_")}) == 1, events
        assert [event["kind"] for event in same].count(words[0].replace("-", "_")) == 1, events


async def test_without_a_worker_a_stop_is_recorded_and_holds(idle: Shell, workerless: World) -> None:
    await workerless.add_sequence(steps=WAITING)
    async with workerless.worker():
        await workerless.enroll("anna")
    text = await idle.text("pause", "anna", "--until", soon(3600))
    assert text.startswith("Recorded, and it holds; no worker has taken it up yet.\n")
    shown = await idle.json("show", "anna")
    assert [mark["shown"] for mark in shown["pending"]] == ["pausing"]
    assert "Recorded, and about to be taken up: pause." in await idle.text("explain", "anna")
    listed = await idle.text("enrollments", "list", workerless.sequence)
    assert "Active (pausing)" in listed
