"""Small things that only show under load, in a crash, or in the history of one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.services import typed_failures
from domain.messages import SettleDelivery
from domain.sequences import StepRef
from domain.state import EnrollmentState, Hold
from domain.statuses import HoldKind
from domain.transitions import may_overtake
from store.queries import sql
from tests.harness import World


def test_a_settlement_that_overtakes_the_unknown_answer_waits_for_it() -> None:
    """Else the late reply is refused as `delivery_known`, and the hold that comes right after it asks a person in vain."""
    sending = EnrollmentState(
        enrollment=str(uuid4()), sequence="s", contact="c", step=StepRef(id="step1", number=1, total=1)
    )
    late = SettleDelivery(id="late/step1/1", by="system:late_reply", verdict="sent")
    assert may_overtake(sending, late, sending=True)
    hold = Hold(kind=HoldKind.DELIVERY_UNKNOWN, by="system", at=datetime.now(UTC))
    assert not may_overtake(sending.model_copy(update={"holds": (hold,)}), late, sending=True)


async def test_a_defect_tells_the_history_its_kind_and_not_its_text() -> None:
    async def defective() -> None:
        with typed_failures():
            raise ValueError("Failing row contains (anna, anna@example.test)")

    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(defective)
    assert caught.value.type == "system_error"
    assert "ValueError at test_rest.py" in str(caught.value)
    assert "anna" not in str(caught.value)
    assert caught.value.__cause__ is None, "a cause goes into the history with its text"


@pytest.mark.parametrize("name", ["enrollments.newest", "enrollments.abandoned"])
async def test_admission_reads_no_whole_table(workerless: World, name: str) -> None:
    async with workerless.database.transaction() as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        more = [uuid4()] if name == "enrollments.abandoned" else []
        plan = await connection.fetch(f"EXPLAIN {sql(name)}", "enrollment/spring/anna", *more)
    assert not any("Seq Scan" in line[0] for line in plan), plan
