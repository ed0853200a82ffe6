"""From text to a string of symbols, one per token, on which the grammar of dates is a few short patterns.

Symbols: n number 1-31, q two digits above, y year, N other number, o ending of an ordinal; M month, m month only after a day,
W weekday, w and z abbreviated ones; Y G D year, month and day signs (年月日); K week, u unit of time, c number word;
2 3 4 today, tomorrow, the day after; d article or preposition without meaning here, r "to" between two dates, & and, | or;
t time of day; S end of a sentence; punctuation for itself; x any other word. The letters of cues stand in cues.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from mail.inbound.dates.cues import cue_at
from mail.inbound.dates.names import fold, name_of, word_set
from mail.inbound.dates.words import BY_LANGUAGE, COMMON, COUNTS, ORDINAL_WORDS, SINGLE, UNITS

_LETTER = r"[^\W\d_\u1100-\uffff]"
_TOKEN = re.compile(
    r"(?P<blank>\n\s*\n\s*)|(?P<line>\n\s*)|(?P<space>[ \t\x00-\x1f]+)"
    # links, addresses, telephone and order numbers
    r"|(?P<skip>https?://\S{1,500}|www\.\S{1,300}|[\w.+-]{1,64}@[\w.-]{1,255}|\+\d[\d ().\-/]{6,24}\d|\(0\d{1,5}\)[\d ./-]{4,20}\d|#\d+)"
    # 14:10, 2 pm, 14 Uhr, kl. 14.10, 14時
    r"|(?P<time>\d{1,2}:\d\d(?::\d\d)?(?:\s?(?:am|pm|uhr|h))?(?![^\W_])"
    r"|\d{1,2}(?:[.:]\d\d)?\s?(?:am|pm|a\.m\.?|p\.m\.?|uhr|o'?clock|hrs?|hours?|h\d\d|h|heures?|horas|timer|stunden|uur|ore|годин|часов)(?![^\W_])"
    r"|(?:kl\.?|klo|klockan|um|gegen|ore|alle|a las|as|om|at|godz\.?|o godz\.?|h)\s?\d{1,2}(?:[.:h]\d\d)?(?![.\-/]?\s?\d|[^\W_]|\s?[-/.]?\s?(?:[a-z]{3,}))"
    r"|(?:um|alle|at|ore|kl\.?|klo)\s\d{1,2}[.:]\d\d(?!\.?\d)"
    r"|\d{1,2}[時点點시](?:\d{1,2}[分분]|半)?)"
    rf"|(?P<num>\d+)(?P<end>[-':]?{_LETTER}{{1,4}}(?![^\W_]))?"
    r"|(?P<cjknext>下(?:个|個)?(?:星期|礼拜|禮拜|周|週)[一二三四五六日天])"
    r"|(?P<cjkday>\([月火水木金土日一二三四五六월화수목금토일](?:[・·]?[祝休])?\)|[月火水木金土日]曜日?|[本这這]?(?:星期|礼拜|禮拜|周|週)[一二三四五六日天](?![0-9])|[월화수목금토일]요일)"
    r"|(?P<cjknum>[一二三四五六七八九十]{1,3}(?=[月日号號]))"
    rf"|(?P<word>(?:segunda|terca|quarta|quinta|sexta)-feira|d\.(?=\s?\d)|{_LETTER}+)|(?P<other>.)",
    re.DOTALL,
)
_CJK_DAYS = {
    char: number for line in ("月火水木金土日", "一二三四五六日", "월화수목금토일") for number, char in enumerate(line)
} | {"天": 6}
_CJK_DIGITS = {char: number for number, char in enumerate("一二三四五六七八九十", 1)}

# What may be glued to a number: 14th, 1er, 12-én, 12'de; 12-ig (until), 12'den (from).
_ORDINALS = word_set(
    "st nd rd th er ere re e eme o a de da ste te ta ter ten :e :a :s :n :na an en on -an -en -on -jan -jen -i -ai -ei -jai -jei -e -ban 'e 'a 'ye 'ya 'i 'u 'si 'su 'de 'da 'te 'ta -го -е -ого го -th -st -a -ana -ena"
)
_ORDINAL_UNTIL = word_set("-ig -aig -eig -jaig -jeig -iig ig")
_ORDINAL_FROM = word_set("-tol -atol -etol -jatol -jetol -itol 'den 'dan 'ten 'tan")
_NAME_FROM = frozenset({"tol", "dan", "den", "ten", "tan"})

_OF_YEAR = frozenset({"r", "г", "р"})
_AFTER_DAY = re.compile(r"n(?:o|\.|[-/]|o?[dF]{1,2})?$")
_BEFORE_DAY = re.compile(r"[.,]?\s?\d|\)")
_CASE = re.compile(r"'[^\W\d_]{1,4}(?![^\W_])")


@dataclass(slots=True)
class Tokens:
    """`symbols[i]` is the symbol of token i, `values[i]` its number, `words[i]` its folded word ("" for numbers and marks), `starts[i]` and
    `ends[i]` its place in `text` and `folded`. `lines`: tokens that begin a line. `language`: a code, "" where the words do not tell."""

    text: str
    folded: str
    symbols: str = ""
    values: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    language: str = ""

    def between(self, first: int, end: int) -> str:
        """The folded text of tokens [first, end)."""
        return self.folded[self.starts[first] : self.ends[end - 1]]


def lex(text: str, language: str = "") -> Tokens:
    """The tokens of clean text (names.clean). `language`: what a header says of it."""
    return _Lexer(text, language).tokens


def language_of(words: Iterable[str], language: str = "") -> str:
    """The language that most of the common words belong to; `language` where it is among several; "" where nothing settles it."""
    counts: dict[str, int] = {}
    for word in words:
        for tag in COMMON.get(word, ()):
            counts[tag] = counts.get(tag, 0) + 1
    most = max(counts.values(), default=0)
    best = [tag for tag, count in counts.items() if count == most]
    return language if not best or language in best else best[0] if len(best) == 1 else ""


class _Lexer:
    def __init__(self, text: str, language: str) -> None:
        self.tokens = Tokens(text, fold(text))
        self.symbols: list[str] = []
        self._read()
        self._find_language(language)
        self._settle()
        self.tokens.symbols = "".join(self.symbols)

    def _add(self, symbol: str, value: int, start: int, end: int, word: str = "") -> int:
        self.symbols.append(symbol)
        self.tokens.values.append(value)
        self.tokens.starts.append(start)
        self.tokens.ends.append(end)
        self.tokens.words.append(word)
        return end

    def _read(self) -> None:
        folded = self.tokens.folded
        place, size = 0, len(folded)
        while place < size:
            found = _TOKEN.match(folded, place)
            if found is None:  # the last alternative takes any character
                break
            kind, end = found.lastgroup, found.end()
            if kind == "blank":
                self._add("S", 0, place, end)
            elif kind == "line":
                self.tokens.lines.add(len(self.symbols))
            elif kind in {"num", "end"}:
                end = self._number(found)
            elif kind in {"word", "other"}:
                end = self._word(found[0], place, end)
            elif kind == "skip":
                self._add("N", 0, place, end)
            elif kind == "time":
                self._add("t", 0, place, end)
            elif kind != "space":
                self._cjk(found)
            place = end

    def _number(self, found: re.Match[str]) -> int:
        digits, ending = found["num"], found["end"]
        value = int(digits[:9])
        if len(digits) == 4 and 1990 <= value < 2100:
            symbol = "y"
        elif len(digits) <= 2 and 1 <= value <= 31:
            symbol = "n"
        else:
            symbol = "q" if len(digits) == 2 and value else "N"
        end = self._add(symbol, value, *found.span("num"))
        if ending is not None and symbol == "n":
            cue = "p" if ending in _ORDINAL_UNTIL else "f" if ending in _ORDINAL_FROM else ""
            if cue or ending in _ORDINALS:
                self._add("o", 0, end, end + len(ending))
                if cue:
                    self._add(cue, 0, end, end + len(ending))
                return end + len(ending)
        return end

    def _cjk(self, found: re.Match[str]) -> None:
        start, end = found.span()
        if found.lastgroup == "cjkday":
            day = (
                found[0][-2]
                if found[0][0] == "(" and len(found[0]) == 3
                else found[0][1]
                if found[0][0] == "("
                else found[0]
            )
            day = day if len(day) == 1 else day[-1] if day[0] in "本这這星礼禮周週" else day[0]
            self._add("W", _CJK_DAYS.get(day, 0), start, end)
        elif found.lastgroup == "cjknext":  # Monday of next week
            self._add("X", 0, start, end - 2)
            self._add("K", 7, end - 2, end - 1)
            self._add("W", _CJK_DAYS[found[0][-1]], end - 1, end)
        else:
            value = 0
            for digit in (_CJK_DIGITS[char] for char in found[0]):
                value = max(value, 1) * 10 if digit == 10 else value + digit
            self._add("n" if value <= 31 else "N", value, start, end)

    def _word(self, word: str, place: int, end: int) -> int:
        folded = self.tokens.folded
        word = "d" if word == "d." else word.removesuffix("-feira")
        if word in _OF_YEAR and self.symbols[-1:] == ["y"]:  # 5.10.2026 r., 9 октября 2026 г.
            after = self.tokens.text[end + 1 :].lstrip()[:1]
            return end + 1 if folded[end : end + 1] == "." and not after.isupper() else end
        if word == "v" and folded[end : end + 1] == "." and folded[end + 1 : end + 3].strip().isdigit():
            word = "vecka"  # v. 43
        name = name_of(word) if word[0] < "\u1100" else None
        if name and (
            (name[0] == "m" and not _AFTER_DAY.search("".join(self.symbols[-3:])))
            or (name[0] == "z" and not _BEFORE_DAY.match(folded, end))
        ):
            name = None
        if name and name[0] != "z":
            return self._name(name, word, place, end)
        cue = cue_at(folded, place)
        if cue:
            return self._add(cue[0], 0, place, cue[1], word)
        if name:
            return self._add(name[0], name[1], place, end, word)
        if word in SINGLE:
            self._add(SINGLE[word], UNITS.get(word, 0), place, end, word)
        elif word in UNITS:
            self._add("u", UNITS[word], place, end, word)
        elif word in ORDINAL_WORDS:
            self._add("n", ORDINAL_WORDS[word], place, end, word)
            self._add("o", 0, end, end)
        elif word in COUNTS:
            self._add("c", COUNTS[word], place, end, word)
        elif word.isalpha():
            self._add("x", 0, place, end, word)
        else:
            self._add(word, 0, place, end)
        return end

    def _name(self, name: tuple[str, int, str], word: str, place: int, end: int) -> int:
        self._add(name[0], name[1], place, end, word)
        case = _CASE.match(self.tokens.folded, end)  # Ekim'de, Monday's
        if case:
            end = case.end()
        if name[2] == "ig":
            self._add("p", 0, end, end)
        elif name[2] in _NAME_FROM or (case and case[0] in _ORDINAL_FROM):
            self._add("f", 0, end, end)
        return end

    def _find_language(self, language: str) -> None:
        words, folded = self.tokens.words, self.tokens.folded
        cjk = sum(1 for char in folded if char >= "\u2e80") if not folded.isascii() else 0
        if cjk > sum(1 for word in words if word) / 2:
            self.tokens.language = "ko" if any("가" <= char <= "힣" for char in folded) else "ja"
        else:
            self.tokens.language = language_of(words, language)

    def _settle(self) -> None:
        """Words that depend on the language, and which marks end a sentence."""
        symbols, tokens = self.symbols, self.tokens
        for index, word in enumerate(tokens.words):
            if (
                word
                and tokens.ends[index] - tokens.starts[index] == len(word)
                and (symbol := BY_LANGUAGE.get((word, tokens.language)))
            ):
                symbols[index] = symbol
                tokens.values[index] = 1 if symbol == "c" else tokens.values[index]
        last = len(symbols) - 1
        for index, symbol in enumerate(symbols):
            if (symbol in "!?。" and tokens.folded[tokens.starts[index]] == symbol) or (
                symbol == "."
                and (index == last or (tokens.starts[index + 1] > tokens.ends[index] and self._ends(index)))
            ):
                symbols[index] = "S"

    def _ends(self, index: int) -> bool:
        """Whether a dot before a blank ends a sentence: after a number only before a word in capitals that cannot belong to a date."""
        symbols = self.symbols
        before, after = symbols[index - 1] if index else "x", symbols[index + 1]
        if before == "K":
            return after not in "nq"
        if before not in "nqyMwzmo":
            return True
        if not self.tokens.text[self.tokens.starts[index + 1]].isupper():
            return False
        if index + 1 in self.tokens.lines or (after == "n" and self.tokens.words[index + 1]):  # "First day back"
            return True
        return after in "xcdEvFTUd!&kQZA2" and not (before == "n" and after in "UA")
