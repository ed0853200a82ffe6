"""What the durable waker takes and answers: the contract between the workflow `Wake` and its activity."""

from __future__ import annotations

from domain.wire import Wire

NOBODY = "00000000-0000-0000-0000-000000000000"
PAGE = 200


class WakeInput(Wire):
    """Wake everybody parked at `gate` (`global`, `sequence`, `mailbox`, `template`), now open at `epoch`.

    `after` and `woken` carry on where a long run continues as new.
    """

    gate: str
    key: str
    epoch: int
    after: str = NOBODY
    woken: int = 0


class WakePage(Wire):
    """One page woken: the last enrollment's ID (none: that was all), and how many."""

    last: str | None = None
    woken: int = 0


def wake_id(gate: str, key: str, epoch: int) -> str:
    """The waker's workflow ID: one per gate and opening."""
    return f"wake/{gate}/{key or 'all'}/{epoch}"
