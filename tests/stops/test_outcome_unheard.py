"""The moment between the commit of an email's outcome and the workflow's hearing of it: people see the next step already."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from activities.deliver import _Delivery
from domain.delivery import DeliverResult
from domain.statuses import HoldKind
from domain.transitions import allowed_actions
from embedded.recipients import Behaviour, Gate
from tests.harness import World, eventually, plain_step
from tests.stops import play


class Courier:
    """Brings the answers of `deliver` to Temporal; with `shut` it keeps them back, committed as they are."""

    def __init__(self) -> None:
        self.road = asyncio.Event()
        self.road.set()

    def shut(self) -> None:
        self.road.clear()

    def open(self) -> None:
        self.road.set()


@pytest.fixture
def courier(monkeypatch: pytest.MonkeyPatch) -> Iterator[Courier]:
    courier, run = Courier(), _Delivery.run

    async def slowly(self: _Delivery) -> DeliverResult:
        result = await run(self)
        await courier.road.wait()
        return result

    monkeypatch.setattr(_Delivery, "run", slowly)
    yield courier
    courier.open()


STEPS = [plain_step(1), plain_step(2, wait="1h"), plain_step(3, wait="1h")]


async def _sent_and_unheard(world: World, courier: Courier) -> str:
    await world.add_sequence(steps=STEPS)
    courier.shut()
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    assert (await world.clients.own_status(enrollment))["sent"] == 0
    return enrollment


async def _until_asked(world: World) -> None:
    """Wait until the update has reached the workflow, where it waits for the outcome."""

    async def accepted() -> bool:
        return await play.count_events(world, play.workflow_id(world, "anna"), "workflow_execution_update_accepted") > 0

    await eventually(accepted)


@pytest.mark.parametrize(("command", "next_email"), [("send_now", "Subject 2"), ("skip", None)])
async def test_a_command_is_for_the_step_that_was_shown(
    world: World, courier: Courier, command: str, next_email: str | None
) -> None:
    enrollment = await _sent_and_unheard(world, courier)
    given = asyncio.create_task(world.command(enrollment, command))
    await _until_asked(world)
    courier.open()
    assert (await given).adopted
    if next_email is None:
        state = await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step3")
        assert state.sent == 1
        return
    mails = await world.until_mails("anna", 2)
    assert mails[1].subject == next_email


async def test_a_reset_run_knows_what_the_old_one_had_not_heard(world: World, courier: Courier) -> None:
    """The old run has recorded a pause beside the email, and with it that the step is still to be sent."""
    enrollment = await _sent_and_unheard(world, courier)
    await world.command(enrollment, "pause")
    assert (await world.state(enrollment)).sent == 0
    old = await play.reset(world, "anna", enrollment)
    await play.until_taken_over(world, enrollment, old)
    assert (await world.status(enrollment))[0] == "paused"
    state = await world.state(enrollment)
    assert state.step is not None
    assert (state.sent, state.step.id) == (1, "step2")
    courier.open()
    await world.command(enrollment, "resume")
    await world.command(enrollment, "send_now")
    mails = await world.until_mails("anna", 2)
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2"]
    assert await play.health(world, play.workflow_id(world, "anna")) == []


BESIDE = {
    "account_reply": ["account_reply"],
    "bounce elsewhere": ["address_bounced"],
    "retried": ["account_reply", "retry"],
}


async def _beside(world: World, enrollment: str, names: list[str]) -> None:
    """Say these beside the email, and wait until the record holds them: as of a step that is still to be sent."""
    for name in names:
        payload = {"id": f"beside/{name}", "by": "person:test", "origin": str(uuid.uuid4())}
        await world.signal("anna", name, payload)
        await world.until_state(enrollment, lambda state, id=payload["id"]: id in state.seen)  # type: ignore[misc]


@pytest.mark.parametrize("beside", BESIDE)
async def test_an_email_beside_which_a_halt_came_is_not_sent_again_after_a_reset(
    world: World, courier: Courier, beside: str
) -> None:
    await world.add_sequence(steps=STEPS, settings={"account_reply": "not_sent"})
    courier.shut()
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    await _beside(world, enrollment, BESIDE[beside])
    assert (await world.state(enrollment)).sent == 0
    old = await play.reset(world, "anna", enrollment)
    await play.until_taken_over(world, enrollment, old)
    courier.open()
    if "retry" not in BESIDE[beside]:
        assert (await world.status(enrollment))[0] == "not_sent"
        await world.command(enrollment, "retry")
    await world.command(enrollment, "send_now")
    mails = await world.until_mails("anna", 2)
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2"]


@pytest.mark.parametrize("beside", BESIDE)
async def test_an_unknown_email_stays_unknown_after_a_reset(world: World, courier: Courier, beside: str) -> None:
    await world.add_sequence(steps=STEPS, settings={"account_reply": "not_sent"})
    world.recipients.behave(world.address("anna"), Behaviour(drop="end"))
    courier.shut()
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.hold(HoldKind.DELIVERY_UNKNOWN) is not None)
    await _beside(world, enrollment, BESIDE[beside])
    assert (await world.state(enrollment)).holds == ()
    old = await play.reset(world, "anna", enrollment)
    await play.until_taken_over(world, enrollment, old)
    state = await world.state(enrollment)
    assert (state.hold(HoldKind.DELIVERY_UNKNOWN) is not None, state.attempt) == (True, 1)
    assert "settle_delivery" in allowed_actions(state)
    assert "retry" not in allowed_actions(state)


async def test_an_email_that_was_skipped_beside_its_sending_is_known_after_a_reset(
    world: World, courier: Courier
) -> None:
    """Its bounce halts the enrollment, as without the reset."""
    enrollment = await _sent_and_unheard(world, courier)
    await _beside(world, enrollment, ["skip"])
    await play.reset(world, "anna", enrollment)
    courier.open()
    state = await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step2")
    assert (state.sent, state.advance) == (1, False)
    assert state.last_sent is not None
    await world.fact(enrollment, "bounce", kind="hard_bounce", message_id=state.last_sent.message_id)
    await world.until_status(enrollment, "bounced", "hard_bounce")


async def test_a_reset_run_waits_for_an_email_under_way(world: World) -> None:
    """The record is past the step already: nobody else would ask what became of it."""
    gate = Gate()
    world.recipients.behave(world.address("anna"), Behaviour(before_end=gate))
    await world.add_sequence(steps=STEPS)
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 30)
    await _beside(world, enrollment, ["skip"])
    await play.reset(world, "anna", enrollment)

    async def waits() -> bool:
        description = await world.client.get_workflow_handle(play.workflow_id(world, "anna")).describe()
        pending = description.raw_description.pending_activities
        return any(one.last_failure.application_failure_info.type == "send_in_flight" for one in pending)

    await eventually(waits, lambda: world.describe(enrollment))
    gate.open()
    state = await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step2")
    assert state.sent == 1
    assert len(world.recipients.inbox(world.address("anna"))) == 1


@pytest.mark.parametrize("order", [("send_now", "skip"), ("skip", "send_now")])
async def test_hurrying_a_step_and_skipping_it_in_one_moment_leaves_the_next_its_wait(
    workerless: World, order: tuple[str, str]
) -> None:
    world = workerless
    await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="2h"), plain_step(3, wait="1h")])
    key = play.workflow_id(world, "anna")
    async with world.worker():
        enrollment = await world.enroll("anna")
        await eventually(lambda: play.count_events(world, key, "timer_started"))
    await play.forget_worker(world, key)
    for name in order:
        await world.signal("anna", name, {"by": "person:test", "id": name, "step": "step1"})
    async with world.worker():
        state = await world.until_state(enrollment, lambda state: state.step is not None and state.step.id == "step2")
        assert state.due is not None
        assert state.due > datetime.now(UTC) + timedelta(hours=1)
        assert await play.health(world, key) == []
