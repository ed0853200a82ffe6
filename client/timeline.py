"""The page of one enrollment: everything that happened as one timeline in plain words, and mails as text to be looked at."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from client.reading import inbound_shown
from domain import storytelling
from domain.storytelling import Value
from domain.storywords import NEEDS
from mail.inbound import parse
from mail.inbound.text import new_text
from store import inbound, timeline
from store.database import Connection
from store.timeline import Email, Line, Records

MOST_BYTES = 512 * 1024
"""A larger mail is not read for a page: whoever writes to a mailbox would make its pages slow. Its bytes can be had by HTTP."""

MOST_TEXT = 20_000
"""Characters of a mail that are shown."""

_STATES = {
    "claimed": "is being made ready",
    "sending": "is being handed over",
    "sent": "was sent",
    "rejected": "was refused for good",
    "deferred": "was put off by the server for now",
    "withdrawn": "was taken back before it left",
    "unknown": "may have left: nobody knows",
}
_TELLS_OF_EMAIL = frozenset({"sent", "rejected", "deferred", "delivery_unknown", "not_sent"})


@dataclass(frozen=True)
class Entry:
    """One thing that happened. `kind`: what sort of thing; `code`: the kind of the story's line, of the mail (`mail_reply`) or
    of the email (`email_sent`), for icons and tests. `title`: a sentence without its full stop. `by`: who did it, in words.
    `details`: what there is to say besides, with words for each; instants are datetimes.

    `email`: the attempt that the entry is of. `mail`: the inbound mail, as `client.reading.inbound_shown` has it; `mail_id`: the
    inbound mail from which the entry follows.
    """

    at: datetime
    kind: Literal["event", "email", "mail", "switch"]
    code: str
    title: str
    by: str
    details: tuple[tuple[str, Value], ...] = ()
    email: Email | None = None
    mail: Mapping[str, Any] | None = None
    mail_id: str | None = None


@dataclass(frozen=True)
class Timeline:
    """All entries, oldest first. `cut`: the oldest are left out, since there are too many."""

    entries: tuple[Entry, ...]
    cut: bool


@dataclass(frozen=True)
class MailText:
    """An inbound mail as plain text, to be shown as it is. `marks`: where the evidence for its class and its return date stands
    in `text` (start, end), in order and apart from each other. `cut`: only its beginning is shown. `kept`: False where the mail
    itself was not kept, and there is no text."""

    text: str
    marks: tuple[tuple[int, int], ...]
    cut: bool
    kept: bool


async def read(connection: Connection, enrollment: str) -> Timeline:
    """The story, emails, mails and switches of an enrollment in one line. Raises EnrollmentUnknown."""
    records = await timeline.read(connection, enrollment)
    # Of what happened at one instant the cause comes first: switches and mails before what follows from them.
    entries = [*_switches(records), *_mails(records), *_events(records)]
    return Timeline(tuple(sorted(entries, key=lambda entry: entry.at)), records.cut)


def _switches(records: Records) -> Iterator[Entry]:
    for line in records.switches:
        told = storytelling.tell(line.kind, line.data, records.steps)
        yield Entry(line.at, "switch", line.kind, told.title, storytelling.who(line.by))


def _mails(records: Records) -> Iterator[Entry]:
    for row in records.mails:
        shown = inbound_shown(row)
        title = storytelling.mail_title(row["kind"], row["correction"])
        details: list[tuple[str, Value]] = [("From", row["sender"]), ("Subject", row["subject"])]
        back = shown["return"]
        if back.get("date"):
            details.append(("Back on", back["date"]))
        elif back.get("candidates"):
            details.append(("Could be back on", ", ".join(back["candidates"])))
        if row["correction"] and row["correction"].get("return_date"):
            details.append(("Corrected to", str(row["correction"]["return_date"])))
        if row["needs"] and row["settled_at"] is None:
            details.append(("Needs a person", NEEDS.get(row["needs"], row["needs"].replace("_", " "))))
        if row["settled_by"]:
            details.append(("Looked at by", storytelling.who(row["settled_by"])))
        said = tuple((label, value) for label, value in details if value)
        by = row["sender"] or "an unknown sender"
        key = shown["id"]
        yield Entry(row["received_at"], "mail", f"mail_{row['kind']}", title, by, said, mail=shown, mail_id=key)


def _events(records: Records) -> Iterator[Entry]:
    senders = {str(row["id"]): row["sender"] for row in records.mails}
    emails = {(email.step, email.attempt): email for email in records.emails}
    lines = [line for line in records.lines if not (line.kind.startswith("mail_") and _mail_of(line) in senders)]
    last = {_email_of(line): number for number, line in enumerate(lines) if line.kind in _TELLS_OF_EMAIL}
    for number, line in enumerate(lines):
        told = storytelling.tell(line.kind, line.data, records.steps)
        mail = _mail_of(line)
        by = f"the mail from {senders[mail] or 'an unknown sender'}" if mail in senders else _who(line.by)
        of = _email_of(line)
        email = emails.get(of) if of is not None and last.get(of) == number else None
        details = told.details if email is None else _with_facts(told.details, email)
        kind: Literal["event", "email"] = "event" if email is None else "email"
        yield Entry(line.at, kind, line.kind, told.title, by, details, email, mail_id=mail if mail in senders else None)
    for key, email in emails.items():
        if key not in last:
            number_of = records.steps.get(email.step)
            named = f"step {number_of} ({email.step})" if number_of else f"step {email.step}"
            again = f", attempt {email.attempt}" if email.attempt > 1 else ""
            title = f"The email of {named}{again} {_STATES[email.state]}"
            yield Entry(
                email.at,
                "email",
                f"email_{email.state}",
                title,
                storytelling.who("system"),
                _with_facts((), email),
                email,
            )


def _with_facts(details: tuple[tuple[str, Value], ...], email: Email) -> tuple[tuple[str, Value], ...]:
    """What the ledger knows besides, in front."""
    facts: list[tuple[str, Value]] = [
        ("Subject", email.subject),
        ("To", email.recipient),
        ("From mailbox", email.mailbox),
    ]
    said = {label for label, _ in details}
    if email.reply_text and "The server said" not in said:
        code = (
            ""
            if email.reply_code is None or email.reply_text.startswith(str(email.reply_code))
            else f"{email.reply_code} "
        )
        facts.append(("The server said", code + email.reply_text))
    if email.tries > 1 and "Tries" not in said:
        facts.append(("Tries", str(email.tries)))
    if email.bounced_at is not None:
        facts.append(("Came back", email.bounced_at))
    if email.bounce_class:
        facts.append(("Because of", email.bounce_class.replace("_", " ")))
    if email.settled_as and email.settled_by:
        facts.append(("Settled as", email.settled_as.replace("_", " ")))
        facts.append(("Settled by", _who(email.settled_by)))
    return (*facts, *details)


def _email_of(line: Line) -> tuple[str, int] | None:
    step, attempt = line.data.get("step"), line.data.get("attempt", 1)
    return (step, attempt) if isinstance(step, str) and isinstance(attempt, int) else None


def _mail_of(line: Line) -> str:
    """The inbound mail that a line comes from; "" for none."""
    return line.by.removeprefix("mail:") if line.by.startswith("mail:") else ""


def _who(by: str) -> str:
    return "an inbound mail" if by.startswith("mail:") else storytelling.who(by)


# ---------------------------------------------------------------------------------------------------------------------
# Mails as text


async def mail_text(connection: Connection, mail: str) -> MailText:
    """The text of an inbound mail with its evidence marked. Raises InboundUnknown."""
    row = await inbound.get(connection, mail)
    raw = await inbound.raw(connection, mail) if row["size"] <= MOST_BYTES else None
    if raw is None:
        return MailText("", (), False, False)
    return await asyncio.to_thread(_text, raw, row["reading"])


def _text(raw: bytes, reading: Mapping[str, Any]) -> MailText:
    parsed = parse(raw)
    whole = _shown(parsed.text)
    text = whole[:MOST_TEXT]
    new = _shown(new_text(parsed).text)
    wanted = [
        (one["text"], one.get("start"))
        for one in reading.get("evidence", ())
        if one.get("where") == "text" and one.get("text")
    ]
    back = (reading.get("return_") or {}).get("evidence")
    if back:
        wanted.append((back, None))
    spans = [span for words, start in wanted if (span := _find(text, words, new, start)) is not None]
    return MailText(text, _apart(spans), len(whole) > MOST_TEXT, True)


def _shown(text: str) -> str:
    """Without characters that would not be seen or would turn others around."""
    return "".join(one if one.isprintable() or one in "\n\t" else "" for one in text.replace("\xa0", " "))


def _find(text: str, words: str, new: str, start: int | None) -> tuple[int, int] | None:
    """Where words of the new text stand in the whole, whatever the spacing. `start`: where they begin in the new text, for
    words that come more than once."""
    parts = [re.escape(part) for part in _shown(words).split()]
    if not parts:
        return None
    pattern = re.compile(r"[\s>]+".join(parts), re.IGNORECASE)
    before = 0 if start is None else sum(1 for found in pattern.finditer(new) if found.start() < start)
    found = list(pattern.finditer(text))
    if not found:
        return None
    one = found[min(before, len(found) - 1)]
    return one.start(), one.end()


def _apart(spans: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """In order; those that touch or lie over each other as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return tuple(found)
