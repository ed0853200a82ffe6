"""What people and their programs put below a text: closing phrases, signature delimiters, device lines, legal footers."""

from __future__ import annotations

import re
from collections.abc import Sequence

_CLOSINGS = (
    # en
    r"(?:with )?(?:best|kind|kindest|warm|warmest|many|sincere)(?: and (?:kind|warm))? ?(?:regards|wishes|thanks)?|regards|rgds|br|kr|cheers|sincerely(?: yours)?"
    r"|yours(?: (?:sincerely|faithfully|truly))?|respectfully|thanks(?: (?:again|a lot|so much|and (?:best |kind )?regards))?"
    r"|thank you(?: (?:very much|so much|and (?:best |kind )?regards))?|thx|all the best|take care|talk soon|warmly|cordially"
    # de
    r"|(?:mit )?(?:freundlichen?|freundliche|besten?|herzlichen?|lieben?|viele[n]?|schönen?|sonnige[nr]?) (?:gr(?:ü|ue)(?:ß|ss)e?n?(?: aus \w{1,20})?|dank)"
    r"|gr(?:ü|ue)(?:ß|ss)e?(?: aus \w{1,20})?|gru(?:ß|ss)|lg|vg|mfg|hochachtungsvoll|danke(?: und (?:viele )?gr(?:ü|ue)(?:ß|ss)e?)?"
    # fr
    r"|(?:bien )?cordialement(?: vôtre)?|(?:bien|très) à (?:vous|toi)|(?:meilleures|sincères|mes meilleures) salutations"
    r"|salutations(?: distinguées)?|bonne (?:journée|réception)|merci(?: d['’]avance| beaucoup)?|bien amicalement|amicalement"
    # es, it, pt
    r"|un saludo|(?:un )?(?:cordial|atento) saludo|(?:muchos )?saludos(?: cordiales| atentos)?|(?:muy )?atentamente|un abrazo|(?:muchas )?gracias"
    r"|(?:cordiali|distinti|cari|un caro|un cordiale) salut[io]|(?:un )?saluti?|cordialmente|(?:molte )?grazie|buona giornata"
    r"|(?:com os melhores |com )?(?:cumprimentos|melhores cumprimentos)|atenciosamente|att|(?:um )?abraço|abraços|obrigad[oa]|cumps"
    # nl, sv, da, no
    r"|(?:met )?(?:vriendelijke|hartelijke) groet(?:en)?|groet(?:en|jes)?|mvg|met vriendelijke groeten|hoogachtend|bedankt|alvast bedankt"
    r"|(?:med )?(?:vänliga?|vänlig|bästa|varma) hälsning(?:ar)?|hälsningar|mvh|tack(?: på förhand)?"
    r"|(?:med )?(?:venlig|venlige|vennlig|beste?|de bedste|kærlig) hilsen(?:er)?|(?:de )?bedste hilsner|hilsen|vh|(?:på forhånd )?tak(?:k)?"
    # fi, pl, cs, hu, tr
    r"|(?:ystävällisin|parhain|terveisin) ?(?:terveisin)?|terveisin|t\.|ystävällisesti|kiitos|kiittäen"
    r"|(?:z |serdecznie )?(?:poważaniem|wyrazami szacunku|pozdrowieniami)|pozdrawiam(?: serdecznie)?|serdecznie pozdrawiam|dziękuję|z góry dziękuję"
    r"|s (?:pozdravem|přátelským pozdravem|úctou)|hezký den|děkuji|(?:üdvözlettel|tisztelettel|köszönettel|üdv|köszönöm)"
    r"|(?:saygılarımla|saygılarımızla|iyi çalışmalar|teşekkürler|sevgiler)"
    # ru, ja, zh, ko
    r"|с уважением|с наилучшими пожеланиями|всего доброго|спасибо|(?:以上、?)?(?:よろしく|宜しく)お願い(?:いた|致)?し?ます|敬具"
    r"|(?:此致)?敬礼|顺祝商祺|祝好|谢谢|此致|順頌商祺|謝謝|감사합니다|고맙습니다|드림"
)
_CLOSING = re.compile(rf"(?:{_CLOSINGS})[\s,.!;:、。，！~–—-]*$", re.IGNORECASE)
_NAME = r"[^\W\d_a-zà-ÿа-я][\w.'’-]*"
_CLOSING_NAME = re.compile(rf"(?i:{_CLOSINGS})(?:\s*[,.!，–—-]\s*|\s+){_NAME}(?:\s{_NAME}){{0,3}}$")

_DEVICE = re.compile(
    r"(?:sent (?:from|with|via|using) |get outlook for |gesendet (?:von|mit) |von meinem .{2,40} gesendet|diese nachricht wurde von meinem"
    r"|outlook für .{2,20} (?:holen|beziehen|herunterladen)|envoyé (?:de(?:puis)?|à partir de|avec) |obtenez outlook pour|télécharger outlook pour"
    r"|enviado (?:desde|do|de|via|a partir do) |obtener outlook para|obter o? ?outlook para|inviato (?:da|dal|con) |scarica outlook per|ottieni outlook per"
    r"|verzonden (?:vanaf|met|via) |verstuurd vanaf |outlook voor .{2,20} downloaden|skickat? från |hämta outlook för|sendt fra |hent outlook|få outlook for"
    r"|lähetetty .{2,30}(?:sta|stä|lla|llä)$|lähetetty |hanki outlook|wysłane? z |pobierz (?:aplikację )?outlook|odesláno z |získejte outlook|stáhnout outlook"
    r"|.{2,20}['’]?(?:umdan|imden|ümden|ımdan|dan|den) gönderildi|az? .{2,20}(?:omról|emről|ömről|ról|ről) küldve|отправлено (?:с|из) "
    r"|iphoneから送信|.{2,15}から送信|发自我的|發自我的|從我的 ?.{2,15}傳送|나의 .{2,15}에서 보냄|내 .{2,15}에서 보냄|.{2,15}에서 보냄)",
    re.IGNORECASE,
)
_POSTSCRIPT = re.compile(r"P\.? ?S\.?\b|N\.? ?B\.?\b|NB\b", re.IGNORECASE)
_GREETING = re.compile(
    r"(?:dear|hello|hi|good (?:morning|day|afternoon)|sehr geehrte|liebe[rs]?|guten tag|hallo|bonjour|madame|monsieur|chère?|hola|estimad[oa]s?|buen[oa]s"
    r"|gentile|buongiorno|salve|ciao|prezad[oa]s?|car[oa]s?|olá|bom dia|beste|geachte|hej|kära|kære|hei|kjære|hyvä|szanown[iay]|dzień dobry"
    r"|dobrý den|vážen[ýáí]|merhaba|sayın|tisztelt|kedves|уважаем\w*|здравствуйте|добрый день|您好|你好|尊敬的\w*|안녕하세요)\b",
    re.IGNORECASE,
)
_CONTACT = re.compile(r"@|https?:|www\.|\||\+?\d[\d ()/.-]{6,}", re.IGNORECASE)
_CJK = re.compile(r"[぀-ヿ㐀-鿿가-힯]")

_LEGAL_STEMS = (
    "confidential", "privileged", "intended recipient", "intended only", "intended solely", "intended for the", "received this",
    "disclaimer", "in error", "virus", "unauthori", "before printing",
    "vertraulich", "irrtümlich", "nicht der richtige adressat", "bestimmt sind", "unbefugt", "virenfrei",
    "confidentiel", "destinataire", "par erreur", "confidencial", "destinatari", "por error", "por engano", "riservat", "per errore",
    "vertrouwelijk", "bestemd voor", "per abuis", "konfidentiell", "av misstag", "fortrolig", "ved en fejl", "ved en feil",
    "luottamuksel", "erehdyksessä", "poufn", "omyłkow", "důvěrn", "omylem", "bizalmas", "tévedés", "gizli", "yanlışlıkla",
    "конфиденциальн", "по ошибке", "機密", "誤って", "保密", "误收", "기밀", "잘못 수신",
)  # fmt: skip
_LEGAL_START = re.compile(
    r"\W{0,5}(?:confidentiality|disclaimer|legal notice|this (?:e-?mail|message|communication|transmission)|the (?:information|contents?) (?:contained )?in"
    r"|please consider the environment|privileged|notice:|diese (?:e-?mail|nachricht)|haftungsausschluss|der inhalt dieser"
    r"|ce (?:message|courriel|mail)|cet? e-?mail|este (?:mensaje|correo|e-?mail)|aviso legal|il presente messaggio|questo messaggio|le informazioni contenute"
    r"|esta mensagem|dit (?:bericht|e-?mail)|deze e-?mail|detta (?:meddelande|e-?post)|denne (?:e-?mail|e-?post|meddelelse)|tämä (?:viesti|sähköposti)"
    r"|ta wiadomość|niniejsza wiadomość|tento e-?mail|tato zpráva|ez az (?:e-?mail|üzenet)|bu (?:e-?posta|mesaj)|(?:это|настоящее|данное) (?:сообщение|письмо)"
    r"|本メール|この(?:メール|電子メール)|本邮件|本郵件|본 ?(?:메일|이메일)|이 (?:메일|메시지))",
    re.IGNORECASE,
)


def is_delimiter(line: str) -> bool:
    """`-- ` on a line of its own (RFC 3676 4.3), also where the trailing space got lost."""
    return line.rstrip() in ("--", "—")


def is_device(line: str) -> bool:
    """What a phone or an app adds ("Sent from my iPhone")."""
    # "Sent from my desk, which is easier" is a sentence.
    return len(line) < 80 and (", " not in line or ", an " in line) and _DEVICE.match(line) is not None


def is_closing(line: str) -> bool:
    """A closing phrase ("Best regards,"), also with a name behind it."""
    return len(line) < 60 and (_CLOSING.match(line) is not None or _CLOSING_NAME.match(line) is not None)


def is_greeting(line: str) -> bool:
    """Whether a line greets somebody: below a delimiter it begins the same text in another language."""
    return len(line) < 80 and _GREETING.match(line) is not None


def is_postscript(line: str) -> bool:
    """Whether a line is a postscript ("P.S. ...")."""
    return _POSTSCRIPT.match(line) is not None


def is_prose(line: str) -> bool:
    """Whether a line below a closing phrase is a sentence, not a name, a title, an address or a number."""
    if is_postscript(line):
        return True
    ended = line[-1] in ".!?。！？…"
    if _CJK.search(line):
        return line[-1] in "。！？" or len(line) >= 30
    words = len(line.split())
    if _CONTACT.search(line):
        return ended and words >= 9
    return words >= 8 or (ended and words >= 4)


def footer(lines: Sequence[str], rest: Sequence[int]) -> set[int]:
    """The numbers of the lines of legal footers, among `rest`: paragraphs that begin like one or name two of its subjects."""
    found: set[int] = set()
    paragraph: list[int] = []
    for number in [*rest, -1]:
        if number >= 0 and lines[number].strip():
            paragraph.append(number)
            continue
        text = " ".join(lines[one].strip() for one in paragraph[:60])[:4_000]
        if len(text) > 30:
            lowered = text.casefold()
            stems = sum(stem in lowered for stem in _LEGAL_STEMS)
            if stems >= 3 or (stems and _LEGAL_START.match(text)):
                found.update(paragraph)
        paragraph = []
    return found
