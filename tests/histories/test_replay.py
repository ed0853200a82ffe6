"""Recorded histories replay on today's code: what runs now goes on after a deploy (see tests/record_histories.py)."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.workflow import NondeterminismError

from tests.record_histories import STORIES
from worker import WORKFLOWS

HERE = Path(__file__).parent
INCOMPATIBLE = HERE / "incompatible"
RECORDED = sorted(path for path in HERE.glob("*/*.json") if path.parent != INCOMPATIBLE)


def read(path: Path) -> dict[str, Any]:
    history: dict[str, Any] = json.loads(path.read_text())
    return history


async def replay(history: dict[str, Any]) -> None:
    """Raises what the replay fails with."""
    workflow_id = history["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"]
    replayer = Replayer(workflows=WORKFLOWS, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json(workflow_id, history))


@pytest.mark.parametrize("path", RECORDED, ids=lambda path: f"{path.parent.name}/{path.stem}")
async def test_a_recorded_history_replays(path: Path) -> None:
    await replay(read(path))


@pytest.mark.parametrize("path", sorted(INCOMPATIBLE.glob("*.json")), ids=lambda path: path.stem)
async def test_an_incompatible_history_is_refused(path: Path) -> None:
    with pytest.raises(NondeterminismError, match="send_email"):
        await replay(read(path))


def test_every_story_of_this_release_is_recorded() -> None:
    recorded = {path.stem for path in RECORDED if path.parent.name == version("onward")}
    assert {story.__name__ for story in STORIES} | {"wake", "watch", "refused", "replan"} <= recorded
    assert list(INCOMPATIBLE.glob("*.json"))
