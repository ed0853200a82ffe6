"""Whether the process lives, and whether it can work."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from fastapi import APIRouter, Response
from pydantic import BaseModel

from api.access import OPEN
from api.bodies import answers
from api.problems import AWAY
from api.services import Hands
from store import migrate

router = APIRouter(tags=["health"])

PATIENCE = 3.0
"""Seconds that each server behind us has to answer."""


class Health(BaseModel):
    """The process answers."""

    status: str


class Readiness(BaseModel):
    """Whether the servers behind us answer: `ok`, `unreachable`, or `not_migrated`."""

    ready: bool
    database: str
    temporal: str


@router.get("/health", dependencies=[OPEN], summary="The process lives", responses=answers({"status": "ok"}))
async def health() -> Health:
    """Says nothing of the servers behind it: restarting this process would not bring them back."""
    return Health(status="ok")


@router.get(
    "/ready",
    dependencies=[OPEN],
    summary="The process can work",
    responses=answers({"ready": True, "database": "ok", "temporal": "ok"})
    | answers(
        {"ready": False, "database": "not_migrated", "temporal": "ok"}, status=503, description="Not able to work yet"
    ),
)
async def ready(hands: Hands, response: Response) -> Readiness:
    """200 when database and Temporal answer and the database has every migration, else 503."""
    database, temporal = await asyncio.gather(_state(_database(hands)), _state(_temporal(hands)))
    found = Readiness(ready=database == temporal == "ok", database=database, temporal=temporal)
    if not found.ready:
        response.status_code = 503
    return found


async def _state(check: Awaitable[str]) -> str:
    try:
        async with asyncio.timeout(PATIENCE):
            return await check
    except AWAY:
        return "unreachable"


async def _database(hands: Hands) -> str:
    async with hands.database.read() as connection:
        return "not_migrated" if await migrate.pending(connection) else "ok"


async def _temporal(hands: Hands) -> str:
    return "ok" if await hands.temporal.service_client.check_health() else "unreachable"
