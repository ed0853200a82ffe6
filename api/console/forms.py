"""What the console's forms carry, and where one goes after sending one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from fastapi import Depends, Request
from starlette.responses import Response

from api.access import caller_of
from api.authentication import local_path
from api.console.pages import Kind, Notice, go, is_fragment, render
from api.csrf import form as read_form
from api.problems import InvalidRequest
from domain.delivery import Answer

STAY = "onward-stay"
"""Header of a form that our script sends from a menu or dialog: it wants the notice, not the page that would follow."""

Fields = Mapping[str, list[str]]


async def _form(request: Request) -> Fields:
    form = await read_form(request)
    if text_of(form, "next"):
        # For errors, too: see api.console.problems.
        request.state.back = local_path(text_of(form, "next"))
    return form


Form = Annotated[Fields, Depends(_form)]
"""The fields of a form that was sent."""


def after(request: Request, to: str, kind: Kind, text: str) -> Response:
    """What follows an action: the page that its form names as `next`, or `to`, with a notice."""
    if STAY in request.headers and is_fragment(request):
        return render(request, "notice.html", notice=Notice(kind, text))
    return go(getattr(request.state, "back", None) or to, kind, text)


def actor_of(request: Request) -> str:
    """Who acts in the console."""
    caller = caller_of(request)
    assert caller is not None
    return caller.actor


def text_of(form: Fields, name: str) -> str:
    """A field's text without spaces around it; empty if it was not sent."""
    return next(iter(form.get(name, ())), "").strip()


def texts_of(form: Fields, name: str) -> list[str]:
    """All values of a field, in order, each once."""
    return list(dict.fromkeys(value for value in form.get(name, ()) if value))


def moment(form: Fields, name: str) -> str | None:
    """A day, with a time an instant in the reader's zone, as JSON; None where no day was given. Raises InvalidRequest."""
    day, clock, zone = (text_of(form, part) for part in (f"{name}_day", f"{name}_time", "zone"))
    if not day:
        if clock:
            raise InvalidRequest("a time without a day", field=name, fix="choose the day, too")
        return None
    try:
        parsed = date.fromisoformat(day)
        if not clock:
            return parsed.isoformat()
        at = datetime.combine(parsed, time.fromisoformat(clock), ZoneInfo(zone or "UTC"))
    except (ValueError, ZoneInfoNotFoundError, OSError):
        raise InvalidRequest("not a day and a time", field=name, fix="such as 2026-12-24 and 09:30") from None
    return at.isoformat()


def command_payload(form: Fields, name: str, by: str) -> dict[str, Any]:
    """The payload of a command from its form. Raises InvalidRequest."""
    payload: dict[str, Any] = {"by": by}
    if name in ("pause", "resume_at"):
        until = moment(form, "until")
        if until is not None:
            payload["until"] = until
        elif name == "resume_at":
            raise InvalidRequest("no day was chosen", field="until", fix="choose the day to go on")
    for field in {"finish": ("outcome", "disposition"), "settle_delivery": ("verdict",)}.get(name, ()):
        if text_of(form, field):
            payload[field] = text_of(form, field)
    if name in ("skip", "send_now") and text_of(form, "step"):
        payload["step"] = text_of(form, "step")  # the one that the reader saw
    if name in ("resume", "retry") and text_of(form, "mailbox"):
        payload["mailbox"] = text_of(form, "mailbox")
    return payload


_DONE = {
    "pause": "Paused",
    "resume": "Resumed",
    "resume_at": "Date set",
    "send_now": "Will send now",
    "skip": "Step skipped",
    "retry": "Tries again",
    "finish": "Finished",
    "remove": "Removed",
    "settle_delivery": "Settled",
}


def told(name: str, answer: Answer) -> tuple[Kind, str]:
    """What came of a command, in a sentence."""
    text = f"{_DONE[name]}. Now {answer.label}{_because(answer)}."
    if answer.remaining_holds and name == "resume":
        text += f" Still held by: {', '.join(hold.replace('_', ' ') for hold in answer.remaining_holds)}."
        return "warning", text
    if not answer.adopted:
        return "warning", f"{_DONE[name]}: recorded and in force; the workflow takes it up when a worker is back."
    return "done", text


def _because(answer: Answer) -> str:
    shown: Mapping[str, Any] = answer.next or {}
    at = shown.get("at")
    words = f" ({answer.reason.replace('_', ' ')})" if answer.reason else ""
    if at:
        what = {"send": "next email", "resume": "goes on", "settle": "settles"}.get(str(shown.get("what")), "next")
        words += f", {what} {datetime.fromisoformat(str(at)):%a %-d %b %H:%M} UTC"
    return words
