"""`onward mail`: one document per mail whatever it holds, and no server, setting or heavy import behind it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.cli.conftest import Shell
from tests.inbound.letters import letter

AWAY = letter("I'm off sick. Back tomorrow.", "Automatic reply: a question", Date="Wed, 09 Sep 2026 23:30:00 -0700")
REFUSED = b"""From: MAILER-DAEMON@relay.example\r
Content-Type: multipart/report; report-type=delivery-status; boundary=b\r
\r
--b\r
Content-Type: message/delivery-status\r
\r
Reporting-MTA: dns; relay.example\r
\r
Final-Recipient: rfc822; dana@customer.example\r
Action: failed\r
Status: 5.2.2\r
Diagnostic-Code: smtp; 552 5.2.2 Mailbox full\r
--b--\r
"""


async def classified(*words: str) -> list[dict[str, Any]]:
    """The documents that `onward mail classify --json` prints."""
    said = await Shell().run("mail", "classify", "--json", *words)
    assert (said.code, said.err) == (0, "")
    return [json.loads(line) for line in said.out.splitlines()]


async def test_one_document_per_mail_and_line(tmp_path: Path) -> None:
    for name, raw in (("b.eml", REFUSED), ("a.eml", AWAY), ("hostile.eml", bytes(range(256)) * 50), ("notes.txt", b"")):
        (tmp_path / name).write_bytes(raw)
    missing = str(tmp_path / "missing.eml")
    away, refused, hostile, error = await classified(str(tmp_path), missing)
    assert list(away) == ["path", "kind", "return", "bounce", "rule", "evidence", "ignored"]
    assert (away["path"], away["kind"], away["rule"]) == (str(tmp_path / "a.eml"), "out_of_office", "absence:subject")
    assert away["return"] == {
        "status": "date",
        "date": "2026-09-10",
        "candidates": [],
        "evidence": away["return"]["evidence"],
    }
    assert away["evidence"][1] == {"where": "text", "text": "I'm off sick", "start": 0}
    assert refused["kind"] == "bounce"
    assert refused["bounce"] == [
        {
            "recipient": "dana@customer.example",
            "class": "mailbox_full",
            "scope": "contact",
            "hard": False,
            "code": 552,
            "enhanced": "5.2.2",
            "diagnostic": "552 5.2.2 Mailbox full",
        }
    ]
    assert hostile["path"] == str(tmp_path / "hostile.eml")
    assert error == {"path": missing, "error": "No such file or directory"}


async def test_what_only_some_kinds_have(tmp_path: Path) -> None:
    path = tmp_path / "gone.eml"
    path.write_bytes(
        letter("Dana has left the company. Write to Lee Park, lee@customer.example.", "Automatic reply: x")
    )
    (gone,) = await classified(str(path))
    assert gone["proposed"] == [{"address": "lee@customer.example", "name": "Lee Park"}]
    path.write_bytes(letter("", "Accepted: Intro call", Content_Class="urn:content-classes:calendarmessage"))
    (accepted,) = await classified(str(path))
    assert (accepted["kind"], accepted["meeting"]) == ("calendar", "accepted")


async def test_the_time_of_receipt_can_be_told(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(AWAY)
    # 07:00 in Paris is still the evening before where the mail was written.
    for when, back in (
        ("2026-10-02T07:00:00+02:00", "2026-10-02"),
        ("2026-10-02T22:00:00Z", "2026-10-03"),
        ("2026-10-02T22:00:00", "2026-10-03"),
    ):
        (away,) = await classified("--received-at", when, str(path))
        assert away["return"]["date"] == back
    for when in ("2260-10-02T07:00:00Z", "tomorrow"):
        error = await Shell().error("mail", "classify", "--received-at", when, str(path), code=2)
        assert (error["code"], error["field"]) == ("received_at_invalid", "--received-at")


async def test_a_table_for_people(tmp_path: Path) -> None:
    path = tmp_path / "a.eml"
    path.write_bytes(AWAY)
    lines = (await Shell().text("mail", "classify", str(path))).splitlines()
    assert lines[0] == f"{path}: out_of_office (absence:subject)"
    assert "  back     2026-09-10 (date): Back tomorrow" in lines


def test_an_output_that_lacks_the_letters_gets_them_escaped() -> None:
    raw = letter("明日より通常通り対応いたします。", "自動応答", Auto_Submitted="auto-replied")
    for words in (["--json", "-"], ["-"]):
        said = subprocess.run(
            [
                sys.executable,
                "-c",
                f"from cli.main import invoke; raise SystemExit(invoke(['mail', 'classify', *{words}]))",
            ],
            input=raw,
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=True,
            timeout=60,
        )
        assert said.stdout.isascii()
        if "--json" in words:
            assert json.loads(said.stdout)["return"]["evidence"].startswith("明日より")


def test_it_needs_neither_servers_nor_settings_nor_their_imports(tmp_path: Path) -> None:
    code = (
        "import sys; from cli.main import invoke; code = invoke(['mail', 'classify', '--json', '-'])\n"
        "print(code, sorted({'temporalio', 'asyncpg', 'settings'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        input=AWAY,
        env={**os.environ, "ONWARD_DATABASE_URL": "nonsense", "ONWARD_HOME": str(tmp_path)},
        capture_output=True,
        check=True,
        timeout=60,
    )
    document, last = said.stdout.decode().splitlines()
    assert json.loads(document)["path"] == "-"
    assert last == "0 []"
