"""Signals and updates: what may be said to an enrollment. One frozen model each; see docs/temporal.md for their JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator

from domain.errors import InvalidMessage
from domain.sequences import Id
from domain.statuses import Outcome
from domain.wire import Instant, Moment, Wire


def _near(value: datetime | date) -> datetime | date:
    # What is computed from it (a buffer, a window) must stay within what can be read back (domain.wire: year 2199).
    if value.year > 2150:
        raise ValueError("a year up to 2150")
    return value


SaidMoment = Annotated[Moment, AfterValidator(_near)]
"""A moment that somebody says: an instant, or a plain date."""


StepId = Annotated[str | None, Field(max_length=80)]
"""The step that a command means, as its giver saw it; None: whichever is the current one when it comes."""


class Message(Wire):
    """What every message carries. `id`: the same id has the same effect once. `by`: who says it, as an ID (never a name
    or address). `at`: when it happened, if not now. `origin`: the enrollment whose own event this one follows from."""

    name: ClassVar[str]
    rank: ClassVar[int] = 4
    """Precedence when things coincide, from `PRECEDENCE`; lower goes first."""
    stops: ClassVar[bool] = False
    """Recorded as a stop mark before the workflow is told, so that no email can slip between."""

    id: str | None = Field(default=None, max_length=200)
    by: str = Field(default="system", min_length=1, max_length=120)
    at: Instant | None = None
    origin: str | None = Field(default=None, max_length=80)

    @field_validator("*", mode="after")
    @classmethod
    def _printable(cls, value: object) -> object:
        # IDs and codes. PostgreSQL could not store NUL or half a surrogate pair, and the message would never be recorded.
        if isinstance(value, str) and not value.isprintable():
            raise ValueError("holds a character that cannot be printed")
        return value


class Pause(Message):
    """Hold the enrollment, until a time or a plain date, or until resumed."""

    name = "pause"
    stops = True
    until: SaidMoment | None = None


class Resume(Message):
    """Release every hold that a person may release; after a bounce, send the halted step again."""

    name = "resume"
    mailbox: Id | None = None
    """Send from this one of the sequence's mailboxes from now on; what held only the mailbox before no longer holds."""


class ResumeAt(Message):
    """Set the end of every hold that `resume` could release."""

    name = "resume_at"
    until: SaidMoment


class SendNow(Message):
    """Skip the wait before the current step, never the guards, windows or limits."""

    name = "send_now"
    step: StepId = None


class Skip(Message):
    """Leave the current step out and go on with the next."""

    name = "skip"
    step: StepId = None


class Retry(Message):
    """Try the halted step again, as a further attempt."""

    name = "retry"
    mailbox: Id | None = None
    """Send from this one of the sequence's mailboxes from now on."""


class Finish(Message):
    """End the enrollment by hand. `outcome` is one of the final outcomes, `disposition` a code of the caller's own."""

    name = "finish"
    stops = True
    outcome: Outcome = Outcome.MANUAL
    disposition: str | None = Field(default=None, max_length=60, pattern=r"^[A-Za-z0-9_. -]*$")

    @field_validator("outcome")
    @classmethod
    def _final(cls, value: Outcome) -> Outcome:
        if value in (Outcome.COMPLETED, Outcome.NO_REPLY):
            raise ValueError("this outcome is reached by itself; use manual, replied, interested, meeting_booked, ...")
        return value


class Remove(Message):
    """Take the contact out of the sequence. The record and its story stay."""

    name = "remove"
    stops = True


class SettleDelivery(Message):
    """Say what became of an email whose delivery is unknown: `sent` goes on, `not_sent` tries the step again."""

    name = "settle_delivery"
    verdict: Literal["sent", "not_sent"]


class Reply(Message):
    """A person answered. `message_id` names our email; `interest` is a reader's or classifier's verdict."""

    name = "reply"
    rank = 2
    stops = True
    message_id: str | None = Field(default=None, max_length=250)
    interest: Literal["interested", "not_interested"] | None = None


class OutOfOffice(Message):
    """An auto-reply. `return_date`: the day (or instant) the person is back; none when it was not to be read."""

    name = "out_of_office"
    rank = 7
    stops = True
    return_date: SaidMoment | None = None
    message_id: str | None = Field(default=None, max_length=250)
    corrected: bool = False
    """A person read the mail and says so: no later auto-reply overrides it."""
    present: bool = False
    """Nobody is absent, the mail was read wrongly: the hold that it put on ends."""


class Bounce(Message):
    """An email came back. Names it by Message-ID or by step and attempt; without either, the last one sent."""

    name = "bounce"
    rank = 3
    stops = True
    kind: Literal["hard_bounce", "spam_block", "soft"] = "hard_bounce"
    code: str | None = Field(default=None, max_length=40)
    """Enhanced status code (RFC 3463) or class of the refusal."""
    message_id: str | None = Field(default=None, max_length=250)
    step: str | None = Field(default=None, max_length=80)
    attempt: int | None = Field(default=None, ge=1)


class Unsubscribe(Message):
    """The contact opted out."""

    name = "unsubscribe"
    rank = 1
    stops = True


class Complaint(Message):
    """The contact reported our email as spam."""

    name = "complaint"
    rank = 1
    stops = True


class MeetingBooked(Message):
    """A meeting was booked."""

    name = "meeting_booked"
    rank = 2
    stops = True


class ContactGone(Message):
    """The contact left the company, or the address has moved."""

    name = "contact_gone"
    rank = 3
    stops = True


class AddressBounced(Message):
    """Another email to the same address came back for good: a later one would too."""

    name = "address_bounced"
    rank = 3
    stops = True


class AccountReply(Message):
    """Somebody else at the contact's account replied; the sequence's policy decides."""

    name = "account_reply"
    rank = 5
    stops = True


class GateOpened(Message):
    """The switch of the sequence, or the mailbox, is on again (sent by the waker to those that parked)."""

    name = "gate_opened"
    rank = 8
    gate: Literal["global", "sequence", "mailbox"]
    epoch: int
    key: str | None = None
    """Which sequence or mailbox; a mailbox that the enrollment has left in the meantime is no concern of it."""


class Replanned(Message):
    """The booked slot was moved earlier, after an edit of the schedule or of the mailbox's limits (sent by `Replan`)."""

    name = "replanned"
    rank = 8
    mailbox: Id
    """In whose calendar."""
    step: str = Field(max_length=80)
    """Whose slot."""
    slot: Instant
    """The slot now."""
    cause: str | None = Field(default=None, max_length=40)
    """Why it is later than the step is due."""
    before: Instant | None = None
    """The slot that was moved. An enrollment that has a later one by now has booked anew since."""


class CauseCleared(Message):
    """A cause of Not Sent that was ours is mended (sent by the waker): the step is tried again."""

    name = "cause_cleared"
    rank = 8
    reason: str


class CloseSettling(Message):
    """Close a settling enrollment now, because the contact enters the sequence again."""

    name = "close_settling"
    rank = 9


class Repaired(Message):
    """The record was found to differ from the workflow: the workflow records itself anew. Changes nothing else."""

    name = "repaired"
    rank = 9
    differed: tuple[Annotated[str, Field(max_length=40)], ...] = Field(default=(), max_length=40)
    """The fields that differed."""


MESSAGES: dict[str, type[Message]] = {
    kind.name: kind
    for kind in (
        Pause,
        Resume,
        ResumeAt,
        SendNow,
        Skip,
        Retry,
        Finish,
        Remove,
        SettleDelivery,
        Reply,
        OutOfOffice,
        Bounce,
        Unsubscribe,
        Complaint,
        MeetingBooked,
        ContactGone,
        AddressBounced,
        AccountReply,
        GateOpened,
        Replanned,
        CauseCleared,
        CloseSettling,
        Repaired,
    )
}
COMMANDS: tuple[str, ...] = (
    "pause",
    "resume",
    "resume_at",
    "send_now",
    "skip",
    "retry",
    "finish",
    "remove",
    "settle_delivery",
)
"""Commands of a person: signals, and updates of the same name that answer or refuse."""

FACTS: tuple[str, ...] = (
    "reply",
    "out_of_office",
    "bounce",
    "unsubscribe",
    "complaint",
    "meeting_booked",
    "contact_gone",
    "address_bounced",
    "account_reply",
)
"""Facts from outside: signals only."""

PRECEDENCE: tuple[tuple[str, ...], ...] = (
    ("unsubscribe", "complaint"),
    ("reply", "meeting_booked"),
    ("bounce", "contact_gone", "address_bounced"),
    COMMANDS,
    ("account_reply",),
    ("stage exclusion",),
    ("out_of_office",),
    ("guardrail", "gate_opened", "replanned", "cause_cleared"),
    ("schedule", "close_settling", "repaired"),
)
"""What goes first when things coincide (design section 3). Row n is rank n + 1; guards and the schedule are not messages."""


def parse_message(name: str, payload: object, *, strict: bool) -> Message:
    """The message `name` with this JSON payload (None counts as empty).

    Signals are lenient (`strict=False`): unknown fields are ignored, since a newer sender may know more. Updates and HTTP
    are strict. Raises InvalidMessage that names the field.
    """
    kind = MESSAGES.get(name)
    if kind is None:
        raise InvalidMessage(f"there is no message {name!r}", field="name", fix=f"known: {', '.join(MESSAGES)}")
    if payload is None:
        payload = {}
    if not isinstance(payload, Mapping):
        raise InvalidMessage(
            f"{name} takes a JSON object, not {type(payload).__name__}", fix='for example {"by": "person:ana"}'
        )
    if strict:
        unknown = sorted(str(key) for key in payload if key not in kind.model_fields)
        if unknown:
            raise InvalidMessage(
                f"{name} has no such field", field=unknown[0], fix=f"known: {', '.join(sorted(kind.model_fields))}"
            )
    try:
        return kind.model_validate(dict(payload))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        field = ".".join(str(part) for part in first["loc"]) or name
        raise InvalidMessage(first["msg"].removeprefix("Value error, "), field=field) from None
