"""What the dates of a text say of a return: first day back, last day away, or nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from mail.inbound.dates.grammar import Atom
from mail.inbound.dates.lexer import Tokens, language_of
from mail.inbound.dates.names import word_set
from mail.inbound.dates.resolve import Order, Resolved, next_monday, order_by_weekday, order_of, resolve, shifted
from mail.inbound.dates.sentence import ENDS, Sentence, Span

MAX_DATES = 30
"""A sentence with more dates than this is no prose and isn't read."""

_NEARBY = 60
"""Tokens on either side of a numeric date that are looked at for its language."""

_IN = word_set("in dans en tra fra em daqui over om za через за içinde peste dentro")
_HOUR = re.compile(r"\d{1,2}")
_AFTER_COUNT = word_set("múlva sonra kuluttua päästä later")


class Rank(IntEnum):
    """How much a hit counts: the lower wins."""

    BACK = 0
    UNTIL = 1
    RESPOND = 2
    RANGE = 3
    LOOSE_UNTIL = 4  # "until X" in a sentence that says nothing of an absence
    ABSENT = 5
    VAGUE = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A day that could be the return. `first`: where its range begins. `start`, `end`: the words, as places in the text."""

    rank: Rank
    days: Resolved
    start: int
    end: int
    first: dt.date | None = None


def hits(tokens: Tokens, found: list[Atom], order: Order, today: dt.date, *, subject: bool = False) -> Iterator[Hit]:
    """Every day in the text that a cue makes a return; `found` are its dates. In a subject a colon ends a sentence."""
    inside = {index for atom in found for index in range(atom.start, atom.end - 1)}
    symbols = tokens.symbols
    ends = [
        index
        for index, symbol in enumerate(symbols)
        if (symbol == "S" or (subject and symbol == ":")) and index not in inside
    ]
    start = place = 0
    base: dt.date | None = None
    away = False
    for end in (*ends, len(symbols)):
        these = []
        while place < len(found) and found[place].start < end:
            these.append(found[place])
            place += 1
        if 0 < len(these) <= MAX_DATES and "Q" not in symbols[start:end]:
            reading = _Reading(Sentence(tokens, start, end, these, base, away), order, today)
            yield from reading.hits()
            base = reading.base
        away = "A" in symbols[start:end]
        start = end + 1


def settled_order(tokens: Tokens, found: list[Atom], today: dt.date) -> Order:
    """The order of numbers that the mail itself settles: a part above 12, else a weekday, else a numeric date in a sentence that is not English."""
    numeric = [atom for atom in found if atom.numeric]
    order = order_of(numeric) or order_by_weekday(numeric, today)
    if order or not numeric:
        return order
    languages = set()
    for atom in numeric[:MAX_DATES]:
        start = tokens.symbols.rfind("S", max(0, atom.start - _NEARBY), atom.start)
        end = tokens.symbols.find("S", atom.end, atom.end + _NEARBY)
        languages.add(
            language_of(tokens.words[max(start + 1, atom.start - _NEARBY) : end if end >= 0 else atom.end + _NEARBY])
        )
    languages -= {"en", ""}
    return "" if not languages else "ymd" if languages & {"hu", "ja", "ko"} else "dm"


class _Reading:
    """The hits of one sentence."""

    def __init__(self, sentence: Sentence, order: Order, today: dt.date) -> None:
        self.sentence, self.order, self.today = sentence, order, today
        self.base = sentence.base

    def hits(self) -> Iterator[Hit]:
        for span in self.sentence.spans:
            for hit in self._of(span):
                if hit.days.status == "date" and hit.rank in {Rank.UNTIL, Rank.RANGE}:
                    self.base = shifted(hit.days.days[0], -1) if hit.rank is Rank.RANGE else hit.days.days[0]
                yield hit

    def _resolve(self, atom: Atom) -> Resolved:
        return resolve(atom, self.order, self.today, self.base)

    def _hit(self, rank: Rank, span: Span, days: Resolved, first: dt.date | None = None) -> Hit:
        if span.vague and days.status == "date":
            days = Resolved("vague", days.days)
        sentence = self.sentence
        start = max(sentence.start, span.start - 6)
        end = min(sentence.end, span.end + 4)
        return Hit(rank, days, sentence.tokens.starts[start], sentence.tokens.ends[end - 1], first)

    def _of(self, span: Span) -> Iterator[Hit]:
        sentence, atom = self.sentence, span.last
        a, b = sentence.clause(span)
        clause = sentence.symbols[a:b]
        noise = "Z" in clause and "A" not in clause
        if atom.kind == "duration":
            yield from self._duration(span)
        elif atom.kind in {"vague", "month"}:
            yield from self._vague(span)
        elif span.bound:
            stranger = sentence.of_a_colleague(a, span.start) or (span.bound == "E" and sentence.of_a_stranger())
            if not (noise and span.bound != "B") and not stranger:
                hit = self._bound(span)
                # "I will answer your mail of 7 October"
                if (
                    hit.rank is not Rank.RESPOND
                    or atom.kind != "date"
                    or any(day > self.today for day in hit.days.days)
                ):
                    yield hit
        elif span.cue == "C":  # the week of that day
            days = self._resolve(atom)
            if "A" in clause and days.status == "date":
                yield self._hit(Rank.RANGE, span, Resolved("date", (next_monday(days.days[0]),)))
        elif span.first and not span.either:
            yield from self._range(span, span.first, clause)
        elif "A" in clause and sentence.of_a_colleague(a, span.start):
            return
        elif span.cue in {"U", "I"}:
            there = "v" in clause and "A" not in clause and not sentence.negated(a, b)  # "available until"
            if not noise and not there and (sentence.absent or (sentence.of_us() and len(sentence.spans) == 1)):
                strong = sentence.absent or "B" in sentence.symbols[sentence.start : sentence.end]
                days = self._after_last(atom) if span.cue == "I" else self._day(span)
                yield self._hit(Rank.UNTIL if strong else Rank.LOOSE_UNTIL, span, days)
        elif span.cue == "" and "A" in clause and not noise and not span.either:
            days = self._after_last(atom)
            if atom.kind == "week":
                yield self._hit(Rank.RANGE, span, days)
            elif atom.kind in {"date", "relative"} and days.days and days.days[0] > self.today:
                yield self._hit(Rank.ABSENT, span, days)

    def _day(self, span: Span) -> Resolved:
        """The day of a span; of two that are named, either."""
        days = self._resolve(span.last)
        if span.first:
            return Resolved("ambiguous", tuple(dict.fromkeys(self._resolve(span.first).days + days.days)))
        return days

    def _after_last(self, atom: Atom) -> Resolved:
        """The day after a last day or week of absence."""
        return self._resolve(atom).moved(7 if atom.kind == "week" else 1)

    def _bound(self, span: Span) -> Hit:
        days = self._day(span)
        if span.cue == "a":
            days = days.moved(7 if span.last.kind == "week" else 1)
        elif span.last.kind == "week" and span.cue != "F" and span.last.weekday is None:
            days = Resolved("vague", days.days)  # "back in week 43"
        return self._hit(Rank.RESPOND if span.bound == "E" else Rank.BACK, span, days)

    def _vague(self, span: Span) -> Iterator[Hit]:
        sentence, atom = self.sentence, span.last
        if not span.bound and not (sentence.absent and (span.cue in {"U", "I"} or atom.kind == "vague")):
            return
        days = self._resolve(atom)
        if not days.days and "H" in sentence.symbols[atom.start : atom.end]:  # "this week"
            days = Resolved("vague", (next_monday(self.today),))
        yield self._hit(Rank.BACK if span.bound == "B" else Rank.VAGUE, span, days)

    def _range(self, span: Span, first: Atom, clause: str) -> Iterator[Hit]:
        sentence, last = self.sentence, span.last
        if "B" in clause and "A" not in clause and span.cue in {"", "F"}:  # "back from Monday to Wednesday"
            yield self._hit(Rank.BACK, span, self._resolve(first))
            return
        said = (
            sentence.first_person
            and last.kind in {"date", "day"}
            and "v" not in clause
            and span.cue != "b"
            and not span.listed
        )
        noise = "Z" in sentence.symbols[sentence.start : sentence.end] and (
            not sentence.absent or last.kind == "weekday"
        )
        if noise or not (sentence.absent or said):
            return
        began = self._resolve(first)
        start = began.days[0] if began.status == "date" and last.kind in ENDS else None
        if last.kind == "date" and not last.year and first.kind == "date" and first.year:
            days = self._resolve(replace(last, year=first.year))
            if start and days.days and days.days[0] < start:
                days = self._resolve(replace(last, year=first.year + 1))
        elif last.kind == "weekday" and not last.modifier:
            days = self._weekdays(first, last)
        else:
            days = self._resolve(last)
        if first.kind == "day" and last.kind == "day":
            start = self.today
        if start and days.status == "date" and start > days.days[0]:
            start = None
        later = 7 if last.kind == "week" else 0 if self._until_morning(first, last) else 1
        yield self._hit(Rank.RANGE, span, days.moved(later), start)

    def _until_morning(self, first: Atom, last: Atom) -> bool:
        """Whether a range ends in the morning of its last day: "until 9 am on Monday 19 October" is back on that day."""
        tokens = self.sentence.tokens
        until = self.sentence.symbols.rfind("U", first.end, last.start)
        if until < 0:
            return False
        # a time before "until" is when the absence begins
        after = range(until + 1, last.start)
        times = [tokens.between(index, index + 1) for index in after if self.sentence.symbols[index] == "t"]
        hour = _HOUR.search(times[-1]) if times else None
        return hour is not None and int(hour[0]) <= 12 and "p" not in times[-1]

    def _weekdays(self, first: Atom, last: Atom) -> Resolved:
        """The end of "Monday to Friday": this week's where today lies between them."""
        today = self.today.weekday()
        begin = first.weekday if first.weekday is not None else (today + first.count) % 7
        if (
            first.kind in {"weekday", "relative"}
            and last.weekday is not None
            and (today - begin) % 7 <= (last.weekday - begin) % 7
        ):
            return Resolved("date", (shifted(self.today, (last.weekday - today) % 7),))
        return self._resolve(last)

    def _begin(self) -> dt.date | None:
        """The first day of an absence of which no end is named."""
        for span in self.sentence.spans:
            if span.cue == "F" and not span.bound and not span.first and span.last.kind in ENDS:
                day = self._resolve(span.last)
                return day.days[0] if day.status == "date" else None
        return None

    def _duration(self, span: Span) -> Iterator[Hit]:
        sentence, atom = self.sentence, span.last
        words, symbols = sentence.tokens.words, sentence.symbols
        days = self._resolve(atom)
        place = atom.start - 1
        while place > sentence.start and symbols[place] in "Vdr" and words[place] not in _IN:
            place -= 1
        ahead = (place >= sentence.start and words[place] in _IN) or (
            atom.end < sentence.end and words[atom.end] in _AFTER_COUNT
        )
        start = self._begin()
        if start and atom.unit and sentence.absent:  # "from 3 August for two weeks"
            yield self._hit(Rank.UNTIL, span, Resolved("date", (shifted(start, atom.count * atom.unit),)), start)
        elif ahead and span.bound in {"B", "v"}:
            yield self._hit(Rank.BACK, span, days)
        elif ahead and sentence.absent and "U" in symbols[max(sentence.start, atom.start - 3) : atom.start]:
            yield self._hit(Rank.UNTIL, span, days)
        elif not ahead and sentence.absent and not span.bound:
            yield self._hit(Rank.VAGUE, span, Resolved("vague", days.days))
