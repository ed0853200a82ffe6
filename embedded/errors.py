"""The one error type of the embedded servers."""

from __future__ import annotations


class EmbeddedError(Exception):
    """An embedded server could not do what was asked. `code` is stable, `fix` says in one line what to do."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(f"{message}\n{fix}" if fix else message)
        self.code = code
        self.message = message
        self.fix = fix
