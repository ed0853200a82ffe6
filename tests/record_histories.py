"""Records the histories of this release: `python -m tests.record_histories` writes tests/histories/<version>/*.json.

Each is played on real servers. Run it once per release, when workflow code is final; histories of older releases stay.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path

from domain.delivery import EnrollmentInput
from domain.watching import watch_id
from embedded.imap import ImapServer
from embedded.recipients import Behaviour, Gate, Recipients
from embedded.stack import reachable_tempdir, start_stack
from store import cursors
from store.migrate import migrate
from tests.harness import World, eventually, open_world, plain_step, soon
from worker import inbound

HISTORIES = Path(__file__).parent / "histories"
STEPS = [plain_step(1), plain_step(2, wait="1s")]
WAITING = [plain_step(1), plain_step(2, wait="1h")]
Story = Callable[[World, str], Awaitable[str]]


async def begin(world: World, name: str, steps: list[dict[str, object]] = WAITING, **settings: object) -> str:
    """Enroll a contact of this name in a sequence of this name and wait for the first email."""
    await world.add_sequence(name, steps=steps, settings={"settle": "1s", **settings})
    enrollment = await world.enroll(name)
    await world.until_sent(enrollment, 1)
    return enrollment


async def undisturbed(world: World, name: str) -> str:
    return await begin(world, name, STEPS)


async def paused_and_resumed(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.command(enrollment, "pause")
    await world.command(enrollment, "resume_at", until=soon(3600))
    await world.command(enrollment, "resume_at", until=soon(1))
    await world.until_status(enrollment, "active")
    await world.signal(name, "pause", {"by": "person:ana"})
    await world.until_status(enrollment, "paused", "manual")
    await world.command(enrollment, "resume")
    await world.command(enrollment, "send_now")
    return enrollment


async def out_of_office(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.fact(enrollment, "out_of_office")
    back = (datetime.now(UTC) + timedelta(days=10)).date().isoformat()
    await world.fact(enrollment, "out_of_office", return_date=back)
    await world.until_state(enrollment, lambda state: any(hold.until for hold in state.holds))
    await world.command(enrollment, "resume")
    await world.command(enrollment, "send_now")
    return enrollment


async def bounced_and_resumed(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    world.recipients.behave(world.address(name), Behaviour(at_rcpt="550 5.1.1 no such user"))
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "bounced", "hard_bounce")
    await world.set_contact(name, email=f"new-{world.address(name)}")
    await world.command(enrollment, "resume")
    return enrollment


async def not_sent_and_retried(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.set_contact(name, stage="Interested")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "not_sent", "contact_stage_excluded")
    await world.set_contact(name, stage="Cold")
    await world.command(enrollment, "retry")
    return enrollment


async def delivery_unknown_and_settled(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    world.recipients.behave(world.address(name), Behaviour(drop="end"))
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "paused", "delivery_unknown")
    await world.command(enrollment, "settle_delivery", verdict="sent")
    return enrollment


async def deferred(world: World, name: str) -> str:
    world.recipients.behave(world.address(name), Behaviour(first_tries=2))
    return await begin(world, name, STEPS)


async def finished_by_reply(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.fact(enrollment, "reply", interest="interested")
    return enrollment


async def replied_beside_a_send(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    gate = Gate()
    world.recipients.behave(world.address(name), Behaviour(before_end=gate))
    await world.command(enrollment, "send_now")
    await asyncio.to_thread(gate.wait_reached, 30)
    await world.fact(enrollment, "reply")
    gate.open()
    return enrollment


async def replied_while_settling(world: World, name: str) -> str:
    enrollment = await begin(world, name, [plain_step(1)], settle="1h")
    await world.fact(enrollment, "reply")
    return enrollment


async def commands(world: World, name: str) -> str:
    enrollment = await begin(world, name, [*WAITING, plain_step(3, wait="1h")])
    await world.signal(name, "pause", {"until": "yesterday"})
    await world.signal(name, "no_such_signal", {"any": "thing"})
    await world.signal(name, "retry")
    await world.command(enrollment, "skip", id="skip-once")
    await world.command(enrollment, "skip", id="skip-once")
    await world.command(enrollment, "remove")
    return enrollment


async def switched_off_and_on(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.clients.switch("sequence", world.sequence, on=False, by="person:ana")
    await world.command(enrollment, "send_now")
    await world.until_status(enrollment, "paused", "sequence_off")
    await world.clients.switch("sequence", world.sequence, on=True, by="person:ana")
    return enrollment


async def cancelled(world: World, name: str) -> str:
    enrollment = await begin(world, name)
    await world.client.get_workflow_handle(f"enrollment/{world.sequence}/{name}").cancel()
    return enrollment


async def halted_by_a_bounce_elsewhere(world: World, name: str) -> str:
    enrollment = await begin(world, name, active_elsewhere="allow")
    world.recipients.behave(world.address(name), Behaviour(at_rcpt="550 5.1.1 no such user"))
    here = world.sequence
    other = await world.add_sequence(f"{name}-elsewhere", steps=1, settings={"active_elsewhere": "allow"})
    await world.enroll(name, other)
    world.sequence = here
    await world.until_status(enrollment, "not_sent", "known_hard_bounce")
    await world.command(enrollment, "finish")
    return enrollment


async def replanned(world: World, name: str) -> str:
    """Waits for the hour to end, until the limit is raised."""
    limits = {"per_day": 10, "per_hour": 1, "gap": "0s", "new_per_day": 10}
    mailbox = await world.add_mailbox(f"{name}-{world.token}", limits=limits)
    await world.add_sequence(name, steps=[plain_step(1)], settings={"settle": "1s"}, mailboxes=[mailbox])
    await world.enroll(f"{name}-first")
    enrollment = await world.enroll(name)
    await world.add_mailbox(mailbox, limits={**limits, "per_hour": 10})
    await world.upkeep().replan_edited()
    return enrollment


STORIES: tuple[Story, ...] = (
    undisturbed,
    paused_and_resumed,
    out_of_office,
    bounced_and_resumed,
    not_sent_and_retried,
    delivery_unknown_and_settled,
    deferred,
    finished_by_reply,
    replied_beside_a_send,
    replied_while_settling,
    commands,
    switched_off_and_on,
    cancelled,
    halted_by_a_bounce_elsewhere,
    replanned,
)


async def record(world: World, directory: Path) -> None:
    """Play every story and write its history."""
    for story in STORIES:
        name = story.__name__
        await story(world, name.replace("_", "-"))
        await write(world, f"enrollment/{world.sequence}/{name.replace('_', '-')}", directory / f"{name}.json")
    await write(world, f"wake/sequence/switched-off-and-on-{world.token}/2", directory / "wake.json")
    await write(world, f"replan/replanned-{world.token}/1", directory / "replan.json")
    await watched(world, directory / "watch.json")
    refused = await world.client.start_workflow(
        "Enrollment",
        EnrollmentInput(sequence_id=world.sequence, contact_id="nobody"),
        id=f"enrollment/{world.sequence}/nobody",
        task_queue=world.settings.task_queue,
    )
    await write(world, refused.id, directory / "refused.json")


async def watched(world: World, path: Path) -> None:
    """A mailbox that is read, cannot be read for a while, and at last has no IMAP any more."""
    os.environ["ONWARD_RECORDED"] = "right"
    with ImapServer({"mara": "right"}) as server:
        read = {"host": "127.0.0.1", "port": server.port, "security": "none", "username": "mara"}
        key = await world.add_mailbox(f"watched-{world.token}", imap={**read, "password": "env:ONWARD_RECORDED"})
        async with world.watcher(inbound(world.services).take):
            await eventually(lambda: _looked(world, key, None))
            await world.add_mailbox(key, imap={**read, "password": "env:ONWARD_NOT_THERE"})
            await world.upkeep().start_watchers()
            await eventually(lambda: _looked(world, key, "imap_credentials"))
            await world.add_mailbox(key)
            await world.client.get_workflow_handle(watch_id(key)).signal("look")
            await write(world, watch_id(key), path)


async def _looked(world: World, mailbox: str, code: str | None) -> bool:
    async with world.database.read() as connection:
        found = await cursors.watched(connection, mailbox)
    return found is not None and found.code == code


async def write(world: World, workflow_id: str, path: Path) -> None:
    """Wait for the end of a workflow and write its history, without this machine's name and process."""
    handle = world.client.get_workflow_handle(workflow_id)
    await handle.result()
    text = (await handle.fetch_history()).to_json().replace(world.client.identity, "recorder")
    keep(path, text)


def keep(path: Path, text: str) -> None:
    path.write_text(json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n")
    print(f"{path.name}: {len(text)} characters")


def doctor(directory: Path) -> None:
    """A history that this release must refuse: its activity goes by another name."""
    text = (directory / "undisturbed.json").read_text()
    assert '"deliver"' in text
    (HISTORIES / "incompatible").mkdir(exist_ok=True)
    (HISTORIES / "incompatible" / "renamed_activity.json").write_text(text.replace('"deliver"', '"send_email"'))


async def main() -> None:
    """Start servers, record, stop them."""
    directory = HISTORIES / version("onward")
    directory.mkdir(parents=True, exist_ok=True)
    with reachable_tempdir() as home, Recipients() as recipients:
        stack = await asyncio.to_thread(start_stack, home, ui=False, durable=False, in_memory=True)
        try:
            await migrate(stack.database_url)
            quick = {"imap_poll_seconds": 0.3, "imap_retry_seconds": 0.5}
            address, database = stack.temporal_address, stack.database_url
            async with open_world(address, database, recipients, **quick) as world, world.worker():
                await record(world, directory)
        finally:
            await asyncio.to_thread(stack.stop)
    doctor(directory)


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    # The SDK can crash at interpreter exit (sdk-python #300).
    os._exit(0)
