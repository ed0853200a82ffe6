"""Whom an automatic mail names instead of its sender: the addresses in its new text, with the name beside them."""

from __future__ import annotations

import re
from collections.abc import Collection

from domain.inbound import Proposed

_MOST = 5
_LIMIT = 8_000
_BEFORE = 80
_ADDRESS = re.compile(
    r"(?<![A-Za-z0-9._%+'-])[A-Za-z0-9._%+'-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,6}\.[A-Za-z]{2,24}"
)
_NO_NAMES = frozenset(
    (
        "please", "contact", "email", "e-mail", "mail", "write", "to", "an", "unter", "bei", "merci", "de", "por", "favor", "kontakt",
        "kontaktieren", "sie", "contacter", "kontakta", "contacteer", "contatti", "contate", "the", "my", "our", "i", "is",
    )
)  # fmt: skip
_LINK = re.compile(
    r"[\s(<\[,:]*(?:<?mailto:|\b(?:e-?mail|mail|at|on|under|via|unter|op|på|à|a|en|em|al|auf|adres+e?)\b[\s:]*)\Z",
    re.IGNORECASE,
)
_AROUND = re.compile(r"[\s,:;(<\[\"'–—（-]+\Z")
_NO_NAME = re.compile(r"^(?:no-?reply|mailer-daemon|postmaster)@")
_TITLES = (
    r"(?:Mr|Mrs|Ms|Dr|Prof|Herr|Herrn|Frau|Mme|Mlle|M|Monsieur|Madame|Sr|Sra|Sig|Sig\.ra|Dott|Dhr|Mevr|Pan|Pani|Bay)\.?"
)
_IDEOGRAPHS = re.compile(
    r"([\u4e00-\u9fff]{2,4}|[\uac00-\ud7a3]{2,4})(?:さん|様|氏|先生|女士|\s?(?:과장|대리|부장|팀장|차장|이사|님))?[\s(（<:：,、]*\Z"
)
_CUES = re.compile(
    r"(?:联系|联络|致电|聯繫|请找|转给|后任|後任|担当|担当者|後任の|담당자?|연락|は|の|与|和|给|由|を|:|：)+"
)


def proposed_in(text: str, known: Collection[str]) -> tuple[Proposed, ...]:
    """The addresses other than the `known` ones, each once, in order; at most five."""
    found: dict[str, Proposed] = {}
    text = text[:_LIMIT]
    for match in _ADDRESS.finditer(text):
        address = match.group(0).strip("'.-").lower()
        if address in known or address in found or _NO_NAME.search(address):
            continue
        found[address] = Proposed(address=address, name=_name(text[max(0, match.start() - _BEFORE) : match.start()]))
        if len(found) == _MOST:
            break
    return tuple(found.values())


def _name(before: str) -> str:
    """The name that ends right before the address: words with capital letters on one line, or two to four ideographs."""
    line = re.split(r"[\r\n]|[.!?;]\s", before)[-1]
    line = _LINK.sub("", line)
    ideographs = _IDEOGRAPHS.search(line)
    if ideographs is not None:
        return _CUES.split(ideographs.group(1))[-1]
    words: list[str] = []
    for word in reversed(_AROUND.sub("", line).split()):
        bare = word.strip(',:;()"')
        if not bare[:1].isupper() or len(words) == 4 or any(char.isdigit() for char in bare) or "@" in bare:
            break
        words.insert(0, bare)
        if word.startswith(("(", '"')):
            break
    while words and (re.fullmatch(_TITLES, words[0]) or words[0].lower() in _NO_NAMES):
        words.pop(0)
    return " ".join(words)[:100]
