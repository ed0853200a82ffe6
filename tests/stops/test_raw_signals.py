"""Signals and updates as any Temporal client may send them: taken up, or kept in the story; never a wedged workflow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import pytest
from temporalio.api.common.v1 import Payload, Payloads, WorkflowExecution
from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.api.workflowservice.v1 import SignalWorkflowExecutionRequest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from store import enrollments
from tests.harness import World, eventually, plain_step
from tests.stops import play

LONG = "x" * 65_536
JSON = b"json/plain"


def _json(value: Any) -> tuple[bytes, bytes]:
    return JSON, json.dumps(value).encode()


# name of the case -> signal, its payloads as (encoding, bytes), the line it leaves in the story (None: taken up)
HARMLESS: dict[str, tuple[str, list[tuple[bytes, bytes]], str]] = {
    "a string for an object": ("pause", [_json("now")], "invalid_signal"),
    "a number for an object": ("finish", [_json(7)], "invalid_signal"),
    "a list for an object": ("remove", [_json([{"by": "x"}])], "invalid_signal"),
    "a wrong type in a field": ("pause", [_json({"by": 5})], "invalid_signal"),
    "an object in a field": ("reply", [_json({"message_id": {"id": 1}})], "invalid_signal"),
    "a naive time": ("pause", [_json({"until": "2099-01-01T09:00:00"})], "invalid_signal"),
    "no time at all": ("pause", [_json({"until": "soon"})], "invalid_signal"),
    "a time in the past": ("pause", [_json({"until": "2001-01-01T09:00:00Z"})], "pause_refused"),
    "a missing field": ("resume_at", [], "invalid_signal"),
    "a wrong word": ("bounce", [_json({"kind": "trampoline"})], "invalid_signal"),
    "several arguments": ("pause", [_json({}), _json({})], "invalid_signal"),
    "a field of 64 KB": ("finish", [_json({"by": LONG})], "invalid_signal"),
    "an id of 64 KB": ("remove", [_json({"id": LONG})], "invalid_signal"),
    "a NUL in an id": ("pause", [_json({"id": "a\x00b"})], "invalid_signal"),
    "a NUL in by": ("remove", [_json({"by": "a\x00b"})], "invalid_signal"),
    "a line break in by": ("remove", [_json({"by": "a\r\nb"})], "invalid_signal"),
    "half a character": ("remove", [(JSON, b'{"by": "\\ud800"}')], "invalid_signal"),
    "bytes that are not JSON": ("finish", [(JSON, b"{by: ana")], "invalid_signal"),
    "bytes that are not UTF-8": ("finish", [(JSON, b"\xff\xfe")], "invalid_signal"),
    "an encoding nobody knows": ("finish", [(b"binary/secret", b"\x00\x01")], "invalid_signal"),
    "no bytes": ("finish", [(JSON, b"")], "invalid_signal"),
    "plain bytes": ("finish", [(b"binary/plain", b"{}")], "invalid_signal"),
    "a very deep object": ("finish", [(JSON, b'{"a":' * 5000 + b"1" + b"}" * 5000)], "invalid_signal"),
    "an unknown name": ("frobnicate", [_json({"by": "x"})], "unknown_signal"),
    "an unknown name of 1 KB, broken bytes": ("frob" * 250, [(JSON, b"\xff")], "unknown_signal"),
    "a resume of what runs": ("resume", [_json({"by": "person:ana"})], "resume_refused"),
    "a settlement of what is known": ("settle_delivery", [_json({"verdict": "sent"})], "settle_delivery_refused"),
    "a bounce of an email never sent": ("bounce", [_json({"message_id": "<nobody@nowhere>"})], "bounce"),
}


async def send_raw(world: World, contact: str, name: str, payloads: Sequence[tuple[bytes, bytes]]) -> None:
    await world.client.workflow_service.signal_workflow_execution(
        SignalWorkflowExecutionRequest(
            namespace=world.client.namespace,
            workflow_execution=WorkflowExecution(workflow_id=play.workflow_id(world, contact)),
            signal_name=name,
            input=Payloads(payloads=[Payload(metadata={"encoding": one}, data=data) for one, data in payloads]),
        )
    )


async def test_what_cannot_be_taken_up_is_kept_in_the_story_and_the_email_still_leaves(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])

    async def one(number: int, name: str, payloads: list[tuple[bytes, bytes]], line: str) -> str | None:
        contact = f"c{number}"
        enrollment = await world.enroll(contact)
        await send_raw(world, contact, name, payloads)

        async def told() -> bool:
            return line in await world.kinds(enrollment)

        await eventually(told, lambda: world.describe(enrollment))
        await world.clients.command(enrollment, "send_now", {"by": "person:test"})
        await world.until_status(enrollment, "finished", "completed")
        assert len(world.recipients.inbox(world.address(contact))) == 1
        assert await world.kinds(enrollment) == ["enrolled", line, "send_now", "sent"]
        assert await play.health(world, play.workflow_id(world, contact)) == []
        return None

    found = await asyncio.gather(
        *(one(number, *case) for number, case in enumerate(HARMLESS.values())), return_exceptions=True
    )
    wrong = {case: str(result) for case, result in zip(HARMLESS, found, strict=True) if result is not None}
    assert wrong == {}


async def test_fields_that_nobody_knows_are_ignored_in_a_signal(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await world.signal("anna", "pause", {"by": "person:ana", "because": LONG, "urgency": 3})
    await world.until_status(enrollment, "paused", "manual")
    assert await world.kinds(enrollment) == ["enrolled", "pause"]


async def test_a_signal_without_an_argument_is_taken_up(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    await send_raw(world, "anna", "pause", [])
    await world.until_status(enrollment, "paused", "manual")


async def test_signals_are_listed_for_the_user_interface(world: World) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    await world.enroll("anna")
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    metadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    names = {one.name for one in metadata.definition.signal_definitions}
    assert {"pause", "reply", "out_of_office", "bounce", "finish"} <= names


async def test_signals_that_come_before_admission_are_taken_up(workerless: World) -> None:
    world = workerless
    world.clients.patience = 0.1
    await world.add_sequence(steps=[plain_step(1)])
    await world.add_contact("anna")
    await world.add_contact("bert")
    for contact in ("anna", "bert"):
        assert (await world.clients.enroll(world.sequence, contact, by="person:test")).pending
    await world.signal("anna", "pause", {"by": "person:ana"})
    await world.signal("anna", "frobnicate", {"by": "person:ana"})
    await send_raw(world, "anna", "finish", [(JSON, b"not json")])
    await world.signal("bert", "finish", {"by": "person:ana", "disposition": "changed-my-mind"})
    async with world.worker():
        anna = await _record(world, "anna")
        await world.until_status(anna, "paused", "manual")
        assert sorted(await world.kinds(anna)) == ["enrolled", "invalid_signal", "pause", "unknown_signal"]
        bert = await _record(world, "bert")
        await world.until_status(bert, "finished", "manual")
    assert world.recipients.received() == []
    for contact in ("anna", "bert"):
        assert await play.health(world, play.workflow_id(world, contact)) == []


async def _record(world: World, contact: str) -> str:
    async def there() -> str | None:
        async with world.database.read() as connection:
            try:
                return await enrollments.find(connection, world.sequence, contact)
            except enrollments.EnrollmentUnknown:
                return None

    found = await eventually(there)
    assert isinstance(found, str)
    return found


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("resume", [{"by": "person:ana"}], "not_paused"),
        ("retry", [{"by": "person:ana"}], "not_halted"),
        ("pause", [{"by": "person:ana", "becuase": "typo"}], "invalid_message"),
        ("pause", [{"until": "2001-01-01"}], "date_in_past"),
        ("pause", [{"until": "2099-01-01T09:00:00"}], "invalid_message"),
        ("pause", ["now"], "invalid_message"),
        ("pause", [{"id": "a\x00b"}], "invalid_message"),
        ("resume_at", [], "invalid_message"),
        ("finish", [{"outcome": "completed"}], "invalid_message"),
    ],
)
async def test_a_refused_update_says_why_and_leaves_no_event(
    world: World, name: str, arguments: list[Any], code: str
) -> None:
    await world.add_sequence(steps=[plain_step(1, wait="1h")])
    enrollment = await world.enroll("anna")
    handle = world.client.get_workflow_handle(play.workflow_id(world, "anna"))
    await eventually(lambda: play.count_events(world, handle.id, "timer_started"))
    before = len((await handle.fetch_history()).events)
    with pytest.raises(WorkflowUpdateFailedError) as failed:
        await handle.execute_update(name, args=arguments)
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == code
    if code != "invalid_message":
        assert cause.details[0]["allowed"] == ["pause", "send_now", "skip", "finish", "remove"]
    assert len((await handle.fetch_history()).events) == before
    assert await world.kinds(enrollment) == ["enrolled"]
    assert await play.health(world, play.workflow_id(world, "anna")) == []
