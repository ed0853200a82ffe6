"""A sequence's settings: whom it never mails, by which schedule, and what it does on events; read by all, changed by an admin."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.access import needs
from api.console.contacts_tab import head_of
from api.console.forms import Fields, Form, text_of, texts_of
from api.console.pages import go, render
from api.contacts import get_stages
from api.csrf import protected
from api.services import Hands, Services
from client import definitions
from domain.errors import InvalidDefinition
from domain.sequences import DEFAULT_STAGE_MAP, SequenceSettings
from mail.definitions import check_sequence
from store import catalog
from store.catalog import StoredMailbox, StoredSchedule
from store.database import Connection

router = APIRouter(prefix="/sequences/{id}/settings", dependencies=[needs("read")])

FLAGS: tuple[tuple[str, str, str], ...] = (
    ("finish_on_reply", "A reply finishes", "Otherwise it is noted and the sequence goes on."),
    ("finish_on_meeting", "A booked meeting finishes", ""),
    ("pause_on_out_of_office", "An automatic reply pauses", "Until the return day it names, plus the buffer."),
    ("send_unverified", "Mail unverified addresses", ""),
    ("require_consent", "Only with recorded consent", ""),
    (
        "retry_when_cleared",
        "Retry by itself",
        "When what kept an email from being sent has cleared, without waiting for a person.",
    ),
)
DURATIONS: tuple[tuple[str, str, str], ...] = (
    ("out_of_office_buffer", "Buffer after an absence", "Added to the return day: 1bd is one business day."),
    ("out_of_office_default", "Pause without a return day", "Empty: it waits for a person."),
    ("account_reply_pause", "Pause after a colleague's reply", "For the policy “pause”."),
    ("settle", "Settle time", "How long after the last step a reply or bounce still counts."),
    ("give_up_after", "Give up after", "Ends what stood halted or held for so long. Empty: never."),
    ("cooldown", "Cooldown before enrolling again", ""),
    ("touch_gap", "Least time between emails to one contact", "Across all sequences."),
)
CHOICES: tuple[tuple[str, str, tuple[tuple[str, str], ...]], ...] = (
    (
        "account_reply",
        "When a colleague at the account replies",
        (("nothing", "Go on"), ("finish", "Finish"), ("pause", "Pause"), ("not_sent", "Not Sent (a person decides)")),
    ),
    ("reenroll", "Enroll a contact again", (("after_finish", "After the end"), ("never", "Never"))),
    ("active_elsewhere", "Who is active in another sequence", (("refuse", "Is refused"), ("allow", "May enter"))),
)
STAGES = (
    ("excluded_contact_stages", "Contacts in these stages"),
    ("excluded_account_stages", "Accounts in these stages"),
)
OPTIONAL = ("out_of_office_default", "give_up_after")


def _changed() -> InvalidDefinition:
    """Somebody else changed the sequence since the form was opened."""
    fix = "compare with what it is now (open this page again in another tab), then save once more"
    return InvalidDefinition("somebody changed this sequence since you opened the form", field="revision", fix=fix)


@router.get("")
async def page(request: Request, id: str, hands: Hands) -> Response:
    """The settings as they are."""
    return await _page(request, id, hands)


async def _page(
    request: Request,
    id: str,
    hands: Services,
    *,
    given: Mapping[str, Any] | None = None,
    wrong: InvalidDefinition | None = None,
    status: int = 200,
) -> Response:
    """`given`: what was typed, where it could not be saved, and `wrong`, why."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
        head = await head_of(connection, stored)
        schedules = [one.definition async for one in _all(connection, catalog.schedules)]
        mailboxes = [one.definition.id async for one in _all(connection, catalog.mailboxes)]
    known = await get_stages(hands)
    current = stored.definition.settings.model_dump(mode="json")
    shown = {
        "settings": current,
        "schedule": stored.definition.schedule,
        "mailboxes": stored.definition.mailboxes,
    } | dict(given or {})
    return render(
        request,
        "settings.html",
        status,
        **head,
        part="settings",
        revision=stored.revision,
        shown=shown,
        schedules=schedules,
        all_mailboxes=mailboxes,
        known_stages={"excluded_contact_stages": known.contact_stages, "excluded_account_stages": known.account_stages},
        flags=FLAGS,
        durations=DURATIONS,
        choices=CHOICES,
        stages=STAGES,
        stage_map={event.value: stored.definition.settings.stage_for(event) for event in DEFAULT_STAGE_MAP},
        wrong=wrong,
        wrong_field=(wrong.field or "").removeprefix("settings.").split(".")[0] if wrong else None,
    )


Stored = TypeVar("Stored", StoredSchedule, StoredMailbox)


async def _all(connection: Connection, read: Callable[..., Awaitable[list[Stored]]]) -> AsyncIterator[Stored]:
    """All there are: a form must offer whatever is chosen already."""
    after = ""
    while found := await read(connection, after=after, limit=200):
        for one in found:
            yield one
        after = found[-1].definition.id


@router.post("", name="put_sequence", dependencies=[needs("admin"), protected])
async def save(request: Request, id: str, hands: Hands, form: Form) -> Response:
    """Apply the sequence with these settings. Running enrollments follow at once; what is booked is replanned."""
    async with hands.database.read() as connection:
        stored = await catalog.sequence(connection, id)
    given = _read(form, stored.definition.settings)
    if text_of(form, "revision") != str(stored.revision):
        return await _page(request, id, hands, given=given, wrong=_changed(), status=409)
    definition = stored.definition.model_dump(mode="json", by_alias=True)
    definition |= {"schedule": given["schedule"], "mailboxes": given["mailboxes"]}
    definition["settings"] = {**definition["settings"], **given["settings"]}
    try:
        applied = await definitions.apply_sequence(hands.enrollments, definition, check=check_sequence)
    except InvalidDefinition as error:
        return await _page(request, id, hands, given=given, wrong=error, status=422)
    text = (
        "Saved. Those who are enrolled follow the new settings from now on."
        if applied.changed
        else "Nothing was changed."
    )
    return go(f"/sequences/{id}/settings", "done", text)


def _read(form: Fields, before: SequenceSettings) -> dict[str, Any]:
    settings: dict[str, Any] = {name: bool(text_of(form, name)) for name, _, _ in FLAGS}
    settings |= {name: text_of(form, name) for name, _, _ in CHOICES}
    for name, _, _ in DURATIONS:
        words = text_of(form, name)
        settings[name] = words or (None if name in OPTIONAL else str(SequenceSettings.model_fields[name].default))
    for name, _ in STAGES:
        lines = [line.strip() for line in text_of(form, name).splitlines()]
        settings[name] = list(dict.fromkeys(line for line in lines if line))
    settings["stage_map"] = before.model_dump(mode="json")["stage_map"]
    return {"settings": settings, "schedule": text_of(form, "schedule"), "mailboxes": texts_of(form, "mailboxes")}
