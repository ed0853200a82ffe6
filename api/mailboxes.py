"""Mailboxes: their definitions, their state, and whether their server lets us in."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from pydantic import BaseModel

from api.access import needs
from api.bodies import Acting, Actor, Body, answers, known, parse, said_by, takes, with_id
from api.sequences import Applied, Cursor, Limit, SwitchRequest
from api.services import Hands, Services
from client import definitions
from domain.sequences import Mailbox
from mail import imap, smtp
from mail.definitions import check_mailbox, server_of
from mail.errors import MailError
from store import catalog
from store.catalog import StoredMailbox

router = APIRouter(prefix="/v1/mailboxes", tags=["mailboxes"])

_MAILBOX: dict[str, Any] = {
    "id": "mara",
    "address": "mara@example.com",
    "name": "Mara Lind",
    "smtp": {"host": "smtp.example.com", "port": 587, "username": "mara@example.com", "password": "env:MARA_PASSWORD"},
    "limits": {"per_day": 50, "per_hour": 20, "gap": "60s"},
}
_VIEW = {
    "id": "mara",
    "state": "up",
    "state_code": None,
    "epoch": 0,
    "not_before": None,
    "definition": _MAILBOX,
}


class MailboxView(BaseModel):
    """A mailbox and its gate: `up`, `down`, `guardrail` or `paused`, why, and until when it sends nothing."""

    id: str
    state: str
    state_code: str | None
    epoch: int
    not_before: datetime | None
    definition: dict[str, Any]


class MailboxPage(BaseModel):
    """Mailboxes in the order of their IDs."""

    items: list[MailboxView]
    next_cursor: str | None


class Checked(BaseModel):
    """What the server said to a login without an email. `code` and `detail` where it is not ok."""

    mailbox: str
    ok: bool
    code: str | None = None
    detail: str | None = None


@router.put(
    "/{id}",
    dependencies=[needs("admin")],
    summary="Apply a mailbox",
    openapi_extra=takes(Mailbox, _MAILBOX),
    responses=answers({"id": "mara", "revision": None, "changed": True}),
)
async def put_mailbox(id: str, data: Body, hands: Hands) -> Applied:
    """Insert or update. The password is a reference, `env:NAME` or `file:/path`, that the worker resolves when it sends."""
    return Applied(**asdict(await definitions.apply_mailbox(hands.database, with_id(data, id), check=check_mailbox)))


@router.get(
    "",
    dependencies=[needs("read")],
    summary="List mailboxes",
    responses=answers({"items": [_VIEW], "next_cursor": None}),
)
async def get_mailboxes(hands: Hands, cursor: Cursor = "", limit: Limit = 100) -> MailboxPage:
    """In the order of their IDs."""
    async with hands.database.read() as connection:
        found = await catalog.mailboxes(connection, after=cursor, limit=limit + 1)
    items = [_view(one) for one in found[:limit]]
    return MailboxPage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get("/{id}", dependencies=[needs("read")], summary="One mailbox", responses=answers(_VIEW))
async def get_mailbox(id: str, hands: Hands) -> MailboxView:
    """The definition and the state."""
    return _view(await _stored(hands, id))


@router.post(
    "/{id}/check",
    dependencies=[needs("operate")],
    summary="Log in to a mailbox's servers",
    responses=answers({"mailbox": "mara", "ok": True, "code": None, "detail": None}),
)
async def check(id: str, hands: Hands) -> Checked:
    """Connects from here and logs in, with this process's own secrets; sends nothing and changes nothing."""
    return await checked(hands, id)


async def checked(hands: Services, id: str) -> Checked:
    """Whether the logins of a mailbox work."""
    mailbox = (await _stored(hands, id)).definition
    try:
        await smtp.check(server_of(mailbox, connect_seconds=hands.smtp_seconds))
        if mailbox.imap is not None:
            await imap.check(mailbox.imap, seconds=hands.smtp_seconds)
    except MailError as error:
        return Checked(mailbox=id, ok=False, code=error.code, detail=error.detail)
    return Checked(mailbox=id, ok=True)


@router.post(
    "/{id}/pause",
    dependencies=[needs("operate")],
    summary="Pause a mailbox",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({**_VIEW, "state": "paused", "epoch": 1}),
)
async def pause(id: str, data: Body, hands: Hands, actor: Actor) -> MailboxView:
    """From the answer on it sends nothing, whoever waits."""
    return await _set(hands, id, data, actor, "paused")


@router.post(
    "/{id}/up",
    dependencies=[needs("operate")],
    summary="Open a mailbox again",
    openapi_extra=takes(SwitchRequest, {"by": "person:ana"}, required=False),
    responses=answers({**_VIEW, "epoch": 2}),
)
async def up(id: str, data: Body, hands: Hands, actor: Actor) -> MailboxView:
    """Ends a pause, a guardrail or an outage: those it held go on in turn."""
    return await _set(hands, id, data, actor, "up")


async def _set(
    hands: Services, id: str, data: dict[str, Any], actor: Acting, state: Literal["up", "paused"]
) -> MailboxView:
    parse(SwitchRequest, data)
    await hands.enrollments.set_mailbox(known("mailbox", id), state, by=said_by(data, actor)[1])
    return _view(await _stored(hands, id))


async def _stored(hands: Services, key: str) -> StoredMailbox:
    async with hands.database.read() as connection:
        return await catalog.mailbox(connection, known("mailbox", key))


def _view(stored: StoredMailbox) -> MailboxView:
    return MailboxView(
        id=stored.definition.id,
        state=stored.state,
        state_code=stored.state_code,
        epoch=stored.epoch,
        not_before=stored.not_before,
        definition=stored.definition.model_dump(mode="json"),
    )
