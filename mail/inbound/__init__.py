"""Reading mail that came in: parse, then classify. Pure: bytes and the received time in, a typed answer out."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.inbound import Reading
from mail.inbound.classify import Context, classify, received_at_of
from mail.inbound.names import names_of
from mail.inbound.parsing import parse

__all__ = ["Context", "classify", "names_of", "parse", "read", "received_at_of"]


def read(raw: bytes, received_at: datetime | None = None, context: Context | None = None) -> Reading:
    """Classify a mail from its bytes. Without `received_at` (aware) its own headers say when it was received. Never raises."""
    parsed = parse(raw)
    when = received_at or received_at_of(parsed) or datetime.now(UTC)
    return classify(parsed, names_of(parsed), received_at=when, context=context or Context())
