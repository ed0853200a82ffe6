"""A page of contacts by status: does its time grow with the number of enrollments in the sequence?

A small and a large sequence in one database, pages of each in turn, from the first page and from deep inside; what counts
is the ratio of the medians. The plan is asserted by tests/store/test_listing.py.
"""

from __future__ import annotations

import argparse
import time
from statistics import median

from benchmarks import common
from embedded.recipients import Recipients
from store import listing
from store.database import Connection
from tests.harness import World

BAR = 1.5

FILL = """
INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, mailbox_id, run_id, version, state, status, reason,
                         step_number, next_at, last_event_at, contact_name, started_at)
SELECT gen_random_uuid(), 'w' || n, $2, 'c' || n, $3, gen_random_uuid(), 1,
       jsonb_build_object('enrollment', 'e', 'sequence', $2::text, 'contact', 'c' || n),
       (ARRAY['active', 'paused', 'bounced', 'not_sent', 'finished'])[1 + n % 5], 'manual', 1 + n % 4,
       CASE WHEN n % 3 = 0 THEN NULL ELSE now() + n * interval '1 second' END, now() - n * interval '1 second',
       'name ' || (n::bigint * 7919 % 1000003), now()
FROM generate_series(1, $1::int) n
"""


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--small", type=int, default=1_000, help="enrollments in the small sequence")
    parser.add_argument("--large", type=int, default=1_000_000, help="enrollments in the large sequence")
    parser.add_argument("--rounds", type=int, default=40, help="pages of each sequence, sort and place")


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    with Recipients() as unused:
        async with common.open_bench(unused) as bench:
            world = bench.world
            small, large = await world.add_sequence("small"), await world.add_sequence("large")
            async with world.database.pool.acquire() as connection:
                common.say(f"Filling in {given.large} enrollments")
                await connection.execute(
                    "INSERT INTO contacts (id, last_name) SELECT 'c' || n, 'Name ' || n FROM generate_series(1, $1::int) n",
                    given.large,
                    timeout=900,
                )
                for sequence, count in ((small, given.small), (large, given.large)):
                    await connection.execute(FILL, count, sequence, world.mailbox, timeout=1800)
                await connection.execute("VACUUM ANALYZE", timeout=900)
            ratios = await _compare(world, small, large, given.rounds)
    worst = max(ratio for _, _, ratio in ratios.values())
    rows = [
        (f"by {name}", f"{few:.2f} ms / {many:.2f} ms = 1 / {ratio:.2f}", f"<= {BAR}")
        for name, (few, many, ratio) in ratios.items()
    ]
    figures = {
        "small": given.small,
        "large": given.large,
        "worst_ratio": round(worst, 2),
        "ratios": {name: round(ratio, 2) for name, (_, _, ratio) in ratios.items()},
    }
    common.report("pages", rows, figures)
    return 0 if worst <= BAR else 1


async def _compare(world: World, small: str, large: str, rounds: int) -> dict[str, tuple[float, float, float]]:
    """Medians in milliseconds of a page in the small and in the large sequence, and their ratio, by sort and status."""
    found = {}
    async with world.database.read() as connection:
        for sort in ("last_event", "next_action", "step", "name"):
            for status in (None, ["active", "paused"]):
                took: dict[str, list[float]] = {small: [], large: []}
                for _ in range(rounds):
                    for sequence, times in took.items():
                        times += await _two_pages(connection, sequence, sort, status)
                few, many = (median(times) * 1000 for times in took.values())
                found[f"{sort}, {'all' if status is None else 'active and paused'}"] = (few, many, many / few)
    return found


async def _two_pages(
    connection: Connection, sequence: str, sort: listing.Sort, status: list[str] | None
) -> list[float]:
    """Seconds of the first page and of the one behind it."""
    times, cursor = [], None
    for _ in range(2):
        began = time.perf_counter()
        page = await listing.page(connection, sequence, status=status, sort=sort, cursor=cursor, limit=50)
        times.append(time.perf_counter() - began)
        cursor = page.next_cursor
    return times
