"""What tests need to play a sequence on real servers: definitions, contacts, a worker, and waiting for what should happen."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError

from activities.services import Services, valid_address
from activities.upkeep import Upkeep
from activities.watch import KeepFailed, Take
from client.connection import connect, ensure_search_attributes
from client.enrollments import Enrollments
from client.inbound import Inbound, Taken
from domain.delivery import Answer
from domain.inbound import Arrival
from domain.sequences import Mailbox, Schedule, Sequence, parse_definition
from domain.state import EnrollmentState
from domain.watching import watch_queue
from embedded.recipients import Received, Recipients
from settings import Settings
from store import catalog, enrollments, ledger
from store.csv_files import AccountRow, ContactRow
from store.database import Database
from worker import build_watcher, build_worker, open_services

ALWAYS = {day: [{"start": "00:00", "end": "24:00"}] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
PATIENT = 30.0


@dataclass
class World:
    """Onward on real servers. IDs carry `token`, since the tests of a process share one Temporal namespace."""

    services: Services
    settings: Settings
    recipients: Recipients
    token: str
    mailbox: str = ""
    sequence: str = ""
    clients: Enrollments = field(init=False)
    workers: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.clients = Enrollments(
            self.client, self.database, valid_address, task_queue=self.settings.task_queue, patience=10.0
        )

    @property
    def client(self) -> Client:
        return self.services.client

    @property
    def database(self) -> Database:
        return self.services.database

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        """A worker in this process."""
        async with build_worker(self.services, self.settings):
            self.workers += 1
            try:
                yield
            finally:
                self.workers -= 1

    async def take(self, raw: bytes, mailbox: str | None = None) -> Taken:
        """Take in a mail by the way of all mail."""
        way = Inbound(self.clients, self.settings.require_secret(), self.settings.guardrail_refusals)
        return await way.take(Arrival(raw, datetime.now(UTC), "http", mailbox))

    @asynccontextmanager
    async def watcher(self, take: Take, keep_failed: KeepFailed | None = None) -> AsyncIterator[None]:
        """A worker in this process that reads mailboxes by IMAP, with the watchers of all that have it started."""
        await self.upkeep().start_watchers()
        async with build_watcher(self.services, self.settings, take, keep_failed):
            yield

    def upkeep(self) -> Upkeep:
        return Upkeep(self.services, 1.0)

    # -- definitions ------------------------------------------------------------------------------------------------

    async def add_schedule(
        self, name: str = "always", windows: Mapping[str, Any] | None = None, zone: str = "UTC", **more: Any
    ) -> None:
        definition = {"id": name, "zone": zone, "windows": windows or ALWAYS, **more}
        async with self.database.transaction() as connection:
            await catalog.apply_schedule(connection, parse_definition(Schedule, definition))

    async def add_mailbox(self, name: str | None = None, **changes: Any) -> str:
        key = name or f"mara-{self.token}"
        port = changes.pop("port", None) or self.recipients.port
        definition = {
            "id": key,
            "address": f"{key}@sender.test",
            "name": "Mara Send",
            "smtp": {"host": "127.0.0.1", "port": port, "security": "none"},
            "limits": {"per_day": 10_000, "per_hour": 10_000, "gap": "0s", "new_per_day": 10_000},
            **changes,
        }
        async with self.database.transaction() as connection:
            await catalog.apply_mailbox(connection, parse_definition(Mailbox, definition))
        return key

    async def add_sequence(
        self,
        name: str = "spring",
        steps: list[dict[str, Any]] | int = 2,
        *,
        wait: str = "0s",
        settings: dict[str, Any] | None = None,
        mailboxes: list[str] | None = None,
        schedule: str = "always",
    ) -> str:
        """A sequence with `steps` plain steps, or these steps; with its mailbox and schedule if they are not there yet."""
        if schedule == "always":
            await self.add_schedule()
        if mailboxes is None:
            self.mailbox = self.mailbox or await self.add_mailbox()
            mailboxes = [self.mailbox]
        if isinstance(steps, int):
            steps = [plain_step(number, wait=wait) for number in range(1, steps + 1)]
        key = f"{name}-{self.token}"
        definition = {
            "id": key,
            "name": name,
            "schedule": schedule,
            "mailboxes": mailboxes,
            "steps": steps,
            "settings": {"settle": "1h", **(settings or {})},
        }
        async with self.database.transaction() as connection:
            await catalog.apply_sequence(connection, parse_definition(Sequence, definition))
        self.sequence = key
        return key

    async def add_contact(self, key: str, **fields: Any) -> str:
        """A contact with the address <key>@<token>.test unless `email` says otherwise."""
        row = {"id": key, "first_name": key.capitalize(), "last_name": "Test", "email": self.address(key), **fields}
        async with self.database.transaction() as connection:
            await catalog.put_contacts(connection, [ContactRow.model_validate(row)])
        return key

    async def add_account(self, key: str, **fields: Any) -> str:
        async with self.database.transaction() as connection:
            await catalog.put_accounts(connection, [AccountRow.model_validate({"id": key, "name": key, **fields})])
        return key

    async def set_contact(self, contact: str, **changes: Any) -> catalog.StoredContact:
        """What a person changes of a contact."""
        async with self.database.transaction() as connection:
            parsed = parse_definition(catalog.ContactChanges, changes)
            return await catalog.set_contact(connection, contact, parsed, by="person:test", now=datetime.now(UTC))

    async def set_account(self, account: str, **changes: Any) -> None:
        """What a person changes of an account."""
        async with self.database.transaction() as connection:
            parsed = parse_definition(catalog.AccountChanges, changes)
            await catalog.set_account(connection, account, parsed, by="person:test", now=datetime.now(UTC))

    async def contact(self, contact: str) -> catalog.StoredContact:
        async with self.database.read() as connection:
            return await catalog.contact(connection, contact)

    async def refusals(self, contact: str, sequence: str | None = None, **options: Any) -> dict[str, dict[str, Any]]:
        """Why an enrollment is refused: code -> what the caller is told."""
        answer = await self.clients.enroll(sequence or self.sequence, contact, by="person:test", **options)
        return {str(one["code"]): dict(one) for one in answer.refused}

    async def command(self, enrollment: str, name: str, **payload: Any) -> Answer:
        return await self.clients.command(enrollment, name, {"by": "person:test", **payload})

    async def fact(self, enrollment: str, name: str, **payload: Any) -> Answer:
        return await self.clients.fact(enrollment, name, {"by": "system:test", **payload})

    async def until_sent(self, enrollment: str, count: int) -> EnrollmentState:
        """Wait until so many emails were sent and the workflow itself, not only its projection, is at the next step."""
        state = await self.until_state(enrollment, lambda state: state.sent >= count)

        async def known() -> bool:
            return bool((await self.clients.own_status(enrollment))["sent"] >= count)

        await eventually(known)
        return state

    def address(self, contact: str) -> str:
        return f"{contact}@{self.token}.test"

    # -- playing ----------------------------------------------------------------------------------------------------

    async def enroll(self, contact: str, sequence: str | None = None, **options: Any) -> str:
        """Enroll, adding the contact if need be; answers the enrollment's ID. Fails when refused."""
        async with self.database.read() as connection:
            known = await connection.fetchval("SELECT 1 FROM contacts WHERE id = $1", contact)
        if not known:
            await self.add_contact(contact)
        answer = await self.clients.enroll(sequence or self.sequence, contact, by="person:test", **options)
        assert not answer.refused, answer.refused
        assert answer.enrollment is not None
        if self.workers:
            await eventually(lambda: self._on_record(str(answer.enrollment)))
        return answer.enrollment

    async def _on_record(self, enrollment: str) -> bool:
        """Its admission is on record: on a busy machine that may take longer than the answer to whoever enrolls waits for it."""
        async with self.database.read() as connection:
            return bool(await connection.fetchval("SELECT 1 FROM enrollments WHERE id = $1::text::uuid", enrollment))

    async def row(self, enrollment: str) -> dict[str, Any]:
        async with self.database.read() as connection:
            return dict(await enrollments.get(connection, enrollment))

    async def state(self, enrollment: str) -> EnrollmentState:
        return EnrollmentState.model_validate((await self.row(enrollment))["state"])

    async def status(self, enrollment: str) -> tuple[str, str | None]:
        row = await self.row(enrollment)
        return row["status"], row["reason"]

    async def until_status(self, enrollment: str, status: str, reason: str | None = None) -> EnrollmentState:
        """Wait until the projection shows this status (and reason).

        With a worker in this process also until the workflow says the same (see `until_known`).
        """

        async def there() -> EnrollmentState | None:
            row = await self.row(enrollment)
            if row["status"] == status and (reason is None or row["reason"] == reason):
                return EnrollmentState.model_validate(row["state"])
            return None

        state: EnrollmentState = await eventually(there, lambda: self.describe(enrollment))
        if self.workers and not state.closed:
            await self.until_known(enrollment)
        return state

    async def until_known(self, enrollment: str) -> None:
        """Wait until the workflow's own status is that of its projection, so that it takes commands accordingly: an
        activity writes the projection of a hold or a failure before the workflow hears of it."""

        async def known() -> bool:
            own = await self.clients.own_status(enrollment)
            return (own["own_status"], own["reason"]) == await self.status(enrollment)

        await eventually(known, lambda: self.describe(enrollment))

    async def until_state(self, enrollment: str, holds: Callable[[EnrollmentState], bool]) -> EnrollmentState:
        async def there() -> EnrollmentState | None:
            state = await self.state(enrollment)
            return state if holds(state) else None

        return await eventually(there, lambda: self.describe(enrollment))

    async def until_mails(self, contact: str, count: int) -> list[Received]:
        """Wait until the contact has received so many emails."""

        async def there() -> list[Received] | None:
            mails = self.recipients.inbox(self.address(contact))
            return mails if len(mails) >= count else None

        return await eventually(there)

    async def story(self, enrollment: str) -> list[dict[str, Any]]:
        async with self.database.read() as connection:
            return await enrollments.story(connection, enrollment)

    async def kinds(self, enrollment: str) -> list[str]:
        return [line["kind"] for line in await self.story(enrollment)]

    async def ledger(self, enrollment: str) -> list[dict[str, Any]]:
        async with self.database.read() as connection:
            return await ledger.of_enrollment(connection, enrollment)

    async def describe(self, enrollment: str) -> str:
        row = await self.row(enrollment)
        return f"{row['status']} {row['reason']} {row['state']}\n{await self.story(enrollment)}"

    async def signal(self, contact: str, name: str, payload: Any = None, sequence: str | None = None) -> None:
        """A raw Temporal signal, as any client could send it."""
        handle = self.client.get_workflow_handle(f"enrollment/{sequence or self.sequence}/{contact}")
        await handle.signal(name, payload if payload is not None else {})


def plain_step(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"step{number}",
        "subject": f"Subject {number}",
        "text": f"Hello {{{{ contact.first_name }}}}, this is email {number}.",
        **fields,
    }


async def eventually(
    there: Callable[[], Any], describe: Callable[[], Any] | None = None, *, seconds: float = PATIENT
) -> Any:
    """Wait until `there` answers something; fail with what `describe` says after `seconds`."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = await there()
        if found:
            return found
        await asyncio.sleep(0.03)
    raise AssertionError(await describe() if describe else f"not within {seconds} s")


@asynccontextmanager
async def open_world(
    temporal: str, database_url: str, recipients: Recipients, *, client: Client | None = None, **settings: Any
) -> AsyncIterator[World]:
    """Onward on these servers, without a worker yet."""
    token = os.urandom(4).hex()
    chosen = Settings(
        **{
            "database_url": database_url,
            "temporal_address": temporal,
            "task_queue": f"onward-{token}",
            "secret_key": "0123456789abcdef0123456789abcdef",
            "database_pool_size": 10,
            "lease_seconds": 5.0,
            "graceful_shutdown_seconds": 20.0,
            "smtp_connect_seconds": 60.0,
            "smtp_final_seconds": 60.0,
            "defer_base_seconds": 0.5,
            "mark_grace_seconds": 0.5,
            "public_url": "http://127.0.0.1:1",
            **settings,
        }
    )
    async with open_services(chosen, client or await connect(temporal, chosen.temporal_namespace)) as services:
        world = World(services, chosen, recipients, token)
        try:
            yield world
        finally:
            await _end_wakers(world)


async def own_namespace(address: str) -> Client:
    """A client for a Temporal namespace of this test's own, with our search attributes: for what looks at every workflow of
    its namespace. TEMPORAL_NAMESPACE must not be set, it would win over the argument."""
    name = f"alone-{os.urandom(4).hex()}"
    default = await connect(address)
    retention = Duration()
    retention.FromTimedelta(timedelta(days=1))
    await default.workflow_service.register_namespace(
        RegisterNamespaceRequest(namespace=name, workflow_execution_retention_period=retention)
    )

    async def usable() -> Client | None:
        try:
            client = await connect(address, name)
            await ensure_search_attributes(client)
            await client.count_workflows("OnwardStatus IS NULL")
        except (RPCError, RuntimeError):
            return None
        return client

    client: Client = await eventually(usable)
    return client


async def _end_wakers(world: World) -> None:
    """A waker left open here would be taken for the next test's: its ID holds the gate and the epoch, and the tests
    of a process share one namespace, though each has a database of its own. A mailbox's watcher would never end."""
    queue = world.settings.task_queue
    query = f'ExecutionStatus="Running" AND TaskQueue IN ("{queue}", "{watch_queue(queue)}") AND WorkflowType IN ("Wake", "Watch")'
    async for waker in world.client.list_workflows(query):
        with contextlib.suppress(RPCError):
            await world.client.get_workflow_handle(waker.id).terminate("the test is over")


def soon(seconds: float) -> str:
    """An instant from now, as JSON."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
