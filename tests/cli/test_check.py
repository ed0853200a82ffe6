"""`onward check`: clean where all is well, exit code 5 and a name for what is wrong. In a Temporal namespace of its own,
since it looks at every workflow of its namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from client.checking import Finding
from client.repairing import repair
from embedded.recipients import Recipients
from store import marks
from store.marks import Mark
from tests.cli.conftest import Shell, enter, environment
from tests.harness import World, open_world, own_namespace, plain_step
from tests.servers import Servers


@pytest_asyncio.fixture
async def alone(
    stack: Servers, fresh_database: str, recipients: Recipients, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Onward on real servers in a Temporal namespace of its own."""
    monkeypatch.delenv("TEMPORAL_NAMESPACE", raising=False)  # it would win over the argument
    client = await own_namespace(stack.temporal_address)
    async with open_world(stack.temporal_address, fresh_database, recipients, client=client) as world, world.worker():
        yield world


async def test_check_names_what_stands_still_or_differs(
    alone: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    onward: Shell = enter(monkeypatch, environment(alone, tmp_path / "home"))
    await alone.add_sequence(steps=[plain_step(1, wait="1h")])
    keys = {name: await alone.enroll(name) for name in ("anna", "bert", "carl")}
    assert await onward.text("check") == "3 open enrollments looked at, 0 with problems\n"
    assert await onward.json("check") == {"checked": 3, "findings": []}

    # Behind our back: the workflow is terminated, the record is changed.
    await alone.client.get_workflow_handle(f"enrollment/{alone.sequence}/bert").terminate()
    async with alone.database.transaction() as connection:
        await connection.execute(
            "UPDATE enrollments SET state = jsonb_set(state, '{sent}', '7') WHERE id = $1", keys["carl"]
        )
    report = await onward.json("check", code=5)
    found = {finding["enrollment"]: finding for finding in report["findings"]}
    assert {key: finding["code"] for key, finding in found.items()} == {
        keys["bert"]: "workflow_missing",
        keys["carl"]: "projection_differs",
    }
    assert found[keys["carl"]]["detail"] == "sent: record 7, workflow 0"
    text = await onward.text("check", code=5)
    assert f"workflow_missing: enrollment/{alone.sequence}/bert ({keys['bert']})" in text
    assert text.endswith("3 open enrollments looked at, 2 with problems\n")

    error = await onward.error("skip", "bert", code=3)
    assert (error["code"], error["fix"]) == ("workflow_gone", "run `onward check`")


async def test_repair_mends_what_differs_and_touches_nothing_else(
    alone: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    onward: Shell = enter(monkeypatch, environment(alone, tmp_path / "home"))
    await alone.add_sequence(steps=[plain_step(1, wait="1h")])
    names = ("agrees", "ahead", "gone", "stopped", "halted", "ended", "restored", "open", "unseen")
    keys = {name: await alone.enroll(name) for name in names}
    await alone.command(keys["ended"], "finish")
    await alone.set_contact("halted", stage="Do Not Contact")
    await alone.command(keys["halted"], "send_now")
    await alone.until_status(keys["halted"], "not_sent", "contact_stage_excluded")
    before, earlier = await alone.row(keys["agrees"]), await alone.row(keys["restored"])
    await alone.fact(keys["restored"], "reply")
    await alone.client.get_workflow_handle(f"enrollment/{alone.sequence}/restored").result()
    mailbox, now = alone.mailbox, datetime.now(UTC)
    async with alone.database.transaction() as connection:

        async def change(statement: str, name: str, *values: Any) -> None:
            await connection.execute(statement, keys[name], *values)

        # A record that differs and claims to be newer; one that is closed beside its workflow; what a closed one left.
        await change("UPDATE enrollments SET version = 99, state = state || '{\"sent\": 7}' WHERE id = $1", "ahead")
        for name in ("open", "unseen"):
            await change("UPDATE enrollments SET closed = true, ended_at = now() WHERE id = $1", name)
        old = "UPDATE enrollments SET state = $2, status = 'active', closed = false, ended_at = NULL WHERE id = $1"
        await change(old, "restored", earlier["state"])
        await change("DELETE FROM slots WHERE enrollment_id = $1", "unseen")
        park = "INSERT INTO parked (enrollment_id, gate, key, epoch) VALUES ($1, 'sequence', $2, 1)"
        for name in ("gone", "ended"):
            await change(park, name, alone.sequence)
        slot = "INSERT INTO slots (mailbox_id, enrollment_id, at, first_touch) VALUES ($2, $1, $3, true)"
        await change(slot, "ended", mailbox, now + timedelta(hours=2))
        reply = Mark(keys["stopped"], "", "reply", {"id": "r-1", "by": "mail:m-1"})
        await marks.place(connection, reply, now=now)
    for name in ("gone", "stopped", "halted"):
        await alone.client.get_workflow_handle(f"enrollment/{alone.sequence}/{name}").terminate()

    report = await onward.json("check", "--repair", "--as", "person:ana")
    mended = {one["enrollment"]: one for one in report["repairs"]}
    assert {keys[name] for name in ("ahead", "gone", "stopped", "halted", "ended", "restored", "open")} == set(mended)
    assert all(one["repaired"] and one["did"] for one in mended.values())
    # A workflow without an open record is looked for only when it is a minute old.
    finding = Finding("record_missing", f"enrollment/{alone.sequence}/unseen", None, "")
    (unseen,) = await repair(alone.client, alone.database, [finding], by="person:ana", now=now)
    assert unseen.done

    assert (await alone.state(keys["ahead"])).sent == 0
    for name in ("open", "unseen"):
        assert not (await alone.row(keys[name]))["closed"]
    for name, ended in {
        "gone": ("finished", "manual"),
        "stopped": ("finished", "replied"),
        "restored": ("finished", "replied"),
        "halted": ("not_sent", "contact_stage_excluded"),
        "ended": ("finished", "manual"),
    }.items():
        assert await alone.status(keys[name]) == ended
        assert (await alone.row(keys[name]))["closed"]
    assert (await alone.state(keys["gone"])).disposition == "workflow_gone"
    async with alone.database.read() as connection:
        waiting = {str(row["enrollment_id"]) for row in await connection.fetch("SELECT enrollment_id FROM slots")}
        assert waiting == {keys[name] for name in ("agrees", "ahead", "open")}
        assert await connection.fetchval("SELECT count(*) FROM parked") == 0
    for name in ("ahead", "open", "unseen", "gone", "stopped", "halted", "ended", "restored"):
        story = await alone.story(keys[name])
        assert [line["by"] for line in story if line["kind"] == "repaired"] == ["person:ana"], name
    assert await alone.row(keys["agrees"]) == before
    assert (await onward.text("check", "--repair")).endswith("0 with problems\n0 of 0 mended\n")
    # The contact of a workflow that is gone can be enrolled again.
    assert await alone.enroll("gone") != keys["gone"]
