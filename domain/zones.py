"""Time zones: local times as instants, the zone of a country, and which zone counts for a contact.

Instants are aware; results are UTC. Never call this from workflow code: a new tzdata would break a replay.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib import resources
from typing import Literal
from zoneinfo import ZoneInfo

# A country's zone is that of its capital. The table of tzdata names the capital's first in most countries with several
# zones; in these it goes from east to west, or by age.
_CAPITALS = {
    "AU": "Australia/Sydney",  # Canberra
    "BR": "America/Sao_Paulo",  # Brasilia
    "CA": "America/Toronto",  # Ottawa
    "FM": "Pacific/Pohnpei",  # Palikir
    "KZ": "Asia/Almaty",  # Astana
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
    "UZ": "Asia/Tashkent",
}
# Territories without a capital, in zones that lie half the world apart.
_NO_ZONE = {"AQ", "UM"}


@dataclass(frozen=True)
class ZoneChoice:
    """The zone that counts, and whence it is: the contact's record, the contact's country, or the schedule."""

    zone: str
    source: Literal["schedule", "contact", "country"]


def choose_zone(own: str, zone: str | None, country: str | None) -> ZoneChoice:
    """A contact's zone by its record's `zone`, else its `country`, else `own`, the schedule's.

    A name that this version of tzdata does not know counts as none: better the schedule's hours than no email.
    """
    if zone is not None and is_zone(zone):
        return ZoneChoice(zone, "contact")
    found = None if country is None else zone_of_country(country)
    return ZoneChoice(own, "schedule") if found is None else ZoneChoice(found, "country")


@lru_cache(maxsize=4096)
def is_zone(name: str) -> bool:
    """Whether `name` is an IANA time zone, such as Europe/Berlin."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def check_zone(name: str) -> str:
    """The name as it is. Raises ValueError when it is no IANA time zone."""
    if not is_zone(name):
        raise ValueError(f"{name!r} is not an IANA time zone such as Europe/Berlin")
    return name


def check_country(code: str) -> str:
    """The ISO 3166-1 alpha-2 code in capitals. Raises ValueError when there is no such country."""
    if code.upper() not in _countries():
        raise ValueError(f"{code!r} is not an ISO 3166 country code such as DE")
    return code.upper()


def zone_of_country(code: str) -> str | None:
    """The zone of a country's capital, by ISO 3166-1 alpha-2 code; None where there is none."""
    return None if code in _NO_ZONE else _CAPITALS.get(code) or _first_zones().get(code)


def read_country(text: str) -> str | None:
    """The alpha-2 code that a person means by a code (DE, DEU, UK) or an English name; None if that is not clear."""
    return _spellings().get(text.strip().casefold())


@cache
def _countries() -> Mapping[str, str]:
    """Codes and English names of ISO 3166-1, as tzdata has them."""
    return dict(row[:2] for row in _table("iso3166.tab"))


@cache
def _first_zones() -> Mapping[str, str]:
    found: dict[str, str] = {}
    for code, _, zone, *_ in _table("zone.tab"):
        found.setdefault(code, zone)
    return found


@cache
def _spellings() -> Mapping[str, str]:
    # Not at import: only files of contacts need them.
    from babel import Locale
    from babel.core import get_global

    codes = _countries()
    names = {alias: new[0] for alias, new in get_global("territory_aliases").items() if len(new) == 1}
    names |= {name: code for code, name in Locale("en").territories.items()}
    names |= {name: code for code, name in codes.items()}
    names |= {code: code for code in codes}
    names |= {"Great Britain": "GB", "England": "GB", "Scotland": "GB", "Wales": "GB", "Northern Ireland": "GB"}
    names |= {"United States of America": "US", "Russian Federation": "RU", "Republic of Korea": "KR"}
    return {spelling.casefold(): code for spelling, code in names.items() if code in codes}


def _table(name: str) -> list[list[str]]:
    text = resources.files("tzdata.zoneinfo").joinpath(name).read_text("utf-8")
    return [line.split("\t") for line in text.splitlines() if line and not line.startswith("#")]


@lru_cache(maxsize=16384)
def midnight(zone: ZoneInfo, day: date) -> datetime:
    """The instant at which a local day begins. A day that a zone skipped begins and ends at once."""
    return instant(zone, datetime.combine(day, time.min))


def instant(zone: ZoneInfo, local: datetime) -> datetime:
    """The first instant at which clocks show `local` (naive); where they skip it, the instant after the gap."""
    found = local.replace(tzinfo=zone, fold=0).astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local:
        return found
    # PEP 495: inside a gap, fold 0 counts by the offset before the change and so lies after it, fold 1 the reverse.
    return change(zone, local.replace(tzinfo=zone, fold=1).astimezone(UTC), found)


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    """What local time is ahead of UTC at an instant."""
    found = at.astimezone(zone).utcoffset()
    assert found is not None
    return found


def change(zone: ZoneInfo, low: datetime, high: datetime) -> datetime:
    """The instant after `low`, at latest `high`, at which the offset becomes that of `high`. Clocks change on whole seconds."""
    last = offset(zone, high)
    seconds = range(math.floor(low.timestamp()), math.floor(high.timestamp()) + 1)
    index = bisect_left(seconds, True, key=lambda second: datetime.fromtimestamp(second, zone).utcoffset() == last)
    return datetime.fromtimestamp(seconds[index], UTC)
