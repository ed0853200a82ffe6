"""Enrolling, listing, looking, commanding over HTTP."""

from __future__ import annotations

from typing import Any

import httpx

from domain.messages import COMMANDS, FACTS
from tests.api.conftest import ok, problem
from tests.harness import World, eventually, plain_step, soon

NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_each_contact_gets_its_own_result(http: httpx.AsyncClient, world: World) -> None:
    key = await world.add_sequence(wait="1h")
    for contact in ("anna", "ben"):
        await world.add_contact(contact)
    await world.add_contact("cara", stage="Do Not Contact")
    body = {"contacts": ["anna", "ben", "cara", "nobody", "anna"], "by": "person:ana"}
    done = ok(await http.post(f"/v1/sequences/{key}/enrollments", json=body))
    assert [one["contact"] for one in done["results"]] == ["anna", "ben", "cara", "nobody"]
    assert (done["enrolled"], done["refused"], done["pending"]) == (2, 2, 0)
    cara, nobody = done["results"][2:]
    assert cara["refused"][0]["code"] == cara["refused"][0]["override"] == "contact_stage_excluded"
    assert nobody["refused"][0]["code"] == "contact_unknown"
    assert nobody["refused"][0]["override"] is None
    again = ok(await http.post(f"/v1/sequences/{key}/enrollments", json={"contact": "anna"}))["results"][0]
    assert again["refused"][0]["code"] == "already_in_sequence"
    body = {"contact": "anna", "on_conflict": "return"}
    found = ok(await http.post(f"/v1/sequences/{key}/enrollments", json=body))["results"][0]
    assert (found["already_open"], found["enrollment"]) == (True, done["results"][0]["enrollment"])
    body = {"contact": "cara", "overrides": ["contact_stage_excluded"]}
    assert ok(await http.post(f"/v1/sequences/{key}/enrollments", json=body))["enrolled"] == 1


WRONG_REQUESTS: list[tuple[dict[str, Any], str]] = [
    ({}, "enrollrequest"),
    ({"contact": "anna", "contacts": ["ben"]}, "enrollrequest"),
    ({"contacts": ["not an id"]}, "contacts.0"),
    ({"contacts": [f"c{number}" for number in range(1001)]}, "contacts"),
    ({"contact": "anna", "start_at": "2026-12-01T09:00:00"}, "start_at"),
    ({"contact": "anna", "overrides": ["contact_unknown"]}, "enrollrequest"),
    ({"contact": "anna", "mailbox": "nobody"}, "mailbox"),
    ({"contact": "anna", "sequence": "x"}, "sequence"),
    ({"contact": "anna", "by": "Ana Ruiz <ana@example.com>"}, "by"),
]


async def test_a_wrong_request_enrolls_nobody(idle: httpx.AsyncClient, workerless: World) -> None:
    key = await workerless.add_sequence()
    await workerless.add_contact("anna")
    for body, field in WRONG_REQUESTS:
        refusal = problem(await idle.post(f"/v1/sequences/{key}/enrollments", json=body), 422, "invalid_request")
        assert refusal["field"] == field
    assert ok(await idle.get(f"/v1/sequences/{key}/enrollments"))["items"] == []
    problem(await idle.post("/v1/sequences/nowhere/enrollments", json={"contact": "anna"}), 404, "sequence_unknown")


async def test_the_list_filters_sorts_and_pages_without_gaps_or_repeats(http: httpx.AsyncClient, world: World) -> None:
    key = await world.add_sequence(wait="1h")
    names = [f"c{number}" for number in range(7)]
    for name in names:
        await world.add_contact(name, last_name="Same")
    done = ok(await http.post(f"/v1/sequences/{key}/enrollments", json={"contacts": names}))
    enrollments = {one["contact"]: one["enrollment"] for one in done["results"]}
    for name in names:
        await world.until_state(enrollments[name], lambda state: state.sent == 0 and state.slot is not None)
    ok(await http.post(f"/v1/enrollments/{enrollments['c1']}/commands/pause"))
    ok(await http.post(f"/v1/enrollments/{enrollments['c2']}/commands/remove"))

    async def listed(**params: Any) -> list[str]:
        seen: list[str] = []
        cursor: str | None = None
        while True:
            more = {} if cursor is None else {"cursor": cursor}
            page = ok(await http.get(f"/v1/sequences/{key}/enrollments", params={"limit": 2, **params, **more}))
            seen += [one["contact"] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return seen

    kept = sorted(set(names) - {"c2"})
    for sort in ("last_event", "next_action", "step", "name"):
        up, down = await listed(sort=sort, order="asc"), await listed(sort=sort, order="desc")
        assert sorted(up) == kept
        assert up == down[::-1]
    assert await listed(sort="name", order="asc") == kept
    assert await listed(status="paused", reason="manual") == ["c1"]
    assert await listed(status="removed") == ["c2"]
    assert await listed(status="failed") == []
    assert sorted(await listed(status="active,paused")) == kept
    assert sorted(await listed(status=["active", "removed"])) == sorted(set(names) - {"c1"})
    assert (await listed(sort="status", order="asc"))[-1] == (await listed(sort="status"))[0] == "c1"
    assert sorted(await listed(step="step1", mailbox=world.mailbox)) == kept
    assert await listed(step="step2") == await listed(mailbox="nobody") == []
    assert await listed(search="C3 same") == await listed(search=world.address("c3")) == ["c3"]
    assert await listed(search="same", status="paused") == ["c1"]


async def test_a_wrong_page_is_refused(idle: httpx.AsyncClient, workerless: World) -> None:
    key = await workerless.add_sequence()
    path = f"/v1/sequences/{key}/enrollments"
    problem(await idle.get(path, params={"status": "sleeping"}), 422, "invalid_filter")
    problem(await idle.get(path, params={"sort": "luck"}), 422, "invalid_request")
    problem(await idle.get(path, params={"limit": "201"}), 422, "invalid_request")
    problem(await idle.get(path, params={"cursor": "nonsense"}), 422, "invalid_cursor")
    problem(await idle.get(path, params={"reason": "\x00"}), 422, "invalid_request")
    problem(await idle.get(path, params={"step": "\x00"}), 422, "invalid_request")
    problem(await idle.get(path, params={"search": "x" * 201}), 422, "invalid_request")
    problem(await idle.get("/v1/sequences/nowhere/enrollments"), 404, "sequence_unknown")


async def test_one_enrollment_shows_why_what_next_and_what_was(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    shown = ok(await http.get(f"/v1/enrollments/{enrollment}"))
    assert (shown["status"], shown["phase"], shown["next"]["what"]) == ("active", "delay", "send")
    assert shown["next"]["step"] == "step2"
    assert [(one["step_id"], one["state"]) for one in shown["attempts"]] == [("step1", "sent")]
    told = ok(await http.get(f"/v1/enrollments/{enrollment}/events"))["items"]
    assert [line["kind"] for line in told] == ["enrolled", "sent"]
    why = ok(await http.get(f"/v1/enrollments/{enrollment}/explain"))
    assert why["sentence"].startswith("Step 2 of 2 leaves ")
    assert {"pause", "send_now", "finish"} <= set(why["allowed"])
    assert why["guards"]
    for path in (NOBODY, "not-an-id", f"{NOBODY}/events", f"{NOBODY}/explain"):
        problem(await http.get(f"/v1/enrollments/{path}"), 404, "enrollment_unknown")


async def test_pause_resume_finish_and_the_refusals_in_between(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(wait="1h")
    enrollment = await world.enroll("anna")
    path = f"/v1/enrollments/{enrollment}/commands"
    refusal = problem(await http.post(f"{path}/resume"), 409, "not_paused")
    assert "pause" in refusal["allowed_actions"]
    paused = ok(await http.post(f"{path}/pause", json={"until": soon(3600), "by": "person:ana"}))
    assert (paused["status"], paused["reason"], paused["remaining_holds"]) == ("paused", "manual", ["manual"])
    assert (paused["adopted"], paused["next"]["what"]) == (True, "resume")
    assert ok(await http.post(f"{path}/resume_at", json={"until": soon(7200)}))["status"] == "paused"
    resumed = ok(await http.post(f"{path}/resume"))
    assert (resumed["status"], resumed["remaining_holds"]) == ("active", [])
    problem(await http.post(f"{path}/retry"), 409, "not_halted")
    problem(await http.post(f"{path}/settle_delivery", json={"verdict": "sent"}), 409, "delivery_known")
    finished = ok(await http.post(f"{path}/finish", json={"disposition": "called"}))
    assert (finished["status"], finished["reason"]) == ("finished", "manual")
    problem(await http.post(f"{path}/resume"), 409, "finished")
    told = ok(await http.get(f"/v1/enrollments/{enrollment}/events"))["items"]
    said = {(line["kind"], line["by"]) for line in told}
    assert {("pause", "person:ana"), ("resume", "key:api"), ("finish", "key:api")} <= said


async def test_send_now_skip_and_remove(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="1h"), plain_step(3, wait="1h")])
    enrollment = await world.enroll("anna")
    path = f"/v1/enrollments/{enrollment}/commands"
    ok(await http.post(f"{path}/skip"))
    await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step2")
    ok(await http.post(f"{path}/send_now"))
    assert [mail.subject for mail in await world.until_mails("anna", 1)] == ["Subject 2"]
    assert ok(await http.post(f"{path}/remove"))["status"] == "removed"


WRONG_COMMANDS: list[tuple[str, dict[str, Any], str]] = [
    ("pause", {"until": "2026-12-01T09:00:00"}, "until"),
    ("pause", {"until": "soon"}, "until"),
    ("pause", {"untill": "2099-12-01"}, "untill"),
    ("resume_at", {}, "until"),
    ("settle_delivery", {"verdict": "perhaps"}, "verdict"),
    ("finish", {"outcome": "completed"}, "outcome"),
    ("finish", {"disposition": "x" * 65_536}, "disposition"),
    ("pause", {"id": "x" * 201}, "id"),
]


async def test_wrong_commands_are_refused(idle: httpx.AsyncClient) -> None:
    for name, body, field in WRONG_COMMANDS:
        path = f"/v1/enrollments/{NOBODY}/commands/{name}"
        refusal = problem(await idle.post(path, json=body), 422, "invalid_message")
        assert refusal["field"] == field


async def test_a_date_in_the_past_is_refused(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(wait="1h")
    enrollment = await world.enroll("anna")
    past = {"until": "2020-01-01T00:00:00Z"}
    refusal = problem(await http.post(f"/v1/enrollments/{enrollment}/commands/pause", json=past), 409, "date_in_past")
    assert refusal["field"] == "until"
    assert (await world.status(enrollment)) == ("active", None)


async def test_every_command_and_fact_has_a_route(idle: httpx.AsyncClient) -> None:
    bodies = {"resume_at": {"until": soon(60)}, "settle_delivery": {"verdict": "sent"}}
    for name in (*COMMANDS, *FACTS):
        kind = "commands" if name in COMMANDS else "facts"
        response = await idle.post(f"/v1/enrollments/{NOBODY}/{kind}/{name}", json=bodies.get(name, {}))
        problem(response, 404, "enrollment_unknown")


async def test_unknown_commands_and_fields_of_our_own_are_refused(idle: httpx.AsyncClient) -> None:
    problem(await idle.post(f"/v1/enrollments/{NOBODY}/commands/explode"), 404, "not_found")
    problem(await idle.post(f"/v1/enrollments/{NOBODY}/facts/gate_opened"), 404, "not_found")
    body = {"origin": NOBODY}
    problem(await idle.post(f"/v1/enrollments/{NOBODY}/facts/reply", json=body), 422, "invalid_request")


async def test_facts_change_the_status_and_late_ones_amend_the_record(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(wait="1h")
    enrollment = await world.enroll("anna")
    path = f"/v1/enrollments/{enrollment}/facts"
    away = ok(await http.post(f"{path}/out_of_office", json={"by": "key:inbox"}))
    assert (away["status"], away["reason"]) == ("paused", "out_of_office")
    replied = ok(await http.post(f"{path}/reply", json={"by": "key:inbox"}))
    assert (replied["status"], replied["reason"]) == ("finished", "replied")
    late = ok(await http.post(f"{path}/reply", json={"by": "key:inbox"}))
    assert late["status"] == "finished"


async def test_a_bounced_contact_goes_on_at_a_new_address(http: httpx.AsyncClient, world: World) -> None:
    await world.add_sequence(steps=[plain_step(1)])
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "finished", "completed")
    body = {"kind": "hard_bounce", "step": "step1", "attempt": 1, "by": "key:inbox"}
    bounced = ok(await http.post(f"/v1/enrollments/{enrollment}/facts/bounce", json=body))
    assert (bounced["status"], bounced["label"]) == ("bounced", "Bounced")
    ok(await http.patch("/v1/contacts/anna", json={"email": f"new@{world.token}.test"}))
    assert ok(await http.get(f"/v1/enrollments/{enrollment}/explain"))["ready_to"] == "resume"
    ok(await http.post(f"/v1/enrollments/{enrollment}/commands/resume"))
    await world.until_mails("new", 1)


async def test_with_no_worker_alive_writes_are_accepted_and_hold(idle: httpx.AsyncClient, workerless: World) -> None:
    world = workerless
    key = await world.add_sequence(wait="1h")
    async with world.worker():
        enrollment = await world.enroll("anna")
        await world.until_state(enrollment, lambda state: state.slot is not None)
    await world.add_contact("ben")
    started = ok(await idle.post(f"/v1/sequences/{key}/enrollments", json={"contact": "ben"}), 202)
    assert (started["pending"], started["enrolled"]) == (1, 0)
    paused = ok(await idle.post(f"/v1/enrollments/{enrollment}/commands/pause", json={"id": "p1"}), 202)
    assert (paused["accepted"], paused["adopted"]) == (True, False)
    row = ok(await idle.get(f"/v1/sequences/{key}/enrollments"))["items"][0]
    assert row["pending"] == ["pausing"]
    assert ok(await idle.get(f"/v1/enrollments/{enrollment}"))["pending"] == [{"message": "pause", "shown": "pausing"}]
    skipped = ok(await idle.post(f"/v1/enrollments/{enrollment}/commands/skip"), 202)
    assert skipped["adopted"] is False
    off = ok(await idle.post(f"/v1/sequences/{key}/off"))
    assert off["switched_on"] is False
    ok(await idle.post(f"/v1/sequences/{key}/on"))
    async with world.worker():
        await world.until_status(enrollment, "paused", "manual")

        async def admitted() -> bool:
            return len(ok(await idle.get(f"/v1/sequences/{key}/enrollments"))["items"]) == 2

        await eventually(admitted)
