"""Runs a command for CI: with a time limit, and failing when processes it started outlive it.

    python tools/guarded.py MINUTES COMMAND [ARGUMENT ...]

The exit status is the command's, 124 when the time ran out, 1 when the command passed but left something behind.
Leftovers are found by making this process the one that inherits orphans (prctl(2), PR_SET_CHILD_SUBREAPER), so a
server in a session of its own is found too. Linux only; elsewhere only the time limit holds.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
INTERRUPT_SECONDS = 30.0  # for the command to clean up after the time ran out
LEAVE_SECONDS = 10.0  # for servers that are already stopping to be gone


def main(minutes: float, command: list[str]) -> int:
    """Runs the command and gives the exit status."""
    linux = sys.platform == "linux"
    if linux and ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")
    # A process group of its own, to interrupt all of it as Ctrl-C would.
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
    try:
        status = process.wait(minutes * 60)
    except subprocess.TimeoutExpired:
        print(f"guarded: stopped after {minutes:g} minutes", file=sys.stderr)
        stop(process)
        status = 124
    if status < 0:
        status = 128 - status
    left = leftovers() if linux else {}
    for pid, name in left.items():
        print(f"guarded: left behind: {pid} {name}", file=sys.stderr)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    return status or int(bool(left))


def stop(process: subprocess.Popen[bytes]) -> None:
    """Interrupts the command's process group and waits; kills it when it does not end."""
    for number in (signal.SIGINT, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(INTERRUPT_SECONDS)
            return


def leftovers() -> dict[int, str]:
    """Descendants that still run LEAVE_SECONDS after the command has ended: process ID and command line."""
    deadline = time.monotonic() + LEAVE_SECONDS
    while True:
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        left = descendants(os.getpid())
        if not left or time.monotonic() > deadline:
            return left
        time.sleep(0.1)


def descendants(ancestor: int) -> dict[int, str]:
    """Running processes below `ancestor`, by /proc. Zombies do not count: they are gone but for their status."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # "pid (name) state ppid ...", where the name may hold blanks and brackets.
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state == "Z":
                continue
            parents[int(entry.name)] = int(parent)
            words = (entry / "cmdline").read_bytes().split(b"\0")
            names[int(entry.name)] = b" ".join(words).decode(errors="replace").strip()
    below = {ancestor}
    while found := {pid for pid, parent in parents.items() if parent in below} - below:
        below |= found
    return {pid: names.get(pid, "") for pid in sorted(below - {ancestor})}


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), sys.argv[2:]))
