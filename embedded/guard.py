"""Runs one server and stops it when the process that asked for it is gone, however that process ended.

A child of a killed process lives on: neither PostgreSQL nor the Temporal dev server notices that its starter got
SIGKILL. So a server is started by this small process instead. It reads one line of JSON (the order, see `Order`)
from standard input and keeps reading: the other end of that pipe is held by the starter alone, and end-of-file
means that the starter is gone or wants the server stopped. Works alike on Linux and macOS.

Run by its path (`python -I -S guard.py`), so it imports nothing but the standard library. It answers one line of
JSON on standard output: `{"pid": n}` or `{"error": text}`; it exits with the server's exit code, or 128 plus the
signal that ended it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from types import FrameType
from typing import Any, TypedDict

PR_SET_PDEATHSIG = 1


class Order(TypedDict):
    """What to run. `user` and `group` are numeric IDs or null for no change; `grace` is in seconds."""

    argv: list[str]
    env: dict[str, str]
    cwd: str
    user: int | None
    group: int | None
    log: str
    stop_signal: int
    grace: float
    parent: int


class Guard:
    """One server under guard."""

    def __init__(self) -> None:
        self.stopping = False
        self.wake, wake_write = os.pipe()
        os.set_blocking(self.wake, False)
        os.set_blocking(wake_write, False)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        # Handlers that do nothing, not SIG_IGN: an ignored signal would stay ignored in the server.
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda _number, _frame: None)
        signal.signal(signal.SIGTERM, self._stop)

    def _stop(self, _number: int, _frame: FrameType | None) -> None:
        self.stopping = True

    def run(self) -> int:
        """Obey the order on standard input; the exit code of this process."""
        line = _read_line(0)
        if line is None:
            return 0
        order: Order = json.loads(line)
        try:
            server = _start(order)
        except (OSError, subprocess.SubprocessError) as error:
            _answer({"error": f"{order['argv'][0]}: {error}"})
            return 127
        _answer({"pid": server.pid})
        while server.poll() is None:
            # A process forked by the starter may hold the pipe open too, hence the second look at the parent.
            if self.stopping or os.getppid() != order["parent"]:
                break
            ready, _, _ = select.select([0, self.wake], [], [], 1.0)
            if 0 in ready:
                break
            if self.wake in ready:
                os.read(self.wake, 512)
        code = _end(server, order)
        return code if code >= 0 else 128 - code


def _read_line(descriptor: int) -> bytes | None:
    """One line, unbuffered; None when the pipe ends first."""
    line = bytearray()
    while not line.endswith(b"\n"):
        chunk = os.read(descriptor, 1 << 16)
        if not chunk:
            return None
        line += chunk
    return bytes(line)


def _answer(answer: dict[str, Any]) -> None:
    with contextlib.suppress(OSError):
        os.write(1, json.dumps(answer).encode() + b"\n")
    os.close(1)


def _start(order: Order) -> subprocess.Popen[bytes]:
    stop_signal = order["stop_signal"]

    def die_with_guard() -> None:
        # Linux only: the kernel tells the server when this guard itself is killed. Best effort elsewhere.
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, stop_signal)

    with open(order["log"], "ab") as log:
        return subprocess.Popen(  # noqa: S603 (the order comes from our own process)
            order["argv"],
            env=order["env"],
            cwd=order["cwd"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            user=order["user"],
            group=order["group"],
            extra_groups=None if order["user"] is None else [],
            umask=0o077,
            start_new_session=True,
            preexec_fn=die_with_guard if sys.platform == "linux" else None,
        )


def _end(server: subprocess.Popen[bytes], order: Order) -> int:
    """Stop the server and whatever is left of its process group."""
    server.send_signal(order["stop_signal"])
    with contextlib.suppress(subprocess.TimeoutExpired):
        server.wait(order["grace"])
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(server.pid, signal.SIGKILL)
    return server.wait()


if __name__ == "__main__":
    sys.exit(Guard().run())
