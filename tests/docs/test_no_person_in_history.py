"""docs/guarantees.md, 6: a real history holds IDs, codes and times, and nothing of the person."""

from __future__ import annotations

import base64
import json
import re

from tests.harness import World, plain_step


async def test_a_history_says_nothing_of_the_person(world: World) -> None:
    await world.add_sequence(
        "quiet",
        [plain_step(1, subject="Zeppelin"), plain_step(2, wait="1d", text="Bye {{ contact.first_name }} Xylophone")],
    )
    await world.add_contact("c-17", first_name="Quirina", last_name="Wolkenstein")
    enrollment = await world.enroll("c-17")
    await world.until_state(enrollment, lambda state: state.sent == 1)
    await world.clients.command(enrollment, "pause", {"by": "person:ana"})
    await world.clients.command(enrollment, "resume", {"by": "person:ana"})
    await world.clients.fact(enrollment, "unsubscribe", {"by": "inbound"})
    handle = world.client.get_workflow_handle(f"enrollment/{world.sequence}/c-17")
    await handle.result()

    history = json.dumps(await _history(handle))
    described = await handle.describe()
    shown = f"{history} {described.raw_description}".casefold()
    assert "step1" in shown, "payloads were decoded"
    for private in (world.address("c-17"), "Quirina", "Wolkenstein", "Zeppelin", "Xylophone"):
        assert private.casefold() not in shown, private


async def _history(handle: object) -> object:
    """The history as JSON, with its payloads decoded."""
    found = (await handle.fetch_history()).to_json_dict()  # type: ignore[attr-defined]
    return json.loads(re.sub(r'"data": "([^"]*)"', _decoded, json.dumps(found)))


def _decoded(match: re.Match[str]) -> str:
    return f'"data": {json.dumps(base64.b64decode(match[1]).decode(errors="replace"))}'
