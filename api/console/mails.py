"""Inbound mails as the console shows them: what each was taken for, and its text in pieces, the words that decided marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from client.reading import inbound_shown
from client.timeline import MailText, Timeline, mail_text
from store import inbound
from store.database import Connection

MOST = 20
"""Mails whose text one page shows: the newest."""


@dataclass(frozen=True)
class Mail:
    """A mail and its text."""

    said: Mapping[str, Any]
    text: MailText

    @property
    def pieces(self) -> Iterator[tuple[str, bool]]:
        """The text in order; True for what decided."""
        at = 0
        for start, end in self.text.marks:
            yield self.text.text[at:start], False
            yield self.text.text[start:end], True
            at = end
        yield self.text.text[at:], False


async def read_mail(connection: Connection, mail: str) -> Mail:
    """One mail. Raises InboundUnknown."""
    said = inbound_shown(await inbound.get(connection, mail))
    return Mail(said, await mail_text(connection, mail))


async def mails_of(connection: Connection, story: Timeline) -> dict[str, Mail]:
    """The mails of a timeline, by their IDs."""
    shown = [entry.mail for entry in story.entries if entry.mail is not None][-MOST:]
    return {said["id"]: Mail(said, await mail_text(connection, said["id"])) for said in shown}
