"""`onward mail refusal`: what the refusal table makes of a server's reply."""

from __future__ import annotations

import re
from typing import Any

from mail.refusals import judge

_REPLY = re.compile(r"\s*([2-5]\d\d)(?:[ -]|$)")


def refusal_json(text: str) -> dict[str, Any]:
    """The judgement of a reply to RCPT as the server worded it, `550 5.1.1 ...`, on one line or several.

    A text without reply code is judged by its enhanced code and its words. Never raises.
    """
    code = _REPLY.match(text)
    found = judge(int(code.group(1)) if code else 0, text)
    return {"class": found.cls.value, "scope": found.scope, "action": found.action, "hard": found.hard}
