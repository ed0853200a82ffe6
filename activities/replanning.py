"""`replan_page`: after an edit of a schedule or of limits, place a page of bookings anew and tell those who leave earlier.

A booking that comes later is moved without a word: its enrollment wakes at the old time, and `deliver` finds its place kept
for it there. So the calendar is true from the first page on, what comes behind is placed by it, and nobody is signalled for
nothing. One that comes earlier must be told, or its workflow would sleep on.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Literal

from temporalio import activity

from activities.enrollment import Terms
from activities.services import Clock, Services, typed_failures
from domain.replanning import PAGE, ReplanInput, ReplanPage
from domain.schedule import NeverOpen
from domain.state import can_send
from store import enrollments, locks, replanning, slots
from store.replanning import Placed, Standing

MARGIN = timedelta(seconds=5)
"""For placing a page and for a workflow to hear of it."""


class ReplanActivity:
    """The activity `replan_page`."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @activity.defn(name="replan_page")
    async def replan_page(self, input: ReplanInput) -> ReplanPage:
        """Place the next bookings in the order of their times; then tell those that were placed and are earlier than their
        workflows know. Repeated, it goes on with what is left, and tells the same. Stops when a later edit is at work."""
        with typed_failures():
            now = Clock().now()
            async with self.services.database.read() as connection:
                up_to = input.up_to
                if up_to is None:
                    up_to = await replanning.newest(connection, input.mailbox)
                if await replanning.superseded(connection, input.mailbox, input.number):
                    return ReplanPage(up_to=up_to, told=input.told, done=True)
                page = await replanning.page(connection, input.mailbox, up_to=up_to, limit=PAGE)
            known: slots.Known = {}
            moves = []
            for standing in page:
                moves.append(await self._place(standing, input.mailbox, up_to, known, now))
                activity.heartbeat()
            told, some = await self._tell(input, max(input.told, up_to))
            done = not page and not some
            if done:
                async with self.services.database.read() as connection:
                    await replanning.finish(connection, input.mailbox, input.number)
            return ReplanPage(
                up_to=up_to,
                told=told,
                placed=len(moves),
                earlier=moves.count("earlier"),
                later=moves.count("later"),
                done=done,
            )

    async def _place(
        self, standing: Standing, mailbox: str, up_to: int, known: slots.Known, now: datetime
    ) -> Literal["earlier", "later"] | None:
        """Place one booking, not before its due time, nor earlier than it is at a time when its workflow cannot know yet."""
        earliest = now + timedelta(seconds=2 * PAGE / self.services.config.wake_per_second) + MARGIN
        async with self.services.database.transaction() as connection:
            row = await enrollments.lock(connection, standing.enrollment)
            assert row is not None
            state = row.state
            booked = await replanning.booking(connection, standing, state)
            if booked is None:
                return None
            terms = await Terms.read(self.services, connection, state)
            calendar = terms.calendar
            fits = can_send(state) and state.slot is not None and calendar is not None and calendar.mailbox == mailbox
            if not fits:
                await replanning.keep(connection, standing, booked.at)
                return None
            assert calendar is not None
            assert state.step is not None
            await locks.calendar(connection, mailbox)
            # What the recipient's server put off waits for its next try, which its due time does not know.
            due = booked.at if booked.deferred else max(state.due or booked.at, min(booked.at, earliest))
            email = terms.email(state, state.step)
            try:
                found, jitter = await slots.place(
                    connection, calendar, email, due=max(due, now), unplaced=up_to, known=known
                )
            except (slots.CalendarFull, NeverOpen):
                await replanning.keep(connection, standing, booked.at)
                return None
            await replanning.place(connection, standing, found.at, jitter, found.cause)
            if found.at == booked.at:
                return None
            return "earlier" if found.at < booked.at else "later"

    async def _tell(self, input: ReplanInput, behind: int) -> tuple[int, bool]:
        """Tell those placed behind an ID; answers the last one looked at, and whether there was any."""
        async with self.services.database.read() as connection:
            page = await replanning.placed(connection, input.mailbox, behind=behind, limit=2 * PAGE)
        for placed in page:
            if placed.state.slot is not None and placed.at < placed.state.slot.at:
                await self._signal(input, placed)
                activity.heartbeat()
                await asyncio.sleep(1 / self.services.config.wake_per_second)
        return (page[-1].id if page else behind), bool(page)

    async def _signal(self, input: ReplanInput, placed: Placed) -> None:
        state = placed.state
        assert state.slot is not None
        assert state.step is not None
        before, at = state.slot.at.isoformat(), placed.at.isoformat()
        payload = {
            "id": f"replanned/{before}/{at}",
            "mailbox": input.mailbox,
            "step": state.step.id,
            "slot": at,
            "cause": placed.cause,
            "before": before,
        }
        await self.services.signal(placed.workflow_id, "replanned", payload)
