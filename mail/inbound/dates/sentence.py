"""One sentence: its dates with the cue before or after each, its clauses, and which return belongs to which date."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, replace

from mail.inbound.dates.grammar import Atom
from mail.inbound.dates.lexer import Tokens
from mail.inbound.dates.names import word_set

ENDS = frozenset({"date", "day", "weekday", "relative", "week"})
"""Kinds of dates that a range may begin and end with."""

_LINKS = frozenset({"-", "r", "U", "I", "f", "fU", "fr", "f-", "rI", "F", "fI", "UI", "-U"})
_BACK_THEN_LEAVE = re.compile(r"B[dxFr]{0,4}A")
_FROM_LEAVE_BACK = re.compile(r"A[dx]{0,2}B(?!.{0,3}[nMWy])")
_AGAIN = re.compile(
    r"(?:again|wieder|weer|opnieuw|igen|igjen|taas|jalleen|ponownie|znowu|znow|opet|znovu|opat|ismet|ujra|tekrar|yeniden|снова|опять|вновь|de nuevo|nuevamente|di nuovo|nuovamente|novamente|a nouveau|de nouveau)"
    r"(?! (?:da\b )?(?:aus|von|vom|from|de|des|du|di|da|dal|dalle|van|fran|fra|z|ze|из|с) )"
)
_MAIL_OF = re.compile(
    r"(?:mail|message|letter|request|inquiry|nachricht|anfrage|schreiben|courriel|correo|mensaje|messaggio|mensagem|bericht|meddelande|besked|viesti\w*|wiadomosc\w*|zprav\w*|письм\w*|сообщени\w*)"
    r" (?:of|from|dated|sent on|vom|du|del|de|van|fran|fra|z|ze|от)(?: the| den)?$"
)
_CUES = frozenset("BvEAQZ")

_FIRST_PERSON = word_set(
    "i ich je j ik jag jeg we wir nous wij vi ja estoy estaré sono saremo estou estarei jsem jestem vagyok leszek olen olemme я мы"
)
_NOT = re.compile(
    r"(?<!\w)(?:not|won't|can't|cannot|unable|nicht|kein\w*|erst|pas|no|non|nao|niet|inte|ikke|ei|en ole|nie|dopiero|ne\w*|nem|не|ни|nu|δεν|earliest|fruhestens)(?!\w)"
)
_COLLEAGUE = re.compile(
    r"colleag|coworker|co-worker|manager|boss$|teammate|supervisor|deputy|kolleg|collegu|coleg|colega|collega|assistant|assistent|kolleeg|коллег|колег|munkatars"
)
_CONTACT = re.compile(
    r"contact|please|e?mail|reach|bitte|wenden|merci|adress|contatt|neem|kontakt|yhteytta|kerem|lutfen|прошу|обращ|звертай|favor|informati"
)


@dataclass(slots=True)
class Span:
    """A date, or the two of a range (then `first` is set). `cue`: the symbol of the words beside it, U I F a b T C or "". `bound`: the cue that makes it
    a return, B, v or E. `listed`: "5 and 6 October" without "between"; `either`: "5 or 6 October"."""

    start: int
    end: int
    last: Atom
    first: Atom | None = None
    cue: str = ""
    vague: bool = False
    listed: bool = False
    either: bool = False
    bound: str = ""

    @property
    def ranges(self) -> bool:
        return self.first is not None and not self.either and not self.listed


class Sentence:
    """Tokens [start, end) with the dates `found` in them. `base`: the last day away that the text has named so far. `away`: the
    sentence before spoke of an absence."""

    def __init__(
        self, tokens: Tokens, start: int, end: int, found: list[Atom], base: dt.date | None, away: bool
    ) -> None:
        self.tokens, self.start, self.end, self.base = tokens, start, end, base
        self.first_person = tokens.language in {"ja", "ko"} or any(
            word in _FIRST_PERSON for word in tokens.words[start:end]
        )
        # "a training" is an absence of somebody who speaks of himself; "back from leave" is one cue
        symbols = tokens.symbols[start:end].replace("e", "A" if self.first_person else "x")
        symbols = _BACK_THEN_LEAVE.sub(self._one_cue, symbols)
        symbols = _FROM_LEAVE_BACK.sub(lambda found: "x" + found[0][1:], symbols)
        self.symbols = tokens.symbols[:start] + symbols + tokens.symbols[end:]
        inside = {index for atom in found for index in range(atom.start - start, atom.end - start)}
        bare = not any(
            symbol.isalpha() and symbol not in "dFTt" and index not in inside for index, symbol in enumerate(symbols)
        )
        self.absent = "A" in symbols or (away and bare)  # "On vacation! 5-16 October."
        self.spans = self._joined([self._cued(atom) for atom in found if not self._of_a_mail(atom)])
        self.clauses = self._split()
        for cue in "BvE":
            for index in range(start, end):
                if self.symbols[index] == cue:
                    self._bind(cue, index)

    def _one_cue(self, found: re.Match[str]) -> str:
        """ "back from leave" is a return, "again on leave" an absence."""
        text = self.tokens.between(self.start + found.start(), self.start + found.end())
        if _AGAIN.match(text):
            return "x" + found[0][1:]
        return found[0][:-1] + "x"

    # -- dates and their cues --

    def _before(self, place: int) -> tuple[str, bool]:
        """The cue right before a token, over articles, times and commas; and whether "about" stands there."""
        vague = False
        for index in range(place - 1, max(self.start, place - 6) - 1, -1):
            symbol = self.symbols[index]
            if symbol == "V":
                vague = True
            elif symbol in "UIFabTC":
                until = symbol == "C" and self.symbols[max(self.start, index - 2) : index].strip("d")[-1:] == "U"
                return "U" if until else symbol, vague
            elif symbol not in "dt(:'W!H,":
                break
        return "", vague

    def _after(self, place: int) -> str:
        for index in range(place, min(self.end, place + 4)):
            symbol = self.symbols[index]
            if symbol in "pfgi":
                return symbol
            if symbol not in "dt().'Wx,or" or (symbol == "x" and index > place + 1):
                break
        return ""

    def _of_a_mail(self, atom: Atom) -> bool:
        """ "your message of 7 October"."""
        first = max(self.start, atom.start - 4)
        return first < atom.start and _MAIL_OF.search(self.tokens.between(first, atom.start)) is not None

    def _cued(self, atom: Atom) -> Span:
        cue, vague = self._before(atom.start)
        after = self._after(atom.end) if cue in {"", "U", "F", "b"} else ""
        if after == "i":
            cue = "I" if cue in {"", "U"} else cue
        elif after:
            cue = {"p": "U", "f": "F", "g": "a"}[after]
        return Span(atom.start, atom.end, atom, atom.lead, cue, vague, either=atom.either)

    def _joined(self, spans: list[Span]) -> list[Span]:
        """Two expressions that are one range, one choice or one day."""
        joined: list[Span] = []
        for span in spans:
            one = self._join(joined[-1], span) if joined and not joined[-1].first else None
            if one:
                joined[-1] = one
            else:
                joined.append(span)
        return joined

    def _join(self, left: Span, right: Span) -> Span | None:
        a, b = left.last, right.last
        if a.kind not in ENDS or b.kind not in ENDS:
            return None
        gap = "".join(symbol for symbol in self.symbols[left.end : right.start] if symbol not in "dt(),.:'")
        if gap in _LINKS or gap == "&":
            listed = gap == "&" and left.cue != "T"
            return replace(right, start=left.start, first=a, cue="I" if right.cue == "I" else "", listed=listed)
        if gap == "|":
            return replace(right, start=left.start, first=a, cue=left.cue, either=True)
        if gap in {"", "x"} and a.kind in {"weekday", "relative"} and b.kind == "date":  # "tomorrow, 13 October"
            return replace(right, start=left.start, cue=left.cue or right.cue)
        if gap in {"", "x"} and a.kind == "weekday" and b.kind == "week" and not right.first:  # "Monday, week 43"
            return replace(left, end=right.end, last=replace(b, weekday=a.weekday))
        if (
            gap == ""
            and not right.cue
            and (
                (b.kind in {"weekday", "relative"} and a.kind == "date")
                or (b.kind == "weekday" and a.kind == "relative")
            )
        ):
            return replace(left, end=right.end)
        return None

    def _split(self) -> list[tuple[int, int]]:
        inside = {index for span in self.spans for index in range(span.start + 1, span.end)}
        tokens = self.tokens
        marks = [
            index
            for index in range(self.start + 1, self.end)
            if index not in inside
            and (
                self.symbols[index] in ",;&("
                or index in tokens.lines
                or (self.symbols[index] == "-" and tokens.starts[index] > tokens.ends[index - 1])
            )
        ]
        return list(zip([self.start, *marks], [*marks, self.end], strict=True))

    def clause(self, span: Span) -> tuple[int, int]:
        """The tokens of the clause that a span begins in."""
        return next(((a, b) for a, b in self.clauses if a <= span.start < b), (self.start, self.end))

    # -- which return belongs to which date --

    def _open(self, span: Span, a: int, b: int) -> bool:
        """Whether a return in the clause [a, b) may be on that date."""
        if span.bound or span.ranges:
            return False
        return (
            span.last.kind == "vague"
            or span.cue in {"", "F", "a", "C"}
            or (span.cue in {"U", "b"} and self.negated(a, b))
        )

    def _bind(self, cue: str, index: int) -> None:
        """To the next date of the clause, else to the one before, else to that of a neighbouring clause which has no cue of its own."""
        number = next(i for i, (a, b) in enumerate(self.clauses) if a <= index < b)
        a, b = self.clauses[number]
        here = [span for span in self.spans if a <= span.start < b]
        after = next((span for span in here if span.start > index and self._open(span, a, b)), None)
        if after and not set(self.symbols[index + 1 : after.start]) & {"A", "B"}:
            after.bound = cue
            return
        before = next((span for span in reversed(here) if span.end <= index and self._open(span, a, b)), None)
        if (
            before
            and "A" not in self.symbols[before.end : index]
            and not (cue == "v" and before.cue != "F" and self.absent)
        ):
            before.bound = cue
            return
        if here or cue == "v":
            return
        for c, d in self.clauses[number + 1 :]:
            there = [span for span in self.spans if c <= span.start < d]
            cued = _CUES & set(self.symbols[c:d])
            if there and not cued and self._open(there[0], a, d):
                there[0].bound = cue
            if there:
                return
            if cued:
                break
        if number:
            c, d = self.clauses[number - 1]
            there = [span for span in self.spans if c <= span.start < d]
            if there and not _CUES & set(self.symbols[c:d]) and self._open(there[-1], c, b):
                there[-1].bound = cue

    # -- of whom it speaks --

    def negated(self, a: int, b: int) -> bool:
        """Whether a negation stands in tokens [a, b)."""
        return _NOT.search(self.tokens.between(a, b)) is not None

    def of_a_colleague(self, a: int, b: int) -> bool:
        """Whether tokens [a, b) speak of somebody else: "my colleague Anna is"."""
        words = self.tokens.words[a:b]
        place = max((index for index, word in enumerate(words) if _COLLEAGUE.match(word)), default=-1)
        return place >= 0 and not any(word in _FIRST_PERSON for word in words[place:])

    def of_a_stranger(self) -> bool:
        """Whether an English sentence has a subject that is not the sender: "Tom will call you"."""
        return (
            self.tokens.language == "en"
            and not self.first_person
            and not {"be", "please", "me"} & set(self.tokens.words[self.start : self.end])
        )

    def of_us(self) -> bool:
        """Whether it speaks of the sender, asks to turn to somebody, or says nothing but a date."""
        if self.first_person or any(_CONTACT.match(word) for word in self.tokens.words[self.start : self.end]):
            return True
        return (
            "k" not in self.symbols[self.start : self.end]
            and sum(symbol in "xAdc" for symbol in self.symbols[self.start : self.end]) < 3
        )
