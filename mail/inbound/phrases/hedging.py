"""What makes a request to stop one that is not for good: a limit in time, another way to be reached, interest, a mail sent by mistake.

Folded text, as in stopping.py. Each only makes an answer of what would be an opt-out: a person reads it then.
"""

from __future__ import annotations

TAIL = (
    # of several words, first: each is taken as far as it goes
    r"e-?mail\w*|e-?post\w*|for (?:ever|good)|in the future|at (?:once|all)|at this (?:time|point)|right away|straight away|about (?:this|that|it|your~)|vielen dank|in zukunft|a l'avenir|a nouveau|de part|por favor|en (?:el )?futuro|otra vez|de nuevo|de su parte|per favore|per cortesia|in futuro|no futuro|in de toekomst|i framtiden|a jovoben|будь ласка|as i~|before (?:i|we) (?:report|sue|complain|block|call|take|lose|file|have to|go|mark|get|escalate)~|su empresa",
    # en
    r"me|us|i|we|you|my|our|mine|your|yours|this|these|those|that|it|such|any|all|more|further|future|again|ever|any ?more|either|please|pls|kindly|thanks|thank|thx|from|to|off|out|of|the|an?|with|and|or|lists?|mailing|mailings|mails?|e-?mails?|messages?|spam|newsletters?|marketing|communications?|emailing|contacting|sending|writing|spamming|messaging|mailing|bothering|contact|contacts|calls?|address(?:es)?|inbox|account|databases?|systems?|records|crm|data|details|info|information|personal|name|company|team|outreach|sequences?|campaigns?|distribution|advertising|ads|offers|solicitations?|unsolicited|unwanted|useless|stupid|annoying|nonsense|rubbish|crap|junk|stuff|anything|everything|immediately|now|asap|permanently|forever|completely|entirely|finally|already|never|not|interested|because~|since~|under|gdpr|ccpa|article|art|\d+|law|sales|promotional|commercial|cold|sir|madam|sam",
    # de
    r"mir|mich|uns|sie|ihnen|ihr\w*|mein\w*|unser\w*|dies\w*|d(?:as|ie|er|en|em)|kein\w*|weitere\w*|mehr|nie|wieder|nicht|bitte|danke|an|von|vom|aus|zu|und|sofort|umgehend|erhalten|bekommen|kunftig|zukunftig|jemals|dauerhaft|endlich|zusendung\w*|nachricht\w*|werbung|werbemails?|werbe\w*|newsletter\w*|verteiler\w*|liste\w*|mailingliste\w*|datenbank\w*|system\w*|adress\w*|e-?mail-?\w*|mail\w*|kontakt\w*|daten|anfragen|angebote|belastigen|belastigung|anschreiben|schreiben|kontaktieren|senden|schicken|zusenden|zuschicken|abmelden|austragen|loschen|streichen|nehmen|entfernen|art|gema(?:ss|ß)|dsgvo|nutzung|einwilligung|werbezwecken|werblich\w*|verarbeitung|ab|heraus|raus|anrufen|auf|unerwunscht\w*|mail-?adress\w*",
    # fr
    r"moi|nous|vous|votre|vos|mon|ma|mes|notre|nos|ce|ces|cet|cette|les?|la|l'|des?|du|d'|un|une|ne|n'|pas|plus|jamais|non|et|ou|ni|merci|svp|s'il|plait|d'avance|par|mails?|courriels?|messages?|emails?|newsletters?|lettres?|publicites?|pub|spams?|sollicitations?|relances?|listes?|bases?|donnees|fichiers?|diffusion|mailing|adresse\w*|coordonnees|nom|recevoir|contacter|ecrire|envoyer|solliciter|relancer|dorenavant|desormais|immediatement|definitivement|toute?s?|aucune?|autres?|rgpd|commercia\w*|publicitaires?|prospection|demarchage|envois?|m'envoyer|m'ecrire|me",
    # es
    r"mi|mis|su|sus|nuestr\w*|este|esta|estos|estas|e[ls]|los?|las?|del?|y|o|ni|no|mas|nunca|jamas|gracias|un|una|ningun\w*|correos?|e-?mails?|mails?|mensajes?|publicidad|ofertas?|propagandas?|boletin\w*|listas?|base|datos|direccion\w*|contactos?|suscripci\w*|distribucion|inmediatamente|escrib\w*|envi\w*|mand\w*|contact\w*|molest\w*|recibir|empresa|electronico|comercial\w*|spam|llam\w*|me|nos",
    # it
    r"mi|ci|il|lo|la|le|gli|i|un|una|di|da|dal|dall\w*|del|dell\w*|della|vostr\w*|suo|sua|suoi|sue|mio|mia|miei|nostr\w*|quest\w*|e|o|ne|piu|mai|altr[aeio]|ulterior\w*|prego|grazie|e-?mail|mail|messagg\w*|pubblicita|newsletter|list[ae]|elenco|indirizz\w*|contatt\w*|dati|database|mailing|immediatamente|ricever\w*|esser\w*|contattat\w*|scriver\w*|inviar\w*|mandar\w*|spam|commercial\w*|posta|distribuzione|comunicazion\w*|offert[ae]|non|chiam\w*|telefonat\w*|[aeio]",
    # pt
    r"meus?|minhas?|seus?|suas?|nosso\w*|est[ae]s?|os?|as?|d[oae]s?|e|ou|nem|mais|nunca|favor|obrigad[oa]|e-?mails?|mails?|mensage\w*|publicidade|listas?|base|dados|cadastro|contat\w*|contact\w*|endereco|imediatamente|novamente|de novo|receber|enviar|mandar|escrever|incomodar|comunicac\w*|marketing|newsletters?|ser|spam|propaganda\w*",
    # nl
    r"mij|mijn|ons|onze|uw|u|jullie|de|het|een|deze|dit|die|van|uit|aan|en|of|niet|geen|meer|verdere|nooit|graag|aub|alstublieft|bedankt|dank|mailtjes|mails?|e-?mails?|berichten|nieuwsbrie\w*|reclame|aanbiedingen|lijst\w*|maillijst|mailinglijst|bestand\w*|database|adres\w*|gegevens|mailen|sturen|schrijven|ontvangen|benader\w*|worden|contact|onmiddellijk|direct|voortaan|te|af|op|verwijder\w*|uitschrijven|afmelden|spam|e-?mailadres|mailadres|bellen|emailen|het",
    # sv da no
    r"mig|meg|mej|oss|os|min|mina|mine|vara?|vores|er|era|ert|eran|jeres|dere|deres|din|dina|dine|de|dem|det|den|denna|denne|detta|dette|dessa|disse|har|her|fra|fran|av|af|ur|ut|till?|pa|och|og|eller|inte|ikke|ej|aldrig|aldri|mer|mere|igen|igjen|fler|flere|noe|noget|nagot|tack|tak|takk|venligst|vennligst|mejl|mail|mails|mailer|e-?post\w*|e-?mails?|brev|besked\w*|meddelande\w*|melding\w*|reklame?|utskick|nyhetsbrev\w*|nyhedsbrev\w*|list\w*|sandlist\w*|maillist\w*|epostlist\w*|register|database?n?|adress\w*|adresse\w*|uppgifter|oplysninger|opplysninger|skicka|sende|skriva|skrive|kontakta|kontakte|modtage|motta|ha|have|fa|jer|omedelbart|omgaende|straks|umiddelbart|fremover|fremtiden|framover|att|at|a|spam|prenumeration\w*|snalla|genast",
    # fi
    r"minulle|minua|minut|meille|meidat|meita|enaa|ikina|koskaan|mitaan|kiitos|lista\w*|postituslista\w*|sahkoposti\w*|viest\w*|posti\w*|mainoks\w*|uutiskir\w*|yhteytta|osoit\w*|tieto\w*|teidan|naita|heti|rekisteri\w*|tietokan\w*|lahettamasta|lahettaminen|lahettami\w*|ja|tahan",
    # pl
    r"mnie|mi|nam|nas|moj\w*|nasz\w*|do|na|z|ze|ten|tego|te|tej|i|ani|nie|wiecej|juz|nigdy|prosze|dziekuje|mail\w*|e-?mail\w*|wiadomosc\w*|spam\w*|reklam\w*|newsletter\w*|ofert|subskryp\w*|list[aeyi]\w*|baz\w*|adres\w*|danych|dane|kontakt\w*|natychmiast|sie|mailing\w*|wysylac|pisac|otrzymyw\w*|tych|takich|zadnych|panstwa|waszej|swojej|kolejnych|otrzymywania",
    # cs sk
    r"mi|mne|me|nam|nas|ma|muj|moj\w*|tuto|tento|z|ze|zo|na|uz|jiz|vic|viac|vice|nic|nikdy|prosim|dekuji|diky|dakujem|zadne|ziadne|zadny|dalsi\w*|e-?mail\w*|mail\w*|zprav\w*|sprav\w*|newsletter\w*|seznam\w*|zoznam\w*|databaz\w*|adres\w*|mailing\w*|odber\w*|evidenc\w*|kontakt\w*|reklam\w*|nabidky|ponuky|psat|posilat|posielat|pisat|zasilat|vasi|vase\w*|vas|a|ani|okamzite|obchodni|obchodne|si|se|sa|s|so|spam\w*|e-?mailu|udaje|osobni|vasho",
    # tr
    r"bana|bize|beni|bizi|bir|daha|artik|lutfen|tesekkurler|e-?posta\w*|mail\w*|mesaj\w*|liste\w*|adres\w*|bu|su|her|hicbir|gonder\w*|atma\w*|yazma\w*|cikar\w*|sil\w*|hemen|asla|abonelik\w*|sizden|almak|istemiyorum|istiyorum|cik\w*|aramay\w*|veritaban\w*|reklam\w*",
    # hu
    r"nekem|nekunk|engem|minket|ide|tobb\w*|ujra|soha|kerem|koszonom|level\w*|e-?mail\w*|uzenet\w*|hirlevel\w*|lista\w*|levelezesi|levelezolist\w*|adatbazis\w*|cim\w*|nyilvantartas\w*|le|az?|es|azonnal|reklam\w*|kapni|onoktol|ontol|toluk|megkeres\w*|ilyen",
    # ro
    r"ma|mi|imi|ne|mai|din|de|la|pe|lista\w*|baza|date|dumneavoastra|e-?mail\w*|mail\w*|mesaj\w*|nimic|niciodata|newslett\w*|multumesc|va|rog|adresa|mea|spam\w*|reclame|oferte|si|fiu|contactat\w*|primesc|primi",
    # ru uk
    r"мне|мої|мои|мой|мою|моего|мої\w*|меня|нас|нам|мені|мене|сюда|больше|більше|никогда|ніколи|пожалуйста|спасибо|дякую|ласка|писем|письм\w*|сообщени\w*|реклам\w*|рассыл\w*|розсил\w*|спам\w*|лист\w*|списк\w*|баз\w*|адрес\w*|почт\w*|пошт\w*|данны\w*|дані|контакт\w*|электронн\w*|из|от|в|на|с|з|зі|із|і|и|ваш\w*|вашої|эт\w*|ці|цей|свои\w*|присыл\w*|отправ\w*|писать|писати|надсил\w*|слать|немедленно|пис\w*|предложени\w*|ничего|нічого|получать|отримувати|видеть|таки\w*|ни|не",
    # el
    r"με|μασ|μου|απο|τη|την|το|τον|τα|τισ|στη|στο|λιστα\w*|σασ|αλλα|αλλο|πια|πλεον|ξανα|ποτε|παρακαλω|ευχαριστω|e-?mails?|mails?|μηνυμα\w*|διευθυνση|στοιχεια|βαση|ενημερωτικα|newsletter|διαφημι\w*|αυτα|τετοια|να|λαμβανω",
)
"""All that may stand between the request and the end of its clause. Any other word makes it a request about something: samples, Fridays,
this address, somebody else. `~` stands for the rest."""

LIMITS = (
    # "for now", "not yet", "this week", right after the request
    r"yet|for now|for the (?:moment|time being)|at the moment|right now|just now|this (?:week|month|quarter|year)|temporarily|for a (?:while|few|couple)|for (?:\w+ )?(?:days?|weeks?|months?)|while (?:i|we)|during|before(?! (?:i|we) (?:report|sue|call|complain|block|contact|take|lose|file|have to|go|mark|get|escalate))|until|till(?! (?:mig|oss|min|denna|den har))|unless|except",
    r"derzeit|momentan|im moment|im augenblick|vorerst|einstweilen|vorubergehend|zurzeit|zur zeit|noch nicht|diese woche|diesen monat|wahrend|solange|bevor|vor (?:dem|der|montag|dienstag|mittwoch|donnerstag|freitag)|bis|au(?:ss|ß)er",
    r"pour le moment|pour l'instant|actuellement|en ce moment|cette semaine|ce mois|pendant|tant que|avant|jusqu\w*|sauf",
    r"por (?:ahora|el momento|de pronto)|de momento|todavia|aun no|aun|esta semana|este mes|durante|mientras|antes de|hasta|salvo|excepto",
    r"per (?:ora|adesso|il momento)|al momento|ancora(?! una volta)|questa settimana|questo mese|durante|prima (?:di|del|della|che)|fino a\w*|finche|tranne",
    r"por (?:enquanto|agora)|ainda|neste momento|esta semana|este mes|enquanto|antes d\w+|ate (?:que|ao?|dia|segunda|terca|quarta|quinta|sexta|janeiro|o)|exceto",
    r"voorlopig|momenteel|op dit moment|nog niet|deze week|deze maand|zolang|tijdens|voordat|voor (?:maandag|dinsdag|woensdag|donderdag|vrijdag|volgende)|tot",
    r"annu(?! en gang)|just nu|for tillfallet|tills?(?! (?:mig|oss|denna|den har|min))|den har veckan|i veckan|fore|innan|forran|medan|utom",
    r"endnu(?! en gang)|enda(?! en gang)|enna|forelobig|lige nu|akkurat na|for tiden|i ojeblikket|denne uge\w*|denne uke\w*|for (?:na|mandag|tirsdag|onsdag|torsdag|fredag|neste|nastkommende|næste|uke|uge|jeg|vi|du|det|etter|efter|den|\d+)|inden|indtil|inntil|mens|undtagen",
    r"viela|toistaiseksi|juuri nyt|talla viikolla|ennen|kunnes|saakka|asti|paitsi",
    r"jeszcze(?! raz)|na razie|narazie|tymczasem|w tym tygodniu|obecnie|dopoki|przed|zanim|do (?:poniedzialku|wtorku|srody|czwartku|piatku|konca|czasu)|oprocz",
    r"jeste(?! jednou)|este ni?e\w*|zatim|prozatim|zatial|tento tyden|tento tyzden|momentalne|pred|nez|dokud|kym|kvuli tomu zatim|krome|okrem",
    r"henuz|simdilik|su an\w*|bu hafta|\w+[dt][ea]n once|kadar|haric",
    r"meg ne|egyelore|jelenleg|most ne\w*|ezen a heten|addig|elott|amig|(?:hetfo|kedd|szerda|csutortok|pentek|szombat|vasarnap|holnap|vege)ig|\d+-?ig",
    r"inca(?! o data)|deocamdata|momentan|acum|saptamana asta|saptamana aceasta|inainte|pana|cat timp",
    r"еще(?! раз)|пока|сейчас|на этой неделе|до (?:понедельника|вторника|среды|четверга|пятницы|конца|\d|нового)|прежде|раньше|поки|зараз|ще не|кроме",
    r"ακομα|ακομη|προσ το παρον|αυτη την εβδομαδα|πριν|μεχρι|εωσ",
)
"""Within the clause of the request."""

LIMITS_CJK = (
    r"まだ|今は|今週|当面|しばらく|一時的|まで|前に|以外",
    r"暂时|暫時|目前|现在|現在|这周|本周|之前|以前|以外|还不|还没|先(?:不|别)",
    r"아직|당분간|지금은|이번 ?주|까지|전까지|전에는",
)

WISHES = (
    # another way to be reached
    r"(?:call|phone|ring|telephone|text|whatsapp) (?:me|us)|give (?:me|us) a (?:call|ring|bell)|(?:reach|try|contact) (?:me|us) (?:by|on|via|over|at|through)|by phone|over the phone|instead|rather (?:call|phone|ring|write|e-?mail|use)",
    r"(?:new|neue\w*|nieuwe?|ny[ae]?|nouvelle|nueva|nuovo|novo|nowy\w*|novou|uusi|uuteen|yeni|uj) (?:e-?mail-?)?(?:adr\w*|direccion|indirizzo|endereco|osoit\w*|cim\w*)|moved to|wir (?:unterschreiben|kaufen|bestellen|nehmen)|katilimci\w*",
    r"(?:is|are|works?|be) (?:\w+ )?(?:fine|better|easier|best|enough|preferred)|i prefer|(?:phone|quick|short) call|whatsapp|(?:ist|ware|waren|geht) (?:\w+ )?(?:besser|lieber|einfacher|schneller)|(?:kurzer|kurzen) anruf|ware mir lieber|je prefere|prefiero|preferisco|prefiro",
    r"(?:use|write to|send (?:it|them|this|everything) to|e-?mail) (?:me at |us at )?(?:my|our|the) (?:new|other|private|personal(?! data| info)|work|general)",
    r"(?:rufen|ruf) (?:sie )?(?:\w+ ){0,2}(?:mich|uns|an)|(?:mich|uns) (?:\w+ ){0,2}(?:anrufen|anzurufen)|stattdessen|telefonisch|per telefon|(?:melden|wenden) sie sich|an meine neue",
    r"(?:r?appele[zr]?|telephone[zr]?)(?:-| )(?:moi|nous)|(?:me|nous) (?:r?appeler|telephoner|joindre)|par telephone|plutot",
    r"llam(?:e|en|a|ad|ar)(?:me|nos)|(?:me|nos) llam(?:a|e|as|en|an)|por telefono|en su lugar|en vez de",
    r"(?:ri)?chiam(?:ami|atemi|ateci|armi|arci)|(?:mi|ci) (?:ri)?chiam(?:i|ate|ino)|per telefono|al telefono|telefonicamente|invece|piuttosto",
    r"lig(?:ue|uem|a|ar)(?:-me|-nos| para (?:mim|nos|o))|(?:me|nos) (?:ligue|liguem|ligar|telefone\w*)|por telefone|em vez (?:de|disso)",
    r"belt? (?:\w+ )?(?:me|mij|ons)|(?:me|mij|ons) (?:\w+ ){0,2}(?:op)?bellen|telefonisch|liever(?! geen| niet)|in plaats daarvan",
    r"ring(?:a)? (?:\w+ ){0,2}(?:mig|meg|oss|os|til|pa)|i stedet|i stallet|istallet|hellre|hellere|pa telefon|per telefon",
    r"soit(?:a|akaa|taa|taisi\w*)|puhelimitse|sen sijaan|mieluummin",
    r"zadzwon\w*|prosze (?:\w+ )?(?:o telefon|dzwonic)|dzwonic|telefonicznie|zamiast",
    r"(?:za)?volejte|(?:za)?volajte|zavolat|telefonicky|(?:radeji|radsej)(?! (?:mi |nam |uz )*ne)|misto toho|namiesto",
    r"(?:beni|bizi) (?:\w+ ){0,2}ara(?:yin|yiniz|yabilir|rsaniz)\w*|telefonla|yerine",
    r"hivjon|hivjanak|hivj|telefonaljon|telefonon|inkabb|helyette",
    r"sunati|sunati-\w+|suna-ma|telefonic|mai bine",
    r"позвоните|звоните|перезвоните|наберите|по телефону|лучше (?:позвон|звон|набер|напиш)\w*|вместо|зателефонуйте|телефонуйте|дзвоніть|подзвоніть|краще",
    r"καλεστε|τηλεφωνηστε|παρτε (?:με|μασ)|τηλεφωνικα|αντι",
    # interest
    r"(?:am|are|is|i'm|we're|remain|stay|still|very|be) (?:(?:still|very|really|definitely|quite|also|indeed|genuinely|happy|sure) )*interested|(?:would|i'd|we'd|do) (?:\w+ )?(?:like|love|want) to (?:buy|order|purchase|see (?:a|the|your)|hear more|meet|talk|speak|discuss|proceed|try|test|book|schedule|go ahead|learn more)|want to (?:buy|order|purchase|meet|talk|proceed|go ahead|sign)|sounds (?:good|great|interesting)|let's (?:talk|meet|discuss|schedule|speak|go ahead|do)|looking forward|happy to (?:talk|chat|meet|discuss|speak|hear)|keep (?:me|us) (?:posted|updated|informed)|(?:can|could|shall|may) we (?:meet|talk|speak|discuss|schedule|have)|(?:we|i)(?:'ll| will) (?:sign|order|buy|take)",
    r"send (?:me|us|over)(?: over)? (?:the|a|an|your|only|just) (?:\w+ ){0,2}(?:offers?|quotes?|quotations?|contracts?|proposals?|prices?|list|invoices?|deck|details|agreement|brochure|catalogu?e?|samples?|version|file|link|pdf|data ?sheet)",
    r"(?:bin|sind|ware|waren|bleibe|bleiben|habe|haben|hatten) (?:\w+ ){0,4}interess(?:iert|e)|interessiert (?:mich|uns)|interesse besteht|(?:senden|schicken) sie (?:mir|uns) (?:\w+ )?(?:das|den|die|ein(?:e|en)?|ihr(?:e|en)?)|sehen wir uns|(?:konnen|sollten) wir (?:\w+ ){0,4}(?:sprechen|telefonieren|treffen|reden)|freue mich auf|klingt (?:gut|interessant|spannend)",
    r"(?:suis|sommes|reste|restons|est) (?:\w+ )?interess\w+|(?:m'|nous )interess\w+|envoyez-(?:moi|nous) (?:\w+ )?(?:le|la|les|l'|un|une|votre|vos|plutot)|(?:pouvons|pourrions)-nous|on (?:se|en) (?:parle|voit|reparle)",
    r"(?:me|nos) interesa|(?:estoy|estamos|sigo|seguimos) (?:\w+ )?interesad\w+|(?:envi|mand)(?:e|en)(?:me|nos) (?:el|la|los|las|un|una|su|solo)|hablamos|podemos (?:hablar|vernos|quedar)",
    r"(?:mi|ci) interess\w+|(?:sono|siamo|resto|restiamo) (?:\w+ )?interessat\w+|(?:mandi|mandatemi|mandateci|inviatemi|inviateci|invii|mandami|inviami) (?:\w+ )?(?:il|la|lo|l'|un|una|le|i|solo)|ne parliamo|possiamo (?:parlar|sentir|veder)\w+|sentiamoci",
    r"(?:me|nos) interess\w+|(?:estou|estamos|tenho|temos|ha) (?:\w+ )?interess\w+|(?:envie|enviem|mande|mandem)(?:-me|-nos)? (?:apenas |so )?(?:a|o|uma|um) (?:\w+ )?(?:proposta|orcamento|contrato|preco|tabela|pdf)\w*|falamos|podemos (?:falar|marcar|conversar)|vamos (?:falar|conversar|marcar)",
    r"(?:ben|zijn|heb|hebben|blijf|blijven) (?:\w+ ){0,4}(?:geinteresseerd|interesse)|(?:stuur|zend) (?:me|mij|ons) (?:\w+ )?(?:de|het|een|uw|alleen)|spreken we|kunnen we (?:\w+ ){0,4}(?:spreken|bellen|afspreken)",
    r"(?:ar|er) (?:\w+ ){0,3}interess\w+|har (?:\w+ ){0,3}interesse|(?:intresserar|interesserer) (?:oss|mig|meg|os)|(?:ar|er) (?:\w+ ){0,3}intresserad\w*|(?:skicka|send) (?:mig |meg |oss |os )?(?:\w+ ){0,2}(?:offert|tilbud|avtal|aftale|kontrakt|pris)\w*|kan vi (?:\w+ ){0,2}(?:ta|tage|tales|snakke|snakkes|hores|horas|prata|boka|booke|motas|modes|motes|ses)|vi kan (?:\w+ )?(?:ta|tage|tales|snakke|snakkes|hores|horas|prata|boka|ses)|gerne|garna|gjerne",
    r"kiinnost\w+|olemme kiinnost\w+|lahett(?:akaa|aisitte\w*)? (?:\w+ )?(?:tarjou|sopimu|hinna)\w*|(?:voimme|voisimme)ko|jutellaan",
    r"(?:jestem|jestesmy) (?:\w+ )?zainteresowan\w*|interesuje (?:mnie|nas)|(?:poprosze|prosze) (?:o )?(?:\w+ )?(?:ofert|wycen|umow|cennik|spotkan|rozmow)\w*|porozmawiajmy|mozemy (?:porozmawiac|sie spotkac)",
    r"(?:mam|mame) (?:\w+ ){0,2}(?:zajem|zaujem)|zajima (?:nas|mne|me)|(?:nas|mne|me|mna|ma) (?:\w+ )?(?:zajima|zaujima)|(?:poslete|zaslete|poslite|zaslite) (?:\w+ ){0,3}(?:nabid|ponuk|smlouv|zmluv|cenik|cennik)\w*|muzeme (?:\w+ )?(?:promluvit|sejit|zavolat)|sejdeme",
    r"ilgileniyor(?:um|uz)|ilgimi cek\w+|(?:teklif|sozlesme|fiyat)\w* (?:\w+ )?(?:gonderin|gonderir|iletin)\w*|goruselim|konusalim",
    r"erdekel(?:ne)?(?: minket| engem)?|erdeklodom|erdeklodunk|(?:kuldje|kuldjon|kuldjek) (?:\w+ ){0,3}(?:ajanlat|szerzodes|arlist)\w*|(?:az ajanlatot|a szerzodest) \w+|beszeljunk|egyeztessunk",
    r"(?:sunt|suntem|raman) (?:\w+ )?interesa\w+|(?:ma|ne) intereseaza|trimiteti(?:-mi|-ne| ne| mi)? (?:\w+ ){0,2}(?:ofert|contract|pret)\w*|vorbim|putem (?:vorbi|stabili)",
    r"(?:мне|нам|нас|меня) (?:\w+ )?интерес\w*|интересует|заинтересован\w*|(?:пришлите|отправьте|вышлите|надішліть) (?:\w+ ){0,3}(?:договор|кп|предложени|прайс|счет|договір|пропозиці)\w*|созвонимся|давайте|цікав\w*|зацікавлен\w*",
    r"ενδιαφερομαι|ενδιαφερομαστε|(?:με|μασ) ενδιαφερει|στειλτε (?:μου|μασ) (?:\w+ ){0,2}(?:προσφορ|συμβολαι|τιμ)\w*|ασ μιλησουμε",
    # a deal that is done, somebody who takes over
    r"already (?:signed(?! up)|ordered|bought|answered|replied|paid|booked|said yes)|said yes|(?:takes|taking|took) (?:it )?over|in my place|my replacement|(?:would|i'd|we'd) rather (?:meet|talk|speak|see|call)",
    r"unterschrieben|bestellt|zugesagt|ubernimmt|deja (?:signe|commande)|reprend|ya (?:firme|firmamos|compre|compramos|pedi)|firmado|lo lleva|firmato|ordinato|se ne occupa|assinei|assinamos|encomendei|encomendamos|getekend|besteld|neemt (?:\w+ )?over",
    r"bestallt|bestilt|underskrevet|signert|skrivit pa|tar over|overtar|overtager|tilannut|allekirjoit\w*|zamowil\w*|podpisal\w*|przejmuje|objednavk\w*|objednal\w*|podepsal\w*|prebira|siparis\w*|imzaladi\w*|megrendel\w*|alairt\w*|atveszi|comandat|semnat|preia|подписал[аи]?(?! меня)|заказал[аи]?|замовив|замовили|підписали",
    # another mail is meant, or another person
    r"(?:sent|send|went|came|forwarded|attached)[^.,;]{0,30} (?:by mistake|in error|by accident|accidentally|too early)|(?:by mistake|accidentally|in error) (?:sent|attached)|wrong (?:attachment|file|version|recipient|person|document|price)|(?:right|correct|corrected|new) (?:offer|version|file|one|attachment|price|document)s? (?:is|are|follows|will|attached)",
    r"aus versehen|versehentlich|irrtumlich|falsche[rnms]? (?:anhang|datei|version|empfanger|dokument)|par erreur|mauvais\w* (?:piece|fichier|version|destinataire)|por error|por equivocacion|archivo equivocado|per errore|per sbaglio|por engano|por erro|per ongeluk|verkeerde (?:bijlage|bestand|versie)|av misstag|ved en fejl|ved en feil|fel (?:bilaga|fil)|vahingossa|przez pomylke|omylkem|omylom|yanlislikla|tevedesbol|veletlenul|din greseala|по ошибке|помилково|κατα λαθοσ",
    r"(?:my|the) (?:previous|last|earlier|first) (?:e-?mail|mail|message)|letzte[nrs]? (?:e-?mail|mail|nachricht)|(?:mail|courriel|message) precedent|(?:correo|mensaje|e-?mail|mail|mensagem) (?:anterior|precedente|de ayer|de ontem|di ieri)|(?:vorige|laatste) (?:e-?mail|mail|bericht)|(?:senaste|forra|siste|forrige|sidste|seneste) (?:mejl|mail|e-?post|besked|melding)\w*|(?:poprzedni|ostatni)\w* (?:e-?mail|mail|wiadomosc)\w*|(?:predchozi|posledni|predchadzajuc\w*|posledny) (?:e-?mail|mail|zprav|sprav)\w*|onceki (?:mail|mesaj|e-?posta)\w*|elozo (?:level|e-?mail|uzenet)\w*|(?:предыдущ|прошл|последн)\w* (?:письм|сообщ)\w*|\w+ (?:von|de|van|fran|fra|z) (?:gestern|hier|gisteren|igar|i gar|vcera|wczoraj)",
    r"(?:my|our) (?:colleague|coworker|boss|manager|successor|assistant)s?|(?:meine[mnr]?|unsere[mnr]?) (?:kolleg|nachfolger|chef|assisten)\w*|(?:mon|ma|mes|notre) (?:collegue|successeur|chef)\w*|(?:mi|mis|nuestro) (?:colega|companer|sucesor|jef)\w*|(?:mio|mia|miei|nostro) (?:colleg|success|capo)\w*|(?:meu|minha|nosso) (?:colega|sucessor|chefe)\w*|mijn (?:collega|opvolger|baas)\w*|(?:min|mina|mine|vores|var|var) (?:koll?ega|efterfolger|eftertradare|etterfolger|chef|sjef)\w*|(?:moj\w*|nasz\w*) (?:kolez|kolega|koleg|nastepc|szef)\w*|(?:muj|meho|memu|moj\w*|nas\w*) (?:koleg|nastupc|sef)\w*|(?:моего|моему|мой|моей|моя) (?:коллег|преемник|начальник)\w*",
)
"""Anywhere in the text, where nothing in the clause denies it."""

WISHES_CJK = (
    r"電話(?:を|で|にて)?(?:ください|下さい|お願い|いただけ|頂け|ご連絡|連絡)|代わりに|興味(?:が|は)?(?:あります|ございます)|検討(?:します|したい|いたします)|(?:見積|資料|契約書)[^。、]{0,10}(?:お願い|送って(?:ください|下さい)|お送りください)|契約書?に?(?:署名|しました)|(?:注文|発注)しました|サンプル|参加者|出席者|見本|添付|(?:新しい|別の)(?:メール)?アドレス|誤って|間違えて|(?:前|先ほど|昨日)の?メール|来週[^。]{0,10}(?:ご連絡|お電話|打ち合わせ)",
    r"打电话|打我电话|来电|致电|电话联系|打電話|電話聯繫|感兴趣|感興趣|有兴趣|有興趣|(?:发|寄|發)(?:我|给我|一份|一下)?[^。,]{0,8}(?:报价|合同|资料|報價|合約)|合同已|已经?签|已经?下单|样品|参会|与会|參加者|樣品|附件|新(?:的)?邮箱|误发|发错|發錯|上一封",
    r"전화(?:를|로)? ?(?:주세요|주십시오|부탁|해 ?주)|대신|관심(?:이|은)? ?있|(?:견적|계약서|자료)[^.]{0,8}보내 ?주|계약했|주문했|서명했|샘플|참석자|참가자|첨부|새 ?(?:메일 ?)?주소|실수로|잘못 ?보|이전 ?메일",
)

REDIRECTS = (
    r"(?:(?:please|pls|bitte|merci de|por favor|per favore|graag|venligst|vennligst|prosze|prosim|lutfen|kerem|va rog|пожалуйста) )?(?:(?:just )?(?:contact|ask|use|e-?mail|write to|send it to|talk to|speak to)|(?:kontaktieren|fragen|nutzen|verwenden|benutzen|nehmen) sie|an(?= (?:mein|unser|die |[^ ]+@))|(?:contactez|ecrivez|utilisez|envoyez|adressez|voyez)|(?:contacte|escriba|use|utilice|mejor)|(?:contatti|scriva|usi|utilizzi|usate|contattate|scrivete)|(?:contate|escreva|utilize)|(?:gebruik|vraag|neem contact op met|mail|schrijf)|(?:kontakta|kontakt|fraga|anvand|bruk|brug|skriv|mejla|maila|spor)|(?:kayttakaa|kayta|kirjoittakaa|kirjoita|kysykaa)|(?:pisz|piszcie|pisac|uzyj|uzywaj\w*|kontaktuj\w*)|(?:pouzijte|pouzite|piste|piste|kontaktujte|obratte se)|(?:irjon|hasznalj\w*|keresse)|(?:scrieti|folositi|contactati)|(?:пишите|используйте|обращайтесь|спросите|пишіть|використовуйте|звертайтеся)|(?:γραψτε|χρησιμοποιηστε|επικοινωνηστε)) (?!(?:me|us|moi|nous|mig|meg|oss|os|mij|ons|mich|mir|inte|ikke|niet|pas|not|nekem|мне|нам|no|sensible|as|your|da)\b)(?=\w)",
)
"""At the beginning of a later clause: whom or what to turn to."""

PROMISES = (
    r"(?:i|we)(?:'ll| will) (?:get|come) back to you|(?:i|we)(?:'ll| will) (?:be in touch|call you)",
    r"(?:ich|wir) (?:melde|melden) (?:mich|uns)|(?:ich|wir) rufen? (?:sie|dich|euch) (?:\w+ ){0,2}an|(?:melde|melden) (?:ich mich|wir uns)",
    r"je (?:vous )?(?:reviens|recontacte\w*|rappelle\w*)|le llamo|la (?:richiamo|ricontatto)|ligo-lhe|eu ligo",
    r"ik bel (?:u|je|jullie)|ik meld me|ik kom (?:\w+ )?(?:terug|erop)|neem ik contact|(?:jag|jeg) (?:aterkommer|vender tilbage|kommer tilbake|ringer|horer av|hor av)|palaan asiaan",
    r"odezwe sie|zadzwonie|ozvu se|ozvem sa|zavolam|jelentkezem|hivom|revin eu|va sun eu|свяжусь|вернусь к вам|позвоню|зателефоную",
)
"""As WISHES, where nothing in the sentence makes them depend on something: `if we need it, we will call you`."""

CONDITIONS = r"if|should|when|wenn|falls|sollten?|si|se|als|indien|mochten?|wanneer|om|hvis|jos|jesli|jezeli|gdy\w*|pokud|kdyby|ak|ha|eger|daca|если|якщо|αν"

CONDITIONS_BEHIND = r"if|should|wenn|falls|hvis|jesli|pokud|если|якщо|daca|indien|mochten?"

DENIALS = (
    r"not|never|no|nor|neither|if|should|unless|ever|without|\w+n't|nothing|longer",
    r"nicht|kein\w*|nie|niemals|wenn|falls|sollten?|weder|ohne|nichts",
    r"ne|n'\w+|pas|aucune?|jamais|ni|si|sans|rien|non",
    r"nunca|tampoco|dejen? de|sin|ningun\w*|nada",
    r"smett\w+|mai|senza|nessun\w*|se|nulla|niente",
    r"nao|nem|parem? de|sem|nenhum\w*",
    r"niet|geen|nooit|als|indien|mochten?|zonder|niets",
    r"inte|ikke|ej|ingen|inga|intet|aldrig|aldri|hvis|uten|uden|utan",
    r"en ole|en halua|emme|ei|eika|eivat|ala|alkaa|jos|en",
    r"nie|jesli|jezeli|nigdy|gdyby|bez|ani",
    r"ne|neni|jestli|pokud|kdyby|nikdy|ak|keby|nechci|nechceme",
    r"degil|eger|yok|asla|hic",
    r"nem|ne|ha|sem|soha|nincs",
    r"nu|daca|nici|niciodata",
    r"не|нет|ні|нi|если|якщо|никогда|ни|нисколько",
    r"δεν|μην|αν|οχι",
)
DENIALS_CJK = r"ません|ない|不|没|沒|别|別|勿|如果|않|없|마세요|말아"

AFTERWARDS = r"not|never|nicht|nie|niet|pas|plus|inte|ikke|ej|ei|no|degil|anymore|nem|не|δεν|piu|mais|mas|again"
"""Denials that stand behind what they deny, two words later at most."""

JOINTS = r"and|und|et|och|og|y|ve|и|та|но|але|but|aber|sondern|maar|men|sino|mais|mutta|ale|και|then|dann|puis|en(?! (?:ole|halua))"
"""Words at which a new clause begins, as at a comma."""
