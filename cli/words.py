"""Enrollments in lines of text, for people at a terminal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from domain.delivery import Answer

_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)")


def duration_of(seconds: float) -> str:
    """A length of time in a few letters: 8 s, 12 min, 3 h, 5 days."""
    for unit, size, upto in (("s", 1, 100), ("min", 60, 6000), ("h", 3600, 48 * 3600)):
        if seconds < upto:
            return f"{round(seconds / size)} {unit}"
    return f"{round(seconds / 86400)} days"


def moment_of(at: datetime | str, now: datetime) -> str:
    """An instant as a person reads it: how far away, and when (UTC)."""
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    away = (at - now).total_seconds()
    near = "now" if abs(away) < 1 else f"in {duration_of(away)}" if away > 0 else f"{duration_of(-away)} ago"
    return f"{near} ({at:%a %Y-%m-%d %H:%M:%S} UTC)"


def next_of(coming: Mapping[str, Any], now: datetime) -> str:
    """What happens next, from `domain.explain.next_event`."""
    what = coming["what"]
    if what == "nothing":
        return f"nothing: {coming['why']}"
    if what == "send":
        cause = f", waits for {coming['cause']}" if coming.get("cause") else ""
        return f"step {coming['number']} of {coming['total']} leaves {moment_of(coming['at'], now)}{cause}"
    if what == "settle":
        return f"ends as no_reply {moment_of(coming['at'], now)} unless a reply or bounce comes"
    if what == "resume":
        return f"goes on {moment_of(coming['at'], now)}"
    text = f"waits for {coming['waits_for']}"
    if coming.get("fix"):
        text += f"; {coming['fix']}"
    if coming.get("gives_up_at"):
        text += f"; gives up {moment_of(coming['gives_up_at'], now)}"
    return text


def headline(shown: Mapping[str, Any]) -> str:
    """Who, where, status and reason."""
    pending = ", ".join(mark["shown"] for mark in shown["pending"])
    why = f" ({shown['reason']})" if shown["reason"] else f" ({shown['phase']})" if shown["phase"] else ""
    return f"{shown['contact']} in {shown['sequence']}: {shown['label']}{why}" + (f", {pending}" if pending else "")


def shown_lines(shown: Mapping[str, Any], now: datetime) -> list[str]:
    """One enrollment."""
    step = shown["step"]
    lines = [headline(shown), f"  enrollment  {shown['enrollment']}"]
    if step:
        lines.append(f"  step        {step['number']} of {step['total']} ({step['id']}), attempt {shown['attempt']}")
    emails = "1 email" if shown["sent"] == 1 else f"{shown['sent']} emails"
    lines.append(f"  sent        {emails}, from {shown['mailbox'] or 'no mailbox'}")
    for hold in shown["holds"]:
        lines.append(f"  held        {hold_of(hold, now)}")
    lines.append(f"  next        {next_of(shown['next'], now)}")
    if shown.get("temporal_ui"):
        lines.append(f"  Temporal    {shown['temporal_ui']}")
    return lines


def hold_of(hold: Mapping[str, Any], now: datetime) -> str:
    """One hold: what, by whom, since when, until when, what releases it."""
    until = f", until {moment_of(hold['until'], now)}" if hold.get("until") else ""
    if not until and hold.get("day"):
        until = f", until {hold['day']}"
    return f"{hold['kind']} by {hold['by']}, {moment_of(hold['at'], now)}{until}; released: {hold['fix']}"


def explained_lines(told: Mapping[str, Any], now: datetime) -> list[str]:
    """Why, what next, what a person may do, and the guards."""
    lines = [headline(told), f"  {told['sentence']}"]
    for hold in told["holds"]:
        lines.append(f"  held     {hold['kind']}: {hold['source']}; released by {', or '.join(hold['released_by'])}")
    if told["halt"]:
        halt = told["halt"]
        goes_on = "it goes on by itself" if halt["heals"] else f"it {halt['position']}"
        lines.append(f"  stopped  {halt['reason']} {moment_of(halt['at'], now)}; {goes_on}")
    for number, wait in enumerate(told["waits"]):
        lines.append(f"  {'then   ' if number else 'waits  '}  {wait['code']}: {wait['words']}")
    for mark in told["recorded"]:
        lines.append(f"  recorded {mark['message']} by {mark['by']}, not taken up yet ({mark['shown']})")
    lines.append(f"  next     {next_of(told['next'], now)}")
    if told["ready_to"]:
        lines.append(f"  ready    the cause has cleared: {told['ready_to']} goes through now")
    if told["allowed"]:
        lines.append(f"  you may  {', '.join(told['allowed'])}")
    closed: dict[str, list[str]] = {}
    for one in told["actions"]:
        if not one["open"]:
            closed.setdefault(one["why"], []).append(one["action"])
    if closed:
        lines.append("  not now  " + "; ".join(f"{', '.join(names)} ({why})" for why, names in closed.items()))
    if told["guards"]:
        lines.append("  guards on the next email, with the facts of now:")
        width = max(len(guard["guard"]) for guard in told["guards"])
        for guard in told["guards"]:
            seen = ", ".join(f"{name}={_value(value)}" for name, value in guard["inputs"].items())
            mark = "ok  " if guard["passed"] else "STOP"
            lines.append(f"    {mark} {guard['guard']:<{width}}  {seen}")
            if not guard["passed"]:
                lines.append(f"         {'':<{width}}  {guard['verdict']} {guard['reason']}: {guard['change']}")
    if told.get("temporal_ui"):
        lines.append(f"  Temporal {told['temporal_ui']}")
    return lines


def _value(value: Any) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(str(each) for each in value) + "]"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and _INSTANT.fullmatch(value):
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S}"
    return "-" if value is None else str(value)


def event_line(line: Mapping[str, Any]) -> str:
    """One line of a story."""
    at = datetime.fromisoformat(line["at"])
    data = "  ".join(f"{name}={_value(value)}" for name, value in line["data"].items() if value is not None)
    return f"{at:%Y-%m-%d %H:%M:%S}  {line['kind']:<16} by {line['by']:<18} {data}".rstrip()


def answer_lines(answer: Answer, now: datetime) -> list[str]:
    """What a command led to."""
    why = f" ({answer.reason})" if answer.reason else ""
    lines = [f"{answer.label}{why}"]
    if not answer.adopted:
        lines = ["Recorded, and it holds; no worker has taken it up yet.", f"  was      {lines[0]}"]
    if answer.remaining_holds:
        lines.append(f"  held by  {', '.join(answer.remaining_holds)}")
    if answer.next is not None:
        lines.append(f"  next     {next_of(answer.next, now)}")
    if answer.allowed:
        lines.append(f"  you may  {', '.join(answer.allowed)}")
    return lines
