"""Commands to one enrollment, and facts about it."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from fastapi import APIRouter, Header, Response
from pydantic import BaseModel

from api.access import caller_of, needs
from api.bodies import Acting, Actor, Body, answers, said_by, takes
from api.idempotency import own
from api.problems import InvalidRequest
from api.services import Hands
from domain.delivery import Answer
from domain.messages import COMMANDS, FACTS, MESSAGES

router = APIRouter(prefix="/v1/enrollments", tags=["commands"])

_EXAMPLES: dict[str, dict[str, Any]] = {
    "pause": {"until": "2026-12-01", "by": "person:ana"},
    "resume": {"by": "person:ana"},
    "resume_at": {"until": "2026-12-01T09:00:00+01:00", "by": "person:ana"},
    "finish": {"disposition": "called instead", "by": "person:ana"},
    "settle_delivery": {"verdict": "not_sent", "by": "person:ana"},
    "reply": {"message_id": "hello.1.0198b3c4@example.com", "interest": "interested", "by": "key:inbox"},
    "out_of_office": {"return_date": "2026-12-01", "by": "key:inbox"},
    "bounce": {"kind": "hard_bounce", "code": "5.1.1", "step": "hello", "attempt": 1, "by": "key:inbox"},
}
_ANSWER = {
    "enrollment": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "status": "paused",
    "label": "Paused",
    "reason": "manual",
    "remaining_holds": ["manual"],
    "next": {"what": "resume", "at": "2026-12-01T08:00:00Z"},
    "allowed": ["pause", "resume", "resume_at", "skip", "finish", "remove"],
    "accepted": True,
    "adopted": True,
}


class AnswerView(BaseModel):
    """The status that it led to, what remains in the way, what happens next. `adopted` false (with 202): it is recorded and
    holds, but the workflow has not taken it up yet."""

    enrollment: str
    status: str
    label: str
    reason: str | None
    remaining_holds: list[str]
    next: dict[str, Any] | None
    allowed: list[str]
    accepted: bool
    adopted: bool


def _view(answer: Answer, response: Response) -> AnswerView:
    if not answer.adopted:
        response.status_code = 202
    return AnswerView(
        enrollment=answer.enrollment,
        status=answer.status,
        label=answer.label,
        reason=answer.reason,
        remaining_holds=list(answer.remaining_holds),
        next=None if answer.next is None else dict(answer.next),
        allowed=list(answer.allowed),
        accepted=answer.accepted,
        adopted=answer.adopted,
    )


def _payload(data: dict[str, Any], actor: Acting, key: str | None) -> dict[str, Any]:
    """The message's payload. Without an `id` of its own a request with a key gets one from it, so that a repetition has no
    second effect even where the first answer was lost."""
    if "origin" in data:
        raise InvalidRequest("set by Onward itself", field="origin", fix="leave it out")
    rest, by = said_by(data, actor)
    if key is not None and rest.get("id") is None:
        mine = own(caller_of(actor.request), key)
        rest["id"] = f"http/{hashlib.sha256(mine.encode()).hexdigest()[:32]}"
    return {**rest, "by": by}


Endpoint = Callable[..., Awaitable[AnswerView]]
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


def _command(name: str) -> Endpoint:
    async def give(
        id: str, data: Body, hands: Hands, actor: Actor, response: Response, idempotency_key: Key = None
    ) -> AnswerView:
        payload = _payload(data, actor, idempotency_key)
        return _view(await hands.enrollments.command(id, name, payload), response)

    return give


def _fact(name: str) -> Endpoint:
    async def report(
        id: str, data: Body, hands: Hands, actor: Actor, response: Response, idempotency_key: Key = None
    ) -> AnswerView:
        payload = _payload(data, actor, idempotency_key)
        return _view(await hands.enrollments.fact(id, name, payload), response)

    return report


def _add(kind: str, name: str, endpoint: Endpoint) -> None:
    model = MESSAGES[name]
    router.add_api_route(
        f"/{{id}}/{kind}/{name}",
        endpoint,
        methods=["POST"],
        dependencies=[needs("operate") if kind == "commands" else needs("operate", "inbound")],
        name=name,
        summary=f"{name.replace('_', ' ').capitalize()} ({kind.removesuffix('s')})",
        description=model.__doc__,
        tags=[kind],
        openapi_extra=takes(
            model, _EXAMPLES.get(name, {"by": "person:ana"}), required=name in ("resume_at", "settle_delivery")
        ),
        responses=answers(_ANSWER)
        | answers({**_ANSWER, "adopted": False}, status=202, description="Recorded, not taken up yet"),
    )


for _name in COMMANDS:
    _add("commands", _name, _command(_name))
for _name in FACTS:
    _add("facts", _name, _fact(_name))
