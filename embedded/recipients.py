"""An SMTP server that plays the recipients: it keeps their inboxes and answers as scripted.

Used by the demo, where people read the mail that arrived, and by the tests, where it is the witness: a message is
on record before the reply to the final dot is given, so what a crashed sender never heard of still counts.

In its own process: `python -m embedded.recipients --directory D [--port P] [--behaviours FILE.json]`. It prints one
line of JSON, `{"port": n, "pid": n}`, once it listens, and stops at SIGTERM or Ctrl-C. The file maps addresses (or
`*`) to fields of Behaviour.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, NoReturn
from urllib.parse import quote

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from embedded.errors import EmbeddedError
from embedded.server import Server, wait_until_ready

ACCEPTED = "250 2.0.0 accepted"


@dataclass
class Gate:
    """Stops the server at a chosen moment: it sets `reached` and goes on once `opened` is set."""

    reached: threading.Event = field(default_factory=threading.Event)
    opened: threading.Event = field(default_factory=threading.Event)

    def wait_reached(self, timeout: float) -> None:
        """Wait until a session stands here. Raises TimeoutError after `timeout` seconds."""
        if not self.reached.wait(timeout):
            raise TimeoutError(f"no session came to the gate within {timeout} s")

    def open(self) -> None:
        """Let everybody pass, now and later."""
        self.opened.set()


Hook = Gate | Callable[[], object]


@dataclass(frozen=True)
class Behaviour:
    """How the server treats one recipient. Replies are whole SMTP replies, such as `550 5.1.1 no such user`.

    `at_mail` and `drop="mail"` come before any recipient is named: they are looked up by the sender's address.
    """

    at_mail: str | None = None
    at_rcpt: str | None = None
    at_data: str | None = None
    """Reply to the DATA command itself."""
    at_end: str | None = None
    """Reply to the final dot; unless it is 2xx the message is not kept."""
    first: str = "451 4.7.1 greylisted, try again later"
    first_tries: int = 0
    """So many tries of this recipient are answered with `first` at `first_at`, then the rest applies."""
    first_at: Literal["rcpt", "data", "end"] = "rcpt"
    delay: float = 0.0
    """Seconds between the final dot (the message is already on record) and its reply."""
    drop: Literal["mail", "rcpt", "data", "end"] | None = None
    """Cut the connection instead of replying. At `end` the message is kept all the same."""
    before_rcpt: Hook | None = None
    """Passed before RCPT is answered."""
    before_data: Hook | None = None
    """Passed before the DATA command is answered, so before the client may send the message."""
    before_end: Hook | None = None
    """Passed after the final dot, before its reply; the message is already on record."""


@dataclass(frozen=True)
class Received:
    """One message that one recipient received."""

    address: str
    sender: str
    """The envelope's sender (MAIL FROM)."""
    message_id: str
    subject: str
    body: bytes
    """The whole message, headers included, as it came over the wire."""
    received_at: datetime
    """UTC, when the final dot was read."""
    peer: str
    """`host:port` of the sending side: equal for messages of one connection."""


class Recipients:
    """The server, in a thread of its own. All methods may be called from any thread.

    `directory` keeps the mails as `<address>/NNNN.eml` and those already there count as received; None keeps them in
    memory only. `port=0` takes a free port, which `start` after `stop` takes again. With `username` clients must log
    in. `tls` is a server-side context: offered by STARTTLS (`require_starttls` insists on it), or spoken from the
    first byte with `implicit_tls`.
    """

    def __init__(
        self,
        directory: Path | None = None,
        behaviours: Mapping[str, Behaviour] | None = None,
        *,
        port: int = 0,
        username: str | None = None,
        password: str = "",
        tls: ssl.SSLContext | None = None,
        require_starttls: bool = False,
        implicit_tls: bool = False,
    ) -> None:
        self.directory = directory
        self.port = port
        self.username = username
        self.password = password
        self._tls = tls
        self._require_starttls = require_starttls
        self._implicit_tls = implicit_tls
        self._behaviours = {address.lower(): each for address, each in (behaviours or {}).items()}
        self._changed = threading.Condition()
        self._received: list[Received] = [] if directory is None else read_inboxes(directory)
        self._tries: Counter[str] = Counter()
        self._connections = 0
        self._open: set[_Connection] = set()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

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
        listening = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(listener, listening)), name="recipients", daemon=True
        )
        self._thread.start()
        listening.wait()
        return self.port

    def stop(self) -> None:
        """Cut all connections and stop listening. Safe to call twice."""
        if self._thread is None:
            return
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        self._thread = None

    def __enter__(self) -> Recipients:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def behave(self, address: str, behaviour: Behaviour | None) -> None:
        """From now on treat this recipient (or `*`: whoever has no rule of their own) so; None takes the rule back."""
        with self._changed:
            if behaviour is None:
                self._behaviours.pop(address.lower(), None)
            else:
                self._behaviours[address.lower()] = behaviour
            self._tries.pop(address.lower(), None)

    def received(self) -> list[Received]:
        """Everything received so far, oldest first."""
        with self._changed:
            return list(self._received)

    def inbox(self, address: str) -> list[Received]:
        """What one recipient received, oldest first."""
        return [mail for mail in self.received() if mail.address.lower() == address.lower()]

    def duplicates(self) -> list[tuple[str, str, int]]:
        """(address, Message-ID, times) of every message that one recipient received more than once."""
        return duplicates(self.received())

    @property
    def connections(self) -> int:
        """How many connections were ever accepted."""
        return self._connections

    def wait_for(self, predicate: Callable[[list[Received]], bool], timeout: float = 10.0) -> list[Received]:
        """Wait until what was received satisfies the predicate; it is returned. Raises TimeoutError.

        `timeout` is in seconds. From a coroutine, call it in a thread.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: predicate(list(self._received)), timeout):
                subjects = [(mail.address, mail.subject) for mail in self._received]
                raise TimeoutError(f"not within {timeout} s; received: {subjects}")
            return list(self._received)

    async def _serve(self, listener: socket.socket, listening: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stop = asyncio.Event()
        server = await self._loop.create_server(
            lambda: _Connection(self), sock=listener, ssl=self._tls if self._implicit_tls else None
        )
        listening.set()
        await self._stop.wait()
        server.close()
        for connection in list(self._open):
            connection.cut()
        # One turn of the loop lets the cut connections end; asyncio.run cancels what still waits at a gate.
        await asyncio.sleep(0)

    def _behaviour(self, address: str) -> Behaviour:
        with self._changed:
            return self._behaviours.get(address.lower()) or self._behaviours.get("*") or Behaviour()

    def _first(self, address: str, behaviour: Behaviour, phase: str) -> str | None:
        """The temporary reply of the first tries, as long as they last."""
        if not behaviour.first_tries or behaviour.first_at != phase:
            return None
        with self._changed:
            self._tries[address.lower()] += 1
            return behaviour.first if self._tries[address.lower()] <= behaviour.first_tries else None

    def _keep(self, mail: Received) -> None:
        with self._changed:
            if self.directory is not None:
                _store(self.directory, mail)
            self._received.append(mail)
            self._changed.notify_all()


class _Handler:
    """What aiosmtpd asks at each command: the behaviours, applied."""

    def __init__(self, owner: Recipients) -> None:
        self._owner = owner

    async def handle_MAIL(  # noqa: N802 (aiosmtpd names its hooks so)
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        behaviour = self._owner._behaviour(address)
        if behaviour.drop == "mail":
            server.drop()
        if behaviour.at_mail:
            return behaviour.at_mail
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 sender ok"

    async def handle_RCPT(  # noqa: N802
        self, server: _Connection, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        behaviour = self._owner._behaviour(address)
        await _pass(behaviour.before_rcpt)
        if behaviour.drop == "rcpt":
            server.drop()
        reply = self._owner._first(address, behaviour, "rcpt") or behaviour.at_rcpt
        if reply:
            return reply
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 recipient ok"

    async def before_data(self, server: _Connection, envelope: Envelope) -> str | None:
        """The reply that refuses the DATA command, or None to let the message come."""
        address = envelope.rcpt_tos[0]
        behaviour = self._owner._behaviour(address)
        await _pass(behaviour.before_data)
        if behaviour.drop == "data":
            server.drop()
        return self._owner._first(address, behaviour, "data") or behaviour.at_data

    async def handle_DATA(self, server: _Connection, session: Session, envelope: Envelope) -> str:  # noqa: N802
        # Onward sends one message to one recipient; of several the first one's behaviour would count.
        address = envelope.rcpt_tos[0]
        behaviour = self._owner._behaviour(address)
        reply = self._owner._first(address, behaviour, "end") or behaviour.at_end or ACCEPTED
        if reply.startswith("2"):
            assert envelope.original_content is not None
            peer = ":".join(str(part) for part in session.peer[:2]) if session.peer else ""
            for recipient in envelope.rcpt_tos:
                self._owner._keep(
                    _received(recipient, envelope.mail_from or "", envelope.original_content, datetime.now(UTC), peer)
                )
        await _pass(behaviour.before_end)
        await asyncio.sleep(behaviour.delay)
        if behaviour.drop == "end":
            server.drop()
        return reply


class _Connection(SMTP):
    """One SMTP session."""

    def __init__(self, owner: Recipients) -> None:
        starttls = owner._tls is not None and not owner._implicit_tls
        self._owner = owner
        self._handler = _Handler(owner)
        super().__init__(
            self._handler,
            hostname="localhost",
            ident="recipients",
            enable_SMTPUTF8=True,
            tls_context=owner._tls if starttls else None,
            require_starttls=owner._require_starttls,
            auth_require_tls=starttls,
            authenticator=self._log_in,
            # Without this, every connection shows AUTH, also where no login is asked for.
            auth_exclude_mechanism=() if owner.username is not None else ("LOGIN", "PLAIN"),
            loop=asyncio.get_running_loop(),
        )
        # Set here because the constructor warns, for each connection, of a login without TLS; here that is wanted.
        self._auth_required = owner.username is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if self not in self._owner._open:  # STARTTLS comes here a second time
            self._owner._open.add(self)
            self._owner._connections += 1
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._owner._open.discard(self)
        super().connection_lost(error)

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        if self.envelope is not None and self.envelope.rcpt_tos and not arg:
            refusal = await self._handler.before_data(self, self.envelope)
            if refusal:
                self.envelope = Envelope()
                await self.push(refusal)
                return
        await super().smtp_DATA(arg)

    def cut(self) -> None:
        """Cut the connection without a word."""
        if isinstance(self.transport, asyncio.WriteTransport):
            self.transport.abort()

    def drop(self) -> NoReturn:
        """Cut the connection and end the session, as aiosmtpd ends it when the peer is gone."""
        self.cut()
        raise asyncio.CancelledError

    def _log_in(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, auth_data: object
    ) -> AuthResult:
        asked = (self._owner.username or "").encode(), self._owner.password.encode()
        given = (auth_data.login, auth_data.password) if isinstance(auth_data, LoginPassword) else None
        return AuthResult(success=given == asked, handled=False)


async def _pass(hook: Hook | None) -> None:
    if isinstance(hook, Gate):
        hook.reached.set()
        while not hook.opened.is_set():  # noqa: ASYNC110 (another thread sets it; a waiting session can still be cut)
            await asyncio.sleep(0.01)
    elif hook is not None:
        await asyncio.to_thread(hook)


def _received(address: str, sender: str, body: bytes, received_at: datetime, peer: str) -> Received:
    message = message_from_bytes(body, policy=policy.default)
    return Received(
        address=address,
        sender=sender,
        message_id=str(message.get("Message-ID", "")).strip(),
        subject=str(message.get("Subject", "")),
        body=body,
        received_at=received_at,
        peer=peer,
    )


def duplicates(mails: Iterable[Received]) -> list[tuple[str, str, int]]:
    """(address, Message-ID, times) of every message that one recipient received more than once."""
    counts = Counter((mail.address.lower(), mail.message_id) for mail in mails)
    return [(address, message_id, times) for (address, message_id), times in counts.items() if times > 1]


def inbox_directory(directory: Path, address: str) -> Path:
    """Where the mails of one recipient lie."""
    name = quote(address.lower(), safe="@+=").replace("..", "%2E.")
    if len(name) > 200:  # file systems allow 255 bytes
        name = f"{name[:150]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
    return directory / name


def _store(directory: Path, mail: Received) -> None:
    """Write one mail; it appears under its name complete or not at all."""
    inbox = inbox_directory(directory, mail.address)
    inbox.mkdir(parents=True, exist_ok=True)
    number = 1 + max((int(path.stem) for path in inbox.glob("*.eml")), default=0)
    head = (
        f"X-Received-From: {mail.peer}\r\nX-Received-At: {mail.received_at.isoformat()}\r\n"
        f"Return-Path: <{mail.sender}>\r\nDelivered-To: {mail.address}\r\n"
    )
    fresh = inbox / f"{number:04}.new"
    fresh.write_bytes(head.encode(errors="surrogateescape") + mail.body)
    fresh.rename(inbox / f"{number:04}.eml")


def read_inboxes(directory: Path) -> list[Received]:
    """Everything received into that directory so far, oldest first, also while a server is writing there."""
    mails = []
    for path in directory.glob("*/*.eml"):
        *head, body = path.read_bytes().split(b"\r\n", 4)
        peer, at, sender, address = (line.decode(errors="surrogateescape").partition(": ")[2] for line in head)
        mails.append(_received(address, sender[1:-1], body, datetime.fromisoformat(at), peer))
    return sorted(mails, key=lambda mail: mail.received_at)


def self_signed_context(directory: Path) -> tuple[ssl.SSLContext, Path]:
    """A server-side TLS context for `localhost` and 127.0.0.1, and its certificate for clients to trust.

    Made by the `openssl` program, valid for two days. Raises EmbeddedError `openssl_missing`.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        raise EmbeddedError("openssl_missing", "The program openssl was not found.", "Install openssl.")
    key, certificate = directory / "key.pem", directory / "certificate.pem"
    request = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run(  # noqa: S603 (a program on the PATH with our own arguments)
        [openssl, *request, *names, "-keyout", key, "-out", certificate], check=True, capture_output=True
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    return context, certificate


@dataclass(frozen=True)
class RecipientsProcess:
    """The server in a process of its own, which outlives nobody: it is guarded like the other servers."""

    server: Server
    directory: Path
    port: int

    def received(self) -> list[Received]:
        """Everything received so far, oldest first."""
        return read_inboxes(self.directory)

    def stop(self) -> None:
        """Stop it. Safe to call twice."""
        self.server.stop()

    def __enter__(self) -> RecipientsProcess:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def spawn(directory: Path, behaviours: Mapping[str, Behaviour] | None = None, *, port: int = 0) -> RecipientsProcess:
    """Start the server in a process of its own. Behaviours with hooks cannot go there (TypeError).

    Raises EmbeddedError `server_ended`, for example if the port is taken.
    """
    directory.mkdir(parents=True, exist_ok=True)
    script = directory / "behaviours.json"
    script.write_text(json.dumps({address: asdict(each) for address, each in (behaviours or {}).items()}))
    words: list[str | Path] = [
        "--directory",
        directory.absolute(),
        "--port",
        str(port),
        "--behaviours",
        script.absolute(),
    ]
    server = Server(
        "the recipients' SMTP server",
        [sys.executable, "-m", "embedded.recipients", *words],
        log=directory / "recipients.log",
        cwd=Path(__file__).absolute().parent.parent,
    )
    wait_until_ready(server, lambda _patience: '"port"' in server.log_tail(), seconds=30)
    return RecipientsProcess(server, directory, json.loads(server.log_tail().splitlines()[-1])["port"])


def main() -> int:
    """The process of its own."""
    parser = argparse.ArgumentParser(prog="python -m embedded.recipients", description="Play the recipients of email.")
    parser.add_argument("--directory", type=Path, required=True, help="where the inboxes lie")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--behaviours", type=Path, help="JSON: address or * to the fields of Behaviour")
    given = parser.parse_args()
    try:
        script: dict[str, dict[str, Any]] = json.loads(given.behaviours.read_text()) if given.behaviours else {}
        behaviours = {address: Behaviour(**fields) for address, fields in script.items()}
    except (OSError, ValueError, TypeError, AttributeError) as error:
        parser.error(f"{given.behaviours}: {error}")
    # Blocked before the server's thread starts, so that only sigwait below takes them.
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)
    try:
        with Recipients(given.directory, behaviours, port=given.port) as recipients:
            print(json.dumps({"port": recipients.port, "pid": os.getpid()}), flush=True)
            signal.sigwait(ends)
    except EmbeddedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
