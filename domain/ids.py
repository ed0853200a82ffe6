"""Names that every caller can compute."""

from __future__ import annotations

import re

from domain.errors import InvalidDefinition

WORKFLOW_TYPE = "Enrollment"
_ACTOR = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]{0,119}")
ACTOR_FORM = "an ID such as person:ana or key:crm, without spaces, 120 characters at most"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")


def workflow_id(sequence_id: str, contact_id: str) -> str:
    """`enrollment/<sequence id>/<contact id>`: at most one is open at a time, by Temporal's own guarantee."""
    return f"enrollment/{sequence_id}/{contact_id}"


def check_id(value: str, field: str) -> str:
    """An ID of ours: 1 to 80 of letters, digits, dot, dash, underscore, so that workflow IDs stay readable and under
    the 255 characters that SQL visibility stores. Raises InvalidDefinition naming `field`."""
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise InvalidDefinition(
            f"{str(value)[:60]!r} is not an ID",
            field=field,
            fix="use 1 to 80 letters, digits, dots, dashes or underscores, starting with a letter or digit",
        )
    return value


def is_actor(value: object) -> bool:
    """Whether it can say who does something: it goes into histories, where no name and no address may stand."""
    return isinstance(value, str) and _ACTOR.fullmatch(value) is not None
