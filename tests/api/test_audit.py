"""Who did what, on whom, and what came of it: on record before it runs, and whatever becomes of it."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from embedded.server import Server
from store import audit
from tests.api.conftest import TOKEN, calling, ok, problem, services_for, take_first
from tests.api.test_access import bearer
from tests.api.test_signin import browser, new_key, signed_in, whoami
from tests.cli.conftest import environment
from tests.harness import World, eventually

ROOT = Path(__file__).parents[2]


async def entries(world: World, **which: Any) -> list[audit.Entry]:
    """The audit, oldest first."""
    async with world.database.read() as connection:
        found, _ = await audit.page(connection, limit=200, **which)
    return found[::-1]


def told(found: list[audit.Entry]) -> list[tuple[Any, ...]]:
    return [(one.action, one.kind, one.target, one.result, one.status, one.code) for one in found]


async def test_every_command_leaves_who_what_on_whom_and_what_came_of_it(workerless: World) -> None:
    world = workerless
    sequence = await world.add_sequence(wait="1h")
    for contact in ("anna", "ben"):
        await world.add_contact(contact)
    key, text = await new_key(world, "crm")
    async with world.worker(), calling(services_for(world), headers=bearer(text)) as client:
        body = {"contacts": ["anna", "nobody"], "by": "person:ana"}
        answer = await client.post(f"/v1/sequences/{sequence}/enrollments", json=body)
        enrollment = ok(answer)["results"][0]["enrollment"]
        path = f"/v1/enrollments/{enrollment}/commands"
        keyed = {"Idempotency-Key": "k"}
        for _ in range(2):
            paused = await client.post(f"{path}/pause", headers={"Onward-Actor": "person:ben", **keyed})
        problem(await client.post(f"{path}/retry"), 409, "not_halted")
        problem(await client.post(f"{path}/pause", json={"until": "never"}), 422, "invalid_message")
        problem(await client.post("/v1/switch/off"), 403, "scope_missing")
        problem(await client.post("/v1/nowhere"), 404, "not_found")
        ok(await client.post("/v1/suppressions", json={"address": "Eve@acme.test"}))
        ok(await client.get(f"/v1/enrollments/{enrollment}"))
    found = await entries(world)
    assert told(found) == [
        ("enroll", "sequence", sequence, "done", 200, None),
        ("enroll", "contact", "anna", "done", None, None),
        ("enroll", "contact", "nobody", "refused", None, "contact_unknown"),
        ("pause", "enrollment", enrollment, "done", 200, None),
        ("pause", "enrollment", enrollment, "done", 200, "replayed"),
        ("retry", "enrollment", enrollment, "refused", 409, "not_halted"),
        ("pause", "enrollment", enrollment, "refused", 422, "invalid_message"),
        ("switch_everything_off", None, None, "refused", 403, "scope_missing"),
        ("unknown_path", None, None, "refused", 404, "not_found"),
        ("suppress", None, None, "done", 200, None),
        ("suppress", "address", "eve@acme.test", "done", None, None),
    ]
    assert {(one.key, one.actor, one.origin) for one in found} == {(key.id, "person:crm", "127.0.0.1")}
    assert [one.by for one in found[:4]] == ["person:ana", "person:ana", "person:ana", "person:ben"]
    assert found[0].request == found[1].request == answer.headers["x-request-id"]
    assert found[4].request == paused.headers["x-request-id"]
    assert found[4].by is None


async def test_sign_ins_and_what_a_session_does_are_on_record(workerless: World) -> None:
    key, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        await client.post("/sign-in", data={"key": "onward_x_y"})
        await signed_in(client, text)
        me = await whoami(client)
        await client.post("/act")
        await client.post("/act", data={"csrf": me["csrf"]})
        await client.get("/sign-in/nonsense")
        await client.post("/sign-out", data={"csrf": me["csrf"]})
    found = await entries(workerless)
    assert told(found) == [
        ("sign_in", None, None, "refused", 401, "key_unknown"),
        ("sign_in", "key", key.id, "done", 303, None),
        ("act", None, None, "refused", 403, "csrf_invalid"),
        ("act", None, None, "done", 200, None),
        ("sign_in", None, None, "refused", 404, "link_unknown"),
        ("sign_out", None, None, "done", 303, None),
    ]
    assert {one.origin for one in found} == {"192.0.2.7"}
    assert [one.session for one in found] == [None, *[me["session"]] * 3, None, me["session"]]
    assert [one.actor for one in found[:2]] == [None, "person:ana"]


async def test_a_fault_of_ours_and_too_much_are_on_record(workerless: World) -> None:
    async with calling(services_for(workerless)) as client:
        app = client._transport.app  # type: ignore[attr-defined]

        @app.post("/v1/broken/{id}", name="break_{id}")
        async def broken(id: str) -> None:
            raise ValueError("secret detail")

        take_first(app)
        problem(await client.post("/v1/broken/leg"), 500, "internal_error")
        problem(await client.put("/v1/contacts/anna", content=b" " * (10 * 1024 * 1024 + 1)), 413, "too_large")
        chunks = (b" " * 65_536 for _ in range(161))
        problem(await client.put("/v1/contacts/anna", content=_stream(chunks)), 413, "too_large")
    assert told(await entries(workerless)) == [
        ("break_leg", "broken", "leg", "failed", 500, "internal_error"),
        ("put_contact", "contact", "anna", "refused", 413, "too_large"),
    ]


async def _stream(chunks: Any) -> Any:
    for chunk in chunks:
        yield chunk


async def test_a_request_that_was_cut_off_leaves_its_trace(workerless: World, tmp_path: Path) -> None:
    world = workerless
    await world.add_sequence(wait="1h")
    async with world.worker():
        enrollment = await world.enroll("anna")
    variables = {
        **environment(world, tmp_path),
        "ONWARD_API_TOKEN": TOKEN,
        "ONWARD_API_PORT": "0",
        "ONWARD_LOG_JSON": "true",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONWARD_", "TEMPORAL_"))}
    command = [sys.executable, "-m", "cli.main", "api"]
    server = Server("the API", command, log=tmp_path / "api.log", env={**kept, **variables}, grace=10.0, cwd=ROOT)

    async def url() -> str | None:
        assert server.poll() is None, server.log_tail(40)
        lines = [json.loads(line) for line in server.log_tail(200).splitlines() if line.startswith("{")]
        return next((line["url"] for line in lines if line["event"] == "api_started"), None)

    async def entry() -> audit.Entry | None:
        return next(iter(await entries(world, action="pause")), None)

    try:
        async with httpx.AsyncClient(base_url=await eventually(url), headers=bearer(TOKEN), timeout=60) as client:
            # No worker takes it up, so the request waits.
            request = asyncio.create_task(client.post(f"/v1/enrollments/{enrollment}/commands/pause"))
            found = await eventually(entry)
            server.kill()
            with pytest.raises(httpx.TransportError):
                await request
    finally:
        await asyncio.to_thread(server.stop)
    assert (found.key, found.actor, found.kind, found.target) == ("token", "key:api", "enrollment", enrollment)
    (after,) = await entries(world, action="pause")
    assert (after.id, after.result, after.finished_at) == (found.id, None, None)
    async with calling(services_for(world)) as client:
        (shown,) = ok(await client.get("/v1/audit", params={"target": enrollment}))["items"]
    assert (shown["action"], shown["result"]) == ("pause", None)


async def test_nothing_on_record_can_be_changed(workerless: World) -> None:
    async with workerless.database.read() as connection:
        who = audit.Who("token", "key:api", "127.0.0.1", "r")
        entry = await audit.begin(connection, who, "pause")
        await audit.finish(connection, entry, "done")
        for table in ("audit_entries", "audit_results"):
            for statement in (
                f"UPDATE {table} SET at = now()",
                f"DELETE FROM {table}",
                f"TRUNCATE {table} CASCADE",
            ):
                with pytest.raises(asyncpg.RestrictViolationError):
                    await connection.execute(statement)
        with pytest.raises(asyncpg.UniqueViolationError):
            await audit.finish(connection, entry, "failed")


async def test_without_a_record_nothing_is_done(workerless: World) -> None:
    async with workerless.database.read() as connection:
        await connection.execute("ALTER TABLE audit_entries ADD CONSTRAINT disk_full CHECK (false) NOT VALID")
    async with calling(services_for(workerless)) as client:
        problem(await client.post("/v1/switch/off"), 500, "internal_error")
        assert ok(await client.get("/v1/switch"))["switched_on"] is True


async def test_the_audit_is_read_page_by_page_and_by_actor_target_and_action(workerless: World) -> None:
    _, crm = await new_key(workerless, "crm")
    async with calling(services_for(workerless)) as client:
        for number in range(5):
            ok(await client.put(f"/v1/contacts/c{number}", json={}, headers=bearer(crm)), 201)
        ok(await client.post("/v1/switch/on"))
        ok(await client.patch("/v1/contacts/c1", json={"stage": "Cold"}))

        async def items(**params: Any) -> list[tuple[str, str | None]]:
            found = ok(await client.get("/v1/audit", params=params))["items"]
            return [(one["action"], one["target"]) for one in found]

        assert await items(actor="person:crm") == [("put_contact", f"c{number}") for number in (4, 3, 2, 1, 0)]
        assert await items(target="c1", kind="contact") == [("patch_contact", "c1"), ("put_contact", "c1")]
        assert await items(action="switch_everything_on") == [("switch_everything_on", None)]
        assert await items(key="token", limit=1) == [("patch_contact", "c1")]
        first = ok(await client.get("/v1/audit", params={"limit": 4}))
        ok(await client.post("/v1/switch/on"))  # what is added meanwhile does not move the pages
        second = ok(await client.get("/v1/audit", params={"limit": 4, "cursor": first["next_cursor"]}))
        ids = [one["id"] for page in (first, second) for one in page["items"]]
        assert ids == sorted(ids, reverse=True)
        assert len(set(ids)) == 7
        assert second["next_cursor"] is None
        for cursor in ("x", "-1", "9" * 19, "²"):
            problem(await client.get("/v1/audit", params={"cursor": cursor}), 422, "invalid_cursor")


async def test_a_request_on_several_has_an_entry_each_and_says_what_came_of_it(workerless: World) -> None:
    _, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        await signed_in(client, text)
        csrf = (await whoami(client))["csrf"]
        await client.post("/act", data={"csrf": csrf, "finish": ["one", "two"]})
    found = await entries(workerless, action="finish")
    assert told(found) == [
        ("finish", "enrollment", "one", "done", None, None),
        ("finish", "enrollment", "two", "refused", None, "closed"),
    ]
    (whole,) = await entries(workerless, action="act")
    assert (whole.result, whole.status, whole.code) == ("refused", 200, "some_refused")
    assert {one.request for one in found} == {whole.request}
