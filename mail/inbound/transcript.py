"""The human text of a bounce: what the reporting server wrote, the recipients it names, and the reason for each."""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_TEXT = 12_000
"""Characters of a bounce's text that are looked at; servers state the reason at the top."""
_MAX_LINE = 600
_MAX_RECIPIENTS = 100

ADDRESS = re.compile(
    r"(?:\"[^\"\s<>]{1,64}\"|[\w!#$%&'*+/=?^`{|}~.\-]{1,64})@[A-Za-z0-9][A-Za-z0-9.\-]{0,252}", re.ASCII
)

# The line behind which the original mail begins, as servers announce it; else the first trace field of the original.
_ORIGINAL = re.compile(
    r"""^[ \t>|]{0,20}(?:
      [-_=*\#~]{0,80}[ ]?(?:
        this\ is\ (?:a\ copy\ of|the)\ (?:the\ |your\ )?(?:original\ )?(?:message|mail)(?:[,.]|'s)
      | (?:below\ this\ line|below|following|here)\ is\ (?:a|the)\ (?:copy|header)
      | the\ (?:body|headers?|text)\ of\ (?:the|your)\ (?:original\ )?(?:message|mail)\ (?:is|are)
      | (?:the\ )?(?:original|returned|unsent|undelivered|rejected|bounced)\ (?:message|mail|e-?mail)(?:\ (?:headers?|text|body|as))?
        (?:\ (?:follows?|info)|\ is\ attached|\ below)?[.:]?[ ]*(?:[-_=*\#~]{2,80}|$)
      | message\ (?:headers?|text|body)\ follows?
      | (?:a\ )?copy\ of\ (?:the|your)\ (?:original\ )?(?:message|mail)\b
      | begin\ (?:original|forwarded|returned)\ message
      | ursprüngliche\ nachricht | message\ d'origine | mensaje\ original | messaggio\ originale | mensagem\ original
      | 元のメッセージ | 原邮件(?!信息) | 原始郵件
      )
    | original\ message\ headers?:
    | received:\ (?:from|by|\(|unknown|via)
    | return-path:[ ]?<
    | dkim-signature:
    | content-type:\ (?:message/rfc822|text/rfc822-headers)
    )""",
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)

# Header fields of the original, repeated in the report, and fields of the report itself: they name people, not reasons.
_ECHO = re.compile(
    r"^\W{0,6}(?:from|to|cc|bcc|subject|sent|date|reply-to|message[- ]?(?:id|name|identifier|date|subject)|mail from|original sender"
    r"|sender(?:-mta)?|in-reply-to|references|(?:reporting|remote|received-from)-mta|arrival-date|last-attempt-date"
    r"|betreff|von|an|objet|de|asunto|件名|差出人|送信日時|тема)\s{0,3}[:：]",
    re.IGNORECASE,
)
_TO = re.compile(r"^\W{0,6}(?:to|an|para|à|宛先)\s{0,3}:", re.IGNORECASE)
_PREFIX = re.compile(r"^smtp[=:]", re.IGNORECASE)  # Exchange: the address type
# What servers say in every bounce; it must not be judged. An address in such a line is one to ask, not one that failed.
_BOILERPLATE = re.compile(
    r"""^\W*(?:
      this\ (?:message|mail|e-?mail|report|is)\b.{0,60}\b(?:created|generated|sent)\ automatically
    | this\ is\ an?\ automatic
    | an?\ (?:message|mail|e-?mail)\ (?:that\ )?you\ (?:sent|attempted)\b
    | (?:one\ or\ more\ of\ )?(?:its\ )?recipients?\.\ this\ is\ a\ permanent\ error
    | this\ is\ a\ permanent\ error
    | (?:hi\.\ )?this\ is\ the\ .{0,80}\b(?:program|agent|server|system|daemon)\b
    | i'm\ (?:afraid|sorry)\b
    | the\ following\ address(?:\(?es\)?)?\ (?:failed|had)\b
    | .{0,80}\b(?:do\ not\ reply|contact|assistance|further\ information|more\ information|postmaster\b.{0,20}$|problem\ report|delete\ your\ own)\b
    | .{0,80}(?:お問い合わせ|ご連絡)
    | (?:the\ )?(?:following\ )?(?:mail\ system|postfix\ program)\W*$
    | -{2,}[^-].{0,60}-{2,}$
    | the\ original\ message\ was\ received\b
    | from\ .{0,60}\[[\d.]+\]
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# A line that names a recipient whose failure is told on it or below.
_NAMED = re.compile(
    r"""^[ \t>*"'\[(|-]{0,40}(?P<code>[45]\d\d[ -](?:[45]\.\d{1,3}\.\d{1,3}[ ])?)?(?:(?:failed|intended|original)?[ ]?(?:recipient|rcpt)(?:\ address|\ to)?|addressed\ to|[^\s@]{1,40}:\ rcpt\ to)?[ \t]{0,4}:?[ \t]{0,4}
    [<(\["']{0,2}(?P<address>"""
    + ADDRESS.pattern.replace(" ", r"\ ").replace("#", r"\#")
    + r""")[>)\]"']{0,2}(?P<rest>(?:[\s:;,.<\[(-].*)?)$""",
    re.IGNORECASE | re.VERBOSE | re.ASCII,
)
_CODED = re.compile(r"(?:^|[\s:;>#\[(\"',])#?(?:[45]\d\d(?:[ -](?!\d\d:)|$)|[45]\.\d{1,2}\.\d{1,3}(?![\d.]))")
_MAX_CONTINUED = 5


@dataclass(frozen=True, slots=True)
class Failure:
    """One recipient that a text names, lower-case ("" where it names none), and the lines about it."""

    recipient: str
    reason: str


def told(text: str) -> str:
    """The server's own words: `text` up to the original mail, at most MAX_TEXT characters."""
    text = text[:MAX_TEXT]
    for found in _ORIGINAL.finditer(text):
        if text[: found.start()].strip():
            return text[: found.start()]
    return text


def addresses_in(text: str) -> list[str]:
    """The addresses in a text, lower-case, in order."""
    found = (_PREFIX.sub("", one.strip("'\"` .")).lower() for one in ADDRESS.findall(text))
    return [one for one in found if "@" in one]


def failures(text: str, known: tuple[str, ...], ours: frozenset[str]) -> tuple[Failure, ...]:
    """The recipients that `text` (from `told`) is about, each with its reason; at least one.

    known: recipients that headers state; where there are any, only those count. ours: addresses that are hardly meant:
    those the bounce was sent to, and its sender. They count where no other is named: people write to themselves.
    """
    found = _failures(text, known, ours)
    if ours and not any(one.recipient for one in found):
        found = _failures(text, known, frozenset())
    return found


def _failures(text: str, known: tuple[str, ...], ours: frozenset[str]) -> tuple[Failure, ...]:
    blocks: dict[str, list[str]] = {}
    others: list[str] = []
    echoed: list[str] = []
    before: list[str] = []
    current: list[str] | None = None
    for line in text.splitlines():
        line = line[:_MAX_LINE]
        if _ECHO.match(line) or _BOILERPLATE.match(line):
            if _TO.match(line):
                echoed += addresses_in(line)
            continue
        found = _NAMED.match(line) if "@" in line else None
        address = next(iter(addresses_in(found["address"])), "") if found else ""
        if (
            found
            and address
            and address not in ours
            and (not known or address in known)
            and len(blocks) < _MAX_RECIPIENTS
        ):
            current = blocks.setdefault(address, [])
            current.append(((found["code"] or "") + found["rest"]).strip(" \t:,;>"))
            continue
        if "@" in line and len(others) < _MAX_RECIPIENTS:
            others += addresses_in(line)
        (before if current is None else current).append(line)
    if not blocks:
        named = known or tuple(one for one in (*others, *echoed) if one not in ours)[:1] or ("",)
        return tuple(Failure(address, "\n".join(before).strip()) for address in named)
    reasons = {address: "\n".join(lines).strip() for address, lines in blocks.items()}
    if not all(reasons.values()) or len(reasons) == 1:
        # Addresses first and one reason for all, or the reason stands above them.
        common = "\n".join((*before, *(reason for reason in reasons.values() if reason))).strip()
        reasons = {address: reason or common for address, reason in reasons.items()}
    return tuple(Failure(address, reason) for address, reason in reasons.items())


def replies(text: str) -> str:
    """The lines of `text` that quote an SMTP reply or an enhanced code, with their indented continuation; "" if there is none."""
    kept: list[str] = []
    left = 0
    for line in text[:MAX_TEXT].splitlines():
        if _CODED.search(line[:_MAX_LINE]):
            left = _MAX_CONTINUED
        elif left and line[:1] in (" ", "\t") and line.strip() and not _NAMED.match(line[:_MAX_LINE]):
            left -= 1
        else:
            left = 0
        if left:
            kept.append(line[:_MAX_LINE].strip())
    return " ".join(kept)[:2_000]
