"""The refusal table, on replies as real servers word them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mail.refusals import DAY, judge, judge_bounce

# (code, text, class, scope, action)
RCPT: list[tuple[int, str, str, str, str]] = [
    # dead addresses
    (
        550,
        "5.1.1 The email account that you tried to reach does not exist. Please try\n5.1.1 double-checking the recipient's email address for typos\n5.1.1 or unnecessary spaces. NoSuchUser - gsmtp",
        "hard_invalid",
        "contact",
        "bounce_hard",
    ),
    (550, "5.1.1 <bob@acme.example>: Recipient address rejected: User unknown in virtual mailbox table", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.4.1 Recipient address rejected: Access denied. [AM0EUR02FT001.eop-EUR02.prod.protection.outlook.com]", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.5.0 Requested action not taken: mailbox unavailable (S2017062302).", "hard_invalid", "contact", "bounce_hard"),
    (554, "delivery error: dd This user doesn't have a yahoo.com account (bob@yahoo.com) [0] - mta1.mail.yahoo.com", "hard_invalid", "contact", "bounce_hard"),
    (552, "1 Requested mail action aborted, mailbox not found", "hard_invalid", "contact", "bounce_hard"),
    (550, "No such user here", "hard_invalid", "contact", "bounce_hard"),
    (550, "sorry, no mailbox here by that name (#5.1.1)", "hard_invalid", "contact", "bounce_hard"),
    (550, "Unknown user", "hard_invalid", "contact", "bounce_hard"),
    (550, "Invalid recipient bob@acme.example", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.1.1 unknown or illegal alias: bob@acme.example", "hard_invalid", "contact", "bounce_hard"),
    (553, "5.1.3 The recipient address is not a valid RFC-5321 address.", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.1.1 nope", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.1.0 Address rejected.", "hard_invalid", "contact", "bounce_hard"),
    (550, "5.1.1 <spam-disabled@acme.example>: user unknown", "hard_invalid", "contact", "bounce_hard"),
    (556, "5.1.10 Recipient address rejected: Domain acme.example does not accept mail (nullMX)", "hard_domain", "contact", "bounce_hard"),
    (550, "5.1.2 Host unknown (Name server: acme.example: host not found)", "hard_domain", "contact", "bounce_hard"),
    (550, "5.4.4 Invalid domain", "hard_domain", "contact", "bounce_hard"),
    (450, "4.1.2 <bob@acme.example>: Recipient address rejected: Domain not found", "hard_domain", "contact", "defer"),
    (521, "acme.example does not speak SMTP today", "hard_domain", "contact", "bounce_hard"),
    (551, "User not local; please try <bob@new.example>", "moved", "contact", "bounce_hard"),
    (550, "5.1.6 Recipient has moved, new address is bob@new.example", "moved", "contact", "bounce_hard"),
    (550, "5.2.1 The email account that you tried to reach is disabled. DisabledUser - gsmtp", "inactive", "contact", "bounce_hard"),
    (554, "30 Sorry, your message to bob@yahoo.com cannot be delivered. This mailbox is disabled (554.30).", "inactive", "contact", "bounce_hard"),
    (552, "5.2.2 The email account that you tried to reach is over quota and inactive. - gsmtp", "inactive", "contact", "bounce_hard"),
    (550, "Account has been suspended by the provider", "inactive", "contact", "bounce_hard"),
    # a temporary answer never bounces
    (450, "4.1.1 <bob@acme.example>: Recipient address rejected: unverified address: Address verification in progress", "hard_invalid", "contact", "defer"),
    (450, "Requested mail action not taken: mailbox unavailable", "greylist", "contact", "defer"),
    # full
    (452, "4.2.2 The email account that you tried to reach is over quota. Please direct\n4.2.2 the recipient to https://support.google.com/mail/?p=OverQuotaTemp - gsmtp", "mailbox_full", "contact", "defer"),
    (552, "5.2.2 <bob@acme.example>: Recipient address rejected: Mailbox is full / quota exceeded", "mailbox_full", "contact", "defer"),
    (552, "Requested mail action aborted: exceeded storage allocation", "mailbox_full", "contact", "defer"),
    (452, "4.3.1 Insufficient system storage", "mailbox_full", "contact", "defer"),
    (550, "5.7.1 Mailbox size limit reached for bob", "mailbox_full", "contact", "defer"),
    # greylists
    (450, "4.2.0 <bob@acme.example>: Recipient address rejected: Greylisted, see http://postgrey.schweikert.ch/help/acme.example.html", "greylist", "contact", "defer"),
    (451, "4.7.1 Greylisting in action, please come back in 00:05:00", "greylist", "contact", "defer"),
    (451, "4.7.1 Please try again later", "greylist", "contact", "defer"),
    # rates
    (450, "4.2.1 The user you are trying to contact is receiving mail too quickly. Please resend later. - gsmtp", "rate_limited", "contact", "defer"),
    (550, "5.2.1 The user you are trying to contact is receiving mail at a rate that prevents additional messages from being delivered.", "rate_limited", "contact", "defer"),
    (421, "4.7.28 Gmail has detected an unusual rate of unsolicited mail originating from your IP address.", "rate_limited", "mailbox", "defer_mailbox"),
    (421, "4.7.0 [TSS04] Messages from 192.0.2.1 temporarily deferred due to unexpected volume or user complaints - 4.16.55.1", "rate_limited", "mailbox", "defer_mailbox"),
    (451, "4.7.500 Server busy. Please try again later from [192.0.2.1]. (S77719)", "rate_limited", "mailbox", "defer_mailbox"),
    (451, "4.7.650 The mail server [192.0.2.1] has been temporarily rate limited due to IP reputation.", "rate_limited", "mailbox", "defer_mailbox"),
    (421, "RP-001 (SNT004-MC1F43) Unfortunately, some messages from 192.0.2.1 weren't sent.", "rate_limited", "mailbox", "defer_mailbox"),
    (432, "4.3.2 STOREDRV.ClientSubmit; sender thread limit exceeded", "rate_limited", "mailbox", "defer_mailbox"),
    (452, "4.5.3 Error: too many recipients", "rate_limited", "mailbox", "defer_mailbox"),
    (454, "Throttling failure: Maximum sending rate exceeded.", "rate_limited", "mailbox", "defer_mailbox"),
    (550, "5.7.1 Your message was rate limited", "rate_limited", "mailbox", "defer_mailbox"),
    # our quota
    (550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail\n5.4.5 sending limits go to https://support.google.com/a/answer/166852 - gsmtp", "sender_quota", "mailbox", "hold_mailbox"),
    (550, "5.7.705 Access denied, tenant has exceeded threshold", "sender_quota", "mailbox", "hold_mailbox"),
    (554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Submission quota exceeded", "sender_quota", "mailbox", "hold_mailbox"),
    (450, "4.2.1 Peak SMTP relay limit exceeded for customer.", "sender_quota", "mailbox", "hold_mailbox"),
    (454, "Throttling failure: Daily message quota exceeded.", "sender_quota", "mailbox", "hold_mailbox"),
    (550, "You have exceeded your hourly sending limit", "sender_quota", "mailbox", "hold_mailbox"),
    # spam and lists
    (550, "5.7.1 [192.0.2.1 12] Our system has detected that this message is likely unsolicited mail. To reduce the\n5.7.1 amount of spam sent to Gmail, this message has been blocked.", "spam_block", "mailbox", "bounce_spam"),
    (550, "5.7.28 Mail flood detected", "spam_block", "mailbox", "bounce_spam"),
    (553, "5.7.1 [BL21] Connections will not be accepted from 192.0.2.1, because the ip is in Spamhaus's list", "spam_block", "mailbox", "bounce_spam"),
    (421, "4.7.1 [TS03] All messages from 192.0.2.1 will be permanently deferred", "spam_block", "mailbox", "defer_mailbox"),
    (550, "5.7.1 Unfortunately, messages from [192.0.2.1] weren't sent. Please contact your Internet service provider since part of their network is on our block list (S3150).", "spam_block", "mailbox", "bounce_spam"),
    (550, "5.7.606 Access denied, banned sending IP [192.0.2.1]", "spam_block", "mailbox", "bounce_spam"),
    (550, "SC-001 (COL004-MC1F5) Unfortunately, messages from 192.0.2.1 weren't sent.", "spam_block", "mailbox", "bounce_spam"),
    (554, "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org", "spam_block", "mailbox", "bounce_spam"),
    (554, "IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.t-online.de to clarify.)", "spam_block", "mailbox", "bounce_spam"),
    (554, "Your access to this mail system has been rejected due to the sending MTA's poor reputation.", "spam_block", "mailbox", "bounce_spam"),
    (550, "High probability of spam", "spam_block", "mailbox", "bounce_spam"),
    # policies
    (554, "5.7.9 Message not accepted for policy reasons. See https://postmaster.yahooinc.com/error-codes", "policy_block", "message", "bounce_spam"),
    (550, "5.7.1 The user or domain that you are sending to (or from) has a policy that prohibited the mail that you sent. p=gcdp", "policy_block", "message", "bounce_spam"),
    (550, "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; Delivery restriction check failed because the sender was not authenticated when sending to this group", "policy_block", "contact", "bounce_spam"),
    (550, "5.7.133 Sender is not allowed", "policy_block", "contact", "bounce_spam"),
    (554, "Reject due to policy restrictions. For explanation visit https://postmaster.gmx.net/en/case", "policy_block", "message", "bounce_spam"),
    (550, "Administrative prohibition - envelope blocked", "policy_block", "message", "bounce_spam"),
    (550, "5.1.0 Sender rejected", "policy_block", "message", "bounce_spam"),
    (550, "5.1.1 Message blocked by the recipient", "policy_block", "contact", "bounce_spam"),
    (550, "5.7.1 Message rejected", "policy_block", "message", "bounce_spam"),
    # our domain's authentication
    (550, "5.7.26 This mail has been blocked because the sender is unauthenticated. Gmail requires all senders to authenticate with either SPF or DKIM.", "auth_failure", "domain", "hold_mailbox"),
    (550, "5.7.515 Access denied, sending domain ACME.EXAMPLE does not meet the required authentication level.", "auth_failure", "domain", "hold_mailbox"),
    (550, "5.7.1 Unauthenticated email from acme.example is not accepted due to domain's DMARC policy.", "auth_failure", "domain", "hold_mailbox"),
    (450, "4.7.25 Client host rejected: cannot find your reverse hostname, [192.0.2.1]", "auth_failure", "domain", "hold_mailbox"),
    (421, "4.7.32 Your email has been rate limited because the From: header (RFC5322) in this message isn't aligned with either the authenticated SPF or DKIM organizational domain.", "auth_failure", "domain", "hold_mailbox"),
    (550, "5.7.23 The message was rejected because of Sender Policy Framework violation", "auth_failure", "domain", "hold_mailbox"),
    # our settings
    (530, "5.7.0 Must issue a STARTTLS command first. - gsmtp", "own_config", "mailbox", "hold_mailbox"),
    (553, "5.7.1 <me@acme.example>: Sender address rejected: not owned by user me2@acme.example", "own_config", "mailbox", "hold_mailbox"),
    (550, "5.1.8 <me@acme.example>: Sender address rejected: Domain not found", "own_config", "mailbox", "hold_mailbox"),
    (554, "5.7.1 <bob@other.example>: Relay access denied", "own_config", "mailbox", "hold_mailbox"),
    (553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", "own_config", "mailbox", "hold_mailbox"),
    (550, "5.7.60 SMTP; Client does not have permissions to send as this sender", "own_config", "mailbox", "hold_mailbox"),
    (554, "Message rejected: Email address is not verified. The following identities failed the check", "own_config", "mailbox", "hold_mailbox"),
    (550, "5.7.1 <ucm>: Helo command rejected: Host not found", "own_config", "mailbox", "hold_mailbox"),
    (550, "Sender verify failed", "own_config", "mailbox", "hold_mailbox"),
    (530, "Authentication required", "own_config", "mailbox", "hold_mailbox"),
    # content
    (552, "5.3.4 Message size exceeds fixed limit", "content", "message", "not_sent_content"),
    (552, "5.7.0 This message was blocked because its content presents a potential security issue.", "content", "message", "not_sent_content"),
    (550, "5.7.1 Messages missing a valid Message-ID header are not accepted.", "content", "message", "not_sent_content"),
    (554, "5.6.0 Corrupt message", "content", "message", "not_sent_content"),
    (554, "5.7.1 Virus found: Eicar-Test-Signature", "content", "message", "not_sent_content"),
    (550, "5.4.310 DNS domain client.example does not exist [Message=InfoDomainNonexistent]", "hard_domain", "contact", "bounce_hard"),
    (554, "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message", "sender_quota", "mailbox", "hold_mailbox"),
    (550, "5.4.6 Unusual sending activity detected. Please try after sometime", "sender_quota", "mailbox", "hold_mailbox"),
    (550, "5.7.1 unusual sending activity detected from your IP, message blocked as spam", "spam_block", "mailbox", "bounce_spam"),
    (550, "permanent failure for one or more recipients (bob@client.example:blocked)", "policy_block", "message", "bounce_spam"),
    (530, "5.7.57 Client not authenticated to send mail.", "own_config", "mailbox", "hold_mailbox"),
    # routes
    (554, "5.4.6 Too many hops 26 (25 max)", "expired", "contact", "defer"),
    (451, "4.4.1 Connection timed out", "expired", "contact", "defer"),
    (550, "4.4.7 Delivery time expired", "expired", "contact", "defer"),
    # the same Message-ID again
    (421, "4.7.28 Gmail has detected that this message exceeded the quota for sending\n4.7.28 messages that have the same Message-ID. To best protect our users, the message has been temporarily rejected.", "duplicate_message_id", "message", "unknown"),
    # nothing known
    (550, "", "unknown", "message", "defer"),
    (550, "No", "unknown", "message", "defer"),
    (554, "Transaction failed", "unknown", "message", "defer"),
    (451, "Requested action aborted: local error in processing", "unknown", "message", "defer"),
    (421, "mx.acme.example Service not available, closing transmission channel", "unknown", "message", "defer"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "text", "cls", "scope", "action"), RCPT)
def test_a_reply_at_rcpt_is_judged(code: int, text: str, cls: str, scope: str, action: str) -> None:
    refusal = judge(code, text)
    assert (refusal.cls, refusal.scope, refusal.action) == (cls, scope, action), refusal
    assert refusal.hard == (action == "bounce_hard")


@pytest.mark.parametrize(
    ("code", "text", "phase", "cls", "action"),
    [
        (554, "mx.acme.example ESMTP not accepting connections: 192.0.2.1 is listed in Spamhaus", "greeting", "spam_block", "hold_mailbox"),
        (554, "No SMTP service here", "greeting", "own_config", "hold_mailbox"),
        (421, "4.3.2 Service not available", "greeting", "rate_limited", "defer_mailbox"),
        (421, "Too many connections from your host", "connect", "rate_limited", "defer_mailbox"),
        (550, "Unknown user in EHLO", "ehlo", "own_config", "hold_mailbox"),
        (454, "4.7.0 TLS not available due to temporary reason", "starttls", "rate_limited", "defer_mailbox"),
        (535, "5.7.8 Username and Password not accepted. For more information, go to https://support.google.com/mail/?p=BadCredentials - gsmtp", "auth", "own_config", "hold_mailbox"),
        (534, "5.7.9 Application-specific password required. For more information, go to https://support.google.com", "auth", "own_config", "hold_mailbox"),
        (535, "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.", "auth", "own_config", "hold_mailbox"),
        (535, "5.7.3 Authentication unsuccessful", "auth", "own_config", "hold_mailbox"),
        (535, "user does not exist", "auth", "own_config", "hold_mailbox"),
        (525, "5.7.13 User account disabled", "auth", "own_config", "hold_mailbox"),
        (454, "4.7.0 Temporary authentication failure", "auth", "own_config", "defer_mailbox"),
        (550, "5.7.1 <me@acme.example>: Sender address rejected: not logged in", "mail", "own_config", "hold_mailbox"),
        (550, "Mailbox unavailable", "mail", "own_config", "hold_mailbox"),
        (450, "4.7.1 Greylisted, come back later", "mail", "unknown", "defer_mailbox"),
        (552, "5.3.4 Message size exceeds fixed maximum message size", "mail", "content", "not_sent_content"),
        (554, "Transaction failed", "final", "content", "not_sent_content"),
        (554, "5.7.1 This message looks like spam to us", "final", "spam_block", "bounce_spam"),
        (550, "5.1.1 User unknown", "final", "hard_invalid", "bounce_hard"),
        (451, "4.3.0 Try again", "final", "unknown", "defer"),
    ],
)  # fmt: skip
def test_the_phase_decides_whom_a_reply_concerns(code: int, text: str, phase: str, cls: str, action: str) -> None:
    refusal = judge(code, text, phase=phase)
    assert (refusal.cls, refusal.action) == (cls, action), refusal


def test_lines_are_joined_and_a_repeated_code_stands_once() -> None:
    refusal = judge(550, "550-5.1.1 The account that you tried\n550 5.1.1 to reach does not exist.")
    assert refusal.text == "5.1.1 The account that you tried to reach does not exist."
    assert refusal.enhanced == "5.1.1"
    assert refusal.cls == "hard_invalid"


def test_an_ip_address_is_not_an_enhanced_code() -> None:
    assert judge(550, "connect from 5.1.1.7 refused for 2.5.1.1").enhanced is None


def test_an_unknown_5xx_waits_a_day_and_blames_nobody() -> None:
    refusal = judge(550, "quux")
    assert (refusal.hard, refusal.permanent, refusal.retry_after_seconds) == (False, True, DAY)


@pytest.mark.parametrize(
    ("code", "text", "seconds"),
    [
        (451, "4.7.1 Greylisting in action, please come back in 00:20:00", 1200),
        (450, "Greylisted for 60 seconds: try again in 60 seconds", 300),
        (450, "Greylisted, try again in 10 minutes", 600),
        (421, "Too many messages, retry in 2 hours", 7200),
        (452, "4.2.2 over quota", DAY),
        (550, "5.4.5 Daily user sending limit exceeded", DAY),
        (451, "local error", None),
    ],
)
def test_a_wait_that_the_server_names_is_kept(code: int, text: str, seconds: int | None) -> None:
    assert judge(code, text).retry_after_seconds == seconds


def test_a_bounce_text_without_code_is_judged_by_its_enhanced_code() -> None:
    assert judge(0, "Diagnostic-Code: smtp; 550 5.1.1 gone", phase="bounce").action == "bounce_hard"
    assert judge(0, "delivery delayed 4.4.1", phase="bounce").action == "defer"


# wording of a bounce, class: what servers say when they gave up, in words only
BOUNCED: list[tuple[str, str]] = [
    ("User unknown", "hard_invalid"),
    ("450 4.1.1 <bob@acme.example>: Recipient address rejected: User unknown", "hard_invalid"),
    ("does not like recipient", "hard_invalid"),
    ("550 <bob@acme.example>: Recipient address rejected.", "hard_invalid"),
    ("542 bob@acme.example Rejected", "hard_invalid"),
    ("User bob (bob@acme.example) not listed in Domino Directory", "hard_invalid"),
    ("bob (bob@acme.example) は Domino ディレクトリには見つかりません", "hard_invalid"),
    ("Die E-Mail-Adresse des Empfängers wurde nicht gefunden", "hard_invalid"),
    ("L'adresse du destinataire est introuvable", "hard_invalid"),
    ("550 5.1.1 LPN416 Adresse d au moins un destinataire invalide", "hard_invalid"),
    ("550 5.1.1 RCP-P1 http://postmaster.facebook.example", "hard_invalid"),
    ("Host or domain name not found. Name service error for name=acme.example type=A: Host not found", "hard_domain"),
    ("DNS type 'mx' lookup of acme.example responded with code NXDOMAIN", "hard_domain"),
    ("an MX or SRV record indicated no SMTP service", "hard_domain"),
    ("Der Mailserver der Domain acme.example wurde nicht gefunden, die Domain existiert nicht", "hard_domain"),
    ("550 5.1.6 recipient no longer on server: bob@acme.example", "moved"),
    ("The user(s) account is disabled.", "inactive"),
    ("Le compte du destinataire est bloque. LPN007_426", "inactive"),
    ("552 too much mail data", "mailbox_full"),
    ("Почтовый ящик получателя переполнен", "mailbox_full"),
    ("552 5.1.1 Boite du destinataire pleine. OFR_417", "mailbox_full"),
    ("Name service error for domain acme.example: Host not found, try again", "expired"),
    ("delivery temporarily suspended: connect to mx.acme.example: Connection refused", "expired"),
    ("this message has been in the queue too long", "expired"),
    ("Command died with status 1: procmail", "expired"),
    ("mail for acme.example loops back to myself", "expired"),
    ("Service currently unavailable", "expired"),
    ("452 4.3.1 no words known", "mailbox_full"),
    ("421 no words known", "expired"),
    ("552 5.2.3 RESOLVER.RST.RecipSizeLimit; message too large for this recipient", "content"),
    ("The group you tried to contact (team) may not exist, or you may not have permission to post messages", "policy_block"),
    ("550 5.7.1 Your email to group team was rejected due to spam classification. See SPF and DKIM", "spam_block"),
    ("550 5.1.0 sender rejected. AUP#In-1310", "rate_limited"),
    ("550 5.7.1 Connections not accepted from servers without a valid sender domain. Fix reverse DNS for 192.0.2.1", "auth_failure"),
    ("550 mailbox unavailable or access denied http://service.mail.qq.com/x", "rate_limited"),
    ("550 nobody knows what this is about", "unknown"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "cls"), BOUNCED)
def test_the_words_of_a_bounce_are_judged(text: str, cls: str) -> None:
    refusal = judge_bounce([text])
    assert refusal.cls == cls, refusal
    assert refusal.hard == (cls in ("hard_invalid", "hard_domain", "moved", "inactive"))


def test_of_several_texts_the_first_that_says_something_decides_and_codes_come_last() -> None:
    assert judge_bounce(["550 5.1.1 no", "the mailbox is full"]).cls == "mailbox_full"
    assert judge_bounce(["550 user unknown", "the mailbox is full"]).cls == "hard_invalid"
    assert judge_bounce(["554 5.0.0 Service unavailable", "550 spam is not accepted"]).cls == "spam_block"
    assert judge_bounce(["550 no", ""], "5.2.2").cls == "mailbox_full"
    assert judge_bounce([], "5.1.1").hard
    assert judge_bounce([]).cls == "unknown"


@pytest.mark.parametrize(
    ("text", "cls"),
    [
        ("550 user unknown (in reply to RCPT TO command)", "hard_invalid"),
        ("550 user unknown (in reply to MAIL FROM command)", "policy_block"),
        ("SMTP error from remote mail server after EHLO mx.sender.example: 550 unknown host", "policy_block"),
        ("host mx.acme.example refused to talk to me: 554 no", "policy_block"),
        (">>> MAIL From:<me@sender.example>\n<<< 550 no such user", "policy_block"),
        ("550 no thanks (in reply to end of DATA command)", "content"),
        ("552 mailbox full (in reply to MAIL FROM command)", "mailbox_full"),
    ],
)
def test_what_was_refused_before_a_recipient_was_named_is_not_about_the_recipient(text: str, cls: str) -> None:
    assert judge_bounce([text]).cls == cls


def test_a_server_that_gave_up_after_4xx_is_final_and_the_same_reply_at_send_time_is_not() -> None:
    text = "4.1.1 User unknown"
    assert judge(450, text, phase="bounce").action == "bounce_hard"
    assert judge(450, text).action == "defer"
    assert judge_bounce(["450 4.2.0 mailbox unavailable"]).hard is False


PHASES = ["connect", "greeting", "ehlo", "starttls", "auth", "mail", "rcpt", "data", "final", "reset", "bounce"]
WORDS = st.sampled_from(sorted({word for case in RCPT for word in case[1].split()}))


@given(st.integers(400, 599), st.one_of(st.text(), st.lists(WORDS).map(" ".join)), st.sampled_from(PHASES))
def test_whatever_the_words_the_limits_hold(code: int, text: str, phase: str) -> None:
    refusal = judge(code, text, phase=phase)
    if code < 500 and phase != "bounce":
        assert refusal.action in {"defer", "defer_mailbox", "hold_mailbox", "unknown"}
    if phase in PHASES[:6]:
        waits = phase == "mail" and refusal.scope == "message" and refusal.action == "defer"  # its size, say
        assert waits or refusal.action in {"defer_mailbox", "hold_mailbox", "not_sent_content"}
        assert refusal.scope != "contact"
    if refusal.hard:
        assert refusal.scope == "contact"
        assert refusal.permanent or phase == "bounce"
