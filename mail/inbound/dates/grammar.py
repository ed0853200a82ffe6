"""Date expressions in a string of symbols (lexer.py): which tokens name a day, a week, a month or a stretch of time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from mail.inbound.dates.lexer import Tokens
from mail.inbound.dates.names import fold, word_set

AtomKind = Literal["date", "day", "weekday", "relative", "week", "month", "vague", "duration"]


@dataclass(frozen=True, slots=True)
class Atom:
    """One expression; `start` and `end` are tokens.

    date: `day`, `month`, perhaps `year`; `numeric` with the mark between the numbers where their order is open (then `day` is the first).
    day: a `day` of a month not named. weekday: `weekday`, `modifier` "" | next | following | next_week. relative: `count` days from today.
    week: ISO weeks `count` and `until_week`. month: `month`, perhaps `year`. duration: `count` days (`unit`: how many days one is; 0 for working days).
    `sure_weekday`: the weekday is written so that a disagreement counts. `lead`: the day on which a range within one expression begins.
    """

    kind: AtomKind
    start: int
    end: int
    day: int = 0
    month: int = 0
    year: int = 0
    numeric: str = ""
    weekday: int | None = None
    sure_weekday: bool = False
    modifier: str = ""
    count: int = 0
    unit: int = 0
    lead: Atom | None = None
    either: bool = False


_WD = r"(?:(?P<wd>[Wwz])[.,(]{0,3}d{0,2}|M\.?(?=n[o.]{0,2}d?[Mm])|M\.?(?=n[./]n))?"
_WS = r"(?:,?\((?P<ws>[Wwz])\.?\)|,?(?P<ws2>W)(?![-rUI&]))?"
_LEAD = r"(?:(?P<lead>n)[o.]{0,2}(?:,d?n[o.]{0,2}){0,12}(?:,?\(?[Ww]\)?)?(?:(?:[-rUIf&|]|f-|,&){1,2}|/(?=no?d?[Mm]))[dFt]{0,2}(?:(?P<wd2>[Wwz])[.,]*d{0,2})?)?"
_TAIL = r"(?:(?:,d?no?){0,12}\(?[Ww]?\)?,?(?P<link>[-rUI&|f])[dF]{0,2}(?:(?P<wd2>[Wwz])[.,]*d{0,2})?(?P<tail>n)(?!o?\.?d?[Mm]|[:/uG]|\.n)o?\.?)?"
_YEAR = r"(?:[,.]?[dF]{0,2}(?P<y>y)|'(?P<yy>[nq]))?"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("cjk", r"(?:(?P<y>y)Y)?(?P<m>n)G(?P<d>n)(?:D?(?P<ws>W)?(?:x?[-rU]|f)(?P<tail>n)D|D)(?:,?(?P<ws2>W))?"),
        ("ymd", rf"(?P<wd>[Ww]?)[.,]?(?P<y>y)(?P<s>[-/.])(?P<m>n)(?P=s)(?P<d>n)\.?(?!{'[-/.]'}n(?!{'[-/.]'})){_WS}"),
        (
            "dmy",
            rf"{_WD}{_LEAD}(?P<d>n)(?P<s>[-/.])(?P<m>n)(?P=s)(?:(?P<y>y)|(?P<yy>[nq]))(?![-/.]n[-/.]n(?![-/.])|[NyG])\.?{_WS}",
        ),
        (
            "dM",
            rf"{_WD}{_LEAD}(?P<d>n)[o.]{{0,2}}(?P<s>[-/]?)[dF]{{0,2}}(?P<M>[Mm])\.?(?:[-/.,]?[dF]{{0,2}}(?P<y>y)|'(?P<yy>[nq])|(?<=[-/]M)(?P=s)(?P<yy2>[nq]))?{_WS}",
        ),
        ("yMd", rf"{_WD}(?P<y>y)\.?[dF]?(?P<M>[Mm])\.?(?P<d>n)(?!o?\.?d?[Mm])(?:o\.?|\.(?!n))?{_TAIL}{_WS}"),
        ("Md", rf"{_WD}(?P<M>M)\.?d{{0,2}}(?P<d>n)(?![:uK]|\.?d?[Mm])(?:o|\.(?!n))?{_TAIL}{_YEAR}{_WS}"),
        ("dm", rf"{_WD}{_LEAD}(?P<d>n)(?P<s>[./])(?P<m>n)(?![/.]n|[/.]?[NyG]|\.?[uK]|:)\.?(?:,?(?P<y>y))?{_WS}"),
        ("dm-", rf"{_WD}(?P<d>n)(?P<s>-)(?P<m>n)(?![-/.]?[nNyMmGuK])"),
        (
            "week",
            r"K\.?(?:,?N)?(?P<w1>[nq])\.?(?:(?:[-r&,UI/]|,&){1,2}d?(?:K\.?)?(?P<w2>[nq])){0,6}(?:/?y)?(?![uMm/.]n?)",
        ),
        ("week", r"(?P<w1>[nq])\.?(?:[-r&](?P<w2>[nq])\.|(?<=\.))K"),
        ("week_of_weekday", r"(?P<n1>X)K[.,]?[dF]{0,3}(?P<W>W)|(?P<W2>W)[dF,]{0,4}(?:(?P<n2>X)K|K(?P<n3>X))"),
        ("vague", r"d?WK(?![.]?[nq])|KdW|L"),
        ("short", r"w(?=\.?(?:[S,;)t]|$|[-rUI]d?[wW]))|(?<=[wW][-rUI])w"),
        ("cjkday", r"(?P<d>n)D(?P<ws>W)?"),
        ("day", r"(?:(?:[XPH]d{0,2})?(?P<wd>[Ww])[XP]?)?[,(]{0,2}d{0,2}(?P<d>n)(?:o|\.(?!n)|(?=[S,;()&BAvE!]|$))"),
        ("weekday", r"(?P<mod>[XPH]?)d{0,2}(?P<W>W)(?P<mod2>[XP]?)"),
        ("relative", r"(?P<R>[234])"),
        (
            "vague",
            r"V[-d.]{0,3}[HXP]?d{0,2}(?:K|u|[Mm](?:[dF]{0,2}y)?|y)|XK|KX|HK|PK|KP|Xu|Hu|VM|(?:yY)?nGV|(?<=[UIFd])y(?![-/.YnN])|X(?=[fp]|x[fp])",
        ),
        ("month", r"(?P<M>M)\.?(?:,?[dF]{0,2}(?P<y>y))?|(?:(?P<y2>y)Y)?(?P<mG>n)G|(?P<y3>y)[dF]?(?P<M3>M)"),
        ("duration", r"(?P<c>[nqc])-?(?P<work>x?)(?P<u>[uK])"),
    )
)
_STARTS = frozenset("nyMmWwzKqXHPcVL234")
_ARTICLES = word_set("le el il au al dia den d zum ao der lo")
_WORKING = word_set(
    "business working werktagen werktage arbeitstagen ouvres ouvrables habiles laborables lavorativi uteis"
)
# "The coming Thursday" is this week's, where "next Thursday", "el próximo jueves" and "aanstaande donderdag" may be either.
_COMING = re.compile(fold("coming|kommend|komende|eerstvolgende|kommande|najbliższ|nejbližš|ближайш|найближч"))
_SPANS_OF_TIME = frozenset("间間内내以후后後")
_CALENDAR = frozenset({"cjk", "ymd", "dmy", "dM", "yMd", "Md", "dm", "dm-"})


def atoms(tokens: Tokens) -> list[Atom]:
    """All expressions, left to right, none within another. Linear: every pattern is bounded."""
    symbols, found = tokens.symbols, []
    place, size = 0, len(symbols)
    while place < size:
        atom = _at(tokens, place) if symbols[place] in _STARTS else None
        if atom:
            found.append(atom)
        place = atom.end if atom else place + 1
    return found


def _at(tokens: Tokens, place: int) -> Atom | None:
    for name, pattern in _PATTERNS:
        match = pattern.match(tokens.symbols, place)
        if match and match.end() > place:
            atom = _Match(name, match, tokens).atom()
            if atom:
                return atom
    return None


class _Match:
    """A place where a pattern matched; what it means also depends on the words there."""

    def __init__(self, name: str, match: re.Match[str], tokens: Tokens) -> None:
        self.name, self.match, self.tokens = name, match, tokens
        self.start, self.end = match.span()
        self.before = tokens.symbols[self.start - 1] if self.start else "S"
        self.after = tokens.symbols[self.end : self.end + 1]

    def _has(self, group: str) -> bool:
        return group in self.match.re.groupindex and bool(self.match[group])

    def _number(self, *groups: str) -> int:
        """The number of the first of these groups that is there; two digits of a year are of this century."""
        for group in groups:
            if self._has(group):
                value = self.tokens.values[self.match.start(group)]
                return value + 2000 if group.startswith("yy") else value
        return 0

    def _weekday(self, *groups: str) -> tuple[int | None, bool]:
        """The weekday of the first of these groups, and whether it is one beyond doubt."""
        for group in groups:
            if self._has(group):
                return self.tokens.values[self.match.start(group)], self.match[group] != "z"
        return None, False

    def atom(self) -> Atom | None:
        start, end, name = self.start, self.end, self.name
        if name in _CALENDAR:
            return self._calendar()
        if name == "week":
            first, last = self._number("w1"), self._number("w2")
            lead = Atom("week", start, end, count=first) if last else None
            return Atom("week", start, end, count=last or first, lead=lead) if 1 <= first <= 53 and last <= 53 else None
        if name == "week_of_weekday":
            return Atom("weekday", start, end, weekday=self._weekday("W", "W2")[0], modifier="next_week")
        if name == "short":
            alone = (
                self.before in "UIFB-r"
                or self.after in set("-rUI")
                or (start > 0 and self.tokens.words[start - 1] == "on")
            )
            return Atom("weekday", start, end, weekday=self.tokens.values[start]) if alone else None
        if name == "weekday":
            marks = self.match["mod"] + self.match["mod2"]
            modifier = (
                "following"
                if "P" in marks
                else ""
                if "X" not in marks or _COMING.search(self.tokens.between(start, end))
                else "next_week"
                if self.tokens.language in {"ja", "ko"}
                else "next"
            )
            return Atom("weekday", start, end, weekday=self._number("W"), modifier=modifier)
        if name == "relative":
            return Atom("relative", start, end, count=int(self.match["R"]) - 2)
        if name == "month":
            named = not self._has("M") or (self._is_month_name() and (self._has("y") or self.before in "dFUIabVXTB"))
            return (
                Atom("month", start, end, month=self._number("M", "mG", "M3"), year=self._number("y", "y2", "y3"))
                if named
                else None
            )
        if name == "vague":
            return Atom("vague", start, end, count=1 if self.match[0] in {"XK", "KX", "X"} else 0)
        if name == "duration":
            return self._duration()
        return self._day()

    def _calendar(self) -> Atom | None:
        name, match, tokens = self.name, self.match, self.tokens
        if name in {"dm", "dmy"} and self.before in "nNqy/" and tokens.symbols[self.start] == "n":
            return None  # the end of a telephone number
        if name == "dm-" and (tokens.language != "nl" or self.before not in "UIFd"):
            return None  # 16-10 is a day of the Dutch, a range or a score elsewhere
        if name == "Md" and not self._is_month_name():
            return None
        weekday, sure = self._weekday("wd2", "ws2") if self._has("tail") else self._weekday("wd2", "ws2", "ws", "wd")
        numeric = match["s"] if name in {"dmy", "dm", "dm-"} else ""
        year = self._number("y", "yy", "yy2")
        atom = Atom(
            "date", self.start, self.end, self._number("d"), self._number("m", "M"), year, numeric, weekday, sure
        )
        if self._has("lead"):
            link = tokens.symbols[match.start("lead") : match.start("d")]
            lead = replace(atom, day=self._number("lead"), weekday=None)
            return replace(atom, lead=lead, either="|" in link or "/" in link)
        if self._has("tail"):
            return replace(atom, day=self._number("tail"), lead=replace(atom, weekday=None), either="|" in match[0])
        return atom

    def _is_month_name(self) -> bool:
        """ "may" and "march" in lower case are verbs, unless the whole mail is."""
        tokens, index = self.tokens, self.match.start("M")
        word = tokens.text[tokens.starts[index] : tokens.ends[index]]
        return word not in {"may", "march"} or tokens.language != "en" or tokens.text == tokens.folded

    def _duration(self) -> Atom | None:
        tokens, work = self.tokens, self._has("work")
        if work and tokens.words[self.match.start("work")] not in _WORKING:
            return None
        unit = 0 if work else tokens.values[self.match.start("u")] or 7
        return Atom("duration", self.start, self.end, count=self._number("c"), unit=unit)

    def _day(self) -> Atom | None:
        """ "the 14th", "am 14.", "le 14", "Monday 14", "14日"; a bare number is none."""
        tokens, place = self.tokens, self.match.start("d")
        atom = Atom("day", self.start, self.end, self._number("d"))
        if self.name == "cjkday":
            following = tokens.folded[tokens.ends[self.end - 1] : tokens.ends[self.end - 1] + 1]
            return (
                None
                if following in _SPANS_OF_TIME or self.before in "nG"
                else replace(atom, weekday=self._weekday("ws")[0])
            )
        next_symbol = tokens.symbols[place + 1 : place + 2]
        if self._has("wd"):
            return replace(atom, weekday=self._weekday("wd")[0])
        if next_symbol == "o":
            if self.after == "x" and tokens.words[place]:  # "back first thing tomorrow", "on the first floor"
                return None
            return atom if self.before in "UIFBTab-r&,d" or place > self.start else None
        dotted = next_symbol in {".", "S"} and tokens.folded[tokens.ends[place] : tokens.ends[place] + 1] == "."
        if dotted and self.before in "dUFIab" and tokens.language not in {"en", ""}:
            return atom
        word = tokens.between(place - 1, place).split("'")[-1].split() if place else []
        if word and word[-1] in _ARTICLES and (dotted or not self.after or self.after in "S,;()&BAvE!"):
            return atom
        return None
