"""Every reason of the catalogue, brought about by a state or by facts; and how its explanation reads.

`CASES` has a case for each entry of the catalogue (and a few more, named), `text` renders them all. The goldens are in
explanations.txt, written by `python -m tests.domain.write_explanations`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.words import explained_lines
from domain.capacity import Booking
from domain.entry import examine
from domain.explain import seen
from domain.explanation import Gate, Recorded, Try, View, explain
from domain.guards import Facts, evaluate
from domain.schedule import seen_by
from domain.sequences import Limits, Schedule, parse_definition
from domain.state import EnrollmentState, Slot
from domain.transitions import pass_time, resolved, system_error
from domain.waiting import Clock, Deferral, Touch, Waiting
from tests.domain.calendars import BERLIN, schedule
from tests.domain.states import (
    DAY,
    NOW,
    active,
    bounced,
    delivered,
    not_sent,
    policy,
    say,
    settling,
    unknown,
)
from tests.domain.test_entry import CAUSES as REFUSED
from tests.domain.test_entry import FREE
from tests.domain.test_guards import CAUSES as GUARDED
from tests.domain.test_guards import CLEAR

MAIL = "mail:0198b3c4-7a10-7f80-9a1b-2c3d4e5f6071"
REPLY = "450 4.2.0 Mailbox busy, try again later"
HOUR = timedelta(hours=1)


def office(**more: Any) -> Schedule:
    """Monday to Friday from 9 to 17, in Berlin unless a contact's own zone counts."""
    return schedule(BERLIN, {"mon-fri": ["09:00-17:00"]}, **more)


OFFICE = office()
ALWAYS = schedule("UTC", {"all": ["00:00-24:00"]})


def at(text: str) -> datetime:
    """An instant of December 2026, UTC: `02 08:00`."""
    return datetime.fromisoformat(f"2026-12-{text}").replace(tzinfo=UTC)


def every(first: datetime, count: int, apart: timedelta, **fields: Any) -> tuple[Booking, ...]:
    """So many emails from `first` on."""
    return tuple(Booking(first + n * apart, **fields) for n in range(count))


def waiting(slot: str | datetime, cause: str | None, *, due: datetime = NOW, **more: Any) -> Waiting:
    """Somebody who waits for `slot`, by the windows of an office in Berlin and generous limits."""
    own = more.pop("own", OFFICE)
    windows, zone = seen_by(own, more.pop("zone", None), more.pop("country", None))
    now = more.pop("now", NOW)
    leaves = at(slot) if isinstance(slot, str) else slot
    state = active(due=due, slot=Slot(at=leaves, cause=cause))
    more.setdefault("limits", Limits())
    return Waiting(more.pop("state", state), now, Clock(zone, now), windows, own, max(now, leaves), **more)


@dataclass(frozen=True)
class Case:
    """A reason brought about, the explanation of it, and the same with the cause taken away, where there is one."""

    view: View
    without: View | None = None

    @property
    def told(self) -> dict[str, Any]:
        return told(self.view)


def told(view: View) -> dict[str, Any]:
    """What the API and the CLI have, but for what comes with the row."""
    pending = [{"message": one.message, "shown": one.shown} for one in view.recorded]
    return {**seen(view.state, view.now, switched_on=view.switch is None), "pending": pending, **explain(view)}


def _view(state: EnrollmentState, **more: Any) -> View:
    _, zone = seen_by(OFFICE, None, None)
    return View(state, NOW, Clock(zone, NOW), **more)


def _guarded(guard: str, change: dict[str, Any]) -> Case:
    """A reason of Not Sent that a guard found; without its cause the guards let the next try pass."""
    facts: Facts = replace(CLEAR, **change)
    failed = evaluate(facts).failed
    assert failed is not None
    assert failed.guard == guard
    assert failed.verdict == "not_sent"
    state = delivered(active(), "not_sent", reason=failed.reason)
    # Whoever asks for a further attempt knows that it is late (store.facts).
    cleared = replace(CLEAR, attempt=2, expires=False)
    still = facts if guard != "in_time" else replace(facts, expires=False)
    return Case(_view(state, trace=evaluate(still)), _view(state, trace=evaluate(cleared)))


def _held(state: EnrollmentState, *gates: Gate) -> Case:
    return Case(_view(state, trace=evaluate(CLEAR), gates=gates), _view(active(), trace=evaluate(CLEAR)))


def _waits(case: Waiting, without: Waiting | None = None) -> Case:
    view = View(case.state, case.now, case.clock, trace=evaluate(CLEAR), waiting=case)
    return Case(view, None if without is None else replace(view, state=without.state, waiting=without))


def _said(name: str, **payload: Any) -> EnrollmentState:
    return say(active(), name, **{"by": MAIL, **payload}).state


def _resolved(state: EnrollmentState, until: datetime) -> EnrollmentState:
    """With the instant at which its first hold ends, as `record` computes it."""
    return resolved(state, state, {state.holds[0].kind: until})


def _policy(name: str, account_reply: str) -> EnrollmentState:
    state = active(policy=policy(account_reply=account_reply))
    return say(state, name, by=MAIL, origin="e-2").state


DOWN = Gate("mailbox", "mara", at("01 07:30"), state="down", code="imap_login")
SPAM = Gate("mailbox", "mara", at("01 07:30"), state="guardrail", code="spam_block")
OFF = Gate("sequence", "spring", at("01 07:30"), by="person:ana")

NOT_SENT: dict[str, Callable[[], Case]] = {
    **{
        reason: lambda guard=guard, change=change: _guarded(guard, change)  # type: ignore[misc]
        for guard, change, verdict, reason in GUARDED
        if verdict == "not_sent"
    },
    "same_account_reply": lambda: Case(_view(_policy("account_reply", "not_sent"), trace=evaluate(CLEAR))),
    "delivery_failed": lambda: Case(
        _view(not_sent(reason="delivery_failed"), trace=evaluate(CLEAR), last_try=Try("rejected", 5, REPLY))
    ),
    "content_rejected": lambda: Case(
        _view(
            not_sent(reason="content_rejected"), trace=evaluate(CLEAR), last_try=Try("rejected", 1, "552 5.3.4 Too big")
        )
    ),
}

_BOUNCED_ADDRESS = next(change for guard, change, _, _ in GUARDED if guard == "address_alive")
BOUNCED: dict[str, Callable[[], Case]] = {
    "hard_bounce": lambda: Case(
        _view(bounced(), trace=evaluate(replace(CLEAR, **_BOUNCED_ADDRESS))), _view(bounced(), trace=evaluate(CLEAR))
    ),
    "spam_block": lambda: Case(
        _view(
            bounced(kind="spam_block"), trace=evaluate(CLEAR), last_try=Try("rejected", 1, "550 5.7.1 Looks like spam")
        )
    ),
}

HELD: dict[str, Callable[[], Case]] = {
    "manual": lambda: _held(_said("pause", by="person:ana", until="2026-12-03T09:00:00Z")),
    "out_of_office": lambda: _held(_resolved(_said("out_of_office", return_date="2026-12-09"), at("10 08:00"))),
    "account_reply": lambda: _held(_policy("account_reply", "pause")),
    "mailbox_down": lambda: _held(delivered(active(), "hold", hold="mailbox_down", gate="mailbox"), DOWN),
    "guardrail": lambda: _held(delivered(active(), "hold", hold="guardrail", gate="mailbox"), SPAM),
    "delivery_unknown": lambda: _held(unknown()),
    "sequence_off": lambda: _held(delivered(active(), "hold"), OFF),
    "system_error": lambda: _held(system_error(active(), "ValueError at domain/x.py:7", NOW).state),
}

_FINISHED_BY: dict[str, tuple[str, dict[str, Any]]] = {
    "replied": ("reply", {}),
    "interested": ("reply", {"interest": "interested"}),
    "not_interested": ("reply", {"interest": "not_interested"}),
    "meeting_booked": ("meeting_booked", {}),
    "unsubscribed": ("unsubscribe", {}),
    "complained": ("complaint", {}),
    "contact_gone": ("contact_gone", {}),
    "manual": ("finish", {"disposition": "no budget"}),
}
FINISHED: dict[str, Callable[[], Case]] = {
    "completed": lambda: Case(_view(settling())),
    "no_reply": lambda: Case(_view(pass_time(settling(), NOW + 6 * DAY).state)),
    "account_replied": lambda: Case(_view(_policy("account_reply", "finish"))),
    **{
        outcome: lambda name=name, payload=payload: Case(_view(_said(name, **payload)))  # type: ignore[misc]
        for outcome, (name, payload) in _FINISHED_BY.items()
    },
}

_TIGHT = Limits(per_day=50, per_hour=20, new_per_day=2)
_FULL = every(at("01 08:00"), 30, timedelta(minutes=4)), every(at("01 12:00"), 20, timedelta(minutes=4))
WAITING: dict[str, Callable[[], Case]] = {
    "delay": lambda: _waits(waiting(NOW + 3 * HOUR, None, due=NOW + 3 * HOUR), waiting(NOW, None)),
    "window": lambda: _waits(
        waiting("02 08:00", "window", due=at("01 18:00"), now=at("01 18:00")),
        waiting("01 18:00", None, due=at("01 18:00"), now=at("01 18:00"), own=ALWAYS),
    ),
    "per_day": lambda: _waits(
        waiting("02 08:00", "window", limits=_TIGHT, sent=_FULL[0][:15], booked=(*_FULL[0][15:], *_FULL[1])),
        waiting(NOW, None, limits=_TIGHT, sent=_FULL[0][:15]),
    ),
    "new_per_day": lambda: _waits(
        waiting(
            "02 08:00",
            "window",
            state=active(1, due=NOW, slot=Slot(at=at("02 08:00"), cause="window")),
            limits=_TIGHT,
            sent=every(at("01 08:00"), 2, HOUR / 2, first_touch=True),
        ),
        waiting(NOW, None, limits=_TIGHT),
    ),
    "per_hour": lambda: _waits(
        waiting("01 09:30", "per_hour", limits=_TIGHT, sent=every(at("01 08:30"), 20, timedelta(minutes=1))),
        waiting(NOW, None, limits=_TIGHT),
    ),
    "per_24h": lambda: _waits(
        waiting(
            "01 10:00", "per_24h", limits=Limits(per_24h=30), sent=every(at("01 10:00") - DAY, 30, timedelta(minutes=9))
        ),
        waiting(NOW, None, limits=Limits(per_24h=30)),
    ),
    "gap": lambda: _waits(
        waiting(
            NOW + timedelta(seconds=90),
            "gap",
            limits=parse_definition(Limits, {"gap": "2m", "jitter": "30s"}),
            sent=(Booking(NOW - timedelta(seconds=30)),),
        ),
        waiting(NOW, None),
    ),
    "touch_gap": lambda: _waits(
        waiting("02 14:00", "touch_gap", touches=(Touch(at("01 02:00"), "autumn", True),), touch_gap=36 * HOUR),
        waiting(NOW, None),
    ),
    "deferred": lambda: _waits(waiting("01 09:15", "deferred", deferral=Deferral(2, REPLY)), waiting(NOW, None)),
    "unread": lambda: _waits(waiting("01 09:15", "unread", unread="imap_unreachable"), waiting(NOW, None)),
    "backoff": lambda: _waits(waiting("01 09:40", "backoff", not_before=at("01 09:40")), waiting(NOW, None)),
    "reserving": lambda: _waits(waiting(NOW, None, state=active(slot=None)), waiting(NOW, None)),
    "sending": lambda: _waits(waiting(NOW, None)),
}

_QUEUE = [every(at(f"{day:02} 08:00"), 50, timedelta(minutes=9)) for day in (1, 2, 3)]
_THANKSGIVING = datetime(2026, 11, 25, 23, 0, tzinfo=UTC)
MORE: dict[str, Callable[[], Case]] = {
    "a holiday in the contact's own zone": lambda: _waits(
        waiting(
            datetime(2026, 11, 27, 14, 0, tzinfo=UTC),
            "window",
            due=_THANKSGIVING,
            now=_THANKSGIVING,
            own=office(zone_of="contact", holidays=("contact",)),
            zone="America/New_York",
            country="US",
        )
    ),
    "a delay that ends in a blackout, in the zone of the contact's country": lambda: _waits(
        waiting(
            datetime(2027, 1, 4, 0, 0, tzinfo=UTC),
            "window",
            due=at("24 09:00"),
            own=office(zone_of="contact", closed=({"from": "2026-12-24", "to": "2027-01-03", "name": "Break"},)),
            country="JP",
        )
    ),
    "a queue of weeks": lambda: _waits(
        replace(
            waiting("18 09:00", "per_hour", limits=_TIGHT, booked=tuple(one for day in _QUEUE for one in day)),
            known_until=at("02 12:00"),
        )
    ),
    "room came free since it was booked": lambda: _waits(waiting("01 13:00", "per_hour")),
    "a booking that no longer fits": lambda: _waits(waiting("01 17:00", None, due=at("01 17:00"))),
    "a guard that will object": lambda: Case(
        replace(
            _waits(waiting(NOW + HOUR, None, due=NOW + HOUR)).view,
            trace=evaluate(
                replace(CLEAR, **next(change for guard, change, _, _ in GUARDED if guard == "contact_stage"))
            ),
        )
    ),
    "the switch is off": lambda: Case(
        replace(
            _waits(waiting(NOW + HOUR, None, due=NOW + HOUR)).view,
            gates=(Gate("global", "", at("01 07:30"), by="key:ops"),),
        )
    ),
    "a stop that is recorded and not taken up": lambda: Case(
        replace(
            _waits(waiting(NOW + HOUR, None, due=NOW + HOUR)).view,
            recorded=(Recorded("reply", "mail/1/reply", MAIL, "2026-12-01T08:59:00Z", "stopping"),),
        )
    ),
    "several holds, with a give-up time": lambda: _held(
        say(
            active(
                holds=delivered(active(), "hold", hold="mailbox_down", gate="mailbox").holds,
                slot=None,
                policy=policy(give_up_seconds=14 * 86400.0),
            ),
            "out_of_office",
            by=MAIL,
        ).state,
        DOWN,
    ),
    "a date whose instant is about to be known": lambda: _held(_said("pause", by="person:ana", until="2026-12-09")),
    "given up": lambda: Case(_view(not_sent().model_copy(update={"closed": True}))),
    "removed": lambda: Case(_view(_said("remove"))),
}

GROUPS: dict[str, dict[str, Callable[[], Case]]] = {
    "not_sent": NOT_SENT,
    "bounced": BOUNCED,
    "hold": HELD,
    "finished": FINISHED,
    "wait": WAITING,
    "more": MORE,
}


def refusal(code: str) -> dict[str, Any]:
    """What a caller is told of a refusal at enrollment."""
    (found,) = (one for one in examine(replace(FREE, **REFUSED[code])) if one.code == code)
    return found.as_json()


def text() -> str:
    """All explanations, as people read them. Guards that pass are left out but once."""
    parts = []
    for group, cases in GROUPS.items():
        for name, make in cases.items():
            case = make()
            lines = explained_lines(case.told, case.view.now)
            if (group, name) != ("not_sent", "contact_stage_excluded"):
                objects = any(line.startswith("    STOP") for line in lines)
                lines = [line for line in lines if not line.startswith("    ok  ")]
                lines = [line for line in lines if objects or not line.startswith("  guards")]
            parts.append("\n".join((f"## {group}: {name}", "", *lines)))
    for code in REFUSED:
        told = refusal(code)
        parts.append("\n".join((f"## refused: {code}", "", *(f"  {name}: {json.dumps(told[name])}" for name in told))))
    return "\n\n".join(parts) + "\n"
