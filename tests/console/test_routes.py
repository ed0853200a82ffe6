"""Every unsafe route of the console: refused without the token that only our pages know, done with it, and on record."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from api.access import every_route
from api.audit import SAFE
from api.authentication import COOKIE
from api.console import ROUTERS
from domain.messages import COMMANDS
from store import audit
from store.audit import Entry
from tests.console.people import AWAY_UNTIL, Cast
from tests.console.visiting import Site

FORMS: dict[str, dict[str, str]] = {
    "/switch/on": {},
    "/sequences/{sequence}/switch/on": {},
    "/sequences/{sequence}/bulk": {"action": "resume", "id": "{paused}"},
    "/sequences/{sequence}/bulk/do": {"action": "remove", "id": "{finished}"},
    "/sequences/{sequence}/settings": {
        "revision": "1",
        "schedule": "always",
        "mailboxes": "{mailbox}",
        "account_reply": "nothing",
        "reenroll": "never",
        "active_elsewhere": "refuse",
        "settle": "2h",
    },
    "/enrollments/{active}/commands/pause": {},
    "/enrollments/{bounced}/address": {"email": "new@routes.test"},
    "/inbound/{mail}/correct": {"kind": "out_of_office", "return_date": f"{AWAY_UNTIL}-04-03"},
    "/inbound/{mail}/settle": {},
    "/mailboxes": {"id": "second", "address": "new@sender.test", "smtp_host": "127.0.0.1", "smtp_port": "{port}"},
    "/mailboxes/{mailbox}/check": {},
    "/mailboxes/{mailbox}/state/up": {},
}
"""A form for each, with which it does something."""

NAMES = {"sequence": "id", "active": "id", "bounced": "id", "mailbox": "id"}


@pytest_asyncio.fixture
async def http(peopled: tuple[Site, Cast]) -> AsyncIterator[httpx.AsyncClient]:
    """A browser's session of an admin, without a browser."""
    site, _ = peopled
    cookies = {COOKIE: await site.session("admin")}
    async with httpx.AsyncClient(base_url=site.url, cookies=cookies, timeout=60) as client:
        yield client


async def last_entry(site: Site) -> Entry:
    """Of the last request; those of the contacts that it acted on stand beside it, without a status of the answer."""
    async with site.world.database.read() as connection:
        entries, _ = await audit.page(connection, limit=5)
    return next(entry for entry in entries if entry.status is not None)


def test_every_unsafe_route_has_a_form_here() -> None:
    def pattern(path: str) -> str:
        for mine, its in NAMES.items():
            path = path.replace(f"{{{mine}}}", f"{{{its}}}")
        return path.replace("/state/up", "/state/{to}").replace("/switch/on", "/switch/{to}")

    routes = {
        path for router in ROUTERS for path, route in every_route(router.routes) if set(route.methods or ()) - SAFE
    }
    commands = {f"/enrollments/{{id}}/commands/{name}" for name in COMMANDS}  # all by one rule: one of them stands here
    assert commands <= routes
    assert {pattern(path) for path in FORMS} == routes - commands | {"/enrollments/{id}/commands/pause"}


@pytest.mark.parametrize("path", FORMS)
async def test_refused_without_the_token_done_with_it_and_on_record(
    peopled: tuple[Site, Cast], http: httpx.AsyncClient, path: str
) -> None:
    site, cast = peopled
    known = {**vars(cast), "port": str(site.world.recipients.port)}
    address = path.format_map(known)
    fields = {name: value.format_map(known) for name, value in FORMS[path].items()}
    target = address.split("/")[2] if path != "/mailboxes" else None

    csrf = (await http.get("/sequences")).text.split('name="csrf" value="')[1].split('"')[0]
    for wrong in ({}, {"csrf": ""}, {"csrf": "0" * len(csrf)}):
        answer = await http.post(address, data={**fields, **wrong})
        assert answer.status_code == 403, (answer.status_code, answer.text)
        entry = await last_entry(site)
        assert (entry.target, entry.result, entry.status) == (target, "refused", 403)
    # Nor from a page of another site, whatever it has got hold of.
    answer = await http.post(address, data={**fields, "csrf": csrf}, headers={"Origin": "http://elsewhere.test"})
    assert answer.status_code == 403

    answer = await http.post(address, data={**fields, "csrf": csrf})
    assert answer.status_code in (200, 303), answer.text
    entry = await last_entry(site)
    assert (entry.target, entry.actor, entry.result, entry.code) == (target, "person:admin", "done", None)
    assert entry.session is not None
