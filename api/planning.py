"""What is ahead: every remaining step of an enrollment with its time, and a sequence's emails per mailbox and hour."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel

from api.access import needs
from api.bodies import answers, known
from api.services import Hands, valid_address
from client import planning

router = APIRouter(prefix="/v1", tags=["planning"])

_ENROLLMENT = "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071"
_STEPS: list[dict[str, Any]] = [
    {
        "id": "again",
        "number": 2,
        "total": 3,
        "mailbox": "mara",
        "due": "2026-03-05T06:30:00Z",
        "at": "2026-03-05T08:00:00Z",
        "cause": "window",
        "certainty": "booked",
    },
    {
        "id": "last",
        "number": 3,
        "total": 3,
        "mailbox": "mara",
        "due": "2026-03-08T08:00:00Z",
        "at": "2026-03-09T08:01:12Z",
        "cause": "gap",
        "certainty": "estimated",
    },
]
_ASSUMPTIONS = ["no reply, no bounce, and no command of a person", "nobody else is enrolled"]


class Coming(BaseModel):
    """A step that is still to leave. `certainty`: `booked` in the mailbox's calendar; `estimated`; or `waits`: it has no
    time, since something must happen first. `cause`: why it leaves later than it is due."""

    id: str
    number: int
    total: int
    mailbox: str | None
    due: datetime | None
    at: datetime | None
    cause: str | None
    certainty: Literal["booked", "estimated", "waits"]


class EndView(BaseModel):
    """How it goes on after the last of the steps that have a time."""

    what: Literal["finished", "waits", "not_sent", "closed"]
    at: datetime | None
    reason: str | None
    sentence: str | None
    fix: str | None


class PlanView(BaseModel):
    """What is ahead of an enrollment, and what it rests on. `zone`: the time zone that counts for the contact, and whether
    it is of the contact's record, its country or the schedule."""

    enrollment: str
    sequence: str
    contact: str
    as_of: datetime
    zone: dict[str, str]
    steps: list[Coming]
    end: EndView | None
    assumptions: list[str]


@router.get(
    "/enrollments/{id}/plan",
    dependencies=[needs("read")],
    summary="Every remaining step of an enrollment",
    responses=answers(
        {
            "enrollment": _ENROLLMENT,
            "sequence": "spring",
            "contact": "anna",
            "as_of": "2026-03-02T09:00:00Z",
            "zone": {"name": "Europe/Berlin", "of": "schedule"},
            "steps": _STEPS,
            "end": {
                "what": "finished",
                "at": "2026-03-14T08:01:12Z",
                "reason": "completed",
                "sentence": "All steps were sent.",
                "fix": "nothing to do",
            },
            "assumptions": _ASSUMPTIONS,
        }
    ),
)
async def get_plan(id: str, hands: Hands) -> PlanView:
    """When each remaining email leaves, from which mailbox, and why not sooner. If nothing comes from outside, it leaves
    then, to the second."""
    told = await planning.plan_of(hands.database, id, now=hands.now(), valid=valid_address, gaps=hands.gaps)
    return PlanView.model_validate(told)


@router.get(
    "/sequences/{id}/forecast",
    dependencies=[needs("read")],
    summary="A sequence's emails per mailbox and hour",
    responses=answers(
        {
            "sequence": "spring",
            "from": "2026-03-02T09:00:00Z",
            "until": "2026-03-16T09:00:00Z",
            "zone": "Europe/Berlin",
            "emails": 2,
            "last_email_at": "2026-03-09T08:01:12Z",
            "mailboxes": [
                {
                    "mailbox": "mara",
                    "emails": 2,
                    "others": 1,
                    "hours": [
                        {"begins": "2026-03-05T08:00:00Z", "emails": 1, "others": 0},
                        {"begins": "2026-03-09T08:00:00Z", "emails": 1, "others": 1},
                    ],
                }
            ],
            "enrollments": 1,
            "ends": {"finished": {"completed": 1}},
            "assumptions": _ASSUMPTIONS,
        }
    ),
)
async def get_forecast(
    id: str,
    hands: Hands,
    days: Annotated[int, Query(ge=1, le=planning.MOST_DAYS, description="How far to look ahead.")] = 14,
) -> dict[str, Any]:
    """The emails of the coming days, per mailbox and hour, where there are any: the sequence's (`emails`), and those of
    others that share its mailboxes. `ends` counts, by reason, the enrollments that send nothing more in that time."""
    return await planning.forecast_of(
        hands.database, known("sequence", id), now=hands.now(), days=days, valid=valid_address, gaps=hands.gaps
    )
