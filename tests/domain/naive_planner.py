"""A planner that knows nothing clever: it walks through time and asks at every instant whether an email could leave.

It shares no code with domain/planner.py, domain/capacity.py or domain/schedule.py: local clocks are read from zoneinfo, and
every rule is asked of every booking. Instants are walked by quarters of an hour, on which all windows and changes of the
clock lie, and by seconds where jitter takes emails off them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import holidays

from domain import capacity
from domain.durations import Duration
from domain.plans import Member, Newcomer, World
from domain.sequences import WEEKDAYS, Limits, Schedule

ZONE_OF_COUNTRY = {"DE": "Europe/Berlin", "EG": "Africa/Cairo", "CU": "America/Havana", "NP": "Asia/Kathmandu"}
QUARTER, SECOND, HOUR = timedelta(minutes=15), timedelta(seconds=1), timedelta(hours=1)


@dataclass
class Mail:
    """An email in a mailbox's calendar."""

    at: datetime
    first: bool
    space: timedelta
    contact: str = ""
    enrollment: str = ""


@dataclass(frozen=True)
class Seen:
    """A schedule in a zone, with the countries whose holidays count."""

    schedule: Schedule
    zone: ZoneInfo
    countries: frozenset[str]


@dataclass
class Walker:
    """Where an enrollment stands: the index of its next step, and the place of it."""

    enrollment: str
    contact: str
    sequence: str
    own: Seen
    index: int = 0
    mailbox: str = ""
    due: datetime = field(default_factory=lambda: datetime.max.replace(tzinfo=UTC))
    mail: Mail | None = None
    sent: int = 0


@dataclass
class Naive:
    """A world in play."""

    world: World
    calendars: dict[str, list[Mail]] = field(default_factory=dict)
    left: dict[str, list[datetime]] = field(default_factory=dict)

    def run(self) -> list[tuple[str, str, str, datetime, datetime]]:
        """Enrollment, step, mailbox, due time and departure of every email, in order."""
        for name, sender in self.world.senders.items():
            mails = [Mail(b.at, b.first_touch, b.jitter) for b in (*sender.booked, *sender.left)]
            self.calendars[name] = mails
        coming: list[tuple[datetime, str, Walker, bool]] = []
        for member in self.world.members:
            state, running = member.state, self.world.sequences[member.state.sequence]
            assert state.step is not None
            assert state.mailbox is not None
            own = seen(running.schedule, member)
            walker = Walker(state.enrollment, state.contact, state.sequence, own, state.step.number - 1, state.mailbox)
            walker.sent = state.sent
            begin = max([self.world.now, *(hold.until for hold in state.holds if hold.until)])
            walker.due = max(state.due or begin, begin) if state.holds else state.due or begin
            coming.append((begin, state.enrollment, walker, False))
        for who in self.world.newcomers:
            running = self.world.sequences[who.sequence]
            walker = Walker(who.enrollment, who.contact, who.sequence, seen(running.schedule, who))
            coming.append((who.at, who.enrollment, walker, False))
        result = []
        while coming:
            coming.sort(key=lambda one: (one[0], one[2].mailbox != "", one[1]))
            now, _, walker, leaves = coming.pop(0)
            running = self.world.sequences[walker.sequence]
            steps, own = running.sequence.steps, walker.own
            if not leaves:
                if not walker.mailbox:
                    walker.mailbox = self._fewest(running.sequence.mailboxes)
                    walker.due = wait(own, now, steps[0].wait)
                coming.append((self._book(walker, max(walker.due, now)), walker.enrollment, walker, True))
                continue
            touch_gap = running.sequence.settings.touch_gap.delta
            if any(now - at < touch_gap for at in self.left.get(walker.contact, [])):
                # A sequence without a touch gap has written to the contact since: the email looks for a place again.
                self.calendars[walker.mailbox] = [m for m in self.calendars[walker.mailbox] if m is not walker.mail]
                coming.append((self._book(walker, now), walker.enrollment, walker, True))
                continue
            result.append((walker.enrollment, steps[walker.index].id, walker.mailbox, walker.due, now))
            self.left.setdefault(walker.contact, []).append(now)
            walker.mail, walker.sent, walker.index = None, walker.sent + 1, walker.index + 1
            if walker.index < len(steps):
                walker.due = wait(own, now, steps[walker.index].wait)
                coming.append((self._book(walker, walker.due), walker.enrollment, walker, True))
        return result

    def _fewest(self, names: Iterable[str]) -> str:
        outsiders = {name: len(self.world.senders[name].booked) for name in names}
        waiting = self.waiting
        return min(names, key=lambda name: outsiders[name] + waiting.get(name, 0))

    @property
    def waiting(self) -> dict[str, int]:
        gone = {(who, at) for who, times in self.left.items() for at in times}
        return {
            name: sum(bool(mail.enrollment) and (mail.contact, mail.at) not in gone for mail in mails)
            for name, mails in self.calendars.items()
        }

    def _book(self, walker: Walker, due: datetime) -> datetime:
        running, limits = self.world.sequences[walker.sequence], self.world.senders[walker.mailbox].limits
        own, days = walker.own, ZoneInfo(running.schedule.zone)
        step = running.sequence.steps[walker.index].id
        mail = Mail(due, walker.sent == 0, capacity.jitter(limits, walker.enrollment, step))
        mail.contact, mail.enrollment = walker.contact, walker.enrollment
        touch_gap = running.sequence.settings.touch_gap.delta
        others = list(self.left.get(walker.contact, []))
        for mails in self.calendars.values():
            others += [m.at for m in mails if m.contact == walker.contact and m.enrollment != walker.enrollment]
        fine = bool(limits.jitter.delta)
        calendar = self.calendars[walker.mailbox]
        while True:
            if is_open(own, mail.at) and not full_day(calendar, mail, limits, days):
                until = next_quarter(mail.at)
                near = [other for other in calendar if abs(other.at - mail.at) < 26 * HOUR]
                while mail.at < until and (
                    any(abs(mail.at - at) < touch_gap for at in others) or crowded(near, mail, limits)
                ):
                    mail.at += SECOND if fine else QUARTER
                if mail.at < until:
                    break
            else:
                mail.at = next_quarter(mail.at)
        calendar.append(mail)
        walker.mail = mail
        return mail.at


def next_quarter(at: datetime) -> datetime:
    """The next instant on which a window or a day can begin."""
    return datetime.fromtimestamp((int(at.timestamp()) // 900 + 1) * 900, UTC)


def seen(schedule: Schedule, who: Member | Newcomer) -> Seen:
    """By a contact: the zone of its record, else of its country, where the schedule asks for it; else the schedule's."""
    zone = schedule.zone
    if schedule.zone_of == "contact":
        zone = who.zone or ZONE_OF_COUNTRY.get(who.country or "") or zone
    countries = {who.country if name == "contact" else name for name in schedule.holidays}
    return Seen(schedule, ZoneInfo(zone), frozenset(name for name in countries if name))


@cache
def holidays_of(name: str) -> holidays.HolidayBase:
    country, _, part = name.partition("-")
    return holidays.country_holidays(country, subdiv=part or None)


def is_open(own: Seen, at: datetime) -> bool:
    """Whether the clock on the wall shows a time inside a window of an open day."""
    local = at.astimezone(own.zone)
    return open_day(own, local.date()) and any(
        window.start <= local.time() < window.end or (window.end.hour == 23 and window.start <= local.time())
        for window in own.schedule.windows[WEEKDAYS[local.weekday()]]  # type: ignore[index]
    )


def open_day(own: Seen, day: date) -> bool:
    shut = any(blackout.first <= day <= blackout.last for blackout in own.schedule.closed)
    shut = shut or any(day in holidays_of(name) for name in own.countries)
    shut = shut and day not in own.schedule.open_anyway
    return bool(own.schedule.windows.get(WEEKDAYS[day.weekday()])) and not shut  # type: ignore[call-overload]


def opens_on(own: Seen, day: date) -> bool:
    """Whether some quarter of an hour of the day is open."""
    if not open_day(own, day):
        return False
    at = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(hours=15)
    return any(is_open(own, t) and t.astimezone(own.zone).date() == day for t in (at + QUARTER * i for i in range(220)))


def wait(own: Seen, at: datetime, duration: Duration) -> datetime:
    """Clock time is added; days keep the time on the wall, and a time that the clock skips is the first one behind it."""
    if not duration.days and not duration.business_days:
        return at + duration.delta
    local = at.astimezone(own.zone)
    day = local.date() + timedelta(days=duration.days)
    for _ in range(duration.business_days):
        day += timedelta(days=1)
        while not opens_on(own, day):
            day += timedelta(days=1)
    wanted = datetime.combine(day, local.time())
    found = wanted.replace(tzinfo=UTC) - timedelta(hours=15)
    while found.astimezone(own.zone).replace(tzinfo=None) < wanted:
        found += QUARTER
    while (found - SECOND).astimezone(own.zone).replace(tzinfo=None) >= wanted:
        found -= SECOND
    return found


def full_day(calendar: list[Mail], mail: Mail, limits: Limits, days: ZoneInfo) -> bool:
    day = mail.at.astimezone(days).date()
    today = [
        other for other in calendar if abs(other.at - mail.at) < 26 * HOUR and other.at.astimezone(days).date() == day
    ]
    return len(today) >= limits.per_day or (mail.first and sum(other.first for other in today) >= limits.first_touches)


def crowded(calendar: list[Mail], mail: Mail, limits: Limits) -> bool:
    """Whether the email would come too near to another, or one too many in some 60 minutes or 24 hours."""
    for other in calendar:
        first, second = (other, mail) if other.at <= mail.at else (mail, other)
        space = limits.gap.delta + first.space
        if second.at < first.at + space:
            return True
    for span, most in ((HOUR, limits.per_hour), (24 * HOUR, limits.per_24h)):
        near = sorted(other.at for other in calendar if abs(other.at - mail.at) < span)
        if most is not None and len(near) >= most and one_too_many([*near, mail.at], mail.at, span, most):
            return True
    return False


def one_too_many(times: list[datetime], at: datetime, span: timedelta, most: int) -> bool:
    times = sorted(times)
    return any(first <= at <= last and last - first < span for first, last in zip(times, times[most:], strict=False))


def broken_limits(times: list[datetime], limits: Limits) -> list[str]:
    """Which rolling limits these departures break, wherever the 60 minutes or 24 hours begin."""
    times = sorted(times)
    broken = []
    for name, span, most in (("per_hour", HOUR, limits.per_hour), ("per_24h", 24 * HOUR, limits.per_24h)):
        if most is not None and any(b - a < span for a, b in zip(times, times[most:], strict=False)):
            broken.append(name)
    if any(b - a < limits.gap.delta for a, b in pairwise(times)):
        broken.append("gap")
    return broken
