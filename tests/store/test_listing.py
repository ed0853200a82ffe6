"""Lists: effective statuses, every order page by page, and a plan that does not grow with the sequence."""

from __future__ import annotations

import itertools
import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, get_args
from uuid import UUID

import pytest

from domain.delivery import LogEntry
from domain.messages import COMMANDS
from domain.sequences import StepRef
from domain.state import EnrollmentState, Halt, Hold, Slot
from domain.statuses import HaltKind, HoldKind, Outcome, Status
from store import catalog, enrollments, gates, listing, marks
from store.csv_files import AccountRow
from store.database import Connection
from store.keyset import Asked, Filters, Place, statement
from store.listing import InvalidCursor, InvalidFilter, Page, Row, Sort
from tests.store.facts import NOW, define, enroll, mailbox, people, sequence

SORTS: tuple[Sort, ...] = get_args(Sort)
HOUR = timedelta(hours=1)


def hold(kind: HoldKind, until: datetime | None = None) -> Hold:
    return Hold(kind=kind, by="ann", at=NOW, until=until)


def halt(kind: HaltKind, reason: str) -> Halt:
    return Halt(kind=kind, reason=reason, at=NOW)


ONE_OF_EACH: dict[str, dict[str, Any]] = {
    "active": {"slot": Slot(at=NOW + HOUR), "due": NOW},
    "held": {"holds": (hold(HoldKind.MANUAL),)},
    "away": {"holds": (hold(HoldKind.OUT_OF_OFFICE, NOW + 2 * HOUR),)},
    "parked": {"holds": (hold(HoldKind.SEQUENCE_OFF),)},
    "dead": {"halt": halt(HaltKind.HARD_BOUNCE, "hard_bounce")},
    "spam": {"halt": halt(HaltKind.SPAM_BLOCK, "spam_block")},
    "unsent": {"halt": halt(HaltKind.NOT_SENT, "no_email")},
    "done": {"outcome": Outcome.REPLIED, "step": None},
    "removed": {"removed": True},
}


@pytest.fixture
async def each(connection: Connection) -> dict[str, EnrollmentState]:
    """An enrollment of every kind; the contact's ID says which."""
    await define(connection)
    await catalog.put_accounts(connection, [AccountRow(id="acme", name="Acme")])
    await people(
        connection,
        *(
            {"id": key, "first_name": key.title(), "last_name": "Z", "email": f"{key}@c.test", "account": "acme"}
            for key in ONE_OF_EACH
        ),
    )
    return {
        key: await enroll(connection, key, now=NOW + n * HOUR, **changes)
        for n, (key, changes) in enumerate(ONE_OF_EACH.items())
    }


def contacts(page: Page) -> list[str]:
    return [row.contact for row in page.rows]


async def switch(connection: Connection, gate: gates.Gate, state: str) -> None:
    await gates.switch(connection, gate, "intro" if gate == "sequence" else "", state=state, by="ann", now=NOW)


async def test_a_row_says_what_people_ask(connection: Connection, each: dict[str, EnrollmentState]) -> None:
    payload = {"id": "m1", "by": "ann"}
    mark = marks.Mark(each["active"].enrollment, "enrollment/intro/active", "pause", payload)
    await marks.place(connection, mark, now=NOW)
    page = await listing.page(connection, "intro")
    assert page.next_cursor is None
    assert contacts(page) == ["done", "unsent", "spam", "dead", "parked", "away", "held", "active"]
    rows = {row.contact: row for row in page.rows}
    assert rows["active"] == Row(
        enrollment=each["active"].enrollment,
        contact="active",
        name="Active Z",
        email="active@c.test",
        account="acme",
        account_name="Acme",
        mailbox="sales",
        status=Status.ACTIVE,
        label="Active",
        own_status=Status.ACTIVE,
        reason=None,
        pending=("pause",),
        step=StepRef(id="hello", number=1, total=2),
        next_at=NOW + HOUR,
        until=None,
        last_event_at=NOW,
        last_event=None,
        epoch=1,
        version=1,
        switched_on=True,
        state=each["active"],
    )
    assert {key: (row.label, row.reason) for key, row in rows.items() if key != "active"} == {
        "held": ("Paused", "manual"),
        "away": ("Paused", "out_of_office"),
        "parked": ("Paused", "sequence_off"),
        "dead": ("Bounced", "hard_bounce"),
        "spam": ("Spamblocked", "spam_block"),
        "unsent": ("Not Sent", "no_email"),
        "done": ("Finished", "replied"),
    }
    await connection.execute("UPDATE stop_marks SET adopted_at = now()")
    assert (await listing.page(connection, "intro", status=["active"])).rows[0].pending == ()


@pytest.mark.usefixtures("each")
async def test_pages_by_status_and_reason(connection: Connection) -> None:
    async def found(**filters: Any) -> list[str]:
        return contacts(await listing.page(connection, "intro", **filters))

    assert await found(status=["paused"]) == ["parked", "away", "held"]
    assert await found(status=["failed"]) == await found(status=["not_sent"]) == ["unsent"]
    assert await found(status=["removed"]) == ["removed"]
    assert await found(status=["bounced", "active", "bounced"]) == ["spam", "dead", "active"]
    assert await found(status=[]) == []
    assert await found(reason="out_of_office") == ["away"]
    assert await found(status=["bounced"], reason="spam_block") == ["spam"]
    assert await found(status=["active"], reason="sequence_off") == []


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize("gate", ["sequence", "global"])
async def test_in_a_switched_off_sequence_active_is_paused(connection: Connection, gate: gates.Gate) -> None:
    before = await listing.counts(connection, "intro")
    assert before == {"active": 1, "paused": 3, "bounced": 2, "not_sent": 1, "finished": 1, "removed": 1}
    await switch(connection, gate, "off")
    page = await listing.page(connection, "intro", status=["paused"], sort="name", descending=False)
    assert contacts(page) == ["active", "away", "held", "parked"]
    first = page.rows[0]
    assert (first.status, first.label, first.reason, first.own_status) == (
        "paused",
        "Paused",
        "sequence_off",
        "active",
    )
    assert page.rows[1].reason == "out_of_office"
    assert contacts(await listing.page(connection, "intro", status=["active"])) == []
    assert contacts(await listing.page(connection, "intro", reason="sequence_off")) == ["parked", "active"]
    bounced = await listing.page(connection, "intro", status=["bounced"])
    assert [row.label for row in bounced.rows] == ["Spamblocked", "Bounced"]
    counts = await listing.counts(connection, "intro")
    assert counts == {"active": 0, "paused": 4, "bounced": 2, "not_sent": 1, "finished": 1, "removed": 1}
    await switch(connection, gate, "on")
    assert await listing.counts(connection, "intro") == before


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("sort", SORTS)
async def test_every_order_page_by_page_shows_each_once(connection: Connection, sort: Sort, descending: bool) -> None:
    whole = contacts(await listing.page(connection, "intro", sort=sort, descending=descending))
    assert len(whole) == 8
    seen: list[str] = []
    cursor = None
    for _ in range(20):
        page = await listing.page(connection, "intro", sort=sort, descending=descending, cursor=cursor, limit=3)
        seen += contacts(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == whole
    if sort != "status":
        backwards = contacts(await listing.page(connection, "intro", sort=sort, descending=not descending))
        assert backwards == whole[::-1]


STATUS_ORDER = {"active": 0, "paused": 1, "bounced": 2, "not_sent": 3, "finished": 4, "removed": 5}


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize("off", [False, True])
@pytest.mark.parametrize("descending", [False, True])
async def test_by_effective_status_and_in_each_the_newest_event_first(
    connection: Connection, off: bool, descending: bool
) -> None:
    if off:
        await switch(connection, "sequence", "off")
    everyone = [*STATUS_ORDER]
    page = await listing.page(connection, "intro", status=everyone, sort="status", descending=descending)
    assert len(page.rows) == len(ONE_OF_EACH)
    sign = -1 if descending else 1
    keys = [(sign * STATUS_ORDER[row.status], -row.last_event_at.timestamp()) for row in page.rows]
    assert keys == sorted(keys)
    walked: list[str] = []
    cursor = None
    for _ in range(20):
        part = await listing.page(
            connection, "intro", status=everyone, sort="status", descending=descending, cursor=cursor, limit=2
        )
        walked += contacts(part)
        cursor = part.next_cursor
        if cursor is None:
            break
    assert walked == contacts(page)


async def test_what_the_tab_shows_of_each(connection: Connection, each: dict[str, EnrollmentState]) -> None:
    entries = [LogEntry(kind=kind, by="system", at=NOW + n * HOUR) for n, kind in enumerate(("enrolled", "sent"))]
    await enrollments.tell(connection, each["away"].enrollment, entries, "test")
    rows = {row.contact: row for row in (await listing.page(connection, "intro")).rows}
    away = rows["away"]
    assert (away.until, away.last_event, away.next["what"]) == (NOW + 2 * HOUR, "sent", "resume")
    assert (rows["held"].until, rows["held"].next["waits_for"]) == (None, "a person to resume")
    assert rows["active"].allowed == ("pause", "send_now", "skip", "finish", "remove")
    for row in rows.values():
        assert {*row.allowed, *row.refused} == set(COMMANDS)
        assert all(why.message for why in row.refused.values())
    await switch(connection, "sequence", "off")
    (active,) = [row for row in (await listing.page(connection, "intro")).rows if row.contact == "active"]
    assert (active.next["what"], active.next["waits_for"]) == ("wait", "the sequence to be switched on")


async def test_rows_are_shown_anew_by_their_ids(connection: Connection, each: dict[str, EnrollmentState]) -> None:
    wanted = [each[key].enrollment for key in ("removed", "active", "dead")]
    rows = await listing.rows(connection, "intro", [*wanted, str(UUID(int=7)), wanted[0]])
    assert [row.contact for row in rows] == ["removed", "active", "dead"]
    assert [row.status for row in rows] == ["removed", "active", "bounced"]
    await define(connection, sequence(id="other"))
    assert await listing.rows(connection, "other", wanted) == ()
    for wrong in (["nobody"], [str(UUID(int=n)) for n in range(201)]):
        with pytest.raises(InvalidFilter):
            await listing.rows(connection, "intro", wrong)


async def test_filters_by_step_and_mailbox(connection: Connection, each: dict[str, EnrollmentState]) -> None:
    await catalog.apply_mailbox(connection, mailbox(id="other"))
    await connection.execute("UPDATE enrollments SET mailbox_id = 'other' WHERE id = $1", UUID(each["away"].enrollment))
    bump = StepRef(id="bump", number=2, total=2)
    await people(connection, {"id": "late"})
    await enroll(connection, "late", step=bump)

    async def found(**filters: Any) -> set[str]:
        return set(contacts(await listing.page(connection, "intro", **filters)))

    assert await found(step="bump") == {"late"}
    assert "late" not in await found(step="hello")
    assert await found(step="nowhere") == set()
    assert await found(mailbox="other") == {"away"}
    assert await found(mailbox="other", status=["active"]) == set()
    assert await found(step="hello", mailbox="sales", reason="manual") == {"held"}


PEOPLE = (
    {"id": "c-1", "first_name": "Änne", "last_name": "Brandt", "email": "Anne.B@Acme.test", "account": "acme"},
    {"id": "c-2", "first_name": "Bo", "last_name": "Lindqvist", "email": "bo@x.test"},
    {"id": "c-3", "first_name": "100%", "last_name": "Sure_Thing", "email": "s@x.test"},
    {"id": "c-4", "first_name": "Cid", "last_name": "Back\\slash", "email": None, "account": "zed"},
)


@pytest.mark.parametrize(
    ("few", "some"),
    [(listing.FEW, listing.SOME), (-1, listing.SOME), (-1, 0)],
    ids=["few by themselves", "some along the list", "many along the list"],
)
async def test_a_search_looks_into_names_addresses_accounts_and_ids(
    connection: Connection, monkeypatch: pytest.MonkeyPatch, few: int, some: int
) -> None:
    monkeypatch.setattr(listing, "FEW", few)
    monkeypatch.setattr(listing, "SOME", some)
    await define(connection)
    await catalog.put_accounts(
        connection, [AccountRow(id="acme", name="Acme Nord GmbH"), AccountRow(id="zed", name="Zed")]
    )
    await people(connection, *PEOPLE)
    for n, person in enumerate(PEOPLE):
        await enroll(connection, str(person["id"]), now=NOW + n * HOUR)

    async def found(text: str, **filters: Any) -> list[str]:
        return contacts(await listing.page(connection, "intro", search=text, **filters))

    assert await found("änne brandt") == ["c-1"]
    assert await found("  ÄNNE   BRANDT ") == ["c-1"]
    assert await found("anne.b@ACME") == ["c-1"]
    assert await found("nord gmbh") == ["c-1"]
    assert await found("@x.test") == ["c-3", "c-2"]
    assert await found("c-2") == ["c-2"]
    assert await found("lindq") == ["c-2"]
    assert await found("z") == await found("zed") == ["c-4"]
    assert await found("100%") == await found("e_thing") == ["c-3"]
    assert await found("%%%") == await found("___") == await found("brandt anne") == []
    assert await found("k\\sl") == ["c-4"]
    assert await found("") == await found("   ") == ["c-4", "c-3", "c-2", "c-1"]
    assert await found("@x.test", status=["paused"]) == []
    assert await found("@x.test", sort="name", descending=False) == ["c-2", "c-3"]
    first = await listing.page(connection, "intro", search=".test", sort="status", limit=2)
    rest = await listing.page(connection, "intro", search=".test", sort="status", cursor=first.next_cursor)
    assert contacts(first) + contacts(rest) == ["c-3", "c-2", "c-1"]


async def test_a_search_needs_no_extension(connection: Connection) -> None:
    await connection.execute("DROP EXTENSION pg_trgm CASCADE")
    await define(connection)
    await people(connection, *({**person, "account": None} for person in PEOPLE))
    await enroll(connection, "c-1")
    await enroll(connection, "c-2")
    assert contacts(await listing.page(connection, "intro", search="lindq")) == ["c-2"]


async def test_pages_lose_nobody_and_show_nobody_twice_while_others_move(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": f"c{n}", "last_name": f"{n % 7}"} for n in range(40)))
    states = {f"c{n}": await enroll(connection, f"c{n}", now=NOW + n * HOUR) for n in range(40)}
    for sort, descending in itertools.product(SORTS, (False, True)):
        seen: list[str] = []
        cursor, page_number = None, 0
        while page_number < 30:
            page = await listing.page(connection, "intro", sort=sort, descending=descending, cursor=cursor, limit=4)
            seen += contacts(page)
            cursor, page_number = page.next_cursor, page_number + 1
            # Three others finish meanwhile, one after the other: they move in every order.
            moved = f"c{37 + page_number % 3}"
            await connection.execute(
                "UPDATE enrollments SET status = 'finished', reason = 'replied', step_number = 9, contact_name = $2,"
                " last_event_at = last_event_at + interval '9 days', next_at = $3 WHERE id = $1",
                UUID(states[moved].enrollment),
                f"moved {page_number}",
                NOW + page_number * HOUR,
            )
            if cursor is None:
                break
        stood = [key for key in seen if key not in ("c37", "c38", "c39")]
        assert sorted(stood) == sorted(f"c{n}" for n in range(37)), (sort, descending)


@pytest.mark.usefixtures("each")
async def test_who_waits_for_a_person_is_after_every_date_and_who_has_no_step_after_every_step(
    connection: Connection,
) -> None:
    page = await listing.page(connection, "intro", sort="next_action", descending=False)
    assert contacts(page)[:2] == ["active", "away"]
    assert {row.next_at for row in page.rows[2:]} == {None}
    page = await listing.page(connection, "intro", sort="step", descending=False)
    assert contacts(page)[-1] == "done"


async def test_equal_keys_are_told_apart(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": f"c{n}"} for n in range(9)))
    states = [await enroll(connection, f"c{n}") for n in range(9)]
    for sort in SORTS:
        first = await listing.page(connection, "intro", sort=sort, limit=4)
        second = await listing.page(connection, "intro", sort=sort, limit=5, cursor=first.next_cursor)
        assert second.next_cursor is None
        ids = [row.enrollment for row in (*first.rows, *second.rows)]
        assert ids == sorted((state.enrollment for state in states), reverse=True)


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"status": ["sleeping"]}, "status"),
        ({"sort": "age"}, "sort"),
        ({"limit": 0}, "limit"),
        ({"search": "x" * 201}, "search"),
        ({"search": "a\x00b"}, "search"),
        ({"limit": 201}, "limit"),
    ],
)
async def test_what_cannot_be_asked_is_refused(connection: Connection, asked: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidFilter) as raised:
        await listing.page(connection, "intro", **asked)
    assert (raised.value.code, raised.value.field) == ("invalid_filter", field)


@pytest.mark.usefixtures("each")
async def test_an_unknown_sequence_is_refused(connection: Connection) -> None:
    for ask in (listing.page, listing.counts):
        with pytest.raises(catalog.NotFound) as raised:
            await ask(connection, "nowhere")
        assert raised.value.code == "sequence_unknown"


FORGED = [
    "",
    "x",
    "ü",
    "bnVsbA",
    *(
        urlsafe_b64encode(json.dumps(place).encode()).decode()
        for place in (
            ["step", True, 1, "0" * 32],
            ["last_event", False, NOW.isoformat(), "0" * 32],
            ["last_event", True, None, "0" * 32],
            ["last_event", True, "2026-12-01T09:00:00", "0" * 32],
            ["last_event", True, "0001-01-01T00:00:00+23:00", "0" * 32],
            ["last_event", True, NOW.isoformat(), "nobody"],
            ["last_event", True, NOW.isoformat(), 7],
            ["last_event", True, 7, "0" * 32],
            ["last_event", True, NOW.isoformat()],
            ["last_event", True, NOW.isoformat(), "0" * 32, "active"],
        )
    ),
]


@pytest.mark.usefixtures("each")
@pytest.mark.parametrize("cursor", FORGED)
async def test_a_cursor_of_another_list_or_of_nobody_is_refused(connection: Connection, cursor: str) -> None:
    with pytest.raises(InvalidCursor) as raised:
        await listing.page(connection, "intro", cursor=cursor)
    assert raised.value.code == "invalid_cursor"


# The plan

MANY = 20_000


@pytest.fixture
async def many(connection: Connection) -> None:
    """A sequence with thousands in each status, beside a small one."""
    await define(connection, sequence(), sequence(id="small"))
    await connection.execute(
        "INSERT INTO contacts (id, last_name) SELECT 'c' || n, 'Name ' || (n * 7919 % 20000) FROM generate_series(1, $1) n",
        MANY,
    )
    await connection.execute(
        """
        INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, mailbox_id, run_id, version, state, status,
                                 reason, step_number, next_at, last_event_at, contact_name, started_at)
        SELECT gen_random_uuid(), 'w' || n, CASE WHEN n % 100 = 0 THEN 'small' ELSE 'intro' END, 'c' || n, 'sales',
               gen_random_uuid(), 1,
               jsonb_build_object('enrollment', 'e', 'sequence', 'intro', 'contact', 'c' || n, 'step',
                                  jsonb_build_object('id', CASE WHEN n % 1000 = 1 THEN 'rare' ELSE 'common' END, 'number', 1, 'total', 2)),
               (ARRAY['active', 'paused', 'bounced', 'not_sent', 'finished', 'removed'])[1 + n % 6],
               CASE WHEN n % 6 = 0 THEN NULL WHEN n % 500 = 1 THEN 'rare' ELSE 'manual' END, CASE WHEN n % 5 = 0 THEN NULL ELSE n % 5 END,
               CASE WHEN n % 3 = 0 THEN NULL ELSE $2::timestamptz + n * interval '1 minute' END, $2::timestamptz + n * interval '1 second',
               'name ' || (n * 7919 % 20000), $2::timestamptz
        FROM generate_series(1, $1) n
        """,
        MANY,
        NOW,
    )
    # What autovacuum does in time.
    await connection.execute("ANALYZE")


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


@pytest.mark.usefixtures("many")
async def test_a_page_reads_a_page_whatever_the_sequence_holds(connection: Connection) -> None:
    for sort, descending in itertools.product(SORTS, (False, True)):
        for after in (None, await middle(connection, sort)):
            for mode in ("force_custom_plan", "force_generic_plan"):
                await reads_a_page(connection, sort, descending, after, mode)


@pytest.mark.usefixtures("many")
@pytest.mark.parametrize("filters", [Filters(reason="rare"), Filters(step="rare"), Filters(reason="manual")])
async def test_a_filter_by_reason_or_step_reads_no_more_than_it_shows(connection: Connection, filters: Filters) -> None:
    sorts: tuple[Sort, ...] = ("last_event", "status")
    for sort, after in itertools.product(sorts, (None, await middle(connection, "status"))):
        for mode in ("force_custom_plan", "force_generic_plan"):
            await reads_a_page(connection, sort, True, after, mode, filters=filters)


async def reads_a_page(
    connection: Connection,
    sort: Sort,
    descending: bool,
    after: Place | None,
    mode: str,
    limit: int = 50,
    filters: Filters | None = None,
) -> None:
    own = [status for status in Status if status is not Status.REMOVED]
    text, *values = statement(Asked("intro", own, filters or Filters(), sort, descending, after, limit, True))
    plan = await explain(connection, text, values, mode)
    backward = descending or sort == "status"
    scans = [node for node in nodes(plan) if node.get("Relation Name") == "enrollments"]
    assert scans, plan
    for scan in scans:
        assert scan["Node Type"] == "Index Scan", scan
        assert scan["Scan Direction"] == ("Backward" if backward else "Forward"), scan
        assert scan["Actual Rows"] <= limit + 1, scan
        assert scan.get("Rows Removed by Filter", 0) == 0, scan
    for node in nodes(plan):
        assert "Sort" not in node["Node Type"] or node["Actual Rows"] <= len(own) * (limit + 1), node


async def explain(connection: Connection, text: str, values: list[Any], mode: str) -> Mapping[str, Any]:
    """The plan as it ran. Prepared, since only then the server chooses between a custom and a generic plan."""
    literals = [await connection.fetchval("SELECT quote_nullable($1::text)", _literal(value)) for value in values]
    async with connection.transaction():
        await connection.execute(f"SET LOCAL plan_cache_mode = {mode}")
        await connection.execute(f"PREPARE asked AS {text}")
        found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked({', '.join(literals)})")
        await connection.execute("DEALLOCATE asked")
    plan: Mapping[str, Any] = json.loads(found)[0]["Plan"]
    return plan


def _literal(value: Any) -> str | None:
    if isinstance(value, list):
        return "{" + ",".join(f'"{one}"' for one in value) + "}"
    return None if value is None else str(value)


async def middle(connection: Connection, sort: Sort) -> Place:
    """A place in the middle of the list."""
    columns = {"next_action": "next_at", "step": "step_number", "name": "contact_name"}
    column = columns.get(sort, "last_event_at")
    row = await connection.fetchrow(
        f"SELECT {column}, id FROM enrollments WHERE sequence_id = 'intro' AND {column} IS NOT NULL"
        f" ORDER BY {column}, id OFFSET {MANY // 3} LIMIT 1"
    )
    assert row is not None
    return Place(row[0], row[1], Status.BOUNCED if sort == "status" else None)


@pytest.mark.usefixtures("many")
async def test_walking_the_whole_list_shows_everybody_once_in_order(connection: Connection) -> None:
    seen: list[str] = []
    cursor = None
    while True:
        page = await listing.page(connection, "small", sort="name", descending=False, limit=60, cursor=cursor)
        seen += contacts(page)
        cursor = page.next_cursor
        if cursor is None:
            break
    rows = await connection.fetch(
        "SELECT contact_id FROM enrollments WHERE sequence_id = 'small' AND status <> 'removed' ORDER BY contact_name, id"
    )
    assert seen == [row["contact_id"] for row in rows]
    assert sum((await listing.counts(connection, "small")).values()) == MANY // 100


@pytest.mark.usefixtures("each")
async def test_the_list_agrees_with_the_record(connection: Connection) -> None:
    for row in (await listing.page(connection, "intro")).rows:
        record = await enrollments.get(connection, row.enrollment)
        assert (record["status"], record["next_at"]) == (row.own_status, row.next_at)
