"""Watching a mailbox by IMAP: the contract between the workflow `Watch` and its activity, the pauses, the words for people."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from domain.wire import Wire

TROUBLE = {
    "imap_login": "the mailbox's IMAP login is refused",
    "imap_credentials": "the mailbox's IMAP password is not where its reference points",
    "imap_unreachable": "the mailbox's IMAP server does not answer",
    "imap_tls_untrusted": "the certificate of the mailbox's IMAP server is not trusted",
    "imap_starttls_missing": "the mailbox's IMAP server does not offer STARTTLS",
    "imap_folder_missing": "a folder named in the mailbox's settings is not there",
    "system_error": "reading the mailbox failed by a defect; the worker's log has it",
}
"""Why a mailbox cannot be read. The first six are also the `state_code` of a mailbox that is held for it."""

HELD_AT_ONCE = frozenset({"imap_login", "imap_credentials"})
"""Trouble that only a person can end: it holds the mailbox at the first failure, everything else after some time."""


class WatchInput(Wire):
    """Watch this mailbox. `failures` (in a row) and `taken` carry on where a long run continues as new. `lost_seconds`: after
    so long without a heartbeat a worker is taken for lost, and another one goes on from the cursor."""

    mailbox: str
    lost_seconds: float = 120.0
    failures: int = 0
    taken: int = 0


class WatchRequest(Wire):
    """One stretch of watching, after so many `failures` in a row."""

    mailbox: str
    failures: int = 0


class WatchResult(Wire):
    """How a stretch ended, and how many mails it took in.

    `again`: go on at once (its time was over, the mailbox's definition changed, or the worker stops). `failed`: go on after
    `wait_seconds`, because of `code` (see TROUBLE), for the `failures`-th time in a row; 0 where a connection broke that had
    worked. `ended`: there is nothing to read any more.
    """

    outcome: Literal["again", "failed", "ended"] = "again"
    taken: int = 0
    failures: int = 0
    code: str | None = None
    wait_seconds: float = 0.0


def watch_id(mailbox: str) -> str:
    """The watcher's workflow ID: one per mailbox."""
    return f"watch/{mailbox}"


def watch_queue(task_queue: str) -> str:
    """The watchers' own task queue, beside the worker's: hundreds of them must not take the slots of sending."""
    return f"{task_queue}-inbound"


def back_off(failures: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """The pause after so many failures in a row: `first`, doubled each time up to `longest`; providers lock accounts that try
    a wrong password without end. A second where a working connection broke (no failure in a row)."""
    if failures <= 0:
        return min(timedelta(seconds=1), first)
    # Bounded before the power: the count grows for as long as nobody looks.
    doubled: int = 2 ** min(failures - 1, 20)
    return min(first * doubled, longest)


def describe(code: str | None, failures: int) -> str:
    """Why a mailbox is not being read, for people: no address and nothing a server said."""
    reason = TROUBLE.get(code or "", "the connection to the mailbox's IMAP server was lost")
    return f"{reason}, {failures} times in a row" if failures > 1 else reason
