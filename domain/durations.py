"""Durations as people write them in sequence files: `90s`, `15m`, `4h`, `3d`, `2w`, and `1bd` for business days."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DAYS = {"d": 1, "w": 7}
_FORM = re.compile(r"(\d{1,7}(?:\.\d{1,3})?)(s|m|h|d|w|bd)")
_LIMIT_SECONDS = 10 * 366 * 86400


@dataclass(frozen=True)
class Duration:
    """A length of time, one of: `seconds` of the clock; calendar `days`, which keep the local time of day even where the
    clock changes; `business_days` (days on which the schedule opens)."""

    seconds: float = 0.0
    days: int = 0
    business_days: int = 0

    @cached_property
    def delta(self) -> timedelta:
        """The clock time, where no calendar is at hand: a day is 24 hours. Business days are not in it, only
        `domain.schedule` can count them."""
        return timedelta(days=self.days, seconds=self.seconds)

    def __str__(self) -> str:
        if self.business_days:
            return f"{self.business_days}bd"
        if self.days:
            return f"{self.days // 7}w" if self.days % 7 == 0 else f"{self.days}d"
        for unit in ("h", "m"):
            if self.seconds and self.seconds % _SECONDS[unit] == 0:
                return f"{int(self.seconds // _SECONDS[unit])}{unit}"
        return f"{self.seconds:.3f}".rstrip("0").rstrip(".") + "s"


def parse_duration(value: Any) -> Duration:
    """Read a duration such as `3d`. Raises ValueError with the accepted forms; ten years at most.

    A fraction of a day or week is clock time: 1.5d are 36 hours.
    """
    if isinstance(value, Duration):
        return value
    match = _FORM.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        raise ValueError("not a duration; write a number and a unit: 90s, 15m, 4h, 3d, 2w or 1bd (business days)")
    amount, unit = float(match[1]), match[2]
    if unit == "bd":
        if amount != int(amount) or amount > 1000:
            raise ValueError("business days are whole numbers up to 1000")
        return Duration(business_days=int(amount))
    # Milliseconds are kept, so that what is written can be read back the same.
    seconds = round(amount * _SECONDS[unit], 3)
    if seconds > _LIMIT_SECONDS:
        raise ValueError("longer than ten years")
    if unit in _DAYS and amount == int(amount):
        return Duration(days=int(amount) * _DAYS[unit])
    return Duration(seconds=seconds)


DurationField = Annotated[
    Duration,
    BeforeValidator(parse_duration),
    PlainSerializer(str, return_type=str),
    WithJsonSchema({"type": "string", "pattern": f"^{_FORM.pattern}$", "examples": ["3d", "90s", "1bd"]}),
]
