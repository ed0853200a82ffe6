"""Labelled automatic mail: is its kind right, and the return date.

A line of FOLDER/*.jsonl is an object with `subject`, `headers`, `body`, `received_date`, `expected_kind`, `accept_return_dates`, and `accept_null`:
whether it is right to read no date. A date that is not accepted is wrong, also where none is stated.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import common
from domain.inbound import Kind, Reading
from mail.inbound import read

KIND_BAR, DATE_BAR, WRONG_BAR = 0.97, 0.92, 0.02
_KINDS = {"ooo": Kind.OUT_OF_OFFICE, "auto_ack": Kind.ACKNOWLEDGEMENT}


def measure(folder: Path, *, misses: bool) -> int:
    """Print the tables; 1 if a bar is missed."""
    files = sorted(folder.glob("*.jsonl"))
    samples = [json.loads(line) for file in files for line in file.read_text("utf-8").splitlines() if line.strip()]
    if not samples:
        return 0
    kinds: Counter[tuple[str, str]] = Counter()
    dates: Counter[str] = Counter()
    missed: list[str] = []
    for sample in samples:
        reading = read(_mail(sample), datetime.fromisoformat(sample["received_date"]))
        wanted = _KINDS.get(sample["expected_kind"], sample["expected_kind"])
        kinds[str(wanted), reading.kind.value] += 1
        if reading.kind != wanted:
            missed.append(f"{sample['id']}: {wanted}, read as {reading.kind} by {reading.rule}")
        if wanted == Kind.OUT_OF_OFFICE:
            verdict = _date(sample, reading)
            dates[verdict] += 1
            if verdict != "right":
                missed.append(
                    f"{sample['id']}: date {verdict}: {reading.return_!r}, not {sample['accept_return_dates']}"
                )
    table = Table("label", "read as", "mails", title="out of office: kinds")
    for (label, kind), count in sorted(kinds.items()):
        table.add_row(label, kind, str(count))
    console = Console()
    console.print(table)
    if misses:
        for miss in missed:
            console.print(miss, markup=False, highlight=False, soft_wrap=True)
    good = sum(count for (label, kind), count in kinds.items() if label == kind)
    kind_right = good / len(samples)
    absent = max(dates.total(), 1)
    right, wrong = dates["right"] / absent, dates["wrong"] / absent
    rows = [
        ("kind right", f"{good} of {len(samples)} = {kind_right:.1%}", f">= {KIND_BAR:.0%}"),
        ("return date right", f"{dates['right']} of {absent} = {right:.1%}", f">= {DATE_BAR:.0%}"),
        ("return date wrong", f"{dates['wrong']} of {absent} = {wrong:.1%}", f"<= {WRONG_BAR:.0%}"),
        ("return date missed", f"{dates['missed']} of {absent}", ""),
    ]
    figures = {"kind_right": round(kind_right, 4), "date_right": round(right, 4), "date_wrong": round(wrong, 4)}
    common.report("corpora: out of office", rows, figures)
    return 0 if kind_right >= KIND_BAR and right >= DATE_BAR and wrong <= WRONG_BAR else 1


def _mail(sample: dict[str, Any]) -> bytes:
    message = EmailMessage(policy=SMTP.clone(max_line_length=998))
    message.set_content(sample["body"])
    fields = {
        "From": "dana@customer.example",
        "To": "sam@ours.example",
        "Date": format_datetime(datetime.fromisoformat(sample["received_date"])),
        "Subject": sample["subject"],
        **sample["headers"],
    }
    for name, value in fields.items():
        del message[name]
        message[name] = value
    return message.as_bytes()


def _date(sample: dict[str, Any], reading: Reading) -> str:
    """Whether the day read is `right`, `wrong`, or `missed`."""
    day = reading.return_.date
    if day is None:
        return "right" if sample["accept_null"] else "missed"
    return "right" if day.isoformat() in sample["accept_return_dates"] else "wrong"
