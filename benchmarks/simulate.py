"""How long a simulation takes: 10,000 contacts, five steps, four mailboxes with hourly and daily limits and jitter."""

from __future__ import annotations

import argparse
import time
from datetime import UTC, datetime

from benchmarks import common
from domain.planner import Play
from domain.plans import Newcomer, Running, Sender, World
from domain.sequences import WEEKDAYS, Limits, Schedule, Sequence

BAR = 60.0
"""Seconds: years in about a minute."""


def options(parser: argparse.ArgumentParser) -> None:
    """How many."""
    parser.add_argument("--contacts", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--mailboxes", type=int, default=4)
    parser.add_argument("--per-24h", type=int, default=None, help="with this limit too")


async def run(given: argparse.Namespace) -> int:
    """Play it once."""
    boxes = tuple(f"box{number}" for number in range(given.mailboxes))
    windows = {day: [{"start": "09:00", "end": "17:00"}] for day in WEEKDAYS[:5]}
    schedule = Schedule.model_validate({"id": "office", "zone": "Europe/Berlin", "windows": windows})
    rule = {"per_day": 400, "per_hour": 50, "gap": "45s", "jitter": "30s", "per_24h": given.per_24h}
    steps = [
        {"id": f"s{number}", "wait": "3d" if number else "0s", "subject": "s", "text": "t"}
        for number in range(given.steps)
    ]
    definition = {"id": "q", "name": "q", "schedule": "office", "mailboxes": boxes, "steps": steps}
    start = datetime(2027, 3, 1, 6, tzinfo=UTC)
    newcomers = [Newcomer(f"{number:07}", f"c{number}", "q", start) for number in range(given.contacts)]
    senders = dict.fromkeys(boxes, Sender(Limits.model_validate(rule)))
    world = World(start, {"q": Running(Sequence.model_validate(definition), schedule)}, senders, (), newcomers)
    began = time.perf_counter()
    emails = list(Play(world).run())
    took = time.perf_counter() - began
    days = (emails[-1].at - start).days
    figures = {"emails": len(emails), "seconds": round(took, 2), "days": days}
    common.report(
        "simulate",
        [
            ("emails played", str(len(emails)), str(given.contacts * given.steps)),
            ("days of virtual time", str(days), ""),
            ("seconds", f"{took:.1f}", f"<= {BAR:g}"),
        ],
        figures,
    )
    return 0 if took <= BAR and len(emails) == given.contacts * given.steps else 1
