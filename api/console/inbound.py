"""Inbound mail: read as inert text with the words that decided marked in it; corrected, assigned, or settled by a person."""

from __future__ import annotations

import re
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs
from api.authentication import local_path
from api.console.forms import Form, actor_of, after, text_of
from api.console.mails import read_mail
from api.console.pages import render, words
from api.csrf import protected
from api.problems import InvalidRequest
from api.services import Hands
from client.inbound import CORRECTIONS
from domain.inbound import Kind
from store import inbound
from store.enrollments import get as get_enrollment

router = APIRouter(prefix="/inbound/{mail}", dependencies=[needs("read")])

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""An enrollment's ID, also within the address of its page."""


@router.get("")
async def page(request: Request, mail: str, hands: Hands) -> Response:
    """One mail."""
    async with hands.database.read() as connection:
        shown = await read_mail(connection, mail)
    back = local_path(request.query_params.get("back") or f"/inbound/{mail}")
    return render(request, "inbound.html", mail=shown, corrections=[one.value for one in CORRECTIONS], back=back)


@router.post("/correct", name="correct_mail", dependencies=[needs("operate"), protected])
async def correct(request: Request, mail: str, hands: Hands, form: Form) -> Response:
    """It is of another kind, of another day, or of another enrollment. A person's word: no later auto-reply overrides it."""
    kind, day, enrollment = (text_of(form, name) for name in ("kind", "return_date", "enrollment"))
    if kind and kind not in {one.value for one in CORRECTIONS}:
        raise InvalidRequest("not a kind that a person may choose", field="kind")
    try:
        parsed = date.fromisoformat(day) if day else None
    except ValueError:
        raise InvalidRequest("not a day", field="return_date", fix="such as 2026-12-24") from None
    if parsed is not None and kind and kind != Kind.OUT_OF_OFFICE:
        parsed = None  # the form keeps the day of an absence also where the kind is now another
    named = _ID.search(enrollment)
    enrollment = named[0] if named else enrollment
    if enrollment:
        async with hands.database.read() as connection:
            await get_enrollment(connection, enrollment)
    taken = await hands.inbound.correct(
        mail,
        by=actor_of(request),
        kind=Kind(kind) if kind else None,
        return_date=parsed,
        enrollment=enrollment or None,
    )
    told = f" Told to {len(taken.told)} enrollment(s)." if taken.told else ""
    return after(
        request, f"/inbound/{mail}", "done", f"Corrected: {words(taken.kind)}{f', back {day}' if parsed else ''}.{told}"
    )


@router.post("/settle", name="settle_mail", dependencies=[needs("operate"), protected])
async def settle(request: Request, mail: str, hands: Hands, form: Form) -> Response:
    """Somebody has looked at it: it leaves the list of what needs a person."""
    async with hands.database.transaction() as connection:
        await inbound.settle(connection, mail, by=actor_of(request), now=hands.now())
    return after(request, "/attention", "done", "Done with this mail.")
