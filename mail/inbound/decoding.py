"""From bytes to text: character sets, transfer encodings and encoded words, as mails really use (and misuse) them."""

from __future__ import annotations

import binascii
import codecs
import re
from functools import lru_cache

_ALIASES = {
    # What is declared, and the superset that senders really use under its name.
    "iso-8859-1": "cp1252", "iso8859-1": "cp1252", "latin1": "cp1252", "latin-1": "cp1252", "iso_8859-1": "cp1252",
    "gb2312": "gb18030", "gbk": "gb18030", "gb_2312-80": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030",
    "ks_c_5601-1987": "cp949", "ks_c_5601": "cp949", "ksc5601": "cp949", "euc-kr": "cp949", "euckr": "cp949", "ks_c_5601-1989": "cp949",
    "shift_jis": "cp932", "shift-jis": "cp932", "x-sjis": "cp932", "sjis": "cp932", "windows-31j": "cp932",
    "iso-2022-jp": "iso2022_jp_ext", "iso-8859-8-i": "iso8859_8", "iso-8859-8-e": "iso8859_8", "iso-8859-9": "cp1254",
    "big5": "cp950", "x-x-big5": "cp950", "windows-874": "cp874", "x-mac-roman": "mac_roman", "macintosh": "mac_roman",
    "utf8mb4": "utf_8", "unicode-1-1-utf-7": "utf_7", "unicode-1-1-utf-8": "utf_8",
}  # fmt: skip
# Unknown to their senders: the bytes are looked at instead.
_NO_CODECS = {
    "",
    "ascii",
    "us-ascii",
    "unknown-8bit",
    "x-unknown",
    "default",
    "unknown",
    "none",
    "8bit",
    "x-user-defined",
}
# Python calls these text encodings, and no mail is written in them; some cost more than linear time.
_REFUSED = {
    "idna",
    "punycode",
    "undefined",
    "unicode_escape",
    "raw-unicode-escape",
    "raw_unicode_escape",
    "mbcs",
    "oem",
}

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_WORD = re.compile(r"=\?([^?\s*]{1,60})(?:\*[^?\s]{0,20})?\?([bBqQ])\?")
_BASE64 = re.compile(rb"[A-Za-z0-9+/=\s]*")
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))


@lru_cache(maxsize=256)
def _codec(charset: str) -> str | None:
    """Python's codec for a declared charset; None where it says nothing."""
    name = charset.strip(" \"'").lower()
    if name in _NO_CODECS:
        return None
    try:
        found = codecs.lookup(_ALIASES.get(name, name)).name
        b"a".decode(found, "replace")  # LookupError for codecs between bytes and bytes ("zlib")
    except (LookupError, ValueError):
        return None
    return None if found.replace("-", "_") in _REFUSED else found


def text_of(data: bytes, charset: str = "") -> str:
    """Decode text, by the declared charset as far as it fits the bytes. Never raises; NULs and other controls are gone."""
    codec = _codec(charset[:60])
    if data.isascii() and b"\x1b" not in data and (codec is None or codec in _LIKE_ASCII):
        text = data.decode("ascii")
    else:
        text = _decoded(data, codec)
        if text.startswith("\ufeff"):
            text = text[1:]
    return _CONTROLS.sub("", text) if _CONTROLS.search(text) else text


_LIKE_ASCII = {"utf-8", "ascii", "cp1252", "iso8859-1", "iso8859-15", "cp1250", "iso8859-2", "koi8-r", "cp1251"}


def _decoded(data: bytes, codec: str | None) -> str:
    if codec is None:
        codec = "iso2022_jp_ext" if b"\x1b$" in data else "utf-8"
    try:
        return data.decode(codec)
    except (UnicodeError, ValueError):
        pass
    if codec != "utf-8":
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return data.decode(codec, "replace")
    text = data.decode("utf-8", "replace")
    # A byte that went wrong, or a character cut in two, leaves the rest readable; Latin text leaves nothing of its letters.
    foreign = sum(character > "\x7f" for character in text) if len(text) < 20_000 else len(text) // 10
    return text if text.count("\ufffd") * 2 <= foreign else _western(data)


def _western(data: bytes) -> str:
    try:
        return data.decode("cp1252")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def transfer_decoded(data: bytes, encoding: str) -> bytes:
    """Undo a Content-Transfer-Encoding. What is not in the encoding that it claims stays as it is. Never raises."""
    encoding = encoding.strip().lower()
    if encoding.startswith("quoted"):
        return binascii.a2b_qp(data)
    return _of_base64(data) if encoding.startswith("base64") else data


def _of_base64(data: bytes) -> bytes:
    line = data.lstrip()[:76].split(b"\n", 1)[0].strip()
    encoded = _BASE64.match(data)
    if encoded is None or b" " in line or len(encoded.group().strip()) < len(line):
        return data
    # A list's or a gateway's footer behind the encoded text is left out.
    return _base64(encoded.group())


def _base64(data: bytes) -> bytes:
    data = data.translate(None, _NOT_BASE64)
    rest = len(data) % 4
    if rest == 1:
        data = data[:-1]
        rest = 0
    try:
        return binascii.a2b_base64(data + b"=" * (-rest % 4))
    except binascii.Error:
        return b""


def header_text(value: str) -> str:
    """Decode the encoded words (RFC 2047) of a header's value; what is malformed stays as it is written."""
    if "=?" not in value:
        return value
    out: list[str] = []
    waiting: list[tuple[str, bytes]] = []  # neighbours in one charset: a character may be cut between two words
    at = 0
    while True:
        word = _WORD.search(value, at)
        end = -1 if word is None else value.find("?=", word.end())
        if word is None or end < 0:
            break
        between = value[at : word.start()]
        if between.strip() or not waiting:
            out += _flush(waiting)
            out.append(between)
        charset = word.group(1).lower()
        data = _word_bytes(word.group(2), value[word.end() : end])
        if waiting and waiting[-1][0] == charset:
            data = waiting.pop()[1] + data
        waiting.append((charset, data))
        at = end + 2
    out += _flush(waiting)
    out.append(value[at:])
    return "".join(out)


def _flush(waiting: list[tuple[str, bytes]]) -> list[str]:
    texts = [text_of(data, charset) for charset, data in waiting]
    waiting.clear()
    return texts


def _word_bytes(encoding: str, encoded: str) -> bytes:
    data = encoded.encode("utf-8", "replace")
    return _base64(data) if encoding in "bB" else binascii.a2b_qp(data, header=True)
