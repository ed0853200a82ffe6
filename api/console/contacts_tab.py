"""A sequence's contacts: by status, searched, filtered, sorted, page by page; and its rows anew as things happen."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Annotated, Any, cast, get_args

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.access import needs
from api.console.pages import render, with_query
from api.services import Hands
from domain.reasons import CATALOGUE
from domain.statuses import Status
from store import catalog, gates, listing
from store.catalog import StoredSequence
from store.database import Connection
from store.keyset import Sort

router = APIRouter(prefix="/sequences/{id}", dependencies=[needs("read")])

PAGE = 50
SHOWN = (Status.ACTIVE, Status.PAUSED, Status.BOUNCED, Status.NOT_SENT, Status.FINISHED)
LABELS = {one.value: one.label for one in Status} | {"bounced": "Bounced / Spamblocked"}
SORTS = (
    ("last_event.desc", "Last event"),
    ("next_action.asc", "Next action"),
    ("status.asc", "Status"),
    ("step.asc", "Step, first ones first"),
    ("step.desc", "Step, last ones first"),
    ("name.asc", "Name"),
    ("last_event.asc", "Longest without an event"),
)
BULK = (("pause", "Pause …"), ("resume", "Resume …"), ("finish", "Finish …"), ("remove", "Remove …"))


@dataclass(frozen=True)
class Chosen:
    """What the reader has chosen to see; names as in the page's address."""

    status: str | None = None
    reason: str | None = None
    step: str | None = None
    mailbox: str | None = None
    search: str | None = None
    sort: str | None = None

    @property
    def any(self) -> bool:
        """Whether a filter beyond the status is on."""
        return bool(self.reason or self.step or self.mailbox or self.search)

    @property
    def order(self) -> str:
        """The chosen order, or the usual one."""
        return self.sort if self.sort in dict(SORTS) else SORTS[0][0]


Text = Annotated[str | None, Query(max_length=2_000)]


def chosen_of(request: Request) -> Chosen:
    """What the page's address says; an empty field of the form is no filter."""
    given = {field.name: (request.query_params.get(field.name) or "").strip() or None for field in fields(Chosen)}
    return Chosen(**given)


@router.get("")
async def page(request: Request, id: str, hands: Hands, cursor: Text = None) -> Response:
    """The contacts tab."""
    chosen = chosen_of(request)
    sort, _, direction = chosen.order.partition(".")
    assert sort in get_args(Sort)
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        found = await listing.page(
            connection,
            id,
            status=[chosen.status] if chosen.status else None,
            reason=chosen.reason,
            step=chosen.step,
            mailbox=chosen.mailbox,
            search=chosen.search,
            sort=cast(Sort, sort),
            descending=direction == "desc",
            cursor=cursor,
            limit=PAGE,
        )
        given = asdict(chosen)
        head = await head_of(connection, stored, chosen)
    base = f"/sequences/{id}"
    return render(
        request,
        "contacts.html",
        **head,
        part="contacts",
        rows=found.rows,
        first=cursor is None,
        first_link=with_query(base, given),
        next_link=with_query(base, given, cursor=found.next_cursor) if found.next_cursor else None,
        here=with_query(base, given, cursor=cursor),
        query=with_query("", given, cursor=cursor).removeprefix("?"),
        steps=stored.definition.steps,
        mailboxes=stored.definition.mailboxes,
        reasons=REASONS,
        sorts=SORTS,
        bulk_actions=BULK,
    )


async def head_of(connection: Connection, stored: StoredSequence, chosen: Chosen = Chosen()) -> dict[str, Any]:
    """What the head of a sequence's pages shows: name, switch, and how many contacts have each status."""
    counts = await listing.counts(connection, stored.definition.id)
    everything_on, _ = await gates.read(connection, "global", "")
    one = {"id": stored.definition.id, "name": stored.definition.name, "on": stored.switched_on}
    return {
        "one": one,
        "everything_on": everything_on,
        "counts": {status.value: counts[status] for status in SHOWN},
        "total": sum(counts[status] for status in SHOWN),
        "statuses": [(status.value, LABELS[status.value]) for status in SHOWN],
        "filter": chosen,
    }


@router.get("/rows")
async def rows_anew(
    request: Request, id: str, hands: Hands, rows: Annotated[str, Query(max_length=10_000)] = ""
) -> Response:
    """The rows that the page shows, as they are now, with the head; the script puts them where they stand."""
    chosen = chosen_of(request)
    keys = [key for key in rows.split(",") if key]
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        found = await listing.rows(connection, id, keys)
        head = await head_of(connection, stored, chosen)
    here = with_query(f"/sequences/{id}", asdict(chosen), cursor=request.query_params.get("cursor"))
    return render(request, "live_rows.html", **head, rows=found, here=here)


def _reasons() -> list[tuple[str, str]]:
    codes = {
        one.code: one.code.replace("_", " ")
        for one in CATALOGUE.values()
        if one.group in ("not_sent", "bounced", "hold", "finished")
    }
    return sorted(codes.items(), key=lambda pair: pair[1])


REASONS = _reasons()
