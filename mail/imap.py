"""Reading a mailbox by IMAP, and never changing it: folders are opened by EXAMINE, messages are fetched by BODY.PEEK.

IMAPClient does connecting, TLS, login and parsing. It blocks, so everything here but `Session.abort` belongs into a thread,
one at a time; the waiting between (IDLE) needs none: whoever holds the session waits for `Session.fileno` to be readable.
"""

from __future__ import annotations

import asyncio
import contextlib
import imaplib
import logging
import re
import socket
import ssl
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any, Literal

from imapclient import IMAPClient, SocketTimeout
from imapclient.exceptions import CapabilityError, LoginError

from domain.sequences import Imap
from mail import credentials
from mail.errors import (
    CredentialInvalid,
    CredentialMissing,
    ImapError,
    ImapMisconfigured,
    ImapRefused,
    ImapUnavailable,
)

MAX_BYTES = 25 * 1024 * 1024
"""A larger message is read in part: its header and the first CUT_BYTES after it."""
CUT_BYTES = 1024 * 1024
CHUNK_MESSAGES = 20
CHUNK_BYTES = 4 * 1024 * 1024
"""Messages fetched at once: so many, or so many bytes, or one larger one; this bounds the memory of a watcher."""
_LOGOUT_SECONDS = 5.0

# What the server refuses for now only: response codes of RFC 5530, and what large providers say instead of them.
_FOR_NOW = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG)\b|too many|temporar|try again|not connected|timed? ?out|\brate\b", re.I
)
_FOLDERS_OF_SPAM = frozenset(
    name.casefold()
    for name in (
        *("Spam", "Junk", "Junk E-mail", "Junk Email", "Junk Mail", "Bulk Mail", "Bulk", "Spamverdacht"),
        *("Junk-E-Mail", "Courrier indésirable", "Pourriel", "Indésirables", "Correo no deseado", "No deseado"),
        *(
            "Posta indesiderata",
            "Lixo Eletrônico",
            "Lixo eletrónico",
            "Ongewenste e-mail",
            "Skräppost",
            "Uønsket e-post",
        ),
        *("Søppelpost", "Uønsket mail", "Roskaposti", "Wiadomości-śmieci", "Nevyžádaná pošta", "Levélszemét"),
        *("Gereksiz", "Önemsiz E-posta", "Нежелательная почта", "Спам", "迷惑メール", "スパム", "垃圾邮件", "垃圾郵件"),
        *("정크 메일", "스팸함"),
    )
)
"""The spam folder where the server does not say which it is (RFC 6154), by the names of providers and mail programs."""
_PARENTS = frozenset({"", "inbox", "[gmail]", "[google mail]"})

# At level DEBUG the libraries log every line, and with them addresses and subjects.
logging.getLogger("imapclient").setLevel(logging.WARNING)


@dataclass(frozen=True)
class Server:
    """One mailbox's way to its IMAP server. `seconds`: to connect, and for each answer. The secret is never shown by repr.

    `security`: implicit TLS (`tls`, port 993), `starttls` (refused if the server does not offer it) or `none`.
    """

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    security: Literal["none", "starttls", "tls"] = "tls"
    seconds: float = 60.0
    ca_file: str | None = None


@dataclass(frozen=True)
class Folder:
    """A folder to read. `required`: a person named it, so that its absence is a fault."""

    name: str
    required: bool


@dataclass(frozen=True)
class Examined:
    """A folder as it was opened: the validity of its UIDs, how many messages it has, and the UID that the server gives to the
    next one (0 where it does not say; some servers get it wrong)."""

    uid_validity: int
    exists: int
    uid_next: int = 0


@dataclass(frozen=True)
class Fetched:
    """One message. `raw` is None where the server cannot give it out. `received_at`: INTERNALDATE, UTC, or now without one."""

    uid: int
    raw: bytes | None
    received_at: datetime
    truncated: bool = False


def imap_server(imap: Imap, *, seconds: float) -> Server:
    """How to reach a mailbox's IMAP server, its secret read now. Raises ImapRefused `imap_credentials`."""
    try:
        password = credentials.resolve(imap.password)
    except (CredentialMissing, CredentialInvalid) as error:
        raise ImapRefused("imap_credentials", error.detail) from error
    return Server(imap.host, imap.port, imap.username, password, imap.security, seconds)


class Session:
    """A logged-in connection. After any error but `imap_folder_missing` it is of no use."""

    def __init__(self, client: Any, server: Server) -> None:
        self._client = client
        self._server = server

    @classmethod
    def open(cls, server: Server) -> Session:
        """Connect, secure and log in. Raises ImapRefused, ImapMisconfigured, ImapUnavailable."""
        context = None if server.security == "none" else ssl.create_default_context(cafile=server.ca_file)
        with _failing():
            client = IMAPClient(
                server.host,
                server.port,
                ssl=server.security == "tls",
                ssl_context=context,
                timeout=SocketTimeout(server.seconds, server.seconds),
            )
        # Dates with their zones: the local zone of this machine means nothing.
        client.normalise_times = False
        session = cls(client, server)
        try:
            session._log_in(context)
        except BaseException:
            session.discard()
            raise
        return session

    def _log_in(self, context: ssl.SSLContext | None) -> None:
        client, server = self._client, self._server
        try:
            with _failing():
                if server.security == "starttls":
                    client.starttls(context)
                # LOGIN takes ASCII only (RFC 9051 6.2.3).
                plain = client.has_capability("LOGINDISABLED") or not (server.username + server.password).isascii()
                if plain and client.has_capability("AUTH=PLAIN"):
                    client.plain_login(server.username, server.password)
                else:
                    client.login(server.username, server.password)
        except _LoginFailed as error:
            if "[AUTHENTICATIONFAILED]" not in error.detail and _FOR_NOW.search(error.detail):
                raise ImapUnavailable(f"login: {error.detail}") from error
            raise ImapRefused("imap_login", error.detail) from error

    @property
    def can_idle(self) -> bool:
        """Whether the server tells of new mail by itself (RFC 2177)."""
        with _failing():
            return bool(self._client.has_capability("IDLE"))

    def folders(self, wanted: Sequence[str] | None) -> list[Folder]:
        """The folders to read, in their order: those `wanted`, or the spam folder and INBOX. The last one is the one to idle
        on. Raises ImapUnavailable."""
        if wanted is not None:
            return [Folder(name, required=True) for name in reversed(wanted)]
        with _failing():
            listing = self._client.list_folders()
        return [*(Folder(name, required=False) for name in spam_folders(listing)), Folder("INBOX", required=True)]

    def examine(self, folder: str) -> Examined:
        """Open a folder for reading only. Raises ImapMisconfigured `imap_folder_missing`, ImapUnavailable."""
        try:
            with _failing():
                found = self._client.select_folder(folder, readonly=True)
        except _CommandFailed as error:
            if _FOR_NOW.search(error.detail):
                raise
            raise ImapMisconfigured("imap_folder_missing", f"{folder}: {error.detail}") from error
        return Examined(*(int(found.get(name, 0)) for name in (b"UIDVALIDITY", b"EXISTS", b"UIDNEXT")))

    def highest(self) -> int:
        """The UID of the folder's last message; 0 in an empty one."""
        with _failing():
            return max(self._client.search(["UID", "*"]), default=0)

    def uids(self, after: int, since: date) -> list[int]:
        """UIDs above `after` of messages received on the day `since` or later (the server's days), ascending."""
        with _failing():
            found = self._client.search(["UID", f"{after + 1}:*", "SINCE", since])
        # `n:*` always holds the last message, even where its UID is below n (RFC 9051 6.4.9).
        return sorted(uid for uid in found if uid > after)

    def sizes(self, uids: Sequence[int]) -> dict[int, int]:
        """UID -> size in bytes, of those that are still there, in ascending order."""
        with _failing():
            found = self._client.fetch(uids, ["RFC822.SIZE"])
        return {uid: int(found[uid].get(b"RFC822.SIZE", 0)) for uid in sorted(found)}

    def fetch(self, sizes: Mapping[int, int], *, max_bytes: int = MAX_BYTES, cut: int = CUT_BYTES) -> list[Fetched]:
        """The messages, ascending by UID; one deleted meanwhile is left out, one that the server cannot give has no `raw`.

        Raises ImapUnavailable.
        """
        small = [uid for uid, size in sizes.items() if size <= max_bytes]
        found = [self._cut(uid, cut) for uid in sizes if uid not in small]
        try:
            found += self._whole(small)
        except _CommandFailed:
            # One of them is at fault; the others must not wait for it.
            found += [one for uid in small for one in self._alone(uid, cut)]
        return sorted((one for one in found if one is not None), key=lambda one: one.uid)

    def _whole(self, uids: Collection[int]) -> list[Fetched]:
        if not uids:
            return []
        with _failing():
            found = self._client.fetch(uids, ["INTERNALDATE", "BODY.PEEK[]"])
        return [Fetched(uid, data.get(b"BODY[]"), _received(data)) for uid, data in found.items()]

    def _alone(self, uid: int, cut: int) -> list[Fetched | None]:
        try:
            return [*self._whole([uid])]
        except _CommandFailed:
            return [self._cut(uid, cut)]

    def _cut(self, uid: int, cut: int) -> Fetched | None:
        try:
            with _failing():
                found = self._client.fetch([uid], ["INTERNALDATE", "BODY.PEEK[HEADER]", f"BODY.PEEK[TEXT]<0.{cut}>"])
        except _CommandFailed:
            return Fetched(uid, None, datetime.now(UTC), truncated=True)
        data = found.get(uid)
        if data is None:
            return None
        raw = (data.get(b"BODY[HEADER]") or b"") + (data.get(b"BODY[TEXT]<0>") or b"")
        return Fetched(uid, raw, _received(data), truncated=True)

    def fileno(self) -> int:
        """The socket, to wait for what the server says while idle."""
        return int(self._client.socket().fileno())

    def idle(self) -> bool:
        """Let the server tell of new mail; no other call but `idle_done` may follow. False where it will not."""
        try:
            with _failing():
                self._client.idle()
        except _CommandFailed as error:
            if "b'* " in error.detail:
                # Something else came before the server's go-ahead, which is still to come: out of step.
                raise ImapUnavailable(error.detail) from error
            return False
        return True

    def said(self) -> bool:
        """Whether the server's first words in the idling came with its go-ahead: they are read then, and the socket will not
        become readable for them."""
        connection = self._client.socket()
        waits = connection.gettimeout()
        connection.settimeout(0)
        try:
            return bool(self._client._imap.file.peek(1))
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            raise ImapUnavailable(_clean(error)) from error
        finally:
            connection.settimeout(waits)

    def idle_done(self) -> bool:
        """End the idling; answers whether mail came meanwhile."""
        with _failing():
            _, said = self._client.idle_done()
        return any(isinstance(line, tuple) and b"EXISTS" in line for line in said)

    def close(self) -> None:
        """Take leave and close. Never raises."""
        with contextlib.suppress(Exception):
            self._client.socket().settimeout(_LOGOUT_SECONDS)
            self._client.logout()
        self.discard()

    def discard(self) -> None:
        """Close without a word. Never raises."""
        with contextlib.suppress(Exception):
            self._client.shutdown()

    def abort(self) -> None:
        """From any thread: let the call that is under way fail at once. `discard` closes what is left."""
        with contextlib.suppress(Exception):
            # Past the TLS layer, which the other thread may be in the middle of.
            socket.socket.shutdown(self._client.socket(), socket.SHUT_RDWR)


async def check(imap: Imap, *, seconds: float) -> None:
    """Connect, log in and open the folders that would be read. Changes nothing. Raises ImapError."""

    def look() -> None:
        session = Session.open(imap_server(imap, seconds=seconds))
        try:
            for folder in session.folders(imap.folders):
                if folder.required:
                    session.examine(folder.name)
        finally:
            session.close()

    await asyncio.to_thread(look)


def spam_folders(listing: Iterable[tuple[Sequence[bytes], bytes | None, str]]) -> list[str]:
    """Which of the listed folders (flags, delimiter, name) hold spam: by their flag \\Junk (RFC 6154), else by their names."""
    by_flag, by_name = [], []
    for flags, delimiter, name in listing:
        kinds = {bytes(flag).lower() for flag in flags}
        if b"\\noselect" in kinds or b"\\nonexistent" in kinds:
            continue
        separator = delimiter.decode("ascii", "replace") if delimiter else "/"
        parent, _, own = name.rpartition(separator)
        if b"\\junk" in kinds or b"\\spam" in kinds:
            by_flag.append(name)
        elif own.casefold() in _FOLDERS_OF_SPAM and parent.casefold() in _PARENTS:
            by_name.append(name)
    return by_flag or by_name[:3]


def chunks(
    sizes: Mapping[int, int], *, messages: int = CHUNK_MESSAGES, size: int = CHUNK_BYTES
) -> Iterator[dict[int, int]]:
    """What is fetched at once, in the order given: several small messages, or a single larger one."""
    chunk: dict[int, int] = {}
    for uid, each in sizes.items():
        if chunk and (len(chunk) >= messages or sum(chunk.values()) + each > size):
            yield chunk
            chunk = {}
        chunk[uid] = each
    if chunk:
        yield chunk


class _CommandFailed(ImapUnavailable):
    """The server answered NO or BAD; the connection is in step."""


class _LoginFailed(_CommandFailed):
    """The answer to a login."""


@contextlib.contextmanager
def _failing() -> Iterator[None]:
    """Turns what the libraries raise into this room's errors."""
    try:
        yield
    except ImapError:
        raise
    except CapabilityError as error:
        raise ImapMisconfigured("imap_starttls_missing", "the server does not offer STARTTLS") from error
    except LoginError as error:
        # A connection that broke during the login comes as a LoginError too.
        if isinstance(error.__context__, imaplib.IMAP4.abort):
            raise ImapUnavailable(_clean(error)) from error
        raise _LoginFailed(_clean(error)) from error
    except imaplib.IMAP4.abort as error:
        raise ImapUnavailable(_clean(error)) from error
    except imaplib.IMAP4.error as error:
        raise _CommandFailed(_clean(error)) from error
    except ssl.SSLCertVerificationError as error:
        raise ImapMisconfigured("imap_tls_untrusted", error.verify_message) from error
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        # Not only the network's: of an answer that is no IMAP the libraries make any of these.
        raise ImapUnavailable(_clean(error)) from error


def _received(data: Mapping[bytes, Any]) -> datetime:
    at = data.get(b"INTERNALDATE")
    if not isinstance(at, datetime) or at.tzinfo is None:
        return datetime.now(UTC)
    try:
        return at.astimezone(UTC)
    except OverflowError:  # the first or the last day of all calendars, from a zone that moves it beyond
        return datetime.now(UTC)


def _clean(error: BaseException) -> str:
    if isinstance(error, LoginError) and error.__context__ is not None:
        error = error.__context__  # IMAPClient made text of bytes there
    said = error.args[0] if error.args else ""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)
    text = text or type(error).__name__
    return "".join(c if c.isprintable() else " " for c in text)[:500]
