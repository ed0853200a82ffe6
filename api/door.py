"""The door: who may come in, how much they may bring, what is logged of it. Pure ASGI, around everything else."""

from __future__ import annotations

import time
import traceback
import uuid
from urllib.parse import quote, urlencode

import structlog
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.access import Caller
from api.authentication import by_bearer, by_session, session_token
from api.problems import TooLarge, no_store, problem
from api.services import Services
from store.audit import Trail
from store.database import UNAVAILABLE

_log = structlog.get_logger(__name__)

MAX_BODY = 10 * 1024 * 1024
"""Bytes in a request: an import of some 50,000 contacts."""

MAX_MAIL = 25 * 1024 * 1024
"""Bytes in a mail that is posted."""

OPEN_PATHS = frozenset({"/health", "/ready", "/sign-in"})
OPEN_PREFIXES = ("/u/", "/sign-in/", "/static/")
INBOUND_PATH = "/inbound/messages"
"""Open without a key, for who signs what it posts (see `api.inbound`)."""
API_PREFIX = "/v1/"
API_PATHS = frozenset({INBOUND_PATH, "/openapi.json"})

_NO_STORE = (
    '<!doctype html><html lang="en"><head><title>Not now · Onward</title></head><body><main><h1>Not now</h1>'
    "<p>The database does not answer. Nothing is lost: try again in a moment.</p></main></body></html>"
)
"""For people: without the database nobody can be known, so the console's own pages are out of reach."""

FRAGMENT = "onward-fragment"
"""Header of requests that the console's script makes: it is told of a lost session by a status, not sent elsewhere."""

_CSP = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "connect-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)


class Door:
    """Lets a request in with who is calling, or answers it; logs one line for each.

    What is not in the lists of open paths needs a key (`/v1/...`) or, as a page of the console, a session.
    """

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self.app = app
        self.services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            await send({"type": "websocket.close", "code": 1008})  # there is none
            return
        began, request_id, status = time.monotonic(), uuid.uuid4().hex, 0
        caller: Caller | None = None

        async def sending(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _put_headers(scope, MutableHeaders(scope=message), request_id)
            await send(message)

        try:
            found = await self._judge(scope)
            if isinstance(found, Response):
                await found(scope, receive, sending)
            else:
                caller = found
                scope.setdefault("state", {}).update(caller=caller, request_id=request_id, audit=Trail())
                await self.app(scope, _limited(receive, _most(scope)), sending)
        except TooLarge:
            if not status:
                await _too_large(_most(scope))(scope, receive, sending)
        except Exception as error:
            away = isinstance(
                error, UNAVAILABLE
            )  # from the door itself; the routes' own are answered by `api.problems`
            if not away:
                # As text: structlog's own rendering of an exception shows local variables, and so bodies and tokens.
                trace = traceback.format_exc()
                _log.error("request_failed", request_id=request_id, route=_route(scope), traceback=trace)
            if not status:
                detail = f"a fault of ours; the log names it under request {request_id}"
                if away:
                    answer: Response = no_store() if of_api(scope["path"]) else HTMLResponse(_NO_STORE, 503)
                else:
                    answer = problem(500, "internal_error", detail)
                await answer(scope, receive, sending)
        finally:
            _log.info(
                "request",
                method=scope["method"],
                route=_route(scope),
                status=status,
                ms=round((time.monotonic() - began) * 1000),
                request_id=request_id,
                key=caller.key if caller is not None else None,
            )

    async def _judge(self, scope: Scope) -> Caller | Response | None:
        """Who is calling, None where it does not matter, or why not."""
        request = HTTPConnection(scope)
        path, headers = scope["path"], request.headers
        length = headers.get("content-length", "")
        if length.isdigit() and int(length) > _most(scope):
            return _too_large(_most(scope))
        if path in OPEN_PATHS or path.startswith(OPEN_PREFIXES):
            return None
        if path == INBOUND_PATH and "authorization" not in headers:
            return None
        if of_api(path):
            return await by_bearer(self.services, headers) or _unauthorized(path)
        if headers.get("authorization", "").lower().startswith("bearer "):
            return _unauthorized(path)
        return await by_session(self.services, request) or _signed_out(self.services, request)


def of_api(path: str) -> bool:
    """Whether a path is the API's, which takes keys; else it is the console's, which takes sessions."""
    return path.startswith(API_PREFIX) or path in API_PATHS


def _unauthorized(path: str) -> Response:
    return problem(
        401,
        "unauthorized",
        "this API needs a key" if of_api(path) else "a key opens /v1 only; the console's pages need a session",
        fix="send Authorization: Bearer <key>; make one with `onward keys create`",
        headers={"WWW-Authenticate": "Bearer"},
    )


def _signed_out(services: Services, request: HTTPConnection) -> Response:
    """Where a browser without a session is sent."""
    expired = session_token(services, request) is not None
    by_script = FRAGMENT in request.headers or request.headers.get("sec-fetch-mode", "navigate") != "navigate"
    if by_script or "text/event-stream" in request.headers.get("accept", ""):
        detail = "the session has expired" if expired else "nobody is signed in"
        return problem(401, "session_expired" if expired else "unauthorized", detail, fix="sign in at /sign-in")
    query = {"expired": "1"} if expired else {}
    if request.scope["method"] == "GET" and request.scope["path"] != "/":
        query["next"] = _asked(request.scope)
    return RedirectResponse("/sign-in" + (f"?{urlencode(query)}" if query else ""), 303)


def _asked(scope: Scope) -> str:
    """The path and query as the browser wrote them."""
    path = scope["raw_path"].decode("ascii") if scope.get("raw_path") else quote(scope["path"])
    query = scope.get("query_string", b"").decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def _put_headers(scope: Scope, headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers.setdefault("Referrer-Policy", "same-origin")
    # What is static may be kept, if it is asked for again whether it is still the same.
    headers.setdefault("Cache-Control", "no-cache" if scope["path"].startswith("/static/") else "no-store")
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", _CSP)


def _most(scope: Scope) -> int:
    return MAX_MAIL if scope["path"] == INBOUND_PATH else MAX_BODY


def _limited(receive: Receive, most: int) -> Receive:
    got = 0

    async def limited() -> Message:
        nonlocal got
        message = await receive()
        got += len(message.get("body", b""))
        if got > most:
            raise TooLarge
        return message

    return limited


def _too_large(most: int) -> JSONResponse:
    return problem(413, "too_large", f"more than {most} bytes", fix="send less at once")


def _route(scope: Scope) -> str | None:
    """The route's pattern, never its path: that may hold an unsubscribe token or an address."""
    path: str | None = getattr(scope.get("route"), "path", None)
    return path
