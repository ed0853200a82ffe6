"""The moment between the commit of an email's outcome and the workflow's hearing of it: people see the next step already."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from activities.deliver import _Delivery
from domain.delivery import DeliverResult
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
    key = play.workflow_id(world, "anna")
    history = await world.client.get_workflow_handle(key).fetch_history()
    first = next(
        event.event_id for event in history.events if event.HasField("workflow_task_completed_event_attributes")
    )
    old = await world.row(enrollment)
    await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=key, run_id=str(old["run_id"])),
            reason="test",
            workflow_task_finish_event_id=first,
            request_id=str(uuid.uuid4()),
        )
    )

    async def taken_over() -> bool:
        row = await world.row(enrollment)
        return bool(row["run_id"] != old["run_id"] and row["status"] == "paused")

    await eventually(taken_over, lambda: world.describe(enrollment))
    state = await world.state(enrollment)
    assert state.step is not None
    assert (state.sent, state.step.id) == (1, "step2")
    courier.open()
    await world.command(enrollment, "resume")
    await world.command(enrollment, "send_now")
    mails = await world.until_mails("anna", 2)
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2"]
    assert await play.health(world, key) == []
