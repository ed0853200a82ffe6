"""Opt-outs: somebody asks not to be written to again.

Read from the new text only. The request must be what the text starts with, or a sentence of a short text; a lone word
(`stop`, `remove`) must be all that is said. A question about unsubscribing, a request turned round ("please don't stop")
and a request about something else ("stop by next week") are none. Neither is one with a limit in time ("not before Monday"),
nor one in a mail that also asks for a call or shows interest: an opt-out lasts for ever, so what is doubtful a person reads.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from itertools import islice

from domain.inbound import Evidence, Kind, Reading
from mail.inbound.dates.lexer import lex
from mail.inbound.dates.names import clean
from mail.inbound.folding import Folded, fold
from mail.inbound.phrases import hedging, stopping

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
# "until" or "before" and a date, in the symbols of dates/lexer.py; or a date and "until" behind it
_UNTIL = re.compile(r"[Ub][dxtVH!'(]{0,3}[nqMmWwzXKyV234PB]|[MWK234D][od'.]{0,2}[pg]")
_HAS_IDEOGRAPHS = re.compile(r"[\u1100-\u11ff\u2e80-\ud7ff\uff66-\uff9f]")
_TO_ME = re.compile(r"(?<!\w)till? (?:meg|mig|mej|oss|os)(?!\w)")
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


@dataclass(frozen=True, slots=True)
class _Hedges:
    """The phrases of hedging.py as patterns. `clause_end`: where a clause ends, `sentence_end`: where a sentence does."""

    tail: re.Pattern[str]
    limits: re.Pattern[str]
    redirects: re.Pattern[str]
    wishes: re.Pattern[str]
    promises: re.Pattern[str]
    denials: re.Pattern[str]
    afterwards: re.Pattern[str]
    conditions: re.Pattern[str]
    conditions_behind: re.Pattern[str]
    clause_end: re.Pattern[str]
    sentence_end: re.Pattern[str]


@cache
def _hedges() -> _Hedges:
    def words(part: tuple[str, ...], cjk: tuple[str, ...] = ()) -> re.Pattern[str]:
        whole = "|".join(fold(source) for source in part)
        return re.compile("|".join((rf"(?<!\w)(?:{whole})(?!\w)", *(fold(source) for source in cjk))))

    joints = fold(hedging.JOINTS)
    tail = "|".join(fold(one) for one in hedging.TAIL).replace("~", r"\b.*")
    return _Hedges(
        tail=re.compile(rf"\w*+(?>[^\w]*+(?:{tail})(?!\w))*+\W*"),
        redirects=re.compile(rf" ?(?:{'|'.join(fold(one) for one in hedging.REDIRECTS)})"),
        limits=words(hedging.LIMITS, hedging.LIMITS_CJK),
        wishes=words(hedging.WISHES, hedging.WISHES_CJK),
        promises=words(hedging.PROMISES),
        denials=words(hedging.DENIALS, (hedging.DENIALS_CJK,)),
        afterwards=re.compile(rf"(?:\W+\w+)?\W+(?:{fold(hedging.AFTERWARDS)})(?!\w)"),
        conditions=words((hedging.CONDITIONS,)),
        conditions_behind=words((hedging.CONDITIONS_BEHIND,)),
        clause_end=re.compile(rf"[.,;:!?()。、\uff0c\uff01\n]+ ?| - |(?<!\w)(?:{joints})(?!\w)"),
        sentence_end=re.compile(r"[.!?。\uff01\n]+ ?"),
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
    return _reading("optout:text", found) if found and not _wishes(text[:_LIMIT]) else None


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
        if found is not None and _limited(rest, found.end()):
            return None
        if found is not None:
            return folded.evidence("text", start, start + found.end())
        before = _polite_end(rest)
        if not before:
            break
        start += before
    return None


def _limited(line: str, end: int) -> bool:
    """Whether the request that ends at `end` of a folded sentence is about something or holds for a time only."""
    hedges = _hedges()
    stop = hedges.clause_end.search(line, end)
    clause = line[end : stop.start() if stop else len(line)]
    if not _HAS_IDEOGRAPHS.search(line) and not hedges.tail.fullmatch(clause):
        return True
    if hedges.limits.search(clause):
        return True
    if stop and hedges.limits.match(line, stop.end()):  # "do not write to me, before"
        return True
    return _UNTIL.search(lex(clean(_TO_ME.sub(" ", line))).symbols) is not None


def _wishes(text: str) -> bool:
    """Whether the text asks to be reached in another way, shows interest, or says that another mail or person is meant."""
    hedges = _hedges()
    line = "\n".join(Folded.of(part, _LIMIT).line for part in text.splitlines())

    def begin(ends: re.Pattern[str], place: int) -> int:
        return max((mark.end() for mark in ends.finditer(line, 0, place)), default=0)

    if any(hedges.redirects.match(line, mark.end()) for mark in hedges.clause_end.finditer(line)):
        return True
    for found in hedges.promises.finditer(line):
        stop = hedges.sentence_end.search(line, found.end())
        given = hedges.conditions.search(line, begin(hedges.sentence_end, found.start()), found.start())
        if not given and not hedges.conditions_behind.search(line, found.end(), stop.start() if stop else len(line)):
            return True
    for found in hedges.wishes.finditer(line):
        stop = hedges.clause_end.search(line, found.end())
        rest = line[found.end() : stop.start() if stop else len(line)]
        denied = hedges.denials.search(line, begin(hedges.clause_end, found.start()), found.end())
        if not denied and not hedges.afterwards.match(rest):
            return True
    return False


def _only_polite(sentence: str) -> bool:
    line, start = f"{Folded.of(sentence, _SENTENCE).line} ", 0
    while start < len(line) and (length := _polite_end(line[start:])):
        start += length
    return not line[start:].strip()
