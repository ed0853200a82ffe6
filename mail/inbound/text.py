"""Cutting a mail's text down to what its sender has just written: no quotes, signature, legal footer or words of ours.

Nothing here learns: lines are marked one after the other, by rules that can be read. A quote and a signature are cut only
by marks that clients and people really set; what is doubtful stays, since a lost "stop" or a lost date costs more than
a line too many.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mail.inbound.parsing import Parsed
from mail.inbound.quoting import attribution, header_block, separator
from mail.inbound.signing import footer, is_closing, is_delimiter, is_device, is_greeting, is_postscript, is_prose

MOST_LINES = 4_000
"""Lines looked at: what follows is dropped."""
MOST_SENT = 100_000
"""Characters of our own texts that are looked for."""
_MOST_SIGNING = 15
"""Lines of a signature."""
_WHOLE_LINE = 20
"""A shorter line is ours only between lines that are: "Yes" stands in many a mail."""

_MARKS = re.compile(r"^(?:\s{0,4}(?:>|&gt;|＞)\s?)+")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class NewText:
    """A text in its parts, each with its lines in order.

    text: what was newly written; empty if everything was cut. signature: closing phrases, names, what a device adds.
    quoted: other mails' text, with its marks. cut: which sorts were cut (`quoted_text`, `signature`, `footer`, `own_text`,
    and `size` where the text was too long to be read whole). doubtful: only where `text` is empty though the mail is
    not: the quoted text without marks and without our own words. It may be an automatic answer that a system wrapped
    in a quote, or the mail that a person answered with nothing, so it may support what the headers already say and
    nothing else.
    """

    text: str
    signature: str = ""
    quoted: str = ""
    cut: tuple[str, ...] = ()
    doubtful: str = ""


def new_text(parsed: Parsed, sent: Sequence[str] = ()) -> NewText:
    """Cut a mail's text. `sent`: plain texts of mails that we sent; lines of theirs are no one's new words.

    A signature that is the whole text stays text ("Thanks, Bob"). Text written between and below quotes is kept.
    """
    lines = parsed.text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    cut = ["size"] if len(lines) > MOST_LINES else []
    lines = lines[:MOST_LINES]
    quoted = _quoted(lines)
    own = _own(lines, sent)
    rest = [number for number in range(len(lines)) if number not in quoted and number not in own]
    legal = footer(lines, rest)
    rest = [number for number in rest if number not in legal]
    signed = _signature(lines, rest)
    said = [number for number in rest if number not in signed]
    text = _join(lines[number] for number in said)
    signature = _join(lines[number] for number in sorted(signed))
    if not text and signature:
        text, signature = signature, ""
    doubtful = "" if text else _join(_MARKS.sub("", lines[number]) for number in sorted(quoted - own))
    names = (("quoted_text", quoted), ("signature", signature), ("footer", legal), ("own_text", own))
    return NewText(
        text=text,
        signature=signature,
        quoted=_join(lines[number] for number in sorted(quoted)),
        cut=(*cut, *(name for name, found in names if found)),
        doubtful=doubtful,
    )


def _join(lines: Iterable[str]) -> str:
    """As one text: trailing space and more than one blank line in a row gone."""
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in lines)).strip()


def _quoted(lines: Sequence[str]) -> set[int]:
    """The numbers of the lines that quote, with the lines that announce the quote."""
    found: set[int] = set()
    for number, line in enumerate(lines):
        if number in found:
            continue
        bare = line.strip()
        if bare.startswith((">", "&gt;", "＞")):
            found.add(number)
            continue
        if not bare or len(bare) > 400:
            continue
        if separator(bare) or header_block(lines, number):
            found.update(range(_rule_above(lines, number), len(lines)))
            break
        start = attribution(lines, number)
        if start is None:
            continue
        found.update(range(start, number + 1))
        following = next((one.lstrip() for one in lines[number + 1 :] if one.strip()), "")
        if not following.startswith((">", "&gt;", "＞")):
            found.update(range(number, len(lines)))
            break
    return found


def _rule_above(lines: Sequence[str], number: int) -> int:
    """Where a header block's ruled line begins, if there is one above it."""
    above = number - 1
    while above >= 0 and number - above <= 3:
        bare = lines[above].strip()
        if bare and not bare.strip("_-—*="):
            return above
        if bare:
            break
        above -= 1
    return number


def _own(lines: Sequence[str], sent: Sequence[str]) -> set[int]:
    """The numbers of the lines that are ours: compared without marks, case and spacing, also where a client wrapped them anew."""
    texts = "\n".join(sent)[:MOST_SENT]
    if not texts.strip():
        return set()
    whole = {_plain(line) for line in texts.split("\n")} - {""}
    running = f" {_plain(texts)} "
    bare = [_plain(line) for line in lines]
    found = {
        number
        for number, line in enumerate(bare)
        if len(line) >= _WHOLE_LINE and (line in whole or f" {line} " in running)
    }
    filled = [number for number, line in enumerate(bare) if line]
    for place, number in enumerate(filled):
        between = place > 0 and filled[place - 1] in found
        if between and (place + 1 == len(filled) or filled[place + 1] in found) and bare[number] in whole:
            found.add(number)
    return found


def _plain(line: str) -> str:
    return _SPACE.sub(" ", _MARKS.sub("", line)).strip().casefold()


def _signature(lines: Sequence[str], rest: Sequence[int]) -> set[int]:
    """The numbers of the lines that sign, among `rest`.

    `-- ` signs all that is below it, unless that is longer than a signature. A closing phrase signs the names and contact
    details below it, and what stands under the name; a new paragraph of prose ends it, for many automatic answers
    say it all again in a second language.
    """
    found: set[int] = set()
    signing, named, before = 0, False, -1
    for place, number in enumerate(rest):
        bare = lines[number].strip()
        if number != before + 1:
            signing = 0  # something was quoted in between: what stands below it answers it
        before = number
        if not bare:
            named = False
            if signing:
                found.add(number)
        elif is_device(bare):
            found.add(number)
        elif is_delimiter(lines[number]) and place and _short(lines, rest[place + 1 :]):
            found.update(rest[place:])
            break
        elif is_closing(bare) or is_delimiter(lines[number]):
            signing, named = _MOST_SIGNING, False
            found.add(number)
        elif signing and (not is_prose(bare) or (named and not is_postscript(bare))):
            signing -= 1
            named = True
            found.add(number)
        else:
            signing = 0
    return found


def _short(lines: Sequence[str], below: Sequence[int]) -> bool:
    """Whether what stands below a delimiter can be a signature: few lines, and nobody is greeted."""
    filled = [lines[number].strip() for number in below[:80] if lines[number].strip()]
    return len(below) < 80 and len(filled) <= _MOST_SIGNING and not any(is_greeting(line) for line in filled)
