"""The contacts tab as a reader uses it: the statuses, filters, search and order; and with a key that may not act."""

from __future__ import annotations

from dataclasses import asdict

import pytest
from playwright.async_api import Page, expect

from tests.console.people import SLOW, Cast, row_of, shown, status_in
from tests.console.visiting import Site, Visitor

LABELS = {
    "active": "Active",
    "paused": "Paused",
    "bounced": "Bounced",
    "not_sent": "Not Sent",
    "finished": "Finished",
}


def people(cast: Cast) -> dict[str, str]:
    """Enrollment by status."""
    return {status: asdict(cast)[status] for status in LABELS}


async def choose(page: Page, name: str, option: str) -> None:
    """Filters are taken up as they are chosen: the page that follows has the choice in its address."""
    await page.locator(f"select[name={name}]").select_option(option)
    await page.wait_for_url(lambda url: f"{name}={option}" in url)


@pytest.mark.parametrize("status", LABELS)
async def test_each_status_has_its_tab_with_its_count_and_shows_its_contacts_alone(
    peopled: tuple[Site, Cast], visitor: Visitor, status: str
) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "read")
    tabs = page.get_by_role("navigation", name="Status")
    await expect(tabs.get_by_role("link", name="All 5")).to_have_attribute("aria-current", "true")
    assert sorted(await shown(page)) == sorted(people(cast).values())

    await expect(tabs.locator(f"[data-count={status}]")).to_have_text("1")
    await tabs.locator(f"a:has([data-count={status}])").click()
    await expect(tabs.locator(f"a:has([data-count={status}])")).to_have_attribute("aria-current", "true")
    assert await shown(page) == [people(cast)[status]]
    await expect(status_in(row_of(page, people(cast)[status]))).to_have_text(LABELS[status])
    # A filter within the status keeps it.
    await choose(page, "step", "step3")
    await expect(page.locator(".empty")).to_contain_text("Nobody here matches")
    assert f"status={status}" in page.url


async def test_filters_by_reason_step_mailbox_and_words(peopled: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = peopled
    start = f"/sequences/{cast.sequence}"
    page = await visitor.open(site, start, "read")
    await choose(page, "reason", "hard_bounce")
    assert await shown(page) == [cast.bounced]
    await expect(page.locator("select[name=reason]")).to_have_value("hard_bounce")
    await page.get_by_role("link", name="Clear").click()
    await page.wait_for_url(site.url + start)

    await choose(page, "step", "step1")
    assert await shown(page) == [cast.bounced]
    await page.goto(start)
    boxes = await page.locator("select[name=mailbox] option").all_text_contents()
    found: list[str] = []
    for box in boxes[1:]:
        await choose(page, "mailbox", box)
        found += await shown(page)
    assert sorted(found) == sorted(people(cast).values())

    await page.goto(start)
    for words, hits in (("ANNA", [cast.active]), ("acme & s", [cast.paused, cast.active]), ("carl@", [cast.bounced])):
        await page.get_by_label("Search").fill(words)
        await page.get_by_label("Search").press("Enter")
        await expect(page.locator("tr[data-row]")).to_have_count(len(hits))
        assert await shown(page) == hits
    await page.get_by_label("Search").fill("fay")
    await page.get_by_role("button", name="Search").click()
    await expect(page.locator(".empty")).to_contain_text("Nobody here matches")
    await page.get_by_role("link", name="Show all").click()
    await expect(page.locator("tr[data-row]")).to_have_count(5)


async def test_sorted_by_status_step_next_action_last_event_and_name(
    peopled: tuple[Site, Cast], visitor: Visitor
) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "read")
    last_event = await shown(page)
    assert last_event[0] == cast.paused
    by_name = [cast.active, cast.paused, cast.bounced, cast.not_sent, cast.finished]
    await choose(page, "sort", "name.asc")
    assert await shown(page) == by_name
    await choose(page, "sort", "last_event.asc")
    assert await shown(page) == last_event[::-1]
    await choose(page, "sort", "status.asc")
    assert sorted(await shown(page)) == sorted(by_name)
    names = [await status_in(row_of(page, key)).inner_text() for key in await shown(page)]
    assert names == ["Active", "Paused", "Bounced", "Not Sent", "Finished"]
    await choose(page, "sort", "step.asc")
    assert (await shown(page))[0] == cast.bounced
    await choose(page, "sort", "step.desc")
    assert (await shown(page))[-1] == cast.bounced
    await choose(page, "sort", "next_action.asc")
    assert (await shown(page))[0] == cast.active
    # The order stays when a tab is chosen after it, and a filter.
    await choose(page, "step", "step1")
    assert "sort=next_action.asc" in page.url


async def test_each_row_says_why_it_stands_so_and_what_happens_next(
    peopled: tuple[Site, Cast], visitor: Visitor
) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "read")
    row = row_of(page, cast.bounced)
    tip = row.locator(".tip")
    await expect(tip).to_be_hidden()
    await status_in(row).hover()
    await expect(tip).to_be_visible()
    await expect(tip).to_contain_text("address does not exist")
    await page.mouse.move(0, 0)
    await expect(tip).to_be_hidden()
    await expect(row).to_contain_text("1 of 3")
    await expect(row_of(page, cast.active)).to_contain_text("Sends step 2")
    await expect(row_of(page, cast.active)).to_contain_text("Acme & Sons")
    await expect(row_of(page, cast.not_sent)).to_contain_text("contact stage excluded")

    # Where there is no hover it is there in full.
    phone = await visitor.open(site, f"/sequences/{cast.sequence}", "read", has_touch=True, is_mobile=True)
    await expect(row_of(phone, cast.bounced).locator(".tip")).to_be_visible()


async def test_a_readers_key_sees_no_action_and_is_refused_one(peopled: tuple[Site, Cast], visitor: Visitor) -> None:
    site, cast = peopled
    page = await visitor.open(site, f"/sequences/{cast.sequence}", "read")
    await expect(page.locator("tr[data-row]")).to_have_count(5)
    for absent in ("input[type=checkbox]", "#selection", "a.switch", "form[action$='/bulk'] button"):
        await expect(page.locator(absent)).to_have_count(0)
    await page.goto(f"/enrollments/{cast.bounced}")
    await expect(page.get_by_text("your key may only read").first).to_be_visible()
    await expect(page.locator("main form")).to_have_count(0)
    await page.goto(f"/sequences/{cast.sequence}/settings")
    await expect(page.get_by_role("button", name="Save the settings")).to_have_count(0)
    await expect(page.get_by_label("Settle time")).to_be_disabled()

    # A form made by hand, with everything that a page of this session knows.
    csrf = await page.locator("input[name=csrf]").first.input_value()
    for path, fields in (
        (f"/enrollments/{cast.active}/commands/pause", {}),
        (f"/enrollments/{cast.bounced}/address", {"email": "new@reader.test"}),
        (f"/sequences/{cast.sequence}/switch/off", {}),
        (f"/sequences/{cast.sequence}/bulk/do", {"action": "finish", "id": cast.active}),
        (f"/sequences/{cast.sequence}/settings", {}),
        ("/switch/off", {}),
    ):
        answer = await page.request.post(path, form={"csrf": csrf, **fields}, max_redirects=0)
        assert answer.status == 403, (path, await answer.text())
        assert "this needs the scope" in await answer.text()
    assert (await site.world.status(cast.active))[0] == "active"
    # The address alone leads nowhere either.
    visitor.expect("403")
    await page.goto(f"/sequences/{cast.sequence}/switch")
    await expect(page.get_by_role("heading", level=1)).to_have_text("Scope missing")


async def test_a_large_sequences_forecast_is_made_when_asked_for(
    site: Site, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.sequence.LARGE", 1)
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    for name in ("anna", "ben"):
        await world.enroll(name)
    page = await visitor.open(site, f"/sequences/{sequence}/forecast")
    await expect(page.locator("main")).to_contain_text("2 contacts are going on")
    await page.get_by_role("link", name="Make the forecast").click()
    await expect(page.locator("main")).to_contain_text("4 emails of this sequence in the coming 14 days")
