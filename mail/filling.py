"""What a template may use of a contact, and what it would lack: the same for `deliver` and for `explain`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from domain.sequences import Mailbox, Step
from mail.errors import TemplateError
from mail.templates import Templates, blank, render


class Row(Protocol):
    """Facts by name, as `store.ledger.context` reads them."""

    def __getitem__(self, name: str, /) -> Any:
        """The value of a column."""


Gaps = tuple[tuple[str, ...], str | None]
"""Variables without a value, and what is wrong with the template itself, if anything."""


def variables(row: Row, mailbox: Mailbox, unsubscribe_url: str | None) -> dict[str, Any]:
    """Contact, account and sender. A contact's own fields never hide the known ones."""
    contact = {
        **row["contact_fields"],
        "id": row["contact_id"],
        "first_name": row["first_name"],
        "last_name": row["last_name"],
        "email": row["email"] or "",
        "stage": row["stage"],
    }
    account = {
        **(row["account_fields"] or {}),
        "name": row["account_name"] or "",
        "stage": row["account_stage"] or "",
    }
    sender = {"name": mailbox.name, "address": mailbox.address}
    return {"contact": contact, "account": account, "sender": sender, "unsubscribe_url": unsubscribe_url or ""}


def gap_finder(public_url: str | None) -> Callable[[Row, Step, Mailbox], Gaps]:
    """A function that says what a step's email would lack for these facts, without composing it. `public_url`: where
    unsubscribe links lead, if anywhere."""

    def find(row: Row, step: Step, mailbox: Mailbox) -> Gaps:
        templates = Templates(subject=step.subject, text=step.text, html=step.html)
        values = variables(row, mailbox, public_url)
        try:
            missing = blank(templates, values)
            if not missing:
                render(templates, values)
        except TemplateError as error:
            return (), str(error)[:300]
        return tuple(missing), None

    return find
