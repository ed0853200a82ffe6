"""Mailboxes: how each is, what it may send, what it has sent and has ahead; adding one, checking it, pausing it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs, trail_of
from api.console.charts import Bar, chart, spark
from api.console.forms import Fields, Form, actor_of, after, text_of
from api.console.pages import go, plural, render
from api.csrf import protected
from api.mailboxes import checked
from api.services import Hands
from client import definitions
from domain.errors import InvalidDefinition
from mail.definitions import check_mailbox
from store import health
from store.health import MailboxLine
from store.queries import sql

router = APIRouter(prefix="/mailboxes", dependencies=[needs("read")])

STATES = {"up": "Can send", "down": "Down", "guardrail": "Held by its guardrail", "paused": "Paused"}


@router.get("")
async def page(request: Request, hands: Hands) -> Response:
    """All mailboxes."""
    async with hands.database.read() as connection:
        found = await health.mailboxes(connection, now=hands.now())
    return render(request, "mailboxes.html", mailboxes=[_line(one) for one in found], states=STATES)


def _bars(one: MailboxLine) -> list[Bar]:
    return [Bar(f"{day:%a %-d %b}", count) for day, count in one.reserved]


def _line(one: MailboxLine) -> dict[str, Any]:
    ahead = sum(count for _, count in one.reserved)
    words = f"Booked in the coming {len(one.reserved)} days: {plural(ahead, 'email')}"
    return {"it": one, "chart": spark(_bars(one), words), "ahead": ahead}


@router.get("/new", dependencies=[needs("admin")])
async def new(request: Request) -> Response:
    """The form for a new one."""
    return render(request, "mailbox_new.html", given={}, wrong=None)


@router.post("", name="put_mailbox", dependencies=[needs("admin"), protected])
async def add(request: Request, hands: Hands, form: Form) -> Response:
    """Add a mailbox. Passwords are references: the secret itself stays where the worker finds it."""
    given = {name: text_of(form, name) for name in form}
    try:
        data = _definition(form)
        async with hands.database.read() as connection:
            known = await connection.fetchval(sql("catalog.mailbox_known"), data["id"])
        if known or data["id"] == "new":  # the page of this form
            raise InvalidDefinition("there is one with this ID already", field="id", fix="choose another")
        await definitions.apply_mailbox(hands.database, data, check=check_mailbox)
    except InvalidDefinition as error:
        return render(request, "mailbox_new.html", 422, given=given, wrong=error)
    trail_of(request).add("put_mailbox", "mailbox", data["id"])
    return go(f"/mailboxes/{data['id']}", "done", "Added. Check that it can send before a sequence uses it.")


def _definition(form: Fields) -> dict[str, Any]:
    """The definition that the form says; parts left empty take their defaults."""

    def some(*names: str, prefix: str = "") -> dict[str, Any]:
        return {name: text for name in names if (text := text_of(form, prefix + name))}

    data: dict[str, Any] = some("id", "address", "name", "reply_to")
    login = ("host", "security", "username", "password")
    data["smtp"] = {**some(*login, prefix="smtp_"), "port": _number(form, "smtp_port")}
    if text_of(form, "imap_host"):
        data["imap"] = {**some(*login, prefix="imap_"), "port": _number(form, "imap_port", 993)}
    limits: dict[str, Any] = some("gap")
    limits |= {name: _number(form, name) for name in ("per_day", "per_hour") if text_of(form, name)}
    data["limits"] = limits
    if not data.get("id"):
        raise InvalidDefinition("it needs an ID", field="id", fix="letters, digits and dashes, such as mara")
    return data


def _number(form: Fields, name: str, default: int | None = None) -> int:
    text = text_of(form, name)
    if not text and default is not None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise InvalidDefinition("not a whole number", field=name, fix="digits only")
    return int(text)


@router.get("/{id}")
async def one(request: Request, id: str, hands: Hands) -> Response:
    """One mailbox, whole."""
    async with hands.database.read() as connection:
        found = await health.mailbox(connection, id, now=hands.now())
    words = f"Slots booked per day: {plural(sum(count for _, count in found.reserved), 'email')}"
    shown: Mapping[str, Any] = {
        "it": found,
        "chart": chart(_bars(found), words),
        "states": STATES,
    }
    return render(request, "mailbox.html", **shown)


@router.post("/{id}/check", dependencies=[needs("operate"), protected])
async def check(request: Request, id: str, hands: Hands, form: Form) -> Response:
    """Log in to its servers; sends nothing."""
    found = await checked(hands, id)
    if found.ok:
        return after(request, f"/mailboxes/{id}", "done", "The logins to its servers work.")
    return after(request, f"/mailboxes/{id}", "refused", f"It does not work ({found.code}): {found.detail}")


@router.post("/{id}/state/{to}", name="{to}", dependencies=[needs("operate"), protected])
async def state(request: Request, id: str, to: Literal["pause", "up"], hands: Hands, form: Form) -> Response:
    """Pause it, or open it again."""
    await hands.enrollments.set_mailbox(id, "up" if to == "up" else "paused", by=actor_of(request))
    text = "Open: those it held go on in turn." if to == "up" else "Paused: from now on it sends nothing."
    return after(request, f"/mailboxes/{id}", "done", text)
