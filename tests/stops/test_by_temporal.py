"""What an engineer may do to a workflow with Temporal's own commands: cancel, reset, terminate."""

from __future__ import annotations

import asyncio
import uuid

import pytest
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import EventType
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest

from client.enrollments import WorkflowGone
from embedded.recipients import Behaviour, Gate
from tests.harness import World, plain_step
from tests.stops import play


async def test_cancel_while_asleep_finishes_by_hand(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    await handle.cancel()
    await world.until_status(enrollment, "finished", "manual")
    assert (await handle.result())["status"] == "finished"
    line = (await world.story(enrollment))[-1]
    assert (line["kind"], line["by"]) == ("finish", "temporal:cancel")
    assert world.recipients.received() == []


@pytest.mark.parametrize("place", ["before_rcpt", "before_end"])
async def test_cancel_while_an_email_is_under_way_records_its_outcome(world: World, place: str) -> None:
    await world.add_sequence(steps=2)
    gate = Gate()
    world.recipients.behave(world.address("anna"), Behaviour(**{place: gate}))
    enrollment = await world.enroll("anna")
    await asyncio.to_thread(gate.wait_reached, 20)
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    await handle.cancel()
    await world.until_status(enrollment, "finished", "manual")
    gate.open()
    assert (await handle.result())["status"] == "finished"
    state = await world.state(enrollment)
    sent = 1 if place == "before_end" else 0
    assert [row["state"] for row in await world.ledger(enrollment)] == ["sent" if sent else "withdrawn"]
    assert state.sent == sent
    assert len(world.recipients.inbox(world.address("anna"))) == sent
    assert await play.health(world, handle.id) == []


async def test_cancel_of_a_halted_one_finishes_it(world: World) -> None:
    await world.add_sequence(steps=1)
    world.recipients.behave(world.address("anna"), Behaviour(at_rcpt="550 5.1.1 no such user"))
    enrollment = await world.enroll("anna")
    await world.until_status(enrollment, "bounced")
    await world.client.get_workflow_handle(play.workflow_id(world, "anna")).cancel()
    await world.until_status(enrollment, "finished", "manual")


async def test_a_reset_run_takes_over_and_sends_nothing_twice(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2), plain_step(3, wait="3s"), plain_step(4)])
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 2)
    key = play.workflow_id(world, "anna")
    old = await world.row(enrollment)
    handle = world.client.get_workflow_handle(key)
    history = await handle.fetch_history()
    delivers = [
        event.event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
        and event.activity_task_scheduled_event_attributes.activity_type.name == "deliver"
    ]
    # The end of the workflow task that scheduled the last `deliver`: the new run schedules it again.
    point = max(
        event.event_id
        for event in history.events
        if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED and event.event_id < delivers[-1]
    )
    await world.client.workflow_service.reset_workflow_execution(
        ResetWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=key, run_id=str(old["run_id"])),
            reason="test",
            workflow_task_finish_event_id=point,
            request_id=str(uuid.uuid4()),
        )
    )
    await world.until_status(enrollment, "finished", "completed")
    mails = world.recipients.inbox(world.address("anna"))
    assert [mail.subject for mail in mails] == [f"Subject {number}" for number in (1, 2, 3, 4)]
    new = await world.row(enrollment)
    assert new["run_id"] != old["run_id"]
    assert new["run_epoch"] == old["run_epoch"] + 1
    own = await world.clients.own_status(enrollment)
    assert own["enrollment"] == enrollment
    assert (own["own_status"], own["reason"]) == (new["status"], new["reason"])
    assert await play.health(world, key) == []


async def test_a_reset_run_takes_over_a_stop_that_the_old_run_adopted(world: World) -> None:
    """A reset replays signals after the point: what stopped the old run stops the new one."""
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    old = await play.reset(world, "anna", enrollment)
    await play.until_taken_over(world, enrollment, old)
    assert (await world.status(enrollment))[0] == "paused"
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.clients.command(enrollment, "send_now", {"by": "person:ana"})
    await world.until_status(enrollment, "finished", "completed")
    mails = world.recipients.inbox(world.address("anna"))
    assert [mail.subject for mail in mails] == ["Subject 1", "Subject 2"]


async def test_after_a_termination_the_contact_can_be_enrolled_again(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    first = await world.enroll("anna")
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    await handle.terminate("by an engineer")
    with pytest.raises(WorkflowGone):
        await world.clients.command(first, "send_now", {"by": "person:ana"})
    second = await world.enroll("anna")
    assert second != first
    old = await world.row(first)
    assert old["closed"]
    assert (await world.kinds(first))[-1] == "workflow_gone"
    await world.clients.command(second, "send_now", {"by": "person:ana"})
    await world.until_status(second, "finished", "completed")
    assert len(world.recipients.inbox(world.address("anna"))) == 1


async def test_cancel_before_admission_is_taken_up_after_it(workerless: World) -> None:
    world = workerless
    world.clients.patience = 0.1
    await world.add_sequence(steps=1)
    await world.add_contact("anna")
    enrolled = await world.clients.enroll(world.sequence, "anna", by="person:test")
    assert enrolled.pending
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    await handle.cancel()
    async with world.worker():
        assert (await handle.result())["status"] == "finished"
    assert enrolled.enrollment is not None
    assert await world.status(enrolled.enrollment) == ("finished", "manual")
    assert world.recipients.received() == []
