"""The signed unsubscribe links of our emails: opening one changes nothing, its button or a mail program's POST does."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import replace
from typing import Any

import structlog
from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from api.access import OPEN
from api.problems import AWAY
from api.services import Hands
from mail.errors import TokenInvalid
from mail.tokens import verify
from store.enrollments import EnrollmentUnknown

router = APIRouter(tags=["unsubscribe"])

_log = structlog.get_logger(__name__)

_STYLE = "body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:4em auto;padding:0 1em}button{font:inherit;padding:.5em 1em}"
_CSP = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
    )
)
_HEADERS = {"Content-Security-Policy": _CSP, "Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex"}

# RFC 8058 3.1: a mail program posts this very field; the button posts the same.
_FORM = '<form method="post"><input type="hidden" name="List-Unsubscribe" value="One-Click"><button>Unsubscribe</button></form>'


def _page(title: str, text: str, *, form: str = "", status: int = 200) -> HTMLResponse:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{_STYLE}</style></head><body><h1>{title}</h1><p>{text}</p>{form}</body></html>",
        status,
        _HEADERS,
    )


def _invalid() -> HTMLResponse:
    return _page(
        "This link does not work",
        "It may have been cut off. Open the link from the email again, or answer the email.",
        status=404,
    )


def _enrollment(hands: Hands, token: str) -> str:
    """The enrollment that a token names. Raises TokenInvalid."""
    parts = verify(hands.secret, "unsubscribe", token)
    if len(parts) != 1:
        raise TokenInvalid
    return parts[0]


_HTML: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page", "content": {"text/html": {"example": "<!doctype html>..."}}}
}


@router.get(
    "/u/{token}",
    dependencies=[OPEN],
    summary="The page of an unsubscribe link",
    response_class=HTMLResponse,
    responses=_HTML,
)
async def ask(token: str, hands: Hands) -> HTMLResponse:
    """Changes nothing: mail scanners open every link (RFC 8058 section 1)."""
    try:
        _enrollment(hands, token)
    except TokenInvalid:
        return _invalid()
    return _page("Unsubscribe", "You will get no more of these emails.", form=_FORM)


@router.post("/u/{token}", dependencies=[OPEN], summary="Unsubscribe", response_class=HTMLResponse, responses=_HTML)
async def unsubscribe(token: str, hands: Hands) -> HTMLResponse:
    """The one-click of RFC 8058, or the page's button. The token says all, so the body is not looked at: whoever posts here
    wants out. No redirect and no login (section 3.1). May be repeated. It holds for the person: the address is suppressed and
    every enrollment of theirs is finished."""
    # The opt-out is committed before the answer; whether a worker has taken it up need not be waited for.
    hurried = replace(hands.enrollments, patience=0.0)
    try:
        enrollment = _enrollment(hands, token)
        await hurried.fact(enrollment, "unsubscribe", {"by": "contact", "id": f"unsubscribe/{enrollment}"})
    except (TokenInvalid, EnrollmentUnknown):
        return _invalid()
    except AWAY as error:
        _log.warning("unsubscribe_postponed", error=type(error).__name__)
        page = _page("Not done yet", "Something is out of order here. Please try again in a minute.", status=503)
        page.headers["Retry-After"] = "60"
        return page
    return _page("You are unsubscribed", "You will get no more of these emails.")
