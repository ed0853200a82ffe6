"""Automatic mail without any header or subject that says so: recognised by its text as a whole, or not at all.

Every sentence must be one that stands in such answers, nothing may be asked and nothing may answer what was written. What a person
writes of his absence beside anything else remains a person's mail.
"""

from __future__ import annotations

import re

from mail.inbound.folding import Folded
from mail.inbound.phrases import Phrases, absence, acknowledging, leaving, whole

_LONGEST = 1_500
_SENTENCE = re.compile(r"(?<=[.!。!])\s+|(?<=[。!！])|\n\s*\n|\n(?=\s*[-*•])")
_EXPLAINED: tuple[Phrases, ...] = (
    absence.AWAY, absence.BACK, whole.THANKS, whole.INSTEAD, acknowledging.RECEIVED, acknowledging.WILL_ANSWER,
    acknowledging.TICKET, acknowledging.MACHINE, leaving.GONE, leaving.NEW_ADDRESS, leaving.UNREAD, leaving.UNATTENDED,
    leaving.NEW_ROLE, whole.COURTESY,
)  # fmt: skip


def wholly_automatic(text: Folded, subject: Folded) -> bool:
    """Whether the text can only be an automatic answer."""
    line = text.line
    if not line or len(text.original) > _LONGEST or "?" in line or "؟" in line:
        return False
    topic = (
        absence.AWAY.match(line)
        or leaving.GONE.match(line)
        or leaving.UNREAD.match(line)
        or leaving.NEW_ADDRESS.match(line)
        or acknowledging.RECEIVED.match(line)
    )
    if topic is None or whole.PERSONAL.match(line):
        return False
    signs = sum(
        phrases.match(line) is not None
        for phrases in (whole.THANKS, whole.INSTEAD, acknowledging.MACHINE, acknowledging.WILL_ANSWER)
    )
    signs += acknowledging.TICKET.match(line) is not None or acknowledging.TICKET.match(subject.line) is not None
    sentences = [Folded.of(one, _LONGEST).line for one in _SENTENCE.split(text.original)]
    strange = sum(
        len(one) > 3 and not any(phrases.match(one) for phrases in _EXPLAINED) for one in sentences if one.strip(" -*•_")
    )
    return signs >= 1 and (strange == 0 or (strange == 1 and signs >= 3))
