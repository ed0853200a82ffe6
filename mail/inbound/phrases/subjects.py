"""Subjects that responders write. They count only at the very start: `Re: Out of office` is a person's answer to one."""

from __future__ import annotations

from mail.inbound.phrases import Phrases

_AUTOMATIC = (
    # Outlook, Exchange, Gmail, Lotus Notes, GroupWise, Yahoo, Zimbra and web hosters, by language.
    r"auto(?:matic|mated)?[ -]?(?:reply|response|responder|answer|message)\b", r"\(?auto\)?: ", r"yahoo! auto response",
    r"automatisch(?:e|es|er)? (?:generierte )?(?:ruck)?(?:antwort|e-?mail|nachricht|mitteilung|beantwortung|reactie|bericht)",
    r"auto(?:matische)?[ -]?(?:antwort|antwoord)", r"autom\. antwort", r"automatisch antwoord", r"autoreply", r"automatisches? antwort",
    r"(?:reponse|message|courriel) automatique", r"reponse auto\b",
    r"(?:auto[ -]?)?respuesta (?:automatica|automatizada)", r"auto[ -]?respuesta", r"(?:mensaje|contestacion|correo) automatic[oa]",
    r"(?:risposta|messaggio) automatic[ao]", r"risponditore automatico", r"resposta (?:automatica|automatizada)", r"mensagem automatica",
    r"auto(?:matisk|matiskt)? ?svar\b", r"automatsvar", r"automatisk besvarelse", r"automaatti(?:nen )?vastau", r"automaattivastau",
    r"automatyczna odpowiedz", r"(?:auto)?odpowiedz automatyczna", r"auto-?odpowiedz", r"automatick[ae] odpove[dt]",
    r"automaticka odozva", r"otomatik (?:yanit|cevap|mesaj)", r"automatikus valasz", r"automatsvar", r"raspuns automat",
    r"автоматическ(?:ий|ое) (?:ответ|уведомление|сообщение)", r"автоответ", r"автоматична відповідь", r"автовідповід", r"автоматичен отговор",
    r"αυτοματη απαντηση", r"automatski odgovor", r"(?:samodejni|avtomatski) odgovor", r"automatinis atsakymas", r"automaatvastus",
    r"automatiska atbilde", r"balasan otomatis", r"jawapan automatik", r"tra loi tu dong", r"תשובה אוטומטית", r"מענה אוטומטי",
    r"(?:ال)?رد (?:ال)?تلقائي",
    r"자동 ?(?:회신|응답|답장|답변)",
)  # fmt: skip
_AUTOMATIC_UNSPACED = (
    r"自動(?:応答|返信|送信|配信|回覆|回應|回复|答覆)", r"自动(?:回复|答复|回覆|应答|回信)", r"系统自动", r"ตอบกลับอัตโนมัติ",
)  # fmt: skip

_ABSENT = (
    r"out[ -]of[ -](?:the )?office", r"ooo\b(?! \w+ (?:corner|team))", r"oof\b", r"away from (?:the |my )?(?:office|desk|mail|e-?mail)",
    r"vacation (?:reply|notice|response|message|auto|alert)", r"on (?:vacation|holiday|holidays|annual leave|leave|maternity leave|paternity leave|parental leave|sick leave)(?: until| till| -|:|$)",
    r"(?:holiday|office) closure", r"office closed", r"absence notification", r"absen(?:ce|t)\s*(?:$|:|re:|-|\[|from)",
    r"(?:i am|i'm) (?:currently |now )?(?:out of|away|on (?:vacation|leave|holiday|annual))", r"away message",
    r"(?:[\w.,'-]+ ){1,4}(?:is|will be) (?:currently )?(?:out of (?:the )?office|away|on (?:vacation|leave|holiday))",
    r"abwesenheit", r"abwesend", r"nicht im (?:buro|haus|hause|office)", r"(?:ich bin |derzeit |aktuell )+nicht (?:im|erreichbar|da)", r"au(?:ß|ss)er haus",
    r"im urlaub", r"in elternzeit", r"betriebs(?:ferien|urlaub)", r"ferienabwesenheit",
    r"absent(?:e)? du bureau", r"(?:message|notification|avis) d'absence", r"absence (?:du bureau|de bureau|temporaire)", r"(?:en|actuellement en) conges?\b", r"hors du bureau",
    r"fermeture (?:annuelle|estivale|de fin)",
    r"fuera de (?:la )?(?:oficina|mi oficina)", r"ausente\b", r"ausencia\b", r"de vacaciones", r"estoy (?:fuera|de vacaciones|ausente)",
    r"fuori (?:sede|ufficio|stanza)", r"assenza\b", r"assente\b", r"(?:sono )?in ferie", r"chiusura (?:estiva|aziendale|uffici)",
    r"fora do escritorio", r"ausencia temporaria", r"(?:de|em|estou de) ferias",
    r"afwezig", r"niet (?:aanwezig|op kantoor)", r"(?:op|met) vakantie", r"met verlof",
    r"franvaro", r"(?:ej|inte) (?:pa kontoret|pa plats|tillganglig)", r"pa semester", r"semester(?:stangt|meddelande)?\s*(?:$|:)", r"foraldraledig",
    r"ikke (?:til stede|pa kontoret|tilgjengelig|tilgængelig)", r"fravær", r"fraver", r"ude af kontoret", r"(?:borte|vekke) fra kontoret", r"ferie(?:lukket|stengt)?\s*(?:$|:)", r"pa ferie",
    r"poissa", r"lomalla", r"en ole (?:paikalla|toimistolla)", r"vuosilomalla",
    r"nieobecn", r"poza biurem", r"(?:na )?urlop(?:ie)?\b", r"mimo kancelar", r"nepritomn", r"nejsem v kancelari", r"(?:na )?dovolen[ae]\b",
    r"ofis(?:te)? (?:disinda|degil)", r"(?:yillik )?izin(?:deyim|li)?\b", r"hazon kivul", r"irodan kivul", r"tavollet", r"szabadsagon",
    r"(?:нет|отсутствую|не) (?:на работе|в офисе|на месте)", r"вне офиса", r"(?:я )?в отпуске", r"отсутстви", r"відсутн", r"у відпустці", r"поза офісом",
    r"in afara biroului", r"absent din birou", r"in concediu", r"(?:ειμαι )?εκτοσ γραφειου", r"απουσια", r"σε αδεια",
    r"부재 ?중", r"휴가", r"출장 ?중", r"육아 ?휴직",
)  # fmt: skip
_ABSENT_UNSPACED = (
    r"不在(?:通知|の|連絡|届|です|に|$)", r"(?:夏季|冬季|年末年始|育児|産前)?(?:休暇|休業)(?:中|の|$|のお知らせ)", r"外出中", r"出張中",
    r"不在办公室", r"不在辦公室", r"外出(?:通知|中|$)", r"(?:正在)?(?:休假|出差|度假)", r"请假", r"年假",
)  # fmt: skip

_ACKNOWLEDGED = (
    r"[^\w]{0,3}(?:ticket|case|request|incident|sr|ref|issue)[ #:-]{1,3}(?:id[ #:]*|no\.? ?)?[a-z]{0,4}-?\d{3,}", r"(?:support|service) (?:ticket|request)",
    r"(?:we(?:'ve| have)? received|we got) your", r"(?:your )?(?:request|message|e-?mail|inquiry|enquiry|ticket|case|application)~(?:has been|was) (?:received|created|opened|logged)",
    r"acknowledg(?:e)?ment\b", r"thank(?:s| you) for (?:contacting|your (?:inquiry|enquiry|request|application)|getting in touch|reaching out)", r"confirmation of receipt",
    r"eingangsbestatigung", r"empfangsbestatigung", r"wir haben ihre", r"ihre (?:anfrage|nachricht) (?:ist eingegangen|wurde|bei)", r"ticketnummer",
    r"accuse de reception", r"(?:nous avons (?:bien )?recu|confirmation de reception)", r"votre demande (?:a ete|n)", r"acuse de recibo", r"hemos recibido", r"(?:confirmacion de recepcion)",
    r"abbiamo ricevuto", r"conferma di ricezione", r"recebemos (?:a )?su?a", r"confirmacao de recebimento", r"ontvangstbevestiging", r"wij hebben uw", r"we hebben (?:uw|je)",
    r"vi har (?:mottagit|modtaget|mottatt)", r"(?:mottagnings|kvitterings)?bekraftelse", r"kvittering", r"tilbakemelding mottatt", r"vahvistus", r"olemme vastaanottaneet",
    r"potwierdzenie (?:otrzymania|przyjecia)", r"otrzymalismy", r"potvrzeni prijeti", r"obdrzeli jsme", r"talebiniz", r"mesajiniz(?:i)? (?:alindi|aldik)", r"megkaptuk", r"visszaigazolas",
    r"ваш(?:а|е)? (?:запрос|заявка|обращение|письмо)", r"мы получили", r"заявка (?:#|№|no)", r"am primit", r"λαβαμε",
    r"접수", r"문의~(?:접수|감사)",
)  # fmt: skip
_ACKNOWLEDGED_UNSPACED = (
    r"お問い?合わ?せ(?:を|いただき|頂き|ありがとう|を受|受付|の受付)", r"受付(?:完了|確認|のお知らせ|いたし)", r"受信確認", r"(?:已)?(?:收到|接收|受理)(?:您|你)", r"工单", r"受理(?:通知|回执)", r"感谢您的(?:来信|咨询|邮件|反馈)",
)  # fmt: skip

AUTOMATIC = Phrases(_AUTOMATIC, _AUTOMATIC_UNSPACED, at_start=True)
"""A responder wrote it, of whatever sort."""

ABSENT = Phrases(_ABSENT, _ABSENT_UNSPACED, at_start=True)
"""An absence is all it says."""

ACKNOWLEDGED = Phrases(_ACKNOWLEDGED, _ACKNOWLEDGED_UNSPACED, at_start=True)
"""A receipt; no proof by itself that a machine wrote it."""
