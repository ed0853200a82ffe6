"""From bytes to a mail that rules can read. Never raises, whatever the bytes; size, depth and number of parts are bounded."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mail.inbound.decoding import text_of, transfer_decoded
from mail.inbound.markup import text_of_html
from mail.inbound.mime import MOST_PARTS, Headers, content_type, fields_of, head_of, parameters, spans_of

__all__ = ["Headers", "Parsed", "Part", "parse"]

MOST_BYTES = 32 * 1024 * 1024
MOST_DEPTH = 20
"""Of parts in parts and mails in mails."""
MOST_ORIGINALS = 20
MOST_BLOCKS = 500
"""Header blocks of delivery reports: one per recipient."""
MOST_TEXT = 200_000
"""Characters of one part; of all together five times as many."""
_MOST_TEXT_BYTES = 3 * MOST_TEXT
_MOST_ORIGINAL_TEXT = 20_000

_STATUS = frozenset(("message/delivery-status", "message/global-delivery-status"))
_EMBEDDED = frozenset(("message/rfc822", "message/global", "message/partial", "message/news"))
_HEADER_PARTS = frozenset(("text/rfc822-headers", "message/rfc822-headers", "message/global-headers"))
_RECEIPTS = frozenset(("message/disposition-notification", "message/global-disposition-notification"))
_CALENDAR = frozenset(("text/calendar", "application/ics"))

_META = re.compile(rb"<meta[^<>]{1,200}charset\s{0,5}=\s{0,5}[\"']?([\w-]{1,40})", re.IGNORECASE)
_BLANK = re.compile(r"\n[ \t]*\n\s*")


@dataclass(frozen=True, slots=True)
class Part:
    """One leaf. `content_type` is lower-case; `text` is the decoded text of text/* and of report parts, never of an attachment.
    `params`: of the Content-Type, names lower-case."""

    content_type: str
    headers: Headers
    text: str = ""
    params: tuple[tuple[str, str], ...] = ()
    attachment: bool = False


@dataclass(frozen=True, slots=True)
class Parsed:
    """A mail taken apart. Nothing of an embedded message is among `parts` or in `text`: it is in `originals`.

    content_type, params: of the whole (`multipart/report`, `report-type`). text: the first text/plain body, else
    text/html turned into text, else "". status: per message/delivery-status part its header blocks, per-message block first (RFC 3464).
    feedback: the fields of message/feedback-report (RFC 5965). receipt: of message/disposition-notification (RFC 8098).
    calendar: the first text/calendar part. originals: headers of embedded mails (message/rfc822, message/global,
    text/rfc822-headers, message/partial), outermost first, each with the first text of its body in `original_texts`. cut: what
    the bounds left out (`parts`, `depth`, `size`, `headers`).
    """

    headers: Headers
    content_type: str = "text/plain"
    params: tuple[tuple[str, str], ...] = ()
    parts: tuple[Part, ...] = ()
    text: str = ""
    status: tuple[Headers, ...] = ()
    feedback: Headers | None = None
    receipt: Headers | None = None
    calendar: str | None = None
    originals: tuple[Headers, ...] = ()
    original_texts: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()


def parse(raw: bytes) -> Parsed:
    """Take a mail apart. Never raises; takes time and memory in proportion to the length of `raw`."""
    reader = _Reader()
    if len(raw) > MOST_BYTES:
        raw = raw[:MOST_BYTES]
        reader.cut["size"] = None
    buffer = _unified(raw)
    start = len(buffer) - len(buffer.lstrip(b"\n"))
    if buffer.startswith((b"From ", b">From "), start):  # an mbox file's line, or a relay's
        start = (buffer.find(b"\n", start) + 1) or len(buffer)
    headers, body, cut = head_of(buffer, start, len(buffer))
    if cut:
        reader.cut["headers"] = None
    kind, params = content_type(headers.get("content-type"))
    reader.entity(_Entity(buffer, body, len(buffer), headers, kind, params), 0, None)
    return reader.parsed(headers, kind, params)


def _unified(raw: bytes) -> bytes:
    """UTF-8 where a byte order mark says that it is something else; LF line ends."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raw = raw.decode("utf-16", "replace").encode("utf-8", "replace")
    elif raw.startswith(b"\xef\xbb\xbf"):
        raw = raw[3:]
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return raw


@dataclass(frozen=True, slots=True)
class _Entity:
    """Something with headers and a body: the body is `buffer[start:end]`."""

    buffer: bytes
    start: int
    end: int
    headers: Headers
    kind: str
    params: dict[str, str]


class _Reader:
    """Collects what one mail holds."""

    def __init__(self) -> None:
        self.cut: dict[str, None] = {}
        self._parts: list[Part] = []
        self._named: _Entity | None = None
        self._status: list[Headers] = []
        self._feedback: Headers | None = None
        self._receipt: Headers | None = None
        self._calendar: str | None = None
        self._originals: list[Headers] = []
        self._original_texts: list[str] = []
        self._entities = 0
        self._characters = 5 * MOST_TEXT

    def parsed(self, headers: Headers, kind: str, params: dict[str, str]) -> Parsed:
        return Parsed(
            headers=headers,
            content_type=kind,
            params=tuple(params.items()),
            parts=tuple(self._parts),
            text=self._body(),
            status=tuple(self._status),
            feedback=self._feedback,
            receipt=self._receipt,
            calendar=self._calendar,
            originals=tuple(self._originals),
            original_texts=tuple(self._original_texts),
            cut=tuple(self.cut),
        )

    def _body(self) -> str:
        shown = [part for part in self._parts if not part.attachment and part.text]
        for wanted in ("text/plain", "text/html", ""):
            for part in shown:
                if part.content_type.startswith(wanted) and part.content_type not in _NOT_SHOWN and part.text.strip():
                    return _plain(part)
        # Some gateways give the text of a report a file's name.
        return self._text(self._named) if self._named is not None else ""

    def entity(self, entity: _Entity, depth: int, original: int | None) -> None:
        """Read one entity and what is in it. `original`: the number of the embedded mail that it is in."""
        self._entities += 1
        if self._entities > MOST_PARTS:
            self.cut["parts"] = None
            return
        main = entity.kind.partition("/")[0]
        if main == "multipart" and self._multipart(entity, depth, original):
            return
        if entity.kind in _EMBEDDED:
            self._embedded(entity, depth)
        elif entity.kind in _HEADER_PARTS:
            fields, _, _ = fields_of(self._text(entity).lstrip().encode("utf-8", "replace"))
            self._original(Headers(fields))
        elif original is not None:
            self._original_text(entity, original)
        else:
            self._leaf(entity, depth)

    def _multipart(self, entity: _Entity, depth: int, original: int | None) -> bool:
        """Read the parts; False if there is none, so that the body is nothing but text."""
        if depth >= MOST_DEPTH:
            self.cut["depth"] = None
            return True
        spans, cut = spans_of(entity.buffer, entity.start, entity.end, entity.params.get("boundary", ""))
        if cut:
            self.cut["parts"] = None
        default = "message/rfc822" if entity.kind == "multipart/digest" else "text/plain"
        for start, end in spans:
            if self._entities > MOST_PARTS:
                break
            headers, body, shortened = head_of(entity.buffer, start, end)
            if shortened:
                self.cut["headers"] = None
            kind, params = content_type(headers.get("content-type"), default)
            self.entity(_Entity(entity.buffer, body, end, headers, kind, params), depth + 1, original)
        return bool(spans)

    def _embedded(self, entity: _Entity, depth: int) -> None:
        if depth >= MOST_DEPTH or len(self._originals) >= MOST_ORIGINALS:
            self.cut["depth" if depth >= MOST_DEPTH else "parts"] = None
            return
        buffer, start, end = entity.buffer, entity.start, entity.end
        if entity.headers.get("content-transfer-encoding").lower().startswith(("base64", "quoted")):
            # RFC 2046 5.2.1 forbids it; Exchange and others do it.
            buffer = _unified(self._bytes(entity))
            start, end = 0, len(buffer)
        while start < end and buffer[start] == 10:
            start += 1
        headers, body, cut = head_of(buffer, start, end)
        if cut:
            self.cut["headers"] = None
        number = self._original(headers)
        if number is None:
            return
        kind, params = content_type(headers.get("content-type"))
        self.entity(_Entity(buffer, body, end, headers, kind, params), depth + 1, number)

    def _original(self, headers: Headers) -> int | None:
        if len(self._originals) >= MOST_ORIGINALS:
            self.cut["parts"] = None
            return None
        self._originals.append(headers)
        self._original_texts.append("")
        return len(self._originals) - 1

    def _original_text(self, entity: _Entity, number: int) -> None:
        if not self._original_texts[number] and entity.kind.startswith("text/") and not _attached(entity):
            text = self._text(entity)
            if entity.kind == "text/html":
                text = text_of_html(text[: 4 * _MOST_ORIGINAL_TEXT])
            self._original_texts[number] = text.strip()[:_MOST_ORIGINAL_TEXT]

    def _leaf(self, entity: _Entity, depth: int) -> None:
        kind = entity.kind
        attached = depth > 0 and _attached(entity)
        text = ""
        if kind in _STATUS:
            text = self._text(entity)
            self._blocks(text)
        elif kind == "message/feedback-report":
            text = self._text(entity)
            self._feedback = self._feedback or _block(text)
        elif kind in _RECEIPTS:
            text = self._text(entity)
            self._receipt = self._receipt or _block(text)
        elif kind in _CALENDAR:
            text = self._text(entity)
            self._calendar = self._calendar or text
        elif kind.startswith("text/") and not attached:
            text = self._text(entity)
            if text.lstrip()[:14].lower() == "reporting-mta:" and not self._status:
                kind = "message/delivery-status"  # a gateway called the report a text
                self._blocks(text)
        elif (kind == "application/octet-stream" and not attached) or kind.startswith("multipart/"):
            text = self._maybe_text(entity)
            attached = not text
        else:
            attached = True
            if kind == "text/plain" and self._named is None and not entity.headers.get("content-disposition"):
                self._named = entity
        self._parts.append(Part(kind, entity.headers, text, tuple(entity.params.items()), attached))

    def _blocks(self, text: str) -> None:
        for block in _BLANK.split(text.strip(), maxsplit=MOST_BLOCKS):
            if len(self._status) >= MOST_BLOCKS:
                self.cut["parts"] = None
                break
            if block:
                self._status.append(_block(block))

    def _maybe_text(self, entity: _Entity) -> str:
        """A body whose type says nothing, if it is text after all."""
        start = entity.buffer[entity.start : min(entity.end, entity.start + 1_000)]
        if b"\0" in start or "name" in entity.params:
            return ""
        text = self._text(entity)
        return text if text.isprintable() or sum(map(str.isprintable, text[:1_000])) > 0.9 * len(text[:1_000]) else ""

    def _bytes(self, entity: _Entity) -> bytes:
        """The body, as far as it is read, with its transfer encoding undone."""
        end = min(entity.end, entity.start + _MOST_TEXT_BYTES)
        if end < entity.end:
            self.cut["size"] = None
        return transfer_decoded(entity.buffer[entity.start : end], entity.headers.get("content-transfer-encoding"))

    def _text(self, entity: _Entity) -> str:
        """The body as text, as far as it is read."""
        if self._characters <= 0:
            self.cut["size"] = None
            return ""
        data = self._bytes(entity)
        charset = entity.params.get("charset", "")
        if not charset and entity.kind == "text/html":
            meta = _META.search(data[:2_000])
            charset = meta.group(1).decode("ascii", "replace") if meta is not None else ""
        text = text_of(data, charset)
        if "\r" in text:
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        most = min(MOST_TEXT, self._characters)
        if len(text) > most:
            self.cut["size"] = None
            text = text[:most]
        self._characters -= len(text)
        return text


_NOT_SHOWN = _STATUS | _RECEIPTS | _CALENDAR | {"message/feedback-report"}


def _attached(entity: _Entity) -> bool:
    """Whether a part is a file beside the text, by its disposition (RFC 2183) or because it has a file's name."""
    disposition = entity.headers.get("content-disposition").lower()
    if disposition.startswith("attachment"):
        return True
    return "name" in entity.params or ("filename" in disposition and "filename" in parameters(disposition))


def _block(text: str) -> Headers:
    """The first header block of a report."""
    return _fields(_BLANK.split(text.strip(), maxsplit=1)[0])


def _fields(text: str) -> Headers:
    return Headers(fields_of(text.partition("\n\n")[0].encode("utf-8", "replace"))[0])


def _plain(part: Part) -> str:
    if part.content_type == "text/html" or part.text.lstrip()[:15].lower().startswith(("<html", "<!doctype html")):
        return text_of_html(part.text)
    return part.text
