"""Busy senders for the switch's benchmark: the real `deliver`, called one after another without Temporal between.

Run as a script: `python benchmarks/senders.py SEQUENCE COUNT`. Each sender has enrollments of its own and sends their steps
as fast as it can; parked at the switch it asks for the gate until that is open, and does what the workflow would.
"""

from __future__ import annotations

import asyncio
import dataclasses
import sys
import uuid
from datetime import UTC, datetime

from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.deliver import DeliverActivity
from activities.services import Services
from domain.delivery import DeliverInput
from domain.messages import GateOpened
from domain.state import EnrollmentState, can_send
from settings import load_settings
from store import enrollments, gates
from worker import open_services


async def main() -> None:
    """Send until killed."""
    sequence, count = sys.argv[1], int(sys.argv[2])
    async with open_services(load_settings()) as services:
        async with services.database.read() as connection:
            rows = await connection.fetch("SELECT id FROM enrollments WHERE sequence_id = $1 ORDER BY id", sequence)
        keys = [str(row["id"]) for row in rows]
        print("worker_started", flush=True)
        await asyncio.gather(*(_send(services, sequence, keys[number::count]) for number in range(count)))
        await asyncio.Event().wait()


async def _send(services: Services, sequence: str, keys: list[str]) -> None:
    deliver = DeliverActivity(services).deliver
    for key in keys:
        while True:
            async with services.database.read() as connection:
                row = await enrollments.get(connection, key)
            state = EnrollmentState.model_validate(row["state"])
            if not can_send(state):
                break
            assert state.step is not None
            environment = ActivityEnvironment()
            environment.info = dataclasses.replace(
                environment.info,
                activity_id=uuid.uuid4().hex[:8],
                workflow_run_id=str(row["run_id"]),
                started_time=datetime.now(UTC),
            )
            input = DeliverInput(enrollment=key, step=state.step.id, attempt=state.attempt, version=state.version + 1)
            try:
                result = await environment.run(deliver, input)
            except ApplicationError as error:
                if error.non_retryable:
                    raise
                continue  # as Temporal would
            if result.outcome == "hold":
                await _until_open(services, sequence, key)


async def _until_open(services: Services, sequence: str, key: str) -> None:
    while True:
        async with services.database.transaction() as connection:
            is_open, epoch = await gates.read(connection, "sequence", sequence)
            if is_open:
                message = GateOpened(id=uuid.uuid4().hex, gate="sequence", epoch=epoch)
                await enrollments.amend(connection, key, message, datetime.now(UTC))
                return
        await asyncio.sleep(0.02)


if __name__ == "__main__":
    asyncio.run(main())
