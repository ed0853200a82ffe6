"""Who waits for whom: the advisory locks of the point of no return.

A send takes them shared, a writer of a stop takes the matching one exclusive, always in the order of the constants and
before any row of `enrollments`, then the mailbox's calendar. Emails to one contact, if one of them keeps a gap to the others,
leave one after the other: that lock comes right before the rows. PostgreSQL queues a shared request behind a waiting
exclusive one, so a switch is never starved by senders.
"""

from __future__ import annotations

from store.database import Connection

GLOBAL, SEQUENCE, MAILBOX, CONTACT, ADDRESS, CALENDAR, TOUCH = 1, 2, 3, 4, 5, 6, 7


async def share(
    connection: Connection, *, sequence: str, mailbox: str, contact: str, address: str, touch_gap: bool = False
) -> None:
    """What a send holds until its `sending` commit: every stop of the first five kinds comes before it or after it.
    `touch_gap`: it keeps a gap to other emails to the contact."""
    await connection.execute(
        "SELECT pg_advisory_xact_lock_shared(1, 0), pg_advisory_xact_lock_shared(2, hashtext($1)),"
        " pg_advisory_xact_lock_shared(3, hashtext($2)), pg_advisory_xact_lock_shared(4, hashtext($3)),"
        " pg_advisory_xact_lock_shared(5, hashtext($4)),"
        " CASE WHEN $5 THEN pg_advisory_xact_lock(7, hashtext($3)) ELSE pg_advisory_xact_lock_shared(7, hashtext($3)) END",
        sequence,
        mailbox,
        contact,
        address.casefold(),
        touch_gap,
    )


async def exclude(connection: Connection, kind: int, key: str = "") -> None:
    """What a writer of a stop takes until its commit: from then on no email that it stops can leave."""
    if kind == GLOBAL:
        await connection.execute("SELECT pg_advisory_xact_lock(1, 0)")
    else:
        await connection.execute("SELECT pg_advisory_xact_lock($1, hashtext($2))", kind, key)


async def calendar(connection: Connection, mailbox: str) -> None:
    """One booking at a time per mailbox."""
    await connection.execute("SELECT pg_advisory_xact_lock(6, hashtext($1))", mailbox)
