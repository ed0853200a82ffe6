"""What each date of a sentence says of a return: first day back, last day away, or nothing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import IntEnum

from mail.inbound.dates.grammar import Atom, atoms
from mail.inbound.dates.lexer import Tokens
from mail.inbound.dates.names import fold
from mail.inbound.dates.resolve import Order, Resolved, iso_week, next_monday, order_of, resolve, shifted


class Rank(IntEnum):
    """How much a hit counts: the lower wins."""

    BACK = 0
    UNTIL = 1
    RESPOND = 2
    RANGE = 3
    LOOSE_UNTIL = 4  # "until X" with nothing that says who is away
    ABSENT = 5
    VAGUE = 6


@dataclass(frozen=True, slots=True)
class Hit:
    """A day that could be the return. `first`: where a range begins. `again`: the words speak of a further absence. `start`, `end`: place in the
    text."""

    rank: Rank
    days: Resolved
    start: int
    end: int
    first: dt.date | None = None
    firm: bool = True


@dataclass(slots=True)
class _Span:
    """One date, or the two of a range, with the cue before or after it."""

    start: int
    end: int
    last: Atom
    first: Atom | None = None
    cue: str = ""  # U I F a b T, or "" for none
    vague: bool = False
    listed: bool = False
    either: bool = False
    bound: str = ""  # B, v or E


_GAP = re.compile(r"[dt():,.Wx']*")
_RANGE_GAPS = frozenset({"-", "r", "U", "I", "f", "fU", "fr", "f-", "rI", "F", "fI", "UI", "-U"})
_IN = frozenset(fold("in dans en tra fra em daqui over om za za через через за içinde peste dentro across").split())
_AFTER_COUNT = frozenset(fold("múlva sonra kuluttua päästä later").split())
_FIRST_PERSON = frozenset(fold("i ich je j ik jag jeg we wir nous wij vi ja estoy estaré sono saremo estou estarei jsem jestem vagyok leszek olen olemme я мы").split())
_BACK_FROM = re.compile(r"B[dxFr]{0,4}A")
_FROM_BACK = re.compile(r"A[dx]{0,2}B")
_NOT = re.compile(r"(?<!\w)(?:not|won't|can't|cannot|unable|nicht|kein\w*|erst|pas|no|non|nao|niet|pas op|inte|ikke|ei|en ole|nie|dopiero|ne\w*|nem|не|ни|nu|δεν|earliest|fruhestens)(?!\w)")
_CUES = frozenset("BvEAQZ")
_NEAR = 4


def hits(tokens: Tokens, order: Order, today: dt.date, *, subject: bool = False) -> Iterator[Hit]:
    """Every day in the text that a cue makes a return."""
    found = atoms(tokens)
    inside = {index for atom in found for index in range(atom.start, atom.end)}
    symbols = tokens.symbols
    start = place = 0
    base: dt.date | None = None
    for index in (*(i for i, symbol in enumerate(symbols) if symbol == "S" or (subject and symbol == ":")), len(symbols)):
        if index in inside and index < len(symbols) and index + 1 in inside:
            continue
        these = []
        while place < len(found) and found[place].start < index:
            these.append(found[place])
            place += 1
        if these and "Q" not in symbols[start:index]:
            sentence = _Sentence(tokens, start, index, these, order, today, base)
            yield from sentence.hits()
            base = sentence.base
        start = index + 1


class _Sentence:
    def __init__(self, tokens: Tokens, start: int, end: int, found: list[Atom], order: Order, today: dt.date, base: dt.date | None) -> None:
        self.tokens, self.start, self.end = tokens, start, end
        self.order, self.today = order, today
        self.base = base
        # "back from leave" is one cue
        symbols = _BACK_FROM.sub(lambda m: m[0][:-1] + "x", tokens.symbols[start:end])
        symbols = _FROM_BACK.sub(lambda m: "x" + m[0][1:], symbols) if not re.search(r"A[dx]{0,2}B.{0,3}[nMWy]", symbols) else symbols
        self.symbols = tokens.symbols[:start] + symbols + tokens.symbols[end:]
        self.absent = "A" in symbols
        self.spans = self._spans([self._cued(atom) for atom in found])
        self.clauses = self._clauses()
        self._bind()

    # -- what stands where --

    def _before(self, place: int) -> str:
        """The cue right before a token: over articles, times and commas, with V for vague."""
        vague = ""
        for index in range(place - 1, max(self.start, place - 6) - 1, -1):
            symbol = self.symbols[index]
            if symbol == "V":
                vague = "V"
            elif symbol in "UIFabT":
                return symbol + vague
            elif symbol not in "dt(:'W!H,":
                break
        return vague

    def _after(self, place: int) -> str:
        for index in range(place, min(self.end, place + 4)):
            symbol = self.symbols[index]
            if symbol in "pfgi":
                return symbol
            if symbol not in "dt().'Wx,or" or (symbol == "x" and index > place + 1):
                break
        return ""

    def _cued(self, atom: Atom) -> _Span:
        before, after = self._before(atom.start), self._after(atom.end)
        cue = before.replace("V", "")
        if after and cue in {"", "U", "F", "b"}:
            if after == "i":
                cue = "I" if cue in {"", "U"} else cue
            elif after == "p":
                cue = "I" if cue == "I" else "U"
            else:
                cue = {"f": "F", "g": "a"}[after]
        return _Span(atom.start, atom.end, atom, atom.lead, cue, "V" in before, either=atom.either)

    def _spans(self, spans: list[_Span]) -> list[_Span]:
        """Two dates with "to" between them are one range."""
        joined: list[_Span] = []
        for span in spans:
            previous = joined[-1] if joined else None
            if previous and not previous.first and previous.last.kind in _ENDS and span.last.kind in _ENDS:
                gap = "".join(symbol for symbol in self.symbols[previous.end : span.start] if symbol not in "dt(),.:'")
                if len(gap) <= 3 and (gap in _RANGE_GAPS or gap == "&"):
                    between = previous.cue == "T" or gap != "&"
                    joined[-1] = replace(span, start=previous.start, first=previous.last, cue="I" if span.cue == "I" else "", listed=not between, vague=span.vague)
                    continue
                if gap == "|":
                    joined[-1] = replace(span, start=previous.start, first=previous.last, cue=previous.cue, either=True)
                    continue
                if gap in {"", "x"} and previous.last.kind in {"weekday", "relative"} and span.last.kind == "date":
                    joined[-1] = replace(span, start=previous.start, cue=previous.cue or span.cue)  # "tomorrow, 13 October"
                    continue
                if gap == "" and span.last.kind in {"weekday", "relative"} and previous.last.kind == "date" and not span.cue:
                    joined[-1] = replace(previous, end=span.end)
                    continue
                if gap == "" and span.last.kind == "weekday" and previous.last.kind == "relative":
                    joined[-1] = replace(previous, end=span.end)
                    continue
            joined.append(span)
        return joined

    def _clauses(self) -> list[tuple[int, int]]:
        inside = {index for span in self.spans for index in range(span.start, span.end)}
        marks = [
            index
            for index in range(self.start, self.end)
            if index not in inside and (self.symbols[index] in ",;&(" or index in self.tokens.lines or (self.symbols[index] == "-" and self._spaced(index)))
        ]
        edges = [self.start, *marks, self.end]
        return [(a, b) for a, b in zip(edges, edges[1:], strict=False) if b > a]

    def _spaced(self, index: int) -> bool:
        tokens = self.tokens
        return index > 0 and tokens.starts[index] > tokens.ends[index - 1]

    def _clause(self, span: _Span) -> tuple[int, int]:
        return next(((a, b) for a, b in self.clauses if a <= span.start < b), (self.start, self.end))

    # -- which return belongs to which date --

    def _negated(self, a: int, b: int) -> bool:
        tokens = self.tokens
        return _NOT.search(tokens.folded, tokens.starts[a], tokens.ends[b - 1]) is not None

    def _open(self, span: _Span, cue: str, a: int, b: int) -> bool:
        """Whether a return may be on that date."""
        if span.bound or (span.first and not span.either and not span.listed) or span.last.kind == "vague":
            return bool(span.last.kind == "vague" and not span.bound and not span.first)
        if span.cue in {"", "F", "a", "V"}:
            return True
        return span.cue in "Ub" and self._negated(a, b)

    def _bind(self) -> None:
        for wanted in "BvE":
            for index in range(self.start, self.end):
                if self.symbols[index] == wanted:
                    self._bind_one(wanted, index)

    def _bind_one(self, cue: str, index: int) -> None:
        number = next(i for i, (a, b) in enumerate(self.clauses) if a <= index < b)
        a, b = self.clauses[number]
        here = [span for span in self.spans if a <= span.start < b]
        for span in here:
            if span.start > index and self._open(span, cue, a, b):
                if not any(symbol in "BA" for symbol in self.symbols[index + 1 : span.start]) or cue == "B" and "B" not in self.symbols[index + 1 : span.start] and "A" not in self.symbols[index + 1 : span.start]:
                    span.bound = cue
                    return
                break
        for span in reversed(here):
            if span.end <= index and self._open(span, cue, a, b):
                between = self.symbols[span.end : index]
                if "A" not in between and not (cue == "v" and span.cue != "F" and self.absent):
                    span.bound = cue
                    return
                break
        if here or cue == "v":
            return
        for c, d in self.clauses[number + 1 :]:
            there = [span for span in self.spans if c <= span.start < d]
            if there:
                if not _CUES & set(self.symbols[c:d]) and self._open(there[0], cue, a, d):
                    there[0].bound = cue
                return
            if _CUES & set(self.symbols[c:d]):
                break
        if number:
            c, d = self.clauses[number - 1]
            there = [span for span in self.spans if c <= span.start < d]
            if there and not _CUES & set(self.symbols[c:d]) and self._open(there[-1], cue, c, b):
                there[-1].bound = cue

    # -- what follows from it --

    def hits(self) -> Iterator[Hit]:
        start: dt.date | None = None
        for span in self.spans:
            a, b = self._clause(span)
            for hit in self._of(span, a, b, start):
                if hit.days.status == "date" and hit.days.days and hit.rank in {Rank.UNTIL, Rank.RANGE}:
                    self.base = shifted(hit.days.days[0], -1) if hit.rank is Rank.RANGE else hit.days.days[0]
                yield hit
            if span.cue == "F" and not span.bound and span.last.kind in {"date", "day", "weekday", "relative"}:
                day = resolve(span.last, self.order, self.today)
                start = day.days[0] if day.status == "date" else None

    def _hit(self, rank: Rank, span: _Span, days: Resolved, first: dt.date | None = None) -> Hit:
        if span.vague and days.status == "date":
            days = Resolved("vague", days.days)
        cue_from = max(self.start, span.start - 6)
        cue_to = min(self.end, span.end + 4)
        return Hit(rank, days, self.tokens.starts[cue_from], self.tokens.ends[cue_to - 1], first)

    def _of(self, span: _Span, a: int, b: int, start: dt.date | None) -> Iterator[Hit]:
        atom = span.last
        clause = self.symbols[a:b]
        noise = "Z" in clause and "A" not in clause
        if atom.kind == "duration":
            yield from self._duration(span, start)
            return
        if atom.kind == "vague" or atom.kind == "month":
            if span.bound or (self.absent and (span.cue in {"U", "I"} or atom.kind == "vague")):
                days = resolve(atom, self.order, self.today)
                if not days.days and "H" in self.symbols[atom.start : atom.end]:
                    days = Resolved("vague", (next_monday(self.today),))
                yield self._hit(Rank.BACK if span.bound == "B" else Rank.VAGUE, span, days)
            return
        days = resolve(atom, self.order, self.today, self.base)
        if span.either and span.first:
            other = resolve(span.first, self.order, self.today, self.base)
            days = Resolved("ambiguous", tuple(dict.fromkeys(other.days + days.days)))
        if span.bound:
            if noise and span.bound != "B":
                return
            rank = Rank.RESPOND if span.bound == "E" else Rank.BACK
            if span.listed and span.first:
                days = Resolved("ambiguous", tuple(dict.fromkeys(resolve(span.first, self.order, self.today).days + days.days)))
            if span.cue == "a":
                days = days.moved(7 if atom.kind == "week" else 1)
            elif atom.kind == "week" and span.cue != "F":
                days = Resolved("vague", days.days)
            yield self._hit(rank, span, days)
            return
        if span.first and not span.either:
            yield from self._range(span, clause, days)
            return
        if span.cue in {"U", "I"}:
            if noise or ("v" in clause and "A" not in clause and not self._negated(a, b)):
                return
            if span.cue == "I":
                days = days.moved(7 if atom.kind == "week" else 1)
            yield self._hit(Rank.UNTIL if self.absent or "B" in self.symbols[self.start : self.end] else Rank.LOOSE_UNTIL, span, days)
            return
        if span.cue == "" and "A" in clause and not noise and not span.either:
            yield from self._absent_on(span, days)

    def _range(self, span: _Span, clause: str, days: Resolved) -> Iterator[Hit]:
        atom, first = span.last, span.first
        assert first is not None
        sentence = self.symbols[self.start : self.end]
        noise = "Z" in sentence and (not self.absent or atom.kind == "weekday")
        someone = any(word in _FIRST_PERSON for word in self.tokens.words[self.start : self.end]) and "v" not in clause
        if noise or not (self.absent or (someone and span.cue != "b" and not span.listed)):
            return
        began = resolve(first, self.order, self.today)
        if atom.kind == "week":
            monday = iso_week(atom.count, self.today)
            days = Resolved("date", (shifted(monday, 7),)) if monday else Resolved("invalid")
            yield self._hit(Rank.RANGE, span, days)
            return
        if first.kind == "date" and first.year and not atom.year and atom.kind == "date" and days.days:
            end = resolve(replace(atom, year=first.year), self.order, self.today)
            if end.days and began.days and end.days[0] < began.days[0]:
                end = resolve(replace(atom, year=first.year + 1), self.order, self.today)
            days = end
        if atom.kind == "weekday" and first.kind in {"weekday", "relative"} and atom.weekday is not None and not atom.modifier:
            today = self.today.weekday()
            begin = first.weekday if first.weekday is not None else (today + first.count) % 7
            if (today - begin) % 7 <= (atom.weekday - begin) % 7:
                days = Resolved("date", (shifted(self.today, (atom.weekday - today) % 7),))
        if first.kind == "day" and atom.kind == "day" or atom.kind not in _ENDS:
            began = Resolved("date", (self.today,))
        start = began.days[0] if began.status == "date" else None
        if start and days.status == "date" and start > days.days[0]:
            start = None
        yield self._hit(Rank.RANGE, span, days.moved(1), start)

    def _absent_on(self, span: _Span, days: Resolved) -> Iterator[Hit]:
        atom = span.last
        if atom.kind == "week":
            yield self._hit(Rank.RANGE, span, days.moved(7))
        elif atom.kind in {"date", "relative"} and days.days and days.days[0] >= self.today:
            yield self._hit(Rank.ABSENT, span, days.moved(1))

    def _duration(self, span: _Span, start: dt.date | None) -> Iterator[Hit]:
        atom = span.last
        tokens = self.tokens
        days = resolve(atom, self.order, self.today)
        before = tokens.words[atom.start - 1] if atom.start > self.start else ""
        after = tokens.words[atom.end] if atom.end < self.end else ""
        if start and atom.unit and self.absent:
            yield self._hit(Rank.UNTIL, span, Resolved("date", (shifted(start, atom.count * atom.unit),)), start)
        elif before in _IN or after in _AFTER_COUNT:
            if span.bound in {"B", "v"}:
                yield self._hit(Rank.BACK, span, days)
            elif "U" in self.symbols[max(self.start, atom.start - 3) : atom.start] and self.absent:
                yield self._hit(Rank.UNTIL, span, days)
        elif self.absent and not span.bound:
            yield self._hit(Rank.VAGUE, span, Resolved("vague", days.days))


_ENDS = frozenset({"date", "day", "weekday", "relative", "week"})


def settled_order(tokens: Tokens) -> Order:
    """The order of numbers that the mail itself settles."""
    return order_of(atoms(tokens))
