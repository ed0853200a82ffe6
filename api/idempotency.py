"""`Idempotency-Key`: a write repeated with its key gets the first one's answer and has no second effect. Pure ASGI."""

from __future__ import annotations

import hashlib
import json

import structlog
from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import SETTINGS_KEY, Caller
from api.problems import MEDIA_TYPE, from_domain, no_store, problem
from api.services import Services
from domain.errors import DomainError
from store import idempotency
from store.database import UNAVAILABLE
from store.idempotency import Stored

_log = structlog.get_logger(__name__)

HEADER = "idempotency-key"
WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
MAX_KEY = 255


class Idempotency:
    """Keeps the first answer of each key for 24 h; an answer of 500 and above is a fault of ours and frees the key."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.database = services.database

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        key = Headers(scope=scope).get(HEADER) if scope["type"] == "http" else None
        if key is None or scope["method"] not in WRITES or not scope["path"].startswith("/v1/"):
            await self.app(scope, receive, send)
            return
        if not 1 <= len(key) <= MAX_KEY or not key.isascii() or not key.isprintable():
            await problem(
                422,
                "idempotency_key_invalid",
                "not a key",
                field="Idempotency-Key",
                fix=f"1 to {MAX_KEY} printable ASCII characters, such as a UUID",
            )(scope, receive, send)
            return
        body = await _read(receive)
        if body is None:
            return
        key = own(scope["state"]["caller"], key)
        answer = await self._begin(key, scope, body)
        if answer is not None:
            await answer(scope, receive, send)
        else:
            await self._carry_out(key, body, scope, receive, send)

    async def _begin(self, key: str, scope: Scope, body: bytes) -> JSONResponse | None:
        """Take the key, or answer with what is known of it."""
        try:
            async with self.database.transaction() as connection:
                found = await idempotency.begin(
                    connection, key, f"{scope['method']} {scope['path']}", _hash(scope, body)
                )
        except DomainError as error:
            return from_domain(error)
        except UNAVAILABLE:
            return no_store()
        if not isinstance(found, Stored):
            return None
        media_type = MEDIA_TYPE if found.status >= 400 else "application/json"
        return JSONResponse(found.body, found.status, {"Idempotency-Replayed": "true"}, media_type)

    async def _carry_out(self, key: str, body: bytes, scope: Scope, receive: Receive, send: Send) -> None:
        status, chunks, given = 0, bytearray(), False
        held: list[Message] = []

        async def replayed() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        async def kept(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            chunks.extend(message.get("body", b""))
            held.append(message)

        try:
            await self.app(scope, replayed, kept)
        finally:
            # Kept before it is sent: who has the answer can rely on the key.
            await self._end(key, status, bytes(chunks))
        for message in held:
            await send(message)

    async def _end(self, key: str, status: int, body: bytes) -> None:
        try:
            async with self.database.read() as connection:
                if 200 <= status < 500:
                    await idempotency.finish(connection, key, status, json.loads(body))
                else:
                    await idempotency.abandon(connection, key)
        except UNAVAILABLE as error:
            # The key stays taken for a while; then the same request may run again (see store.idempotency.LOST).
            _log.warning("idempotency_key_left", error=str(error) or type(error).__name__)


def own(caller: Caller | None, key: str) -> str:
    """The key as this caller's: what one was answered is not for the others, who may be allowed less."""
    return key if caller is None or caller.key == SETTINGS_KEY else f"{caller.key} {key}"


async def _read(receive: Receive) -> bytes | None:
    """The whole body; None when the caller has gone."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        if not message.get("more_body"):
            return bytes(body)


def _hash(scope: Scope, body: bytes) -> str:
    headers = Headers(scope=scope)
    parts = [scope.get("query_string", b""), headers.get("content-type", "").encode(), body]
    parts.append(headers.get("onward-actor", "").encode())
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.hexdigest()
