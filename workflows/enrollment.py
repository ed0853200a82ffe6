"""The workflow `Enrollment`: one contact in one sequence. Orchestration only; what an event does is decided in `domain`."""

from __future__ import annotations

import asyncio
import inspect
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy, SearchAttributeKey
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.workflow import ActivityCancellationType

with workflow.unsafe.imports_passed_through():
    from domain import explain, transitions
    from domain.delivery import (
        AdmitInput,
        AdmitResult,
        Answer,
        DeliverInput,
        DeliverResult,
        Effect,
        EnrollmentInput,
        EnrollmentResult,
        LogEntry,
        RecordInput,
        RecordResult,
        ReserveResult,
        parse_input,
    )
    from domain.errors import InvalidMessage, Refused
    from domain.messages import COMMANDS, FACTS, Message, parse_message
    from domain.state import EnrollmentState, can_send, reason, status
    from domain.statuses import Outcome, Status

STATUS = SearchAttributeKey.for_keyword("OnwardStatus")
REASON = SearchAttributeKey.for_keyword("OnwardReason")
SEQUENCE = SearchAttributeKey.for_keyword("OnwardSequence")
CONTACT = SearchAttributeKey.for_keyword("OnwardContact")
MAILBOX = SearchAttributeKey.for_keyword("OnwardMailbox")

# A database or server that is away comes back: infrastructure is tried again without end. What is a defect of ours the
# activities themselves make final after ten tries (activities/services.py).
_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2, maximum_interval=timedelta(seconds=30)
)
_RECORDING = timedelta(seconds=60)
# Longer than the SMTP time-outs together: connect, greeting, EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA at 60 s, 600 s for
# the final reply (RFC 5321 4.5.3.2).
_SENDING = timedelta(minutes=25)
_SENDING_SILENCE = timedelta(seconds=30)
_SHOWN = "%a %Y-%m-%d %H:%M UTC"

E = TypeVar("E")


def _signal(name: str) -> Callable[..., None]:
    """The handler of one signal. It gets what came as it came: a payload that does not decode is kept in the story."""

    def handle(self: Enrollment, *arguments: Any) -> None:
        try:
            payload = [_decoded(argument) for argument in arguments]
        except Exception:  # whatever a converter says of bytes that are not what they claim to be
            self._keep_refused(name, "invalid_signal", {"name": name, "error": "its payload does not decode"})
        else:
            self._receive(name, *payload)

    # The SDK decodes before it calls, and drops a signal that does not decode with a line in the log only; unless the
    # handler takes one raw value. It goes by the signature; any number of arguments may come all the same.
    names = [inspect.Parameter(one, inspect.Parameter.POSITIONAL_OR_KEYWORD) for one in ("self", "payload")]
    handle.__signature__ = inspect.Signature(names)  # type: ignore[attr-defined]
    handle.__annotations__ = {"payload": RawValue}
    return workflow.signal(name=name)(handle)


def _decoded(argument: Any) -> Any:
    return workflow.payload_converter().from_payload(argument.payload) if isinstance(argument, RawValue) else argument


def _update(name: str) -> Callable[..., Any]:
    """The update of one command, with its validator."""

    # `self` is untyped: the SDK resolves the hints at once, when the class is not there yet.
    async def give(self: Any, payload: Any = None) -> Answer:
        answer: Answer = await self._command(name, payload)
        return answer

    def validate(self: Any, payload: Any = None) -> None:
        self._validate(name, payload)

    update = workflow.update(name=name)(give)
    update.validator(validate)
    return update


def _with_messages(cls: type[E]) -> type[E]:
    """Declare signals and updates on the class: a signal that comes with the first task is looked up before `__init__` has
    run."""
    for name in (*COMMANDS, *FACTS, "gate_opened", "replanned", "cause_cleared", "close_settling", "repaired"):
        setattr(cls, f"_on_{name}", _signal(name))
    for name in COMMANDS:
        setattr(cls, f"_do_{name}", _update(name))
    return cls


@workflow.defn(name="Enrollment")
@_with_messages
class Enrollment:
    """Lives from admission to the end of the settle time.

    Signals: every command and fact of docs/temporal.md, with any JSON; what is invalid, refused or unknown is kept in the
    story. Updates: the commands, strict, answering with status and plan. Queries: `status`, `explain`.
    """

    @workflow.init
    def __init__(self, input: Any = None) -> None:
        info = workflow.info()
        # Any JSON: an input that did not decode would fail the workflow's task for ever, instead of the workflow.
        self.invalid: InvalidMessage | None = None
        try:
            self.input = parse_input(input, info.workflow_id)
        except InvalidMessage as error:
            self.invalid = error
            self.input = EnrollmentInput(sequence_id="invalid", contact_id="invalid")
        self.state = self.input.state or EnrollmentState(
            enrollment=info.first_execution_run_id, sequence=self.input.sequence_id, contact=self.input.contact_id
        )
        self.admitted = self.input.state is not None
        self.inbox: list[Message] = []
        self.held_back: list[Message] = []
        self.asked: Counter[str] = Counter()
        self.answers: dict[str, Refused | None] = {}
        self.log: list[LogEntry] = []
        self.effects: list[Effect] = []
        self.adopted: list[str] = []
        self.recorded = self.state.version
        self.recording = False
        self.delivering = False
        self.reserving = False
        self.ended = False
        self.helpers: tuple[asyncio.Task[None], ...] = ()

    # -----------------------------------------------------------------------------------------------------------------
    # The story

    @workflow.run
    async def run(self, input: Any = None) -> EnrollmentResult:
        """The story, whatever is cancelled: a cancelled workflow (Temporal UI, CLI) is finished by hand, and the activity
        under way, an email above all, still has its outcome recorded."""
        if self.invalid is not None:
            raise ApplicationError(str(self.invalid), type="invalid_input", non_retryable=True)
        story = asyncio.create_task(self._story())
        while not story.done():
            try:
                await workflow.wait_condition(lambda: story.done() or self._defect() is not None)
            except asyncio.CancelledError:
                self._receive("finish", {"by": "temporal:cancel"})
            defect = self._defect()
            if defect is not None:
                # Fails the workflow's task, where it is seen and mended; else nobody would read the inbox any more.
                raise defect
        return story.result()

    def _defect(self) -> BaseException | None:
        """What ended the reader or the recorder before its time."""
        ended = (helper for helper in self.helpers if helper.done() and not helper.cancelled())
        return next((helper.exception() for helper in ended), None)

    async def _story(self) -> EnrollmentResult:
        """Admit; until closed: wait while held or halted, see to a slot, wait for it, deliver; then settle and close."""
        if not self.admitted:
            refused = await self._admit(self.input)
            if refused is not None:
                return EnrollmentResult(status="refused", reason=refused)
        reader = asyncio.create_task(self._read_inbox())
        recorder = asyncio.create_task(self._keep_recorded())
        self.helpers = (reader, recorder)
        while not self.state.closed:
            await self._go_on()
            self._continue_as_new_if_long()
        return await self._close(reader, recorder)

    async def _go_on(self) -> None:
        """One move of the story."""
        state, now = self.state, workflow.now()
        if self.inbox:
            await workflow.wait_condition(lambda: not self.inbox)
        elif can_send(state) and state.slot is not None:
            if now < state.slot.at:
                await self._wait_until(state.slot.at, f"{_step(state)} leaves {state.slot.at:{_SHOWN}}")
            elif not self._is_recorded():
                await workflow.wait_condition(self._is_recorded)
            else:
                await self._deliver()
        elif status(state) is Status.ACTIVE:
            await self._reserve()
        else:
            await self._wait_until(transitions.wake_at(state), explain.headline(state))

    async def _admit(self, input: EnrollmentInput) -> str | None:
        admission = AdmitInput(
            enrollment=self.state.enrollment,
            sequence_id=input.sequence_id,
            contact_id=input.contact_id,
            by=input.by,
            **input.model_dump(exclude_defaults=True, include={"start_at", "mailbox_id", "overrides"}),
        )
        while True:
            try:
                result: AdmitResult = await workflow.execute_activity(
                    "admit",
                    admission,
                    result_type=AdmitResult,
                    start_to_close_timeout=_RECORDING,
                    retry_policy=_RETRY,
                    summary="May the contact enter?",
                )
                break
            except ActivityError as error:
                # A defect of ours: the accepted start is not lost over it, it waits for a mended worker.
                workflow.set_current_details(f"Admission failed ({_failure_code(error)}); it is tried again")
                await workflow.sleep(timedelta(minutes=5), summary="admission failed, trying again")
        if result.refused is not None:
            workflow.set_current_details(f"Refused: {result.refused}")
            return result.refused
        assert result.state is not None
        self.state = result.state
        self.recorded = self.state.version
        self.admitted = True
        self._show()
        return None

    async def _wait_until(self, at: datetime | None, label: str) -> None:
        """Wait for a message or an instant, whichever comes first; then let time do what it does."""
        workflow.set_current_details(explain.details(self.state, workflow.now()))
        seen = self.state

        def changed() -> bool:
            return bool(self.inbox) or self.state is not seen

        if at is None:
            await workflow.wait_condition(changed)
            return
        left = at - workflow.now()
        if left > timedelta(0):
            try:
                await workflow.wait_condition(changed, timeout=left, timeout_summary=label[:180])
                return
            except TimeoutError:
                pass
        if not self.inbox:
            self._take(transitions.pass_time(self.state, workflow.now()))

    async def _deliver(self) -> None:
        """Send the step. Messages that come meanwhile are taken up at once, and recorded beside it."""
        state = self.state
        assert state.step is not None
        step, attempt = state.step, state.attempt
        # The outcome's projection is written by `deliver` itself, under the version after this one.
        reserved = state.version + 1
        self.state = state.model_copy(update={"version": reserved})
        self.recorded = reserved
        self.delivering = True
        try:
            result: DeliverResult = await workflow.execute_activity(
                "deliver",
                DeliverInput(enrollment=state.enrollment, step=step.id, attempt=attempt, version=reserved),
                result_type=DeliverResult,
                start_to_close_timeout=_SENDING,
                heartbeat_timeout=_SENDING_SILENCE,
                retry_policy=_RETRY,
                cancellation_type=ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
                summary=_step(state),
            )
        except ActivityError as error:
            self._take(transitions.system_error(self.state, _failure_code(error), workflow.now()))
            return
        finally:
            self.delivering = False
            self._let_go()
        unchanged = self.state.version == reserved
        after = transitions.apply_delivery(self.state, step, attempt, result)
        unprojected = result.outcome in ("stopped", "resync") or (result.outcome == "wait" and result.slot is None)
        if unprojected or not unchanged:
            # What `deliver` projected, if anything, is not the state we are in: record it anew.
            after = after.model_copy(update={"version": self.state.version + 1})
        self.state = after
        self._show()
        for mark in result.marks:
            payload = mark.get("payload") or {}
            self._receive(str(mark.get("name")), payload)
            # Adopted even if it says nothing that we understand: it would stop us for ever.
            self.adopted.append(str(payload.get("id")))

    async def _reserve(self) -> None:
        """Have the next step found and its slot booked. Carries the state, so that nothing else need record it."""
        await workflow.wait_condition(lambda: not self.recording)
        if self.inbox or status(self.state) is not Status.ACTIVE:
            return
        reserved = self.state.version + 1
        self.state = self.state.model_copy(update={"version": reserved})
        self.recorded = reserved
        input = self._unrecorded()
        self.reserving = True
        try:
            result: ReserveResult = await workflow.execute_activity(
                "reserve",
                input,
                result_type=ReserveResult,
                start_to_close_timeout=_RECORDING,
                retry_policy=_RETRY,
                summary=f"Find a slot for {_step(self.state)}",
            )
        except ActivityError as error:
            self._put_back(input)
            self._take(transitions.system_error(self.state, _failure_code(error), workflow.now()))
            return
        finally:
            self.reserving = False
            self._let_go()
        unchanged = self.state.version == reserved
        after = transitions.apply_reservation(self.state, input.state, result)
        if not unchanged:
            after = after.model_copy(update={"version": self.state.version + 1})
        self.state = after
        self._show()

    async def _close(self, reader: asyncio.Task[None], recorder: asyncio.Task[None]) -> EnrollmentResult:
        """Record the end; whatever came meanwhile is noted and recorded too. Nothing is awaited after the last look."""
        self.ended = True
        while True:
            await workflow.wait_condition(lambda: not (self.inbox or self.recording or self.delivering))
            if not self._is_recorded():
                await self._record(closing=True)
                continue
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._is_recorded() and not self.inbox:
                break
        reader.cancel()
        recorder.cancel()
        workflow.set_current_details(explain.details(self.state, workflow.now()))
        return EnrollmentResult(
            status=status(self.state).value, reason=reason(self.state), enrollment=self.state.enrollment
        )

    def _continue_as_new_if_long(self) -> None:
        """Start over with the state when the history has grown long (thousands of messages), between two moves."""
        quiet = not (self.inbox or self.recording or self.delivering) and self._is_recorded()
        if workflow.info().is_continue_as_new_suggested() and quiet and workflow.all_handlers_finished():
            workflow.continue_as_new(self.input.model_copy(update={"state": self.state}))

    # -----------------------------------------------------------------------------------------------------------------
    # Recording

    def _is_recorded(self) -> bool:
        return self.recorded == self.state.version and not (self.log or self.effects or self.adopted)

    async def _keep_recorded(self) -> None:
        """Record every change that no other activity carries: one call at a time, the latest state wins."""
        while True:
            await workflow.wait_condition(lambda: self._must_record() and not self.recording)
            await self._record(closing=False)

    def _must_record(self) -> bool:
        # An active state without a slot is recorded by `reserve`, the closing one by `_close`.
        if self._is_recorded() or self.inbox or self.ended or (self.state.closed and not self.delivering):
            return False
        waits_for_slot = status(self.state) is Status.ACTIVE and (self.state.slot is None or self.state.advance)
        return self.delivering or not waits_for_slot

    async def _record(self, *, closing: bool) -> None:
        self.recording = True
        if self.delivering and self.recorded == self.state.version:
            # That version is `deliver`'s to project its outcome under; a story that changed nothing goes under the next.
            self.state = self.state.model_copy(update={"version": self.state.version + 1})
        version = self.state.version
        input = self._unrecorded()
        try:
            if closing:
                result = await workflow.execute_local_activity(
                    "record",
                    input,
                    result_type=RecordResult,
                    start_to_close_timeout=_RECORDING,
                    retry_policy=_RETRY,
                    summary=explain.headline(self.state)[:180],
                )
            else:
                result = await workflow.execute_activity(
                    "record",
                    input,
                    result_type=RecordResult,
                    start_to_close_timeout=_RECORDING,
                    retry_policy=_RETRY,
                    summary=explain.headline(self.state)[:180],
                )
        except ActivityError as error:
            # A defect of ours: wait for a mended worker instead of wedging. The story is kept and recorded with the next.
            workflow.logger.error("record failed for good: %s", _failure_code(error))
            self._put_back(input)
            await workflow.sleep(timedelta(minutes=5), summary="record failed, trying again")
            return
        finally:
            self.recording = False
        self.recorded = max(self.recorded, version)
        # The projection holds these instants already, under the same version.
        self.state = transitions.resolved(self.state, input.state, result.until)

    def _unrecorded(self) -> RecordInput:
        """Everything that is to be recorded now; taken off the lists."""
        input = RecordInput(
            state=self.state, log=tuple(self.log), effects=tuple(self.effects), adopted=tuple(self.adopted)
        )
        self.log, self.effects, self.adopted = [], [], []
        return input

    def _put_back(self, input: RecordInput) -> None:
        self.log[:0] = input.log
        self.effects[:0] = input.effects
        self.adopted[:0] = input.adopted

    # -----------------------------------------------------------------------------------------------------------------
    # Messages

    @workflow.signal(dynamic=True)
    def _unknown_signal(self, name: str, args: Sequence[RawValue]) -> None:
        """A signal that nothing is known of: kept in the story, never dropped silently."""
        self._keep_refused(name, "unknown_signal", {"name": name[:80]})

    def _receive(self, name: str, *payload: Any) -> None:
        """Take a signal up, whatever its JSON."""
        try:
            if len(payload) > 1:
                raise InvalidMessage(f"{name} takes one JSON object, not {len(payload)} arguments")
            message = parse_message(name, payload[0] if payload else None, strict=False)
        except InvalidMessage as error:
            self._keep_refused(
                name, "invalid_signal", {"name": name, "field": error.field, "error": error.message[:300]}
            )
            return
        if message.id is None:
            message = message.model_copy(update={"id": str(workflow.uuid4())})
        self.inbox.append(message)

    def _keep_refused(self, name: str, kind: str, data: Mapping[str, Any]) -> None:
        self.log.append(LogEntry(kind=kind, by="unknown", at=workflow.now(), data=data))

    async def _read_inbox(self) -> None:
        """Apply what has come, in order of precedence where several came at once."""
        while True:
            await workflow.wait_condition(lambda: bool(self.inbox))
            arrived, self.inbox = transitions.in_order(self.inbox), []
            for message in arrived:
                if self._may_overtake(message):
                    self.held_back.append(message)
                else:
                    self._apply(message)

    def _may_overtake(self, message: Message) -> bool:
        """Whether the message waits for the answer of the activity under way, which decides what it means."""
        under_way = self.delivering or self.reserving
        return under_way and transitions.may_overtake(self.state, message, sending=self.delivering)

    def _let_go(self) -> None:
        """The answer is there: what waited for it is taken up before what came later."""
        self.inbox, self.held_back = [*self.held_back, *self.inbox], []

    def _apply(self, message: Message) -> None:
        decision = transitions.apply(self.state, message, workflow.now())
        self._take(decision)
        if message.id is not None:
            self.adopted.append(message.id)
            if message.id in self.asked:
                # The same command given twice at once: the first application is the answer to both.
                self.answers.setdefault(message.id, decision.refused)

    def _take(self, decision: transitions.Decision) -> None:
        self.state = decision.state
        self.log += decision.log
        self.effects += decision.effects
        self._show()

    def _show(self) -> None:
        """Keep the search attributes to status, reason and mailbox: one upsert at each change.

        None for `completed` becoming `no_reply` at the end of the settle time: the workflow's result says that.
        """
        current = workflow.info().typed_search_attributes
        shown = status(self.state).value
        why = reason(self.state) or shown
        same = current.get(REASON) == why or self.state.outcome is Outcome.NO_REPLY
        if current.get(STATUS) == shown and same and current.get(MAILBOX) == self.state.mailbox:
            return
        workflow.upsert_search_attributes(
            [
                STATUS.value_set(shown),
                REASON.value_set(why),
                SEQUENCE.value_set(self.state.sequence),
                CONTACT.value_set(self.state.contact),
                *([MAILBOX.value_set(self.state.mailbox)] if self.state.mailbox else []),
            ]
        )

    # -----------------------------------------------------------------------------------------------------------------
    # Updates

    def _validate(self, name: str, payload: Any) -> None:
        """Refuse with a stable type and what is allowed instead; a refused update leaves no event in the history."""
        try:
            message = parse_message(name, payload, strict=True)
            if self.admitted and not self._may_overtake(message):
                transitions.validate(self.state, message, workflow.now())
        except InvalidMessage as error:
            raise ApplicationError(str(error), {"field": error.field}, type=error.code, non_retryable=True) from error
        except Refused as error:
            raise _refusal(error) from error

    async def _command(self, name: str, payload: Any) -> Answer:
        message = parse_message(name, payload, strict=True)
        message_id = message.id or str(workflow.uuid4())
        message = message.model_copy(update={"id": message_id})
        await workflow.wait_condition(lambda: self.admitted)
        if message_id not in self.state.seen:
            self.asked[message_id] += 1
            self.inbox.append(message)
            await workflow.wait_condition(lambda: message_id in self.answers)
            refused = self.answers[message_id]
            self.asked[message_id] -= 1
            if not self.asked[message_id]:
                del self.asked[message_id], self.answers[message_id]
            if refused is not None:
                raise _refusal(refused)
        await workflow.wait_condition(self._answerable)
        return explain.answer(self.state, workflow.now())

    def _answerable(self) -> bool:
        """The change is recorded, and where a slot is due there is one to tell. The end is recorded as the last thing."""
        if self.state.closed:
            # While an email is under way the stop must be recorded to hold it back; else `_close` records it.
            return self._is_recorded() or not self.delivering
        # Active without a slot: `reserve` is at it, and carries the record; not before an email under way has its outcome,
        # which may take minutes.
        reserving = not self.delivering and status(self.state) is Status.ACTIVE and self.state.slot is None
        return self._is_recorded() and not self.inbox and not reserving

    # -----------------------------------------------------------------------------------------------------------------
    # Queries

    @workflow.query
    def status(self) -> dict[str, Any]:
        """The snapshot. `own_status`: the sequence's switch is not in it (only PostgreSQL knows it)."""
        return explain.snapshot(self.state, _present())

    @workflow.query
    def explain(self) -> dict[str, Any]:
        """The status in a sentence, holds, what happens next, what a person may do. The guards are in the API's explain."""
        return explain.explanation(self.state, _present())

    @workflow.query
    def plan(self) -> dict[str, Any]:
        """The emails ahead: the booked one with its time. The times of later ones are estimated by the API's plan."""
        return explain.known_plan(self.state)


def _present() -> datetime:
    """The time for a query. A sleeping workflow's own clock stands at its last task; the wall clock may be read here,
    since a query changes nothing. The later of the two is right under virtual time as well."""
    with workflow.unsafe.sandbox_unrestricted():
        return max(workflow.now(), datetime.now(UTC))


def _step(state: EnrollmentState) -> str:
    if state.step is None:
        return "Next step"
    again = f", attempt {state.attempt}" if state.attempt > 1 else ""
    return f"Step {state.step.number} of {state.step.total} ({state.step.id}){again}"


def _refusal(refused: Refused) -> ApplicationError:
    return ApplicationError(
        str(refused), {"allowed": list(refused.allowed), "field": refused.field}, type=refused.code, non_retryable=True
    )


def _failure_code(error: ActivityError) -> str:
    cause = error.cause
    return cause.type or "system_error" if isinstance(cause, ApplicationError) else type(cause).__name__
