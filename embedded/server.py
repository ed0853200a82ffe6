"""The starter's side of a guarded server (see `guard.py`), and what the servers share: ports and waiting."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import EmbeddedError
from embedded.guard import Order

GUARD = Path(__file__).with_name("guard.py")
Progress = Callable[[str], None]


@dataclass(frozen=True)
class User:
    """The system user a server runs as."""

    uid: int
    gid: int


def silent(_message: str) -> None:
    """A progress callback that says nothing."""


class Server:
    """A running server process that dies with this process.

    `pid` is the server's own process ID, `log` the file that takes its output (the previous run's is kept beside it
    as `.1`). `keep_open` are file descriptors that the guard inherits: a lock held through one of them lasts until
    the server is gone, even if this process dies first. Raises EmbeddedError `server_not_started`.
    """

    def __init__(
        self,
        name: str,
        argv: Sequence[str | Path],
        *,
        log: Path,
        env: Mapping[str, str] | None = None,
        user: User | None = None,
        stop_signal: signal.Signals = signal.SIGTERM,
        grace: float = 10.0,
        cwd: Path | str = "/",
        keep_open: Sequence[int] = (),
    ) -> None:
        self.name = name
        self.log = log
        self._grace = grace
        self._stop_signal = stop_signal
        self._stopping = threading.Lock()
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)  # addresses may show up in logs
        if log.exists():
            log.replace(log.with_name(log.name + ".1"))
        order: Order = {
            "argv": [str(word) for word in argv],
            "env": dict(os.environ if env is None else env),
            "cwd": str(cwd),
            "user": user.uid if user else None,
            "group": user.gid if user else None,
            "log": str(log.absolute()),
            "stop_signal": int(stop_signal),
            "grace": grace,
            "parent": os.getpid(),
        }
        with log.open("ab") as output:
            # A session of its own keeps Ctrl-C, which goes to the whole foreground group, away from the server.
            self._guard = subprocess.Popen(  # noqa: S603 (our own program)
                [sys.executable, "-I", "-S", str(GUARD)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                pass_fds=tuple(keep_open),
                cwd="/",
                start_new_session=True,
            )
        assert self._guard.stdin is not None
        assert self._guard.stdout is not None
        try:
            with self._guard.stdout as answers:
                with contextlib.suppress(BrokenPipeError):
                    self._guard.stdin.write(json.dumps(order).encode() + b"\n")
                    self._guard.stdin.flush()
                answer = json.loads(answers.readline() or b"{}")
        except BaseException:
            self._release()
            raise
        if "pid" not in answer:
            self._release()
            reason = answer.get("error") or self.log_tail() or "its guard ended at once"
            raise EmbeddedError("server_not_started", f"{name} could not be started: {reason}", f"Its log is {log}.")
        self.pid: int = answer["pid"]

    def poll(self) -> int | None:
        """The exit code, or None while it runs."""
        return self._guard.poll()

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the server to end by itself; its exit code. Raises TimeoutError."""
        try:
            return self._guard.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"{self.name} still runs after {timeout} s") from None

    def stop(self) -> None:
        """Stop the server in good order, by force after the grace period. Safe to call twice and from any thread."""
        with self._stopping:
            self._release()

    def kill(self) -> None:
        """Kill the server as a crash would (SIGKILL, no good order), and wait for its end."""
        if self.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)
        self.stop()

    def log_tail(self, lines: int = 12) -> str:
        """The last lines it printed in this run."""
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return ""

    def _release(self) -> None:
        """Close our end of the pipe, which tells the guard to stop the server, and wait for the guard."""
        assert self._guard.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._guard.stdin.close()
        try:
            self._guard.wait(self._grace + 10)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            self._guard.wait()
        if self._guard.returncode < 0 and hasattr(self, "pid"):
            # The guard itself was killed; the server may not know yet.
            self._kill_orphan()

    def _kill_orphan(self) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getpgid(self.pid) != self.pid:
                return
            os.kill(self.pid, self._stop_signal)
            deadline = time.monotonic() + self._grace
            while time.monotonic() < deadline:
                os.kill(self.pid, 0)
                time.sleep(0.05)
            os.killpg(self.pid, signal.SIGKILL)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that is free right now; another process may take it before a server does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_ready(server: Server, ready: Callable[[float], bool], *, seconds: float) -> None:
    """Ask `ready` until it says yes; it gets the seconds it may take.

    They begin short: on a port that somebody else took meanwhile, an answer may never come.

    Raises EmbeddedError: `port_taken` if the server ended because its port was taken meanwhile, `server_ended` if it
    ended for another reason, `server_silent` if it does not answer within `seconds` (it is stopped then).
    """
    began = time.monotonic()
    while True:
        code = server.poll()
        if code is not None:
            tail = server.log_tail()
            taken = "address already in use" in tail.lower()
            raise EmbeddedError(
                "port_taken" if taken else "server_ended",
                f"{server.name} ended with code {code} while starting. Its last words:\n{tail}",
                f"Its whole log is {server.log}.",
            )
        if ready(1.0 + time.monotonic() - began):
            return
        if time.monotonic() - began > seconds:
            server.stop()
            raise EmbeddedError(
                "server_silent",
                f"{server.name} did not answer within {seconds:g} s. Its last words:\n{server.log_tail()}",
                f"Its whole log is {server.log}.",
            )
        time.sleep(0.05)


def start_on_free_port(start: Callable[[], None], *, tries: int = 3) -> None:
    """Run `start` again while it fails with `port_taken`: between picking a port and using it others may be faster."""
    for attempt in range(1, tries + 1):
        try:
            start()
        except EmbeddedError as error:
            if error.code != "port_taken" or attempt == tries:
                raise
            time.sleep(0.2)
        else:
            return
