"""Schedules and moments, written short."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from domain.sequences import WEEKDAYS, Schedule

BERLIN, NEW_YORK, LORD_HOWE, KATHMANDU = "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"
APIA, ASUNCION, CAIRO, HAVANA = "Pacific/Apia", "America/Asuncion", "Africa/Cairo", "America/Havana"


def schedule(zone: str, windows: dict[str, list[str]], **more: Any) -> Schedule:
    """`{"mon": ["09:00-17:00"]}` in a zone; `mon-fri` and `all` name several days."""
    names = {"all": WEEKDAYS, "mon-fri": WEEKDAYS[:5]}
    days = {day: spans for key, spans in windows.items() for day in names.get(key, (key,))}
    parsed = {
        day: [dict(zip(("start", "end"), span.split("-"), strict=True)) for span in spans]
        for day, spans in days.items()
    }
    return Schedule.model_validate({"id": "s", "zone": zone, "windows": parsed, **more})


def at(zone: str, text: str, fold: int = 0) -> datetime:
    """A local time as an instant in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


def utc(text: str) -> datetime:
    """An instant written in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
