"""What is ahead, over HTTP: a plan of every remaining step, and a forecast per mailbox and hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx

from tests.api.conftest import ok, problem
from tests.harness import World, plain_step


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_a_plan_names_every_remaining_step_with_its_time_and_what_it_rests_on(
    http: httpx.AsyncClient, world: World
) -> None:
    box = await world.add_mailbox(limits={"gap": "10m", "per_day": 100, "per_hour": 100})
    steps = [plain_step(1, wait="1h"), plain_step(2, wait="2d"), plain_step(3, wait="1h", text="{{ contact.plan }}")]
    key = await world.add_sequence(steps=steps, mailboxes=[box])
    first, second = [await world.enroll(contact) for contact in ("anna", "ben")]
    told = ok(await http.get(f"/v1/enrollments/{second}/plan"))
    at = [instant(step["at"]) for step in told["steps"][:2]]
    slot = (await world.state(first)).slot
    assert slot is not None
    assert at[0] - slot.at == timedelta(minutes=10)
    assert at[1] - at[0] == timedelta(days=2)
    assert [step["certainty"] for step in told["steps"]] == ["booked", "estimated", "waits"]
    assert [step["cause"] for step in told["steps"]] == ["gap", None, None]
    assert {step["mailbox"] for step in told["steps"][:2]} == {box}
    # The third template needs a value that the contact does not have.
    assert (told["end"]["what"], told["end"]["reason"]) == ("not_sent", "variable_missing")
    assert told["end"]["fix"]
    assert told["assumptions"]
    forecast = ok(await http.get(f"/v1/sequences/{key}/forecast?days=7"))
    assert forecast["emails"] == 4
    assert sum(hour["emails"] for one in forecast["mailboxes"] for hour in one["hours"]) == 4
    assert forecast["ends"] == {"not_sent": {"variable_missing": 2}}
    assert instant(forecast["last_email_at"]) == at[1]


async def test_a_paused_enrollment_waits_and_a_dated_one_goes_on(http: httpx.AsyncClient, world: World) -> None:
    key = await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="2d")])
    paused, dated = [await world.enroll(contact) for contact in ("anna", "ben")]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    await world.command(paused, "pause")
    await world.command(dated, "pause", until=until.isoformat())
    await world.until_status(dated, "paused")
    told = ok(await http.get(f"/v1/enrollments/{paused}/plan"))
    assert (told["end"]["what"], told["end"]["reason"]) == ("waits", "manual")
    assert [step["at"] for step in told["steps"]] == [None, None]
    told = ok(await http.get(f"/v1/enrollments/{dated}/plan"))
    assert [instant(step["at"]) for step in told["steps"]] == [until, until + timedelta(days=2)]
    await world.clients.switch("sequence", key, on=False, by="person:ana")
    forecast = ok(await http.get(f"/v1/sequences/{key}/forecast"))
    assert forecast["emails"] == 0
    # Until its date the dated one waits for that; at its slot it then finds the switch off.
    assert forecast["ends"] == {"waits": {"manual": 1, "sequence_off": 1}}


async def test_what_is_not_there_has_no_plan(http: httpx.AsyncClient) -> None:
    problem(await http.get("/v1/sequences/nowhere/forecast"), 404, "sequence_unknown")
    problem(await http.get("/v1/enrollments/nobody/plan"), 404, "enrollment_unknown")
