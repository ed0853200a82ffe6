"""What the command line answers: text for people, one JSON document for programs, and the exit code.

Exit codes: 0 done, 1 unexpected, 2 wrong input, 3 refused by state or policy, 4 a server is not reachable, 5 `check`
found problems. With `--json` standard output holds one JSON document and nothing else, also for an error:
`{"error": {"code", "message", "field", "fix", "allowed"}}`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from enum import IntEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table


class Code(IntEnum):
    """Exit codes."""

    OK = 0
    UNEXPECTED = 1
    INVALID = 2
    REFUSED = 3
    UNREACHABLE = 4
    PROBLEMS = 5


class Failure(Exception):
    """An error as a person or program reads it: what is wrong, with which field, and the fix."""

    def __init__(
        self,
        exit_code: Code,
        code: str,
        message: str,
        *,
        field: str | None = None,
        fix: str | None = None,
        allowed: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.code = code
        self.message = message
        self.field = field
        self.fix = fix
        self.allowed = tuple(allowed)

    def as_json(self) -> dict[str, Any]:
        """The document that stands on standard output with `--json`."""
        return {
            "error": {
                "code": self.code,
                "message": self.message,
                "field": self.field,
                "fix": self.fix,
                "allowed": list(self.allowed),
            }
        }

    def as_text(self) -> str:
        """One or two lines."""
        lines = [f"onward: {self.field}: {self.message}" if self.field else f"onward: {self.message}"]
        if self.fix:
            lines.append(f"  fix: {self.fix}")
        elif self.allowed and not self.field:  # where a field is wrong, another command is no help
            lines.append(f"  possible now: {', '.join(self.allowed)}")
        return "\n".join(lines)


def emit(data: Any, text: str | Iterable[str] | Table, *, as_json: bool) -> None:
    """Print the JSON document or the text; a table is as wide as the terminal, or as it needs to be in a pipe."""
    if as_json:
        print(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
    elif isinstance(text, Table):
        Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(text)
    else:
        print(text if isinstance(text, str) else "\n".join(text))


def table(*columns: str) -> Table:
    """A plain table with these columns."""
    made = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        made.add_column(column)
    return made
