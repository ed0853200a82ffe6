"""Every action by plain links and forms, in a browser that runs no script."""

from __future__ import annotations

from playwright.async_api import Page, expect

from tests.console.people import SLOW, row_of, status_in
from tests.console.visiting import Site, Visitor


async def plain(visitor: Visitor, site: Site, path: str, scope: str = "operate") -> Page:
    return await visitor.open(site, path, scope, java_script_enabled=False)


async def test_pause_the_switch_and_several_at_once_by_plain_forms(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    anna, bea, carl = [await world.enroll(name) for name in ("anna", "bea", "carl")]
    page = await plain(visitor, site, f"/sequences/{sequence}")

    await row_of(page, anna).get_by_role("button", name="Actions").click()
    await page.wait_for_url(f"**/enrollments/{anna}#actions")
    await page.get_by_text("Pause …").click()
    await page.locator("[data-action=pause]").get_by_role("button", name="Pause").click()
    await expect(page.locator("#notice")).to_contain_text("Paused. Now Paused (manual)")
    await expect(page.locator("#head-status .pill")).to_have_text("Paused")
    await page.get_by_role("button", name="Resume now").click()
    await expect(page.locator("#notice")).to_contain_text("Resumed.")
    await expect(page.locator("#head-status .pill")).to_have_text("Active")

    await page.goto(f"/sequences/{sequence}")
    await page.locator("#switch a.switch").click()
    await expect(page.get_by_text("3 active contacts will pause")).to_be_visible()
    await page.get_by_role("button", name="Switch off").click()
    await expect(page.locator("#notice")).to_contain_text("spring is off: 3 active contacts are paused.")
    await expect(status_in(row_of(page, bea))).to_have_text("Paused")
    await page.locator("#switch a.switch").click()
    await page.get_by_role("button", name="Switch on").click()
    await expect(status_in(row_of(page, bea))).to_have_text("Active")

    for enrollment in (bea, carl):
        await row_of(page, enrollment).get_by_role("checkbox").check()
    await page.get_by_role("button", name="Finish …").click()
    await expect(page.get_by_role("heading", name="Finish 2 contacts?")).to_be_visible()
    await page.get_by_role("button", name="Finish 2 contacts").click()
    await page.wait_for_url(f"**/sequences/{sequence}")
    await expect(page.locator("#notice")).to_contain_text("2 contacts finished.")
    for enrollment in (bea, carl):
        await expect(status_in(row_of(page, enrollment))).to_have_text("Finished")
    await expect(status_in(row_of(page, anna))).to_have_text("Active")


async def test_a_refusal_is_said_where_one_was(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    anna = await world.enroll("anna")
    page = await plain(visitor, site, f"/enrollments/{anna}")
    await page.get_by_text("Pause …").click()
    await world.command(anna, "finish")
    await page.locator("[data-action=pause]").get_by_role("button", name="Pause").click()
    await page.wait_for_url(f"**/enrollments/{anna}")
    await expect(page.locator("#notice.refused")).to_be_visible()
    await page.goto(f"/sequences/{sequence}")
    await expect(page.locator("#notice")).to_have_count(0)  # said once
    await page.get_by_role("button", name="Pause …").click()
    await expect(page.locator("#notice")).to_contain_text("nobody is selected")


async def test_filters_are_sent_by_a_button(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    await world.enroll("anna")
    bea = await world.enroll("bea")
    page = await plain(visitor, site, f"/sequences/{sequence}", "read")
    await page.get_by_label("Search").fill("bea")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator("tr[data-row]")).to_have_count(1)
    await expect(row_of(page, bea)).to_contain_text("UTC")  # nobody knows the reader's zone
