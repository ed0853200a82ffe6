"""SMTP servers for the tests of `mail.smtp`: aiosmtpd for the regular ones, a script for those that misbehave."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


@dataclass
class Inbox:
    """An aiosmtpd handler that keeps what it accepts. `replies` overrides the answer to a command."""

    replies: dict[str, str] = field(default_factory=dict)
    received: list[Envelope] = field(default_factory=list)
    connections: int = 0
    logins: list[tuple[str, str]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # fmt: skip
        self.commands.append(" ".join(["MAIL", *options]))
        if "MAIL" in self.replies:
            return self.replies["MAIL"]
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 OK"

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]) -> str:  # fmt: skip
        self.commands.append("RCPT")
        if "RCPT" in self.replies:
            return self.replies["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.commands.append("RSET")
        return self.replies.get("RSET", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if "final" in self.replies:
            return self.replies["final"]
        self.received.append(envelope)
        return "250 2.0.0 kept"

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((mechanism, data.login.decode()))
        return AuthResult(success=data.password == b"right", handled=False)


@asynccontextmanager
async def serving(inbox: Inbox, *, tls: ssl.SSLContext | None = None, **options: Any) -> AsyncIterator[int]:
    """The port of an aiosmtpd server on this loop; `tls` makes it implicit TLS."""
    loop = asyncio.get_running_loop()
    servers: list[SMTP] = []

    def factory() -> SMTP:
        inbox.connections += 1
        servers.append(SMTP(inbox, loop=loop, **{"enable_SMTPUTF8": True, "data_size_limit": 0, **options}))
        return servers[-1]

    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=tls)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for one in servers:
            if one.transport is not None:
                one.transport.close()


@dataclass
class Scripted:
    """A server that answers each command by its first word; None drops the connection, a callable is awaited."""

    greeting: Any = "220 ready"
    answers: dict[str, Any] = field(default_factory=dict)
    final: Any = "250 kept"
    bodies: list[bytes] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    sessions: int = 0
    closed: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.sessions += 1
        try:
            if await self._answer(writer, self.greeting):
                while line := await reader.readline():
                    word = line.decode().split()[0].upper()
                    self.commands.append(word)
                    answer = self.answers.get(word, "354 go" if word == "DATA" else "250 ok")
                    if not await self._answer(writer, answer):
                        break
                    if answer == "354 go":
                        self.bodies.append(await reader.readuntil(b"\r\n.\r\n"))
                        if not await self._answer(writer, self.final):
                            break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed += 1
            writer.transport.abort()

    @staticmethod
    async def _answer(writer: asyncio.StreamWriter, answer: Any) -> bool:
        if callable(answer):
            answer = await answer()
        if answer is None:
            return False
        writer.write(answer.encode("utf-8", "surrogateescape") + b"\r\n")
        await writer.drain()
        return True


@asynccontextmanager
async def scripted(script: Scripted) -> AsyncIterator[int]:
    """The port of a scripted server."""
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, limit=2**24)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """A self-signed certificate for localhost, and a server context that shows it."""
    cert, key = folder / "cert.pem", folder / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return cert, context
