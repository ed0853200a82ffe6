"""What a booking costs when 100 wait and when 10,000 wait: does its time grow with the queue?

Two sets of mailboxes with the same limits in one database, one with the short queue and one with the long, booked in turn;
everybody is due at once, as after a resume or a switch. What counts is the ratio of the medians. Before that the long queue
is checked: order kept, no hour with more than the limit, finished when arithmetic says.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from statistics import median
from uuid import UUID

from benchmarks import common
from domain.sequences import Limits, Schedule, parse_definition
from embedded.recipients import Recipients
from store import slots
from store.database import Database
from store.slots import Calendar, Email
from tests.harness import ALWAYS, World

BAR = 1.5
PER_HOUR = 50
ENROLL = """
INSERT INTO enrollments (id, workflow_id, sequence_id, contact_id, run_id, version, state, status, last_event_at, started_at)
SELECT n::text::uuid, 'w', $2, 'c', n::text::uuid, 1, '{}', 'active', now(), now()
FROM (SELECT lpad(n::text, 32, '0') AS n FROM generate_series(0, $1::int - 1) n) n
"""


@dataclass
class Queue:
    """Mailboxes with so many enrollments waiting, shared out evenly."""

    database: Database
    calendars: list[Calendar]
    first: int
    """The number of its first enrollment; the enrollments' IDs are numbers."""
    booked: int = 0

    async def book(self, due: datetime) -> float:
        """Book the next enrollment; the seconds it took, commit included."""
        calendar = self.calendars[self.booked % len(self.calendars)]
        email = Email(str(UUID(int=_as_hex(self.first + self.booked))), "c", "s", first_touch=False)
        began = time.perf_counter()
        async with self.database.transaction() as connection:
            await slots.book(connection, calendar, email, due=due)
        self.booked += 1
        return time.perf_counter() - began


def _as_hex(number: int) -> int:
    """PostgreSQL made the UUID of the number's decimal digits."""
    return int(str(number), 16)


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--few", type=int, default=100, help="waiting in the short queue")
    parser.add_argument("--many", type=int, default=10_000, help="waiting in the long queue")
    parser.add_argument("--mailboxes", type=int, default=4, help="mailboxes of each queue")
    parser.add_argument("--samples", type=int, default=200, help="bookings measured at the end of each queue")


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    plan = parse_definition(Schedule, {"id": "always", "zone": "UTC", "windows": ALWAYS})
    limits = Limits.model_validate({"per_day": 10_000, "per_hour": PER_HOUR, "gap": "0s"})
    due = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    with Recipients() as unused:
        async with common.open_bench(unused) as bench:
            world = bench.world
            await world.add_sequence("bookings")
            await _enroll(world, given.few + given.many + 2 * given.samples)
            queues = []
            for name, first in (("few", 0), ("many", given.few + given.samples)):
                names = [await world.add_mailbox(f"{name}{number}") for number in range(given.mailboxes)]
                calendars = [Calendar(mailbox, plan, plan, limits) for mailbox in names]
                queues.append(Queue(world.database, calendars, first))
            few, many = queues
            began = time.perf_counter()
            for queue, count in ((few, given.few), (many, given.many)):
                common.say(f"Booking {count}")
                for _ in range(count):
                    await queue.book(due)
            filled = time.perf_counter() - began
            most, last = await _check(world, many, given.many, due)
            took: tuple[list[float], list[float]] = ([], [])
            for _ in range(given.samples):
                for times, queue in zip(took, queues, strict=True):
                    times.append(await queue.book(due))
    short, long = (median(times) * 1000 for times in took)
    expected = due + timedelta(hours=-(-given.many // given.mailboxes // PER_HOUR) - 1)
    figures = {
        "few": given.few,
        "many": given.many,
        "ratio": round(long / short, 2),
        "few_ms": round(short, 2),
        "many_ms": round(long, 2),
        "bookings_per_second": round((given.few + given.many) / filled),
        "most_in_an_hour": most,
        "hours": (last - due) / timedelta(hours=1) + 1,
    }
    common.report(
        "bookings",
        [
            (f"a booking with {given.few} waiting, median", f"{short:.2f} ms", ""),
            (f"a booking with {given.many} waiting, median", f"{long:.2f} ms", ""),
            ("ratio", f"{figures['ratio']}", f"<= {BAR}"),
            ("most in any hour of a mailbox", str(most), f"<= {PER_HOUR}"),
            (
                "hours until the last of the long queue",
                f"{figures['hours']:g}",
                f"{(expected - due) / timedelta(hours=1) + 1:g}",
            ),
            ("bookings per second, one after the other", str(figures["bookings_per_second"]), ""),
        ],
        figures,
    )
    return 0 if long / short <= BAR and most <= PER_HOUR and last == expected else 1


async def _enroll(world: World, count: int) -> None:
    async with world.database.transaction() as connection:
        await connection.execute("INSERT INTO contacts (id) VALUES ('c')")
        await connection.execute("DROP INDEX enrollments_one_open")  # one contact will do here
        await connection.execute(ENROLL, count, world.sequence)


async def _check(world: World, queue: Queue, count: int, due: datetime) -> tuple[int, datetime]:
    """The most emails in any hour of a mailbox, and the last slot. Raises AssertionError where somebody overtook another."""
    most, last = 0, due
    for calendar in queue.calendars:
        async with world.database.read() as connection:
            rows = await connection.fetch(
                "SELECT at FROM slots WHERE mailbox_id = $1 ORDER BY enrollment_id", calendar.mailbox
            )
        times = [row["at"] for row in rows]
        assert len(times) == count // len(queue.calendars)
        assert all(earlier <= later for earlier, later in pairwise(times)), "order is not kept"
        ahead = 0
        for place, at in enumerate(times):
            while at - times[ahead] >= timedelta(hours=1):
                ahead += 1
            most = max(most, place - ahead + 1)
        last = max(last, times[-1])
    return most, last
