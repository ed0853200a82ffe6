"""Sequences, schedules, mailboxes: applied from files, shown, switched; a wrong file is named and writes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.demo_servers import ROOT
from embedded.imap import ImapServer
from tests.cli.conftest import Shell
from tests.harness import World

SEQUENCE: dict[str, Any] = {
    "id": "spring",
    "name": "Spring",
    "schedule": "always",
    "mailboxes": ["alex"],
    "steps": [
        {"id": "first", "subject": "Hello", "text": "Hi {{ contact.first_name }}"},
        {"id": "second", "wait": "3d", "thread": "reply", "text": "Again"},
    ],
}


def write(path: Path, data: Any) -> str:
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return str(path)


async def test_the_examples_apply_in_the_order_that_they_say(
    onward: Shell, world: World, imap_server: ImapServer, tmp_path: Path
) -> None:
    examples = ROOT / "examples"
    assert (
        await onward.text("schedule", "apply", f"{examples}/schedule.yaml") == "schedule always applied, revision 1\n"
    )
    alex = yaml.safe_load((examples / "mailbox.yaml").read_text())
    alex["smtp"]["port"] = world.recipients.port
    password = tmp_path / "password"
    password.write_text("right")
    alex["imap"] |= {"port": imap_server.port, "username": "mara", "password": f"file:{password}"}
    assert (await onward.text("mailbox", "add", write(tmp_path / "mailbox.yaml", alex))).startswith(
        "mailbox alex applied"
    )
    assert "the servers answer and the login works" in await onward.text("mailbox", "check", "alex")
    assert "alex@northwind.example" in await onward.text("mailbox", "list")
    applied = await onward.json("sequence", "apply", f"{examples}/sequence.yaml")
    assert (applied["id"], applied["revision"], applied["changed"]) == ("spring-launch", 1, True)
    again = await onward.text("sequence", "apply", f"{examples}/sequence.yaml")
    assert again == "sequence spring-launch is unchanged, revision 1\n"
    assert (await onward.json("schedule", "show", "always"))["definition"]["zone"] == "UTC"
    done = await onward.json("contacts", "import", f"{examples}/contacts.csv", "--accounts", f"{examples}/accounts.csv")
    assert (done["accounts"]["inserted"], done["contacts"]["inserted"]) == (10, 10)

    alex["smtp"]["port"] = 1
    await onward.text("mailbox", "add", write(tmp_path / "mailbox.yaml", alex))
    assert (await onward.error("mailbox", "check", "alex", code=4))["message"]


async def test_a_sequence_is_shown_as_it_can_be_applied_again(onward: Shell, world: World, tmp_path: Path) -> None:
    key = await world.add_sequence(steps=2, wait="1h")
    await world.enroll("anna")
    shown = await onward.json("sequence", "show", key)
    assert (shown["switched_on"], shown["counts"]["active"]) == (True, 1)
    assert (await onward.json("sequence", "apply", write(tmp_path / "s.yaml", shown["definition"])))["changed"] is False
    text = await onward.text("sequence", "show", key)
    assert text.startswith(f"{key} (spring), revision 1, switched on by ")
    assert "active 1" in text
    assert key in await onward.text("sequence", "list")


async def test_the_switch_says_what_it_did_and_the_contact_stands_paused(onward: Shell, world: World) -> None:
    key = await world.add_sequence(steps=2, wait="1h")
    await world.enroll("anna")
    assert await onward.text("sequence", "off", key, "--as", "person:ana") == f"{key} is switched off\n"
    assert await onward.json("sequence", "off", key) == {"sequence": key, "switched_on": False, "changed": False}
    shown = await onward.json("show", "anna")
    assert (shown["status"], shown["reason"]) == ("paused", "sequence_off")
    assert "switched off since 20" in await onward.text("sequence", "show", key)
    assert "by person:ana" in await onward.text("sequence", "show", key)
    assert await onward.text("sequence", "on", key) == f"{key} is switched on\n"
    assert (await onward.json("show", "anna"))["status"] == "active"


async def test_a_mailbox_is_paused_and_opened(onward: Shell, world: World) -> None:
    await world.add_sequence(steps=1)
    key = world.mailbox
    assert await onward.text("mailbox", "pause", key) == f"{key} is paused\n"
    assert [box["state"] for box in (await onward.json("mailbox", "list"))["mailboxes"]] == ["paused"]
    assert await onward.text("mailbox", "up", key) == f"{key} is up\n"
    assert await onward.text("mailbox", "up", key) == f"{key} was up already\n"


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"stepz": []}, "stepz", "unknown field"),
        ({"steps": [SEQUENCE["steps"][0]] * 2}, "sequence", "two steps have the ID 'first'"),
        (
            {"steps": [{"id": "first", "subject": "Hello", "text": "Hi {{ contact.first_name"}]},
            "steps.0.text",
            "line 1",
        ),
        ({"steps": [{"id": "first", "text": "no subject"}]}, "steps.0", "needs a subject"),
        ({"settings": {"finish_on_replies": True}}, "settings.finish_on_replies", "unknown field"),
        ({"mailboxes": ["nobody"]}, "mailboxes", "nobody"),
        ({"id": "two words"}, "id", "two words"),
    ],
)
async def test_a_wrong_sequence_file_is_named_and_nothing_is_written(
    idle: Shell, workerless: World, tmp_path: Path, change: dict[str, Any], field: str, words: str
) -> None:
    await workerless.add_schedule()
    await workerless.add_mailbox("alex")
    file = write(tmp_path / "sequence.yaml", {**SEQUENCE, **change})
    error = await idle.error("sequence", "apply", file, code=2)
    assert error["field"] == field
    assert words in error["message"] + (error["fix"] or "")
    assert (await idle.json("sequence", "list"))["sequences"] == []


async def test_a_file_that_is_no_yaml_or_not_there_is_named(nowhere: Shell, tmp_path: Path) -> None:
    broken = tmp_path / "broken.yaml"
    broken.write_text("id: spring\nsteps: [\n  - {id\n")
    error = await nowhere.error("sequence", "apply", str(broken), code=2)
    assert error["code"] == "yaml_invalid"
    assert "line " in error["message"]
    error = await nowhere.error("sequence", "apply", str(tmp_path / "absent.yaml"), code=2)
    assert (error["code"], error["field"]) == ("file_unreadable", "file")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00id")
    assert (await nowhere.error("mailbox", "add", str(tmp_path / "binary.yaml"), code=2))["code"] == "file_unreadable"


async def test_what_is_unknown_is_said_so(idle: Shell, tmp_path: Path) -> None:
    for command in (("show",), ("on",), ("off",)):
        assert (await idle.error("sequence", *command, "absent", code=2))["code"] == "sequence_unknown"
    for words in (("check",), ("pause",), ("up",)):
        assert (await idle.error("mailbox", *words, "absent", code=2))["code"] == "mailbox_unknown"
    assert (await idle.error("schedule", "show", "absent", code=2))["code"] == "schedule_unknown"
    secret = {
        "id": "m",
        "address": "m@x.test",
        "smtp": {"host": "h", "port": 25, "username": "m", "password": "hunter2"},
    }
    error = await idle.error("mailbox", "add", write(tmp_path / "m.yaml", secret), code=2)
    assert error["field"] == "smtp"
    assert "hunter2" not in str(error)
