"""The server itself: a real socket, its address, its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from api.server import check_address, check_token, serve
from settings import Settings, SettingsError
from store import access, audit
from tests.api.conftest import ok, problem
from tests.harness import World, eventually

BEYOND = ("0.0.0.0", "::", "192.0.2.7", "onward.example.com", "")


async def test_no_address_beyond_this_machine_while_nobody_has_a_key(workerless: World) -> None:
    database = workerless.database
    for host in ("127.0.0.1", "::1", "localhost"):
        await check_address(Settings(api_host=host, api_token=None), database)
    for host in BEYOND:
        with pytest.raises(SettingsError) as refused:
            await check_address(Settings(api_host=host, api_token=None), database)
        assert refused.value.code == "api_key_missing"
        await check_address(Settings(api_host=host, api_token=SecretStr("x")), database)
    now = datetime.now(UTC)
    async with database.transaction() as connection:
        key, _ = await access.create_key(connection, "crm", ["operate"], actor="key:crm", by="person:ana", now=now)
    for host in BEYOND:
        await check_address(Settings(api_host=host, api_token=None), database)
    async with database.transaction() as connection:
        await access.revoke_key(connection, key.id, by="person:ana", now=now)
    with pytest.raises(SettingsError):
        await check_address(Settings(api_host="0.0.0.0", api_token=None), database)


def test_an_empty_key_in_the_settings_is_refused() -> None:
    check_token(Settings(api_token=None))
    for empty in ("", " "):
        with pytest.raises(SettingsError) as refused:
            check_token(Settings(api_token=SecretStr(empty)))
        assert refused.value.code == "api_token_empty"


@asynccontextmanager
async def serving(world: World, **changes: Any) -> AsyncIterator[str]:
    """The server on a free port of this machine; its URL."""
    stop, urls = asyncio.Event(), list[str]()
    settings = world.settings.model_copy(update={"api_host": "127.0.0.1", "api_port": 0, **changes})
    running = asyncio.create_task(serve(settings, stop, urls.append))

    async def url() -> str | None:
        if running.done():
            await running
        return urls[0] if urls else None

    yield await eventually(url)
    stop.set()
    await asyncio.wait_for(running, 30)


@pytest.mark.parametrize(
    ("trusted", "seen"), [("127.0.0.0/8", "192.0.2.77"), (None, "127.0.0.1"), ("192.0.2.1", "127.0.0.1")]
)
async def test_only_a_proxy_that_the_settings_name_says_who_calls(
    workerless: World, trusted: str | None, seen: str
) -> None:
    forwarded = {"X-Forwarded-For": "192.0.2.77", "X-Forwarded-Proto": "https"}
    async with serving(workerless, trusted_proxies=trusted) as url, httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/sign-in", data={"key": "wrong"}, headers=forwarded)).status_code == 401
    async with workerless.database.read() as connection:
        (entry,), _ = await audit.page(connection)
    assert (entry.action, entry.origin) == ("sign_in", seen)


async def test_it_serves_on_a_free_port_and_ends_when_told(workerless: World) -> None:
    token = SecretStr("a-token-of-the-test")
    async with (
        serving(workerless, api_token=token) as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        assert ok(await http.get("/ready")) == {"ready": True, "database": "ok", "temporal": "ok"}
        problem(await http.get("/v1/contacts"), 401, "unauthorized")
        http.headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        response = await http.put("/v1/contacts/anna", json={"first_name": "Änna"}, headers={"Idempotency-Key": "k"})
        assert ok(response, 201)["first_name"] == "Änna"
        assert "server" not in response.headers
        problem(await http.get("/v1/contacts/%00"), 404, "contact_unknown")
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(url)
