"""Waking those parked at a gate, signalling forgotten stop marks again, probing mailboxes that were down; starting what rewrites
calendars after edits."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import structlog
from temporalio import activity
from temporalio.client import WorkflowFailureError
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.services import Services, typed_failures
from domain.reasons import CLEARED_BY_FACTS
from domain.replanning import ReplanInput, replan_id
from domain.sequences import Mailbox, parse_definition
from domain.waking import PAGE, WakeInput, WakePage, wake_id
from domain.watching import WatchInput, watch_id, watch_queue
from mail.errors import MailError
from mail.smtp import check
from store import cursors, enrollments, gates, locks, marks, replanning
from store.database import UNAVAILABLE
from store.gates import Opened, Parked

_log = structlog.get_logger(__name__)

_AWAY: tuple[type[BaseException], ...] = (*UNAVAILABLE, RPCError)
_OF_ONE_WORKFLOW = (RPCStatusCode.INVALID_ARGUMENT, RPCStatusCode.FAILED_PRECONDITION)
"""What the server answers when this workflow, not the server, cannot take a signal."""
QUOTA_REST = timedelta(hours=24)
"""How long a mailbox over its provider's quota is left alone: a login that works proves nothing about the quota."""
NOT_PROVEN_BY_LOGIN = {
    "sender_quota": QUOTA_REST,
    "refused_after_login": timedelta(hours=1),
    "auth_failure": timedelta(hours=1),
    "rate_limited": timedelta(hours=1),
    "spam_block": timedelta(hours=1),
}

LONGEST_PROBE_PAUSE = timedelta(minutes=30)


class WakeActivity:
    """The activity `wake_page`."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @activity.defn(name="wake_page")
    async def wake_page(self, input: WakeInput) -> WakePage:
        """Tell one page of parked enrollments that their gate is open. Stops early when it has closed again."""
        with typed_failures():
            async with self.services.database.read() as connection:
                if input.gate != "template":
                    is_open, epoch = await gates.read(connection, input.gate, input.key)
                    if not is_open or epoch != input.epoch:
                        return WakePage()
                page = await gates.page(connection, input.gate, input.key, after=input.after, limit=PAGE)
            for waiting in page:
                await self._tell(waiting, input)
                activity.heartbeat()
                await asyncio.sleep(1 / self.services.config.wake_per_second)
            return WakePage(last=page[-1].enrollment, woken=len(page)) if page else WakePage()

    async def _tell(self, waiting: Parked, input: WakeInput) -> None:
        if input.gate == "template":
            payload = {"id": f"cleared/{input.key}/{input.epoch}", "reason": waiting.halted or "template_error"}
            await self.services.signal(waiting.workflow_id, "cause_cleared", payload)
        else:
            # The key is part of the ID: an enrollment that changed its mailbox may see the same epoch of another.
            payload = {"id": f"opened/{input.gate}/{input.key}/{input.epoch}", "gate": input.gate, "key": input.key}
            await self.services.signal(waiting.workflow_id, "gate_opened", {**payload, "epoch": input.epoch})


class Upkeep:
    """What the worker does beside its tasks, every few seconds. Each round is safe to repeat and to run twice at once."""

    def __init__(self, services: Services, every: float) -> None:
        self.services = services
        self.every = every
        self._failed_probes: dict[str, tuple[int, datetime]] = {}

    async def run(self) -> None:
        """Until cancelled. What fails in a round is logged and tried again in the next, and keeps nothing else from it."""
        while True:
            for part in self.parts():
                try:
                    await part()
                except _AWAY as error:
                    _log.warning("upkeep_postponed", part=part.__name__, error=str(error) or type(error).__name__)
                except Exception:
                    _log.exception("upkeep_failed", part=part.__name__)
            await asyncio.sleep(self.every)

    def parts(self) -> tuple[Callable[[], Awaitable[object]], ...]:
        """What a round does, in its order. Probing comes last: it waits for servers that do not answer."""
        return (
            self.signal_forgotten,
            self.retry_cleared,
            self.wake_waiting,
            self.replan_edited,
            self.start_watchers,
            self.probe_mailboxes,
        )

    async def round(self) -> None:
        """One round. Raises what its parts raise."""
        for part in self.parts():
            await part()

    async def wake_waiting(self) -> None:
        """Start the wakers of gates that stand open with somebody waiting: one was lost, or its signal was."""
        async with self.services.database.read() as connection:
            opened = await gates.open_with_waiters(connection, self.services.config.mark_grace)
        for gate in opened:
            await wake(self.services, gate)

    async def replan_edited(self) -> None:
        """Start the rewriting of calendars after edits of schedules and limits, and again where it was lost."""
        async with self.services.database.read() as connection:
            found = await replanning.wanted(connection)
        for mailbox, number in found:
            await self.services.client.start_workflow(
                "Replan",
                ReplanInput(mailbox=mailbox, number=number),
                id=replan_id(mailbox, number),
                task_queue=self.services.config.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                static_summary=f"Places the bookings of {mailbox} anew after an edit"[:180],
            )

    async def signal_forgotten(self) -> int:
        """Signal stop marks again that no workflow has adopted; answers how many."""
        async with self.services.database.read() as connection:
            forgotten = await marks.to_sweep(connection, grace=self.services.config.mark_grace, limit=500)
        for mark in forgotten:
            async with self.services.database.read() as connection:
                # A closed record's workflow ID may be another enrollment's by now.
                closed = (await enrollments.get(connection, mark.enrollment))["closed"]
            told = False
            if not closed:
                try:
                    told = await self.services.signal(mark.workflow_id, mark.message, mark.payload)
                except RPCError as error:
                    if error.status not in _OF_ONE_WORKFLOW:
                        raise
                    # Too many signals, say: that one's trouble, which must not keep the others from being told.
                    _log.error("mark_not_signalled", enrollment=mark.enrollment, error=error.status.name)
                    told = True
            async with self.services.database.read() as connection:
                await marks.signalled(connection, mark)
            if told:
                continue
            async with self.services.database.transaction() as connection:
                if (await enrollments.get(connection, mark.enrollment))["closed"]:
                    # It closed in the moment between the mark and the signal: late mail amends the record.
                    await enrollments.amend(connection, mark.enrollment, mark.parsed(), datetime.now(UTC))
        return len(forgotten)

    async def retry_cleared(self) -> None:
        """Where the sequence says so, try a Not Sent step again once the facts behind its reason have changed. Whether
        the reason is gone is judged by `deliver`; each change is tried once."""
        async with self.services.database.read() as connection:
            found = await gates.cleared(connection, CLEARED_BY_FACTS, limit=500)
        for one in found:
            payload = {"id": f"cleared/{one.changed_at.isoformat()}", "reason": one.reason}
            await self.services.signal(one.workflow_id, "cause_cleared", payload)

    async def start_watchers(self) -> None:
        """Start the watchers of mailboxes that are read by IMAP, where they are missing; those whose mailbox was changed look
        at once, also in a pause after failures."""
        silence = timedelta(seconds=2 * self.services.config.imap_poll + self.every)
        async with self.services.database.read() as connection:
            found = await cursors.unwatched(connection, silence)
        for one in found:
            await self.services.client.start_workflow(
                "Watch",
                WatchInput(mailbox=one.mailbox, lost_seconds=self.services.config.imap_lost),
                id=watch_id(one.mailbox),
                task_queue=watch_queue(self.services.config.task_queue),
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="look" if one.changed else None,
                static_summary=f"Reads mailbox {one.mailbox}"[:180],
            )

    async def probe_mailboxes(self) -> None:
        """Log in to mailboxes that were down; one that answers is up again, and those it held go on. After a failure the
        next look waits longer each time: providers lock accounts that try a wrong password without end. A mailbox that cannot
        be read is its watcher's to open: sending blind would mail people who have replied."""
        async with self.services.database.read() as connection:
            down = await gates.down_mailboxes(connection)
        now = datetime.now(UTC)
        for row in down:
            if row["unread"]:
                continue
            rest = NOT_PROVEN_BY_LOGIN.get(row["state_code"] or "", timedelta(0))
            failures, not_before = self._failed_probes.get(row["id"], (0, now))
            if row["state_at"] + rest > now or not_before > now:
                continue
            try:
                mailbox = parse_definition(Mailbox, row["definition"])
                await check(self.services.server(mailbox))
            except MailError as error:
                pause = min(timedelta(seconds=self.every) * 2**failures, LONGEST_PROBE_PAUSE)
                self._failed_probes[row["id"]] = (failures + 1, now + pause)
                _log.info("mailbox_still_down", mailbox=row["id"], code=error.code)
                continue
            self._failed_probes.pop(row["id"], None)
            await self._mailbox_up(row["id"], row["epoch"])

    async def _mailbox_up(self, mailbox: str, probed: int) -> None:
        """Open a mailbox's gate and wake those parked at it; unless it was set since it was `probed`, by a person maybe."""
        async with self.services.database.transaction() as connection:
            await locks.exclude(connection, locks.MAILBOX, mailbox)
            _, present = await gates.read(connection, "mailbox", mailbox)
            if present != probed:
                return
            epoch = await gates.switch(connection, "mailbox", mailbox, state="up", by="system", now=datetime.now(UTC))
        if epoch is not None:
            await wake(self.services, Opened("mailbox", mailbox, epoch))


async def wake(services: Services, gate: Opened) -> None:
    """Start the durable waker of a gate's opening, unless it runs."""
    with contextlib.suppress(WorkflowAlreadyStartedError, WorkflowFailureError):
        await services.client.start_workflow(
            "Wake",
            WakeInput(gate=gate.gate, key=gate.key, epoch=gate.epoch),
            id=wake_id(gate.gate, gate.key, gate.epoch),
            task_queue=services.config.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )
