"""What of a mail's text is new: quotes as real clients announce them, signatures, footers and our own words are cut."""

from __future__ import annotations

import pytest

from mail.inbound.parsing import Headers, Parsed, parse
from mail.inbound.text import NewText, new_text


def cut(text: str, *sent: str) -> NewText:
    return new_text(Parsed(Headers(), text=text), sent)


ATTRIBUTIONS = [
    # Gmail
    "On Mon, Oct 5, 2026 at 3:04 PM Bob Ray <bob@example.com> wrote:",
    "On Mon, Oct 5, 2026 at 3:04\u202fPM Bob Ray <bob@example.com>\nwrote:",
    "Am Mo., 5. Okt. 2026 um 15:04 Uhr schrieb Bob Ray <bob@example.com>:",
    "Le lun. 5 oct. 2026 à 15:04, Bob Ray <bob@example.com> a écrit :",
    "El lun, 5 oct 2026 a las 15:04, Bob Ray (<bob@example.com>) escribió:",
    "Il giorno lun 5 ott 2026 alle ore 15:04 Bob Ray <bob@example.com> ha scritto:",
    "Em seg., 5 de out. de 2026 às 15:04, Bob Ray <bob@example.com>\nescreveu:",
    "Op ma 5 okt 2026 om 15:04 schreef Bob Ray <bob@example.com>:",
    "Den mån 5 okt. 2026 kl 15:04 skrev Bob Ray <bob@example.com>:",
    "Den man. 5. okt. 2026 kl. 15.04 skrev Bob Ray <bob@example.com>:",
    "man. 5. okt. 2026 kl. 15:04 skrev Bob Ray <bob@example.com>:",
    "ma 5. lokak. 2026 klo 15.04 Bob Ray (bob@example.com) kirjoitti:",
    "pon., 5 paź 2026 o 15:04 Bob Ray <bob@example.com> napisał(a):",
    "po 5. 10. 2026 v 15:04 odesílatel Bob Ray <bob@example.com> napsal:",
    "Bob Ray <bob@example.com>, 5 Eki 2026 Pzt, 15:04 tarihinde şunu yazdı:",
    "Bob Ray <bob@example.com> ezt írta (időpont: 2026. okt. 5., H, 15:04):",
    "пн, 5 окт. 2026 г. в 15:04, Bob Ray <bob@example.com>:",
    "2026年10月5日(月) 15:04 Bob Ray <bob@example.com>:",
    "Bob Ray <bob@example.com> 于2026年10月5日周一 15:04写道：",
    "Bob Ray <bob@example.com> 於 2026年10月5日 週一 下午3:04寫道：",
    "2026년 10월 5일 (월) 오후 3:04, Bob Ray <bob@example.com>님이 작성:",
    # Apple Mail, Thunderbird and others
    "On 5 Oct 2026, at 15:04, Bob Ray <bob@example.com> wrote:",
    "Am 05.10.2026 um 15:04 schrieb Bob Ray <bob@example.com>:",
    "Am 05.10.26 um 15:04 schrieb Bob Ray:",
    "Le 05/10/2026 à 15:04, Bob Ray a écrit\xa0:",
    "El 5 oct 2026, a las 15:04, Bob Ray <bob@example.com> escribió:",
    "Il giorno 5 ott 2026, alle ore 15:04, Bob Ray\n<bob@example.com> ha scritto:",
    "Op 05-10-2026 om 15:04 schreef Bob Ray:",
    "W dniu 5.10.2026 o 15:04, Bob Ray pisze:",
    "Dne 05. 10. 26 v 15:04 Bob Ray napsal(a):",
    "05.10.2026 15:04, Bob Ray пишет:",
    "5 окт. 2026 г., в 15:04, Bob Ray <bob@example.com> написал(а):",
    "2026/10/05 15:04、Bob Ray <bob@example.com>のメール:",
    "在 2026年10月5日，15:04，Bob Ray <bob@example.com> 写道：",
    "2026. 10. 5. 오후 3:04, Bob Ray <bob@example.com> 작성:",
    "Bob Ray/Sales/Example wrote on 05/10/2026 15:04:",
    "Bob Ray <bob@example.com> schrieb am 05.10.2026 um\n15:04:",
    "---- On Mon, 05 Oct 2026 15:04:00 +0200 Bob Ray <bob@example.com> wrote ---",
    "On Monday, October 5, 2026 at 03:04:05 PM GMT+2, Bob Ray <bob@example.com> wrote:",
    "Am Montag, 5. Oktober 2026 um 15:04:05 MESZ hat Bob Ray <bob@example.com> Folgendes geschrieben:",
    "Понедельник, 5 октября 2026, 15:04 +03:00 от Bob Ray <bob@example.com>:",
    "------------------ Original ------------------",
    "-------- Original-Nachricht --------",
    "-----Original Message-----",
    "-----Ursprüngliche Nachricht-----",
    "-----Message d'origine-----",
    "-----Mensaje original-----",
    "-----Messaggio originale-----",
    "-----Mensagem original-----",
    "-----Oorspronkelijk bericht-----",
    "-----Ursprungligt meddelande-----",
    "-----Oprindelig meddelelse-----",
    "-----Opprinnelig melding-----",
    "-----Alkuperäinen viesti-----",
    "-----Wiadomość oryginalna-----",
    "-----Původní zpráva-----",
    "-----Özgün İleti-----",
    "-----Eredeti üzenet-----",
    "-----Исходное сообщение-----",
    "-----元のメッセージ-----",
    "-----原始邮件-----",
    "-----원본 메시지-----",
    "------------------ 原始邮件 ------------------",
    "---------- Forwarded message ---------",
    "Begin forwarded message:",
]


@pytest.mark.parametrize("line", ATTRIBUTIONS)
@pytest.mark.parametrize("mark", ["> ", ""])
def test_attribution_and_what_it_announces_are_cut(line: str, mark: str) -> None:
    found = cut(f"Thanks, Monday works.\n\n{line}\n\n{mark}Shall we meet?\n{mark}Reply STOP to opt out.\n")
    assert found.text == "Thanks, Monday works."
    assert found.cut == ("quoted_text",)
    assert "STOP" in found.quoted


@pytest.mark.parametrize(
    "line", ["2026/10/5 Bob Ray <bob@example.com>", "Quoting Bob Ray <bob@example.com>:", "Bob wrote:"]
)
def test_attributions_that_count_only_above_marked_lines(line: str) -> None:
    assert cut(f"Yes.\n\n{line}\n\n> Shall we meet?").text == "Yes."


HEADER_BLOCKS = [
    ("From", "Sent", "To", "Subject"),
    ("From", "Date", "To", "Subject"),
    ("Date", "Subject", "From", "To"),
    ("Gesendet", "Von", "An", "Betreff"),
    ("Von", "Gesendet", "An", "Betreff"),
    ("De", "Envoyé", "À", "Objet"),
    ("De", "Enviado el", "Para", "Asunto"),
    ("Da", "Inviato", "A", "Oggetto"),
    ("De", "Enviado", "Para", "Assunto"),
    ("Van", "Verzonden", "Aan", "Onderwerp"),
    ("Från", "Skickat", "Till", "Ämne"),
    ("Fra", "Sendt", "Til", "Emne"),
    ("Lähettäjä", "Lähetetty", "Vastaanottaja", "Aihe"),
    ("Od", "Wysłano", "Do", "Temat"),
    ("Od", "Odesláno", "Komu", "Předmět"),
    ("Gönderen", "Gönderildi", "Kime", "Konu"),
    ("Feladó", "Elküldve", "Címzett", "Tárgy"),
    ("От", "Отправлено", "Кому", "Тема"),
    ("差出人", "送信日時", "宛先", "件名"),
    ("发件人", "发送时间", "收件人", "主题"),
    ("寄件者", "寄件日期", "收件者", "主旨"),
    ("보낸 사람", "보낸 날짜", "받는 사람", "제목"),
]


@pytest.mark.parametrize("fields", HEADER_BLOCKS, ids="-".join)
@pytest.mark.parametrize("form", ["{}: ", "*{}:* ", "{} : ", "{}："])
def test_outlooks_header_block_is_cut(fields: tuple[str, ...], form: str) -> None:
    values = ("Bob Ray <bob@example.com>", "Monday, 5 October 2026 15:04", "Ann <ann@example.com>", "Offer")
    block = "\n".join(form.format(name) + value for name, value in zip(fields, values, strict=True))
    found = cut(f"Thanks, Monday works.\n\n________________________________\n{block}\n\nunsubscribe\n")
    assert found.text == "Thanks, Monday works."


@pytest.mark.parametrize(
    "text",
    [
        "From: the whole team, with thanks.\nWe will see you on Monday.",
        "Please note:\nI am away until Monday.",
        "I am out until 5 October 2026. In urgent cases call +49 30 1234567 between 9:00 and 17:00, or write to:\neve@example.com",
        "To be honest: no.",
        "From 5 October to 9 October I am away:\nSubject to change.",
        "Bob Ray <bob@example.com>\nis back on Monday.",
        "Bob wrote:\nI am back on Monday.",
        "I wrote to eve@example.com:\ncome on Monday.",
        "I wrote to Eve <eve@example.com>\nand am back on Monday.",
        "From: the team\nTo: everybody\n\nI am back on Monday.",
        "She wrote: come on Monday.\nSo I will.",
        "__________________\nI am away until Monday.",
        "Our office moves on 5 October 2026, 10:00:\nnew street, new number.",
        "-- \nI am away until Monday.",
        "Subject: the offer.\nI am back on Monday. Date: open.\nTo: you",
        "I am away until Monday.\n\nSent from my desk, which is much easier than from a telephone.",
    ],
)
def test_what_only_looks_like_a_quote_or_a_signature_stays(text: str) -> None:
    found = cut(text)
    assert "onday" in found.text or found.text == text
    assert found.quoted == ""


def test_answers_below_and_between_quotes_are_kept() -> None:
    below = cut("On Mon, Oct 5, 2026 at 3:04 PM Bob <bob@example.com> wrote:\n> Shall we meet?\n\nYes.\n\nAnn")
    assert below.text == "Yes.\n\nAnn"
    between = cut("Bob wrote:\n> Monday?\nNo.\n> Tuesday?\nYes.\n> Bob")
    assert between.text == "No.\nYes."
    signed = cut("Best regards,\nAnn\n\nBob wrote:\n> Monday?\nYes")
    assert (signed.text, signed.signature) == ("Yes", "Best regards,\nAnn")


SIGNATURES = [
    "-- \nAnn Doe\nJoin us at the fair on 3 November!",
    "--\nAnn Doe\n+49 30 1234567",
    "Best regards,\nAnn Doe\nHead of Sales | Example Ltd\n+44 20 5550 0142 | www.example.com\n12 March Street, London",
    "Mit freundlichen Grüßen\n\nAnn Doe",
    "Viele Grüße aus Köln,\nAnn",
    "Gruß Ann",
    "LG",
    "Cordialement,\nAnn",
    "Bien à vous",
    "Un saludo,\nAnn",
    "Cordiali saluti\nAnn Doe",
    "Com os melhores cumprimentos,\nAnn",
    "Met vriendelijke groet,\nAnn",
    "Med vänliga hälsningar\nAnn",
    "Med venlig hilsen\nAnn",
    "Vennlig hilsen\nAnn",
    "Ystävällisin terveisin\nAnn",
    "Z poważaniem,\nAnn",
    "S pozdravem\nAnn",
    "Saygılarımla,\nAnn",
    "Üdvözlettel,\nAnn",
    "С уважением,\nАнна",
    "よろしくお願いいたします。\n山田",
    "此致\n敬礼",
    "감사합니다.\n김민지",
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Envoyé de mon iPhone",
    "Enviado desde mi iPhone",
    "Inviato da iPhone",
    "Enviado do meu iPhone",
    "Verstuurd vanaf mijn iPhone",
    "Skickat från min iPhone",
    "Sendt fra min iPhone",
    "Lähetetty iPhonesta",
    "Wysłane z iPhone'a",
    "Odesláno z iPhonu",
    "iPhone'umdan gönderildi",
    "Az iPhone-omról küldve",
    "Отправлено с iPhone",
    "iPhoneから送信",
    "发自我的 iPhone",
    "나의 iPhone에서 보냄",
    "Get Outlook for iOS",
    "Gesendet von Outlook für iOS",
]


@pytest.mark.parametrize("signature", SIGNATURES)
def test_signatures_are_cut(signature: str) -> None:
    found = cut(f"I am back on Monday.\n\n{signature}")
    assert found.text == "I am back on Monday."
    assert found.signature == signature.replace("-- ", "--")
    assert found.cut == ("signature",)


@pytest.mark.parametrize("signature", ["Best regards,\nAnn Doe\nExample Ltd", "--\nAnn Doe"])
def test_a_second_language_below_the_signature_is_kept(signature: str) -> None:
    found = cut(
        f"I am away until 5 October.\n\n{signature}\n\nGuten Tag,\n\nich bin bis zum 5. Oktober 2026 nicht im Büro."
    )
    assert "5 October" in found.text
    assert "ich bin bis zum 5. Oktober 2026 nicht im Büro." in found.text
    assert "Doe" not in found.text


def test_a_postscript_is_kept() -> None:
    assert cut("See you.\n\nBest regards,\nAnn\nPS: back on 5 Oct").text == "See you.\n\nPS: back on 5 Oct"


def test_a_closing_phrase_at_the_beginning_takes_nothing_with_it() -> None:
    assert cut("Thanks,\nI am not interested, please remove me.").text == "I am not interested, please remove me."
    assert cut("Thanks!\nBob").text == "Thanks!\nBob"  # all there is


def test_legal_footers_are_cut_and_mentions_of_confidence_are_not() -> None:
    legal = (
        "This e-mail and any attachments are confidential and intended solely for the addressee. If you have received it in "
        "error, please delete it. Sent 01/02/2026."
    )
    found = cut(f"Yes, please.\n\n{legal}")
    assert (found.text, found.cut) == ("Yes, please.", ("footer",))
    german = (
        "Diese E-Mail enthält vertrauliche Informationen. Wenn Sie nicht der richtige Adressat sind, löschen Sie sie."
    )
    assert cut(f"Ja, gern.\n\n{german}").text == "Ja, gern."
    human = "What you sent me is confidential, so I will not forward it to anybody before Monday."
    assert cut(human).text == human


OURS = "Hi Ann,\n\nwe sell shovels to people who dig for gold, and you might be one of them.\nBest\nBob\n\nReply STOP and we will not write again."


def test_our_own_words_are_nobodys_new_words() -> None:
    found = cut(f"No thanks.\n\n{OURS}", OURS)
    assert found.text.startswith("No thanks.")
    assert "STOP" not in found.text
    assert "shovels" not in found.text
    assert "own_text" in found.cut


def test_our_own_words_are_found_in_other_line_breaks_case_and_marks() -> None:
    wrapped = "No thanks.\n> we sell shovels to people who dig\nfor gold, and you might be one of them.\nREPLY STOP and we  will not write again.\n"
    assert cut(wrapped, OURS).text == "No thanks."


def test_a_short_answer_that_we_wrote_too_is_kept() -> None:
    assert cut("Unsubscribe", "Hello.\nUnsubscribe\nBye").text == "Unsubscribe"
    assert cut("STOP\n\nthanks", OURS).text.startswith("STOP")


def test_a_text_that_is_all_quote_is_not_new_but_not_lost() -> None:
    found = cut("> I am out of the office until Monday.\n> Ann")
    assert found.text == ""
    assert found.doubtful == "I am out of the office until Monday.\nAnn"
    ours = cut(f"Bob wrote:\n> {OURS}".replace("\n", "\n> "), OURS)
    assert ours.text == ""
    assert "shovels" not in ours.doubtful


def test_the_quote_of_an_html_mail_is_cut() -> None:
    html = (
        b'Content-Type: text/html\n\n<div dir="ltr">Not interested.</div><br><div class="gmail_quote"><div dir="ltr" class="gmail_attr">'
        b'On Mon, Oct 5, 2026 at 3:04 PM Bob &lt;<a href="mailto:bob@example.com">bob@example.com</a>&gt; wrote:<br></div>'
        b'<blockquote class="gmail_quote" style="margin:0"><div>Shall we meet?<br>unsubscribe</div></blockquote></div>'
    )
    assert new_text(parse(html)).text == "Not interested."
    outlook = (
        b"Content-Type: text/html\n\n<p>Not interested.</p><hr tabindex=-1><div id=divRplyFwdMsg dir=ltr><b>Saatja:</b> Bob<br>"
        b"<b>Saadetud:</b> esmasp\xc3\xa4ev</div><div>unsubscribe</div>"
    )
    assert new_text(parse(outlook)).text.startswith("Not interested.")
    assert "unsubscribe" not in new_text(parse(outlook)).text


def test_an_indented_paragraph_of_html_is_no_quote() -> None:
    html = b'Content-Type: text/html\n\n<blockquote style="margin:0 0 0 40px;border:none;padding:0px">Back on Monday.</blockquote>'
    assert new_text(parse(html)).text == "Back on Monday."
