"""Signed tokens for links that a recipient opens, such as unsubscribe (RFC 8058: opaque, hard to forge)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json

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
