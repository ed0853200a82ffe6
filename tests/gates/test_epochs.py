"""A wake-up may overtake the answer of the send that parked: epochs tell which of the two is newer."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.delivery import DeliverResult
from domain.messages import GateOpened
from domain.sequences import StepRef
from domain.state import EnrollmentState, Slot
from domain.statuses import HoldKind
from domain.transitions import apply, apply_delivery

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
STEP = StepRef(id="step1", number=1, total=1)
STATE = EnrollmentState(enrollment="e", sequence="s", contact="c", step=STEP, due=NOW, slot=Slot(at=NOW))


def _parked_at(epoch: int) -> DeliverResult:
    return DeliverResult(outcome="hold", hold=HoldKind.SEQUENCE_OFF, gate="sequence", epoch=epoch, at=NOW)


@pytest.mark.parametrize(("parked", "opened", "holds"), [(1, 2, False), (3, 2, True), (1, None, True)])
def test_nobody_parks_on_an_older_epoch_than_it_has_seen(parked: int, opened: int | None, holds: bool) -> None:
    state = STATE
    if opened is not None:
        state = apply(state, GateOpened(gate="sequence", epoch=opened), NOW).state
    after = apply_delivery(state, STEP, 1, _parked_at(parked))
    assert (after.hold(HoldKind.SEQUENCE_OFF) is not None) is holds
    assert after.slot is None  # held, or to ask for a slot again


def test_a_wake_up_that_comes_after_the_parking_releases_it() -> None:
    parked = apply_delivery(STATE, STEP, 1, _parked_at(1))
    woken = apply(parked, GateOpened(gate="sequence", epoch=2), NOW).state
    assert woken.holds == ()
    assert woken.slot is None
