"""The command line on the real stack, in this process: what a command printed, and with which code it ended."""

from __future__ import annotations

import asyncio
import io
import json
import os
from collections.abc import Mapping
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.main import invoke
from tests.harness import World


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Shell:
    """Runs command lines as `onward` does, but for the start of a process (see test_entry_point.py)."""

    async def run(self, *words: str) -> Said:
        out, err = io.StringIO(), io.StringIO()

        def work() -> int:
            with redirect_stdout(out), redirect_stderr(err):
                return int(invoke(words))

        # A thread, since every command runs an event loop of its own.
        code = await asyncio.to_thread(work)
        return Said(code, out.getvalue(), err.getvalue())

    async def text(self, *words: str, code: int = 0) -> str:
        """What stands on standard output."""
        said = await self.run(*words)
        assert said.code == code, said
        assert said.err == ""
        return said.out

    async def json(self, *words: str, code: int = 0) -> Any:
        """The one JSON document on standard output of the command with `--json`."""
        said = await self.run(*words, "--json")
        assert said.code == code, said
        assert said.err == ""
        return json.loads(said.out)

    async def error(self, *words: str, code: int) -> dict[str, Any]:
        """The error of a command: of the same words as text and as JSON."""
        said = await self.run(*words)
        assert said.code == code, said
        assert said.out == ""
        document = await self.json(*words, code=code)
        assert set(document) == {"error"}
        error: dict[str, Any] = document["error"]
        assert set(error) == {"code", "message", "field", "fix", "allowed"}
        first, *more = said.err.rstrip("\n").split("\n")
        assert first.startswith("onward: ")
        assert "Traceback" not in said.err
        assert len(more) <= error["message"].count("\n") + 1
        assert error["message"].partition("\n")[0] in first
        return error


def environment(world: World, home: Path) -> dict[str, str]:
    """The environment that names the servers of `world`, and nothing else of Onward's or Temporal's."""
    secret, settings = world.settings.secret_key, world.settings
    assert secret is not None
    assert settings.database_url is not None
    assert settings.temporal_address is not None
    return {
        "ONWARD_HOME": str(home),
        "ONWARD_DATABASE_URL": settings.database_url,
        "TEMPORAL_ADDRESS": settings.temporal_address,
        "TEMPORAL_NAMESPACE": world.client.namespace,
        "ONWARD_SECRET_KEY": secret.get_secret_value(),
        "ONWARD_TASK_QUEUE": settings.task_queue,
        "ONWARD_TEMPORAL_UI_URL": "http://ui.test",
    }


def enter(monkeypatch: pytest.MonkeyPatch, variables: Mapping[str, str]) -> Shell:
    """A shell whose environment holds these variables, and nothing else of Onward's or Temporal's."""
    for name in list(os.environ):
        if name.startswith(("ONWARD_", "TEMPORAL_")):
            monkeypatch.delenv(name)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return Shell()


@pytest.fixture
def onward(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """The command line, with a worker behind it."""
    return enter(monkeypatch, environment(world, tmp_path / "home"))


@pytest.fixture
def idle(workerless: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """The command line with no worker behind it."""
    return enter(monkeypatch, environment(workerless, tmp_path / "home"))


@pytest.fixture
def nowhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Shell:
    """The command line where no server is named and no embedded stack runs."""
    return enter(monkeypatch, {"ONWARD_HOME": str(tmp_path / "home")})
