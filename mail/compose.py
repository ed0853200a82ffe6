"""From rendered texts to the bytes that leave.

Header lines are written here and the MIME body by the standard library's email package. What that package does to
long headers, seen on Python 3.11: with its default line length it turns long tokens of List-Unsubscribe, In-Reply-To
and References into encoded words, which breaks one-click unsubscribe and threading, and it drops the quotes of a
folded display name, so that `"Doe, John, ..." <j@x>` becomes several recipients; with 998 it makes encoded words
beyond the 75 characters of RFC 2047. Tests look at the bytes.

Not set on purpose: Precedence, Auto-Submitted and X-Auto-Response-Suppress. Responders that follow RFC 3834 stay
silent on them, and the return dates in out-of-office replies are wanted.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html as html_entities
import re
from collections.abc import Sequence
from datetime import datetime
from email.header import Header
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from mail.addresses import is_safe
from mail.errors import ContentError
from mail.templates import Rendered, one_line

MAX_LINE = 998
"""Longest line in bytes without its CRLF (RFC 5322 2.1.1)."""

MAX_DISPLAY_NAME = 200
"""Characters kept of a display name."""

_KEEP_REFERENCES = 10
_POLICY = SMTP.clone(max_line_length=MAX_LINE)
_ATEXT_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_URL = re.compile(r"[!-;=?-~]+")
_REPLY_PREFIX = re.compile(r"\s*re\s*:\s*", re.IGNORECASE)
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)


def message_id(secret: bytes, enrollment_id: str, step_id: str, attempt: int, domain: str) -> str:
    """The Message-ID of one attempt, angle brackets included: the same input always gives the same ID.

    130 bits of a keyed hash, so that it tells nothing and cannot be guessed. Under 70 characters for domains of up to
    38, because relays that fold longer IDs break threading.
    """
    name = "\0".join(("message-id", enrollment_id, step_id, str(attempt)))
    digest = hmac.new(secret, name.encode(), hashlib.sha256).digest()
    return f"<s.{base64.b32encode(digest).decode()[:26].lower()}@{domain}>"


def reply_subject(subject: str) -> str:
    """`subject` with exactly one "Re: " in front, whatever replies it came from."""
    while match := _REPLY_PREFIX.match(subject):
        subject = subject[match.end() :]
    return f"Re: {subject}"


def compose(
    *,
    rendered: Rendered,
    from_name: str,
    from_address: str,
    to_name: str,
    to_address: str,
    message_id: str,
    date: datetime,
    in_reply_to: str | None = None,
    references: Sequence[str] = (),
    unsubscribe_url: str | None = None,
    unsubscribe_mailto: str | None = None,
    reply_to: str | None = None,
) -> bytes:
    """One email to one recipient, ready for SMTP: CRLF line ends, no line over 998 bytes, 7-bit.

    The one exception to 7-bit is an address with a non-ASCII local part: its header is UTF-8 and needs SMTPUTF8.

    `from_address`, `to_address` and `reply_to` are normalized addresses; names may be any text: control characters
    go, and what is beyond 200 characters is cut. `date` must be aware. With `in_reply_to` (the Message-ID this one
    answers) the subject gets its "Re: ". `references` are oldest first; the first and the last ten are kept.
    `unsubscribe_url` gives the one-click headers of RFC 8058 (mail providers honour them for https only) and, if the
    texts do not show the link themselves, a last line with it. `unsubscribe_mailto` is an address or a `mailto:` URL.

    The same arguments give the same bytes. Raises ContentError for texts or values that cannot be sent, ValueError
    for a naive `date`.
    """
    if date.tzinfo is None:
        raise ValueError("date has no time zone")
    if reply_to is not None and not reply_to.isascii():
        raise ContentError("Reply-To: a non-ASCII address is not supported here")
    subject = one_line(rendered.subject)
    lines = [
        _address_line("From", from_name, from_address),
        _address_line("To", to_name, to_address),
        _text_line("Subject", reply_subject(subject) if in_reply_to else subject),
        f"Date: {format_datetime(date)}",
        f"Message-ID: {_checked(_MESSAGE_ID, 'Message-ID', message_id)}",
    ]
    if reply_to is not None:
        lines.append(_address_line("Reply-To", "", reply_to))
    if in_reply_to is not None:
        lines.append(f"In-Reply-To: {_checked(_MESSAGE_ID, 'In-Reply-To', in_reply_to)}")
    thread = _trimmed([_checked(_MESSAGE_ID, "References", one) for one in references or filter(None, [in_reply_to])])
    if thread:
        lines.append(f"References: {thread}")
    lines += _unsubscribe_lines(unsubscribe_url, unsubscribe_mailto)
    try:
        head = "".join(f"{line}\r\n" for line in lines).encode()
        message = head + _body(rendered, message_id, unsubscribe_url)
    except ValueError as error:  # lone surrogates, and what the email package refuses
        raise ContentError(str(error)) from error
    if any(len(line) > MAX_LINE for line in message.split(b"\r\n")):
        raise ContentError(f"a line is longer than {MAX_LINE} bytes")
    return message


def _address_line(header: str, name: str, address: str) -> str:
    if not is_safe(address):
        raise ContentError(f"{header}: not an address")
    name = one_line(name)[:MAX_DISPLAY_NAME].strip()
    if not name:
        return f"{header}: {address}"
    if not name.isascii() or "=?" in name:
        return f"{header}: {_encoded_words(header, name)}\r\n <{address}>"
    if not _ATEXT_PHRASE.fullmatch(name):
        name = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{header}: {name} <{address}>"


def _text_line(header: str, text: str) -> str:
    # "=?" in plain text would be read as the start of an encoded word.
    if text.isascii() and "=?" not in text:
        return f"{header}: {text}"
    return f"{header}: {_encoded_words(header, text)}"


def _encoded_words(header: str, text: str) -> str:
    """RFC 2047: words of at most 75 characters, each whole characters of its own, on lines of at most 76."""
    try:
        return Header(text, "utf-8", maxlinelen=76, header_name=header).encode(linesep="\r\n")
    except UnicodeError as error:
        raise ContentError(f"{header}: {error}") from error


def _checked(pattern: re.Pattern[str], header: str, value: str) -> str:
    if not pattern.fullmatch(value):
        raise ContentError(f"{header}: unusable value {value[:80]!r}")
    return value


def _trimmed(ids: Sequence[str]) -> str:
    """The thread's root and its most recent messages, on one line (RFC 5322 3.6.4 asks for all, mail readers do not)."""
    kept = list(ids) if len(ids) <= _KEEP_REFERENCES + 1 else [ids[0], *ids[-_KEEP_REFERENCES:]]
    while len("References: " + " ".join(kept)) > MAX_LINE and len(kept) > 1:
        del kept[1 if len(kept) > 2 else 0]
    return " ".join(kept)


def _unsubscribe_lines(url: str | None, mailto: str | None) -> list[str]:
    targets = []
    if url is not None:
        targets.append(f"<{_checked(_URL, 'List-Unsubscribe', url)}>")
    if mailto is not None:
        link = mailto if mailto.startswith("mailto:") else f"mailto:{mailto}"
        targets.append(f"<{_checked(_URL, 'List-Unsubscribe', link)}>")
    lines = [f"List-Unsubscribe: {', '.join(targets)}"] if targets else []
    if url is not None:
        lines.append("List-Unsubscribe-Post: List-Unsubscribe=One-Click")
    return lines


def _body(rendered: Rendered, message_id: str, unsubscribe_url: str | None) -> bytes:
    text, html = _plain(rendered.text), None if rendered.html is None else _plain(rendered.html)
    if unsubscribe_url is not None:
        text = _text_with_link(text, unsubscribe_url)
        html = None if html is None else _html_with_link(html, unsubscribe_url)
    body = EmailMessage(policy=_POLICY)
    body.set_content(text, cte=_encoding(text))
    if html is not None:
        body.add_alternative(html, subtype="html", cte=_encoding(html))
        # Chosen by us, so that the same email is the same bytes.
        body.set_boundary(f"=_{hashlib.sha256(message_id.encode()).hexdigest()[:32]}")
    return body.as_bytes()


def _plain(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _encoding(text: str) -> str:
    short = all(len(line) <= MAX_LINE for line in text.split("\n"))
    return "7bit" if short and text.isascii() else "quoted-printable"


def _text_with_link(text: str, url: str) -> str:
    return text if url in text else f"{text.rstrip()}\n\nUnsubscribe: {url}\n"


def _html_with_link(html: str, url: str) -> str:
    link = html_entities.escape(url)
    if url in html or link in html:
        return html
    footer = f'<p><a href="{link}">Unsubscribe</a></p>\n'
    ends = list(_BODY_END.finditer(html))
    at = ends[-1].start() if ends else len(html)
    return html[:at] + footer + html[at:]
