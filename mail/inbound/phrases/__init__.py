"""What automatic mails and opt-outs say, per language. Written from knowledge of what the usual mail programs and people write.

A phrase is a regular expression over folded text (`mail.inbound.folding`): lower-case, no accents, one line. It starts
at a word; a stem may end within one. `~` stands for up to 40 characters of the same sentence (31.08. ends none). Phrases in scripts without spaces
between words stand in a second list and may start anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from domain.inbound import Evidence
from mail.inbound.folding import Folded, fold

_GAP = r"(?:(?:[^.!?。]|\.(?=\d)|(?<=\d)\.(?!\d)){0,40}?)"


class Phrases:
    """One set of phrases, compiled when first used: an alternation starting at words, and one starting anywhere."""

    def __init__(self, spaced: Sequence[str], unspaced: Sequence[str] = (), *, at_start: bool = False) -> None:
        self._sources = (spaced, unspaced)
        self._at_start = at_start

    @cached_property
    def _patterns(self) -> tuple[re.Pattern[str], re.Pattern[str] | None]:
        spaced, unspaced = ("|".join(fold(source).replace("~", _GAP) for source in part) for part in self._sources)
        start = r"\A[\W_]{0,4}" if self._at_start else ""
        word = start if self._at_start else r"(?<!\w)"
        return re.compile(f"{word}(?:{spaced})"), re.compile(f"{start}(?:{unspaced})") if unspaced else None

    def match(self, line: str) -> re.Match[str] | None:
        """The first occurrence in a folded line."""
        spaced, unspaced = self._patterns
        found = spaced.search(line)
        if found is None and unspaced is not None and not line.isascii():
            found = unspaced.search(line)
        return found

    def find(self, text: Folded, where: str = "text") -> Evidence | None:
        """The first occurrence, as evidence."""
        found = self.match(text.line)
        if found is None:
            return None
        evidence = text.evidence(where, found.start(), found.end())
        return evidence if where == "text" else evidence.model_copy(update={"start": None})
