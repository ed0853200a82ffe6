"""Opt-outs: somebody asks not to be written to again.

Read from the new text only. The request must be what the text starts with, or a sentence of a short text; a lone word
(`stop`, `remove`) must be all that is said. A question about unsubscribing, a request turned round ("please don't stop")
and a request about something else ("stop by next week") are none.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import islice

from domain.inbound import Evidence, Kind, Reading
from mail.inbound.folding import Folded, fold
from mail.inbound.phrases import stopping

_LIMIT = 1_000
"""Characters of the new text that are looked at."""
_SHORT = 400
"""In a text no longer than this each of the first sentences may be the request."""
_SENTENCES = 6
_SHORTEST = 120
_SIGNING_WORDS = 6
_SENTENCE = 300
_POLITENESS = 5
_LEAD = r"[\s\W_]{0,8}"
_GAP = r"(?:[^.!?。\n]{0,40}?)"
_BOUNDARY = re.compile(r"(?:[.!?]+(?=\s|$)|[。!?…]+|\n+)\s*")


@cache
def _prefixes() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"{_LEAD}(?:{fold(source)})") for source in stopping.PREFIXES)


def _polite_end(line: str) -> int:
    """Where the longest politeness that a line starts with ends; "no" begins more than one language's."""
    return max((found.end() for one in _prefixes() if (found := one.match(line))), default=0)


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Of requests, of what a text may start with, and of what may stand alone."""
    requests, openings, words = (
        "|".join(fold(source).replace("~", _GAP) for source in part)
        for part in (stopping.REQUESTS, stopping.OPENINGS, stopping.WORDS)
    )
    return (
        re.compile(rf"{_LEAD}(?:{requests})"),
        re.compile(rf"{_LEAD}(?:{openings})"),
        re.compile(rf"{_LEAD}(?:{words})[\s\W_]*\Z"),
    )


def read_optout(text: str, subject: str, *, bulk: bool, to_unsubscribe: bool) -> Reading | None:
    """An opt-out, or None. `text`: the new text; `bulk`: the mail is a list's, whose first line may be its own unsubscribe
    link; `to_unsubscribe`: it was sent to our unsubscribe address, which is a request whatever it says."""
    if to_unsubscribe:
        return _reading("optout:address", Evidence(where="header:To"))
    if len(text.split()) <= _SIGNING_WORDS:  # a name is all that stands below
        found = _in_sentence(subject[:200], first=True, question=subject.rstrip().endswith("?"))
        if found is not None:
            return _reading("optout:subject", found.model_copy(update={"where": "subject", "start": None}))
    if bulk and len(text) > _SHORTEST:
        return None
    found = _request(text[:_LIMIT], short=len(text) <= _SHORT)
    return _reading("optout:text", found) if found else None


def _reading(rule: str, evidence: Evidence) -> Reading:
    return Reading(kind=Kind.UNSUBSCRIBE, rule=rule, evidence=(evidence,))


def _request(text: str, *, short: bool) -> Evidence | None:
    """Look at the first sentence, in a short text at the next ones too; greetings do not count."""
    start = said = 0
    for boundary in [*islice(_BOUNDARY.finditer(text), 3 * _SENTENCES), None]:
        sentence = text[start : boundary.start() if boundary else len(text)]
        mark = boundary.group(0) if boundary else ""
        found = _in_sentence(sentence, first=said == 0, question=mark[:1] in ("?", "\uff1f"))
        if found is not None:
            return found.model_copy(update={"start": start + (found.start or 0)})
        said += bool(sentence.strip(" \t>*_-,")) and not _only_polite(sentence)
        if boundary is None or said >= (_SENTENCES if short else 1):
            return None
        start = boundary.end()
    return None


def _in_sentence(sentence: str, *, first: bool, question: bool) -> Evidence | None:
    """A request that the sentence starts with, after politeness."""
    request, opening, word = _patterns()
    folded = Folded.of(sentence, _SENTENCE)
    line, start = folded.line, 0
    for _ in range(_POLITENESS):
        rest = line[start:]
        found = word.match(rest) if first and not question else None
        found = found or (opening.match(rest) if first else None)
        if found is None and (first or not line.isascii() or " " in rest):
            found = request.match(rest)
        if found is not None:
            return folded.evidence("text", start, start + found.end())
        before = _polite_end(rest)
        if not before:
            break
        start += before
    return None


def _only_polite(sentence: str) -> bool:
    line, start = f"{Folded.of(sentence, _SENTENCE).line} ", 0
    while start < len(line) and (length := _polite_end(line[start:])):
        start += length
    return not line[start:].strip()
