"""What needs a person: every kind with why and what to do, newest first, bounded, in pages that lose nobody."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID, uuid4

import pytest

from client import attention
from client.attention import Count, Item
from domain.reasons import HEALING, NOT_SENT
from domain.state import EnrollmentState, Halt, Hold
from domain.statuses import HaltKind, HoldKind
from domain.storywords import NEEDS, TROUBLES
from domain.watching import TROUBLE
from store import catalog, cursors, gates, marks
from store.csv_files import AccountRow
from store.database import Connection
from store.keyset import InvalidCursor, InvalidFilter
from store.queries import sql
from tests.harness import World, plain_step
from tests.inbound import mails
from tests.store.facts import NOW, define, email, enroll, mailbox, people

HOUR = timedelta(hours=1)


def halt(kind: HaltKind, reason: str) -> dict[str, Any]:
    return {"halt": Halt(kind=kind, reason=reason, at=NOW)}


def held(kind: HoldKind, until: datetime | None = None) -> dict[str, Any]:
    return {"holds": (Hold(kind=kind, by="system", at=NOW, until=until, ref="m1"),)}


async def mail(
    connection: Connection,
    needs: str | None,
    *,
    of: EnrollmentState | None = None,
    at: datetime = NOW,
    settled: bool = False,
) -> str:
    key = uuid4()
    await connection.execute(
        """
        INSERT INTO inbound_messages (id, fingerprint, source, received_at, sender, subject, size, kind, rule, reading, needs,
                                      matched_by, enrollment_id, contact_id, settled_at)
        VALUES ($1, $2, 'http', $3, 'who@x.test', 'Away', 1, 'out_of_office', 'absence:header', '{}', $4, $5, $6, $7, $8)
        """,
        key,
        key.bytes,
        at,
        needs,
        None if of is None else "answers",
        None if of is None else UUID(of.enrollment),
        None if of is None else of.contact,
        NOW if settled else None,
    )
    return str(key)


async def keys(connection: Connection, kind: attention.Kind) -> list[str]:
    return [item.key for item in (await attention.page(connection, kind)).items]


async def test_enrollments_that_wait_for_a_person(connection: Connection) -> None:
    await define(connection)
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme")])
    states = {}
    kinds: dict[str, dict[str, Any]] = {
        "dead": halt(HaltKind.HARD_BOUNCE, "hard_bounce"),
        "spam": halt(HaltKind.SPAM_BLOCK, "spam_block"),
        "unknown": held(HoldKind.DELIVERY_UNKNOWN),
        "fault": held(HoldKind.SYSTEM_ERROR),
        "blank": halt(HaltKind.NOT_SENT, "no_email"),
        "heals": halt(HaltKind.NOT_SENT, "template_error"),
        "paused": held(HoldKind.MANUAL),
        "fine": {},
        "over": {**halt(HaltKind.HARD_BOUNCE, "hard_bounce"), "closed": True},
    }
    await people(
        connection,
        *({"id": key, "last_name": key.title(), "email": f"{key}@new.test", "account": "acme"} for key in kinds),
    )
    for n, (key, changes) in enumerate(kinds.items()):
        states[key] = await enroll(connection, key, now=NOW + n * HOUR, **changes)
    await connection.execute("UPDATE enrollments SET closed = true, ended_at = now() WHERE contact_id = 'over'")
    await email(connection, states["dead"], status="rejected", recipient="old@c.test")

    found = {group.kind: group for group in await attention.read(connection)}
    assert list(found) == ["delivery_unknown", "bounced", "not_sent", "system_error"]
    assert {kind: [item.contact for item in group.page.items] for kind, group in found.items()} == {
        "delivery_unknown": ["unknown"],
        "bounced": ["spam", "dead"],
        "not_sent": ["blank"],
        "system_error": ["fault"],
    }
    assert {str(group.count) for group in found.values()} == {"1", "2"}
    dead = found["bounced"].page.items[1]
    assert (dead.address, dead.email, dead.name, dead.account_name) == ("old@c.test", "dead@new.test", "Dead", "Acme")
    assert (dead.enrollment, dead.sequence, dead.sequence_name) == (states["dead"].enrollment, "intro", "Intro")
    assert (dead.code, dead.title) == (
        "hard_bounce",
        "The last email came back: the address does not exist or is switched off",
    )
    assert "new address" in dead.fix
    assert dead.step is not None
    for group in found.values():
        for item in group.page.items:
            words(item)


def words(item: Item) -> None:
    assert item.title
    assert item.fix
    assert not re.search(r"\w_\w", item.title), item.title
    assert not item.title.endswith(".")


async def test_mails_that_wait_for_a_person(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": key} for key in ("away", "back", "dated", "two")))
    away = await enroll(connection, "away", **held(HoldKind.OUT_OF_OFFICE))
    back = await enroll(connection, "back")
    dated = await enroll(connection, "dated", **held(HoldKind.OUT_OF_OFFICE, NOW + HOUR))
    waits = await mail(connection, "return_date", of=away)
    for of in (back, dated):
        await mail(connection, "return_date", of=of)
    await mail(connection, "return_date", of=away, settled=True)
    nobodys = await mail(connection, "return_date", at=NOW + HOUR)
    assert await keys(connection, "return_date") == [nobodys, waits]
    others = [
        await mail(connection, needs, at=NOW - n * HOUR) for n, needs in enumerate(NEEDS) if needs != "return_date"
    ]
    await mail(connection, "unmatched", settled=True)
    await mail(connection, None)
    page = await attention.page(connection, "mail")
    assert [item.key for item in page.items] == others
    for item in page.items:
        words(item)
        assert item.mail is not None
        assert item.mail["needs"] == item.code
    assert (await attention.counts(connection))["mail"] == Count(len(NEEDS) - 1, False)
    (first,) = [item for item in (await attention.page(connection, "return_date")).items if item.key == waits]
    assert (first.contact, first.sequence, first.enrollment) == ("away", "intro", away.enrollment)


async def test_mailboxes_in_trouble(connection: Connection) -> None:
    await define(connection)
    imap = {"host": "i.test", "username": "u", "password": "env:P"}
    for key in ("down", "spam", "paused", "unread", "fine"):
        await catalog.apply_mailbox(connection, mailbox(id=key, imap=imap))
    for n, (key, state, code) in enumerate(
        (("down", "down", "auth_failure"), ("spam", "guardrail", "spam_block"), ("paused", "paused", None))
    ):
        await gates.switch(connection, "mailbox", key, state=state, by="system", now=NOW + n * HOUR, code=code)
    await cursors.failed(
        connection, "unread", code="imap_unreachable", detail="timed out", at_once=False, patience=HOUR
    )
    items = (await attention.page(connection, "mailbox")).items
    assert {item.key: item.code for item in items} == {
        "unread": "imap_unreachable",
        "paused": "paused",
        "spam": "spam_block",
        "down": "auth_failure",
    }
    assert [item.at for item in items] == sorted((item.at for item in items), reverse=True)
    for item in items:
        words(item)
        assert item.address == "sales@us.test"
    assert (await attention.counts(connection))["mailbox"] == Count(4, False)
    assert set(TROUBLE) <= set(TROUBLES)


async def test_stops_that_no_workflow_takes_up(connection: Connection) -> None:
    await define(connection)
    await people(connection, {"id": "anna"})
    state = await enroll(connection, "anna")
    for key in ("old", "older", "new", "done"):
        await marks.place(
            connection, marks.Mark(state.enrollment, "w", "pause", {"id": key, "by": "person:bo"}), now=NOW
        )
    for key, minutes in (("old", 20), ("older", 30), ("done", 40)):
        await connection.execute(
            "UPDATE stop_marks SET recorded_at = now() - $2 * interval '1 minute' WHERE id = $1", key, minutes
        )
    await connection.execute("UPDATE stop_marks SET adopted_at = now() WHERE id = 'done'")
    assert await keys(connection, "not_taken_up") == ["old", "older"]
    (first, _) = (await attention.page(connection, "not_taken_up")).items
    words(first)
    assert (first.contact, first.enrollment, first.code) == ("anna", state.enrollment, "pause")
    page = await attention.page(connection, "not_taken_up", limit=1)
    rest = await attention.page(connection, "not_taken_up", limit=1, cursor=page.next_cursor)
    assert [item.key for item in rest.items] == ["older"]
    assert rest.next_cursor is None


async def test_pages_lose_nobody_while_things_are_settled(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": f"c{n}"} for n in range(21)))
    states = [
        await enroll(connection, f"c{n}", now=NOW + (n // 3) * HOUR, **halt(HaltKind.NOT_SENT, "no_email"))
        for n in range(21)
    ]
    seen: list[str] = []
    cursor = None
    while True:
        page = await attention.page(connection, "not_sent", cursor=cursor, limit=4)
        seen += [item.key for item in page.items]
        cursor = page.next_cursor
        # What was shown first is settled, and something new comes up in front.
        await connection.execute("UPDATE enrollments SET status = 'active' WHERE id = $1", UUID(seen[0]))
        await connection.execute(
            "UPDATE enrollments SET last_event_at = last_event_at + interval '9 days' WHERE id = $1", UUID(seen[1])
        )
        if cursor is None:
            break
    assert sorted(seen) == sorted(state.enrollment for state in states)


async def test_counts_are_capped_honestly_and_read_from_their_indexes(connection: Connection) -> None:
    await define(connection)
    await connection.execute("INSERT INTO contacts (id) SELECT 'c' || n FROM generate_series(1, 5000) n")
    await connection.execute(
        """
        INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, run_id, version, state, status, reason, last_event_at,
                                 started_at)
        SELECT gen_random_uuid(), 'w', 'intro', 'c' || n, gen_random_uuid(), 1,
               jsonb_build_object('enrollment', 'e', 'sequence', 'intro', 'contact', 'c' || n),
               CASE WHEN n % 10 = 0 THEN 'bounced' ELSE 'active' END,
               CASE WHEN n % 10 = 0 THEN 'hard_bounce' END, now() - n * interval '1 s', now()
        FROM generate_series(1, 5000) n
        """
    )
    await connection.execute("ANALYZE enrollments")
    counts = await attention.counts(connection)
    assert set(counts) == set(get_args(attention.Kind))
    assert (str(counts["bounced"]), str(counts["not_sent"])) == ("200+", "0")
    for kind, index in (
        ("bounced", "enrollments_bounced"),
        ("not_sent", "enrollments_not_sent"),
        ("delivery_unknown", "enrollments_unknown"),
        ("system_error", "enrollments_failed"),
    ):
        text = attention._statement("enrollments", kind)  # type: ignore[arg-type]
        for parameter, value in (("$1", "'infinity'::timestamptz"), ("$2", f"'{UUID(int=0)}'::uuid"), ("$3", "50")):
            text = text.replace(parameter, value)
        assert index in await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}"), kind


def test_what_heals_by_itself_is_left_out() -> None:
    left_out = set(re.findall(r"'(\w+)'", sql("attention.is_not_sent").partition("NOT IN")[2]))
    assert left_out == HEALING
    assert left_out < set(NOT_SENT)


async def test_what_cannot_be_asked_is_refused(connection: Connection) -> None:
    for wrong in ({"kind": "luck"}, {"kind": "mail", "limit": 0}, {"kind": "mail", "limit": 201}):
        with pytest.raises(InvalidFilter):
            await attention.page(connection, **wrong)  # type: ignore[arg-type]
    for cursor in ("", "x", "bnVsbA", attention._write_cursor("bounced", NOW, UUID(int=1), "")):
        with pytest.raises(InvalidCursor):
            await attention.page(connection, "mail", cursor=cursor)


async def test_a_real_absence_without_a_date_waits_until_somebody_resumes(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d")])
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    (received,) = await world.until_mails("anna", 1)
    taken = await world.take(mails.absence(received, "I am out of the office and will be back soon."))
    assert taken.needs == "return_date"
    await world.until_status(enrollment, "paused", "out_of_office")
    async with world.database.read() as connection:
        assert await keys(connection, "return_date") == [taken.id]
    await world.command(enrollment, "resume")
    await world.until_status(enrollment, "active")
    async with world.database.read() as connection:
        assert await keys(connection, "return_date") == []
