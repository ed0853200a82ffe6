"""Idempotency keys: one effect and one answer for a request that is sent twice."""

from __future__ import annotations

import asyncio

import pytest

from store import idempotency
from store.database import Connection, Database
from store.idempotency import Fresh, IdempotencyConflict, InProgress, Stored

ROUTE, HASH = "POST /v1/enrollments", "abc"


async def age(connection: Connection, interval: str) -> None:
    await connection.execute(f"UPDATE idempotency_keys SET created_at = now() - '{interval}'::interval")


async def test_the_answer_of_the_first_request_is_given_again(connection: Connection) -> None:
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Fresh()
    await idempotency.finish(connection, "k", 201, {"id": "ü", "n": [1, None]})
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Stored(201, {"id": "ü", "n": [1, None]})
    await idempotency.abandon(connection, "k")
    await idempotency.finish(connection, "k", 500, None)
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Stored(201, {"id": "ü", "n": [1, None]})


async def test_an_answer_without_a_body(connection: Connection) -> None:
    await idempotency.begin(connection, "k", ROUTE, HASH)
    await idempotency.finish(connection, "k", 204, None)
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Stored(204, None)


@pytest.mark.parametrize(("route", "request_hash"), [("POST /v1/other", HASH), (ROUTE, "other")])
@pytest.mark.parametrize("finished", [True, False])
async def test_a_key_stands_for_one_request(
    connection: Connection, route: str, request_hash: str, finished: bool
) -> None:
    await idempotency.begin(connection, "k", ROUTE, HASH)
    if finished:
        await idempotency.finish(connection, "k", 200, {})
    await age(connection, "1 hour")
    with pytest.raises(IdempotencyConflict) as raised:
        await idempotency.begin(connection, "k", route, request_hash)
    assert raised.value.code == "idempotency_key_reused"


async def test_a_request_that_still_runs_is_not_run_again(connection: Connection) -> None:
    await idempotency.begin(connection, "k", ROUTE, HASH)
    with pytest.raises(InProgress) as raised:
        await idempotency.begin(connection, "k", ROUTE, HASH)
    assert raised.value.code == "idempotency_in_progress"


async def test_of_two_at_once_one_is_fresh(database: Database) -> None:
    async def begin() -> Fresh | Stored:
        async with database.transaction() as connection:
            return await idempotency.begin(connection, "k", ROUTE, HASH)

    answers = await asyncio.gather(*(begin() for _ in range(8)), return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, InProgress)] == [Fresh()]


async def test_a_request_that_was_given_up_or_lost_may_run_again(connection: Connection) -> None:
    await idempotency.begin(connection, "k", ROUTE, HASH)
    await idempotency.abandon(connection, "k")
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Fresh()
    await age(connection, "6 minutes")
    assert await idempotency.begin(connection, "k", ROUTE, HASH) == Fresh()


async def test_after_a_day_a_key_is_free_and_old_ones_are_cleared_away(connection: Connection) -> None:
    for key in ("k", "old", "older"):
        await idempotency.begin(connection, key, ROUTE, HASH)
        await idempotency.finish(connection, key, 200, {})
    await age(connection, "25 hours")
    assert await idempotency.begin(connection, "k", "POST /v1/other", "other") == Fresh()
    assert [row["key"] for row in await connection.fetch("SELECT key FROM idempotency_keys")] == ["k"]
