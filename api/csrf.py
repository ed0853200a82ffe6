"""Forms of the console: how they are read, and that only our own pages can send them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from api.access import CsrfInvalid, caller_of
from api.authentication import csrf_matches, same_origin
from api.problems import InvalidRequest
from api.services import Hands

FIELD = "csrf"
HEADER = "X-CSRF-Token"
MOST_FIELDS = 10_000


async def form(request: Request) -> dict[str, list[str]]:
    """The fields of a form (application/x-www-form-urlencoded), each with all its values. Raises InvalidRequest."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = await request.body()
    if not body:
        return {}
    if kind != "application/x-www-form-urlencoded":
        raise InvalidRequest("the body is a form", field="Content-Type", fix="send application/x-www-form-urlencoded")
    try:
        pairs = parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise InvalidRequest("the form cannot be read", fix="send it again") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        fields.setdefault(name, []).append(value)
    return fields


async def _protected(request: Request, hands: Hands) -> None:
    caller = caller_of(request)
    given = request.headers.get(HEADER)
    if given is None:
        given = next(iter((await form(request)).get(FIELD, ())), None)
    if caller is None or not csrf_matches(caller, given) or not same_origin(hands, request):
        raise CsrfInvalid("this was not sent by a page of your session", fix="load the page again and repeat it")


protected: Any = Depends(_protected)
"""For every unsafe route of the console: `dependencies=[needs("operate"), protected]`. The form's field `csrf`, or the header
`X-CSRF-Token`, is `caller.csrf`."""
