"""How the console's pages are made: templates, what each is given, and the notice that follows an action."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlencode

from fastapi import Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse, RedirectResponse, Response

from api.access import caller_of
from client.reading import pending_word
from domain import explain
from domain.explanation import actor
from domain.reasons import find
from domain.statuses import HoldKind
from domain.storytelling import short, trouble
from store.listing import Row

HERE = Path(__file__).parent
NOTICE_COOKIE = "onward_notice"
FRAGMENT = "onward-fragment"
"""Header of requests that our script makes."""

Kind = Literal["done", "refused", "warning"]


@dataclass(frozen=True)
class Notice:
    """What is said at the head of the page after an action."""

    kind: Kind
    text: str


def instant(value: datetime | str | None, shown: str = "minute") -> Markup:
    """An instant as a `<time>`: UTC in the page, which the script shows in the reader's own zone.

    `shown`: minute, second, hour or day. A plain date stays a plain date.
    """
    if value is None:
        return Markup("–")
    if isinstance(value, str):
        if len(value) == 10:
            return Markup('<time datetime="{0}">{1:%a %-d %b %Y}</time>').format(value, date.fromisoformat(value))
        value = datetime.fromisoformat(value)
    at = value.astimezone(UTC)
    words = {
        "minute": f"{at:%a %-d %b %H:%M}",
        "second": f"{at:%-d %b %H:%M:%S}",
        "hour": f"{at:%a %H:%M}",
        "day": f"{at:%a %-d %b %Y}",
    }[shown]
    return Markup('<time datetime="{}" data-as="{}">{} UTC</time>').format(f"{at:%Y-%m-%dT%H:%M:%SZ}", shown, words)


def words(code: str | None) -> str:
    """A code as words: `account_stage_excluded` -> account stage excluded."""
    return "" if code is None else str(code).replace("_", " ")


def sentence(row: Row, now: datetime) -> str:
    """Why a row's enrollment is in its status, in a sentence."""
    if row.status is not row.own_status:
        return find("hold", HoldKind.SEQUENCE_OFF.value).sentence
    return explain.sentence(row.state, now)


GUARDS = {
    "stop_mark": "No stop is recorded",
    "global_switch": "Everything is switched on",
    "sequence_switch": "The sequence is switched on",
    "opted_in": "The contact has not opted out",
    "not_suppressed": "The address is not suppressed",
    "address_present": "There is an address",
    "address_valid": "The address is well-formed",
    "address_alive": "The address has not bounced",
    "address_verified": "The address is verified, or need not be",
    "consent": "Consent is given, or not needed",
    "same_job": "The contact has the same job",
    "contact_stage": "The contact's stage is not excepted",
    "account_stage": "The account's stage is not excepted",
    "in_time": "The step has not expired",
    "thread": "There is a thread to reply in, or none is needed",
    "template": "The template can be rendered",
    "variables": "Every variable has a value",
    "mailbox": "The mailbox is one of the sequence's",
    "mailbox_able": "The mailbox can send",
}
"""What each guard makes sure of (domain/guards.py)."""

_MAIL_ID = re.compile(r"the inbound mail [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def without_ids(text: str) -> str:
    """A sentence as people read it: the mail that it names by its ID stands in the timeline beside it."""
    return _MAIL_ID.sub("an inbound mail", text)


def inputs(found: Mapping[str, Any]) -> str:
    """What a guard looked at, in words."""
    return "; ".join(f"{words(name)}: {_value(value)}" for name, value in found.items())


def _value(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(str(one) for one in value)
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\dT.*", value):
        return f"{datetime.fromisoformat(value).astimezone(UTC):%a %-d %b %H:%M:%S} UTC"
    return str(value)


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 contact`, `2 contacts`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


@cache
def static_version() -> str:
    """Changes whenever a static file does, so that browsers may keep what they have."""
    digest = hashlib.sha256()
    for path in sorted((HERE / "static").iterdir()):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


@cache
def _templates() -> Environment:
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.do"],
    )
    found.filters.update(
        instant=instant,
        words=words,
        plural=plural,
        actor=actor,
        sentence=sentence,
        pending=pending_word,
        short=short,
        trouble=trouble,
        inputs=inputs,
        without_ids=without_ids,
    )
    found.globals.update(version=static_version, plural=plural, guards=GUARDS)
    return found


def render(request: Request, template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """A page. Every template gets the caller, the path, and the notice of the action before, which is shown once."""
    given: Mapping[str, Any] = {
        "request": request,
        "me": caller_of(request),
        "path": request.url.path,
        "notice": _read_notice(request),
        "fragment": is_fragment(request),
        "now": datetime.now(UTC),
        **context,
    }
    page = HTMLResponse(_templates().get_template(template).render(given), status)
    if NOTICE_COOKIE in request.cookies:
        page.delete_cookie(NOTICE_COOKIE, path="/", httponly=True, samesite="lax")
    return page


def is_fragment(request: Request) -> bool:
    """Whether our script asks, which takes parts out of the page."""
    return FRAGMENT in request.headers


def go(to: str, kind: Kind, text: str) -> Response:
    """After an action: on to a page that says what came of it."""
    response = RedirectResponse(to, 303)
    packed = base64.urlsafe_b64encode(json.dumps([kind, text[:600]], ensure_ascii=False).encode()).decode()
    response.set_cookie(NOTICE_COOKIE, packed, max_age=60, path="/", httponly=True, samesite="lax")
    return response


def _read_notice(request: Request) -> Notice | None:
    packed = request.cookies.get(NOTICE_COOKIE)
    if packed is None:
        return None
    try:
        kind, text = json.loads(base64.urlsafe_b64decode(packed.encode()))
        return Notice(kind if kind in ("done", "refused", "warning") else "warning", str(text)[:1_000])
    except (ValueError, TypeError, RecursionError):
        return None


def with_query(path: str, given: Mapping[str, Any], **changes: Any) -> str:
    """A link to `path` with the given query, changed; what is None or empty is left out."""
    left = {name: value for name, value in {**given, **changes}.items() if value not in (None, "", ())}
    return f"{path}?{urlencode(left, doseq=True)}" if left else path
