"""docs/terms.md and docs/guarantees.md agree with the code."""

from __future__ import annotations

import re
from pathlib import Path

from domain.messages import PRECEDENCE
from domain.statuses import RELEASES, HoldKind, Outcome, Phase, Release, Status

DOCS = Path(__file__).parents[2] / "docs"
TERMS = (DOCS / "terms.md").read_text()


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    text = TERMS.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_release_table_is_the_one_in_the_code() -> None:
    columns = (Release.RESUME, Release.DATE, Release.GATE, Release.SETTLEMENT)
    shown = {
        HoldKind(kind.strip("`")): {release for release, cell in zip(columns, cells, strict=True) if cell == "yes"}
        for kind, _, *cells in rows("Holds and what releases them")
    }
    assert shown == {kind: set(by) for kind, by in RELEASES.items()}


def test_statuses_stand_in_their_order_of_precedence() -> None:
    order = [row[1].strip("`") for row in rows("Statuses")]
    assert order == ["removed", "finished", "bounced", "not_sent", "paused", "active"]
    assert set(order) == {status.value for status in Status}


def test_phases_and_outcomes_are_complete() -> None:
    assert {row[0].strip("`") for row in rows("Phases")} == {phase.value for phase in Phase}
    named = {code for row in rows("Outcomes") for code in re.findall(r"`(\w+)`", row[0])}
    assert named == {outcome.value for outcome in Outcome}


def test_the_order_of_what_coincides_has_as_many_places_as_the_code() -> None:
    sentence = TERMS.split("## What goes first\n", 1)[1].split(": ", 1)[1]
    assert len(sentence.split(";")) == len(PRECEDENCE)


def test_every_page_of_docs_that_a_page_names_is_there() -> None:
    for page in DOCS.glob("*.md"):
        for name in re.findall(r"docs/[\w/-]+\.md", page.read_text()):
            assert (DOCS.parent / name).exists(), f"{page.name} names {name}"
