"""Which paths need what: keys for the API, a session for the console, a scope for every route."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from api.access import INCLUDES, OPEN, Caller, Scope, declared, every_route, needs
from api.app import create_app
from api.door import OPEN_PATHS, OPEN_PREFIXES
from store import access
from tests.api.conftest import ADMIN, calling, ok, problem, services_for
from tests.api.test_signin import browser, new_key, sent_to_sign_in, signed_in
from tests.harness import World


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


async def test_every_route_declares_who_may_call_it(workerless: World) -> None:
    app = create_app(services_for(workerless))
    routes = list(every_route(app.routes))
    assert len(routes) > 60
    for path, route in routes:
        if path == "/static":
            continue
        says = declared(route)
        assert says is not None, f"{route.methods} {path} declares no scope: dependencies=[needs(...)] or [OPEN]"
        opened = path in OPEN_PATHS or path.startswith(OPEN_PREFIXES)
        assert opened == (not says.scopes), f"{path}: the route and the door do not say the same"
        if path.startswith("/v1/") and not route.methods <= {"GET"}:
            assert "read" not in says.scopes, f"{route.methods} {path} changes something"


def test_a_route_that_forgets_is_found_wherever_it_is() -> None:
    inner, router, app = FastAPI(openapi_url=None), APIRouter(), FastAPI(openapi_url=None)

    @inner.get("/forgotten")
    @router.get("/forgotten")
    @app.get("/forgotten")
    async def forgotten() -> None: ...

    @router.get("/open", dependencies=[OPEN])
    async def opened() -> None: ...

    app.mount("/mounted", inner)
    app.include_router(router, prefix="/included")
    app.include_router(router, prefix="/guarded", dependencies=[needs("read")])
    found = {path: declared(route) for path, route in every_route(app.routes) if path.endswith("/forgotten")}
    assert {path for path, says in found.items() if says is None} == {
        "/forgotten",
        "/mounted/forgotten",
        "/included/forgotten",
    }
    assert "/guarded/forgotten" in found


async def test_the_api_takes_a_key_and_no_session(workerless: World) -> None:
    key, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        for path in ("/health", "/ready"):
            ok(await client.get(path))
        assert (await client.get("/u/nonsense")).status_code == 404
        assert (await client.get("/static/nothing.css")).status_code == 404
        await signed_in(client, text)
        foreign = f"onward_{key.id}_{'x' * 43}"
        for path in ("/v1/sequences", "/openapi.json", "/v1/nowhere", "/v1/switch"):
            for headers in ({}, bearer("wrong"), bearer(foreign), bearer(""), {"Authorization": f"Basic {text}"}):
                response = await client.get(path, headers=headers)
                problem(response, 401, "unauthorized")
                assert response.headers["www-authenticate"] == "Bearer"
        problem(await client.post("/v1/sequences/spring/off"), 401, "unauthorized")
        headers = {**bearer(text), "Host": "onward.example.com", "Origin": "https://crm.example.com"}
        assert ok(await client.get("/v1/switch", headers=headers))["switched_on"] is True


async def test_the_console_takes_a_session_and_no_key(workerless: World) -> None:
    async with calling(services_for(workerless), headers=ADMIN) as client:
        problem(await client.get("/sequences/spring"), 401, "unauthorized")
    async with calling(services_for(workerless), headers={}) as client:
        assert sent_to_sign_in(await client.get("/")) == {}
        page = "/sequences/spr%C3%AFng?status=paused&q=a%26b"
        assert sent_to_sign_in(await client.get(page)) == {"next": page}
        assert sent_to_sign_in(await client.get("//evil.test/x")) in ({"next": "//evil.test/x"}, {"next": "/x"})
        for host in ("[::1", "", "a b"):
            assert (await client.get("/sequences", headers={"Host": host})).status_code == 303


async def test_posted_mail_takes_a_signature_or_a_key(workerless: World) -> None:
    mail = b"From: someone@elsewhere.test\r\nTo: mara@sender.test\r\nSubject: Hello\r\n\r\nHi\r\n"
    _, inbound = await new_key(workerless, "inbox", "inbound")
    _, reader = await new_key(workerless, "reader", "read")
    async with calling(services_for(workerless, inbound_secret=b"another way in"), headers={}) as client:
        problem(await client.post("/inbound/messages", content=mail), 401, "signature_invalid")
        problem(await client.post("/inbound/messages", content=mail, headers=bearer("x")), 401, "unauthorized")
        problem(await client.post("/inbound/messages", content=mail, headers=bearer(reader)), 403, "scope_missing")
        ok(await client.post("/inbound/messages", content=mail, headers=bearer(inbound)))


@pytest.mark.parametrize(
    ("scope", "allowed"),
    [
        ("read", set[str]()),
        ("operate", {"contact", "pause", "reply", "suppress", "settle"}),
        ("admin", {"contact", "pause", "reply", "suppress", "settle", "sequence", "allow", "everything", "audit"}),
        ("inbound", {"reply"}),
    ],
)
async def test_what_each_scope_may(workerless: World, scope: Scope, allowed: set[str]) -> None:
    _, text = await new_key(workerless, "one", scope)
    unknown = "/v1/enrollments/0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
    attempts: dict[str, tuple[str, str, Any]] = {
        "contact": ("PUT", "/v1/contacts/anna", {"first_name": "Anna"}),
        "pause": ("POST", f"{unknown}/commands/pause", {}),
        "reply": ("POST", f"{unknown}/facts/reply", {}),
        "settle": ("POST", "/v1/inbound/7d9f2b1e-4c3a-4f5e-9b8d-1a2b3c4d5e6f/settle", {}),
        "sequence": ("PUT", "/v1/sequences/spring", {}),
        "suppress": ("POST", "/v1/suppressions", {"address": "anna@acme.test"}),
        "allow": ("DELETE", "/v1/suppressions/anna@acme.test", None),
        "everything": ("POST", "/v1/switch/on", {}),
        "audit": ("GET", "/v1/audit", None),
    }
    async with calling(services_for(workerless), headers=bearer(text)) as client:
        reads = await client.get("/v1/contacts")
        if scope == "inbound":
            assert "read" in problem(reads, 403, "scope_missing")["detail"]
        else:
            ok(reads)
        for name, (method, path, body) in attempts.items():
            response = await client.request(method, path, json=body)
            if name in allowed:
                assert response.status_code in (200, 201, 404, 422), (name, response.text)
            else:
                refused = problem(response, 403, "scope_missing")
                assert "--scope" in refused["fix"]


def test_wider_scopes_include_narrower_ones() -> None:
    for scope, included in INCLUDES.items():
        caller = Caller("k", "k", "key:k", frozenset({scope}))
        assert {one for one in INCLUDES if caller.may(one)} == included
    both = Caller("k", "k", "key:k", frozenset({"read", "inbound"}))
    assert both.may("read")
    assert both.may("inbound")
    assert not both.may("operate")


async def test_a_key_acts_as_its_actor_unless_it_names_another_one(workerless: World) -> None:
    world = workerless
    await world.add_sequence(wait="1h")
    async with world.worker():
        enrollment = await world.enroll("anna")
        _, crm = await new_key(world, "crm")
        _, inbox = await new_key(world, "inbox", "inbound")
        async with calling(services_for(world), headers=bearer(crm)) as client:
            ok(await client.post(f"/v1/enrollments/{enrollment}/commands/pause"))
            ok(await client.post(f"/v1/enrollments/{enrollment}/commands/resume", json={"by": "person:ben"}))
        async with calling(services_for(world), headers=bearer(inbox)) as client:
            fact = f"/v1/enrollments/{enrollment}/facts/meeting_booked"
            refused = problem(await client.post(fact, json={"by": "person:ana"}), 403, "scope_missing")
            assert refused["field"] == "by"
            problem(await client.post(fact, headers={"Onward-Actor": "person:ana"}), 403, "scope_missing")
            ok(await client.post(fact, json={"by": "person:inbox"}))
    said = {line["kind"]: line["by"] for line in await world.story(enrollment)}
    assert (said["pause"], said["resume"], said["meeting_booked"]) == ("person:crm", "person:ben", "person:inbox")


async def test_what_one_caller_was_answered_is_not_for_another(workerless: World) -> None:
    _, one = await new_key(workerless, "one")
    _, reader = await new_key(workerless, "reader", "read")
    keyed = {"Idempotency-Key": "k"}
    async with calling(services_for(workerless)) as client:
        body = {"first_name": "Anna"}
        ok(await client.put("/v1/contacts/anna", json=body, headers={**bearer(one), **keyed}), 201)
        again = await client.put("/v1/contacts/anna", json=body, headers={**bearer(one), **keyed})
        assert again.headers["idempotency-replayed"] == "true"
        other = await client.put("/v1/contacts/anna", json=body, headers={**bearer(reader), **keyed})
        problem(other, 403, "scope_missing")


async def test_the_last_use_of_a_key_is_kept_to_the_minute(workerless: World) -> None:
    key, text = await new_key(workerless)
    times = []
    async with calling(services_for(workerless), headers=bearer(text)) as client:
        for _ in range(2):
            ok(await client.get("/v1/switch"))
            async with workerless.database.read() as connection:
                times.append((await access.find_key(connection, key.id)).last_used_at)
    assert times[0] is not None
    assert times[0] == times[1]
    assert times[0] <= datetime.now(UTC)


async def test_answers_carry_the_headers_that_browsers_act_by(workerless: World) -> None:
    async with calling(services_for(workerless)) as client:
        answer = await client.get("/v1/switch")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert "content-security-policy" not in answer.headers
        page = await client.get("/sign-in")
        policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
        assert policy["script-src"] == policy["style-src"] == "'self'"
        assert "<style" not in page.text
        assert "<script" not in page.text
        assert "style=" not in page.text
        unsubscribe = await client.get("/u/nonsense")
        assert "sha256-" in unsubscribe.headers["content-security-policy"]
        assert unsubscribe.headers["referrer-policy"] == "no-referrer"
        assert (await client.get("/static/x.css")).headers["cache-control"] == "no-cache"


async def test_without_the_database_only_the_key_from_the_settings_is_known(workerless: World) -> None:
    _, text = await new_key(workerless)
    async with calling(services_for(workerless)) as client:
        await workerless.database.close()
        response = await client.get("/v1/switch", headers=bearer(text))
        problem(response, 503, "store_unavailable")
        assert response.headers["retry-after"]
        problem(await client.get("/v1/switch"), 503, "store_unavailable")
        ok(await client.get("/openapi.json"))
        problem(await client.post("/v1/switch/off"), 503, "store_unavailable")
        assert isinstance(await client.get("/sign-in"), httpx.Response)
