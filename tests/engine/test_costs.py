"""What an enrollment costs in Temporal: events, billable actions, bytes (design section 8). Pins the event sequence."""

from __future__ import annotations

from collections import Counter

from temporalio.api.enums.v1 import EventType

from tests.harness import World

ACTIONS = {
    "WORKFLOW_EXECUTION_STARTED",
    "TIMER_STARTED",
    "ACTIVITY_TASK_SCHEDULED",
    "MARKER_RECORDED",
    "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
    "WORKFLOW_EXECUTION_SIGNALED",
    "WORKFLOW_EXECUTION_UPDATE_ACCEPTED",
}
TASK = ["WORKFLOW_TASK_SCHEDULED", "WORKFLOW_TASK_STARTED", "WORKFLOW_TASK_COMPLETED"]
ACTIVITY = ["ACTIVITY_TASK_SCHEDULED", "ACTIVITY_TASK_STARTED", "ACTIVITY_TASK_COMPLETED"]
TIMER = ["TIMER_STARTED", "TIMER_FIRED"]
STEP = [*TIMER, *TASK, *ACTIVITY, *TASK]


async def history(world: World, steps: int, contact: str) -> tuple[list[str], int]:
    """Event names and bytes of a finished enrollment of `steps` steps, each behind a real timer."""
    await world.add_sequence(f"cost{steps}", steps=steps, wait="1s", settings={"settle": "1s"})
    enrollment = await world.enroll(contact, f"cost{steps}-{world.token}")
    handle = world.client.get_workflow_handle(f"enrollment/cost{steps}-{world.token}/{contact}")
    await handle.result()
    assert (await world.status(enrollment)) == ("finished", "no_reply")
    events = [event async for event in handle.fetch_history_events()]
    names = [EventType.Name(event.event_type).removeprefix("EVENT_TYPE_") for event in events]
    return names, sum(event.ByteSize() for event in events)


async def test_one_more_step_costs_one_timer_and_one_activity(world: World) -> None:
    two, two_bytes = await history(world, 2, "anna")
    five, five_bytes = await history(world, 5, "bea")

    assert (len(five) - len(two)) / 3 <= 11
    assert (actions(five) - actions(two)) / 3 <= 2
    assert (five_bytes - two_bytes) / 3 <= 1250, (five_bytes - two_bytes) / 3

    fixed = len(two) - 2 * len(STEP)
    assert fixed <= 24
    assert actions(two) - 2 * 2 <= 6

    assert two == [
        "WORKFLOW_EXECUTION_STARTED",
        *TASK,
        *ACTIVITY,  # admit
        *TASK,
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        *STEP,
        *STEP,
        "UPSERT_WORKFLOW_SEARCH_ATTRIBUTES",
        *TIMER,  # settle
        *TASK,
        "MARKER_RECORDED",  # the closing record, a local activity
        "WORKFLOW_EXECUTION_COMPLETED",
    ]


def actions(names: list[str]) -> int:
    """Billable actions by Temporal Cloud's list: starts, timers, activities, upserts, signals, updates, local activities."""
    return sum(count for name, count in Counter(names).items() if name in ACTIONS)
