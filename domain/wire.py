"""The base of every model that crosses a wire or is stored: frozen, unknown fields ignored, defaults left out.

Leaving defaults out keeps Temporal histories small (design: 1,250 bytes a step) and lets fields be added later without
changing what older payloads mean.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Annotated, Any, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    SerializerFunctionWrapHandler,
    model_serializer,
)

D = TypeVar("D", bound=date)


class Wire(BaseModel):
    """A frozen model whose JSON holds only the fields that differ from their defaults."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data: dict[str, Any] = handler(self)
        fields = type(self).model_fields
        return {
            name: value
            for name, value in data.items()
            if name not in fields or fields[name].is_required() or getattr(self, name) != fields[name].default
        }


def _instant(value: object) -> object:
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError("not a time; write it as 2026-12-01T09:00:00+01:00") from None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a time needs an offset; write it as 2026-12-01T09:00:00+01:00 or with Z")
        # Looked at twice: the offset may carry it over the edge, and then it could not be read back.
        return _in_range(_in_range(value).astimezone(UTC))
    raise ValueError("not a time; write it as 2026-12-01T09:00:00+01:00")


def _in_range(value: D) -> D:
    # Calendar arithmetic near the ends of datetime overflows; nothing real lies there.
    if not 1970 <= value.year <= 2199:
        raise ValueError("a year from 1970 to 2199")
    return value


def _moment(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return _in_range(value)
    if isinstance(value, str) and len(value) == 10:
        try:
            day = date.fromisoformat(value)
        except ValueError:
            raise ValueError("not a date; write it as 2026-12-01") from None
        return _in_range(day)
    return _instant(value)


def _write_instant(value: datetime | date) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value.isoformat()


Instant = Annotated[
    datetime, BeforeValidator(_instant), PlainSerializer(_write_instant, return_type=str, when_used="json")
]
"""A point in time, kept in UTC. Naive times are refused: their meaning would depend on the machine."""

Moment = Annotated[
    datetime | date, BeforeValidator(_moment), PlainSerializer(_write_instant, return_type=str, when_used="json")
]
"""An instant, or a plain date: the first sending window of that day in the schedule's zone."""
