"""The activity `watch_mailbox`: stays connected to one mailbox, takes in what is new, and says how it went.

IMAPClient blocks, so its calls run in threads, each bounded by the socket's time-outs. Nothing waits in a thread: while the
server idles, the loop watches the socket. When the worker stops, whatever call is under way is cut off and its thread left
to itself; the cursor says where the next watcher goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import structlog
from temporalio import activity
from temporalio.service import RPCError, RPCStatusCode

from activities.services import Services, typed_failures
from activities.upkeep import wake
from domain.inbound import Arrival
from domain.sequences import Imap
from domain.watching import HELD_AT_ONCE, WatchRequest, WatchResult, back_off
from mail.errors import ImapError, ImapMisconfigured, ImapUnavailable
from mail.imap import Examined, Fetched, Folder, Session, chunks, imap_server
from store import catalog, cursors, gates, locks
from store.cursors import Cursor
from store.database import UNAVAILABLE
from store.gates import Opened

Take = Callable[[Arrival], Awaitable[object]]
KeepFailed = Callable[[Arrival, BaseException], Awaitable[object]]

_log = structlog.get_logger(__name__)
_T = TypeVar("_T")

BEATS = 6
"""Heartbeats within the heartbeat time-out."""
TRIES = 3
"""How often a message that cannot be taken in is tried before it is set aside."""
OVERLAP = timedelta(days=2)
"""How far a folder is read again when its UIDs are no longer the same (days of the server, zones, clocks)."""
LONGEST_PAUSE = timedelta(minutes=30)
_BATCH = 200
_AWAY = (RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.RESOURCE_EXHAUSTED)


class WatchActivity:
    """The activity `watch_mailbox`.

    `take` takes one mail in, durably and safe to repeat; the cursor passes the mail once it has returned. A mail that it fails
    on again and again goes to `keep_failed`, so that neither it nor those behind it are lost.
    """

    def __init__(self, services: Services, take: Take, keep_failed: KeepFailed | None = None) -> None:
        self.services = services
        self.take = take
        self.keep_failed = keep_failed
        self.threads = ThreadPoolExecutor(services.config.max_watchers, thread_name_prefix="imap")

    @activity.defn(name="watch_mailbox")
    async def watch_mailbox(self, request: WatchRequest) -> WatchResult:
        """Watch until the stretch is over, the mailbox's definition changes, reading fails, or the worker stops."""
        with typed_failures():
            async with _beating(), _Watch(self, request).ready() as watch:
                return await watch.run()


class _Over(Exception):
    """The stretch is over."""


class _Watch:
    """One stretch."""

    def __init__(self, owner: WatchActivity, request: WatchRequest) -> None:
        self.owner = owner
        self.services = owner.services
        self.config = owner.services.config
        self.mailbox = request.mailbox
        self.failures = request.failures
        self.taken = 0
        self.session: Session | None = None
        self.connected_at: float | None = None
        self.examined: Examined | None = None
        self.held = False
        self.ends_at = time.monotonic() + self.config.imap_stretch
        self.stopping: asyncio.Task[None]

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[_Watch]:
        """Listen for the worker's end; leave no connection behind."""
        self.stopping = asyncio.create_task(activity.wait_for_worker_shutdown())
        try:
            yield self
        finally:
            self.stopping.cancel()
            if self.session is not None:
                self.owner.threads.submit(self.session.close)

    async def run(self) -> WatchResult:
        """Look, wait, look again."""
        imap = await self._definition()
        if imap is None:
            return await self._ended()
        try:
            self.session = await self._call(Session.open, imap_server(imap, seconds=self.config.imap_timeout))
            self.connected_at = time.monotonic()
            folders = await self._call(self.session.folders, imap.folders)
            can_idle = await self._call(lambda session: session.can_idle, self.session)
            while True:
                for folder in folders:
                    await self._read(folder)
                await self._readable()
                await self._until_news(folders[-1], can_idle)
                if await self._definition() != imap:
                    raise _Over
        except _Over:
            return WatchResult(taken=self.taken, failures=self.failures)
        except ImapError as error:
            return await self._failed(error)

    # -----------------------------------------------------------------------------------------------------------------
    # Reading

    async def _read(self, folder: Folder) -> None:
        """Take in everything new in one folder, in the order of its UIDs."""
        session = self._session()
        try:
            examined = await self._call(session.examine, folder.name)
        except ImapMisconfigured as error:
            if folder.required:
                raise
            _log.info("imap_folder_gone", mailbox=self.mailbox, folder=folder.name, detail=error.detail)
            return
        self.examined = examined
        cursor = await self._cursor(folder.name, examined.uid_validity)
        if not examined.exists:
            return
        # At first, everything there that is too old to be looked at is passed over for good.
        passed = await self._call(session.highest) if cursor.uid == 0 else 0
        found = await self._call(session.uids, cursor.uid, cursor.since)
        for start in range(0, len(found), _BATCH):
            sizes = await self._call(session.sizes, found[start : start + _BATCH])
            for chunk in chunks(sizes):
                for message in await self._call(session.fetch, chunk):
                    await self._take_in(folder.name, message)
                    await self._advance(folder.name, cursor, message.uid, message.received_at)
                    self._check()
        if passed:
            await self._advance(folder.name, cursor, passed, None)

    async def _cursor(self, folder: str, uid_validity: int) -> Cursor:
        async with self.services.database.transaction() as connection:
            cursor = await cursors.cursor(connection, self.mailbox, folder)
            if cursor is not None and cursor.uid_validity == uid_validity:
                return cursor
            if cursor is None:
                since = datetime.now(UTC).date() - timedelta(days=self.config.imap_first_days)
            else:
                # The server numbers its messages anew. What comes again is known by its content further on.
                newest = cursor.received_at or datetime.now(UTC)
                # A server's clock may have run ahead; what is in the future would hide all mail until then.
                since = max(cursor.since, min(newest, datetime.now(UTC)).date() - OVERLAP)
                _log.warning("imap_uids_changed", mailbox=self.mailbox, folder=folder, since=since.isoformat())
            return await cursors.begin(connection, self.mailbox, folder, uid_validity=uid_validity, since=since)

    async def _advance(self, folder: str, cursor: Cursor, uid: int, received_at: datetime | None) -> None:
        async with self.services.database.read() as connection:
            await cursors.advance(
                connection, self.mailbox, folder, uid_validity=cursor.uid_validity, uid=uid, received_at=received_at
            )

    async def _take_in(self, folder: str, message: Fetched) -> None:
        if message.raw is None:
            _log.error("imap_message_unreadable", mailbox=self.mailbox, folder=folder, uid=message.uid)
            return
        arrival = Arrival(
            raw=message.raw,
            received_at=message.received_at,
            source="imap",
            mailbox=self.mailbox,
            folder=folder,
            truncated=message.truncated,
        )
        tried = 1
        while error := await self._tried(self.owner.take(arrival), folder, message.uid):
            if tried == TRIES:
                break
            await self._sleep(0.2 * tried)
            tried += 1
        else:
            self.taken += 1
            return
        if self.owner.keep_failed is not None:
            # Should this fail too, the mail still lies in its folder, and the log says where.
            await self._tried(self.owner.keep_failed(arrival, error), folder, message.uid)

    async def _tried(self, work: Awaitable[object], folder: str, uid: int) -> Exception | None:
        """A defect of ours is answered. Raises what says that a server is away: then the mail is for another time."""
        try:
            await work
        except UNAVAILABLE:
            raise
        except Exception as error:
            if isinstance(error, RPCError) and error.status in _AWAY:
                raise
            _log.error("inbound_defect", mailbox=self.mailbox, folder=folder, uid=uid, exc_info=error)
            return error
        return None

    # -----------------------------------------------------------------------------------------------------------------
    # Waiting

    async def _until_news(self, folder: Folder, can_idle: bool) -> None:
        """Until the server tells of new mail in the folder read last, or it is time to look by ourselves."""
        deadline = time.monotonic() + self.config.imap_poll
        self._check()
        session = self._session()
        # Mail may have come since the folder was searched, and the server may have said so with any answer since.
        if can_idle and await self._call(session.examine, folder.name) != self.examined:
            return
        while (left := deadline - time.monotonic()) > 0:
            if not (can_idle and await self._call(session.idle)):
                await self._sleep(left)
                return
            said = await self._call(session.said) or await self._readable_within(session, left)
            if await self._call(session.idle_done) or not said:
                return

    async def _readable_within(self, session: Session, seconds: float) -> bool:
        loop = asyncio.get_running_loop()
        said: asyncio.Future[None] = loop.create_future()
        try:
            descriptor = session.fileno()
            loop.add_reader(descriptor, _tell, said)
        except (OSError, ValueError) as error:
            raise ImapUnavailable("the connection is closed") from error
        try:
            await self._wait(said, seconds)
        finally:
            loop.remove_reader(descriptor)
        self._check()
        return said.done()

    async def _sleep(self, seconds: float) -> None:
        await self._wait(self.stopping, seconds)
        self._check()

    async def _wait(self, future: asyncio.Future[Any], seconds: float | None = None) -> None:
        """Until it is done, the time is over or the worker stops."""
        waited: set[asyncio.Future[Any]] = {future, self.stopping}
        await asyncio.wait(waited, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)

    def _check(self) -> None:
        """Raises _Over when the stretch is over or the worker stops."""
        if self.stopping.done() or time.monotonic() > self.ends_at:
            raise _Over

    async def _call(self, function: Callable[..., _T], *arguments: Any) -> _T:
        """Run what blocks in a thread; leave it behind when the worker stops."""
        self._check()
        future = asyncio.get_running_loop().run_in_executor(self.owner.threads, function, *arguments)
        try:
            await self._wait(future)
        finally:
            if not future.done():
                future.add_done_callback(_leave)
                if self.session is not None:
                    self.session.abort()
        if not future.done():
            raise _Over
        return future.result()

    def _session(self) -> Session:
        assert self.session is not None
        return self.session

    # -----------------------------------------------------------------------------------------------------------------
    # What is recorded of it

    async def _definition(self) -> Imap | None:
        """How the mailbox is read now; None when it is not, or is no more."""
        async with self.services.database.read() as connection:
            try:
                stored = await catalog.mailbox(connection, self.mailbox)
            except catalog.NotFound:
                return None
            await cursors.looked(connection, self.mailbox)
        self.held = stored.state == "down" and (stored.state_code or "").startswith("imap_")
        return stored.definition.imap

    async def _ended(self) -> WatchResult:
        async with self.services.database.read() as connection:
            await cursors.forget(connection, self.mailbox)
        return WatchResult(outcome="ended")

    async def _readable(self) -> None:
        """All folders are read to their ends: those that waited for it go on."""
        self.failures = 0
        opened = None
        async with self.services.database.transaction() as connection:
            await cursors.read(connection, self.mailbox)
            if self.held:
                await locks.exclude(connection, locks.MAILBOX, self.mailbox)
                stored = await catalog.mailbox(connection, self.mailbox)
                # Meanwhile somebody may have set it otherwise.
                if stored.state == "down" and (stored.state_code or "").startswith("imap_"):
                    opened = await gates.switch(
                        connection, "mailbox", self.mailbox, state="up", by="system", now=datetime.now(UTC)
                    )
        self.held = False
        if opened is not None:
            _log.info("mailbox_readable_again", mailbox=self.mailbox)
            await wake(self.services, Opened("mailbox", self.mailbox, opened))

    async def _failed(self, error: ImapError) -> WatchResult:
        """Hold the mailbox if need be, and say when to look again."""
        lived = 0.0 if self.connected_at is None else time.monotonic() - self.connected_at
        # A connection that had worked for a while may be cut by any server at any time; that is no failure in a row.
        failures = 0 if self.failures == 0 and lived >= self.config.imap_poll else self.failures + 1
        async with self.services.database.transaction() as connection:
            holds = await cursors.failed(
                connection,
                self.mailbox,
                code=error.code,
                detail=error.detail,
                at_once=error.code in HELD_AT_ONCE,
                patience=self.config.imap_patience,
            )
            if holds:
                await gates.switch(
                    connection,
                    "mailbox",
                    self.mailbox,
                    state="down",
                    by="system",
                    now=datetime.now(UTC),
                    code=error.code,
                )
        _log.warning("mailbox_not_read", mailbox=self.mailbox, code=error.code, holds=holds, failures=failures)
        pause = back_off(failures, first=self.config.imap_retry, longest=LONGEST_PAUSE)
        return WatchResult(
            outcome="failed",
            taken=self.taken,
            failures=failures,
            code=error.code,
            wait_seconds=pause.total_seconds(),
        )


def _tell(said: asyncio.Future[None]) -> None:
    if not said.done():
        said.set_result(None)


def _leave(future: asyncio.Future[Any]) -> None:
    """A call nobody waits for any more: what it opened is closed, what it raises was caused by us."""
    if not future.cancelled() and future.exception() is None and isinstance(future.result(), Session):
        future.result().discard()


@asynccontextmanager
async def _beating() -> AsyncIterator[None]:
    """Heartbeats as long as the body runs. Each blocking call in it has its own time-out."""
    patience = activity.info().heartbeat_timeout or timedelta(minutes=2)

    async def beat() -> None:
        while True:
            activity.heartbeat()
            await asyncio.sleep(patience.total_seconds() / BEATS)

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
