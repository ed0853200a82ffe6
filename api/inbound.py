"""Mail that comes in: posted as raw bytes under a signature; listed, looked at and corrected by people."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel

from api.access import caller_of, needs
from api.bodies import Actor, Body, answers, parse, said_by, takes
from api.door import INBOUND_PATH
from api.problems import InboundShut, InvalidRequest, SignatureInvalid
from api.services import Hands, Services
from client.reading import inbound_shown
from domain.inbound import Arrival, Kind
from domain.sequences import Definition, Id
from store import inbound
from store.enrollments import get as get_enrollment

router = APIRouter(tags=["inbound"])

TOLERANCE = 300
"""Seconds that a signature's time may differ from ours."""

_MAIL = "7d9f2b1e-4c3a-4f5e-9b8d-1a2b3c4d5e6f"
_TAKEN = {
    "id": _MAIL,
    "kind": "out_of_office",
    "rule": "automatic:auto_submitted",
    "matched_by": "answers",
    "enrollment": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "told": [{"enrollment": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "message": "out_of_office"}],
    "needs": None,
    "duplicate": False,
}
_SHOWN = {
    "id": _MAIL,
    "received_at": "2026-03-02T09:14:00Z",
    "source": "imap",
    "mailbox": "mara",
    "folder": "INBOX",
    "message_id": "abc@acme.example",
    "from": "anna@acme.example",
    "subject": "Automatic reply: Hello Anna",
    "size": 2048,
    "kind": "out_of_office",
    "rule": "automatic:auto_submitted",
    "evidence": [{"where": "header:Auto-Submitted", "text": "auto-replied"}],
    "ignored": ["quoted_text"],
    "return": {"status": "date", "date": "2026-03-16", "evidence": "until Monday, March 16"},
    "bounce": [],
    "meeting": None,
    "proposed": [],
    "matched_by": "answers",
    "enrollment": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "sequence": "spring",
    "contact": "anna",
    "told": [{"enrollment": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071", "message": "out_of_office", "id": f"mail/{_MAIL}/out_of_office"}],
    "needs": None,
    "settled_at": None,
    "settled_by": None,
    "correction": None,
}  # fmt: skip


class TakenView(BaseModel):
    """What became of a mail: its kind and the rule that decided, whose it is, who was told what, why a person must look."""

    id: str
    kind: str
    rule: str
    matched_by: str | None
    enrollment: str | None
    told: list[dict[str, Any]]
    needs: str | None
    duplicate: bool


def check_signature(secret: bytes, header: str | None, body: bytes, now: float) -> None:
    """`t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the body>`. Raises SignatureInvalid."""
    fields = dict(part.strip().partition("=")[::2] for part in (header or "").split(","))
    stamp = fields.get("t", "")
    fix = 'Onward-Signature: t=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>." + body>'
    if not stamp.isascii() or not stamp.isdigit() or abs(int(stamp[:15]) - now) > TOLERANCE:
        detail = f"the signature has no time, or one more than {TOLERANCE} s away from ours"
        raise SignatureInvalid(detail, field="Onward-Signature", fix=fix)
    wanted = hmac.new(secret, stamp.encode() + b"." + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(fields.get("v1", "").encode(), wanted.encode()):
        raise SignatureInvalid("the signature is not of this body", field="Onward-Signature", fix=fix)


@router.post(
    INBOUND_PATH,
    dependencies=[needs("operate", "inbound", signed=True)],
    summary="Take in a mail",
    response_model=TakenView,
    responses=answers(_TAKEN),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"message/rfc822": {"schema": {"type": "string", "format": "binary"}, "example": "From: ..."}},
        }
    },
)
async def post_mail(
    request: Request,
    hands: Hands,
    onward_signature: Annotated[str | None, Header()] = None,
    mailbox: Annotated[Id | None, Query(description="The mailbox it arrived in.")] = None,
) -> dict[str, Any]:
    """The raw RFC 822 bytes, up to 25 MB, signed with `ONWARD_INBOUND_SECRET` or under a key. Once answered, the mail and what it
    stops are on record. May be repeated: the same mail has its effect once."""
    signed = caller_of(request) is None
    if signed and hands.inbound_secret is None:
        raise InboundShut(
            "no signatures are checked here",
            fix="set ONWARD_INBOUND_SECRET and sign with it, or use a key with the scope inbound",
        )
    body = await request.body()
    if signed and hands.inbound_secret is not None:
        check_signature(hands.inbound_secret, onward_signature, body, time.time())
    if not body.strip():
        raise InvalidRequest("the body is empty", field="body", fix="post the raw bytes of the mail")
    taken = await hands.inbound.take(Arrival(body, hands.now(), "http", mailbox))
    return taken.as_json()


@router.get(
    "/v1/inbound",
    dependencies=[needs("read")],
    summary="List inbound mail",
    responses=answers({"items": [_SHOWN], "next_cursor": None}),
)
async def list_mail(
    hands: Hands,
    needs: Annotated[bool, Query(description="Only what a person must look at.")] = False,
    kind: Kind | None = None,
    enrollment: str | None = None,
    unmatched: Annotated[
        bool | None, Query(description="Only mail that belongs to no enrollment, or only that does.")
    ] = None,
    cursor: Annotated[str | None, Query(description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> dict[str, Any]:
    """Newest first."""
    async with hands.database.read() as connection:
        rows = await inbound.page(
            connection,
            after=cursor,
            kind=kind,
            enrollment=enrollment,
            unmatched=unmatched,
            needs=needs,
            limit=limit + 1,
        )
    items = [inbound_shown(row) for row in rows[:limit]]
    return {"items": items, "next_cursor": items[-1]["id"] if len(rows) > limit else None}


@router.get(
    "/v1/inbound/{mail}", dependencies=[needs("read")], summary="Show an inbound mail", responses=answers(_SHOWN)
)
async def show_mail(mail: str, hands: Hands) -> dict[str, Any]:
    """What it is, on what evidence, whose it is and what it did."""
    return await _shown(hands, mail)


@router.get(
    "/v1/inbound/{mail}/raw",
    dependencies=[needs("read")],
    summary="The bytes of an inbound mail",
    response_class=Response,
    responses={200: {"description": "As they came", "content": {"message/rfc822": {"example": "From: ..."}}}},
)
async def raw_mail(mail: str, hands: Hands) -> Response:
    """As a download: it is somebody else's text, and no browser should render it."""
    async with hands.database.read() as connection:
        raw = await inbound.raw(connection, mail)
    if raw is None:
        raise inbound.InboundUnknown("the bytes of this mail were not kept", field="mail")
    headers = {"Content-Disposition": f'attachment; filename="{mail}.eml"', "Content-Security-Policy": "sandbox"}
    return Response(raw, media_type="message/rfc822", headers=headers)


class Correction(Definition):
    """What a person says of a mail: its `kind`, the `return_date` of an absence, the `enrollment` it belongs to."""

    kind: Kind | None = None
    return_date: date | None = None
    enrollment: str | None = None


@router.post(
    "/v1/inbound/{mail}/correct",
    dependencies=[needs("operate")],
    summary="Correct an inbound mail",
    response_model=TakenView,
    responses=answers(_TAKEN),
    openapi_extra=takes(Correction, {"kind": "out_of_office", "return_date": "2026-03-16"}),
)
async def correct_mail(mail: str, body: Body, hands: Hands, actor: Actor) -> dict[str, Any]:
    """Its kind, its return date or its enrollment is another. It is told to the enrollment as a person's word, which no later
    auto-reply overrides; what has ended is not opened again."""
    rest, by = said_by(body, actor)
    said = parse(Correction, rest)
    if said.enrollment is not None:
        async with hands.database.read() as connection:
            await get_enrollment(connection, said.enrollment)
    taken = await hands.inbound.correct(
        mail, by=by, kind=said.kind, return_date=said.return_date, enrollment=said.enrollment
    )
    return taken.as_json()


class Nothing(Definition):
    """No fields but `by`."""


@router.post(
    "/v1/inbound/{mail}/settle",
    dependencies=[needs("operate")],
    summary="Settle an inbound mail",
    responses=answers(_SHOWN),
    openapi_extra=takes(Nothing, {}, required=False),
)
async def settle_mail(mail: str, body: Body, hands: Hands, actor: Actor) -> dict[str, Any]:
    """Somebody has looked at it, and nothing more is to be done."""
    rest, by = said_by(body, actor)
    parse(Nothing, rest)
    async with hands.database.transaction() as connection:
        await inbound.settle(connection, mail, by=by, now=hands.now())
    return await _shown(hands, mail)


async def _shown(hands: Services, mail: str) -> dict[str, Any]:
    async with hands.database.read() as connection:
        return inbound_shown(await inbound.get(connection, mail))
