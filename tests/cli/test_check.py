"""`onward check`: clean where all is well, exit code 5 and a name for what is wrong. In a Temporal namespace of its own,
since it looks at every workflow of its namespace."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.service import RPCError

from client.connection import connect, ensure_search_attributes
from embedded.recipients import Recipients
from embedded.stack import Stack
from tests.cli.conftest import Shell, enter, environment
from tests.harness import World, eventually, open_world, plain_step

NAMESPACE = "of-check"


@pytest_asyncio.fixture
async def alone(stack: Stack, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """Onward on real servers in a Temporal namespace of its own."""
    default = await connect(stack.temporal_address)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=1))
    await default.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=NAMESPACE, workflow_execution_retention_period=retention)
    )

    async def usable() -> object:
        try:
            client = await connect(stack.temporal_address, NAMESPACE)
            await ensure_search_attributes(client)
            await client.count_workflows("OnwardStatus IS NULL")
        except (RPCError, RuntimeError):
            return None
        return client

    client = await eventually(usable)
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
