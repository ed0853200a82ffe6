"""Sequences, schedules and mailboxes as people define them, and the settings that decide what an event does."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from domain.durations import Duration, DurationField
from domain.errors import InvalidDefinition
from domain.ids import check_id
from domain.public_holidays import check_holidays
from domain.statuses import StageEvent
from domain.wire import Wire
from domain.zones import check_zone

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
AccountReplyPolicy = Literal["nothing", "finish", "pause", "not_sent"]
MAX_TEXT = 200_000
CONTACT: Literal["contact"] = "contact"
"""In a schedule: the contact's own, its zone or the holidays of its country."""


def _id(value: str) -> str:
    try:
        return check_id(value, "id")
    except InvalidDefinition as error:
        raise ValueError(f"{error.message}; {error.fix}") from None


Id = Annotated[str, AfterValidator(_id)]
Line = Annotated[str, Field(min_length=1, max_length=500)]


class Definition(BaseModel):
    """Base of what people write: unknown fields are refused, since a misspelled setting would silently not apply."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Step(Definition):
    """One step of a sequence. `id` is stable: it names the step in ledgers and histories whatever its position."""

    id: Id
    kind: Literal["email"] = "email"
    wait: DurationField = Duration()
    """Time after the step before (after the enrollment, for the first): clock time, calendar days or business days."""
    thread: Literal["new", "reply"] = "new"
    """`reply`: in the thread of the last email sent in this enrollment."""
    subject: str = Field(default="", max_length=2_000)
    text: str = Field(min_length=1, max_length=MAX_TEXT)
    html: str | None = Field(default=None, max_length=MAX_TEXT)
    expires_after: DurationField | None = None
    """How late the email may leave, counted from its slot (waits for windows and limits are not late); later it is Not Sent `step_expired`. None: never too late."""

    @model_validator(mode="after")
    def _subject_of_new_threads(self) -> Step:
        if self.thread == "new" and not self.subject.strip():
            raise ValueError("a step that starts a thread needs a subject")
        return self


DEFAULT_STAGE_MAP: dict[StageEvent, str] = {
    StageEvent.DELIVERED: "Approaching",
    StageEvent.REPLIED: "Replied",
    StageEvent.INTERESTED: "Interested",
    StageEvent.NOT_INTERESTED: "Not Interested",
    StageEvent.MEETING: "Interested",
    StageEvent.BOUNCED: "Bad Data",
    StageEvent.UNSUBSCRIBED: "Do Not Contact",
    StageEvent.CONTACT_GONE: "Changed Job",
    StageEvent.UNRESPONSIVE: "Unresponsive",
}


class SequenceSettings(Definition):
    """What a sequence does on events, whom it admits and whom it never mails. Defaults follow Apollo's rulesets."""

    finish_on_reply: bool = True
    finish_on_meeting: bool = True
    pause_on_out_of_office: bool = True
    out_of_office_buffer: DurationField = Duration(business_days=1)
    """Added to the return day before the sequence goes on."""
    out_of_office_default: DurationField | None = None
    """The pause when no return date is known; None waits for a person."""
    account_reply: AccountReplyPolicy = "nothing"
    account_reply_pause: DurationField = Duration(days=30)
    settle: DurationField = Duration(days=5)
    """How long after the last step a reply or bounce still changes the outcome; then the contact is Unresponsive."""
    give_up_after: DurationField | None = None
    """Ends an enrollment that stood halted or held this long (never a manual hold or a switched-off sequence)."""
    excluded_contact_stages: tuple[Line, ...] = ("Replied", "Interested", "Do Not Contact", "Bad Data")
    excluded_account_stages: tuple[Line, ...] = (
        "Current Client",
        "Active Opportunity",
        "Dead Opportunity",
        "Do Not Prospect",
    )
    stage_map: dict[StageEvent, Line | None] = Field(default_factory=dict)
    """Overrides of DEFAULT_STAGE_MAP; null leaves the stage alone on that event."""
    reenroll: Literal["never", "after_finish"] = "after_finish"
    cooldown: DurationField = Duration()
    """The least time between the end of one enrollment in this sequence and the next."""
    touch_gap: DurationField = Duration()
    """The least time between an email of this sequence and any other to the same contact, from whichever sequence."""
    active_elsewhere: Literal["refuse", "allow"] = "refuse"
    send_unverified: bool = True
    """Whether addresses marked `unverified` may be mailed."""
    require_consent: bool = False
    retry_when_cleared: bool = False
    """Whether a Not Sent enrollment retries by itself when its cause has cleared (else it shows "ready to retry")."""

    @field_validator("touch_gap")
    @classmethod
    def _clock_gap(cls, value: Duration) -> Duration:
        if value.business_days:
            raise ValueError("a touch gap is clock time, such as 36h or 3d")
        return value

    def stage_for(self, event: StageEvent) -> str | None:
        """The contact stage that `event` sets, or None to leave it."""
        return self.stage_map.get(event, DEFAULT_STAGE_MAP[event])


class Sequence(Definition):
    """An ordered list of steps with settings. The master switch is not part of the definition: it is a fact."""

    id: Id
    name: Line
    schedule: Id
    mailboxes: tuple[Id, ...] = Field(min_length=1)
    """Mailboxes that may send for it; each enrollment keeps the one it was given at admission."""
    steps: tuple[Step, ...] = Field(min_length=1, max_length=100)
    settings: SequenceSettings = SequenceSettings()

    @model_validator(mode="after")
    def _distinct(self) -> Sequence:
        if len(set(self.mailboxes)) < len(self.mailboxes):
            raise ValueError("a mailbox is named twice in mailboxes")
        seen: set[str] = set()
        for step in self.steps:
            if step.id in seen:
                raise ValueError(f"two steps have the ID {step.id!r}; step IDs are stable names, give each its own")
            seen.add(step.id)
        if self.steps[0].thread == "reply":
            raise ValueError(f"step {self.steps[0].id!r} is the first and has no thread to reply in; use thread: new")
        return self


class StepRef(Wire):
    """A step as histories and lists name it: its stable ID and its place, `number` of `total` (from 1)."""

    id: str
    number: int
    total: int


def step_ref(sequence: Sequence, index: int) -> StepRef:
    """The reference to the step at `index` (from 0)."""
    return StepRef(id=sequence.steps[index].id, number=index + 1, total=len(sequence.steps))


def find_step(sequence: Sequence, ref: StepRef) -> int | None:
    """The index of a step by its stable ID; where it was deleted, the step now standing in its place; None past the end."""
    for index, step in enumerate(sequence.steps):
        if step.id == ref.id:
            return index
    return ref.number - 1 if ref.number <= len(sequence.steps) else None


def step_to_send(sequence: Sequence, ref: StepRef, *, advance: bool, done: Collection[str]) -> int | None:
    """The index of the step to send: `ref` itself, or with `advance` the one after it; where `ref` was deleted, the step
    now standing in its place. None past the end. `done`: IDs of the steps that went out in this enrollment already; an
    edit may have moved them behind, and nobody gets a step twice."""
    index = find_step(sequence, ref)
    if index is None:
        return None
    if sequence.steps[index].id == ref.id:
        if not advance:
            return index
        index += 1
    return next((i for i in range(index, len(sequence.steps)) if sequence.steps[i].id not in done), None)


class Policy(Wire):
    """The part of a sequence's settings that the workflow needs to decide what an event does. Seconds are clock time."""

    finish_on_reply: bool = True
    finish_on_meeting: bool = True
    pause_on_out_of_office: bool = True
    account_reply: AccountReplyPolicy = "nothing"
    account_reply_pause_seconds: float = 30 * 86400
    out_of_office_default_seconds: float | None = None
    give_up_seconds: float | None = None


def policy_of(settings: SequenceSettings) -> Policy:
    """The policy a workflow holds, from its sequence's settings."""
    default = settings.out_of_office_default
    return Policy(
        finish_on_reply=settings.finish_on_reply,
        finish_on_meeting=settings.finish_on_meeting,
        pause_on_out_of_office=settings.pause_on_out_of_office,
        account_reply=settings.account_reply,
        account_reply_pause_seconds=_clock_seconds(settings.account_reply_pause),
        out_of_office_default_seconds=None if default is None else _clock_seconds(default),
        give_up_seconds=None if settings.give_up_after is None else _clock_seconds(settings.give_up_after),
    )


def _clock_seconds(duration: Duration) -> float:
    # Seven calendar days hold five business days; a pause counted in business days is rounded up to whole weeks' share.
    return duration.delta.total_seconds() + duration.business_days * 86400 * 7 / 5


def _clock(value: Any) -> Any:
    # YAML 1.1 reads 9:00 as the sexagesimal number 540.
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value // 60:02d}:{value % 60:02d}"
    if isinstance(value, str) and value[1:2] == ":":
        value = f"0{value}"
    if value == "24:00":
        return time.max
    return value


def _write_clock(value: time) -> str:
    if value == time.max:
        return "24:00"
    return value.isoformat() if value.second or value.microsecond else f"{value:%H:%M}"


Clock = Annotated[time, BeforeValidator(_clock), PlainSerializer(_write_clock, return_type=str, when_used="json")]


class Window(Definition):
    """Sending hours of one day, in the schedule's zone. `end` is exclusive; 24:00 is the end of the day."""

    start: Clock
    end: Clock

    @model_validator(mode="after")
    def _ordered(self) -> Window:
        if self.start.tzinfo is not None or self.end.tzinfo is not None:
            raise ValueError("hours are local to the schedule's zone; write 09:00 without an offset")
        if self.start >= self.end:
            raise ValueError("a window ends after it starts; split one that crosses midnight in two")
        return self


def _day(value: Any) -> Any:
    # Strict: otherwise a number would be read as seconds since 1970, and an instant cut to its date.
    try:
        value = date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        value = None
    if isinstance(value, datetime) or not isinstance(value, date):
        raise ValueError("not a date; write it as 2026-12-24")
    return value


Day = Annotated[date, BeforeValidator(_day)]


class Blackout(Definition):
    """Days on which nothing is sent, both ends included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to", default_factory=lambda data: data["first"])
    """Default: that one day."""
    name: str = Field(default="", max_length=200)
    """What explanations call it, such as Christmas break."""

    @model_validator(mode="after")
    def _bounded(self) -> Blackout:
        if self.last < self.first:
            raise ValueError(f"it ends on {self.last}, before it begins on {self.first}")
        if self.last - self.first > timedelta(days=5 * 366):
            raise ValueError("longer than five years; switch the sequence off instead")
        return self

    @model_serializer
    def _write(self) -> str | dict[str, str]:
        dates = {"from": self.first.isoformat(), "to": self.last.isoformat()}
        if self.name:
            return {**dates, "name": self.name}
        return dates["from"] if self.first == self.last else dates

    @property
    def dates(self) -> str:
        """The days in words."""
        return str(self.first) if self.first == self.last else f"{self.first} to {self.last}"


def _blackout(value: Any) -> Any:
    return value if isinstance(value, Mapping | Blackout) else {"from": value}


def _holidays(value: Any) -> Any:
    if value is False:
        value = "NO"  # YAML 1.1 reads Norway's code as the word no
    return value if value == CONTACT or not isinstance(value, str) else check_holidays(value)


class Schedule(Definition):
    """Sending windows per weekday in a time zone. A weekday without windows sends nothing."""

    id: Id
    zone: Annotated[str, Field(max_length=80), AfterValidator(check_zone)]
    """IANA name, such as Europe/Berlin."""
    zone_of: Literal["schedule", "contact"] = "schedule"
    """`contact`: windows, waits and dates count in the zone of each contact's record, else of its country, else in `zone`.
    Daily limits always count in `zone`: a mailbox has one day for all."""
    windows: dict[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], tuple[Window, ...]]
    holidays: tuple[Annotated[str, BeforeValidator(_holidays)], ...] = Field(default=(), max_length=50)
    """Countries (DE), parts of countries (DE-BY), or `contact` (the contact's country), on whose public holidays nothing
    is sent."""
    closed: tuple[Annotated[Blackout, BeforeValidator(_blackout, date | Blackout)], ...] = Field(
        default=(), max_length=500
    )
    """Own dates, and blackouts from one date to another."""
    open_anyway: tuple[Day, ...] = Field(default=(), max_length=500)
    """Dates on which neither a holiday nor a blackout counts. The windows of the weekday do."""

    @model_validator(mode="after")
    def _usable(self) -> Schedule:
        if not any(self.windows.values()):
            raise ValueError("no weekday has a window, so nothing could ever be sent")
        for day, windows in self.windows.items():
            ordered = sorted(windows, key=lambda window: window.start)
            if any(a.end > b.start for a, b in itertools.pairwise(ordered)):
                raise ValueError(f"windows of {day} overlap")
        return self


class Limits(Definition):
    """What a mailbox may send. Days are calendar days in the zone of the sequence's schedule; hours are any 60 minutes."""

    per_day: int = Field(default=50, ge=1, le=100_000)
    per_24h: int | None = Field(default=None, ge=1, le=100_000)
    """Emails in any 24 hours; None: no such limit. Some providers count like that."""
    per_hour: int = Field(default=20, ge=1, le=100_000)
    gap: DurationField = Duration(seconds=60)
    """The least time between two emails."""
    jitter: DurationField = Duration()
    """Up to this much is added to the gap after an email, in whole seconds: another amount after each, but the same whenever
    it is computed."""
    new_per_day: int | None = Field(default=None, ge=1)
    """First emails of enrollments per day; default 40 % of per_day, so that follow-ups find room."""

    @field_validator("gap", "jitter")
    @classmethod
    def _clock_gap(cls, value: Duration) -> Duration:
        if value.business_days:
            raise ValueError("a gap is clock time, such as 90s or 10m")
        return value

    @field_validator("jitter")
    @classmethod
    def _whole_seconds(cls, value: Duration) -> Duration:
        if value.delta % timedelta(seconds=1):
            raise ValueError("jitter is whole seconds, such as 90s or 10m")
        return value

    @property
    def first_touches(self) -> int:
        """The first emails allowed in a day."""
        return self.new_per_day if self.new_per_day is not None else max(1, self.per_day * 2 // 5)


class Smtp(Definition):
    """How a mailbox sends. The password is a reference (`env:NAME` or `file:/path`), never the secret itself."""

    host: Line
    port: int = Field(ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: str | None = Field(default=None, max_length=320)
    password: str | None = Field(default=None, max_length=1_000)

    @model_validator(mode="after")
    def _reference(self) -> Smtp:
        if self.password is not None and not self.password.startswith(("env:", "file:")):
            raise ValueError("password is a reference: env:NAME or file:/path, never the secret itself")
        if (self.username is None) != (self.password is None):
            raise ValueError("username and password go together")
        return self


class Imap(Definition):
    """How a mailbox is read. Reading changes nothing there: nothing is deleted, moved or marked as read."""

    host: Line
    port: int = Field(default=993, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "tls"
    username: str = Field(min_length=1, max_length=320)
    password: str = Field(max_length=1_000)
    """A reference (`env:NAME` or `file:/path`), never the secret itself."""
    folders: tuple[Line, ...] | None = Field(default=None, min_length=1, max_length=20)
    """The folders to read, by their names on the server. Default: INBOX and the spam folder."""

    @field_validator("password")
    @classmethod
    def _reference(cls, value: str) -> str:
        if not value.startswith(("env:", "file:")):
            raise ValueError("password is a reference: env:NAME or file:/path, never the secret itself")
        return value


class Mailbox(Definition):
    """A sending address, its servers and its limits."""

    id: Id
    address: Line
    name: str = Field(default="", max_length=200)
    """The display name of From."""
    smtp: Smtp
    imap: Imap | None = None
    """How replies and bounces are read; None: they come by HTTP, or nobody reads them."""
    limits: Limits = Limits()
    reply_to: str | None = Field(default=None, max_length=320)
    plus_addresses: bool = False
    """Mail to local+anything@domain arrives in this mailbox (RFC 5233): the mailto of List-Unsubscribe then names its
    enrollment, whoever the mail comes from."""
    plus_return_path: bool = False
    """The server accepts such an address as envelope sender, so that bounces name their enrollment. Gmail and Microsoft 365
    rewrite the envelope sender: leave it off there."""


D = TypeVar("D", bound=Definition)


def parse_definition(kind: type[D], data: Mapping[str, Any] | Any) -> D:
    """Validate what a person wrote. Raises InvalidDefinition that names the first wrong field and the fix, and counts the rest."""
    if not isinstance(data, Mapping):
        raise InvalidDefinition(f"a {kind.__name__.lower()} is a mapping of fields, not {type(data).__name__}")
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)
        problems = [problem for problem in found if problem["type"] != "default_factory_not_called"]
        first = problems[0]
        path = ".".join(str(part) for part in first["loc"]) or kind.__name__.lower()
        message = first["msg"].removeprefix("Value error, ")
        fix = None
        if first["type"] == "extra_forbidden":
            known = _fields_at(kind, first["loc"])
            message = "unknown field"
            fix = f"known here: {', '.join(known)}" if known else None
        if len(problems) > 1:
            message += (
                f" (and {len(problems) - 1} more: {', '.join('.'.join(map(str, p['loc'])) for p in problems[1:4])})"
            )
        raise InvalidDefinition(message, field=path, fix=fix) from None


def _fields_at(kind: type[BaseModel], location: tuple[int | str, ...]) -> list[str]:
    model: Any = kind
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        field = model.model_fields.get(part)
        if field is None:
            return []
        candidates = [field.annotation, *getattr(field.annotation, "__args__", ())]
        candidates = [getattr(c, "__origin__", c) for c in candidates]  # what is Annotated
        model = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
        if model is None:
            return []
    return sorted(field.alias or name for name, field in model.model_fields.items())
