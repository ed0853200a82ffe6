"""What the activities share: the database, the SMTP pool, the Temporal client, the signing key, cached definitions."""

from __future__ import annotations

import time
import traceback
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NoReturn

import structlog
from temporalio import activity
from temporalio.client import Client
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from domain.errors import DomainError
from domain.sequences import Mailbox, Schedule, Sequence
from mail import addresses
from mail.definitions import server_of
from mail.errors import AddressInvalid
from mail.smtp import Pool, Server
from store.database import UNAVAILABLE, Connection, Database
from store.queries import sql

_log = structlog.get_logger(__name__)

MAX_FAILURES = 10
"""How often an untyped error of ours is tried again before the enrollment is held for a person (design section 5)."""


@dataclass(frozen=True)
class Config:
    """What the worker's settings say about sending. Seconds unless said otherwise."""

    secret: bytes
    public_url: str | None = None
    lease: timedelta = timedelta(seconds=30)
    smtp_connect: float = 60.0
    smtp_final: float = 600.0
    defer_base: float = 300.0
    defer_max_tries: int = 10
    guardrail_refusals: int = 3
    mark_grace: timedelta = timedelta(seconds=15)
    wake_per_second: float = 50.0
    task_queue: str = "onward"
    max_watchers: int = 200
    imap_poll: float = 60.0
    imap_timeout: float = 60.0
    imap_first_days: int = 3
    imap_retry: timedelta = timedelta(seconds=60)
    imap_fresh: timedelta = timedelta(minutes=5)
    """Longer ago read, a mailbox sends nothing until it has been read again."""
    imap_patience: timedelta = timedelta(minutes=30)
    imap_stretch: float = 1800.0
    imap_lost: float = 120.0


@dataclass
class Services:
    """The hands of the activities; made once per worker by `worker.py`."""

    database: Database
    smtp: Pool
    client: Client
    config: Config
    _definitions: OrderedDict[tuple[str, str, int], Sequence | Schedule] = field(default_factory=OrderedDict)

    async def sequence(self, connection: Connection, key: str, revision: int) -> Sequence:
        """A sequence's definition at a revision, from the cache where it can."""
        found = await self._definition(connection, "sequence", key, revision)
        assert isinstance(found, Sequence)
        return found

    async def schedule(self, connection: Connection, key: str, revision: int) -> Schedule:
        """A schedule's definition at a revision, from the cache where it can."""
        found = await self._definition(connection, "schedule", key, revision)
        assert isinstance(found, Schedule)
        return found

    async def _definition(self, connection: Connection, kind: str, key: str, revision: int) -> Sequence | Schedule:
        # The revision is part of the key: a cached definition is never stale, only unused.
        wanted = (kind, key, revision)
        if wanted in self._definitions:
            self._definitions.move_to_end(wanted)
            return self._definitions[wanted]
        row = await connection.fetchrow(sql(f"definitions.{kind}"), key)
        assert row is not None
        model: type[Sequence] | type[Schedule] = Sequence if kind == "sequence" else Schedule
        found = model.model_validate(row["definition"])
        self._definitions[kind, key, row["revision"]] = found
        while len(self._definitions) > 500:
            self._definitions.popitem(last=False)
        return found

    def server(self, mailbox: Mailbox) -> Server:
        """How to reach a mailbox's SMTP server, its secret read now. Raises CredentialMissing, CredentialInvalid."""
        return server_of(mailbox, connect_seconds=self.config.smtp_connect, final_seconds=self.config.smtp_final)

    async def signal(self, workflow_id: str, name: str, payload: object) -> bool:
        """Tell a workflow. False when none of that ID is open."""
        try:
            await self.client.get_workflow_handle(workflow_id).signal(name, payload)
        except RPCError as error:
            if error.status.name == "NOT_FOUND":
                return False
            raise
        return True


class Clock:
    """The activity's time: what Temporal gave it when it started (virtual time in tests), plus what has passed since."""

    def __init__(self) -> None:
        self._started = activity.info().started_time
        self._monotonic = time.monotonic()

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self._started + timedelta(seconds=time.monotonic() - self._monotonic)


def valid_address(address: str) -> bool:
    """Whether an address is well-formed (RFC 5321 and 5322, by email-validator)."""
    try:
        addresses.normalize(address)
    except AddressInvalid:
        return False
    return True


@contextmanager
def typed_failures() -> Iterator[None]:
    """Give every failure of an activity a stable type.

    A server that is away is tried again without end. A broken rule of the domain is not tried again. Anything else is a
    defect of ours: tried `MAX_FAILURES` times, then final as `system_error`.
    """
    try:
        yield
    except ApplicationError:
        raise
    except DomainError as error:
        raise ApplicationError(str(error), type=error.code, non_retryable=True) from error
    except UNAVAILABLE as error:
        raise ApplicationError(str(error) or type(error).__name__, type="store_unavailable") from error
    except RPCError as error:
        raise ApplicationError(str(error), type="temporal_unavailable") from error
    except Exception as error:
        _defect(error)


def _defect(error: Exception) -> NoReturn:
    """Its kind and place go into the history, not its text: PostgreSQL quotes the row, and so the person, that it refuses."""
    final = activity.info().attempt >= MAX_FAILURES
    _log.error("activity_defect", activity=activity.info().activity_type, exc_info=error)
    place = next(
        (
            f" at {frame.filename.rpartition('/')[2]}:{frame.lineno}"
            for frame in reversed(traceback.extract_tb(error.__traceback__))
            if "site-packages" not in frame.filename
        ),
        "",
    )
    raise ApplicationError(f"{type(error).__name__}{place}", type="system_error", non_retryable=final) from None
