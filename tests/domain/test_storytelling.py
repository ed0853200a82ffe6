"""Stories in plain words: every kind of line that the code can write is told, and nothing is shown as a code."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import storytelling
from domain.consequences import Consequences
from domain.inbound import Kind
from domain.messages import COMMANDS, MESSAGES, parse_message
from domain.reasons import CATALOGUE
from domain.sequences import StepRef
from domain.state import EnrollmentState, Halt, Hold, Sent
from domain.statuses import HaltKind, HoldKind, Outcome
from domain.storywords import MAIL, NEEDS, NOTED, REFUSED, SHORT
from domain.transitions import apply, pass_time, system_error
from tests.domain.states import NOW

ROOT = Path(__file__).parents[2]
STEPS = {"hello": 1, "bump": 2}


def written() -> set[str]:
    """The kinds of lines that the code names where it writes them."""
    found = set()
    for room in ("activities", "client", "domain", "store", "workflows"):
        for file in sorted((ROOT / room).rglob("*.py")):
            text = file.read_text(encoding="utf-8")
            found |= set(re.findall(r"LogEntry\(\s*kind=\"(\w+)\"", text))
            found |= set(re.findall(r"_project\(connection, locked, result, \"(\w+)\"", text))
            found |= set(re.findall(r"_keep_refused\(\s*name, \"(\w+)\"", text))
        for file in sorted((ROOT / room).rglob("*.sql")):
            found |= set(re.findall(r"SELECT (?:e\.)?id, '(\w+):'", file.read_text(encoding="utf-8")))
    return found


KINDS = sorted(
    written()
    | set(MESSAGES)
    | {f"{name}_refused" for name in COMMANDS}
    | {f"mail_{kind.value}" for kind in Kind}
    | {"switch_on", "switch_off", "mailbox_up", "mailbox_down", "mailbox_guardrail", "mailbox_paused"}
)


def plain(text: str) -> None:
    """No code, no blank, no name of a field."""
    assert text
    assert text[0].isupper() or text[0] in '"', text
    assert not re.search(r"\w_\w", text), text
    assert "None" not in text
    assert "{" not in text
    assert not text.endswith("."), text


def test_the_kinds_are_found_where_they_are_written() -> None:
    assert {"enrolled", "sent", "deferred", "parked", "settled", "gave_up", "repaired"} <= set(KINDS)
    assert {"contact_changed", "account_changed", "unknown_signal", "invalid_signal", "workflow_gone"} <= set(KINDS)
    assert set(SHORT) <= set(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_told_in_words(kind: str) -> None:
    told = storytelling.tell(kind, {"code": "not_paused"}, STEPS)
    plain(told.title)
    plain(storytelling.short(kind))
    if not kind.startswith("mail_") and not kind.endswith("_refused"):
        assert kind in SHORT, f"{kind} has no words of its own"


SENT = Sent(step=StepRef(id="hello", number=1, total=2), attempt=1, message_id="m1")
STATES: tuple[dict[str, Any], ...] = (
    {},
    {"holds": (Hold(kind=HoldKind.MANUAL, by="person:ana", at=NOW, corrected=True),)},
    {"holds": (Hold(kind=HoldKind.OUT_OF_OFFICE, by="mail:m", at=NOW, until=NOW),)},
    {"holds": (Hold(kind=HoldKind.DELIVERY_UNKNOWN, by="system", at=NOW, ref="m1"),)},
    {"halt": Halt(kind=HaltKind.HARD_BOUNCE, reason="hard_bounce", at=NOW)},
    {"halt": Halt(kind=HaltKind.NOT_SENT, reason="template_error", at=NOW)},
    {"outcome": Outcome.COMPLETED, "settle_until": NOW, "step": None},
    {"outcome": Outcome.REPLIED, "closed": True},
    {"removed": True, "closed": True},
)
PAYLOADS: dict[str, tuple[dict[str, Any], ...]] = {
    "pause": ({}, {"until": "2020-01-01"}),
    "resume": ({}, {"mailbox": "other"}),
    "resume_at": ({"until": "2031-05-01"}, {"until": "2020-01-01"}),
    "finish": ({}, {"outcome": "not_interested", "disposition": "asked later"}),
    "settle_delivery": ({"verdict": "sent"}, {"verdict": "not_sent"}),
    "reply": ({"message_id": "m1"}, {"interest": "interested"}),
    "out_of_office": ({"return_date": "2031-05-01"}, {}, {"corrected": True, "present": True}),
    "bounce": ({}, {"kind": "soft"}, {"kind": "spam_block", "message_id": "m1"}, {"message_id": "other"}),
    "gate_opened": tuple({"gate": gate, "epoch": 3} for gate in ("global", "sequence", "mailbox")),
    "replanned": ({"mailbox": "sales", "step": "hello", "slot": NOW.isoformat()},),
    "cause_cleared": ({"reason": "template_error"},),
    "repaired": ({"differed": ["status", "next_at"]},),
}


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_what_the_rules_write_is_told_in_words(name: str) -> None:
    base = EnrollmentState(
        enrollment="e", sequence="s", contact="c", mailbox="sales", step=SENT.step, last_sent=SENT, due=NOW, sent=1
    )
    for changes in STATES:
        for payload in PAYLOADS.get(name, ({},)):
            message = parse_message(name, {"id": "m", "by": "person:ana", **payload}, strict=True)
            for entry in apply(base.model_copy(update=changes), message, NOW).log:
                told = storytelling.tell(entry.kind, entry.data, STEPS)
                plain(told.title)
                for label, value in told.details:
                    plain(label)
                    assert isinstance(value, datetime) or value
    for decision in (
        pass_time(base.model_copy(update=STATES[2]), NOW),
        pass_time(base.model_copy(update=STATES[6]), NOW),
        system_error(base, "boom", NOW),
    ):
        assert decision.log
        for entry in decision.log:
            plain(storytelling.tell(entry.kind, entry.data, STEPS).title)


@pytest.mark.parametrize(
    ("kind", "data", "title"),
    [
        ("sent", {"step": "bump", "attempt": 1}, "The email of step 2 (bump) was sent"),
        ("sent", {"step": "old", "attempt": 3}, "The email of step old, attempt 3 was sent"),
        ("reply", {"outcome": "replied"}, "The contact replied, and the enrollment is finished (replied)"),
        ("reply", {"noted": "already_ended"}, "The contact replied, which changes nothing: the enrollment had ended already"),
        ("out_of_office", {"hold": "out_of_office"}, "The contact is away, and the enrollment is paused"),
        ("out_of_office", {}, "The contact is there after all, and the enrollment goes on"),
        ("not_sent", {"reason": "no_email"}, "The email was not sent. The contact has no email address"),
        ("skip_refused", {"code": "finished"}, "A command to skip the step was refused: the enrollment is finished"),
        ("bounce", {"kind": "soft", "noted": "soft"}, "An email came back for a reason that may pass, which changes nothing: "
         "the refusal may pass"),
        ("switch_off", {"gate": "global"}, "Everything was switched off: no email leaves"),
    ],
)  # fmt: skip
def test_the_sentence_says_what_was(kind: str, data: dict[str, Any], title: str) -> None:
    assert storytelling.tell(kind, data, STEPS).title == title


def test_details_are_words_and_instants() -> None:
    told = storytelling.tell(
        "deferred",
        {
            "step": "hello",
            "attempt": 1,
            "try": 2,
            "reply": "451 later",
            "again": (NOW + timedelta(hours=1)).isoformat(),
        },
        STEPS,
    )
    assert told.title == "The email of step 1 (hello) was put off by the server for now (try 2)"
    assert told.details == (("The server said", "451 later"), ("Next try", NOW + timedelta(hours=1)))
    changed = storytelling.tell("contact_changed", {"changed": ["email", "first_name"], "stage": "Cold"})
    assert changed.details == (("Changed", "email, first name"), ("Stage now", "Cold"))
    unknown = storytelling.tell("of_tomorrow", {"some_thing": 3})
    assert (unknown.title, unknown.details) == ("Of tomorrow", (("Some thing", "3"),))
    for reason in CATALOGUE.values():
        if reason.group in ("not_sent", "hold"):
            field, kind = ("reason", "not_sent") if reason.group == "not_sent" else ("hold", "parked")
            assert reason.sentence.removesuffix(".") in storytelling.tell(kind, {field: reason.code}).title


def test_every_code_of_the_rules_has_words() -> None:
    rules = (ROOT / "domain/transitions.py").read_text(encoding="utf-8")
    noted = set(re.findall(r"\.note\(\s*\"(\w+)\"", rules))
    refused = set(re.findall(r"Refused\(\s*\"(\w+)\"|return \(?\"(\w+)\", f?\"", rules))
    assert len(noted) > 10
    assert noted <= set(NOTED), noted - set(NOTED)
    codes = {code for pair in refused for code in pair if code}
    assert len(codes) > 8
    assert codes <= set(REFUSED), codes - set(REFUSED)


def test_mail_and_actors_are_told_in_words() -> None:
    assert set(MAIL) == set(Kind)
    assert storytelling.mail_title("out_of_office") == "An out-of-office reply came in"
    said = storytelling.mail_title("human_reply", {"kind": "out_of_office"})
    assert said == "A reply came in; a person says that it is an out-of-office reply"
    assert storytelling.who("schedule") == "Onward, by the clock"
    assert storytelling.who("person:ana") == "ana (a person)"
    needs = set(re.findall(r"needs=\"(\w+)\"", (ROOT / "domain/consequences.py").read_text(encoding="utf-8")))
    assert {*needs, "failed", "unmatched", "new_address"} <= set(NEEDS)
    assert Consequences().needs is None
