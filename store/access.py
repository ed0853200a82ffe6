"""API keys, the console's sessions, one-time sign-in links, and tries to sign in. Secrets are stored as hashes only."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from domain.errors import DomainError
from store.database import Connection
from store.queries import sql

SCOPES = ("read", "operate", "admin", "inbound")
PREFIX = "onward"
"""Every key's text begins with it, so that scanners for leaked secrets can know one."""

IDLE = timedelta(hours=8)
"""A session that was not used for so long is over."""

LONGEST = timedelta(days=7)
"""A session is over after so long, however much it is used."""

LINK = timedelta(minutes=10)
"""How long a sign-in link may be used."""

TRIES = 10
WINDOW = timedelta(minutes=15)
"""So many tries to sign in fail from one address within `WINDOW`; then it has to wait."""


class KeyUnknown(DomainError):
    """No such key."""

    code = "key_unknown"


class KeyNameTaken(DomainError):
    """Another key that is not revoked has this name."""

    code = "key_name_taken"


@dataclass(frozen=True)
class Key:
    """An API key, without its secret. `last_used_at` is exact to the minute."""

    id: str
    name: str
    scopes: tuple[str, ...]
    actor: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str | None

    def live(self, now: datetime) -> bool:
        """Whether it opens anything: neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


@dataclass(frozen=True)
class Session:
    """A browser that is signed in. `key`: of `api_keys`, or None for the key from the settings, which `proof` is of."""

    id: str
    key_id: str
    key: Key | None
    proof: bytes | None


def digest(text: str) -> bytes:
    """What is stored of a secret. The secrets are 32 random bytes: a slow hash would protect nothing more."""
    return hashlib.sha256(text.encode()).digest()


def _key(row: asyncpg.Record) -> Key:
    values = {name: value for name, value in row.items() if name not in ("hash", "scopes")}
    return Key(**values, scopes=tuple(row["scopes"]))


# Keys


async def create_key(
    connection: Connection,
    name: str,
    scopes: Collection[str],
    *,
    actor: str,
    by: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    """A new key and its text, which is not stored and cannot be shown again. Raises KeyNameTaken."""
    key_id = secrets.token_hex(6)
    text = f"{PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    given = (key_id, name, digest(text), sorted(set(scopes)), actor, now, by, expires_at)
    try:
        row = await connection.fetchrow(sql("access.add_key"), *given)
    except asyncpg.UniqueViolationError:
        raise KeyNameTaken(
            f"a key {name!r} is there already", field="name", fix="choose another name, or revoke that one first"
        ) from None
    assert row is not None
    return _key(row), text


async def key_of(connection: Connection, text: str, now: datetime) -> Key | None:
    """The live key whose text this is."""
    prefix, _, rest = text.partition("_")
    key_id, _, secret = rest.partition("_")
    if prefix != PREFIX or not key_id.isalnum() or not secret:
        return None
    row = await connection.fetchrow(sql("access.key"), key_id)
    # Compared in constant time, so that how much of a guess is right cannot be measured.
    if row is None or not hmac.compare_digest(row["hash"], digest(text)):
        return None
    found = _key(row)
    if not found.live(now):
        return None
    await _used(connection, found, now)
    return found


async def _used(connection: Connection, key: Key, now: datetime) -> None:
    if key.last_used_at is None or now - key.last_used_at >= timedelta(minutes=1):
        await connection.execute(sql("access.key_used"), key.id, now)


async def find_key(connection: Connection, which: str) -> Key:
    """The key with this ID, or the one of this name that is not revoked. Raises KeyUnknown."""
    row = await connection.fetchrow(sql("access.find_key"), which)
    if row is None:
        raise KeyUnknown(f"there is no key {which[:80]!r}", field="key", fix="see `onward keys list`")
    return _key(row)


async def keys(connection: Connection) -> list[Key]:
    """All keys by name, the revoked ones last."""
    return [_key(row) for row in await connection.fetch(sql("access.keys"))]


async def any_live_key(connection: Connection, now: datetime) -> bool:
    """Whether anybody could call."""
    return bool(await connection.fetchval(sql("access.any_live_key"), now))


async def revoke_key(connection: Connection, key_id: str, *, by: str, now: datetime) -> bool:
    """From the commit on the key opens nothing, and its sessions are over. False: it was revoked before."""
    row = await connection.fetchrow(sql("access.revoke_key"), key_id, now, by)
    await connection.execute(sql("access.end_sessions_of"), key_id)
    return row is not None


# Sessions


async def begin_session(
    connection: Connection, key_id: str, now: datetime, proof: bytes | None = None
) -> tuple[str, str]:
    """A new session of a key: its ID and the token for the cookie, which is not stored."""
    session, token = secrets.token_hex(6), secrets.token_urlsafe(32)
    await connection.execute(sql("access.add_session"), session, digest(token), key_id, proof, now)
    await connection.execute(sql("access.expire_sessions"), now - IDLE)
    return session, token


async def session_of(connection: Connection, token: str, now: datetime, *, used: bool = True) -> Session | None:
    """The session of a cookie's token, if it still lasts and its key lives. The caller judges the `proof`. `used`: by somebody
    at the browser; what a page that is left open asks by itself does not make the session last."""
    row = await connection.fetchrow(sql("access.session"), digest(token))
    if row is None or now - row["seen_at"] >= IDLE or now - row["created_at"] >= LONGEST:
        return None
    key = None
    if row["proof"] is None:
        stored = await connection.fetchrow(sql("access.key"), row["key_id"])
        key = None if stored is None else _key(stored)
        if key is None or not key.live(now):
            return None
        await _used(connection, key, now)
    if used and now - row["seen_at"] >= timedelta(minutes=1):
        await connection.execute(sql("access.session_seen"), row["id"], now)
    return Session(row["id"], row["key_id"], key, row["proof"])


async def end_session(connection: Connection, session: str) -> None:
    """Sign out."""
    await connection.execute(sql("access.end_session"), session)


# One-time links


async def create_link(connection: Connection, key_id: str, now: datetime) -> str:
    """The token of a link that signs one browser in with the key, once, within ten minutes."""
    token = secrets.token_urlsafe(32)
    await connection.execute(sql("access.expire_links"), now - timedelta(days=1))
    await connection.execute(sql("access.add_link"), digest(token), key_id, now, now + LINK)
    return token


async def link_used(connection: Connection, token: str) -> bool:
    """Whether somebody has signed in with a link."""
    row = await connection.fetchrow(sql("access.link"), digest(token))
    return row is not None and row["used_at"] is not None


class LinkInvalid(DomainError):
    """A sign-in link that signs nobody in (any more): `link_used`, `link_expired`, `link_unknown`."""

    code = "link_unknown"

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


async def use_link(connection: Connection, token: str, now: datetime) -> Key:
    """The live key that a link signs in with; the link is used up. Raises LinkInvalid."""
    key_id = await connection.fetchval(sql("access.use_link"), digest(token), now)
    if key_id is not None:
        row = await connection.fetchrow(sql("access.key"), key_id)
        if row is not None and _key(row).live(now):
            return _key(row)
        raise LinkInvalid("link_expired", "The key of this sign-in link was revoked or has expired.")
    row = await connection.fetchrow(sql("access.link"), digest(token))
    if row is None:
        raise LinkInvalid("link_unknown", "This sign-in link is not known here. It may have been cut off.")
    if row["used_at"] is not None:
        raise LinkInvalid("link_used", "This sign-in link was used already. Each one works once.")
    raise LinkInvalid("link_expired", "This sign-in link has expired.")


# Tries to sign in


async def begin_try(connection: Connection, address: str, now: datetime) -> int | timedelta:
    """In a transaction: take a try, to be forgotten (`forget_try`) when it succeeds; or how long the address has to wait."""
    await connection.execute(sql("access.lock_address"), address)
    row = await connection.fetchrow(sql("access.tries"), address, now - WINDOW)
    assert row is not None
    if row["n"] >= TRIES:
        left: timedelta = row["first"] + WINDOW - now
        return left
    await connection.execute(sql("access.expire_tries"), now - WINDOW)
    return int(await connection.fetchval(sql("access.add_try"), address, now))


async def forget_try(connection: Connection, number: int) -> None:
    """The try succeeded."""
    await connection.execute(sql("access.forget_try"), number)
