"""The audit of requests: every unsafe one of a known caller leaves an entry before it runs, and its result after. Pure ASGI,
around everything but the door, so that no route can forget it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Annotated, Any

import asyncpg
import structlog
from fastapi import APIRouter, Query
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Caller, every_route, needs
from api.authentication import who_is
from api.bodies import answers
from api.problems import MEDIA_TYPE, TooLarge
from api.services import Hands, Services
from store import audit
from store.audit import Result, Trail, Who
from store.database import UNAVAILABLE

_log = structlog.get_logger(__name__)

SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
"""Methods that change nothing (RFC 9110 9.2.1)."""

_LOST: tuple[type[BaseException], ...] = (*UNAVAILABLE, asyncpg.PostgresError)

_KINDS = {
    "sequences": "sequence",
    "schedules": "schedule",
    "mailboxes": "mailbox",
    "contacts": "contact",
    "accounts": "account",
    "enrollments": "enrollment",
    "inbound": "mail",
    "suppressions": "address",
}
"""What the segment before a path's first parameter says of it."""


class Audit:
    """An entry's action is its route's name, which may hold path parameters (`name="{command}"`); its target the first
    parameter of the path. Without the database nothing is begun."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.database = services.database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        caller: Caller | None = scope.get("state", {}).get("caller")
        if caller is None or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        who = who_is(HTTPConnection(scope), caller)
        async with self.database.read() as connection:
            entry = await audit.begin(connection, who, *_what(scope))
        held: list[Message] = []

        async def kept(message: Message) -> None:
            held.append(message)

        trail: Trail = scope["state"]["audit"]
        try:
            await self.app(scope, receive, kept)
        except TooLarge:
            await self._finish(who, entry, trail, 413, "too_large")
            raise
        except Exception:
            await self._finish(who, entry, trail, 500, "internal_error")
            for message in held:  # the console's page that says so
                await send(message)
            raise
        await self._finish(who, entry, trail, *_answer(held))
        # On record before it is sent: who has the answer can find it there.
        for message in held:
            await send(message)

    async def _finish(self, who: Who, entry: int, trail: Trail, status: int, code: str | None) -> None:
        result: Result = "done" if status < 400 else "refused" if status < 500 else "failed"
        try:
            async with self.database.transaction() as connection:
                await audit.finish_with(connection, who, entry, trail, result, status=status, code=code)
        except _LOST as error:
            # What was done is done, and its entry stands, without a result.
            _log.error("audit_result_lost", entry=entry, status=status, error=str(error) or type(error).__name__)


def _what(scope: Scope) -> tuple[str, str | None, str | None]:
    """Action, kind and target of a request; of a path that leads nowhere only that."""
    for path, route in every_route(scope["app"].routes):
        if scope["method"] not in (route.methods or ()):
            continue
        match = _pattern(path).match(scope["path"])
        if match is not None:
            given = match.groupdict()
            action = (route.name or "").format_map(given)
            first = re.search(r"([^/{]*)/{(\w+)", path)
            if first is None:
                return action, None, None
            return action, _KINDS.get(first[1], first[1]), given[first[2]]
    return "unknown_path", None, None


@cache
def _pattern(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


def _answer(messages: list[Message]) -> tuple[int, str | None]:
    """Status, and the code of the problem if it is one."""
    start = next((one for one in messages if one["type"] == "http.response.start"), None)
    if start is None:
        return 500, "no_answer"
    status, headers = int(start["status"]), Headers(raw=start["headers"])
    if headers.get("idempotency-replayed"):
        return status, "replayed"
    if not headers.get("content-type", "").startswith(MEDIA_TYPE):
        return status, None
    body = b"".join(one.get("body", b"") for one in messages)
    return status, str(json.loads(body).get("code"))


# Reading it

router = APIRouter(prefix="/v1", tags=["audit"])

_ENTRY = {
    "id": 4711,
    "at": "2026-03-02T09:00:00Z",
    "key": "5f0c9a1b2c3d",
    "actor": "key:crm",
    "by": "person:ana",
    "session": None,
    "action": "pause",
    "kind": "enrollment",
    "target": "0198b3c4-5d6e-7f80-9a1b-2c3d4e5f6071",
    "from": "192.0.2.7",
    "request": "7a4f0c53b1de4c5a9e0f6a7b8c9d0e1f",
    "result": "done",
    "status": 200,
    "code": None,
    "finished_at": "2026-03-02T09:00:00.120000Z",
}


@router.get(
    "/audit",
    dependencies=[needs("admin")],
    summary="Who did what",
    responses=answers({"items": [_ENTRY], "next_cursor": None}),
)
async def get_audit(
    hands: Hands,
    key: Annotated[str | None, Query(max_length=80, description="Of this key: its ID, `token` or `cli`.")] = None,
    actor: Annotated[str | None, Query(max_length=120, description="Of keys of this actor.")] = None,
    action: Annotated[str | None, Query(max_length=80, description="Only this action, such as pause.")] = None,
    kind: Annotated[str | None, Query(max_length=80, description="On this kind, such as enrollment.")] = None,
    target: Annotated[str | None, Query(max_length=320, description="On this one, by its ID.")] = None,
    cursor: Annotated[str | None, Query(max_length=80, description="`next_cursor` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=audit.MAX_LIMIT)] = 50,
) -> dict[str, Any]:
    """Newest first. `key` and `actor` say whose key it was, `by` whom the command named instead. `result` is `done`, `refused`
    or `failed`; null: it still runs, or was cut off."""
    async with hands.database.read() as connection:
        entries, next_cursor = await audit.page(
            connection, cursor=cursor, key=key, actor=actor, action=action, kind=kind, target=target, limit=limit
        )
    return {"items": [entry.as_json() for entry in entries], "next_cursor": next_cursor}
