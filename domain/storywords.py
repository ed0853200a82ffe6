"""Tables of words for stories (domain/storytelling.py): what codes mean, for people who do not know them."""

from __future__ import annotations

from domain.inbound import Kind
from domain.watching import TROUBLE

MAIL: dict[Kind, str] = {
    Kind.HUMAN_REPLY: "a reply",
    Kind.OUT_OF_OFFICE: "an out-of-office reply",
    Kind.BOUNCE: "a bounce",
    Kind.DELAYED: "a notice that an email is delayed",
    Kind.COMPLAINT: "a spam complaint",
    Kind.UNSUBSCRIBE: "a request to unsubscribe",
    Kind.CONTACT_GONE: "a notice that the contact has left",
    Kind.ADDRESS_CHANGED: "a notice of a new address",
    Kind.UNMONITORED: "a notice that nobody reads this mailbox",
    Kind.ACKNOWLEDGEMENT: "an automatic receipt",
    Kind.CHALLENGE: "a request to prove that a person writes",
    Kind.CALENDAR: "a calendar mail",
    Kind.READ_RECEIPT: "a read receipt",
    Kind.LIST: "mail of a mailing list",
    Kind.OTHER_AUTOMATIC: "another automatic mail",
    Kind.OWN: "our own email, seen again",
    Kind.DELIVERED: "a notice of delivery",
}
"""Kinds of inbound mail, as the end of a sentence."""

NEEDS: dict[str, str] = {
    "unmatched": "nobody knows whose mail it is",
    "return_date": "somebody is away, and it is not sure until when",
    "unproven_bounce": "a bounce that names no email of ours: it may be forged",
    "new_contact": "who has left names somebody else to write to",
    "new_address": "the contact has another address",
    "address_changed": "the address is given up, and no other is named",
    "unmonitored": "nobody reads that mailbox",
    "challenge": "a machine wants to see that a person writes",
    "soft_bounces": "the third passing refusal by this address within 30 days",
    "failed": "it could not be read, by a defect of ours",
}
"""Why a person should look at an inbound mail."""

SHORT: dict[str, str] = {
    "enrolled": "Enrolled",
    "sent": "Email sent",
    "rejected": "Email refused",
    "deferred": "Put off by the server",
    "not_sent": "Email not sent",
    "delivery_unknown": "Delivery unknown",
    "parked": "Waiting at a closed gate",
    "rebooked": "Sending time moved",
    "pause": "Paused",
    "resume": "Resumed",
    "resume_at": "Return date set",
    "send_now": "Wait cut short",
    "skip": "Step skipped",
    "retry": "Tried again",
    "finish": "Finished by hand",
    "remove": "Removed",
    "settle_delivery": "Delivery settled",
    "reply": "Replied",
    "out_of_office": "Out of office",
    "bounce": "Bounced",
    "unsubscribe": "Unsubscribed",
    "complaint": "Complained",
    "meeting_booked": "Meeting booked",
    "contact_gone": "Contact gone",
    "address_bounced": "Address found dead",
    "account_reply": "Account replied",
    "gate_opened": "Gate opened",
    "replanned": "Sending time moved earlier",
    "cause_cleared": "Cause cleared",
    "close_settling": "Closed for a new enrollment",
    "repaired": "Record repaired",
    "settled": "Ended without a reply",
    "hold_ended": "Pause ended",
    "gave_up": "Gave up",
    "system_error": "System error",
    "workflow_gone": "Workflow gone",
    "unknown_signal": "Unknown signal",
    "invalid_signal": "Invalid signal",
    "contact_changed": "Contact changed",
    "account_changed": "Account changed",
    "switch_on": "Switched on",
    "switch_off": "Switched off",
    "mailbox_up": "Mailbox working again",
    "mailbox_down": "Mailbox down",
    "mailbox_guardrail": "Mailbox held: spam refusals",
    "mailbox_paused": "Mailbox paused",
}

COMMAND = {
    "pause": "to pause",
    "resume": "to resume",
    "resume_at": "to set the date of return",
    "send_now": "to send now",
    "skip": "to skip the step",
    "retry": "to try again",
    "finish": "to finish",
    "remove": "to remove",
    "settle_delivery": "to settle the delivery",
}

NOTED = {
    "already_ended": "the enrollment had ended already",
    "older_attempt": "it is of an older email, and another has left or is on its way since",
    "soft": "the refusal may pass",
    "already_halted": "it stood still at this step already",
    "already_bounced": "it had bounced already",
    "policy_continues": "the sequence goes on in this case",
    "corrected_by_person": "a person has set it otherwise",
    "keeps_known_date": "it names no date, and one was known",
    "other_mailbox": "another mailbox sends for this enrollment now",
    "no_slot": "no sending time was booked",
    "other_slot": "another step or mailbox was booked since",
    "not_earlier": "an earlier or newer sending time was booked already",
    "cause_not_present": "it had another cause, or none",
    "not_settling": "it was not waiting for late replies",
}

REFUSED = {
    "removed": "the contact was removed from this sequence",
    "finished": "the enrollment is finished",
    "closed": "the enrollment has ended",
    "not_paused": "there was nothing to resume",
    "not_sent": "the email was not sent: retry, skip or finish instead",
    "not_active": "only an active enrollment can send now",
    "not_halted": "no step was bounced or not sent",
    "delivery_unknown": "first it must be said what became of the last email",
    "delivery_known": "no delivery was unknown",
    "date_in_past": "the date lies in the past",
    "other_step": "the contact was at another step by then",
}

PHASES = {
    "mail": "for the sender's address",
    "rcpt": "for the recipient's address",
    "data": "before the text",
    "final": "after the text",
}

WHY_UNKNOWN = {
    "owner_lost": "the worker was lost while the email was handed over",
    "duplicate_message_id": "the server says that it has this email already",
}

GATES = {"global": "everything", "sequence": "the sequence", "mailbox": "the mailbox"}
WHO = {"system": "Onward", "schedule": "Onward, by the clock", "unknown": "an unknown sender"}


DETAILS = {
    "reply": "The server said",
    "code": "Code",
    "class": "Kind of refusal",
    "again": "Next try",
    "at": "Now at",
    "slot": "Now at",
    "before": "Before",
    "until": "Until",
    "return_date": "Back on",
    "tries": "Tries",
    "message_id": "Message-ID",
    "mailbox": "Mailbox",
    "disposition": "Disposition",
    "remaining_holds": "Still held by",
    "overrides": "Accepted on enrolling",
    "warnings": "Warnings on enrolling",
    "changed": "Changed",
    "stage": "Stage now",
    "differed": "Differed",
    "cleared": "Put right",
    "error": "What is wrong",
    "field": "Field",
}

TROUBLES = {
    **TROUBLE,
    "auth_failure": "its server does not accept us: login or sender authentication",
    "own_config": "its server refuses to send for us: relaying, or another sender's address",
    "sender_quota": "its provider's sending limit is used up",
    "rate_limited": "its provider asks for a slower pace",
    "refused_after_login": "its server accepts the login and refuses to send all the same",
    "spam_block": "several of its emails were refused as spam within an hour",
    "policy_block": "its emails are refused by policy",
    "unreachable": "its SMTP server does not answer",
    "smtp_host_invalid": "the name of its SMTP server is none",
    "smtp_starttls_missing": "its SMTP server does not offer STARTTLS",
    "smtp_auth_missing": "its SMTP server offers no login that we know",
    "smtp_tls_untrusted": "the certificate of its SMTP server is not trusted",
}
"""Why a mailbox cannot send or be read: codes of `mailboxes.state_code` and of its reading."""
