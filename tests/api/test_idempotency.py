"""Idempotency keys: one effect, one answer."""

from __future__ import annotations

import asyncio

import httpx

from tests.api.conftest import ok, problem
from tests.harness import World


async def test_a_repeated_write_gets_the_first_answer_and_has_one_effect(http: httpx.AsyncClient, world: World) -> None:
    key = await world.add_sequence(wait="1h")
    await world.add_contact("anna")
    path, keyed = f"/v1/sequences/{key}/enrollments", {"Idempotency-Key": "enroll anna"}
    first = await http.post(path, json={"contact": "anna"}, headers=keyed)
    again = await http.post(path, json={"contact": "anna"}, headers=keyed)
    assert ok(again) == ok(first)
    assert first.json()["enrolled"] == 1
    assert (first.headers.get("idempotency-replayed"), again.headers["idempotency-replayed"]) == (None, "true")
    enrollment = first.json()["results"][0]["enrollment"]
    pause = f"/v1/enrollments/{enrollment}/commands/pause"
    for _ in range(2):
        assert ok(await http.post(pause, headers={"Idempotency-Key": "pause"}))["status"] == "paused"
    assert (await world.kinds(enrollment)).count("pause") == 1


async def test_a_key_stands_for_one_request(idle: httpx.AsyncClient) -> None:
    keyed = {"Idempotency-Key": "k"}
    ok(await idle.put("/v1/contacts/anna", json={"first_name": "Anna"}, headers=keyed), 201)
    other = await idle.put("/v1/contacts/anna", json={"first_name": "Other"}, headers=keyed)
    problem(other, 422, "idempotency_key_reused")
    elsewhere = await idle.put("/v1/contacts/ben", json={"first_name": "Anna"}, headers=keyed)
    problem(elsewhere, 422, "idempotency_key_reused")
    ok(await idle.put("/v1/contacts/anna", json={"first_name": "Anna"}, headers=keyed), 201)
    problem(await idle.get("/v1/contacts/ben", headers=keyed), 404, "contact_unknown")


async def test_refusals_are_kept_too_and_stay_problems(idle: httpx.AsyncClient) -> None:
    keyed = {"Idempotency-Key": "k"}
    problem(await idle.patch("/v1/contacts/anna", json={}, headers=keyed), 404, "contact_unknown")
    ok(await idle.put("/v1/contacts/anna", json={}), 201)
    again = await idle.patch("/v1/contacts/anna", json={}, headers=keyed)
    problem(again, 404, "contact_unknown")
    assert again.headers["idempotency-replayed"] == "true"


async def test_two_at_once_have_one_effect(http: httpx.AsyncClient, world: World) -> None:
    key = await world.add_sequence(wait="1h")
    await world.add_contact("anna")
    path = f"/v1/sequences/{key}/enrollments"
    both = await asyncio.gather(
        *(http.post(path, json={"contact": "anna"}, headers={"Idempotency-Key": "k"}) for _ in range(2))
    )
    for response in both:
        if response.status_code == 409:
            problem(response, 409, "idempotency_in_progress")
            assert response.headers["retry-after"]
        else:
            assert ok(response)["enrolled"] == 1
    assert any(response.status_code == 200 for response in both)


async def test_a_fault_of_ours_frees_the_key(idle: httpx.AsyncClient, workerless: World) -> None:
    keyed = {"Idempotency-Key": "k"}
    async with workerless.database.transaction() as connection:
        await connection.execute("ALTER TABLE contacts RENAME TO contacts_away")
    problem(await idle.put("/v1/contacts/anna", json={}, headers=keyed), 500, "internal_error")
    async with workerless.database.transaction() as connection:
        await connection.execute("ALTER TABLE contacts_away RENAME TO contacts")
    ok(await idle.put("/v1/contacts/anna", json={}, headers=keyed), 201)


async def test_a_key_is_short_and_printable(idle: httpx.AsyncClient) -> None:
    for key in ("", "x" * 256, "a\tb"):
        response = await idle.put("/v1/contacts/anna", json={}, headers={"Idempotency-Key": key})
        assert problem(response, 422, "idempotency_key_invalid")["field"] == "Idempotency-Key"
