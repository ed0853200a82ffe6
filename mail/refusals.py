"""What a refusal means: THE table for SMTP replies at send time and for the texts in bounces.

Text comes first and codes second, because codes lie: 550 5.2.1 at Gmail is a disabled account or somebody who
receives mail too fast; 550 5.7.1 is spam, policy, rate or a missing Message-ID; 550 5.4.1 at Microsoft is an unknown
recipient. Order: provider texts, generic texts, enhanced code (RFC 3463, IANA; vague words beat all but X.7), basic code
(RFC 5321 4.2.3), unknown.
This is the only place of Onward in which a reply's wording decides anything.

Decisions beyond the sources:

- 4xx never bounces a contact, whatever the text says (RFC 5321 4.2.1: temporary).
- `hard` needs evidence that the address is dead: a text that says so, or 5.1.x and its kin. A bare 550 is not that:
  RFC 5321 gives it for policy too.
- A 5xx that nothing explains is `unknown` and deferred by a day; its sender should try once more and then stop with
  `delivery_failed` and the reply, for a person to read. RFC 5321 asks not to repeat a 5xx; one repetition after a
  day is the price of not burying a contact for a reply nobody understands. After the body, an unexplained 5xx is
  about the message: `content`.
- A full mailbox is not a dead one: deferred by a day, also as 5xx.
- Whatever is refused before MAIL concerns our login or host, never a contact or message; at MAIL the sender too.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Scope = Literal["contact", "mailbox", "domain", "message"]
Action = Literal[
    "bounce_hard",  # the contact is Bounced, kind hard_bounce
    "bounce_spam",  # the contact is Bounced, kind spam_block
    "defer",  # this message again later
    "defer_mailbox",  # the mailbox backs off, the message waits
    "hold_mailbox",  # mailbox_down: login, quota, configuration; no contact is touched
    "not_sent_content",  # Not Sent, content_rejected
    "unknown",  # may have been delivered before: ambiguous, never sent again by itself
]

DAY = 86_400
GREYLIST_WAIT = 300
"""Least wait in seconds after greylisting; most lists ask for five minutes."""


_MAX_TEXT = 4_000
"""Characters of a reply that are looked at and kept."""


class Cause(StrEnum):
    """Why it was refused."""

    HARD_INVALID = "hard_invalid"
    HARD_DOMAIN = "hard_domain"
    MOVED = "moved"
    INACTIVE = "inactive"
    MAILBOX_FULL = "mailbox_full"
    GREYLIST = "greylist"
    RATE_LIMITED = "rate_limited"
    SENDER_QUOTA = "sender_quota"
    SPAM_BLOCK = "spam_block"
    POLICY_BLOCK = "policy_block"
    AUTH_FAILURE = "auth_failure"
    OWN_CONFIG = "own_config"
    CONTENT = "content"
    EXPIRED = "expired"
    DUPLICATE_MESSAGE_ID = "duplicate_message_id"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Refusal:
    """The judgement of one reply.

    `hard`: evidence that the address is dead (then `action` is `bounce_hard`). `permanent`: the server said 5xx.
    `retry_after_seconds`: how long to wait at least where something is known of it; for `hold_mailbox` with a quota,
    how long a working login proves nothing. `enhanced`: the RFC 3463 code, if there is one. `text`: the reply on one
    line. `source`: the rule that decided, for the log and for people.
    """

    cls: Cause
    scope: Scope
    action: Action
    hard: bool
    permanent: bool
    enhanced: str | None
    text: str
    source: str
    retry_after_seconds: int | None = None


@dataclass(frozen=True)
class _Effect:
    scope: Scope
    permanent: Action
    temporary: Action
    retry_after: int | None = None


_EFFECTS: dict[Cause, _Effect] = {
    Cause.HARD_INVALID: _Effect("contact", "bounce_hard", "defer"),
    Cause.HARD_DOMAIN: _Effect("contact", "bounce_hard", "defer"),
    Cause.MOVED: _Effect("contact", "bounce_hard", "defer"),
    Cause.INACTIVE: _Effect("contact", "bounce_hard", "defer"),
    Cause.MAILBOX_FULL: _Effect("contact", "defer", "defer", DAY),
    Cause.GREYLIST: _Effect("contact", "defer", "defer", GREYLIST_WAIT),
    Cause.RATE_LIMITED: _Effect("mailbox", "defer_mailbox", "defer_mailbox"),
    Cause.SENDER_QUOTA: _Effect("mailbox", "hold_mailbox", "hold_mailbox", DAY),
    Cause.SPAM_BLOCK: _Effect("mailbox", "bounce_spam", "defer_mailbox"),
    Cause.POLICY_BLOCK: _Effect("message", "bounce_spam", "defer"),
    Cause.AUTH_FAILURE: _Effect("domain", "hold_mailbox", "hold_mailbox"),
    Cause.OWN_CONFIG: _Effect("mailbox", "hold_mailbox", "hold_mailbox"),
    Cause.CONTENT: _Effect("message", "not_sent_content", "defer"),
    Cause.EXPIRED: _Effect("contact", "defer", "defer", DAY),
    Cause.DUPLICATE_MESSAGE_ID: _Effect("message", "unknown", "unknown"),
    Cause.UNKNOWN: _Effect("message", "defer", "defer"),
}
_HARD = frozenset({Cause.HARD_INVALID, Cause.HARD_DOMAIN, Cause.MOVED, Cause.INACTIVE})


@dataclass(frozen=True)
class _Rule:
    cause: Cause
    pattern: re.Pattern[str]
    source: str
    scope: Scope | None  # where it differs from the cause's own
    only: int | None  # 4 or 5: the first digit it is about


def _rule(cause: Cause, pattern: str, source: str, *, scope: Scope | None = None, only: int | None = None) -> _Rule:
    return _Rule(cause, re.compile(pattern, re.IGNORECASE), source, scope, only)


_PROVIDERS: tuple[_Rule, ...] = (
    # Google: support.google.com/a/answer/3726730, "SMTP errors and codes"
    _rule(Cause.DUPLICATE_MESSAGE_ID, r"same message-?id", "Gmail 4.7.28"),
    _rule(
        Cause.RATE_LIMITED, r"receiving (mail|messages) (at a rate|too quickly)", "Gmail 4.2.1, 5.2.1", scope="contact"
    ),
    _rule(
        Cause.SENDER_QUOTA,
        r"daily (user |smtp relay )?sending (limit|quota)|smtp relay (sending )?(limit|quota)|peak smtp relay",
        "Gmail 5.4.5, 4.2.1, 5.7.1",
    ),
    _rule(Cause.RATE_LIMITED, r"unusual(ly high)? (rate|amount|number) of (unsolicited )?(mail|e-?mail|messages)", "Gmail 4.7.28", only=4),
    _rule(Cause.INACTIVE, r"disableduser|over quota and inactive|storage space and inactive", "Gmail 5.2.1, 5.2.2"),
    _rule(Cause.CONTENT, r"not (rfc ?5322|rfc ?2822|standards) compliant|(missing|valid) message-?id|(duplicate|multiple) .{0,20}headers?\b", "Gmail 5.7.1"),
    _rule(Cause.POLICY_BLOCK, r"sending to \(or from\) has a policy|p=gcdp", "Gmail 5.7.1"),
    _rule(Cause.OWN_CONFIG, r"application-specific password|log ?in (with|via) your web browser|p=(badcredentials|webloginrequired|invalidsecondfactor)", "Gmail 5.7.8, 5.7.9, 5.7.14"),
    # Microsoft: learn.microsoft.com "Email non-delivery reports in Exchange Online"; sendersupport.olc.protection.outlook.com
    _rule(Cause.HARD_INVALID, r"resolver\.adr\.(ex)?recip(ient)?notfound|recipientnotfound", "Exchange 5.1.1, 5.1.10"),
    _rule(Cause.HARD_INVALID, r"recipient address rejected: access denied", "Exchange Online 5.4.1, DBEB"),
    _rule(Cause.SENDER_QUOTA, r"(tenant|user) has exceeded (the )?threshold|daily limit for message recipients|submission quota exceeded|bad outbound sender", "Exchange Online 5.7.705, 5.1.90, 5.2.2, 5.1.8"),
    _rule(Cause.OWN_CONFIG, r"sendasdenied|permissions? to send as this sender|smtpclientauthentication is disabled|client was not authenticated|basic authentication is disabled", "Exchange Online 5.7.60, 5.7.139, 5.7.57"),
    _rule(Cause.POLICY_BLOCK, r"resolver\.rst\.(authrequired|notauthorized|restricted|sendernotauthenticated)|when sending to this group", "Exchange 5.7.1, 5.7.133", scope="contact"),
    _rule(Cause.RATE_LIMITED, r"(sender|recipient) thread limit exceeded|\brp-00[1-3]\b|rate limited due to ip reputation", "Exchange Online 4.3.2, Outlook.com RP-001, 4.7.650"),
    _rule(Cause.SPAM_BLOCK, r"\b(s3140|s3150|s3115|sc-00[1-4]|dy-00[12]|ou-00[12])\b|banned sending ip|sending ip .{0,40}\bbanned", "Outlook.com; Exchange Online 5.7.606-649"),
    # Yahoo and AOL: senders.yahooinc.com/smtp-error-codes
    _rule(Cause.RATE_LIMITED, r"\[(tss0[45]|ipts04|gl01)\]", "Yahoo 421"),
    _rule(Cause.SPAM_BLOCK, r"\[(tss?0[1-3]|bl\d\d|ph01|sbl\d*)\]", "Yahoo 421, 553"),
    _rule(Cause.INACTIVE, r"\b554[. ]30\b|account has been disabled or discontinued|mailbox is disabled", "Yahoo 554"),
    _rule(Cause.HARD_INVALID, r"delivery error: dd\b|doesn'?t have a \S+ account", "Yahoo 554 dd"),
    _rule(Cause.POLICY_BLOCK, r"not accepted for policy reasons", "Yahoo 5.7.9"),
    # Amazon SES: docs.aws.amazon.com/ses "SMTP response codes"
    _rule(Cause.SENDER_QUOTA, r"daily message quota exceeded", "Amazon SES 454"),
    _rule(Cause.RATE_LIMITED, r"maximum sending rate exceeded", "Amazon SES 454"),
    _rule(Cause.OWN_CONFIG, r"e-?mail address(es)? (is|are) not verified|sending paused for this account", "Amazon SES 554"),
    # Others, by their own postmaster pages
    _rule(Cause.SPAM_BLOCK, r"a problem occurred\. \(ask your postmaster", "T-Online 554"),
    _rule(Cause.SPAM_BLOCK, r"\bofr_?50[6-9]|\bofr_?999", "Orange"),
    _rule(Cause.SPAM_BLOCK, r"\[(hm0[78]|cs01)\]", "iCloud 5.7.1"),
    _rule(Cause.POLICY_BLOCK, r"reject due to policy restrictions|envelope blocked|administrative prohibition", "GMX and web.de, Mimecast"),
    _rule(Cause.RATE_LIMITED, r"ip frequency limited|domain frequency limited", "QQ 550"),
    _rule(Cause.CONTENT, r"mail content denied", "QQ 550"),
)  # fmt: skip

_GENERIC: tuple[_Rule, ...] = (
    # Greylisting says so, often with a URL that holds other words of this table.
    _rule(Cause.GREYLIST, r"gr[ea]y-?list|come back (later|in)\b|please retry in \d+|try again in \d+ (second|minute)", "Postgrey, milter-greylist", only=4),
    # Our login, relay rights and sender address. A sender callback also says "user unknown", so it comes before that.
    _rule(Cause.OWN_CONFIG, r"sender address rejected: (user unknown|undeliverable|domain not found|not (owned|logged)|unverified)|\bsender\b[^.]{0,40}\b(invalid|not valid|does not exist|unknown|verify failed|could not be verified)|helo command rejected|(invalid|bad|bogus) (helo|ehlo)", "Postfix and Exim restrictions"),
    _rule(Cause.OWN_CONFIG, r"\bstarttls\b|encryption required|must (use|issue) (tls|ssl)", "RFC 3207"),
    _rule(Cause.OWN_CONFIG, r"(username|user name|login|credentials?|password)\b.{0,40}\b(not accepted|incorrect|invalid|wrong|failed|rejected)|(invalid|incorrect|bad) (username|login|credentials?|password)|authentication (credentials |is )?(failed|failure|unsuccessful|required|invalid)|temporary authentication failure|must (authenticate|log ?in)|smtp auth(entication)? .{0,20}(required|needed)", "RFC 4954"),
    _rule(Cause.OWN_CONFIG, r"\brelay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited)|unable to relay|not (permitted|allowed) to relay|\brcpthosts\b|we do not relay", "relay"),
    # Our domain's SPF, DKIM, DMARC, PTR.
    _rule(Cause.AUTH_FAILURE, r"\b(spf|dkim|dmarc)\b|\bunauthenticated\b|not authenticated|cannot find your (reverse )?hostname|(missing|invalid|no|without|have a) (valid )?(ptr|reverse dns|rdns)\b|reverse dns (lookup )?(failed|is)", "RFC 7208, 6376, 7489; PTR"),
    # The message as such.
    _rule(Cause.CONTENT, r"\bvirus|malware|infected|potential security issue|(message|content|attachment)s?\b.{0,30}\b(too large|too big)|(message|size) .{0,20}exceeds .{0,20}(size|limit|maximum)|(line|header)s? too long|malformed|banned (file|attachment)", "RFC 1870, scanners"),
    # Spam and lists; before dead addresses, which these replies like to name too.
    _rule(Cause.SPAM_BLOCK, r"\bspam(haus|cop|my|med|ming|bot)?\b|\bspam|unsolicited|\bjunk\b|\bube\b|\buce\b|black-?list|block-?list|deny-?list|blocked (using|-) |\b(rbl|dnsbl|sbl|xbl|pbl)\b|reputation|barracudacentral|csi\.cloudmark|ipcheck\.proofpoint|\bsorbs\b|suspicious|\bphish|listed (at|in|by|on) \S+\.\S+|bulk (mail|email)|\babus(e|ive)\b", "filters and lists"),
    # Rates and quotas of ours.
    _rule(Cause.SENDER_QUOTA, r"(sending|sender|hourly|daily|outgoing|outbound).{0,20}\b(limit|quota)\b.{0,20}(exceeded|reached)|(exceeded|reached) .{0,30}(sending|hourly|daily|outgoing|outbound).{0,20}(limit|quota)", "submission servers"),
    _rule(Cause.RATE_LIMITED, r"too many (recipients|messages|connections|mails|e-?mails|requests|errors|concurrent)|too (quickly|fast|much mail)|rate[ -]?limit|\bthrottl|slow(er)? down|try (sending )?slower|unusual rate|maximum (number of )?connections|server (is )?(too )?busy", "rates"),
    # The recipient's mailbox.
    _rule(Cause.INACTIVE, r"(account|mailbox|user|recipient|address)\b.{0,60}\b(is |has been |was |temporarily )?(disabled|inactive|suspended|deactivated|discontinued|closed|locked|expired)\b|\binactive (user|mailbox|account)", "RFC 3463 X.2.1"),
    _rule(Cause.MAILBOX_FULL, r"over ?-?quota|quota (is )?(exceeded|full)|exceed(s|ed|ing)? .{0,40}(quota|storage|mailbox size)|(mail ?box|inbox|mail folder|mail-?drop) .{0,30}\bfull\b|out of storage|insufficient (system |disk )?(storage|space)|not enough (storage|disk)|mailbox size limit|disk full", "RFC 3463 X.2.2, X.3.1"),
    _rule(Cause.MOVED, r"has moved\b|no longer (at|with|works|employed)|new (e-?mail )?address is|address (has )?changed|user not local; please try", "RFC 5321 551"),
    _rule(Cause.HARD_DOMAIN, r"(host|domain|mx)( name)? (was )?(not found|unknown|does not exist|doesn'?t exist|lookup failed)|unknown (host|domain)|unrout(e)?able|null mx|does not accept (e?-?mail|messages)|nxdomain|no such (host|domain)|domain name not found", "RFC 3463 X.1.2, RFC 7505"),
    _rule(Cause.HARD_INVALID, r"(user|recipient|mailbox|address|account|addressee|alias|local part|employee)s?\b[^.]{0,60}\b(unknown|not found|not known|(does|do) ?(not|n['o]t) exist|doesn'?t exist|not exist|invalid|not valid|not recogni[sz]ed|undeliverable|unavailable\b)|(unknown|invalid|no such|non-?existent|bad|nonexistent) (local )?(user|recipient|mailbox|address|account|destination|person)|no (mailbox|account|user|recipient)\b.{0,20}\b(here|by that name|with that name|found)|not (a |our )(valid|known|local|customer|user|mailbox)|does not exist|couldn'?t be found|user doesn'?t|not listed in .{0,40}(directory|name & address)|no longer (valid|exists?|available|in use)", "RFC 3463 X.1.1", only=5),
    # Groups and restricted recipients: the address lives, but not for us.
    _rule(Cause.POLICY_BLOCK, r"(not (authorized|authorised|permitted|allowed)|only accepts|accepts? .{0,30}only from|restricted) .{0,60}(recipient|sender|mailbox|group|list|member|address)|(recipient|group|list|mailbox) .{0,40}(only accepts|is restricted)", "restricted recipients", scope="contact"),
    _rule(Cause.POLICY_BLOCK, r"\bsender\b.{0,40}\b(rejected|denied|refused|blocked)", "sender refused"),
    # Routes; a mail server in between.
    _rule(Cause.EXPIRED, r"too many hops|hop count|(mail|routing) loop|loops? back|timed? ?out|no route|connection (refused|reset|timed)|delivery time expired|retry time(out)? .{0,20}exceeded|could not (connect|be delivered within)", "RFC 3463 X.4.x"),
)  # fmt: skip

# Words that say no without saying why: an X.7 code knows better, but they outweigh the others, of which some bury.
_VAGUE: tuple[_Rule, ...] = (
    _rule(Cause.POLICY_BLOCK, r"\bpolicy|prohibited|message (was |has been )?(rejected|refused|blocked|denied)|(rejected|refused|blocked) (by|due to) |access denied|not (accepted|permitted|allowed)\b|\bblocked\b", "policies"),
)  # fmt: skip

_REGISTRY = "IANA enumerated status codes"

# subject.detail -> cause. RFC 3463, RFC 4954, 7372, 7505 and IANA; above 7.100 Microsoft's own.
_ENHANCED: dict[str, Cause] = {
    "1.0": Cause.HARD_INVALID,
    "1.1": Cause.HARD_INVALID,
    "1.2": Cause.HARD_DOMAIN,
    "1.3": Cause.HARD_INVALID,
    "1.4": Cause.HARD_INVALID,  # ambiguous mailbox: nobody gets it under this address
    "1.6": Cause.MOVED,
    "1.7": Cause.OWN_CONFIG,  # our sender address: syntax
    "1.8": Cause.OWN_CONFIG,  # our sender address: domain
    "1.10": Cause.HARD_DOMAIN,  # null MX
    "2.1": Cause.INACTIVE,
    "2.2": Cause.MAILBOX_FULL,
    "2.3": Cause.CONTENT,
    "2.4": Cause.POLICY_BLOCK,
    "3.1": Cause.MAILBOX_FULL,
    "3.2": Cause.RATE_LIMITED,
    "3.4": Cause.CONTENT,
    "3.5": Cause.EXPIRED,
    "4.0": Cause.EXPIRED,
    "4.1": Cause.EXPIRED,
    "4.2": Cause.EXPIRED,
    "4.3": Cause.EXPIRED,
    "4.4": Cause.HARD_DOMAIN,
    "4.5": Cause.RATE_LIMITED,  # congestion; Gmail's daily limit has its text above
    "4.6": Cause.EXPIRED,
    "4.7": Cause.EXPIRED,
    "5.3": Cause.RATE_LIMITED,  # too many recipients
    "6.0": Cause.CONTENT,
    "6.1": Cause.CONTENT,
    "6.2": Cause.CONTENT,
    "6.3": Cause.CONTENT,
    "6.4": Cause.CONTENT,
    "6.5": Cause.CONTENT,
    "6.6": Cause.CONTENT,
    "6.7": Cause.CONTENT,
    "6.8": Cause.CONTENT,
    "6.9": Cause.CONTENT,
    "7.0": Cause.POLICY_BLOCK,
    "7.1": Cause.POLICY_BLOCK,
    "7.2": Cause.POLICY_BLOCK,
    "7.3": Cause.OWN_CONFIG,
    "7.4": Cause.OWN_CONFIG,
    "7.5": Cause.OWN_CONFIG,
    "7.6": Cause.OWN_CONFIG,
    "7.7": Cause.CONTENT,
    "7.8": Cause.OWN_CONFIG,
    "7.9": Cause.OWN_CONFIG,
    "7.10": Cause.OWN_CONFIG,
    "7.11": Cause.OWN_CONFIG,
    "7.12": Cause.OWN_CONFIG,
    "7.13": Cause.INACTIVE,
    "7.14": Cause.OWN_CONFIG,
    "7.17": Cause.MOVED,  # RFC 7293: the mailbox has another owner now
    "7.18": Cause.MOVED,
    **{f"7.{n}": Cause.AUTH_FAILURE for n in (20, 21, 22, 23, 24, 25, 26, 29, 30, 31, 32, 40, 509, 515)},
    "7.27": Cause.OWN_CONFIG,  # our domain has a null MX
    "7.28": Cause.SPAM_BLOCK,
    "7.57": Cause.OWN_CONFIG,
    "7.60": Cause.OWN_CONFIG,
    "7.64": Cause.OWN_CONFIG,
    "7.139": Cause.OWN_CONFIG,
    **{f"7.{n}": Cause.POLICY_BLOCK for n in (124, 129, 133, 134, 135, 136)},
    "7.500": Cause.RATE_LIMITED,
    "7.511": Cause.SPAM_BLOCK,
    "7.650": Cause.RATE_LIMITED,
    **{f"7.{n}": Cause.SPAM_BLOCK for n in range(606, 650)},
    **{f"7.{n}": Cause.SENDER_QUOTA for n in (700, 701, 702, 703, 704, 705, 706, 707, 709, 750)},
    "7.708": Cause.SPAM_BLOCK,
}
_CONTACT_CODES = frozenset({"2.4", "7.2", "7.124", "7.129", "7.133", "7.134", "7.135", "7.136"})
_TEMPORARY_ENHANCED: dict[str, tuple[Cause, Scope | None]] = {
    # As 4xx these say "later", which is something else than their 5xx.
    "2.0": (Cause.GREYLIST, "contact"),
    "2.1": (Cause.RATE_LIMITED, "contact"),
    "3.2": (Cause.RATE_LIMITED, "contact"),
    "7.0": (Cause.RATE_LIMITED, "mailbox"),
    "7.1": (Cause.GREYLIST, "contact"),
    "7.28": (Cause.RATE_LIMITED, "mailbox"),
}
_BASIC: dict[int, Cause] = {
    432: Cause.OWN_CONFIG,  # RFC 4954: a password transition is needed
    450: Cause.GREYLIST,
    452: Cause.MAILBOX_FULL,
    454: Cause.OWN_CONFIG,  # RFC 4954: temporary authentication failure
    521: Cause.HARD_DOMAIN,  # RFC 7504: the host takes no mail
    523: Cause.OWN_CONFIG,
    525: Cause.INACTIVE,
    530: Cause.OWN_CONFIG,
    534: Cause.OWN_CONFIG,
    535: Cause.OWN_CONFIG,
    538: Cause.OWN_CONFIG,
    551: Cause.MOVED,
    552: Cause.MAILBOX_FULL,
    556: Cause.HARD_DOMAIN,  # RFC 7504: the domain takes no mail
    571: Cause.POLICY_BLOCK,
}
_OWN_PHASES = frozenset({"connect", "greeting", "ehlo", "starttls", "auth", "reset"})
_ENHANCED_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d]|\.\d)")
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@]+>?")
_LINE_CODE = re.compile(r"^\s*(?:[2-5]\d\d[ -])?\s*")
_WAIT = re.compile(r"\bin (?:about )?(\d{1,6}) ?(s|sec|seconds?|m|min|minutes?|hours?|h)\b|(?:\bin |wait |retry after )(\d\d):(\d\d):(\d\d)\b", re.IGNORECASE)  # fmt: skip


def judge(code: int, text: str, *, phase: str = "rcpt") -> Refusal:
    """What the reply `code` `text` means for contact, mailbox and message.

    `phase` is that of SmtpRefused, or `bounce` for a text that came later by mail; then `code` may be 0, and the
    enhanced code says whether it is permanent. `text` may have several lines, with or without their codes in front.
    Never raises.
    """
    enhanced, joined = _joined(text)
    permanent = code >= 500 or (code < 400 and enhanced is not None and enhanced.startswith("5"))
    digit = 5 if permanent else 4
    cause, scope, source = _cause(code, digit, enhanced, joined)
    if cause is Cause.UNKNOWN and permanent and phase == "final":
        cause, scope, source = Cause.CONTENT, None, "refused after the body (RFC 5321 4.2.5)"
    effect = _EFFECTS[cause]
    scope = scope or effect.scope
    action = effect.permanent if permanent else effect.temporary
    if cause is Cause.RATE_LIMITED and scope == "contact":
        action = "defer"
    if cause is Cause.OWN_CONFIG and not permanent:
        action = "defer_mailbox"
    retry_after = effect.retry_after
    if phase in _OWN_PHASES or phase == "mail":
        cause, scope, action, retry_after = _ours(cause, scope, action, retry_after, phase, permanent)
    if action in ("defer", "defer_mailbox"):
        retry_after = _asked_wait(joined, cause) or retry_after or (DAY if permanent else None)
    return Refusal(
        cls=cause,
        scope=scope,
        action=action,
        hard=action == "bounce_hard",
        permanent=permanent,
        enhanced=enhanced,
        text=joined,
        source=source,
        retry_after_seconds=retry_after,
    )


def _joined(text: str) -> tuple[str | None, str]:
    """The first enhanced code, and the lines as one text in which a code repeated on each line stands once."""
    lines = [_LINE_CODE.sub("", line).strip() for line in text[:_MAX_TEXT].splitlines()]
    found = _ENHANCED_CODE.search(" ".join(lines))
    enhanced = found.group(0) if found else None
    if enhanced is not None:
        lines = [line if i == 0 else line.removeprefix(enhanced).strip() for i, line in enumerate(lines)]
    return enhanced, " ".join(line for line in lines if line)


def _cause(code: int, digit: int, enhanced: str | None, text: str) -> tuple[Cause, Scope | None, str]:
    # Addresses may hold any word of the table.
    words = _ADDRESS.sub("<address>", text)
    detail = enhanced.partition(".")[2] if enhanced else ""
    by_code = _by_enhanced(digit, detail)
    found = _by_text(_PROVIDERS + _GENERIC, digit, words)
    if found is None and not (by_code and detail.startswith("7.")):
        found = _by_text(_VAGUE, digit, words)
    if found is not None:
        return found.cause, found.scope, found.source
    if by_code is not None:
        return *by_code, f"{_REGISTRY}: {enhanced}"
    if code in _BASIC:
        return _BASIC[code], None, f"RFC 5321 4.2.3: {code}"
    return Cause.UNKNOWN, None, "nothing known"


def _by_text(rules: tuple[_Rule, ...], digit: int, words: str) -> _Rule | None:
    return next((rule for rule in rules if rule.only in (None, digit) and rule.pattern.search(words)), None)


def _by_enhanced(digit: int, detail: str) -> tuple[Cause, Scope | None] | None:
    if digit == 4 and detail in _TEMPORARY_ENHANCED:
        return _TEMPORARY_ENHANCED[detail]
    if detail in _ENHANCED:
        return _ENHANCED[detail], "contact" if detail in _CONTACT_CODES else None
    return None


def _ours(
    cause: Cause, scope: Scope, action: Action, retry_after: int | None, phase: str, permanent: bool
) -> tuple[Cause, Scope, Action, int | None]:
    """Before a recipient is named a refusal is about us: no contact bounces, no message is given up."""
    if phase == "mail" and cause is Cause.CONTENT:
        return cause, scope, action, retry_after
    if action in ("hold_mailbox", "defer_mailbox"):
        return cause, "mailbox" if scope == "contact" else scope, action, retry_after
    if cause in (Cause.SPAM_BLOCK, Cause.POLICY_BLOCK, Cause.RATE_LIMITED):
        return (
            cause,
            "mailbox",
            "hold_mailbox" if permanent and cause is not Cause.RATE_LIMITED else "defer_mailbox",
            None,
        )
    if permanent:
        return Cause.OWN_CONFIG, "mailbox", "hold_mailbox", None
    return Cause.UNKNOWN, "mailbox", "defer_mailbox", None


def _asked_wait(text: str, cause: Cause) -> int | None:
    """Seconds that the server asks to wait, within a minute and a day; greylisting at least five minutes."""
    found = _WAIT.search(text)
    if found is None:
        return None
    if found.group(1):
        unit = {"s": 1, "m": 60, "h": 3600}[found.group(2)[0].lower()]
        seconds = int(found.group(1)) * unit
    else:
        hours, minutes, rest = (int(part) for part in found.groups()[2:])
        seconds = hours * 3600 + minutes * 60 + rest
    return min(max(seconds, GREYLIST_WAIT if cause is Cause.GREYLIST else 60), DAY)
