"""Sequences, their schedules, and the master switches."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.access import needs
from api.bodies import Acting, Actor, Body, answers, known, parse, said_by, takes, with_id
from api.services import Hands, Services
from client import definitions, waking
from domain.sequences import Definition, Schedule, Sequence
from domain.statuses import Status
from mail.definitions import check_sequence
from store import catalog, gates, listing
from store.catalog import StoredSchedule, StoredSequence
from store.queries import sql

router = APIRouter(prefix="/v1", tags=["sequences"])

Limit = Annotated[int, Query(ge=1, le=200, description="Rows in a page.", examples=[100])]
Cursor = Annotated[str, Query(max_length=80, description="`next_cursor` of the page before.", examples=[""])]

_SCHEDULE: dict[str, Any] = {
    "id": "office-hours",
    "zone": "Europe/Berlin",
    "windows": {day: [{"start": "09:00", "end": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")},
}
_SEQUENCE: dict[str, Any] = {
    "id": "spring",
    "name": "Spring outreach",
    "schedule": "office-hours",
    "mailboxes": ["mara"],
    "steps": [
        {"id": "hello", "subject": "Hello {{ contact.first_name }}", "text": "Hi {{ contact.first_name }}, ..."},
        {"id": "again", "wait": "3d", "thread": "reply", "text": "Did you see my last email?"},
    ],
}
_SWITCH = {"switched_on": True, "epoch": 2, "switched_at": "2026-03-02T09:00:00Z", "switched_by": "person:ana"}
_SWITCHED = {"sequence": "spring", "changed": True, "parked": 0}
_COUNTS = {"active": 37, "paused": 2, "bounced": 1, "not_sent": 0, "finished": 12, "removed": 0}


class Applied(BaseModel):
    """A definition as it is now stored. `changed`: it was new or different. Mailboxes keep no revision."""

    id: str
    revision: int | None
    changed: bool


class ScheduleView(BaseModel):
    """A schedule and how often its definition changed, from 1."""

    id: str
    revision: int
    definition: dict[str, Any]


class SchedulePage(BaseModel):
    """Schedules in the order of their IDs."""

    items: list[ScheduleView]
    next_cursor: str | None


class SequenceView(BaseModel):
    """A sequence, its own switch, and how many enrollments have each effective status."""

    id: str
    name: str
    revision: int
    switched_on: bool
    epoch: int
    switched_at: datetime
    switched_by: str
    counts: dict[Status, int]
    definition: dict[str, Any]


class SequenceLine(BaseModel):
    """A sequence in a list."""

    id: str
    name: str
    revision: int
    steps: int
    switched_on: bool
    epoch: int


class SequencePage(BaseModel):
    """Sequences in the order of their IDs, without their definitions' steps and counts."""

    items: list[SequenceLine]
    next_cursor: str | None


class SwitchRequest(Definition):
    """Who switches: an ID; else the header `Onward-Actor`."""

    by: str | None = None


class Switched(BaseModel):
    """A switch as it stands. `active`: enrollments that are Active by themselves: paused by the switch while it is off.
    `parked`: those that came to a sending time meanwhile and are woken one after the other when it is on."""

    sequence: str
    switched_on: bool
    changed: bool
    epoch: int
    active: int
    parked: int


class ProgressView(BaseModel):
    """How far waking has come: `parked` wait now, `woken` were told by the waker of this epoch (null: nobody can say)."""

    sequence: str
    epoch: int
    open: bool
    parked: int
    waking: bool
    woken: int | None


class GlobalSwitch(BaseModel):
    """The switch over all sequences."""

    switched_on: bool
    epoch: int


@router.put(
    "/schedules/{id}",
    dependencies=[needs("admin")],
    tags=["schedules"],
    summary="Apply a schedule",
    openapi_extra=takes(Schedule, _SCHEDULE),
    responses=answers({"id": "office-hours", "revision": 1, "changed": True}),
)
async def put_schedule(id: str, data: Body, hands: Hands) -> Applied:
    """Insert or update. A new revision only when the definition changed."""
    return Applied(**asdict(await definitions.apply_schedule(hands.database, with_id(data, id))))


@router.get(
    "/schedules",
    dependencies=[needs("read")],
    tags=["schedules"],
    summary="List schedules",
    responses=answers({"items": [{"id": "office-hours", "revision": 1, "definition": _SCHEDULE}], "next_cursor": None}),
)
async def get_schedules(hands: Hands, cursor: Cursor = "", limit: Limit = 100) -> SchedulePage:
    """In the order of their IDs."""
    async with hands.database.read() as connection:
        found = await catalog.schedules(connection, after=cursor, limit=limit + 1)
    items = [_schedule(one) for one in found[:limit]]
    return SchedulePage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get(
    "/schedules/{id}",
    dependencies=[needs("read")],
    tags=["schedules"],
    summary="One schedule",
    responses=answers({"id": "office-hours", "revision": 1, "definition": _SCHEDULE}),
)
async def get_schedule(id: str, hands: Hands) -> ScheduleView:
    """The definition as it is."""
    async with hands.database.read() as connection:
        return _schedule(await catalog.schedule(connection, known("schedule", id)))


def _schedule(stored: StoredSchedule) -> ScheduleView:
    definition = stored.definition.model_dump(mode="json")
    return ScheduleView(id=stored.definition.id, revision=stored.revision, definition=definition)


@router.put(
    "/sequences/{id}",
    dependencies=[needs("admin")],
    summary="Apply a sequence",
    openapi_extra=takes(Sequence, _SEQUENCE),
    responses=answers({"id": "spring", "revision": 1, "changed": True}),
)
async def put_sequence(id: str, data: Body, hands: Hands) -> Applied:
    """Insert (switched on) or update; running enrollments follow the new definition by the IDs of its steps. Templates are
    checked. Those whose step could not be sent for a fault of the old definition try again."""
    applied = await definitions.apply_sequence(hands.enrollments, with_id(data, id), check=check_sequence)
    return Applied(**asdict(applied))


@router.get(
    "/sequences",
    dependencies=[needs("read")],
    summary="List sequences",
    responses=answers(
        {
            "items": [
                {"id": "spring", "name": "Spring outreach", "revision": 1, "steps": 2, "switched_on": True, "epoch": 2}
            ],
            "next_cursor": None,
        }
    ),
)
async def get_sequences(hands: Hands, cursor: Cursor = "", limit: Limit = 100) -> SequencePage:
    """In the order of their IDs."""
    async with hands.database.read() as connection:
        found = await catalog.sequences(connection, after=cursor, limit=limit + 1)
    items = [
        SequenceLine(
            id=one.definition.id,
            name=one.definition.name,
            revision=one.revision,
            steps=len(one.definition.steps),
            switched_on=one.switched_on,
            epoch=one.epoch,
        )
        for one in found[:limit]
    ]
    return SequencePage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get(
    "/sequences/{id}",
    dependencies=[needs("read")],
    summary="One sequence",
    responses=answers(
        {
            "id": "spring",
            "name": "Spring outreach",
            "revision": 1,
            **_SWITCH,
            "counts": _COUNTS,
            "definition": _SEQUENCE,
        }
    ),
)
async def get_sequence(id: str, hands: Hands) -> SequenceView:
    """The definition, the switch, and the counts by effective status."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, known("sequence", id))
        counts = await listing.counts(connection, id)
    return _sequence(stored, counts)


def _sequence(stored: StoredSequence, counts: dict[Status, int]) -> SequenceView:
    return SequenceView(
        id=stored.definition.id,
        name=stored.definition.name,
        revision=stored.revision,
        switched_on=stored.switched_on,
        epoch=stored.epoch,
        switched_at=stored.switched_at,
        switched_by=stored.switched_by,
        counts=counts,
        definition=stored.definition.model_dump(mode="json"),
    )


@router.post(
    "/sequences/{id}/off",
    dependencies=[needs("operate")],
    summary="Switch a sequence off",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({**_SWITCHED, "switched_on": False, "epoch": 3, "active": 37}),
)
async def switch_off(id: str, data: Body, hands: Hands, actor: Actor) -> Switched:
    """From the answer on no email of the sequence leaves, however many are enrolled: the Active ones are Paused. Switching
    to where it stands changes nothing."""
    return await _switch(hands, id, data, actor, on=False)


@router.post(
    "/sequences/{id}/on",
    dependencies=[needs("operate")],
    summary="Switch a sequence on",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({**_SWITCHED, "switched_on": True, "epoch": 4, "active": 30, "parked": 7}),
)
async def switch_on(id: str, data: Body, hands: Hands, actor: Actor) -> Switched:
    """Waits have kept running meanwhile; what fell due takes slots in turn (see `progress`)."""
    return await _switch(hands, id, data, actor, on=True)


async def _switch(hands: Services, id: str, data: dict[str, Any], actor: Acting, *, on: bool) -> Switched:
    parse(SwitchRequest, data)
    key = known("sequence", id)
    changed = await hands.enrollments.switch("sequence", key, on=on, by=said_by(data, actor)[1])
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, key)
        rows = await connection.fetch(sql("enrollments.counts"), key)
        parked = await gates.parked(connection, "sequence", key)
    return Switched(
        sequence=key,
        switched_on=stored.switched_on,
        changed=changed is not None,
        epoch=stored.epoch,
        active={row["status"]: row["n"] for row in rows}.get(Status.ACTIVE.value, 0),
        parked=parked,
    )


@router.get(
    "/sequences/{id}/progress",
    dependencies=[needs("read")],
    summary="How far waking has come after switching on",
    responses=answers({"sequence": "spring", "epoch": 4, "open": True, "parked": 120, "waking": True, "woken": 380}),
)
async def get_progress(id: str, hands: Hands) -> ProgressView:
    """Those that parked while the switch was off are told page by page, at a bounded rate."""
    async with hands.database.read() as connection:
        await catalog.sequence(connection, known("sequence", id))
    return ProgressView(sequence=id, **asdict(await waking.progress(hands.enrollments, "sequence", id)))


@router.get(
    "/switch",
    dependencies=[needs("read")],
    tags=["switch"],
    summary="The switch over everything",
    responses=answers({"switched_on": True, "epoch": 0}),
)
async def get_global(hands: Hands) -> GlobalSwitch:
    """While it is off no email leaves, of any sequence."""
    return await _global(hands)


@router.post(
    "/switch/off",
    dependencies=[needs("admin")],
    tags=["switch"],
    summary="Switch everything off",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({"switched_on": False, "epoch": 1}),
)
async def switch_everything_off(data: Body, hands: Hands, actor: Actor) -> GlobalSwitch:
    """From the answer on no email leaves. Each sequence keeps its own switch."""
    return await _switch_everything(hands, data, actor, on=False)


@router.post(
    "/switch/on",
    dependencies=[needs("admin")],
    tags=["switch"],
    summary="Switch everything on",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({"switched_on": True, "epoch": 2}),
)
async def switch_everything_on(data: Body, hands: Hands, actor: Actor) -> GlobalSwitch:
    """Sequences that are on go on; what fell due takes slots in turn."""
    return await _switch_everything(hands, data, actor, on=True)


async def _switch_everything(hands: Services, data: dict[str, Any], actor: Acting, *, on: bool) -> GlobalSwitch:
    parse(SwitchRequest, data)
    await hands.enrollments.switch("global", "", on=on, by=said_by(data, actor)[1])
    return await _global(hands)


async def _global(hands: Services) -> GlobalSwitch:
    async with hands.database.read() as connection:
        switched_on, epoch = await gates.read(connection, "global", "")
    return GlobalSwitch(switched_on=switched_on, epoch=epoch)
