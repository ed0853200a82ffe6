"""Bounces without a delivery status part, in the formats of many servers, and the mails that look like them and are none."""

from __future__ import annotations

import pytest

from domain.inbound import Kind, Reading
from mail.inbound.bounces import read_bounce
from mail.inbound.names import names_of
from mail.inbound.parsing import parse
from mail.inbound.text import new_text

ORIGINAL = """\
Return-Path: <me@sender.example>
Received: from mx.sender.example by relay.example with ESMTP; Tue, 3 Nov 2026 09:00:00 +0000
Message-ID: <s.original@sender.example>
From: Me <me@sender.example>
To: {to}
Subject: Quota for your mailbox is full of spam, unknown user

550 5.7.1 blocked: this text is ours and says nothing
"""


def mail(
    text: str, *headers: str, sender: str = "MAILER-DAEMON@relay.example", subject: str = "failure notice"
) -> bytes:
    """A mail to us in UTF-8, with these headers more."""
    lines = [f"From: {sender}", "To: me@sender.example", f"Subject: {subject}", "Date: Tue, 3 Nov 2026 09:05:00 +0000"]
    lines += [*headers, "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit", ""]
    return ("\r\n".join(lines) + "\r\n" + text.replace("\n", "\r\n")).encode()


def read(raw: bytes) -> Reading | None:
    parsed = parse(raw)
    return read_bounce(parsed, names_of(parsed), new_text(parsed).text)


def original(to: str = "bob@client.example") -> str:
    return ORIGINAL.format(to=to)


QMAIL = """\
Hi. This is the qmail-send program at relay.example.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<bob@client.example>:
{reason}

--- Below this line is a copy of the message.

"""
EXIM = """\
This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  bob@client.example
    {reason}

------ This is a copy of the message, including all the headers. ------

"""
POSTFIX = """\
This is the Postfix program at host relay.example.

I'm sorry to have to inform you that the message returned
below could not be delivered to one or more destinations.

For further assistance, please send mail to <postmaster@relay.example>

If you do so, please include this problem report. You can
delete your own text from the message returned below.

                        The Postfix program

<bob@client.example>: {reason}
"""
SENDMAIL = """\
The original message was received at Tue, 3 Nov 2026 09:00:00 GMT
from mx.sender.example [192.0.2.1]

   ----- The following addresses had permanent fatal errors -----
<bob@client.example>

   ----- Transcript of session follows -----
... while talking to mx.client.example.:
{reason}

   ----- Unsent message follows -----
"""
DAEMON = '"Mail Delivery System" <Mailer-Daemon@relay.example>'
NULL = "Return-Path: <>"

# name, headers, sender, subject, text, class, rule
FORMATS: list[tuple[str, tuple[str, ...], str, str, str, str, str]] = [
    ("qmail, reply", (NULL,), "MAILER-DAEMON@relay.example", "failure notice", QMAIL.format(reason="192.0.2.7 does not like recipient.\nRemote host said: 550 5.1.1 unknown user\nGiving up on 192.0.2.7.") + original(), "hard_invalid", "bounce:qmail"),
    ("qmail, sender refused", (NULL,), "MAILER-DAEMON@relay.example", "failure notice", QMAIL.format(reason="Connected to 192.0.2.7 but sender was rejected.\nRemote host said: 553 domain of example does not exist") + original(), "policy_block", "bounce:qmail"),
    ("qmail, queue", (NULL,), "MAILER-DAEMON@relay.example", "failure notice", QMAIL.format(reason="Sorry, I wasn't able to establish an SMTP connection. (#4.4.1)\nI'm not going to try again; this message has been in the queue too long.") + original(), "expired", "bounce:qmail"),
    ("qmail, full", (NULL,), "MAILER-DAEMON@relay.example", "failure notice", QMAIL.format(reason="Remote host said: 552 Error: disk quota exceeded") + original(), "mailbox_full", "bounce:qmail"),
    ("exim, answered automatically", ("Auto-Submitted: auto-replied", "X-Failed-Recipients: bob@client.example"), DAEMON, "Mail delivery failed: returning message to sender", EXIM.format(reason="SMTP error from remote mail server after RCPT TO:<bob@client.example>:\n    host mx.client.example [192.0.2.7]: 550 5.1.1 <bob@client.example>:\n    Recipient address rejected: User unknown in virtual mailbox table") + original(), "hard_invalid", "bounce:exim"),
    ("exim, at MAIL", ("X-Failed-Recipients: bob@client.example",), DAEMON, "Mail delivery failed: returning message to sender", EXIM.format(reason="SMTP error from remote mail server after MAIL FROM:<me@sender.example>:\n    host mx.client.example [192.0.2.7]: 553 does not exist"), "policy_block", "bounce:exim"),
    ("exim, after the body", ("X-Failed-Recipients: bob@client.example",), DAEMON, "Mail delivery failed: returning message to sender", EXIM.format(reason="SMTP error from remote mail server after end of data:\n    host mx.client.example [192.0.2.7]: 550 no thanks"), "content", "bounce:exim"),
    ("exim, retries", ("X-Failed-Recipients: bob@client.example",), DAEMON, "Mail delivery failed: returning message to sender", EXIM.format(reason="retry timeout exceeded"), "expired", "bounce:exim"),
    ("exim, no route", (), DAEMON, "Mail delivery failed: returning message to sender", EXIM.format(reason="all relevant MX records point to non-existent hosts"), "hard_domain", "bounce:exim"),
    ("postfix without MIME", (NULL,), "MAILER-DAEMON@relay.example (Mail Delivery System)", "Undelivered Mail Returned to Sender", POSTFIX.format(reason="host mx.client.example[192.0.2.7] said: 550 5.2.1\n    The email account that you tried to reach is disabled. (in reply to RCPT TO command)") + "\n" + original(), "inactive", "bounce:postfix"),
    ("postfix, name service", (NULL,), "MAILER-DAEMON@relay.example (Mail Delivery System)", "Undelivered Mail Returned to Sender", POSTFIX.format(reason="Name service error for domain client.example: Host not\n    found, try again"), "expired", "bounce:postfix"),
    ("postfix, dead domain", (NULL,), "MAILER-DAEMON@relay.example (Mail Delivery System)", "Undelivered Mail Returned to Sender", POSTFIX.format(reason="Host or domain name not found. Name service error for name=client.example type=A: Host not found"), "hard_domain", "bounce:postfix"),
    ("postfix, greeting", (NULL,), "MAILER-DAEMON@relay.example (Mail Delivery System)", "Undelivered Mail Returned to Sender", POSTFIX.format(reason="host mx.client.example[192.0.2.7] refused to talk to me: 554 no"), "policy_block", "bounce:postfix"),
    ("sendmail", (NULL,), "Mail Delivery Subsystem <MAILER-DAEMON@relay.example>", "Returned mail: User unknown", SENDMAIL.format(reason=">>> RCPT To:<bob@client.example>\n<<< 550 5.1.1 <bob@client.example>... User unknown\n550 <bob@client.example>... User unknown") + original(), "hard_invalid", "bounce:sendmail"),
    ("sendmail, service unavailable", (NULL,), "Mail Delivery Subsystem <MAILER-DAEMON@relay.example>", "Returned mail: Service unavailable", SENDMAIL.format(reason=">>> DATA\n<<< 554 5.7.1 Message rejected as spam\n554 5.0.0 Service unavailable") + original(), "spam_block", "bounce:sendmail"),
    ("sendmail v5", (), "Mail Delivery Subsystem <MAILER-DAEMON>", "Returned mail: Host unknown", "   ----- Transcript of session follows -----\n550 client.example (smtp)... 550 Host unknown\n554 <bob@client.example>... 550 Host unknown (Authoritative answer from name server)\n\n   ----- Unsent message follows -----\n" + original(), "hard_domain", "bounce:sendmail"),
    ("exchange 5.5", ("X-MS-Embedded-Report:",), "System Administrator <postmaster@client.example>", "Undeliverable: Our offer", "Your message\n\n  To:      bob@client.example\n  Subject: Our offer\n  Sent:    Tue, 3 Nov 2026 09:00:00 -0000\n\ndid not reach the following recipient(s):\n\nbob@client.example on Tue, 3 Nov 2026 09:01:00 -0000\n    The recipient name is not recognized\n\tThe MTS-ID of the original message is: c=us;a= ;p=acme\n    MSEXCH:IMS:ACME:HQ:MAIL1 0 (000C05A6) Unknown Recipient\n", "hard_invalid", "bounce:exchange"),
    ("exchange 2007", ("X-MS-Exchange-Message-Is-Ndr:",), "<postmaster@client.example>", "Undeliverable: Our offer", "Delivery has failed to these recipients or distribution lists:\n\nbob@client.example<mailto:bob@client.example>\nThe recipient's mailbox is full. Microsoft Exchange will not try to redeliver this message for you.\n\nDiagnostic information for administrators:\n\nGenerating server: client.example\n\nbob@client.example\n#550 5.2.2 STOREDRV.Deliver: mailbox full. The mailbox quota has been exceeded ##\n\nOriginal message headers:\n\n" + original(), "mailbox_full", "bounce:exchange"),
    ("domino", (), "Postmaster@client.example", "DELIVERY FAILURE: User bob (bob@client.example) not listed in Domino Directory", "Your message\n\n  Subject: Our offer\n\nwas not delivered to:\n\n  bob@client.example\n\nbecause:\n\n  User bob (bob@client.example) not listed in Domino Directory\n", "hard_invalid", "bounce:domino"),
    ("notes", (NULL,), "postmaster@client.example", "Undeliverable message", "------- Failure Reasons  --------\n\nUser  not listed in public Name & Address Book\nbob@client.example\n\n------- Returned Message --------\n\n" + original(), "hard_invalid", "bounce:domino"),
    ("courier", (NULL,), "postmaster@relay.example", "NOTICE: mail delivery status.", "This is a delivery status notification from relay.example,\nrunning the Courier mail server, version 0.65.2.\n\n                           UNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<bob@client.example>:\nmx.client.example [192.0.2.7]:\n>>> RCPT TO:<bob@client.example>\n<<< 550 5.1.1 <bob@client.example>... User Unknown\n", "hard_invalid", "bounce:courier"),
    ("mailmarshal", (), "postmaster@relay.example", 'Undeliverable Mail: "Our offer"', "Your message:\n   From:    me@sender.example\n   Subject: Our offer\n\nCould not be delivered because of\n\n550 5.1.1 User unknown\n\nThe following recipients were affected:\n    bob@client.example\n\nAdditional Information\n======================\nOriginal Sender:    <me@sender.example>\n", "hard_invalid", "bounce:text"),
    ("imail", ("X-Mailer: <SMTP32 v8.22>",), '"Postmaster" <postmaster@relay.example>', "Undeliverable Mail", "User mailbox exceeds allowed size: bob@client.example\n\nOriginal message follows.\n\n" + original(), "mailbox_full", "bounce:imail"),
    ("gmail of old", (NULL, "X-Failed-Recipients: bob@client.example"), "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)", "Delivery to the following recipient failed permanently:\n\n     bob@client.example\n\nTechnical details of permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server for the recipient domain client.example by mx.client.example. [192.0.2.7].\n\nThe error that the other server returned was:\n552 5.2.2 Mailbox full\n\n----- Original message -----\n\n" + original(), "mailbox_full", "bounce:google"),
    ("google groups", (NULL, "X-Failed-Recipients: team@googlegroups.com", "Auto-Submitted: auto-replied"), "Mail Delivery Subsystem <mailer-daemon@googlemail.com>", "Delivery Status Notification (Failure)", "Hallo me@sender.example,\n\nSie erhalten diese E-Mail, weil die Gruppe, die Sie kontaktieren möchten (team), möglicherweise nicht vorhanden ist oder Sie nicht berechtigt sind, Nachrichten in der Gruppe zu posten.\n\n----- Original message -----\n" + original(), "policy_block", "bounce:text"),
    ("yahoo", (), "MAILER-DAEMON@yahoo.com", "Failure Notice", "Sorry, we were unable to deliver your message to the following address.\n\n<bob@client.example>:\nRemote host said:\n554 delivery error: dd This user doesn't have a yahoo.com account (bob@client.example) [0]\n[RCPT_TO]\n\n--- Below this line is a copy of the message.\n\n" + original(), "hard_invalid", "bounce:qmail"),
    ("gmx", ("Return-Path:",), "MAILER-DAEMON@mail.gmx.com", "Mail delivery failed: returning message to sender", "This message was created automatically by mail delivery software.\n\nA message that you sent could not be delivered to one or more of\nits recipients. This is a permanent error. The following address\nfailed:\n\n<bob@client.example>\n\nReason:\nSMTP error from remote server after RCPT command: host: mx.client.example\n5.1.1 The email account that you tried to reach does not exist\n\n--- The header of the original message is following. ---\n\n" + original(), "hard_invalid", "bounce:exim"),
    ("1&1, size", (), DAEMON, "Mail delivery failed: returning message to sender", "This message was created automatically by mail delivery software.\n\nThe following address failed:\n\nbob@client.example\n\nFor the following reason:\n\nMail size limit exceeded. For explanation visit\nhttp://postmaster.example/en/error-messages\n\n--- The header of the original message is following. ---\n\n" + original(), "content", "bounce:exim"),
    ("t-online, smail 3", (), "<MAILER-DAEMON@relay.example>", "mail failed, returning to sender", "|------------------------- Message log follows: -------------------------|\n no valid recipients were found for this message\n|------------------------- Failed addresses follow: ---------------------|\n <bob@client.example>\n   552 5.2.2 <bob@client.example> Quota exceeded (mailbox for user is full)\n|------------------------- Message header follows: ----------------------|\n" + original(), "mailbox_full", "bounce:smail"),
    ("opensmtpd", (), "Mailer Daemon <MAILER-DAEMON@relay.example>", "Delivery status notification: failed", "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred while attempting to deliver a message for\n    the following list of recipients:\n\nbob@client.example: Envelope expired\n\n    Below is a copy of the original message:\n\n" + original(), "expired", "bounce:opensmtpd"),
    ("dragonfly", ("X-Original-To: <bob@client.example>",), "MAILER-DAEMON <>", "Mail delivery failed", "This is the DragonFly Mail Agent v0.13 at relay.example.\n\nThere was an error delivering your mail to <bob@client.example>.\n\nmx.client.example [192.0.2.7] did not like our RCPT TO:\n550 5.7.25 <bob@client.example>: Recipient address rejected: Reverse DNS validation failed\n\nMessage headers follow.\n\n" + original(), "auth_failure", "bounce:dragonfly"),
    ("mail.ru", (NULL, "Auto-Submitted: auto-replied"), "mailer-daemon@corp.mail.ru", "Ваше сообщение не доставлено. Mail failure.", "Это письмо создано автоматически сервером Mail.Ru, отвечать на него не нужно.\n\nК сожалению, Ваше письмо не может быть доставлено одному или нескольким получателям:\n\n  bob@client.example\n    Такой почтовый ящик не существует\n\n**********************\n", "hard_invalid", "bounce:text"),
    ("zoho", (), "mailer-daemon@mail.zoho.com", "Undelivered Mail Returned to Sender", "This message was created automatically by mail delivery software.\nA message that you sent could not be delivered to one or more of its recipients. This is a permanent error.\n\nbob@client.example Invalid Address, ERROR_CODE :550, ERROR_CODE :Requested action not taken: mailbox unavailable\n\n" + original(), "hard_invalid", "bounce:exim"),
    ("james", ("In-Reply-To: <s.original@sender.example>",), "post_master@client.example", "Re:Our offer", "Error: Invalid user address\n\nError message below:\n550 - Requested action not taken: no such user here\n\nMessage details:\n  Subject: Our offer\n  MAIL FROM: me@sender.example\n  RCPT TO: bob@client.example\n  From: me@sender.example\n", "hard_invalid", "bounce:james"),
    ("au, limited", (NULL,), "Postmaster@ezweb.ne.jp", "Mail System Error - Returned Mail", "次のあて先へのメッセージはエラーのため送信できませんでした。\n\nThe user(s) account is temporarily limited.\n\n<bob@client.example>\n", "inactive", "bounce:text"),
    ("kddi, full", (), "no-reply@x000.dion.example", "メールエラー通知", "送信先のメールボックスが一杯のため、送信できませんでした。\n\nYour mail sent on: Tue, 3 Nov 2026 18:05:00 +0900\n     Could not be delivered to: <bob@client.example>\n     As their mailbox is full.\n", "mailbox_full", "bounce:text"),
    ("m-filter", (NULL,), "<>", "failure notice", "このメールは「m-FILTER」が自動的に生成して送信しています。\nメールサーバーとの通信中、下記の理由により\nこのメールは送信できませんでした。\n\n以下のメールアドレスへの送信に失敗しました。\nbob@client.example\n\n-------server message\n550 bob@client.example... No such user\n\n-------SMTP command\nRCPT\n\n-------original mail info\nFrom: me@sender.example\nSubject: Our offer\n", "hard_invalid", "bounce:text"),
    ("interscan", (), 'postmaster@client.example ("InterScan Notification")', "Mail could not be delivered", "Message from InterScan Messaging Security Suite\n\nSent <<< RCPT TO:<bob@client.example>\nReceived >>> 550 5.1.1 <bob@client.example>... user unknown\n\nUnable to deliver message to <bob@client.example>.\n", "hard_invalid", "bounce:interscan"),
    ("mailfoundry", (NULL,), "postmaster@relay.example", "Message delivery has failed", "Unable to deliver message to: <bob@client.example>\nDelivery failed for the following reason:\nServer mx.client.example[192.0.2.7] failed with: 550 <bob@client.example> No such user here\n\nThis has been a permanent failure.  No further delivery attempts will be made.\n", "hard_invalid", "bounce:text"),
    ("bullets and a gateway", (), "Mail Delivery System <postmaster@relay.example>", "Delivery status notification", "============================================================================\n     This is an automatically generated Delivery Status Notification.\n\nDelivery to the following recipients failed permanently:\n\n  * bob@client.example\n\n============================================================================\n                            Technical details:\n\nRouting: Could not find a gateway for bob@client.example\n\n============================================================================\n", "expired", "bounce:google"),
    ("biglobe", ("Return-Path: <MAILER-DAEMON>",), "postmaster@relay.example", "Returned mail: Service unavailable", "   ----- The following addresses had delivery problems -----\nbob@client.example\n\n   ----- Non-delivered information -----\nThe number of messages in recipient's mailbox exceeded the local limit.\n\n", "mailbox_full", "bounce:text"),
    ("mimecast", (NULL,), '"postmaster" <postmaster@client.example>', "[Postmaster] Email Delivery Failure", "This is an automated alert notification. Please do not reply.\n\nAn email that you attempted to send to the following address could not be delivered:\n-- bob@client.example\n\nThe problem appears to be :\n-- Recipient email address is possibly incorrect\n\nAdditional information follows :\n-- 5.4.1 Recipient address rejected: Access denied.\n", "hard_invalid", "bounce:text"),
    ("jetmail", (), '"Jetmail System" <>', "Mail Error", "Your mail cannot be delivered to the following address(es):\n\n bob@client.example \"(0), ErrMsg=mail box space not enough\"\n", "mailbox_full", "bounce:text"),
    ("lines of nobody", (), "E500_SMTP_Mail_Service@client.example", "Returned Mail - Error During Delivery", "------ Failed Recipients ------\n\n<bob@client.example>: Requested action not taken: no such user. [SMTP Error Code 550]\n-------- Returned Mail --------\n\n" + original(), "hard_invalid", "bounce:text"),
    ("fml", ("X-MLServer: fml [fml 4.0.3 release]",), "list-admin@client.example", "NOT MEMBER article from me@sender.example", "You are not a member of this mailing list <list-ctl@client.example>.\n\nbob@client.example: not a member\n", "policy_block", "bounce:text"),
    ("german", (NULL,), "postmaster@client.example", "Unzustellbar: Unser Angebot", "Fehler bei der Nachrichtenzustellung an folgende Empfänger:\n\nbob@client.example\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n", "hard_invalid", "bounce:text"),
    ("french", (NULL,), "postmaster@client.example", "Non remis : Notre offre", "Échec de la remise à ces destinataires :\n\nbob@client.example\nLa boîte aux lettres du destinataire est pleine et n'accepte plus de messages.\n", "mailbox_full", "bounce:text"),
    ("spanish", (NULL,), "postmaster@client.example", "No se puede entregar: Oferta", "No se pudo entregar el mensaje a estos destinatarios:\n\nbob@client.example\nLa dirección de correo electrónico no existe.\n", "hard_invalid", "bounce:text"),
    ("italian", (NULL,), "postmaster@client.example", "Non recapitabile: offerta", "Impossibile recapitare il messaggio:\n\nbob@client.example\nL'indirizzo di posta elettronica immesso non è stato trovato.\n", "hard_invalid", "bounce:text"),
    ("portuguese", (NULL,), "postmaster@client.example", "Não entregue: oferta", "Falha na entrega a estes destinatários:\n\nbob@client.example\nO endereço de email inserido não foi encontrado.\n", "hard_invalid", "bounce:text"),
    ("dutch", (NULL,), "postmaster@client.example", "Onbestelbaar: aanbod", "Bezorging is mislukt:\n\nbob@client.example\nHet postvak van de geadresseerde is vol.\n", "mailbox_full", "bounce:text"),
    ("swedish", (NULL,), "postmaster@client.example", "Olevererbart: erbjudande", "Det gick inte att leverera till:\n\nbob@client.example\nE-postadressen kunde inte hittas.\n", "hard_invalid", "bounce:text"),
    ("danish", (NULL,), "postmaster@client.example", "Kan ikke leveres: tilbud", "Levering mislykkedes:\n\nbob@client.example\nE-mail-adressen blev ikke fundet.\n", "hard_invalid", "bounce:text"),
    ("polish", (NULL,), "postmaster@client.example", "Nie można dostarczyć: oferta", "Nie dostarczono wiadomości:\n\nbob@client.example\nAdres e-mail nie istnieje.\n", "hard_invalid", "bounce:text"),
    ("czech", (NULL,), "postmaster@client.example", "Nedoručitelné: nabídka", "Doručení se nezdařilo:\n\nbob@client.example\nSchránka příjemce je plná.\n", "mailbox_full", "bounce:text"),
    ("russian", (NULL,), "postmaster@client.example", "Недоставленное сообщение", "bob@client.example\nПочтовый ящик переполнен.\n", "mailbox_full", "bounce:text"),
    ("japanese", (NULL,), "postmaster@client.example", "配信不能", "bob@client.example\n宛先のメールアドレスは存在しません。\n", "hard_invalid", "bounce:text"),
    ("chinese, with the fields of the mail", (NULL,), "Postmaster@relay.example", "系统退信", "抱歉,您的邮件被退回来了……\n原邮件信息:\n收件人 bob@client.example\n退信原因: 550 Invalid User\n建议解决方案: 请核对收件人地址\n", "hard_invalid", "bounce:text"),
    ("chinese", (NULL,), "postmaster@client.example", "系统退信", "bob@client.example\n收件人邮箱不存在。\n", "hard_invalid", "bounce:text"),
]  # fmt: skip


@pytest.mark.parametrize(("headers", "sender", "subject", "text", "cls", "rule"), [one[1:] for one in FORMATS], ids=[one[0] for one in FORMATS])  # fmt: skip
def test_a_bounce_is_read_in_its_format(
    headers: tuple[str, ...], sender: str, subject: str, text: str, cls: str, rule: str
) -> None:
    reading = read(mail(text, *headers, sender=sender, subject=subject))
    assert reading is not None
    assert (reading.kind, reading.rule) == (Kind.BOUNCE, rule)
    (one,) = reading.bounce
    assert (one.recipient, one.cls) == (
        "team@googlegroups.com" if "team@" in str(headers) else "bob@client.example",
        cls,
    ), one
    assert one.hard == (cls in ("hard_invalid", "hard_domain", "moved", "inactive"))
    assert len(reading.evidence) >= 1


def test_each_recipient_has_a_fate_of_its_own() -> None:
    text = QMAIL.format(reason="Remote host said: 550 5.1.1 unknown user").replace(
        "--- Below", "<eve@other.example>:\nRemote host said: 452 4.2.2 mailbox full\n\n--- Below"
    )
    reading = read(mail(text + original(), NULL))
    assert reading is not None
    assert [(one.recipient, one.cls, one.hard) for one in reading.bounce] == [
        ("bob@client.example", "hard_invalid", True),
        ("eve@other.example", "mailbox_full", False),
    ]


def test_the_failed_recipients_header_says_who_is_meant() -> None:
    text = EXIM.format(reason="generated from team@client.example\n  host mx [192.0.2.7]: 550 unknown user")
    reading = read(mail(text, NULL, "X-Failed-Recipients: bob@client.example, eve@client.example", sender=DAEMON))
    assert reading is not None
    assert [one.recipient for one in reading.bounce][:1] == ["bob@client.example"]
    assert "team@client.example" not in [one.recipient for one in reading.bounce]


def test_the_original_is_cut_off_and_not_judged() -> None:
    reading = read(mail(EXIM.format(reason="no reason given") + original(), NULL, sender=DAEMON))
    assert reading is not None
    assert reading.ignored == ("embedded_original",)
    assert [(one.cls, one.hard) for one in reading.bounce] == [("unknown", False)]


def test_a_bounce_that_a_server_forwards_is_read() -> None:
    inner = mail(QMAIL.format(reason="Remote host said: 550 5.1.1 unknown user"), NULL).decode()
    outer = 'From: "Mail Delivery Subsystem" <daemon@relay.example>\r\nTo: me@sender.example\r\nSubject: Notification\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n'
    reading = read(f"{outer}--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n".encode())
    assert reading is not None
    assert [(one.recipient, one.cls) for one in reading.bounce] == [("bob@client.example", "hard_invalid")]


def test_somebody_who_wrote_to_himself_is_found() -> None:
    text = QMAIL.format(reason="Remote host said: 552 disk quota exceeded").replace("bob@client", "me@sender")
    reading = read(mail(text, NULL))
    assert reading is not None
    assert [one.recipient for one in reading.bounce] == ["me@sender.example"]


def test_fields_that_a_relay_moved_into_the_text_are_read() -> None:
    fields = "Final-Recipient: rfc822; bob@client.example\nAction: failed\nStatus: 5.1.1\nDiagnostic-Code: smtp; 550 5.1.1\n    User unknown\n"
    reading = read(mail("Your mail was not delivered.\n\n" + fields, NULL, sender=DAEMON))
    assert reading is not None
    assert [(one.recipient, one.cls, one.code, one.enhanced) for one in reading.bounce] == [
        ("bob@client.example", "hard_invalid", 550, "5.1.1")
    ]


@pytest.mark.parametrize(
    ("subject", "text"),
    [
        ("Delivery Status Notification (Delay)", "This is an automatically generated Delivery Status Notification\n\nTHIS IS A WARNING MESSAGE ONLY.\n\nYOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nDelivery to the following recipient has been delayed:\n\n     bob@client.example\n\nMessage will be retried for 2 more day(s)\n"),
        ("Warning: message 1abc-000 delayed 24 hours", "This message was created automatically by mail delivery software.\n\nThe address to which the message has not yet been delivered is:\n\n  bob@client.example\n    Delay reason: 450 user unknown\n\nNo action is required on your part. Delivery attempts will continue for\nsome time.\n"),
        ("Mail Delivery Warning", 'This is an advisory-only email.\nDelivery of email to this address\n"bob@client.example"\nhas been postponed due to a full mailbox.\n'),
    ],
)  # fmt: skip
def test_a_warning_is_a_delay_and_nothing_final(subject: str, text: str) -> None:
    reading = read(mail(text, NULL, sender=DAEMON, subject=subject))
    assert reading is not None
    assert reading.kind is Kind.DELAYED
    assert [(one.recipient, one.hard, one.action) for one in reading.bounce] == [("bob@client.example", False, "defer")]


PERSON = "Bob Client <bob@client.example>"
QUOTED = "> This is the mail system at host relay.example.\n> <eve@client.example>: 550 5.1.1 user unknown\n"

# sender, headers, subject, text
LOOK_ALIKES: dict[str, tuple[str, tuple[str, ...], str, str]] = {
    "a reply that quotes a bounce": (PERSON, ("In-Reply-To: <s.1@sender.example>",), "Re: Undelivered Mail Returned to Sender", f"Eve has left, write to me instead.\n\nOn Tue, Nov 3, 2026 Mail Delivery System wrote:\n{QUOTED}"),
    "a forward of a bounce": (PERSON, (), "Fwd: Returned mail: see transcript for details", f"Look what I got. Can you check?\n\nBegin forwarded message:\n\n{QUOTED}"),
    "a forward with words of its own": (PERSON, (), "Fwd: Undelivered Mail Returned to Sender", "What you sent to eve@client.example could not be delivered, 550 5.1.1. Please resend it to me."),
    "a person who tells of a bounce": (PERSON, ("In-Reply-To: <s.1@sender.example>",), "Re: Our offer", "Hi, my mail to Eve came back with 550 5.1.1 user unknown, it could not be delivered. Do you know her new address?"),
    "a person whose answer is titled so": (PERSON, ("In-Reply-To: <s.1@sender.example>",), "Undeliverable parcels: your offer", "We could not deliver the parcel to bob@client.example. Please call me."),
    "a postmaster who answers": ("Pat Postmaster <postmaster@client.example>", ("In-Reply-To: <s.1@sender.example>",), "Re: Our offer", "Hello, your first mail was rejected by our filter with 550 5.7.1, I have let you through now. Regards, Pat"),
    "an absence with a null return path": (PERSON, (NULL, "Auto-Submitted: auto-replied"), "Automatic reply: Our offer", "I am out of the office until 9 November. Your mail will not be delivered to anybody else."),
    "an absence with a number like a code": (PERSON, (NULL, "Auto-Submitted: auto-replied"), "Automatic reply: Our offer", "I am back on 9 November. In urgent cases call +49 550 5123 or room 550 in building 4."),
    "a challenge": (PERSON, (NULL,), "Please confirm your message: Our offer", "Your message was not delivered yet. Click to deliver it: https://challenge.example/x"),
    "someone who has left": (PERSON, (NULL, "Auto-Submitted: auto-replied"), "Automatic reply: Our offer", "I no longer work at Client. This mailbox is not monitored and your message was not delivered to anyone."),
    "a shop's delivery status": ("Shop <postmaster@shop.example>", (), "Delivery status: on its way", "Your order will arrive on Friday."),
    "a newsletter about delivery": ("News <bounce@news.example>", (), "Delivery news for November", "Our couriers deliver faster. See order 550 of 2026."),
    "a shop's failed parcel": ("Parcels <service@parcels.example>", (), "Delivery failed: parcel 5512", "We were unable to deliver your parcel today and will try again tomorrow."),
}  # fmt: skip


@pytest.mark.parametrize(("sender", "headers", "subject", "text"), LOOK_ALIKES.values(), ids=LOOK_ALIKES.keys())
def test_what_looks_like_a_bounce_is_none(sender: str, headers: tuple[str, ...], subject: str, text: str) -> None:
    assert read(mail(text, *headers, sender=sender, subject=subject)) is None
