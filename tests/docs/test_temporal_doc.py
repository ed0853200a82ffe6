"""docs/temporal.md: everything the code takes is on the page, and the page's own lines do what it says on a real server."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError

from client.connection import SEARCH_ATTRIBUTES, ensure_search_attributes
from domain.delivery import EnrollmentInput, EnrollmentResult
from domain.messages import COMMANDS, FACTS, MESSAGES, Message
from domain.replanning import ReplanInput
from domain.transitions import _refusal_code, allowed_actions
from domain.waking import WakeInput
from embedded.recipients import Behaviour
from embedded.temporal import find_program
from tests.domain.states import active, bounced, not_sent, settling, told, unknown
from tests.harness import World, eventually, plain_step
from workflows.enrollment import Enrollment
from workflows.replan import Replan
from workflows.wake import Wake

PAGE = (Path(__file__).parents[2] / "docs" / "temporal.md").read_text()
LINES = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S)
    for line in block.replace("\\\n", " ").splitlines()
    if line.strip()
]
SIGNALS = {
    name: line for line in LINES if (name := (re.search(r"workflow signal .*--name (\w+)", line) or [""] * 2)[1])
}
UPDATES = {name: line for line in LINES if (name := (re.search(r"update execute .*--name (\w+)", line) or [""] * 2)[1])}
QUERIES = {name: line for line in LINES if (name := (re.search(r"workflow query .*--type (\w+)", line) or [""] * 2)[1])}
FUTURE = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()


def section(title: str) -> str:
    """The text under a heading, up to the next one."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", PAGE, re.S | re.M)
    assert found, f"docs/temporal.md has no section {title!r}"
    return found[1]


# ---------------------------------------------------------------------------------------------------------------------
# Complete


def test_every_message_has_its_section_its_fields_and_its_lines() -> None:
    shared = section("Messages")
    for field in Message.model_fields:
        assert f"`{field}`" in shared
    for name, kind in MESSAGES.items():
        text = section(f"`{name}`")
        for field in set(kind.model_fields) - set(Message.model_fields):
            assert re.search(rf"^\| `{field}` \|", text, re.M), (name, field)
        named = set(re.findall(r"^\| `(\w+)` \|", text, re.M))
        assert named <= set(kind.model_fields), (name, named)
    assert set(SIGNALS) == set(MESSAGES)
    assert set(UPDATES) == set(COMMANDS)


def test_the_page_has_every_update_and_query_that_the_workflows_define_and_no_other() -> None:
    definitions = [workflow._Definition.must_from_class(cls) for cls in (Enrollment, Replan, Wake)]
    assert {name for one in definitions for name in one.updates} == set(UPDATES)
    assert {name for one in definitions for name in one.queries} == set(QUERIES)
    for one in definitions:
        assert f"## The workflow `{one.name}`" in PAGE
    assert set(COMMANDS) | set(FACTS) <= set(SIGNALS)


@pytest.mark.parametrize(
    ("title", "model"),
    [
        ("The workflow `Enrollment`", EnrollmentInput),
        ("The workflow `Enrollment`", EnrollmentResult),
        ("The workflow `Replan`", ReplanInput),
        ("The workflow `Wake`", WakeInput),
    ],
)
def test_inputs_and_results_are_complete(title: str, model: Any) -> None:
    for field in model.model_fields:
        assert f"`{field}`" in section(title)


def test_every_refusal_of_an_update_is_listed() -> None:
    states = [active(), told(active(), "pause"), bounced(), not_sent(), unknown(), told(unknown(), "pause"), settling()]
    states += [told(active(), "remove"), told(active(), "reply"), not_sent().model_copy(update={"closed": True})]
    codes = {code[0] for state in states for name in COMMANDS if (code := _refusal_code(state, name)) is not None}
    text = section("What an update answers")
    for code in codes | {"invalid_message", "date_in_past"}:
        assert f"| `{code}` |" in text
    assert all(f"`{name}`" in section("Looking") for name in SEARCH_ATTRIBUTES)
    assert allowed_actions(active()) == ("pause", "send_now", "skip", "finish", "remove")


# ---------------------------------------------------------------------------------------------------------------------
# True


class Shell:
    """Runs the page's lines as a person would, with nothing but the documented variables set."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.few = asyncio.Semaphore(3)

    async def run(self, line: str, contact: str, **variables: str) -> str:
        program = find_program()
        environment = {
            "PATH": f"{program.parent}:{os.environ['PATH']}",
            "HOME": os.environ.get("HOME", "/"),
            "TEMPORAL_ADDRESS": self.world.client.service_client.config.target_host,
            "TEMPORAL_NAMESPACE": self.world.client.namespace,
            "TASK_QUEUE": self.world.settings.task_queue,
            "SEQUENCE": self.world.sequence,
            "CONTACT": contact,
            "MAILBOX": self.world.mailbox,
            "DAY": FUTURE,
            **variables,
        }
        async with self.few:
            process = await asyncio.create_subprocess_exec(
                "sh",
                "-c",
                line,
                env=environment,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output, _ = await process.communicate()
        assert process.returncode == 0, f"{line}\n{output.decode()}"
        return output.decode()

    async def message_of(self, enrollment: str) -> str:
        last = (await self.world.state(enrollment)).last_sent
        assert last is not None
        return last.message_id


BEFORE = {"resume": "pause", "resume_at": "pause", "retry": "account_reply"}
"""What makes a situation in which the command is allowed; the sequence makes Not Sent of an account's reply."""
AFTER: dict[str, tuple[str, str | None]] = {
    "pause": ("paused", "manual"),
    "resume": ("active", None),
    "resume_at": ("paused", "manual"),
    "send_now": ("finished", "completed"),
    "skip": ("finished", "completed"),
    "retry": ("active", None),
    "finish": ("finished", None),
    "remove": ("removed", "removed"),
    "settle_delivery": ("active", None),
    "reply": ("finished", "replied"),
    "out_of_office": ("paused", "out_of_office"),
    "bounce": ("bounced", "hard_bounce"),
    "unsubscribe": ("finished", "unsubscribed"),
    "complaint": ("finished", "complained"),
    "meeting_booked": ("finished", "meeting_booked"),
    "contact_gone": ("finished", "contact_gone"),
    "address_bounced": ("not_sent", "known_hard_bounce"),
    "account_reply": ("not_sent", "same_account_reply"),
    "gate_opened": ("active", None),
    "replanned": ("active", None),
    "cause_cleared": ("active", None),
    "close_settling": ("active", None),
    "repaired": ("active", None),
}


async def _enrolled(world: World, contact: str, name: str) -> str:
    """An enrollment in which the command `name` is allowed: mostly one that waits for its second step."""
    if name == "settle_delivery":
        world.recipients.behave(world.address(contact), Behaviour(drop="end"))
    enrollment = await world.enroll(contact)
    if name == "settle_delivery":
        await world.until_status(enrollment, "paused", "delivery_unknown")
        world.recipients.behave(world.address(contact), None)
        return enrollment
    handle = world.client.get_workflow_handle(f"enrollment/{world.sequence}/{contact}")

    async def sent() -> bool:
        # Asked of the workflow: the projection knows it a moment sooner, and what is said then is said beside the send.
        return bool((await handle.query("status"))["sent"] == 1)

    await eventually(sent)
    if name in BEFORE:
        await world.signal(contact, BEFORE[name])
        await world.until_status(enrollment, "paused" if BEFORE[name] == "pause" else "not_sent")
    return enrollment


async def _prepared(world: World) -> Shell:
    await ensure_search_attributes(world.client)
    await world.add_sequence(
        steps=[plain_step(1), plain_step(2, wait="1d")], settings={"account_reply": "not_sent", "settle": "1h"}
    )
    return Shell(world)


async def test_every_signal_line_does_what_the_page_says(world: World) -> None:
    shell = await _prepared(world)

    async def check(name: str) -> None:
        contact = f"s-{name.replace('_', '-')}"
        enrollment = await _enrolled(world, contact, name)
        message = "none" if name == "settle_delivery" else await shell.message_of(enrollment)
        await shell.run(SIGNALS[name], contact, MESSAGE=message)

        async def told() -> bool:
            return name in await world.kinds(enrollment)

        await eventually(told, lambda: world.describe(enrollment))
        await world.until_status(enrollment, *AFTER[name])

    await _few_at_a_time(check, SIGNALS)


async def test_every_update_line_answers_with_the_status_it_led_to(world: World) -> None:
    shell = await _prepared(world)

    async def check(name: str) -> None:
        contact = f"u-{name.replace('_', '-')}"
        enrollment = await _enrolled(world, contact, name)
        output = await shell.run(f"{UPDATES[name]} --output json", contact)
        answer = json.loads(output)["result"]
        status, _ = AFTER[name]
        assert answer["enrollment"] == enrollment
        if name not in ("send_now", "skip"):  # what these lead to is the next email, which goes its own way
            assert answer["status"] == status
        await world.until_status(enrollment, *AFTER[name])
        if name == "resume_at":
            hold = (await world.state(enrollment)).holds[0]
            assert hold.until is not None
            assert hold.until.date().isoformat() == FUTURE

    await _few_at_a_time(check, UPDATES)


async def _few_at_a_time(check: Callable[[str], Awaitable[None]], names: Any) -> None:
    few = asyncio.Semaphore(4)

    async def one(name: str) -> None:
        async with few:
            await check(name)

    async with asyncio.TaskGroup() as group:
        for name in names:
            group.create_task(one(name))


async def test_the_other_lines_start_ask_list_and_end_an_enrollment(world: World) -> None:
    shell = await _prepared(world)
    contact = await world.add_contact("otto")
    lines = [line for line in LINES if line not in {*SIGNALS.values(), *UPDATES.values()}]
    used = {line for line in lines if " --name " in line}
    assert not used, "a signal or update line stands twice on the page"

    async def run(part: str) -> list[str]:
        chosen = [line for line in lines if re.search(part, line) and line not in used]
        assert chosen, part
        used.update(chosen)
        return [await shell.run(line, contact) for line in chosen]

    await run("--type Enrollment")
    handle = world.client.get_workflow_handle(f"enrollment/{world.sequence}/{contact}")
    enrollment = (await handle.describe()).run_id
    assert enrollment is not None
    await eventually(lambda: _is_there(world, enrollment))
    await world.until_state(enrollment, lambda state: state.sent == 1)

    await run("--type Wake")
    assert await world.client.get_workflow_handle(f"wake/sequence/{world.sequence}/1").result() == 0
    await run("--type Replan")
    replan = world.client.get_workflow_handle(f"replan/{world.mailbox}/1")
    assert await replan.result() == {"placed": 1, "earlier": 0, "later": 0}
    status, explained, plan, progress, placed = await run("workflow query")
    assert '"own_status":"active"' in status.replace(" ", "")
    assert "sentence" in explained
    assert '"booked":true' in plan.replace(" ", "")
    assert '"woken":0' in progress.replace(" ", "")
    assert '"placed":1' in placed.replace(" ", "")
    (metadata,) = await run("workflow metadata")
    assert "Next: send" in metadata
    await run("workflow (describe|show)")

    async def listed() -> bool:
        by_sequence, by_contact = [
            await shell.run(line, contact)
            for line in lines
            if "= \"'$SEQUENCE'\"" in line or "= \"'$CONTACT'\"" in line
        ]
        return contact in by_sequence and contact in by_contact

    await eventually(listed)
    await run("workflow (list|count)")

    await run("workflow reset")
    await world.until_status(enrollment, "active")
    snapshot = await world.client.get_workflow_handle(f"enrollment/{world.sequence}/{contact}").query("status")
    assert snapshot["enrollment"] == enrollment, "a reset keeps the enrollment"
    await run("workflow cancel")
    await world.until_status(enrollment, "finished", "manual")
    assert len(world.recipients.inbox(world.address(contact))) == 1
    assert used == set(lines), "a line on the page that this test does not run"


async def _is_there(world: World, enrollment: str) -> bool:
    async with world.database.read() as connection:
        return bool(await connection.fetchval("SELECT 1 FROM enrollments WHERE id = $1::uuid", enrollment))


@pytest.mark.parametrize(
    ("input", "said"),
    [
        ({}, "sequence_id"),
        ({"sequence_id": "spring", "contact_id": "anna", "start_at": "2030-01-01T00:00:00"}, "start_at"),
        ({"sequence_id": "spring", "contact_id": "anna"}, "enrollment/spring/anna"),
        (["spring", "anna"], "JSON object"),
    ],
)
async def test_an_unusable_input_fails_the_workflow_and_wedges_no_task(world: World, input: Any, said: str) -> None:
    key = f"enrollment/bad-{world.token}/{len(str(input))}"
    handle = await world.client.start_workflow("Enrollment", input, id=key, task_queue=world.settings.task_queue)
    with pytest.raises(WorkflowFailureError) as failure:
        await asyncio.wait_for(handle.result(), 20)
    cause = failure.value.cause
    assert isinstance(cause, ApplicationError)
    assert cause.type == "invalid_input"
    assert said in cause.message
