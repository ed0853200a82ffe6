"""What the workflow `Replan` and its activity say to each other: booked slots rewritten after an edit."""

from __future__ import annotations

from domain.wire import Wire

PAGE = 100


class ReplanInput(Wire):
    """Rewrite the booked slots of `mailbox` for its edit `number`.

    The rest carries on where a long run continues as new. `up_to`: bookings with IDs up to it have yet to be placed; None
    before the first page. `told`: with IDs up to it, those concerned have been told. `placed`, `earlier`, `later`: counts.
    """

    mailbox: str
    number: int
    up_to: int | None = None
    told: int = 0
    placed: int = 0
    earlier: int = 0
    later: int = 0


class ReplanPage(Wire):
    """What one page did, in the terms of `ReplanInput`. `done`: nothing is left."""

    up_to: int
    told: int
    placed: int = 0
    earlier: int = 0
    later: int = 0
    done: bool = False


def replan_id(mailbox: str, number: int) -> str:
    """The workflow's ID: one per mailbox and edit."""
    return f"replan/{mailbox}/{number}"
