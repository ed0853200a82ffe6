"""Sequences and steps at a glance, and what an open page asks again and again."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.sequences import StepRef
from domain.state import Halt, Hold, Sent
from domain.statuses import HaltKind, HoldKind, Outcome, Status
from store import catalog, gates, listing, live, marks, overview
from store.database import Connection
from store.keyset import InvalidFilter
from store.queries import sql
from tests.store.facts import NOW, define, email, enroll, mailbox, people, sequence, slot

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BUMP = StepRef(id="bump", number=2, total=2)
MANUAL = Hold(kind=HoldKind.MANUAL, by="ann", at=NOW)
DEAD = Halt(kind=HaltKind.HARD_BOUNCE, reason="hard_bounce", at=NOW)
NOT_SENT = Halt(kind=HaltKind.NOT_SENT, reason="no_email", at=NOW)


async def test_every_sequence_with_its_counts_and_its_emails(connection: Connection) -> None:
    await define(connection, sequence(name="Zed"), sequence(id="two", name="autumn"), sequence(id="bare", name="Bare"))
    await people(connection, *({"id": key} for key in ("a", "b", "c", "d")))
    a, b = await enroll(connection, "a"), await enroll(connection, "b")
    c, d = await enroll(connection, "c", sequence="two"), await enroll(connection, "d", sequence="two", holds=(MANUAL,))
    for state, at in ((a, NOW - HOUR), (b, NOW + timedelta(minutes=90)), (c, NOW + 24 * HOUR)):
        await slot(connection, state, at)
    await slot(connection, d, NOW - HOUR, used=True)
    for n, state in enumerate((a, a, c)):
        await email(connection, state, attempt=n + 1, at=NOW - (n * 4 + 0.5) * DAY)
    await email(connection, b, status="rejected")

    found = await overview.sequences(connection, now=NOW)
    assert [line.id for line in found.sequences] == ["two", "bare", "intro"]
    two, bare, intro = found.sequences
    assert (intro.name, intro.steps, intro.on, intro.switch.on, intro.switch.by) == ("Zed", 2, True, True, "system")
    assert (intro.counts[Status.ACTIVE], intro.counts[Status.PAUSED]) == (2, 0)
    assert (intro.coming[:3], sum(intro.coming), len(intro.coming)) == ((1, 1, 0), 2, 24)
    assert (intro.sent_day, intro.sent_week, intro.held_back) == (1, 2, 0)
    assert (two.counts[Status.ACTIVE], two.counts[Status.PAUSED], two.coming, two.sent_week) == (1, 1, (0,) * 24, 0)
    assert (sum(bare.counts.values()), bare.sent_week) == (0, 0)

    await gates.switch(connection, "sequence", "intro", state="off", by="person:ann", now=NOW)
    (off,) = [line for line in (await overview.sequences(connection, now=NOW)).sequences if line.id == "intro"]
    assert (off.on, off.switch.on, off.switch.by, off.switch.since) == (False, False, "person:ann", NOW)
    assert (off.counts[Status.ACTIVE], off.counts[Status.PAUSED]) == (0, 2)
    assert (sum(off.coming), off.held_back) == (0, 2)

    await gates.switch(connection, "global", "", state="off", by="person:bo", now=NOW)
    everything = await overview.sequences(connection, now=NOW)
    assert (everything.everything.on, everything.everything.by) == (False, "person:bo")
    assert {line.on for line in everything.sequences} == {False}
    assert {line.switch.on for line in everything.sequences} == {True, False}
    assert everything.sequences[0].counts[Status.ACTIVE] == 0


async def test_what_became_of_each_step(connection: Connection) -> None:
    await define(connection)
    await people(connection, *({"id": f"c{n}"} for n in range(10)))
    last = {
        n: Sent(step=step, attempt=1, message_id="m")
        for n, step in ((1, StepRef(id="hello", number=1, total=2)), (2, BUMP))
    }
    states = [
        await enroll(connection, "c0"),
        await enroll(connection, "c1", step=BUMP),
        await enroll(connection, "c2", step=BUMP, holds=(MANUAL,)),
        await enroll(connection, "c3", halt=DEAD),
        await enroll(connection, "c4", step=BUMP, halt=NOT_SENT),
        await enroll(connection, "c5", outcome=Outcome.REPLIED, last_sent=last[1]),
        await enroll(connection, "c6", outcome=Outcome.MEETING_BOOKED, step=None, last_sent=last[2]),
        await enroll(connection, "c7", outcome=Outcome.UNSUBSCRIBED, last_sent=last[2]),
        await enroll(connection, "c8", outcome=Outcome.MANUAL, last_sent=last[2]),
        await enroll(connection, "c9", outcome=Outcome.COMPLAINED, last_sent=last[1]),
    ]
    await email(connection, states[3], status="rejected", result={"halt": "hard_bounce"})
    await email(connection, states[4], step="bump", status="rejected", result={"reason": "content_rejected"})
    for state, more in ((states[5], {}), (states[6], {"bounced_at": NOW, "bounce_class": "mailbox_full"})):
        await email(connection, state, **more)
    for state, more in ((states[6], {}), (states[7], {"bounced_at": NOW, "bounce_class": "spam_block"})):
        await email(connection, state, step="bump", **more)
    await email(connection, states[8], step="gone")

    hello, bump, gone = await overview.steps(connection, "intro")
    assert (hello.id, hello.number, hello.subject, hello.thread, hello.wait) == ("hello", 1, "Hello", "new", "0s")
    assert (hello.sent, hello.bounced, hello.replied, hello.unsubscribed, hello.complained) == (2, 1, 1, 0, 1)
    assert hello.standing == {Status.ACTIVE: 1, Status.BOUNCED: 1}
    assert (bump.sent, bump.bounced, bump.replied, bump.unsubscribed, bump.complained) == (2, 1, 1, 1, 0)
    assert bump.standing == {Status.ACTIVE: 1, Status.PAUSED: 1, Status.NOT_SENT: 1}
    assert (bump.not_sent, hello.not_sent) == (1, 0)
    assert (gone.id, gone.number, gone.sent, gone.standing) == ("gone", None, 1, {})
    await gates.switch(connection, "sequence", "intro", state="off", by="ann", now=NOW)
    assert (await overview.steps(connection, "intro"))[1].standing == {Status.PAUSED: 2, Status.NOT_SENT: 1}
    with pytest.raises(catalog.NotFound):
        await overview.steps(connection, "nowhere")


async def test_a_fingerprint_changes_with_what_a_row_shows(connection: Connection) -> None:
    await define(connection)
    await people(connection, {"id": "a"}, {"id": "b"})
    a, b = await enroll(connection, "a"), await enroll(connection, "b", holds=(MANUAL,))

    async def looked() -> dict[str, live.Fingerprint]:
        return await live.fingerprints(connection, [a.enrollment, b.enrollment, str(uuid4())])

    before = await looked()
    assert set(before) == {a.enrollment, b.enrollment}
    assert await looked() == before
    assert (before[a.enrollment].status, before[b.enrollment].reason, before[a.enrollment].pending) == (
        "active",
        "manual",
        0,
    )
    mark = marks.Mark(a.enrollment, "w", "pause", {"id": "m1", "by": "ann"})
    await marks.place(connection, mark, now=NOW)
    assert (await looked())[a.enrollment].pending == 1
    await connection.execute("UPDATE enrollments SET version = version + 1 WHERE id = $1", UUID(b.enrollment))
    assert (await looked())[b.enrollment].version == before[b.enrollment].version + 1
    await gates.switch(connection, "sequence", "intro", state="off", by="ann", now=NOW)
    off = await looked()
    assert (off[a.enrollment].status, off[a.enrollment].reason) == ("paused", "sequence_off")
    assert (off[b.enrollment].status, off[b.enrollment].reason) == ("paused", "manual")
    row = (await listing.rows(connection, "intro", [a.enrollment]))[0]
    assert (row.epoch, row.version) == (off[a.enrollment].epoch, off[a.enrollment].version)
    for wrong in (["nobody"], [str(UUID(int=n)) for n in range(201)]):
        with pytest.raises(InvalidFilter):
            await live.fingerprints(connection, wrong)


async def test_counts_of_all_agree_with_those_of_each(connection: Connection) -> None:
    await define(connection, sequence(), sequence(id="two"), sequence(id="bare"))
    await catalog.apply_mailbox(connection, mailbox(id="other"))
    await people(connection, *({"id": f"c{n}"} for n in range(6)))
    for n in range(6):
        await enroll(connection, f"c{n}", sequence="two" if n % 2 else "intro", holds=(MANUAL,) if n == 3 else ())
    await gates.switch(connection, "sequence", "intro", state="off", by="ann", now=NOW)
    found = await live.counts(connection)
    assert set(found) == {"intro", "two", "bare"}
    for key, counted in found.items():
        assert counted == await listing.counts(connection, key)
    assert (found["intro"][Status.PAUSED], found["two"][Status.ACTIVE], found["two"][Status.PAUSED]) == (3, 2, 1)
    await gates.switch(connection, "mailbox", "other", state="paused", by="ann", now=NOW, code="holiday")
    states = await live.mailbox_states(connection)
    assert (states["sales"][0], states["other"][:2]) == ("up", ("paused", "holiday"))


async def test_counts_can_be_read_from_an_index_alone(connection: Connection) -> None:
    # What is cheaper depends on how the table was vacuumed, which a transaction cannot do: whether an index will do, does not.
    for other in ("seqscan", "bitmapscan"):
        await connection.execute(f"SET LOCAL enable_{other} = off")
    for name, values in (
        ("live.counts", ()),
        ("enrollments.counts", ("intro",)),
        ("overview.steps_standing", ("intro",)),
    ):
        text = sql(name)
        for number, value in enumerate(values, 1):
            text = text.replace(f"${number}", f"'{value}'")
        plan = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {text}")
        assert "Index Only Scan" in plan, plan
