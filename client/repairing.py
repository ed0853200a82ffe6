"""`onward check --repair`: mends what the checker found, where what is right is known, and says what it did.

While a workflow runs, what it says of itself is right (design section 4, invariant 5): it is told to record itself anew
(signal `repaired`), so that its record is written by nobody else. Where it has ended, its result is; where that is lost
(terminated, failed, deleted), the recorded stops are applied, and what is still on its way then is finished by hand with the
disposition `workflow_gone`: no email of it can leave, its slot is another's, and the contact can be enrolled again.
What differs in nothing is not touched, so a second repair does nothing. Every repair is a line `repaired` of the story.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from client.checking import Checker, Finding
from domain.delivery import EnrollmentResult, LogEntry
from domain.messages import parse_message
from domain.state import EnrollmentState, status
from domain.statuses import Outcome, Status
from domain.transitions import abandoned, in_order
from store import enrollments, marks
from store.database import Database
from store.queries import sql

ADVICE = {
    "silent": "its workflow says the same; read its history",
    "overdue": "see whether a worker runs and keeps up",
    "not_answering": "start a worker, and check again",
    "failing": "mend the cause that the worker's log names; it goes on by itself",
}
"""What a person does about findings that are no difference between records."""

TIMES = 50
"""How often, a tenth of a second apart, a record is looked at that its workflow was told to write anew."""


@dataclass(frozen=True)
class Repair:
    """What became of one finding. `done`: it is mended."""

    finding: Finding
    done: bool
    did: str

    def as_json(self) -> dict[str, Any]:
        """For callers."""
        return {**self.finding.as_json(), "repaired": self.done, "did": self.did}


async def repair(
    client: Client,
    database: Database,
    findings: Sequence[Finding],
    *,
    by: str,
    now: datetime,
    query_seconds: float = 5.0,
) -> tuple[Repair, ...]:
    """Mend one finding after the other. `by`: the actor that the stories name. `query_seconds`: as for `check`."""
    mender = _Mender(Checker.of(client, database, now, query_seconds), by, now)
    return tuple([await mender.mend(finding) for finding in findings])


@dataclass(frozen=True)
class _Mender:
    checker: Checker
    by: str
    now: datetime

    @property
    def database(self) -> Database:
        return self.checker.database

    async def mend(self, finding: Finding) -> Repair:
        done, did = False, ADVICE.get(finding.code, "")
        if finding.code == "projection_differs":
            done, did = await self._record_anew(finding)
        elif finding.code == "workflow_missing":
            done, did = await self._without_workflow(finding)
        elif finding.code == "record_missing":
            done, did = await self._without_record(finding)
        elif finding.code == "leftover":
            done, did = await self._clear(finding)
        return Repair(finding, done, did)

    # -----------------------------------------------------------------------------------------------------------------
    # The workflow runs

    async def _record_anew(self, finding: Finding) -> tuple[bool, str]:
        """Have the workflow write its record, over one that claims to be newer too."""
        assert finding.enrollment is not None
        handle = self.checker.client.get_workflow_handle(finding.workflow_id)
        try:
            own: dict[str, Any] = await handle.query("status", rpc_timeout=self.checker.patience)
            if own["enrollment"] != finding.enrollment:
                return False, "another enrollment runs under its workflow ID; check again"
            async with self.database.read() as connection:
                await connection.execute(sql("repair.no_newer_than"), UUID(finding.enrollment), own["version"])
            said = {"id": f"repair/{uuid.uuid4()}", "by": self.by, "differed": list(finding.differing)}
            await handle.signal("repaired", said)
        except RPCError as error:
            return False, f"its workflow could not be told ({error.status.name.lower()}); check again"
        for _ in range(TIMES):
            await asyncio.sleep(0.1)
            async with self.database.read() as connection:
                recorded = (await enrollments.get(connection, finding.enrollment))["version"] > own["version"]
            if recorded:
                return True, "its workflow recorded itself anew"
        return False, "its workflow was told to record itself anew and has not yet; check again"

    async def _without_record(self, finding: Finding) -> tuple[bool, str]:
        """A closed record of the workflow that runs is opened by it; without any record nothing can be written."""
        async with self.database.read() as connection:
            newest = await connection.fetchval(sql("enrollments.newest"), finding.workflow_id)
        latest = await self._latest(finding.workflow_id)
        if newest is None or latest is None or str(newest) != _enrollment_of(latest):
            return (
                False,
                "it has no record (admission failing, or lost): see the worker's log, or terminate and enroll again",
            )
        return await self._reopen(replace(finding, enrollment=str(newest)))

    async def _reopen(self, finding: Finding) -> tuple[bool, str]:
        """The record is closed and its workflow runs."""
        return await self._record_anew(replace(finding, differing=("closed",)))

    async def _latest(self, workflow: str) -> WorkflowExecutionDescription | None:
        """The last run under a workflow ID; None where there is none any more."""
        try:
            return await self.checker.client.get_workflow_handle(workflow).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise

    # -----------------------------------------------------------------------------------------------------------------
    # The workflow is gone

    async def _without_workflow(self, finding: Finding) -> tuple[bool, str]:
        enrollment = finding.enrollment
        assert enrollment is not None
        latest = await self._latest(finding.workflow_id)
        if latest is not None and _enrollment_of(latest) != enrollment:
            latest = None  # of the contact's next enrollment in the sequence
        if latest is not None and latest.status is WorkflowExecutionStatus.RUNNING:
            # A later run of it, of which the record does not know yet.
            return await self._record_anew(finding)
        async with self.database.read() as connection:
            if (await enrollments.get(connection, enrollment))["closed"]:
                return True, "it has closed meanwhile"
        result = None if latest is None else await self._result(latest)
        await self._apply_marks(enrollment)
        async with self.database.transaction() as connection:
            row = await enrollments.lock(connection, enrollment)
            assert row is not None
            state = row.state if row.closed else _ended(row.state, result)  # a recorded stop may have ended it
            told = {"found": finding.code, "status": status(state).value}
            await enrollments.project(
                connection,
                row,
                state,
                run_id=str(row.run_id),
                now=self.now,
                log=[self._line(**told)],
                source="repair",
            )
            await connection.execute(sql("slots.release"), UUID(enrollment))
        how = "as its workflow ended" if result is not None else "its workflow is gone"
        return True, f"its record is closed, {status(state).value} ({how}); its slot and parked rows are released"

    async def _result(self, ended: WorkflowExecutionDescription) -> EnrollmentResult | None:
        """What the workflow of an enrollment answered at its end; None where it was ended from outside."""
        if ended.status is not WorkflowExecutionStatus.COMPLETED:
            return None
        handle = self.checker.client.get_workflow_handle(ended.id, run_id=ended.run_id, result_type=EnrollmentResult)
        result: EnrollmentResult = await handle.result(rpc_timeout=self.checker.patience)
        return result

    async def _clear(self, finding: Finding) -> tuple[bool, str]:
        """What the status of a record has no use for; unless the record is wrong, and its workflow has."""
        enrollment = finding.enrollment
        assert enrollment is not None
        latest = await self._latest(finding.workflow_id)
        if latest is not None and latest.status is WorkflowExecutionStatus.RUNNING:
            async with self.database.read() as connection:
                closed = (await enrollments.get(connection, enrollment))["closed"]
            if closed and _enrollment_of(latest) == enrollment:
                return await self._reopen(finding)
        if "mark" in finding.differing:
            await self._apply_marks(enrollment)
        async with self.database.transaction() as connection:
            row = await enrollments.lock(connection, enrollment)
            assert row is not None
            if row.closed or status(row.state) is not Status.ACTIVE:
                await connection.execute(sql("slots.release"), UUID(enrollment))
            if row.closed:
                await connection.execute(sql("enrollments.unpark"), UUID(enrollment), [])
            line = self._line(found=finding.code, cleared=list(finding.differing))
            await enrollments.tell(connection, enrollment, [line], "repair")
        return True, f"cleared: {', '.join(finding.differing)}"

    async def _apply_marks(self, enrollment: str) -> None:
        """Stops that were recorded and that no workflow will take up any more amend the record, in order of precedence."""
        async with self.database.read() as connection:
            pending = await marks.pending(connection, enrollment)
        messages = [parse_message(mark["message"], mark["payload"], strict=False) for mark in pending]
        for message in in_order(messages):
            async with self.database.transaction() as connection:
                await enrollments.amend(connection, enrollment, message, self.now)

    def _line(self, **data: Any) -> LogEntry:
        return LogEntry(kind="repaired", by=self.by, at=self.now, id=f"repair/{uuid.uuid4()}", data=data)


def _enrollment_of(run: WorkflowExecutionDescription) -> str:
    """The enrollment that a run is of: the ID of its first run."""
    return run.raw_description.workflow_execution_info.first_run_id


def _ended(state: EnrollmentState, result: EnrollmentResult | None) -> EnrollmentState:
    """The closed state of an enrollment by its workflow's result, as far as that is known."""
    after = abandoned(state)
    if result is None:
        return after
    if result.status == Status.REMOVED.value:
        return after.model_copy(update={"removed": True, "outcome": state.outcome, "disposition": state.disposition})
    if result.status == Status.FINISHED.value and result.reason is not None:
        disposition = state.disposition if result.reason == Outcome.MANUAL.value else None
        ended = {"outcome": Outcome(result.reason), "disposition": disposition, "halt": None, "settle_until": None}
        return after.model_copy(update=ended)
    return after
