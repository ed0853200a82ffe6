"""What the demo shows: a live table at a terminal, lines of changes elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from cli.words import duration_of
from domain.reasons import find

STYLES = {
    "active": "cyan",
    "paused": "yellow",
    "bounced": "red",
    "not_sent": "magenta",
    "finished": "green",
    "removed": "dim",
}

WAITS = "waits for "


class Screen:
    """Shows the cast as it changes. `plots` are the contacts' lines of plot, by contact."""

    def __init__(self, console: Console, plots: Mapping[str, str]) -> None:
        self.console = console
        self.plots = plots
        self._live = Live(console=console, transient=True, auto_refresh=False) if console.is_terminal else None
        self._last: dict[str, str] = {}
        self._began = time.monotonic()

    def start(self) -> None:
        """Begin to show."""
        if self._live is not None:
            self._live.start()

    def stop(self) -> None:
        """Leave the terminal as it was. Safe to call twice."""
        if self._live is not None:
            self._live.stop()

    def say(self, line: str) -> None:
        """A line above the table."""
        self.console.print(line, highlight=False, markup=False, soft_wrap=True)

    def mail(self, mail: Mapping[str, Any]) -> None:
        """A line about a mail that came in: whose it is, what it was taken for."""
        whose = mail["contact"] or mail["from"]
        found = mail["return"]
        until = f", back {found['date']}" if found.get("date") else ""
        place = "" if mail["folder"] == "INBOX" else f"{mail['folder']}, "
        by = f"matched by {mail['matched_by']}" if mail["matched_by"] else "nobody's"
        self.say(f"{self._seconds():5.1f} s  {whose:<6} mail in: {mail['kind']}{until} ({place}{by})")

    def update(self, cast: Sequence[Mapping[str, Any]], now: datetime, footer: Sequence[str]) -> None:
        """Show the cast as it is now."""
        if self._live is not None:
            self._live.update(Group(self.table(cast, now), Text("\n".join(footer), style="dim")), refresh=True)
            return
        for shown in cast:
            line = _status_of(shown)
            if self._last.get(shown["contact"]) != line:
                self._last[shown["contact"]] = line
                self.say(f"{self._seconds():5.1f} s  {shown['contact']:<6} {line:<44} {next_words(shown, now)}")

    def _seconds(self) -> float:
        return time.monotonic() - self._began

    def table(self, cast: Sequence[Mapping[str, Any]], now: datetime) -> RenderableType:
        """One row per contact. In 80 columns and 24 lines everything has its place."""
        wide = self.console.width >= 110
        made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        made.add_column("Contact", no_wrap=True)
        if wide:
            made.add_column("Plot", style="dim", no_wrap=True)
        made.add_column("Status", no_wrap=True)
        made.add_column("Reason", no_wrap=True)
        made.add_column("Step", no_wrap=True)
        if wide:
            made.add_column("Sent", justify="right", no_wrap=True)
        made.add_column("Next, or waits for")
        for shown in cast:
            step = shown["step"]
            link = f"link {shown['temporal_ui']}" if shown["temporal_ui"] else ""
            made.add_row(
                Text(shown["contact"], style=f"bold {link}"),
                *([self.plots.get(shown["contact"], "")] if wide else []),
                Text(shown["label"], style=STYLES[shown["status"]]),
                shown["reason"] or shown["phase"] or "",
                f"{step['number']}/{step['total']}" if step else "",
                *([str(shown["sent"])] if wide else []),
                next_words(shown, now).removeprefix(WAITS),
            )
        return made


def _status_of(shown: Mapping[str, Any]) -> str:
    step = shown["step"]
    why = shown["reason"] or ""
    place = f" step {step['number']}/{step['total']}" if step else ""
    return f"{shown['label']}{f' ({why})' if why else ''}{place}"


def next_words(shown: Mapping[str, Any], now: datetime) -> str:
    """What happens next, in a few words with a countdown."""
    if shown["pending"]:
        return f"{shown['pending'][0]['shown']} …"
    coming = shown["next"]
    if coming["what"] == "send":
        cause = f" ({coming['cause']})" if shown["phase"] in ("window", "capacity") and coming["cause"] else ""
        return f"email {coming['number']} {_in(coming['at'], now)}{cause}"
    if coming["what"] == "settle":
        return f"ends as no_reply {_in(coming['at'], now)}"
    if coming["what"] == "resume":
        return f"goes on {_in(coming['at'], now)}"
    if coming["what"] == "nothing":
        return "ended"
    if coming["what"] == "reserve":
        return "finds a sending time"
    return f"{WAITS}{_whom(shown)}"


def _whom(shown: Mapping[str, Any]) -> str:
    """Who has to act, in a few words."""
    if shown["halt"] is not None:
        group = "not_sent" if shown["status"] == "not_sent" else "bounced"
        return find(group, shown["halt"]["reason"]).who  # type: ignore[arg-type]
    return str(shown["next"]["waits_for"])


def _in(at: str, now: datetime) -> str:
    left = (datetime.fromisoformat(at) - now).total_seconds()
    return f"in {duration_of(left)}" if left >= 1 else "now"
