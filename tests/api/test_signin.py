"""Signing in to the console, staying signed in, and forms that only our own pages can send."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from fastapi import Request

from api.access import Signed, needs
from api.app import create_app
from api.authentication import COOKIE, SECURE_COOKIE, local_path
from api.csrf import form, protected
from api.services import Services
from store import access
from tests.api.conftest import TOKEN, problem, services_for, take_first
from tests.harness import World


class Clock:
    """The time of the server, which a test moves on."""

    def __init__(self) -> None:
        self.time = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.time

    def pass_by(self, **time: float) -> None:
        self.time += timedelta(**time)


@asynccontextmanager
async def browser(
    services: Services, base_url: str = "http://onward.test", address: str = "192.0.2.7"
) -> AsyncIterator[httpx.AsyncClient]:
    """A browser before the app with two pages of a console: one that says who is signed in, one that does something."""
    app = create_app(services)

    @app.get("/whoami", dependencies=[needs("read")])
    async def whoami(caller: Signed) -> dict[str, Any]:
        return {"key": caller.key, "actor": caller.actor, "csrf": caller.csrf, "session": caller.session}

    @app.post("/act", dependencies=[needs("operate"), protected])
    async def act(request: Request, caller: Signed) -> dict[str, Any]:
        fields = await form(request)
        for number, key in enumerate(fields.get("finish", ())):
            request.state.audit.add("finish", "enrollment", key, *(("refused", "closed") if number else ()))
            request.state.audit.ended("refused", "some_refused")
        return {"actor": caller.actor, "fields": fields}

    take_first(app, 2)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url=base_url, timeout=60) as client:
        yield client


async def new_key(world: World, name: str = "ana", *scopes: str, **options: Any) -> tuple[access.Key, str]:
    """A key and its text."""
    now = datetime.now(UTC)
    async with world.database.transaction() as connection:
        return await access.create_key(
            connection, name, scopes or ["operate"], actor=f"person:{name}", by="person:test", now=now, **options
        )


async def signed_in(client: httpx.AsyncClient, key: str, **fields: str) -> httpx.Response:
    response = await client.post("/sign-in", data={"key": key, **fields})
    assert response.status_code == 303, response.text
    return response


async def whoami(client: httpx.AsyncClient) -> dict[str, Any]:
    response = await client.get("/whoami")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def sent_to_sign_in(response: httpx.Response) -> dict[str, str]:
    """The query with which a browser is sent to sign in."""
    assert response.status_code == 303, response.text
    url = httpx.URL(response.headers["location"])
    assert url.path == "/sign-in"
    assert not url.host
    return dict(url.params)


async def test_a_key_signs_in_and_the_session_acts_as_its_actor(workerless: World) -> None:
    key, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        assert sent_to_sign_in(await client.get("/whoami?of=me")) == {"next": "/whoami?of=me"}
        page = await client.get("/sign-in?next=/whoami?of=me")
        assert '<input type="hidden" name="next" value="/whoami?of=me">' in page.text
        assert "script-src 'self'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "same-origin"
        assert page.headers["cache-control"] == "no-store"
        response = await signed_in(client, text, next="/whoami")
        assert response.headers["location"] == "/whoami"
        cookie = response.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        me = await whoami(client)
        assert (me["key"], me["actor"]) == (key.id, "person:ana")
        done = await client.post("/act", data={"csrf": me["csrf"]}, headers={"Onward-Actor": "person:eve"})
        assert done.json()["actor"] == "person:ana"


async def test_over_tls_the_cookie_is_bound_to_the_host(workerless: World) -> None:
    _, text = await new_key(workerless)
    services = services_for(workerless)
    async with browser(services, "https://onward.test") as client:
        cookie = (await signed_in(client, text)).headers["set-cookie"]
        assert cookie.startswith(f"{SECURE_COOKIE}=")
        assert {"Secure", "Path=/", "HttpOnly"} <= set(cookie.split("; "))
        assert "Domain" not in cookie
        await whoami(client)
    # Behind a proxy that ends TLS and does not say so, and on the server itself.
    services = replace(services, public_url="https://onward.test")
    async with browser(services) as client:
        assert "Secure" in (await signed_in(client, text)).headers["set-cookie"]
    async with browser(services, "http://127.0.0.1:8000") as client:
        assert "Secure" not in (await signed_in(client, text)).headers["set-cookie"]


async def test_each_sign_in_is_a_new_session_and_ends_the_one_before(workerless: World) -> None:
    _, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        await signed_in(client, text)
        first, before = client.cookies[COOKIE], await whoami(client)
        await signed_in(client, text)
        after = await whoami(client)
        assert client.cookies[COOKIE] != first
        assert before["csrf"] != after["csrf"]
        assert before["session"] != after["session"]
        client.cookies.set(COOKIE, first, domain="onward.test")
        assert sent_to_sign_in(await client.get("/whoami")) == {"expired": "1", "next": "/whoami"}


async def test_signing_out_ends_the_session(workerless: World) -> None:
    _, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        await signed_in(client, text)
        token, csrf = client.cookies[COOKIE], (await whoami(client))["csrf"]
        problem(await client.post("/sign-out"), 403, "csrf_invalid")
        assert sent_to_sign_in(await client.post("/sign-out", data={"csrf": csrf})) == {}
        assert COOKIE not in client.cookies
        client.cookies.set(COOKIE, token, domain="onward.test")
        sent_to_sign_in(await client.get("/whoami"))


async def test_a_session_ends_when_unused_and_at_last_in_any_case(workerless: World) -> None:
    _, text = await new_key(workerless)
    clock = Clock()
    async with browser(services_for(workerless, clock=clock)) as client:
        await signed_in(client, text)
        clock.pass_by(hours=7.9)
        await whoami(client)
        clock.pass_by(hours=7.9)
        await whoami(client)
        clock.pass_by(hours=8)
        assert sent_to_sign_in(await client.get("/whoami"))["expired"] == "1"
        assert "Your session has expired" in (await client.get("/sign-in?expired=1")).text

        await signed_in(client, text)
        for _ in range(23):
            clock.pass_by(hours=7)
            await whoami(client)
        clock.pass_by(hours=7)
        assert sent_to_sign_in(await client.get("/whoami"))["expired"] == "1"


async def test_revoking_a_key_ends_its_sessions_at_once(workerless: World) -> None:
    key, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client, browser(services_for(workerless)) as other:
        await signed_in(client, text)
        await signed_in(other, text)
        async with workerless.database.transaction() as connection:
            assert await access.revoke_key(connection, key.id, by="person:test", now=datetime.now(UTC))
        for one in (client, other):
            assert sent_to_sign_in(await one.get("/whoami"))["expired"] == "1"
            bearer = {"Authorization": f"Bearer {text}"}
            problem(await one.get("/v1/contacts", headers=bearer), 401, "unauthorized")
            assert (await one.post("/sign-in", data={"key": text})).status_code == 401


async def test_a_key_that_expires_takes_its_session_with_it(workerless: World) -> None:
    clock = Clock()
    _, text = await new_key(workerless, expires_at=clock.time + timedelta(hours=1))
    async with browser(services_for(workerless, clock=clock)) as client:
        await signed_in(client, text)
        clock.pass_by(hours=1)
        sent_to_sign_in(await client.get("/whoami"))


async def test_a_session_of_the_key_from_the_settings_ends_when_that_is_changed(workerless: World) -> None:
    services = services_for(workerless)
    async with browser(services) as client:
        await signed_in(client, TOKEN)
        assert (await whoami(client))["actor"] == "key:api"
        for token in ("another", None):
            async with browser(replace(services, token=token)) as changed:
                changed.cookies = client.cookies
                sent_to_sign_in(await changed.get("/whoami"))
        await whoami(client)


async def test_a_script_is_told_of_a_lost_session_by_a_status(workerless: World) -> None:
    async with browser(services_for(workerless)) as client:
        for headers in ({"Onward-Fragment": "1"}, {"Accept": "text/event-stream"}, {"Sec-Fetch-Mode": "cors"}):
            problem(await client.get("/whoami", headers=headers), 401, "unauthorized")
        assert sent_to_sign_in(await client.get("/whoami", headers={"Sec-Fetch-Mode": "navigate"}))
        assert sent_to_sign_in(await client.post("/act")) == {}
        client.cookies.set(COOKIE, "gone", domain="onward.test")
        problem(await client.get("/whoami", headers={"Onward-Fragment": "1"}), 401, "session_expired")


async def test_forms_must_come_from_a_page_of_the_session(workerless: World) -> None:
    _, text = await new_key(workerless)
    services = services_for(workerless, public_url="https://public.test")
    async with (
        browser(services, "http://localhost:8000") as client,
        browser(services, "http://localhost:8000") as other,
    ):
        await signed_in(client, text)
        await signed_in(other, text)
        csrf, foreign = (await whoami(client))["csrf"], (await whoami(other))["csrf"]
        for fields in ({}, {"csrf": ""}, {"csrf": foreign}, {"csrf": csrf[:-1]}):
            problem(await client.post("/act", data=fields), 403, "csrf_invalid")
        for headers in (
            {"Origin": "https://evil.test"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site", "Origin": "http://localhost:8000"},
        ):
            problem(await client.post("/act", data={"csrf": csrf}, headers=headers), 403, "csrf_invalid")
        for headers in (
            {},
            {"Origin": "http://localhost:8000"},
            {"Origin": "https://public.test"},
            {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        ):
            done = await client.post("/act", data={"csrf": csrf, "id": ["a", "b"], "text": "ä+"}, headers=headers)
            assert done.json()["fields"] == {"csrf": [csrf], "id": ["a", "b"], "text": ["ä+"]}
        assert (await client.post("/act", headers={"X-CSRF-Token": csrf})).status_code == 200
        problem(await client.post("/act", json={"csrf": csrf}), 422, "invalid_request")


async def test_a_readers_session_is_refused_an_action(workerless: World) -> None:
    _, text = await new_key(workerless, "reader", "read")
    async with browser(services_for(workerless)) as client:
        await signed_in(client, text)
        csrf = (await whoami(client))["csrf"]
        refused = problem(await client.post("/act", data={"csrf": csrf}), 403, "scope_missing")
        assert "operate" in refused["detail"]


async def test_a_key_that_may_not_read_opens_no_console(workerless: World) -> None:
    key, text = await new_key(workerless, "inbox", "inbound")
    async with browser(services_for(workerless)) as client:
        assert (await client.post("/sign-in", data={"key": text})).status_code == 403
        async with workerless.database.transaction() as connection:
            link = await access.create_link(connection, key.id, datetime.now(UTC))
        assert (await client.get(f"/sign-in/{link}")).status_code == 410
        assert not client.cookies


async def test_ten_failures_from_an_address_and_it_has_to_wait(workerless: World) -> None:
    _, text = await new_key(workerless)
    clock = Clock()
    # Two processes share what they count.
    services = services_for(workerless, clock=clock)
    async with browser(services) as one, browser(services) as two, browser(services, address="192.0.2.8") as neighbour:
        for number in range(10):
            client = (one, two)[number % 2]
            wrong = await client.post("/sign-in", data={"key": f"onward_0123456789ab_{number}", "next": "/whoami"})
            assert wrong.status_code == 401
            assert 'value="/whoami"' in wrong.text
            clock.pass_by(seconds=6)
        refused = await two.post("/sign-in", data={"key": text})
        assert refused.status_code == 429
        assert int(refused.headers["retry-after"]) == 14 * 60
        await signed_in(neighbour, text)
        clock.pass_by(minutes=14)
        for _ in range(12):  # what succeeds does not count
            await signed_in(two, text)


async def test_many_tries_at_once_are_counted_one_by_one(workerless: World) -> None:
    services = services_for(workerless)
    async with browser(services) as one, browser(services) as two:
        tries = [(one, two)[number % 2].post("/sign-in", data={"key": "wrong"}) for number in range(24)]
        answers = await asyncio.gather(*tries)
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 14


async def test_one_customer_has_one_address_in_ipv6(workerless: World) -> None:
    services = services_for(workerless)
    for number in range(11):
        async with browser(services, address=f"2001:db8::{number}") as client:
            status = (await client.post("/sign-in", data={"key": "wrong"})).status_code
        assert status == (429 if number == 10 else 401)


async def test_a_link_signs_in_once(workerless: World) -> None:
    key, _ = await new_key(workerless)
    clock = Clock()
    services = services_for(workerless, clock=clock)
    async with workerless.database.transaction() as connection:
        links = [await access.create_link(connection, key.id, clock.time) for _ in range(2)]
    async with browser(services) as client, browser(services) as second:
        response = await client.get(f"/sign-in/{links[0]}")
        assert (response.status_code, response.headers["location"]) == (303, "/")
        assert response.headers["referrer-policy"] == "no-referrer"
        assert (await whoami(client))["key"] == key.id
        used = await second.get(f"/sign-in/{links[0]}")
        assert used.status_code == 410
        assert "was used already" in used.text
        clock.pass_by(minutes=10)
        late = await second.get(f"/sign-in/{links[1]}")
        assert late.status_code == 410
        assert "has expired" in late.text
        assert (await second.get("/sign-in/nonsense")).status_code == 404
        assert not second.cookies


async def test_another_page_cannot_sign_a_browser_in(workerless: World) -> None:
    _, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        for headers in ({"Origin": "https://evil.test"}, {"Sec-Fetch-Site": "cross-site"}):
            assert (await client.post("/sign-in", data={"key": text}, headers=headers)).status_code == 403
        assert not client.cookies


@pytest.mark.parametrize(
    "given",
    [
        "https://evil.test",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/a\n/b",
        "javascript:alert(1)",
        "evil.test",
        "",
        "/sign-out",
        "/" + "x" * 2_001,
    ],
)
async def test_signing_in_leads_nowhere_else(workerless: World, given: str) -> None:
    assert local_path(given) == "/"
    _, text = await new_key(workerless)
    async with browser(services_for(workerless)) as client:
        assert (await signed_in(client, text, next=given)).headers["location"] == "/"


def test_a_path_of_this_site_may_be_gone_on_to() -> None:
    for path in ("/", "/sequences/spring?status=paused&q=%C3%A4", "/enrollments/0198#story"):
        assert local_path(path) == path
    assert local_path(None) == "/"


async def test_no_secret_is_stored(workerless: World) -> None:
    key, text = await new_key(workerless)
    async with workerless.database.transaction() as connection:
        link = await access.create_link(connection, key.id, datetime.now(UTC))
    async with browser(services_for(workerless)) as client:
        await signed_in(client, text)
        session = client.cookies[COOKIE]
        await signed_in(client, TOKEN)
        await client.get("/v1/contacts", headers={"Authorization": f"Bearer {text}"})
        await client.post("/sign-in", data={"key": text + "x"})
        secrets = [text.split("_", 2)[2], link, session, client.cookies[COOKIE], TOKEN]
        await client.get(f"/sign-in/{link}")
    async with workerless.database.read() as connection:
        tables = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        everything = ""
        for table in tables:
            rows = await connection.fetch(f'SELECT t::text AS line FROM "{table["tablename"]}" t')
            everything += "\n".join(row["line"] for row in rows)
    assert key.id in everything
    for secret in secrets:
        assert secret not in everything
        assert secret.encode().hex() not in everything
