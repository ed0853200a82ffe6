"""`onward plan` and `onward forecast`."""

from __future__ import annotations

from tests.cli.conftest import Shell
from tests.harness import World, plain_step


async def test_a_plan_and_a_forecast_tell_what_is_ahead(onward: Shell, world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="2d")])
    await world.enroll("anna")
    told = await onward.json("plan", "anna")
    assert [step["certainty"] for step in told["steps"]] == ["booked", "estimated"]
    text = await onward.text("plan", key, "anna")
    assert "step 1 of 2 (step1)  in 1 h" in text or "step 1 of 2 (step1)  in 60 min" in text
    assert "estimated" in text
    assert "if: no reply" in text
    assert (await onward.json("forecast", key, "--days", "1"))["emails"] == 1
    text = await onward.text("forecast", key)
    assert world.mailbox in text
    assert "finished: 1 completed" in text
    assert (await onward.error("forecast", "nothing", code=2))["code"] == "sequence_unknown"
