"""`onward simulate`, from files alone: no server is there."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from tests.cli.conftest import Shell

OFFICE = {day: [{"start": "09:00", "end": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """The arguments that name a sequence of two steps, its schedule, its mailbox and 30 contacts."""
    definitions: dict[str, dict[str, Any]] = {
        "sequence": {
            "id": "spring",
            "name": "Spring <2027> & on",
            "schedule": "office",
            "mailboxes": ["mara"],
            "steps": [
                {"id": "hello", "subject": "Hi", "text": "Hello {{ contact.first_name }}"},
                {"id": "again", "wait": "3d", "thread": "reply", "text": "About {{ contact.topic }}"},
            ],
        },
        "schedule": {"id": "office", "zone": "Europe/Berlin", "windows": OFFICE},
        "mailbox": {
            "id": "mara",
            "address": "mara@sender.example",
            "smtp": {"host": "127.0.0.1", "port": 25, "security": "none"},
            "limits": {"per_day": 40, "per_hour": 10, "gap": "1m"},
        },
    }
    for name, definition in definitions.items():
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(definition))
    rows = ["id,first_name,email,topic,stage", "gone,Gone,gone@acme.example,x,Replied", "bad,Bad,nowhere,x,"]
    rows += ["mute,Mute,mute@acme.example,,", *(f"c{n:02},Carl,c{n}@acme.example,x," for n in range(27))]
    (tmp_path / "contacts.csv").write_text("\n".join(rows))
    named = [f"--{kind}={tmp_path / kind}.yaml" for kind in ("schedule", "mailbox")]
    start = ["--contacts", str(tmp_path / "contacts.csv"), "--start-at", "2027-03-01"]  # a Monday
    return ["simulate", str(tmp_path / "sequence.yaml"), *named, *start]


async def told(shell: Shell, files: list[str], *options: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(await shell.text(*files, "--json", "-", *options))
    return document


async def test_it_says_who_is_refused_who_is_not_sent_and_when_the_last_email_leaves(
    nowhere: Shell, files: list[str]
) -> None:
    found = await told(nowhere, files)
    assert {one["contact"]: one["reasons"][0]["code"] for one in found["refused"]} == {
        "gone": "contact_stage_excluded",
        "bad": "email_invalid",
    }
    assert [(one["contact"], one["step"], one["reason"]) for one in found["not_sent"]] == [
        ("mute", "again", "variable_missing")
    ]
    # 28 first touches, 16 a day (40 % of 40), 10 an hour: Monday 9:00 to 10:05 and Tuesday 9:00 to 10:01.
    assert (found["emails"], found["days"][0]["mailboxes"], found["days"][1]["mailboxes"]) == (
        55,
        {"mara": 16},
        {"mara": 12},
    )
    # The second step of the last one is due three days after Tuesday.
    assert found["last_email_at"] == "2027-03-05T09:01:00Z"
    (mara,) = found["mailboxes"]
    assert mara["most_in_an_hour"] == {"emails": 10, "begins": "2027-03-01T08:00:00Z", "limit": 10}
    assert found["calendar"][0] == {
        "contact": "mute",
        "step": "hello",
        "number": 1,
        "mailbox": "mara",
        "due": "2027-03-01T08:00:00Z",
        "at": "2027-03-01T08:00:00Z",
        "cause": None,
    }


async def test_what_if_limits_windows_and_dates_were_others(nowhere: Shell, files: list[str]) -> None:
    faster = await told(nowhere, files, "--per-hour", "40", "--per-day", "200")
    assert faster["days"][0]["mailboxes"] == {"mara": 28}
    mornings = await told(nowhere, files, "--window", "tue,thu 06:00-07:00", "--window", "sat-sun 10:00-12:00")
    assert [day["day"] for day in mornings["days"]][:3] == ["2027-03-02", "2027-03-04", "2027-03-06"]
    assert mornings["mailboxes"][0]["most_in_an_hour"]["emails"] == 10
    for option in ("--switch-on-at", "--resume-at"):
        later = await told(nowhere, files, option, "2027-04-05")
        assert later["days"][0] == {"day": "2027-04-05", "mailboxes": {"mara": 16}}
        assert later["mailboxes"][0]["most_in_an_hour"]["emails"] == 10
        assert len(later["calendar"]) == 55


async def test_it_writes_a_table_a_file_of_lines_and_a_picture(
    nowhere: Shell, files: list[str], tmp_path: Path
) -> None:
    lines, image = tmp_path / "out.csv", tmp_path / "out.svg"
    text = await nowhere.text(*files, "--csv", str(lines), "--svg", str(image))
    assert "30 contacts, 2 refused, 55 emails" in text
    assert "10 of 10, from Mon 2027-03-01 09:00:00" in text
    assert "not sent, variable_missing: mute" in text
    rows = lines.read_text().splitlines()
    assert rows[1] == "refused,gone,,,,,contact_stage_excluded"
    assert len([row for row in rows if row.startswith("email,")]) == 55
    picture = ElementTree.parse(image)
    cells = [title.text or "" for title in picture.iter(f"{SVG}title")]
    assert cells[0] == "Mon 2027-03-01 09:00: 10"
    assert sum(int(cell.rpartition(": ")[2]) for cell in cells) == 55
    shown = [text.text or "" for text in picture.iter(f"{SVG}text")]
    assert shown[:2] == [
        "Spring <2027> & on",
        "Emails per hour, in Europe/Berlin, from 01 Mar 2027 to 05 Mar 2027",
    ]
    assert "mara: 55 emails" in shown
    assert picture.getroot().attrib["aria-label"].startswith("Spring <2027> & on. Emails per hour")
    assert "prefers-color-scheme: dark" in image.read_text()


async def test_a_picture_of_years_names_the_years(nowhere: Shell, files: list[str], tmp_path: Path) -> None:
    image = tmp_path / "out.svg"
    await nowhere.text(*files, "--per-day", "1", "--window", "mon 09:00-10:00", "--svg", str(image))
    shown = [text.text or "" for text in ElementTree.parse(image).iter(f"{SVG}text")]
    assert "Mar 2027" in shown
    assert any(text.endswith(" 2028") for text in shown[2:])


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--window", "someday 9:00-10:00"], "window_invalid"),
        (["--switch-on-at", "2027-03-01T09:00"], "instant_invalid"),
        (["--per-hour", "0"], "invalid_definition"),
    ],
)
async def test_wrong_options_are_named(nowhere: Shell, files: list[str], options: list[str], code: str) -> None:
    said = await nowhere.run(*files, *options, "--json", "-")
    assert (said.code, json.loads(said.out)["error"]["code"]) == (2, code)


async def test_the_command_of_the_guide_works(nowhere: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(__file__).parents[2]
    guide = (root / "docs" / "planning.md").read_text(encoding="utf-8")
    _, *words = shlex.split(guide.partition("```sh\n")[2].partition("```")[0].replace("\\\n", " "))
    monkeypatch.chdir(root)
    text = await nowhere.text(*words[:-1], str(tmp_path / words[-1]))
    assert "most in 60 minutes" in text
    assert (tmp_path / words[-1]).exists()
