"""How long the master switch takes against busy senders, and whether any email passes it.

PostgreSQL is told to keep the time of every commit, and a trigger of the benchmark's own notes each `sending`: what counts
is the order of the commits themselves, not what anybody saw.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import time
from datetime import UTC, datetime
from statistics import median

from benchmarks import common
from embedded.recipients import Recipients
from store import gates
from tests.durability.processes import ROOT, WorkerProcess
from tests.harness import World

BAR = 100.0
NOTE_SENDING = """
CREATE TABLE bench_sending (sequence_id text);
CREATE FUNCTION bench_note() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO bench_sending VALUES (NEW.sequence_id);
    RETURN NULL;
END $$;
CREATE TRIGGER bench_note AFTER UPDATE OF state ON send_ledger FOR EACH ROW WHEN (NEW.state = 'sending')
    EXECUTE FUNCTION bench_note();
"""
SENT = "SELECT count(*) FROM bench_sending WHERE sequence_id = $1"
PASSED = """
WITH switched AS (
    SELECT state, pg_xact_commit_timestamp(xmin) AS at,
           lead(pg_xact_commit_timestamp(xmin)) OVER (ORDER BY id) AS until
    FROM switch_events WHERE gate = 'sequence' AND key = $1
)
SELECT count(*) FROM bench_sending b JOIN switched s ON s.state = 'off'
WHERE pg_xact_commit_timestamp(b.xmin) >= s.at AND (s.until IS NULL OR pg_xact_commit_timestamp(b.xmin) < s.until)
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--senders", type=int, default=20)
    parser.add_argument("--rounds", type=int, default=50)


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    took: list[float] = []
    with Recipients() as unused:
        async with common.open_bench(
            unused,
            postgres={"track_commit_timestamp": "on"},
            lease_seconds=30.0,
            database_pool_size=given.senders + 5,
        ) as bench:
            world = bench.world
            async with world.database.read() as connection:
                await connection.execute(NOTE_SENDING)
            with common.sink(bench.home) as port:
                mailboxes = await common.add_mailboxes(world, given.senders, port)
                sequence = await world.add_sequence("switch", steps=100, mailboxes=mailboxes)
                contacts = await common.add_contacts(world, "c", given.senders * 4)
                async with WorkerProcess(world.settings, bench.home) as worker:
                    await common.start(world, sequence, contacts, common.later(86_400))
                    await worker.terminate()
                script = (str(ROOT / "benchmarks" / "senders.py"), sequence, str(given.senders))
                async with WorkerProcess(world.settings, bench.home, "senders", script):
                    for _ in range(given.rounds):
                        busy = await _sent(world) + given.senders
                        await common.reached(world, SENT, sequence, busy, every=0.01, seconds=60)
                        await asyncio.sleep(random.uniform(0, 0.05))
                        began = time.perf_counter()
                        await world.clients.switch("sequence", sequence, on=False, by="benchmark")
                        took.append((time.perf_counter() - began) * 1000)
                        await asyncio.sleep(0.2)
                        await _on(world, sequence)
                    sent = await _sent(world)
                    async with world.database.read() as connection:
                        passed = await connection.fetchval(PASSED, sequence)
    figures = {
        "passed_the_switch": passed,
        "switch_ms_max": round(max(took), 1),
        "switch_ms_median": round(median(took), 1),
        "rounds": given.rounds,
        "senders": given.senders,
        "emails": sent,
    }
    common.report(
        "switch",
        [
            ("`sending` commits after the switch's", str(passed), "0"),
            ("switch-off, longest", f"{figures['switch_ms_max']} ms", f"< {BAR:g} ms"),
            ("switch-off, median", f"{figures['switch_ms_median']} ms", ""),
            ("emails sent meanwhile", str(sent), ""),
        ],
        figures,
    )
    return 0 if passed == 0 and max(took) < BAR else 1


async def _sent(world: World) -> int:
    async with world.database.read() as connection:
        return int(await connection.fetchval(SENT, world.sequence))


async def _on(world: World, sequence: str) -> None:
    """Without the durable waker: the senders look at the gate themselves."""
    async with world.database.transaction() as connection:
        await gates.switch(connection, "sequence", sequence, state="on", by="benchmark", now=datetime.now(UTC))
