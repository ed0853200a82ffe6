"""Labelled mail, given by path: what the classifier makes of it, as tables.

PATH holds `bounces/labels.jsonl` beside the mails it names. A label's `classes` are coarser than ours: MEANS says which of ours agree
with each. Bars: bounces found, class right where two labellers agree, and truly dead addresses among those called hard.

PATH also holds `out_of_office/*.jsonl`: a mail a line, as subject, headers and body (see benchmarks/absences.py).
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import absences, common
from domain.inbound import Kind, Reading
from mail.inbound import read

FOUND_BAR, CLASS_BAR, HARD_BAR = 0.98, 0.88, 0.95

_DEAD = {"hard_invalid", "hard_domain", "moved", "inactive"}
_BLOCKED = {"spam_block", "policy_block", "content", "own_config"}
MEANS: dict[str, set[str]] = {
    "hard": _DEAD,
    "inactive": _DEAD,
    "ambiguous_hard_or_block": _DEAD | _BLOCKED,
    "hard_if_5xx": _DEAD | {"policy_block"},
    "block": _BLOCKED,
    "auth": {"auth_failure", "own_config"},
    "rate": {"rate_limited", "sender_quota", "greylist"},
    "mailbox_full": {"mailbox_full"},
    "soft": {"expired", "mailbox_full", "greylist", "rate_limited"},
    "unknown": {"unknown", "expired", "policy_block"},
}
_NO_BOUNCE = {
    "complaint": {Kind.COMPLAINT, Kind.UNSUBSCRIBE, Kind.OTHER_AUTOMATIC},
    "delivered": {Kind.DELIVERED},
}


@dataclass
class Bounces:
    """The counts of the table for bounces."""

    mails: int = 0
    bounces: int = 0
    found: int = 0
    judged: int = 0
    right: int = 0
    hard: int = 0
    dead: int = 0
    others: int = 0
    others_right: int = 0
    recipients_right: int = 0
    seconds: float = 0.0
    confusion: Counter[tuple[str, str]] = field(default_factory=Counter)
    misses: list[str] = field(default_factory=list)


def options(parser: argparse.ArgumentParser) -> None:
    """Command line."""
    parser.add_argument("path", type=Path, nargs="?", help="directory of the labelled mail")
    parser.add_argument("--misses", action="store_true", help="list what was read otherwise than labelled")


async def run(given: argparse.Namespace) -> int:
    """Measure."""
    if given.path is None:
        print("corpora: no PATH given, nothing measured")
        return 0
    failed = _bounces(given.path / "bounces", misses=given.misses)
    return absences.measure(given.path / "out_of_office", misses=given.misses) or failed


def _bounces(folder: Path, *, misses: bool) -> int:
    if not (folder / "labels.jsonl").is_file():
        return 0
    counts = Bounces()
    for line in (folder / "labels.jsonl").read_text().splitlines():
        label = json.loads(line)
        raw = (folder / label["file"]).read_bytes()
        began = time.perf_counter()
        reading = read(raw)
        counts.seconds += time.perf_counter() - began
        _count(counts, label, reading)
    found = counts.found / max(counts.bounces, 1)
    right = counts.right / max(counts.judged, 1)
    dead = counts.dead / max(counts.hard, 1)
    table = Table("label", "read as", "mails", title="bounces: classes")
    for (label, cls), count in sorted(counts.confusion.items()):
        table.add_row(label, cls, str(count))
    console = Console()
    console.print(table)
    if misses:
        for miss in counts.misses:
            console.print(miss, markup=False, highlight=False, soft_wrap=True)
    rows = [
        ("bounces found", f"{counts.found} of {counts.bounces} = {found:.1%}", f">= {FOUND_BAR:.0%}"),
        ("class right, label unanimous", f"{counts.right} of {counts.judged} = {right:.1%}", f">= {CLASS_BAR:.0%}"),
        ("dead of those called hard", f"{counts.dead} of {counts.hard} = {dead:.1%}", f">= {HARD_BAR:.0%}"),
        (
            "labelled recipient named (labels name the end of a forward)",
            f"{counts.recipients_right} of {counts.found}",
            "",
        ),
        ("others right", f"{counts.others_right} of {counts.others}", ""),
        ("time", f"{counts.seconds / max(counts.mails, 1) * 1000:.2f} ms a mail", ""),
    ]
    figures = {
        "mails": counts.mails,
        "found": round(found, 4),
        "class_right": round(right, 4),
        "hard_dead": round(dead, 4),
    }
    common.report("corpora: bounces", rows, figures)
    return 0 if found >= FOUND_BAR and right >= CLASS_BAR and dead >= HARD_BAR else 1


def _count(counts: Bounces, label: dict[str, Any], reading: Reading) -> None:
    counts.mails += 1
    name, labels = label["file"], label["classes"] or []
    kind = reading.kind
    other = next((one for one in ("complaint", "delivered", "auto_reply") if one in labels), None)
    if other is not None:
        right = kind in _NO_BOUNCE[other] if other in _NO_BOUNCE else kind is not Kind.BOUNCE
        counts.others += 1
        counts.others_right += right
        if not right:
            counts.misses.append(f"{name}: labelled {other}, read as {kind}")
        return
    counts.bounces += 1
    if kind not in (Kind.BOUNCE, Kind.DELAYED):
        counts.misses.append(f"{name}: labelled {'/'.join(labels)}, read as {kind}")
        return
    counts.found += 1
    named = {one.recipient for one in reading.bounce}
    counts.recipients_right += bool(named & {one.lower() for one in label["recipients"]}) or not label["recipients"]
    if not labels or label["label_confidence"] not in ("both", "single"):
        return
    accepted = set[str]().union(*(MEANS[one] for one in labels))
    classes = [one.cls for one in reading.bounce]
    right = bool(classes) and set(classes) <= accepted
    truly = any(one in ("hard", "inactive") or one.startswith(("ambiguous", "hard")) for one in labels)
    for one in reading.bounce:
        counts.confusion["/".join(labels), one.cls] += 1
    if any(one.hard for one in reading.bounce):
        counts.hard += 1
        counts.dead += truly
    if label["label_confidence"] == "both":
        counts.judged += 1
        counts.right += right
    if not right or (any(one.hard for one in reading.bounce) and not truly):
        said = " | ".join(f"{one.recipient}: {one.cls} [{one.source}] {one.diagnostic[:150]}" for one in reading.bounce)
        counts.misses.append(f"{name} ({label['label_confidence']}): labelled {'/'.join(labels)}, read as {said}")
