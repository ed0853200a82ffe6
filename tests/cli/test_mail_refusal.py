"""`onward mail refusal`: the table from the command line, without a server."""

from __future__ import annotations

import json

import pytest

from cli.main import invoke


@pytest.mark.parametrize(
    ("reply", "shown"),
    [
        ("550 5.1.1 User unknown", {"class": "hard_invalid", "scope": "contact", "action": "bounce_hard", "hard": True}),
        ("450 4.1.1 User unknown", {"class": "hard_invalid", "scope": "contact", "action": "defer", "hard": False}),
        ("550-5.7.1 This message looks\n550 5.7.1 like spam", {"class": "spam_block", "scope": "mailbox", "action": "bounce_spam", "hard": False}),
        ("5.2.2 full", {"class": "mailbox_full", "scope": "contact", "action": "defer", "hard": False}),
        ("", {"class": "unknown", "scope": "message", "action": "defer", "hard": False}),
    ],
)  # fmt: skip
def test_a_reply_is_judged(reply: str, shown: dict[str, object], capsys: pytest.CaptureFixture[str]) -> None:
    assert invoke(["mail", "refusal", reply]) == 0
    assert json.loads(capsys.readouterr().out) == shown
