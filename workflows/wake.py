"""The workflow `Wake`: when a gate opens, those parked at it go on; page by page, at a bounded rate, resumable."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.waking import WakeInput, WakePage

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name="Wake")
class Wake:
    """Query `progress` tells how many were woken. Whoever is parked meanwhile is found by the sweeper."""

    @workflow.init
    def __init__(self, input: WakeInput) -> None:
        self.input = input

    @workflow.run
    async def run(self, input: WakeInput) -> int:
        """Wake page after page; answers how many enrollments were told."""
        while True:
            workflow.set_current_details(f"{self.input.woken} woken at {input.gate} {input.key} (epoch {input.epoch})")
            page: WakePage = await workflow.execute_activity(
                "wake_page",
                self.input,
                result_type=WakePage,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=60),
                retry_policy=_RETRY,
                summary=f"Wake those parked at {input.gate} {input.key}"[:180],
            )
            if page.last is None:
                return self.input.woken
            self.input = self.input.model_copy(update={"after": page.last, "woken": self.input.woken + page.woken})
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self.input)

    @workflow.query
    def progress(self) -> dict[str, int]:
        """How many were woken so far."""
        return {"woken": self.input.woken}
