"""What will happen, when nothing comes from outside: every email that is still to leave, in the order in which they leave.

The planner plays the rules by which the activities book (`domain.mailbox_calendar` is their calendar in memory) over the
states as they are: a slot comes due, the email leaves at its slot, the next step's due time is counted from it, and its
slot is booked. What is booked already is certain as far as anything is; the rest is an estimate under these assumptions:
nobody replies, nothing bounces, switches, limits, schedules and definitions stay as they are, and nobody else is enrolled.

Pure. Instants are aware; results are UTC. Never call this from workflow code: it computes calendars.
"""

from __future__ import annotations

import heapq
from bisect import insort
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from datetime import datetime, timedelta
from typing import Literal

from domain.capacity import NOTHING, Booking, Own, Rule, jitter
from domain.durations import Duration
from domain.guards import expires_at
from domain.mailbox_calendar import MailboxCalendar
from domain.plans import End, Gate, Member, Newcomer, Plan, Planned, Running, Sender, World
from domain.schedule import after, is_open, resolve_moment, return_from_absence, seen_by
from domain.sequences import Schedule, Sequence, SequenceSettings, StepRef, step_ref, step_to_send
from domain.state import EnrollmentState, Hold, status
from domain.statuses import HoldKind, Status

IN_TIME = timedelta(seconds=60)
"""An email that leaves this near to its slot left in time: the next wait is counted from the slot."""

TOLERANCE = timedelta(seconds=2)
"""A limit that frees within this time is waited for at the slot (activities/deliver.py)."""

COUNTED = 200
"""Up to so many waiting, mailboxes are compared by their number (store/slots.py)."""


# ---------------------------------------------------------------------------------------------------------------------
# Rules that the activities decide by, too


def following(
    sequence: Sequence, schedule: Schedule, step: StepRef, done: Collection[str], slot: datetime | None, now: datetime
) -> tuple[StepRef | None, datetime]:
    """The step after `step`, which left at `now` from `slot`, and its due time; or no step and the end of the settle time.
    `done`: IDs of steps that went out before."""
    index = step_to_send(sequence, step, advance=True, done=done)
    if index is None:
        return None, _counted(schedule, slot, now, sequence.settings.settle)
    return step_ref(sequence, index), _counted(schedule, slot, now, sequence.steps[index].wait)


def _counted(schedule: Schedule, slot: datetime | None, now: datetime, wait: Duration) -> datetime:
    """The end of a wait after an email: counted from its slot, if it left in time. So the steps of a sequence do not drift by
    the seconds that sending takes, and what was forecast comes true. A wait is never shortened by more than a tenth."""
    end = after(schedule, now, wait)
    if slot is not None and abs(now - slot) <= min(IN_TIME, (end - now) / 10):
        return after(schedule, slot, wait)
    return end


def hold_end(hold: Hold, schedule: Schedule, settings: SequenceSettings) -> datetime | None:
    """When a hold ends by its date; None if it has none."""
    if hold.day is None:
        return hold.until
    if hold.buffered:
        return return_from_absence(schedule, hold.day, settings.out_of_office_buffer)
    return resolve_moment(schedule, hold.day)


def least_booked(mailboxes: Seq[str], queues: Mapping[str, tuple[int, float]]) -> str:
    """The mailbox with the fewest bookings ahead; among those with many, the one whose queue ends first; the first named
    among equals. `queues`: how many wait (counted up to COUNTED), and where the queue ends."""

    def rank(mailbox: str) -> tuple[float, ...]:
        waiting, last = queues[mailbox]
        return (COUNTED, last) if waiting >= COUNTED else (waiting,)

    return min(mailboxes, key=rank)


# ---------------------------------------------------------------------------------------------------------------------
# Questions


def plan(world: World, enrollment: str) -> Plan:
    """What is ahead of one enrollment, with all others of the world beside it. Raises NeverOpen, NoRoom."""
    play = Play(world)
    emails = [email for email in play.run(until_over=enrollment) if email.enrollment == enrollment]
    return Plan(tuple(emails), play.ends.get(enrollment))


Hours = dict[tuple[str, datetime], int]


def histogram(emails: Iterable[Planned]) -> Hours:
    """Emails per mailbox and hour (its begin, UTC)."""
    hours: Hours = defaultdict(int)
    for email in emails:
        hours[email.mailbox, email.at.replace(minute=0, second=0, microsecond=0)] += 1
    return dict(hours)


def forecast(world: World, until: datetime) -> Hours:
    """Emails per mailbox per hour from now until `until`. Raises NeverOpen, NoRoom."""
    return histogram(Play(world).run(until=until))


# ---------------------------------------------------------------------------------------------------------------------
# The play


class _Run:
    """Where an enrollment stands in the play."""

    def __init__(self, who: Member | Newcomer, running: Running) -> None:
        state = who.state if isinstance(who, Member) else None
        self.who = who
        self.running = running
        self.schedule, _ = seen_by(running.schedule, who.zone, who.country)
        self.enrollment = state.enrollment if state else who.enrollment  # type: ignore[union-attr]
        self.contact = state.contact if state else who.contact  # type: ignore[union-attr]
        self.mailbox = state.mailbox if state else who.mailbox  # type: ignore[union-attr]
        self.step = state.step if state else None
        self.due = state.due if state else None
        self.sent = state.sent if state else 0
        self.done = set(who.done) if isinstance(who, Member) else set()
        self.advance = state.advance if state else False
        self.hurried = state.hurried if state else False
        self.booking: Booking | None = None
        self.cause: str | None = None
        self.certain = False
        """The booking is one that stands in the real calendar."""


class Play:
    """One play of a world. `ends` fills as enrollments come to their ends."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ends: dict[str, End] = {}
        self._calendars: dict[str, MailboxCalendar] = {}
        self._rules: dict[tuple[str, str, int, bool], Rule] = {}
        self._runs: dict[str, _Run] = {}
        # Emails of a contact that left, in order; and who of it has one booked. Kept where a touch gap asks for it.
        self._touches = defaultdict(list, {contact: sorted(times) for contact, times in world.touches.items()})
        self._of_contact: dict[str, list[_Run]] = defaultdict(list)
        self._spaced = any(running.sequence.settings.touch_gap.delta for running in world.sequences.values())
        self._heap: list[tuple[datetime, bool, str]] = []
        booked: dict[str, list[Booking]] = {name: list(sender.booked) for name, sender in world.senders.items()}
        for member in world.members:
            self._take_in(member, booked)
        for name, sender in world.senders.items():
            self._calendars[name] = MailboxCalendar(booked[name], sender.left)
        for newcomer in world.newcomers:
            run = self._add(newcomer, world.sequences[newcomer.sequence])
            run.due = after(run.schedule, newcomer.at, run.running.sequence.steps[0].wait)
            self._wake(run, max(newcomer.at, newcomer.held_until or newcomer.at))

    def run(self, *, until: datetime | None = None, until_over: str | None = None) -> Iterator[Planned]:
        """The emails in the order in which they leave; those due at once by the order of enrollment IDs."""
        while self._heap and until_over not in self.ends:
            at, _, enrollment = heapq.heappop(self._heap)
            if until is not None and at >= until:
                return
            email = self._move(self._runs[enrollment], at)
            if email is not None:
                yield email

    # -- taking in ----------------------------------------------------------------------------------------------------

    def _add(self, who: Member | Newcomer, running: Running) -> _Run:
        run = _Run(who, running)
        self._runs[run.enrollment] = run
        if self._spaced:
            self._of_contact[run.contact].append(run)
        return run

    def _take_in(self, member: Member, booked: dict[str, list[Booking]]) -> None:
        state, now = member.state, self.world.now
        run = self._add(member, self.world.sequences[state.sequence])
        if state.slot is not None and state.mailbox in booked and not state.closed:
            run.booking = member.booked or Booking(state.slot.at, state.sent == 0)
            run.cause, run.certain = state.slot.cause, True
        current = status(state)
        if state.closed or state.outcome is not None or state.removed:
            self._end(run, "closed" if state.closed else "finished", state.settle_until, state.outcome or "removed")
        elif member.stopped is not None:
            self._end(run, "waits", reason=member.stopped)
        elif state.halt is not None:
            self._end(run, "waits", reason=state.halt.reason)
        elif current is Status.PAUSED:
            self._wait_for_holds(run, state)
        elif state.slot is not None and not state.advance:
            self._wake(run, max(state.slot.at, now))
        else:
            self._wake(run, now)
        if run.booking is not None and run.mailbox is not None:
            booked[run.mailbox].append(run.booking)

    def _wait_for_holds(self, run: _Run, state: EnrollmentState) -> None:
        """An enrollment goes on when its last hold ends, at its own due time or then."""
        ends: list[datetime] = []
        for hold in state.holds:
            end = hold_end(hold, run.schedule, run.running.sequence.settings)
            if hold.kind in (HoldKind.SEQUENCE_OFF, HoldKind.MAILBOX_DOWN, HoldKind.GUARDRAIL):
                gate = self._gate_of(run, hold.kind)
                end = self.world.now if gate.open else gate.opens_at
            if end is None:
                self._end(run, "waits", reason=hold.kind.value)
                return
            ends.append(end)
        released = max(self.world.now, *ends)
        run.due = released if run.due is None else max(run.due, released)
        self._wake(run, released)

    def _gate_of(self, run: _Run, kind: HoldKind) -> Gate:
        if kind is HoldKind.SEQUENCE_OFF:
            return run.running.switch
        sender = self.world.senders.get(run.mailbox or "")
        return sender.gate if sender is not None else Gate()

    # -- moves --------------------------------------------------------------------------------------------------------

    def _wake(self, run: _Run, at: datetime) -> None:
        # Who enters is given a mailbox before those that entered with it leave theirs.
        heapq.heappush(self._heap, (at, run.step is not None, run.enrollment))

    def _end(
        self,
        run: _Run,
        what: Literal["finished", "waits", "not_sent", "closed"],
        at: datetime | None = None,
        reason: str | None = None,
    ) -> None:
        self.ends[run.enrollment] = End(run.enrollment, what, at, reason, run.step)
        self._release(run)

    def _move(self, run: _Run, now: datetime) -> Planned | None:
        if run.booking is None:
            self._reserve(run, now)
            return None
        if run.booking.at > now:
            self._wake(run, run.booking.at)
            return None
        return self._deliver(run, run.booking, now)

    def _reserve(self, run: _Run, now: datetime) -> None:
        """Find the step to send and book its slot (activities/enrollment.py)."""
        sequence = run.running.sequence
        if run.step is None:
            run.mailbox = run.mailbox or self._choose(sequence.mailboxes)
            run.step, run.due = step_ref(sequence, 0), max(run.due or now, now)
            self._book(run, run.due)
            return
        index = step_to_send(sequence, run.step, advance=run.advance, done=run.done)
        if index is None:
            self._end(run, "finished", after(run.schedule, now, sequence.settings.settle), "completed")
            return
        if run.advance:
            run.due = now if run.hurried else after(run.schedule, now, sequence.steps[index].wait)
        run.step, run.advance, run.hurried = step_ref(sequence, index), False, False
        run.due = run.due or now
        self._book(run, max(run.due, now))

    def _deliver(self, run: _Run, booking: Booking, now: datetime) -> Planned | None:
        """What `deliver` does at a slot that is due (activities/deliver.py)."""
        assert run.step is not None
        sequence, step = run.running.sequence, run.step
        found = next((one for one in sequence.steps if one.id == step.id), None)
        if found is None:
            self._release(run)
            self._reserve(run, now)
            return None
        sender = self.world.senders.get(run.mailbox or "")
        assert sender is not None
        for gate, hold in ((run.running.switch, HoldKind.SEQUENCE_OFF), (sender.gate, HoldKind.MAILBOX_DOWN)):
            if gate.shut(now):
                self._park(run, gate, hold)
                return None
        reason = self._not_sent(run, step.id)
        expiry = expires_at(found, booking.at)
        if expiry is not None and now > expiry:
            reason = reason or "step_expired"
        if reason is not None:
            self._end(run, "not_sent", now, reason)
            return None
        cause = self._in_the_way(run, sender, booking, now)
        if cause is not None:
            self._release(run)
            self._book(run, now, cause)
            return None
        return self._send(run, booking, now)

    def _not_sent(self, run: _Run, step: str) -> str | None:
        if run.mailbox not in run.running.sequence.mailboxes:
            return "mailbox_missing"
        return run.who.not_sent.get(step)

    def _in_the_way(self, run: _Run, sender: Sender, booking: Booking, now: datetime) -> str | None:
        if sender.not_before is not None and sender.not_before > now:
            return "backoff"
        if not is_open(run.schedule, now):
            return "window"
        assert run.mailbox is not None
        own = NOTHING
        gap = run.running.sequence.settings.touch_gap.delta
        if gap and self._touches[run.contact]:
            own = Own(touches=(self._touches[run.contact][-1],), touch_gap=gap)
        broken = self._calendars[run.mailbox].broken(self._rule(run), now, own)
        return None if broken is None or broken.frees_at <= now + TOLERANCE else broken.cause

    def _send(self, run: _Run, booking: Booking, now: datetime) -> Planned:
        assert run.step is not None
        assert run.mailbox is not None
        calendar = self._calendars[run.mailbox]
        slot = booking.at
        if slot != now:  # overdue, from before this world
            calendar.release(booking)
            booking = Booking(now, booking.first_touch, booking.jitter)
            calendar.book(booking)
        calendar.leave(booking)
        if self._spaced:
            insort(self._touches[run.contact], now)
        email = Planned(
            run.enrollment,
            run.contact,
            run.running.sequence.id,
            run.step,
            run.mailbox,
            run.due or now,
            now,
            run.cause,
            run.certain,
        )
        run.booking, run.certain, run.sent = None, False, run.sent + 1
        step, due = following(run.running.sequence, run.schedule, run.step, run.done, slot, now)
        run.done.add(run.step.id)
        if step is None:
            self._end(run, "finished", due, "completed")
        else:
            run.step, run.due = step, due
            self._book(run, due)
        return email

    def _park(self, run: _Run, gate: Gate, hold: HoldKind) -> None:
        self._release(run)
        if gate.opens_at is None:
            self._end(run, "waits", reason=hold.value)
            return
        run.due = gate.opens_at if run.due is None else max(run.due, gate.opens_at)
        self._wake(run, gate.opens_at)

    # -- calendars ----------------------------------------------------------------------------------------------------

    def _choose(self, mailboxes: Seq[str]) -> str:
        return least_booked(mailboxes, {name: self._calendars[name].queue for name in mailboxes})

    def _rule(self, run: _Run) -> Rule:
        assert run.mailbox is not None
        days = run.running.schedule
        key = (run.mailbox, run.running.sequence.id, id(run.schedule), run.sent == 0)
        found = self._rules.get(key)
        if found is None:
            found = Rule(run.schedule, days, self.world.senders[run.mailbox].limits, run.sent == 0)
            self._rules[key] = found
        return found

    def _release(self, run: _Run) -> None:
        if run.booking is not None and run.mailbox is not None:
            if run.mailbox in self._calendars:
                self._calendars[run.mailbox].release(run.booking)
            run.booking = None
            run.certain = False

    def _book(self, run: _Run, due: datetime, cause: str | None = None) -> None:
        """Book the earliest slot from `due` on (store/slots.py)."""
        if run.mailbox not in self.world.senders:
            self._end(run, "not_sent", due, "mailbox_missing")
            return
        assert run.mailbox is not None
        assert run.step is not None
        sender, calendar = self.world.senders[run.mailbox], self._calendars[run.mailbox]
        if sender.not_before is not None and sender.not_before > due:
            due, cause = sender.not_before, "backoff"
        space = jitter(sender.limits, run.enrollment, run.step.id)
        gap = run.running.sequence.settings.touch_gap.delta
        own = Own(space, self._touches_near(run, due - gap), gap) if gap else Own(space)
        found = calendar.find(self._rule(run), due, own)
        run.booking = Booking(found.at, run.sent == 0, space)
        run.cause = found.cause or cause
        calendar.book(run.booking)
        self._wake(run, found.at)

    def _touches_near(self, run: _Run, since: datetime) -> tuple[datetime, ...]:
        """Other emails to the contact after `since`, that left or are booked for its other enrollments."""
        times = [at for at in self._touches[run.contact] if at > since]
        others = (other.booking for other in self._of_contact[run.contact] if other is not run)
        return tuple(
            sorted([*times, *(booking.at for booking in others if booking is not None and booking.at > since)])
        )
