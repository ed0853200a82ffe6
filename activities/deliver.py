"""`deliver`: guards, claim, SMTP, record and the next slot, in one activity. At most one email leaves per attempt.

Three commits: the claim (message bytes and Message-ID fixed), `sending` (the point of no return, right before DATA, under
the shared locks of store.locks), and the outcome with the next slot and the projection. The ledger is read before the
guards, so a repeated activity returns the stored answer.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

import asyncpg
from temporalio import activity
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError

from activities.composing import Email, email_for, return_path
from activities.enrollment import Terms, backoff
from activities.overdue import LATE, take_turn
from activities.services import Clock, Services, typed_failures, valid_address
from activities.telling import fan_out
from domain.capacity import Broken
from domain.delivery import DeliverInput, DeliverResult, Effect, LogEntry
from domain.guards import Check, Facts, evaluate
from domain.ids import workflow_id
from domain.schedule import is_open
from domain.sequences import Mailbox, Step, StepRef, find_step, parse_definition
from domain.state import EnrollmentState, can_send
from domain.statuses import HaltKind, HoldKind, StageEvent
from domain.transitions import apply_delivery
from mail.errors import (
    CredentialInvalid,
    CredentialMissing,
    SmtpError,
    SmtpLost,
    SmtpMisconfigured,
    SmtpRefused,
    SmtpUnavailable,
    SmtpUnsupported,
)
from mail.refusals import Refusal, judge
from mail.smtp import Connection as SmtpConnection
from store import effects, enrollments, gates, ledger, locks, marks, slots
from store.database import UNAVAILABLE, Connection
from store.effects import FIRST_STAGE
from store.facts import guard_facts
from store.ledger import Claim, Key
from store.marks import Mark

HEARTBEAT_AFTER = 10.0
"""Seconds before the first heartbeat: an ordinary send is over by then and costs none."""

T = TypeVar("T")

_PASSING: tuple[type[BaseException], ...] = (
    *UNAVAILABLE,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.ReadOnlySQLTransactionError,
)
"""What passes when it is tried again; a read-only server is one that fails over."""
LOGIN_PHASES = ("connect", "greeting", "ehlo", "starttls", "auth")


PATIENCE = timedelta(seconds=10)
"""By so much the email before may have been late; the one behind it waits for as long, and does not go to the queue's end."""

UNREAD_WAIT, UNREAD_FAILING = timedelta(seconds=5), timedelta(minutes=5)
"""How long an email waits for its mailbox to be read, before it is looked at again: at its first reading, or after an
outage, that takes seconds; where its server does not answer, it may take long."""


class _Withdrawn(Exception):
    """Something came between the claim and the point of no return: look again from the start."""

    def __init__(self, limit: str | None = None) -> None:
        self.limit = limit


@dataclass(frozen=True)
class Case:
    """One attempt with all its facts, read at one moment."""

    row: asyncpg.Record
    state: EnrollmentState
    step: Step
    ref: StepRef
    terms: Terms
    mailbox: Mailbox | None
    facts: Facts
    email: Email | None

    @property
    def outgoing(self) -> slots.Email:
        """The email as calendars see it."""
        return self.terms.email(self.state, self.ref)


class DeliverActivity:
    """The activity `deliver`."""

    def __init__(self, services: Services) -> None:
        self.services = services

    @activity.defn(name="deliver")
    async def deliver(self, input: DeliverInput) -> DeliverResult:
        """Send one attempt of one step, or say why not. An error never means "not sent": the ledger says."""
        with typed_failures():
            return await _Delivery(self.services, input).run()


class _Delivery:
    """One run of `deliver`."""

    def __init__(self, services: Services, input: DeliverInput) -> None:
        self.services = services
        self.config = services.config
        self.database = services.database
        self.input = input
        self.key = Key(input.enrollment, input.step, input.attempt)
        self.clock = Clock()
        info = activity.info()
        self.run_id = info.workflow_run_id or ""
        self.owner = f"{info.activity_id}/{info.attempt}@{self.run_id}"

    async def run(self) -> DeliverResult:
        """Look, and act on what is there. A stop or limit that comes before the point of no return sends us back to look."""
        limit: str | None = None
        for _ in range(5):
            found = await self._look(limit)
            if isinstance(found, DeliverResult):
                return found
            case, claim = found
            try:
                return await self._send(case, claim)
            except _Withdrawn as withdrawn:
                limit = withdrawn.limit
        raise ApplicationError("the facts kept changing between claim and sending", type="facts_unstable")

    # -----------------------------------------------------------------------------------------------------------------
    # Before the claim

    async def _look(self, limit: str | None) -> DeliverResult | tuple[Case, Claim]:
        async with self.database.read() as connection:
            row = await ledger.context(connection, self.key)
            if row is None:
                raise enrollments.EnrollmentUnknown(f"no enrollment {self.key.enrollment}")
            if row["ledger_state"] in ledger.SETTLED and row["result"] is not None:
                return DeliverResult.model_validate(row["result"])
            if row["ledger_state"] in ("claimed", "sending") and row["lease_live"]:
                raise ApplicationError(
                    "another owner works on this email",
                    type="send_in_flight",
                    next_retry_delay=timedelta(seconds=row["lease_left"] + 0.5),
                )
            if row["ledger_state"] == "sending":
                return await self._expire(connection, row)
            state = EnrollmentState.model_validate(row["state"])
            # A claim's owner died before DATA. Whatever comes next, a stop included, the ledger says that nothing left.
            if row["ledger_state"] == "claimed" and not await ledger.abandon(connection, self.key, row["fence"]):
                raise ApplicationError("its owner went on", type="send_in_flight")
            if not self._in_step(row):
                return DeliverResult(outcome="resync")
            if row["marks"]:
                return DeliverResult(outcome="stopped", marks=tuple(_mark(mark) for mark in row["marks"]))
            if not can_send(state):
                return DeliverResult(outcome="resync")
            case = await self._case(connection, row, state)
            if case is None:
                # The step was taken out of the sequence: `reserve` finds the one to send instead.
                return DeliverResult(outcome="wait")
        check = evaluate(case.facts).failed
        now = case.facts.now
        if check is not None:
            return await self._stopped_by(case, check)
        slow = case.row["not_before"] is not None and case.row["not_before"] > now
        unread, wait = case.row["unread_for"], timedelta()
        if unread is not None and unread > self.config.imap_fresh.total_seconds():
            # As after an outage of ours: there may be a reply that nobody has looked at.
            wait = UNREAD_FAILING if case.row["unread_code"] else UNREAD_WAIT
        booked = case.row["booked_at"]
        if booked is not None and booked < now - LATE:
            booked = await take_turn(self.services, self.key.enrollment, now + wait)
        if booked is not None and booked > now + slots.TOLERANCE:
            return await self._moved(case)
        if wait:
            return await self._rebook(case, "unread", now + wait)
        if limit is not None or slow or not is_open(case.terms.schedule, now):
            return await self._rebook(case, limit or ("backoff" if slow else "window"))
        return await self._claim(case)

    def _in_step(self, row: asyncpg.Record) -> bool:
        """Whether the projection is the state that the workflow had when it scheduled us."""
        return str(row["run_id"]) == self.run_id and row["version"] == self.input.version - 1

    async def _case(self, connection: Connection, row: asyncpg.Record, state: EnrollmentState) -> Case | None:
        sequence = await self.services.sequence(connection, row["sequence_id"], row["revision"])
        schedule = await self.services.schedule(connection, row["schedule_id"], row["schedule_revision"])
        mailbox = parse_definition(Mailbox, row["mailbox"]) if row["mailbox"] is not None else None
        terms = Terms.of(row, sequence, schedule, mailbox)
        assert state.step is not None
        index = find_step(sequence, state.step)
        if index is None or sequence.steps[index].id != state.step.id:
            return None
        step = sequence.steps[index]
        now = self.clock.now()
        email = email_for(row=row, step=step, mailbox=mailbox, key=self.key, config=self.config, now=now)
        facts = guard_facts(
            row,
            state=state,
            settings=sequence.settings,
            step=step,
            mailbox=mailbox,
            attempt=self.input.attempt,
            now=now,
            valid=valid_address,
            missing_variables=email.missing,
            template_error=email.template_error,
        )
        return Case(row, state, step, state.step, terms, mailbox, facts, email)

    async def _expire(self, connection: Connection, row: asyncpg.Record) -> DeliverResult:
        """The owner died past the point of no return. Nobody can know; nothing is sent again by itself.

        On the connection at hand: many come here at once after a crash, and each asking for a second one would leave the
        pool locked up for good.
        """
        now = self.clock.now()
        result = DeliverResult(outcome="unknown", at=now, message_id=row["message_id"])
        async with connection.transaction():
            locked = await self._lock(connection)
            if not await ledger.expire(connection, self.key, row["fence"], now=now, result=result):
                raise ApplicationError("the row moved on", type="send_in_flight")
            await self._project(connection, locked, result, "delivery_unknown", {"why": "owner_lost"}, now)
        return result

    async def _claim(self, case: Case) -> tuple[Case, Claim]:
        row, email, mailbox = case.row, case.email, case.mailbox
        assert email is not None
        assert mailbox is not None
        assert email.message is not None
        async with self.database.read() as connection:
            claim = await ledger.claim(
                connection,
                self.key,
                sequence=row["sequence_id"],
                contact=row["contact_id"],
                mailbox=mailbox.id,
                message_id=email.message_id,
                recipient=email.recipient,
                subject=email.subject,
                message=email.message,
                owner=self.owner,
                lease=self.config.lease,
                due=case.state.due,
                fence=row["fence"] or 0,
            )
        if claim is None:
            raise ApplicationError("another owner took this email", type="send_in_flight")
        return case, claim

    # -----------------------------------------------------------------------------------------------------------------
    # What stands in the way

    async def _stopped_by(self, case: Case, check: Check) -> DeliverResult:
        now = case.facts.now
        if check.verdict == "hold":
            return await self._park(case, check)
        result = DeliverResult(outcome="not_sent", reason=check.reason, at=now)
        data = {"reason": check.reason, "guard": check.guard, **_facts_of(check)}
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            await self._project(connection, locked, result, "not_sent", data, now)
            if check.reason in ("template_error", "mailbox_missing"):
                sequence = case.row["sequence_id"]
                await gates.park(connection, self.key.enrollment, "template", sequence, case.row["revision"])
        return result

    async def _park(self, case: Case, check: Check) -> DeliverResult:
        """Park at a closed gate, in the transaction that reads it under its lock; if it has opened by now, look again."""
        now = case.facts.now
        assert check.gate is not None
        gate_key = {"global": "", "sequence": case.row["sequence_id"], "mailbox": case.row["mailbox_id"]}[check.gate]
        async with self.database.transaction() as connection:
            await locks.share(
                connection,
                sequence=case.row["sequence_id"],
                mailbox=case.row["mailbox_id"] or "",
                contact=case.row["contact_id"],
                address=case.row["email"] or "",
            )
            open_now, epoch = await gates.read(connection, check.gate, gate_key)
            if not open_now:
                locked = await self._lock(connection)
                result = DeliverResult(outcome="hold", hold=check.hold, gate=check.gate, epoch=epoch, at=now)
                data = {"hold": check.hold, "gate": check.gate, "epoch": epoch}
                await gates.park(connection, self.key.enrollment, check.gate, gate_key, epoch)
                await self._project(connection, locked, result, "parked", data, now)
                return result
        raise ApplicationError("the gate opened meanwhile", type="gate_opened", next_retry_delay=timedelta(0))

    async def _rebook(self, case: Case, cause: str, earliest: datetime | None = None) -> DeliverResult:
        """The slot no longer fits (an outage, a changed window or limit): take the next one that does."""
        now = case.facts.now
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            if not self._fresh(locked):
                return DeliverResult(outcome="resync")
            slot = await case.terms.book(connection, case.state, case.ref, earliest or now, cause)
            result = DeliverResult(outcome="wait", slot=slot)
            await self._project(connection, locked, result, "rebooked", {"cause": slot.cause, "at": slot.at}, now)
        return result

    async def _moved(self, case: Case) -> DeliverResult:
        """An edit of the schedule or of a limit moved the booking to later (activities/replanning.py), or its turn after an
        outage did (activities/overdue.py): wait for it there. Not searched for anew: the booking behind it may stand so near that its place would not be found again."""
        now = case.facts.now
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            slot = await slots.booked(connection, self.key.enrollment)
            if slot is None or not self._fresh(locked):
                return DeliverResult(outcome="resync")
            result = DeliverResult(outcome="wait", slot=slot)
            await self._project(connection, locked, result, "rebooked", {"cause": slot.cause, "at": slot.at}, now)
        return result

    # -----------------------------------------------------------------------------------------------------------------
    # Sending

    async def _send(self, case: Case, claim: Claim) -> DeliverResult:
        assert case.mailbox is not None
        assert case.email is not None
        passed = False
        async with self._alive(claim):
            try:
                server = self.services.server(case.mailbox)
                async with self.services.smtp.connection(case.mailbox.id, server) as smtp:
                    sender = return_path(self.config, case.mailbox, self.key.enrollment)
                    await smtp.envelope(sender, case.email.recipient, size=len(case.email.message or b""))
                    slot = await self._pass_point_of_no_return(case, claim, smtp)
                    passed = True
                    # From here on the outcome is waited for and written, whatever is cancelled.
                    return await _shielded(self._hand_over(case, claim, smtp, slot))
            except SmtpRefused as error:
                return await _shielded(self._refused(case, claim, error, None))
            except (SmtpUnavailable, SmtpMisconfigured, SmtpUnsupported) as error:
                return await _shielded(self._unreachable(case, claim, error, None))
            except (CredentialMissing, CredentialInvalid) as error:
                return await _shielded(self._mailbox_down(case, claim, error.code, None, None))
            except asyncio.CancelledError:
                # Before the point of no return: nothing left. The row is given back for whoever comes next. Past it, a
                # stopping worker did not get to write the outcome: the row stays `sending` and shows as unknown.
                if not passed:
                    with contextlib.suppress(Exception):
                        await _shielded(self._withdraw(claim))
                raise

    async def _pass_point_of_no_return(self, case: Case, claim: Claim, smtp: SmtpConnection) -> int:
        """Commit `sending`, or withdraw. Whoever recorded a stop before this commit has stopped the email.

        An email leaves a moment after its slot, so the one behind it, booked at the edge of a limit, would break it by as
        much: that moment is waited for here, since another slot would cost another activity, and its place in the queue.
        """
        patience = self.clock.now() + PATIENCE
        try:
            while True:
                passed = await self._try_to_pass(case, claim)
                if isinstance(passed, int):
                    return passed
                if passed is None or passed.frees_at > patience:
                    break
                await asyncio.sleep((passed.frees_at - self.clock.now()).total_seconds())
        except UNAVAILABLE:
            # The commit's own result is in doubt: no DATA. With our fence the row is ours to give back, once it can be
            # reached; if this worker ends before, its lease runs out, and a committed `sending` shows as unknown.
            with contextlib.suppress(SmtpError):
                await smtp.reset()
            await self._until_written(lambda: self._withdraw(claim))
            raise
        with contextlib.suppress(SmtpError):
            await smtp.reset()
        await self._withdraw(claim)
        raise _Withdrawn(passed.cause if passed is not None else None)

    async def _try_to_pass(self, case: Case, claim: Claim) -> int | Broken | None:
        """Commit `sending` and answer the slot used; or what would be broken, or None where a stop came before."""
        now = self.clock.now()
        row, email, calendar, outgoing = case.row, case.email, case.terms.calendar, case.outgoing
        assert email is not None
        assert calendar is not None
        async with self.database.transaction() as connection:
            stops = await ledger.stops(
                connection,
                claim,
                sequence=row["sequence_id"],
                mailbox=row["mailbox_id"],
                contact=row["contact_id"],
                recipient=email.recipient,
                email=row["email"],
                touch_gap=bool(outgoing.touch_gap),
            )
            if not _clear(stops) or stops["version"] != self.input.version - 1:
                return None
            broken = await slots.broken_limit(connection, calendar, outgoing, now=now)
            if broken is not None:
                return broken
            slot = await slots.use(connection, calendar, outgoing, now=now)
            if await ledger.begin_sending(connection, claim, now, slot.at):
                return slot.id
            raise ApplicationError("the claim was taken over", type="send_in_flight")

    async def _withdraw(self, claim: Claim) -> None:
        async with self.database.read() as connection:
            await ledger.settle(connection, claim, state="withdrawn", now=self.clock.now())

    async def _hand_over(self, case: Case, claim: Claim, smtp: SmtpConnection, slot: int) -> DeliverResult:
        """DATA. From its first byte until the final reply nothing but that reply can tell whether the email left."""
        assert case.email is not None
        assert case.email.message is not None
        try:
            reply = await smtp.data(case.email.message)
        except SmtpRefused as error:
            refusal = error
            return await self._until_written(lambda: self._refused(case, claim, refusal, slot))
        except (SmtpUnavailable, SmtpUnsupported) as error:
            trouble = error
            return await self._until_written(lambda: self._unreachable(case, claim, trouble, slot))
        except (SmtpLost, asyncio.CancelledError) as error:
            why = "connection_lost" if isinstance(error, SmtpLost) else "worker_stopped"
            return await self._until_written(lambda: self._unknown(case, claim, why))
        return await self._until_written(lambda: self._sent(case, claim, reply))

    async def _until_written(self, write: Callable[[], Awaitable[T]]) -> T:
        """Nobody else knows the outcome: while the database is away it is kept here, and written once it is back."""
        pause = 0.2
        while True:
            try:
                return await write()
            except _PASSING:
                await asyncio.sleep(pause)
                pause = min(2 * pause, 5.0)

    async def _sent(self, case: Case, claim: Claim, reply: str) -> DeliverResult:
        now = self.clock.now()
        assert case.email is not None
        late = None
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            before = await self._since(connection, locked)
            if before == "sent":
                return await self._stored(connection)
            slot_at = case.state.slot.at if case.state.slot else None
            step, due = case.terms.following(case.ref, case.row["done"] or (), slot_at, now)
            told: dict[str, Any] = {"message_id": case.email.message_id}
            if step is None:
                told["settle_until"] = due
            else:
                told["step"] = step
                if self._fresh(locked):
                    after_this = case.state.model_copy(update={"sent": case.state.sent + 1})
                    told["slot"] = await case.terms.book(connection, after_this, step, due)
                if "slot" not in told or told["slot"].at != due:
                    told["due"] = due
            told |= case.terms.changed_policy(case.state)
            result = DeliverResult(outcome="sent", **told)
            ours = await ledger.settle(connection, claim, state="sent", now=now, code=250, text=reply, result=result)
            if ours and before == "unknown":
                late = await self._place_late(connection, case, "settle_delivery", now, verdict="sent")
            data = {"step": case.ref.id, "attempt": self.input.attempt, "message_id": case.email.message_id}
            await self._project(connection, locked, result, "sent", data, now)
            if case.facts.contact.stage == FIRST_STAGE:
                delivered = Effect(kind="stage", event=StageEvent.DELIVERED.value)
                await effects.perform(connection, [delivered], state=case.state, by="system", now=now)
        await self._tell_late(late)
        return result

    async def _unknown(self, case: Case, claim: Claim, why: str) -> DeliverResult:
        now = self.clock.now()
        assert case.email is not None
        result = DeliverResult(outcome="unknown", at=now, message_id=case.email.message_id)
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            await ledger.settle(connection, claim, state="unknown", now=now, result=result)
            data = {"step": case.ref.id, "attempt": self.input.attempt, "why": why}
            await self._project(connection, locked, result, "delivery_unknown", data, now)
        return result

    # -----------------------------------------------------------------------------------------------------------------
    # Refusals

    async def _refused(self, case: Case, claim: Claim, error: SmtpRefused, slot: int | None) -> DeliverResult:
        verdict = judge(error.reply_code, error.text, phase=error.phase)
        reply = f"{error.reply_code} {error.text}"
        if verdict.action in ("bounce_hard", "bounce_spam"):
            return await self._rejected(case, claim, verdict, error, slot)
        if verdict.action == "not_sent_content":
            return await self._given_up(case, claim, "content_rejected", error.reply_code, reply, slot)
        if verdict.action == "hold_mailbox":
            # The server took our login and refuses all the same (relaying, another sender): a login proves nothing then.
            late = verdict.cls.value == "own_config" and error.phase not in LOGIN_PHASES
            code = "refused_after_login" if late else verdict.cls.value
            return await self._mailbox_down(case, claim, code, reply, slot)
        if verdict.action == "unknown":
            return await self._unknown(case, claim, verdict.cls.value)
        least = verdict.retry_after_seconds
        if verdict.action == "defer_mailbox":
            if claim.tries >= self.config.defer_max_tries:
                # The server puts our mailbox off for good: no contact's fault, so no contact is Not Sent for it.
                return await self._mailbox_down(case, claim, verdict.cls.value, reply, slot)
            wait = max(backoff(self.config.defer_base, claim.tries), timedelta(seconds=least or 0))
            async with self.database.transaction() as connection:
                await gates.slow_down(connection, case.row["mailbox_id"], self.clock.now() + wait)
        return await self._deferred(case, claim, error.reply_code, reply, verdict, slot)

    async def _rejected(
        self, case: Case, claim: Claim, verdict: Refusal, error: SmtpRefused, slot: int | None
    ) -> DeliverResult:
        """The contact is Bounced: its address is dead, or this message was refused as spam or by policy."""
        now = self.clock.now()
        assert case.email is not None
        hard = verdict.action == "bounce_hard"
        code = verdict.enhanced or str(error.reply_code)
        result = DeliverResult(
            outcome="rejected",
            halt=HaltKind.HARD_BOUNCE if hard else HaltKind.SPAM_BLOCK,
            code=code,
            at=now,
            message_id=case.email.message_id,
        )
        facts_changed = []
        if hard:
            facts_changed = [
                Effect(kind="address_bounced", step=self.input.step, attempt=self.input.attempt),
                Effect(kind="stage", event=StageEvent.BOUNCED.value),
            ]
        late = None
        async with self.database.transaction() as connection:
            await effects.lock_for(connection, facts_changed, contact=case.row["contact_id"])
            locked = await self._lock(connection)
            before = await self._since(connection, locked)
            if before == "rejected":
                return await self._stored(connection)
            ours = await ledger.settle(
                connection,
                claim,
                state="rejected",
                now=now,
                code=error.reply_code,
                text=error.text,
                result=result,
            )
            await self._free(connection, slot)
            data = {
                "step": case.ref.id,
                "attempt": self.input.attempt,
                "class": verdict.cls.value,
                "code": code,
                "phase": error.phase,
                "reply": f"{error.reply_code} {error.text}"[:500],
            }
            await self._project(connection, locked, result, "rejected", data, now)
            await effects.perform(connection, facts_changed, state=case.state, by="system", now=now)
            if ours and before == "unknown":
                named = {"kind": str(result.halt), "code": code[:40], "message_id": case.email.message_id}
                late = await self._place_late(connection, case, "bounce", now, **named)
        await self._tell_late(late)
        if hard:
            await self._halt_others(case, now)
        else:
            async with self.database.transaction() as connection:
                most = self.config.guardrail_refusals
                await gates.guard(connection, case.row["mailbox_id"], most=most, now=now)
        return result

    async def _halt_others(self, case: Case, now: datetime) -> None:
        """Nobody writes to the dead address any more. Should this be lost, the guards of the others see it all the same."""
        step, attempt, own = self.input.step, self.input.attempt, self.key.enrollment
        said = {"id": f"{own}/{step}/{attempt}", "by": "system", "origin": own}
        effect = Effect(
            kind="fan_out", event="address_bounced", scope="address", step=step, attempt=attempt, payload=said
        )
        await fan_out(self.services, (effect,), contact=case.row["contact_id"], enrollment=own, now=now)

    async def _deferred(
        self,
        case: Case,
        claim: Claim,
        code: int | None,
        reply: str,
        verdict: Refusal | None,
        slot: int | None,
    ) -> DeliverResult:
        """A temporary refusal: a new slot, so that the next try too leaves inside window and limit."""
        # A permanent refusal that may heal (mailbox full) is tried once more, after its wait: RFC 5321 4.2.1 asks not
        # to repeat what was refused for good.
        last = 2 if verdict is not None and verdict.permanent else self.config.defer_max_tries
        if claim.tries >= last:
            return await self._given_up(case, claim, "delivery_failed", code, reply, slot)
        now = self.clock.now()
        wait = backoff(self.config.defer_base, claim.tries)
        if verdict is not None and verdict.retry_after_seconds is not None and self.config.defer_base >= 60:
            wait = max(wait, timedelta(seconds=verdict.retry_after_seconds))
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            await self._free(connection, slot)
            booked = None
            if self._fresh(locked):
                terms = await Terms.read(self.services, connection, case.state)
                booked = await terms.book(connection, case.state, case.ref, now + wait, "deferred")
            result = DeliverResult(
                outcome="deferred", slot=booked, code=(verdict.enhanced if verdict else None) or _text(code)
            )
            await ledger.settle(connection, claim, state="deferred", now=now, code=code, text=reply, result=result)
            data = {
                "step": case.ref.id,
                "attempt": self.input.attempt,
                "try": claim.tries,
                "reply": reply[:500],
                "again": booked.at if booked else None,
            }
            await self._project(connection, locked, result, "deferred", data, now)
        return result

    async def _given_up(
        self, case: Case, claim: Claim, reason: str, code: int | None, reply: str, slot: int | None
    ) -> DeliverResult:
        """Not Sent after the server's word: content refused, or temporary refusals without end."""
        now = self.clock.now()
        result = DeliverResult(outcome="not_sent", reason=reason, code=_text(code), at=now)
        async with self.database.transaction() as connection:
            locked = await self._lock(connection)
            await self._free(connection, slot)
            await ledger.settle(connection, claim, state="rejected", now=now, code=code, text=reply, result=result)
            data = {
                "step": case.ref.id,
                "attempt": self.input.attempt,
                "reason": reason,
                "tries": claim.tries,
                "reply": reply[:500],
            }
            await self._project(connection, locked, result, "not_sent", data, now)
        return result

    async def _unreachable(self, case: Case, claim: Claim, error: SmtpError, slot: int | None) -> DeliverResult:
        """No usable answer before the body. Once may be chance; again at the door, or a setting that cannot work, is the
        mailbox's trouble and no contact's."""
        if isinstance(error, SmtpUnsupported):
            return await self._given_up(case, claim, "content_rejected", None, str(error), slot)
        if isinstance(error, SmtpMisconfigured) or (error.phase in LOGIN_PHASES and claim.tries > 1):
            code = error.code if isinstance(error, SmtpMisconfigured) else "unreachable"
            return await self._mailbox_down(case, claim, code, str(error), slot)
        return await self._deferred(case, claim, None, str(error), None, slot)

    async def _mailbox_down(
        self, case: Case, claim: Claim, code: str, reply: str | None, slot: int | None
    ) -> DeliverResult:
        """Hold the mailbox, touch no contact: the email waits at the mailbox's gate and goes on by itself."""
        now = self.clock.now()
        mailbox = case.row["mailbox_id"]
        async with self.database.transaction() as connection:
            # The gate's exclusive lock comes before the enrollment's row (store.locks).
            await gates.switch(connection, "mailbox", mailbox, state="down", by="system", now=now, code=code)
            open_now, epoch = await gates.read(connection, "mailbox", mailbox)
            locked = await self._lock(connection)
            await self._free(connection, slot)
            kind = HoldKind.MAILBOX_DOWN
            result = DeliverResult(outcome="hold", hold=kind, gate="mailbox", epoch=epoch, code=code, at=now)
            await ledger.settle(connection, claim, state="withdrawn", now=now, text=reply)
            if not open_now:
                await gates.park(connection, self.key.enrollment, "mailbox", mailbox, epoch)
            data = {"hold": kind, "gate": "mailbox", "epoch": epoch, "code": code, "reply": (reply or "")[:500]}
            await self._project(connection, locked, result, "parked", data, now)
        return result

    # -----------------------------------------------------------------------------------------------------------------
    # Recording

    async def _lock(self, connection: Connection) -> enrollments.Row:
        locked = await enrollments.lock(connection, self.key.enrollment)
        assert locked is not None
        return locked

    def _fresh(self, locked: enrollments.Row) -> bool:
        """Whether nothing was recorded since the workflow scheduled us, so that our projection is its next state."""
        return str(locked.run_id) == self.run_id and locked.version == self.input.version - 1

    async def _project(
        self,
        connection: Connection,
        locked: enrollments.Row,
        result: DeliverResult,
        kind: str,
        data: dict[str, Any],
        now: datetime,
    ) -> None:
        """Tell what happened; and if the projection is still the state we were scheduled from, write the next one. The
        workflow computes the same state by the same rule."""
        shown = {key: value for key, value in data.items() if value is not None}
        key = f"{self.key.step}.{self.key.attempt}.{activity.info().activity_id}"
        entry = LogEntry(kind=kind, by="system", at=now, data=shown)
        if not self._fresh(locked):
            await enrollments.tell(connection, self.key.enrollment, [entry], f"{self.run_id[:8]}.{key}")
            return
        assert locked.state.step is not None
        state = apply_delivery(locked.state, locked.state.step, locked.state.attempt, result)
        await enrollments.project(
            connection,
            locked,
            state.model_copy(update={"version": self.input.version}),
            run_id=self.run_id,
            now=now,
            log=[entry],
            source=key,
        )

    async def _since(self, connection: Connection, locked: enrollments.Row) -> str | None:
        """The ledger's state where something was recorded since we were scheduled: our own outcome, by a commit whose
        answer was lost, or `unknown`, because others took us for dead."""
        if self._fresh(locked):
            return None
        row = await ledger.read(connection, self.key)
        return None if row is None else row["state"]

    async def _stored(self, connection: Connection) -> DeliverResult:
        row = await ledger.read(connection, self.key)
        assert row is not None
        return DeliverResult.model_validate(row["result"])

    async def _place_late(self, connection: Connection, case: Case, name: str, now: datetime, **payload: str) -> Mark:
        """A late reply has settled what stood as unknown. The workflow learns it by a mark: it holds until adopted."""
        said = {"id": f"late/{self.key.step}/{self.key.attempt}", "by": "system:late_reply", **payload}
        key = workflow_id(case.row["sequence_id"], case.row["contact_id"])
        mark = Mark(self.key.enrollment, key, name, said)
        await marks.place(connection, mark, now=now)
        return mark

    async def _tell_late(self, mark: Mark | None) -> None:
        if mark is not None:
            with contextlib.suppress(RPCError):  # the sweeper signals it again
                await self.services.signal(mark.workflow_id, mark.message, mark.payload)

    async def _free(self, connection: Connection, slot: int | None) -> None:
        if slot is not None:
            await slots.give_back(connection, slot)

    @asynccontextmanager
    async def _alive(self, claim: Claim) -> AsyncIterator[None]:
        """Renew the lease and heartbeat while a slow server keeps us waiting."""

        async def beat() -> None:
            renew_every = min(self.config.lease.total_seconds() / 3, HEARTBEAT_AFTER)
            waited = 0.0
            while True:
                await asyncio.sleep(renew_every)
                waited += renew_every
                with contextlib.suppress(Exception):
                    async with self.database.read() as connection:
                        await ledger.renew(connection, claim, self.config.lease)
                if waited >= HEARTBEAT_AFTER:
                    activity.heartbeat()

        task = asyncio.create_task(beat())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def _shielded(work: Coroutine[Any, Any, T]) -> T:
    """Wait for `work` whatever is cancelled, unless the worker itself stops: then `work` is told, and still finishes.

    `work` answers a cancellation past the point of no return with the outcome `unknown`, which is written before it ends.
    """
    task = asyncio.ensure_future(work)
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError:
            if activity.is_worker_shutdown():
                task.cancel()
    return task.result()


def _clear(stops: asyncpg.Record) -> bool:
    return bool(
        stops["marks"] == 0
        and not stops["closed"]
        and stops["status"] == "active"
        and stops["sequence_on"]
        and stops["global_on"]
        and stops["mailbox_state"] == "up"
        and not stops["suppressed"]
        and stops["same_address"]
        and stops["email_status"] != "bounced"
    )


def _mark(mark: dict[str, Any]) -> dict[str, Any]:
    return {"name": mark["message"], "payload": mark["payload"]}


def _facts_of(check: Check) -> dict[str, Any]:
    """What the guard looked at, for the story: stages and codes, never an address."""
    return {f"seen_{key}": value for key, value in check.inputs.items()}


def _text(code: int | None) -> str | None:
    return None if code is None else str(code)
