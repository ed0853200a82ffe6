"""An HTTP client that speaks to the app on the real stack, and shorthands for its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest_asyncio
from fastapi import FastAPI

from api.app import create_app
from api.services import Services, services_of
from tests.harness import World

TOKEN = "the-key-from-the-settings"
ADMIN = {"Authorization": f"Bearer {TOKEN}"}


@asynccontextmanager
async def calling(services: Services, **options: Any) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the app in this process, with the key from the settings unless `headers` say otherwise. Errors of the app are
    answers, as on a socket."""
    transport = httpx.ASGITransport(create_app(services), raise_app_exceptions=False)
    options = {"headers": ADMIN, "base_url": "http://testserver", "timeout": 60, **options}
    async with httpx.AsyncClient(transport=transport, **options) as client:
        yield client


def take_first(app: FastAPI, count: int = 1) -> None:
    """Routes that a test has added last come before the console, which answers every path."""
    app.routes[:0] = app.routes[-count:]
    del app.routes[-count:]


def services_for(world: World, **changes: Any) -> Services:
    """The services of the API on a world's servers."""
    return replace(services_of(world.settings, world.database, world.client), **{"token": TOKEN, **changes})


@pytest_asyncio.fixture
async def http(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """The API with a worker behind it."""
    async with calling(services_for(world)) as client:
        yield client


@pytest_asyncio.fixture
async def idle(workerless: World) -> AsyncIterator[httpx.AsyncClient]:
    """The API with no worker behind it, and little patience."""
    services = services_for(workerless)
    services = replace(services, enrollments=replace(services.enrollments, patience=0.3))
    async with calling(services) as client:
        yield client


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem that a response is; fails when it is another, or not of the promised shape."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body.get("code")) == (status, code), response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == f"urn:onward:problem:{code}"
    assert set(body) == {"type", "title", "status", "detail", "code", "field", "fix", "allowed_actions", "errors"}
    assert body["title"]
    assert body["detail"]
    return body


def ok(response: httpx.Response, status: int = 200) -> Any:
    """The JSON of a response with this status."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    return response.json()
