"""How people say that they are away, or that their office is closed: the first sentences of an out-of-office text."""

from __future__ import annotations

from mail.inbound.phrases import Phrases

_AWAY = (
    # en
    r"out[ -]of[ -](?:the |my |our )?office", r"out of (?:the )?(?:country|town)", r"away from (?:the |my |our )?(?:office|desk|mail|e-?mail|work|keyboard|computer|inbox)",
    r"(?:i am|i'm|i will be|i'll be|am|we are|we're|we will be|currently|is|will be|be) (?:currently |now |also |still |both |all |presently |temporarily )*(?:away|abroad|ooo|off (?:until|till|from|on|today|this|sick|work)|on (?:\w+ )?(?:vacation|holidays?|leave|pto|sabbatical|annual leave|a (?:business )?trip|business trip|jury duty|assignment|travel|break|furlough|honeymoon)|out (?:until|till|from|on|of|today|this|all|sick|for|through|starting|between)|not (?:in (?:the|my) office|at (?:my desk|work)|in(?: today| this week|\.| until)|available|working|reachable|checking)|unavailable|travel+ing|unreachable|gone (?:from|until|till)|in (?:training|transit|a (?:workshop|training)|all[- ]day)|at (?:a|an|the) (?:\w+ ){0,3}(?:conference|trade ?show|offsite|off-site|event|fair|training)|taking (?:some )?(?:time off|leave|vacation|pto)|enjoying|closed|offline|hiking)",
    r"on (?:maternity|paternity|parental|medical|sick|annual|study|family|compassionate|bereavement|adoption|extended|personal|military|unpaid|administrative) leave", r"on (?:my |our )?(?:annual |summer |winter |christmas |easter )?(?:vacation|holidays?|pto|sabbatical)\b", r"on leave\b",
    r"(?:limited|no|intermittent|sporadic|restricted|little|without) (?:or no )?access to (?:my )?(?:e-?mails?|internet|messages)", r"limited (?:e-?mail )?(?:availability|connectivity)", r"(?:our|the) offices? (?:is|are|will be|remains?) (?:currently )?closed", r"(?:we are|office is|company is|plant is) (?:currently )?(?:shut|closed)", r"closed for (?:the |our |a )?(?:\w+ )?(?:holidays?|break|vacation|inventory|season|christmas|summer|public|bank|easter|new year)",
    r"(?:during|in) my absence", r"time off", r"annual shutdown", r"(?:absent|absence) (?:from|until|till|due)", r"i am absent", r"parental leave",
    # de
    r"(?:nicht|wieder|ab|ausser|außer) (?:im|in meinem|am) (?:buro|hause?|office|dienst|arbeitsplatz)", r"au(?:ss|ß)er haus", r"(?:im|in den|in) (?:\w+ )?(?:urlaub|ferien|elternzeit|mutterschutz|mutterschaftsurlaub|karenz|krankenstand|bildungsurlaub|sabbatical|betriebsferien)", r"(?:jahres|resturlaub|sommer|weihnachts|erholungs)?urlaub\b", r"betriebs(?:ferien|urlaub|ruhe)", r"abwesen", r"(?:auf|unterwegs auf) (?:einer )?(?:dienst|geschafts)reise", r"(?:nicht|schlecht|schwer|nur eingeschrankt|eingeschrankt|bedingt|derzeit nicht|momentan nicht) (?:personlich )?erreichbar", r"ausser dienst", r"elternzeit", r"krankheitsbedingt", r"krank(?:gemeldet|geschrieben)", r"auf (?:einer )?(?:messe|fortbildung|schulung|tagung|seminar)", r"unser (?:buro|betrieb)~geschlossen", r"(?:haben|hat) (?:wir )?~geschlossen", r"geschlossen", r"nicht (?:am arbeitsplatz|verfugbar|anwesend|da\b)", r"keinen zugriff auf (?:meine )?e-?mails",
    # fr
    r"(?:je suis|serai|actuellement|suis|sommes|etant|est) (?:actuellement |en ce moment |malheureusement )*(?:absente?s?|en (?:conges?|vacances|deplacement|formation|arret|rtt|maternite|mission|voyage|reunion)|hors (?:du|de mon) bureau|indisponibles?|injoignables?|ferme)", r"en (?:conge|conges|vacances|deplacement|arret maladie|rtt)\b", r"conges? (?:maternite|paternite|parental|annuels?|maladie|d'ete|de maternite|de paternite|sans solde)", r"absente? (?:du|jusqu|de|pour|a partir|ce|cette|aujourd)", r"(?:mon|pendant mon|durant mon|en mon) absence", r"hors du bureau", r"(?:bureaux?|entreprise|societe|cabinet|agence|magasin)~(?:fermee?s?|ferment|fermeront)", r"fermeture (?:annuelle|estivale|exceptionnelle|de fin|pour)", r"(?:acces|consult)~(?:limite|restreint) (?:a|aux?) (?:ma|mes|mon)", r"pas (?:joignable|disponible|au bureau)",
    # es
    r"(?:estoy|estare|me encuentro|me encontrare|estamos|estaremos|encuentro|estara|esta) (?:actualmente |ahora |temporalmente |en este momento )*(?:fuera|ausentes?|de (?:vacaciones|viaje|baja|permiso|licencia)|disfrutando|cerrad[oa]s?|en (?:un |una )?(?:viaje|formacion|feria|congreso)|sin acceso)", r"fuera de (?:la |mi )?oficina", r"de (?:vacaciones|baja (?:medica|maternal|paternal|por))", r"(?:mi|durante mi|en mi) ausencia", r"(?:baja|licencia|permiso) (?:de |por )?(?:maternidad|paternidad|maternal|paternal|medica|enfermedad|parental)", r"oficinas? (?:estara|estaran|permanecera|permaneceran|esta|estan)? ?cerrad", r"cerrad[oa]s? por (?:vacaciones|festivo|inventario|navidad)", r"acceso limitado", r"no (?:estoy|estare) (?:disponible|en la oficina)",
    # it
    r"(?:sono|saro|siamo|saremo|attualmente) (?:attualmente |momentaneamente |temporaneamente |al momento )*(?:fuori|assent[ei]|in (?:ferie|vacanza|trasferta|malattia|congedo|maternita|permesso|viaggio)|chius[ioae]|indisponibil)", r"fuori (?:ufficio|sede|stanza)", r"in (?:ferie|congedo|maternita|trasferta|malattia)\b", r"(?:mia|durante la mia|in mia) assenza", r"(?:uffici|azienda|ditta|ufficio|sede)~(?:chius[ioae]|chiudera)", r"chiusura (?:estiva|aziendale|natalizia|per ferie)", r"chius[ioae] per (?:ferie|festivita)", r"accesso limitato", r"non (?:sono|saro) (?:in ufficio|disponibile|raggiungibile)", r"congedo (?:parentale|di maternita|maternita|matrimoniale)",
    # pt
    r"(?:estou|estarei|encontro-me|estamos|estaremos|me encontro) (?:atualmente |no momento |de momento |temporariamente )*(?:fora|ausentes?|de (?:ferias|licenca|folga|baixa)|em (?:ferias|viagem|licenca|formacao|treinamento)|fechad|sem acesso)", r"fora do escritorio", r"(?:de|em) (?:ferias|licenca)\b", r"(?:minha|durante a minha|na minha) ausencia", r"licenca (?:de )?(?:maternidade|paternidade|medica|parental)", r"escritorio~(?:fechad|encerrad)", r"acesso limitado", r"ferias (?:coletivas|de)", r"nao (?:estou|estarei) (?:disponivel|no escritorio)", r"encerrad[oa]s? para ferias", r"ausent(?:e|ar-me)",
    # nl
    r"(?:ik ben|ben|is|wij zijn|we zijn|bent) (?:\w+ ){0,3}(?:afwezig|niet (?:aanwezig|op kantoor|bereikbaar|beschikbaar|in de gelegenheid|werkzaam)|(?:op|met) (?:\w+ )?(?:vakantie|verlof|reis|zwangerschapsverlof|ouderschapsverlof)|vrij\b|gesloten|buiten kantoor)", r"(?:met|op) (?:\w+ )?(?:vakantie|verlof|zwangerschapsverlof|ouderschapsverlof|bevallingsverlof|vaderschapsverlof)", r"afwezig", r"niet op kantoor", r"buiten kantoor", r"kantoor~gesloten", r"beperkt (?:bereikbaar|toegang)", r"ziek gemeld", r"wegens ziekte",
    # sv da no
    r"(?:jag|vi) (?:ar|har|kommer)~(?:semester|ledig|foraldraledig|tjansteresa|bortrest|borta|sjukskriven|franvarande|stangt|otillganglig|inte pa (?:kontoret|plats)|ej pa)", r"pa (?:semester|sommarsemester|tjansteresa|foraldraledighet|mammaledig)", r"foraldraledig", r"mammaledig", r"pappaledig", r"sjukskriven", r"(?:ej|inte) pa (?:kontoret|plats)", r"franvar", r"semester(?:stangt|ledig)", r"begransad (?:tillgang|mojlighet)", r"kontoret (?:ar |holler )?(?:stangt|semesterstangt)", r"vab\b", r"tjanstledig",
    r"(?:jeg|vi) (?:er|har|holder|kommer)~(?:ferie|barsel|orlov|fri\b|fravær|fraver|bortreist|borte|syk|syg|lukket|stengt|forretningsrejse|tjenestereise|reise|permisjon|ikke (?:pa kontoret|til stede|tilgængelig|tilgjengelig))", r"pa (?:ferie|sommerferie|barsel|barselsorlov|orlov|forretningsrejse|tjenestereise|reise|kursus|kurs)\b", r"holder (?:\w+ )?(?:ferie|sommerferie|fri)", r"avvikler ferie", r"(?:i|pa) (?:foreldre|pappa|mamma|fodsels)?permisjon", r"barselsorlov", r"fravær", r"(?:ude af|borte fra|ute av|ikke pa) kontoret", r"ferie(?:lukket|stengt)", r"ikke (?:til stede|tilgængelig|tilgjengelig)", r"kontoret (?:er )?(?:lukket|stengt)", r"sykmeldt", r"sygemeldt", r"foreldrepermisjon", r"begrænset (?:adgang|mulighed)", r"begrenset (?:tilgang|mulighet)",
    # fi
    r"(?:olen|oleme|olemme|on) (?:\w+ ){0,2}(?:lomalla|kesalomalla|vuosilomalla|talvilomalla|poissa|matkoilla|tyomatkalla|vanhempainvapaalla|aitiyslomalla|isyyslomalla|hoitovapaalla|sairauslomalla|opintovapaalla|tavoittamattomissa|vapaalla|koulutuksessa)", r"lomalla\b", r"poissa (?:toimistolta|toista|tyosta|tavoitettavissa)", r"en ole (?:paikalla|toimistolla|tavoitettavissa|toissa|tyossa)", r"poissaolo", r"(?:vanhempain|aitiys|isyys|sairaus|hoito|kesa|vuosi)(?:lomalla|vapaalla|loma)", r"toimisto(?:mme)? on suljettu", r"suljettu",
    # pl cs sk
    r"(?:jestem|bede|przebywam|przebywac|jestesmy) (?:\w+ ){0,3}(?:na (?:\w+ )?(?:urlopie|zwolnieniu|delegacji|szkoleniu|macierzynskim)|nieobecn|poza (?:biurem|firma)|niedostepn|w (?:delegacji|podrozy))", r"na (?:\w+ )?urlopie", r"urlop(?:ie|u)?\b", r"nieobecn", r"poza biurem", r"zwolnieni[eu] lekarski", r"biuro~(?:zamkniete|nieczynne)", r"(?:nie ma mnie|nie bedzie mnie) w (?:biurze|pracy)", r"ograniczony dostep", r"w delegacji",
    r"(?:jsem|budu|jsme|budeme|som|cerpam) (?:\w+ ){0,3}(?:na (?:\w+ )?(?:dovolen|materskej|materske|rodicovsk|sluzebn|neschopenc)|mimo (?:kancelar|pracovist)|nepritom|nedostupn|zavren)", r"na (?:\w+ )?dovolen", r"cerpam dovolenou", r"mimo (?:kancelar|kancelarie|pracovist)", r"nepritom", r"(?:nejsem|nebudu|nie som) (?:\w+ ){0,2}(?:v kancelari|v praci|k dispozici|k zastizeni)", r"(?:materske|materskej|rodicovske|rodicovskej) dovolen", r"(?:celozavodni|celozavodna) dovolen", r"nemocensk", r"pracovni neschopnost", r"(?:kancelar|firma)~(?:zavren|uzavren)", r"sluzebni cest",
    # tr hu ro
    r"ofis(?:te|imde)? (?:\w+ )?(?:disinda|degil|olmayacag)", r"(?:yillik |dogum |babalik |hastalik |ucretsiz )?izin(?:deyim|deyiz|li(?:yim)?|de olac|de bulun|de\b)", r"tatil(?:deyim|de\b|e cik|i nedeniyle)", r"seyahat(?:teyim|te olac|inde)", r"ofisimiz~kapali", r"kapali(?:dir|yiz| olac)", r"(?:yerimde|isyerinde) (?:degilim|yokum)", r"raporluyum", r"dogum izni", r"is seyahat",
    r"szabadsag(?:on|omat|ot|om|a\b)", r"hazon kivul", r"irodan kivul", r"nem (?:vagyok|leszek) (?:\w+ )?(?:elerheto|az irodaban|bent)", r"tavol (?:vagyok|leszek|vannak)", r"tavollet", r"(?:betegszabadsag|betegallomany|tappenz|gyes|gyed|szulesi)", r"uzleti ut(?:on|ra)", r"irodank~zarva", r"zarva (?:tart|lesz|van)", r"korlatozottan",
    r"(?:sunt|voi fi|suntem|vom fi|ma aflu) (?:\w+ ){0,2}(?:in (?:concediu|vacanta|deplasare)|plecat|absent|in afara|indisponibil|inchis)", r"in (?:concediu|afara biroului)", r"concediu (?:de|medical|maternitate|paternal)", r"biroul~inchis", r"acces limitat",
    # ru uk el
    r"(?:нахожусь|я|буду|мы|находимся) (?:\w+ ){0,3}(?:в (?:\w+ )?(?:отпуске|командировке|декрете)|отсутству|вне офиса|на (?:больничном|конференции|обучении)|не (?:на (?:работе|месте)|в офисе|доступ))", r"в (?:\w+ )?(?:отпуске|отпуску|командировке|декрете|декретном)", r"отсутств", r"вне офиса", r"на больничном", r"меня (?:\w+ )?(?:нет|не будет)", r"ограниченн~доступ", r"офис~(?:закрыт|не работает)", r"не работаем", r"выходные дни",
    r"(?:у|в) (?:\w+ )?(?:відпустці|відрядженні|декреті)", r"відсутн", r"поза офісом", r"на лікарняному", r"мене (?:не буде|немає)", r"офіс~(?:зачинено|не працює)",
    r"εκτοσ (?:του )?γραφειου", r"σε (?:\w+ )?αδεια", r"απουσι", r"λειπω", r"θα λειψω", r"σε διακοπεσ", r"γραφει[οα]~κλειστ", r"επαγγελματικο ταξιδι",
    # ko
    r"휴가", r"부재", r"출장", r"휴직", r"자리를 ?비", r"연차", r"병가", r"휴무", r"휴업", r"외근", r"사무실에 ?없",
)  # fmt: skip
_AWAY_UNSPACED = (
    r"(?:夏季|夏期|冬季|冬期|年末年始|年次|有給|育児|産前|産後|育児|出産|介護|特別)?(?:休暇|休業|休職|育休|産休)(?:を|中|と|に|の|い|させ|頂)", r"(?:お休み|休み)(?:を|と|し|さ|い|で|に)", r"不在(?:に|と|で|の|し|中|ま)", r"出張(?:中|の|し|に|で)", r"外出(?:し|中|の)", r"離席", r"夏休み", r"(?:全社)?休業", r"席を(?:外|はず)", r"連休", r"休診", r"病欠", r"お盆",
    r"(?:休假|休|请|年|产|病|婚|陪产|育儿)假", r"度假", r"出差", r"不在(?:办公室|公司|辦公室|国内|座位|线)", r"外出", r"放假", r"无法(?:及时)?(?:查看|回复|处理)(?:邮件|您)", r"休息", r"請假", r"休業", r"不便(?:回复|查收|查看)", r"(?:节|春节|国庆)(?:期间|假期)", r"假期",
)  # fmt: skip

_BACK = (
    # en
    r"(?:i'll|i will|i|we'll|we will|we|and|will|am|be|until i|when i|once i|upon my|on my|after my|my|planned|expected|date of|he|she) (?:\w+ )?(?:be |am |are |is )?(?:back|return(?:ing|s)?|resume|reopen(?:ing)?)\b", r"back (?:in (?:the |my )?office|at (?:work|my desk|the office)|on|tomorrow|monday|tuesday|wednesday|thursday|friday|next|from|to work|in the saddle|online)", r"return(?:ing)? (?:to (?:the |my )?(?:office|work)|on|\d)", r"reopens?\b",
    # de
    r"wieder (?:fur sie |fur dich |fur euch |personlich |gerne |voll |wie gewohnt )*(?:da|erreichbar|im (?:buro|haus|dienst|office)|zuruck|zur verfugung|anwesend|verfugbar|am platz|vor ort|geoffnet|an bord)", r"(?:zuruck|zuruckkehren|ruckkehr|zuruckgekehrt)", r"ab (?:dem )?\d",
    # fr es it pt
    r"de retour", r"(?:mon|a mon|notre) retour", r"(?:je )?(?:reviens|reviendrai|rentre|rentrerai|reprendrai|reprends)", r"(?:vuelvo|volvere|volveremos|regreso|regresare|retorno|retornare|reincorpor|mi vuelta|a mi regreso|de vuelta|me incorporo)", r"(?:rientr|torno|tornero|ritorn|al mio rientro|di nuovo in ufficio|riapr)", r"(?:retorno|retornarei|volto|voltarei|regresso|regressarei|estarei de volta|de volta|reabr)",
    # nl sv da no fi
    r"(?:ben ik|ik ben|zijn wij|we zijn) (?:er )?(?:\w+ ){0,5}(?:weer|terug)", r"weer (?:aanwezig|bereikbaar|op kantoor|terug|beschikbaar|te bereiken)", r"terug (?:op|in|van|vanaf)", r"ater (?:pa|i|den|igen|mandag|\d)", r"(?:ar|kommer) (?:jag )?(?:tillbaka|ater)", r"tillbaka (?:pa|i|den|igen|mandag|\d)", r"(?:er )?tilbage (?:pa|i|igen|den|mandag|\d|fra)", r"tilbake (?:pa|i|igjen|den|mandag|\d|fra)", r"(?:retur|atter) (?:pa|d\.|den)", r"pa(?:laan|laa|luu)\b", r"takaisin", r"tavoitettavissa (?:jalleen|taas)", r"paluu",
    # pl cs tr hu ro
    r"(?:wracam|wroce|powracam|powroc|powrot|bede z powrotem|ponownie (?:w|dostepn))", r"(?:zpet|vratim|vracim|navrat|spat|opet (?:v|k))", r"(?:don(?:ecegim|uyorum|us|up|uste)|gorusmek uzere|ofiste olac|tekrar)", r"(?:visszater|visszajov|ujra|ismet|vissza )", r"(?:revin|ma intorc|voi reveni|intoarcere)",
    # ru uk el
    r"(?:вернусь|вернемся|возвращаюсь|возвращения|возвращение|вернуться|выйду на работу|выхожу|приступлю|снова|вновь|после возвращ)", r"(?:повернусь|повертаюсь|повернення|знову)", r"(?:επιστρεφω|επιστροφη|θα επιστρεψω|πισω)",
    r"복귀", r"돌아", r"출근", r"재개",
)  # fmt: skip
_BACK_UNSPACED = (
    r"(?:出社|復帰|帰社|出勤|復職)", r"(?:より|から)(?:順次|通常|平常)", r"(?:以降|順次)(?:に)?(?:ご)?(?:返信|対応|回答|連絡)", r"(?:恢复|返回|回到|回来|回公司|复工|上班|返岗|返工)", r"後(?:に|、)?(?:ご)?(?:返信|対応|連絡)",
)  # fmt: skip

AWAY = Phrases(_AWAY, _AWAY_UNSPACED)
"""Somebody is away, an office is closed."""

BACK = Phrases(_BACK, _BACK_UNSPACED)
"""Somebody comes back. In an automatic mail it says that he is away; in a person's it says little."""
