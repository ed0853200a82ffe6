"""What needs a person, over all sequences: one list, by subject, each with its action."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs
from api.console.pages import render
from api.services import Hands
from client.attention import attention
from client.inbound import CORRECTIONS
from domain.watching import TROUBLE

router = APIRouter(prefix="/attention", dependencies=[needs("read")])


@router.get("")
async def page(request: Request, hands: Hands) -> Response:
    """The list."""
    async with hands.database.read() as connection:
        found = await attention(connection, now=hands.now())
    return render(
        request,
        "attention.html",
        found=found,
        trouble=TROUBLE,
        corrections=[one.value for one in CORRECTIONS],
        back="/attention",
    )
