"""The silence checker: proves over all open enrollments that nothing stands still unseen (design section 4, invariant 4).

Reads only; `client.repairing` mends. Each finding has a stable `code`:
`silent` names no next wake-up and nobody it waits for; `overdue` should have woken itself; `workflow_missing` has an open
record and no running workflow; `record_missing` the reverse; `not_answering` its workflow answers no query (no worker?);
`failing` its workflow tasks fail; `projection_differs` the record is not what the workflow says of itself; `leftover` keeps a
slot, a wake-up at a gate or a recorded stop that its status has no use for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from temporalio.client import Client, WorkflowExecutionStatus, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from domain.explain import snapshot
from domain.ids import WORKFLOW_TYPE
from domain.state import EnrollmentState
from domain.waking import NOBODY
from store import enrollments
from store.database import Database
from store.queries import sql

GRACE = timedelta(seconds=60)
"""How late a wake-up, an admission or a slot may be before it counts as silence: workers restart, servers are busy."""

PAGE = 500
AT_ONCE = 20
LOOKS = 8
"""How often a difference is looked at again: the record lags by one `record`, and an email may just be leaving."""

COMPARED = (
    "own_status",
    "reason",
    "step",
    "attempt",
    "due",
    "slot",
    "holds",
    "halt",
    "outcome",
    "sent",
    "wake_at",
    "closed",
)
"""What record and workflow must agree on. Not `version`: a running `deliver` is one ahead."""


@dataclass(frozen=True)
class Finding:
    """Something wrong with one enrollment. `enrollment` is None where there is no record. `differing`: the fields that
    differ, or what is left over."""

    code: str
    workflow_id: str
    enrollment: str | None
    detail: str
    differing: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """For callers."""
        return {**asdict(self), "differing": list(self.differing)}


@dataclass(frozen=True)
class Report:
    """How many open enrollments were looked at, and what is wrong."""

    checked: int
    findings: tuple[Finding, ...]


async def check(client: Client, database: Database, *, now: datetime, query_seconds: float = 5.0) -> Report:
    """Look at every open record and every running workflow. `query_seconds`: how long a workflow may take to answer."""
    checker = Checker.of(client, database, now, query_seconds)
    found: list[Finding] = []
    seen: set[str] = set()
    async for page in checker.open_records():
        seen.update(workflow for _, workflow in page)
        limit = asyncio.Semaphore(AT_ONCE)

        async def one(record: tuple[str, str], limit: asyncio.Semaphore = limit) -> list[Finding]:
            async with limit:
                return await checker.look(*record)

        for findings in await asyncio.gather(*(one(record) for record in page)):
            found += findings
    found += await checker.without_record(seen)
    found += await checker.leftovers()
    known = {finding.workflow_id for finding in found}
    found += [finding for finding in await checker.reported() if finding.workflow_id not in known]
    return Report(len(seen), tuple(found))


@dataclass(frozen=True)
class Checker:
    """Looks at one thing at a time. `patience`: how long a workflow may take to answer."""

    client: Client
    database: Database
    now: datetime
    patience: timedelta

    @classmethod
    def of(cls, client: Client, database: Database, now: datetime, query_seconds: float) -> Checker:
        """A checker as of `now`."""
        return cls(client, database, now, timedelta(seconds=query_seconds))

    async def open_records(self) -> AsyncIterator[list[tuple[str, str]]]:
        """Pages of (enrollment, workflow ID)."""
        after = UUID(NOBODY)
        while True:
            async with self.database.read() as connection:
                rows = await connection.fetch(sql("enrollments.open_ids"), after, PAGE)
            if not rows:
                return
            yield [(str(row["id"]), str(row["workflow_id"])) for row in rows]
            after = rows[-1]["id"]

    async def look(self, enrollment: str, workflow: str) -> list[Finding]:
        """One open record and its workflow."""
        differing: list[str] = []
        difference = ""
        for _ in range(LOOKS):
            async with self.database.read() as connection:
                row = await enrollments.get(connection, enrollment)
            if row["closed"]:
                return []
            own = await self._ask(enrollment, workflow, str(row["run_id"]))
            if isinstance(own, Finding):
                if await self._closed_meanwhile(enrollment):
                    return []
                return [own]
            shown = snapshot(EnrollmentState.model_validate(row["state"]), self.now)
            differing = [name for name in COMPARED if shown[name] != own.get(name)]
            if not differing:
                silence = self._silence(enrollment, workflow, shown, row["last_event_at"])
                return [silence] if silence else []
            difference = "; ".join(f"{name}: record {shown[name]}, workflow {own.get(name)}" for name in differing)
            await asyncio.sleep(0.5)
        return [Finding("projection_differs", workflow, enrollment, difference, tuple(differing))]

    def _silence(self, enrollment: str, workflow: str, shown: dict[str, Any], since: datetime) -> Finding | None:
        coming = shown["next"]
        wake = shown["wake_at"]
        if wake is None and not coming.get("waits_for"):
            return Finding("silent", workflow, enrollment, f"next is {coming}")
        if coming["what"] == "reserve" and since + GRACE < self.now:
            return Finding("silent", workflow, enrollment, "it waits for a slot since its last event")
        if wake is not None and datetime.fromisoformat(wake) + GRACE < self.now:
            return Finding("overdue", workflow, enrollment, f"it should have gone on at {wake}")
        return None

    async def _ask(self, enrollment: str, workflow: str, run: str) -> dict[str, Any] | Finding:
        handle = self.client.get_workflow_handle(workflow, run_id=run)
        try:
            answer: dict[str, Any] = await handle.query("status", rpc_timeout=self.patience)
        except WorkflowQueryFailedError as error:
            return Finding("not_answering", workflow, enrollment, str(error))
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return Finding("workflow_missing", workflow, enrollment, "the record is open")
            failures = await self._failures(workflow, run)
            if failures > 1:
                return Finding("failing", workflow, enrollment, f"its workflow task has failed {failures - 1} times")
            return Finding("not_answering", workflow, enrollment, error.message or error.status.name)
        if not await self._runs(workflow, run):
            return Finding("workflow_missing", workflow, enrollment, "the record is open, its workflow has ended")
        return answer

    async def _runs(self, workflow: str, run: str) -> bool:
        described = await self.client.get_workflow_handle(workflow, run_id=run).describe()
        return described.status is WorkflowExecutionStatus.RUNNING

    async def _failures(self, workflow: str, run: str) -> int:
        """Which attempt at its workflow task this is; 0 where none is pending or nobody says."""
        try:
            described = await self.client.get_workflow_handle(workflow, run_id=run).describe()
        except RPCError:
            return 0
        return described.raw_description.pending_workflow_task.attempt

    async def _closed_meanwhile(self, enrollment: str) -> bool:
        async with self.database.read() as connection:
            return bool((await enrollments.get(connection, enrollment))["closed"])

    async def without_record(self, seen: set[str]) -> list[Finding]:
        """Running workflows that have no open record, though they were started a while ago."""
        found = []
        query = f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running'"
        async for execution in self.client.list_workflows(query):
            young = execution.start_time + GRACE > self.now
            if execution.id in seen or young or not await self._runs(execution.id, execution.run_id):
                continue
            async with self.database.read() as connection:
                newest = await connection.fetchval(sql("enrollments.newest"), execution.id)
                is_open = newest is not None and not (await enrollments.get(connection, str(newest)))["closed"]
            if not is_open:
                found.append(
                    Finding("record_missing", execution.id, None, f"running since {execution.start_time.isoformat()}")
                )
        return found

    async def leftovers(self) -> list[Finding]:
        """Rows that nobody has a use for."""
        async with self.database.read() as connection:
            rows = await connection.fetch(sql("repair.leftovers"), GRACE)
        return [
            Finding(
                "leftover", row["workflow_id"], str(row["id"]), f"left: {', '.join(row['what'])}", tuple(row["what"])
            )
            for row in rows
        ]

    async def reported(self) -> list[Finding]:
        """Workflows of which Temporal itself reports that their tasks keep failing."""
        query = (
            f"WorkflowType = '{WORKFLOW_TYPE}' AND ExecutionStatus = 'Running' AND TemporalReportedProblems IS NOT NULL"
        )
        return [
            Finding("failing", execution.id, None, "Temporal reports failing workflow tasks")
            async for execution in self.client.list_workflows(query)
        ]
