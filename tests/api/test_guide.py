"""The commands in docs/http.md do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import httpx

from tests.api.conftest import ok
from tests.harness import World

GUIDE = Path(__file__).parents[2] / "docs" / "http.md"


def _commands() -> list[list[str]]:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    commands: list[list[str]] = []
    for word in shlex.split("\n".join(blocks).replace("\\\n", " ")):
        if word in ("curl", "export"):
            commands.append([])
        commands[-1].append(word)
    return [command for command in commands if command[0] == "curl"]


async def test_the_commands_of_the_guide_work(http: httpx.AsyncClient, world: World) -> None:
    enrollment = ""
    commands = _commands()
    assert len(commands) > 15
    for _, *words in commands:
        method, url, body, headers = "GET", "", "", {}
        given = iter(words)
        for word in given:
            if word == "-X":
                method = next(given)
            elif word == "-H":
                name, _, value = next(given).partition(": ")
                headers[name] = value
            elif word in ("-d", "--data-binary"):
                body = next(given)
            else:
                url = word.replace("$ONWARD", "").replace("$ENROLLMENT", enrollment)
        response = await http.request(method, url, content=body.encode(), headers=headers)
        assert response.status_code == 200, (words, response.text)
        if url.endswith("/spring/enrollments"):
            enrollment = ok(response)["results"][0]["enrollment"]
