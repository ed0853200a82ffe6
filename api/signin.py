"""Signing in to the console: with a key, or by a one-time link; and out again."""

from __future__ import annotations

import math
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from api import authentication
from api.access import OPEN, Signed, needs
from api.authentication import Wait, local_path, same_origin
from api.console.pages import render
from api.csrf import form, protected
from api.services import Hands
from store.access import LinkInvalid

router = APIRouter(include_in_schema=False)

NextQuery = Annotated[str | None, Query(description="The page to go on to.")]


def _page(request: Request, status: int = 200, *, message: str | None = None, go_on: str = "/") -> HTMLResponse:
    return render(request, "sign_in.html", status, message=message, next=local_path(go_on))


@router.get("/sign-in", dependencies=[OPEN])
async def ask_for_key(request: Request, next: NextQuery = None, expired: bool = False) -> HTMLResponse:
    """The form."""
    return _page(
        request, message="Your session has expired. Sign in again." if expired else None, go_on=local_path(next)
    )


@router.post("/sign-in", dependencies=[OPEN])
async def sign_in(request: Request, hands: Hands) -> Response:
    """A session for whoever knows a key; ten failures within a quarter of an hour, and the address has to wait."""
    fields = await form(request)
    given, go_on = (next(iter(fields.get(name, ())), "") for name in ("key", "next"))
    if not same_origin(hands, request):
        return _page(request, 403, message="This form was sent by another page. Sign in here.")
    turn = await authentication.begin_try(hands, request)
    if isinstance(turn, Wait):
        return _too_many(request, turn, go_on)
    caller = await authentication.by_key(hands, given.strip())
    if caller is None:
        await authentication.sign_in_failed(hands, request, 401, "key_unknown")
        return _page(request, 401, message="This key is not known, was revoked or has expired.", go_on=go_on)
    if not caller.may("read"):
        await authentication.sign_in_failed(hands, request, 403, "scope_missing")
        return _page(
            request, 403, message=f"The key {caller.name} may not read, so it cannot open the console.", go_on=go_on
        )
    response = RedirectResponse(local_path(go_on), 303)
    await authentication.sign_in(hands, request, caller, response)
    await authentication.forget_try(hands, turn)
    return response


@router.get("/sign-in/{token}", dependencies=[OPEN])
async def sign_in_by_link(token: str, request: Request, hands: Hands) -> Response:
    """A session for whoever opens the link first."""
    turn = await authentication.begin_try(hands, request)
    if isinstance(turn, Wait):
        return _too_many(request, turn)
    try:
        caller = await authentication.by_link(hands, token)
    except LinkInvalid as error:
        status = 404 if error.code == "link_unknown" else 410
        await authentication.sign_in_failed(hands, request, status, error.code)
        return _page(request, status, message=error.message)
    # Not to `/` with the token as its referrer.
    response = RedirectResponse("/", 303, headers={"Referrer-Policy": "no-referrer"})
    await authentication.sign_in(hands, request, caller, response)
    await authentication.forget_try(hands, turn)
    return response


def _too_many(request: Request, turn: Wait, go_on: str = "/") -> HTMLResponse:
    seconds = math.ceil(turn.left.total_seconds())
    wait = f"{math.ceil(seconds / 60)} minutes" if seconds > 60 else "a minute"
    page = _page(request, 429, message=f"Too many tries failed. Wait {wait} and try again.", go_on=go_on)
    page.headers["Retry-After"] = str(seconds)
    return page


@router.post("/sign-out", dependencies=[needs("read"), protected])
async def sign_out(request: Request, hands: Hands, caller: Signed) -> Response:
    """The session is over here and in the database."""
    response = RedirectResponse("/sign-in", 303)
    await authentication.sign_out(hands, request, caller, response)
    return response
