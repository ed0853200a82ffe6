"""On the Temporal server that skips time: every workflow has a virtual clock, driven by the test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio
from temporalio.testing import TimeSkipper, TimeSkippingConfig

from client.connection import connect
from embedded.recipients import Recipients
from tests.harness import World, open_world

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE_HOURS = {day: [{"start": "09:00", "end": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}


def next_monday() -> date:
    """A Monday that has not begun anywhere: the tests count their days from it, so that they do not depend on today."""
    today = datetime.now(UTC).date()
    return today + timedelta(days=7 - today.weekday() + (7 if today.weekday() >= 5 else 0))


def berlin(day: date, hour: int = 9, minute: int = 0) -> datetime:
    """A local time in Berlin."""
    return datetime.combine(day, time(hour, minute), BERLIN)


def local(at: datetime) -> tuple[date, int, int]:
    """Day, hour and minute in Berlin."""
    there = at.astimezone(BERLIN)
    return there.date(), there.hour, there.minute


@dataclass
class VirtualWorld:
    """Onward on real servers, in which the test moves each enrollment's clock. Clocks stand still until moved."""

    world: World
    skipper: TimeSkipper

    def _handle(self, contact: str, sequence: str | None) -> Any:
        return self.skipper.client.get_workflow_handle(f"enrollment/{sequence or self.world.sequence}/{contact}")

    async def now(self, contact: str, sequence: str | None = None) -> datetime:
        """The virtual time of a contact's enrollment."""
        return await self.skipper.get_current_time(self._handle(contact, sequence))

    async def pass_until(self, contact: str, instant: datetime, sequence: str | None = None) -> None:
        """Let virtual time pass until this instant; what falls due meanwhile happens."""
        left = instant - await self.now(contact, sequence)
        await self.skipper.fast_forward(self._handle(contact, sequence), left)

    async def enroll(self, contact: str, at: datetime, **options: Any) -> str:
        """Enroll so that the first step is due at `at`."""
        return await self.world.enroll(contact, start_at=at, **options)

    async def sendings(self, enrollment: str) -> list[tuple[str, datetime]]:
        """Step and virtual instant of every email that passed the point of no return, in order."""
        rows = [row for row in await self.world.ledger(enrollment) if row["sending_at"] is not None]
        return sorted(((row["step_id"], row["sending_at"]) for row in rows), key=lambda sent: sent[1])


@pytest_asyncio.fixture
async def workerless_virtual(
    time_skipping_server: str, fresh_database: str, recipients: Recipients
) -> AsyncIterator[VirtualWorld]:
    """Onward on PostgreSQL, SMTP and the time-skipping server; the test starts and stops workers itself."""
    skipper = TimeSkipper(await connect(time_skipping_server), config=TimeSkippingConfig(enabled=False))
    async with open_world(time_skipping_server, fresh_database, recipients, client=skipper.client) as opened:
        yield VirtualWorld(opened, skipper)


@pytest_asyncio.fixture
async def virtual(workerless_virtual: VirtualWorld) -> AsyncIterator[VirtualWorld]:
    """The same with a worker."""
    async with workerless_virtual.world.worker():
        yield workerless_virtual
