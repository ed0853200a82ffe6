"""What tells a text for everybody from a text for one person, where no header and no subject says it."""

from __future__ import annotations

from mail.inbound.phrases import Phrases

_THANKS = (
    r"(?:thank(?:s| you)(?: very much| so much)?|many thanks) for (?:your|the|this|e-?mailing|writing|contacting|getting in touch|reaching out|taking)(?: (?:recent|kind|e-?))? ?(?:e-?mail|mail|message|note|inquiry|enquiry|correspondence|interest|me|us|to|in|out)?",
    r"(?:vielen dank|danke|herzlichen dank|besten dank) fur (?:ihre|deine|eure|die) (?:e-?mail|mail|nachricht|anfrage|mitteilung)",
    r"merci (?:beaucoup )?(?:pour|de) (?:votre|ton|vos) (?:e-?mail|mail|message|courriel|courrier)",
    r"(?:muchas )?gracias por (?:su|tu|el|contactar|escribir)\w*(?: (?:correo|mensaje|e-?mail))?",
    r"(?:la ringrazi\w+|grazie|ringraziamo|vi ringrazi\w+) (?:per|della|del) (?:la )?(?:sua|tua|vostra|suo|tuo|il|aver|mail|e-?mail|messaggio)",
    r"(?:muito )?(?:obrigad[oa]|agradec\w+) (?:por|pel[oa]|o seu|a sua|seu|sua)",
    r"(?:hartelijk )?(?:dank|bedankt)(?: u)? (?:voor|je wel voor) (?:uw|je|het)",
    r"tack for (?:ditt|din|ert|mejlet|mailet)",
    r"(?:mange )?tak(?:k)? for (?:din|dit|deres|mailen|e-?posten)",
    r"kiitos (?:viestista|viestistasi|sahkopost|yhteydenot)\w*",
    r"dziekuj\w+ za (?:wiadomosc|e-?mail|maila|kontakt|panstwa|twoja|przeslan)",
    r"(?:dekuji|dekujeme|dakujem) za (?:vas|vasi|zpravu|e-?mail|spravu|mail)",
    r"(?:e-?postaniz|mesajiniz|mailiniz) icin tesekkur",
    r"koszon(?:om|juk) (?:az |a )?(?:e-?mail|level|uzenet|megkeres)\w*",
    r"(?:va )?multumesc pentru (?:mesaj|e-?mail)",
    r"(?:спасибо|благодар\w+)(?: вас)? за (?:ваше |письмо|сообщение|обращение)",
    r"дякую за (?:ваш|лист|повідом)",
    r"(?:σασ )?ευχαριστ\w+ για (?:το|την)",
    r"(?:메일|이메일|연락)(?:을|를)? ?(?:보내|주셔)~감사",
    r"감사합니다",
)
_THANKS_UNSPACED = (
    r"(?:ご連絡|メール|お問い?合わ?せ|ご返信)[^。]{0,16}ありがとう",
    r"お世話になって",
    r"(?:感谢|谢谢|多谢|感謝|謝謝)(?:您|你)?的?(?:来信|邮件|來信|来函|郵件|联系|咨询|关注)",
    r"(?:您|你)好",
    r"(?:よろしく|宜しく)お願い",
    r"ご(?:不便|迷惑|了承)",
    r"申し訳",
    r"敬具",
    r"(?:谢谢|感谢|敬请谅解|不便之处|祝好|此致)",
)

_INSTEAD = (
    r"(?:(?:in|for|if)~)?(?:urgent|emergenc(?:y|ies)|immediate (?:assistance|attention|help|response)|time[- ]sensitive|pressing)",
    r"(?:please|kindly|you (?:can|may)|feel free to|do) (?:\w+ )?(?:contact|reach|direct|refer|get in touch with|turn to|forward|reach out to|speak (?:to|with))\b",
    r"(?:please|kindly|you (?:can|may)|feel free to) (?:\w+ )?(?:call|e-?mail|write(?: to)?|send|resend|ring|phone|use|text)~(?:colleague|team|[^ ]@|\d{3}|assistant|office|reception|instead|main line|hotline|my (?:cell|mobile)|our )",
    r"(?:my (?:colleague|assistant|deputy|team|manager|replacement|successor))",
    r"in (?:my|our) (?:absence|place)",
    r"(?:your )?(?:e-?mail|message|mail)s?~(?:not|will not|won't) be (?:forwarded|read|answered|monitored|checked)",
    r"(?:i (?:will|'ll)|i'll|we will|we'll) (?:\w+ )?(?:reply|respond|answer|get back|read)~",
    r"(?:replies|response|responses|reply|answer)~(?:delayed|slow|slower|later|limited)",
    r"(?:limited|no|sporadic|intermittent) access",
    r"apologi[sz]e|sorry for (?:any|the) (?:inconvenience|delay)",
    r"in (?:dringenden|eiligen|dringlichen|wichtigen) (?:fallen|angelegenheiten)",
    r"(?:bitte )?(?:wenden sie sich|wende dich|kontaktieren sie|rufen sie|schreiben sie)",
    r"(?:meine|meinen|mein|unsere) (?:vertretung|kolleg\w+|stellvertret\w+)",
    r"(?:ihre|deine|diese) (?:e-?mail|nachricht|mail)s?~(?:nicht|wird|werde)~(?:weitergeleitet|gelesen|bearbeit|beantwort)",
    r"(?:werde|werden)~(?:ihre|deine|mich|uns|beantwort|melden|bearbeit)",
    r"en cas d'urgence",
    r"(?:vous pouvez|merci de|veuillez|n'hesitez pas a|priere de) (?:\w+ )?(?:contacter|joindre|adresser|vous adresser|ecrire|appeler|prendre)",
    r"(?:je|nous) (?:vous )?(?:repondrai|repondrons|traiterai|reviendrai|prendrai)",
    r"(?:en caso de|para|asuntos|si es|por) ?(?:una )?(?:urgen\w+|emergencia)",
    r"(?:puede|pueden|por favor|favor de|rogamos|le ruego)~(?:contact|escrib|llam|dirigir|comunic)\w*",
    r"(?:le |les |te )?(?:respondere|contestare|atendere|responderemos)",
    r"(?:in caso di|per) (?:\w+ )?(?:urgenz|emergenz|necessita|comunicazioni urgenti|questioni urgenti)\w*",
    r"(?:potete|puo|prego|contattare|rivolgersi|vi prego di|scrivere a)~",
    r"rispondero|risponderemo",
    r"em caso de (?:urgencia|emergencia)|assuntos urgentes",
    r"(?:por favor|favor|pode|podera|queira)~(?:contat|contact|escrev|ligu|envi)\w*",
    r"responderei|responderemos",
    r"(?:voor|bij|in) (?:dringende|spoed|urgente)\w*",
    r"(?:kunt u|kun je|neem|gelieve)~(?:contact|mail|bel|terecht)",
    r"(?:vid|i) (?:akuta|bradskande|brådskande|hastende|presserende) ?\w*",
    r"(?:kontakta|kontakt|ring|vänligen|vanligen|venligst|vennligst)\b",
    r"(?:kiireellis|kiireis)\w*",
    r"(?:ota|ottakaa|voit|voitte)~(?:yhteytta|olla yhteydessa|ottaa)",
    r"(?:w (?:sprawach )?(?:pilnych|naglych))|(?:prosze|prosimy)~(?:kontakt|o kontakt|skontakt)",
    r"(?:v (?:nalehavych|urgentnich|nutnych|pripade|naliehav\w+))~|(?:kontaktujte|obratte se|volejte|prosim kontakt)",
    r"acil (?:durum|konu|isler|hal)\w*",
    r"(?:iletisime gec|ulasabilirsiniz|basvur|irtibat)\w*",
    r"(?:surgos|halaszthatatlan)\w*",
    r"(?:forduljon|keresse|hivja|kerem,? keresse)\w*",
    r"(?:pentru|in caz de|in) (?:urgent\w+|probleme urgente|situatii urgente)",
    r"(?:по срочным|в срочных|если (?:вопрос|дело) сроч|срочн)\w*",
    r"(?:обращайтесь|обратитесь|свяжитесь|пишите|связывайтесь)",
    r"(?:терміново|термінов|звертайтесь|зверніться)\w*",
    r"(?:επειγον|επικοινων)\w*",
    r"(?:급한|긴급|급하신)",
    r"(?:연락|문의)(?:해)? ?(?:주시|주세요|바랍|부탁)",
)
_INSTEAD_UNSPACED = (
    r"(?:お急ぎ|緊急|至急)",
    r"(?:ご連絡|お問い?合わ?せ|お電話)(?:ください|下さい|をお願い|いただ|くださ|願い)",
    r"(?:如有|如果|若有|有)?(?:急事|紧急|緊急|要事)",
    r"(?:请|請)(?:联系|致电|聯繫|与|發送|发送|发邮件|拨打|转)",
    r"代理",
    r"後任|担当(?:者|いたし)",
)

_PERSONAL = (
    # Somebody answers what was written to him.
    r"(?:let's|let us|shall we|how about|what about|happy to|glad to|would love|i'd love|i would love|sounds (?:good|great|interesting|like)|looks (?:good|great|interesting)|interesting|interested|makes sense|good (?:idea|to hear|question)|great (?:to|idea|question)|no problem|works for (?:me|us)|that works|perfect|absolutely|sure\b|yes\b|yep|yeah|nope|no,|not (?:interested|now|sure|right|a fit|for us|at the moment)|as discussed|attached|see (?:attached|below|you)|i (?:think|guess|believe|read|saw|looked|liked|like|agree|spoke|talked|forwarded|passed|was wondering|just|got|can do|could do|had a|prefer|suggest|need|want|have (?:a few|some|one|read|looked|forwarded|spoken|talked|two|three|questions))|we (?:are (?:happy|interested|using|looking|not)|use|already|have (?:a|already|an|no|just|our|decided)|need|want|don't|do not|decided)|can you|could you|would you|do you|are you|send me|give me|call me|ping me|remind me|try me|check back|follow up|circle back|reach out (?:again|to me|then|in)|touch base|catch up|talk (?:then|soon|after|when|next|to you|again)|speak (?:then|soon|after|when|next)|meet(?:ing)?\b|pricing|price|quote\b|budget|demo\b|proposal|your (?:product|offer|solution|proposal|service|tool|software|platform|price|pricing|idea|question)|btw|by the way|haha|lol|i'll (?:call|send|check|ask|talk|try|ping|have|take|look|let you)|i will (?:call|send|check with|ask|talk|try|have a look|take a look|look into|let you)|cheers mate|next week works)",
    r"(?:interessant|klingt|gerne|gern\b|lassen sie uns|lass uns|konnen (?:sie|wir)|konnten (?:sie|wir)|schicken sie|rufen sie mich|ihr (?:angebot|produkt)|angebot|termin|passt (?:mir|uns|gut)|kein (?:interesse|bedarf)|einverstanden|ich (?:finde|denke|glaube|habe (?:gerade|das|ihr|noch|eine)|wurde|schlage)|wir (?:haben (?:bereits|schon|kein|derzeit)|nutzen|brauchen)|melden sie sich (?:doch|gerne|dann))",
    r"(?:interessant|volontiers|pouvez-vous|pourriez-vous|on (?:peut|pourrait|se)|rappelez|envoyez-moi|parlons|votre (?:offre|produit|proposition|solution)|d'accord|parfait|ca m'interesse|nous avons deja|pas interesse|je (?:pense|trouve|prefere|regarde|vous propose)|rendez-vous|recontactez|relancez|je (?:vous|te) (?:rappel|propos|envo|recontact)\w*)",
    r"(?:interesante|me interesa|podemos|podriamos|puede enviarme|envieme|enviame|llameme|llamame|hablamos|hablemos|de acuerdo|perfecto|su (?:propuesta|producto|oferta)|ya tenemos|no nos interesa|me parece|propongo|reunion|(?:le|te|la|lo) llamo|llamare)",
    r"(?:interessante|mi interessa|possiamo|potremmo|mi mandi|mi invii|sentiamoci|parliamone|va bene|perfetto|la sua (?:proposta|offerta)|abbiamo gia|non ci interessa|propongo|d'accordo|mi chiami|incontr|(?:la|ti|vi) (?:ri)?(?:chiam|sent)\w+)",
    r"(?:interessante|tenho interesse|podemos|poderiamos|pode me enviar|me envie|me ligue|vamos (?:falar|marcar|conversar)|combinado|perfeito|sua proposta|ja temos|acho que|sugiro|reuniao|(?:te|lhe) ligo|ligo-)",
    r"(?:interessant|klinkt|graag (?:meer|een|ontvang|hoor|bel)|kunnen we|zullen we|laten we|stuur (?:me|mij)|bel (?:me|mij)|je voorstel|uw voorstel|prima|afspraak|wij hebben al|geen interesse|akkoord|ik (?:denk|vind|stel voor|heb net)|(?:ik )?bel (?:u|je)\b)",
    r"(?:intressant|later bra|lat oss|later som|lad os|la oss|kan du|kan vi|skicka|send mig|ring mig|ring meg|lyder|hores|høres|interessant|vi har redan|vi har allerede|forslag|mote\b|møde|jag tror|jeg tror)",
    r"(?:kiinnosta|sopii|voimmeko|voitko|soita|laheta minulle|palataan|jutellaan|tapaaminen)\w*",
    r"(?:ciekaw|chetnie|mozemy|czy (?:moze|pan|pani)|porozmawiaj|prosze przeslac|zadzwon|spotkani|propozycj|oferta)\w*",
    r"(?:zajima|rad(?:a)? bych|muzeme|mohli bychom|poslete mi|zavolejte mi|schuzk|nabidk)\w*",
    r"(?:ilginc|gorusel|konusal|gonderir misiniz|arar misiniz|toplanti|teklif|fiyat)\w*",
    r"(?:erdekes|erdekel|beszelj|egyeztess|kuldje el|hivjon|ajanlat|talalkozo)\w*",
    r"(?:интересно|давайте|можем|можете|пришлите|отправьте мне|позвоните мне|предложение|созвон|встреч|обсудим|договорились)\w*",
    r"(?:цікаво|давайте|можемо|надішліть|зателефонуйте)\w*",
    r"(?:관심|좋습니다|제안|미팅|견적|통화|논의)",
)
_PERSONAL_UNSPACED = (
    r"(?:興味|面白|ぜひ|検討|見積|打ち合わせ|打合せ|お話し?|承知|了解|価格|ご提案|日程)",
    r"(?:感兴趣|报价|价格|方案|面谈|讨论|聊聊|可以的|没问题|好的|我觉得|我认为|会议|沟通)",
)

_COURTESY = (
    r"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|day|evening)|to whom|sehr geehrte|guten (?:tag|morgen)|hallo|liebe|bonjour|madame|monsieur|hola|estimad|buenos|buongiorno|salve|gentil|ola|bom dia|prezad|car[oa]s?|beste|geachte|goede|dag|hej|hei|god |dzien dobry|szanowni|witam|dobry den|dobry dzien|vazen|merhaba|sayin|iyi|tisztelt|kedves|udvoz|buna|stimat|здравствуйте|добрый|уважаем|вітаю|доброго|καλημερα|αγαπητ|안녕)",
    r"(?:best|kind|warm|many thanks|thanks|thank you|regards|sincerely|cheers|yours|mit freundlich|viele grusse|beste grusse|freundliche|grusse|gruss|cordialement|bien a vous|cordiali|distinti|saluti|saludos|atentamente|un saludo|atenciosamente|cumprimentos|abraco|met vriendelijke|groet|vriendelijke|med vanlig|vanliga|mvh|hilsen|med venlig|med vennlig|vh\b|terveisin|ystavallisin|pozdraw|z powazaniem|s pozdravem|saygilar|iyi calismalar|udvozlettel|koszonettel|cu stima|с уважением|з повагою|με εκτιμηση|merry christmas|happy (?:holidays|new year)|frohe|schone|joyeu|bonne|feliz|buon|fijne|trevlig|god |glade|hyva|wesolych|vesele)",
    r"(?:i )?(?:appreciate|thank) (?:you|your)~(?:patience|understanding)?",
    r"(?:vielen dank|danke|merci|gracias|grazie|obrigad|bedankt|dank|tack|tak|takk|kiitos|dzieku|deku|tesekkur|koszon|multumesc|спасибо|дякую|ευχαριστ)",
)

THANKS = Phrases(_THANKS, _THANKS_UNSPACED)
"""How automatic answers begin."""

INSTEAD = Phrases(_INSTEAD, _INSTEAD_UNSPACED)
"""Whom to turn to meanwhile, and what becomes of the mail."""

PERSONAL = Phrases(_PERSONAL, _PERSONAL_UNSPACED)
"""Words of somebody who answers what he read."""

COURTESY = Phrases(_COURTESY, at_start=True)
"""Greetings and closings."""
