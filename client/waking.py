"""How far the durable waker of an opened gate has come."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowExecutionStatus, WorkflowHandle, WorkflowQueryRejectedError
from temporalio.service import RPCError, RPCStatusCode

from client.enrollments import Enrollments
from domain.waking import wake_id
from store import gates

PATIENCE = timedelta(seconds=3)


@dataclass(frozen=True)
class Progress:
    """`parked`: how many wait at the gate now. `waking`: whether the waker of this epoch runs. `woken`: how many it has
    told; None where nobody can say (no waker for this epoch, or no worker that answers)."""

    epoch: int
    open: bool
    parked: int
    waking: bool
    woken: int | None


async def progress(enrollments: Enrollments, gate: str, key: str) -> Progress:
    """How far waking those parked at a gate has come. Raises RPCError when Temporal is away."""
    async with enrollments.database.read() as connection:
        is_open, epoch = await gates.read(connection, gate, key)
        parked = await gates.parked(connection, gate, key)
    handle: WorkflowHandle[Any, Any] = enrollments.client.get_workflow_handle(wake_id(gate, key, epoch))
    try:
        description = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return Progress(epoch, is_open, parked, False, None)
        raise
    waking = description.status is WorkflowExecutionStatus.RUNNING
    return Progress(epoch, is_open, parked, waking, await _woken(handle))


async def _woken(handle: WorkflowHandle[Any, Any]) -> int | None:
    try:
        answer: dict[str, int] = await handle.query("progress", rpc_timeout=PATIENCE)
    except (RPCError, WorkflowQueryRejectedError):
        # A query needs a worker.
        return None
    return answer["woken"]
