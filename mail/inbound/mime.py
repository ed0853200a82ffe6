"""The outer structure of mail, on bytes: header blocks, parameters, the parts of a multipart.

The standard library's parser takes everything apart before it can be asked how much there is: it recurses, its time
grows with depth times size, and it keeps every part. This one looks only where it is asked to, within bounds. All
positions are offsets in one buffer with LF line ends, so that nothing is copied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes

from mail.inbound.decoding import header_text, text_of

MOST_HEADER_BYTES = 256 * 1024
MOST_FIELDS = 1_000
MOST_VALUE = 16_000
"""Characters of one value: its beginning and its end are kept, since the newest of the References come last."""
MOST_PARTS = 200
"""Of one multipart, and of a whole mail."""
_MOST_LOOKALIKES = 20_000
"""Lines that begin like a boundary, in one multipart."""

_NAME = re.compile(r"[!-9;-~]{1,80}\s*")
_KNOWN = re.compile(
    r"(?:x-[\w-]{1,60}|received|return-path|from|to|cc|subject|date|message-id|reply-to|sender|mime-version|content-[\w-]{1,40}"
    r"|references|in-reply-to|dkim-[\w-]{1,40}|authentication-results|arc-[\w-]{1,60}|list-[\w-]{1,40}|thread-[\w-]{1,40}|[\w-]{1,40}-recipient"
    r"|action|status|diagnostic-code|[\w-]{1,20}-mta)\s{0,3}:",
    re.IGNORECASE,
)
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+\s*")
_PARAM = re.compile(r';\s*([^\s=;"]{1,60})\s*=\s*(?:"([^"]*)"|([^;]*))')
_TYPE = re.compile(r"\s*([a-z0-9!#$&^_.+-]{1,60})/([a-z0-9!#$&^_.+-]{1,80})")
_GUESS = re.compile(rb"\s{0,200}--([^\s-][^\n]{0,199})\n(?=content-)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Headers:
    """Header fields in order: names lower-case, values unfolded and decoded (RFC 2047), control characters gone."""

    fields: tuple[tuple[str, str], ...] = ()
    _values: dict[str, tuple[str, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        values: dict[str, tuple[str, ...]] = {}
        for name, value in self.fields:
            values[name] = (*values[name], value) if name in values else (value,)
        object.__setattr__(self, "_values", values)

    def get(self, name: str, default: str = "") -> str:
        """The first value of a field."""
        found = self._values.get(name.lower())
        return found[0] if found else default

    def all(self, name: str) -> tuple[str, ...]:
        """Every value of a field, top to bottom."""
        return self._values.get(name.lower(), ())

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._values


def head_of(buffer: bytes, start: int, end: int) -> tuple[Headers, int, bool]:
    """The header fields that begin at `start`, where their body begins, and whether something was left out."""
    if start >= end or buffer[start] == 10:
        return Headers(), min(start + 1, end), False
    blank = buffer.find(b"\n\n", start, end)
    stop = end if blank < 0 else blank
    block = buffer[start : min(stop, start + MOST_HEADER_BYTES)]
    fields, used, cut = fields_of(block)
    if used < len(block):
        return Headers(fields), start + used, cut
    return Headers(fields), min(stop + 2, end), cut or stop - start > MOST_HEADER_BYTES


def fields_of(block: bytes) -> tuple[tuple[tuple[str, str], ...], int, bool]:
    """The fields of a header block, how many of its bytes they take (all, unless a body follows without a blank line), and
    whether something was left out.

    A line that is no field and no continuation is taken as one where a known field follows it; else it begins the body.
    """
    try:
        text = block.decode("utf-8") if b"\x1b$" not in block else text_of(block, "iso-2022-jp")
    except UnicodeDecodeError:
        text = "\n".join(_line(line) for line in block.split(b"\n"))
    lines = text.split("\n")
    found: list[tuple[str, list[str]]] = []
    used = len(block)
    for number, line in enumerate(lines):
        if not line:
            continue
        if line[0] in " \t" and found:
            found[-1][1].append(line.strip())
            continue
        name, colon, value = line.partition(":")
        if colon and _NAME.fullmatch(name):
            if len(found) == MOST_FIELDS:
                return tuple((name, _value(parts)) for name, parts in found), len(block), True
            found.append((name.rstrip().lower(), [value.strip()]))
        elif number + 1 < len(lines) and _KNOWN.match(lines[number + 1]):
            if found:
                found[-1][1].append(line.strip())
        else:
            used = sum(len(line) + 1 for line in block.split(b"\n")[:number])
            break
    return tuple((name, _value(parts)) for name, parts in found), used, False


def _line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _value(parts: list[str]) -> str:
    value = " ".join(parts) if len(parts) > 1 else parts[0]
    if len(value) > MOST_VALUE:
        value = f"{value[: MOST_VALUE // 2]} {value[-MOST_VALUE // 2 :]}"
    value = header_text(value)
    return _CONTROLS.sub(" ", value).strip() if _CONTROLS.search(value) else value


def content_type(value: str, default: str = "text/plain") -> tuple[str, dict[str, str]]:
    """A Content-Type's type (lower-case) and parameters, with those of RFC 2231 put together. What is malformed is `default`."""
    value = value[:4_000]
    found = _TYPE.match(value.lower())
    kind = f"{found.group(1)}/{found.group(2)}" if found else default
    return kind, parameters(value)


def parameters(value: str) -> dict[str, str]:
    """The parameters of a header's value; names lower-case."""
    plain: dict[str, str] = {}
    pieces: dict[str, list[tuple[int, bool, str]]] = {}
    for name, quoted, bare in _PARAM.findall(value[:4_000]):
        name = name.lower()
        text = quoted or bare.strip().strip('"')
        if "*" not in name:
            plain.setdefault(name, text)
            continue
        base, _, index = name.partition("*")
        number = index.rstrip("*")
        order = int(number) if number.isdecimal() and len(number) < 4 else 0
        pieces.setdefault(base, []).append((order, index.endswith("*") or not index, text))
    for base, given in pieces.items():
        given.sort(key=lambda piece: piece[0])
        charset, data = "", b""
        for place, (_, encoded, text) in enumerate(given):
            if encoded and place == 0 and text.count("'") >= 2:
                charset, _, text = text.split("'", 2)
            data += unquote_to_bytes(text) if encoded else text.encode("utf-8", "replace")
        plain[base] = text_of(data, charset)
    return plain


def spans_of(buffer: bytes, start: int, end: int, boundary: str) -> tuple[list[tuple[int, int]], bool]:
    """Where the parts of a multipart begin and end, and whether some were left out. A missing last boundary is forgiven, and
    a boundary that never occurs is guessed from the first line."""
    spans: list[tuple[int, int]] = []
    cut = False
    if boundary.strip():
        spans, cut = _split(buffer, start, end, b"--" + boundary.rstrip().encode("utf-8", "replace"))
    if not spans and not cut:
        guess = _GUESS.match(buffer, start, min(end, start + 1_000))
        if guess is not None:
            spans, cut = _split(buffer, start, end, b"--" + guess.group(1).rstrip())
    return spans, cut


def _split(buffer: bytes, start: int, end: int, marker: bytes) -> tuple[list[tuple[int, int]], bool]:
    spans: list[tuple[int, int]] = []
    opened: int | None = None
    at = start if buffer.startswith(marker, start) else buffer.find(b"\n" + marker, start, end) + 1
    for _ in range(_MOST_LOOKALIKES):
        if not at and not (start == 0 and opened is None and buffer.startswith(marker)):
            break
        after = at + len(marker)
        line_end = buffer.find(b"\n", after, end)
        line_end = end if line_end < 0 else line_end
        rest = buffer[after : min(line_end, after + 100)].strip(b" \t")
        if rest in (b"", b"--") and line_end - after <= 100:
            if opened is not None:
                spans.append((opened, max(opened, at - 1)))
            if rest == b"--":
                return spans, False
            if len(spans) >= MOST_PARTS:
                return spans, True
            opened = min(line_end + 1, end)
        at = buffer.find(b"\n" + marker, line_end, end) + 1
    else:
        return spans, True
    if opened is not None:
        spans.append((opened, end))
    return spans, False
