"""Contacts and accounts: imports, changes by a person, suppressions, and the facts that rules read."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.entry import examine
from domain.errors import InvalidDefinition
from domain.sequences import parse_definition
from domain.state import Halt
from domain.statuses import HaltKind, Outcome
from store import catalog, enrollments, locks
from store.catalog import AccountChanges, ContactChanges, NotFound, Put
from store.csv_files import AccountRow, ContactRow, InvalidRows, parse_contacts_csv
from store.database import Connection, Database
from tests.store.facts import NOW, define, enroll, people, sequence


def valid(address: str) -> bool:
    return "@" in address


async def change(connection: Connection, contact: str, **changes: Any) -> catalog.StoredContact:
    parsed = parse_definition(ContactChanges, changes)
    return await catalog.set_contact(connection, contact, parsed, by="ann", now=NOW)


async def bounced(connection: Connection, contact: str, stage: str = "Bad Data") -> None:
    """What a hard bounce leaves behind."""
    await connection.execute(
        "UPDATE contacts SET email_status = 'bounced', stage_before_bounce = stage, stage = $2,"
        " stage_set_by = gen_random_uuid() WHERE id = $1",
        contact,
        stage,
    )


# Imports


async def test_a_second_import_changes_what_it_carries_and_nothing_else(connection: Connection) -> None:
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme")])
    first = parse_contacts_csv(
        "id,account,first_name,email,email_status,stage,consent,title\nann,acme,Ann,a@c.test,verified,Replied,yes,CEO\n"
    )
    assert await catalog.put_contacts(connection, first.rows) == Put(1, 0, 0)
    second = parse_contacts_csv("id,last_name,email,stage,city\nann,Lee,A@C.test,,Bonn\nbob,Ray,,,\n")
    assert await catalog.put_contacts(connection, second.rows) == Put(1, 1, 0)
    ann = await catalog.contact(connection, "ann")
    assert (ann.name, ann.email, ann.email_status, ann.stage) == ("Ann Lee", "A@C.test", "verified", "Replied")
    assert (ann.account, ann.account_name, ann.consent) == ("acme", "Acme", True)
    assert ann.fields == {"title": "CEO", "city": "Bonn"}
    bob = await catalog.contact(connection, "bob")
    assert (bob.name, bob.email, bob.email_status, bob.stage, bob.consent) == ("Ray", None, "unknown", "Cold", None)
    assert await catalog.put_contacts(connection, second.rows) == Put(0, 0, 2)


async def test_a_place_is_imported_kept_and_changed(connection: Connection) -> None:
    await catalog.put_contacts(connection, parse_contacts_csv("id,country,zone\nann,Norway,\nbob,,Asia/Tokyo\n").rows)
    await catalog.put_contacts(connection, parse_contacts_csv("id,country,zone\nann,,Europe/Oslo\nbob,JP,\n").rows)
    ann, bob = [await catalog.contact(connection, key) for key in ("ann", "bob")]
    assert (ann.zone, ann.country, bob.zone, bob.country) == ("Europe/Oslo", "NO", "Asia/Tokyo", "JP")
    assert await catalog.put_contacts(connection, [ContactRow(id="bob", country="jp")]) == Put(0, 0, 1)
    moved = await change(connection, "ann", zone=None, country="us")
    assert (moved.zone, moved.country) == (None, "US")
    for wrong in ({"zone": "Oslo"}, {"country": "Norway"}):
        with pytest.raises(InvalidDefinition):
            await change(connection, "ann", **wrong)


async def test_an_import_undoes_the_bounce_of_an_address_that_it_replaces(connection: Connection) -> None:
    await people(connection, *({"id": key, "email": f"{key}@c.test", "stage": "Approaching"} for key in "abcd"))
    for key in "abcd":
        await bounced(connection, key)
    await people(
        connection,
        {"id": "a", "email": "new@c.test"},
        {"id": "b", "email": "B@c.test", "email_status": "verified"},
        {"id": "c", "email": "new-c@c.test", "stage": "Cold", "email_status": "verified"},
        {"id": "d", "email": "d@c.test", "stage": "Interested"},
    )
    found = {one.id: one for one in await catalog.contacts(connection)}
    assert (found["a"].email_status, found["a"].stage, found["a"].stage_set_by) == ("unknown", "Approaching", None)
    # The same address: a list that says "verified" is older than the bounce.
    assert (found["b"].email_status, found["b"].stage, found["b"].email) == ("bounced", "Bad Data", "B@c.test")
    assert (found["c"].email_status, found["c"].stage) == ("verified", "Cold")
    assert (found["d"].email_status, found["d"].stage, found["d"].stage_set_by) == ("bounced", "Interested", None)
    assert [found[key].stage_before_bounce for key in "abcd"] == [None, "Approaching", None, None]


async def test_an_unknown_account_is_refused_with_its_line_and_nothing_is_written(connection: Connection) -> None:
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme")])
    file = parse_contacts_csv('id,account,note\nann,acme,"two\nlines"\nbob,apex,\neve,,\n')
    with pytest.raises(InvalidRows, match=r"^line 4, column account: there is no account apex; import the account"):
        await catalog.put_contacts(connection, file.rows, lines=file.lines)
    assert await catalog.contacts(connection) == []


async def test_rows_from_elsewhere_than_a_file_are_checked_too(connection: Connection) -> None:
    with pytest.raises(InvalidRows, match="line 2, column id: ann is on line 1 already"):
        await people(connection, {"id": "ann"}, {"id": "ann"})
    account = AccountRow(id="acme", name="Acme")
    with pytest.raises(InvalidRows, match="acme is on line 1 already"):
        await catalog.put_accounts(connection, [account, account])


async def test_accounts_are_updated_by_an_import(connection: Connection) -> None:
    rows = [
        AccountRow(id="acme", name="Acme", stage="Current Client", fields={"size": 12}),
        AccountRow(id="b", name="B"),
    ]
    assert await catalog.put_accounts(connection, rows) == Put(2, 0, 0)
    again = [AccountRow(id="acme", name="ACME", fields={"city": "Bonn"}), rows[1]]
    assert await catalog.put_accounts(connection, again) == Put(0, 1, 1)
    acme = await catalog.account(connection, "acme")
    assert (acme.name, acme.stage, acme.fields) == ("ACME", "Current Client", {"size": 12, "city": "Bonn"})
    assert [one.id for one in await catalog.accounts(connection, limit=1)] == ["acme"]
    assert [one.id for one in await catalog.accounts(connection, after="acme")] == ["b"]


async def test_an_import_of_thousands_and_pages_of_them(database: Database) -> None:
    rows = [
        ContactRow(id=f"c{n:05}", first_name=f"N{n}", email=f"n{n}@c.test", fields={"n": str(n)}) for n in range(5000)
    ]
    async with database.transaction() as connection:
        assert await catalog.put_contacts(connection, rows) == Put(5000, 0, 0)
    moved = [row.model_copy(update={"email": f"x{row.email}"}) for row in rows]
    async with database.transaction() as connection:
        assert await catalog.put_contacts(connection, moved) == Put(0, 5000, 0)
        held = await connection.fetch(
            "SELECT classid, objid FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"
        )
        # One lock over all sends, instead of more than the lock table holds.
        assert [(row["classid"], row["objid"]) for row in held] == [(locks.GLOBAL, 0)]
        page = await catalog.contacts(connection, after="c00999", limit=2)
        assert [one.id for one in page] == ["c01000", "c01001"]


async def test_an_import_renames_people_in_lists(connection: Connection) -> None:
    await define(connection)
    await people(connection, {"id": "ann", "first_name": "Ann", "last_name": "Lee"})
    state = await enroll(connection, "ann")
    await people(connection, {"id": "ann", "last_name": "Abel"})
    assert (await enrollments.get(connection, state.enrollment))["contact_name"] == "abel ann"


# Changes by a person


async def test_a_new_address_undoes_what_the_bounce_of_the_old_one_set(connection: Connection) -> None:
    await people(connection, {"id": "ann", "email": "a@c.test", "stage": "Approaching"})
    await bounced(connection, "ann")
    same = await change(connection, "ann", email="A@c.test")
    assert (same.email_status, same.stage) == ("bounced", "Bad Data")
    gone = await change(connection, "ann", email=None)
    assert (gone.email, gone.email_status, gone.stage) == (None, "unknown", "Bad Data")
    new = await change(connection, "ann", email="b@c.test")
    assert (new.email, new.email_status, new.stage, new.stage_set_by) == ("b@c.test", "unknown", "Approaching", None)
    assert new.stage_before_bounce is None


async def test_a_stage_set_by_a_person_is_theirs(connection: Connection) -> None:
    await people(connection, {"id": "ann", "email": "a@c.test", "stage": "Approaching"})
    await bounced(connection, "ann")
    kept = await change(connection, "ann", stage="Bad Data")
    assert (kept.stage, kept.stage_set_by, kept.stage_before_bounce) == ("Bad Data", None, None)
    assert (await change(connection, "ann", email="b@c.test")).stage == "Bad Data"
    await bounced(connection, "ann")
    both = await change(connection, "ann", email="c@c.test", stage="Interested", email_status="verified")
    assert (both.stage, both.email_status, both.stage_before_bounce) == ("Interested", "verified", None)


async def test_fields_are_merged_and_null_takes_one_away(connection: Connection) -> None:
    await people(connection, {"id": "ann", "fields": {"title": "CEO", "city": "Bonn"}, "consent": True})
    ann = await change(connection, "ann", fields={"city": None, "size": 3}, consent=None, first_name="Ann")
    assert (ann.fields, ann.consent, ann.first_name) == ({"title": "CEO", "size": 3}, None, "Ann")
    assert (await change(connection, "ann")) == ann


async def test_a_change_is_told_in_the_stories_of_open_enrollments(connection: Connection) -> None:
    await define(connection, sequence(), sequence(id="other"))
    await people(connection, {"id": "ann", "first_name": "Ann", "email": "a@c.test"})
    state = await enroll(connection, "ann")
    closed = await enroll(connection, "ann", sequence="other", outcome=Outcome.MANUAL)
    await connection.execute(
        "UPDATE enrollments SET closed = true, ended_at = now() WHERE sequence_id = $1", closed.sequence
    )
    await change(connection, "ann", email="secret@c.test", stage="Interested", last_name="Abel")
    await change(connection, "ann", stage="Interested")
    [told] = await enrollments.story(connection, state.enrollment)
    assert (told["kind"], told["by"], told["at"]) == ("contact_changed", "ann", NOW)
    assert told["data"] == {"changed": ["last_name", "email", "stage"], "stage": "Interested"}
    assert await enrollments.story(connection, closed.enrollment) == []
    for one in (state, closed):
        assert (await enrollments.get(connection, one.enrollment))["contact_name"] == "abel ann"


async def test_a_stage_of_an_account_is_told_in_its_contacts_stories(connection: Connection) -> None:
    await define(connection)
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme")])
    await people(connection, {"id": "ann", "account": "acme"}, {"id": "bob"})
    ann, bob = await enroll(connection, "ann"), await enroll(connection, "bob")
    changes = parse_definition(AccountChanges, {"stage": "Current Client", "fields": {"size": 1}})
    after = await catalog.set_account(connection, "acme", changes, by="eve", now=NOW)
    assert after == await catalog.account(connection, "acme")
    assert (after.name, after.stage, after.fields) == ("Acme", "Current Client", {"size": 1})
    assert [line["data"] for line in await enrollments.story(connection, ann.enrollment)] == [
        {"stage": "Current Client"}
    ]
    assert await enrollments.story(connection, bob.enrollment) == []


async def test_changes_that_make_no_sense_are_refused(connection: Connection) -> None:
    await people(connection, {"id": "ann"})
    with pytest.raises(InvalidDefinition, match="there is no account 'apex'"):
        await change(connection, "ann", account="apex")
    for wrong in ({"first_name": "A\r\nBcc: x@c.test"}, {"first_name": "x" * 65536}, {"stage": ""}, {"nme": "x"}):
        with pytest.raises(InvalidDefinition):
            await change(connection, "ann", **wrong)
    with pytest.raises(NotFound):
        await change(connection, "bob", stage="Cold")
    with pytest.raises(NotFound):
        await catalog.set_account(connection, "apex", AccountChanges(), by="ann", now=NOW)


async def test_a_change_waits_for_a_send_to_the_old_address(database: Database) -> None:
    async with database.transaction() as connection:
        await define(connection)
        await people(connection, {"id": "ann", "email": "a@c.test"})

    async def move() -> None:
        async with database.transaction() as connection:
            await change(connection, "ann", email="b@c.test")

    async with database.transaction() as sender:
        await locks.share(sender, sequence="intro", mailbox="sales", contact="ann", address="a@c.test")
        moving = asyncio.create_task(move())
        await waiting_for_a_lock(sender)
        assert (await catalog.contact(sender, "ann")).email == "a@c.test"
    await moving
    async with database.read() as connection:
        assert (await catalog.contact(connection, "ann")).email == "b@c.test"


async def test_a_change_and_a_record_of_the_same_contact_do_not_wait_crosswise(database: Database) -> None:
    async with database.transaction() as connection:
        await define(connection)
        await people(connection, {"id": "ann", "email": "a@c.test"})
        state = await enroll(connection, "ann")

    async def rename() -> None:
        async with database.transaction() as connection:
            await change(connection, "ann", last_name="Abel", stage="Interested")

    async with database.transaction() as recorder:
        await enrollments.lock(recorder, state.enrollment)
        renaming = asyncio.create_task(rename())
        await waiting_for_a_lock(recorder)
        await recorder.execute("UPDATE contacts SET stage = 'Replied' WHERE id = 'ann'")
    await renaming
    async with database.read() as connection:
        assert (await catalog.contact(connection, "ann")).stage == "Interested"


async def waiting_for_a_lock(connection: Connection) -> None:
    """Until another session of this database waits for a lock."""
    async with asyncio.timeout(20):
        while not await connection.fetchval(
            "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database())"
        ):
            await asyncio.sleep(0.01)
            await connection.execute("SELECT pg_stat_clear_snapshot()")


# Suppressions and facts


async def test_a_suppression_covers_every_spelling_of_an_address(connection: Connection) -> None:
    await people(connection, {"id": "ann", "email": "Ann.Straße@C.test"})
    assert await catalog.suppress(connection, "ann.STRAßE@c.TEST", "unsubscribed", by="ann", now=NOW)
    assert not await catalog.suppress(connection, "ann.straße@c.test", "listed", by="bob", now=NOW)
    assert (await catalog.contact(connection, "ann")).suppressed == "unsubscribed"
    assert await catalog.unsuppress(connection, "ANN.straße@c.test")
    assert not await catalog.unsuppress(connection, "ann.straße@c.test")
    assert (await catalog.contact(connection, "ann")).suppressed is None


async def test_the_facts_of_a_contact(connection: Connection) -> None:
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme", stage="Dead Opportunity")])
    await people(connection, {"id": "ann", "email": "nonsense", "account": "acme", "changed_job": True})
    facts = await catalog.contact_facts(connection, "ann", valid)
    assert facts is not None
    assert (facts.email, facts.email_valid, facts.account, facts.account_stage, facts.changed_job) == (
        "nonsense",
        False,
        "acme",
        "Dead Opportunity",
        True,
    )
    assert [one.account for one in await catalog.contacts(connection, account="acme")] == ["acme"]
    assert await catalog.contacts(connection, account="apex") == []
    assert await catalog.contact_facts(connection, "bob", valid) is None


async def test_the_facts_of_an_entry(connection: Connection) -> None:
    await define(connection, sequence(), sequence(id="b"), sequence(id="c"), sequence(id="d"))
    await people(connection, {"id": "ann", "email": "a@c.test"})

    async def codes(into: str, contact: str = "ann", mailbox: str | None = None) -> list[tuple[str, bool]]:
        facts = await catalog.entry_facts(
            connection,
            sequence_id=into,
            contact_id=contact,
            mailbox_id=mailbox,
            overrides=frozenset(),
            now=NOW,
            valid=valid,
        )
        return [(refusal.code, refusal.warning) for refusal in examine(facts)]

    assert await codes("intro") == []
    assert await codes("nowhere") == [("sequence_unknown", False)]
    assert await codes("intro", contact="bob") == [("contact_unknown", False)]
    assert await codes("intro", mailbox="other") == [("mailbox_unknown", False)]
    settling = await enroll(connection, "ann", sequence="b", outcome=Outcome.COMPLETED)
    assert await codes("b") == []
    assert await codes("intro") == [("finished_in_other_sequence", True)]
    halted = await enroll(
        connection, "ann", sequence="c", halt=Halt(kind=HaltKind.HARD_BOUNCE, reason="hard_bounce", at=NOW)
    )
    assert await codes("c") == [("already_in_sequence", False), ("finished_in_other_sequence", True)]
    facts = await catalog.entry_facts(
        connection, sequence_id="d", contact_id="ann", mailbox_id=None, overrides=frozenset(), now=NOW, valid=valid
    )
    assert {(one.enrollment, one.status, one.reason, one.open, one.settling) for one in facts.elsewhere} == {
        (settling.enrollment, "finished", "completed", True, True),
        (halted.enrollment, "bounced", "hard_bounce", True, False),
    }
    assert ("active_in_other_sequence", False) in await codes("d")
