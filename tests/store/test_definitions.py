"""Schedules, mailboxes and sequences: what people wrote is what is read again; revisions; switches stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import Duration
from domain.errors import InvalidDefinition
from domain.sequences import (
    WEEKDAYS,
    Definition,
    Mailbox,
    Schedule,
    Sequence,
    parse_definition,
)
from store import catalog, gates
from store.database import Connection, Database
from tests.store.facts import NOW, define, mailbox, schedule, sequence

FULL_SEQUENCE: dict[str, Any] = {
    "id": "full",
    "name": "Grüße \\u0041",
    "schedule": "office",
    "mailboxes": ["second", "sales"],
    "steps": [
        {
            "id": "a",
            "wait": "90s",
            "subject": "{{ first_name }}",
            "text": "x",
            "html": "<p>x</p>",
            "expires_after": "1bd",
        },
        {"id": "b", "wait": "2bd", "thread": "reply", "subject": "", "text": "y", "expires_after": "1.5h"},
    ],
    "settings": {
        "out_of_office_buffer": "36h",
        "out_of_office_default": "2w",
        "settle": "2s",
        "give_up_after": "30d",
        "excluded_contact_stages": [],
        "stage_map": {"replied": None, "bounced": "Dead"},
        "account_reply": "pause",
        "account_reply_pause": "3bd",
        "cooldown": "10d",
        "retry_when_cleared": True,
    },
}
FULL_MAILBOX: dict[str, Any] = {
    "id": "second",
    "address": "ann@us.test",
    "name": "Ann",
    "smtp": {"host": "h", "port": 25, "security": "none", "username": "ann", "password": "env:ANN"},
    "limits": {"per_day": 5, "per_hour": 2, "gap": "0.5s", "new_per_day": 5},
    "reply_to": "re@us.test",
}
FULL_SCHEDULE: dict[str, Any] = {
    "id": "full",
    "zone": "America/St_Johns",
    "windows": {
        "mon": [{"start": "00:00", "end": "24:00"}],
        "tue": [{"start": "08:30", "end": "12:00"}, {"start": "13:15:30", "end": "23:59"}],
        "wed": [],
    },
    "zone_of": "contact",
    "holidays": ["CA", "CA-NL", "contact"],
    "closed": ["2026-12-24", {"from": "2026-12-27", "to": "2027-01-02", "name": "Christmas break"}],
    "open_anyway": ["2026-12-26"],
}


def through_json(definition: Definition) -> dict[str, Any]:
    return definition.model_dump(mode="json", exclude_defaults=True)


async def test_what_is_stored_is_read_as_the_same_definition(connection: Connection) -> None:
    await define(connection)
    full_mailbox = parse_definition(Mailbox, FULL_MAILBOX)
    full_schedule = parse_definition(Schedule, FULL_SCHEDULE)
    full_sequence = parse_definition(Sequence, FULL_SEQUENCE)
    await catalog.apply_mailbox(connection, full_mailbox)
    await catalog.apply_schedule(connection, full_schedule)
    await catalog.apply_sequence(connection, full_sequence)
    assert (await catalog.mailbox(connection, "second")).definition == full_mailbox
    assert (await catalog.schedule(connection, "full")).definition == full_schedule
    assert (await catalog.sequence(connection, "full")).definition == full_sequence
    assert (await catalog.sequence(connection, "intro")).definition == sequence()
    assert [one.definition.id for one in await catalog.sequences(connection)] == ["full", "intro"]
    assert [one.definition.id for one in await catalog.schedules(connection, limit=1)] == ["full"]
    assert [one.definition.id for one in await catalog.schedules(connection, after="full")] == ["office"]
    assert [one.definition.id for one in await catalog.mailboxes(connection)] == ["sales", "second"]


# Times in whole units, as people write them.
WAITS = st.one_of(
    st.builds(lambda n: Duration(business_days=n), st.integers(1, 1000)),
    st.builds(lambda n: Duration(days=n), st.integers(0, 3660)),
    st.builds(
        lambda n, unit: Duration(seconds=float(n * unit)),
        st.integers(0, 999),
        st.sampled_from([1, 60, 3600, 86400]),
    ),
)
MINUTES = st.lists(st.integers(0, 1440), min_size=2, max_size=6, unique=True).map(sorted)


@given(wait=WAITS, expires=st.none() | WAITS, settle=WAITS)
def test_durations_survive_storing(wait: Duration, expires: Duration | None, settle: Duration) -> None:
    step = {"id": "a", "subject": "s", "text": "t", "wait": wait, "expires_after": expires}
    written = sequence(steps=[step], settings={"settle": settle})
    assert parse_definition(Sequence, through_json(written)) == written


@given(days=st.dictionaries(st.sampled_from(WEEKDAYS), MINUTES, min_size=1))
def test_windows_survive_storing(days: dict[str, list[int]]) -> None:
    def clock(minutes: int) -> str:
        return f"{minutes // 60:02d}:{minutes % 60:02d}"

    windows = {
        day: [{"start": clock(a), "end": clock(b)} for a, b in zip(minutes[::2], minutes[1::2], strict=False)]
        for day, minutes in days.items()
    }
    written = parse_definition(Schedule, {"id": "s", "zone": "UTC", "windows": windows})
    assert parse_definition(Schedule, through_json(written)) == written


async def test_a_revision_is_a_change_of_the_definition(connection: Connection) -> None:
    await define(connection)
    assert await catalog.apply_sequence(connection, sequence()) == catalog.Applied("intro", 1, False)
    assert await catalog.apply_sequence(connection, sequence(name="Other")) == catalog.Applied("intro", 2, True)
    assert await catalog.apply_schedule(connection, schedule()) == catalog.Applied("office", 1, False)
    assert await catalog.apply_schedule(connection, schedule(zone="UTC")) == catalog.Applied("office", 2, True)
    assert (await catalog.apply_mailbox(connection, mailbox())).changed is False
    assert (await catalog.apply_mailbox(connection, mailbox(name="Us"))).changed is True


async def test_applying_keeps_the_switch_and_the_state_of_the_gate(database: Database) -> None:
    async with database.transaction() as connection:
        await define(connection)
        assert (await catalog.sequence(connection, "intro")).switched_on
        await gates.switch(connection, "sequence", "intro", state="off", by="ann", now=NOW)
        await gates.switch(connection, "mailbox", "sales", state="down", by="system", now=NOW, code="login")
        await catalog.apply_sequence(connection, sequence(name="Other"))
        await catalog.apply_mailbox(connection, mailbox(name="Us"))
        stored = await catalog.sequence(connection, "intro")
        assert (stored.switched_on, stored.epoch, stored.switched_by) == (False, 1, "ann")
        kept = await catalog.mailbox(connection, "sales")
        assert (kept.state, kept.state_code, kept.epoch, kept.not_before) == ("down", "login", 1, None)


async def test_the_list_of_mailboxes_follows_the_definition(connection: Connection) -> None:
    await define(connection)
    for key in ("b", "c"):
        await catalog.apply_mailbox(connection, mailbox(id=key))
    for listed in (["c", "sales"], ["b", "c"]):
        await catalog.apply_sequence(connection, sequence(mailboxes=listed))
        rows = await connection.fetch("SELECT mailbox_id FROM sequence_mailboxes ORDER BY position")
        assert [row["mailbox_id"] for row in rows] == listed


@pytest.mark.parametrize(
    ("changes", "field", "named"),
    [({"schedule": "night"}, "schedule", "night"), ({"mailboxes": ["sales", "x", "y"]}, "mailboxes", "'x', 'y'")],
)
async def test_an_unknown_schedule_or_mailbox_is_refused_and_nothing_is_written(
    connection: Connection, changes: dict[str, Any], field: str, named: str
) -> None:
    await define(connection)
    with pytest.raises(InvalidDefinition, match=named) as raised:
        await catalog.apply_sequence(connection, sequence(**changes))
    assert raised.value.field == field
    assert (await catalog.sequence(connection, "intro")).revision == 1


async def test_text_that_cannot_be_stored_is_refused(connection: Connection) -> None:
    await define(connection)
    with pytest.raises(InvalidDefinition, match=r"unicode|surrogate"):
        await catalog.apply_mailbox(connection, mailbox(reply_to="\ud800"))


async def test_what_is_not_there_is_said_by_its_code(connection: Connection) -> None:
    for read, code in [
        (catalog.schedule, "schedule_unknown"),
        (catalog.mailbox, "mailbox_unknown"),
        (catalog.sequence, "sequence_unknown"),
        (catalog.account, "account_unknown"),
        (catalog.contact, "contact_unknown"),
    ]:
        with pytest.raises(catalog.NotFound, match="nobody") as raised:
            await read(connection, "nobody")
        assert raised.value.code == code


async def test_applying_waits_for_sends_past_their_last_check(database: Database) -> None:
    async with database.transaction() as connection:
        await define(connection)
    async with database.transaction() as sender, database.read() as editor:
        await sender.execute("SELECT pg_advisory_xact_lock_shared(2, hashtext('intro'))")
        await editor.execute("SET lock_timeout = '50ms'")
        with pytest.raises(Exception, match="lock timeout"):
            async with editor.transaction():
                await catalog.apply_sequence(editor, sequence(name="Other"))
        await editor.execute("RESET lock_timeout")
