"""The wordings of refusals, as ordered rules: providers, generic English, other languages, words that only say no.

Read by mail/refusals.py alone. Order is meaning: the first rule that matches decides, so what is about us (login, relay, sender)
stands before what is about the message, and that before what is about the recipient, whom all of these like to name too.
A rule says what the words are, never which mail they came in.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

Scope = Literal["contact", "mailbox", "domain", "message"]


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
class Rule:
    """`pattern` in the text means `cause`. `scope`: where it differs from the cause's own. `only`: 4 or 5, the first digit of
    the reply that it is about."""

    cause: Cause
    pattern: re.Pattern[str]
    source: str
    scope: Scope | None
    only: int | None


def _rule(cause: Cause, pattern: str, source: str, *, scope: Scope | None = None, only: int | None = None) -> Rule:
    return Rule(cause, re.compile(pattern, re.IGNORECASE), source, scope, only)


PROVIDERS: tuple[Rule, ...] = (
    # Google: support.google.com/a/answer/3726730, "SMTP errors and codes"
    _rule(Cause.DUPLICATE_MESSAGE_ID, r"same message-?id|duplicated message-?id", "Gmail 4.7.28; fml"),
    _rule(Cause.RATE_LIMITED, r"receiving (mail|messages) (at a rate|too quickly)", "Gmail 4.2.1, 5.2.1", scope="contact"),
    _rule(Cause.SENDER_QUOTA, r"daily (user |smtp relay )?sending (limit|quota)|smtp relay (sending )?(limit|quota)|peak smtp relay", "Gmail 5.4.5, 4.2.1, 5.7.1"),
    _rule(Cause.RATE_LIMITED, r"unusual(ly high)? (rate|amount|number) of (unsolicited )?(mail|e-?mail|messages)", "Gmail 4.7.28", only=4),
    _rule(Cause.INACTIVE, r"disableduser|over quota and inactive|storage space and inactive", "Gmail 5.2.1, 5.2.2"),
    _rule(Cause.CONTENT, r"not (rfc ?5322|rfc ?2822|standards) compliant|(missing|valid) message-?id|(duplicate|multiple) .{0,20}headers?\b", "Gmail 5.7.1"),
    _rule(Cause.POLICY_BLOCK, r"sending to \(or from\) has a policy|p=gcdp", "Gmail 5.7.1"),
    _rule(Cause.OWN_CONFIG, r"application-specific password|log ?in (with|via) your web browser|p=(badcredentials|webloginrequired|invalidsecondfactor)", "Gmail 5.7.8, 5.7.9, 5.7.14"),
    _rule(Cause.SPAM_BLOCK, r"rejected due to spam classification|likely (unsolicited|suspicious)", "Gmail and Google Groups 5.7.1"),
    _rule(Cause.POLICY_BLOCK, r"group you (tried|are trying) to contact|groups\.google\.com/support|p=(not)?authorized", "Google Groups", scope="contact"),
    # Microsoft: learn.microsoft.com "Email non-delivery reports in Exchange Online"; sendersupport.olc.protection.outlook.com
    _rule(Cause.HARD_INVALID, r"resolver\.adr\.(ex)?recip(ient)?notfound|recipientnotfound|000c05a6|remote server returned unknown recipient", "Exchange 5.1.1, 5.1.10, 5.1.351"),
    _rule(Cause.HARD_INVALID, r"recipient address rejected: access denied", "Exchange Online 5.4.1, DBEB"),
    _rule(Cause.SENDER_QUOTA, r"(tenant|user) has exceeded (the )?threshold|daily limit for message recipients|submission ?quota ?exceeded|bad outbound sender", "Exchange Online 5.7.705, 5.1.90, 5.2.2, 5.1.8"),
    _rule(Cause.RATE_LIMITED, r"recipient per hour (message )?receive limit", "Exchange Online 5.2.121, 5.2.122", scope="contact"),
    _rule(Cause.OWN_CONFIG, r"sendasdenied|permissions? to send as this sender|smtpclientauthentication is disabled|client (was )?not authenticated|basic authentication is disabled|tenantattribution", "Exchange Online 5.7.60, 5.7.139, 5.7.57, 5.7.64"),
    _rule(Cause.POLICY_BLOCK, r"resolver\.rst\.(authrequired|notauthorized|restricted|sendernotauthenticated)|when sending to this group|delivery to this address is restricted|permission to send to this (recipient|address|group)|000b0981", "Exchange 5.7.1, 5.7.133", scope="contact"),
    _rule(Cause.MAILBOX_FULL, r"storedrv\.\w+.{0,40}quota ?exceeded|quotaexceeded|mailbox\.?full", "Exchange 5.2.2"),
    _rule(Cause.CONTENT, r"resolver\.rst\.(recip|send)sizelimit|sizelimit", "Exchange 5.2.3, 5.3.4"),
    _rule(Cause.RATE_LIMITED, r"(sender|recipient) thread limit exceeded|\brp-00[1-3]\b|rate limited due to ip reputation", "Exchange Online 4.3.2, Outlook.com RP-001, 4.7.650"),
    _rule(Cause.SPAM_BLOCK, r"\b(s3140|s3150|s3115|sc-00[1-4]|dy-00[12]|ou-00[12])\b|banned sending ip|sending ip .{0,40}\bbanned|messages from .{0,60} weren'?t sent", "Outlook.com; Exchange Online 5.7.606-649"),
    # Yahoo and AOL: senders.yahooinc.com/smtp-error-codes
    _rule(Cause.RATE_LIMITED, r"\[(tss0[45]|ipts04|gl01)\]", "Yahoo 421"),
    _rule(Cause.SPAM_BLOCK, r"\[(tss?0[1-3]|tss09|tss1\d|bl\d\d|ph01|sbl\d*)\]", "Yahoo 421, 553"),
    _rule(Cause.INACTIVE, r"\b554[. ]30\b|account has been disabled or discontinued|mailbox is disabled", "Yahoo 554"),
    _rule(Cause.HARD_INVALID, r"delivery error: dd\b|doesn'?t have a \S+ account", "Yahoo 554 dd"),
    _rule(Cause.POLICY_BLOCK, r"not accepted for policy reasons", "Yahoo 5.7.9"),
    _rule(Cause.POLICY_BLOCK, r"not accepting mail with (attachments|embedded images)|only accepting mail from specific", "AOL", scope="contact"),
    # Amazon SES: docs.aws.amazon.com/ses "SMTP response codes"
    _rule(Cause.SENDER_QUOTA, r"daily message quota exceeded", "Amazon SES 454"),
    _rule(Cause.RATE_LIMITED, r"maximum sending rate exceeded", "Amazon SES 454"),
    _rule(Cause.OWN_CONFIG, r"e-?mail address(es)? (is|are) not verified|sending paused for this account|not authorized to perform ses:|not subscribed to ses", "Amazon SES 554"),
    _rule(Cause.HARD_INVALID, r"history of bouncing as an invalid address", "Amazon SES suppression list"),
    _rule(Cause.POLICY_BLOCK, r"suppression list|has suppressed sending to", "Amazon SES suppression list", scope="contact"),
    # Others, by their own postmaster pages
    _rule(Cause.SENDER_QUOTA, r"\b5\.4\.6\b.{0,20}unusual sending activity", "Zoho 5.4.6"),
    _rule(Cause.SPAM_BLOCK, r"a problem occurred\. \(ask your postmaster|none/bad reputation", "T-Online 554"),
    _rule(Cause.HARD_INVALID, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?(416|418)\b", "Orange and La Poste 416, 418"),
    _rule(Cause.MAILBOX_FULL, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?417\b", "Orange and La Poste 417"),
    _rule(Cause.INACTIVE, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?(420|426)\b|compte du destinataire est bloqu|destinataire archiv[eé]e", "Orange and La Poste 420, 426"),
    _rule(Cause.OWN_CONFIG, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?(305|402|403|405|415|421)\b|authentifi?cation (invalide|requise)|[eé]metteur invalide", "Orange and La Poste 305, 402-421"),
    _rule(Cause.AUTH_FAILURE, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?401\b", "Orange and La Poste 401"),
    _rule(Cause.RATE_LIMITED, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?104\b|trop de connexions", "Orange and La Poste 104"),
    _rule(Cause.CONTENT, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?514\b|taille limite du message", "Orange and La Poste 514"),
    _rule(Cause.EXPIRED, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?505\b", "Orange and La Poste 505"),
    _rule(Cause.SPAM_BLOCK, r"\b(lpn|ofr|ouk)(\d{3})?[_-]?(102|103|50[6-9]|510|513|999)\b|bloqu[eé]e pour incident de spam", "Orange and La Poste 102, 506, 510, 999"),
    _rule(Cause.AUTH_FAILURE, r"\[hme1\]|failing both spf and dkim", "iCloud 5.7.1"),
    _rule(Cause.SPAM_BLOCK, r"\[(hm0[78]|cs01)\]|smtpin\d* ?\S* esmtp not accepting connections", "iCloud 5.7.1, 554"),
    _rule(Cause.RATE_LIMITED, r"due to excessive volume", "iCloud 4.7.1"),
    _rule(Cause.POLICY_BLOCK, r"reject due to policy restrictions|envelope (blocked|rejected)|administrative prohibition|header-based (anti-spoofing|blocked|manually blocked)|content examination policy|host network not allowed", "GMX and web.de, Mimecast"),
    _rule(Cause.RATE_LIMITED, r"(ip|domain|sender|connection) frequency limited", "QQ 550"),
    _rule(Cause.RATE_LIMITED, r"qq\.com.{0,400}mailbox unavailable or access denied|mailbox unavailable or access denied.{0,400}qq\.com", "QQ 550", scope="contact"),
    _rule(Cause.CONTENT, r"mail content denied", "QQ 550"),
    _rule(Cause.SPAM_BLOCK, r"suspected (bounce attacks|spam)", "QQ 550"),
    _rule(Cause.POLICY_BLOCK, r"mail is rejected by recipients", "QQ 550", scope="contact"),
    _rule(Cause.SPAM_BLOCK, r"aup#(cxbl|cdrbl|ipbl\d+|urlbl\d+)|aup#\D{0,4}(1000|12[0-5]\d)\b|cox too many bad commands|too many invalid recipients", "Cox, Spectrum"),
    _rule(Cause.AUTH_FAILURE, r"aup#(cxdns|cxsndr)|aup#\D{0,4}11[0-5]\d\b|rejected - no rdns|dns check failure", "Cox, Spectrum"),
    _rule(Cause.RATE_LIMITED, r"aup#(cxcnct|cxmxrt)|aup#\D{0,4}(13\d\d|14\d\d|15[458]\d)\b|message threshold exceeded|\bib101\b", "Cox, Spectrum, GoDaddy"),
    _rule(Cause.CONTENT, r"aup#\D{0,4}1530\b", "Spectrum"),
    _rule(Cause.POLICY_BLOCK, r"aup#(cxsmtp|cxthrt|cxmj)|aup#\D{0,4}(10[1-8]\d|11[6-9]\d|15[026]\d)\b", "Cox, Spectrum"),
    _rule(Cause.HARD_INVALID, r"\b(rcp-p1|int-p[134])\b", "Facebook"),
    _rule(Cause.POLICY_BLOCK, r"\brcp-p[23]\b", "Facebook", scope="contact"),
    _rule(Cause.INACTIVE, r"\brcp-t4\b", "Facebook"),
    _rule(Cause.CONTENT, r"\b(msg-p[123]|int-p2|pol-p[56])\b", "Facebook"),
    _rule(Cause.SPAM_BLOCK, r"\bpol-[pt][1-47]\b", "Facebook"),
    _rule(Cause.AUTH_FAILURE, r"\bdns-(p3|t2)\b", "Facebook"),
    _rule(Cause.OWN_CONFIG, r"\bdns-(p[12]|t1)\b", "Facebook"),
    _rule(Cause.RATE_LIMITED, r"\b(con-t[1-4]|msg-t1)\b", "Facebook"),
    _rule(Cause.HARD_INVALID, r"\.i\.ua/err/2\b", "i.ua"),
    _rule(Cause.INACTIVE, r"\.i\.ua/err/3\b", "i.ua"),
    _rule(Cause.MAILBOX_FULL, r"\.i\.ua/err/4\b", "i.ua"),
    _rule(Cause.RATE_LIMITED, r"\.i\.ua/err/5\b", "i.ua"),
    _rule(Cause.SPAM_BLOCK, r"\.i\.ua/err/[79]\b", "i.ua"),
    _rule(Cause.OWN_CONFIG, r"\.i\.ua/err/[168]\b", "i.ua"),
    _rule(Cause.MAILBOX_FULL, r"mail file size exceeds the maximum size allowed for mail delivery", "Domino"),
    _rule(Cause.POLICY_BLOCK, r"backscatter protection|senderfilterconfig", "MDaemon, Exchange"),
    _rule(Cause.INACTIVE, r"user\(s\) account is (disabled|temporarily limited)", "au and EZweb"),
    _rule(Cause.MAILBOX_FULL, r"user\(s\) account is temporarily over quota|too much mail data", "au and EZweb; docomo"),
)  # fmt: skip

GENERIC: tuple[Rule, ...] = (
    # Greylisting says so, often with a URL that holds other words of this table.
    _rule(Cause.GREYLIST, r"gr[ea]y-?list|come back (later|in)\b|please retry in \d+|try again in \d+ (second|minute)", "Postgrey, milter-greylist", only=4),
    # Our login, relay rights and sender address. A sender callback also says "user unknown", so it comes before that.
    _rule(Cause.OWN_CONFIG, r"sender address rejected: (user unknown|undeliverable|domain not found|not (owned|logged)|unverified)|\bsender\b[^.]{0,40}\b(invalid|not valid|does not exist|unknown|verify failed|could not be verified)|(invalid|unrout(e)?able|unknown) sender|domain of sender address|sender domain (is empty|must)|mail from not owned|from: domain is invalid|helo command rejected|(invalid|bad|bogus) (helo|ehlo)|my name was rejected|not a registered gateway user|badsendermx|fully qualified e-?mail address required", "Postfix and Exim restrictions"),
    _rule(Cause.OWN_CONFIG, r"\bstarttls\b|encryption required|requires (encryption|tls|high-strength)|must (use|issue) (tls|ssl)", "RFC 3207"),
    _rule(Cause.OWN_CONFIG, r"(username|user name|login|credentials?|password)\b.{0,40}\b(not accepted|incorrect|invalid|wrong|failed|rejected)|(invalid|incorrect|bad) (username|login|credentials?|password)|authentication (credentials |is )?(failed|failure|unsuccessful|required|invalid|turned on)|temporary authentication failure|must (authenticate|log ?in)|smtp auth(entication)? .{0,20}(required|needed)|turn on smtp auth|requires authentication", "RFC 4954"),
    _rule(Cause.OWN_CONFIG, r"\brelay(ing)? (access )?(is )?(denied|not (permitted|allowed)|prohibited|error)|unable to relay|not (permitted|allowed) to relay|\brcpthosts\b|(do(es)? not|don'?t) relay|relay(ing)? mail to|no relaying|as mail gate|without (smtp )?authentication to a non-local", "relay"),
    # Our domain's SPF, DKIM, DMARC, PTR.
    _rule(Cause.AUTH_FAILURE, r"\b(spf|dkim|dmarc)\b|sender policy framework|\bunauthenticated\b|not authenticated|multiple authentication checks", "RFC 7208, 6376, 7489"),
    _rule(Cause.AUTH_FAILURE, r"cannot (find|resolve) your (reverse )?(hostname|address)|(missing|invalid|no|without|have a|bad)( valid| dns)? (ptr|reverse dns|rdns)\b|(reverse|forward) dns (lookup |validation |entry )?(for .{1,60} )?(failed|is|required|does)|fix reverse dns|custom reverse dns|ip name lookup failed|reverse lookup rejected|mismatches client ip|unresolvable relay host|unverifyable sending ip|\bptr[ -]record|client host rejected: cannot find|invalid ip for sending mail of domain", "PTR"),
    # The message as such.
    _rule(Cause.CONTENT, r"\bvirus|malware|infected|potential security issue|(message|content|attachment)s?\b.{0,30}\b(too large|too big)|(message|mail) (file )?(is )?too (big|large)|(message|mail|e-?mail|size|length) .{0,20}exceed(s|ed|ing) .{0,40}(message )?(size|limit|maximum)|(message|mail|e-?mail|incoming|inbound) size (limit )?(exceed|limit)|maximum (inbound |incoming |e-?mail |allowed )?(message |email )?size|larger than the (current )?(system )?limit|(line|header)s? too long|line limit exceeded|malformed (mime|header|message)|banned (file|attachment)|(attachment|file) (extension|type) .{0,20}(forbidden|not allowed|blocked)|8-?bit data|invalid mime|base64 encoding|banned content|mime complexity|improperly[- ]formatted|content error|not accepted: header|header error|headers? are not accepted|syntax error in .{0,20}(header|message)", "RFC 1870, scanners"),
    # Spam and lists; before dead addresses, which these replies like to name too.
    _rule(Cause.HARD_DOMAIN, r"account or domain may not exist", "Exim, cPanel"),
    _rule(Cause.SPAM_BLOCK, r"\bspam(haus|cop|my|med|ming|bot|assassin|mer)?\b|anti-?spam|\bspam|unsolicited|\bjunk\b|\bube\b|\buce\b|black[- ]?list|block[- ]?list|deny-?list|blocked (using|-) |\b(rbl|dnsbl|sbl|xbl|pbl|uribl|surbl)\b|reputation|barracudacentral|csi\.cloudmark|ipcheck\.proofpoint|\bsorbs\b|suspicious|\bphish|listed (at|in|by|on) \S+\.\S+|bulk[ .](mail|email|advertising)|mass mailer|\babus(e|ive)\b|low priority|recurrent pattern|dynamic ips?\b|open proxy|bad sender ip|sender ip address rejected|go away|accepting mail from your ip|smtp server of your isp|dt:spm|content filter|message content rejected|will be permanently deferred|cyberoam", "filters and lists"),
    # Rates and quotas of ours.
    _rule(Cause.SENDER_QUOTA, r"(sending|sender|hourly|daily|outgoing|outbound|relay).{0,20}\b(limit|quota)\b.{0,20}(exceeded|reached)|(exceeded|reached) .{0,30}(sending|hourly|daily|outgoing|outbound|relay).{0,20}(limit|quota)|max emails per hour|outgoing mail suspension", "submission servers"),
    _rule(Cause.RATE_LIMITED, r"too many (recipients|messages(?! on the server)|connections|con|mails|e-?mails|requests|errors|concurrent|sessions?)|too (quickly|fast|much mail\b(?! data))|rate[ -]?limit|limit\w* rate|\bthrottl|slow(er)? down|try (sending |again )?slower|unusual rate|maximum (number of )?connections|max message per connection|connection (rate|limit)|connections? .{0,20}limit|messages this hour|recipients this hour|number of messages per session|server (is )?(too )?busy|unexpected volume|numerous attempts|excessive (rate|volume)|allowable number of posts", "rates"),
    # The recipient's mailbox.
    _rule(Cause.MAILBOX_FULL, r"over (the |their |its |allowed |disk |your )*quota|over-?quota|(disk |mail |disc |mailbox )?quota (usage |is |has been |was |limit )?(exceeded|full|exceed|violation|reached)|exceed(s|ed|ing)? .{0,40}(quota|storage|mailbox size|disk space|allowed size|local limit|receiving limit)|(mail ?box|inbox|mail ?folder|mail-?drop|mail file|mail ?system|maildir) .{0,30}\bfull\b|full mail ?box|mailbox ?full|out of storage|insufficient (system |disk )?(storage|space)|not (have )?enough (free )?(disk |storage )?space|not enough (storage|disk)|storage limit|mailbox size limit|mail file size exceeds|disk (is )?full|space has been used up|too many messages on the server|(mail ?box|disk|storage) space (is )?not enough|(reached|out of) .{0,15}quota|no space left", "RFC 3463 X.2.2, X.3.1"),
    _rule(Cause.INACTIVE, r"(account|mailbox|user|recipient|mail ?address)\b.{0,60}\b(is |has been |was |temporarily |administrat\w+ )?(disabled|inactive|suspended|suspend|deactivated|discontinued|closed|locked|archived|(temporarily )?limited)\b|account (has )?expired|\b(inactive|deactivated|disabled|archived|suspended) (user|mailbox|account|e-?mail|recipient)|not (been )?used for more than|invalid/inactive|no longer (an )?active|recipient suspend", "RFC 3463 X.2.1"),
    _rule(Cause.MOVED, r"has moved\b|has been replaced by|no longer (at|with|works|employed|on server)|new (e-?mail )?address is|address (has )?changed|user not local; please try|forwarding address is|recipient moved", "RFC 5321 551"),
    # The name service or the way there failed for now; "host not found, try again" is not a dead domain.
    _rule(Cause.EXPIRED, r"(host|domain|name)( or domain name)? not found,? try again|records for the destination computer|(malformed|unexpected) (or unexpected )?name server|name service error .{0,60}try again|temporary lookup failure|dns (lookup|query|server) (failure|failed|timeout|error)|dns query failed|lookup (failure|timed out)", "RFC 3463 X.4.3"),
    _rule(Cause.HARD_DOMAIN, r"(host|domain|mx)( or domain)?( name)? (was )?(not found|unknown|does ?n[o']t exist|doesnt exist|lookup failed)|unknown (host|domain)|unrout(e)?able( mail domain| address)?|null mx|(host|domain|server|does|do)[^.]{0,20} not accept (any |e?-?)?(mail|messages|e-mail)\b(?! from)|nxdomain|no such (host|domain)|domain name not found|host address lookups? failed|mx records point to non-?existent|no mx record|mx or srv record indicated no smtp|domain must exist|domain is not reachable|name or service not known|(could ?n[o']t|couldn'?t) find any host|mail exchanger or ip address|domain \S+ (couldn'?t be found|does not exist|not found)|domain mentioned in email address is unknown|is a dead domain|bad (destination )?(host|domain|system)\b", "RFC 3463 X.1.2, RFC 7505"),
    # Personal filters: the address lives, but not for us.
    _rule(Cause.POLICY_BLOCK, r"blocked by (the )?(recipient|user|addressee)|message filtered|user rules|user reject|refuses? to receive|recipient preferences|restricted sms|account is protected|not accepting (any )?mail\b|declined by (the )?recipient|not (a )?member|members-only|not subscribed to this group|not allowed to post|closed (mailing )?list|personal block", "recipient's own filter", scope="contact"),
    _rule(Cause.HARD_INVALID, r"(user|recipient|mail ?box|address|account|addressee|alias|local part|employee|destination|person|spectator|name)(\(s\)|s|es)?\b[^.]{0,60}\b(unknown|not found|not known|(does|do) ?(not|n['o]t) exist|doesn'?t exist|not exist|invalid|not valid|not recogni[sz]ed|not listed|not local|not present|(is|was) undeliverable|(could not|can ?not|can'?t) be found|not available|possibly incorrect|(is )?wrong|inexistent|non-?existent|unavailable\b)|(unknown|invalid|no such|non-?existent|bad|nonexistent|illegal|wrong|undeliverable)( or \w+)?( final| virtual)?( delivery)?( local)?( e-?mail)? ?(user|recipient|mail ?box|address|account|destination|person|local[- ]part|alias|userid|addressee)|no (mail ?box|account|user|recipient|one|valid recipients?)\b.{0,30}\b(here|by that name|with that name|found|at this address|available)|no (mailbox|valid recipients?)|not (a |our |an )?(valid|known|local|customer|user|mailbox|active) ?(user|mailbox|address|recipient|account|e-?mail)?\b(?! sender)|does not exist|couldn'?t be found|user doesn'?t|user missing|not listed in .{0,40}(directory|name & address)|no .{0,40} in name directory|no longer (valid|exists?|available|in use|accepts? mail)|check if (the )?address is correct|badrcptto|bad[-_]recipient|(can ?not|can'?t|unable to) find (that |the |this )?(user|recipient|mail ?box|account|addressee)|not email addresses|recipient not ok|can'?t accept user|cannot route mail to user|> not found|sorry, no mailbox|mailbox invalid|no matches to name ?server query", "RFC 3463 X.1.1", only=5),
    # Groups and restricted recipients.
    _rule(Cause.POLICY_BLOCK, r"(not (authorized|authorised|permitted|allowed)|only accepts|accepts? .{0,30}only from|restricted) .{0,60}(recipient|sender|mailbox|group|list|member|address)|(recipient|group|list|mailbox) .{0,40}(only accepts|is restricted)", "restricted recipients", scope="contact"),
    _rule(Cause.POLICY_BLOCK, r"\bsender\b.{0,40}\b(rejected|denied|refused|blocked|not (pre-)?approved)|(rejected|refused|blocked) .{0,20}\bsender\b|access (to submit messages|from)|purported responsible", "sender refused"),
    # Routes; a mail server in between; programs behind an address.
    _rule(Cause.EXPIRED, r"too many hops|hop count|(mail|routing) loop|loops? back|timed? ?out|no route|connection (refused|reset|timed)|delivery time expired|retry time(out)? .{0,20}exceeded|could not (connect|be delivered within)", "RFC 3463 X.4.x"),
)  # fmt: skip

# Only of bounces: how a server says that it gave up. At send time the same words are a reason to try again soon.
GIVEN_UP: tuple[Rule, ...] = (
    _rule(Cause.EXPIRED, r"no relevant answers|too many hops|hop ?count|(mail|routing|forwarding) loop|loop(s|ed|ing)? (back|was found|broken|detected|count|condition|alert)|message (is )?looping|too many .?received.? headers|maximum forwarding|timed? ?-?out|no route|(host|network|server) (is )?unreachable|unreachable|connection (was )?(refused|reset|timed|dropped|lost|closed|died)|lost connection|delivery time expired|(delivery|message|envelope|queue)( time| lifetime)? (has )?expired|(expired|sitting) (in|after)|retry time(out)? .{0,20}exceeded|could not (connect|be delivered (within|for)|deliver for the last)|(unable|failed|not able) to (connect|establish|resolve|send to identified host|contact)|n[o']t (respond|connect|able to establish)|(not|isn'?t) (be )?(respond|reach)(ing|able|ed)?|(giving|gave|given) up\b|in the queue too long|been failing for a long|undelivered after|retried|will keep trying|multiple retries|after \d+ (tries|attempts)|failed \d+ attempts|maximum delivery attempts|been postponed|not been collected|network error|gateway for|retries exhausted|not .{0,30}(within|for) \d+ (hours|days)|(server|host) (is )?(temporarily )?(unavailable|not available)", "RFC 3463 X.4.x"),
    _rule(Cause.EXPIRED, r"procmail|maildrop|mailer error|command (died|failed|output)|died with status|pipe to \||exit (code|status)|\|\| exit \d|x-unix;|child status|local delivery failed|lmtp error|delivery to (file|pipe) forbidden|write error|(config(uration)?|internal|system|local|server|operating system|software) (server )?(error|failure|problem)|interrupted system call|misconfigured|error in processing|ldap|home ?dir|i/o error|lock failure|can'?t create|could not load|no such file|needs to be unique|error while being processed|being processed|several matches found|connection denied|malformed address", "RFC 3463 X.3.x"),
)  # fmt: skip

# The same in the languages that NDRs of Exchange, Outlook, GMX, Domino and the Japanese carriers come in.
TRANSLATED: tuple[Rule, ...] = (
    _rule(
        Cause.MAILBOX_FULL,
        r"(postfach|speicherplatz|kontingent|mailbox)\w*.{0,60}(\bvoll\b|überschritten|erschöpft|überfüllt)"
        r"|(bo[iî]te|quota|espace).{0,80}(pleine?\b|saturée?|dépassée?|remplie)"
        r"|(buzón|cuota|bandeja).{0,80}(llen[oa]\b|excedid|superad)|(casella|quota|spazio).{0,80}(pien[ao]\b|superat|esaurit)"
        r"|(caixa|cota|quota).{0,80}(cheia|excedid|lotada|ultrapassad)|(postvak|quotum|mailbox).{0,60}(\bvol\b|overschreden)"
        r"|(brevlåda|postlåda|inkorg|kvot)\w*.{0,60}(\bfull\b|överskrid)|(postkasse|indbakke|innboks|kvote)\w*.{0,60}(\bfull?d?\b|overskredet)"
        r"|(skrzynk|limit|kwot)\w*.{0,60}(pełna|przepełnion|przekroczon)|(schránk|kvót)\w*.{0,60}(plná|překročen|zaplněn)"
        r"|(ящик|квот)\w*.{0,60}(переполнен|превыш|заполнен)|(メールボックス|受信箱|容量|メールフォルダ).{0,40}(一杯|いっぱい|超え|超過|オーバー|満杯)"
        r"|(邮箱|信箱|郵箱|空间|空間|容量).{0,30}(已满|已滿|超过|超過|超出|不足|超限)",
        "translated",
    ),
    _rule(
        Cause.CONTENT,
        r"(nachricht|e-?mail|anhang)\w*.{0,60}zu gro(ß|ss)|(message|pièce).{0,60}(trop (volumineu|gro|grand)|taille maximale)|mensaje.{0,60}(demasiado grande|tamaño máximo)"
        r"|messaggio.{0,60}(troppo grande|dimensione massima)|mensagem.{0,60}(muito grande|tamanho máximo)|bericht.{0,60}te groot|meddelande\w*.{0,60}för stor|(meddelelse|beskjed|melding)\w*.{0,60}for stor"
        r"|(wiadomość|załącznik).{0,60}zbyt duż|zpráv\w*.{0,60}příliš velk|(сообщени|письм)\w*.{0,60}(слишком больш|превыша\w+ .{0,30}размер)|サイズ.{0,20}(大き|超)|(邮件|郵件).{0,20}(过大|太大|超过)",
        "translated",
    ),
    _rule(
        Cause.HARD_DOMAIN,
        r"(domäne|domain|zielrechner)\w*.{0,60}(nicht gefunden|existiert nicht|unbekannt)|domaine.{0,80}(n'existe pas|introuvable|inconnu)|dominio.{0,80}(no existe|no se (ha )?(encontr|podido encontrar)|desconocid|non esiste|inesistente|non trovato)"
        r"|domínio.{0,80}(não existe|não (foi )?encontrad|inexistente)|domein.{0,60}(bestaat niet|niet gevonden|onbekend)|domän\w*.{0,60}(finns inte|hittades inte)|domen\w*.{0,60}(nie istnieje|nie znaleziono)|domén\w*.{0,60}(neexistuje|nenalezen)"
        r"|домен\w*.{0,60}(не существует|не найден)|ドメイン.{0,30}(存在しません|見つかりません)|(域名|网域|網域).{0,20}(不存在|错误|找不到)",
        "translated",
    ),
    _rule(
        Cause.INACTIVE,
        r"(konto|postfach)\w*.{0,60}(deaktiviert|gesperrt|inaktiv)|(compte|boîte).{0,80}(désactivée?|bloquée?|suspendue?)|(cuenta|buzón).{0,80}(desactivad|suspendid|inactiv)|(account|casella).{0,80}(disattivat|disabilitat|sospes)"
        r"|(conta|caixa).{0,80}(desativad|suspens|inativ)|postvak.{0,60}(geblokkeerd|uitgeschakeld)|(konto|skrzynk)\w*.{0,60}(zablokowan|nieaktywn|zawieszon)|(účet|schránk)\w*.{0,60}(zablokován|deaktivován)"
        r"|(ящик|аккаунт|учётная|учетная)\w*.{0,60}(заблокирован|отключ|неактив)|(アカウント|メールボックス).{0,30}(無効|停止)|(账号|帐号|邮箱|帳號).{0,20}(停用|冻结|禁用|已被锁|凍結)",
        "translated",
    ),
    _rule(
        Cause.POLICY_BLOCK,
        r"(gruppe|liste|empfänger)\w*.{0,160}(nicht berechtigt|keine berechtigung|eingeschränkt)|(groupe|destinataire).{0,160}(pas autorisé|pas l'autorisation)|(grupo|destinatario).{0,160}(no (tienes|tiene|dispone de) permiso|no está autorizad)"
        r"|(gruppo|destinatario).{0,160}non (hai|dispone|si dispone|disponi).{0,30}autorizzazion|(grupo|destinatário).{0,160}não tem permissão|skupin\w*.{0,160}oprávněn|(グループ).{0,80}(権限|許可)|群组.{0,60}(权限|不允许)|समूह",
        "translated",
        scope="contact",
    ),
    _rule(
        Cause.HARD_INVALID,
        r"(adresse|empfänger|benutzer|postfach|konto|nutzer)\w*.{0,60}(unbekannt|nicht (gefunden|vorhanden|bekannt|gültig)|existiert nicht|ungültig|gibt es nicht)|unbekannter? (empfänger|benutzer|adresse|nutzer)|(adresse|empfänger)\w*.{0,80}nicht gefunden"
        r"|(adresse|destinataire|utilisateur|boîte|compte).{0,80}(n'existe pas|inconnue?\b|introuvable|invalide|incorrecte|pas été trouvée?)"
        r"|(dirección|destinatario|usuario|buzón|cuenta).{0,80}(no existe|desconocid|no se (ha )?(encontr|podido encontrar|pudo encontrar)|no (es )?válid|inválid|incorrect)|no existe (dicha|ese|esa)"
        r"|(indirizzo|destinatario|utente|casella|account).{0,80}(non esiste|inesistente|sconosciut|non (è stato |è stata )?trovat|non (è )?valid|impossibile trovare)"
        r"|(endereço|destinatário|usuário|utilizador|caixa|conta).{0,80}(não existe|desconhecid|não (foi |pôde ser )?encontrad|inválid|inexistente)"
        r"|(adres|geadresseerde|gebruiker|postvak|ontvanger)\w*.{0,80}(bestaat niet|onbekend|niet gevonden|ongeldig|niet worden gevonden)"
        r"|(adress|mottagar|användar|postlåd)\w*.{0,80}(finns inte|okänd|hittades inte|gick inte att hitta|ogiltig|kunde inte hittas|existerar inte)"
        r"|(adresse|modtager|bruger|postkasse|mottaker)\w*.{0,80}(findes ikke|finnes ikke|ukendt|ukjent|blev ikke fundet|ble ikke funnet|ugyldig|eksisterer ikke|kunne ikke (findes|finde))"
        r"|(adres|odbiorc|użytkownik|skrzynk)\w*.{0,80}(nie istnieje|nieznan|nie (został[ao]? )?znalezion|nieprawidłow|nie można (było )?(odnaleźć|znaleźć))"
        r"|(adres|příjemc|uživatel|schránk)\w*.{0,80}(neexistuje|neznám|nebyl[ao]? nalezen|neplatn|nelze najít|nenalezen)"
        r"|(адрес|получател|пользовател|ящик|аккаунт)\w*.{0,80}(не существует|неизвест|не найден|недействител|неверн)|нет такого (пользовател|ящик|адрес)|несуществующ"
        r"|(アドレス|宛先|受信者|ユーザー?|メールボックス).{0,40}(存在しません|見つかりません|不明|正しくありません)|(リスト|ディレクトリ)(に|には)?(ありません|見つかりません|記載されて)"
        r"|(收件人|邮箱|用户|地址|帐号|账号|收件者|信箱|使用者|帳號).{0,30}(不存在|未找到|找不到|无效|無效|不正确)|(找不到|无此|查無此)(该)?(收件人|用户|邮箱|地址|人)",
        "translated",
    ),
    _rule(Cause.EXPIRED, r"zeitüberschreitung|nicht erreichbar|délai .{0,40}(dépassé|expiré)|tiempo de espera|tempo .{0,20}(esgotado|scaduto)|込み合|込みあ|応答が|応答し|超时|超時|истекло время|превышено время", "translated"),
)  # fmt: skip

# Only of bounces, after all others: a bare no to the recipient, and a server that was not there.
LAST: tuple[Rule, ...] = (
    _rule(Cause.HARD_INVALID, r"recipient( address)? (was )?rejected\.?\s*$|does not like recipient|server (has )?rejected (the )?(address|recipient)|<address> rejected|address rejected( <address>)?\.?\s*$|rejected by a remote mail server", "bare refusal of the recipient", only=5),
    _rule(Cause.EXPIRED, r"service (is )?(currently |temporarily )?(unavailable|not available)|temporar(y|ily) .{0,20}(fail|error|unavailable|problem|deferred)|temporary|resources temporarily|deferred", "server not there"),
)  # fmt: skip

# Words that say no without saying why: an X.7 code knows better, but they outweigh the others, of which some bury.
VAGUE: tuple[Rule, ...] = (
    _rule(Cause.POLICY_BLOCK, r"\bpolicy|\bpolicies\b|prohibited|protocol violation|message (was |has been )?(rejected|refused|blocked|denied)|(rejected|refused|blocked) (by|due to) |access denied|not (accepted|permitted|allowed)\b|\bblocked\b|not accepting (connections|messages)|security (violation|error|alert)|returned mail not accepted|multiple addresses|forbidden|\bdenied\b|not accept mail from|requires confirmation|confirm this mail server|(domain|host|mail|connection|message)s? (from .{1,60} )?(has been |was |were )?(rejected|refused|not accepted)", "policies"),
)  # fmt: skip
