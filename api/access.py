"""Who is calling, what they may do, and what is noted of it. Every route declares the scope that it needs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import Depends, Request
from fastapi.routing import RouteContext, iter_route_contexts
from starlette.routing import BaseRoute, Mount

from domain.errors import DomainError
from store.audit import Trail

Scope = Literal["read", "operate", "admin", "inbound"]

INCLUDES: dict[Scope, frozenset[Scope]] = {
    "read": frozenset({"read"}),
    "operate": frozenset({"read", "operate"}),
    "admin": frozenset({"read", "operate", "admin"}),
    "inbound": frozenset({"inbound"}),
}
"""What each scope lets its holder do. `inbound` posts mail and reports facts, and reads nothing."""

SETTINGS_KEY = "token"
"""The ID of the key from the settings, ONWARD_API_TOKEN."""

DEFAULT_ACTOR = "key:api"
"""Its actor."""


class ScopeMissing(DomainError):
    """The caller is known, and may not do this."""

    code = "scope_missing"


class CsrfInvalid(DomainError):
    """A form that no page of this session sent, or one of a session that is over."""

    code = "csrf_invalid"


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


async def _caller(request: Request) -> Caller | None:
    return caller_of(request)  # a coroutine: FastAPI would run a plain function in a thread


Signed = Annotated[Caller, Depends(_caller)]
"""The caller, in a route that needs a scope."""


def trail_of(request: Request) -> Trail:
    """The request's trail; also `request.state.audit`."""
    found: Trail = request.state.audit
    return found


@dataclass(frozen=True)
class Declared:
    """What a route says of who may call it: one of `scopes`; none at all where it is open to everybody."""

    scopes: tuple[Scope, ...]
    signed: bool = False

    async def __call__(self, request: Request) -> None:
        """Raises ScopeMissing."""
        caller = caller_of(request)
        if not self.scopes or (self.signed and caller is None) or (caller and any(map(caller.may, self.scopes))):
            return
        wanted = " or ".join(self.scopes)
        raise ScopeMissing(f"this needs the scope {wanted}", fix=f"use a key that was made with --scope {wanted}")


def needs(*scopes: Scope, signed: bool = False) -> Any:
    """The declaration of a route: `dependencies=[needs("read")]`. Several: any one of them is enough.

    `signed`: a request without a key passes too, for the route checks a signature itself.
    """
    return Depends(Declared(scopes, signed))


OPEN = Depends(Declared(()))
"""The declaration of a route that everybody may call. The door must know its path, too."""


def every_route(routes: Sequence[BaseRoute], prefix: str = "") -> Iterator[tuple[str, RouteContext]]:
    """All routes with their paths, also those of routers within routers and of mounted applications."""
    for route in iter_route_contexts(routes):
        inner = getattr(route, "routes", None) if isinstance(route.original_route, Mount) else None
        if inner:
            yield from every_route(inner, prefix + (route.path or ""))
        else:
            yield prefix + (route.path or ""), route


def declared(route: RouteContext) -> Declared | None:
    """What a route declares; None for one that forgot to."""
    found = [one.dependency for one in getattr(route, "dependencies", ()) if isinstance(one.dependency, Declared)]
    return found[-1] if found else None
