"""Public holidays by country and subdivision, from the library `holidays`. Its pinned version decides the dates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from functools import lru_cache

_FORM = re.compile(r"([A-Z]{2,3})(?:-([A-Z0-9]{1,6}))?")


def check_holidays(calendar: str) -> str:
    """A country (`DE`) or one of its subdivisions (`DE-BY`), in capitals. Raises ValueError when none is known by it."""
    name = calendar.strip().upper()
    if not _FORM.fullmatch(name):
        raise ValueError(f"{calendar!r} is not a country such as DE, or a part of one such as DE-BY")
    try:
        _of_year(name, 2026)
    except NotImplementedError:
        raise ValueError(f"no holidays are known of {name}; write your own dates under closed") from None
    return name


def has_holidays(calendar: str) -> bool:
    """Whether holidays of a country or subdivision are known."""
    try:
        check_holidays(calendar)
    except ValueError:
        return False
    return True


def holiday(calendar: str, day: date) -> str | None:
    """The English name of the public holiday on a day, observed days included; None if it is none."""
    return _of_year(calendar, day.year).get(day)


@lru_cache(maxsize=4096)
def _of_year(calendar: str, year: int) -> Mapping[date, str]:
    # Not at import: it takes longer than all the rest of the rules, and only schedules with holidays need it.
    from holidays import country_holidays

    country, _, subdivision = calendar.partition("-")
    found = country_holidays(country, subdiv=subdivision or None, years=year, expand=False, language="en_US")
    return dict(found.items())
