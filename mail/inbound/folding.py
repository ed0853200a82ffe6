"""Text made comparable: lower-case, without accents, on one line; and the way back to where it stood in the original."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from domain.inbound import Evidence

_EVIDENCE_LENGTH = 200

# Combining marks, soft hyphen, zero-width characters, byte-order mark: they change no word.
_SILENT = {*range(0x300, 0x370), 0xAD, *range(0x200B, 0x2010), 0x2060, 0xFE0F, 0xFEFF}
_OWN_BASES = {
    "ø": "o", "Ø": "o", "ł": "l", "Ł": "l", "ı": "i", "đ": "d", "Đ": "d", "ς": "σ", "’": "'", "‘": "'", "ʼ": "'",
    "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "–": "-", "—": "-", "‐": "-", "‑": "-",
}  # fmt: skip
_ACCENTED = [*range(0xC0, 0x250), *range(0x370, 0x530), *range(0x1E00, 0x2000), *range(0xFF01, 0xFF5F)]


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = dict.fromkeys(_SILENT)
    for code in _ACCENTED:
        base = unicodedata.normalize("NFKD", chr(code))[0].lower()
        if base != chr(code) and len(base) == 1:
            table[code] = base
    table.update({ord(char): base for char, base in _OWN_BASES.items()})
    return table


_TABLE = _table()
_IDEOGRAPHS = r"[\u2e80-\u9fff]"
_BETWEEN_IDEOGRAPHS = re.compile(rf"(?<={_IDEOGRAPHS}) (?={_IDEOGRAPHS})")


def fold(text: str) -> str:
    """Lower-case without accents; every remaining character stands for one of the original, in order."""
    return text.lower() if text.isascii() else text.translate(_TABLE).lower()


@dataclass(frozen=True, slots=True)
class Folded:
    """A text and its folded form on one line: runs of white space are one space, none between ideographs."""

    original: str
    line: str

    @classmethod
    def of(cls, text: str, limit: int) -> Folded:
        """The first `limit` characters of a text, folded."""
        text = text[:limit]
        line = " ".join(fold(text).split())
        if not line.isascii():
            line = _BETWEEN_IDEOGRAPHS.sub("", line)
        return cls(text, line)

    def evidence(self, where: str, start: int, end: int) -> Evidence:
        """The words of the original that lie at `start` to `end` of the line."""
        first = self._place(len(self.line[:start].replace(" ", "")))
        last = self._place(max(len(self.line[:end].replace(" ", "")) - 1, 0)) + 1
        return Evidence(where=where, text=self.original[first:last][:_EVIDENCE_LENGTH], start=first)

    def _place(self, count: int) -> int:
        """The offset in the original of the character before which `count` others, white space left out, lie."""
        for place, char in enumerate(self.original):
            if char.isspace() or ord(char) in _SILENT:
                continue
            if count == 0:
                return place
            count -= 1
        return len(self.original)
