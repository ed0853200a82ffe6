"""A mailbox that cannot send holds its enrollments and touches no contact; when it can again, they go on together."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from embedded.recipients import Behaviour, Recipients
from tests.harness import World, eventually, open_world, plain_step
from tests.servers import Servers
from tests.stops import play

CONTACTS = ("anna", "bert", "carl")


async def _gate(world: World) -> tuple[str, str | None]:
    async with world.database.read() as connection:
        row = await connection.fetchrow("SELECT state, state_code FROM mailboxes WHERE id = $1", world.mailbox)
    assert row is not None
    return row["state"], row["state_code"]


def _sender(world: World) -> str:
    return f"{world.mailbox}@sender.test"


async def _let_time_pass(world: World, hours: float) -> None:
    """As if the mailbox had been down for longer."""
    async with world.database.read() as connection:
        await connection.execute(
            "UPDATE mailboxes SET state_at = state_at - $2::interval WHERE id = $1",
            world.mailbox,
            timedelta(hours=hours),
        )


async def _contacts(world: World) -> set[tuple[str, str]]:
    async with world.database.read() as connection:
        rows = await connection.fetch("SELECT stage, email_status FROM contacts")
    return {(row["stage"], row["email_status"]) for row in rows}


async def _all(world: World, enrollments: list[str], status: str, reason: str) -> None:
    await asyncio.gather(*(world.until_status(one, status, reason) for one in enrollments))


async def _enroll_all(world: World) -> list[str]:
    return list(await asyncio.gather(*(world.enroll(contact) for contact in CONTACTS)))


async def _gone_on(world: World, enrollments: list[str]) -> None:
    await _all(world, enrollments, "finished", "completed")
    assert [len(world.recipients.inbox(world.address(contact))) for contact in CONTACTS] == [1, 1, 1]
    assert {row["attempt"] for one in enrollments for row in await world.ledger(one)} == {1}
    for contact in CONTACTS:
        assert await play.health(world, play.workflow_id(world, contact)) == []
    async with world.database.read() as connection:
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0


async def test_a_wrong_password_holds_the_mailbox_until_it_is_mended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Recipients(username="mara", password="right") as server:
        world.recipients = server
        monkeypatch.setenv("ONWARD_TEST_PASSWORD", "wrong")
        smtp = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "username": "mara",
            "password": "env:ONWARD_TEST_PASSWORD",
        }
        world.mailbox = await world.add_mailbox(smtp=smtp)
        await world.add_sequence(steps=1)
        enrollments = await _enroll_all(world)
        await _all(world, enrollments, "paused", "mailbox_down")
        assert (await _gate(world))[0] == "down"
        assert await _contacts(world) == {("Cold", "unknown")}
        monkeypatch.setenv("ONWARD_TEST_PASSWORD", "right")
        await _let_time_pass(world, 2)
        await world.upkeep().probe_mailboxes()
        assert await _gate(world) == ("up", None)
        await _gone_on(world, enrollments)


async def test_a_credential_that_is_missing_holds_the_mailbox(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    with Recipients(username="mara", password="right") as server:
        world.recipients = server
        monkeypatch.delenv("ONWARD_TEST_PASSWORD", raising=False)
        smtp = {
            "host": "127.0.0.1",
            "port": server.port,
            "security": "none",
            "username": "mara",
            "password": "env:ONWARD_TEST_PASSWORD",
        }
        world.mailbox = await world.add_mailbox(smtp=smtp)
        await world.add_sequence(steps=1)
        enrollments = await _enroll_all(world)
        await _all(world, enrollments, "paused", "mailbox_down")
        await world.upkeep().probe_mailboxes()
        assert (await _gate(world))[0] == "down"
        monkeypatch.setenv("ONWARD_TEST_PASSWORD", "right")
        await world.upkeep().probe_mailboxes()
        await _gone_on(world, enrollments)


async def test_a_quota_of_the_sender_holds_the_mailbox_until_it_can_be_over(world: World) -> None:
    await world.add_sequence(steps=1)
    world.recipients.behave(_sender(world), Behaviour(at_mail="550 5.4.5 Daily user sending limit exceeded"))
    enrollments = await _enroll_all(world)
    await _all(world, enrollments, "paused", "mailbox_down")
    assert await _gate(world) == ("down", "sender_quota")
    assert await _contacts(world) == {("Cold", "unknown")}
    world.recipients.behave(_sender(world), None)
    await world.upkeep().probe_mailboxes()
    assert (await _gate(world))[0] == "down", "a login proves nothing about a quota"
    await _let_time_pass(world, 25)
    await world.upkeep().probe_mailboxes()
    await _gone_on(world, enrollments)


async def test_a_mailbox_put_off_again_and_again_is_held_and_no_contact_is_not_sent(
    stack: Servers, fresh_database: str, recipients: Recipients
) -> None:
    async with (
        open_world(
            stack.temporal_address, fresh_database, recipients, defer_max_tries=2, defer_base_seconds=0.1
        ) as world,
        world.worker(),
    ):
        await world.add_sequence(steps=1)
        recipients.behave(_sender(world), Behaviour(at_mail="454 4.7.0 Temporary authentication failure"))
        enrollments = await _enroll_all(world)
        await _all(world, enrollments, "paused", "mailbox_down")
        assert await _contacts(world) == {("Cold", "unknown")}
        recipients.behave(_sender(world), None)
        await world.upkeep().probe_mailboxes()
        await _gone_on(world, enrollments)


async def test_a_server_that_is_away_holds_the_mailbox_and_comes_back(world: World) -> None:
    await world.add_sequence(steps=1)
    world.recipients.stop()
    enrollments = await _enroll_all(world)
    await _all(world, enrollments, "paused", "mailbox_down")
    await world.upkeep().probe_mailboxes()
    assert (await _gate(world))[0] == "down"
    world.recipients.start()
    await world.upkeep().probe_mailboxes()
    await _gone_on(world, enrollments)


async def test_refusals_as_spam_hold_the_rest_until_somebody_looks(world: World) -> None:
    await world.add_sequence(steps=1)
    spammy = [f"s{number}" for number in range(world.settings.guardrail_refusals)]
    for contact in spammy:
        world.recipients.behave(world.address(contact), Behaviour(at_end="554 5.7.1 message refused as spam"))
    blocked = [await world.enroll(contact) for contact in spammy]
    await _all(world, blocked, "bounced", "spam_block")

    async def guarded() -> bool:
        return (await _gate(world))[0] == "guardrail"

    await eventually(guarded)
    enrollments = await _enroll_all(world)
    await _all(world, enrollments, "paused", "guardrail")
    await world.upkeep().round()
    assert (await _gate(world))[0] == "guardrail", "no prober clears a guardrail"
    await world.clients.set_mailbox(world.mailbox, "up", by="person:admin")
    await _gone_on(world, enrollments)
    await _all(world, blocked, "bounced", "spam_block")


async def test_a_paused_mailbox_holds_and_a_person_opens_it(world: World) -> None:
    await world.add_sequence(steps=1)
    await world.clients.set_mailbox(world.mailbox, "paused", by="person:admin")
    enrollments = await _enroll_all(world)
    await _all(world, enrollments, "paused", "mailbox_down")
    await world.upkeep().round()
    assert (await _gate(world))[0] == "paused", "no prober opens what a person closed"
    await world.clients.set_mailbox(world.mailbox, "up", by="person:admin")
    await _gone_on(world, enrollments)


async def test_a_mailbox_that_fails_does_not_stop_another(world: World) -> None:
    other = await world.add_mailbox("second-" + world.token)
    world.mailbox = await world.add_mailbox()
    await world.add_sequence(steps=[plain_step(1)], mailboxes=[world.mailbox, other])
    world.recipients.behave(_sender(world), Behaviour(at_mail="550 5.4.5 Daily user sending limit exceeded"))
    held = await world.enroll("anna", mailbox=world.mailbox)
    free = await world.enroll("bert", mailbox=other)
    await world.until_status(free, "finished", "completed")
    await world.until_status(held, "paused", "mailbox_down")
