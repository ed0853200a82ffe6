"""The console over a real socket, and browsers that look at it and miss no error."""

from __future__ import annotations

import asyncio
import os
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, BrowserContext, Error, Page, Playwright, Request, Response, expect

from api.authentication import COOKIE
from api.server import serve
from store import access
from tests.harness import World, eventually
from tools.browser import FIX, find

PATIENCE = 20_000
"""Milliseconds that a page has to show what it should."""

WIDE, NARROW = {"width": 1280, "height": 800}, {"width": 390, "height": 800}

expect.set_options(timeout=PATIENCE)

_VIOLATIONS = """
addEventListener("securitypolicyviolation", (event) =>
  console.error(`CSP: ${event.violatedDirective} ${event.blockedURI} ${event.sample}`));
"""


# The root's own width has the scrollbar's gutter in it.
_TOO_WIDE = """() => {
  const room = document.body.getBoundingClientRect().right;
  if (document.documentElement.scrollWidth <= Math.ceil(room)) return [];
  const wide = [...document.body.querySelectorAll("*")].filter((one) => one.getBoundingClientRect().right > room + 1);
  return ["the page", ...wide.map((one) => one.cloneNode().outerHTML.slice(0, 120))];
}"""


async def launch(playwright: Playwright) -> Browser:
    """Chromium, which Playwright ends when this process does, however that ends."""
    path = find()
    assert path is not None, FIX
    # Chromium's own sandbox refuses to start for root.
    sandbox = not (hasattr(os, "geteuid") and os.geteuid() == 0)
    return await playwright.chromium.launch(executable_path=path, chromium_sandbox=sandbox)


@dataclass
class Site:
    """The console of a world at `url`, and a key for each scope."""

    world: World
    url: str
    _sessions: dict[str, str] = field(default_factory=dict)
    _keys: dict[str, str] = field(default_factory=dict)

    async def key(self, scope: str) -> str:
        """The text of a key with this scope. Its actor is person:<scope>."""
        if scope not in self._keys:
            async with self.world.database.transaction() as connection:
                made = {"actor": f"person:{scope}", "by": "person:test", "now": datetime.now(UTC)}
                _, self._keys[scope] = await access.create_key(connection, scope, [scope], **made)
        return self._keys[scope]

    async def session(self, scope: str) -> str:
        """What the cookie of a session of that key holds."""
        if scope not in self._sessions:
            key_id = (await self.key(scope)).split("_")[1]
            async with self.world.database.transaction() as connection:
                _, self._sessions[scope] = await access.begin_session(connection, key_id, datetime.now(UTC))
        return self._sessions[scope]


@asynccontextmanager
async def serving(world: World) -> AsyncIterator[Site]:
    """The console of this world, served as `onward api` serves it."""
    stop, urls = asyncio.Event(), []
    settings = world.settings.model_copy(update={"api_host": "127.0.0.1", "api_port": 0})
    server = asyncio.create_task(serve(settings, stop, urls.append))

    async def url() -> str | None:
        if server.done():
            await server
        return urls[0] if urls else None

    try:
        yield Site(world, await eventually(url))
    finally:
        stop.set()
        await server


async def too_wide(page: Page) -> list[str]:
    """What makes the page wider than the window; nothing, where it is not."""
    found: list[str] = await page.evaluate(_TOO_WIDE)
    return found


class Visitor:
    """Opens pages, each in a browser without a past, and keeps every error that one shows: of a script, of the policy against
    foreign content, of a request that failed or that went to another host, of a dialog that nobody should open."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[BrowserContext] = []
        self.errors: list[str] = []
        self.expected: list[str] = []

    def expect(self, pattern: str) -> None:
        """Errors that match this are part of the test."""
        self.expected.append(pattern)

    async def open(self, site: Site, path: str = "/", scope: str | None = "operate", **options: Any) -> Page:
        """A page of the site, signed in with a key of this scope; None: nobody is signed in. `options` are the browser's."""
        context = await self.browser.new_context(
            **{
                "base_url": site.url,
                "viewport": WIDE,
                "timezone_id": "Europe/Berlin",
                "locale": "en-GB",
                "reduced_motion": "reduce",
                **options,
            }
        )
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        self._watch(context, urlsplit(site.url).netloc)
        if options.get("java_script_enabled", True):
            await context.add_init_script(_VIOLATIONS)
        if scope is not None:
            await context.add_cookies([{"name": COOKIE, "value": await site.session(scope), "url": site.url}])
        page = await context.new_page()
        await page.goto(path)
        return page

    def _watch(self, context: BrowserContext, host: str) -> None:
        def asked(request: Request) -> None:
            url = urlsplit(request.url)
            if url.scheme not in ("data", "blob", "about") and url.netloc != host:
                self.errors.append(f"asked another host: {request.url}")

        def answered(response: Response) -> None:
            if response.status >= 500:
                self.errors.append(f"{response.status} from {response.url}")

        context.on("request", asked)
        context.on("response", answered)
        context.on("weberror", lambda error: self.errors.append(f"script: {error.error}"))
        context.on(
            "console",
            lambda said: self.errors.append(f"console: {said.text} {said.location}") if said.type == "error" else None,
        )
        context.on("dialog", self._dialog)

    async def _dialog(self, dialog: Any) -> None:
        self.errors.append(f"dialog: {dialog.type} {dialog.message}")
        await dialog.dismiss()

    @property
    def unexpected(self) -> list[str]:
        """Errors that no test foresaw."""
        return [error for error in self.errors if not any(re.search(known, error) for known in self.expected)]

    async def pictures(self, name: str) -> list[Path]:
        """What every open page shows, as files."""
        folder = Path(tempfile.mkdtemp(prefix="onward-pictures-"))
        taken = []
        for page in (page for context in self.contexts for page in context.pages):
            path = folder / f"{re.sub('[^A-Za-z0-9_]+', '-', name)[:100]}-{len(taken) + 1}.png"
            try:
                await page.screenshot(path=path, full_page=True, timeout=5_000)
            except Error:
                continue  # a page that hangs is no reason to lose the others
            taken.append(path)
        return taken

    async def close(self) -> None:
        """Close every page."""
        for context in self.contexts:
            await context.close()
