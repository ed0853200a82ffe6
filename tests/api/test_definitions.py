"""Sequences, schedules, mailboxes over HTTP: applied, shown, listed, refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from tests.api.conftest import ok, problem
from tests.harness import ALWAYS, World, eventually, plain_step

HUGE = "x" * 65_536


async def _define(http: httpx.AsyncClient, world: World, **changes: Any) -> str:
    ok(await http.put("/v1/schedules/always", json={"zone": "UTC", "windows": ALWAYS}))
    smtp = {"host": "127.0.0.1", "port": world.recipients.port, "security": "none"}
    ok(
        await http.put(
            "/v1/mailboxes/mara", json={"address": "mara@Sender.TEST", "smtp": smtp, "limits": {"gap": "0s"}}
        )
    )
    key = f"spring-{world.token}"
    body = {"name": "Spring", "schedule": "always", "mailboxes": ["mara"], "steps": [plain_step(1)], **changes}
    ok(await http.put(f"/v1/sequences/{key}", json=body))
    return key


async def test_a_sequence_is_applied_shown_and_listed_and_only_a_change_is_a_revision(
    idle: httpx.AsyncClient, workerless: World
) -> None:
    key = await _define(idle, workerless)
    shown = ok(await idle.get(f"/v1/sequences/{key}"))
    assert (shown["revision"], shown["switched_on"]) == (1, True)
    assert shown["counts"] == dict.fromkeys(("active", "paused", "bounced", "not_sent", "finished", "removed"), 0)
    again = await idle.put(f"/v1/sequences/{key}", json=shown["definition"])
    assert ok(again) == {"id": key, "revision": 1, "changed": False}
    changed = {**shown["definition"], "steps": [plain_step(1), plain_step(2)]}
    assert ok(await idle.put(f"/v1/sequences/{key}", json=changed))["revision"] == 2
    listed = ok(await idle.get("/v1/sequences"))
    assert [(one["id"], one["steps"]) for one in listed["items"]] == [(key, 2)]
    assert ok(await idle.get("/v1/mailboxes/mara"))["definition"]["address"] == "mara@sender.test"
    assert ok(await idle.get("/v1/mailboxes"))["items"][0]["state"] == "up"
    schedule = ok(await idle.get("/v1/schedules/always"))
    assert ok(await idle.put("/v1/schedules/always", json=schedule["definition"]))["changed"] is False
    assert [one["id"] for one in ok(await idle.get("/v1/schedules"))["items"]] == ["always"]


async def test_a_schedule_with_all_that_there_is_can_be_applied_as_it_is_shown(idle: httpx.AsyncClient) -> None:
    body = {
        "zone": "Europe/Berlin",
        "zone_of": "contact",
        "windows": ALWAYS,
        "holidays": ["DE-BY", "contact"],
        "closed": ["2026-12-24", {"from": "2026-12-27", "to": "2027-01-02", "name": "Christmas break"}],
        "open_anyway": ["2026-12-26"],
    }
    ok(await idle.put("/v1/schedules/full", json=body))
    shown = ok(await idle.get("/v1/schedules/full"))["definition"]
    assert {key: shown[key] for key in body} == body
    assert ok(await idle.put("/v1/schedules/full", json=shown))["changed"] is False


async def test_a_schedule_that_never_opens_is_refused(idle: httpx.AsyncClient) -> None:
    years = range(datetime.now(UTC).year, datetime.now(UTC).year + 15, 5)
    closed = [{"from": f"{year}-01-01", "to": f"{year + 4}-12-31"} for year in years]
    body = {"zone": "UTC", "windows": ALWAYS, "closed": closed}
    problem(await idle.put("/v1/schedules/shut", json=body), 422, "never_open")
    problem(await idle.get("/v1/schedules/shut"), 404, "schedule_unknown")


async def test_lists_go_on_where_the_page_before_ended(idle: httpx.AsyncClient) -> None:
    for number in range(5):
        ok(await idle.put(f"/v1/schedules/s{number}", json={"zone": "UTC", "windows": ALWAYS}))
    seen, cursor = [], ""
    while cursor is not None:
        page = ok(await idle.get("/v1/schedules", params={"limit": 2, "cursor": cursor}))
        seen += [one["id"] for one in page["items"]]
        cursor = page["next_cursor"]
    assert seen == ["s0", "s1", "s2", "s3", "s4"]


async def test_wrong_definitions_are_refused_with_the_place_and_nothing_is_written(
    idle: httpx.AsyncClient, workerless: World
) -> None:
    key = await _define(idle, workerless)
    path = f"/v1/sequences/{key}"
    good = ok(await idle.get(path))["definition"]

    async def refused(**changes: Any) -> dict[str, Any]:
        return problem(await idle.put(path, json={**good, **changes}), 422, "invalid_definition")

    assert (await refused(setings={}))["field"] == "setings"
    assert "step1" in (await refused(steps=[plain_step(1), plain_step(1)]))["detail"]
    broken = await refused(steps=[plain_step(1), plain_step(2, text="Hi,\n{% if contact %}")])
    assert broken["field"] == "steps.1.text"
    assert broken["detail"].startswith("line 2: ")
    assert (await refused(steps=[plain_step(1, html="{{ a.b() }}")]))["field"] == "steps.0.html"
    assert (await refused(schedule="nowhere"))["field"] == "schedule"
    assert (await refused(mailboxes=["mara", "nobody"]))["field"] == "mailboxes"
    assert (await refused(name=HUGE))["field"] == "name"
    assert (await refused(id="another"))["field"] == "id"
    problem(await idle.put("/v1/sequences/not an id", json=good), 422, "invalid_definition")
    assert ok(await idle.get(path))["revision"] == 1


WRONG_MAILBOXES: list[tuple[dict[str, Any], str]] = [
    ({"address": "nobody"}, "address"),
    ({"address": "a@b.test\r\nBcc: c@d.test"}, "address"),
    ({"reply_to": "@"}, "reply_to"),
    ({"smtp": {"host": "h", "port": 25, "username": "u", "password": "hunter2"}}, "smtp"),
    ({"smtp": {"host": "h", "port": 25, "username": "u", "password": "file:relative"}}, "smtp.password"),
    ({"limits": {"per_day": 0}}, "limits.per_day"),
]


async def test_wrong_mailboxes_are_refused(idle: httpx.AsyncClient) -> None:
    for changes, field in WRONG_MAILBOXES:
        body = {"address": "mara@sender.test", "smtp": {"host": "h", "port": 25}, **changes}
        refusal = problem(await idle.put("/v1/mailboxes/mara", json=body), 422, "invalid_definition")
        assert refusal["field"] == field
        assert "hunter2" not in str(refusal)
    problem(await idle.get("/v1/mailboxes/mara"), 404, "mailbox_unknown")


async def test_a_mailbox_is_checked_paused_and_opened(idle: httpx.AsyncClient, workerless: World) -> None:
    await _define(idle, workerless)
    assert ok(await idle.post("/v1/mailboxes/mara/check")) == {
        "mailbox": "mara",
        "ok": True,
        "code": None,
        "detail": None,
    }
    paused = ok(await idle.post("/v1/mailboxes/mara/pause", json={"by": "person:ana"}))
    assert (paused["state"], paused["epoch"]) == ("paused", 1)
    assert ok(await idle.post("/v1/mailboxes/mara/up"))["state"] == "up"
    smtp = {"host": "127.0.0.1", "port": workerless.recipients.port, "username": "u", "password": "env:NOT_THERE"}
    ok(await idle.put("/v1/mailboxes/locked", json={"address": "l@sender.test", "smtp": smtp}))
    checked = ok(await idle.post("/v1/mailboxes/locked/check"))
    assert (checked["ok"], checked["code"]) == (False, "mailbox_credentials_missing")
    for verb in ("check", "pause", "up"):
        problem(await idle.post(f"/v1/mailboxes/nobody/{verb}"), 404, "mailbox_unknown")


async def test_the_switch_answers_how_many_it_concerns_and_waking_has_progress(
    http: httpx.AsyncClient, world: World
) -> None:
    key = await _define(http, world, steps=[plain_step(1), plain_step(2, wait="1h")], settings={"settle": "1h"})
    world.sequence = key
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    off = ok(await http.post(f"/v1/sequences/{key}/off", json={"by": "person:ana"}))
    assert off == {"sequence": key, "switched_on": False, "changed": True, "epoch": 1, "active": 1, "parked": 0}
    assert ok(await http.post(f"/v1/sequences/{key}/off"))["changed"] is False
    shown = ok(await http.get(f"/v1/sequences/{key}"))
    assert (shown["counts"]["paused"], shown["counts"]["active"], shown["switched_by"]) == (1, 0, "person:ana")
    one = ok(await http.get(f"/v1/enrollments/{enrollment}"))
    assert (one["status"], one["own_status"], one["reason"]) == ("paused", "active", "sequence_off")
    ok(await http.post(f"/v1/enrollments/{enrollment}/commands/send_now"))
    await world.until_status(enrollment, "paused", "sequence_off")
    progress = ok(await http.get(f"/v1/sequences/{key}/progress"))
    assert (progress["open"], progress["parked"]) == (False, 1)
    on = ok(await http.post(f"/v1/sequences/{key}/on"))
    assert (on["epoch"], on["switched_on"]) == (2, True)
    await world.until_mails("anna", 2)

    async def woken() -> dict[str, Any] | None:
        found: dict[str, Any] = ok(await http.get(f"/v1/sequences/{key}/progress"))
        return None if found["waking"] or found["parked"] else found

    assert (await eventually(woken))["woken"] == 1
    problem(await http.post("/v1/sequences/nowhere/off"), 404, "sequence_unknown")
    problem(await http.get("/v1/sequences/nowhere/progress"), 404, "sequence_unknown")


async def test_the_global_switch_stands_over_every_sequence(idle: httpx.AsyncClient, workerless: World) -> None:
    key = await _define(idle, workerless)
    assert ok(await idle.get("/v1/switch")) == {"switched_on": True, "epoch": 0}
    assert ok(await idle.post("/v1/switch/off")) == {"switched_on": False, "epoch": 1}
    assert ok(await idle.get(f"/v1/sequences/{key}"))["switched_on"] is True
    assert ok(await idle.post("/v1/switch/on")) == {"switched_on": True, "epoch": 2}
    problem(await idle.post("/v1/switch/half"), 404, "not_found")


async def test_a_corrected_template_sends_what_stood_still_for_it(http: httpx.AsyncClient, world: World) -> None:
    # `truncate` is checked when it is filled: a fault that no check at the door can see.
    key = await _define(http, world, steps=[plain_step(1, text="{{ contact.city | truncate(-5) }}")])
    world.sequence = key
    await world.add_contact("anna", fields={"city": "Oslo"})
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "not_sent", "template_error")
    good = ok(await http.get(f"/v1/sequences/{key}"))["definition"]
    ok(await http.put(f"/v1/sequences/{key}", json={**good, "steps": [plain_step(1)]}))
    await world.until_status(enrollment, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1
