"""Takes the pictures of docs/screenshots/ from a running demo, so that they can be looked at and made anew.

    make demo                                           in one terminal; wait until its play is over
    .venv/bin/python -m tools.screenshots [FOLDER]      in another

Adds a second sequence with a month ahead of it to the demo's data (once), so that the charts have something to show.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, async_playwright

from activities.services import valid_address
from cli.demo_play import sign_in_token
from client import definitions
from client.connection import connect
from client.enrollments import Enrollments
from mail.definitions import check_sequence, spelling
from settings import Settings, load_settings
from store import catalog, inbound, listing
from store.csv_files import AccountRow, ContactRow
from store.database import Database
from tools.browser import find

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "screenshots"
LOOKS = (("light", 1280), ("dark", 1280), ("light", 390), ("dark", 390))
SEQUENCE = "autumn-follow-up"
SCHEDULE: dict[str, Any] = {
    "id": "every-day",
    "zone": "Europe/Berlin",
    "windows": {day: [{"start": "08:00", "end": "20:00"}] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")},
}
NAMES = [
    "Ada",
    "Bram",
    "Cleo",
    "Dara",
    "Elif",
    "Finn",
    "Gita",
    "Hugo",
    "Ines",
    "Jonas",
    "Kira",
    "Levi",
    "Mina",
    "Nico",
    "Olga",
    "Pavel",
    "Quinn",
    "Rosa",
    "Sami",
    "Tess",
]
COMPANIES = ["Alder Works", "Birch Freight", "Cedar Labs", "Dune Optics", "Elm & Sons", "Fern Foods"]


async def main(folder: Path) -> None:
    """Prepare and take them all."""
    settings = load_settings()
    database = await Database.connect(settings.require_database(), 4)
    try:
        await _prepare(settings, database)
        pages = dict(await _pages(database))
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(executable_path=find(), args=["--no-sandbox"])
            for scheme, width in LOOKS:
                await _take(browser, settings, database, pages, folder, scheme, width)
            await browser.close()
    finally:
        await database.close()


async def _prepare(settings: Settings, database: Database) -> None:
    async with database.read() as connection:
        if any(row.definition.id == SEQUENCE for row in await catalog.sequences(connection)):
            return
    client = await connect(settings.require_temporal())
    onward = Enrollments(client, database, valid_address, task_queue=settings.task_queue)
    await definitions.apply_schedule(database, SCHEDULE)
    steps = [
        {"id": "hello", "subject": "{{ contact.first_name }}, about {{ account.name }}", "wait": "1h"},
        {"id": "case", "thread": "reply", "wait": "3d"},
        {"id": "last-word", "subject": "One last word, {{ contact.first_name }}", "wait": "1w"},
    ]
    text = "Hi {{ contact.first_name }},\n\nwould {{ contact.topic }} be worth ten minutes at {{ account.name }}?\n"
    sequence = {
        "id": SEQUENCE,
        "name": "Autumn follow-up",
        "schedule": SCHEDULE["id"],
        "mailboxes": ["alex"],
        "steps": [{**step, "text": text} for step in steps],
    }
    await definitions.apply_sequence(onward, sequence, check=check_sequence)
    accounts = [AccountRow(id=f"account-{at}", name=name) for at, name in enumerate(COMPANIES)]
    await definitions.import_accounts(database, accounts)
    contacts = [
        ContactRow(
            id=name.lower(),
            first_name=name,
            last_name=f"{COMPANIES[at % 6].split()[0]}mann",
            email=f"{name.lower()}@{COMPANIES[at % 6].split()[0].lower()}.example",
            account=f"account-{at % 6}",
            fields={"topic": "shorter queues"} if at % 7 else {},
        )
        for at, name in enumerate(NAMES)
    ]
    await definitions.import_contacts(database, contacts, spelling=spelling)
    for contact in contacts:
        answer = await onward.enroll(SEQUENCE, contact.id, by="person:you")
        if contact.id == "ada" and answer.enrollment:
            await onward.command(answer.enrollment, "pause", {"by": "person:you"})


async def _pages(database: Database) -> Iterator[tuple[str, str]]:
    async with database.read() as connection:
        mail = next(row["id"] for row in await inbound.page(connection, limit=50) if row["contact_id"] == "tomas")
        rows = {row.contact: row for row in (await listing.page(connection, "spring-launch", limit=50)).rows}
    return iter(
        [
            ("sequences", "/sequences"),
            ("contacts", "/sequences/spring-launch"),
            ("contact-away", f"/enrollments/{rows['tomas'].enrollment}"),
            ("contact-bounced", f"/enrollments/{rows['viktor'].enrollment}"),
            ("attention", "/attention"),
            ("steps", "/sequences/spring-launch/steps"),
            ("preview", f"/sequences/{SEQUENCE}/preview?contact=bram"),
            ("forecast", f"/sequences/{SEQUENCE}/forecast"),
            ("settings", "/sequences/spring-launch/settings"),
            ("mailboxes", "/mailboxes"),
            ("mailbox", "/mailboxes/alex"),
            ("add-mailbox", "/mailboxes/new"),
            ("audit", "/audit"),
            ("inbound", f"/inbound/{mail}"),
            ("problem", "/sequences/autumn"),
        ]
    )


async def _take(
    browser: Browser,
    settings: Settings,
    database: Database,
    pages: dict[str, str],
    folder: Path,
    scheme: Any,
    width: int,
) -> None:
    size = {"width": width, "height": 900}
    context = await browser.new_context(
        color_scheme=scheme, viewport=size, has_touch=width < 500, is_mobile=width < 500
    )
    page = await context.new_page()

    async def shoot(name: str, *, full_page: bool = False) -> None:
        path = folder / f"{name}-{scheme}-{width}.png"
        await page.screenshot(path=path, full_page=full_page)

    await page.goto(f"{settings.public_url}/sign-in")
    await shoot("sign-in")
    await page.goto(f"{settings.public_url}/sign-in/{await sign_in_token(database)}")
    for name, path in pages.items():
        await page.goto(f"{settings.public_url}{path}")
        await page.wait_for_function("document.documentElement.dataset.live !== 'off'")
        if name == "contact-away":
            await page.click("text=What it says, and why")
        await shoot(name, full_page=True)
    await page.goto(f"{settings.public_url}/sequences/spring-launch")
    await page.click("tr:has-text('Tomas') >> text=Actions")
    await page.wait_for_selector("#menu ul")
    await shoot("actions")
    await page.keyboard.press("Escape")
    await page.click("#switch a")
    await page.wait_for_selector("dialog[open]")
    await shoot("switch")
    await page.keyboard.press("Escape")
    for name in ("Priya", "Chen", "Tomas"):
        await page.check(f"tr:has-text('{name}') input[type=checkbox]")
    await page.click("#selection >> text=Finish")
    await page.wait_for_selector("dialog[open]")
    await shoot("finish-several")
    await context.close()


if __name__ == "__main__":
    print(f"{datetime.now(UTC):%H:%M} taking pictures")
    asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER))
