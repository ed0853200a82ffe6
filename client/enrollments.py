"""Start, stop and ask enrollments: the one way in for the HTTP API, the CLI and inbound mail.

What stops an enrollment is committed as a stop mark before its workflow is told: from that commit on no email leaves,
whether or not a worker lives. Everything may be repeated with the same `id` for the same effect.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain.delivery import Answer, EnrollmentInput
from domain.entry import examine
from domain.errors import DomainError, Refused
from domain.explain import answer
from domain.ids import WORKFLOW_TYPE, check_id, workflow_id
from domain.messages import COMMANDS, Message, Resume, Retry, SendNow, Skip, parse_message
from domain.state import EnrollmentState
from domain.transitions import apply, validate
from domain.waking import WakeInput, wake_id
from store import catalog, effects, enrollments, gates, marks
from store.audit import Result
from store.database import Connection, Database
from store.gates import Opened
from store.marks import Mark
from store.queries import sql

PATIENCE = 5.0
"""Seconds to wait for the workflow's answer before saying "accepted"."""


class WorkflowGone(DomainError):
    """The record is open, but no workflow of it runs: somebody terminated it. `onward check` lists these."""

    code = "workflow_gone"


@dataclass(frozen=True)
class Enrolled:
    """What became of one contact. `refused` lists why not; `warnings` what was said all the same.

    `pending`: the start is accepted, and no worker has admitted the contact yet.
    """

    contact: str
    enrollment: str | None = None
    workflow_id: str | None = None
    refused: tuple[Mapping[str, Any], ...] = ()
    warnings: tuple[Mapping[str, Any], ...] = ()
    pending: bool = False
    already_open: bool = False

    def as_json(self) -> dict[str, Any]:
        """For callers."""
        return {
            "contact": self.contact,
            "enrolled": self.enrollment is not None and not self.refused,
            "enrollment": self.enrollment,
            "workflow_id": self.workflow_id,
            "refused": list(self.refused),
            "warnings": list(self.warnings),
            "pending": self.pending,
            "already_open": self.already_open,
        }

    @property
    def audited(self) -> tuple[Result, str | None]:
        """What the audit says of it."""
        if self.refused:
            return "refused", str(self.refused[0]["code"])
        return "done", "pending" if self.pending else None


@dataclass
class Enrollments:
    """Enrollments as callers see them. `valid` says whether an address is well-formed."""

    client: Client
    database: Database
    valid: Callable[[str], bool]
    task_queue: str = "onward"
    patience: float = PATIENCE
    now: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))

    # -----------------------------------------------------------------------------------------------------------------
    # In

    async def enroll(
        self,
        sequence: str,
        contact: str,
        *,
        by: str,
        start_at: datetime | None = None,
        mailbox: str | None = None,
        overrides: Sequence[str] = (),
        on_conflict: Literal["refuse", "return"] = "refuse",
    ) -> Enrolled:
        """Enroll one contact. Refusals are answers, not errors. `on_conflict="return"`: an open enrollment of the same
        contact in the same sequence is answered instead of refused. Raises InvalidDefinition for malformed IDs."""
        check_id(sequence, "sequence")
        check_id(contact, "contact")
        key = workflow_id(sequence, contact)
        async with self.database.read() as connection:
            facts = await catalog.entry_facts(
                connection,
                sequence_id=sequence,
                contact_id=contact,
                mailbox_id=mailbox,
                overrides=frozenset(overrides),
                now=self.now(),
                valid=self.valid,
            )
        here = next((other for other in facts.here if other.open), None)
        if here is not None and not await self._runs(key):
            # Its workflow was terminated. Admission closes the record it left behind.
            facts = replace(facts, here=tuple(replace(other, open=False) for other in facts.here))
            here = None
        found = examine(facts)
        warnings = tuple(one.as_json() for one in found if one.warning)
        refused = tuple(one.as_json() for one in found if not one.warning)
        if here is not None and not here.settling and on_conflict == "return":
            return Enrolled(contact, here.enrollment, key, already_open=True)
        if refused:
            async with self.database.read() as connection:
                await connection.execute(
                    sql("enrollments.refuse"),
                    None,
                    sequence,
                    contact,
                    refused[0]["code"],
                    list(refused),
                    by,
                    self.now(),
                )
            return Enrolled(contact, None, key, refused, warnings)
        if here is not None and here.settling:
            await self._close_settling(key, here.enrollment)
        try:
            handle = await self.client.start_workflow(
                WORKFLOW_TYPE,
                EnrollmentInput(
                    sequence_id=sequence,
                    contact_id=contact,
                    by=by,
                    start_at=start_at,
                    mailbox_id=mailbox,
                    overrides=tuple(overrides),
                ),
                id=key,
                task_queue=self.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            )
        except WorkflowAlreadyStartedError as error:
            run = error.run_id
            if on_conflict == "return":
                return Enrolled(contact, run, key, already_open=True)
            return Enrolled(contact, None, key, ({"code": "already_in_sequence", "enrollment": run},), warnings)
        return await self._admitted(contact, key, handle.first_execution_run_id or "", warnings)

    async def _runs(self, key: str) -> bool:
        """Whether a workflow of this ID is open. Only the server knows: a record that says so may be left behind."""
        try:
            description = await self.client.get_workflow_handle(key).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return description.status is WorkflowExecutionStatus.RUNNING

    async def _admitted(self, contact: str, key: str, run: str, warnings: tuple[Mapping[str, Any], ...]) -> Enrolled:
        """Wait until the workflow's admission is on record, or for as long as patience lasts: the start is durable."""
        deadline = time.monotonic() + self.patience
        while True:
            async with self.database.read() as connection:
                if await connection.fetchval("SELECT 1 FROM enrollments WHERE id = $1", uuid.UUID(run)):
                    return Enrolled(contact, run, key, (), warnings)
                refusal = await connection.fetchrow(sql("enrollments.refusal"), uuid.UUID(run))
            if refusal is not None:
                refused = tuple(one for one in refusal["detail"] if not one.get("warning"))
                return Enrolled(contact, None, key, refused, warnings)
            if time.monotonic() >= deadline:
                return Enrolled(contact, run, key, (), warnings, pending=True)
            await asyncio.sleep(0.05)

    async def _close_settling(self, key: str, enrollment: str) -> None:
        """Re-enrollment during the settle time closes the settling run first."""
        if not await self._signal(key, "close_settling", {"id": f"close/{enrollment}"}):
            return
        deadline = time.monotonic() + self.patience
        handle = self.client.get_workflow_handle(key)
        while time.monotonic() < deadline:
            description = await handle.describe()
            if description.status is not None and description.status.name != "RUNNING":
                return
            await asyncio.sleep(0.05)

    # -----------------------------------------------------------------------------------------------------------------
    # Commands and facts

    async def command(self, enrollment: str, name: str, payload: Mapping[str, Any]) -> Answer:
        """Give a command. Raises Refused with a code and what is allowed, InvalidMessage, EnrollmentUnknown.

        Answers with the new status and plan; `adopted` is False where no worker has taken it up yet.
        """
        if name not in COMMANDS:
            raise Refused("command_unknown", f"there is no command {name!r}", allowed=COMMANDS)
        return await self._say(enrollment, self._message(name, payload))

    async def fact(self, enrollment: str, name: str, payload: Mapping[str, Any]) -> Answer:
        """Report a fact (reply, bounce, out_of_office, ...). Late ones amend the closed record. Never refused."""
        return await self._say(enrollment, self._message(name, payload))

    def _message(self, name: str, payload: Mapping[str, Any]) -> Message:
        message = parse_message(name, payload, strict=True)
        return message if message.id else message.model_copy(update={"id": str(uuid.uuid4())})

    async def _say(self, enrollment: str, message: Message) -> Answer:
        async with self.database.read() as connection:
            row = await enrollments.get(connection, enrollment)
            if isinstance(message, Resume | Retry) and message.mailbox is not None:
                listed = (await catalog.sequence(connection, row["sequence_id"])).definition.mailboxes
                if message.mailbox not in listed:
                    raise Refused("mailbox_unknown", f"the sequence sends from {', '.join(listed)}", field="mailbox")
        state = EnrollmentState.model_validate(row["state"])
        key = str(row["workflow_id"])
        if isinstance(message, SendNow | Skip) and message.step is None and state.step is not None:
            # The step that the caller has seen: by the time the workflow hears of it, it may be at another.
            message = message.model_copy(update={"step": state.step.id})
        if message.id not in state.seen:
            # The projection lags by one `record` at the most; the workflow looks again and has the last word.
            validate(state, message, self.now())
        if message.stops:
            return await self._stop(state, key, message)
        if row["closed"]:
            return await self._amend(state.enrollment, message)
        return await self._update(state, key, message)

    async def _stop(self, state: EnrollmentState, key: str, message: Message) -> Answer:
        """Commit the mark (and those of relatives, and a suppression), then tell the workflows."""
        async with self.database.transaction() as connection:
            placed = await self.record(connection, state, key, message)
        told = await self.tell(placed)
        if state.closed or state.enrollment not in told:
            return await self._amend(state.enrollment, message)
        return await self._adopted(state.enrollment, message)

    async def record(self, connection: Connection, state: EnrollmentState, key: str, message: Message) -> list[Mark]:
        """Place the stop mark of a message, and what must hold with it at once, in the caller's transaction; answers the marks
        to `tell` after its commit. From then on no email leaves for whom they stop. `key`: the workflow's ID. A closed
        enrollment gets no mark: the caller amends its record."""
        now = self.now()
        decision = apply(state, message, now)
        at_once = tuple(effect for effect in decision.effects if effect.kind == "suppress")
        # Of a closed one also what amending it will need, since no such lock may be taken once rows are.
        await effects.lock_for(connection, decision.effects if state.closed else at_once, contact=state.contact)
        # A closed record's workflow ID may be another enrollment's by now: nobody is to be told of it.
        placed = [] if state.closed else [Mark(state.enrollment, key, message.name, _payload(message))]
        for effect in decision.effects:
            if effect.kind == "fan_out":
                placed += await marks.relatives(connection, effect, contact=state.contact, enrollment=state.enrollment)
        await marks.lock_rows(connection, [mark.enrollment for mark in placed])
        await effects.perform(connection, at_once, state=state, by=message.by, now=now)
        for mark in placed:
            await marks.place(connection, mark, now=now)
        return placed

    async def tell(self, placed: Sequence[Mark]) -> set[str]:
        """Tell the workflows of recorded marks; answers the enrollments whose workflow runs (or may run: while Temporal is away
        the sweeper tells it later)."""
        told = await asyncio.gather(*(self._tell(mark) for mark in placed))
        return {mark.enrollment for mark, runs in zip(placed, told, strict=True) if runs}

    async def _tell(self, mark: Mark) -> bool:
        """Tell the workflow of its mark. False: none of that ID runs. While Temporal is away the mark holds all the same,
        and the sweeper tells the workflow later."""
        try:
            if not await self._signal(mark.workflow_id, mark.message, mark.payload):
                return False
        except RPCError:
            return True
        async with self.database.read() as connection:
            await marks.signalled(connection, mark)
        return True

    async def _adopted(self, enrollment: str, message: Message) -> Answer:
        assert message.id is not None
        deadline = time.monotonic() + self.patience
        adopted = False
        while not adopted and time.monotonic() < deadline:
            async with self.database.read() as connection:
                adopted = await marks.adopted(connection, enrollment, message.id)
            if not adopted:
                await asyncio.sleep(0.03)
        return await self._answer(enrollment, adopted=adopted)

    async def _update(self, state: EnrollmentState, key: str, message: Message) -> Answer:
        handle: WorkflowHandle[Any, Any] = self.client.get_workflow_handle(key)
        try:
            # Not asyncio.timeout: the SDK answers a cancellation only when its long poll ends, after 20 s.
            result: Answer = await handle.execute_update(
                message.name,
                _payload(message),
                id=message.id,
                result_type=Answer,
                rpc_timeout=timedelta(seconds=max(self.patience, 0.1)),
            )
            return result
        except WorkflowUpdateRPCTimeoutOrCancelledError:
            pass
        except WorkflowUpdateFailedError as error:
            raise _refused(error) from error
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return await self._amend(state.enrollment, message)
            if error.status not in (RPCStatusCode.DEADLINE_EXCEEDED, RPCStatusCode.CANCELLED):
                raise
        # No worker answers. The signal is durable, and with the same id the two have one effect.
        if not await self._signal(key, message.name, _payload(message)):
            return await self._amend(state.enrollment, message)
        return await self._answer(state.enrollment, adopted=False)

    async def _amend(self, enrollment: str, message: Message) -> Answer:
        """The workflow has ended: late facts amend the record by the same rules; late commands are refused."""
        now = self.now()
        async with self.database.transaction() as connection:
            row = await enrollments.get(connection, enrollment)
            state = EnrollmentState.model_validate(row["state"])
            if not state.closed and message.name in COMMANDS:
                raise WorkflowGone(f"enrollment {enrollment} is open, but no workflow of it runs")
            validate(state, message, now)
            await enrollments.amend(connection, enrollment, message, now)
        return await self._answer(enrollment, adopted=True)

    async def _answer(self, enrollment: str, *, adopted: bool) -> Answer:
        async with self.database.read() as connection:
            row = await enrollments.get(connection, enrollment)
        state = EnrollmentState.model_validate(row["state"])
        return answer(state, self.now()).model_copy(update={"adopted": adopted})

    async def _signal(self, key: str, name: str, payload: Any) -> bool:
        try:
            await self.client.get_workflow_handle(key).signal(name, payload)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise
        return True

    # -----------------------------------------------------------------------------------------------------------------
    # Gates

    async def switch(self, gate: Literal["global", "sequence"], key: str, *, on: bool, by: str) -> int | None:
        """The master switch: one row, however many are enrolled. Answers the new epoch, None when it stood so already.

        Off: from the commit on no email of the sequence leaves. On: a durable waker tells those that parked.
        """
        async with self.database.transaction() as connection:
            if gate == "sequence":
                await catalog.sequence(connection, key)
            epoch = await gates.switch(connection, gate, key, state="on" if on else "off", by=by, now=self.now())
        if on and epoch is not None:
            await self.wake(Opened(gate, key, epoch))
        return epoch

    async def set_mailbox(self, mailbox: str, state: Literal["up", "paused"], *, by: str) -> int | None:
        """Pause a mailbox, or open it again (also after a guardrail): everybody it held goes on together."""
        async with self.database.transaction() as connection:
            await catalog.mailbox(connection, mailbox)
            epoch = await gates.switch(connection, "mailbox", mailbox, state=state, by=by, now=self.now())
        if state == "up" and epoch is not None:
            await self.wake(Opened("mailbox", mailbox, epoch))
        return epoch

    async def wake(self, gate: Opened) -> None:
        """Start the durable waker of a gate's opening. It is started again by the worker's upkeep if this is lost."""
        await self.client.start_workflow(
            "Wake",
            WakeInput(gate=gate.gate, key=gate.key, epoch=gate.epoch),
            id=wake_id(gate.gate, gate.key, gate.epoch),
            task_queue=self.task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        )

    # -----------------------------------------------------------------------------------------------------------------
    # Questions

    async def own_status(self, enrollment: str) -> dict[str, Any]:
        """The workflow's own snapshot (query `status`). Raises RPCError when it has no worker or no history."""
        async with self.database.read() as connection:
            row = await enrollments.get(connection, enrollment)
        handle: WorkflowHandle[Any, Any] = self.client.get_workflow_handle(
            row["workflow_id"], run_id=str(row["run_id"])
        )
        result: dict[str, Any] = await handle.query("status")
        return result


def _payload(message: Message) -> dict[str, Any]:
    return message.model_dump(mode="json")


def _refused(error: WorkflowUpdateFailedError) -> Refused:
    cause = error.cause
    if not isinstance(cause, ApplicationError):
        return Refused("update_failed", str(cause))
    detail = cause.details[0] if cause.details and isinstance(cause.details[0], Mapping) else {}
    return Refused(
        cause.type or "update_failed",
        cause.message,
        allowed=tuple(detail.get("allowed") or ()),
        field=detail.get("field"),
    )
