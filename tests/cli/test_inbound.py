"""`onward inbound`: what came in, as people see it and correct it in a terminal."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Shell
from tests.harness import World, plain_step
from tests.inbound import mails


async def test_mail_is_taken_listed_shown_corrected_and_settled(onward: Shell, world: World, tmp_path: Path) -> None:
    await world.add_sequence(steps=[plain_step(1), plain_step(2, wait="30d")])
    enrollment = await world.enroll("anna")
    await world.until_sent(enrollment, 1)
    (mail,) = await world.until_mails("anna", 1)
    (tmp_path / "away.eml").write_bytes(mails.absence(mail, "I am out of the office."))
    (tmp_path / "who.eml").write_bytes(mails.answer(mail, "Call me.", sender="x@elsewhere.test", threaded=False))

    taken = await onward.json("inbound", "take", str(tmp_path / "away.eml"), str(tmp_path / "who.eml"))
    away, who = taken["items"]
    assert (away["kind"], away["enrollment"], away["needs"]) == ("out_of_office", enrollment, "return_date")
    assert (who["enrollment"], who["needs"]) == (None, "unmatched")
    await world.until_status(enrollment, "paused", "out_of_office")
    assert "came before" in await onward.text("inbound", "take", str(tmp_path / "away.eml"))

    listed = await onward.json("inbound", "list", "--needs")
    assert {one["id"] for one in listed["items"]} == {away["id"], who["id"]}
    assert "return_date" in await onward.text("inbound", "list", "--enrollment", world.address("anna"))
    shown = await onward.text("inbound", "show", away["id"])
    assert "header:Auto-Submitted" in shown
    assert "by answers" in shown

    await onward.text("inbound", "correct", away["id"], "--return-date", "2099-12-01", "--as", "person:ana")
    await world.until_state(enrollment, lambda state: any(hold.corrected and hold.until for hold in state.holds))
    await onward.text("inbound", "settle", who["id"])
    assert (await onward.json("inbound", "list", "--needs"))["items"] == []


async def test_wrong_input_names_the_field(onward: Shell, tmp_path: Path) -> None:
    assert (await onward.error("inbound", "show", "nonsense", code=2))["code"] == "inbound_unknown"
    assert (await onward.error("inbound", "take", str(tmp_path / "none.eml"), code=2))["field"] == "file"
    assert (await onward.error("inbound", "correct", "nonsense", code=2))["code"] == "usage"
    wrong = await onward.error("inbound", "correct", "nonsense", "--return-date", "soon", code=2)
    assert (wrong["field"], wrong["fix"]) == ("return_date", "write it as 2026-12-01")
