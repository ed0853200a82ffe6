"""How mail programs announce the mail that they quote: attribution lines, header blocks and separators, in 20 languages."""

from __future__ import annotations

import re
from collections.abc import Sequence

_WROTE = re.compile(
    r"wrote|writes|quoting|zitat von|citando|citerar|schrieb|geschrieben|a\s+écrit|écrivait|escribió|escribi[oó]|ha\s+scritto|scrive|escreveu|schreef|geschreven"
    r"|skrev|skriver|kirjoitti|napisał|pisze|napsal|yazdı|yazmış|írta|написал|пишет|пише|a\s+scris|έγραψε|va\s+escriure"
    r"|書きました|書いた|のメール|写道|寫道|写到|작성|썼습니다|쓴\s*글|님의\s*말|menulis|đã\s+viết",
    re.IGNORECASE,
)
_DATE = re.compile(r"\b(?:19|20)\d\d|\d{1,2}\s?[./-]\s?\d{1,2}\s?[./-]\s?\d{2}|\d{1,2}월|\d{1,2}月")
_TIME = re.compile(r"\d{1,2}[:.h]\d{2}")
_ADDRESS_END = re.compile(r"[\[(<]\S{1,100}@\S{1,200}[)>\]]+\s?[:：]$")
_BRACKETED = re.compile(r"[\[(<]\S{1,100}@\S{1,200}[)>\]]")
_ADDRESS = re.compile(r"[\[(<]?\S@\S")

_FROM = (
    "From|Von|De|Da|Van|Från|Fra|Lähettäjä|Od|Nadawca|Odesílatel|Gönderen|Kimden|Feladó|От|Від|差出人|送信者|发件人|寄件者|寄件人|보낸 ?사람"
    "|Expéditeur|Remitente|Mittente|Remetente|Afzender|Avsändare|Avsender|Afsender"
)
_SENT = (
    "Sent|Date|Gesendet|Datum|Envoyé|Enviado(?: el| em)?|Fecha|Data|Inviato|Verzonden|Skickat|Sendt|Dato|Lähetetty|Päiväys|Päivämäärä"
    "|Wysłano|Wysłane|Odesláno|Gönderildi|Gönderilme Tarihi|Tarih|Elküldve|Küldve|Dátum|Отправлено|Дата|送信日時|日付|日時"
    "|发送时间|发送日期|日期|寄件日期|傳送時間|보낸 ?날짜|날짜"
)
_TO = (
    "To|An|À|A|Para|Aan|Till|Til|Vastaanottaja|Do|Adresat|Komu|Pro|Kime|Alıcı|Címzett|Кому|Кому|宛先|收件人|收件者|받는 ?사람"
    "|Destinataire|Destinatario|Destinatário|Cc|Kopie|Copie|Kopia|Kopi"
)
_SUBJECT = "Subject|Betreff|Objet|Asunto|Oggetto|Assunto|Onderwerp|Ämne|Emne|Aihe|Temat|Předmět|Konu|Tárgy|Тема|件名|主题|主旨|제목"
_FIELD = re.compile(
    rf"\W{{0,4}}(?:(?P<from>{_FROM})|(?P<sent>{_SENT})|(?P<to>{_TO})|(?P<subject>{_SUBJECT}))\W{{0,3}}[:：]",
    re.IGNORECASE,
)

_SEPARATOR = re.compile(
    r"(?:Original$|Original Message|Original Appointment|Original E-?mail|Repl(?:y|ied) Message|Forwarded (?:message|by)"
    r"|Original-?nachricht|Ursprüngliche (?:Nachricht|E-?Mail)|Original-?Mail|Weitergeleitete Nachricht"
    r"|Message d['’]origine|Message (?:d['’]origine|original|initial|transféré)|Courriel original|Mail original|E-mail d['’]origine"
    r"|Mensaje (?:original|reenviado|inicial)|Correo original|Messaggio (?:originale|inoltrato|di posta originale)"
    r"|Mensagem (?:original|encaminhada)|E-mail original|Oorspronkelijk bericht|Origineel bericht|Doorgestuurd bericht"
    r"|Ursprungligt meddelande|Originalmeddelande|Vidarebefordrat meddelande|Oprindelig (?:meddelelse|besked)|Videresendt meddelelse"
    r"|Opprinnelig melding|Original melding|Videresendt melding|Alkuperäinen viesti|Välitetty viesti"
    r"|Wiadomość oryginalna|Oryginalna wiadomość|(?:Wiadomość )?przekazana(?: wiadomość)?|Původní (?:zpráva|e-mail)|Přeposlaná zpráva"
    r"|Özgün İleti|Orijinal (?:Mesaj|İleti)|Yönlendirilmiş ileti|Eredeti üzenet|Továbbított üzenet"
    r"|Исходное сообщение|Оригинальное сообщение|Пересылаемое сообщение|Пересланное сообщение|Исходное письмо"
    r"|元のメッセージ|オリジナル\s?メッセージ|転送メッセージ|转发的?邮件|原始邮件|原始郵件|回复的?(?:原)?邮件|轉寄郵件|원본 ?(?:메시지|메일)|전달된 메시지)",
    re.IGNORECASE,
)
_BEGIN = re.compile(
    r"(?:Begin forwarded message|Anfang der weitergeleiteten (?:Nachricht|E-Mail)|Début du message (?:réexpédié|transféré)"
    r"|Inicio del mensaje reenviado|Inizio messaggio inoltrato|Início da mensagem (?:re)?encaminhada|Begin doorgestuurd bericht"
    r"|Vidarebefordrat brev|Start på videresendt besked|Videresendt melding|Początek przekazywanej wiadomości)\s?:$",
    re.IGNORECASE,
)
_DASHES = "-_=*~—– "


def separator(line: str) -> bool:
    """Whether a line (stripped) says that an original or a forwarded mail follows."""
    if line[0] in _DASHES:
        words = line.strip(_DASHES)
        return len(words) < 80 and len(line) - len(words) >= 2 and _SEPARATOR.match(words) is not None
    return line[-1] == ":" and len(line) < 60 and _BEGIN.match(line) is not None


def header_block(lines: Sequence[str], number: int) -> bool:
    """Whether the header fields of a quoted mail begin at a line: From and two others as Outlook writes them, or From and
    two others after a first Date or Subject (web mail)."""
    line = lines[number]
    if ":" not in line[:40] and "：" not in line[:40]:
        return False
    first = _FIELD.match(line.strip()[:60])
    if first is None or first.lastgroup == "to":
        return False
    kinds = {first.lastgroup}
    for following in lines[number + 1 : number + 8]:
        field = _FIELD.match(following.strip()[:60])
        if field is not None and field.lastgroup != first.lastgroup:
            kinds.add(field.lastgroup)
        elif field is not None or (first.lastgroup != "from" and following.strip()):
            break  # another block begins, or none does
    return "from" in kinds and len(kinds) >= 3


def attribution(lines: Sequence[str], number: int) -> int | None:
    """If a line ends an attribution ("On ..., somebody wrote:"), the number of the line where that begins, else None.

    It takes up to four lines. Above lines marked as a quote, "wrote" is enough, or a date with a time or an address; else
    it must say more, for then everything below it will be cut.
    """
    last = lines[number].strip().rstrip("-– ")
    if len(last) < 5 or (last[-1] not in ":：>" and not last.endswith(("wrote", "写道", "寫道"))):
        return None
    below = next((one.lstrip() for one in lines[number + 1 : number + 6] if one.strip()), "")
    marked = below.startswith((">", "&gt;", "＞"))
    if last[-1] == ">" and not marked:
        return None
    best = None
    joined = ""
    for start in range(number, max(number - 4, -1), -1):
        line = lines[start].strip()
        if not line or line[0] in ">＞":
            break
        joined = f"{line} {joined}".strip()
        if len(joined) > 400:
            break
        when = _DATE.search(joined) is not None
        who = "@" in joined and _ADDRESS.search(joined) is not None
        if not (when or who or marked):
            continue  # the verbs are the dear part
        wrote = _WROTE.search(joined) is not None
        time = _TIME.search(joined) is not None
        if wrote and when and (time or who):
            return start
        if when and time and who and _ADDRESS_END.search(joined):
            return start  # Gmail's Russian and Japanese forms have no verb
        named = wrote and who and _BRACKETED.search(joined) is not None
        if best is None and (named or (marked and (wrote or (when and (time or who))))):
            best = start
    return best
