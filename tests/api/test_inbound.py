"""Mail over HTTP: only what is signed comes in; people look at it, correct and settle it."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from api.door import MAX_MAIL
from domain.inbound import Kind
from embedded.imap import ImapServer
from tests.api.conftest import ADMIN, calling, ok, problem, services_for
from tests.harness import World, plain_step
from tests.inbound import mails

SECRET = b"the key of the inbound door"
MAIL = b"From: someone@elsewhere.test\r\nTo: mara@sender.test\r\nSubject: Hello\r\nMessage-ID: <1@elsewhere.test>\r\n\r\nHi\r\n"


@pytest_asyncio.fixture
async def door(workerless: World) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(services_for(workerless, inbound_secret=SECRET), headers={}) as client:
        yield client


def signed(body: bytes, *, secret: bytes = SECRET, at: float | None = None) -> dict[str, str]:
    stamp = str(int(time.time() if at is None else at))
    mac = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    return {"Onward-Signature": f"t={stamp},v1={mac}", "Content-Type": "message/rfc822"}


async def post(client: httpx.AsyncClient, body: bytes = MAIL, **how: object) -> httpx.Response:
    return await client.post("/inbound/messages", content=body, headers=signed(body, **how))  # type: ignore[arg-type]


async def test_signed_mail_needs_no_key_and_is_kept_once(door: httpx.AsyncClient) -> None:
    first = ok(await post(door))
    assert (first["kind"], first["needs"], first["duplicate"]) == ("human_reply", "unmatched", False)
    again = ok(await post(door))
    assert (again["id"], again["duplicate"]) == (first["id"], True)
    problem(await door.get("/v1/inbound"), 401, "unauthorized")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Onward-Signature": "nonsense"},
        {"Onward-Signature": f"t={'9' * 400},v1=00"},
        signed(MAIL, secret=b"another key"),
        signed(b"another body"),
        signed(MAIL, at=1_700_000_000),
    ],
    ids=["none", "nonsense", "endless", "foreign key", "other body", "too old"],
)
async def test_what_is_not_signed_with_the_key_and_now_is_refused(
    door: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await door.post("/inbound/messages", content=MAIL, headers=headers)
    assert problem(answer, 401, "signature_invalid")["field"] == "Onward-Signature"
    assert ok(await door.get("/v1/inbound", headers=ADMIN))["items"] == []


async def test_without_a_key_the_door_is_shut(workerless: World) -> None:
    async with calling(services_for(workerless), headers={}) as client:
        found = problem(await post(client), 403, "inbound_not_configured")
    assert "ONWARD_INBOUND_SECRET" in (found["fix"] or "")


async def test_a_mail_may_be_large_but_not_endless(door: httpx.AsyncClient) -> None:
    large = MAIL + b"x" * (11 * 1024 * 1024)
    assert ok(await post(door, large))["kind"] == "human_reply"
    problem(await post(door, MAIL + b"x" * MAX_MAIL), 413, "too_large")
    problem(await post(door, b""), 422, "invalid_request")


async def test_a_posted_reply_stops_the_enrollment_before_it_is_answered(workerless: World) -> None:
    world = workerless
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d")])
    async with world.worker():
        enrollment = await world.enroll("anna")
        await world.until_sent(enrollment, 1)
        (mail,) = await world.until_mails("anna", 1)
    async with calling(services_for(world, inbound_secret=SECRET)) as client:
        raw = mails.answer(mail, "Yes, please call.")
        taken = ok(await post(client, raw))
        assert taken["told"] == [{"enrollment": enrollment, "message": "reply"}]
        shown = ok(await client.get(f"/v1/enrollments/{enrollment}"))
        assert [mark["message"] for mark in shown["pending"]] == ["reply"]

        seen = ok(await client.get(f"/v1/inbound/{taken['id']}"))
        assert (seen["kind"], seen["matched_by"], seen["contact"]) == ("human_reply", "answers", "anna")
        bytes_of = await client.get(f"/v1/inbound/{taken['id']}/raw")
        assert bytes_of.content == raw
        assert bytes_of.headers["content-disposition"].startswith("attachment")


async def test_people_page_correct_and_settle(workerless: World) -> None:
    async with calling(services_for(workerless, inbound_secret=SECRET)) as client:
        for number in range(5):
            await post(client, MAIL.replace(b"<1@", f"<{number}@".encode()))
        first = ok(await client.get("/v1/inbound", params={"needs": True, "limit": 3}))
        second = ok(await client.get("/v1/inbound", params={"needs": True, "cursor": first["next_cursor"]}))
        seen = [one["id"] for one in (*first["items"], *second["items"])]
        assert len(set(seen)) == 5
        assert second["next_cursor"] is None

        await client.post(f"/v1/inbound/{seen[0]}/settle", json={"by": "person:ana"})
        settled = ok(await client.get(f"/v1/inbound/{seen[0]}"))
        assert settled["settled_by"] == "person:ana"
        assert len(ok(await client.get("/v1/inbound", params={"needs": True}))["items"]) == 4
        assert len(ok(await client.get("/v1/inbound", params={"kind": "human_reply"}))["items"]) == 5
        assert ok(await client.get("/v1/inbound", params={"unmatched": False}))["items"] == []

        url = f"/v1/inbound/{seen[1]}/correct"
        assert problem(await client.post(url, json={"kind": "human_reply"}), 422, "invalid_message")["field"] == (
            "enrollment"
        )
        problem(await client.post(url, json={"kind": "bounce"}), 409, "not_a_correction")
        problem(await client.post(url, json={"kind": "nonsense"}), 422, "invalid_request")
        problem(await client.post(url, json={"enrollment": seen[0]}), 404, "enrollment_unknown")
        problem(await client.get("/v1/inbound/none"), 404, "inbound_unknown")
        problem(await client.get("/v1/inbound", params={"cursor": "x"}), 404, "inbound_unknown")


async def test_lists_keep_no_bytes_of_mail_that_concerns_nobody(workerless: World) -> None:
    news = MAIL.replace(b"Subject", b"List-Id: <news.example.test>\r\nList-Unsubscribe: <mailto:x@y.test>\r\nSubject")
    async with calling(services_for(workerless, inbound_secret=SECRET)) as client:
        taken = ok(await post(client, news))
        assert (taken["kind"], taken["needs"]) == (Kind.LIST, None)
        problem(await client.get(f"/v1/inbound/{taken['id']}/raw"), 404, "inbound_unknown")


async def test_the_check_of_a_mailbox_logs_in_where_it_is_read_too(
    workerless: World, imap_server: ImapServer, tmp_path: Path
) -> None:
    secret = tmp_path / "password"
    secret.write_text("wrong")
    read = {"host": "127.0.0.1", "port": imap_server.port, "security": "none", "username": "mara"}
    key = await workerless.add_mailbox(imap={**read, "password": f"file:{secret}"})
    async with calling(services_for(workerless)) as client:
        found = ok(await client.post(f"/v1/mailboxes/{key}/check"))
        assert (found["ok"], found["code"]) == (False, "imap_login")
        secret.write_text("right")
        assert ok(await client.post(f"/v1/mailboxes/{key}/check"))["ok"]
