"""Errors of the console: a page that says what is wrong and what would be right; after a form, a notice on the page before."""

from __future__ import annotations

from urllib.parse import urlsplit

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response
from temporalio.service import RPCError

from api.access import trail_of
from api.authentication import local_path
from api.console.forms import after
from api.console.pages import render
from api.problems import status_of
from domain.errors import DomainError, Refused
from store.database import UNAVAILABLE


def page(
    request: Request, status: int, title: str, detail: str, fix: str | None = None, *, code: str | None = None
) -> Response:
    """A problem. After a form one is back where one was, with a notice: what had been typed elsewhere stays."""
    if request.method == "POST":
        trail_of(request).ended("failed" if status >= 500 else "refused", code)
    if request.method == "POST" and status != 403:
        back = _page_before(request)
        return after(request, back, "refused", " ".join(part for part in (f"{title}: {detail}.", fix) if part))
    return render(request, "problem.html", status, title=title, detail=detail, fix=fix)


def _page_before(request: Request) -> str:
    try:
        return local_path(urlsplit(request.headers.get("referer", "")).path)
    except ValueError:
        return "/"


def install(app: FastAPI) -> None:
    """Give the app a page for each kind of error."""

    async def domain(request: Request, error: Exception) -> Response:
        assert isinstance(error, DomainError)
        request.state.audit.ended("refused", error.code)  # a form is answered by a redirect in any case
        fix = error.fix
        if isinstance(error, Refused) and error.allowed and fix is None:
            fix = f"Possible now: {', '.join(name.replace('_', ' ') for name in error.allowed)}."
        return page(
            request, status_of(error), _title(error.code), f"{_field(error)}{error.message}", fix, code=error.code
        )

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        request.state.audit.ended("refused", "invalid_request")
        return page(request, 422, "Invalid request", f"{'.'.join(map(str, first['loc'][1:]))}: {first['msg']}")

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        title = {404: "Not found", 405: "Not possible here"}.get(error.status_code, "Not possible")
        return page(request, error.status_code, title, "there is no such page", None)

    async def text(request: Request, error: Exception) -> Response:
        request.state.audit.ended("refused", "invalid_request")
        return page(request, 422, "Invalid request", "some text cannot be stored (a NUL or half a character)")

    async def away(request: Request, error: Exception) -> Response:
        request.state.audit.ended(
            "failed", "temporal_unavailable" if isinstance(error, RPCError) else "store_unavailable"
        )
        who = "Temporal" if isinstance(error, RPCError) else "the database"
        return page(request, 503, "Not now", f"{who} does not answer", "Nothing is lost. Try again in a moment.")

    async def defect(request: Request, error: Exception) -> Response:
        # The page only: the error goes on to api.door, which logs it under the request's ID.
        return page(
            request, 500, "Something is out of order", "a fault of ours; it is in the log", "Try again in a moment."
        )

    app.add_exception_handler(Exception, defect)
    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(asyncpg.DataError, text)
    app.add_exception_handler(UnicodeEncodeError, text)
    app.add_exception_handler(RPCError, away)
    for kind in UNAVAILABLE:
        assert issubclass(kind, Exception)
        app.add_exception_handler(kind, away)


def _title(code: str) -> str:
    return code.replace("_", " ").capitalize()


def _field(error: DomainError) -> str:
    return f"{error.field}: " if error.field else ""
