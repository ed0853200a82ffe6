"""An IMAP server with mailboxes in memory: the other end of reading mail, in the demo and in the tests.

The protocol is pymap's, with a login, IDLE, and the folders INBOX and Junk. (pymap states no Python 3.13 in its metadata; it
runs there. It knows no SPECIAL-USE, so the spam folder goes by its name.)

In its own process: `python -m embedded.imap --users FILE.json [--port P]`. It prints one line of JSON, `{"port": n,
"pid": n}`, once it listens, and stops at SIGTERM or Ctrl-C. The file maps user names to passwords. Mail is delivered into it
by `append`, which is a client and may stand anywhere.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import imaplib
import json
import os
import signal
import socket
import ssl
import sys
import threading
from argparse import Namespace
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from proxyprotocol.sock import SocketInfo
from pymap.backend.dict import Config, Login
from pymap.backend.dict.filter import FilterSet
from pymap.backend.dict.mailbox import MailboxData, MailboxSet
from pymap.concurrent import Event, Subsystem
from pymap.config import BackendCapability
from pymap.imap import IMAPServer
from pymap.parsing.message import AppendMessage
from pymap.selected import SelectedMailbox
from pymap.user import UserMetadata
from pysasl.hashing import BuiltinHash

from embedded.errors import EmbeddedError
from embedded.server import Server, wait_until_ready

T = TypeVar("T")


@dataclass(frozen=True)
class Kept:
    """One message in a folder. `recent`: no session has claimed it yet (RFC 3501 2.3.2)."""

    uid: int
    flags: frozenset[str]
    recent: bool


class _Config(Config):
    """pymap's own settings, without what asks the network or burns time."""

    def __init__(self, *, idle: bool) -> None:
        super().__init__(
            Namespace(passlib_cfg=None, proxy_protocol=None),
            demo_data=False,
            demo_user="",
            demo_password="",
            host="127.0.0.1",
            port=0,
            tls_enabled=False,
            reject_dnsbl=False,
            invalid_user_sleep=0.0,
            # The passwords here protect nothing.
            hash_context=BuiltinHash(rounds=1),
            cpu_subsystem=Subsystem.for_asyncio(),
        )
        self._idle = idle

    @property
    def backend_capability(self) -> BackendCapability:
        return BackendCapability(idle=self._idle, object_id=True, multi_append=True)

    @property
    def greeting(self) -> bytes:
        return b"ready"


class _Folder(MailboxData):
    """pymap lets an idling session wait for the next change even where it has not been told of the last one."""

    async def update_selected(self, selected: SelectedMailbox, *, wait_on: Event | None = None) -> SelectedMailbox:
        known = selected.mod_sequence
        told = known is None or known == self._mod_sequences.highest
        return await super().update_selected(selected, wait_on=wait_on if told else None)


class _Folders(MailboxSet):
    """INBOX and Junk, empty."""

    def __init__(self) -> None:
        super().__init__()
        self._inbox = _Folder(self._content_cache, self._thread_cache)
        self._set["Junk"] = _Folder(self._content_cache, self._thread_cache)


class ImapServer:
    """The server, in a thread of its own. All methods may be called from any thread.

    `users` maps user names to passwords. `port=0` takes a free port, which `start` after `stop` takes again; the mail stays,
    and mail may be delivered meanwhile. `tls`: spoken from the first byte. `idle=False`: the server does not offer IDLE.
    """

    def __init__(
        self, users: Mapping[str, str], *, port: int = 0, tls: ssl.SSLContext | None = None, idle: bool = True
    ) -> None:
        self.port = port
        self.connections = 0
        """How many connections were ever accepted."""
        self._tls = tls
        self._config = _Config(idle=idle)
        self._login = Login(self._config)
        self._sessions: dict[asyncio.Task[Any], asyncio.StreamWriter] = {}
        self._server: asyncio.Server | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="imap-server", daemon=True)
        self._thread.start()
        for user, password in users.items():
            self.set_password(user, password)

    def start(self) -> int:
        """Listen on 127.0.0.1; the port. Raises EmbeddedError `port_taken`."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", self.port))
        except OSError as error:
            listener.close()
            raise EmbeddedError(
                "port_taken", f"Port {self.port} cannot be used: {error}.", "Leave the port out to take a free one."
            ) from error
        self.port = listener.getsockname()[1]
        self._do(self._listen(listener))
        return self.port

    def stop(self) -> None:
        """Cut all connections and stop listening. Safe to call twice."""
        self._do(self._cut())

    def close(self) -> None:
        """Stop for good."""
        self.stop()
        self._do(_end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def __enter__(self) -> ImapServer:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_password(self, user: str, password: str) -> None:
        """Let this user in with this password from now on; a new user gets empty folders."""
        self._do(self._set_password(user, password))

    def deliver(self, user: str, raw: bytes, folder: str = "INBOX", *, at: datetime | None = None) -> int:
        """Put a message into a folder as it is, received `at` (aware; default now); its UID."""
        return self._do(self._append(user, raw, folder, at or datetime.now(UTC)))

    def messages(self, user: str, folder: str = "INBOX") -> list[Kept]:
        """What is in a folder, by UID."""
        return self._do(self._messages(user, folder))

    def renumber(self, user: str, folder: str = "INBOX") -> None:
        """Give the folder another UIDVALIDITY, as servers do that lost their index."""
        self._do(self._renumber(user, folder))

    # -- in the server's own thread --------------------------------------------------------------------------------

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    async def _listen(self, listener: socket.socket) -> None:
        serve = IMAPServer(self._login, self._config)

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            session = asyncio.current_task()
            assert session is not None
            self._sessions[session] = writer
            # What a client does to its own connection is not the server's failure.
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError):
                await serve(reader, writer, SocketInfo.get(writer, None, unique_id=os.urandom(8)))
            self._sessions.pop(session, None)

        self._server = await asyncio.start_server(connected, sock=listener, ssl=self._tls)

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        sessions = dict(self._sessions)
        for session, writer in sessions.items():
            writer.transport.abort()
            session.cancel()
        await asyncio.gather(*sessions, return_exceptions=True)

    async def _set_password(self, user: str, password: str) -> None:
        digest = self._config.hash_context.hash(password)
        self._login.users_dict[user] = UserMetadata(self._config, user, password=digest)
        if user not in self._config.set_cache:
            self._config.set_cache[user] = (_Folders(), FilterSet())

    async def _folder(self, user: str, folder: str) -> MailboxData:
        return await self._config.set_cache[user][0].get_mailbox(folder)

    async def _append(self, user: str, raw: bytes, folder: str, at: datetime) -> int:
        message = await (await self._folder(user, folder)).append(AppendMessage(raw, at), recent=True)
        return int(message.uid)

    async def _messages(self, user: str, folder: str) -> list[Kept]:
        found = [each async for each in (await self._folder(user, folder)).messages()]
        return [
            Kept(each.uid, frozenset(flag.value.decode() for flag in each.permanent_flags), each.recent)
            for each in found
        ]

    async def _renumber(self, user: str, folder: str) -> None:
        (await self._folder(user, folder))._uid_validity += 1


async def _end_tasks() -> None:
    """pymap leaves tasks behind where a client went away while it idled."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


def append(
    port: int, user: str, password: str, raw: bytes, folder: str = "INBOX", *, at: datetime | None = None
) -> None:
    """Deliver a message over IMAP, into a server in whatever process on this machine. `at`: when it was received (aware).

    Raises OSError or imaplib.IMAP4.error.
    """
    with imaplib.IMAP4("127.0.0.1", port, timeout=30) as client:
        client.login(user, password)
        kind, answer = client.append(folder, "", imaplib.Time2Internaldate(at or datetime.now(UTC)), raw)
        if kind != "OK":
            raise imaplib.IMAP4.error(f"{folder}: {answer!r}")


@dataclass(frozen=True)
class ImapProcess:
    """The server in a process of its own, which outlives nobody: it is guarded like the other servers."""

    server: Server
    port: int

    def stop(self) -> None:
        """Stop it. Safe to call twice."""
        self.server.stop()


def spawn(directory: Path, users: Mapping[str, str], *, port: int = 0) -> ImapProcess:
    """Run the server in a process of its own; its log and the users' file lie in `directory`.

    Raises EmbeddedError `server_ended`, for example if the port is taken.
    """
    directory.mkdir(parents=True, exist_ok=True)
    file = directory / "imap-users.json"
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as secret:
        json.dump(dict(users), secret)
    server = Server(
        "the IMAP server",
        [sys.executable, "-m", "embedded.imap", "--users", file.absolute(), "--port", str(port)],
        log=directory / "imap.log",
        cwd=Path(__file__).absolute().parent.parent,
    )
    wait_until_ready(server, lambda _patience: '"port"' in server.log_tail(), seconds=30)
    return ImapProcess(server, json.loads(server.log_tail().splitlines()[-1])["port"])


def main() -> int:
    """The process of its own."""
    parser = argparse.ArgumentParser(
        prog="python -m embedded.imap", description="Keep mailboxes and serve them by IMAP."
    )
    parser.add_argument("--users", type=Path, required=True, help="JSON: user name to password")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    given = parser.parse_args()
    try:
        users: dict[str, str] = dict(json.loads(given.users.read_text()))
    except (OSError, ValueError, TypeError) as error:
        parser.error(f"{given.users}: {error}")
    # Blocked before the server's thread starts, so that only sigwait below takes them.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with ImapServer(users, port=given.port) as server:
            print(json.dumps({"port": server.port, "pid": os.getpid()}), flush=True)
            signal.sigwait(ends)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
