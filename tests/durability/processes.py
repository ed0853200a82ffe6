"""A worker as its own process, as a deployment runs it: it can be killed, or stopped in good order."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from embedded.server import Server
from settings import Settings

ROOT = Path(__file__).resolve().parents[2]
WORKER = (str(ROOT / "worker.py"),)


class WorkerProcess:
    """`python worker.py` on the servers that `settings` names. Under our guard: it never outlives this process.

    `program` is another script with its arguments, run with the same environment. Use as an asynchronous context manager;
    `start` after `kill` or `terminate` starts it anew.
    """

    def __init__(self, settings: Settings, home: Path, name: str = "worker", program: Sequence[str] = WORKER) -> None:
        self.settings = settings
        self.log = home / f"{name}.log"
        self._home = home
        self._program = program
        self._server: Server | None = None

    @property
    def server(self) -> Server:
        """The running process."""
        assert self._server is not None
        return self._server

    async def start(self) -> None:
        """Start it and wait until it takes tasks. Raises AssertionError when it ends instead."""
        self._server = Server(
            "the worker",
            [sys.executable, *self._program],
            log=self.log,
            env=self._environment(),
            grace=30.0,
            cwd=ROOT,
        )
        async with asyncio.timeout(60):
            while "worker_started" not in self.server.log_tail(200):
                assert self.server.poll() is None, self.server.log_tail(40)
                await asyncio.sleep(0.05)

    def kill(self) -> None:
        """SIGKILL: no farewell, no rollback."""
        self.server.kill()

    async def terminate(self) -> int:
        """SIGTERM; the exit code once it has ended."""
        os.kill(self.server.pid, signal.SIGTERM)
        return await asyncio.to_thread(self.server.wait, 60.0)

    async def __aenter__(self) -> WorkerProcess:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            await asyncio.to_thread(self._server.stop)

    def _environment(self) -> dict[str, str]:
        """The settings that differ from their defaults, as a deployment would give them."""
        own = {
            name: value for name, value in os.environ.items() if not name.startswith(("ONWARD_", "TEMPORAL_", "PYTHON"))
        }
        names = {"temporal_address": "TEMPORAL_ADDRESS", "temporal_namespace": "TEMPORAL_NAMESPACE"}
        secret = self.settings.secret_key
        given = self.settings.model_dump(mode="json", exclude_defaults=True, exclude={"secret_key", "home"})
        return {
            **own,
            **{names.get(name, f"ONWARD_{name.upper()}"): str(value) for name, value in given.items()},
            "ONWARD_SECRET_KEY": secret.get_secret_value() if secret else "",
            "ONWARD_HOME": str(self._home),
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
        }
