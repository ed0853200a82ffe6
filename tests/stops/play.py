"""The witnesses of a stop: what Temporal, PostgreSQL and the recipients say of an enrollment; and servers for many tests."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowTaskFailedCause
from temporalio.api.workflowservice.v1 import ResetStickyTaskQueueRequest, ResetWorkflowExecutionRequest
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from embedded.recipients import Recipients
from store import marks
from tests.harness import World, eventually, open_world
from tests.servers import Servers, own_database

RESET = WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW
"""How the server marks, in the new run's history, the task at which a reset cut the old one."""


@asynccontextmanager
async def lasting_world(stack: Servers, **settings: Any) -> AsyncIterator[World]:
    """A world of its own that serves a whole module: its database, its recipients, no worker yet."""
    async with own_database(stack) as url:
        with Recipients() as recipients:
            async with open_world(stack.temporal_address, url, recipients, **settings) as world:
                yield world


def workflow_id(world: World, contact: str, sequence: str | None = None) -> str:
    return f"enrollment/{sequence or world.sequence}/{contact}"


async def health(world: World, key: str) -> list[str]:
    """What is wrong with a workflow: failed tasks in its history, or one that is being tried again."""
    handle = world.client.get_workflow_handle(key)
    history = await handle.fetch_history()
    wrong = [
        f"{event.event_id}: {event.workflow_task_failed_event_attributes.failure.message}"
        for event in history.events
        if event.HasField("workflow_task_failed_event_attributes")
        and event.workflow_task_failed_event_attributes.cause != RESET
    ]
    description = await handle.describe()
    attempt = description.raw_description.pending_workflow_task.attempt
    return wrong + ([f"workflow task attempt {attempt}"] if attempt > 1 else [])


async def pending_marks(world: World, enrollment: str) -> list[str]:
    async with world.database.read() as connection:
        return [mark["message"] for mark in await marks.pending(connection, enrollment)]


async def until_adopted(world: World, enrollment: str) -> None:
    async def there() -> bool:
        return not await pending_marks(world, enrollment)

    await eventually(there, lambda: world.describe(enrollment))


async def forget_worker(world: World, key: str) -> None:
    """Tell the server at once what it would find out in 10 s: that the worker which cached this workflow is gone."""
    await world.client.workflow_service.reset_sticky_task_queue(
        ResetStickyTaskQueueRequest(namespace=world.client.namespace, execution=WorkflowExecution(workflow_id=key))
    )


async def reset(world: World, contact: str, enrollment: str) -> str:
    """Reset its workflow to the first task; answers the run that was cut off."""
    key = workflow_id(world, contact)
    history = await world.client.get_workflow_handle(key).fetch_history()
    first = next(
        event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")
    )
    old = str((await world.row(enrollment))["run_id"])
    await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=key, run_id=old),
            reason="test",
            workflow_task_finish_event_id=first,
            request_id=str(uuid.uuid4()),
        )
    )
    return old


async def until_taken_over(world: World, enrollment: str, old: str) -> None:
    """Wait until another run than `old` has recorded itself."""

    async def taken_over() -> bool:
        return str((await world.row(enrollment))["run_id"]) != old

    await eventually(taken_over, lambda: world.describe(enrollment))


async def time_out_activities(world: World, key: str) -> None:
    """Tell the server at once what its heartbeat time-out would say in 30 s: that the activity's worker is gone."""
    description = await world.client.get_workflow_handle(key).describe()
    for activity in description.raw_description.pending_activities:
        handle = world.client.get_async_activity_handle(
            workflow_id=key, run_id=description.run_id, activity_id=activity.activity_id
        )
        # It may have come to its end in the meantime: another worker lives already.
        try:
            await handle.fail(ApplicationError("the worker was killed", type="worker_killed"))
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise


async def count_events(world: World, key: str, kind: str) -> int:
    history = await world.client.get_workflow_handle(key).fetch_history()
    return sum(1 for event in history.events if event.HasField(f"{kind}_event_attributes"))  # type: ignore[arg-type]
