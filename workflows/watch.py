"""The workflow `Watch`: reads one mailbox by IMAP for as long as its definition has `imap`, with pauses after failures."""

from __future__ import annotations

import contextlib
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from domain.watching import WatchInput, WatchRequest, WatchResult, describe

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=1))
_AFTER_DEFECT = 1800.0


@workflow.defn(name="Watch")
class Watch:
    """Signal `look` ends a pause: the mailbox's definition or its secret was mended. The cursor is PostgreSQL's: a watcher
    that is terminated and started again misses nothing."""

    @workflow.init
    def __init__(self, input: WatchInput) -> None:
        self.input = input
        self.told = False

    @workflow.run
    async def run(self, input: WatchInput) -> int:
        """Watch stretch after stretch; answers how many mails were taken in, once the mailbox has no `imap` any more."""
        while True:
            workflow.set_current_details(self._details("Watching the mailbox"))
            self.told = False
            result = await self._stretch()
            self.input = self.input.model_copy(
                update={"failures": result.failures, "taken": self.input.taken + result.taken}
            )
            if result.outcome == "ended":
                return self.input.taken
            if result.outcome == "failed":
                await self._pause(result)
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self.input)

    async def _stretch(self) -> WatchResult:
        try:
            result: WatchResult = await workflow.execute_activity(
                "watch_mailbox",
                WatchRequest(mailbox=self.input.mailbox, failures=self.input.failures),
                result_type=WatchResult,
                start_to_close_timeout=timedelta(hours=2),
                heartbeat_timeout=timedelta(seconds=self.input.lost_seconds),
                retry_policy=_RETRY,
                summary=f"Watch mailbox {self.input.mailbox}"[:180],
            )
            return result
        except ActivityError as error:
            if not isinstance(error.cause, ApplicationError):
                raise
            # Tried so often that it is final. A watcher that ended for it would leave replies unread.
            return WatchResult(
                outcome="failed",
                code="system_error",
                failures=self.input.failures + 1,
                wait_seconds=_AFTER_DEFECT,
            )

    async def _pause(self, result: WatchResult) -> None:
        if result.wait_seconds <= 0 or self.told:
            return
        pause = timedelta(seconds=result.wait_seconds)
        reason = describe(result.code, result.failures)
        next_look = f"{workflow.now() + pause:%Y-%m-%d %H:%M:%S} UTC"
        workflow.set_current_details(self._details(f"Not read: {reason}. Next look {next_look}"))
        with contextlib.suppress(TimeoutError):
            await workflow.wait_condition(
                lambda: self.told, timeout=pause, timeout_summary=f"{reason}; next look then"[:180]
            )

    def _details(self, now: str) -> str:
        return f"{now}. {self.input.taken} mails taken in since the watcher was started"

    @workflow.signal
    def look(self) -> None:
        """Look now, whatever the pause."""
        self.told = True
