"""From text to a string of symbols, one per token, on which the grammar of dates is a few short patterns.

Symbols: n number 1-31, q two digits above, y year, N other number, o ending of an ordinal; M month, m month only after a day,
W weekday, w and z abbreviated ones; Y G D year, month and day signs (年月日); K week, u unit of time, c number word;
2 3 4 today, tomorrow, the day after; d article or preposition without meaning here, r "to" between two dates, & and, | or;
t time of day; S end of a sentence; punctuation for itself; x any other word. The letters of cues stand in cues.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mail.inbound.dates.cues import heads, matcher
from mail.inbound.dates.names import fold, name_of

_LETTER = r"[^\W\d_\u1100-\uffff]"
_TOKEN = re.compile(
    r"(?P<blank>\n\s*\n\s*)|(?P<line>\n\s*)|(?P<space>[ \t\x00-\x1f]+)"
    r"|(?P<skip>https?://\S{1,500}|www\.\S{1,300}|[\w.+-]{1,64}@[\w.-]{1,255}|\+\d[\d ().\-/]{6,24}\d|\(0\d{1,5}\)[\d ./-]{4,20}\d|#\d+)"
    r"|(?P<time>\d{1,2}:\d\d(?::\d\d)?(?:\s?(?:am|pm|uhr|h))?(?![^\W_])"
    r"|\d{1,2}(?:[.:]\d\d)?\s?(?:am|pm|a\.m\.?|p\.m\.?|uhr|o'?clock|hrs?|hours?|h\d\d|h|heures?|horas|timer|stunden|uur|ore|годин|часов)(?![^\W_])"
    r"|(?:kl\.?|klo|klockan|um|gegen|ore|alle|a las|as|om|at|godz\.?|o godz\.?|h)\s?\d{1,2}(?:[.:h]\d\d)?(?![.\-/]?\s?\d|[^\W_]|\s?[-/.]?\s?(?:[a-z]{3,}))"
    r"|(?:um|alle|at|ore|kl\.?|klo)\s\d{1,2}[.:]\d\d(?!\.?\d)"
    r"|\d{1,2}[時点點시](?:\d{1,2}[分분]|半)?)"
    rf"|(?P<num>\d+)(?P<end>[-':]?{_LETTER}{{1,4}}(?![^\W_]))?"
    r"|(?P<cjkday>\([月火水木金土日一二三四五六월화수목금토일](?:[・·]?[祝休])?\)|[月火水木金土日]曜日?|(?:星期|礼拜|禮拜|周|週)[一二三四五六日天](?![0-9])|[월화수목금토일]요일)"
    r"|(?P<cjknum>[一二三四五六七八九十]{1,3}(?=[月日号號]))"
    rf"|(?P<word>{_LETTER}+)|(?P<other>.)",
    re.DOTALL,
)
_CJK_DAYS = {char: number for line in ("月火水木金土日", "一二三四五六日", "월화수목금토일") for number, char in enumerate(line)} | {"天": 6}
_CJK_DIGITS = {char: number for number, char in enumerate("一二三四五六七八九十", 1)}

_ORDINALS = frozenset("st nd rd th er ere re e eme o a de da ste te ta ter ten :e :a :s :n :na an en on -an -en -on -jan -jen -i -ai -ei -jai -jei -e -ban 'e 'a 'ye 'ya 'i 'u 'si 'su 'de 'da 'te 'ta -го -е -ого го -th -st -a -ana -ena".split())
_ORDINAL_UNTIL = frozenset("-ig -aig -eig -jaig -jeig -iig ig".split())
_ORDINAL_FROM = frozenset("-tol -atol -etol -jatol -jetol -itol 'den 'dan 'ten 'tan".split())


def _words(symbol: str, words: str) -> dict[str, str]:
    return {fold(word): symbol for word in words.split()}


_SINGLE: dict[str, str] = {
    **_words("d", "the of on de du d' l del den der dem des le la las les el il lo los o dia día dag dnia dniem dne dni w we ve na az em no pe à в во у на στις στη την am an d da degli dello dell a os as"),
    **_words("r", "to au al a bis zu aan à ao à naar και-έως"),
    **_words("&", "and und et y e en och og ja i a és ve и и та і și si και sowie plus & + と 和 및 与 與 oraz"),
    **_words("|", "or oder ou o of eller tai lub nebo vagy veya или або sau ή 或 또는"),
    **_words("K", "week wk kw woche semaine semana settimana vecka veckan uge uken uke viikko viikolla viikon vk vko tydzien tygodniu tygodnia tyg tyden tydnu tydne het heten hafta haftaya неделе неделю неделя недели тиждень тижня тижні weeks wochen wks kalenderwoche veckorna ugerne viikot viikoilla semaines semanas settimane weken uger uker"),
    "年": "Y", "년": "Y", "月": "G", "월": "G", "日": "D", "号": "D", "號": "D", "일": "D",
    **_words(";", "but aber mais pero ma mas maar men mutta ale ama но але însă however jedoch allerdings cependant toutefois echter dock then dann danach puis luego después poi depois daarna sedan"),
    "、": ",", "至": "r", "到": "r", "直": "x",
}  # fmt: skip
_SINGLE["a"] = "r"
_SINGLE["i"] = _SINGLE["en"] = _SINGLE["ve"] = "d"
_PLURAL_WEEKS = frozenset(fold("weeks wochen veckor uger uker viikkoa semaines semanas settimane weken tygodnie tygodni týdny týdnů hét hetet haftalığına недели недель тижні тижнів săptămâni εβδομαδες").split())
_UNITS: dict[str, int] = {
    **dict.fromkeys(fold("day days tag tage tagen jour jours días dias giorni giorno dagen dage dager dagar päivän päivää päivä dzień dni den dny dní nap napig napra gün günlüğüne день дня дней дні днів zile μερες").split(), 1),
    **dict.fromkeys(_PLURAL_WEEKS | frozenset(fold("week woche wk wks semaine semana settimana vecka uge uke viikko viikon tydzień tydzien týden hafta haftalık неделю неделя тиждень săptămână fortnight").split()), 7),
    **dict.fromkeys(fold("month months monat monate monaten mois mes meses mese mesi mês maand maanden månad månader måned måneder kuukautta kuukauden miesiąc miesiące miesięcy měsíc měsíce měsíců hónap hónapra ay месяц месяца месяцев luni").split(), 30),
}  # fmt: skip
_COUNTS: dict[str, int] = {
    fold(word): number
    for number, line in enumerate(
        (
            "one ein eine einer einem einen eines un une una uno um uma een één en ett et yksi yhden jeden jedną jednu jeden egy bir один одну o",
            "two zwei zweier deux dos due dois duas twee två to kaksi kahden dwa dwie dva dvě két kettő iki два две дві două δυο",
            "three drei trois tres tre três drie kolme kolmen trzy tři három üç три trei τρεις",
            "four vier quatre cuatro quattro quatro fyra fire neljä neljän cztery čtyři négy dört четыре чотири patru",
            "five fünf cinq cinco cinque vijf fem viisi viiden pięć pět öt beş пять пять cinci",
            "six sechs six seis sei zes sex seks kuusi kuuden sześć šest hat altı шесть шість",
            "seven sieben sept siete sette sete zeven sju syv seitsemän siedem sedm hét yedi семь сім",
            "eight acht huit ocho otto oito åtta otte åtte kahdeksan osiem osm nyolc sekiz восемь",
            "nine neun neuf nueve nove negen nio ni yhdeksän dziewięć devět kilenc dokuz девять",
            "ten zehn dix diez dieci dez tien tio ti kymmenen dziesięć deset tíz on десять",
        ),
        1,
    )
    for word in line.split()
}
_ORDINAL_WORDS: dict[str, int] = {
    fold(word): number
    for number, line in enumerate(
        (
            "first 1st ersten erster premier primero primo primeiro eerste första första første первого pierwszego prvního",
            "second zweiten segundo tweede andra anden",
            "third dritten tercero derde tredje",
            "fourth vierten fjärde",
            "fifth fünften femte",
            "sixth sechsten",
            "seventh siebten",
            "eighth achten",
            "ninth neunten",
            "tenth zehnten",
            "eleventh elften",
            "twelfth zwölften",
            "thirteenth dreizehnten",
            "fourteenth vierzehnten",
            "fifteenth fünfzehnten",
            "sixteenth sechzehnten",
            "seventeenth siebzehnten",
            "eighteenth achtzehnten",
            "nineteenth neunzehnten",
            "twentieth zwanzigsten",
        ),
        1,
    )
    for word in line.split()
}
_COMMON: dict[str, str] = {
    fold(word): tag
    for tag, words in {
        "en": "the i am my is will for you your be with and have please thank thanks",
        "de": "ich bin und für mit der die das ist nicht ihre ihr sie meine vielen dank wieder im",
        "fr": "je suis vous votre et pour merci est mon mes nous serai avec",
        "es": "estoy estaré mi su por gracias correo mensaje favor el los y para",
        "it": "sono il per grazie mio mia della suo messaggio saro gli",
        "pt": "estou estarei meu minha obrigado obrigada mensagem seu não o até estarei",
        "nl": "ik ben het een voor niet uw mijn bent met van op dank kunt",
        "sv": "jag är och för inte på min din till tack kommer det",
        "da": "jeg er og ikke på min din til tak det kommer vil af kontoret",
        "fi": "olen ja en ei kiitos on minä viestiäsi olemme",
        "pl": "jestem nie na proszę dziękuję w do się będę mojej dniu od z kontakt",
        "cs": "jsem na v do budu děkuji prosím se kanceláři dobrý den od som budem som",
        "tr": "bir ve için ile olacağım değilim teşekkürler kadar tarihinde tarihine ofis izindeyim",
        "hu": "nem vagyok vagy és a az köszönöm leszek szabadságon irodában kérem üzenetét",
        "ru": "я в на не и буду с по вас спасибо",
    }.items()
    for word in words.split()
}
_AFTER_DAY = re.compile(r"n(?:o|\.|[-/]|o?[dF]{1,2})?$")
_BEFORE_DAY = re.compile(r"[.,]?\s?\d|\)")


@dataclass(slots=True)
class Tokens:
    """`symbols[i]` is the symbol of token i; `values[i]` its number; `starts`, `ends` its place in the text. `lines`: tokens that begin a
    line. `glued`: tokens that follow without a blank. `languages`: how many common words of each language stand in it."""

    text: str
    folded: str
    symbols: str = ""
    values: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    lines: set[int] = field(default_factory=set)
    language: str = ""
    words: list[str] = field(default_factory=list)


def lex(text: str, language: str = "") -> Tokens:
    """The tokens of clean text (names.clean)."""
    folded = fold(text)
    out = Tokens(text, folded)
    symbols: list[str] = []
    values, starts, ends, words = out.values, out.starts, out.ends, out.words
    counts: dict[str, int] = {}
    cjk = 0
    place, size = 0, len(folded)
    heads_ = heads()

    def add(symbol: str, value: int, start: int, end: int, word: str = "") -> None:
        symbols.append(symbol)
        values.append(value)
        starts.append(start)
        ends.append(end)
        words.append(word)

    while place < size:
        found = _TOKEN.match(folded, place)
        if found is None:  # pragma: no cover - the last alternative takes any character
            break
        kind, end = found.lastgroup, found.end()
        if kind == "end":
            kind = "num"
        if kind == "space":
            pass
        elif kind == "blank":
            add("S", 0, place, end)
        elif kind == "line":
            out.lines.add(len(symbols))
        elif kind in {"skip", "time"}:
            # a phrase may begin like a time ("at my desk"), a time never like a phrase
            add("N" if kind == "skip" else "t", 0, place, end)
        elif kind == "num":
            end = _number(found, add)
        elif kind == "cjkday":
            add("W", _CJK_DAYS.get(found[0].strip("()星期礼拜禮周週요")[0] if found[0][0] in "(星礼禮周週" else found[0][0], 0), place, end)
        elif kind == "cjknum":
            digits = [_CJK_DIGITS[char] for char in found[0]]
            value = digits[0]
            for digit in digits[1:]:
                value = value * 10 if digit == 10 else value + digit
            add("n", value, place, end)
        else:
            word = found[0]
            if kind == "word":
                tag = _COMMON.get(word)
                if tag:
                    counts[tag] = counts.get(tag, 0) + 1
            elif word >= "\u1100":
                cjk += 1
            end = _word(folded, place, end, word, symbols, heads_, add)
        place = end
    if cjk > 4:
        out.language = "ko" if any("가" <= char <= "힣" for char in folded) else "ja"
    elif counts:
        best = max(counts, key=lambda tag: counts[tag])
        out.language = language if counts.get(language) == counts[best] else best
    else:
        out.language = language
    _settle(symbols, out)
    out.symbols = "".join(symbols)
    return out


def _number(found: re.Match[str], add: object) -> int:
    digits, ending = found["num"], found["end"]
    value = int(digits[:9])
    if len(digits) == 4 and 1990 <= value < 2100:
        symbol = "y"
    elif len(digits) <= 2 and 1 <= value <= 31:
        symbol = "n"
    else:
        symbol = "q" if len(digits) == 2 and value else "N"
    start, end = found.span("num")
    add(symbol, value, start, end)  # type: ignore[operator]
    if ending is not None and symbol == "n":
        kind = "p" if ending in _ORDINAL_UNTIL else "f" if ending in _ORDINAL_FROM else "o" if ending in _ORDINALS else ""
        if kind:
            add("o", 0, end, end + len(ending))  # type: ignore[operator]
            if kind != "o":
                add(kind, 0, end, end + len(ending))  # type: ignore[operator]
            return end + len(ending)
    return end


def _word(folded: str, place: int, end: int, word: str, symbols: list[str], heads_: dict[str, list[tuple[str, str]]], add: object) -> int:
    name = name_of(word) if word[0] < "\u1100" else None
    if name and name[0] == "m" and not _AFTER_DAY.search("".join(symbols[-3:])):
        name = None
    if name and name[0] == "z" and not _BEFORE_DAY.match(folded, end):
        name = None
    if name and name[0] != "z":
        add(name[0], name[1], place, end, word)  # type: ignore[operator]
        if name[2] == "ig":
            add("p", 0, end, end)  # type: ignore[operator]
        elif name[2] in {"tol", "en tol", "dan", "den", "ten", "tan"}:
            add("f", 0, end, end)  # type: ignore[operator]
        return end
    for head in (folded[place : place + 2], folded[place : place + 1]):
        if head in heads_:
            pattern = matcher(head)
            hit = pattern.match(folded, place) if pattern else None
            if hit and hit.lastindex and hit.end() > place:
                add(heads_[head][hit.lastindex - 1][0], 0, place, hit.end(), word)  # type: ignore[operator]
                return hit.end()
    if name:
        add(name[0], name[1], place, end, word)  # type: ignore[operator]
        return end
    if word in _SINGLE:
        symbol = _SINGLE[word]
        add(symbol, _UNITS.get(word, 0), place, end, word)  # type: ignore[operator]
    elif word in _UNITS:
        add("u", _UNITS[word], place, end, word)  # type: ignore[operator]
    elif word in _ORDINAL_WORDS:
        add("n", _ORDINAL_WORDS[word], place, end, word)  # type: ignore[operator]
        add("o", 0, end, end)  # type: ignore[operator]
    elif word in _COUNTS:
        add("c", _COUNTS[word], place, end, word)  # type: ignore[operator]
    elif word.isalpha():
        add("x", 0, place, end, word)  # type: ignore[operator]
    else:
        add(word, 0, place, end)  # type: ignore[operator]
    return end


_BY_LANGUAGE: dict[tuple[str, str], str] = {
    ("do", "pl"): "U",
    ("do", "cs"): "U",
    ("tom", "sv"): "I",
    ("v", "sv"): "K",
    ("po", "pl"): "a",
    ("na", "nl"): "a",
    ("a", "hu"): "d",
    ("a", "cs"): "&",
    ("i", "pl"): "&",
    ("i", "cs"): "&",
    ("en", "nl"): "&",
    ("y", "es"): "&",
    ("e", "it"): "&",
    ("e", "pt"): "&",
    ("ja", "fi"): "&",
    ("es", "hu"): "&",
    ("ve", "tr"): "&",
    ("s", "fr"): "K",
    ("hat", "hu"): "c",
}


def _settle(symbols: list[str], out: Tokens) -> None:
    """Words that depend on the language, and which dots end a sentence."""
    for index, word in enumerate(out.words):
        if word and (symbol := _BY_LANGUAGE.get((word, out.language))):
            symbols[index] = symbol
    last = len(symbols) - 1
    for index, symbol in enumerate(symbols):
        if symbol in "!?。" and out.folded[out.starts[index]] in "!?。":
            symbols[index] = "S"
        elif symbol == "." and (index == last or out.starts[index + 1] > out.ends[index]):
            before = symbols[index - 1] if index else "x"
            if index == last:
                symbols[index] = "S"
            elif before in "nqMwzmo":
                first = out.text[out.starts[index + 1]]
                if first.isupper() and symbols[index + 1] in "xcdEvFTUd!&kQZA2" and not (before == "n" and symbols[index + 1] in "UA"):
                    symbols[index] = "S"
                elif index + 1 in out.lines and first.isupper():
                    symbols[index] = "S"
            else:
                symbols[index] = "S"
