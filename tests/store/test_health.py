"""Mailboxes at a glance: their state, their limits' use, what is booked and what came back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from store import catalog, cursors, gates, health
from store.database import Connection
from tests.store.facts import NOW, define, email, enroll, mailbox, people, schedule, sequence, slot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def line(connection: Connection, key: str = "sales", now: datetime = NOW) -> health.MailboxLine:
    (found,) = [one for one in await health.mailboxes(connection, now=now) if one.definition.id == key]
    assert found == await health.mailbox(connection, key, now=now)
    return found


async def test_what_was_sent_and_is_booked_counts_by_the_day_of_its_schedule(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": f"c{n}"} for n in range(10)))
    states = [await enroll(connection, f"c{n}") for n in range(10)]
    now = datetime(2026, 12, 1, 22, 30, tzinfo=UTC)  # 23:30 in Berlin
    for n, at in enumerate((now - 24 * HOUR, now - 23 * HOUR, now - 2 * HOUR, now - HOUR / 2)):
        await slot(connection, states[n], at, used=True, first_touch=n == 3)
    for n, at in enumerate((now - HOUR, now + HOUR / 4, now + HOUR, now + 13 * DAY, now + 14 * DAY)):
        await slot(connection, states[4 + n], at)
    found = await line(connection, now=now)
    assert (found.zone, found.zones, found.today, found.hour, found.first_touches) == (
        "Europe/Berlin",
        ("Europe/Berlin",),
        3,
        1,
        1,
    )
    assert len(found.reserved) == health.DAYS
    assert found.reserved[0] == (date(2026, 12, 1), 2)
    assert found.reserved[1] == (date(2026, 12, 2), 1)
    assert found.reserved[13] == (date(2026, 12, 14), 1)
    assert sum(n for _, n in found.reserved) == 4
    assert found.definition.limits.per_day == 50


async def test_state_reading_and_users(connection: Connection) -> None:
    await define(connection)
    imap = {"host": "i.test", "username": "u", "password": "env:P"}
    await catalog.apply_mailbox(connection, mailbox(id="read", imap=imap))
    await catalog.apply_mailbox(connection, mailbox(id="idle"))
    await catalog.apply_schedule(connection, schedule(id="far", zone="Asia/Tokyo"))
    await catalog.apply_sequence(connection, sequence(id="b", name="Bee", mailboxes=["read"], schedule="far"))
    await catalog.apply_sequence(connection, sequence(id="a", name="Aye", mailboxes=["read", "sales"]))
    sales, idle = await line(connection), await line(connection, "idle")
    assert (sales.state, sales.code, sales.by, sales.reading) == ("up", None, None, None)
    assert sales.sequences == (("a", "Aye"), ("intro", "Intro"))
    assert (idle.zone, idle.zones, idle.sequences, idle.today) == ("UTC", (), (), 0)
    read = await line(connection, "read")
    assert (read.zone, read.zones, read.sequences) == (
        "Europe/Berlin",
        ("Asia/Tokyo", "Europe/Berlin"),
        (("a", "Aye"), ("b", "Bee")),
    )
    assert read.reading is None
    await cursors.read(connection, "read")
    reading = (await line(connection, "read")).reading
    assert reading is not None
    assert reading.read_at is not None
    await cursors.failed(connection, "read", code="imap_login", detail="no", at_once=True, patience=HOUR)
    reading = (await line(connection, "read")).reading
    assert reading is not None
    assert (reading.code, reading.detail, reading.holds, reading.failing_since is not None) == (
        "imap_login",
        "no",
        True,
        True,
    )
    await gates.switch(connection, "mailbox", "sales", state="paused", by="person:bo", now=NOW, code="holiday")
    sales = await line(connection)
    assert (sales.state, sales.code, sales.by, sales.since, sales.epoch) == ("paused", "holiday", "person:bo", NOW, 1)
    with pytest.raises(catalog.NotFound):
        await health.mailbox(connection, "nobody", now=NOW)


async def test_what_came_back_within_a_week(connection: Connection) -> None:
    await define(connection)
    await catalog.apply_mailbox(connection, mailbox(id="other"))
    await people(connection, {"id": "a"})
    state = await enroll(connection, "a")
    rows = [
        {"status": "rejected", "result": {"halt": "hard_bounce"}},
        {"status": "rejected", "result": {"halt": "spam_block"}},
        {"status": "rejected", "result": {"halt": "spam_block"}, "at": NOW - 8 * DAY},
        {"status": "rejected", "result": {"reason": "content_rejected"}},
        {"bounced_at": NOW, "bounce_class": "hard_invalid"},
        {"bounced_at": NOW, "bounce_class": "mailbox_full"},
        {"bounced_at": NOW, "bounce_class": "policy_block"},
        {"bounced_at": NOW - 8 * DAY, "bounce_class": "hard_invalid"},
        {"status": "rejected", "result": {"halt": "spam_block"}, "mailbox": "other"},
    ]
    for n, row in enumerate(rows, 1):
        await email(connection, state, attempt=n, **row)  # type: ignore[arg-type]
    sales, other = await line(connection, now=NOW + HOUR), await line(connection, "other", now=NOW + HOUR)
    assert (sales.bounces, sales.spam) == (2, 2)
    assert (other.bounces, other.spam) == (0, 1)
