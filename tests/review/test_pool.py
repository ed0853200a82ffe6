"""A worker that comes back after a crash finds many emails past the point of no return at once."""

from __future__ import annotations

import asyncio
import uuid

from temporalio.testing import ActivityEnvironment

from activities.deliver import DeliverActivity
from domain.delivery import DeliverInput
from embedded.recipients import Recipients
from tests.harness import open_world
from tests.servers import Servers

POOL = 3


async def test_more_lost_owners_than_connections(stack: Servers, fresh_database: str, recipients: Recipients) -> None:
    """Each is looked at with one connection; asking for a second one while holding it would lock the pool for good."""
    async with open_world(stack.temporal_address, fresh_database, recipients, database_pool_size=POOL) as world:
        await world.add_sequence(steps=1, wait="1h")
        async with world.worker():
            owned = [await world.enroll(f"c{number}") for number in range(3 * POOL)]
        async with world.database.read() as connection:
            await connection.executemany(
                "INSERT INTO send_ledger (enrollment_id, step_id, attempt, state, sequence_id, contact_id, mailbox_id,"
                " message_id, recipient, subject, owner, lease_until, sending_at)"
                " SELECT id, 'step1', 1, 'sending', sequence_id, contact_id, mailbox_id, id::text, 'a@b.test', 's', 'dead',"
                " now() - interval '1 minute', now() FROM enrollments WHERE id = $1",
                [(uuid.UUID(one),) for one in owned],
            )
        deliver = DeliverActivity(world.services).deliver
        inputs = [DeliverInput(enrollment=one, step="step1", attempt=1, version=2) for one in owned]
        async with asyncio.timeout(20):
            found = await asyncio.gather(*(ActivityEnvironment().run(deliver, input) for input in inputs))
        assert {result.outcome for result in found} == {"unknown"}
