"""An enrollment's story in plain words: a sentence for every kind of line that is written into it, and what it says besides.

For people who do not know the codes. What is told comes from the line alone, so it stays true whatever happens later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain import explanation
from domain.inbound import Kind
from domain.messages import COMMANDS
from domain.reasons import CATALOGUE, Group
from domain.storywords import COMMAND, DETAILS, GATES, MAIL, NOTED, PHASES, REFUSED, SHORT, TROUBLES, WHO, WHY_UNKNOWN

Value = str | datetime
"""What a detail says: words, or an instant for the page to write in the reader's way."""


@dataclass(frozen=True)
class Told:
    """A line of a story for people. `title`: a sentence without its full stop. `details`: what it says besides, each with the
    word for it, in order."""

    title: str
    details: tuple[tuple[str, Value], ...] = ()


def who(by: str) -> str:
    """Who did something, in words."""
    return WHO.get(by) or explanation.actor(by)


def short(kind: str | None) -> str:
    """A kind of line in two or three words, for a list's column; "" for none."""
    if not kind:
        return ""
    if kind in SHORT:
        return SHORT[kind]
    if kind.startswith("mail_"):
        what = kind.removeprefix("mail_")
        return "Mail noted" if what not in set(Kind) else _capital(MAIL[Kind(what)].split(" ", 1)[1])
    if kind.endswith("_refused"):
        return "Command refused"
    return _capital(kind.replace("_", " "))


def trouble(code: str | None) -> str:
    """Why a mailbox cannot send or be read, in words; "" where no reason is known."""
    return "" if not code else TROUBLES.get(code, _plain(code))


def tell(kind: str, data: Mapping[str, Any], steps: Mapping[str, int] | None = None) -> Told:
    """A line of a story. `data` as it was written; `steps`: the numbers of the sequence's steps by their IDs. Any kind is
    told, an unknown one by its own words."""
    teller = _TELLERS.get(kind)
    if kind.endswith("_refused") and kind.removesuffix("_refused") in COMMANDS:
        code = str(data.get("code", ""))
        title = f"A command {COMMAND[kind.removesuffix('_refused')]} was refused: {REFUSED.get(code, _plain(code))}"
        return Told(title)
    if kind.startswith("mail_") and kind.removeprefix("mail_") in set(Kind):
        return Told(f"{_capital(MAIL[Kind(kind.removeprefix('mail_'))])} came; it changes nothing here")
    if teller is None:
        return Told(short(kind), tuple((_capital(_plain(key)), _value(value)) for key, value in data.items()))
    line = _Line(data, steps or {})
    return Told(teller if isinstance(teller, str) else teller(line), line.details())


def mail_title(kind: str, correction: Mapping[str, Any] | None = None) -> str:
    """An inbound mail in a sentence. `correction`: what a person said it is instead."""
    title = f"{_capital(MAIL[Kind(kind)])} came in" if kind in set(Kind) else "A mail came in"
    said = (correction or {}).get("kind")
    if said in set(Kind) and said != kind:
        title += f"; a person says that it is {MAIL[Kind(said)]}"
    return title


# ---------------------------------------------------------------------------------------------------------------------
# The tellers: each makes the sentence of its kind


@dataclass(frozen=True)
class _Line:
    data: Mapping[str, Any]
    steps: Mapping[str, int]

    def said(self, name: str) -> str:
        value = self.data.get(name)
        return "" if value is None else str(value)

    def step(self, otherwise: str = "the email") -> str:
        """The email of the step that it names."""
        key = self.said("step")
        if not key:
            return otherwise
        number = self.steps.get(key)
        named = f"the email of step {number} ({key})" if number else f"the email of step {key}"
        attempt = self.data.get("attempt")
        return f"{named}, attempt {attempt}" if isinstance(attempt, int) and attempt > 1 else named

    def ends(self, otherwise: str = "") -> str:
        """What follows from it, as the end of the sentence."""
        if noted := self.said("noted"):
            return f", which changes nothing: {NOTED.get(noted, _plain(noted))}"
        if outcome := self.said("outcome"):
            return f", and the enrollment is finished ({_plain(outcome)})"
        if self.said("hold"):
            return ", and the enrollment is paused"
        return otherwise

    def details(self) -> tuple[tuple[str, Value], ...]:
        found: list[tuple[str, Value]] = []
        for name, label in DETAILS.items():
            value = self.data.get(name)
            if value in (None, "", [], ()):
                continue
            if name == "class":
                value = _plain(str(value))
            found.append((label, _value(value)))
        return tuple(found)


def _sent(line: _Line) -> str:
    return f"{_capital(line.step())} was sent"


def _rejected(line: _Line) -> str:
    phase = PHASES.get(line.said("phase"))
    return f"{_capital(line.step())} was refused for good by the recipient's server" + (f", {phase}" if phase else "")


def _deferred(line: _Line) -> str:
    number = line.data.get("try")
    tried = f" (try {number})" if number else ""
    return f"{_capital(line.step())} was put off by the server for now{tried}"


def _not_sent(line: _Line) -> str:
    return f"{_capital(line.step())} was not sent. {_sentence('not_sent', line.said('reason'))}"


def _delivery_unknown(line: _Line) -> str:
    why = line.said("why")
    return f"Nobody knows whether {line.step()} left: {WHY_UNKNOWN.get(why, 'the connection was lost after it was handed over')}"


def _parked(line: _Line) -> str:
    code = line.said("code")
    why = f" ({TROUBLES[code]})" if code in TROUBLES else ""
    return f"The email was held back. {_sentence('hold', line.said('hold'))}{why}"


def _rebooked(line: _Line) -> str:
    cause = line.said("cause")
    return "The email got a new sending time" + (f". {_sentence('wait', cause)}" if cause else "")


def _resume(line: _Line) -> str:
    if line.data.get("attempt"):
        return f"The enrollment was resumed: {line.step()} goes out again"
    return "The enrollment was resumed" + (", but it is still held" if line.data.get("remaining_holds") else "")


def _skip(line: _Line) -> str:
    return f"{_capital(line.step('the step'))} was skipped"


def _retry(line: _Line) -> str:
    return f"{_capital(line.step())} is tried again"


def _finish(line: _Line) -> str:
    outcome = line.said("outcome")
    return "The enrollment was finished by hand" + (f" ({_plain(outcome)})" if outcome not in ("", "manual") else "")


def _settle_delivery(line: _Line) -> str:
    became = {"sent": "was sent", "not_sent": "was not sent, and it goes out again"}.get(
        line.said("verdict"), "is settled"
    )
    return f"It was said of {line.step()} that it {became}"


def _out_of_office(line: _Line) -> str:
    if not line.said("hold") and not line.said("noted"):
        return "The contact is there after all, and the enrollment goes on"
    return "The contact is away" + line.ends()


def _bounce(line: _Line) -> str:
    what = {
        "hard_bounce": "An email came back: the address does not exist or is switched off",
        "spam_block": "An email came back, refused as spam or by policy",
        "soft": "An email came back for a reason that may pass",
    }.get(line.said("kind"), "An email came back")
    return what + line.ends()


def _gate_opened(line: _Line) -> str:
    gate = GATES.get(line.said("gate"), "what held it")
    opened = "can send again" if line.said("gate") == "mailbox" else "is switched on again"
    return f"{_capital(gate)} {opened}" + line.ends()


def _hold_ended(line: _Line) -> str:
    what = {
        "manual": "The pause",
        "out_of_office": "The absence",
        "account_reply": "The pause for the account's reply",
        "system_error": "The pause after a fault of ours",
    }.get(line.said("hold"), "A hold")
    return f"{what} ended by its date"


def _unknown_signal(line: _Line) -> str:
    return f'A signal that nobody knows came, "{line.said("name")}"; it changes nothing'


def _invalid_signal(line: _Line) -> str:
    return f'A signal "{line.said("name")}" came that cannot be understood; it changes nothing'


def _switch_on(line: _Line) -> str:
    return f"{_capital(GATES.get(line.said('gate'), 'the sequence'))} was switched on"


def _switch_off(line: _Line) -> str:
    return f"{_capital(GATES.get(line.said('gate'), 'the sequence'))} was switched off: no email leaves"


def _mailbox_up(line: _Line) -> str:
    return f"The mailbox {line.said('key')} works again"


def _mailbox_down(line: _Line) -> str:
    return f"The mailbox {line.said('key')} cannot send, or cannot be read"


def _mailbox_guardrail(line: _Line) -> str:
    return f"The mailbox {line.said('key')} was held, since several of its emails were refused as spam"


def _mailbox_paused(line: _Line) -> str:
    return f"The mailbox {line.said('key')} was paused"


_TELLERS: dict[str, str | Callable[[_Line], str]] = {
    "enrolled": "The contact was enrolled",
    "sent": _sent,
    "rejected": _rejected,
    "deferred": _deferred,
    "not_sent": _not_sent,
    "delivery_unknown": _delivery_unknown,
    "parked": _parked,
    "rebooked": _rebooked,
    "pause": "The enrollment was paused",
    "resume": _resume,
    "resume_at": "The date on which it goes on was set",
    "send_now": "The wait before the next email was cut short",
    "skip": _skip,
    "retry": _retry,
    "finish": _finish,
    "remove": "The contact was removed from the sequence",
    "settle_delivery": _settle_delivery,
    "reply": lambda line: "The contact replied" + line.ends(),
    "out_of_office": _out_of_office,
    "bounce": _bounce,
    "unsubscribe": lambda line: "The contact unsubscribed" + line.ends(),
    "complaint": lambda line: "The contact reported the email as spam" + line.ends(),
    "meeting_booked": lambda line: "A meeting was booked" + line.ends(),
    "contact_gone": lambda line: "The contact has left, or the address has moved" + line.ends(),
    "address_bounced": lambda line: (
        "Another email to this address came back for good" + line.ends(", so nothing more is sent to it")
    ),
    "account_reply": lambda line: "Somebody else at the account replied" + line.ends(", so the email is not sent"),
    "gate_opened": _gate_opened,
    "replanned": lambda line: "After a change of schedule or limits the email leaves earlier" + line.ends(),
    "cause_cleared": lambda line: "What kept the email back is mended" + line.ends(", and it is tried again"),
    "close_settling": lambda line: (
        "It no longer waits for late replies: the contact enters the sequence again" + line.ends()
    ),
    "repaired": "The record was put right after it differed from the workflow",
    "settled": "Nothing came after the last email: it ended without a reply",
    "hold_ended": _hold_ended,
    "gave_up": "It stood still for as long as the sequence allows, and has ended",
    "system_error": "Onward itself failed at this enrollment, and waits for an engineer",
    "workflow_gone": "Its workflow is gone (ended from outside), so the record was closed",
    "unknown_signal": _unknown_signal,
    "invalid_signal": _invalid_signal,
    "contact_changed": "The contact's record was changed",
    "account_changed": "The account's record was changed",
    "switch_on": _switch_on,
    "switch_off": _switch_off,
    "mailbox_up": _mailbox_up,
    "mailbox_down": _mailbox_down,
    "mailbox_guardrail": _mailbox_guardrail,
    "mailbox_paused": _mailbox_paused,
}
"""Every kind of line, with its sentence or what makes it."""


def _sentence(group: Group, code: str) -> str:
    found = CATALOGUE.get((group, code))
    return _capital(_plain(code)) if found is None else found.sentence.removesuffix(".")


def _value(value: Any) -> Value:
    if isinstance(value, list | tuple):
        return ", ".join(_plain(str(one)) for one in value)
    if isinstance(value, str) and len(value) >= 19 and value[4:5] == "-" and value[10:11] == "T":
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            return value
        return at if at.tzinfo is not None else value
    return str(value)


def _plain(code: str) -> str:
    """A code as words."""
    return code.replace("_", " ")


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
