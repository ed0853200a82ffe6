"""When somebody absent is back, from the new text of an automatic mail.

The rules: a date counts only with words that make it a return, the end of an absence, or a range of absence; "back on" beats "until", which beats
a range. "until X" is read as back on X, "through X" and the end of a range as back on the day after. What can be read in
two ways is never guessed.
"""

from __future__ import annotations

import datetime as dt
import re

from domain.inbound import Return
from mail.inbound.dates.grammar import atoms
from mail.inbound.dates.lexer import lex
from mail.inbound.dates.names import clean
from mail.inbound.dates.resolve import Order, Resolved
from mail.inbound.dates.roles import hits, settled_order
from mail.inbound.dates.verdict import decide, judged

MAX_TEXT = 6_000
"""Characters of a text that are looked at."""

_END_DATE = re.compile(
    r"end_?date\W{0,4}(\d{4}-\d\d-\d\d(?:[T ]\d\d:?\d\d(?::?\d\d(?:\.\d{1,9})?)?)?(?:Z|[+-]\d\d:?\d\d)?|\d{10}(?:\d{3})?)",
    re.IGNORECASE,
)
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
    found = atoms(body)
    order = settled_order(body, found, today) or _order(
        body.language, received, tld, f"{text[-1500:]}\n{signature[:1500]}"
    )
    result = decide(list(hits(body, found, order, today)), today, body.text)
    if result.status in {"none", "vague"} and subject and not result.candidates:
        title = lex(clean(subject[:300]), language[:2].lower())
        found = atoms(title)
        order = settled_order(title, found, today) or order
        from_subject = decide(list(hits(title, found, order, today, subject=True)), today, title.text)
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
    if not 1970 <= at.year < 2200:  # the range of domain.wire.Instant
        return None
    return judged(Resolved("date", (day,)), received.date(), found[0], at)


def _order(language: str, received: dt.datetime, tld: str, signature: str) -> Order:
    """The order that the sender's language or country suggests."""
    if language in {"ja", "ko", "zh", "hu"}:
        return "ymd"
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
