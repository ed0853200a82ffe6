"""What the routes work with: the typed client, the database behind it, and what the settings say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from client.connection import connect
from client.enrollments import Enrollments
from client.inbound import Inbound
from client.reading import Gaps
from mail.definitions import spelling
from mail.filling import gap_finder
from settings import Settings
from store.database import Database


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    """The hands of the routes. `token`: the key from the settings, which needs no database and may do everything."""

    enrollments: Enrollments
    secret: bytes = field(repr=False)
    token: str | None = field(default=None, repr=False)
    inbound_secret: bytes | None = field(default=None, repr=False)
    """Key of the signatures of mail that is posted; None shuts that door."""
    public_url: str | None = None
    temporal_ui_url: str | None = None
    guardrail: int = 3
    smtp_seconds: float = 10.0
    """How long a mailbox's server may take for each step of a check."""
    clock: Callable[[], datetime] = _utc_now

    stopping: asyncio.Event = field(default_factory=asyncio.Event, repr=False, compare=False)
    """Set when the server stops: streams of events end then."""

    @property
    def database(self) -> Database:
        """The database of the client."""
        return self.enrollments.database

    @property
    def temporal(self) -> Client:
        """The Temporal client."""
        return self.enrollments.client

    @property
    def inbound(self) -> Inbound:
        """The way of mail that comes in."""
        return Inbound(self.enrollments, self.secret, self.guardrail)

    @property
    def gaps(self) -> Gaps:
        """What a step's email would lack."""
        return gap_finder(self.public_url)

    def now(self) -> datetime:
        """The present instant, UTC."""
        return self.clock()


def valid_address(address: str) -> bool:
    """Whether an address is well-formed."""
    return spelling(address) is not None


def services_of(settings: Settings, database: Database, client: Client) -> Services:
    """Services on open connections. Raises SettingsError for a missing signing key."""
    return Services(
        enrollments=Enrollments(client, database, valid_address, task_queue=settings.task_queue),
        secret=settings.require_secret(),
        token=settings.api_token.get_secret_value() if settings.api_token else None,
        inbound_secret=settings.inbound_secret.get_secret_value().encode() if settings.inbound_secret else None,
        guardrail=settings.guardrail_refusals,
        public_url=settings.public_url,
        temporal_ui_url=settings.temporal_ui_url,
        smtp_seconds=min(settings.smtp_connect_seconds, 10.0),
    )


@asynccontextmanager
async def open_services(settings: Settings) -> AsyncIterator[Services]:
    """Connect to PostgreSQL and Temporal; closes what it opened. Raises SettingsError, OSError, RuntimeError."""
    database = await Database.connect(settings.require_database(), settings.database_pool_size)
    try:
        client = await connect(settings.require_temporal(), settings.temporal_namespace)
        yield services_of(settings, database, client)
    finally:
        await database.close()


def _services(request: Request) -> Services:
    found: Services = request.app.state.services
    return found


Hands = Annotated[Services, Depends(_services)]
