"""Stored cross-site scripting, tried through every field that a person, a file, a mail or a server can fill: on no page does
anything of it run, and no page falls apart."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from urllib.parse import quote

import pytest
import pytest_asyncio
from playwright.async_api import Page, expect

from domain.statuses import StageEvent
from embedded.recipients import Behaviour, Received
from store import catalog
from store.csv_files import parse_accounts_csv, parse_contacts_csv
from tests.console.conftest import own_site
from tests.console.people import Cast
from tests.console.places import PAGES
from tests.console.visiting import NARROW, WIDE, Site, Visitor, too_wide
from tests.harness import World, plain_step
from tests.inbound.mails import bounce, headers_of
from tests.servers import Servers

RUN = "window.ran=1"
TAG = f"<script>{RUN}</script>"
IMAGE = f'"><img src=x onerror={RUN}>'
CLOSE = f"'\"--></title></style></textarea></script><svg/onload={RUN}>"
LINK = f"javascript:{RUN}//<a href=javascript:{RUN}>"
EVENT = f"' onmouseover={RUN} x='\" autofocus onfocus={RUN} x=\""
TEMPLATE = "{{7*7}}${7*7}"
BIDI = "\u202egnp.exe\u202c\u2066"
EMOJI = "👩🏽‍💻\U0001f600"
WORD = "W" * 150
SHORT = f"{TAG}{IMAGE}{EMOJI}{BIDI}"
LINE = f"{TAG}{IMAGE}{CLOSE}{EVENT}{EMOJI}{BIDI}"
LONG = f"{LINE}{LINK}{TEMPLATE} {WORD}{WORD}"
WITHOUT_BRACES = LONG.replace(TEMPLATE, "")
ASCII = f"{TAG}{IMAGE}{CLOSE}{EVENT}"

PLANTED = "script:not([src^='/static/']), img, svg:not(.chart), a[href^='javascript' i], *[onerror], *[onload], *[onfocus], *[onmouseover]"


def file_of(**fields: str) -> str:
    """A CSV file with one row."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fields)
    writer.writeheader()
    writer.writerow(fields)
    return text.getvalue()


def letter(to: Received | None, address: str) -> bytes:
    """A mail that is hostile in its every part; an answer to `to`."""
    mail = EmailMessage()
    mail["From"] = Address(f"{TAG}{IMAGE}", addr_spec=address)
    mail["To"] = "mara@sender.test"
    mail["Subject"] = WITHOUT_BRACES
    mail["Message-ID"] = make_msgid(domain="hostile.test")
    if to is not None:
        mail["In-Reply-To"] = mail["References"] = str(headers_of(to)["Message-ID"])
    mail.set_content(f"Please call me.\n{LONG}\nhttp://elsewhere.test/{TAG}")
    mail.add_alternative(
        f"<p>Please call me.</p>{LONG}<img src='http://elsewhere.test/pixel.gif'><iframe src=//elsewhere.test></iframe>"
        f"<style>@import url(//elsewhere.test)</style><meta http-equiv=refresh content='0;url=//elsewhere.test'>",
        subtype="html",
    )
    mail.add_attachment(b"<svg onload=alert(1)>", maintype="image", subtype="svg+xml", filename=f"{TAG}{IMAGE}.svg")
    return mail.as_bytes()


async def plant(world: World) -> Cast:
    """Everything hostile that can be said, said."""
    async with world.database.transaction() as connection:
        accounts = parse_accounts_csv(file_of(id="acme", name=LINE[:200], stage=TAG + IMAGE, **{IMAGE[:100]: LONG}))
        await catalog.put_accounts(connection, accounts.rows)
        for name in ("mallory", "bounced", "refused", "unknown", "blank"):
            text = file_of(
                id=name,
                account="acme",
                first_name=(SHORT + WORD)[:200],
                last_name=(CLOSE + LINK)[:200],
                email=f"{name}@{world.token}.test",
                stage=TAG + EVENT,
                **{TAG: LONG, "town": "" if name == "blank" else IMAGE},
            )
            await catalog.put_contacts(connection, parse_contacts_csv(text).rows)
    await world.add_schedule(
        "closing", closed=[{"from": "2031-01-01", "to": "2031-01-02", "name": (LINE + WORD)[:200]}]
    )
    box = world.mailbox = await world.add_mailbox()
    async with world.database.transaction() as connection:
        stored = (await catalog.mailbox(connection, box)).definition
        hostile = stored.model_copy(update={"name": (SHORT + CLOSE)[:200]})
        await catalog.apply_mailbox(connection, hostile)
    steps = [
        plain_step(1, subject=WITHOUT_BRACES[:300], text=WITHOUT_BRACES, html=f"<p>{WITHOUT_BRACES}</p>"),
        plain_step(2, wait="1h", text=LONG + " {{ contact.town }}", subject=f"{SHORT} {{{{ contact.stage }}}}"),
        plain_step(3, wait="1h", text="{{ contact.town }}", html=LONG),
    ]
    sequence = await world.add_sequence("hostile", steps, mailboxes=[box], schedule="closing")
    async with world.database.transaction() as connection:
        found = (await catalog.sequence(connection, sequence)).definition
        settings = found.settings.model_copy(
            update={"excluded_contact_stages": (LINE, TEMPLATE), "stage_map": {StageEvent.REPLIED: TAG + IMAGE}}
        )
        changed = type(found).model_validate(
            {**found.model_dump(by_alias=True), "name": (LINE + WORD)[:500], "settings": settings.model_dump()}
        )
        await catalog.apply_sequence(connection, changed)

    for name, behaviour in (
        ("bounced", Behaviour(at_rcpt=f"550 5.1.1 {ASCII}")),
        ("refused", Behaviour(at_end=f"550 5.7.1 spam {ASCII}")),
        ("unknown", Behaviour(drop="end")),
    ):
        world.recipients.behave(world.address(name), behaviour)
    bounced, refused, unknown = [await world.enroll(name) for name in ("bounced", "refused", "unknown")]
    mallory, blank = await world.enroll("mallory"), await world.enroll("blank")
    for enrollment in (mallory, blank):
        await world.until_sent(enrollment, 1)
    await world.command(blank, "pause", by=(TAG + IMAGE)[:120])
    (email,) = await world.until_mails("mallory", 1)
    taken = await world.take(letter(email, world.address("mallory")))
    await world.take(letter(None, "stranger@elsewhere.test"))
    (later,) = await world.until_mails("blank", 1)
    await world.take(bounce(later, f"451 4.2.2 {ASCII}"))
    await world.until_status(bounced, "bounced")
    await world.until_status(refused, "bounced")
    await world.until_status(unknown, "paused", "delivery_unknown")
    await world.until_status(mallory, "finished", "replied")
    return Cast(sequence, mallory, blank, bounced, unknown, refused, taken.id, box)


@pytest_asyncio.fixture(scope="module")
async def planted(stack: Servers) -> AsyncIterator[tuple[Site, Cast]]:
    """The console of a world in which everything is hostile."""
    async with own_site(stack) as site:
        yield site, await plant(site.world)


async def assert_inert(page: Page, visitor: Visitor) -> None:
    """Nothing has run, nothing was planted, the page stands."""
    assert await page.evaluate("window.ran") is None
    assert await page.locator(PLANTED).evaluate_all("all => all.map(one => one.outerHTML.slice(0, 200))") == []
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    await page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    for size in (NARROW, WIDE):
        await page.set_viewport_size(size)
        assert await too_wide(page) == [], size
    assert visitor.unexpected == []


LOOKS = {
    **PAGES,
    "preview": lambda cast: f"/sequences/{cast.sequence}/preview?contact=mallory",
    "a paused contact": lambda cast: f"/enrollments/{cast.paused}",
    "a bounced contact": lambda cast: f"/enrollments/{cast.bounced}",
    "an unknown delivery": lambda cast: f"/enrollments/{cast.not_sent}",
    "a refused email": lambda cast: f"/enrollments/{cast.finished}",
}


@pytest.mark.parametrize("look", LOOKS)
async def test_nothing_runs_and_nothing_breaks(planted: tuple[Site, Cast], visitor: Visitor, look: str) -> None:
    site, cast = planted
    page = await visitor.open(site, LOOKS[look](cast), "admin")
    await assert_inert(page, visitor)


async def test_nor_in_menus_dialogs_notices_and_what_comes_live(planted: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = planted
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "admin")
    await page.locator(f"#menu-{cast.paused}").click()
    await expect(page.locator("#menu")).to_be_visible()
    await assert_inert(page, visitor)
    await page.keyboard.press("Escape")
    await page.locator("#switch a.switch").click()
    await expect(page.locator("#dialog")).to_contain_text(TAG)
    await page.locator("#dialog button.main").click()
    await expect(page.locator(".toast")).to_contain_text(TAG)
    await assert_inert(page, visitor)
    await page.locator("#switch a.switch").click()
    await page.locator("#dialog button.main").click()
    await expect(page.locator("#switch a.switch")).to_have_attribute("aria-pressed", "true")
    await page.locator("input[data-pick-all]").check()
    await page.locator("#selection button[value=resume]").click()
    await expect(page.locator("#dialog")).to_contain_text("Resume")
    await assert_inert(page, visitor)


@pytest.mark.parametrize(
    "path",
    [
        "/sequences/{sequence}?search={text}&reason={text}&step={text}&mailbox={text}&sort={text}",
        "/sequences/{sequence}/preview?contact={text}&mailbox={text}",
        "/audit?actor={text}&action={text}&target={text}",
        "/attention?kind={short}",
        "/sign-in?next={text}",
        "/sequences/{text}",
        "/enrollments/{text}",
        "/inbound/{text}",
        "/mailboxes/{text}",
        "/no-such-page/{text}",
    ],
)
async def test_nor_what_an_address_carries(planted: tuple[Site, Cast], visitor: Visitor, path: str) -> None:
    site, cast = planted
    visitor.expect("404|422")
    for text in (TAG + IMAGE, CLOSE + EVENT):
        given = path.format(sequence=cast.sequence, text=quote(text, safe=""), short=quote(text[:40], safe=""))
        page = await visitor.open(site, given, "admin")
        assert await page.evaluate("window.ran") is None
        assert await page.locator(PLANTED).count() == 0
        await expect(page.get_by_role("main")).to_have_count(1)


async def test_nor_what_a_form_brings_back(planted: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = planted
    visitor.expect("422")
    page = await visitor.open(site, f"/sequences/{cast.sequence}/settings", "admin")
    await page.get_by_label("Settle time").fill(EVENT[:20])
    await page.get_by_label("Accounts in these stages").fill(f"{CLOSE}\n{TAG}")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    await assert_inert(page, visitor)
    await page.goto("/mailboxes/new")
    await page.get_by_label("ID").fill(IMAGE)
    await page.locator("[name=address]").fill("x@y.test")
    await page.locator("[name=name]").fill(LINE)
    await page.locator("[name=smtp_host]").fill(CLOSE)
    await page.get_by_role("button", name="Add the mailbox").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved")
    await assert_inert(page, visitor)
