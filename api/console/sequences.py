"""The list of sequences, and the switches: each asks first, and says what it will do."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from api.access import needs
from api.console.charts import Bar, spark
from api.console.contacts_tab import LABELS
from api.console.forms import Form, actor_of, after
from api.console.pages import plural, render
from api.csrf import protected
from api.services import Hands
from domain.statuses import Status
from store import catalog, gates, live, overview
from store.database import Connection
from store.overview import SequenceLine
from store.queries import sql

router = APIRouter(dependencies=[needs("read")])


@router.get("/")
async def home() -> Response:
    """The console begins at the sequences."""
    return RedirectResponse("/sequences", 303)


@router.get("/sequences")
async def page(request: Request, hands: Hands) -> Response:
    """Every sequence with its switch, its counts, and what leaves in the next 24 hours."""
    now = hands.now()
    async with hands.database.read() as connection:
        found = await overview.sequences(connection, now=now)
    lines = [_line(one, now) for one in found.sequences]
    return render(request, "sequences.html", sequences=lines, everything_on=found.everything.on, labels=LABELS)


def _line(one: SequenceLine, now: datetime) -> dict[str, object]:
    hours = [Bar(f"{now + timedelta(hours=at):%H:%M} UTC", count) for at, count in enumerate(one.coming)]
    coming = plural(sum(one.coming), "email")
    return {
        "id": one.id,
        "name": one.name,
        "steps": one.steps,
        "on": one.switch.on,
        "counts": {status.value: count for status, count in one.counts.items()},
        "sent_week": one.sent_week,
        "coming": coming if one.on else f"{plural(one.held_back, 'email')} held back",
        "chart": spark(hours, f"Next 24 hours: {coming}, at most {max(one.coming)} in an hour"),
    }


# Switches


@router.get("/sequences/{id}/switch", dependencies=[needs("operate")])
async def ask(request: Request, id: str, hands: Hands) -> Response:
    """What switching would do."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        everything_on, _ = await gates.read(connection, "global", "")
        active = await _active(connection, id)
        parked = await gates.parked(connection, "sequence", id)
    name, to = stored.definition.name, "off" if stored.switched_on else "on"
    contacts = plural(active, "active contact") if stored.switched_on else plural(active, "contact")
    if stored.switched_on and everything_on:
        lines = [f"{contacts} will pause. From that moment no email of this sequence leaves."]
    elif stored.switched_on:
        lines = ["Everything is switched off already. This sequence will stay off when everything is on again."]
    elif everything_on:
        lines = [f"{contacts} will be active again."]
    else:
        lines = [f"{contacts} will be active again when everything is switched on; until then nothing leaves."]
    if to == "off":
        lines.append("Waits go on running. Bounced, not sent and finished contacts stay what they are.")
    elif parked:
        have = plural(parked, "of them has", "of them have")
        lines.append(f"{have} come to a sending time meanwhile: they take slots in turn, within windows and limits.")
    return render(
        request,
        "switch.html",
        title=f"Switch {name} {to}?",
        lines=lines,
        button=f"Switch {to}",
        action=f"{request.url.path}/{to}",
        back=f"/sequences/{id}",
    )


@router.post("/sequences/{id}/switch/{to}", name="switch_{to}", dependencies=[needs("operate"), protected])
async def switch(request: Request, id: str, to: Literal["on", "off"], hands: Hands, form: Form) -> Response:
    """Switch, as the dialog said: to what it said, also where somebody else was faster."""
    await hands.enrollments.switch("sequence", id, on=to == "on", by=actor_of(request))
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        everything_on, _ = await gates.read(connection, "global", "")
        active = await _active(connection, id)
    what = f"{stored.definition.name} is {to}"
    if not everything_on:
        what += ", and everything is switched off"
    elif to == "on":
        what += f": {plural(active, 'contact is', 'contacts are')} active again"
    else:
        what += f": {plural(active, 'active contact is', 'active contacts are')} paused"
    return after(request, f"/sequences/{id}", "done", f"{what}.")


@router.get("/switch", dependencies=[needs("admin")])
async def ask_everything(request: Request, hands: Hands) -> Response:
    """What switching everything would do."""
    async with hands.database.read() as connection:
        everything_on, _ = await gates.read(connection, "global", "")
        active = await _active(connection, None)
    to = "off" if everything_on else "on"
    contacts = plural(active, "active contact") if everything_on else plural(active, "contact")
    lines = (
        [f"{contacts} of all sequences will pause. From that moment no email leaves, of any sequence."]
        if everything_on
        else [
            f"{contacts} of the sequences that are on will be active again.",
            "What fell due meanwhile takes slots in turn, within windows and limits.",
        ]
    )
    title = f"Switch everything {to}?"
    return render(
        request,
        "switch.html",
        title=title,
        lines=lines,
        button=title.rstrip("?"),
        action=f"/switch/{to}",
        back="/sequences",
    )


@router.post("/switch/{to}", name="switch_everything_{to}", dependencies=[needs("admin"), protected])
async def switch_everything(request: Request, to: Literal["on", "off"], hands: Hands, form: Form) -> Response:
    """The switch over all sequences."""
    await hands.enrollments.switch("global", "", on=to == "on", by=actor_of(request))
    return after(request, "/sequences", "done", f"Everything is switched {to}.")


async def _active(connection: Connection, sequence: str | None) -> int:
    """How many are Active by themselves in a sequence, or in all whose own switch is on: whom a switch pauses."""
    if sequence is not None:
        rows = await connection.fetch(sql("enrollments.counts"), sequence)
        return sum(row["n"] for row in rows if row["status"] == Status.ACTIVE.value)
    on = {key for key, one in (await live.switches(connection)).sequences.items() if one.on}
    rows = await connection.fetch(sql("live.counts"))
    return sum(row["n"] for row in rows if row["status"] == Status.ACTIVE.value and row["sequence_id"] in on)
