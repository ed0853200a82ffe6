"""The facts that guards look at, from the one row that `ledger.context` reads: `deliver` and `explain` see the same."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg

from domain.guards import ContactFacts, Facts, MailboxFacts, late_from
from domain.sequences import Mailbox, SequenceSettings, Step
from domain.state import EnrollmentState


def guard_facts(
    row: asyncpg.Record,
    *,
    state: EnrollmentState,
    settings: SequenceSettings,
    step: Step | None,
    mailbox: Mailbox | None,
    attempt: int,
    now: datetime,
    valid: Callable[[str], bool],
    pending_marks: tuple[str, ...] = (),
    missing_variables: tuple[str, ...] = (),
    template_error: str | None = None,
) -> Facts:
    """The facts of one attempt. `valid` judges the form of an address; what a template lacks is found by the caller."""
    return Facts(
        now=now,
        contact=contact_of(row, valid),
        mailbox=None
        if mailbox is None
        else MailboxFacts(
            mailbox.id, row["mailbox_state"], row["listed"], row["mailbox_epoch"], row["mailbox_state_code"]
        ),
        settings=settings,
        enrollment=state.enrollment,
        step=step,
        due=late_from(state),
        # Whoever asks for a further attempt knows that it is late.
        expires=attempt == 1,
        attempt=attempt,
        global_on=row["global_on"],
        global_epoch=row["global_epoch"],
        sequence_on=row["sequence_on"],
        sequence_epoch=row["sequence_epoch"],
        pending_marks=pending_marks,
        overrides=frozenset(row["overrides"]),
        admitted_stage=row["admitted_stage"],
        admitted_account_stage=row["admitted_account_stage"],
        has_thread=bool(row["thread"]),
        missing_variables=missing_variables,
        template_error=template_error,
    )


def contact_of(row: asyncpg.Record, valid: Callable[[str], bool]) -> ContactFacts:
    """The contact of a row. `valid` judges the form of an address."""
    return ContactFacts(
        id=row["contact_id"],
        stage=row["stage"],
        email=row["email"],
        email_valid=bool(row["email"]) and valid(row["email"]),
        email_status=row["email_status"],
        stage_set_by=None if row["stage_set_by"] is None else str(row["stage_set_by"]),
        consent=row["consent"],
        changed_job=row["changed_job"],
        suppressed=row["suppressed"],
        account=row["account_id"],
        account_stage=row["account_stage"],
    )
