"""Date expressions in a string of symbols (lexer.py): which tokens name a day, a week, a month or a stretch of time."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from mail.inbound.dates.lexer import Tokens

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


_WD = r"(?:(?P<wd>[Wwz])[.,]*d{0,2}|M\.?(?=n[o.]{0,2}d?[Mm])|M\.?(?=n[./]n))?"
_WS = r"(?:,?\((?P<ws>[Wwz])\.?\)|,?(?P<ws2>W)(?![-rUI&]))?"
_LEAD = r"(?:(?P<lead>n)[o.]{0,2}(?:,?\(?[Ww]\)?)?(?:[-rUI&|f]|f-|,&){1,2}[dFt]{0,2}(?:(?P<wd2>[Wwz])[.,]*d{0,2})?)?"
_TAIL = r"(?:\(?[Ww]?\)?,?(?P<link>[-rUI&|f])[dF]{0,2}(?:(?P<wd2>[Wwz])[.,]*d{0,2})?(?P<tail>n)(?!o?\.?d?[Mm]|[:/uG]|\.n)o?\.?)?"
_YEAR = r"(?:[,.]?[dF]{0,2}(?P<y>y)|'(?P<yy>[nq]))?"

_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("cjk", r"(?:(?P<y>y)Y)?(?P<m>n)G(?P<d>n)(?:D?(?P<ws>W)?(?:x?[-r]|f|r)(?P<tail>n)D|D)(?:,?(?P<ws2>W))?"),
        ("ymd", rf"(?P<wd>[Ww]?)[.,]?(?P<y>y)(?P<s>[-/.])(?P<m>n)(?P=s)(?P<d>n)\.?(?!{'[-/.]'}n(?!{'[-/.]'})){_WS}"),
        ("dmy", rf"{_WD}{_LEAD}(?P<d>n)(?P<s>[-/.])(?P<m>n)(?P=s)(?:(?P<y>y)|(?P<yy>[nq]))(?![-/.]n[-/.]n(?![-/.])|[NyG])\.?{_WS}"),
        ("dM", rf"{_WD}{_LEAD}(?P<d>n)[o.]{{0,2}}[-/]?[dF]{{0,2}}(?P<M>[Mm])\.?(?:[-/.,]?[dF]{{0,2}}(?P<y>y)|'(?P<yy>[nq])|[-/](?P<yy2>[nq]))?{_WS}"),
        ("yMd", rf"{_WD}(?P<y>y)\.?[dF]?(?P<M>[Mm])\.?(?P<d>n)(?!o?\.?d?[Mm])(?:o\.?|\.(?!n))?{_TAIL}{_WS}"),
        ("Md", rf"{_WD}(?P<M>M)\.?d{{0,2}}(?P<d>n)(?![:uK]|\.?d?[Mm])(?:o|\.(?!n))?{_TAIL}{_YEAR}{_WS}"),
        ("dm", rf"{_WD}{_LEAD}(?P<d>n)(?P<s>[./])(?P<m>n)(?![/.]n|[/.]?[NyG]|\.?[uK]|:)\.?(?:,?(?P<y>y))?{_WS}"),
        ("week", r"K\.?(?:,?N)?(?P<w1>[nq])\.?(?:(?:[-r&,UI/]|,&){1,2}d?(?:K\.?)?(?P<w2>[nq]))?(?:/?y)?(?![uMm/.]n?)"),
        ("week", r"(?P<w1>[nq])\.?(?:[-r&](?P<w2>[nq])\.|(?<=\.))K"),
        ("week_of_weekday", r"(?P<n1>X)K[.,]?[dF]{0,3}(?P<W>W)|(?P<W2>W)[dF,]{0,4}(?:(?P<n2>X)K|K(?P<n3>X))"),
        ("cjkday", r"(?P<d>n)D(?P<ws>W)?"),
        ("day", r"(?P<wd>W)?,?d{0,2}(?P<d>n)(?:o|\.(?!n)|(?=[S,;)&BAvE!]|$))"),
        ("weekday", r"(?P<mod>[XPH]?)d{0,2}(?P<W>W)(?P<mod2>[XP]?)"),
        ("relative", r"(?P<R>[234])"),
        ("vague", r"V[-d.]{0,3}[HXP]?d{0,2}(?:K|u|[Mm](?:[dF]{0,2}y)?|y)|XK|KX|HK|PK|KP|Xu|Hu|VM"),
        ("month", r"(?P<M>M)\.?(?:,?[dF]{0,2}(?P<y>y))?|(?:(?P<y2>y)Y)?(?P<mG>n)G|(?P<y3>y)[dF]?(?P<M3>M)"),
        ("duration", r"(?P<c>[nqc])-?(?P<work>x?)(?P<u>[uK])"),
    )
)
_STARTS = frozenset("nyMmWwzKqXHPcV234")
_ARTICLES = frozenset("le el il au al dia den d zum ao der lo".split())


def atoms(tokens: Tokens) -> list[Atom]:
    """All expressions, left to right, none within another. Linear: every pattern is bounded."""
    symbols, found = tokens.symbols, []
    place, size = 0, len(symbols)
    while place < size:
        atom = None
        if symbols[place] in _STARTS:
            for name, pattern in _PATTERNS:
                match = pattern.match(symbols, place)
                if match and match.end() > place:
                    atom = _atom(name, match, tokens)
                    if atom:
                        break
        if atom:
            found.append(atom)
            place = max(atom.end, place + 1)
        else:
            place += 1
    return found


def _weekday(match: re.Match[str], tokens: Tokens, *groups: str) -> tuple[int | None, bool]:
    for group in groups:
        if group in match.re.groupindex and match[group]:
            return tokens.values[match.start(group)], match[group] != "z"
    return None, False


def _number(match: re.Match[str], tokens: Tokens, *groups: str) -> int:
    for group in groups:
        if group in match.re.groupindex and match[group]:
            value = tokens.values[match.start(group)]
            return value + 2000 if group.startswith("yy") else value
    return 0


def _atom(name: str, match: re.Match[str], tokens: Tokens) -> Atom | None:
    start, end = match.span()
    before = tokens.symbols[start - 1] if start else "S"
    groups = match.re.groupindex
    if name in {"cjk", "ymd", "dmy", "dM", "yMd", "Md", "dm"}:
        if name in {"dm", "dmy"} and before in "nNqy/" and tokens.symbols[start] == "n":
            return None
        if name == "Md" and not _is_month_name(match, tokens):
            return None
        weekday, sure = _weekday(match, tokens, "wd2", "ws2", "ws", "wd") if "tail" not in groups or not match["tail"] else _weekday(match, tokens, "wd2", "ws2")
        month = _number(match, tokens, "m", "M")
        atom = Atom("date", start, end, _number(match, tokens, "d"), month, _number(match, tokens, "y", "yy", "yy2"), weekday=weekday, sure_weekday=sure)
        if name in {"dmy", "dm"}:
            atom = replace(atom, numeric=match["s"])
        if "lead" in groups and match["lead"]:
            lead = replace(atom, day=_number(match, tokens, "lead"), weekday=None)
            return replace(atom, lead=lead, either="|" in match[0])
        if "tail" in groups and match["tail"]:
            lead = replace(atom, weekday=None)
            return replace(atom, day=_number(match, tokens, "tail"), lead=lead, either="|" in match[0])
        return atom
    if name == "week":
        first = _number(match, tokens, "w1")
        last = _number(match, tokens, "w2") or first
        return Atom("week", start, end, count=last, day=first) if 1 <= first <= 53 and first <= last + 52 and last <= 53 else None
    if name == "week_of_weekday":
        return Atom("weekday", start, end, weekday=_weekday(match, tokens, "W", "W2")[0], modifier="next_week")
    if name == "cjkday":
        if tokens.folded[tokens.ends[end - 1] : tokens.ends[end - 1] + 1] in {"間", "内", "間", "내", "间", "以", "후", "后", "後"} or before in "nG":
            return None
        return Atom("day", start, end, day=_number(match, tokens, "d"), weekday=_weekday(match, tokens, "ws")[0])
    if name == "weekday":
        mods = match["mod"] + match["mod2"]
        modifier = "following" if "P" in mods else "next" if "X" in mods else ""
        if modifier == "next" and tokens.language in {"ja", "ko"}:
            modifier = "next_week"
        return Atom("weekday", start, end, weekday=_number(match, tokens, "W"), modifier=modifier)
    if name == "relative":
        return Atom("relative", start, end, count=int(match["R"]) - 2)
    if name == "month":
        if match["M"] and not _is_month_name(match, tokens):
            return None
        return Atom("month", start, end, month=_number(match, tokens, "M", "mG", "M3"), year=_number(match, tokens, "y", "y2", "y3"))
    if name == "vague":
        return Atom("vague", start, end, count=1 if match[0] in {"XK", "KX"} else 0)
    if name == "duration":
        if match["work"] and tokens.words[match.start("work")] not in _WORKING:
            return None
        unit = 0 if match["work"] else tokens.values[match.start("u")]
        return Atom("duration", start, end, count=_number(match, tokens, "c"), unit=unit or (0 if match["work"] else 7))
    return _bare_day(match, tokens, before)


_WORKING = frozenset("business working werktagen werktage arbeitstagen ouvres ouvrables habiles laborables lavorativi uteis working".split())


def _is_month_name(match: re.Match[str], tokens: Tokens) -> bool:
    """ "may" and "march" in lower case are verbs, unless the whole mail is."""
    index = match.start("M")
    word = tokens.text[tokens.starts[index] : tokens.ends[index]]
    return word not in {"may", "march", "mars", "mart"} or tokens.language != "en" or tokens.text == tokens.folded


def _bare_day(match: re.Match[str], tokens: Tokens, before: str) -> Atom | None:
    """ "the 14th", "am 14.", "le 14"."""
    place = match.start("d")
    ordinal = tokens.symbols[place + 1 : place + 2] == "o"
    word = tokens.words[place - 1] if place else ""
    cue = tokens.folded[tokens.starts[place - 1] : tokens.ends[place - 1]].split()[-1:] if place else []
    article = word in _ARTICLES or bool(cue and cue[0].split("'")[-1] in _ARTICLES)
    dotted = tokens.symbols[place + 1 : place + 2] in {".", "S"} and tokens.folded[tokens.ends[place] : tokens.ends[place] + 1] == "."
    if ordinal and (before in "UIFBTab-r&,d" or place > match.start()) or article and (dotted or tokens.symbols[match.end() : match.end() + 1] in set("S,;)&BAvE!") or match.end() == len(tokens.symbols)):
        weekday = _number(match, tokens, "wd") if match["wd"] else None
        return Atom("day", match.start(), match.end(), day=_number(match, tokens, "d"), weekday=weekday, sure_weekday=True)
    return None
