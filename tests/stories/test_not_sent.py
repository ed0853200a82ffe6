"""Every reason of Not Sent, reached for its real cause; and what the catalogue prints as the fix works."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
import pytest_asyncio

from domain.reasons import NOT_SENT, find
from embedded.recipients import Behaviour, Recipients
from store import catalog
from tests.harness import World, eventually, open_world, plain_step
from tests.servers import Servers

STEP_TWO = plain_step(2, wait="1h")


@dataclass
class Case:
    """One contact that waits for step 2 of a sequence."""

    world: World
    name: str
    contact: str
    enrollment: str
    steps: list[dict[str, Any]]
    settings: dict[str, Any]
    mailboxes: list[str]

    async def contact_set(self, **changes: Any) -> None:
        await self.world.set_contact(self.contact, **changes)

    async def apply(
        self, step: dict[str, Any] | None = None, settings: dict[str, Any] | None = None, mailboxes: Any = None
    ) -> None:
        """Apply the sequence again with another step 2, other settings or other mailboxes."""
        await self.world.add_sequence(
            self.name,
            steps=[self.steps[0], step or self.steps[1]],
            settings={**self.settings, **(settings or {})},
            mailboxes=mailboxes or self.mailboxes,
        )

    @property
    def address(self) -> str:
        return self.world.address(self.contact)


Act = Callable[[Case], Awaitable[object]]


@dataclass(frozen=True)
class Story:
    """How a reason comes about, and each way to mend it, on a contact of its own. `heals`: it then retries by itself."""

    cause: Act
    fixes: tuple[Act, ...]
    contact: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)
    step: dict[str, Any] = field(default_factory=dict)
    heals: bool = False


def stage_of_account(stage: str) -> Act:
    return lambda case: case.world.set_account(f"account-{case.contact}", stage=stage)


async def colleague_replies(case: Case) -> None:
    colleague = await case.world.add_contact(f"colleague-of-{case.contact}", account=f"account-{case.contact}")
    enrollment = await case.world.enroll(colleague)
    await case.world.until_sent(enrollment, 1)
    await case.world.fact(enrollment, "reply")
    await case.world.until_status(case.enrollment, "not_sent")


async def same_address_unsubscribes(case: Case) -> None:
    other = await case.world.add_contact(f"twin-of-{case.contact}", email=case.address)
    enrollment = await case.world.enroll(other)
    await case.world.until_sent(enrollment, 1)
    await case.world.fact(enrollment, "unsubscribe")


async def bounces_elsewhere(case: Case) -> None:
    case.world.recipients.behave(case.address, Behaviour(at_rcpt="550 5.1.1 no such user"))
    present = case.world.sequence
    other = await case.world.add_sequence(
        f"other-{case.contact}", steps=1, settings={"active_elsewhere": "allow"}, mailboxes=case.mailboxes
    )
    case.world.sequence = present
    await case.world.until_status(await case.world.enroll(case.contact, other), "bounced", "hard_bounce")
    case.world.recipients.behave(case.address, None)
    await case.world.until_status(case.enrollment, "not_sent", "known_hard_bounce")


async def suppressed_by_admin(case: Case) -> None:
    async with case.world.database.transaction() as connection:
        await catalog.suppress(connection, case.address, "competitor", by="person:admin", now=datetime.now(UTC))


async def taken_off_the_list(case: Case) -> None:
    async with case.world.database.transaction() as connection:
        await catalog.unsuppress(connection, case.address)


def answers(**behaviour: str) -> Act:
    async def act(case: Case) -> None:
        case.world.recipients.behave(case.address, Behaviour(**behaviour) if behaviour else None)  # type: ignore[arg-type]

    return act


def finish(case: Case) -> Awaitable[object]:
    return case.world.command(case.enrollment, "finish")


def skip(case: Case) -> Awaitable[object]:
    return case.world.command(case.enrollment, "skip")


async def nothing(case: Case) -> None:
    """The fix is the retry itself."""


STORIES: dict[str, Story] = {
    "contact_stage_excluded": Story(
        lambda case: case.contact_set(stage="Interested"),
        (
            lambda case: case.contact_set(stage="Cold"),
            lambda case: case.apply(settings={"excluded_contact_stages": ["Replied"]}),
        ),
    ),
    "account_stage_excluded": Story(
        stage_of_account("Current Client"),
        (stage_of_account("Cold"), lambda case: case.apply(settings={"excluded_account_stages": []})),
    ),
    "same_account_reply": Story(
        colleague_replies,
        (nothing, finish),
        settings={"account_reply": "not_sent"},
    ),
    "no_email": Story(
        lambda case: case.contact_set(email=None),
        (lambda case: case.contact_set(email=case.address),),
    ),
    "email_invalid": Story(
        lambda case: case.contact_set(email="anna(at)example"),
        (lambda case: case.contact_set(email=case.address),),
    ),
    "email_unverified": Story(
        lambda case: case.contact_set(email_status="unverified"),
        (
            lambda case: case.contact_set(email_status="verified"),
            lambda case: case.apply(settings={"send_unverified": True}),
        ),
        settings={"send_unverified": False},
    ),
    "unsubscribed": Story(same_address_unsubscribes, (finish,)),
    "suppressed": Story(suppressed_by_admin, (taken_off_the_list,)),
    "known_hard_bounce": Story(
        bounces_elsewhere,
        (lambda case: case.contact_set(email=f"new-{case.address}"),),
        settings={"active_elsewhere": "allow"},
    ),
    "variable_missing": Story(
        lambda case: case.contact_set(fields={"city": None}),
        (
            lambda case: case.contact_set(fields={"city": "Lübeck"}),
            lambda case: case.apply({**STEP_TWO, "text": "In {{ contact.city | default('your city') }}"}),
        ),
        contact={"fields": {"city": "Kiel"}},
        step={"text": "In {{ contact.city }}"},
    ),
    "template_error": Story(
        nothing,
        (lambda case: case.apply({**STEP_TWO, "text": "In ten parts"}),),
        step={"text": "In {{ 10 // 0 }} parts"},
        heals=True,
    ),
    "thread_original_missing": Story(
        nothing,
        (lambda case: case.apply(STEP_TWO), skip),
        step={"thread": "reply"},
    ),
    "mailbox_missing": Story(
        lambda case: case.apply(mailboxes=case.mailboxes[1:]),
        (
            lambda case: case.apply(),
            lambda case: case.world.command(case.enrollment, "retry", mailbox=case.mailboxes[1]),
        ),
        heals=True,
    ),
    "contact_changed_job": Story(
        lambda case: case.contact_set(changed_job=True),
        (lambda case: case.contact_set(changed_job=False), finish),
    ),
    "delivery_failed": Story(
        answers(at_rcpt="451 4.3.0 try again later"),
        (answers(), skip),
    ),
    "content_rejected": Story(
        answers(at_end="554 5.6.0 message content is not acceptable"),
        (lambda case: _both(answers()(case), case.apply({**STEP_TWO, "text": "Other words"})),),
    ),
    "consent_missing": Story(
        lambda case: case.contact_set(consent=False),
        (lambda case: case.contact_set(consent=True),),
        contact={"consent": True},
        settings={"require_consent": True},
    ),
}


async def _both(*acts: Awaitable[object]) -> None:
    for act in acts:
        await act


@pytest_asyncio.fixture
async def quick(stack: Servers, fresh_database: str, recipients: Recipients) -> AsyncIterator[World]:
    """A world in which temporary refusals are soon too many."""
    settings: dict[str, Any] = {"defer_base_seconds": 0.05, "defer_max_tries": 2, "mark_grace_seconds": 0.0}
    async with (
        open_world(stack.temporal_address, fresh_database, recipients, **settings) as opened,
        opened.worker(),
    ):
        yield opened


async def waiting_for_step_two(world: World, story: Story, number: int) -> Case:
    contact = f"contact{number}"
    await world.add_account(f"account-{contact}")
    await world.add_contact(contact, account=f"account-{contact}", **story.contact)
    mailboxes = [await world.add_mailbox(f"{name}{number}-{world.token}") for name in ("first", "second")]
    # A contact whose first step is skipped has no thread to reply in.
    threadless = story.step.get("thread") == "reply"
    steps = [plain_step(1, wait="1h" if threadless else "0s"), {**STEP_TWO, **story.step}]
    settings = {"settle": "1h", **story.settings}
    await world.add_sequence(f"spring{number}", steps=steps, settings=settings, mailboxes=mailboxes)
    enrollment = await world.enroll(contact, mailbox=mailboxes[0])
    case = Case(world, f"spring{number}", contact, enrollment, steps, settings, mailboxes)
    if threadless:
        await world.command(enrollment, "skip")
    else:
        await world.until_sent(enrollment, 1)
    return case


@pytest.mark.parametrize("reason", [reason for reason in NOT_SENT if reason != "step_expired"])
async def test_not_sent_for_its_real_cause_and_the_printed_fix_works(quick: World, reason: str) -> None:
    story = STORIES[reason]
    for number, fix in enumerate(story.fixes):
        case = await waiting_for_step_two(quick, story, number)
        before = (await quick.state(case.enrollment)).sent
        await _play(case, story, reason)
        snapshot = await eventually(partial(_own_not_sent, case))
        assert snapshot["next"]["fix"] == find("not_sent", reason).fix

        await fix(case)
        await _go_on(case, story, reason)
        state = await quick.until_status(case.enrollment, "finished")
        if fix is finish:
            assert state.outcome == "manual"
            assert state.sent == before
        elif fix is skip:
            assert state.sent == before
        else:
            assert (state.outcome, state.sent) == ("completed", before + 1)


async def _own_not_sent(case: Case) -> dict[str, Any] | None:
    """The workflow's own answer: it learns what became of its step a moment after the projection."""
    snapshot = await case.world.clients.own_status(case.enrollment)
    return snapshot if snapshot["own_status"] == "not_sent" else None


async def _play(case: Case, story: Story, reason: str) -> None:
    await story.cause(case)
    if (await case.world.state(case.enrollment)).halt is None:
        await case.world.command(case.enrollment, "send_now")
    await case.world.until_status(case.enrollment, "not_sent", reason)


async def _go_on(case: Case, story: Story, reason: str) -> None:
    """Retry, unless the fix was a command itself or the reason heals alone."""
    if (await case.world.state(case.enrollment)).halt is None:
        return
    if story.heals:
        await _heal(case)
        return
    answer = await case.world.command(case.enrollment, "retry")
    if reason in ("same_account_reply", "known_hard_bounce"):
        # The reply or bounce came during the wait, and a retry does not shorten that.
        assert answer.next is not None
        assert answer.next["what"] == "send"
        await case.world.command(case.enrollment, "send_now")


async def _heal(case: Case) -> None:
    """What the worker does every few seconds beside its tasks."""

    async def healed() -> bool:
        await case.world.upkeep().round()
        return (await case.world.state(case.enrollment)).halt is None

    await eventually(healed)


async def test_a_step_that_an_outage_made_too_late_is_not_sent_until_somebody_says_so(workerless: World) -> None:
    world = workerless
    late = plain_step(2, wait="1s", expires_after="1s")
    await world.add_sequence(steps=[plain_step(1), late])
    async with world.worker():
        retried, skipped = await world.enroll("anna"), await world.enroll("bea")
        for enrollment in (retried, skipped):
            await world.until_sent(enrollment, 1)
    due = (await world.state(skipped)).due
    assert due is not None

    async def too_late() -> bool:
        return (datetime.now(UTC) - due).total_seconds() > 1.2

    await eventually(too_late)
    async with world.worker():
        for enrollment in (retried, skipped):
            await world.until_status(enrollment, "not_sent", "step_expired")
        await world.command(retried, "retry")
        await world.command(skipped, "skip")
        for enrollment in (retried, skipped):
            await world.until_status(enrollment, "finished", "completed")
    counts = [len(world.recipients.inbox(world.address(contact))) for contact in ("anna", "bea")]
    assert counts == [2, 1]


async def test_a_sequence_may_retry_by_itself_once_the_facts_have_changed(quick: World) -> None:
    await quick.add_account("acme")
    for contact in ("anna", "bea"):
        await quick.add_contact(contact, account="acme")
    await quick.add_sequence("patient", steps=[plain_step(1), STEP_TWO])
    patient = await quick.enroll("anna")
    await quick.add_sequence("eager", steps=[plain_step(1), STEP_TWO], settings={"retry_when_cleared": True})
    eager = await quick.enroll("bea")
    for enrollment in (patient, eager):
        await quick.until_sent(enrollment, 1)
    await quick.set_account("acme", stage="Current Client")
    for enrollment in (patient, eager):
        await quick.command(enrollment, "send_now")
        await quick.until_status(enrollment, "not_sent", "account_stage_excluded")

    # A change that clears nothing is looked at once, not again and again.
    await quick.set_account("acme", stage="Do Not Prospect")
    await quick.upkeep().round()
    await quick.until_state(eager, lambda state: state.attempt == 2 and state.halt is not None)
    await quick.upkeep().round()
    assert (await quick.state(eager)).attempt == 2

    await quick.set_account("acme", stage="Cold")
    await quick.upkeep().round()
    await quick.until_status(eager, "finished", "completed")
    assert await quick.status(patient) == ("not_sent", "account_stage_excluded")
