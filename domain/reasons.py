"""The one catalogue of reasons. docs/reasons.md is generated from it (`python -m domain.reasons`), and so is every sentence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Group = Literal["not_sent", "bounced", "hold", "finished", "refused", "wait"]


@dataclass(frozen=True)
class Reason:
    """Why something stands as it does. `heals`: clears by itself. `override`: the caller may enroll all the same."""

    code: str
    group: Group
    sentence: str
    who: str
    fix: str
    heals: bool = False
    position: str = "stays at this step"
    override: bool = False


def _not_sent(code: str, sentence: str, who: str, fix: str, *, heals: bool = False) -> Reason:
    return Reason(code, "not_sent", sentence, who, fix, heals=heals)


def _refused(code: str, sentence: str, who: str, fix: str, *, override: bool = False) -> Reason:
    return Reason(code, "refused", sentence, who, fix, position="not enrolled", override=override)


_ALL: tuple[Reason, ...] = (
    _not_sent(
        "contact_stage_excluded",
        "The contact is in a stage that this sequence does not email.",
        "whoever owns the contact",
        "change the contact's stage, or take the stage out of the sequence's exceptions; then retry",
    ),
    _not_sent(
        "account_stage_excluded",
        "The contact's account is in a stage that this sequence does not email.",
        "whoever owns the account",
        "change the account's stage, or take the stage out of the sequence's exceptions; then retry",
    ),
    _not_sent(
        "same_account_reply",
        "Somebody else at the same account replied, and the sequence then stops for their colleagues.",
        "whoever owns the account",
        "read that reply; retry if this contact should still hear from you, else finish",
    ),
    _not_sent(
        "no_email", "The contact has no email address.", "whoever owns the contact", "add an address, then retry"
    ),
    _not_sent(
        "email_invalid",
        "The contact's email address is malformed.",
        "whoever owns the contact",
        "correct the address, then retry",
    ),
    _not_sent(
        "email_unverified",
        "The contact's address is marked unverified, and this sequence sends to verified ones only.",
        "whoever owns the contact",
        "verify the address, or set send_unverified in the sequence; then retry",
    ),
    _not_sent(
        "unsubscribed",
        "The contact unsubscribed or complained.",
        "nobody",
        "finish the enrollment; only the contact can opt in again",
    ),
    _not_sent(
        "suppressed",
        "The address is on the suppression list.",
        "an admin",
        "take the address off the suppression list if it got there by mistake; then retry",
    ),
    _not_sent(
        "known_hard_bounce",
        "Email to this address came back for good before.",
        "whoever owns the contact",
        "enter a new address, then retry",
    ),
    _not_sent(
        "variable_missing",
        "The template uses a value that this contact does not have.",
        "whoever owns the contact",
        "fill in the value, or give the variable a default in the template; then retry",
    ),
    _not_sent(
        "template_error",
        "The template of this step cannot be rendered.",
        "whoever owns the sequence",
        "correct the template and apply the sequence again; it retries by itself",
        heals=True,
    ),
    _not_sent(
        "thread_original_missing",
        "This step replies in a thread, but no earlier email of this enrollment left.",
        "whoever owns the sequence",
        "make the step start a thread of its own (thread: new), then retry; or skip it",
    ),
    _not_sent(
        "mailbox_missing",
        "The enrollment's mailbox is no longer one of the sequence's, or was deleted.",
        "whoever owns the sequence",
        "put the mailbox back into the sequence, or choose another for the enrollment; it retries by itself",
        heals=True,
    ),
    _not_sent(
        "step_expired",
        "The step could not be sent in time and its expiry has passed.",
        "whoever owns the sequence",
        "retry to send it all the same, or skip it",
    ),
    _not_sent(
        "contact_changed_job",
        "The contact changed jobs.",
        "whoever owns the contact",
        "check the contact and clear the mark, then retry; else finish",
    ),
    _not_sent(
        "delivery_failed",
        "Temporary refusals went on until the tries were used up.",
        "whoever runs the mailbox",
        "look at the last reply of the server, then retry or skip",
    ),
    _not_sent(
        "content_rejected",
        "The receiving server refused the content of this email, or it could not be composed.",
        "whoever owns the sequence",
        "change the content of the step, then retry",
    ),
    _not_sent(
        "consent_missing",
        "The sequence needs the contact's consent, and none is recorded.",
        "whoever owns the contact",
        "record the consent, then retry",
    ),
    Reason(
        "hard_bounce",
        "bounced",
        "The last email came back: the address does not exist or is switched off.",
        "whoever owns the contact",
        "enter a new address, then resume: the same step goes out again",
    ),
    Reason(
        "spam_block",
        "bounced",
        "The last email was refused as spam or by policy.",
        "whoever runs the mailbox",
        "choose another mailbox or change the content, then resume: the same step goes out again",
    ),
    Reason("manual", "hold", "Somebody paused it.", "anybody who may operate it", "resume, or let its date come"),
    Reason(
        "out_of_office",
        "hold",
        "The contact is away, by an automatic reply.",
        "anybody who may operate it",
        "let the return date come, set one, or resume now",
        heals=True,
    ),
    Reason(
        "account_reply",
        "hold",
        "Somebody else at the account replied, and the sequence pauses then.",
        "anybody who may operate it",
        "let the date come, or resume now",
        heals=True,
    ),
    Reason(
        "mailbox_down",
        "hold",
        "The mailbox cannot send, or cannot be read for replies (login, quota, server or configuration).",
        "whoever runs the mailbox",
        "mend the mailbox; it is probed and goes on by itself",
        heals=True,
    ),
    Reason(
        "guardrail",
        "hold",
        "The mailbox was held because several of its emails were refused as spam.",
        "an admin",
        "find out why, then clear the guardrail of the mailbox; everybody held by it goes on",
    ),
    Reason(
        "delivery_unknown",
        "hold",
        "The connection was lost after the email had been handed over: it may have arrived.",
        "anybody who may operate it",
        "look into the Sent folder or ask; then settle_delivery as sent or not_sent",
    ),
    Reason(
        "sequence_off",
        "hold",
        "The sequence is switched off.",
        "whoever owns the sequence",
        "switch the sequence on",
        heals=True,
    ),
    Reason(
        "system_error",
        "hold",
        "Onward itself failed repeatedly at this enrollment.",
        "an engineer",
        "read the worker's log, mend the cause, then resume",
    ),
    *(
        Reason(code, "finished", sentence, "nobody", "nothing to do", position="ended")
        for code, sentence in (
            ("completed", "All steps are done; a reply or bounce can still change the outcome."),
            ("no_reply", "All steps are done and nobody replied."),
            ("replied", "The contact replied."),
            ("interested", "The contact replied and is interested."),
            ("not_interested", "The contact replied and is not interested."),
            ("meeting_booked", "A meeting was booked."),
            ("unsubscribed", "The contact unsubscribed."),
            ("complained", "The contact reported the email as spam."),
            ("contact_gone", "The contact left the company or the address moved."),
            ("account_replied", "Somebody else at the account replied."),
            ("manual", "Somebody finished it by hand."),
        )
    ),
    _refused("contact_unknown", "There is no such contact.", "the caller", "import the contact, or correct the ID"),
    _refused("sequence_unknown", "There is no such sequence.", "the caller", "apply the sequence, or correct the ID"),
    _refused(
        "mailbox_unknown", "The sequence has no such mailbox.", "the caller", "name one of the sequence's mailboxes"
    ),
    _refused(
        "already_in_sequence",
        "The contact is in this sequence now.",
        "the caller",
        "finish or remove the open enrollment first",
    ),
    _refused(
        "active_in_other_sequence",
        "The contact is in another sequence now.",
        "the caller",
        "finish it there, or override",
        override=True,
    ),
    _refused(
        "reenroll_not_allowed",
        "The contact was in this sequence before, and it takes nobody twice.",
        "whoever owns the sequence",
        "set reenroll: after_finish, or override",
        override=True,
    ),
    _refused(
        "cooldown",
        "The contact left this sequence too short a time ago.",
        "the caller",
        "wait until the cooldown is over, or override",
        override=True,
    ),
    _refused(
        "contact_stage_excluded",
        "The contact is in a stage that this sequence does not email.",
        "whoever owns the contact",
        "change the contact's stage, or override",
        override=True,
    ),
    _refused(
        "account_stage_excluded",
        "The contact's account is in a stage that this sequence does not email.",
        "whoever owns the account",
        "change the account's stage, or override",
        override=True,
    ),
    _refused(
        "previously_bounced",
        "Email to this address came back for good before.",
        "whoever owns the contact",
        "enter a new address",
    ),
    _refused("unsubscribed", "The contact unsubscribed or complained.", "nobody", "only the contact can opt in again"),
    _refused("suppressed", "The address is on the suppression list.", "an admin", "take it off if it is a mistake"),
    _refused("no_email", "The contact has no email address.", "whoever owns the contact", "add an address"),
    _refused("email_invalid", "The contact's email address is malformed.", "whoever owns the contact", "correct it"),
    _refused(
        "email_unverified",
        "The address is marked unverified, and this sequence sends to verified ones only.",
        "whoever owns the contact",
        "verify the address, or override",
        override=True,
    ),
    _refused(
        "consent_missing",
        "The sequence needs the contact's consent, and none is recorded.",
        "whoever owns the contact",
        "record the consent",
    ),
    _refused(
        "contact_changed_job",
        "The contact changed jobs.",
        "whoever owns the contact",
        "check the contact and clear the mark, or override",
        override=True,
    ),
    _refused(
        "finished_in_other_sequence",
        "The contact finished another sequence (a warning: the enrollment goes on).",
        "nobody",
        "nothing to do",
    ),
    *(
        Reason(code, "wait", sentence, "nobody", fix, heals=True)
        for code, sentence, fix in (
            ("delay", "The wait before this step runs.", "nothing to do, or send now"),
            ("window", "It is outside the sending hours.", "nothing to do"),
            ("per_day", "The mailbox has sent or booked its daily limit.", "nothing to do, or raise the limit"),
            ("per_hour", "The mailbox has sent or booked its hourly limit.", "nothing to do, or raise the limit"),
            ("per_24h", "The mailbox has sent or booked its limit of 24 hours.", "nothing to do, or raise the limit"),
            ("new_per_day", "The mailbox has started its daily number of new contacts.", "nothing to do"),
            ("gap", "The mailbox keeps its least time between two emails.", "nothing to do"),
            ("touch_gap", "The contact got, or is to get, another email too near to this one.", "nothing to do"),
            ("deferred", "The receiving server asked to try again later.", "nothing to do"),
            (
                "unread",
                "The mailbox has not been read for some minutes: replies are looked at before more is sent.",
                "nothing to do; see that its IMAP server answers",
            ),
            ("backoff", "The mailbox was told to slow down.", "nothing to do"),
            ("reserving", "A worker is about to find its sending time.", "nothing to do; if it lasts, start a worker"),
            ("sending", "Its time has come, and a worker sends it.", "nothing to do; if it lasts, start a worker"),
        )
    ),
)

CATALOGUE: dict[tuple[Group, str], Reason] = {(reason.group, reason.code): reason for reason in _ALL}
NOT_SENT: tuple[str, ...] = tuple(reason.code for reason in _ALL if reason.group == "not_sent")
REFUSALS: tuple[str, ...] = tuple(reason.code for reason in _ALL if reason.group == "refused")
OVERRIDES: frozenset[str] = frozenset(reason.code for reason in _ALL if reason.override)
CLEARED_BY_FACTS: tuple[str, ...] = (
    "contact_stage_excluded",
    "account_stage_excluded",
    "no_email",
    "email_invalid",
    "email_unverified",
    "known_hard_bounce",
    "variable_missing",
    "contact_changed_job",
    "consent_missing",
)
"""Not Sent reasons that a change of contact, account or sequence can clear (`retry_when_cleared`)."""
HEALING: frozenset[str] = frozenset(reason.code for reason in _ALL if reason.group == "not_sent" and reason.heals)


def find(group: Group, code: str) -> Reason:
    """The catalogue's entry. Raises KeyError for a code that is not in the group: a defect of ours, never of input."""
    return CATALOGUE[(group, code)]


_TITLES: dict[Group, str] = {
    "not_sent": "Not Sent",
    "bounced": "Bounced and Spamblocked",
    "hold": "Holds (Paused)",
    "finished": "Outcomes (Finished)",
    "refused": "Refusals at enrollment",
    "wait": "Waits (Active)",
}


def as_markdown() -> str:
    """docs/reasons.md."""
    lines = [
        "# Reasons",
        "",
        "Generated from `domain/reasons.py` by `python -m domain.reasons`; edit there.",
        "",
        "Limits, windows and gaps are waits: they never make an email Not Sent and never lose a step.",
    ]
    for group, title in _TITLES.items():
        lines += ["", f"## {title}", "", "| code | what it says | who can fix it | how | heals by itself | position |"]
        lines += ["|---|---|---|---|---|---|"]
        for reason in _ALL:
            if reason.group == group:
                fix = reason.fix + (" (has an override)" if reason.override else "")
                lines.append(
                    f"| `{reason.code}` | {reason.sentence} | {reason.who} | {fix} | "
                    f"{'yes' if reason.heals else 'no'} | {reason.position} |"
                )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(as_markdown(), end="")
