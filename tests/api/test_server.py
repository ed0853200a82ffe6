"""The server itself: a real socket, its address, its end."""

from __future__ import annotations

import asyncio

import httpx
import pytest
from pydantic import SecretStr

from api.server import check_address, serve
from settings import Settings, SettingsError
from tests.api.conftest import ok, problem
from tests.harness import World, eventually


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "onward.example.com", ""])
def test_no_address_beyond_this_machine_without_a_token(host: str) -> None:
    with pytest.raises(SettingsError) as refused:
        check_address(Settings(api_host=host, api_token=None))
    assert refused.value.code == "api_token_missing"
    check_address(Settings(api_host=host, api_token=SecretStr("x")))
    with pytest.raises(SettingsError):
        check_address(Settings(api_host=host, api_token=SecretStr("")))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_this_machine_needs_no_token(host: str) -> None:
    check_address(Settings(api_host=host, api_token=None))


async def test_it_serves_on_a_free_port_and_ends_when_told(stack: object, workerless: World) -> None:
    stop, urls = asyncio.Event(), []
    token = SecretStr("a-token-of-the-test")
    settings = workerless.settings.model_copy(update={"api_host": "127.0.0.1", "api_port": 0, "api_token": token})
    serving = asyncio.create_task(serve(settings, stop, urls.append))

    async def url() -> str | None:
        if serving.done():
            await serving
        return urls[0] if urls else None

    async with httpx.AsyncClient(base_url=await eventually(url), timeout=30) as http:
        assert ok(await http.get("/ready")) == {"ready": True, "database": "ok", "temporal": "ok"}
        problem(await http.get("/v1/contacts"), 401, "unauthorized")
        http.headers["Authorization"] = f"Bearer {token.get_secret_value()}"
        response = await http.put("/v1/contacts/anna", json={"first_name": "Änna"}, headers={"Idempotency-Key": "k"})
        assert ok(response, 201)["first_name"] == "Änna"
        assert "server" not in response.headers
        problem(await http.get("/v1/contacts/%00"), 404, "contact_unknown")
    stop.set()
    await asyncio.wait_for(serving, 30)
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError):
            await http.get(urls[0])
