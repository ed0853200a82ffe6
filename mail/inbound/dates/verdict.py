"""Of all days that a text names as a return, the one to believe, or why there is none."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

from domain.inbound import Return, ReturnStatus
from mail.inbound.dates.resolve import FAR_DAYS, Resolved, shifted
from mail.inbound.dates.roles import Hit, Rank

MAX_EVIDENCE = 200
"""Characters of evidence."""


def judged(days: Resolved, today: dt.date, evidence: str, at: dt.datetime | None = None) -> Return:
    """A resolved day as the answer; refused where it is past or too far away."""
    status: ReturnStatus = days.status
    if status == "date":
        away = (days.days[0] - today).days
        status = "past" if away < 0 else "too_far" if away > FAR_DAYS else "date"
    date = days.days[0] if status == "date" else None
    candidates = () if status == "date" else days.days
    return Return(
        status=status, date=date, candidates=candidates, evidence=" ".join(evidence.split())[:MAX_EVIDENCE], at=at
    )


def decide(found: Sequence[Hit], today: dt.date, text: str) -> Return:
    """The answer for all hits of a text."""
    definite = [hit for hit in found if hit.days.status != "vague"]
    if not definite:
        if not found:
            return Return()
        hit = min(found, key=lambda one: (not one.days.days, one.rank))
        return judged(hit.days, today, text[hit.start : hit.end])
    rank = min(hit.rank for hit in definite)
    best = [hit for hit in definite if hit.rank == rank]
    words = text[best[0].start : best[0].end]
    if any(hit.days.status == "invalid" for hit in best):
        return judged(Resolved("invalid"), today, words)
    if rank in {Rank.RANGE, Rank.ABSENT}:
        best = _current(best, today)
    ahead = [hit for hit in best if any(day >= today for day in hit.days.days)]
    if not ahead and rank is Rank.BACK:
        # "I came back on 3 August" beside an absence that lasts
        later = [hit for hit in definite if hit.rank > rank and hit.days.status == "date" and hit.days.days[0] >= today]
        return decide(later, today, text) if later else judged(best[0].days, today, words)
    best = ahead or best
    words = text[best[0].start : best[0].end]
    common = set(best[0].days.days).intersection(*(hit.days.days for hit in best))
    doubted = any(hit.days.status == "ambiguous" and len(hit.days.days) == 1 for hit in best)  # the weekday disagrees
    if len(common) == 1 and not doubted:
        day = common.pop()
        others = _contradicting(day, definite) if rank is Rank.BACK else set()
        if not others:
            return judged(Resolved("date", (day,)), today, words)
        return judged(Resolved("ambiguous", tuple(sorted({day} | others))), today, words)
    return judged(Resolved("ambiguous", tuple(sorted({day for hit in best for day in hit.days.days}))), today, words)


def _contradicting(day: dt.date, definite: Sequence[Hit]) -> set[dt.date]:
    """The ends of absences that last beyond the return, where none ends with it."""
    ends = [
        (hit.days.days[0], hit.first)
        for hit in definite
        if hit.rank in {Rank.UNTIL, Rank.RANGE} and hit.days.status == "date"
    ]
    if any(end == day for end, _ in ends):
        return set()
    return {end for end, first in ends if end > day and (first is None or first < day)}


def _current(found: list[Hit], today: dt.date) -> list[Hit]:
    """Of several absences the one that lasts now; of adjoining ones the last."""
    if len(found) < 2 or any(hit.days.status != "date" for hit in found):
        return found
    ahead = sorted((hit for hit in found if hit.days.days[0] >= today), key=lambda hit: hit.days.days[0])
    if not ahead:
        return found
    if all(hit.rank is Rank.ABSENT for hit in ahead):
        adjoining = all(_adjoin(one.days.days[0], shifted(two.days.days[0], -1)) for one, two in pairwise(ahead))
        return [ahead[-1]] if adjoining else ahead
    current = ahead[0]
    if not current.first or not current.first <= today < current.days.days[0]:
        return ahead
    for hit in ahead[1:]:
        if hit.first and _adjoin(current.days.days[0], hit.first):
            current = hit
    return [current]


def _adjoin(back: dt.date, away: dt.date) -> bool:
    """Whether no Monday to Friday lies in [back, away)."""
    days = (away - back).days
    return days <= 2 and all(shifted(back, day).weekday() > 4 for day in range(days))
