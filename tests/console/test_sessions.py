"""Signing in, and a session that ends under the reader's hands."""

from __future__ import annotations

from datetime import UTC, datetime

from playwright.async_api import Page, expect

from store import access
from tests.console.people import SLOW, row_of, status_in
from tests.console.visiting import Site, Visitor

EXPIRED = "Your session has expired. Sign in again."


async def sign_in(page: Page, key: str) -> None:
    await page.get_by_label("Key").fill(key)
    await page.get_by_role("button", name="Sign in").click()


async def let_sessions_expire(site: Site) -> None:
    async with site.world.database.transaction() as connection:
        await connection.execute("UPDATE sessions SET seen_at = seen_at - $1::interval", access.IDLE)


async def test_signing_in_leads_to_the_page_that_was_asked_for(site: Site, visitor: Visitor) -> None:
    sequence = await site.world.add_sequence(steps=SLOW)
    page = await visitor.open(site, f"/sequences/{sequence}?status=active&sort=name.asc", None)
    await expect(page).to_have_title("Sign in · Onward")
    await expect(page.get_by_label("Key")).to_be_focused()
    await expect(page.get_by_role("alert")).to_have_count(0)
    visitor.expect("401")
    await sign_in(page, "onward_0123456789ab_no-such-key")
    await expect(page.get_by_role("alert")).to_have_text("This key is not known, was revoked or has expired.")
    await sign_in(page, await site.key("read"))
    await page.wait_for_url(f"**/sequences/{sequence}?status=active&sort=name.asc")
    await page.get_by_role("button", name="Sign out").click()
    await expect(page).to_have_title("Sign in · Onward")
    await page.go_back()
    await expect(page).to_have_title("Sign in · Onward")


async def test_an_expired_session_leads_to_signing_in_and_back(site: Site, visitor: Visitor) -> None:
    sequence = await site.world.add_sequence(steps=SLOW)
    anna = await site.world.enroll("anna")
    page = await visitor.open(site, f"/sequences/{sequence}?sort=name.asc")
    await let_sessions_expire(site)
    await page.reload()
    await expect(page.get_by_role("alert")).to_have_text(EXPIRED)
    await sign_in(page, await site.key("operate"))
    await page.wait_for_url(f"**/sequences/{sequence}?sort=name.asc")

    # In the middle of an action, which the script sends: nothing is done, and the reader is back afterwards.
    await row_of(page, anna).get_by_role("button", name="Actions").click()
    menu = page.locator("#menu")
    await menu.get_by_text("Finish …").click()
    await let_sessions_expire(site)
    visitor.expect("401")
    await menu.get_by_role("button", name="Finish").click()
    await expect(page.get_by_role("alert")).to_have_text(EXPIRED)
    assert (await site.world.status(anna))[0] == "active"
    await sign_in(page, await site.key("operate"))
    await page.wait_for_url(f"**/sequences/{sequence}?sort=name.asc")
    await expect(status_in(row_of(page, anna))).to_have_text("Active")


async def test_a_revoked_key_ends_its_sessions(site: Site, visitor: Visitor) -> None:
    await site.world.add_sequence(steps=SLOW)
    page = await visitor.open(site, "/mailboxes")
    async with site.world.database.transaction() as connection:
        key = (await site.key("operate")).split("_")[1]
        await access.revoke_key(connection, key, by="person:test", now=datetime.now(UTC))
    await page.get_by_role("link", name="Sequences").click()
    await expect(page.get_by_role("alert")).to_have_text(EXPIRED)
    visitor.expect("401")
    await sign_in(page, await site.key("operate"))
    await expect(page.get_by_role("alert")).to_have_text("This key is not known, was revoked or has expired.")
