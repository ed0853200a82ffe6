"""Challenge-response systems: a machine wants the sender to prove that he is a person."""

from __future__ import annotations

from mail.inbound.phrases import Phrases

SENDERS = (
    "spamarrest.com",
    "boxbe.com",
    "mailinblack.com",
    "earthlink.net-challenge",
    "spamblocker-challenge",
    "bluebottle.com",
    "0spam.com",
    "sendio",
    "cleanmail",
    "mail-block",
    "vanquish.com",
)
"""What stands in the sender's address of such services."""

BRANDS = Phrases(
    (
        r"spam ?arrest",
        r"boxbe\b",
        r"mail ?in ?black",
        r"spamblocker",
        r"suspect e-?mail folder",
        r"0spam\b",
        r"tmda\b",
        r"chooseyourmail",
        r"choicemail",
        r"digiportal",
        r"vanquish",
        r"bluebottle",
        r"active spam killer",
        r"qurb\b",
        r"sendio",
        r"mailblocks",
        r"knowspam",
        r"spam ?lion",
        r"uol antispam|anti-?spam uol",
        r"qboxmail",
        r"hey\.com screener",
        r"clean ?email challenge",
        r"ipermitmail",
        r"trustedbox",
        r"gatekeeper for e-?mail",
        r"mailwasher challenge",
    )
)
"""Products that do it."""

DEMANDS = Phrases(
    (
        # en
        r"(?:verif(?:y|ies|ied|ying)|confirm(?:s|ed|ing)?|prov(?:e|es|ing)|make sure|ensure|show)~(?:that )?(?:you (?:are|'re)|you're|it is from|sent by|sender is|this is) (?:an? )?(?:real |actual |legitimate |valid |human |live )*(?:human|person|sender|being|not a (?:ro)?bot|individual)",
        r"you are (?:a )?(?:real )?(?:human|person)\b",
        r"(?:click|follow|visit|press|use|reply)~(?:link|button|here|below|url|this (?:e-?mail|message))~(?:deliver|release|verif|authenticat|confirm|approve|authoriz|validat|add)\w*~(?:message|e-?mail|mail|yourself|sender|address|identity|you)",
        r"(?:click|follow|visit|use)~(?:link|button|here|below)~(?:be added|add yourself|guest list|approved|allow|white ?list)",
        r"(?:deliver|release|have) (?:your|the|this) (?:e-?mail|message|mail)~(?:click|please (?:click|confirm|verify|visit|follow)|delivered.{0,40}click)",
        r"(?:your )?(?:e-?mail|message)~(?:(?:is being|has been|was|is) (?:held|quarantined|intercepted|placed on hold|blocked until)|awaiting|will not be delivered until|waiting)~(?:verif|confirm|approv|authenticat|click|authoriz|until you|captcha)",
        r"(?:solve|complete|enter|type)~(?:captcha|the (?:characters|code|letters|word)|challenge|puzzle)",
        r"(?:allowed|approved|guest|white|safe|accepted) ?-?(?:sender|list|senders)~(?:click|form|request|link|add)",
        r"complet\w+ (?:the |this |a |our )?(?:verification|authentication|validation|confirmation) (?:process|step|form)",
        r"sender (?:verification|authentication|confirmation|validation) (?:request|required|is required|needed)",
        r"challenge[ /-]response",
        r"one-?time (?:verification|authentication|confirmation)",
        r"(?:not|isn't) (?:\w+ )?(?:on|in) (?:my|the|his|her|our) (?:\w+ )?(?:approved|allowed|white|safe|trusted|accepted)[ -]?(?:sender|list|senders)?",
        r"(?:your message|your e-?mail|e-?mail)~(?:confirm|verif)\w* (?:that )?you(?:r| are)~(?:address|sender|sent|human)",
        # de fr es it pt nl
        r"(?:bestatigen|verifizieren) sie~(?:mensch|absender|identitat|kein (?:roboter|spam)|zustell)",
        r"(?:klicken|klick)~(?:link)~(?:zugestellt|zuzustellen|zustellung|bestatigen|freigeben|freizugeben|freischalten)",
        r"(?:nachricht|e-?mail)~(?:zuruckgehalten|in quarantane)~(?:bestatig|klick|freig)",
        r"(?:vous authentifier|authentifi\w+|prouver? que vous (?:etes|n'etes)|etes (?:bien )?(?:un |une )?(?:etre )?(?:humain|personne)|confirm\w+ que vous etes)~",
        r"cliqu\w+~(?:lien|ici|bouton)~(?:authentifi|valider|delivrer|remis|liberer|distribu|confirmer|parvenir|transmis)",
        r"(?:message|e-?mail|courriel|mail)~(?:bloque|en attente|retenu|mis en quarantaine)~(?:authentifi|valid|confirm|cliqu)",
        r"(?:confirm\w+|verifi\w+|demuestr\w+|demostr\w+) que (?:es|usted es|eres|no es) (?:un[a]? )?(?:persona|humano|ser humano|robot)",
        r"(?:haga|haz|hacer) clic~(?:enlace|aqui)~(?:entreg|verific|confirm|liber|autoriz)",
        r"(?:confirm\w+|verific\w+|dimostr\w+) (?:di|che)~(?:essere|persona|umano|mittente)~(?:umano|reale|persona|mittente|vero)",
        r"(?:clicc\w+|fare clic|fai clic)~(?:link|qui)~(?:consegn|verific|conferm|recapit|sblocc|autorizz)",
        r"(?:clique|clicar|clicando)~(?:link|aqui|abaixo)~(?:entreg|verific|confirm|liber|autoriz)",
        r"(?:confirm\w+|verifi\w+|provar?) que (?:e|voce e|nao e) (?:um[a]? )?(?:pessoa|humano|ser humano|robo)",
        r"(?:bevestig|verifieer)\w*~(?:mens|afzender|persoon|geen robot)",
        r"klik~(?:link|hier)~(?:bevestig|aflever|bezorg|verifi|vrij te geven)",
        r"bekrafta~(?:manniska|avsandare)",
        r"bekræft~(?:menneske|afsender)",
        r"bekreft~(?:menneske|avsender)",
        r"vahvista~(?:ihminen|lahettaja)",
        # pl cs tr hu ru
        r"(?:potwierdz|zweryfikuj)\w*~(?:czlowiekiem|nadawc|nie jestes robotem|osoba)",
        r"klikn\w+~(?:link|odkaz)~(?:dostarcz|potwierd|doruc|potvrd|over)",
        r"(?:potvrdte|overte)~(?:clovek|odesilatel|nejste robot)",
        r"(?:insan oldugunuzu|gonderen oldugunuzu|robot olmadiginizi)",
        r"(?:kattintson|kattints)~(?:kezbesit|megerosit|igazol)",
        r"(?:ember voltat|nem robot)",
        r"(?:подтверд\w+|докаж\w+)~(?:вы (?:человек|не робот|не спам)|отправител)",
        r"(?:перейдите|нажмите)~(?:ссылк)\w*~(?:достав|подтвер|получ)",
    ),
    (
        r"(?:リンク|URL)[^。]{0,20}クリック[^。]{0,30}(?:認証|確認|配信|届|送信者)",
        r"(?:人間|ロボットで(?:は)?ない)[^。]{0,15}(?:確認|証明)",
        r"(?:点击|點擊)[^。]{0,20}(?:链接|鏈接|連結)[^。]{0,30}(?:验证|驗證|确认|投递|送达)",
        r"(?:验证|确认)[^。]{0,10}(?:真人|人类|不是机器人|发件人)",
    ),
)
"""What they demand."""
