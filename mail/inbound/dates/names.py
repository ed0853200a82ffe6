"""Folding of text, and the names of months and weekdays in the languages that are read.

Names come from CLDR (Babel); what CLDR does not list (case endings, spellings without accents, old abbreviations) is
added here by hand.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache

from babel import Locale

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "sv", "da", "nb", "fi", "pl", "cs", "sk", "tr", "hu", "ru", "uk", "ro", "el")  # fmt: skip


def _fold_table() -> dict[int, str]:
    """Lower case without accents for Latin, Greek and Cyrillic, one character for one, so that places stay the same."""
    table: dict[int, str] = {}
    for code in (*range(0x41, 0x5B), *range(0xC0, 0x530), *range(0x1E00, 0x2000)):
        base = unicodedata.normalize("NFKD", chr(code))[0].lower()
        table[code] = base if len(base) == 1 else chr(code)
    special = {
        "ß": "s",
        "ẞ": "s",
        "ł": "l",
        "Ł": "l",
        "ø": "o",
        "Ø": "o",
        "đ": "d",
        "Đ": "d",
        "æ": "a",
        "Æ": "a",
        "œ": "o",
        "Œ": "o",
    }
    special |= {
        "ı": "i",
        "İ": "i",
        "ς": "σ",
        "’": "'",
        "‘": "'",
        "`": "'",
        "´": "'",
        "ʼ": "'",
        "\u200b": " ",
        "\ufeff": " ",
        "\u200e": " ",
    }
    special |= dict.fromkeys("–—‑−‐~〜～→", "-") | {
        "\u00ad": " ",
        "\u200f": " ",
        "\u2028": "\n",
        "\u2029": "\n",
        "\x0b": " ",
        "\x0c": "\n",
    }
    return table | {ord(key): value for key, value in special.items()}


_FOLD = _fold_table()
_MARKUP = re.compile(r"<br ?/?>|</?(?:p|div|b|i|u|span|strong|em|font)(?: [^<>]{0,200})?>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:nbsp|#160|#xa0|ndash|#8211|amp);", re.IGNORECASE)


def clean(text: str) -> str:
    """Text in NFKC form (full-width digits, no-break spaces) and without leftovers of HTML."""
    if "<" in text:
        text = _MARKUP.sub(lambda tag: "\n" if tag[0][1:3].lower() in {"br", "p>", "/p", "di", "/d"} else " ", text)
    if "&" in text:
        text = _ENTITY.sub(lambda entity: "-" if "dash" in entity[0].lower() or "8211" in entity[0] else " ", text)
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("º", "o").replace("ª", "a").replace("°", "o")
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def fold(text: str) -> str:
    """Lower case without accents; as long as `text`."""
    return text.translate(_FOLD)


def word_set(words: str) -> frozenset[str]:
    """The folded words of a text."""
    return frozenset(fold(words).split())


_MORE_MONTHS: tuple[str, ...] = (
    "janv jän jänner janner jaen ianuarie gennaio enero ene sty leden led ocak január januar ιαν",
    "feb febr fev fév févr feber fevereiro lut lutego unor únor únoru şubat",
    "mär maerz mrz mrt maart märz marzo março març marca mars mart mars márc",
    "apr avr abr abril aprile kwi kwiecień kwietniu dub",
    "mai mei may mayo maio maggio mag maj maja maju kvě květnu máj mayıs",
    "jun juni juin junio junho giugno giu cze czerwcu červnu červen haz",
    "jul juli juil juillet julio julho luglio lug lip lipcu červenci červenec tem",
    "aug août aout ago agosto août sie sierpniu srpnu ağu ağustos augustus",
    "sep sept set septembre wrz wrześniu září",
    "oct okt ott out oktober octobre paź październiku říjnu říjen",
    "nov novembre lis listopadzie listopadu kasım",
    "dec dez déc dic dicembre gru grudniu prosinci prosinec aralık",
)
# Words of a language with endings that CLDR leaves out: the stem, and at most six more letters.
_MONTH_STEMS: tuple[str, ...] = (
    "tammiku styczn január januar ocak январ січн ianuari ιανουαρ",
    "helmiku únor február februar şubat феврал лют februari φεβρουαρ",
    "maalisku březn márciu marec март берез marti μαρτ",
    "huhtiku kwietn dubn április nisan апрел квітн aprili απριλ",
    "toukoku květn május mayıs травн μαι",
    "kesäku czerwc červn június haziran июн червн ιουνι",
    "heinäku lipc červenc július temmuz июл липн ιουλι",
    "eloku sierp srpn augusztus august ağustos август серпн αυγουστ",
    "syysku wrześ wrzes szeptember septemb eylül сентябр вересн σεπτεμβρ",
    "lokaku paździer pazdz říjn október oktob ekim октябр жовтн οκτωβρ",
    "marrasku listopad november novemb kasım ноябр листопад νοεμβρ",
    "jouluku grudn prosin december decemb aralık декабр грудн δεκεμβρ",
)
_WEEKDAY_STEMS: tuple[str, ...] = (
    "maanantai poniedzial ponděl pondel hétfő pazartesi понедельник понеділ lunea δευτερα",
    "tiistai wtork wtorek úter utork kedd salı вторник вівтор martea τριτη",
    "keskiviiko keskiviikk środ střed szerd çarşamba среду середу miercurea τεταρτη",
    "torstai czwart čtvrt štvrt csütörtök perşembe четверг четвер joia πεμπτη",
    "perjantai piąt pát piat péntek cuma пятниц п'ятниц vinerea παρασκευη",
    "lauantai sobot szombat cumartesi суббот субот sambata σαββατο",
    "sunnuntai niedziel neděl nedel vasárnap pazar воскресен неділ duminica κυριακη",
)
_MORE_WEEKDAYS: tuple[str, ...] = (
    "monday måndagen mandagen segunda lundi lunes среда",
    "tuesday tisdagen tirsdagen terça martes mardi",
    "wednesday onsdagen quarta mercredi среда среде среды",
    "thursday torsdagen quinta jeudi",
    "friday fredagen sexta vendredi",
    "saturday lördagen lørdagen sonnabend samedi sábado",
    "sunday söndagen søndagen dimanche domingo",
)
# Abbreviations that mean a weekday wherever they stand beside a date. Those that are words of another language as well
# ("on", "do", "so", "per") are not among them: they would only bring doubt.
_WEEKDAY_ABBREVIATIONS: tuple[str, ...] = (
    "mon mån lun seg pon pzt пн",
    "tue tues tis tirs tir wt úte вт",
    "wed weds ons mer mié mie qua śr ср çar",
    "thu thur thurs tors jeu gio jue qui czw čtv чт",
    "fri fre ven vie sex pią пт cum",
    "sat sam sab sáb lør lör sob сб cmt",
    "sun dim dom søn sön ndz вс",
)
_DOUBTFUL_WEEKDAYS: tuple[str, ...] = (
    "mo ma",
    "di mar ter út wt",
    "mi wo ke sze",
    "čt pt cs",
    "fr vr pe pá",
    "sa szo cts",
    "so zo su",
)
_DAY_FIRST_ONLY = word_set(
    "des out ago set pro led dub lis gru tem haz elo kesä cze lip sie paź sty lut mag giu lug ott dic gen ene lis kwi wrz maj haz kas ara"
)
"""Month names, mostly short, that are other words elsewhere: a day must stand right before them."""


@cache
def month_names() -> dict[str, int]:
    """Folded month name to 1..12."""
    names: dict[str, int] = {}
    for tag in LANGUAGES:
        months = Locale.parse(tag).months
        for form in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[form][width].items():
                    word = fold(name).strip(". ")
                    if len(word) > 2 and word.isalpha():
                        names.setdefault(word, number)
    for number, line in enumerate(_MORE_MONTHS, 1):
        for word in line.split():
            names[fold(word)] = number
    names["marec"] = 3
    return names


@cache
def weekday_names() -> dict[str, int]:
    """Folded full name of a weekday to 0 (Monday) .. 6."""
    names: dict[str, int] = {}
    for tag in LANGUAGES:
        days = Locale.parse(tag).days
        for form in ("format", "stand-alone"):
            for number, name in days[form]["wide"].items():
                word = fold(name).removesuffix("-feira")
                if word.isalpha():
                    names.setdefault(word, number)
    for number, line in enumerate(_MORE_WEEKDAYS):
        for word in line.split():
            names[fold(word)] = number
    return names


def _numbered(lines: tuple[str, ...], first: int) -> dict[str, int]:
    return {fold(word): number for number, line in enumerate(lines, first) for word in line.split()}


_ABBREVIATED = _numbered(_WEEKDAY_ABBREVIATIONS, 0)
_DOUBTFUL = _numbered(_DOUBTFUL_WEEKDAYS, 0)


@cache
def _stems() -> tuple[dict[str, int], dict[str, int]]:
    return _numbered(_MONTH_STEMS, 1), _numbered(_WEEKDAY_STEMS, 0)


def _by_stem(word: str, stems: dict[str, int]) -> tuple[int, str] | None:
    for size in range(min(len(word), 12), 2, -1):
        number = stems.get(word[:size])
        if number is not None and len(word) - size <= 6:
            return number, word[size:]
    return None


@lru_cache(maxsize=4096)
def name_of(word: str) -> tuple[str, int, str] | None:
    """What a folded word names: ("M" month, "m" month only after a day, "W" weekday, "w" its abbreviation,
    "z" a doubtful abbreviation; number; case ending)."""
    if len(word) > 20:
        return None
    month = month_names().get(word)
    if month is not None:
        return ("m" if word in _DAY_FIRST_ONLY else "M"), month, ""
    weekday = weekday_names().get(word)
    if weekday is not None:
        return "W", weekday, ""
    if word in _ABBREVIATED:
        return "w", _ABBREVIATED[word], ""
    if word in _DOUBTFUL:
        return "z", _DOUBTFUL[word], ""
    months, weekdays = _stems()
    if found := _by_stem(word, weekdays):
        return "W", *found
    if found := _by_stem(word, months):
        return "M", *found
    return None
