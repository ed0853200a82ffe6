"""Enrolling one and many, and looking: lists, one enrollment, why it stands so, its story."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.cli.conftest import Shell
from tests.harness import World, plain_step


async def test_one_is_enrolled_and_then_refused_with_the_fix(onward: Shell, world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h")])
    await world.add_contact("anna")
    text = await onward.text("enroll", key, "anna", "--as", "person:ana")
    enrollment = (await onward.json("show", "anna"))["enrollment"]
    assert text == f"anna: enrolled ({enrollment})\n"
    assert (await onward.json("history", "anna"))["events"][0]["by"] == "person:ana"

    refused = await onward.text("enroll", key, "anna", code=3)
    assert refused.startswith("anna: refused, already_in_sequence: ")
    assert "\n  fix: " in refused
    (again,) = (await onward.json("enroll", key, "anna", "--existing-ok"))["results"]
    assert (again["enrollment"], again["already_open"], again["refused"]) == (enrollment, True, [])


async def test_many_are_enrolled_with_a_result_for_each(onward: Shell, world: World, tmp_path: Path) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h")])
    await world.add_contact("anna")
    await world.add_contact("bert", stage="Do Not Contact")
    await world.add_contact("carl", email=None)
    file = tmp_path / "who.csv"
    file.write_text("id\ncarl\nnobody\n")
    results = (await onward.json("enroll", key, "anna", "bert", "--file", str(file), code=3))["results"]
    told = {result["contact"]: [one["code"] for one in result["refused"]] for result in results}
    assert told == {
        "anna": [],
        "bert": ["contact_stage_excluded"],
        "carl": ["no_email"],
        "nobody": ["contact_unknown"],
    }
    assert all(one["fix"] for result in results for one in result["refused"])
    assert [row["contact"] for row in (await onward.json("enrollments", "list", key))["enrollments"]] == ["anna"]
    later = await onward.json("enroll", key, "anna", "--start-at", "2d", "--mailbox", "absent", code=3)
    assert "mailbox_unknown" in [one["code"] for one in later["results"][0]["refused"]]


async def test_the_list_is_filtered_sorted_and_paged(onward: Shell, world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="1h")])
    for name in ("anna", "bert", "carl"):
        await world.enroll(name)
    await onward.text("pause", "bert")
    listed = await onward.json("enrollments", "list", key, "--sort", "name", "--asc", "--limit", "2")
    assert [row["contact"] for row in listed["enrollments"]] == ["anna", "bert"]
    rest = await onward.json(
        "enrollments", "list", key, "--sort", "name", "--asc", "--limit", "2", "--cursor", listed["next_cursor"]
    )
    assert ([row["contact"] for row in rest["enrollments"]], rest["next_cursor"]) == (["carl"], None)
    paused = await onward.json("enrollments", "list", key, "--status", "paused", "--reason", "manual")
    (row,) = paused["enrollments"]
    assert (row["contact"], row["label"], row["step"]["number"], row["next_at"]) == ("bert", "Paused", 1, None)
    found = await onward.json(
        "enrollments", "list", key, "--search", "CARL", "--step", "step1", "--mailbox", world.mailbox
    )
    assert [row["contact"] for row in found["enrollments"]] == ["carl"]
    sorted_by_status = await onward.json("enrollments", "list", key, "--sort", "status", "--asc")
    assert [row["contact"] for row in sorted_by_status["enrollments"]][-1] == "bert"
    table = await onward.text("enrollments", "list", key, "--status", "active", "--status", "paused")
    assert len(table.splitlines()) == 5
    assert "in 1 h" in table or "in 60 min" in table

    for words, field in (
        (("--status", "fine"), "status"),
        (("--sort", "colour"), "sort"),
        (("--limit", "0"), "limit"),
        (("--cursor", "x"), "cursor"),
    ):
        assert (await onward.error("enrollments", "list", key, *words, code=2))["field"] == field
    assert (await onward.error("enrollments", "list", "absent", code=2))["code"] == "sequence_unknown"


async def test_one_enrollment_is_shown_explained_and_told(onward: Shell, world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    enrollment = await world.enroll("anna", key)
    await world.until_sent(enrollment, 1)

    shown = await onward.json("show", key, "anna")
    assert (shown["status"], shown["phase"], shown["next"]["what"]) == ("active", "delay", "send")
    assert [attempt["state"] for attempt in shown["attempts"]] == ["sent"]
    assert shown["temporal_ui"].startswith(
        f"http://ui.test/namespaces/{world.client.namespace}/workflows/enrollment%2F"
    )
    for words in ((enrollment,), ("--contact", "anna"), (world.address("anna"),), ("Anna Test",)):
        assert (await onward.json("enrollments", "show", *words))["enrollment"] == enrollment
    text = await onward.text("show", "anna")
    assert text.startswith(f"anna in {key}: Active (delay)\n")
    assert "step 2 of 2 leaves in 60 min" in text

    told = await onward.json("explain", "anna")
    assert "pause" in told["allowed"]
    assert all(guard["passed"] for guard in told["guards"])
    await onward.text("contact", "set", "anna", "--stage", "Do Not Contact")
    told = await onward.json("explain", "anna")
    assert told["blocked_by"]["reason"] == "contact_stage_excluded"
    assert "STOP" in await onward.text("explain", "anna")

    events = (await onward.json("history", "anna"))["events"]
    assert events[0]["kind"] == "enrolled"
    assert all(datetime.fromisoformat(event["at"]) <= datetime.now(UTC) for event in events)
    assert len((await onward.text("enrollments", "history", "anna")).splitlines()) == len(events)


async def test_who_is_not_found_or_not_one_is_said(idle: Shell, workerless: World) -> None:
    await workerless.add_contact("anna")
    assert (await idle.error("show", "nobody", code=2))["code"] == "contact_unknown"
    assert (await idle.error("show", "anna", code=2))["code"] == "enrollment_unknown"
    assert (await idle.error("explain", "absent", "anna", code=2))["code"] == "enrollment_unknown"
    assert (await idle.error("history", code=2))["field"] == "enrollment"
    assert (await idle.error("enroll", "absent", code=2))["message"] == "name contacts, or --file"
    absent = await idle.json("enroll", "absent", "anna", code=3)
    assert absent["results"][0]["refused"][0]["code"] == "sequence_unknown"
    assert (await idle.error("enroll", "absent", "anna", "--start-at", "2026-12-01T09:00:00", code=2))["message"]
    assert (await idle.error("enroll", "two words", "anna", code=2))["field"] == "sequence"
