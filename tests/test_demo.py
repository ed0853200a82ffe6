"""`onward demo --once` as a person starts it: every status for its real cause, nothing twice, nothing left running."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from cli.demo_cast import CAST, SEQUENCE
from cli.demo_servers import ROOT
from cli.main import invoke
from embedded.stack import reachable_tempdir

SCRIPT = Path(sys.executable).parent / "onward"


def test_the_unattended_demo_reaches_all_five_statuses_and_leaves_nothing_behind(tmp_path: Path) -> None:
    summary = tmp_path / "summary.json"
    with reachable_tempdir() as directory:
        # Everything that the demo keeps for itself lies below here, so that its processes can be told from others.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ONWARD_", "TEMPORAL_"))}
        own = {"HOME": str(directory / "person"), "ONWARD_HOME": str(directory / "home"), "TMPDIR": str(directory)}
        (directory / "person").mkdir()
        said = subprocess.run(
            [SCRIPT, "demo", "--once", "--json", str(summary)],
            env={**kept, **own},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert said.returncode == 0, said.stdout
        assert processes_of(str(directory)) == []
        assert sorted(path.name for path in directory.iterdir()) == ["person"]
        assert list((directory / "person").iterdir()) == []

    told = json.loads(summary.read_text())
    assert set(told) == {"counts", "seen", "reasons", "sent", "duplicates", "inbound", "seconds"}
    assert set(told["seen"]) >= {"active", "paused", "bounced", "not_sent", "finished"}
    assert sum(told["counts"].values()) == len(CAST)
    assert set(told["reasons"]) >= {"hard_bounce", "spam_block", "account_stage_excluded", "replied", "meeting_booked"}
    assert set(told["reasons"]) >= {"unsubscribed", "out_of_office"}
    assert told["inbound"] == {"bounce": 2, "calendar": 1, "human_reply": 1, "out_of_office": 2, "unsubscribe": 1}
    assert told["duplicates"] == 0
    assert told["sent"] > 0
    assert told["seconds"] <= 90
    assert f"1 worker killed, {told['sent']} emails received, 0 twice" in said.stdout


def test_the_readme_names_contacts_and_the_sequence_as_the_demo_has_them() -> None:
    known = {member.contact for member in CAST} | {SEQUENCE}
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith(".venv/bin/onward ")]
    assert lines
    for line in lines:
        words = line.partition("#")[0].split()[1:]
        assert known & set(words), line
        help_only = [word for word in words if word not in known and not word.startswith("-") and word != "2m"]
        assert invoke([*help_only, "--help"]) == 0, line


def processes_of(directory: str) -> list[str]:
    """Command lines of the processes that name this directory, in their arguments or in their environment."""
    if not Path("/proc/self/environ").exists():
        listed = subprocess.run(["ps", "-A", "-E", "-o", "command="], capture_output=True, text=True, check=True)
        return [line for line in listed.stdout.splitlines() if directory in line]
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if directory.encode() in words + (process / "environ").read_bytes():
                found.append(words.replace(b"\0", b" ").decode(errors="replace"))
        except OSError:  # it has ended meanwhile, or is another user's
            continue
    return found
