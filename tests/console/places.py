"""Every page of the console, by its route."""

from __future__ import annotations

from collections.abc import Callable

from tests.console.people import Cast

PAGES: dict[str, Callable[[Cast], str]] = {
    "/sequences": lambda cast: "/sequences",
    "/switch": lambda cast: "/switch",
    "/sequences/{id}": lambda cast: f"/sequences/{cast.sequence}",
    "/sequences/{id}/switch": lambda cast: f"/sequences/{cast.sequence}/switch",
    "/sequences/{id}/steps": lambda cast: f"/sequences/{cast.sequence}/steps",
    "/sequences/{id}/preview": lambda cast: f"/sequences/{cast.sequence}/preview?contact=anna",
    "/sequences/{id}/forecast": lambda cast: f"/sequences/{cast.sequence}/forecast",
    "/sequences/{id}/settings": lambda cast: f"/sequences/{cast.sequence}/settings",
    "/enrollments/{id}": lambda cast: f"/enrollments/{cast.active}",
    "/inbound/{mail}": lambda cast: f"/inbound/{cast.mail}",
    "/attention": lambda cast: "/attention",
    "/mailboxes": lambda cast: "/mailboxes",
    "/mailboxes/new": lambda cast: "/mailboxes/new",
    "/mailboxes/{id}": lambda cast: f"/mailboxes/{cast.mailbox}",
    "/audit": lambda cast: "/audit",
}
"""A page of each route. What it needs is in a `tests.console.people.Cast`."""

MORE: dict[str, Callable[[Cast], str]] = {
    "signing in": lambda cast: "/sign-in?expired=1",
    "nothing found": lambda cast: f"/sequences/{cast.sequence}?search=nobody",
    "a problem": lambda cast: "/sequences/no-such-sequence",
    "a paused contact": lambda cast: f"/enrollments/{cast.paused}",
    "a bounced contact": lambda cast: f"/enrollments/{cast.bounced}",
    "a contact not sent": lambda cast: f"/enrollments/{cast.not_sent}",
    "a finished contact": lambda cast: f"/enrollments/{cast.finished}",
}
"""Further looks of them."""

PARTS = {"/", "/events", "/static/{name}", "/sequences/{id}/rows", "/enrollments/{id}/menu"}
"""Routes that are no page by themselves."""
