"""The audit log: who did what, on whom, when, from where, and what came of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import needs
from api.console.pages import render, with_query
from api.services import Hands
from store import access
from store import audit as records

router = APIRouter(prefix="/audit", dependencies=[needs("admin")])

Text = Annotated[str, Query(max_length=200)]


@router.get("")
async def page(
    request: Request, hands: Hands, actor: Text = "", action: Text = "", target: Text = "", cursor: Text = ""
) -> Response:
    """Newest first."""
    given = {"actor": actor.strip(), "action": action.strip(), "target": target.strip()}
    async with hands.database.read() as connection:
        entries, after = await records.page(
            connection,
            cursor=cursor or None,
            actor=given["actor"] or None,
            action=given["action"] or None,
            target=given["target"] or None,
        )
        names = {key.id: key.name for key in await access.keys(connection)}
    return render(
        request,
        "audit.html",
        entries=entries,
        names=names,
        given=given,
        next_link=with_query("/audit", given, cursor=after) if after else None,
    )
