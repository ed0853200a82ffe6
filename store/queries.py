"""SQL lives in named files: `sql/<subject>.sql`, each statement under a line `-- name: <name>`."""

from __future__ import annotations

import re
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


@cache
def _subject(subject: str) -> dict[str, str]:
    text = (resources.files("store") / "sql" / f"{subject}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {name: body.strip() for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def sql(name: str) -> str:
    """The statement `subject.name`. Raises KeyError when there is none: a defect of ours."""
    subject, _, statement = name.partition(".")
    return _subject(subject)[statement]
