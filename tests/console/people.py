"""A sequence with somebody in each status, as its contacts tab shows it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from playwright.async_api import Locator, Page, expect

from embedded.recipients import Behaviour
from tests.harness import World, plain_step
from tests.inbound.mails import absence

SLOW = [plain_step(1, wait="1h"), plain_step(2, wait="1h")]
"""Steps that give a test its time."""

AWAY_UNTIL = datetime.now(UTC).year + 1
"""The year of an ambiguous day of return."""

NO_SUCH_USER = Behaviour(at_rcpt="550 5.1.1 no such user here")


@dataclass(frozen=True)
class Cast:
    """Enrollments of `sequence` by their status; and a mail with an ambiguous day of return, of somebody elsewhere."""

    sequence: str
    active: str
    paused: str
    bounced: str
    not_sent: str
    finished: str
    mail: str
    mailbox: str


async def play(world: World, name: str = "spring") -> Cast:
    """One contact in each status: Anna active and Bea paused before step 2, Carl bounced at step 1, Dora not sent at step 2,
    Emil finished by hand. Fay is in another sequence only, and away until the third of April or the fourth of March."""
    second = await world.add_mailbox(f"otto-{world.token}")
    first = world.mailbox = world.mailbox or await world.add_mailbox()
    steps = [plain_step(1), plain_step(2, wait="1h"), plain_step(3, wait="1h")]
    other = await world.add_sequence("autumn", steps=steps, mailboxes=[first])
    away = await world.enroll("fay", other)
    sequence = await world.add_sequence(name, steps=steps, mailboxes=[first, second])
    await world.add_account("acme", name="Acme & Sons")
    for contact, account in (("anna", "acme"), ("bea", "acme"), ("carl", None), ("dora", None), ("emil", None)):
        await world.add_contact(contact, **({"account": account} if account else {}))
    world.recipients.behave(world.address("carl"), NO_SUCH_USER)
    active = await world.enroll("anna")
    bounced = await world.enroll("carl")
    not_sent = await world.enroll("dora")
    for enrollment in (active, not_sent):
        await world.until_sent(enrollment, 1)
    await world.until_status(bounced, "bounced", "hard_bounce")
    await world.set_contact("dora", stage="Do Not Contact")
    await world.command(not_sent, "send_now")
    await world.until_status(not_sent, "not_sent")
    finished = await world.enroll("emil")
    await world.until_sent(finished, 1)
    await world.command(finished, "finish", outcome="interested")
    paused = await world.enroll("bea")
    await world.until_sent(paused, 1)
    await world.command(paused, "pause")
    await world.until_sent(away, 1)
    (email,) = await world.until_mails("fay", 1)
    taken = await world.take(absence(email, f"I am out of the office and will return on 03/04/{AWAY_UNTIL}."))
    await world.until_status(away, "paused", "out_of_office")
    return Cast(sequence, active, paused, bounced, not_sent, finished, taken.id, first)


def row_of(page: Page, enrollment: str) -> Locator:
    """A row of the contacts tab."""
    return page.locator(f"#row-{enrollment}")


def status_in(row: Locator) -> Locator:
    """The status that it shows."""
    return row.locator("td[data-status] .why .pill")


async def menu_of(page: Page, enrollment: str) -> Locator:
    """Open a row's menu."""
    await row_of(page, enrollment).get_by_role("button", name="Actions").click()
    menu = page.locator("#menu")
    await expect(menu).to_be_visible()
    return menu


async def shown(page: Page) -> list[str]:
    """Whose rows the page shows, in its order."""
    found: list[str] = await page.locator("tr[data-row]").evaluate_all("rows => rows.map(row => row.dataset.row)")
    return found
