"""The door: who may come in, how much they may bring, what is logged of it. Pure ASGI, around everything else."""

from __future__ import annotations

import hmac
import ipaddress
import time
import traceback
import uuid
from collections.abc import Iterable
from urllib.parse import urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem

_log = structlog.get_logger(__name__)

MAX_BODY = 10 * 1024 * 1024
"""Bytes in a request: an import of some 50,000 contacts."""

MAX_MAIL = 25 * 1024 * 1024
"""Bytes in a mail that is posted."""

OPEN_PATHS = ("/health", "/ready")
INBOUND_PATH = "/inbound/messages"
"""Signed by who posts (see api.inbound), so it needs no token."""
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1", "testserver"})
"""Host names under which a server without a token answers. A page on the internet can make a browser ask 127.0.0.1
under a name of its own (DNS rebinding), but not under one of these."""


class _TooLarge(Exception):
    pass


class Door:
    """Lets a request in, or answers it with a problem; logs one line for each.

    With a token every request must present it, but for health, the signed unsubscribe links and signed mail. Without one only this
    machine is served, under its local names, and no web page of another origin may send anything.
    """

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self.app = app
        self.token = None if token is None else token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, request_id, status = time.monotonic(), uuid.uuid4().hex, 0

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-ID"] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            refusal = self._refusal(scope)
            if refusal is not None:
                await refusal(scope, receive, sending)
            else:
                await self.app(scope, _limited(receive, _most(scope)), sending)
        except _TooLarge:
            if not status:
                await _too_large(_most(scope))(scope, receive, sending)
        except Exception:
            # As text: structlog's own rendering of an exception shows local variables, and so bodies and tokens.
            _log.error("request_failed", request_id=request_id, route=_route(scope), traceback=traceback.format_exc())
            if not status:
                detail = f"a fault of ours; the log names it under request {request_id}"
                await problem(500, "internal_error", detail)(scope, receive, sending)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                route=_route(scope),
                status=status,
                ms=round((time.monotonic() - began) * 1000),
                request_id=request_id,
            )

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > _most(scope):
            return _too_large(_most(scope))
        if scope["path"] in (*OPEN_PATHS, INBOUND_PATH) or scope["path"].startswith("/u/"):
            return None
        return self._without_token(scope, headers) if self.token is None else self._with_token(headers, self.token)

    def _with_token(self, headers: Headers, token: bytes) -> JSONResponse | None:
        scheme, _, given = headers.get("authorization", "").partition(" ")
        # Compared in constant time, so that how much of a guess is right cannot be measured.
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), token):
            return None
        return problem(
            401,
            "unauthorized",
            "this API needs its token",
            fix="send Authorization: Bearer <ONWARD_API_TOKEN>",
            headers={"WWW-Authenticate": "Bearer"},
        )

    def _without_token(self, scope: Scope, headers: Headers) -> JSONResponse | None:
        fix = "set ONWARD_API_TOKEN to serve others than this machine"
        client = scope.get("client")
        if client is not None and not _loopback(client[0]):
            return problem(403, "forbidden", "without a token this API serves its own machine only", fix=fix)
        if not _local([headers.get("host", "")]):
            return problem(
                403, "host_not_allowed", "without a token this API answers under localhost only", field="Host", fix=fix
            )
        if not _local(urlsplit(origin).netloc for origin in headers.getlist("origin")):
            return problem(
                403, "origin_not_allowed", "without a token no other web page may call", field="Origin", fix=fix
            )
        return None


def _loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address in LOCAL_NAMES


def _local(hosts: Iterable[str]) -> bool:
    return all(_name(host) in LOCAL_NAMES for host in hosts)


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def _most(scope: Scope) -> int:
    return MAX_MAIL if scope["path"] == INBOUND_PATH else MAX_BODY


def _limited(receive: Receive, most: int) -> Receive:
    got = 0

    async def limited() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise _TooLarge
        return message

    return limited


def _too_large(most: int) -> JSONResponse:
    return problem(413, "too_large", f"more than {most} bytes", fix="send less at once")


def _route(scope: Scope) -> str | None:
    """The route's pattern, never its path: that may hold an unsubscribe token or an address."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path
