"""The workflow to compare with: the same shape as an enrollment (a timer and an activity for each step), doing nothing.

Run as a script it is its worker: `python benchmarks/bare.py` with TEMPORAL_ADDRESS and ONWARD_TASK_QUEUE.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.worker import Worker


@activity.defn
async def nothing() -> None:
    """What is left of `deliver` without an email."""


@workflow.defn(name="Bare")
class Bare:
    """Wait, then do nothing, for each step."""

    @workflow.run
    async def run(self, waits: list[float]) -> None:
        for seconds in waits:
            await workflow.sleep(seconds)
            await workflow.execute_activity(nothing, start_to_close_timeout=timedelta(minutes=1))


async def main() -> None:
    """Work until SIGTERM."""
    from client.connection import connect
    from settings import Settings

    settings = Settings()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with Worker(
        await connect(settings.require_temporal()),
        task_queue=settings.task_queue,
        workflows=[Bare],
        activities=[nothing],
        # As worker.py sets them.
        max_concurrent_activities=settings.max_concurrent_activities,
        max_concurrent_workflow_tasks=10,
    ):
        print("worker_started", flush=True)
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(main())
