"""Emails per second of Onward, against the bare workflow of the same shape on the same servers in the same run.

Both have their own worker process. Rounds alternate (Onward, bare, Onward, bare, ...), because a machine's speed drifts;
what counts is the ratio of each pair, and the median of the ratios. A round begins when the first step of all its
workflows falls due, and ends with its last email (for the bare workflow: with its last close).
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

from benchmarks import common
from embedded.recipients import Recipients
from tests.durability.processes import ROOT, WorkerProcess
from tests.harness import World

BAR = 0.6


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("--contacts", type=int, default=150, help="enrollments in a round")
    parser.add_argument("--steps", type=int, default=4, help="emails to each")
    parser.add_argument("--pairs", type=int, default=4, help="pairs of rounds")
    parser.add_argument("--mailboxes", type=int, default=15, help="mailboxes that share a round")


@dataclass(frozen=True)
class Round:
    """What one round took: steps per second, and CPU seconds of its worker for each step."""

    per_second: float
    cpu: float | None


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    with Recipients() as unused:
        async with common.open_bench(unused, lease_seconds=30.0) as bench:
            world = bench.world
            bare = world.settings.model_copy(update={"task_queue": "bare"})
            script = (str(ROOT / "benchmarks" / "bare.py"),)
            with common.sink(bench.home) as port:
                async with (
                    WorkerProcess(world.settings, bench.home) as ours,
                    WorkerProcess(bare, bench.home, "bare", script) as theirs,
                ):
                    mailboxes = await common.add_mailboxes(world, given.mailboxes, port)
                    pairs = []
                    for number in range(given.pairs + 1):
                        mine = await _onward(world, f"round{number}", mailboxes, given, ours.server.pid)
                        other = await _bare(world, f"round{number}", given, theirs.server.pid)
                        common.say(f"{_shown(mine)} : {_shown(other)}" + (" (warm-up)" if number == 0 else ""))
                        pairs += [(mine, other)] if number else []
    ratios = [mine.per_second / other.per_second for mine, other in pairs]
    figures: dict[str, Any] = {
        "ratio": round(median(ratios), 3),
        "ratios": [round(ratio, 3) for ratio in ratios],
        "emails_per_second": round(median(mine.per_second for mine, _ in pairs), 1),
        "bare_steps_per_second": round(median(other.per_second for _, other in pairs), 1),
        "worker_cpu_ms_per_email": _cpu([mine for mine, _ in pairs]),
        "bare_cpu_ms_per_step": _cpu([other for _, other in pairs]),
        "contacts": given.contacts,
        "steps": given.steps,
    }
    common.report(
        "throughput",
        [
            ("ratio to the bare workflow (median)", f"{figures['ratio']}", f">= {BAR}"),
            ("emails per second", f"{figures['emails_per_second']}", ""),
            ("bare steps per second", f"{figures['bare_steps_per_second']}", ""),
            ("worker CPU per email", f"{figures['worker_cpu_ms_per_email']} ms", ""),
            ("bare worker CPU per step", f"{figures['bare_cpu_ms_per_step']} ms", ""),
        ],
        figures,
    )
    return 0 if figures["ratio"] >= BAR else 1


def _begin(contacts: int) -> datetime:
    """Late enough that all are admitted by then."""
    return datetime.now(UTC) + timedelta(seconds=4 + contacts / 15)


async def _onward(world: World, name: str, mailboxes: list[str], given: argparse.Namespace, pid: int) -> Round:
    sequence = await world.add_sequence(name, steps=given.steps, wait="1s", mailboxes=mailboxes)
    contacts = await common.add_contacts(world, name, given.contacts)
    begin = _begin(given.contacts)
    await common.start(world, sequence, contacts, begin - timedelta(seconds=1))
    cpu = await _at(begin, pid)
    query = "SELECT count(*) FROM enrollments WHERE sequence_id = $1 AND status = 'finished'"
    await common.reached(world, query, sequence, given.contacts)
    async with world.database.read() as connection:
        row = await connection.fetchrow(
            "SELECT count(*) AS sent, max(settled_at) AS last FROM send_ledger WHERE sequence_id = $1 AND state = 'sent'",
            sequence,
        )
    assert row is not None
    assert row["sent"] == given.contacts * given.steps
    return _round(row["sent"], begin, row["last"], cpu, pid)


async def _bare(world: World, name: str, given: argparse.Namespace, pid: int) -> Round:
    begin = _begin(given.contacts)
    gate = asyncio.Semaphore(common.PARALLEL)

    async def one(number: int) -> None:
        async with gate:
            left = (begin - datetime.now(UTC)).total_seconds()
            waits = [left, *[1.0] * (given.steps - 1)]
            await world.client.start_workflow("Bare", waits, id=f"bare/{name}/{number}", task_queue="bare")

    await asyncio.gather(*(one(number) for number in range(given.contacts)))
    cpu = await _at(begin, pid)
    # As sparing with the server as the count of Onward's finished: not one poll for each workflow.
    query = f"WorkflowType = 'Bare' AND ExecutionStatus = 'Completed' AND WorkflowId STARTS_WITH 'bare/{name}/'"
    async with asyncio.timeout(900):
        while (await world.client.count_workflows(query)).count < given.contacts:
            await asyncio.sleep(0.25)
    ends = [found.close_time async for found in world.client.list_workflows(query) if found.close_time is not None]
    return _round(given.contacts * given.steps, begin, max(ends), cpu, pid)


async def _at(begin: datetime, pid: int) -> float | None:
    """Wait for the begin; the worker's CPU time then."""
    left = (begin - datetime.now(UTC)).total_seconds()
    assert left > 0, "the workflows were not started in time; give fewer contacts"
    await asyncio.sleep(left)
    return common.cpu_seconds(pid)


def _round(steps: int, begin: datetime, end: datetime, cpu: float | None, pid: int) -> Round:
    spent = common.cpu_seconds(pid)
    used = None if cpu is None or spent is None else (spent - cpu) / steps
    return Round(steps / (end - begin).total_seconds(), used)


def _cpu(rounds: list[Round]) -> float | None:
    used = [one.cpu for one in rounds if one.cpu is not None]
    return round(median(used) * 1000, 2) if used else None


def _shown(one: Round) -> str:
    return f"{one.per_second:.1f}/s" + (f", {one.cpu * 1000:.1f} ms CPU" if one.cpu is not None else "")
