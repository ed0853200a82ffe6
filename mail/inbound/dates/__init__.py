"""When somebody absent is back, from the new text of an automatic mail.

The rules: a date counts only with words that make it a return, the end of an absence, or a range of absence; "back on" beats "until", which beats
a range. "until X" is read as back on X, "through X" and the end of a range as back on the day after. What can be read in
two ways is never guessed.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from domain.inbound import Return
from mail.inbound.dates.lexer import lex
from mail.inbound.dates.names import clean
from mail.inbound.dates.resolve import FAR_DAYS, Order, Resolved
from mail.inbound.dates.roles import Hit, Rank, hits, settled_order

MAX_TEXT = 6_000
"""Characters of a text that are looked at."""

_END_DATE = re.compile(r"end_?date\W{0,4}(\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?|\d{10}(?:\d{3})?)", re.IGNORECASE)
_COUNTRY = re.compile(r"(?:\+|\b00)(\d{1,3})[\s().\-]")
_QUOTE = re.compile(r"^[ \t]*>.*$", re.MULTILINE)


def returning(
    text: str,
    subject: str,
    received: dt.datetime,
    *,
    tld: str = "",
    language: str = "",
    signature: str = "",
    apple_criteria: str = "",
) -> Return:
    """The first day back that an automatic mail states.

    `text` is its new text, `received` an aware time in the sender's own offset: "tomorrow" is the day after that date.
    `tld` (of the sender's address), `language` (Content-Language) and `signature` only help to decide whether 10/11 begins with the day. `apple_criteria` is the
    value of X-Apple-Criteria, which states the end of an iCloud vacation.
    """
    stated = _stated(apple_criteria, received)
    if stated:
        return stated
    today = received.date()
    body = lex(clean(_QUOTE.sub("", text[:MAX_TEXT])), language[:2].lower())
    order = settled_order(body) or _order(body.language, received, tld, f"{text[-1500:]}\n{signature[:1500]}")
    result = _decide(list(hits(body, order, today)), today, body.text)
    if result.status in {"none", "vague"} and subject and not result.candidates:
        title = lex(clean(subject[:300]), language[:2].lower())
        from_subject = _decide(list(hits(title, settled_order(title) or order, today, subject=True)), today, title.text)
        if from_subject.status != "none":
            return from_subject
    return result


def _stated(criteria: str, received: dt.datetime) -> Return | None:
    found = _END_DATE.search(criteria[:1000])
    if not found:
        return None
    value = found[1]
    try:
        if value.isdigit():
            at = dt.datetime.fromtimestamp(int(value[:10]), dt.UTC)
        else:
            at = dt.datetime.fromisoformat(value)
            at = at if at.tzinfo else at.replace(tzinfo=received.tzinfo)
        day = at.astimezone(received.tzinfo).date() + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return _judged(Resolved("date", (day,)), received.date(), found[0], at)


def _order(language: str, received: dt.datetime, tld: str, signature: str) -> Order:
    """The order that the sender's language or country suggests."""
    if language in {"ja", "ko", "zh", "hu"}:
        return "md"
    if language and language != "en":
        return "dm"
    votes = set()
    offset = received.utcoffset()
    minutes = int(offset.total_seconds() // 60) if offset else 0
    if minutes:
        votes.add("md" if -600 <= minutes <= -240 else "dm" if minutes >= 60 else "")
    tld = tld.lower().rsplit(".", 1)[-1]
    if len(tld) == 2 and tld.isalpha() and tld not in {"io", "ai", "co", "tv", "me", "ca", "ph"}:
        votes.add("md" if tld == "us" else "dm")
    elif tld in {"gov", "mil", "edu"}:
        votes.add("md")
    votes |= {"md" if code.startswith("1") else "dm" for code in _COUNTRY.findall(signature)[:5]}
    votes.discard("")
    return votes.pop() if len(votes) == 1 else ""


def _judged(days: Resolved, today: dt.date, evidence: str, at: dt.datetime | None = None) -> Return:
    evidence = " ".join(evidence.split())[:200]
    if days.status != "date":
        return Return(status=days.status, candidates=days.days, evidence=evidence, at=at)  # type: ignore[arg-type]
    day = days.days[0]
    if day < today:
        return Return(status="past", candidates=(day,), evidence=evidence, at=at)
    if (day - today).days > FAR_DAYS:
        return Return(status="too_far", candidates=(day,), evidence=evidence, at=at)
    return Return(status="date", date=day, candidates=(), evidence=evidence, at=at)


def _decide(found: Sequence[Hit], today: dt.date, text: str) -> Return:
    if not found:
        return Return()
    definite = [hit for hit in found if hit.days.status != "vague"]
    if not definite:
        hit = min(found, key=lambda one: (not one.days.days, one.rank))
        return _judged(hit.days, today, text[hit.start : hit.end])
    rank = min(hit.rank for hit in definite)
    best = [hit for hit in definite if hit.rank == rank]
    if any(hit.days.status == "invalid" for hit in best):
        return _judged(Resolved("invalid"), today, _words(best, text))
    if rank is Rank.RANGE or rank is Rank.ABSENT:
        best = _around(best, today)
    ahead = [hit for hit in best if any(day >= today for day in hit.days.days)]
    if not ahead and rank is Rank.BACK:
        # "I came back on 3 August" beside an absence that lasts
        others = [hit for hit in definite if hit.rank > rank and hit.days.status == "date" and hit.days.days[0] >= today]
        return _decide(others, today, text) if others else _judged(best[0].days, today, _words(best, text))
    best = ahead or best
    readings = set(best[0].days.days)
    for hit in best[1:]:
        readings &= set(hit.days.days)
    mismatch = any(hit.days.status == "ambiguous" and len(hit.days.days) == 1 for hit in best)
    if len(readings) == 1 and not mismatch:
        day = readings.pop()
        if rank is Rank.BACK and _contradicted(day, definite):
            rest = {d for hit in definite if hit.rank is Rank.UNTIL for d in hit.days.days}
            return _judged(Resolved("ambiguous", tuple(sorted({day} | rest))), today, _words(best, text))
        return _judged(Resolved("date", (day,)), today, _words(best, text))
    days = tuple(sorted({day for hit in best for day in hit.days.days}))
    return _judged(Resolved("ambiguous", days), today, _words(best, text))


def _contradicted(day: dt.date, definite: Sequence[Hit]) -> bool:
    """Whether an absence that has begun ends after the return."""
    return any(
        hit.days.status == "date" and hit.days.days[0] > day and (hit.first is None or hit.first < day) and hit.rank in {Rank.UNTIL, Rank.RANGE}
        for hit in definite
    ) and not any(hit.rank is Rank.UNTIL and hit.days.status == "date" and hit.days.days[0] == day for hit in definite)


def _around(found: list[Hit], today: dt.date) -> list[Hit]:
    """Of several absences the one that lasts now; of adjoining ones the last."""
    ordered = sorted((hit for hit in found if hit.days.status == "date"), key=lambda hit: hit.days.days[0])
    if len(ordered) != len(found) or len(found) < 2:
        return found
    last = [hit for hit in ordered if hit.days.days[0] >= today]
    if len(last) > 1 and last[0].first and last[0].first <= today < last[0].days.days[0]:
        current = last[0]
        for hit in last[1:]:
            if hit.first and not _workday_between(current.days.days[0], hit.first):
                current = hit
        return [current]
    if all(hit.rank is Rank.ABSENT for hit in last) and last and (last[-1].days.days[0] - last[0].days.days[0]).days < len(last):
        return [last[-1]]
    return last or found


def _workday_between(first: dt.date, end: dt.date) -> bool:
    """Whether a Monday to Friday lies in [first, end)."""
    days = (end - first).days
    return days > 2 or any((first + dt.timedelta(days=day)).weekday() < 5 for day in range(days))


def _words(found: Sequence[Hit], text: str) -> str:
    return text[found[0].start : found[0].end]
