"""Emails lost and sent twice when the worker is killed three times against a slow SMTP server.

The receiver keeps each email on record before it replies, so what a killed worker never heard of still counts. At the end
every unknown delivery is settled by what the receiver has, as a person would: then everybody must have everything once.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from collections import Counter

from benchmarks import common
from embedded.recipients import Behaviour, Recipients
from tests.durability.play import at_least, named, rows_in, until_workers_sessions_end
from tests.durability.processes import WorkerProcess
from tests.harness import World

RESTING = "SELECT count(*) FROM enrollments WHERE sequence_id = $1 AND status <> 'active'"
FINISHED = "SELECT count(*) FROM enrollments WHERE sequence_id = $1 AND status = 'finished'"


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--contacts", type=int, default=200)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--kills", type=int, default=3)
    parser.add_argument("--delay", type=float, default=0.2, help="seconds until the SMTP server replies")
    parser.add_argument("--mailboxes", type=int, default=20)
    parser.add_argument("--seed", type=int, default=None, help="of the moments; printed, so that a run can be repeated")


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    seed = given.seed if given.seed is not None else random.randrange(10_000)
    chance = random.Random(seed)
    total = given.contacts * given.steps
    moments = sorted(chance.sample(range(total // 20, total // 2), given.kills))
    met: list[int] = []
    past_return: set[tuple[str, str, int]] = set()
    with Recipients(behaviours={"*": Behaviour(delay=given.delay)}) as recipients:
        async with common.open_bench(recipients) as bench:
            world = bench.world
            mailboxes = await common.add_mailboxes(world, given.mailboxes, recipients.port)
            sequence = await world.add_sequence("kills", steps=given.steps, mailboxes=mailboxes)
            contacts = await common.add_contacts(world, "c", given.contacts)
            settings = world.settings.model_copy(update={"database_url": named(bench.stack.database_url)})
            async with WorkerProcess(settings, bench.home) as worker:
                await common.start(world, sequence, contacts, common.later(4 + given.contacts / 15))
                began = time.monotonic()
                for moment in moments:
                    await asyncio.to_thread(recipients.wait_for, at_least(moment), 300)
                    await asyncio.sleep(chance.uniform(0, given.delay))
                    worker.kill()
                    await until_workers_sessions_end(world)
                    found = await rows_in(world, "sending")
                    met.append(len(found - past_return))
                    past_return |= found
                    common.say(
                        f"killed after {len(recipients.received())} emails, {met[-1]} past the point of no return"
                    )
                    await worker.start()
                await common.reached(world, RESTING, sequence, given.contacts)
                seconds = time.monotonic() - began
                unknown = await rows_in(world, "unknown")
                twice_by_itself = _twice(recipients)
                await _settle(world, unknown)
                await common.reached(world, FINISHED, sequence, given.contacts)
    figures = {
        "duplicates": twice_by_itself,
        "duplicates_after_settling": _twice(recipients),
        "emails": total,
        "received": len(recipients.received()),
        "unknown": len(unknown),
        "past_return_at_kills": met,
        "unexplained_unknown": len(unknown - past_return),
        "seconds": round(seconds, 1),
        "moments": moments,
        "seed": seed,
    }
    common.report(
        "kills",
        [
            ("emails received twice", str(figures["duplicates"]), "0"),
            ("unknown deliveries", str(len(unknown)), f"<= {sum(met)} (past `sending` at the kills)"),
            ("received once all unknowns are settled", f"{figures['received']} of {total}", str(total)),
            ("seconds until all rest", str(figures["seconds"]), ""),
        ],
        figures,
    )
    clean = figures["duplicates"] == figures["duplicates_after_settling"] == figures["unexplained_unknown"] == 0
    return 0 if clean and figures["received"] == total else 1


def _twice(recipients: Recipients) -> int:
    """Emails too many: by recipient and step, which also catches a repetition under another Message-ID."""
    counts = Counter((mail.address, mail.subject) for mail in recipients.received())
    return sum(times - 1 for times in counts.values())


async def _settle(world: World, unknown: set[tuple[str, str, int]]) -> None:
    """Settle each unknown delivery by what the receiver has."""
    arrived = {mail.message_id.strip("<>") for mail in world.recipients.received()}
    for enrollment, step, attempt in sorted(unknown):
        rows = await world.ledger(enrollment)
        row = next(row for row in rows if (row["step_id"], row["attempt"]) == (step, attempt))
        verdict = "sent" if row["message_id"] in arrived else "not_sent"
        payload = {"by": "person:benchmark", "verdict": verdict}
        await world.clients.command(enrollment, "settle_delivery", payload)
