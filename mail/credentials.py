"""Where secrets come from: the environment or a file, named by a reference. Only the reference is stored or shown."""

from __future__ import annotations

import os
import re
from pathlib import Path

from mail.errors import CredentialInvalid, CredentialMissing

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def check(reference: str) -> None:
    """Whether this is a reference (`env:NAME` or `file:/absolute/path`); it need not resolve here.

    Raises CredentialInvalid, so that a clear-text secret is refused before it is stored.
    """
    kind, _, name = reference.partition(":")
    if kind == "env" and _NAME.fullmatch(name):
        return
    if kind == "file" and Path(name).is_absolute() and "\0" not in name:
        return
    raise CredentialInvalid


def resolve(reference: str) -> str:
    """The secret that `reference` names. A file's trailing line ends are not part of it.

    Raises CredentialInvalid, or CredentialMissing when the variable or file is absent, unreadable or empty.
    """
    check(reference)
    kind, _, name = reference.partition(":")
    secret = _from_environment(reference, name) if kind == "env" else _from_file(reference, name)
    if not secret:
        raise CredentialMissing(reference, "it is empty")
    return secret


def _from_environment(reference: str, name: str) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise CredentialMissing(reference, "the variable is not set") from None


def _from_file(reference: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
    except UnicodeDecodeError:
        # The decoding error quotes the file's bytes, so it is not chained.
        raise CredentialMissing(reference, "it is not UTF-8 text") from None
    except OSError as error:
        raise CredentialMissing(reference, error.strerror or "it cannot be read") from None
