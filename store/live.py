"""What a page that is open asks again and again: has anything changed that it shows? Cheap enough to be asked each second."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.state import effective_status
from domain.statuses import HoldKind, Status
from store.database import Connection
from store.keyset import InvalidFilter
from store.queries import sql

MAX_WATCHED = 200


@dataclass(frozen=True)
class Fingerprint:
    """Which state of an enrollment this is: while two are equal, a list shows the same of it.

    `epoch`, `version`: they only ever rise. `pending`: stops that are recorded and not taken up. `status`, `reason`: the
    effective ones. What a person changes of the contact is not in it.
    """

    sequence: str
    epoch: int
    version: int
    pending: int
    status: Status
    reason: str | None
    closed: bool
    last_event_at: datetime
    next_at: datetime | None


@dataclass(frozen=True)
class Switch:
    """A master switch: on or off, since when, by whom. `epoch` rises at each change."""

    on: bool
    since: datetime
    by: str
    epoch: int


@dataclass(frozen=True)
class Switches:
    """The switch over everything, and that of each sequence by its ID."""

    everything: Switch
    sequences: dict[str, Switch]

    def on(self, sequence: str) -> bool:
        """Whether its emails may leave: both switches are on."""
        return self.everything.on and self.sequences[sequence].on


async def fingerprints(connection: Connection, enrollments: Iterable[str]) -> dict[str, Fingerprint]:
    """The fingerprints of up to 200 enrollments by their IDs; those that there are. Raises InvalidFilter."""
    try:
        keys = [UUID(key) for key in enrollments]
    except ValueError:
        raise InvalidFilter("not an enrollment's ID", field="enrollments", fix="IDs are UUIDs") from None
    if len(keys) > MAX_WATCHED:
        raise InvalidFilter(f"{len(keys)} rows", field="enrollments", fix=f"at most {MAX_WATCHED} at once")
    found = {}
    for row in await connection.fetch(sql("live.fingerprints"), keys):
        own = Status(row["status"])
        effective = effective_status(own, switched_on=row["switched_on"])
        found[str(row["id"])] = Fingerprint(
            sequence=row["sequence_id"],
            epoch=row["run_epoch"],
            version=row["version"],
            pending=row["pending"],
            status=effective,
            reason=row["reason"] if effective is own else HoldKind.SEQUENCE_OFF.value,
            closed=row["closed"],
            last_event_at=row["last_event_at"],
            next_at=row["next_at"],
        )
    return found


async def switches(connection: Connection) -> Switches:
    """All master switches."""
    everything = await connection.fetchrow(sql("live.global_switch"))
    assert everything is not None
    rows = await connection.fetch(sql("live.switches"))
    return Switches(
        Switch(everything["switched_on"], everything["switched_at"], everything["switched_by"], everything["epoch"]),
        {row["id"]: Switch(row["switched_on"], row["switched_at"], row["switched_by"], row["epoch"]) for row in rows},
    )


async def counts(connection: Connection, known: Switches | None = None) -> dict[str, dict[Status, int]]:
    """How many enrollments of each sequence have each effective status: every sequence, every status. One query beside the
    switches, which are read unless they are `known`. Of one sequence: `store.listing.counts`."""
    known = known or await switches(connection)
    found = {key: dict.fromkeys(Status, 0) for key in known.sequences}
    for row in await connection.fetch(sql("live.counts")):
        key = row["sequence_id"]
        if key in found:  # else it was added since
            found[key][effective_status(Status(row["status"]), switched_on=known.on(key))] += row["n"]
    return found


async def mailbox_states(connection: Connection) -> dict[str, tuple[str, str | None, int]]:
    """State, code and epoch of each mailbox's gate."""
    rows = await connection.fetch(sql("live.mailboxes"))
    return {row["id"]: (row["state"], row["state_code"], row["epoch"]) for row in rows}
