"""Who is calling, and what they may do. Every route declares the scope that it needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Request

Scope = Literal["read", "operate", "admin", "inbound"]

INCLUDES: dict[Scope, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "operate": frozenset({"read", "operate"}),
    "admin": frozenset({"read", "operate", "admin"}),
    "inbound": frozenset({"inbound"}),
}
"""What each scope lets its holder do. `inbound` posts mail and reports facts, and reads nothing."""


@dataclass(frozen=True)
class Caller:
    """Who is calling: the key's ID and name, the `actor` that commands carry as `by`, and what it may do.

    `session`: the console's session by which it came (its ID, which is no secret); None for a key in the request itself.
    """

    key: str
    name: str
    actor: str
    scopes: frozenset[Scope]
    session: str | None = None
    csrf: str = ""
    """What forms of the session must bring along."""

    def may(self, scope: Scope) -> bool:
        """Whether the caller has the scope, by itself or within a wider one."""
        return any(scope in INCLUDES[one] for one in self.scopes)


def caller_of(request: Request) -> Caller | None:
    """Who the door has let in; None on a path that is open to everybody."""
    found: Caller | None = getattr(request.state, "caller", None)
    return found


Signed = Annotated[Caller, Depends(caller_of)]
"""The caller, in a route that needs a scope."""


def needs(scope: Scope) -> Any:
    """The declaration of a route: `dependencies=[needs("read")]`."""

    def check(request: Request) -> None:
        caller = caller_of(request)
        if caller is None or not caller.may(scope):
            raise PermissionError(scope)

    check.scope = scope  # type: ignore[attr-defined]
    return Depends(check)
