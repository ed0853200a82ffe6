"""What needs a person: each is settled where it is listed, in a browser, and leaves the list."""

from __future__ import annotations

from datetime import date

from playwright.async_api import Locator, Page, expect

from embedded.recipients import Behaviour
from tests.console.people import AWAY_UNTIL, NO_SUCH_USER
from tests.console.visiting import Site, Visitor
from tests.harness import plain_step
from tests.inbound.mails import absence, answer


def item(page: Page, kind: str) -> Locator:
    return page.locator(f"li[data-kind={kind}]")


async def test_a_bounce_an_unknown_delivery_a_day_of_return_and_a_strangers_mail_are_settled_in_the_list(
    site: Site, visitor: Visitor
) -> None:
    world = site.world
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    world.recipients.behave(world.address("bounced"), NO_SUCH_USER)
    world.recipients.behave(world.address("unknown"), Behaviour(drop="end"))
    bounced, unknown, away = [await world.enroll(name) for name in ("bounced", "unknown", "away")]
    await world.until_status(bounced, "bounced", "hard_bounce")
    await world.until_status(unknown, "paused", "delivery_unknown")
    await world.until_sent(away, 1)
    (mail,) = await world.until_mails("away", 1)
    await world.take(absence(mail, f"I am out of the office and will return on 03/04/{AWAY_UNTIL}."))
    await world.until_status(away, "paused", "out_of_office")
    await world.take(answer(mail, "Who are you?", sender="stranger@elsewhere.test", subject="Hello", threaded=False))

    page = await visitor.open(site, "/attention")
    for kind in ("bounced", "delivery_unknown", "return_date", "mail"):
        await expect(item(page, kind)).to_have_count(1)

    await item(page, "bounced").get_by_label("New address").fill(f"new@{world.token}.test")
    await item(page, "bounced").get_by_role("button", name="Save and resume").click()
    await expect(page.locator(".toast")).to_contain_text(f"New address new@{world.token}.test. Resumed.")
    await expect(item(page, "bounced")).to_have_count(0)
    await world.until_sent(bounced, 1)
    assert [mail.subject for mail in world.recipients.inbox(f"new@{world.token}.test")] == ["Subject 1"]

    world.recipients.behave(world.address("unknown"), Behaviour())
    await item(page, "delivery_unknown").get_by_role("button", name="It was not: send it again").click()
    await expect(item(page, "delivery_unknown")).to_have_count(0)
    await world.until_sent(unknown, 1)
    # It had arrived: that it came once more is the word of the person.
    assert [mail.subject for mail in world.recipients.inbox(world.address("unknown"))] == ["Subject 1", "Subject 1"]

    days = item(page, "return_date").locator(".candidates button")
    await expect(days).to_have_count(2)
    await item(page, "return_date").locator(f".candidates button[value='{AWAY_UNTIL}-04-03']").click()
    await expect(item(page, "return_date")).to_have_count(0)
    goes_on = date(AWAY_UNTIL, 4, 4)  # a business day later, and the schedule is open on every day
    await world.until_state(
        away, lambda state: [hold.until.date() for hold in state.holds if hold.until is not None] == [goes_on]
    )

    await item(page, "mail").get_by_role("button", name="Done with it").click()
    await expect(page.get_by_text("Nothing needs a person now.")).to_be_visible()


async def test_the_list_follows_what_happens(site: Site, visitor: Visitor) -> None:
    world = site.world
    await world.add_sequence(steps=[plain_step(1)])
    world.recipients.behave(world.address("anna"), NO_SUCH_USER)
    page = await visitor.open(site, "/attention", "read")
    await expect(page.locator("html")).to_have_attribute("data-live", "on")
    await expect(page.get_by_text("Nothing needs a person now.")).to_be_visible()
    anna = await world.enroll("anna")
    await expect(item(page, "bounced")).to_contain_text("Anna Test")
    await expect(page.locator("main form")).to_have_count(0)  # a reader's
    await world.command(anna, "finish")
    await expect(page.get_by_text("Nothing needs a person now.")).to_be_visible()
