"""What a mail names: the Message-IDs and addresses that it can be matched by.

Liberal in what is read, bounded in what is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from domain.inbound import Names
from mail.inbound.parsing import Parsed

MOST = 100
"""Of each sort of name: nobody real answers more mails at once, and every one is looked up."""

_RECIPIENTS = ("to", "cc", "delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "x-forwarded-to")
_REPORTED = ("original-recipient", "final-recipient", "x-actual-recipient")
_FED_BACK = ("original-rcpt-to", "original-recipient", "removal-recipient")

_ID = re.compile(r"<([^<>]{1,998})(>?)")
_COMMENT = re.compile(r"\([^()]*\)")
_QUOTED = re.compile(r'"[^"]*"(?!@)')
_ADDRESS = re.compile(r'(?:"[^"@<>]{1,64}"|[^\s<>()\[\],;:"@]{1,128})@[^\s<>()\[\],;:"@\'|]{1,255}')
_ANGLE = re.compile(r"<([^<>]{3,400})>")
_ID_LINE = re.compile(r"(?im)^[> \t|]{0,8}message-id[ \t]{0,4}:[ \t]{0,4}\n?[ \t]{0,8}<([^<>\s]{3,400})>")


def names_of(parsed: Parsed) -> Names:
    """Read the names. Never raises: a header that makes no sense names nothing."""
    headers = parsed.headers
    answers = ids(headers.get("in-reply-to")) + ids(" ".join(headers.all("references")))[::-1]
    originals = [name for original in parsed.originals for name in ids(original.get("message-id"))[:1]]
    if parsed.receipt is not None:
        originals += ids(parsed.receipt.get("original-message-id"))  # RFC 8098 3.2.6
    # Bounces older than MIME carry the original as text, after a line that says so.
    originals += _ID_LINE.findall(parsed.text)[:MOST] if "essage-" in parsed.text else []
    blocks = [*((block, _REPORTED) for block in parsed.status), *((original, ("to",)) for original in parsed.originals)]
    blocks.append((headers, ("x-failed-recipients",)))
    if parsed.feedback is not None:
        blocks.append((parsed.feedback, _FED_BACK))
    if parsed.receipt is not None:
        blocks.append((parsed.receipt, _REPORTED))
    return Names.model_construct(
        message_id=next(iter(ids(headers.get("message-id"))), None),
        answers=_first(answers),
        originals=_first(originals),
        sender=sender_of(headers.get("from")) or sender_of(headers.get("reply-to")),
        recipients=_first(found for name in _RECIPIENTS for value in headers.all(name) for found in addresses(value)),
        concerned=_first(
            found
            for block, names in blocks
            for name in names
            for value in block.all(name)
            for found in addresses(value)
        ),
        subject=headers.get("subject")[:1_000],
        date=_date(headers.get("date")),
    )


def ids(value: str) -> list[str]:
    """The Message-IDs in a header's value, without brackets, in order.

    RFC 5322 3.6.4 wants `<left@right>`. Also read: a missing closing bracket, IDs broken by folding, comments and phrases
    beside IDs ("Your message of Tuesday"), and, where no bracket is at all, every word with an @ or the only word.
    """
    if "<" in value:
        found = []
        for inner, closed in _ID.findall(value):
            words = inner.split()
            if words:
                found.append("".join(words) if closed else words[0])
        return found
    words = [word.strip('">') for word in _COMMENT.sub(" ", value).replace(",", " ").split()]
    return [word for word in words if "@" in word or len(words) == 1][: MOST * 2]


def addresses(value: str) -> list[str]:
    """The addresses in a header's value, lower-case, in order. An address in a display name or a comment does not count."""
    if "@" not in value:
        return []
    found = []
    for item in re.split("[,;]", _QUOTED.sub(" ", value)):
        angle = _ANGLE.search(item)
        match = _ADDRESS.search(angle.group(1) if angle else _COMMENT.sub(" ", item))
        if match:
            found.append(_tidy(match.group()))
    return found


def sender_of(value: str) -> str:
    """The one address of a From header: the last in brackets, since whatever is before it may be a display name."""
    for inner in reversed(_ANGLE.findall(value)):
        match = _ADDRESS.search(inner)
        if match:
            return _tidy(match.group())
    return next(iter(addresses(value)), "")


def _tidy(address: str) -> str:
    return address.strip("'.").lower()[:320]


def _first(found: Iterable[str]) -> tuple[str, ...]:
    """Without repetition, in order, the first of them."""
    seen: dict[str, None] = {}
    for one in found:
        seen[one] = None
        if len(seen) == MOST:
            break
    return tuple(seen)


def _date(value: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(value[:200])
        if found.tzinfo is None:  # "-0000" (RFC 5322 3.3): UTC, of an unknown zone
            found = found.replace(tzinfo=UTC)
        found = found.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError, AttributeError):
        return None
    return found if 1970 <= found.year <= 2199 else None
