"""Changes of facts that transitions ask for. Each may be performed twice with one effect."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from domain.delivery import Effect
from domain.sequences import DEFAULT_STAGE_MAP
from domain.state import EnrollmentState
from domain.statuses import StageEvent
from store import locks
from store.database import Connection
from store.queries import sql

FIRST_STAGE = "Cold"
"""`delivered` moves a contact on from here only: a stage that a person chose is not overwritten by an email leaving."""


async def lock_for(connection: Connection, effects: Sequence[Effect], *, contact: str) -> None:
    """Take the exclusive locks that the effects need, before any enrollment's row is locked (see store.locks)."""
    kinds = {effect.kind for effect in effects}
    if kinds & {"suppress", "address_bounced"}:
        await locks.exclude(connection, locks.CONTACT, contact)
        address = await connection.fetchval(sql("effects.address"), contact)
        if address:
            await locks.exclude(connection, locks.ADDRESS, address.casefold())


async def perform(
    connection: Connection, effects: Sequence[Effect], *, state: EnrollmentState, by: str, now: datetime
) -> None:
    """Perform the effects of an enrollment's transition, all but fan-out, in the caller's transaction."""
    old_address = False
    for effect in effects:
        if effect.kind == "stage" and effect.event is not None:
            if old_address and effect.event == StageEvent.BOUNCED.value:
                continue
            await _set_stage(connection, StageEvent(effect.event), state)
        elif effect.kind == "suppress":
            address = await connection.fetchval(sql("effects.address"), state.contact)
            if address:
                await connection.execute(sql("effects.suppress"), address, effect.event, by, now)
        elif effect.kind == "address_bounced":
            marked = await connection.fetchval(
                sql("effects.address_bounced"), state.contact, UUID(state.enrollment), effect.step, effect.attempt
            )
            old_address = marked is None
        elif effect.kind == "settle":
            await connection.execute(
                sql("effects.settle"), UUID(state.enrollment), effect.step, effect.attempt, by, effect.verdict, now
            )


async def _set_stage(connection: Connection, event: StageEvent, state: EnrollmentState) -> None:
    changed = await connection.fetchval(sql("effects.stage_map"), state.sequence) or {}
    stage = changed.get(event.value, DEFAULT_STAGE_MAP[event])
    if stage is None:
        return
    enrollment = UUID(state.enrollment)
    if event is StageEvent.BOUNCED:
        await connection.execute(sql("effects.set_stage_by_bounce"), state.contact, stage, enrollment)
    elif event is StageEvent.DELIVERED:
        await connection.execute(sql("effects.set_stage_from"), state.contact, stage, enrollment, FIRST_STAGE)
    else:
        await connection.execute(sql("effects.set_stage"), state.contact, stage, enrollment)
