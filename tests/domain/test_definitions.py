"""What people write is refused where it is wrong, with the field, what is known there, and how to write it right."""

from __future__ import annotations

from datetime import time
from typing import Any

import pytest
import yaml

from domain.durations import Duration, parse_duration
from domain.errors import InvalidDefinition, InvalidMessage
from domain.messages import COMMANDS, parse_message
from domain.sequences import Limits, Mailbox, Schedule, Sequence, find_step, parse_definition, policy_of, step_ref

STEP = {"id": "s1", "subject": "Hello", "text": "Hi"}
SEQUENCE = {"id": "spring", "name": "Spring", "schedule": "office", "mailboxes": ["mara"], "steps": [STEP]}
SCHEDULE = {"id": "office", "zone": "Europe/Berlin", "windows": {"mon": [{"start": "09:00", "end": "17:00"}]}}
MAILBOX = {
    "id": "mara",
    "address": "mara@sender.test",
    "smtp": {"host": "smtp.sender.test", "port": 587, "username": "mara", "password": "env:MARA_PASSWORD"},
}
DEFINITIONS: dict[Any, dict[str, Any]] = {Sequence: SEQUENCE, Schedule: SCHEDULE, Mailbox: MAILBOX}


def refusal(kind: Any, **changes: Any) -> InvalidDefinition:
    with pytest.raises(InvalidDefinition) as refused:
        parse_definition(kind, {**DEFINITIONS[kind], **changes})
    return refused.value


@pytest.mark.parametrize("kind", DEFINITIONS)
def test_the_examples_here_are_right(kind: Any) -> None:
    assert parse_definition(kind, DEFINITIONS[kind]).id == DEFINITIONS[kind]["id"]


@pytest.mark.parametrize(
    ("kind", "changes", "field", "known"),
    [
        (Sequence, {"nmae": "x"}, "nmae", "name"),
        (Sequence, {"settings": {"setle": "1d"}}, "settings.setle", "settle"),
        (Sequence, {"steps": [{**STEP, "wiat": "1d"}]}, "steps.0.wiat", "wait"),
        (Schedule, {"timezone": "UTC"}, "timezone", "zone"),
        (Mailbox, {"smtp": {**MAILBOX["smtp"], "tls": True}}, "smtp.tls", "security"),
        (Mailbox, {"limits": {"per_minute": 3}}, "limits.per_minute", "per_hour"),
    ],
)
def test_a_misspelled_field_is_named_with_those_that_are_known_there(
    kind: Any, changes: dict[str, Any], field: str, known: str
) -> None:
    refused = refusal(kind, **changes)
    assert refused.field == field
    assert refused.fix is not None
    assert known in refused.fix


@pytest.mark.parametrize(
    ("kind", "changes", "says"),
    [
        (Sequence, {"steps": [STEP, STEP]}, "two steps have the ID 's1'"),
        (Sequence, {"steps": []}, "at least 1"),
        (Sequence, {"mailboxes": ["mara", "mara"]}, "named twice"),
        (Sequence, {"id": "spring/2"}, "is not an ID"),
        (Sequence, {"steps": [{"id": "s1", "text": "Hi"}]}, "needs a subject"),
        (Sequence, {"steps": [{"id": "s1", "thread": "reply", "text": "Hi"}]}, "no thread to reply in"),
        (Sequence, {"steps": [{**STEP, "wait": "3 days"}]}, "not a duration"),
        (Sequence, {"steps": [{**STEP, "wait": 3}]}, "not a duration"),
        (Sequence, {"steps": [{**STEP, "wait": "-1d"}]}, "not a duration"),
        (Sequence, {"steps": [{**STEP, "kind": "fax"}]}, "email"),
        (Sequence, {"settings": {"stage_map": {"replyed": "Replied"}}}, "replied"),
        (Sequence, {"name": "x" * 65536}, "at most 500"),
        (Schedule, {"zone": "Berlin"}, "IANA"),
        (Schedule, {"zone": "../../etc/passwd"}, "IANA"),
        (Schedule, {"zone_of": "me"}, "'schedule' or 'contact'"),
        (Schedule, {"holidays": ["ZZ"]}, "no holidays are known of ZZ"),
        (Schedule, {"holidays": ["DE-XX"]}, "no holidays are known of DE-XX"),
        (Schedule, {"holidays": ["Germany"]}, "is not a country such as DE"),
        (Schedule, {"closed": ["Christmas"]}, "closed.0.from: not a date; write it as 2026-12-24"),
        (Schedule, {"closed": [20261224]}, "closed.0.from: not a date; write it as 2026-12-24"),
        (Schedule, {"closed": [{"from": "2026-12-24", "to": "2026-12-23"}]}, "before it begins"),
        (Schedule, {"closed": [{"from": "2026-12-24", "to": "9999-12-31"}]}, "switch the sequence off"),
        (Schedule, {"closed": [{"from": "2026-12-24", "until": "2026-12-25"}]}, "known here: from, name, to"),
        (Schedule, {"open_anyway": ["2026-12-24T09:00"]}, "not a date"),
        (Schedule, {"windows": {}}, "nothing could ever be sent"),
        (Schedule, {"windows": {"mon": []}}, "nothing could ever be sent"),
        (Schedule, {"windows": {"mon": [{"start": "17:00", "end": "09:00"}]}}, "ends after it starts"),
        (Schedule, {"windows": {"mon": [{"start": "09:00+01:00", "end": "17:00"}]}}, "without an offset"),
        (
            Schedule,
            {"windows": {"mon": [{"start": "09:00", "end": "12:00"}, {"start": "11:00", "end": "17:00"}]}},
            "overlap",
        ),
        (Mailbox, {"smtp": {**MAILBOX["smtp"], "password": "hunter2"}}, "never the secret itself"),
        (Mailbox, {"smtp": {**MAILBOX["smtp"], "password": None}}, "go together"),
        (Mailbox, {"smtp": {**MAILBOX["smtp"], "port": 0}}, "greater than or equal to 1"),
        (Mailbox, {"limits": {"gap": "1bd"}}, "clock time"),
    ],
)
def test_a_wrong_value_is_refused_in_words(kind: Any, changes: dict[str, Any], says: str) -> None:
    assert says in str(refusal(kind, **changes))


def test_a_password_in_clear_is_not_repeated_in_the_refusal() -> None:
    assert "hunter2" not in str(refusal(Mailbox, smtp={**MAILBOX["smtp"], "password": "hunter2"}))


def test_several_mistakes_are_counted() -> None:
    assert "2 more" in str(refusal(Sequence, nmae="x", schedul="y", mailbox="z"))


@pytest.mark.parametrize("data", [None, [], "id: spring", 3])
def test_what_is_no_mapping_is_refused(data: Any) -> None:
    with pytest.raises(InvalidDefinition, match="mapping of fields"):
        parse_definition(Sequence, data)


def test_hours_that_yaml_reads_as_sexagesimal_numbers_are_hours() -> None:
    text = "{start: 9:00, end: 24:00}"
    assert yaml.safe_load(text)["start"] == 540
    windows = {"mon": [yaml.safe_load(text), yaml.safe_load("{start: 0:30, end: '8:05'}")]}
    schedule = parse_definition(Schedule, {**SCHEDULE, "windows": windows})
    assert [(window.start, window.end) for window in schedule.windows["mon"]] == [
        (time(9), time.max),
        (time(0, 30), time(8, 5)),
    ]


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("90s", Duration(seconds=90)),
        ("15m", Duration(seconds=900)),
        ("1.5h", Duration(seconds=5400)),
        ("24h", Duration(seconds=86400)),
        ("1.5d", Duration(seconds=36 * 3600)),
        ("3d", Duration(days=3)),
        ("2w", Duration(days=14)),
        ("1bd", Duration(business_days=1)),
        ("0s", Duration()),
    ],
)
def test_durations_are_read_and_written(text: str, duration: Duration) -> None:
    assert parse_duration(text) == duration
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize("text", ["", "3", "d3", "1.5bd", "1001bd", "530w", "9999999d", "3 d", "1e3s", None, True])
def test_what_is_no_duration(text: Any) -> None:
    with pytest.raises(ValueError):
        parse_duration(text)


def test_first_emails_leave_room_for_follow_ups() -> None:
    assert Limits(per_day=50).first_touches == 20
    assert Limits(per_day=1).first_touches == 1
    assert Limits(per_day=50, new_per_day=3).first_touches == 3


def test_a_step_is_found_by_its_id_wherever_it_stands_now() -> None:
    steps = [{**STEP, "id": key} for key in ("a", "b", "c")]
    before = parse_definition(Sequence, {**SEQUENCE, "steps": steps})
    ref = step_ref(before, 1)
    moved = parse_definition(Sequence, {**SEQUENCE, "steps": [steps[1], steps[0]]})
    assert find_step(moved, ref) == 0
    deleted = parse_definition(Sequence, {**SEQUENCE, "steps": [steps[0], steps[2]]})
    assert find_step(deleted, ref) == 1
    shorter = parse_definition(Sequence, {**SEQUENCE, "steps": [steps[0]]})
    assert find_step(shorter, ref) is None


def test_the_policy_holds_what_the_workflow_decides_by() -> None:
    sequence = parse_definition(
        Sequence,
        {**SEQUENCE, "settings": {"account_reply": "pause", "account_reply_pause": "5bd", "give_up_after": "2w"}},
    )
    found = policy_of(sequence.settings)
    assert (found.account_reply, found.account_reply_pause_seconds) == ("pause", 7 * 86400)
    assert (found.give_up_seconds, found.out_of_office_default_seconds) == (14 * 86400, None)


# ---------------------------------------------------------------------------------------------------------------------
# Messages


@pytest.mark.parametrize(
    ("name", "payload", "field"),
    [
        ("pause", {"until": "2026-12-01T09:00:00"}, "until"),
        ("pause", {"until": "tomorrow"}, "until"),
        ("pause", {"until": "2026-02-30"}, "until"),
        ("pause", {"until": 1}, "until"),
        ("pause", {"until": "9999-12-31T23:59:59-12:00"}, "until"),
        ("pause", {"by": ""}, "by"),
        ("pause", {"by": "x" * 65536}, "by"),
        ("pause", {"id": "a\x00b"}, "id"),
        ("pause", {"by": "\ud800"}, "by"),
        ("pause", {"by": "ana\nBcc: x"}, "by"),
        ("reply", {"at": "1970-01-01T00:00:00+14:00"}, "at"),
        ("reply", {"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ("reply", {"interest": "maybe"}, "interest"),
        ("finish", {"outcome": "completed"}, "outcome"),
        ("finish", {"disposition": "<b>"}, "disposition"),
        ("bounce", {"attempt": 0}, "attempt"),
        ("resume", {"mailbox": "a b"}, "mailbox"),
        ("settle_delivery", {}, "verdict"),
        ("resume_at", {}, "until"),
        ("dance", {}, "name"),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_a_wrong_message_names_its_field(name: str, payload: dict[str, Any], field: str, strict: bool) -> None:
    with pytest.raises(InvalidMessage) as refused:
        parse_message(name, payload, strict=strict)
    assert refused.value.field == field


@pytest.mark.parametrize("payload", [[], "until", 3, True, [{"by": "ana"}]])
def test_a_payload_is_an_object(payload: Any) -> None:
    with pytest.raises(InvalidMessage, match="JSON object"):
        parse_message("pause", payload, strict=False)


def test_signals_ignore_unknown_fields_and_updates_name_them() -> None:
    payload = {"by": "person:ana", "unitl": "2026-12-01"}
    assert parse_message("pause", payload, strict=False).by == "person:ana"
    with pytest.raises(InvalidMessage) as refused:
        parse_message("pause", payload, strict=True)
    assert refused.value.field == "unitl"
    assert "until" in (refused.value.fix or "")


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"resume_at", "settle_delivery"}))
def test_an_empty_payload_will_do_for_most_commands(name: str) -> None:
    assert parse_message(name, None, strict=True).by == "system"
