"""docs/engineers.md: its filters find what they say, its lines print what they say, and its histories are of real ones."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from string import Template
from typing import Any

import pytest
import pytest_asyncio
from temporalio.worker import Worker

from client.connection import SEARCH_ATTRIBUTES
from domain.waking import wake_id
from embedded.imap import ImapServer
from embedded.recipients import Behaviour, Recipients
from embedded.temporal import find_program
from tests.cli import conftest as cli
from tests.harness import World, eventually, open_world, own_namespace, plain_step
from tests.histories.test_replay import replay
from tests.servers import Servers
from worker import build_worker, inbound

PAGE = (Path(__file__).parents[2] / "docs" / "engineers.md").read_text()
QUERIES, REST = PAGE.split("## Reading a history")
FILTERS = dict(re.findall(r"^\| (?!which)([^|]+) \| `([^|`]+)` \|$", QUERIES, re.M))
LINES = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.S) for line in block.splitlines() if line.strip()]
STATEMENTS = [
    one.strip() for block in re.findall(r"```sql\n(.*?)```", PAGE, re.S) for one in block.split(";") if one.strip()
]
UNDISTURBED, PAUSED = re.findall(r"```text\n(.*?)```", PAGE, re.S)

LISTING = r"^temporal workflow (list|count)"
HISTORY = r"^temporal workflow show .*[^n]$"
CHECK = r"^onward check$"
STORY = r"^onward (explain|history)"
ASKED = r"^temporal workflow (query|metadata|describe) --workflow-id .enrollment"
QUEUES = r"^temporal task-queue"
WATCHER = r"^onward mailbox|watch/\$MAILBOX"
RESET = r"^temporal workflow reset"
REPAIR = r"^onward check --repair$"
REPAIR_AS = r"^onward check --repair --as"
KEPT = r"--output json > history.json$"
VERSIONS = r"^temporal worker deployment"
PARTS = (LISTING, HISTORY, CHECK, STORY, ASKED, QUEUES, WATCHER, RESET, REPAIR, REPAIR_AS, KEPT, VERSIONS)

WAITING = [plain_step(1), plain_step(2, wait="1h")]


def test_every_line_of_the_page_is_run_by_one_of_these_tests() -> None:
    assert [line for line in LINES if sum(bool(re.search(part, line)) for part in PARTS) != 1] == []
    assert all(f"`{name}`" in QUERIES for name in SEARCH_ATTRIBUTES)


@dataclass(frozen=True)
class Shell:
    """Runs lines as an engineer would, with nothing but the documented variables set."""

    world: World
    home: Path
    onward: cli.Shell

    async def run(self, line: str, code: int = 0, **variables: str) -> str:
        """What the line prints; fails where it ends otherwise than with `code`."""
        own = {
            "TASK_QUEUE": self.world.settings.task_queue,
            "SEQUENCE": self.world.sequence,
            "MAILBOX": self.world.mailbox,
        }
        given = {**own, **variables}
        if line.startswith("onward "):
            said = await self.onward.run(*shlex.split(Template(line).substitute(given))[1:])
            ended, output = said.code, said.out + said.err
        else:
            process = await asyncio.create_subprocess_exec(
                "sh",
                "-c",
                line,
                cwd=self.home,
                env={
                    "PATH": f"{find_program().parent}:{os.environ['PATH']}",
                    "HOME": str(self.home),
                    "TEMPORAL_ADDRESS": self.world.client.service_client.config.target_host,
                    "TEMPORAL_NAMESPACE": self.world.client.namespace,
                    **given,
                },
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
            )
            output = (await process.communicate())[0].decode()
            assert process.returncode is not None
            ended = process.returncode
        assert ended == code, f"{line}\n{output}"
        return output

    async def page(self, part: str, contact: str = "", code: int = 0, **variables: str) -> str:
        """What the page's lines of this part print."""
        found = [line for line in LINES if re.search(part, line)]
        assert found
        return "".join([await self.run(line, code, CONTACT=contact, **variables) for line in found])


@pytest_asyncio.fixture
async def alone(
    stack: Servers, fresh_database: str, recipients: Recipients, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """Onward without a worker yet, in a Temporal namespace of its own: filters and `onward check` see all of a namespace."""
    monkeypatch.delenv("TEMPORAL_NAMESPACE", raising=False)
    client = await own_namespace(stack.temporal_address)
    async with open_world(stack.temporal_address, fresh_database, recipients, client=client) as world:
        yield world


@pytest.fixture
def shell(alone: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(alone, tmp_path, cli.enter(monkeypatch, cli.environment(alone, tmp_path / "onward")))


# ---------------------------------------------------------------------------------------------------------------------
# Filters


async def test_every_filter_finds_what_it_says(alone: World, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAP_PASSWORD", "right")
    with ImapServer({"mara": "right"}) as server:
        async with AsyncExitStack() as running:
            expected = await _one_of_each(alone, shell, server, running)
            assert list(expected) == list(FILTERS)
            few = asyncio.Semaphore(3)

            async def check(label: str, written: str) -> None:
                query = _with_our_ids(written, alone)
                line = 'temporal workflow list --output json --query "$FILTER"'

                async def found() -> bool:
                    async with few:
                        listed = json.loads(await shell.run(line, FILTER=query))
                    return {one["execution"]["workflowId"] for one in listed} == expected[label]

                async def describe() -> str:
                    return f"{label}: {query}\n{await shell.run(line, FILTER=query)}"

                await eventually(found, describe)

            await asyncio.gather(*(check(label, written) for label, written in FILTERS.items()))
            assert "Total: " in await shell.page(LISTING)


def _with_our_ids(query: str, world: World) -> str:
    ours = {
        "'spring-launch'": f"'{world.sequence}'",
        "mara'": f"{world.mailbox}'",
        ":0.1.0'": f":{version('onward')}'",
        "2030-01-01T00:00:00Z": datetime.now(UTC).isoformat(),
    }
    for sample, own in ours.items():
        query = query.replace(sample, own)
    return query


async def _one_of_each(world: World, shell: Shell, server: ImapServer, running: AsyncExitStack) -> dict[str, set[str]]:
    """An enrollment in each situation of the page; the workflows that each of its filters is to find."""
    login = {"username": "mara", "password": "env:IMAP_PASSWORD"}
    world.mailbox = await world.add_mailbox(
        imap={"host": "127.0.0.1", "port": server.port, "security": "none", **login}
    )
    await world.add_sequence(steps=WAITING)
    way = inbound(world.services)
    await running.enter_async_context(world.worker())
    await running.enter_async_context(world.watcher(way.take, way.keep_failed))

    def key(contact: str) -> str:
        return f"enrollment/{world.sequence}/{contact}"

    async def start(contact: str, workflow_id: str, queue: str | None = None) -> None:
        await world.client.start_workflow(
            "Enrollment",
            {"sequence_id": world.sequence, "contact_id": contact},
            id=workflow_id,
            task_queue=queue or world.settings.task_queue,
        )

    world.recipients.behave(world.address("back"), Behaviour(at_rcpt="550 5.1.1 no such user"))
    world.recipients.behave(world.address("doubtful"), Behaviour(drop="end"))
    of = {name: await world.enroll(name) for name in ("chen", "held", "gone", "done", "back", "doubtful")}
    for name in ("chen", "held", "gone", "done"):
        await world.until_sent(of[name], 1)
    await world.command(of["held"], "pause")
    await world.command(of["done"], "skip")
    await world.until_status(of["done"], "finished", "completed")
    await world.until_status(of["back"], "bounced")
    await world.until_status(of["doubtful"], "paused", "delivery_unknown")
    await world.client.get_workflow_handle(key("gone")).terminate("by somebody")
    await world.add_contact("unwanted", stage="Do Not Contact")
    await start("unwanted", key("unwanted"))
    await start("wrong", f"other-{world.token}")
    await start("early", key("early"), "nobody-polls-this")
    await shell.run('onward sequence off "$SEQUENCE"')
    of["parked"] = await world.enroll("parked")
    await world.until_status(of["parked"], "paused", "sequence_off")
    opened = wake_id("sequence", world.sequence, 1)
    replanned = f"replan/{world.mailbox}/1"
    for workflow_type, workflow_id in (("Wake", opened), ("Replan", replanned)):
        await world.client.start_workflow(workflow_type, {}, id=workflow_id, task_queue="nobody-polls-this")

    open_ones = {key(name) for name in ("chen", "held", "done", "back", "doubtful", "parked")}
    watched = {f"watch/{world.mailbox}"}
    sending = {key("chen")}
    return {
        "all runs of a sequence": open_ones | {key("gone")},
        "those going on": sending,
        "everything of a contact": sending,
        "what a mailbox is to send": sending,
        "paused by a person": {key("held")},
        "standing still for a gate": {key("parked")},
        "waiting for a person at a step": {key("back")},
        "may or may not have left": {key("doubtful")},
        "**ours to mend**": set(),
        "**tasks that keep failing**": set(),
        "... because the code does not fit the history": set(),
        "**not admitted yet**": {key("early")},
        "refused at admission": {key("unwanted")},
        "settling: done, a late reply still counts": {key("done")},
        "started wrongly (`invalid_input`)": {f"other-{world.token}"},
        "terminated by somebody, or left by a reset": {key("gone")},
        "open since before a deploy": open_ones | {key("early")},
        "open, some task run by release 0.1.0": open_ones | watched,
        "open, last task run by a deployment version": set(),
        "watchers of mailboxes": watched,
        "one mailbox's watcher": watched,
        "wakers at work": {opened},
        "calendars being rewritten": {replanned},
    }


# ---------------------------------------------------------------------------------------------------------------------
# Histories


async def test_the_histories_of_the_page_are_those_of_real_enrollments(alone: World, shell: Shell) -> None:
    async with alone.worker():
        steps = [plain_step(1), plain_step(2, wait="1s")]
        await alone.add_sequence("quick", steps=steps, settings={"settle": "1s"})
        await alone.enroll("ada")
        await alone.client.get_workflow_handle(f"enrollment/{alone.sequence}/ada").result()
        assert await _is_in(UNDISTURBED, shell, "ada") is None
        plain = await shell.page(HISTORY, "ada")
        assert "WorkflowExecutionCompleted" in plain
        assert "summary: Step 2 of 2 (step2) leaves" in plain.replace('"', "")

        await alone.add_sequence("slow", steps=WAITING)
        enrollment = await alone.enroll("ben")
        await alone.until_sent(enrollment, 1)
        await alone.command(enrollment, "pause")
        await alone.command(enrollment, "resume")
        assert await _is_in(PAUSED, shell, "ben") is None

        await shell.page(KEPT, "ben")
        await replay(json.loads((shell.home / "history.json").read_text()))


async def _is_in(excerpt: str, shell: Shell, contact: str) -> str | None:
    """The first line of the excerpt that the history of this contact does not have, in the order of the lines."""
    line = next(line for line in LINES if re.search(KEPT, line)).partition(" >")[0]
    events = iter(json.loads(await shell.run(line, CONTACT=contact))["events"])
    for told in excerpt.splitlines():
        number, what = re.match(r" *(\d+) (\S*)", told).groups()  # type: ignore[union-attr]
        kind = {
            "Upsert": "UpsertWorkflowSearchAttributes",
            "UpdateAccepted": "WorkflowExecutionUpdateAccepted",
            "UpdateCompleted": "WorkflowExecutionUpdateCompleted",
            "": "ActivityTaskCompleted",
        }.get(what, "ActivityTaskScheduled" if what.islower() else what)
        name = "EVENT_TYPE_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper()

        def fits(event: dict[str, Any], name: str = name, number: str = number, what: str = what) -> bool:
            scheduled = event.get("activityTaskScheduledEventAttributes", {}).get("activityType", {}).get("name")
            return (event["eventType"], event["eventId"]) == (name, number) and (
                not what.islower() or scheduled == what
            )

        if not any(fits(event) for event in events):
            return told
    return None


# ---------------------------------------------------------------------------------------------------------------------
# Lines


async def test_the_way_from_the_symptom_to_the_cause(alone: World, shell: Shell) -> None:
    await alone.add_sequence(steps=WAITING)
    async with alone.worker():
        enrollment = await alone.enroll("chen")
        await alone.until_sent(enrollment, 1)
        assert await shell.page(CHECK) == "1 open enrollments looked at, 0 with problems\n"
        assert "Next: send" in await shell.page(ASKED, "chen")
        queues = shell.run(next(line for line in LINES if re.search(QUEUES, line)))
        assert re.search(r"workflow +\S+@\S+", await queues)

    await shell.run("onward pause chen --as person:ana")
    assert "recorded pause by person:ana, not taken up yet (pausing)" in await shell.page(STORY, "chen")
    async with alone.database.read() as connection:
        found = [await connection.fetch(statement) for statement in STATEMENTS]
    assert [len(rows) for rows in found] == [0, 1, 0]
    assert "not_answering" in await shell.page(CHECK, code=5)
    status = next(line for line in LINES if re.search(ASKED, line))
    said = await shell.run(status, code=1, CONTACT="chen")
    assert "before a worker could process it" in said or "no poller seen" in said
    assert "ApproximateBacklogAge" in await shell.page(QUEUES)

    async with alone.worker():
        await alone.until_status(enrollment, "paused", "manual")
        assert "waits for a person to resume" in await shell.page(STORY, "chen")
        assert "**Paused (manual)**" in await shell.page(ASKED, "chen")


async def test_a_mailbox_that_is_not_read(alone: World, shell: Shell) -> None:
    with ImapServer({"mara": "right"}) as server:
        login = {"username": "mara", "password": "env:IMAP_PASSWORD_NOWHERE"}
        alone.mailbox = await alone.add_mailbox(
            imap={"host": "127.0.0.1", "port": server.port, "security": "none", **login}
        )
        way = inbound(alone.services)
        async with alone.watcher(way.take, way.keep_failed):
            listing, metadata, check, look = [line for line in LINES if re.search(WATCHER, line)]

            async def told() -> bool:
                said = await shell.run(metadata)
                return "Not read: the mailbox's IMAP password is not where its reference points. Next look" in said

            await eventually(told)
            assert "down" in await shell.run(listing)
            assert "env:IMAP_PASSWORD_NOWHERE: the variable is not set" in await shell.run(check, code=3)
            await shell.run(look)
            async with alone.database.read() as connection:
                (row,) = await connection.fetch(STATEMENTS[-1])
            assert (row["code"], row["holds"]) == ("imap_credentials", True)


async def test_reset_terminate_and_repair(alone: World, shell: Shell) -> None:
    await alone.add_sequence(steps=WAITING)
    async with alone.worker():
        enrollment = await alone.enroll("chen")
        await alone.until_sent(enrollment, 1)
        await shell.page(RESET, "chen")
        assert "workflow_missing" in await shell.page(CHECK, code=5)
        assert "its workflow recorded itself anew" in await shell.page(REPAIR)
        await shell.run("onward send-now chen")
        await alone.until_status(enrollment, "finished", "completed")
        assert len(alone.recipients.inbox(alone.address("chen"))) == 2

        gone = await alone.enroll("bert")
        await alone.until_sent(gone, 1)
        await alone.client.get_workflow_handle(f"enrollment/{alone.sequence}/bert").terminate()
        assert "the record is open, its workflow has ended" in await shell.page(CHECK, code=5)
        said = "its record is closed, finished (its workflow is gone); its slot and parked rows are released"
        assert said in await shell.page(REPAIR_AS)
        assert (await alone.state(gone)).disposition == "workflow_gone"
        assert (await alone.row(gone))["closed"]


async def test_versions_are_made_current_and_taken_back(alone: World, shell: Shell) -> None:
    await alone.add_sequence(steps=WAITING)
    names = {"DEPLOYMENT": f"onward-{alone.token}", "BUILD": "2", "OLD_BUILD": "1"}

    def of(build: str) -> Worker:
        more = {"temporal_deployment_name": names["DEPLOYMENT"], "temporal_worker_build_id": build}
        return build_worker(alone.services, alone.settings.model_copy(update=more))

    async def run_by(build: str, contact: str) -> None:
        query = f"TemporalWorkerDeploymentVersion = '{names['DEPLOYMENT']}:{build}'"

        async def listed() -> bool:
            return contact in await shell.run('temporal workflow list --query "$FILTER"', FILTER=query)

        await eventually(listed)

    describe, ramp, current, version_of, back = [line for line in LINES if re.search(VERSIONS, line)]
    async with of("1"), of("2"):

        async def known() -> bool:
            # Asked until both have polled: a version is there from its first poll on.
            said = await shell.run(f"{describe} 2>&1 || true", **names)
            return len(re.findall(r"unspecified", said)) == 2

        await eventually(known)
        await shell.run(back, **names)
        enrollment = await alone.enroll("chen")
        await alone.until_sent(enrollment, 1)
        await run_by("1", "chen")
        for line in (ramp, current):
            await shell.run(line, **names)
        await alone.command(enrollment, "pause")
        await run_by("2", "chen")
        await shell.run(version_of, **names)
        await shell.run(back, **names)
        await alone.command(enrollment, "resume")
        await run_by("1", "chen")
