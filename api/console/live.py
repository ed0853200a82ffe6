"""What has changed, as it changes: server-sent events (WHATWG HTML, 9.2). They say that something changed, never what: the
script asks for the page's parts anew, and so sees only what its reader may see."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from api.access import needs
from api.authentication import by_session
from api.problems import AWAY, InvalidRequest
from api.services import Hands, Services
from client import attention as needing
from store import listing, live

router = APIRouter(dependencies=[needs("read")])

EVERY = 1.0
"""Seconds between looks. A look is a read by primary key of what the page shows."""

COUNTS_EVERY = 2.0
SHARE = 0.1
"""At most this share of the time goes into counting a large sequence for one reader."""

LONGEST = 600.0
"""Seconds after which a stream ends; the browser opens the next one by itself."""

SESSION_EVERY = 10.0
MOST_ROWS = 200


@router.get("/events")
async def events(
    request: Request,
    hands: Hands,
    rows: Annotated[str, Query(max_length=10_000)] = "",
    sequence: Annotated[str | None, Query(max_length=120)] = None,
    all: bool = False,
    attention: bool = False,
) -> Response:
    """A stream of `changed`, for the enrollments `rows`, the counts and switch of `sequence`, `all` sequences, or what needs
    `attention`; `signed_out` when the session is over."""
    keys = [key for key in rows.split(",") if key]
    if len(keys) > MOST_ROWS:
        raise InvalidRequest(f"{len(keys)} rows", field="rows", fix=f"at most {MOST_ROWS}")
    watch = _Watch(hands, keys, sequence, everything=all, attention=attention)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_stream(request, hands, watch), media_type="text/event-stream", headers=headers)


async def _stream(request: Request, hands: Services, watch: _Watch) -> AsyncIterator[str]:
    yield "retry: 2000\n\n"
    begun = looked_at_session = time.monotonic()
    stopping = hands.stopping
    while time.monotonic() - begun < LONGEST and not stopping.is_set():
        try:
            if time.monotonic() - looked_at_session > SESSION_EVERY:
                looked_at_session = time.monotonic()
                if await by_session(hands, request) is None:
                    yield "event: signed_out\ndata: {}\n\n"
                    return
            changed = await watch.look()
        except AWAY:
            changed = False
        # The comment finds out whether anybody is still there.
        yield "event: changed\ndata: {}\n\n" if changed else ":\n\n"
        try:
            await asyncio.wait_for(stopping.wait(), EVERY)
        except TimeoutError:
            continue


class _Watch:
    """What one reader's page shows, as it was at the last look."""

    def __init__(
        self, hands: Services, keys: list[str], sequence: str | None, *, everything: bool, attention: bool
    ) -> None:
        self.hands = hands
        self.keys = keys
        self.sequence = sequence
        self.everything = everything
        self.attention = attention
        self.rows: Any = None
        self.counts: Any = None
        self.count_next = 0.0
        self.first = True

    async def look(self) -> bool:
        """Whether anything has changed since the last look."""
        async with self.hands.database.read() as connection:
            rows = await live.fingerprints(connection, self.keys) if self.keys else None
            counts = self.counts
            if time.monotonic() >= self.count_next and (self.sequence or self.everything or self.attention):
                began = time.monotonic()
                known = await live.switches(connection)
                if self.everything:
                    counts = (known, await live.counts(connection, known))
                elif self.attention:
                    counts = tuple((group.count, group.page) for group in await needing.read(connection, limit=20))
                elif self.sequence in known.sequences:
                    switches = (known.everything, known.sequences[self.sequence])
                    counts = (switches, await listing.counts(connection, self.sequence))
                took = time.monotonic() - began
                self.count_next = time.monotonic() + max(COUNTS_EVERY, took / SHARE)
        changed = (rows, counts) != (self.rows, self.counts) and not self.first
        self.rows, self.counts, self.first = rows, counts, False
        return changed
