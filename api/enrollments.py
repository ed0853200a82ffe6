"""Enrolling contacts, and looking at enrollments: a sequence's list, one of them, its story, why it stands so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence as Seq
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field, model_validator

from api.access import needs
from api.bodies import Actor, Body, answers, known, parse, said_by, takes
from api.problems import InvalidRequest
from api.services import Hands, Services, valid_address
from client import reading
from client.enrollments import Enrolled
from domain.reasons import OVERRIDES
from domain.sequences import Definition, Id, StepRef
from domain.statuses import Status
from domain.wire import Instant
from store import catalog, listing
from store.listing import Row, Sort

router = APIRouter(prefix="/v1", tags=["enrollments"])

MAX_CONTACTS = 1000
AT_ONCE = 10
"""Contacts of one request that are enrolled at the same time."""

PATIENCE = 20.0
"""Seconds in which admissions are waited for, over all contacts of a request; what comes later is `pending`."""

_ENROLLMENT = "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
_ENROLLED = {
    "contact": "anna",
    "enrolled": True,
    "enrollment": _ENROLLMENT,
    "workflow_id": "enrollment/spring/anna",
    "refused": [],
    "warnings": [],
    "pending": False,
    "already_open": False,
}
_REFUSED = {
    "contact": "ben",
    "enrolled": False,
    "enrollment": None,
    "workflow_id": "enrollment/spring/ben",
    "refused": [
        {
            "code": "active_in_other_sequence",
            "message": "The contact is active in another sequence.",
            "fix": "finish it there, or enroll with the override",
            "override": "active_in_other_sequence",
            "warning": False,
            "sequence": "autumn",
            "status": "paused",
            "reason": "out_of_office",
            "enrollment": "0198b3c4-1111-7f80-9a1b-2c3d4e5f6071",
        }
    ],
    "warnings": [],
    "pending": False,
    "already_open": False,
}
_NEXT = {"what": "send", "at": "2026-03-05T08:00:00Z", "step": "again", "number": 2, "total": 2, "cause": "window"}
_STEP = {"id": "again", "number": 2, "total": 2}
_ROW: dict[str, Any] = {
    "enrollment": _ENROLLMENT,
    "contact": "anna",
    "name": "Anna Brandt",
    "email": "anna@acme.example",
    "account": "acme",
    "account_name": "Acme",
    "mailbox": "mara",
    "status": "active",
    "label": "Active",
    "own_status": "active",
    "reason": None,
    "pending": [],
    "step": _STEP,
    "sent": 1,
    "next_at": "2026-03-05T08:00:00Z",
    "last_event_at": "2026-03-02T09:00:00Z",
}
_SNAPSHOT: dict[str, Any] = {
    "enrollment": _ENROLLMENT,
    "sequence": "spring",
    "contact": "anna",
    "mailbox": "mara",
    "status": "active",
    "own_status": "active",
    "label": "Active",
    "reason": None,
    "phase": "window",
    "step": _STEP,
    "attempt": 1,
    "due": "2026-03-05T06:30:00Z",
    "slot": {"at": "2026-03-05T08:00:00Z", "cause": "window"},
    "holds": [],
    "halt": None,
    "outcome": None,
    "settling": False,
    "sent": 1,
    "next": _NEXT,
    "wake_at": "2026-03-05T08:00:00Z",
    "closed": False,
    "version": 2,
    "switched_on": True,
    "pending": [],
    "workflow_id": "enrollment/spring/anna",
    "run_id": _ENROLLMENT,
    "started_at": "2026-03-02T08:59:58Z",
    "ended_at": None,
    "last_event_at": "2026-03-02T09:00:00Z",
}
_ATTEMPT = {
    "step_id": "hello",
    "attempt": 1,
    "state": "sent",
    "mailbox_id": "mara",
    "message_id": "hello.1.0198b3c4@example.com",
    "recipient": "anna@acme.example",
    "subject": "Hello Anna",
    "tries": 1,
    "due_at": "2026-03-02T08:59:58Z",
    "sending_at": "2026-03-02T08:59:59Z",
    "settled_at": "2026-03-02T09:00:00Z",
    "reply_code": 250,
    "reply_text": "2.0.0 OK",
    "settled_by": None,
    "settled_as": None,
    "bounced_at": None,
    "bounce_class": None,
}


class EnrollRequest(Definition):
    """One `contact`, or up to 1,000 `contacts`."""

    contact: Id | None = None
    contacts: tuple[Id, ...] = Field(default=(), max_length=MAX_CONTACTS)
    start_at: Instant | None = None
    """The first step is due no earlier than this."""
    mailbox: Id | None = None
    """One of the sequence's mailboxes; else the least booked one is taken."""
    overrides: tuple[str, ...] = Field(default=(), max_length=20)
    """Refusal codes that the caller accepts."""
    on_conflict: Literal["refuse", "return"] = "refuse"
    """`return`: an open enrollment of the same contact is answered instead of refused."""
    by: str | None = None

    @model_validator(mode="after")
    def _somebody(self) -> EnrollRequest:
        if (self.contact is None) == (not self.contacts):
            raise ValueError("name one `contact`, or a list of `contacts`")
        unknown = sorted(set(self.overrides) - OVERRIDES)
        if unknown:
            raise ValueError(f"nothing overrides {unknown[0]!r}; possible: {', '.join(sorted(OVERRIDES))}")
        return self

    @property
    def all(self) -> list[str]:
        """The contacts, each once, in order."""
        return list(dict.fromkeys(self.contacts if self.contact is None else (self.contact,)))


class EnrolledView(BaseModel):
    """What became of one contact. Each refusal has a code, what to do, and the override to pass if there is one.

    `pending`: the start is accepted, and no worker has admitted the contact yet."""

    contact: str
    enrolled: bool
    enrollment: str | None
    workflow_id: str | None
    refused: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    pending: bool
    already_open: bool


class EnrolledMany(BaseModel):
    """A result per contact, in the order of the request, and their counts."""

    results: list[EnrolledView]
    enrolled: int
    refused: int
    pending: int


class RowView(BaseModel):
    """An enrollment in a list. `status`, `label`, `reason` are the effective ones; `own_status` leaves the switch out.
    `pending`: recorded stops that its workflow has not taken up yet, as people say them ("pausing")."""

    enrollment: str
    contact: str
    name: str
    email: str | None
    account: str | None
    account_name: str | None
    mailbox: str | None
    status: Status
    label: str
    own_status: Status
    reason: str | None
    pending: list[str]
    step: dict[str, Any] | None
    sent: int
    next_at: datetime | None
    last_event_at: datetime


class RowPage(BaseModel):
    """A page; the next one begins at `next_cursor`."""

    items: list[RowView]
    next_cursor: str | None


@router.post(
    "/sequences/{id}/enrollments",
    dependencies=[needs("operate")],
    summary="Enroll contacts",
    openapi_extra=takes(EnrollRequest, {"contacts": ["anna", "ben"], "by": "person:ana"}),
    responses=answers({"results": [_ENROLLED, _REFUSED], "enrolled": 1, "refused": 1, "pending": 0})
    | answers(
        {"results": [{**_ENROLLED, "pending": True}], "enrolled": 0, "refused": 0, "pending": 1},
        status=202,
        description="Some starts are accepted and not admitted yet",
    ),
)
async def enroll(id: str, data: Body, hands: Hands, actor: Actor, response: Response) -> EnrolledMany:
    """A result per contact; one that is refused keeps nobody else out. With a 503 some may be enrolled already: repeat the
    request with `on_conflict: return`."""
    request = parse(EnrollRequest, data)
    by = said_by(data, actor)[1]
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, known("sequence", id))
    if request.mailbox is not None and request.mailbox not in stored.definition.mailboxes:
        fix = f"one of {', '.join(stored.definition.mailboxes)}"
        raise InvalidRequest("the sequence does not send from this mailbox", field="mailbox", fix=fix)
    done = await _enroll(hands, id, request, by)
    for one in done:
        actor.audit.add("enroll", "contact", one.contact, *one.audited)
    results = [EnrolledView(**one.as_json()) for one in done]
    counts = [(one.enrolled and not one.pending, bool(one.refused), one.pending) for one in results]
    enrolled, refused, pending = (sum(column) for column in zip(*counts, strict=True))
    if pending:
        response.status_code = 202
    return EnrolledMany(results=results, enrolled=enrolled, refused=refused, pending=pending)


async def _enroll(hands: Services, sequence: str, request: EnrollRequest, by: str) -> list[Enrolled]:
    turn = asyncio.Semaphore(AT_ONCE)
    deadline = time.monotonic() + PATIENCE

    async def one(contact: str) -> Enrolled:
        async with turn:
            left = max(0.0, deadline - time.monotonic())
            patient = replace(hands.enrollments, patience=min(hands.enrollments.patience, left))
            return await patient.enroll(
                sequence,
                contact,
                by=by,
                start_at=request.start_at,
                mailbox=request.mailbox,
                overrides=request.overrides,
                on_conflict=request.on_conflict,
            )

    # All are waited for, so that nothing goes on behind an answer that failed.
    done = await asyncio.gather(*(one(contact) for contact in request.all), return_exceptions=True)
    results: list[Enrolled] = []
    for result in done:
        if isinstance(result, BaseException):
            raise result
        results.append(result)
    return results


@router.get(
    "/sequences/{id}/enrollments",
    dependencies=[needs("read")],
    summary="A sequence's enrollments",
    responses=answers({"items": [_ROW], "next_cursor": None}),
)
async def get_enrollments(
    id: str,
    hands: Hands,
    status: Annotated[
        list[str] | None,
        Query(
            description="Effective statuses, repeated or separated by commas; `failed` means not_sent. All but removed."
        ),
    ] = None,
    reason: Annotated[str | None, Query(max_length=60, description="The effective reason.")] = None,
    step: Annotated[str | None, Query(max_length=80, description="The ID of the step at which they stand.")] = None,
    mailbox: Annotated[str | None, Query(max_length=80, description="The ID of the mailbox that sends.")] = None,
    search: Annotated[
        str | None,
        Query(
            max_length=listing.MAX_SEARCH,
            description="What the contact's name, address or ID, or the account's name, holds; without regard to case.",
        ),
    ] = None,
    sort: Annotated[
        Sort,
        Query(
            description="What the list is ordered by. `status`: Active, Paused, Bounced, Not Sent, Finished, Removed "
            "(`desc`: the other way round), in each the newest event first."
        ),
    ] = "last_event",
    order: Annotated[Literal["asc", "desc"], Query()] = "desc",
    cursor: Annotated[str | None, Query(max_length=2_000, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=listing.MAX_LIMIT)] = 50,
) -> RowPage:
    """The contacts tab: by effective status, sorted, in the same time at a million as at a thousand."""
    words = [word.strip() for given in status or () for word in given.split(",") if word.strip()]
    async with hands.database.read() as connection:
        page = await listing.page(
            connection,
            known("sequence", id),
            status=words or None,
            reason=reason,
            step=step,
            mailbox=mailbox,
            search=search,
            sort=sort,
            descending=order == "desc",
            cursor=cursor,
            limit=limit,
        )
    return RowPage(items=_rows(page.rows), next_cursor=page.next_cursor)


def _rows(rows: Seq[Row]) -> list[RowView]:
    return [
        RowView(
            enrollment=row.enrollment,
            contact=row.contact,
            name=row.name,
            email=row.email,
            account=row.account,
            account_name=row.account_name,
            mailbox=row.mailbox,
            status=row.status,
            label=row.label,
            own_status=row.own_status,
            reason=row.reason,
            pending=[reading.pending_word(name) for name in row.pending],
            step=None if row.step is None else _step(row.step),
            sent=row.state.sent,
            next_at=row.next_at,
            last_event_at=row.last_event_at,
        )
        for row in rows
    ]


def _step(step: StepRef) -> dict[str, Any]:
    return {"id": step.id, "number": step.number, "total": step.total}


@router.get(
    "/enrollments/{id}",
    dependencies=[needs("read")],
    summary="One enrollment",
    responses=answers({**_SNAPSHOT, "temporal_url": None, "attempts": [_ATTEMPT]}),
)
async def get_enrollment(id: str, hands: Hands) -> dict[str, Any]:
    """Status, reason, holds, what happens next, and every try to get an email out."""
    async with hands.database.read() as connection:
        shown = await reading.read_enrollment(connection, id, hands.now())
        attempts = await reading.attempts(connection, id)
    link = reading.temporal_link(hands.temporal_ui_url, hands.temporal.namespace, shown)
    return {**shown, "temporal_url": link, "attempts": attempts}


@router.get(
    "/enrollments/{id}/events",
    dependencies=[needs("read")],
    summary="An enrollment's story",
    responses=answers(
        {"items": [{"kind": "enrolled", "by": "person:ana", "at": "2026-03-02T08:59:58Z", "data": {"step": "hello"}}]}
    ),
)
async def get_events(id: str, hands: Hands) -> dict[str, list[dict[str, Any]]]:
    """Everything that happened, oldest first: what, when, by whom, with evidence by reference."""
    async with hands.database.read() as connection:
        return {"items": await reading.story(connection, id)}


@router.get(
    "/enrollments/{id}/explain",
    dependencies=[needs("read")],
    summary="Why an enrollment stands as it does",
    responses=answers(
        {
            **_SNAPSHOT,
            "sentence": "Step 2 of 2 leaves Thu 5 Mar 09:00 (Europe/Berlin, the contact's own zone). Why not now: next window "
            "at Thu 5 Mar 09:00 (Europe/Berlin, the contact's own zone); Wed 4 Mar: holiday Founders' Day.",
            "waits": [
                {
                    "code": "window",
                    "words": "next window at Thu 5 Mar 09:00 (Europe/Berlin, the contact's own zone); Wed 4 Mar: holiday "
                    "Founders' Day",
                    "since": "2026-03-03T23:30:00Z",
                    "until": "2026-03-05T08:00:00Z",
                    "zone": "Europe/Berlin",
                    "zone_source": "contact",
                    "closed": [{"from": "2026-03-04", "to": "2026-03-04", "why": "holiday Founders' Day"}],
                    "change": "nothing to do",
                }
            ],
            "switch": None,
            "recorded": [],
            "zone": {"zone": "Europe/Berlin", "source": "contact"},
            "allowed": ["pause", "send_now", "skip", "finish", "remove"],
            "actions": [
                {"action": "pause", "open": True},
                {"action": "retry", "open": False, "code": "not_halted", "why": "no step was bounced or not sent"},
            ],
            "ready_to": None,
            "blocked_by": None,
            "guards": [
                {"guard": "contact_stage", "passed": True, "inputs": {"stage": "Approaching"}, "verdict": "pass"}
            ],
        }
    ),
)
async def explain(id: str, hands: Hands) -> dict[str, Any]:
    """The reason in a sentence; what stands between now and the next email (`waits`, with figures); holds with who set them
    and what releases each; what a halt needs; what every guard says of the facts now; the commands open to a person, and why
    the others are not."""
    return await reading.explain(hands.database, id, now=hands.now(), valid=valid_address, gaps=hands.gaps)
