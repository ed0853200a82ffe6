"""Each reason of the catalogue is brought about, explained as its golden says, and gone once its cause is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from domain.explanation import UNGUARDED, explain
from domain.messages import COMMANDS
from domain.reasons import CATALOGUE, find
from domain.state import reason
from tests.domain.explained import GROUPS, REFUSED, Case, refusal, text, told
from tests.domain.test_entry import found

GOLDENS = Path(__file__).with_name("explanations.txt")
Making = Callable[[], Case]
ALL = [(group, name, make) for group, cases in GROUPS.items() for name, make in cases.items()]


def _each(*groups: str, changing: bool = False) -> pytest.MarkDecorator:
    """A test for each case of these groups; `changing`: only where the cause can be taken away."""
    cases = [one for one in ALL if one[0] in groups and not (changing and one[2]().without is None)]
    return pytest.mark.parametrize(("group", "code", "make"), cases, ids=[f"{one[0]}-{one[1]}" for one in cases])


def test_every_reason_of_the_catalogue_is_brought_about() -> None:
    brought_about = {(group, name) for group, name, _ in ALL if group != "more"}
    assert brought_about | {("refused", code) for code in REFUSED} == set(CATALOGUE)


def test_only_what_no_fact_takes_back_has_no_cause_to_take_away() -> None:
    groups = ("not_sent", "bounced", "hold", "wait")
    lasting = {name for group, name, make in ALL if group in groups and make().without is None}
    # Of these nobody but a person can say that their cause has cleared; and what is being sent waits for nothing.
    assert lasting == {*UNGUARDED, "spam_block", "sending"}


def test_the_explanations_are_the_golden_ones() -> None:
    assert text() == GOLDENS.read_text(encoding="utf-8"), "read it, then: python -m tests.domain.write_explanations"


@_each("not_sent", "bounced", "hold", "finished", "wait")
def test_the_reason_is_the_one_that_the_state_or_the_facts_bring_about(group: str, code: str, make: Making) -> None:
    case = make()
    if group == "wait":
        assert case.told["waits"][0]["code"] == code
    else:
        assert reason(case.view.state) == code


@_each(*GROUPS)
def test_nothing_is_left_unsaid(group: str, code: str, make: Making) -> None:
    case = make()
    shown = case.told
    assert shown["sentence"].endswith(".")
    assert [one["action"] for one in shown["actions"]] == list(COMMANDS)
    for one in shown["actions"]:
        assert one["open"] == (one["action"] in shown["allowed"])
        assert one["open"] or (one["code"] and one["why"])
    for hold in shown["holds"]:
        assert hold["source"]
        assert all(hold["released_by"])
    if shown["halt"]:
        assert shown["halt"]["needed"]
    if shown["own_status"] == "active" and not shown["switch"]:
        assert shown["waits"]
    for wait in shown["waits"]:
        assert wait["words"]
        assert find("wait", wait["code"])
    said = text_of(case)
    assert "unknown" not in said.casefold().replace("delivery_unknown", "")
    assert "None" not in said


def text_of(case: Case) -> str:
    """The words of the explanation, without the guards' inputs."""
    shown = case.told
    holds = [hold["source"] + " ".join(hold["released_by"]) for hold in shown["holds"]]
    return " ".join([shown["sentence"], *holds, *(wait["words"] for wait in shown["waits"])])


@_each("not_sent", "bounced", changing=True)
def test_once_the_cause_is_gone_the_step_may_go_out_again(group: str, code: str, make: Making) -> None:
    case = make()
    assert case.without is not None
    # A step that came too late stays late; asking for a further attempt takes that into account.
    if code != "step_expired":
        assert case.told["ready_to"] is None
        assert case.told["blocked_by"]["reason"] == ("known_hard_bounce" if group == "bounced" else code)
    cleared = explain(case.without)
    assert cleared["ready_to"] == ("retry" if group == "not_sent" else "resume")
    assert cleared["blocked_by"] is None
    assert cleared["ready_to"] in cleared["allowed"]


@_each("hold", "wait", changing=True)
def test_once_the_cause_is_gone_it_no_longer_waits_for_it(group: str, code: str, make: Making) -> None:
    case = make()
    assert case.without is not None
    shown = told(case.without)
    assert shown["reason"] is None
    assert code not in [wait["code"] for wait in shown["waits"]]


@pytest.mark.parametrize("code", REFUSED)
def test_a_refusal_names_its_cause_and_goes_with_it(code: str) -> None:
    assert refusal(code)["fix"] == find("refused", code).fix
    assert code not in [one.code for one in found()]
