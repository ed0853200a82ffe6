"""Signed tokens for links that a recipient opens, such as unsubscribe (RFC 8058: opaque, hard to forge), and for
addresses that mail comes back to."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import uuid
from typing import Literal

from mail.errors import TokenInvalid

# 160 bits: beyond guessing, and the link stays short.
_MAC_BYTES = 20


def sign(secret: bytes, purpose: str, *parts: str) -> str:
    """A URL-safe token that carries `parts` and proves that we made it for `purpose`. Parts are readable: IDs only."""
    payload = json.dumps(parts, ensure_ascii=False, separators=(",", ":")).encode()
    return f"{_encode(payload)}.{_encode(_mac(secret, purpose, payload))}"


def verify(secret: bytes, purpose: str, token: str) -> tuple[str, ...]:
    """The parts of a token made by `sign` with the same secret and purpose. Raises TokenInvalid for anything else."""
    body, _, mac = token.partition(".")
    try:
        payload = _decode(body)
        if not hmac.compare_digest(_decode(mac), _mac(secret, purpose, payload)):
            raise TokenInvalid
    except (binascii.Error, ValueError) as error:
        raise TokenInvalid from error
    return tuple(json.loads(payload))


_PLUS = re.compile(r"\+([ub])-([a-z2-7]{39})@", re.IGNORECASE)
_PLUS_MAC_BYTES = 8
"""64 bits, and an address that is tried costs a delivered mail: beyond guessing, within the 64 characters of a local part."""


def plus_address(secret: bytes, purpose: Literal["u", "b"], enrollment: str, address: str) -> str:
    """`address` with a signed token that names an enrollment (RFC 5233 subaddressing): `u` to unsubscribe, `b` for bounces.
    Letters and digits of one case only, since mail systems fold the local part. Raises ValueError for no UUID."""
    local, _, domain = address.rpartition("@")
    body = uuid.UUID(enrollment).bytes
    mac = _mac(secret, f"address {purpose}", body)[:_PLUS_MAC_BYTES]
    return f"{local}+{purpose}-{base64.b32encode(body + mac).decode().rstrip('=').lower()}@{domain}"


def read_plus_address(secret: bytes, address: str) -> tuple[str, str] | None:
    """The purpose and enrollment of an address made by `plus_address`, or None for any other."""
    found = _PLUS.search(address)
    if found is None:
        return None
    purpose = found[1].lower()
    try:
        data = base64.b32decode(found[2].upper() + "=")
    except binascii.Error:
        return None
    body, mac = data[:16], data[16:]
    if not hmac.compare_digest(mac, _mac(secret, f"address {purpose}", body)[:_PLUS_MAC_BYTES]):
        return None
    return purpose, str(uuid.UUID(bytes=body))


def _mac(secret: bytes, purpose: str, payload: bytes) -> bytes:
    # The purpose is encoded, so that no purpose and payload can be cut differently into the same bytes.
    name = _encode(f"token {purpose}".encode())
    return hmac.new(secret, f"{name}.".encode() + payload, hashlib.sha256).digest()[:_MAC_BYTES]


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    data = base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
    # Base64 has spellings that differ only in unused bits; one token is one string.
    if _encode(data) != text:
        raise ValueError("not canonical")
    return data
