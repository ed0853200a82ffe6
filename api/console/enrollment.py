"""A contact in a sequence: why it stands so, what is ahead, what happened, and what a person may do about it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs, trail_of
from api.authentication import local_path
from api.console.forms import Form, actor_of, after, command_payload, text_of, told
from api.console.mails import mails_of
from api.console.pages import render
from api.csrf import protected
from api.problems import InvalidRequest
from api.services import Hands, Services, valid_address
from client import reading, timeline
from client.inbound import CORRECTIONS
from client.planning import plan_of
from domain.errors import DomainError
from domain.messages import COMMANDS
from domain.sequences import parse_definition
from domain.state import EnrollmentState
from domain.statuses import Outcome
from domain.transitions import refusal
from mail.definitions import spelling
from store import catalog, enrollments
from store import timeline as records
from store.catalog import ContactChanges, StoredContact

router = APIRouter(prefix="/enrollments/{id}", dependencies=[needs("read")])
OPERATE = [needs("operate"), protected]

TROUBLE_CODES = frozenset(
    {"bounce", "rejected", "not_sent", "complaint", "delivery_unknown", "system_error", "address_bounced"}
)
"""Lines of a story that a reader should see first."""

OUTCOMES = (
    (Outcome.MANUAL, "By hand"),
    (Outcome.REPLIED, "Replied"),
    (Outcome.INTERESTED, "Interested"),
    (Outcome.NOT_INTERESTED, "Not interested"),
    (Outcome.MEETING_BOOKED, "Meeting booked"),
    (Outcome.CONTACT_GONE, "Contact gone"),
)
"""How a person may say that an enrollment ended. An opt-out has effects beyond it and is reported as the fact it is."""


@router.get("")
async def page(request: Request, id: str, hands: Hands) -> Response:
    """The whole of it."""
    explained = await reading.explain(hands.database, id, now=hands.now(), valid=valid_address, gaps=hands.gaps)
    async with hands.database.read() as connection:
        contact = await catalog.contact(connection, explained["contact"])
        sequence = await catalog.sequence(connection, explained["sequence"])
        story = await timeline.read(connection, id)
        others = await records.others(connection, id)
        mails = await mails_of(connection, story)
    return render(
        request,
        "enrollment.html",
        it=explained,
        contact=contact,
        sequence=sequence.definition,
        plan=await _plan(hands, id),
        story=story,
        others=others,
        mails=mails,
        temporal=reading.temporal_link(hands.temporal_ui_url, hands.temporal.namespace, explained),
        corrections=[kind.value for kind in CORRECTIONS],
        back=f"/enrollments/{id}",
        trouble_codes=TROUBLE_CODES,
        **_actions(explained, sequence.definition.mailboxes),
    )


async def _plan(hands: Services, id: str) -> dict[str, Any]:
    """The plan; where it cannot be made (no day ever opens, say) the reason in its place."""
    try:
        return await plan_of(hands.database, id, now=hands.now(), valid=valid_address, gaps=hands.gaps)
    except DomainError as error:
        return {"steps": [], "assumptions": [], "end": None, "impossible": f"{error.message}. {error.fix or ''}"}


def _actions(it: dict[str, Any], mailboxes: tuple[str, ...]) -> dict[str, Any]:
    return {"actions": it["actions"], "outcomes": OUTCOMES, "mailboxes": mailboxes, "unique": it["enrollment"][:8]}


@router.get("/menu")
async def menu(request: Request, id: str, hands: Hands) -> Response:
    """What may be done now and why not the rest: the menu of a row."""
    async with hands.database.read() as connection:
        shown = await reading.read_enrollment(connection, id, hands.now())
        sequence = await catalog.sequence(connection, shown["sequence"])
        actions = await reading.actions(connection, id)
    back = local_path(request.query_params.get("back") or f"/enrollments/{id}")
    it = {**shown, "actions": actions}
    return render(request, "menu.html", it=it, back=back, **_actions(it, sequence.definition.mailboxes))


def _command(name: str) -> Callable[..., Awaitable[Response]]:
    async def give(request: Request, id: str, hands: Hands, form: Form) -> Response:
        answer = await hands.enrollments.command(id, name, command_payload(form, name, actor_of(request)))
        kind, text = told(name, answer)
        return after(request, f"/enrollments/{id}", kind, text)

    return give


for _name in COMMANDS:
    # By the same way as the API, and under the same name in the audit.
    router.add_api_route(f"/commands/{_name}", _command(_name), methods=["POST"], name=_name, dependencies=OPERATE)


@router.post("/address", name="new_address", dependencies=OPERATE)
async def new_address(request: Request, id: str, hands: Hands, form: Form) -> Response:
    """A new address for a contact whose email came back, and on with the halted step."""
    address = text_of(form, "email")
    spelled = spelling(address)
    if spelled is None:
        raise InvalidRequest(
            f"{address!r} is no address that can be mailed", field="email", fix="such as anna@acme.example"
        )
    async with hands.database.transaction() as connection:
        shown = await reading.read_enrollment(connection, id, hands.now())
        name = "resume" if shown["own_status"] == "bounced" else "retry"
        refused = refusal(EnrollmentState.model_validate((await enrollments.get(connection, id))["state"]), name)
        if refused is not None:
            raise refused
        contact: StoredContact = await catalog.set_contact(
            connection,
            shown["contact"],
            parse_definition(ContactChanges, {"email": spelled}),
            by=actor_of(request),
            now=hands.now(),
        )
    trail_of(request).add("patch_contact", "contact", shown["contact"])
    answer = await hands.enrollments.command(id, name, {"by": actor_of(request)})
    kind, text = told(name, answer)
    return after(request, f"/enrollments/{id}", kind, f"New address {contact.email}. {text}")
