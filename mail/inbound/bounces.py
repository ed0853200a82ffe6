"""Bounces without a delivery status part: the formats of older and of unusual servers.

Two signals are needed, one of them from the server (RFC 3834 responders use a null Return-Path too, and people write about
bounces). A reply or a forward by a person is none, whatever it quotes.
"""

from __future__ import annotations

import re

from domain.inbound import Evidence, Kind, Names, Reading
from mail.inbound.parsing import Parsed
from mail.inbound.reports import bounced, delayed, fields_in, of_blocks, report_type
from mail.inbound.transcript import ADDRESS, MAX_TEXT, addresses_in, failures, replies, told
from mail.refusals import judge_bounce

_DAEMON = re.compile(
    r"mailer.?daemon|mail.?delivery|delivery.?subsystem|maildeliver|mail deliver|mail.?daemon|mdaemon|<>\s*$|^$|microsoft exchange|internet mail service",
    re.IGNORECASE,
)
_POSTMASTER = re.compile(
    r"post_?master|mail administrator|mail system|system administrator|systemadmin|interscan", re.IGNORECASE
)
_SUBJECT = re.compile(
    r"^\W{0,10}(?:undeliver|non[- ]?deliver|delivery (?:status|failure|failed|notification|error|report|problem|has failed|unsuccessful|delayed)"
    r"|e?-?mail (?:delivery|could not|system error|failure|failed)|your (?:message|mail) (?:could not|was not)|failure notice|failure (?:delivery|notification|mail)"
    r"|failed (?:delivery|mail|message)|returned (?:e?-?mail|message|to sender)|return(?:ing|ed)? (?:mail|message)? ?to sender"
    r"|message (?:not delivered|delivery|undeliverable|delayed|could not|status|frozen|you sent (?:blocked|was))|delivery unsuccessful|notice: mail delivery|warning: (?:could not|message|mail)|sorry,? your message could not"
    r"|error sending|mail error|processing error|error\(s\) in forwarding|(?:mail )?bounced?\b|can ?not deliver|could ?n[o']t (?:be )?deliver|unable to deliver|nondeliverable|user unknown|mail not delivered|not delivered"
    r"|unzustellbar|nicht zustellbar|(?:e-?mail|nachricht|mail) (?:konnte nicht|nicht zugestellt|unzustellbar)|zustell|non remis|(?:échec|echec) d|non distribu|message non|no se (?:ha )?pud|no entregad|no se puede entregar|error de entrega"
    r"|mancat[ao] (?:recapito|consegna)|impossibile (?:recapitare|consegnare)|non recapitabile|não entreg|não foi possível entregar|falha na entrega|onbestelbaar|niet bezorgd|går inte att leverera|kunde inte levereras|olevererbart"
    r"|kan ikke leveres|uleverbar|ikke leveret|nie (?:można )?dostarcz|niedostarcz|nedoručiteln|nedoručen|недоставлен|не доставлен|ваше (?:письмо|сообщение) не|ошибка доставки|возвращ|メールエラー|配信(?:不能|できません|エラー)|メッセージを配信|メール配信に失敗|配達不能|送信エラー|退信|系统退信|无法投递|無法傳遞|未传递|未送达|无法送达|投递失败|반송|배달할 수|teslim edilem|kézbesíthetetlen|toimittaminen epäonnistui|perille toimittamaton|kunde inte leverera|não é possível entregar)"
    r"|undelivered mail returned|returned to sender|returning (?:message )?to sender|mail failure\b|could not be delivered|delivery fail|\[postmaster\]",
    re.IGNORECASE,
)
_REPLIED = re.compile(
    r"^\s{0,5}(?:re|aw|sv|antw|rv|res|fwd?|wg|tr|odp|vs|ynt|vb|doorst|i|r|enc|回复|答复|转发|回覆|轉寄)\s{0,3}(?:\[\d+\])?\s{0,3}[:：]",
    re.IGNORECASE,
)
_FAILED = re.compile(
    r"could ?n[o']t (?:be )?deliver|(?:was|were|been|is|be) (?:not|un)[ -]?(?:able to be )?deliver|not (?:be )?delivered|undeliver|unable to deliver|not able to deliver|wasn'?t (?:able to )?deliver|can(?:not|'t) be delivered"
    r"|deliver\w* (?:has )?failed|failed to deliver|permanent(?:ly)? (?:fatal )?(?:error|failure|failed)|failed permanently|delivery (?:failure|errors?|problems?)|delivering your (?:mail|message)|delivery to the following|did not reach|could not be sent|returned to sender|delivery has been|failed (?:addresses|recipients?)|failure reasons|has been returned|been postponed|not a member of|duplicated message-id|detected a loop|loop back warning|reject(?:ing|ed)? (?:mail from|spammers)"
    r"|user unknown|unknown user|no such user|invalid (?:user|address|recipient)|mailbox (?:is )?(?:full|unavailable)|rejected (?:by|for)|you tried to contact|was rejected|been rejected|not accepted"
    r"|送信できません|配信できません|送信に失敗|配信に失敗|送れません|无法(?:投递|送达|传递)|無法(?:傳遞|投遞|送達)|未能送达|被退回|не может быть (?:доставлено|отправлено)|не (?:было|удалось) доставл?е?н?и?т?|не доставлено"
    r"|nicht zugestellt|unzustellbar|n'a pas pu être|pas été (?:remis|distribué)|no (?:se )?(?:ha podido|pudo|puede) (?:ser )?entrega|non è stato possibile|non (?:è stato|può essere) (?:recapitat|consegnat)|não (?:pôde|foi) (?:ser )?(?:possível )?entreg|niet (?:worden )?(?:bezorgd|afgeleverd)|kunde inte levereras|kunne ikke leveres|nie (?:mogła|została|można)\b.{0,30}dostarcz|nelze doručit|nebyl[ao]? doručen",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"(?:^|[\s:#>(\[,])(?:[45]\d\d[ -]{1,3}#?[45]\.\d{1,3}\.\d{1,3}|#?[45]\.[0-7]\.\d{1,3}|[45][0-5]\d[ -]{1,3}(?=\S{0,80}[A-Za-z<])|smtp error)\b|ResponseCode|ERROR_CODE",
    re.IGNORECASE,
)
_DELAYED = re.compile(
    r"warning message only|not need to (?:resend|do anything)|(?:has been|is|was) (?:temporarily )?delayed|will be retried|will (?:keep|continue) (?:to )?try|attempts will continue|continue to attempt|still undelivered|not yet (?:been )?delivered|been postponed|advisory-only|wird verzögert|verzögerte zustellung|a été retardé",
    re.IGNORECASE,
)
_GIVEN_UP = re.compile(
    r"permanent|giv(?:en|ing) up|gave up|not (?:going to )?try again|failed permanently", re.IGNORECASE
)
_TO = re.compile(r"^>?[ \t]{0,4}To:(.{0,300})$", re.MULTILINE | re.IGNORECASE)
# Literals of formats, for the rule's name only: what is read does not depend on it.
_FORMATS = (
    ("qmail", ("this is the qmail", "--- below this line is a copy")),
    ("postfix", ("the postfix program", "this is the mail system at host")),
    ("exim", ("created automatically by mail delivery software", "recipient addresses that were")),
    ("sendmail", ("transcript of session follows", "fatal errors -----", "... while talking to")),
    ("google", ("group you tried to contact", "technical details of", "google tried to deliver", "delivery to the following recipient")),
    ("exchange", ("did not reach the following recipient", "generating server:", "diagnostic information for administrators")),
    ("domino", ("was not delivered to:", "failure reasons")),
    ("opensmtpd", ("this is the mailer-daemon, please do not reply",)),
    ("dragonfly", ("dragonfly mail agent",)),
    ("courier", ("courier mail server", "undeliverable mail")),
    ("interscan", ("message from interscan", "interscan messaging security")),
    ("james", ("error message below:",)),
    ("imail", ("original message follows.",)),
    ("smail", ("failed addresses follow",)),
)  # fmt: skip


def read_bounce(parsed: Parsed, names: Names, text: str) -> Reading | None:
    """Read a bounce that has no delivery status part; None if the mail is none. `text`: its new text, without quotes."""
    headers = parsed.headers
    subject = headers.get("subject")[:300]
    servers = _servers(parsed)
    signals = list(servers)
    titled = None if _REPLIED.match(subject) else _SUBJECT.search(subject)
    if titled:
        signals.append(Evidence(where="subject", text=titled.group(0)[:200]))
    if not signals:
        return None
    words = told(parsed.text)
    for inner, its_text in zip(parsed.originals[:1], parsed.original_texts[:1], strict=False):
        # A server that forwards another server's bounce.
        if servers and _DAEMON.search(inner.get("from")[:500]) and _SUBJECT.search(inner.get("subject")[:300]):
            words = f"{words}\n{told(its_text)}"
    failed = _FAILED.search(words if servers else text[:8_000])
    code = _CODE.search(words)
    for hit in (code, failed):
        if hit is not None:
            signals.append(Evidence(where="text", text=hit.group(0).strip()[:200], start=_start(text, hit.group(0))))
    if servers:
        strong = any(one.where not in ("header:Return-Path", "header:From:postmaster") for one in servers)
        more = len(servers) > 1 or strong
        # A responder with a null Return-Path, or a postmaster who writes to us, answers; few servers do.
        if not more and (names.answers or _REPLIED.match(subject)) and not _format(words):
            return None
        told_so = failed or code
        like = told_so or strong or _format(words) or ADDRESS.search(words)
        enough = bool((titled and like) or (more and told_so) or (failed and code))
    else:
        # No header of a server: only a new mail (nobody's answer) that is titled as a bounce and words it like one.
        like = code or ADDRESS.search(text[:8_000]) or _format(text)
        enough = not names.answers and bool(failed and like)
    return _reading(parsed, names, words, subject, signals) if enough else None


def _servers(parsed: Parsed) -> list[Evidence]:
    """Signals in the headers that a mail system wrote this."""
    headers = parsed.headers
    found = []
    for name in ("X-Failed-Recipients", "X-MS-Exchange-Message-Is-Ndr"):
        if name in headers:
            found.append(Evidence(where=f"header:{name}", text=headers.get(name)[:200]))
    path = headers.get("return-path", "-").strip().lower()
    if path in ("<>", "") or "mailer-daemon" in path:
        found.append(Evidence(where="header:Return-Path", text=path[:200]))
    sender = headers.get("from").strip()
    if "from" in headers and _DAEMON.search(sender[:500]):
        found.append(Evidence(where="header:From", text=sender[:200]))
    elif _POSTMASTER.search(sender[:500]):
        found.append(Evidence(where="header:From:postmaster", text=sender[:200]))
    if "x-mlserver" in headers and "-admin@" in sender[:500]:  # the mailing list server fml
        found.append(Evidence(where="header:X-MLServer", text=headers.get("x-mlserver")[:200]))
    if report_type(parsed) == "delivery-status":
        found.append(Evidence(where="header:Content-Type", text="report-type=delivery-status"))
    return found


def _reading(parsed: Parsed, names: Names, words: str, subject: str, signals: list[Evidence]) -> Reading:
    rule = _format(parsed.text) or "text"
    evidence = tuple(one.model_copy(update={"where": one.where.removesuffix(":postmaster")}) for one in signals[:4])
    ignored = ("embedded_original",) if len(words) < len(parsed.text.rstrip()) else ()
    blocks = fields_in(parsed.text)
    if blocks:
        found = of_blocks(blocks, words, where="text", rule=f"bounce:{rule}")
        return found.model_copy(update={"evidence": evidence, "ignored": ignored})
    known = addresses_in(",".join(parsed.headers.all("x-failed-recipients"))[:MAX_TEXT])
    # Not X-Original-To: DragonFly states the failed recipient there.
    to = ",".join(value for name in ("to", "cc", "delivered-to", "envelope-to") for value in parsed.headers.all(name))
    ours = frozenset((*addresses_in(to[:MAX_TEXT]), names.sender))
    original = [found for line in _TO.findall(parsed.text[len(words) :][:MAX_TEXT]) for found in addresses_in(line)]
    later = bool(
        _DELAYED.search(words) or _DELAYED.search(subject) or "(delay)" in subject.lower()
    ) and not _GIVEN_UP.search(words)
    fates = []
    for one in failures(words, tuple(dict.fromkeys(known)), ours):
        recipient = one.recipient or next((found for found in (*names.concerned, *original) if found not in ours), "")
        fate = bounced(recipient, judge_bounce([replies(one.reason), one.reason, words, subject]))
        fates.append(delayed(fate) if later else fate)
    return Reading(
        kind=Kind.DELAYED if later else Kind.BOUNCE,
        rule=f"bounce:{rule}",
        evidence=evidence,
        ignored=ignored,
        bounce=tuple(fates),
    )


def _format(text: str) -> str:
    low = text[:MAX_TEXT].lower()
    return next((name for name, literals in _FORMATS if any(literal in low for literal in literals)), "")


def _start(text: str, hit: str) -> int | None:
    """Where the words stand in the new text, if they do."""
    at = text.find(hit.strip())
    return at if at >= 0 else None
