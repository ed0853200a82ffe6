"""The words that give a date its meaning, by class and language.

An item is a phrase of folded text; `*` stands for the rest of a word, a blank for any white space. The order of
the classes is the order in which they are tried where two begin with the same word, longer phrases first within a class.
"""

from __future__ import annotations

import re
from functools import cache

from mail.inbound.dates.names import fold

# Not what it seems: greetings, recurring days, times of answering, "call back".
SKIP = """
good morning; guten morgen; god morgen; god morgon; goedemorgen; goede morgen; heute morgen; morgens; de la mañana; por la mañana; esta mañana;
please return; return it; return this; return your signed; get back to us; get back to me; come back to us; come back to me; your resume; a resume; votre retour; votre prompt retour; seu retorno; vosso retorno; het weer; call back; call me back; call you back; back office; back-office; back end; back to back; feedback; back order*; back up; back-up; paid back;
within; innerhalb; binnen; sous 24; sous 48; entro 24; entro 48; inom; inden for; w ciągu; do 24 godzin; return receipt; return address; return to sender; return policy;
return e-mail; return call*; return all; return messages; return emails;
all day; days a week; 24/7; 24 / 7; 24x7; iso 9001; may be; may have; may not; may also; may experience; may take; may contact; i may; you may; we may; replies may; response may; responses may; and may; who may; that may;
o senhor; o dia a dia; por favor; par mois; au plus vite; a presto; back soon
"""

# The person isn't there any more: no date of the sentence is a return.
GONE = """
no longer with; no longer work*; no longer employed; no longer at; no longer part; has left; have left; left the company; left the firm; left the organi*; leaving the company; retired; retirement;
last day; last working day; nicht mehr tätig; nicht mehr für; nicht mehr bei; nicht mehr im unternehmen; ausgeschieden; verlassen; ruhestand; letzter arbeitstag;
ne fais plus partie; ne fait plus partie; plus dans l'entreprise; ne travaille plus; ai quitté; a quitté; quitte l'entreprise; à la retraite;
ya no trabaj*; ya no forma*; ha dejado; he dejado; jubilado; jubilada; non lavor* più; non fa* più parte; ha lasciato; ho lasciato; in pensione; in quiescenza;
já não trabalh*; não trabalh* mais; não faz* mais parte; já não faz*; deixou; deixei a; aposentad*; reformad*; não integr*;
niet meer werkzaam; niet langer werkzaam; werk niet meer; werkt niet meer; uit dienst; met pensioen; slutat; jobbar inte längre; arbetar inte längre; har lämnat; pension; sluttet; har sluttet; arbejder ikke længere; fratrådt; jobber ikke lenger; arbeider ikke lenger; stoppet;
en ole enää; ei ole enää; en työskentele enää; ei työskentele enää; eläkkee*; nie pracuj*; już nie pracuj*; odsz*; emerytur*; nepracuj*; už nepracuj*; odeš*; ukončil*;
már nem dolgoz*; nem dolgoz*; távoz*; nyugdíj*; ayrıl*; emekli*; çalışm*; больше не работа*; не работаю; не работает; уволил*; уволен*; більше не працю*;
退職; 退社; 異動; 离职; 離職; 退休; 퇴사; 퇴직
"""

# A date beside these is about something else.
NOISE = """
working from home; work from home; working remotely; work remotely; home office; homeoffice; télétravail; teletrabajo; smart working; thuiswerk*; hjemmekontor; etätöissä; zdalnie; valid; expire*; offer*; registration; register*; registered; deadline*; booth; stand n*; invoice*; order no*; case; ticket; ref; reference; order number; founded; launch*; released; webinar; join us; visit us; meet us; exhibit*; trade show; trade fair; opening hours; office hours; opening times; business hours; working hours; hours of; working days are; working pattern; working week; available 24;
delete*; deleted; stop working; will be discontinued; terms; privacy; copyright; certified; since; effective; new address; relocat*; price*; meeting on; sent on; received on; your message of; your email of; your e-mail of; dated; submit*; born; appointment; moving to; we are moving; we will move;
bürozeiten; öffnungszeiten; geschäftszeiten; sprechzeiten; arbeitszeiten; servicezeiten; gültig; angebot*; messe; besuchen sie; treffen sie; rechnung*; seit; stand:; anmeld*; frist; preis*; gegründet; gelöscht; umzug; umziehen; ziehen um; ihre nachricht vom; ihre mail vom; ihre e-mail vom;
horaires; heures d'ouverture; valable*; offre; inscription*; salon; facture*; depuis; retrouvez*; fondé*; votre message du; tarif*; déménag*;
horario*; válid*; oferta; inscripci*; factura*; desde hace; feria; visit*; fundad*; precio*; su mensaje del; orari*; valid*; offerta; iscrizion*; fattura*; fiera; prezz*; horário*; válido até; inscriç*; fatura*; preço*;
openingstijden; kantooruren; geldig*; aanbieding; factuur*; sinds; beurs; prijs*; öppettider; giltig*; erbjudand*; anmäl*; faktura*; sedan; mässa*; åbningstider; gyldig*; tilbud*; gælder; gjelder; gäller; gilt; gelten; geldt; vale; tilmeld*; siden; messe*; åpningstid*; påmeld*;
aukioloaja*; voimassa; tarjous; ilmoittaud*; lasku*; lähtien kun; godziny; godzinach; ważn*; rejestracj*; targ*; otevírací; platn*; nabídk*; registrac*; veletrh*; nyitvatart*; érvényes*; ajánlat*; számla*; geçerli; teklif*; fatura; kayıt; fuar*;
часы работы; действител*; предложени*; регистраци*; счет; выставк*; 営業時間; 受付時間; 有効; 期限; 请求; 有效; 截止; 营业时间; 工作时间; 展会; 영업시간; 유효; 마감
"""

# An answer is promised: weaker than a return.
RESPOND = """
return your call; return your message; return your e-mail; return your email; get back to you; getting back to you; come back to you; respond*; reply; replying; replied; answer*; attend to; deal with; process your; read your; follow up; be in touch; checking email; check my email; look at your; write back; call again; contact me again; email me again; e-mail me again; write to me again; resend*; re-send*; write again; contact us again; forwarded; try again;
beantwort*; antworte*; antworten; melde mich; melden uns; zurückmelden; zurückrufen; bearbeite*; kümmere; répondr*; réponds; répond*; traiter*; reviens vers vous; reviendrai vers vous; responder*; respondo; contestar*; atender*; contactaré; risponder*; rispondo; contatterò; ricontatt*; retornarei o; entrarei em contato;
beantwoord*; antwoord*; reageer*; reageren; kom ik bij u terug; terugbellen; svarar; svara; besvara*; återkommer till dig; återkommer till er; besvarer; svarer; vender tilbage til; kontakter; kontaktar; ta kontakt; vastaa*; otan yhteyttä; odpowi*; odpisz*; skontaktuj*; odpov*; odpovím; ozvu; válaszol*; yanıt*; cevap*; dönüş yapac*;
отвечу; ответим; отвечать; свяжусь; відповім; звʼяжуся; ご返信; 返信; ご連絡; 回答; ご返答; 回复; 回覆; 联系您; 처리; 회신; 답변; 답장; 연락드리
"""

# Up to and with that day.
INCLUSIVE = """
until after; until and including; through and including; up to & including; until close of business; until end of business; until cob; until eod; until end of day; until the end of day; until the end of the day; till end of day; till close of business; up to and including; till and including; to and including; through the end of; through to; through; thru; up until and including;
bis einschließlich; bis inkl; bis inklusive; bis und mit; bis zum einschließlich; bis einschl; bis und mit dem; jusqu'au inclus; hasta el inclusive;
tot en met; t/m; t.e.m; till och med; fram till och med; t.o.m; t o m; til og med; frem til og med; fram til og med; indtil og med; t.o.m.; aż do włącznie; по; fino a tutto; fino al compreso; até e incluindo; jusqu'à et y compris
"""

# Up to that day.
UNTIL = """
not until; until at least; until about; until; untill; unitl; till; til; 'til; up to; up until; bis zum; bis zur; bis; bis zu dem; bis voraussichtlich; jusqu'au; jusqu'à; jusqu'en; jusque; jusqu' au; jusqu'a; hasta; hasta el; hasta principios; fino al; fino all'; fino alla; fino a; fino; sino al; sino a; al prossimo; até ao; até à; até o; até a; até;
tot aan; tot; fram till; frem til; fram til; ind til; indtil; inntil; til den; till den; aż do; až do; egészen; до; дo; mέχρι; μέχρι; εως; έως; până la; până pe; până în; până; pana la; 直到; 截至; 截止到; bis ca
"""

# Included, after the date.
INCLUDED = """
inclusive; inclusief; including; included; incl; inkl; inklusive; einschließlich; einschl; inclus; incluse; compris; incluido; incluída; incluído; inclusivamente; compreso; incluso; włącznie; včetně; vrátane; включительно; включно; mukaan lukien; dahil; bezárólag; 含
"""

FROM = """
starting on; starting from; starting; from; as of; as from; beginning on; beginning; effective; commencing; ab dem; ab; von; vom; beginnend; à partir du; à partir de; à partir d'; à compter du; dès le; dès; du; des le; a partir del; a partir de; a partir do; a partir da; a contar de; desde el; desde; del; a partire dal; a partire da; dal; dall'; dalla; da; do dia; vanaf; met ingang van; van; från och med; fr.o.m; fr.o.m.; from.; från; fra og med; f.o.m; f.o.m.; fra den; fra; od dnia; od; ode; z dniem; počínaje; от; с; со; начиная с; з; від; începând cu; din; de la; από; 自; 从; 從; 于; 於
"""

WEEK_OF = """
the week commencing; week commencing; weeks commencing; weeks beginning; weeks of; week beginning; the week of; week of; w/c; w.c.; wc; w/b; in der woche ab; in der woche vom; woche vom; woche ab; la semaine du; semaine du; semana del; settimana del; semana de; semana do; week van; veckan från; ugen fra; uken fra; tygodniu od
"""

SEASONS = """
the week after next; week after next; übernächste woche; übernächster woche; över nästa vecka; the new year; new year; next year; easter; christmas; the summer; jahreswechsel; neuen jahr; neuem jahr; neues jahr; nächstes jahr; nächsten jahr*; ostern; weihnachten; nouvel an; nouvelle année; année prochaine; noël; pâques; año nuevo; próximo año; año que viene; navidad; semana santa; anno nuovo; nuovo anno; natale; pasqua; ano novo; próximo ano; natal; nieuwe jaar; nieuwjaar; kerst; pasen; nyår; nästa år; jul; nytår; nyttår; nytt år; nyt år; uudenvuoden; joulun; nowym roku; nowego roku; nového roku; novém roce; új év; yeni yıl*; нового года; новом году; новый год; 年明け; 来年; 新年; 年后; 새해; 내년
"""

CLOSING = """
end of day; end of the day; close of business; close of play; end of business; cob; eod; noon; midday; lunchtime; midnight; the morning of; the afternoon of; the evening of
"""

AFTER = """
after; nach dem; après le; après; después del; después de; luego del; dopo il; dopo; depois de; depois do; após; efter den; efter; etter; po dniu; после; după; μετά
"""

BEFORE = """
before; prior to; vor dem; vor; avant le; avant; antes del; antes de; antes do; prima del; prima di; voor; före; før; ennen; przed; před; до того; πριν; no later than; at the latest by; spätestens
"""

BETWEEN = """
between; zwischen dem; zwischen; entre el; entre le; entre os; entre; tra il; fra il; tussen; mellan; mellem; mellom; między; pomiędzy; mezi; między dniami; w dniach; ve dnech; in der zeit; между; μεταξύ; între
"""

# Back, or at work again.
BACK = """
back at work; back in the office; back in office; back at my desk; back online; back at; back; regresar; volver; retomo; returning to the office; returning to work; returning; return to the office; return to work; return to office; return date; returns; return; returned; be in the office again; resume*; resuming; reopen*; re-open*; open again; working again; at work again; available again; reachable again; reach me again; reach us again; normal service; in again; next in the office; next working day; date of return; rejoin*;
wieder; zurück*; rückkehr*; zurückkehr*; zurück sein; komme wieder; kehre; erneut erreichbar; öffnen wir; wiederkommen; arbeitsbeginn; wiedereröffn*;
de retour; serai de retour; retour; retournerai; reviens; reviendrai; revenons; reviendrons; rentre; rentrerai; rentrons; reprends; reprendrai; reprise; reprendrons; rouvr*; à nouveau; de nouveau; réouverture;
vuelvo; volveré; volvemos; volveremos; regreso; regresaré; regresamos; de vuelta; de regreso; reincorpor*; retomar*; retorno; estaré de nuevo; de nuevo; nuevamente; otra vez; vuelta; regresando; reanud*; retornaré; incorporar*; reabri*;
rientro; rientrerò; rientro in; rientreremo; torno; tornerò; torneremo; ritorno; ritornerò; di ritorno; nuovamente; di nuovo; riapr*; riprend*; sarò di nuovo; rientrando;
retornarei; retornamos; retornaremos; volto; voltarei; voltamos; voltaremos; regresso; regressarei; de volta; novamente; retornando; regressando; regressar; retornar; voltar; reabr*; estarei de volta; regressamos; regressaremos; voltando; retomarei;
terug; weer; opnieuw; hervat*; åter; tillbaka; återkommer; igen; är åter; åter på; tilbage; tilbake; igjen; tilbage igen; retur; vender tilbage; er tilbage; kommer tilbage; kommer tilbake; på plass;
palaan; palaamme; palaa; palaan töihin; takaisin; taas; jälleen; paluu; palailen; tavoitettavissa taas;
wracam; wrócę; wracamy; wrócimy; powrót; powrocie; z powrotem; powracam; powrócę; ponownie; znowu; znów; zpět; vracím; vrátím; návrat; opět; znovu; vrátíme; späť; vrátim; opäť; zpátky; budu zase;
visszatér*; vissza; visszajö*; térek; ismét; újra; jövök; újból; dönece*; dönüyor*; dönüş*; dönüşüm; dönmüş; döneriz; tekrar; yeniden; geri; iş başı; işe başla*; ofise dön*;
вернусь; вернемся; вернёмся; возвращаюсь; возвращени*; вернуться; снова; выйду; выхожу; приступлю; вновь; опять; повернусь; повернуся; повертаюсь; повернення; знову;
revin; mă întorc; ma intorc; voi reveni; reveni; înapoi; din nou; întoarcere; επιστρεφω; επιστρεψω; επιστροφη; πισω; ξανα; και παλι;
復帰; 戻り; 戻る; 出社; 出勤; 再開; 通常; 営業を開始; 営業開始; 順次; 恢复; 恢復; 返回; 回来; 回到; 返岗; 上班; 复工; 回公司; 归来; 回歸; 開工; 開始上班; 복귀; 돌아; 출근; 재개; 정상 근무; 정상 업무; 정상적; 정상
"""

# There and reachable: a return only with from, on or after.
PRESENT = """
available; reachable; be reached; be in the office; be in office; in the office; i'm in on; be working; be at work; online; contactable; access to email; access to my email; open on; fully operational;
erreichbar; verfügbar; zu erreichen; im büro; für sie da; im haus; ansprechbar; im dienst; persönlich; geöffnet; joignable*; disponible*; au bureau; présent; présente; ouvert; localizable; en la oficina; operativ*; reperibile; raggiungibile; disponibil*; in ufficio; in sede; operativo; disponível; disponíve*; contactável; no escritório; ao serviço; bereikbaar; aanwezig; op kantoor; beschikbaar; anträffbar; nåbar; på kontoret; på plats; på jobb; tilgængelig; træffes; på arbejde; at træffe; tilgjengelig; å treffe; tavoitettavissa; paikalla; töissä; toimistolla; dostępn*; w biurze; w pracy; osiągaln*; k dispozici; k zastižení; v kanceláři; v práci; dostupn*; elérhető*; az irodában; irodában; ulaşabil*; ulaşılabil*; ofiste*; görevim*; доступен; доступна; на связи; на работе; в офисе; доступ*; διαθέσιμ*; στο γραφείο; la birou; 対応; 営業; 可联系; 在岗; 办公; 연락 가능; 근무
"""

BUSY = """
at a; conference; training; workshop; limited; delay; delayed; busy; break; trip; attending; retreat; seminar; offline; off-grid; fortbildung; schulung; tagung; kongress; eingeschränkt*; formation; kurs; konferens; konferanse; møter; konferenci*; tréning*; školení; szkoleni*; eğitim*; toplantı*; cursus; kursus; utbildning; przerw*; corso; 研修; 教育; 교육
"""

ABSENT = """
absence; have left for the day; left for the day; gone for the day; have left for; away again; out again; off again; out of the office; out of my office; out of office; out-of-office; ooo; oof; out of town; out of the country; out sick; out; away; on leave; annual leave; parental leave; maternity leave; paternity leave; sick leave; leave of absence; medical leave; family leave; bank holiday; public holiday; leave; on vacation; on holiday*; pto; holiday*; vacation*; time off; day off; days off; off work; off sick; off; travel*; traveling; travelling; business trip; unavailable; not available; not be available; not in the office; not be in the office; not in; not be in; not working; not at work; not be working; unable to; no access; limited access; limited email; without access; intermittent; sporadic; not be able; cannot access; not reachable; not be reachable; won't be; will be slow; gone; closed; closure; shut down; shutdown; shut; absent; sabbatical; jury duty; abroad; offsite; off-site; on tour; honeymoon; recovering; surgery; hospital; christmas break; hiking; not checking; won't check; on a trip; in meetings; not monitor*; moving house; on secondment; not contactable; out-of-the-office; maternity; paternity; not have access; will not have; leaving for; overseas; not read; not be reading; not be checking;
abwesend; abwesenheit*; urlaub*; im urlaub; nicht im büro; nicht im haus; nicht im hause; nicht in unserem büro; nicht am schreibtisch; nicht da; nicht erreichbar; nicht zu erreichen; nicht verfügbar; außer haus; ausser haus; außer dienst; elternzeit; mutterschutz; krank*; dienstreise*; geschäftsreise; auf reisen; unterwegs; betriebsferien; betriebsruhe; betriebsurlaub; geschlossen; ferien; kur; reha; verreist; nicht am arbeitsplatz; nicht am platz; frei; feiertag*; weihnachtsferien; verhindert; sommerpause; weihnachtspause; nur sporadisch; keinen zugriff; kein zugriff; ortsabwesend; nicht anwesend; freizeitausgleich; überstundenabbau; nicht persönlich; dienstlich;
absente; absents; en congé; en congés; congé*; vacances; en déplacement; déplacement; fermé*; fermeture; indisponible*; pas disponible; pas joignable; injoignable*; arrêt maladie; maladie; hors du bureau; pas au bureau; accès limité; rtt; en voyage; arrêt;
ausente*; ausencia; vacaciones; de viaje; viaje; fuera de la oficina; fuera de oficina; fuera del despacho; fuera; permiso; baja; cerrad*; cierre; sin acceso; no disponible; no estaré disponible; no estaré; no estoy; acceso limitado; días libres; licencia; feriado*; descanso; excedencia;
fuori ufficio; fuori sede; fuori; assent*; assenza; ferie; in viaggio; trasferta; in trasferta; chius*; chiusura; malattia; congedo; maternità; paternità; non disponibile; non sarò; non reperibile; non raggiungibile; corso di formazione; non sono; vacanza; aspettativa; permesso;
ausência; férias; em viagem; viagem; fora do escritório; fora; licença; fechad*; encerrad*; recesso; indisponíve*; não estarei; não estou; sem acesso; acesso limitado; folga; feriado; de baixa;
afwezig*; vakantie*; met verlof; verlof; niet aanwezig; niet op kantoor; buiten kantoor; niet bereikbaar; niet beschikbaar; vrij; gesloten; ziek; op reis; zakenreis; zwangerschapsverlof; ouderschapsverlof; niet in de gelegenheid; beperkt; weg; buitenland; niet werkzaam; niet aan het werk; ontbreek;
semester; ledig; tjänstledig; föräldraledig; borta; bortrest; frånvarande; frånvaro; inte på kontoret; på resa; tjänsteresa; sjukskriven; stängt; inte på plats; inte anträffbar; ej på kontoret; ej på plats; ej anträffbar; vab; begränsad*; resande fot; inte tillgänglig; ute; sommarledig;
ferier; på ferie; fraværende; fravær; ikke til stede; ikke på kontoret; væk; barsel; barselsorlov; orlov; rejse; forretningsrejse; lukket; lukker; syg; sygemeldt; fri; fridag; ikke tilgængelig; ikke at træffe; kan ikke træffes; sommerferie; juleferie; påskeferie; begrænset; ude; ude af kontoret; permisjon; foreldrepermisjon; bortreist; ikke tilgjengelig; stengt; tjenestereise; reise; sykemeldt; syk; ute av kontoret; borte; ikke å treffe; på reise; avspaser*; begrenset;
lomalla; loma; lomani; lomaillen; lomautettu; poissa; poissaolo; vuosilomalla; kesälomalla; talvilomalla; vanhempainvapaalla; äitiyslomalla; hoitovapaalla; matkoilla; työmatkalla; suljettu; sairauslomalla; vapaalla; virkavapaalla; opintovapaalla; en ole töissä; en ole paikalla; en ole toimistolla; en ole tavoitettavissa; isyyslomalla; perhevapaalla; koulutuksessa; joululomalla; hiihtolomalla; kiinni; rajoitet*;
urlop*; na urlopie; nieobecn*; nieobecność; poza biurem; w delegacji; delegacj*; niedostępn*; wakacj*; chorobow*; l4; zwolnieniu; macierzyńsk*; nie będzie mnie; nie będę; zamknięt*; nie ma mnie; podróż*; ograniczon*; wyjazd*; wyjeździe; wolne;
dovolen*; na dovolené; mimo kancelář; mimo kancelar*; nepřítom*; nemoc*; mateřsk*; rodičovsk*; služební cest*; pracovní cest*; zavřen*; nedostupn*; nebudu; mimo; pryč; nejsem; nezastih*; nedosažiteln*; volno; dovolenk*; mimo kanceláriu; neprítom*; zatvoren*; konferenci; celozávodní;
szabadság*; házon kívül*; nem leszek; távol*; nem vagyok; nem tartózkod*; irodán kívül*; nem elérhető; szülési; gyes*; gyed*; betegszabadság*; zárva; üzleti úton; nyaral*; korlátozott*; külföld*;
izin*; izn*; tatil*; ofis dışı*; ofiste değil*; ofiste bulunm*; ofiste olma*; yıllık; seyahat*; doğum; raporlu; kapalı; ofis dışında; iş seyahat*; olmayaca*; bulunmaya*; bulunmamakta*; bayram*; sınırlı;
отпуск*; в отпуске; отсутств*; вне офиса; командировк*; больнич*; декрет*; не на месте; выходн*; не в офисе; недоступ*; не буду; не доступ*; закрыт*; каникул*; отъезд*; ограничен*; на обучении; отгул*; відпуст*; відсутн*; відрядж*; лікарн*; вихідн*; не на роботі;
concediu; concediul; absentă; plecat; plecată; vacanță; vacanta; delegație; delegatie; închis*; indisponibil*; nu sunt; nu voi fi; αδεια; εκτος γραφειου; διακοπες; απουσι*; ταξιδι; κλειστ*;
休暇; 休業; 休み; 不在; 出張; 夏季; 年末年始; 育休; 産休; 育児; 有給; お休み; 留守; 休業日; 帰省; 休診; 休館; 定休; 連休; 夏休み; 冬休み; 休假; 放假; 假期; 出差; 外出; 度假; 年假; 产假; 病假; 请假; 不在办公室; 无法; 無法; 休息; 春节; 国庆; 離開; 离开; 節假日; 年休; 外地; 關閉; 휴가; 부재; 출장; 휴무; 연차; 육아휴직; 휴직; 외근; 병가; 연휴; 자리를 비; 출산; 휴업; 비웁니다
"""

# Between a cue and its date: "erst am", "not before".
NEGATION = """
not; nicht; erst; dopiero; frühestens; tidigast; tidligst; aikaisintaan; najwcześniej; nejdříve; leghamarabb; earliest
"""

# After a date.
UNTIL_POST = "まで; までは; 為止; 为止; 止; 까지; asti; saakka; kadar; değin; με"
FROM_POST = "から; より; 以降; 以后; 以後; 부터; alkaen; lähtien; itibaren; itibariyle; onwards; onward; on wards; and onwards; 起; 후; 以来; 开始; kezdődően; kezdve"
AFTER_POST = "jälkeen; sonra; után; 之后; 之後; 이후"

TODAY = "today; tonight; heute; aujourd'hui; hoy; oggi; hoje; vandaag; idag; i dag; tänään; dzisiaj; dziś; dzis; dnes; bugün; сегодня; сьогодні; astăzi; astazi; azi; ma este; σημερα; 本日; 今日; 今天; 오늘; this morning; this afternoon; this evening; heute nachmittag; cet après-midi; esta tarde; vanmiddag; later today; rest of the day; rest of today"
TOMORROW = "tomorrow; tomorow; tommorow; tommorrow; tmrw; morgen; demain; mañana; domani; amanhã; imorgon; i morgon; i morgen; imorgen; huomenna; jutro; zítra; zajtra; holnap; yarın; завтра; mâine; maine; αυριο; 明日; 明天; 내일"
DAY_AFTER = "the day after tomorrow; day after tomorrow; übermorgen; après-demain; pasado mañana; dopodomani; depois de amanhã; overmorgen; i övermorgon; övermorgon; i overmorgen; i overmorgon; ylihuomenna; pojutrze; pozítří; holnapután; öbür gün; послезавтра; післязавтра; poimâine; poimaine; μεθαυριο; 明後日; 明后天; 后天; 後天; 모레"
NEXT = "next; coming; this coming; nächst*; kommend*; prochain*; próxim*; prossim*; que viene; que vem; volgende; komende; eerstvolgende; aanstaande; a.s.; a.s; nästa; kommande; næste; neste; kommende; ensi; seuraava*; najbliższ*; przyszł*; następn*; příští*; přišt*; nejbližší; následuj*; jövő; következő; önümüzdeki; gelecek; следующ*; ближайш*; наступн*; viitoare; urmatoare; επομεν*; ερχομεν*; 来週の; 来週; 翌週; 下周; 下週; 下个; 下個; 下星期; 다음 주; 다음주; 다음; 翌"
THIS = "this; diese*; cette; ce; cet; esta; este; questa; questo; deze; denna; denne; dette; den här; tällä; tämän; ten; tym; tento; toto; tomto; ezen; ezt; bu; этой; этом; эту; 今週; 本周; 这周; 本週; 이번 주; 이번주; rest of; remainder of; rest des; restlichen; all; whole; entire; full; the whole; ganze*; toute la; toda la; tutta la; toda a; hele; hela; koko; cały; celý"
FOLLOWING = "following; the following; weekend after; monday after; after that; thereafter; darauf; darauffolgend*; suivant*; siguiente*; successiv*; seguinte*; daarop; daaropvolgende; därefter; derefter; påföljande; følgende; efterföljande; 翌日; 翌営業日; 次の; 第二天; 다음 날; 다음날"

VAGUE = "a couple of; couple of; a few; few; several; some; ein paar; einige*; quelques; unos; unas; algunos; algunas; qualche; alcuni; alcune; alguns; algumas; een paar; enkele; några; nogle; noen; muutama*; kilka; kilku; několik*; néhány; birkaç; нескольк*; кілька; câteva; 数; 几; 幾; 몇; mid; middle of; mid-; early; early in; late; end of; the end of; start of; the start of; beginning of; the beginning of; first week of; second week of; third week of; last week of; around; about; approximately; approx; roughly; circa; ca; sometime; mitte; anfang; ende; etwa; ungefähr; début; mi-; mi; fin; fin de; fines de; finales de; principios de; mediados de; alrededor*; environ; vers; vers le; inizio; metà; fine; fine di; verso; intorno; circa il; meados de; início de; final de; fim de; finais de; por volta; begin; midden; half; eind; einde; rond; ongeveer; mitten av; början av; slutet av; omkring; runt; cirka; midt i; starten af; slutningen af; omtrent; begynnelsen av; slutten av; alun; puoliväli*; lopu*; noin; alussa; początk*; połow*; koniec; końc*; około; polovin*; začátk*; konce*; konec; koncem; kolem; přibližně; eleje*; közep*; vége*; körül; sonu*; ortası*; başı*; civarı; начал*; середин*; конц*; конец; около; примерно; сред; κατα; 上旬; 中旬; 下旬; 月末; 月底; 月初; 年初; 年底; 頃; ごろ; 左右; 말; 초; 중순; 쯤; 경; presumably around; probably around"

CLASSES: tuple[tuple[str, str], ...] = (
    ("k", SKIP),
    ("4", DAY_AFTER),
    ("3", TOMORROW),
    ("2", TODAY),
    ("Q", GONE),
    ("E", RESPOND),
    ("I", INCLUSIVE),
    ("A", ABSENT),
    ("B", BACK),
    ("e", BUSY),
    ("C", WEEK_OF),
    ("L", SEASONS),
    ("d", CLOSING),
    ("v", PRESENT),
    ("Z", NOISE),
    ("a", AFTER),
    ("b", BEFORE),
    ("p", UNTIL_POST),
    ("f", FROM_POST),
    ("g", AFTER_POST),
    ("U", UNTIL),
    ("T", BETWEEN),
    ("F", FROM),
    ("i", INCLUDED),
    ("P", FOLLOWING),
    ("X", NEXT),
    ("H", THIS),
    ("V", VAGUE),
    ("!", NEGATION),
)
"""Symbol of a class and its phrases, see grammar.py for the symbols."""


def _pattern(phrase: str) -> str:
    body = "".join(
        "[^\\W\\d_]{0,14}" if char == "*" else r"\s{1,4}" if char == " " else re.escape(char) for char in phrase
    )
    return body if ord(phrase[-1]) > 0x2E80 or phrase[-1] in "*'." else body + r"(?![^\W\d_])"


@cache
def heads() -> dict[str, list[tuple[str, str]]]:
    """First two characters of a phrase (one, where it has no more) to (symbol, pattern), best first."""
    table: dict[str, list[tuple[int, int, str, str]]] = {}
    for rank, (symbol, phrases) in enumerate(CLASSES):
        for phrase in {fold(item).strip() for item in phrases.replace("\n", " ").split(";")} - {""}:
            table.setdefault(phrase[:2].rstrip("*"), []).append((rank, -len(phrase), symbol, _pattern(phrase)))
    # a longer phrase of another class is surer than a shorter one of a class before it
    return {
        head: [(symbol, pattern) for _, _, symbol, pattern in sorted(rows, key=lambda row: (row[1], row[0]))]
        for head, rows in table.items()
    }


@cache
def _matcher(head: str) -> re.Pattern[str]:
    return re.compile("|".join(f"({pattern})" for _, pattern in heads()[head]))


def cue_at(folded: str, place: int) -> tuple[str, int] | None:
    """The symbol of the phrase that begins there, and where it ends."""
    for head in (folded[place : place + 2], folded[place : place + 1]):
        rows = heads().get(head)
        found = _matcher(head).match(folded, place) if rows else None
        if rows and found and found.lastindex:
            return rows[found.lastindex - 1][0], found.end()
    return None
