"""A sequence's own pages: its steps with what became of them, a preview with a real contact, and the emails ahead."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import needs
from api.console.charts import Bar, chart
from api.console.contacts_tab import head_of
from api.console.pages import plural, render
from api.services import Hands, valid_address
from client.planning import forecast_of
from domain.errors import DomainError
from domain.sequences import Mailbox, Step
from mail.errors import MailError
from mail.filling import variables
from mail.templates import Templates, blank
from mail.templates import render as fill
from store import catalog, listing, overview
from store.catalog import NotFound, StoredAccount, StoredContact

router = APIRouter(prefix="/sequences/{id}", dependencies=[needs("read")])

FORECAST_DAYS = 14
LARGE = 10_000
"""Enrollments that are going on, from which on a forecast takes seconds."""
OFFERED = 20


@router.get("/steps")
async def steps(request: Request, id: str, hands: Hands) -> Response:
    """Each step: its template, its wait, and how many got it, answered it, or stand at it."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        head = await head_of(connection, stored)
        found = await overview.steps(connection, id)
    lines = [(stored.definition.steps[one.number - 1] if one.number else None, one) for one in found]
    return render(request, "steps.html", **head, part="steps", lines=lines)


@router.get("/preview")
async def preview(
    request: Request,
    id: str,
    hands: Hands,
    contact: Annotated[str, Query(max_length=200)] = "",
    mailbox: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Every step's email as this contact would get it, or what it would lack. Sends nothing."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        head = await head_of(connection, stored)
        found = await listing.page(connection, id, search=contact or None, limit=OFFERED)
        offered = [(row.contact, row.name) for row in found.rows]
        who, account, wrong = None, None, None
        try:
            key = contact or (offered[0][0] if offered else "")
            who = await catalog.contact(connection, key) if key else None
            account = await catalog.account(connection, who.account) if who and who.account else None
        except NotFound:
            wrong = "there is no contact with this ID" + ("; did you mean one of these?" if offered else "")
        chosen = mailbox if mailbox in stored.definition.mailboxes else stored.definition.mailboxes[0]
        sender = (await catalog.mailbox(connection, chosen)).definition
    emails = (
        []
        if who is None
        else [_filled(step, who, account, sender, hands.public_url) for step in stored.definition.steps]
    )
    return render(
        request,
        "preview.html",
        **head,
        part="preview",
        contact=contact,
        who=who,
        wrong=wrong,
        offered=offered,
        sender=sender,
        mailboxes=stored.definition.mailboxes,
        emails=emails,
    )


def _filled(
    step: Step, who: StoredContact, account: StoredAccount | None, sender: Mailbox, public_url: str | None
) -> dict[str, Any]:
    row = {
        "contact_fields": who.fields,
        "contact_id": who.id,
        "first_name": who.first_name,
        "last_name": who.last_name,
        "email": who.email,
        "stage": who.stage,
        "account_fields": account.fields if account else None,
        "account_name": who.account_name,
        "account_stage": who.account_stage,
    }
    templates = Templates(subject=step.subject, text=step.text, html=step.html)
    values = variables(row, sender, f"{public_url or 'https://example.com'}/u/preview")
    try:
        missing = blank(templates, values)
        if missing:
            return {"step": step, "missing": missing, "error": None, "email": None}
        return {"step": step, "missing": [], "error": None, "email": fill(templates, values)}
    except MailError as error:
        return {"step": step, "missing": [], "error": error.detail, "email": None}


@router.get("/forecast")
async def forecast(request: Request, id: str, hands: Hands, play: bool = False) -> Response:
    """What leaves in the coming days, per mailbox, if nothing comes from outside. Of a large sequence only when asked for: each
    enrollment's steps are played, a few thousand enrollments a second."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        head = await head_of(connection, stored)
    found, wrong, boxes = None, None, []
    open_now = head["counts"]["active"] + head["counts"]["paused"]
    if open_now > LARGE and not play:
        return render(request, "forecast.html", **head, part="forecast", large=open_now, days=FORECAST_DAYS)
    try:
        found = await forecast_of(
            hands.database, id, now=hands.now(), days=FORECAST_DAYS, valid=valid_address, gaps=hands.gaps
        )
        boxes = [_box(box, found["zone"], hands.now()) for box in found["mailboxes"]]
    except DomainError as error:
        wrong = f"{error.message}. {error.fix or ''}"
    return render(
        request,
        "forecast.html",
        **head,
        part="forecast",
        found=found,
        wrong=wrong,
        large=0,
        boxes=boxes,
        days=FORECAST_DAYS,
    )


def _box(box: dict[str, Any], zone: str, now: datetime) -> dict[str, Any]:
    """Per day of the schedule's zone; the busiest hour in words."""
    own: Counter[str] = Counter()
    others: Counter[str] = Counter()
    busiest = ("", 0)
    for hour in box["hours"]:
        at = datetime.fromisoformat(hour["begins"]).astimezone(ZoneInfo(zone))
        day = f"{at:%a %-d %b}"
        own[day] += hour["emails"]
        others[day] += hour["others"]
        total = hour["emails"] + hour["others"]
        busiest = max(busiest, (f"{at:%a %-d %b %H:00}", total), key=lambda pair: pair[1])
    days = [f"{now.astimezone(ZoneInfo(zone)) + timedelta(days=n):%a %-d %b}" for n in range(FORECAST_DAYS + 1)]
    bars = [Bar(day, own[day], others[day]) for day in days]
    words = f"Emails of mailbox {box['mailbox']} per day: {plural(box['emails'], 'email')} of this sequence in {FORECAST_DAYS} days"
    return {
        **box,
        "chart": chart(bars, words),
        "busiest": busiest,
        "bars": [bar for bar in bars if bar.value or bar.other],
    }
