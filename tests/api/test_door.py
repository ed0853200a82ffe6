"""Who may come in, how much they may bring, and that every error is a problem of one shape."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
from structlog.testing import capture_logs
from temporalio.client import Client, RetryConfig

from api.app import create_app
from api.door import MAX_BODY
from tests.api.conftest import ADMIN, TOKEN, calling, ok, problem, services_for
from tests.harness import World


class _Road:
    """A TCP forwarder in front of a server, so that one client can lose it while others keep it."""

    def __init__(self, target: str) -> None:
        self.host, _, self.port = target.rpartition(":")
        self.writers: list[asyncio.StreamWriter] = []

    @classmethod
    async def open(cls, target: str) -> _Road:
        road = cls(target)
        road.server = await asyncio.start_server(road._serve, "127.0.0.1", 0)
        road.address = f"127.0.0.1:{road.server.sockets[0].getsockname()[1]}"
        return road

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(self.host, int(self.port))
        self.writers += [writer, far_writer]
        with contextlib.suppress(OSError):
            await asyncio.gather(_forward(reader, far_writer), _forward(far_reader, writer))

    async def close(self) -> None:
        """Cut every connection and take no more."""
        self.server.close()
        for writer in self.writers:
            writer.transport.abort()


async def _forward(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_a_body_beyond_the_cap_is_refused_however_it_comes(idle: httpx.AsyncClient) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(MAX_BODY // 65_536 + 1):
            yield b" " * 65_536

    problem(await idle.put("/v1/contacts/anna", content=b" " * (MAX_BODY + 1)), 413, "too_large")
    problem(await idle.put("/v1/contacts/anna", content=chunks()), 413, "too_large")
    keyed = {"Idempotency-Key": "large"}
    problem(await idle.put("/v1/contacts/anna", content=chunks(), headers=keyed), 413, "too_large")


async def test_bodies_are_strict_json(idle: httpx.AsyncClient) -> None:
    json = {"Content-Type": "application/json"}
    for body in (b"{", b"[1]", b'"x"', b'{"first_name": NaN}', b"\xff", b"[" * 100_000, b'{"first_name": "\\ud800"}'):
        problem(await idle.put("/v1/contacts/anna", content=body, headers=json), 422, "invalid_request")
    for kind in ("text/plain", "application/x-www-form-urlencoded", ""):
        response = await idle.put("/v1/contacts/anna", content=b"{}", headers={"Content-Type": kind})
        assert problem(response, 422, "invalid_request")["field"] == "Content-Type"
    problem(await idle.put("/v1/contacts/anna", json={"first_name": "a\x00b"}), 422, "invalid_definition")


async def test_an_actor_is_an_id(idle: httpx.AsyncClient) -> None:
    for actor in ("Ana Ruiz", "ana@example.com", "x" * 121, ""):
        response = await idle.put("/v1/contacts/anna", json={}, headers={"Onward-Actor": actor})
        assert problem(response, 422, "invalid_request")["field"] == "by"
    for by in (5, "", "a b"):
        problem(await idle.post("/v1/switch/off", json={"by": by}), 422, "invalid_request")
    problem(await idle.post("/v1/switch/off", json={"force": True}), 422, "invalid_request")
    assert ok(await idle.get("/v1/switch"))["switched_on"] is True


async def test_unknown_paths_and_methods_are_problems(idle: httpx.AsyncClient) -> None:
    problem(await idle.get("/v1/nowhere"), 404, "not_found")
    response = await idle.delete("/v1/contacts")
    problem(response, 405, "method_not_allowed")
    assert "GET" in response.headers["allow"]


async def test_a_fault_of_ours_is_a_problem_without_its_details(workerless: World) -> None:
    services = services_for(workerless)
    app = create_app(services)

    @app.get("/v1/broken")
    async def broken() -> None:
        raise ValueError("secret detail")

    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver", headers=ADMIN) as http:
        with capture_logs() as logs:
            response = await http.get("/v1/broken")
        assert "secret detail" in next(line["traceback"] for line in logs if line["event"] == "request_failed")
        body = problem(response, 500, "internal_error")
        assert "secret" not in str(body)
        assert response.headers["x-request-id"] in body["detail"]


async def test_when_temporal_is_away_stops_still_hold_and_the_rest_can_be_repeated(workerless: World) -> None:
    world = workerless
    key = await world.add_sequence(wait="1h")
    await world.add_contact("ben")
    async with world.worker():
        enrollment = await world.enroll("anna")
    road = await _Road.open(str(world.settings.temporal_address))
    client = await Client.connect(
        road.address,
        namespace=world.client.namespace,
        data_converter=world.client.data_converter,
        retry_config=RetryConfig(max_elapsed_time_millis=300, max_retries=1),
    )
    services = services_for(world)
    services = replace(services, enrollments=replace(services.enrollments, client=client, patience=0.2))
    async with calling(services) as http:
        assert ok(await http.get("/ready"))["ready"] is True
        await road.close()
        ready = ok(await http.get("/ready"), 503)
        assert (ready["database"], ready["temporal"]) == ("ok", "unreachable")
        response = await http.post(f"/v1/sequences/{key}/enrollments", json={"contact": "ben"})
        problem(response, 503, "temporal_unavailable")
        assert response.headers["retry-after"]
        problem(await http.post(f"/v1/enrollments/{enrollment}/commands/skip"), 503, "temporal_unavailable")
        assert ok(await http.post(f"/v1/enrollments/{enrollment}/commands/pause"), 202)["adopted"] is False
        assert ok(await http.get(f"/v1/enrollments/{enrollment}"))["pending"][0]["shown"] == "pausing"


async def test_readiness_tells_a_database_that_is_not_migrated(workerless: World) -> None:
    async with calling(services_for(workerless)) as http:
        async with workerless.database.transaction() as connection:
            await connection.execute("DELETE FROM migrations")
        assert ok(await http.get("/ready"), 503)["database"] == "not_migrated"
        assert ok(await http.get("/health"))["status"] == "ok"


async def test_each_request_is_logged_once_without_keys_or_paths(workerless: World) -> None:
    with capture_logs() as logs:
        async with calling(services_for(workerless)) as http:
            await http.get("/u/some-secret-token")
            await http.get("/sign-in/some-secret-token")
            await http.get("/v1/contacts/anna")
            await http.get("/v1/switch", headers={"Authorization": "Bearer another-secret-token"})
    lines = [line for line in logs if line["event"] == "request"]
    assert [(line["method"], line["route"], line["status"], line["key"]) for line in lines] == [
        ("GET", "/u/{token}", 404, None),
        ("GET", "/sign-in/{token}", 404, None),
        ("GET", "/v1/contacts/{id}", 404, "token"),
        ("GET", None, 401, None),
    ]
    assert TOKEN not in str(logs)
    assert "secret-token" not in str(logs)
