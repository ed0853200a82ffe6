"""`admit`, `record`, `reserve`: the steps that keep an enrollment's record, and its place in a mailbox's calendar."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.services import Clock, Services, typed_failures, valid_address
from activities.telling import fan_out
from domain import planner
from domain.delivery import (
    AdmitInput,
    AdmitResult,
    DeliverResult,
    Effect,
    LogEntry,
    RecordInput,
    RecordResult,
    ReserveResult,
)
from domain.entry import examine
from domain.ids import workflow_id
from domain.schedule import after, seen_by
from domain.sequences import Mailbox, Schedule, Sequence, StepRef, parse_definition, policy_of, step_ref, step_to_send
from domain.state import EnrollmentState, Slot, status
from domain.statuses import HoldKind, Status
from domain.transitions import abandoned, apply_reservation, caught_up, resolved
from domain.zones import ZoneChoice
from store import catalog, effects, enrollments, ledger, locks, slots
from store.database import Connection
from store.queries import sql

IN_FLIGHT = timedelta(seconds=1)
"""How long a run that was reset waits before it asks again what became of an email under way."""


class EnrollmentActivities:
    """The activities of one enrollment but `deliver`."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @activity.defn(name="admit")
    async def admit(self, input: AdmitInput) -> AdmitResult:
        """May this contact enter? Inserts the record and books the first slot. Repeated, it answers the same."""
        with typed_failures():
            return await self._admit(input, Clock().now())

    async def _admit(self, input: AdmitInput, now: datetime) -> AdmitResult:
        run_id = activity.info().workflow_run_id or ""
        async with self.services.database.transaction() as connection:
            # Two sequences that enroll the same contact at once: the second sees the first.
            await locks.exclude(connection, locks.CONTACT, input.contact_id)
            present = await enrollments.lock(connection, input.enrollment)
            if present is not None:
                return AdmitResult(state=await self._caught_up(connection, present, run_id, now))
            await self._close_abandoned(connection, input, now)
            facts = await catalog.entry_facts(
                connection,
                sequence_id=input.sequence_id,
                contact_id=input.contact_id,
                mailbox_id=input.mailbox_id,
                overrides=frozenset(input.overrides),
                now=now,
                valid=valid_address,
            )
            found = examine(facts)
            refusal = next((one for one in found if not one.warning), None)
            if refusal is not None:
                await connection.execute(
                    sql("enrollments.refuse"),
                    UUID(run_id),
                    input.sequence_id,
                    input.contact_id,
                    refusal.code,
                    [one.as_json() for one in found],
                    input.by,
                    now,
                )
                return AdmitResult(refused=refusal.code)
            assert facts.sequence is not None
            state = await self._first_state(connection, input, facts.sequence, now)
            await enrollments.insert(
                connection,
                state,
                workflow_id=workflow_id(input.sequence_id, input.contact_id),
                run_id=run_id,
                now=now,
                overrides=input.overrides,
            )
            warnings = [one.code for one in found if one.warning]
            told = {"mailbox": state.mailbox, "overrides": list(input.overrides), "warnings": warnings}
            entry = LogEntry(
                kind="enrolled", by=input.by, at=now, data={key: value for key, value in told.items() if value}
            )
            await enrollments.tell(connection, state.enrollment, [entry], f"{run_id[:8]}.admit")
            return AdmitResult(state=state)

    async def _caught_up(
        self, connection: Connection, row: enrollments.Row, run_id: str, now: datetime
    ) -> EnrollmentState:
        """The state of an enrollment that is admitted already, by this activity's earlier try or before a reset. The run that
        was cut off may not have heard, nor recorded, what became of its last email: then the ledger says. One that is still
        on its way is waited for, since the record may be past the attempt already: a skip, or a retry, may be on it."""
        state = row.state
        if state.step is None:
            return state
        email = await ledger.newest(connection, ledger.Key(state.enrollment, state.step.id, state.attempt))
        if email is None or email["settled_as"] is not None:
            return state
        log: list[LogEntry] = []
        result = None if email["result"] is None else DeliverResult.model_validate(email["result"])
        if email["state"] not in ledger.SETTLED:
            result = await self._given_up(connection, state.enrollment, state.step.id, email, now)
            if result is not None:
                log = [LogEntry(kind="delivery_unknown", by="system", at=now, data={"why": "owner_lost"})]
        if result is None:
            return state
        after = caught_up(state, email["attempt"], result)
        if after != state or log:
            await enrollments.project(connection, row, after, run_id=run_id, now=now, log=log, source="admit")
        return after

    async def _given_up(
        self, connection: Connection, enrollment: str, step: str, email: asyncpg.Record, now: datetime
    ) -> DeliverResult | None:
        """An email whose owner died: unknown past the point of no return, None before it. Raises while the owner lives."""
        key = ledger.Key(enrollment, step, email["attempt"])
        result = None
        gone = not email["lease_live"]
        if gone and email["state"] == "sending":
            result = DeliverResult(outcome="unknown", at=now, message_id=email["message_id"])
            gone = await ledger.expire(connection, key, email["fence"], now=now, result=result)
        elif gone:
            gone = await ledger.abandon(connection, key, email["fence"])
        if not gone:
            raise ApplicationError("an email is under way", type="send_in_flight", next_retry_delay=IN_FLIGHT)
        return result

    async def _close_abandoned(self, connection: Connection, input: AdmitInput, now: datetime) -> None:
        """An open record under this workflow's ID but of another run has no workflow any more (it was terminated, say):
        Temporal lets only one of an ID be open, and that is this one."""
        rows = await connection.fetch(
            sql("enrollments.abandoned"), workflow_id(input.sequence_id, input.contact_id), UUID(input.enrollment)
        )
        for row in rows:
            locked = await enrollments.lock(connection, str(row["id"]))
            assert locked is not None
            await enrollments.project(
                connection,
                locked,
                abandoned(locked.state),
                run_id=str(locked.run_id),
                now=now,
                log=[LogEntry(kind="workflow_gone", by="system", at=now)],
                source="abandoned",
            )

    async def _first_state(
        self, connection: Connection, input: AdmitInput, sequence: Sequence, now: datetime
    ) -> EnrollmentState:
        row = await connection.fetchrow(sql("definitions.sequence"), input.sequence_id)
        assert row is not None
        mailbox = input.mailbox_id or await slots.least_booked(connection, sequence.mailboxes)
        state = EnrollmentState(
            enrollment=input.enrollment,
            sequence=input.sequence_id,
            contact=input.contact_id,
            mailbox=mailbox,
            revision=row["revision"],
            policy=policy_of(sequence.settings),
            version=1,
            step=step_ref(sequence, 0),
        )
        terms = await Terms.read(self.services, connection, state)
        start = max(now, input.start_at) if input.start_at else now
        due = after(terms.schedule, start, sequence.steps[0].wait)
        slot = await terms.book(connection, state, step_ref(sequence, 0), due)
        return state.model_copy(update={"due": due, "slot": slot})

    @activity.defn(name="record")
    async def record(self, input: RecordInput) -> RecordResult:
        """Project a state change that no other activity carries; answers the ends of holds given as plain dates."""
        with typed_failures():
            now = Clock().now()
            parts = enrollments.split(input.effects)
            state = input.state
            async with self.services.database.transaction() as connection:
                row = await self._lock(connection, state, parts.own)
                until = await self._resolve(connection, state)
                await self._project(connection, row, resolved(state, state, until), input, parts.own, now)
            await fan_out(self.services, parts.fan_out, contact=state.contact, enrollment=state.enrollment, now=now)
            return RecordResult(until=until)

    @activity.defn(name="reserve")
    async def reserve(self, input: RecordInput) -> ReserveResult:
        """Find the step to send and book its slot, or find that all steps are done; projects the state with it."""
        with typed_failures():
            now = Clock().now()
            parts = enrollments.split(input.effects)
            async with self.services.database.transaction() as connection:
                row = await self._lock(connection, input.state, parts.own)
                until = await self._resolve(connection, input.state)
                state = resolved(input.state, input.state, until)
                result = await self._next(connection, state, now)
                result = result.model_copy(update={"until": until})
                await self._project(connection, row, apply_reservation(state, state, result), input, parts.own, now)
            await fan_out(self.services, parts.fan_out, contact=state.contact, enrollment=state.enrollment, now=now)
            return result

    async def _lock(self, connection: Connection, state: EnrollmentState, own: tuple[Effect, ...]) -> enrollments.Row:
        await effects.lock_for(connection, own, contact=state.contact)
        row = await enrollments.lock(connection, state.enrollment)
        if row is None:
            raise enrollments.EnrollmentUnknown(f"no enrollment {state.enrollment}")
        return row

    async def _project(
        self,
        connection: Connection,
        row: enrollments.Row,
        state: EnrollmentState,
        input: RecordInput,
        own: tuple[Effect, ...],
        now: datetime,
    ) -> None:
        run_id = activity.info().workflow_run_id or ""
        await enrollments.project(
            connection,
            row,
            state,
            run_id=run_id,
            now=now,
            log=input.log,
            adopted=input.adopted,
            source=str(input.state.version),
        )
        by = input.log[-1].by if input.log else "system"
        await effects.perform(connection, own, state=state, by=by, now=now)

    async def _resolve(self, connection: Connection, state: EnrollmentState) -> Mapping[HoldKind, datetime]:
        """The instants of holds given as a plain date or a return day, by the sequence's schedule as it is now."""
        waiting = [hold for hold in state.holds if hold.day is not None]
        if not waiting:
            return {}
        terms = await Terms.read(self.services, connection, state)
        ends = {hold.kind: planner.hold_end(hold, terms.schedule, terms.sequence.settings) for hold in waiting}
        return {kind: end for kind, end in ends.items() if end is not None}

    async def _next(self, connection: Connection, state: EnrollmentState, now: datetime) -> ReserveResult:
        if status(state) is not Status.ACTIVE or state.closed or state.step is None:
            return ReserveResult()
        terms = await Terms.read(self.services, connection, state)
        policy = terms.changed_policy(state)
        done = await ledger.done_steps(connection, state.enrollment)
        index = step_to_send(terms.sequence, state.step, advance=state.advance, done=done)
        if index is None:
            settle = after(terms.schedule, now, terms.sequence.settings.settle)
            return ReserveResult(settle_until=settle, **policy)
        due = state.due or now
        if state.advance:
            due = now if state.hurried else after(terms.schedule, now, terms.sequence.steps[index].wait)
        step = step_ref(terms.sequence, index)
        slot = await terms.book(connection, state, step, max(due, now))
        return ReserveResult(step=step, due=due, slot=slot, **policy)


class Terms:
    """What decides when an enrollment's next email may leave: its sequence, schedule and mailbox as they are now.

    `schedule` is the sequence's as it counts for this contact; `zone` says whence its zone is.
    """

    def __init__(
        self,
        sequence: Sequence,
        revision: int,
        schedule: Schedule,
        zone: ZoneChoice,
        calendar: slots.Calendar | None,
    ) -> None:
        self.sequence = sequence
        self.revision = revision
        self.schedule = schedule
        self.zone = zone
        self.calendar = calendar

    @classmethod
    async def read(cls, services: Services, connection: Connection, state: EnrollmentState) -> Terms:
        """Read them in one statement, definitions from the cache."""
        row = await connection.fetchrow(sql("definitions.of_enrollment"), state.sequence, state.mailbox, state.contact)
        assert row is not None
        sequence = await services.sequence(connection, state.sequence, row["revision"])
        own = await services.schedule(connection, row["schedule_id"], row["schedule_revision"])
        mailbox = None if row["mailbox"] is None else parse_definition(Mailbox, row["mailbox"])
        return cls.of(row, sequence, own, mailbox)

    @classmethod
    def of(cls, row: asyncpg.Record, sequence: Sequence, own: Schedule, mailbox: Mailbox | None) -> Terms:
        """From the definitions, and a row with the sequence's revision, the contact's place and the mailbox's `not_before`."""
        schedule, zone = seen_by(own, row["contact_zone"], row["contact_country"])
        calendar = None
        if mailbox is not None:
            calendar = slots.Calendar(mailbox.id, schedule, own, mailbox.limits, row["not_before"])
        return cls(sequence, row["revision"], schedule, zone, calendar)

    def changed_policy(self, state: EnrollmentState) -> dict[str, object]:
        """The policy for the workflow, when the sequence has a newer revision than it holds."""
        if self.revision == state.revision:
            return {}
        return {"revision": self.revision, "policy": policy_of(self.sequence.settings)}

    def email(self, state: EnrollmentState, step: StepRef) -> slots.Email:
        """The email of a step as calendars see it."""
        touch_gap = self.sequence.settings.touch_gap.delta
        return slots.Email(state.enrollment, state.contact, step.id, state.sent == 0, touch_gap)

    async def book(
        self, connection: Connection, state: EnrollmentState, step: StepRef, due: datetime, cause: str | None = None
    ) -> Slot:
        """Book the earliest slot from `due` on. Without a mailbox there is no calendar: the guard will say so then."""
        if self.calendar is None:
            return Slot(at=due)
        return await slots.book(connection, self.calendar, self.email(state, step), due=due, cause=cause)

    def following(
        self, step: StepRef, done: Collection[str], slot: datetime | None, now: datetime
    ) -> tuple[StepRef | None, datetime]:
        """The step after `step`, which left at `now` from `slot`, and its due time; or no step and the end of the settle time.
        `done`: IDs of steps that went out before."""
        return planner.following(self.sequence, self.schedule, step, done, slot, now)


def backoff(base: float, tries: int, cap: float = 4 * 3600) -> timedelta:
    """The wait before try `tries` + 1: doubling from `base` seconds, `cap` seconds at most."""
    return timedelta(seconds=min(base * 2 ** max(tries - 1, 0), max(cap, base)))
