"""From what a request carries to who is calling: a key in its header, or the console's session in its cookie."""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import secrets
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import cast
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.responses import Response

from api.access import DEFAULT_ACTOR, SETTINGS_KEY, Caller, Scope
from api.services import Services
from store import access, audit
from store.access import Key, LinkInvalid
from store.audit import Who

COOKIE = "onward_session"
SECURE_COOKIE = "__Host-onward_session"
"""Over TLS: a browser takes this name from this very host only, and only with TLS (RFC 6265bis 4.1.3.2)."""


SIGN_IN = "sign_in"
"""What the audit calls it."""


@dataclass(frozen=True)
class Wait:
    """Too many tries to sign in failed: how long the address has to wait."""

    left: timedelta


def _by_settings(session: str | None = None, csrf: str = "") -> Caller:
    return Caller(SETTINGS_KEY, "ONWARD_API_TOKEN", DEFAULT_ACTOR, frozenset({"admin"}), session, csrf)


def _by_key(key: Key, session: str | None = None, csrf: str = "") -> Caller:
    return Caller(key.id, key.name, key.actor, cast(frozenset[Scope], frozenset(key.scopes)), session, csrf)


async def by_key(services: Services, text: str) -> Caller | None:
    """Whose key this is. Raises what the database raises; the key from the settings needs none."""
    if services.token is not None and hmac.compare_digest(text.encode(), services.token.encode()):
        return _by_settings()
    async with services.database.read() as connection:
        key = await access.key_of(connection, text, services.now())
    return None if key is None else _by_key(key)


async def by_bearer(services: Services, headers: Headers) -> Caller | None:
    """Who the header `Authorization: Bearer <key>` is of."""
    scheme, _, given = headers.get("authorization", "").partition(" ")
    return await by_key(services, given.strip()) if scheme.lower() == "bearer" else None


async def by_session(services: Services, request: HTTPConnection) -> Caller | None:
    """Who is signed in in this browser."""
    token = session_token(services, request)
    if not token:
        return None
    async with services.database.read() as connection:
        # Our script asks by itself as things happen; when somebody presses a button it posts.
        by_itself = request.scope["method"] == "GET" and (
            "onward-fragment" in request.headers or request.url.path == "/events"
        )
        found = await access.session_of(connection, token, services.now(), used=not by_itself)
    if found is None:
        return None
    csrf = _mac(services, "csrf", token)
    if found.key is not None:
        return _by_key(found.key, found.id, csrf)
    proof = _proof(services)
    same = proof is not None and found.proof is not None and hmac.compare_digest(found.proof, proof)
    return _by_settings(found.id, csrf) if same else None


def session_token(services: Services, request: HTTPConnection) -> str | None:
    """What the session's cookie holds."""
    return request.cookies.get(SECURE_COOKIE if _secure(services, request) else COOKIE)


def _mac(services: Services, purpose: str, text: str) -> str:
    return hmac.new(services.secret, f"{purpose}\0{text}".encode(), hashlib.sha256).hexdigest()


def _proof(services: Services) -> bytes | None:
    """What a session of the key from the settings keeps of it: it is over when that is changed. People choose that key, so no
    plain hash of it is stored, which could be guessed at."""
    return None if services.token is None else bytes.fromhex(_mac(services, "settings_key", services.token))


# Signing in and out


async def sign_in(services: Services, request: HTTPConnection, caller: Caller, response: Response) -> None:
    """Begin a session of the caller's key, and end the browser's session before it."""
    old = await by_session(services, request)
    proof = _proof(services) if caller.key == SETTINGS_KEY else None
    async with services.database.transaction() as connection:
        if old is not None and old.session is not None:
            await access.end_session(connection, old.session)
        session, token = await access.begin_session(connection, caller.key, services.now(), proof)
        who = who_is(request, replace(caller, session=session))
        await audit.note(connection, who, SIGN_IN, "key", caller.key, "done", status=303)
    secure = _secure(services, request)
    response.set_cookie(
        SECURE_COOKIE if secure else COOKIE, token, path="/", httponly=True, samesite="lax", secure=secure
    )


async def sign_in_failed(services: Services, request: HTTPConnection, status: int, code: str) -> None:
    """For the audit."""
    async with services.database.transaction() as connection:
        await audit.note(connection, who_is(request, None), SIGN_IN, None, None, "refused", status=status, code=code)


async def by_link(services: Services, token: str) -> Caller:
    """Whose one-time link this is; it is used up. Raises LinkInvalid."""
    async with services.database.transaction() as connection:
        found = await access.use_link(connection, token, services.now())
    caller = _by_key(found)
    if not caller.may("read"):
        raise LinkInvalid("link_useless", "The key of this sign-in link may not read, so it cannot open the console.")
    return caller


async def sign_out(services: Services, request: HTTPConnection, caller: Caller, response: Response) -> None:
    """End the caller's session."""
    if caller.session is not None:
        async with services.database.read() as connection:
            await access.end_session(connection, caller.session)
    secure = _secure(services, request)
    response.delete_cookie(SECURE_COOKIE if secure else COOKIE, path="/", httponly=True, samesite="lax", secure=secure)


async def begin_try(services: Services, request: HTTPConnection) -> int | Wait:
    """Take a try to sign in, or learn how long to wait."""
    async with services.database.transaction() as connection:
        found = await access.begin_try(connection, _network(address_of(request)), services.now())
    return found if isinstance(found, int) else Wait(found)


async def forget_try(services: Services, number: int) -> None:
    """The try succeeded."""
    async with services.database.read() as connection:
        await access.forget_try(connection, number)


def who_is(request: HTTPConnection, caller: Caller | None) -> Who:
    """The caller as the audit names it."""
    address, number = address_of(request), request.state.request_id
    if caller is None:
        return Who(None, None, address, number)
    return Who(caller.key, caller.actor, address, number, caller.session)


def address_of(request: HTTPConnection) -> str:
    """Where the request came from. Behind a proxy that is the proxy, unless ONWARD_TRUSTED_PROXIES names it."""
    return request.client.host if request.client is not None else "unknown"


def _network(address: str) -> str:
    """What counts as one address: of IPv6 the /64, which one customer has whole."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6 and found.ipv4_mapped is not None:  # as a listener for both kinds sees it
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False)) if found.version == 6 else address


# Where a request comes from and where it may be sent on to


def _secure(services: Services, request: HTTPConnection) -> bool:
    """Whether the browser came by TLS. The proxy that ends it does not always say so, but then `public_url` does; this machine
    itself may come without."""
    if request.scope["scheme"] == "https":
        return True
    by_proxy = services.public_url is not None and services.public_url.startswith("https:")
    return by_proxy and not is_loopback(_name(request.headers.get("host", "")) or "")


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


def same_origin(services: Services, request: HTTPConnection) -> bool:
    """Whether our own page sends this, as far as the browser says. What comes from no browser says nothing."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return True
    ours = {request.headers.get("host", ""), urlsplit(services.public_url or "").netloc}
    try:
        return urlsplit(origin).netloc in ours - {""}
    except ValueError:
        return False


def local_path(given: str | None) -> str:
    """A path of this site to go on to; `/` for anything that a browser could take for another site."""
    if given is None or len(given) > 2_000 or not given.startswith("/") or given.startswith(("//", "/\\")):
        return "/"
    # Browsers drop tabs and line breaks, and read a backslash as a slash.
    if "\\" in given or not given.isprintable() or given.startswith("/sign-"):
        return "/"
    return given


def csrf_matches(caller: Caller, given: str | None) -> bool:
    """Whether a form or script brings what only a page of the caller's session knows."""
    return bool(caller.csrf) and secrets.compare_digest(caller.csrf.encode(), (given or "").encode(errors="replace"))
