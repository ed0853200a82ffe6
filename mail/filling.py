"""What a template may use of a contact, and what it would lack: the same for `deliver` and for `explain`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain.sequences import Mailbox, Step
from mail.errors import TemplateError
from mail.templates import Templates, blank, render

Gaps = tuple[tuple[str, ...], str | None]
"""Variables without a value, and what is wrong with the template itself, if anything."""


def variables(row: Mapping[str, Any], mailbox: Mailbox, unsubscribe_url: str | None) -> dict[str, Any]:
    """Contact, account and sender, from the facts of `store.ledger.context`. A contact's own fields never hide the known
    ones."""
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


def gap_finder(public_url: str | None) -> Callable[[Mapping[str, Any], Step, Mailbox], Gaps]:
    """A function that says what a step's email would lack for these facts, without composing it. `public_url`: where
    unsubscribe links lead, if anywhere."""

    def find(row: Mapping[str, Any], step: Step, mailbox: Mailbox) -> Gaps:
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
