"""Single words that a date or its neighbourhood is made of: articles, "to", "and", units, numbers, and the commonest words of each language."""

from __future__ import annotations

from mail.inbound.dates.names import fold, word_set


def _words(symbol: str, words: str) -> dict[str, str]:
    return {fold(word): symbol for word in words.split()}


SINGLE: dict[str, str] = {
    **_words("d", "the of o on in im nel nell de du d' l del den der dem des le la las les el il lo los dia día dag dnia dniem dne dni w we ve na az em no pe à в во у на στις στη την am an d da degli dello dell os as i en"),
    **_words("r", "to au al a bis zu aan ao naar"),
    **_words("&", "and und et och og и й та і και sowie plus & + と 和 及 与 與 oraz"),
    **_words("|", "or oder ou eller tai lub nebo vagy veya или або sau ή 或 또는"),
    **_words(";", "but aber mais pero ma mas maar men mutta ale ama но але însă however jedoch allerdings cependant toutefois echter dock then dann danach puis luego después poi depois daarna"),
    **_words("K", "week wk kw woche semaine semana settimana vecka veckan uge uken uke viikko viikolla viikon vk vko tydzien tygodniu tygodnia tyg tyden tydnu tydne het heten hafta haftaya неделе неделю неделя недели тиждень тижня тижні weeks wochen wks kalenderwoche veckorna ugerne viikot viikoilla semaines semanas settimane weken uger uker"),
    **_words("Y", "年 년"),
    **_words("G", "月 월"),
    **_words("D", "日 号 號 일"),
    **_words("U", "至 到"),
    **_words(",", "、"),
}  # fmt: skip
"""Folded word to the symbol of lexer.py, whatever the language."""

BY_LANGUAGE: dict[tuple[str, str], str] = {
    ("a", "en"): "c",
    ("a", "hu"): "d",
    ("a", "cs"): "&",
    ("do", ""): "U",
    ("do", "pl"): "U",
    ("do", "cs"): "U",
    ("e", "it"): "&",
    ("e", "pt"): "&",
    ("en", "nl"): "&",
    ("es", "hu"): "&",
    ("i", "pl"): "&",
    ("i", "cs"): "&",
    ("ja", "fi"): "&",
    ("na", "nl"): "a",
    ("o", "es"): "|",
    ("o", "it"): "|",
    ("of", "nl"): "|",
    ("po", "pl"): "a",
    ("s", "fr"): "K",
    ("tom", "sv"): "I",
    ("v", "sv"): "K",
    ("ve", "tr"): "&",
    ("y", "es"): "&",
}
"""Words that are something else in one language."""

_PLURAL_WEEKS = word_set(
    "weeks wochen veckor uger uker viikkoa semaines semanas settimane weken tygodnie tygodni týdny týdnů hét hetet haftalığına недели недель тижні тижнів săptămâni εβδομαδες"
)
UNITS: dict[str, int] = {
    **dict.fromkeys(fold("day days tag tage tagen jour jours días dias giorni giorno dagen dage dager dagar päivän päivää päivä dzień dni den dny dní nap napig napra gün günlüğüne день дня дней дні днів zile μερες").split(), 1),
    **dict.fromkeys(_PLURAL_WEEKS | word_set("week woche wk wks semaine semana settimana vecka uge uke viikko viikon tydzień tydzien týden hafta haftalık неделю неделя тиждень săptămână"), 7),
    "fortnight": 14,
    **dict.fromkeys(fold("month months monat monate monaten mois mes meses mese mesi mês maand maanden månad månader måned måneder kuukautta kuukauden miesiąc miesiące miesięcy měsíc měsíce měsíců hónap hónapra ay месяц месяца месяцев luni").split(), 30),
    **dict.fromkeys(fold("year years jahr jahres jahre an ans année años año anno anni ano anos jaar år vuoden rok roku roka let év yıl год года лет року").split(), 365),
}  # fmt: skip
"""Days in a unit of time."""

COUNTS: dict[str, int] = {
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
ORDINAL_WORDS: dict[str, int] = {
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
_COMMON_WORDS = {
    "en": "the i am is my will for you your be with and have please thank thanks back on of in out office away leave until till return returning holiday vacation from to",
    "de": "ich bin und für mit der die das ist nicht ihre ihr sie meine vielen dank wieder im am vom bis ab dem den zurück urlaub abwesend in von zum",
    "fr": "je suis vous votre et pour merci est mon mes nous serai avec de du le la au jusqu retour absent absente congé congés en les",
    "es": "estoy estaré mi su por gracias correo mensaje favor el los y para de del la hasta desde vacaciones vuelvo regreso oficina al fuera",
    "it": "sono il per grazie mio mia della suo messaggio saro gli e di dal al fino ferie ufficio rientro in rientrerò la",
    "pt": "estou estarei meu minha obrigado obrigada mensagem seu não o até estarei de do férias volto retorno regresso no na em ao",
    "nl": "ik ben het een voor niet uw mijn bent met van op dank kunt de tot en terug afwezig vakantie weer vanaf in",
    "sv": "jag är och för inte på min din till tack kommer det den semester tillbaka åter ledig från",
    "da": "jeg er og ikke på min din til tak det kommer vil af kontoret den ferie tilbage tilbake fra i takk",
    "fi": "olen ja ei kiitos minä viestiäsi olemme lomalla palaan asti töihin vuosilomalla",
    "pl": "jestem nie na proszę dziękuję w do się będę mojej dniu od z kontakt urlopie wracam i",
    "cs": "jsem na v do budu děkuji prosím se kanceláři dobrý den od som budem dovolené dovolenke zpět s",
    "tr": "bir ve için ile olacağım değilim teşekkürler kadar tarihinde tarihine ofis izindeyim izinliyim tarihleri arasında döneceğim",
    "hu": "nem vagyok vagy és a az köszönöm leszek szabadságon irodában kérem üzenetét vissza ismét újra dolgozom szabadságom hétfőn",
    "ru": "я в на не и буду с по вас спасибо до отпуске вернусь",
}
COMMON: dict[str, tuple[str, ...]] = {}
for _tag, _words_of in _COMMON_WORDS.items():
    for _word_of in _words_of.split():
        COMMON[fold(_word_of)] = (*COMMON.get(fold(_word_of), ()), _tag)
