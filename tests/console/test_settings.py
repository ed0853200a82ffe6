"""A sequence's settings: seen, changed, refused with the field marked; and what a change does to those who are enrolled."""

from __future__ import annotations

from playwright.async_api import expect

from store import catalog
from tests.console.people import SLOW
from tests.console.visiting import Site, Visitor


async def settings_of(site: Site, sequence: str) -> catalog.StoredSequence:
    async with site.world.database.read() as connection:
        return await catalog.sequence(connection, sequence)


async def test_stage_exceptions_are_seen_changed_and_in_force(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW, settings={"excluded_contact_stages": ["Replied", "Lost"]})
    await world.add_contact("anna", stage="Cold Lead")
    page = await visitor.open(site, f"/sequences/{sequence}", "admin")
    await page.get_by_role("link", name="Settings").click()
    stages = page.get_by_label("Contacts in these stages")
    await expect(stages).to_have_value("Replied\nLost")
    await expect(page.locator("section", has=stages)).to_contain_text("Cold Lead")

    await stages.fill("Lost\n  Cold Lead \n\nLost\n<b>Bold & Co</b>")
    await page.get_by_label("Accounts in these stages").fill("")
    await page.get_by_label("Pause without a return day").fill("3d")
    await page.get_by_label("A reply finishes").uncheck()
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.locator("#notice")).to_contain_text("Saved.")
    await expect(stages).to_have_value("Lost\nCold Lead\n<b>Bold & Co</b>")
    await expect(page.get_by_label("A reply finishes")).not_to_be_checked()
    stored = (await settings_of(site, sequence)).definition.settings
    assert stored.excluded_contact_stages == ("Lost", "Cold Lead", "<b>Bold & Co</b>")
    assert stored.excluded_account_stages == ()
    assert str(stored.out_of_office_default) == "3d"
    assert not stored.finish_on_reply
    assert "contact_stage_excluded" in await world.refusals("anna")


async def test_a_bad_duration_is_refused_with_its_field_marked_and_nothing_is_saved(
    site: Site, visitor: Visitor
) -> None:
    sequence = await site.world.add_sequence(steps=SLOW)
    before = await settings_of(site, sequence)
    page = await visitor.open(site, f"/sequences/{sequence}/settings", "admin")
    visitor.expect("422")
    await page.get_by_label("Contacts in these stages").fill("Lost")
    await page.get_by_label("Settle time").fill("three days")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.get_by_role("alert")).to_contain_text("Nothing was saved. settings.settle")
    field = page.get_by_label("Settle time")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(".field.wrong")).to_have_count(1)
    await expect(page.locator(".field.wrong")).to_contain_text("Settle time")
    # What was typed is still there, so that it can be mended.
    await expect(field).to_have_value("three days")
    await expect(page.get_by_label("Contacts in these stages")).to_have_value("Lost")
    assert await settings_of(site, sequence) == before

    await field.fill("3d")
    await page.get_by_role("button", name="Save the settings").click()
    await expect(page.locator("#notice")).to_contain_text("Saved.")
    assert str((await settings_of(site, sequence)).definition.settings.settle) == "3d"


async def test_of_two_who_change_the_settings_the_second_is_told(site: Site, visitor: Visitor) -> None:
    sequence = await site.world.add_sequence(steps=SLOW)
    first = await visitor.open(site, f"/sequences/{sequence}/settings", "admin")
    second = await visitor.open(site, f"/sequences/{sequence}/settings", "admin")
    await first.get_by_label("Settle time").fill("2d")
    await first.get_by_role("button", name="Save the settings").click()
    await expect(first.locator("#notice")).to_contain_text("Saved.")
    visitor.expect("409")
    await second.get_by_label("Settle time").fill("9d")
    await second.get_by_role("button", name="Save the settings").click()
    await expect(second.get_by_role("alert")).to_contain_text(
        "somebody changed this sequence since you opened the form"
    )
    await expect(second.get_by_label("Settle time")).to_have_value("9d")  # what was typed is not lost
    assert str((await settings_of(site, sequence)).definition.settings.settle) == "2d"
