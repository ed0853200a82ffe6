"""Automatic mail without any header or subject that says so: recognised by its text as a whole, or not at all.

Every sentence must be one that stands in such answers, nothing may be asked and nothing may answer what was written. What a person
writes of his absence beside anything else remains a person's mail.
"""

from __future__ import annotations

import re

from mail.inbound.folding import Folded
from mail.inbound.phrases import Phrases, absence, acknowledging, leaving, moving, whole

_LONGEST = 1_500
_SENTENCE = re.compile(r"(?<=[^\d][.!])\s+|(?<=[。!！])|\n\s*\n|\n(?=\s*[-*•])")
# A person promises an answer too; a service says by when, and with its ticket's number.
_TERM = re.compile(
    r"\d ?(?:business|working|hour|h\b|std|stunden|werktag|jours|heures|dias|horas|giorni|ore|uur|werkdag|timm|dag|arkip|dni|godz|prac|saat|gun|munkanap|час|дн|раб)|营|工作日|営業日|小时|尽快|盡快|担当者|工作人员|영업일|automat",
    re.IGNORECASE,
)
_TOPICS: tuple[Phrases, ...] = (absence.AWAY, leaving.GONE, moving.UNREAD, moving.NEW_ADDRESS)
_SIGNS: tuple[Phrases, ...] = (whole.THANKS, whole.INSTEAD, acknowledging.MACHINE, acknowledging.WILL_ANSWER)
_EXPLAINED: tuple[Phrases, ...] = (
    absence.AWAY, absence.BACK, absence.HOURS, whole.THANKS, whole.INSTEAD, acknowledging.RECEIVED, acknowledging.WILL_ANSWER,
    acknowledging.TICKET, acknowledging.MACHINE, leaving.GONE, moving.NEW_ADDRESS, moving.UNREAD, moving.UNATTENDED,
    moving.NEW_ROLE, whole.COURTESY,
)  # fmt: skip


def wholly_automatic(text: Folded, subject: Folded) -> bool:
    """Whether the text can only be an automatic answer."""
    line = text.line
    if not line or len(text.original) > _LONGEST or "?" in line or "؟" in line:
        return False
    received = None
    if not any(phrases.match(line) for phrases in _TOPICS):
        received = acknowledging.RECEIVED.match(line)
        if received is None:
            return False
    if whole.PERSONAL.match(line):
        return False
    signs = sum(phrases.match(line) is not None for phrases in _SIGNS)
    numbered = acknowledging.TICKET.match(line) or acknowledging.TICKET.match(subject.line)
    signs += numbered is not None
    if received is not None and (signs < 2 or not (numbered or _TERM.search(line))):
        return False
    sentences = [Folded.of(one, _LONGEST).line for one in _SENTENCE.split(text.original)]
    sentences = [one for one in sentences if one.strip(" -*•_")]
    strange = sum(len(one) > 3 and not any(phrases.match(one) for phrases in _EXPLAINED) for one in sentences)
    return signs >= 1 and len(sentences) > 1 and (strange == 0 or (strange == 1 and signs >= 3))
