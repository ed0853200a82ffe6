"""The commands in docs/http.md do what they say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path

import httpx

from tests.api.conftest import TOKEN, calling, ok, services_for
from tests.harness import World

SECRET = b"the key of the inbound door"
GUIDE = Path(__file__).parents[2] / "docs" / "http.md"


MAIL = b"From: someone@elsewhere.test\r\nTo: mara@sender.test\r\nSubject: Hello\r\n\r\nHi\r\n"


def _blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


def _signature(folder: Path) -> dict[str, str]:
    """What the guide's own shell lines make of a mail."""
    lines = [line for block in _blocks() for line in block.splitlines() if line.startswith(("STAMP=", "SIGNATURE="))]
    (folder / "mail.eml").write_bytes(MAIL)
    done = subprocess.run(
        ["sh", "-c", "\n".join([*lines, "echo $STAMP $SIGNATURE"])],
        cwd=folder,
        env={**os.environ, "ONWARD_INBOUND_SECRET": SECRET.decode()},
        capture_output=True,
        text=True,
        check=True,
    )
    stamp, signature = done.stdout.split()
    return {"$STAMP": stamp, "$SIGNATURE": signature}


def _commands() -> list[list[str]]:
    lines = [line for block in _blocks() for line in block.splitlines() if not re.match(r"[A-Z]+=", line)]
    commands: list[list[str]] = []
    for word in shlex.split("\n".join(lines).replace("\\\n", " ")):
        if word in ("curl", "export"):
            commands.append([])
        commands[-1].append(word)
    return [command for command in commands if command[0] == "curl"]


async def test_the_commands_of_the_guide_work(world: World, tmp_path: Path) -> None:
    async with calling(services_for(world, inbound_secret=SECRET), headers={}) as http:
        await _play(http, tmp_path)


async def _play(http: httpx.AsyncClient, folder: Path) -> None:
    known = {"$ONWARD": "", "$AUTH": f"Authorization: Bearer {TOKEN}", **_signature(folder)}
    commands = _commands()
    assert len(commands) > 15
    for _, *words in commands:
        method, url, body, headers = "GET", "", "", {}
        given = iter(words)
        for word in given:
            if word == "-X":
                method = next(given)
            elif word == "-H":
                name, _, value = _filled(next(given), known).partition(": ")
                headers[name] = value
            elif word in ("-d", "--data-binary"):
                body = _filled(next(given), known)
            else:
                url = _filled(word, known)
        content = MAIL if body == "@mail.eml" else body.encode()
        response = await http.request(method, url, content=content, headers=headers)
        assert response.status_code == 200, (words, response.text)
        if url.endswith("/spring/enrollments"):
            known["$ENROLLMENT"] = ok(response)["results"][0]["enrollment"]
        if url.startswith("/inbound/"):
            known["$MAIL"] = ok(response)["id"]


def _filled(text: str, known: dict[str, str]) -> str:
    for name, value in known.items():
        text = text.replace(name, value)
    return text
