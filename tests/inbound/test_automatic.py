"""Automatic mail: which sort it is, by what people write in twenty languages, and what proves that a machine wrote it."""

from __future__ import annotations

import pytest

from domain.inbound import Kind
from tests.inbound.letters import said, said_by_machine

ABSENT = (
    ("Automatic reply: intro", "Hi there,\n\nThanks for reaching out. I'm on annual leave until Monday 21 September and won't be checking mail. Please contact ops@customer.example if it can't wait.\n\nDana"),
    ("Re: intro", "I am currently on maternity leave and will return in March 2027. Tom Smith (tom@customer.example) is covering for me."),
    ("Automatic reply: intro", "I will be attending a trade show in Frankfurt this week with limited connectivity. Expect delays."),
    ("Automatic reply: intro", "I'm off sick today. I'll get to your message when I return."),
    ("Automatic reply: intro", "Our plant is shut down for annual maintenance from 14 to 25 September."),
    ("Automatic reply: intro", "Thank you for your message. I'm on PTO and back on 9/21."),
    ("Automatic reply: intro", "I've left for the summer! Back after Labor Day."),
    ("Automatic reply: intro", "Thanks for your email. I have left the office for the day and will respond tomorrow."),
    ("Automatic reply: intro", "I will be out starting tomorrow through Friday. This mailbox is not monitored while I'm away."),
    ("Automatic reply: intro", "I'm on paternity leave. In my absence please speak to Ravi. I'm no longer checking emails until 2 November."),
    ("Automatic reply: intro", "Jury duty this week - slow to respond."),
    ("Re: intro", "I only work Monday to Wednesday. I will reply to your message on my next working day."),
    ("Re: intro", "We are closed for Thanksgiving and will reopen on Monday, November 30."),
    ("Automatische Antwort: Anfrage", "Ich bin bis zum 18.09. auf Dienstreise und lese meine Mails nur unregelmäßig."),
    ("Re: Anfrage", "Derzeit befinde ich mich im Mutterschutz. Bitte wenden Sie sich an meine Kollegin Frau Kurz."),
    ("Automatische Antwort: Anfrage", "Leider bin ich erkrankt. Ab Montag bin ich voraussichtlich wieder für Sie da."),
    ("Automatische Antwort", "Unser Büro ist vom 24.12. bis 01.01. geschlossen. Bitte beachten Sie, dass dieses Postfach in dieser Zeit nicht gelesen wird."),
    ("Automatische Antwort", "Ich habe heute einen freien Tag und melde mich morgen bei Ihnen."),
    ("Réponse automatique : devis", "Bonjour,\n\nJe serai absent jusqu'au 21 septembre inclus. Pour toute urgence, contactez Paul."),
    ("Réponse automatique : devis", "Je suis actuellement en déplacement et consulte mes mails de façon irrégulière."),
    ("Réponse automatique", "L'agence est fermée du 1er au 22 août pour congés d'été."),
    ("Réponse automatique", "En arrêt maladie, je ne peux pas traiter votre message."),
    ("Respuesta automática: oferta", "Estoy de vacaciones hasta el 21 de septiembre. Responderé a mi regreso."),
    ("Respuesta automática: oferta", "Me encuentro de baja por maternidad. Para cualquier asunto, contacte con Luis."),
    ("Risposta automatica: offerta", "Buongiorno, sono in ferie fino al 21 settembre. Per urgenze contattare il collega Rossi."),
    ("Risposta automatica", "Gli uffici resteranno chiusi dal 10 al 21 agosto."),
    ("Risposta automatica", "Sono in congedo di maternità, rientrerò a gennaio 2027."),
    ("Resposta automática: proposta", "Estou de férias até 21 de setembro. Em caso de urgência, contacte a Ana."),
    ("Resposta automática: proposta", "Estarei ausente do escritório e com acesso limitado ao e-mail."),
    ("Resposta automática", "Encontro-me em licença de maternidade."),
    ("Automatisch antwoord: offerte", "Ik ben op vakantie en weer bereikbaar vanaf maandag 21 september."),
    ("Automatisch antwoord: offerte", "Wegens ziekte ben ik voorlopig niet aanwezig."),
    ("Automatisch antwoord: offerte", "Ik werk niet op vrijdag. Maandag lees ik uw bericht."),
    ("Autosvar: offert", "Hej! Jag är på semester och är tillbaka den 21 september."),
    ("Autosvar: offert", "Jag är på tjänsteresa och svarar med viss fördröjning."),
    ("Autosvar: tilbud", "Jeg holder ferie til og med den 18. september og er tilbage mandag."),
    ("Automatisk svar: tilbud", "Jeg er på barselsorlov. Kontakt venligst min kollega Mette."),
    ("Automatisk svar: tilbud", "Hei, jeg har ferie og er tilbake på kontoret 21. september."),
    ("Automatisk svar: tilbud", "Jeg er i foreldrepermisjon frem til januar 2027."),
    ("Automaattinen vastaus: tarjous", "Olen kesälomalla 21.9. asti. Kiireellisissä asioissa ottakaa yhteyttä toimistoon."),
    ("Automaattinen vastaus: tarjous", "Olen poissa toimistolta. Palaan töihin maanantaina."),
    ("Odpowiedź automatyczna: oferta", "Dzień dobry, przebywam na urlopie do 21 września. W pilnych sprawach proszę o kontakt z Anną."),
    ("Automatyczna odpowiedź: oferta", "Jestem na zwolnieniu lekarskim. Odpowiem po powrocie."),
    ("Automatická odpověď: nabídka", "Dobrý den, čerpám dovolenou do 21. 9. V naléhavých případech volejte kolegu."),
    ("Automatická odpověď: nabídka", "Nejsem v kanceláři, na e-maily odpovím po návratu."),
    ("Otomatik yanıt: teklif", "21 Eylül'e kadar yıllık izindeyim. Acil durumlarda Ayşe Hanım ile iletişime geçebilirsiniz."),
    ("Otomatik yanıt: teklif", "Şu anda ofis dışındayım, maillere kısıtlı erişimim var."),
    ("Automatikus válasz: ajánlat", "Szabadságon vagyok szeptember 21-ig. Sürgős esetben keresse kollégámat."),
    ("Automatikus válasz: ajánlat", "Jelenleg nem vagyok az irodában."),
    ("Автоматический ответ: предложение", "Здравствуйте! Я в отпуске до 21 сентября. По срочным вопросам обращайтесь к Ивану."),
    ("Автоответ: предложение", "Нахожусь в командировке, доступ к почте ограничен."),
    ("自動応答: ご提案", "ただいま出張中のため、返信が遅れます。9月21日に帰社予定です。"),
    ("自動応答", "育児休業中です。復帰は来年4月の予定です。"),
    ("自动答复: 方案", "我正在休年假,9月21日回来上班。急事请致电李伟。"),
    ("自动回复", "您好,我正在出差,邮件回复可能会延迟。"),
    ("自動回覆", "本人於9月10日至18日休假,期間請聯絡王小姐。"),
    ("자동 회신: 제안", "출장으로 부재중입니다. 9월 21일 이후 회신드리겠습니다."),
    ("Răspuns automat: ofertă", "Sunt în concediu până pe 21 septembrie."),
    ("Автоматична відповідь", "Я у відпустці до 21 вересня."),
    ("Αυτόματη απάντηση", "Βρίσκομαι σε άδεια έως τις 21 Σεπτεμβρίου."),
    ("Automatic reply: x", "I am no longer in the office today. Back Monday."),
    ("Automatic reply: x", "I have left my phone at home and travel until Friday 11 September; replies will be slow."),
    ("Automatic reply: x", "My last day before vacation is Friday; I return on 28 September."),
    ("Automatic reply: x", "I have left instructions with Tom and I am on leave until 28 September."),
    ("Automatic reply: x", "I am retiring from email for two weeks - on holiday until the 28th."),
    ("Automatic reply: x", "I've left the office early and will be back tomorrow morning."),
    ("Automatic reply: x", "I am traveling on business with intermittent access to email."),
    ("Automatic reply: x", "I'm unavailable due to a family emergency."),
    ("Automatic reply: x", "I'm on bereavement leave."),
    ("Automatic reply: x", "I will be in meetings all day and will have limited availability."),
    ("Automatic reply: x", "Happy holidays! We're closed Dec 24 - Jan 3."),
    ("Automatic reply: x", "Thank you for your inquiry. I am currently on vacation, returning September 28. We have received your e-mail and it will be processed then."),
    ("Auto", "Nie pracuję w piątki. Odpowiem w poniedziałek."),
    ("Auto", "Pénteken nem dolgozom, hétfőn válaszolok."),
    ("Auto", "Jag har slutat för dagen och är åter i morgon."),
    ("Auto", "Ich bin heute nicht mehr im Büro. Morgen bin ich wieder erreichbar."),
    ("Auto", "我已离开办公室,9月21日回来。"),
    ("Auto", "Je ne suis plus au bureau jusqu'au 21 septembre."),
    ("Auto", "Ya no estoy en la oficina hasta el 21 de septiembre."),
    ("Auto", "Ik ben vandaag niet meer op kantoor."),
    ("Auto", "本日は退社いたしました。明日改めてご連絡いたします。"),
)  # fmt: skip
GONE = (
    ("Automatic reply: intro", "Please note that I no longer work at Northgate. For procurement please contact Lee Park at lee.park@customer.example."),
    ("Automatic reply: intro", "Dana Whitfield has left the company. Your email has been redirected to her manager."),
    ("Automatic reply: intro", "Friday 28 August was my last day at Northgate. It's been a pleasure!"),
    ("Automatic reply: intro", "Dana is no longer employed with Northgate Foods."),
    ("Automatic reply: intro", "As of September 1st I have moved on to a new opportunity. Reach out to hello@customer.example."),
    ("Automatic reply: intro", "Dana Whitfield is no longer with us. Kindly forward all communication to sales@customer.example"),
    ("Automatische Antwort", "Herr Meier ist aus unserem Unternehmen ausgeschieden."),
    ("Automatische Antwort", "Ich arbeite nicht mehr bei der Hafenwerk GmbH. Ihre Ansprechpartnerin ist ab sofort Frau Kurz, kurz@kunde.example."),
    ("Automatische Antwort", "Seit dem 1. September bin ich im Ruhestand."),
    ("Réponse automatique", "M. Dupont a quitté l'entreprise. Merci d'adresser vos demandes à contact@client.example."),
    ("Réponse automatique", "Je ne travaille plus chez Lyonnaise."),
    ("Respuesta automática", "Juan Pérez ya no forma parte de la empresa. Diríjase a compras@cliente.example."),
    ("Risposta automatica", "Non lavoro più per Rossi SpA. Per informazioni: info@cliente.example"),
    ("Risposta automatica", "Il signor Bianchi non fa più parte dell'azienda."),
    ("Resposta automática", "Já não trabalho na empresa. Por favor contacte geral@cliente.example."),
    ("Resposta automática", "João Silva não faz mais parte do nosso quadro de colaboradores."),
    ("Automatisch antwoord", "Jan de Vries is niet meer werkzaam bij ons bedrijf."),
    ("Autosvar", "Jag har slutat på Nordpak. Kontakta Elin på elin@kund.example."),
    ("Autosvar", "Jeg er fratrådt min stilling hos Firma A/S."),
    ("Automatisk svar", "Jeg jobber ikke lenger i Firma AS."),
    ("Automaattinen vastaus", "En ole enää yrityksen palveluksessa."),
    ("Odpowiedź automatyczna", "Nie pracuję już w firmie. Proszę o kontakt: biuro@klient.example"),
    ("Automatická odpověď", "Ve společnosti již nepracuji. Kontaktujte prosím kolegu."),
    ("Otomatik yanıt", "Ahmet Bey artık şirketimizde çalışmamaktadır."),
    ("Automatikus válasz", "Már nem dolgozom a cégnél."),
    ("Автоматический ответ", "Иван Петров больше не работает в компании."),
    ("自動応答", "山田は7月末で退社いたしました。"),
    ("自动回复", "本人已从公司离职,请联系新同事 wang@kehu.example"),
    ("자동 회신", "저는 8월 31일부로 퇴사하였습니다."),
)  # fmt: skip
CHANGED = (
    ("Automatic reply: intro", "Please update your records: my email address has changed to dana@newco.example."),
    ("Automatic reply", "We've moved to a new domain. You can reach me at my new address dana@newco.example."),
    ("Automatische Antwort", "Meine E-Mail-Adresse hat sich geändert. Sie erreichen mich unter d.neu@kunde.example."),
    ("Réponse automatique", "Mon adresse e-mail a changé : merci d'utiliser dorénavant p.durand@nouveau.example."),
    ("Respuesta automática", "Mi nueva dirección de correo es ana@nueva.example."),
    ("Risposta automatica", "Il mio nuovo indirizzo email è ada@nuova.example."),
    ("自動応答", "メールアドレスが変更になりました。新しいアドレスは hana@new.example です。"),
    ("自动回复", "我的邮箱已更换,新邮箱: li@new.example"),
    ("Automatic reply", "I have moved to a new role and no longer handle purchasing. Please contact Lee Park, lee.park@customer.example."),
    ("自動応答", "佐藤は9月1日付で営業部へ異動いたしました。後任は田中(tanaka@customer.example)です。"),
)  # fmt: skip
UNREAD = (
    ("Automatic reply", "This mailbox is no longer monitored. Please use the contact form on our website."),
    ("Automatic reply", "You have written to an unattended mailbox. Replies to this address are not read."),
    ("Automatische Antwort", "Dieses Postfach wird nicht mehr gelesen."),
    ("Réponse automatique", "Cette boîte n'est plus consultée."),
    ("Respuesta automática", "Este buzón ya no está activo."),
    ("Automatisch antwoord", "Dit e-mailadres wordt niet meer gebruikt."),
)  # fmt: skip
RECEIPTS = (
    ("[CASE-20931] Thank you for contacting Northgate Support", "We have received your request and will get back to you within 24 hours."),
    ("Re: intro", "Thank you for contacting us. A member of our team will be in touch shortly."),
    ("Your ticket #7781 has been created", "A ticket was opened. Our office hours are 9-5 and we are closed on weekends."),
    ("Eingangsbestätigung", "Ihre Nachricht ist bei uns eingegangen. Wir melden uns schnellstmöglich."),
    ("Accusé de réception", "Nous avons bien reçu votre message et vous répondrons dans les meilleurs délais."),
    ("Hemos recibido su mensaje", "Gracias por contactar con nosotros. Le responderemos lo antes posible."),
    ("Conferma", "Abbiamo ricevuto la sua richiesta. La contatteremo al più presto."),
    ("Recebemos a sua mensagem", "O seu pedido foi registado com o número 12345."),
    ("Ontvangstbevestiging", "Wij hebben uw bericht ontvangen en reageren binnen 2 werkdagen."),
    ("Autosvar", "Vi har tagit emot ditt ärende och återkommer inom 2 arbetsdagar."),
    ("Potwierdzenie", "Otrzymaliśmy Państwa zgłoszenie. Odpowiemy w ciągu 2 dni roboczych."),
    ("Ваша заявка №1234", "Ваше обращение зарегистрировано. Мы ответим в ближайшее время."),
    ("自动回复", "感谢您的来信,我们已收到您的邮件,将在2个工作日内回复您。"),
    ("문의 접수 안내", "문의가 정상적으로 접수되었습니다. 빠른 시일 내에 답변드리겠습니다."),
    ("Otomatik yanıt", "Talebiniz alınmıştır, en kısa sürede dönüş yapılacaktır."),
    ("Re: x", "We received your message and will reply within one business day. Our office is closed on weekends and public holidays."),
    ("Ihre Anfrage", "Wir haben Ihre Anfrage erhalten und melden uns innerhalb von zwei Werktagen. Samstags und sonntags ist unser Büro geschlossen."),
)  # fmt: skip

SUBJECTS = (
    "Automatic reply: a question", "Out of Office: a question", "AUTO: Dana Whitfield is out of the office (returning 09/21/2026)",
    "Dana Whitfield is out of the office.", "Out of Office AutoReply: a question", "Auto: a question", "Yahoo! Auto Response",
    "Automatische Antwort: Frage", "Abwesenheitsnotiz", "AW: Abwesenheit"[4:], "Réponse automatique : question", "Absence du bureau : question",
    "Respuesta automática: pregunta", "Fuera de la oficina", "Risposta automatica: domanda", "Fuori ufficio: domanda",
    "Resposta automática: pergunta", "Ausência do escritório", "Automatisch antwoord: vraag", "Afwezigheidsbericht", "Autosvar: fråga",
    "Frånvaro: fråga", "Automatisk svar: spørgsmål", "Ikke på kontoret", "Automaattinen vastaus: kysymys", "Poissaoloilmoitus",
    "Odpowiedź automatyczna: pytanie", "Automatická odpověď: otázka", "Otomatik yanıt: soru", "Automatikus válasz: kérdés",
    "Házon kívül", "Автоматический ответ: вопрос", "Автовідповідь", "Αυτόματη απάντηση: ερώτηση", "Răspuns automat: întrebare",
    "自動応答: ご質問", "【自動返信】不在のお知らせ", "自动回复: 问题", "自動回覆: 問題", "자동 회신: 질문", "[부재중] 자동응답",
)  # fmt: skip

STRONG = (
    ("Auto_Submitted", "auto-replied (vacation)"),
    ("Auto_Submitted", "Auto-Generated; owner-email=x@customer.example"),
    ("X_Autoreply", "yes"),
    ("X_Autorespond", "Re: a question"),
    ("X_Autogenerated", "Reply"),
    ("X_Apple_Action", "VACATION"),
    ("X_MS_Exchange_Inbox_Rules_Loop", "dana@customer.example"),
    ("Precedence", "auto_reply"),
)


@pytest.mark.parametrize(("subject", "body"), ABSENT)
def test_an_absence(subject: str, body: str) -> None:
    reading = said_by_machine(body, subject)
    assert reading.kind is Kind.OUT_OF_OFFICE, reading
    assert reading.proposed == ()


@pytest.mark.parametrize(("subject", "body"), GONE)
def test_somebody_who_has_left(subject: str, body: str) -> None:
    reading = said_by_machine(body, subject)
    assert reading.kind is Kind.CONTACT_GONE, reading
    assert reading.return_.status == "none"
    assert [one.address for one in reading.proposed] == [word.strip("().,") for word in body.split() if "@" in word]


@pytest.mark.parametrize(("subject", "body"), CHANGED)
def test_another_address_or_role(subject: str, body: str) -> None:
    reading = said_by_machine(body, subject)
    assert reading.kind is Kind.ADDRESS_CHANGED, reading
    assert len(reading.proposed) == 1


@pytest.mark.parametrize(("subject", "body"), UNREAD)
def test_a_mailbox_nobody_reads(subject: str, body: str) -> None:
    assert said_by_machine(body, subject).kind is Kind.UNMONITORED


@pytest.mark.parametrize(("subject", "body"), RECEIPTS)
def test_a_receipt_is_never_an_absence(subject: str, body: str) -> None:
    reading = said_by_machine(body, subject)
    assert reading.kind is Kind.ACKNOWLEDGEMENT, reading
    assert reading.return_.status == "none"


@pytest.mark.parametrize("subject", SUBJECTS)
def test_a_responders_subject_is_enough_but_only_at_its_start(subject: str) -> None:
    body = "I am away until 21 September."
    reading = said(body, subject)
    assert (reading.kind, reading.return_.status) == (Kind.OUT_OF_OFFICE, "date"), reading
    assert reading.evidence[0].where == "subject"
    assert said("Thanks, I saw it. Shall we talk on Monday?", f"Re: {subject}").kind is Kind.HUMAN_REPLY


@pytest.mark.parametrize(("name", "value"), STRONG)
def test_a_strong_header_is_enough(name: str, value: str) -> None:
    reading = said("Nur ein Satz, den keine Regel kennt.", **{name: value})
    if "vacation" in value.lower():
        assert (reading.kind, reading.rule) == (Kind.OUT_OF_OFFICE, "responder:header")
    else:
        assert (reading.kind, reading.rule) == (Kind.OTHER_AUTOMATIC, "automatic:header")
    (evidence,) = reading.evidence
    assert evidence.where.lower() == f"header:{name.replace('_', '-').lower()}"
    assert evidence.text == value


def test_a_persons_responder_that_says_nothing_known_is_taken_for_an_absence_without_date() -> None:
    reading = said("Nur ein Satz, den keine Regel kennt.", "Automatische Antwort: Frage")
    assert (reading.kind, reading.rule, reading.return_.status) == (Kind.OUT_OF_OFFICE, "responder:subject", "none")
    assert said("", "Automatische Antwort: Frage").kind is Kind.OTHER_AUTOMATIC


@pytest.mark.parametrize(
    ("name", "value", "ignored"),
    [
        ("X_Auto_Response_Suppress", "All", "auto_response_suppress"),
        ("Auto_Submitted", "no", "auto_submitted_no"),
        ("Auto_Submitted", "No (a person)", "auto_submitted_no"),
        ("Precedence", "bulk", "precedence"),
        ("Return_Path", "<>", "return_path"),
        ("X_Loop", "dana@customer.example", "x_loop"),
    ],
)
def test_what_proves_nothing_alone(name: str, value: str, ignored: str) -> None:
    reading = said("Sounds good, Thursday at ten works.", **{name: value})
    assert reading.kind is Kind.HUMAN_REPLY
    assert ignored in reading.ignored


@pytest.mark.parametrize(("name", "value"), [("Precedence", "bulk"), ("Return_Path", "<>")])
def test_a_weak_header_beside_an_absence_is_enough(name: str, value: str) -> None:
    reading = said("I'm on leave until 21 September.", **{name: value})
    assert (reading.kind, reading.rule) == (Kind.OUT_OF_OFFICE, "absence:weak_header")
    assert said("I'm on leave until 21 September. Can we talk then?", **{name: value}).kind is Kind.HUMAN_REPLY
    late = f"{'The line has run since March and nobody complained so far. ' * 10}I'm on leave until 21 September."
    assert said(late, **{name: value}).kind is Kind.HUMAN_REPLY


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (
            Kind.OUT_OF_OFFICE,
            "Thanks for your message. I am out of the office this week with limited access to email and will respond when I "
            "return on 21 September. For urgent matters please call our main line.",
        ),
        (
            Kind.OUT_OF_OFFICE,
            "Vielen Dank für Ihre E-Mail. Ich bin bis einschließlich 18.09.2026 im Urlaub. In dringenden Fällen wenden Sie "
            "sich bitte an info@kunde.example.",
        ),
        (
            Kind.OUT_OF_OFFICE,
            "Bonjour,\nMerci pour votre message. Je suis absente du bureau jusqu'au 21 septembre. En cas d'urgence, vous "
            "pouvez contacter mon collègue Paul Durand.\nCordialement",
        ),
        (
            Kind.OUT_OF_OFFICE,
            "ご連絡ありがとうございます。誠に勝手ながら9月10日から9月18日まで夏季休暇をいただいております。"
            "お急ぎの方は03-0000-0000までご連絡ください。",
        ),
        (Kind.ACKNOWLEDGEMENT, "您好,您的邮件我们已经收到,我们会尽快与您联系。谢谢!"),
        (
            Kind.CONTACT_GONE,
            "I've left Northgate. Please contact Lee Park (lee.park@customer.example) going forward.",
        ),
    ],
)
def test_a_text_that_only_a_responder_writes_needs_no_header(kind: Kind, body: str) -> None:
    reading = said(body)
    assert (reading.kind, reading.rule.partition(":")[2]) == (kind, "text"), reading


def test_a_stranger_sentence_makes_it_a_persons() -> None:
    absence = "Thanks for your message. I am out of the office until 21 September."
    assert said(absence).kind is Kind.OUT_OF_OFFICE
    for more in ("Is the unit in stock?", "Let's talk after that.", "The drawings are with Ana already."):
        reading = said(f"{absence} {more}")
        assert (reading.kind, reading.return_.status) == (Kind.HUMAN_REPLY, "date"), more


def test_a_return_date_makes_an_automatic_reply_an_absence_whatever_its_words() -> None:
    reading = said("Zzz zzz. Back: 21 September.", "Automatic reply: a question")
    assert (reading.kind, str(reading.return_.date)) == (Kind.OUT_OF_OFFICE, "2026-09-21")
    assert said_by_machine("Payment is due by 30 September.", "Your invoice 2231").kind is Kind.OTHER_AUTOMATIC


def test_the_proposed_person_is_not_the_sender_nor_us_and_has_a_name() -> None:
    reading = said_by_machine(
        "Dana Whitfield (dana@customer.example) has left the company. Please write to my successor Lee Park at "
        "Lee.Park@customer.example or to Frau Kurz <kurz@customer.example>, as sam@ours.example did."
    )
    assert reading.kind is Kind.CONTACT_GONE
    assert [(one.name, one.address) for one in reading.proposed] == [
        ("Lee Park", "lee.park@customer.example"),
        ("Kurz", "kurz@customer.example"),
    ]


def test_a_rule_that_forwards_from_our_own_mailbox_says_nothing_of_the_sender() -> None:
    from tests.inbound.letters import in_context, letter

    raw = letter("Thursday works.", X_MS_Exchange_Inbox_Rules_Loop="sam@ours.example")
    reading = in_context(raw, own_addresses=frozenset({"sam@ours.example"}))
    assert reading.kind is Kind.HUMAN_REPLY
    assert "own_forwarding" in reading.ignored


def test_evidence_stands_where_it_says() -> None:
    body = "Sehr geehrte Damen und Herren,\n\nich   bin bis zum 21.09. nicht\nim Büro."
    reading = said_by_machine(body)
    (words,) = [one for one in reading.evidence if one.where == "text"]
    assert words.start is not None
    assert words.text in body
    assert body[words.start :].startswith(words.text)
