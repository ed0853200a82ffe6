"""What a refusal means: THE table for SMTP replies at send time and for the texts in bounces.

Text comes first and codes second, because codes lie: 550 5.2.1 at Gmail is a disabled account or somebody who
receives mail too fast; 550 5.7.1 is spam, policy, rate or a missing Message-ID; 550 5.4.1 at Microsoft is an unknown
recipient. Order: provider texts, generic texts, enhanced code (RFC 3463, IANA; vague words beat all but X.7), basic code
(RFC 5321 4.2.3), unknown.
The wordings themselves are in mail/refusal_texts.py; nothing else in Onward lets a reply's wording decide anything.
In a bounce a server has given up: 4xx is final there too, and its words for giving up are a class (`expired`).

Decisions beyond the sources:

- At send time 4xx never bounces a contact, whatever the text says (RFC 5321 4.2.1: temporary).
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
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from mail.refusal_texts import GENERIC, GIVEN_UP, LAST, PROVIDERS, TRANSLATED, VAGUE, Cause, Rule, Scope

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

    @property
    def weak(self) -> bool:
        """Only a code decided, or words that say little: clearer words elsewhere know better."""
        return self.source.startswith((_REGISTRY, "RFC 5321 4.2.3")) or self.source in _WEAK


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
    "0.350": Cause.CONTENT,
    "1.20": Cause.CONTENT,
    "1.351": Cause.HARD_INVALID,
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
    "4.300": Cause.EXPIRED,
    "4.310": Cause.HARD_DOMAIN,
    "4.312": Cause.EXPIRED,
    "4.316": Cause.EXPIRED,
    "4.317": Cause.EXPIRED,
    "4.318": Cause.EXPIRED,
    "2.121": Cause.RATE_LIMITED,
    "2.122": Cause.RATE_LIMITED,
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
_ADDRESS = re.compile(r"<?[^\s<>@]+@[^\s<>@:]+>?")
_LINE_CODE = re.compile(r"^\s*(?:[2-5]\d\d[ -])?\s*")
_WAIT = re.compile(r"\bin (?:about )?(\d{1,6}) ?(s|sec|seconds?|m|min|minutes?|hours?|h)\b|(?:\bin |wait |retry after )(\d\d):(\d\d):(\d\d)\b", re.IGNORECASE)  # fmt: skip


def judge(code: int, text: str, *, phase: str = "rcpt") -> Refusal:
    """What the reply `code` `text` means for contact, mailbox and message.

    `phase` is that of SmtpRefused, or `bounce` for a text that came later by mail: there a server has given up, so
    that 4xx is final too; `code` may be 0. `text` may have several lines, with or without their codes in front.
    Never raises.
    """
    enhanced, joined = _joined(text)
    permanent = code >= 500 or (code < 400 and enhanced is not None and enhanced.startswith("5"))
    final = permanent or phase == "bounce"
    cause, scope, source = _cause(code, enhanced, joined, permanent=permanent, bounce=phase == "bounce")
    if cause is Cause.UNKNOWN and permanent and phase == "final":
        cause, scope, source = Cause.CONTENT, None, "refused after the body (RFC 5321 4.2.5)"
    effect = _EFFECTS[cause]
    scope = scope or effect.scope
    action = effect.permanent if final else effect.temporary
    if cause is Cause.RATE_LIMITED and scope == "contact":
        action = "defer"
    if cause is Cause.OWN_CONFIG and not final:
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


def judge_bounce(texts: Iterable[str], status: str = "") -> Refusal:
    """What a bounce says in several places: the first text whose words the table knows, else the first code.

    `texts`: from the most to the least telling (Diagnostic-Code, the lines about the recipient, the whole human part);
    `status`: the Status field (RFC 3464 2.3.4). What was refused before a recipient was named, or after the body, is
    not about the recipient, if the texts tell so. Never raises.
    """
    seen: list[str] = []
    judged: list[Refusal] = []
    given = (text[:_MAX_TEXT] for text in texts if text.strip())
    for text in given:
        seen.append(text)
        judged.append(_bounced(text))
        if judged[-1].cls is not Cause.UNKNOWN and not judged[-1].weak:
            found = judged[-1]
            break
    else:
        judged += [judge(0, status, phase="bounce")]
        found = next((one for one in judged if one.cls is not Cause.UNKNOWN), judged[0])
    if found.enhanced is None and status:
        found = replace(found, enhanced=status)
    if not found.hard and found.cls is not Cause.UNKNOWN:
        return found
    seen += given
    place = next((match.lastgroup for text in seen if (match := _PLACE.search(text))), None)
    if place == "early":
        return _as(found, Cause.POLICY_BLOCK, "refused before a recipient was named")
    if place == "late" and found.cls is Cause.UNKNOWN and found.permanent:
        return _as(found, Cause.CONTENT, "refused after the body (RFC 5321 4.2.5)")
    if place == "late" and any("mfsmax." in text for text in seen):
        return replace(_as(found, Cause.POLICY_BLOCK, "docomo: the recipient's filter"), scope="contact")
    return found


@lru_cache(maxsize=256)  # several recipients of one bounce share their words
def _bounced(text: str) -> Refusal:
    return judge(_code_in(text), text, phase="bounce")


def _as(found: Refusal, cause: Cause, source: str) -> Refusal:
    effect = _EFFECTS[cause]
    return replace(found, cls=cause, scope=effect.scope, action=effect.permanent, hard=False, source=source)


# Postfix, Exim, qmail and sendmail tell which command was answered.
_PLACE = re.compile(
    r"(?P<early>in reply to (?:MAIL FROM|EHLO|HELO|initial)|refused to talk to me|after (?:MAIL FROM|EHLO|HELO|initial connection)|but (?:sender was|my name was) rejected|but greeting failed|>>> (?:MAIL FROM|EHLO|HELO)[^\n]*\s<<< [45])"
    r"|(?P<late>in reply to end of DATA|after end of data|failed after I sent the message)",
    re.IGNORECASE,
)
_REPLY_CODE = re.compile(r"(?<![\d.])([45]\d\d)(?![\d.])")


def _code_in(text: str) -> int:
    found = _REPLY_CODE.search(text)
    return int(found.group(1)) if found else 0


def _joined(text: str) -> tuple[str | None, str]:
    """The first enhanced code, and the lines as one text in which a code repeated on each line stands once."""
    lines = [_LINE_CODE.sub("", line).strip() for line in text[:_MAX_TEXT].splitlines()]
    found = _ENHANCED_CODE.search(" ".join(lines))
    enhanced = found.group(0) if found else None
    if enhanced is not None:
        lines = [line if i == 0 else line.removeprefix(enhanced).strip() for i, line in enumerate(lines)]
    return enhanced, " ".join(line for line in lines if line)


def _cause(
    code: int, enhanced: str | None, text: str, *, permanent: bool, bounce: bool
) -> tuple[Cause, Scope | None, str]:
    # Addresses may hold any word of the table.
    words = " ".join(_ADDRESS.sub("<address>", text).split())
    detail = enhanced.partition(".")[2] if enhanced else ""
    temporary = 400 <= code < 500 or (code < 400 and enhanced is not None and enhanced.startswith("4"))
    digits = {4 if (temporary if bounce else not permanent) else 5}
    by_code = _by_enhanced(min(digits), detail)
    lists = [PROVIDERS, GENERIC]
    if bounce:
        lists += [GIVEN_UP, TRANSLATED]
        if not _FOR_NOW.search(words):
            digits.add(5)  # who gave up after 4xx "user unknown" says the same as 5xx
    if not (by_code and detail.startswith("7.")):
        lists.append(VAGUE)
    if bounce:
        lists.append(LAST)
    found = next((rule for rules in lists if (rule := _by_text(rules, digits, words))), None)
    if found is not None and detail in _SENDER_CODES and found.cause in _HARD:
        found = None
    if found is not None:
        return found.cause, found.scope, found.source
    if by_code is not None and not (bounce and by_code[0] is Cause.GREYLIST):
        return *by_code, f"{_REGISTRY}: {enhanced}"
    if bounce and temporary:
        return Cause.EXPIRED, None, "RFC 5321 4.2.3: 4xx until the server gave up"
    if code in _BASIC:
        return _BASIC[code], None, f"RFC 5321 4.2.3: {code}"
    return Cause.UNKNOWN, None, "nothing known"


# Said of a mailbox that may be there in an hour.
_FOR_NOW = re.compile(r"unavailable|temporar|verif|try again|later|in progress", re.IGNORECASE)
_WEAK = frozenset(rule.source for rule in LAST)
_SENDER_CODES = frozenset({"1.7", "1.8"})


def _by_text(rules: tuple[Rule, ...], digits: set[int], words: str) -> Rule | None:
    return next(
        (rule for rule in rules if (rule.only is None or rule.only in digits) and rule.pattern.search(words)), None
    )


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
