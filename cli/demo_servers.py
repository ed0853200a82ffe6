"""Every process of the demo: the embedded stack, the two mail servers, the worker, the API. They all die with us."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from embedded import imap, recipients
from embedded.errors import EmbeddedError
from embedded.imap import ImapProcess
from embedded.recipients import Behaviour, RecipientsProcess
from embedded.server import Progress, Server, free_port, wait_until_ready
from embedded.stack import Stack, start_stack

ROOT = Path(__file__).resolve().parent.parent
WORKER_SETTINGS = {
    # Seconds instead of minutes, so that what waits for them can be watched.
    "ONWARD_LEASE_SECONDS": "5",
    "ONWARD_SWEEP_SECONDS": "2",
    "ONWARD_MARK_GRACE_SECONDS": "2",
    "ONWARD_DEFER_BASE_SECONDS": "5",
    "ONWARD_GRACEFUL_SHUTDOWN_SECONDS": "5",
    "ONWARD_IMAP_POLL_SECONDS": "1",
    "ONWARD_IMAP_RETRY_SECONDS": "1",
    "ONWARD_IMAP_LOST_SECONDS": "5",
}
FOREIGN = (
    "TEMPORAL_NAMESPACE",
    "TEMPORAL_API_KEY",
    "TEMPORAL_PROFILE",
    "TEMPORAL_CONFIG_FILE",
    "TEMPORAL_TLS",
    "ONWARD_API_TOKEN",
    "ONWARD_TASK_QUEUE",
)
"""What a user set for real servers and would mislead the demo's own."""


@dataclass
class Servers:
    """The running processes. `start_*` block for seconds each."""

    home: Path
    say: Progress
    stack: Stack = field(init=False)
    recipients: RecipientsProcess = field(init=False)
    imap: ImapProcess = field(init=False)
    imap_user: str = ""
    api_port: int = 0
    _children: dict[str, Server] = field(default_factory=dict)
    _stops: list[Callable[[], None]] = field(default_factory=list)

    def __enter__(self) -> Servers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything, at once and in good order."""
        stops = [*(child.stop for child in self._children.values()), *self._stops]
        with ThreadPoolExecutor(max_workers=max(len(stops), 1)) as pool:
            for done in [pool.submit(stop) for stop in stops]:
                done.result()

    @property
    def inboxes(self) -> Path:
        """Where received mail lies: `<address>/NNNN.eml`."""
        return self.home / "inboxes"

    def start_stack(self) -> None:
        """PostgreSQL and Temporal, with what is kept in the home."""
        self.stack = start_stack(self.home, self.say)
        self._stops.append(self.stack.stop)
        # The port of the last run where that is free, so that unsubscribe links in older mail keep working.
        kept = self.home / "api_port"
        self.api_port = _port_of(kept)
        kept.write_text(str(self.api_port))

    def start_recipients(self, behaviours: Mapping[str, Behaviour]) -> None:
        """The SMTP server that plays the recipients."""
        self.say("Starting the recipients' mail server")
        self.recipients = recipients.spawn(self.inboxes, behaviours)
        self._stops.append(self.recipients.stop)

    def start_imap(self, user: str) -> None:
        """The IMAP server with our own mailbox, where answers come back. It keeps mail only while it runs, and its password
        is another one each time."""
        self.say("Starting the mailbox's IMAP server")
        password = secrets.token_urlsafe(24)
        self.imap_password.touch(mode=0o600)
        self.imap_password.write_text(password)
        self.imap_user = user
        self.imap = imap.spawn(self.home / "imap", {user: password})
        self._stops.append(self.imap.stop)

    def come_back(self, raw: bytes, folder: str) -> None:
        """Let a mail come into a folder of our mailbox. Raises OSError or imaplib.IMAP4.error."""
        imap.append(self.imap.port, self.imap_user, self.imap_password.read_text(), raw, folder)

    @property
    def imap_password(self) -> Path:
        """The file with our mailbox's password."""
        return self.home / "imap_password"

    @property
    def api_url(self) -> str:
        """Where the HTTP API listens."""
        return f"http://127.0.0.1:{self.api_port}"

    def start_api(self) -> None:
        """The HTTP API."""
        self.say("Starting the HTTP API")
        server = self._start("api")
        wait_until_ready(server, lambda patience: _listens(self.api_port, patience), seconds=60)
        self.stack.publish(api_port=self.api_port, public_url=self.api_url)

    def start_worker(self) -> int:
        """A worker; its process ID. Answers at once: whether it works shows in what it does."""
        return self._start("worker").pid

    def kill_worker(self) -> None:
        """SIGKILL: no good order, no last word."""
        self._children["worker"].kill()

    def check(self) -> None:
        """Raises EmbeddedError if one of the processes has ended by itself."""
        self.stack.check()
        for server in (*self._children.values(), self.recipients.server, self.imap.server):
            if server.poll() is not None:
                raise EmbeddedError(
                    "server_died",
                    f"{server.name} ended with code {server.poll()}. Its last words:\n{server.log_tail()}",
                    f"Its whole log is {server.log}.",
                )

    def _start(self, command: str) -> Server:
        environment = {
            **os.environ,
            **WORKER_SETTINGS,
            "ONWARD_HOME": str(self.home),
            "ONWARD_DATABASE_URL": self.stack.database_url,
            "TEMPORAL_ADDRESS": self.stack.temporal_address,
            "ONWARD_TEMPORAL_UI_URL": self.stack.ui_url or "",
            "ONWARD_SECRET_KEY": self.stack.secret_key,
            "ONWARD_PUBLIC_URL": self.api_url,
            "ONWARD_API_HOST": "127.0.0.1",
            "ONWARD_API_PORT": str(self.api_port),
        }
        self._children[command] = Server(
            f"the {command}",
            [sys.executable, "-m", "cli.main", command],
            log=self.home / "logs" / f"{command}.log",
            env=environment,
            cwd=ROOT,
        )
        return self._children[command]


def _port_of(kept: Path) -> int:
    try:
        port = int(kept.read_text())
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", port))
    except (OSError, ValueError, OverflowError):
        return free_port()
    return port


def _listens(port: int, patience: float) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=patience):
            return True
    except OSError:
        return False
