"""From expressions to days: years, the order of numbers, weekdays, and what cannot be a return."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from mail.inbound.dates.grammar import Atom

STALE_DAYS = 90
"""A day without a year that lies back this far at most is past, not next year's: responders are forgotten."""

FAR_DAYS = 400
"""A return further away than this is not believed."""

Order = str
""" "dm", "md", "ymd" (the month first, with dots too), or "" for not known. Outside "ymd" a dot means "dm"."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What an expression can mean. `status` date: one day; ambiguous: `days` are the readings; vague, invalid as in domain.inbound.Return.
    Past and far days are still `date` here: that is judged at the end."""

    status: Literal["date", "ambiguous", "vague", "invalid"]
    days: tuple[dt.date, ...] = ()

    def moved(self, days: int) -> Resolved:
        """The same, days later."""
        return Resolved(self.status, tuple(shifted(day, days) for day in self.days))


def shifted(day: dt.date, days: int) -> dt.date:
    """`day` plus days, within the calendar."""
    try:
        return day + dt.timedelta(days=days)
    except OverflowError:
        return day


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def in_year(year: int, month: int, day: int, today: dt.date) -> dt.date | None:
    """The day; without a year the next one, or the last one where that is no longer than STALE_DAYS ago."""
    if year:
        return _date(year, month, day)
    for candidate_year in (today.year - 1, today.year, today.year + 1):
        candidate = _date(candidate_year, month, day)
        if candidate and (candidate - today).days >= -STALE_DAYS:
            return candidate
    return None


def readings(atom: Atom, order: Order) -> list[tuple[int, int]]:
    """(month, day) that the numbers of a date can mean."""
    if not atom.numeric:
        return [(atom.month, atom.day)]
    first, second = atom.day, atom.month
    if first > 12 or second > 12:
        return [(first, second)] if second > 12 and first <= 12 else [(second, first)]
    if first == second:
        return [(first, second)]
    if order == "dm" or (order != "ymd" and atom.numeric == "."):
        return [(second, first)]
    if order in {"md", "ymd"}:
        return [(first, second)]
    return [(second, first), (first, second)]


def day_of(atom: Atom, order: Order, today: dt.date) -> Resolved:
    """The day that a `date` names."""
    days = [in_year(atom.year, month, day, today) for month, day in readings(atom, order)]
    real = tuple(dict.fromkeys(day for day in days if day))
    if not real:
        return Resolved("invalid")
    if atom.weekday is not None:
        agreeing = tuple(day for day in real if day.weekday() == atom.weekday)
        if agreeing:
            real = agreeing
        elif atom.sure_weekday:
            return Resolved("ambiguous", real)
    return Resolved("date" if len(real) == 1 else "ambiguous", real)


def next_weekday(weekday: int, after: dt.date) -> dt.date:
    """The first such weekday after that day."""
    return shifted(after, (weekday - after.weekday() - 1) % 7 + 1)


def next_monday(today: dt.date) -> dt.date:
    """The Monday of next week."""
    return next_weekday(0, today)


def iso_week(week: int, today: dt.date) -> dt.date | None:
    """The Monday of a week of this year; of next year where it lies more than STALE_DAYS back."""
    for year in (today.isocalendar().year - 1, today.isocalendar().year, today.isocalendar().year + 1):
        try:
            monday = dt.date.fromisocalendar(year, week, 1)
        except ValueError:
            continue
        if (monday - today).days >= -STALE_DAYS:
            return monday
    return None


def working_days(today: dt.date, count: int) -> dt.date:
    """That many days, Monday to Friday, after today."""
    day = today
    for _ in range(min(count, 400)):
        day = shifted(day, 1 if day.weekday() < 4 else 7 - day.weekday())
    return day


def resolve(atom: Atom, order: Order, today: dt.date, base: dt.date | None = None) -> Resolved:
    """What an expression means on that day. `base`: the day that "following" refers to."""
    if atom.kind == "date":
        return day_of(atom, order, today)
    if atom.kind == "day":
        return _day_of_month(atom, today)
    if atom.kind == "weekday" and atom.weekday is not None:
        return _weekday(atom, atom.weekday, today, base)
    if atom.kind == "relative":
        return Resolved("date", (shifted(today, atom.count),))
    if atom.kind == "week":
        monday = iso_week(atom.count, today)
        return Resolved("date", (shifted(monday, atom.weekday or 0),)) if monday else Resolved("invalid")
    if atom.kind == "month":
        first = in_year(atom.year, atom.month, 1, today)
        return Resolved("vague", (first,) if first else ())
    if atom.kind == "vague" and atom.count:
        return Resolved("vague", (next_monday(today),))
    if atom.kind == "duration":
        day = shifted(today, atom.count * atom.unit) if atom.unit else working_days(today, atom.count)
        return Resolved("date", (day,))
    return Resolved("vague")


def _day_of_month(atom: Atom, today: dt.date) -> Resolved:
    year, month = today.year, today.month
    for _ in range(13):
        day = _date(year, month, atom.day)
        if day and day >= today:
            if atom.weekday is not None and day.weekday() != atom.weekday:
                return Resolved("ambiguous", (day,))
            return Resolved("date", (day,))
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
        if year > 9998:
            break
    return Resolved("invalid")


def _weekday(atom: Atom, weekday: int, today: dt.date, base: dt.date | None) -> Resolved:
    coming = next_weekday(weekday, today)
    if atom.modifier == "following":
        return Resolved("date", (next_weekday(weekday, base),)) if base else Resolved("date", (coming,))
    monday = next_monday(today)
    if atom.modifier == "next_week":
        return Resolved("date", (shifted(monday, weekday),))
    if atom.modifier == "next" and coming < monday:
        # "next Friday" on a Tuesday: people differ on whether that is this week's
        return Resolved("ambiguous", (coming, shifted(coming, 7)))
    return Resolved("date", (coming,))


def order_by_weekday(found: Sequence[Atom], today: dt.date) -> Order:
    """The order in which the weekdays written beside numeric dates agree with them; "" where that settles nothing."""
    orders: set[Order] = set()
    for atom in found:
        if atom.numeric in {"/", "-"} and atom.sure_weekday and atom.day != atom.month:
            agreeing = {order for order in ("dm", "md") if day_of(atom, order, today).status == "date"}
            orders |= agreeing if len(agreeing) == 1 else set()
    return orders.pop() if len(orders) == 1 else ""


def order_of(found: Sequence[Atom]) -> Order:
    """The order that a part above 12 settles; "" where none does, or they contradict each other."""
    orders = {
        "dm" if atom.day > 12 else "md"
        for one in found
        for atom in ((one, one.lead) if one.lead else (one,))
        if atom.numeric in {"/", "-"} and (atom.day > 12) != (atom.month > 12)
    }
    return orders.pop() if len(orders) == 1 else ""
