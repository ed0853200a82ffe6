"""Finding an enrollment by what a person types: its ID, or its contact's ID, address or name."""

from __future__ import annotations

from uuid import UUID

from domain.errors import DomainError
from store import enrollments
from store.catalog import NotFound
from store.database import Connection
from store.queries import sql


class Ambiguous(DomainError):
    """The words fit several contacts or enrollments; `fix` lists them."""

    code = "ambiguous"


async def contact(connection: Connection, words: str) -> str:
    """The ID of the contact with this ID, address, first or full name. Raises NotFound (`contact_unknown`), Ambiguous."""
    if "\x00" in words:
        raise NotFound("contact", words)
    for statement in ("contact_by_id", "contacts_by_email", "contacts_by_name"):
        found = [row["id"] for row in await connection.fetch(sql(f"finding.{statement}"), words)]
        if len(found) > 1:
            raise Ambiguous(
                f"{words[:80]!r} fits several contacts", field="contact", fix=f"say which: {', '.join(found)}"
            )
        if found:
            return str(found[0])
    raise NotFound("contact", words)


async def enrollment(connection: Connection, words: str) -> str:
    """The enrollment with this ID, or the only open one of this contact; where none is open, the newest.

    Raises EnrollmentUnknown, NotFound (`contact_unknown`), Ambiguous.
    """
    try:
        return str((await enrollments.get(connection, str(UUID(words))))["id"])
    except ValueError:
        key = await contact(connection, words)
    rows = await connection.fetch(sql("finding.enrollments_of_contact"), key)
    if not rows:
        raise enrollments.EnrollmentUnknown(f"contact {key!r} was never enrolled", field="contact")
    open_ones = [row for row in rows if not row["closed"]]
    if len(open_ones) > 1:
        names = ", ".join(f"{row['sequence_id']} {key}" for row in open_ones)
        raise Ambiguous(f"{key} is in several sequences", field="enrollment", fix=f"say which: {names}")
    return str(rows[0]["id"])


async def in_sequence(connection: Connection, sequence: str, words: str) -> str:
    """The newest enrollment of a contact in a sequence. Raises EnrollmentUnknown, NotFound, Ambiguous."""
    return await enrollments.find(connection, sequence, await contact(connection, words))
