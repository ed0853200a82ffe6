"""What people read: a sentence, what happens next, whom it waits for; codes, IDs and times only."""

from __future__ import annotations

from datetime import timedelta

import pytest

from domain.explain import answer, details, explanation, headline, known_plan, next_event, sentence, snapshot
from domain.reasons import NOT_SENT, find
from domain.state import EnrollmentState, Slot, phase, reason, status
from domain.statuses import HoldKind, Phase, Status
from domain.transitions import allowed_actions, wake_at
from tests.domain.states import DAY, NOW, active, bounced, held, not_sent, say, settling, step, told, unknown
from tests.domain.test_transitions import SITUATIONS


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_names_its_next_wake_up_or_whom_it_waits_for(situation: str) -> None:
    state = SITUATIONS[situation]
    coming = next_event(state)
    if state.closed:
        assert coming == {"what": "nothing", "why": "the enrollment has ended"}
    else:
        assert coming.get("at") or coming.get("waits_for")
    assert sentence(state, NOW).endswith(".")
    assert headline(state)
    shown = explanation(state, NOW)
    assert shown["own_status"] == status(state).value
    assert shown["reason"] == reason(state)
    assert shown["allowed"] == list(allowed_actions(state))
    assert answer(state, NOW).allowed == allowed_actions(state)
    assert "Next:" in details(state, NOW)


@pytest.mark.parametrize(
    ("state", "now", "expected"),
    [
        (active(), NOW, Phase.DELAY),
        (active(slot=Slot(at=NOW + 2 * DAY, cause="window")), NOW + DAY, Phase.WINDOW),
        (active(slot=Slot(at=NOW + 2 * DAY, cause="per_day")), NOW + DAY, Phase.CAPACITY),
        (active(slot=None), NOW, Phase.CAPACITY),
        (active(), NOW + DAY, Phase.SENDING),
        (told(active(), "pause"), NOW, None),
    ],
)
def test_the_phase_says_what_an_active_contact_waits_for(state: EnrollmentState, now: object, expected: object) -> None:
    assert phase(state, now) is expected  # type: ignore[arg-type]


def test_a_paused_enrollment_waits_for_its_last_date() -> None:
    state = say(active(), "pause", until="2026-12-03T09:00:00Z").state
    assert next_event(state) == {"what": "resume", "at": "2026-12-03T09:00:00Z"}
    with_more = say(state, "out_of_office").state
    assert next_event(with_more)["waits_for"] == "a person to set a date or resume"
    assert wake_at(with_more) == NOW + 2 * DAY


@pytest.mark.parametrize("kind", HoldKind)
def test_every_hold_without_a_date_says_whom_it_waits_for_and_how_to_end_it(kind: HoldKind) -> None:
    state = held(kind)
    assert next_event(state)["waits_for"]
    (shown,) = snapshot(state, NOW)["holds"]
    assert shown["fix"] == find("hold", kind.value).fix


@pytest.mark.parametrize("code", NOT_SENT)
def test_every_not_sent_says_how_it_is_mended(code: str) -> None:
    coming = next_event(not_sent(reason=code))
    assert coming["fix"] == find("not_sent", code).fix
    assert ("by itself" in coming["waits_for"]) == find("not_sent", code).heals


def test_what_needs_a_person_first_names_the_reason() -> None:
    state = told(unknown(), "pause", "out_of_office")
    assert reason(state) == "delivery_unknown"
    assert "settle_delivery" in next_event(state)["waits_for"]


def test_the_last_step_is_told_as_such() -> None:
    assert "Stopped at step 2 of 3" in sentence(bounced(), NOW)
    assert next_event(active(3)) == {
        "what": "send",
        "at": "2026-12-02T09:00:00Z",
        "step": "s3",
        "number": 3,
        "total": 3,
        "cause": None,
    }
    assert "still changes the outcome" in details(settling(), NOW)


def test_a_give_up_time_is_told() -> None:
    policy = active().policy.model_copy(update={"give_up_seconds": 3600.0})
    state = bounced().model_copy(update={"policy": policy})
    assert next_event(state)["gives_up_at"] == "2026-12-01T10:00:00Z"


def test_a_disposition_is_told() -> None:
    assert "no budget" in sentence(say(active(), "finish", disposition="no budget").state, NOW)


def test_sending_and_waiting_for_a_slot_are_told() -> None:
    assert sentence(active(), NOW + 2 * DAY) == "Step 2 of 3 is being sent."
    assert sentence(active(slot=None), NOW) == "Step 2 of 3 is waiting for a slot."
    assert sentence(active(slot=None, step=step(1)), NOW + timedelta(hours=1)).startswith("Step 1 of 3")
    assert status(active()) is Status.ACTIVE


def test_a_workflow_s_own_plan_gives_a_time_to_what_is_booked_and_to_nothing_else() -> None:
    found = known_plan(active(2))
    assert [(one["number"], one["booked"], one["at"] is not None) for one in found["emails"]] == [
        (2, True, True),
        (3, False, False),
    ]
    assert known_plan(say(active(2), "pause").state)["emails"] == []
