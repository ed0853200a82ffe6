"""The program `onward` itself: its script, its exit codes, what stands on which stream, and servers that are not there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from cli import check, definitions, demo, enrollments, keys, people, servers
from cli.demo_servers import ROOT
from embedded.server import free_port
from tests.cli.conftest import Shell, enter
from tests.servers import Servers, own_database

SCRIPT = Path(sys.executable).parent / "onward"


def onward(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the installed script with these variables and nothing else of ours in its environment."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONWARD_", "TEMPORAL_"))}
    return subprocess.run([SCRIPT, *words], env={**kept, **variables}, capture_output=True, text=True, timeout=60)


def test_help_names_every_command_and_it_needs_no_server(tmp_path: Path) -> None:
    said = onward("--help", ONWARD_HOME=str(tmp_path), COLUMNS="100")
    assert (said.returncode, said.stderr) == (0, "")
    for part in (demo, enrollments, definitions, people, keys, check, servers):
        named = typer.Typer()
        part.add_to(named)
        commands = [command.callback.__name__ for command in named.registered_commands if command.callback]
        groups = [group.name or "" for group in named.registered_groups]
        for word in (*commands, *groups):
            assert f" {word.replace('_', '-')} " in said.stdout


def test_no_servers_configured_is_one_helpful_line(tmp_path: Path) -> None:
    said = onward("check", ONWARD_HOME=str(tmp_path))
    assert (said.returncode, said.stdout) == (4, "")
    assert len(said.stderr.splitlines()) == 1
    assert "ONWARD_DATABASE_URL" in said.stderr
    assert "onward demo" in said.stderr
    said = onward("enroll", "spring", "anna", "--json", ONWARD_HOME=str(tmp_path))
    assert (said.returncode, said.stderr) == (4, "")
    assert json.loads(said.stdout)["error"]["code"] == "database_url_missing"


async def test_servers_that_do_not_answer_are_named(
    stack: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shut = f"127.0.0.1:{free_port()}"
    home = str(tmp_path / "home")
    shell = enter(monkeypatch, {"ONWARD_HOME": home, "ONWARD_DATABASE_URL": f"postgresql://o:secretpw@{shut}/onward"})
    error = await shell.error("sequence", "list", code=4)
    assert error["code"] == "database_unreachable"
    assert "secretpw" not in str(error)
    shell = enter(monkeypatch, {"ONWARD_HOME": home, "ONWARD_DATABASE_URL": "mysql://nobody"})
    assert (await shell.error("sequence", "list", code=4))["code"] == "database_unreachable"
    shell = enter(monkeypatch, {"ONWARD_HOME": home, "ONWARD_DATABASE_URL": stack.database_url})
    assert (await shell.error("sequence", "off", "x", code=4))["code"] == "temporal_address_missing"
    shell = enter(
        monkeypatch, {"ONWARD_HOME": home, "ONWARD_DATABASE_URL": stack.database_url, "TEMPORAL_ADDRESS": shut}
    )
    error = await shell.error("sequence", "off", "x", code=4)
    assert (error["code"], error["message"]) == ("temporal_unreachable", f"Temporal cannot be reached at {shut}")


async def test_migrate_fills_an_empty_database_and_may_be_repeated(
    stack: Servers, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    async with own_database(stack, migrated=False) as url:
        shell = enter(monkeypatch, {"ONWARD_HOME": str(tmp_path / "home"), "ONWARD_DATABASE_URL": url})
        error = await shell.error("sequence", "list", code=3)
        assert (error["code"], error["fix"]) == ("not_migrated", "run `onward migrate`")
        assert (await shell.json("migrate"))["applied"]
        assert await shell.text("migrate") == "nothing to do\n"
        assert (await shell.json("sequence", "list"))["sequences"] == []


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("paws",), "No such command 'paws'"),
        (("pause", "--untill", "2h"), "--untill"),
        (("resume-at", "anna"), "--until"),
        (("enroll",), "SEQUENCE"),
        (("enrollments", "list", "spring", "--limit", "many"), "valid integer"),
        (("demo", "--json", "x"), "--once"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
async def test_a_wrong_command_line_exits_2_and_says_what_is_wrong(
    nowhere: Shell, words: tuple[str, ...], part: str
) -> None:
    said = await nowhere.run(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err.startswith("onward: ")
    assert part in said.err


async def test_a_wrong_setting_names_its_variable(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    shell = enter(monkeypatch, {"ONWARD_HOME": str(tmp_path / "home"), "ONWARD_DATABASE_POOL_SIZE": "many"})
    error = await shell.error("check", code=2)
    assert (error["code"], error["field"]) == ("setting_invalid", "ONWARD_DATABASE_POOL_SIZE")


def test_the_readers_hanging_up_is_no_error_of_ours() -> None:
    script = f"{SCRIPT} --help | head -n 1; exit 0"
    said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert "Traceback" not in said.stderr
