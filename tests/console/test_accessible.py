"""Every page for everybody: what axe-core finds, light and dark, wide and narrow; and the keyboard alone."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from api.access import every_route
from api.console import ROUTERS
from tests.console.people import SLOW, Cast, menu_of, row_of, status_in
from tests.console.places import MORE, PAGES, PARTS
from tests.console.visiting import NARROW, WIDE, Site, Visitor, too_wide

LOOKS = PAGES | MORE
WHOLE = {"resultTypes": ["violations"]}
COLOURS = {**WHOLE, "runOnly": ["color-contrast", "link-in-text-block"]}


async def findings(page: Page, options: dict[str, Any]) -> list[str]:
    """What axe-core says is serious or critical, with where it stands. The page has the script."""
    found = await page.evaluate("options => axe.run(document, options).then(found => found.violations)", options)
    return [
        f"{one['impact']} {one['id']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]


async def examine(page: Page) -> list[str]:
    """In each colour scheme at each width. What is not about colours is the same in both schemes."""
    await page.evaluate(Axe().axe_script)
    found = []
    for width in (WIDE, NARROW):
        await page.set_viewport_size(width)
        for scheme, options in (("light", WHOLE), ("dark", COLOURS)):
            await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            found += [f"{scheme}, {width['width']} px: {line}" for line in await findings(page, options)]
        found += [f"{width['width']} px: too wide: {line}" for line in await too_wide(page)]
    return found


def test_every_route_of_the_console_has_its_page_here() -> None:
    routes = {
        path for router in ROUTERS for path, route in every_route(router.routes) if "GET" in (route.methods or ())
    }
    assert set(PAGES) | PARTS == routes


@pytest.mark.parametrize("look", LOOKS)
async def test_no_serious_finding(peopled: tuple[Site, Cast], visitor: Visitor, look: str) -> None:
    site, cast = peopled
    if look == "a problem":
        visitor.expect("404")
    page = await visitor.open(site, LOOKS[look](cast), "admin")
    # What is folded away is part of the page, too.
    await page.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert await examine(page) == []
    await expect(page.get_by_role("main")).to_have_count(1)
    await expect(page.get_by_role("heading", level=1)).to_have_count(1)


async def test_no_serious_finding_in_menus_dialogs_and_the_bar(peopled: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "operate")
    await row_of(page, cast.bounced).get_by_role("checkbox").check()
    await row_of(page, cast.active).get_by_role("checkbox").check()
    menu = await menu_of(page, cast.paused)
    await menu.locator("details").evaluate_all("all => all.forEach(one => { one.open = true })")
    assert await examine(page) == []
    await page.keyboard.press("Escape")
    await page.set_viewport_size(WIDE)
    await page.get_by_role("button", name="Pause …").click()
    await expect(page.locator("#dialog")).to_be_visible()
    assert await examine(page) == []


# The keyboard alone


async def tab_to(page: Page, what: str) -> None:
    """Press Tab until the focus is on an element that matches."""
    for _ in range(120):
        await page.keyboard.press("Tab")
        if await page.evaluate("what => document.activeElement.matches(what)", what):
            return
    raise AssertionError(f"Tab never comes to {what}")


async def test_the_skip_link_leads_to_the_content(peopled: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}")
    await page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    await expect(skip).to_be_focused()
    await expect(skip).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.querySelector('main').contains(document.activeElement)")


async def test_a_status_says_its_reason_on_focus(peopled: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "read")
    tip = row_of(page, cast.bounced).locator(".tip")
    await tab_to(page, f"#row-{cast.bounced} .why")
    await expect(tip).to_be_visible()
    await tab_to(page, "a.button")
    await expect(tip).to_be_hidden()


async def test_every_action_of_a_row_by_the_keyboard(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    anna = await world.enroll("anna")
    page = await visitor.open(site, f"/sequences/{sequence}")
    button, menu = f"#menu-{anna}", page.locator("#menu")

    await tab_to(page, button)
    await page.keyboard.press("Enter")
    await expect(menu).to_be_visible()
    await expect(page.locator(button)).to_have_attribute("aria-expanded", "true")
    # The arrows go through all that is open, and around.
    items = menu.locator("> ul > li button, > ul > li summary").locator("visible=true")
    for number in range(await items.count()):
        await expect(items.nth(number)).to_be_focused()
        await page.keyboard.press("ArrowDown")
    await expect(items.first).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()
    await expect(page.locator(button)).to_be_focused()
    await expect(page.locator(button)).to_have_attribute("aria-expanded", "false")

    await page.keyboard.press("Space")
    await expect(menu).to_be_visible()
    await tab_to(page, "[data-action=finish] summary")
    await page.keyboard.press("Enter")
    await tab_to(page, "select[name=outcome]")
    await page.keyboard.type("Interested")
    await tab_to(page, "input[name=disposition]")
    await page.keyboard.type("by hand")
    await page.keyboard.press("Enter")
    await expect(menu).to_be_hidden()
    await expect(status_in(row_of(page, anna))).to_have_text("Finished")
    assert await world.status(anna) == ("finished", "interested")
    await expect(page.locator(button)).to_be_focused()


async def test_the_switch_and_the_bar_by_the_keyboard(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    anna, bea = [await world.enroll(name) for name in ("anna", "bea")]
    page = await visitor.open(site, f"/sequences/{sequence}")
    dialog, switch = page.locator("#dialog"), page.locator("#switch a.switch")

    await tab_to(page, "a.switch")
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(switch).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(dialog).to_be_visible()
    for _ in range(8):  # the focus stays in the dialog, or is the browser's own
        await page.keyboard.press("Tab")
        assert await page.evaluate("document.activeElement.matches('#dialog *, body')")
    await tab_to(page, "#dialog button.main")
    await page.keyboard.press("Enter")
    await expect(switch).to_have_attribute("aria-pressed", "false")
    await expect(switch).to_be_focused()
    await expect(page.locator("#said")).to_contain_text("spring is off")

    await tab_to(page, "input[data-pick-all]")
    await page.keyboard.press("Space")
    await tab_to(page, "#selection button[value=finish]")
    await page.keyboard.press("Enter")
    await expect(dialog).to_contain_text("Finish 2 contacts?")
    await tab_to(page, "#dialog button.main")
    await page.keyboard.press("Enter")
    for enrollment in (anna, bea):
        await expect(status_in(row_of(page, enrollment))).to_have_text("Finished")
