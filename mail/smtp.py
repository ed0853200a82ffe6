"""Sending by SMTP, phase by phase, so that every failure says whether an email may have left.

aiosmtplib does connecting, TLS, login and reply parsing. Its `data()` writes the command and the body in one call
with one time-out, which hides the one moment that matters; here the command and the body are two steps on its
protocol object. Until the body's first byte is written nothing can have been accepted (SmtpUnavailable); from then
until the final reply is read nothing is known (SmtpLost, RFC 1047).
"""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

from mail.addresses import is_safe
from mail.errors import SmtpLost, SmtpMisconfigured, SmtpRefused, SmtpUnavailable, SmtpUnsupported

_T = TypeVar("_T")

_LINE_ENDS = re.compile(rb"\r\n|\r|\n")
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)
_HOST_NAME = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")
_QUIT_SECONDS = 5.0
_MAX_REPLY = 4_000


@dataclass(frozen=True)
class Server:
    """One mailbox's way to its SMTP server. Times are seconds; the secret is never shown by repr.

    `security`: implicit TLS (`tls`, port 465), `starttls` (refused if the server does not offer it) or `none`.
    `command_seconds` counts for each command; `final_seconds` for body and final reply together, 600 by RFC 5321
    4.5.3.2.6. `local_hostname` is what EHLO says, by default this host's name if it is a full one.
    """

    host: str
    port: int
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    connect_seconds: float = 60.0
    command_seconds: float = 60.0
    final_seconds: float = 600.0
    local_hostname: str | None = None
    tls_verify: bool = True
    ca_file: str | None = None


async def check(server: Server) -> None:
    """Connects, logs in and takes leave. Raises SmtpRefused, SmtpUnavailable or SmtpMisconfigured."""
    connection = await Connection.open(server)
    await connection.quit()


class Connection:
    """One SMTP session, for one email after another. Whatever leaves it in doubt closes it (`usable` is False)."""

    def __init__(self, server: Server, client: aiosmtplib.SMTP) -> None:
        self._server = server
        self._client = client
        self._in_transaction = False
        self.opened_at = self.used_at = time.monotonic()
        self.messages = 0

    @classmethod
    async def open(cls, server: Server) -> Connection:
        """A connection that is greeted, secured and logged in. Raises SmtpRefused, SmtpUnavailable, SmtpMisconfigured."""
        client = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.security == "tls",
            start_tls=False,
            timeout=server.command_seconds,
            local_hostname=server.local_hostname or _own_name(),
            validate_certs=server.tls_verify,
            cert_bundle=server.ca_file,
        )
        connection = cls(server, client)
        await connection._greet()
        if server.security == "starttls":
            await connection._secure()
        if server.username is not None:
            await connection._login(server.username, server.password or "")
        return connection

    @property
    def usable(self) -> bool:
        """Whether another command can be sent."""
        return self._client.is_connected

    async def envelope(self, sender: str, recipient: str, *, size: int | None = None) -> None:
        """MAIL FROM and RCPT TO; `size` is the message's length in bytes, checked where the server states a limit.

        Raises SmtpRefused (the connection stays usable unless it was 421), SmtpUnavailable or SmtpUnsupported.
        """
        for phase, address in (("mail", sender), ("rcpt", recipient)):
            # aiosmtplib would parse and rewrite: of `bob@x.com\r\nDATA` it makes another recipient.
            if not is_safe(address):
                raise SmtpUnsupported("email_invalid", phase, "not an address that can stand in a command")
        if self._in_transaction:
            await self.reset()
        wide = not (sender.isascii() and recipient.isascii())
        options = self._mail_options(wide, size)
        encoding = "utf-8" if wide else "ascii"
        self._in_transaction = True
        await self._step("mail", self._client.mail(sender, options=options, encoding=encoding))
        await self._step("rcpt", self._client.rcpt(recipient, encoding=encoding))

    async def data(self, message: bytes) -> str:
        """The email itself; returns the text of the final 2xx reply. Needs an accepted envelope.

        Raises, with the phase that counts: SmtpRefused or SmtpUnavailable at `data` (the command: no body has left),
        SmtpRefused at `final` (not accepted), SmtpLost (nobody knows). A cancellation closes the connection at once.
        """
        body = transparent(message)
        protocol = self._client.protocol
        if protocol is None:
            raise SmtpUnavailable("data", "the connection is closed")
        await self._step("data", self._command_data(protocol))
        self._in_transaction = False
        # Refuses to write on a transport that is closing, so an error here still means: no byte of the body left.
        with self._failing_as("data"):
            protocol.write(body)
        # From here on the answer is unknown until it has been read.
        try:
            # The body lies in the transport's buffer, which is as large as the message. Reading starts before anything
            # else can run: a server that refuses before the final dot is heard.
            reply = await protocol.read_response(timeout=self._server.final_seconds)
        except Exception as error:
            self.abort()
            raise SmtpLost(_detail(error)) from error
        except BaseException:
            self.abort()
            raise
        if reply.code >= 400:
            # Some servers refuse in the middle of the body and would take its rest for commands.
            self.abort()
            raise SmtpRefused("final", reply.code, _clean(reply.message))
        if not 200 <= reply.code < 300:
            self.abort()
            raise SmtpLost(f"unexpected reply {reply.code} {_clean(reply.message)}")
        self.messages += 1
        return _clean(reply.message)

    async def reset(self) -> None:
        """RSET: forgets the envelope. Raises SmtpRefused or SmtpUnavailable at `reset`."""
        await self._step("reset", self._client.rset())
        self._in_transaction = False

    async def quit(self) -> None:
        """Takes leave if the connection still lives, and closes it. Never raises for what the server does."""
        if not self.usable:
            return
        try:
            await self._client.quit(timeout=min(_QUIT_SECONDS, self._server.command_seconds))
        except (aiosmtplib.SMTPException, OSError):
            pass  # The email before it has its 250 (RFC 5321 4.1.1.5).
        finally:
            self.abort()

    def abort(self) -> None:
        """Closes at once; what lies in the send buffer is dropped."""
        transport = self._client.transport
        if isinstance(transport, asyncio.WriteTransport):
            transport.abort()
        self._client.close()

    async def _greet(self) -> None:
        try:
            await self._client.connect(timeout=self._server.connect_seconds)
        except aiosmtplib.SMTPResponseException as error:
            raise _refusal("greeting", error) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            _raise_if_untrusted("connect", error)
            raise SmtpUnavailable("connect", _detail(error)) from error
        except ValueError as error:  # a host name that cannot be looked up, such as one with a label over 63 bytes
            raise SmtpMisconfigured("smtp_host_invalid", "connect", str(error)) from error
        except BaseException:
            self.abort()
            raise
        await self._hello()

    async def _hello(self) -> None:
        try:
            await self._step("ehlo", self._client.ehlo())
        except SmtpRefused as refused:
            if not (500 <= refused.reply_code < 505 and self.usable):
                self.abort()
                raise
            await self._step("ehlo", self._client.helo())  # a server from before RFC 1869

    async def _secure(self) -> None:
        if not self._client.supports_extension("starttls"):
            self.abort()
            # Going on in clear text would hand the password to whoever removed the offer.
            raise SmtpMisconfigured("smtp_starttls_missing", "starttls", "the server does not offer STARTTLS")
        try:
            await self._step("starttls", self._client.starttls())
        except SmtpUnavailable as error:
            _raise_if_untrusted("starttls", error.__cause__)
            raise
        except SmtpRefused:
            self.abort()
            raise
        await self._hello()

    async def _login(self, username: str, password: str) -> None:
        """One method, the next only if the server does not know it: each wrong password counts towards a lock-out."""
        client = self._client
        clear = client.get_transport_info("sslcontext") is None
        methods = ("cram-md5", "plain", "login") if clear else ("plain", "login", "cram-md5")
        login = {"cram-md5": client.auth_crammd5, "plain": client.auth_plain, "login": client.auth_login}
        refused: SmtpRefused | None = None
        for method in methods:
            if method not in client.server_auth_methods:
                continue
            try:
                await self._step("auth", login[method](username, password))
            except SmtpRefused as error:
                refused = error
                if not (500 <= error.reply_code <= 504 and self.usable):
                    break
            else:
                return
        self.abort()
        if refused is not None:
            raise refused
        offered = ", ".join(client.server_auth_methods) or "none"
        raise SmtpMisconfigured("smtp_auth_missing", "auth", f"no login method in common; the server offers: {offered}")

    def _mail_options(self, wide: bool, size: int | None) -> list[str]:
        options = []
        if size is not None and self._client.supports_extension("size"):
            limit = self._client.esmtp_extensions["size"].strip()
            if limit.isdecimal() and 0 < int(limit) < size:
                raise SmtpUnsupported("smtp_message_too_large", "mail", f"{size} bytes, the server takes {limit}")
            options.append(f"SIZE={size}")
        if wide:
            if not self._client.supports_extension("smtputf8"):
                raise SmtpUnsupported("smtp_utf8_missing", "mail", "the address needs SMTPUTF8, which is not offered")
            options.append("SMTPUTF8")
            if self._client.supports_extension("8bitmime"):
                options.append("BODY=8BITMIME")
        return options

    async def _command_data(self, protocol: SMTPProtocol) -> None:
        reply = await protocol.execute_command(b"DATA", timeout=self._server.command_seconds)
        if reply.code != 354:
            raise aiosmtplib.SMTPDataError(reply.code, reply.message)

    async def _step(self, phase: str, command: Awaitable[_T]) -> _T:
        with self._failing_as(phase):
            result = await command
        self.used_at = time.monotonic()
        return result

    @contextmanager
    def _failing_as(self, phase: str) -> Iterator[None]:
        """Turns what aiosmtplib raises into this room's errors, and closes the connection unless it is in step."""
        try:
            yield
        except aiosmtplib.SMTPResponseException as error:
            refusal = _refusal(phase, error)
            if isinstance(refusal, SmtpUnavailable) or refusal.reply_code == 421:
                self.abort()
            raise refusal from error
        except (aiosmtplib.SMTPException, OSError) as error:
            self.abort()
            raise SmtpUnavailable(phase, _detail(error)) from error
        except BaseException:
            self.abort()  # cancelled between command and reply: the next reply would be taken for another command's
            raise


class Pool:
    """Idle connections, kept per key (the mailbox) and settings, so that a burst logs in once.

    Unlimited in use at once: limits are the scheduler's business. Times in seconds. One pool belongs to one event
    loop.
    """

    def __init__(
        self,
        *,
        max_idle_per_key: int = 16,
        idle_seconds: float = 30.0,
        check_after_seconds: float = 3.0,
        max_age_seconds: float = 600.0,
        max_messages: int = 100,
    ) -> None:
        self._max_idle = max_idle_per_key
        self._idle_seconds = idle_seconds
        self._check_after = check_after_seconds
        self._max_age = max_age_seconds
        self._max_messages = max_messages
        self._idle: dict[tuple[str, Server], list[Connection]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    @asynccontextmanager
    async def connection(self, key: str, server: Server) -> AsyncIterator[Connection]:
        """A ready connection, idle or new. It goes back afterwards if its last command got a clean answer.

        Raises what `Connection.open` raises.
        """
        connection = await self._take(key, server)
        try:
            yield connection
        finally:
            self._give_back((key, server), connection)

    async def close(self) -> None:
        """Takes leave on every idle connection; those in use close when they come back."""
        self._closed = True
        idle, self._idle = self._idle, {}
        for connection in (one for many in idle.values() for one in many):
            self._leave(connection)
        await asyncio.gather(*self._leaving, return_exceptions=True)

    async def _take(self, key: str, server: Server) -> Connection:
        idle = self._idle.get((key, server), [])
        while idle:
            connection = idle.pop()
            now = time.monotonic()
            if self._worn(connection, now):
                self._leave(connection)
                continue
            if connection._in_transaction or now - connection.used_at > self._check_after:
                try:
                    await connection.reset()
                except (SmtpRefused, SmtpUnavailable):
                    connection.abort()
                    continue
            return connection
        return await Connection.open(server)

    def _worn(self, connection: Connection, now: float) -> bool:
        return (
            not connection.usable
            or now - connection.opened_at > self._max_age
            or now - connection.used_at > self._idle_seconds
            or connection.messages >= self._max_messages
        )

    def _give_back(self, slot: tuple[str, Server], connection: Connection) -> None:
        idle = self._idle.setdefault(slot, [])
        connection.used_at = time.monotonic()
        if self._closed or len(idle) >= self._max_idle or self._worn(connection, connection.used_at):
            self._leave(connection)
            return
        idle.append(connection)
        asyncio.get_running_loop().call_later(self._idle_seconds + 0.1, self._sweep, slot)

    def _sweep(self, slot: tuple[str, Server]) -> None:
        now = time.monotonic()
        idle = self._idle.get(slot, [])
        for connection in [one for one in idle if self._worn(one, now)]:
            idle.remove(connection)
            self._leave(connection)
        if not idle:
            self._idle.pop(slot, None)

    def _leave(self, connection: Connection) -> None:
        """QUIT beside the caller: nobody waits for a farewell."""
        if connection.usable:
            task = asyncio.get_running_loop().create_task(connection.quit())
            self._leaving.add(task)
            task.add_done_callback(self._leaving.discard)


def transparent(message: bytes) -> bytes:
    """What goes over the wire after 354: CRLF line ends, leading dots doubled (RFC 5321 4.5.2), the final dot."""
    body = _LINE_ENDS.sub(b"\r\n", message)
    if not body.endswith(b"\r\n"):
        body += b"\r\n"
    return _LEADING_DOT.sub(b"..", body) + b".\r\n"


def _own_name() -> str:
    """For EHLO. No reverse look-up, which can hang for seconds; an address literal is what RFC 5321 4.1.4 allows."""
    name = socket.gethostname()
    return name if _HOST_NAME.fullmatch(name) else "[127.0.0.1]"


def _refusal(phase: str, error: aiosmtplib.SMTPResponseException) -> SmtpRefused | SmtpUnavailable:
    if 400 <= error.code < 600:
        return SmtpRefused(phase, error.code, _clean(error.message))
    return SmtpUnavailable(phase, f"unexpected reply {error.code} {_clean(error.message)}")


def _raise_if_untrusted(phase: str, error: BaseException | None) -> None:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            raise SmtpMisconfigured("smtp_tls_untrusted", phase, error.verify_message) from error
        error = error.__cause__ or error.__context__


def _detail(error: BaseException) -> str:
    return _clean(str(error)) or type(error).__name__


def _clean(text: str) -> str:
    """A server's text as it can be stored anywhere: aiosmtplib leaves lone surrogates for bytes that are not UTF-8."""
    readable = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return "".join(c for c in readable if c == "\n" or c.isprintable())[:_MAX_REPLY]
