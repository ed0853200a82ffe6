"""The whole embedded stack in one home directory: PostgreSQL, Temporal, the keys, and the word of where they are."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from embedded.errors import EmbeddedError
from embedded.postgres import Postgres
from embedded.server import Progress, silent
from embedded.temporal import Temporal

MARKER = "onward-home"
MARKER_TEXT = "Data of Onward's embedded servers. `onward demo-clean` (make demo-clean) deletes this directory.\n"
HANDOVER_SECONDS = 45.0  # longer than PostgreSQL's 30 s to stop in good order


class Stack:
    """A running stack. Ends with `stop`, as a context manager, or with this process, however that ends."""

    def __init__(
        self,
        home: Path,
        postgres: Postgres,
        temporal: Temporal,
        secret_key: str,
        lock: int,
    ) -> None:
        self.home = home
        self.postgres = postgres
        self.temporal = temporal
        self.secret_key = secret_key
        self._lock = lock
        self._published: dict[str, Any] = {}
        self._stopped = False

    @property
    def database_url(self) -> str:
        """The PostgreSQL URL."""
        return self.postgres.url

    @property
    def temporal_address(self) -> str:
        """host:port of Temporal."""
        return self.temporal.address

    @property
    def ui_url(self) -> str | None:
        """Base URL of Temporal UI, or None if it was left out."""
        return self.temporal.ui_url

    @property
    def stack_file(self) -> Path:
        """Where other processes of this user read the addresses (`settings.load_settings`)."""
        return self.home / "stack.json"

    def publish(self, **fields: Any) -> None:
        """Add to `stack.json`, for example `api_port`. Keys are field names of Settings; others are ignored there."""
        self._published.update(fields)
        _write_private(
            self.stack_file,
            json.dumps(
                {
                    "pid": os.getpid(),
                    "database_url": self.database_url,
                    "temporal_address": self.temporal_address,
                    "temporal_ui_url": self.ui_url,
                    "secret_key": self.secret_key,
                    **self._published,
                },
                indent=2,
            ),
        )

    def check(self) -> None:
        """Raises EmbeddedError `server_died` if a server is not running any more."""
        for server in (self.postgres.server, self.temporal.server):
            if server is not None and server.poll() is not None:
                raise EmbeddedError(
                    "server_died",
                    f"{server.name} ended with code {server.poll()}. Its last words:\n{server.log_tail()}",
                    f"Its whole log is {server.log}. Start again; the data is kept.",
                )

    def stop(self) -> None:
        """Stop what was started and withdraw `stack.json`. Safe to call twice."""
        if self._stopped:
            return
        self._stopped = True
        self.stack_file.unlink(missing_ok=True)
        try:
            self.temporal.stop()
        finally:
            try:
                self.postgres.stop()
            finally:
                os.close(self._lock)

    def __enter__(self) -> Stack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start_stack(
    home: Path,
    progress: Progress = silent,
    *,
    ui: bool = True,
    durable: bool = True,
    in_memory: bool = False,
    dynamic_config: Mapping[str, str] | None = None,
    namespaces: Sequence[str] = (),
) -> Stack:
    """Start PostgreSQL and Temporal on the data in `home`, new or kept, and say so in `home`/stack.json.

    `durable`, `in_memory` and `namespaces` are for tests (see Postgres and Temporal). Blocks for seconds; from a
    coroutine call it in a thread. Raises EmbeddedError: `home_busy` if a live stack owns the home, `home_foreign` if the
    directory holds something else, `home_not_writable`, and what the servers raise.
    """
    home = home.absolute()
    _prepare_home(home)
    lock = _lock_home(home, progress, wait=True)
    postgres = Postgres(home, durable=durable, keep_open=[lock])
    temporal = Temporal(
        home, ui=ui, in_memory=in_memory, dynamic_config=dynamic_config, namespaces=namespaces, keep_open=[lock]
    )
    try:
        stack = Stack(home, postgres, temporal, _persisted_key(home / "secret_key"), lock)
    except BaseException:
        os.close(lock)
        raise
    try:
        stack.stack_file.unlink(missing_ok=True)
        postgres.start(progress)
        temporal.start(progress)
        stack.publish()
    except BaseException:
        stack.stop()
        raise
    return stack


def forget(home: Path) -> bool:
    """Delete a home with everything in it; False if there is none.

    Raises EmbeddedError: `home_foreign` if it is not ours by its marker file, `home_busy` while a stack runs on it.
    """
    home = home.absolute()
    if not home.exists():
        return False
    if not (home / MARKER).is_file():
        raise EmbeddedError(
            "home_foreign",
            f"{home} is not a home of embedded servers (it has no file {MARKER}), so it is left alone.",
            "Check ONWARD_HOME.",
        )
    lock = _lock_home(home, silent, wait=False)
    try:
        shutil.rmtree(home)
    finally:
        os.close(lock)
    return True


@contextlib.contextmanager
def reachable_tempdir(parent: str | None = None) -> Iterator[Path]:
    """A temporary directory that the servers' user can reach, also when we are root; removed at the end.

    It is made in `parent`, if that is given: a directory which everybody can reach.

    pytest's own `tmp_path` is closed to all but its owner, so PostgreSQL could not keep its data there for root.
    """
    with tempfile.TemporaryDirectory(prefix="onward-", dir=parent or _open_tempdir()) as directory:
        os.chmod(directory, 0o711)  # noqa: S103 (passing through is the point; listing is not allowed)
        yield Path(directory)


def _open_tempdir() -> str:
    for candidate in (tempfile.gettempdir(), "/tmp", "/var/tmp"):  # noqa: S108 (the directory made there is private)
        path = Path(candidate)
        if os.geteuid() != 0 or all(each.stat().st_mode & 0o001 for each in (path, *path.parents)):
            return candidate
    return tempfile.gettempdir()


def _prepare_home(home: Path) -> None:
    if home.exists() and not (home / MARKER).exists() and any(home.iterdir()):
        raise EmbeddedError(
            "home_foreign",
            f"{home} already holds something else.",
            "Set ONWARD_HOME to a new or empty directory.",
        )
    # For root, the database's user must be able to pass through; the files inside are private one by one.
    mode = 0o711 if os.geteuid() == 0 else 0o700
    try:
        for directory in reversed([path for path in (home, *home.parents) if not path.exists()]):
            directory.mkdir()
            directory.chmod(mode)
        home.chmod(mode)
        (home / MARKER).write_text(MARKER_TEXT)
    except OSError as error:
        raise EmbeddedError(
            "home_not_writable", f"{home} cannot be written: {error}.", "Set ONWARD_HOME to a directory of yours."
        ) from error


def _lock_home(home: Path, progress: Progress, *, wait: bool) -> int:
    """Own the home: a lock that this process and the guards of its servers hold, so until the last server is gone.

    If its owner was killed, `wait` waits for its servers to stop.
    """
    path = home / "lock"
    deadline = time.monotonic() + HANDOVER_SECONDS
    said = False
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 32).decode(errors="replace").strip()
            os.close(lock)
            if not wait or _lives(owner) or time.monotonic() > deadline:
                raise EmbeddedError(
                    "home_busy",
                    f"Another stack runs on {home} (process {owner or 'unknown'}).",
                    "Stop it (Ctrl-C in its terminal), or set ONWARD_HOME to another directory.",
                ) from None
            if not said:
                progress("Waiting for the servers of a killed run to stop")
                said = True
            time.sleep(0.1)
            continue
        if not path.exists() or os.fstat(lock).st_ino != path.stat().st_ino:
            # The home was deleted between opening and locking.
            os.close(lock)
            _prepare_home(home)
            continue
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        return lock


def _lives(pid: str) -> bool:
    try:
        os.kill(int(pid), 0)
    except PermissionError:
        return True
    except (ValueError, OSError):
        return False
    return True


def _persisted_key(path: Path) -> str:
    """The signing key of this home: 32 random bytes as hex, made once."""
    if not path.exists():
        _write_private(path, secrets.token_hex(32))
    return path.read_text()


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read; readers see the old or the new text, never a part."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.rename(path)
