"""What a person does in the console, in a browser: and what then happens at the recipients' server."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from playwright.async_api import expect

from embedded.recipients import Behaviour
from tests.console.people import NO_SUCH_USER, SLOW, menu_of, row_of, shown, status_in
from tests.console.visiting import Site, Visitor
from tests.harness import World, plain_step
from tests.inbound.mails import absence

BERLIN = ZoneInfo("Europe/Berlin")


async def enroll(world: World, *contacts: str) -> list[str]:
    return [await world.enroll(contact) for contact in contacts]


async def test_paused_until_a_time_it_goes_on_under_the_readers_eyes_and_the_email_arrives(
    site: Site, visitor: Visitor
) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=[plain_step(1)])
    # Off, so that the email does not leave before the pause is on.
    await world.clients.switch("sequence", sequence, on=False, by="person:test")
    (enrollment,) = await enroll(world, "anna")
    page = await visitor.open(site, f"/sequences/{sequence}")

    menu = await menu_of(page, enrollment)
    await menu.get_by_text("Pause …").click()
    until = datetime.now(BERLIN) + timedelta(seconds=6)
    await menu.get_by_label("Until (optional)").fill(f"{until:%Y-%m-%d}")
    clock = menu.get_by_label("Time (optional)").first
    await clock.evaluate("field => { field.step = 1 }")  # people choose minutes; this reader does not wait for one
    await clock.fill(f"{until:%H:%M:%S}")
    await menu.get_by_role("button", name="Pause").click()
    await expect(page.locator(".toast")).to_contain_text("Paused. Now Paused (manual)")
    assert world.recipients.received() == []

    await world.clients.switch("sequence", sequence, on=True, by="person:test")
    (mail,) = await world.until_mails("anna", 1)
    assert mail.subject == "Subject 1"
    assert mail.received_at >= until.replace(microsecond=0)
    # Nobody has loaded the page again.
    await expect(status_in(row_of(page, enrollment))).to_have_text("Finished")


async def test_the_master_switch_asks_says_what_it_will_do_and_shows_it_done(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    active = await enroll(world, "anna", "bea", "carl")
    (ended,) = await enroll(world, "dora")
    await world.command(ended, "finish")
    page = await visitor.open(site, f"/sequences/{sequence}")
    switch, dialog = page.locator("#switch a.switch"), page.locator("#dialog")
    await expect(switch).to_have_attribute("aria-pressed", "true")

    await switch.click()
    await expect(dialog).to_contain_text("Switch spring off?")
    await expect(dialog).to_contain_text("3 active contacts will pause")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_be_hidden()
    await expect(switch).to_have_attribute("aria-pressed", "true")

    await switch.click()
    await dialog.get_by_role("button", name="Switch off").click()
    await expect(page.locator(".toast")).to_have_text("spring is off: 3 active contacts are paused.")
    await expect(switch).to_have_attribute("aria-pressed", "false")
    for enrollment in active:
        await expect(status_in(row_of(page, enrollment))).to_have_text("Paused")
    await expect(status_in(row_of(page, ended))).to_have_text("Finished")
    await expect(page.locator("[data-count=paused]")).to_have_text("3")
    await expect(page.locator("[data-count=active]")).to_have_text("0")

    await switch.click()
    await expect(dialog).to_contain_text("3 contacts will be active again")
    await dialog.get_by_role("button", name="Switch on").click()
    await expect(switch).to_have_attribute("aria-pressed", "true")
    for enrollment in active:
        await expect(status_in(row_of(page, enrollment))).to_have_text("Active")
    assert world.recipients.received() == []


async def test_the_switch_over_everything_is_an_admins(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence(steps=SLOW)
    await enroll(world, "anna", "bea")
    page = await visitor.open(site, "/sequences", "admin")
    watching = await visitor.open(site, "/sequences")
    await expect(watching.get_by_text("Switch everything")).to_have_count(0)

    await page.get_by_role("link", name="Switch everything off").click()
    await expect(page.locator("#dialog")).to_contain_text("2 active contacts of all sequences will pause")
    await page.locator("#dialog").get_by_role("button", name="Switch everything off").click()
    await expect(page.get_by_text("Everything is switched off").first).to_be_visible()
    await expect(watching.locator("#global")).to_contain_text("Everything is switched off")
    await page.get_by_role("link", name="Switch everything on").click()
    await page.locator("#dialog").get_by_role("button", name="Switch everything on").click()
    await expect(watching.locator("#global")).not_to_contain_text("Everything is switched off")


async def test_a_bounce_is_repaired_by_a_new_address_and_the_same_step_arrives_there(
    site: Site, visitor: Visitor
) -> None:
    world = site.world
    await world.add_sequence(steps=2)
    world.recipients.behave(world.address("anna"), NO_SUCH_USER)
    (enrollment,) = await enroll(world, "anna")
    await world.until_status(enrollment, "bounced", "hard_bounce")
    page = await visitor.open(site, f"/enrollments/{enrollment}")
    await expect(page.locator("#head-status .pill")).to_have_text("Bounced")
    await expect(page.locator("#why")).to_contain_text("550 5.1.1 no such user here")

    await page.get_by_label("New address").fill("no address")
    await page.get_by_role("button", name="Save and resume").click()
    assert await page.locator("#new-address:invalid").count() == 1
    await page.get_by_label("New address").fill(f"new@{world.token}.test")
    await page.get_by_role("button", name="Save and resume").click()
    await expect(page.locator(".toast")).to_contain_text(f"New address new@{world.token}.test. Resumed.")

    await expect(page.locator("#head-status .pill")).to_have_text("Finished")
    await expect(page.get_by_label("New address")).to_have_count(0)
    assert world.recipients.inbox(world.address("anna")) == []
    arrived = [mail.subject for mail in world.recipients.inbox(f"new@{world.token}.test")]
    assert arrived == ["Subject 1", "Subject 2"]


async def test_an_ambiguous_day_of_return_is_settled_and_the_hold_gets_it(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    (enrollment,) = await enroll(world, "anna")
    await world.until_sent(enrollment, 1)
    (mail,) = await world.until_mails("anna", 1)
    year = datetime.now(UTC).year + 1
    await world.take(absence(mail, f"I am out of the office and will return on 03/04/{year}."))
    await world.until_status(enrollment, "paused", "out_of_office")
    page = await visitor.open(site, f"/enrollments/{enrollment}")
    await page.get_by_text("What it says, and why it was taken for that").click()
    await expect(page.locator("mark").filter(has_text=f"03/04/{year}")).to_be_visible()

    await page.get_by_text("Wrong? Correct it").click()
    await page.locator("input[name=return_date]").fill(f"{year}-04-03")
    await page.get_by_role("button", name="Correct").click()
    await expect(page.locator(".toast")).to_contain_text(f"back {year}-04-03")
    goes_on = date(year, 4, 4)  # a business day later, and the schedule is open on every day
    await world.until_state(
        enrollment, lambda state: [hold.until.date() for hold in state.holds if hold.until] == [goes_on]
    )
    await expect(page.locator("[data-hold=out_of_office]")).to_contain_text(f"{goes_on:%-d %b}")
    assert (await world.status(enrollment))[0] == "paused"


async def test_an_unknown_delivery_is_settled_as_sent_and_the_next_step_follows(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence(steps=2)
    world.recipients.behave(world.address("anna"), Behaviour(drop="end"))
    (enrollment,) = await enroll(world, "anna")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    world.recipients.behave(world.address("anna"), Behaviour())
    page = await visitor.open(site, f"/enrollments/{enrollment}")
    await page.get_by_text("Say what became of the email …").click()
    await page.get_by_role("button", name="It was sent").click()
    await expect(page.locator(".toast")).to_contain_text("Settled.")
    await expect(page.locator("#head-status .pill")).to_have_text("Finished")
    assert [mail.subject for mail in world.recipients.inbox(world.address("anna"))] == ["Subject 1", "Subject 2"]
    assert (await world.ledger(enrollment))[0]["settled_by"] == "person:operate"


async def test_several_are_finished_at_once_after_a_question_that_counts(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    chosen = await enroll(world, "anna", "bea", "carl")
    (other,) = await enroll(world, "dora")
    (ended,) = await enroll(world, "emil")
    await world.command(ended, "finish")
    page = await visitor.open(site, f"/sequences/{sequence}")
    bar, dialog = page.locator("#selection"), page.locator("#dialog")
    await expect(bar).to_be_hidden()
    for enrollment in (*chosen, ended):
        await row_of(page, enrollment).get_by_role("checkbox").check()
    await expect(bar).to_contain_text("4 selected")

    await bar.get_by_role("button", name="Finish …").click()
    await expect(dialog.get_by_role("heading")).to_have_text("Finish 3 contacts?")
    await expect(dialog).to_contain_text("1 contact will stay as it is")
    await dialog.get_by_text("Who").click()
    await expect(dialog.locator("#who li")).to_have_count(3)
    await dialog.get_by_label("Outcome").select_option(label="Not interested")
    await dialog.get_by_label("Note, a few words (optional)").fill("fair 2026")
    await dialog.get_by_role("button", name="Finish 3 contacts").click()
    await expect(page.locator(".toast")).to_have_text("3 contacts finished.")
    for enrollment in chosen:
        await expect(status_in(row_of(page, enrollment))).to_have_text("Finished")
        assert await world.status(enrollment) == ("finished", "not_interested")
    await expect(status_in(row_of(page, other))).to_have_text("Active")


async def test_what_happens_moves_no_row_and_keeps_the_selection_and_the_open_menu(
    site: Site, visitor: Visitor
) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    anna, bea, carl = await enroll(world, "anna", "bea", "carl")
    page = await visitor.open(site, f"/sequences/{sequence}")
    await expect(page.locator("html")).to_have_attribute("data-live", "on")
    order = await shown(page)
    assert order == [carl, bea, anna]  # the last event first
    await row_of(page, bea).get_by_role("checkbox").check()
    menu = await menu_of(page, carl)
    await menu.get_by_text("Finish …").click()
    await menu.get_by_label("Note, a few words (optional)").fill("half a wo")

    await world.command(anna, "pause")  # which makes anna's the last event
    await world.command(carl, "pause")  # and this is the row of the open menu
    await expect(status_in(row_of(page, anna))).to_have_text("Paused")
    await expect(status_in(row_of(page, carl))).to_have_text("Paused")
    await expect(page.locator("[data-count=paused]")).to_have_text("2")
    assert await shown(page) == order
    await expect(row_of(page, bea).get_by_role("checkbox")).to_be_checked()
    await expect(page.locator("#selection")).to_contain_text("1 selected")
    await expect(menu.get_by_label("Note, a few words (optional)")).to_have_value("half a wo")
    await expect(menu.get_by_label("Note, a few words (optional)")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(menu).to_be_hidden()


async def test_what_is_refused_is_seen_and_the_menu_stays(site: Site, visitor: Visitor) -> None:
    world = site.world
    sequence = await world.add_sequence(steps=SLOW)
    enrollment = await world.enroll("anna")
    page = await visitor.open(site, f"/sequences/{sequence}")
    menu = await menu_of(page, enrollment)
    await menu.get_by_text("Pause …").click()
    # Signed in anew in another tab, say: the token of this page's forms is another one now.
    await menu.locator("input[name=csrf]").evaluate_all("fields => fields.forEach(field => { field.value = 'x' })")
    visitor.expect("403")
    await menu.get_by_role("button", name="Pause").click()
    await expect(page.locator(".toast.refused")).to_contain_text("It was not done")
    await expect(menu).to_be_visible()
    assert (await world.status(enrollment))[0] == "active"


async def test_a_skip_is_of_the_step_that_the_page_showed(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence(steps=[plain_step(number, wait="1h") for number in (1, 2, 3)])
    enrollment = await world.enroll("anna")
    page = await visitor.open(site, f"/enrollments/{enrollment}")
    await page.locator("[data-action=skip] summary").click()
    await world.command(enrollment, "skip")
    await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step2")
    await page.get_by_role("button", name="Skip", exact=True).click()
    await expect(page.locator(".toast")).to_contain_text("the contact is at step step2")
    assert [line["kind"] for line in await world.story(enrollment)].count("skip") == 1


async def test_what_is_typed_outlives_what_happens_elsewhere(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence()
    world.recipients.behave(world.address("anna"), NO_SUCH_USER)
    world.recipients.behave(world.address("ben"), NO_SUCH_USER)
    anna = await world.enroll("anna")
    await world.until_status(anna, "bounced")
    page = await visitor.open(site, "/attention")
    await expect(page.locator("html")).to_have_attribute("data-live", "on")
    field = page.locator(f"[data-key='{anna}'] input[type=email]")
    await field.fill("anna.new@elsewhere.test")
    await page.locator("h1").click()
    ben = await world.enroll("ben")
    await world.until_status(ben, "bounced")
    await expect(page.locator("#kinds")).to_contain_text("Bounced 2")
    await expect(field).to_have_value("anna.new@elsewhere.test")
