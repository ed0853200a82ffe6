"""Every error as a problem (RFC 9457, application/problem+json) with a stable `code`; callers decide by it, never by text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from temporalio.service import RPCError

from api.access import CsrfInvalid, ScopeMissing
from client.enrollments import WorkflowGone
from domain.errors import DomainError, Refused
from store.catalog import NotFound
from store.csv_files import InvalidRows
from store.database import UNAVAILABLE
from store.enrollments import EnrollmentUnknown
from store.idempotency import InProgress
from store.inbound import InboundUnknown

MEDIA_TYPE = "application/problem+json"

AWAY: tuple[type[BaseException], ...] = (*UNAVAILABLE, RPCError)
"""Errors of servers behind us that are away."""

_HTTP_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 400: "malformed_request"}


class InvalidRequest(DomainError):
    """A request whose parameters or body are not what its route takes."""

    code = "invalid_request"


class TooLarge(Exception):
    """A body beyond the cap (see `api.door`)."""


class ProblemDetails(BaseModel):
    """RFC 9457. `type` is a name, not a page. `field` names what is wrong, `fix` says what would be right."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    field: str | None = None
    fix: str | None = None
    allowed_actions: list[str] = []
    """The commands that the enrollment takes in its present status."""
    errors: list[dict[str, Any]] = []
    """Where several things are wrong with a file, each of them."""


class SignatureInvalid(DomainError):
    """The mail is not signed with our key, or too long ago."""

    code = "signature_invalid"


class InboundShut(DomainError):
    """No key is set, so nothing could be told from a forgery."""

    code = "inbound_not_configured"


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    field: str | None = None,
    fix: str | None = None,
    allowed: Sequence[str] = (),
    errors: Sequence[Mapping[str, Any]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """A problem as a response. Text that came from the request is cut: it may be of any length."""
    body = ProblemDetails(
        type=f"urn:onward:problem:{code}",
        title=code.replace("_", " ").capitalize(),
        status=status,
        detail=_speakable(detail),
        code=code,
        field=None if field is None else _speakable(field),
        fix=fix,
        allowed_actions=list(allowed),
        errors=[dict(error) for error in errors],
    )
    return JSONResponse(body.model_dump(), status, headers, MEDIA_TYPE)


def _speakable(text: str) -> str:
    """Text that any JSON reader takes: no lone surrogates, at most 2,000 characters."""
    return text[:2_000].encode(errors="replace").decode()


def from_domain(error: DomainError) -> JSONResponse:
    """The problem of a broken rule."""
    if isinstance(error, InvalidRows):
        lines = [{"line": one.line, "column": one.column, "message": one.message} for one in error.problems]
        return problem(422, error.code, error.message, errors=lines)
    return problem(
        status_of(error),
        error.code,
        error.message,
        field=error.field,
        fix=error.fix,
        allowed=error.allowed if isinstance(error, Refused) else (),
        headers={"Retry-After": "1"} if isinstance(error, InProgress) else None,
    )


def status_of(error: DomainError) -> int:
    if isinstance(error, NotFound | EnrollmentUnknown | InboundUnknown):
        return 404
    if isinstance(error, Refused | WorkflowGone | InProgress):
        return 409
    if isinstance(error, SignatureInvalid):
        return 401
    return 403 if isinstance(error, ScopeMissing | CsrfInvalid | InboundShut) else 422


def unavailable(code: str, detail: str) -> JSONResponse:
    """A server behind us is away. The request may be repeated; with the same Idempotency-Key it has one effect."""
    return problem(503, code, detail, fix="repeat the request in a moment", headers={"Retry-After": "5"})


def no_store() -> JSONResponse:
    """The database is away."""
    return unavailable("store_unavailable", "the database does not answer")


def install(app: FastAPI) -> None:
    """Give the app a problem for each kind of error. What is none of them is a defect of ours: see `api.door`."""

    async def domain(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, DomainError)
        return from_domain(error)

    async def invalid(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"][1:]) or None
        return problem(422, InvalidRequest.code, first["msg"].removeprefix("Value error, "), field=field)

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _HTTP_CODES.get(error.status_code, "http_error")
        fix = "see /openapi.json for the routes" if error.status_code in (404, 405) else None
        return problem(error.status_code, code, str(error.detail), fix=fix, headers=error.headers)

    async def text(request: Request, error: Exception) -> JSONResponse:
        return problem(422, InvalidRequest.code, "some text cannot be stored (a NUL or half a character)")

    async def store(request: Request, error: Exception) -> JSONResponse:
        return no_store()

    async def temporal(request: Request, error: Exception) -> JSONResponse:
        return unavailable("temporal_unavailable", "Temporal does not answer")

    app.add_exception_handler(DomainError, domain)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(asyncpg.DataError, text)
    app.add_exception_handler(UnicodeEncodeError, text)
    app.add_exception_handler(RPCError, temporal)
    for kind in UNAVAILABLE:
        assert issubclass(kind, Exception)
        app.add_exception_handler(kind, store)
