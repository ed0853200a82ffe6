"""What needs a person, over all sequences: one list, by subject, each with its action."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import needs
from api.console.mails import read_mail
from api.console.pages import render
from api.services import Hands
from client import attention
from client.attention import KINDS, TITLES, Group
from client.inbound import CORRECTIONS

router = APIRouter(prefix="/attention", dependencies=[needs("read")])

FIRST = 10
"""Of each kind, on the page of all."""


@router.get("")
async def page(
    request: Request,
    hands: Hands,
    kind: Annotated[str, Query(max_length=40)] = "",
    cursor: Annotated[str, Query(max_length=2_000)] = "",
) -> Response:
    """The list: the newest of each kind, or a page of one kind."""
    async with hands.database.read() as connection:
        counts = await attention.counts(connection)
        chosen = next((one for one in KINDS if one == kind), None)
        if chosen is not None:
            found = await attention.page(connection, chosen, cursor=cursor or None)
            groups: tuple[Group, ...] = (Group(chosen, TITLES[chosen], counts[chosen], found),)
        else:
            groups = await attention.read(connection, limit=FIRST)
        shown = [item.mail["id"] for group in groups for item in group.page.items if item.mail is not None]
        mails = {key: await read_mail(connection, key) for key in shown}
    return render(
        request,
        "attention.html",
        groups=groups,
        counts=counts,
        titles=TITLES,
        kind=chosen or "",
        mails=mails,
        corrections=[one.value for one in CORRECTIONS],
        back="/attention",
    )
