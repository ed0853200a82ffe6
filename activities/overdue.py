"""Whose turn it is after an outage: what is overdue is placed anew in the order of its times, whoever comes first.

After an outage everybody comes at once, in no order. Whoever comes has those before it in its mailbox's calendar placed
first, and then itself; they find their places when they come. So the order holds, without anybody waiting for anybody.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import activity

from activities.enrollment import Terms
from activities.services import Services
from domain.guards import expires_at, late_from
from domain.schedule import NeverOpen
from domain.sequences import find_step
from domain.state import can_send
from store import enrollments, overdue, slots
from store.database import Connection

LATE = timedelta(minutes=1)
"""A busy worker's lateness is less."""

PAGE = 100


async def take_turn(services: Services, enrollment: str, earliest: datetime) -> datetime | None:
    """Where this enrollment's email, which is overdue, is booked once those before it have their places from `earliest` on.

    With none before it, it stays where it is.
    """
    behind: overdue.Overdue | None = None
    found = False
    while True:
        async with services.database.read() as connection:
            page = await overdue.before(connection, enrollment, behind=behind, limit=PAGE)
        if not page:
            break
        found, behind = True, page[-1]
        for one in page:
            async with services.database.transaction() as connection:
                await _place(services, connection, one.enrollment, earliest)
            activity.heartbeat()
    async with services.database.transaction() as connection:
        if found:
            await _place(services, connection, enrollment, earliest)
        slot = await slots.booked(connection, enrollment)
        return None if slot is None else slot.at


async def _place(services: Services, connection: Connection, enrollment: str, earliest: datetime) -> None:
    """Place one booking anew, if it is still overdue. One that finds no place stays: its own `deliver` will say so."""
    row = await enrollments.lock(connection, enrollment)
    assert row is not None
    state = row.state
    slot = await slots.booked(connection, enrollment)
    if slot is None or slot.at > earliest - LATE or state.step is None or not can_send(state):
        return
    terms = await Terms.read(services, connection, state)
    index = find_step(terms.sequence, state.step)
    expiry = None
    if index is not None and state.attempt == 1:
        expiry = expires_at(terms.sequence.steps[index], late_from(state))
    if expiry is not None and expiry < earliest:
        return  # too late to be sent: it needs no place
    try:
        async with connection.transaction():
            placed = await terms.book(connection, state, state.step, earliest)
            await overdue.note_cause(connection, enrollment, placed.cause)
    except (slots.CalendarFull, NeverOpen):
        return
