"""The workflow `Replan`: after an edit of a schedule or of limits, what is booked is placed anew; page by page, at a bounded
rate, resumable."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from domain.replanning import ReplanInput, ReplanPage

_RETRY = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(seconds=30))


@workflow.defn(name="Replan")
class Replan:
    """Query `progress` tells how many bookings were placed, and how many of them earlier or later than before."""

    @workflow.init
    def __init__(self, input: ReplanInput) -> None:
        self.input = input

    @workflow.run
    async def run(self, input: ReplanInput) -> dict[str, int]:
        """Place page after page; answers the counts of `progress`."""
        while True:
            done = self.progress()
            workflow.set_current_details(
                f"{done['placed']} bookings of {input.mailbox} placed anew: {done['earlier']} earlier (told),"
                f" {done['later']} later (they learn it when their old time comes)"
            )
            page: ReplanPage = await workflow.execute_activity(
                "replan_page",
                self.input,
                result_type=ReplanPage,
                start_to_close_timeout=timedelta(minutes=10),
                heartbeat_timeout=timedelta(seconds=60),
                retry_policy=_RETRY,
                summary=f"Place bookings of {input.mailbox}"[:180],
            )
            self.input = self.input.model_copy(
                update={
                    "up_to": page.up_to,
                    "told": page.told,
                    "placed": self.input.placed + page.placed,
                    "earlier": self.input.earlier + page.earlier,
                    "later": self.input.later + page.later,
                }
            )
            if page.done:
                return self.progress()
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self.input)

    @workflow.query
    def progress(self) -> dict[str, int]:
        """How many bookings were placed so far, and how many of them earlier or later than before."""
        return {"placed": self.input.placed, "earlier": self.input.earlier, "later": self.input.later}
