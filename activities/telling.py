"""Telling other enrollments what happened in one: of the same person, account or address."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from activities.services import Services
from domain.delivery import Effect
from store import marks


async def fan_out(services: Services, found: Sequence[Effect], *, contact: str, enrollment: str, now: datetime) -> None:
    """Mark, then tell, the others. A mark whose signal is lost is signalled again by the sweeper."""
    for effect in found:
        async with services.database.transaction() as connection:
            others = await marks.relatives(connection, effect, contact=contact, enrollment=enrollment)
            await marks.lock_rows(connection, [other.enrollment for other in others])
            for other in others:
                await marks.place(connection, other, now=now)
        for other in others:
            if await services.signal(other.workflow_id, other.message, other.payload):
                async with services.database.read() as connection:
                    await marks.signalled(connection, other)
