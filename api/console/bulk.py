"""Several contacts at once: asked first, with what will and what will not happen counted; then done, with a result for each."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence as Seq
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs, trail_of
from api.authentication import local_path
from api.console.enrollment import OUTCOMES
from api.console.forms import Form, actor_of, after, command_payload, text_of, texts_of
from api.console.pages import plural, render
from api.csrf import protected
from api.problems import AWAY, InvalidRequest
from api.services import Hands, Services
from domain.errors import DomainError
from domain.messages import parse_message
from domain.transitions import refusal
from store import catalog, listing
from store.listing import Row

router = APIRouter(prefix="/sequences/{id}/bulk", dependencies=[needs("operate"), protected])

ACTIONS = {
    "pause": ("Pause", "paused"),
    "resume": ("Resume", "resumed"),
    "finish": ("Finish", "finished"),
    "remove": ("Remove", "removed"),
}
MOST = 200
AT_ONCE = 10


def _action(form: Form) -> str:
    action = text_of(form, "action")
    if action not in ACTIONS:
        raise InvalidRequest("not an action for several contacts", field="action", fix=f"one of {', '.join(ACTIONS)}")
    return action


async def _rows(hands: Services, sequence: str, keys: Seq[str]) -> tuple[Row, ...]:
    if not keys:
        raise InvalidRequest("nobody is selected", field="id", fix="tick the contacts first")
    if len(keys) > MOST:
        raise InvalidRequest(f"{len(keys)} contacts", field="id", fix=f"at most {MOST} at once")
    async with hands.database.read() as connection:
        return await listing.rows(connection, sequence, keys)


@router.post("", name="bulk_preview")
async def ask(request: Request, id: str, hands: Hands, form: Form) -> Response:
    """What would happen: how many, and why not the others."""
    action = _action(form)
    rows = await _rows(hands, id, texts_of(form, "id"))
    refused = {row.enrollment: why for row in rows if (why := refusal(row.state, action)) is not None}
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
    return render(
        request,
        "bulk.html",
        name=stored.definition.name,
        sequence=id,
        action=action,
        verb=ACTIONS[action][0],
        willing=[row for row in rows if row.enrollment not in refused],
        reasons=Counter(why.message for why in refused.values()).most_common(),
        outcomes=OUTCOMES,
        back=local_path(text_of(form, "next") or f"/sequences/{id}"),
    )


@router.post("/do", name="bulk")
async def do(request: Request, id: str, hands: Hands, form: Form) -> Response:
    """Do it: each contact by a command of its own; one that is refused keeps nobody else from it."""
    action = _action(form)
    payload = command_payload(form, action, actor_of(request))
    parse_message(action, payload, strict=True)  # what is wrong with the form is wrong for all: nothing is half done
    rows = await _rows(hands, id, texts_of(form, "id"))
    turn = asyncio.Semaphore(AT_ONCE)
    results = await asyncio.gather(*(_one(request, hands, turn, row, action, payload) for row in rows))
    done = sum(why is None for why in results)
    text = f"{plural(done, 'contact')} {ACTIONS[action][1]}."
    wrong = Counter(why for why in results if why is not None)
    if wrong:
        text += (
            f" {plural(wrong.total(), 'was', 'were')} not: "
            + "; ".join(f"{why} ({n})" for why, n in wrong.most_common(5))
            + "."
        )
    return after(request, f"/sequences/{id}", "warning" if wrong else "done", text)


async def _one(
    request: Request, hands: Services, turn: asyncio.Semaphore, row: Row, action: str, payload: dict[str, Any]
) -> str | None:
    """Why it was not done, or None."""
    async with turn:
        try:
            await hands.enrollments.command(row.enrollment, action, payload)
        except DomainError as error:
            trail_of(request).add(action, "enrollment", row.enrollment, "refused", error.code)
            return error.message
        except AWAY:
            trail_of(request).add(action, "enrollment", row.enrollment, "failed", "unavailable")
            return "a server does not answer; try these again"
    trail_of(request).add(action, "enrollment", row.enrollment)
    return None
