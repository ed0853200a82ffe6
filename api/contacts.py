"""Contacts, accounts, their stages, and addresses that get no email."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import asdict
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from api.access import needs
from api.bodies import Actor, Body, answers, json_value, known, parse, said_by, takes
from api.problems import InvalidRequest
from api.sequences import Cursor, Limit
from api.services import Hands
from client import definitions
from domain.errors import InvalidDefinition
from domain.ids import check_id
from domain.sequences import DEFAULT_STAGE_MAP, Definition, SequenceSettings, parse_definition
from mail.addresses import same_key
from mail.definitions import check_address, spelling
from store import catalog
from store.catalog import AccountChanges, ContactChanges, NotFound, StoredContact
from store.csv_files import (
    AccountRow,
    ContactRow,
    File,
    InvalidRows,
    Problem,
    parse_accounts_csv,
    parse_contacts_csv,
)
from store.queries import sql

router = APIRouter(prefix="/v1")

R = TypeVar("R", AccountRow, ContactRow)

CONTACT_STAGES = (
    "Cold",
    "Approaching",
    "Replied",
    "Interested",
    "Not Interested",
    "Unresponsive",
    "Do Not Contact",
    "Bad Data",
    "Changed Job",
)
"""The vocabulary that the defaults of sequences speak; any other word is a stage too."""

_CONTACT: dict[str, Any] = {
    "account": "acme",
    "first_name": "Anna",
    "last_name": "Brandt",
    "email": "anna@acme.example",
    "country": "NO",
    "fields": {"city": "Oslo"},
}
_VIEW = {
    "id": "anna",
    "name": "Anna Brandt",
    "account_name": "Acme",
    "account_stage": "Cold",
    "email_status": "unknown",
    "stage": "Cold",
    "stage_set_by": None,
    "consent": None,
    "changed_job": False,
    "zone": None,
    "suppressed": None,
    **_CONTACT,
}
_ACCOUNT = {"id": "acme", "name": "Acme", "stage": "Cold", "fields": {}}
_IMPORTED = {"inserted": 2, "updated": 0, "unchanged": 0, "malformed_addresses": []}
_CSV = "id,first_name,last_name,email,account\nanna,Anna,Brandt,anna@acme.example,acme\n"


class ContactView(BaseModel):
    """A contact. `stage_set_by`: the enrollment whose event set the stage; `zone`, an IANA name, and `country`, an ISO 3166
    code: whose clock and holidays a schedule may follow; `suppressed`: why it gets no email, if so."""

    id: str
    name: str
    account: str | None
    account_name: str | None
    account_stage: str | None
    first_name: str
    last_name: str
    email: str | None
    email_status: str
    stage: str
    stage_set_by: str | None
    consent: bool | None
    changed_job: bool
    zone: str | None
    country: str | None
    fields: dict[str, Any]
    suppressed: str | None


class ContactPage(BaseModel):
    """Contacts in the order of their IDs."""

    items: list[ContactView]
    next_cursor: str | None


class AccountView(BaseModel):
    """A contact's company."""

    id: str
    name: str
    stage: str
    fields: dict[str, Any]


class AccountPage(BaseModel):
    """Accounts in the order of their IDs."""

    items: list[AccountView]
    next_cursor: str | None


class ImportedRows(BaseModel):
    """What an import did, in rows. `malformed_addresses`: IDs of contacts whose address cannot be mailed as it stands."""

    inserted: int
    updated: int
    unchanged: int
    malformed_addresses: list[str] = []


class ContactRows(Definition):
    """Contacts to insert or update, all or none."""

    contacts: list[ContactRow]


class AccountRows(Definition):
    """Accounts to insert or update, all or none."""

    accounts: list[AccountRow]


class Stages(BaseModel):
    """Stages in use, and those that the defaults name."""

    contact_stages: list[str]
    account_stages: list[str]


class SuppressionRequest(Definition):
    """An address that gets no email from any sequence."""

    address: str = Field(min_length=3, max_length=320)
    reason: str = Field(default="suppressed", min_length=1, max_length=60, pattern=r"^[a-z0-9_]+$")
    by: str | None = None


class Suppression(BaseModel):
    """Whether the request changed anything."""

    address: str
    suppressed: bool
    changed: bool


# Contacts


@router.get(
    "/contacts",
    dependencies=[needs("read")],
    tags=["contacts"],
    summary="List contacts",
    responses=answers({"items": [_VIEW], "next_cursor": None}),
)
async def get_contacts(
    hands: Hands,
    account: Annotated[str | None, Query(max_length=80, description="Of this account only.")] = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> ContactPage:
    """In the order of their IDs."""
    async with hands.database.read() as connection:
        found = await catalog.contacts(connection, account=account, after=cursor, limit=limit + 1)
    items = [_contact(one) for one in found[:limit]]
    return ContactPage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get(
    "/contacts/{id}", dependencies=[needs("read")], tags=["contacts"], summary="One contact", responses=answers(_VIEW)
)
async def get_contact(id: str, hands: Hands) -> ContactView:
    """As it is now."""
    async with hands.database.read() as connection:
        return _contact(await catalog.contact(connection, known("contact", id)))


@router.put(
    "/contacts/{id}",
    dependencies=[needs("operate")],
    tags=["contacts"],
    summary="Add a contact, or change it",
    openapi_extra=takes(ContactChanges, _CONTACT),
    responses=answers(_VIEW) | answers(_VIEW, status=201, description="Added"),
)
async def put_contact(id: str, data: Body, hands: Hands, actor: Actor, response: Response) -> ContactView:
    """Fields that the body leaves out keep what they have; null takes a value away."""
    key, (rest, by) = check_id(id, "id"), said_by(data, actor)
    changes = _contact_changes(rest)
    async with hands.database.transaction() as connection:
        try:
            found = await catalog.set_contact(connection, key, changes, by=by, now=hands.now())
        except NotFound:
            given = {name: value for name, value in changes.model_dump(exclude_unset=True).items() if value is not None}
            fields = {name: value for name, value in changes.fields.items() if value is not None}
            row = ContactRow.model_validate({**given, "fields": fields, "id": key})
            await catalog.put_contacts(connection, [row])
            found = await catalog.contact(connection, key)
            response.status_code = 201
    return _contact(found)


@router.patch(
    "/contacts/{id}",
    dependencies=[needs("operate")],
    tags=["contacts"],
    summary="Change a contact",
    openapi_extra=takes(ContactChanges, {"email": "anna.brandt@acme.example"}),
    responses=answers({**_VIEW, "email": "anna.brandt@acme.example"}),
)
async def patch_contact(id: str, data: Body, hands: Hands, actor: Actor) -> ContactView:
    """A new address resets its status and undoes the stage that a bounce set; a bounced enrollment can then be resumed."""
    rest, by = said_by(data, actor)
    changes = _contact_changes(rest)
    async with hands.database.transaction() as connection:
        return _contact(await catalog.set_contact(connection, known("contact", id), changes, by=by, now=hands.now()))


def _contact_changes(data: dict[str, Any]) -> ContactChanges:
    changes = parse_definition(ContactChanges, data)
    if changes.email is None:
        return changes
    return changes.model_copy(update={"email": check_address(changes.email)})


def _contact(stored: StoredContact) -> ContactView:
    values = asdict(stored)
    del values["stage_before_bounce"]
    return ContactView(**values, name=stored.name)


@router.post(
    "/contacts:import",
    dependencies=[needs("operate")],
    tags=["contacts"],
    summary="Import contacts",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **takes(ContactRows, {"contacts": [{"id": "anna", **_CONTACT}]})["requestBody"]["content"],
                "text/csv": {"schema": {"type": "string"}, "example": _CSV},
            },
        }
    },
    responses=answers(_IMPORTED),
)
async def import_contacts(request: Request, hands: Hands) -> ImportedRows:
    """CSV (UTF-8; comma, semicolon or tab) or JSON; all rows or none. What a row does not carry stays as it is. A malformed
    address is kept and reported: its contact is refused at enrollment."""
    file = await _rows(request, ContactRow, "contacts", parse_contacts_csv)
    done = await definitions.import_contacts(hands.database, file.rows, spelling=spelling, lines=file.lines)
    return ImportedRows(**asdict(done.rows), malformed_addresses=list(done.malformed))


async def _rows(request: Request, kind: type[R], name: str, parse_csv: Callable[[str], File[R]]) -> File[R]:
    """The rows of a CSV or JSON body. Raises InvalidRows, InvalidRequest."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "text/csv":
        try:
            text = (await request.body()).decode("utf-8")
        except UnicodeDecodeError:
            raise InvalidRows([Problem(1, None, "not UTF-8 text; save the file as CSV UTF-8")]) from None
        # Large files take a while: other requests go on.
        return await asyncio.to_thread(parse_csv, text)
    data = await json_value(request)
    items = data.get(name) if isinstance(data, dict) and set(data) == {name} else data
    if not isinstance(items, list):
        raise InvalidRequest(f'the body is CSV (Content-Type: text/csv) or {{"{name}": [...]}}', field=name)
    return await asyncio.to_thread(_judged, kind, items)


def _judged(kind: type[R], items: list[Any]) -> File[R]:
    rows: list[R] = []
    problems: list[Problem] = []
    for number, item in enumerate(items, start=1):
        try:
            rows.append(parse_definition(kind, item))
        except InvalidDefinition as error:
            message = error.message if error.fix is None else f"{error.message}; {error.fix}"
            problems.append(Problem(number, error.field, message))
    if problems:
        raise InvalidRows(problems)
    return File(tuple(rows), tuple(range(1, len(rows) + 1)))


# Accounts


@router.get(
    "/accounts",
    dependencies=[needs("read")],
    tags=["accounts"],
    summary="List accounts",
    responses=answers({"items": [_ACCOUNT], "next_cursor": None}),
)
async def get_accounts(hands: Hands, cursor: Cursor = "", limit: Limit = 100) -> AccountPage:
    """In the order of their IDs."""
    async with hands.database.read() as connection:
        found = await catalog.accounts(connection, after=cursor, limit=limit + 1)
    items = [AccountView(**asdict(one)) for one in found[:limit]]
    return AccountPage(items=items, next_cursor=items[-1].id if len(found) > limit else None)


@router.get(
    "/accounts/{id}",
    dependencies=[needs("read")],
    tags=["accounts"],
    summary="One account",
    responses=answers(_ACCOUNT),
)
async def get_account(id: str, hands: Hands) -> AccountView:
    """As it is now."""
    async with hands.database.read() as connection:
        return AccountView(**asdict(await catalog.account(connection, known("account", id))))


@router.put(
    "/accounts/{id}",
    dependencies=[needs("operate")],
    tags=["accounts"],
    summary="Add an account, or change it",
    openapi_extra=takes(AccountChanges, {"name": "Acme", "stage": "Cold"}),
    responses=answers(_ACCOUNT) | answers(_ACCOUNT, status=201, description="Added"),
)
async def put_account(id: str, data: Body, hands: Hands, actor: Actor, response: Response) -> AccountView:
    """Fields that the body leaves out keep what they have. A new account needs a name."""
    key, (rest, by) = check_id(id, "id"), said_by(data, actor)
    changes = parse_definition(AccountChanges, rest)
    async with hands.database.transaction() as connection:
        try:
            found = await catalog.set_account(connection, key, changes, by=by, now=hands.now())
        except NotFound:
            given = changes.model_dump(exclude_unset=True, exclude={"fields"})
            fields = {name: value for name, value in changes.fields.items() if value is not None}
            row = parse_definition(AccountRow, {**given, "fields": fields, "id": key})
            await catalog.put_accounts(connection, [row])
            found = await catalog.account(connection, key)
            response.status_code = 201
    return AccountView(**asdict(found))


@router.patch(
    "/accounts/{id}",
    dependencies=[needs("operate")],
    tags=["accounts"],
    summary="Change an account",
    openapi_extra=takes(AccountChanges, {"stage": "Current Client"}),
    responses=answers({**_ACCOUNT, "stage": "Current Client"}),
)
async def patch_account(id: str, data: Body, hands: Hands, actor: Actor) -> AccountView:
    """A new stage counts from the next email of its contacts on."""
    rest, by = said_by(data, actor)
    changes = parse_definition(AccountChanges, rest)
    async with hands.database.transaction() as connection:
        found = await catalog.set_account(connection, known("account", id), changes, by=by, now=hands.now())
    return AccountView(**asdict(found))


@router.post(
    "/accounts:import",
    dependencies=[needs("operate")],
    tags=["accounts"],
    summary="Import accounts",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                **takes(AccountRows, {"accounts": [_ACCOUNT]})["requestBody"]["content"],
                "text/csv": {"schema": {"type": "string"}, "example": "id,name,stage\nacme,Acme,Cold\n"},
            },
        }
    },
    responses=answers(_IMPORTED),
)
async def import_accounts(request: Request, hands: Hands) -> ImportedRows:
    """CSV or JSON; all rows or none. Import accounts before their contacts."""
    file = await _rows(request, AccountRow, "accounts", parse_accounts_csv)
    done = await definitions.import_accounts(hands.database, file.rows, lines=file.lines)
    return ImportedRows(**asdict(done))


# Stages and suppressions


@router.get(
    "/stages",
    dependencies=[needs("read")],
    tags=["stages"],
    summary="Stages in use",
    responses=answers({"contact_stages": list(CONTACT_STAGES), "account_stages": ["Cold", "Current Client"]}),
)
async def get_stages(hands: Hands) -> Stages:
    """The vocabulary is free: every stage that some contact or account has, and those that the defaults name."""
    async with hands.database.read() as connection:
        of_contacts = [row["stage"] for row in await connection.fetch(sql("catalog.contact_stages"))]
        of_accounts = [row["stage"] for row in await connection.fetch(sql("catalog.account_stages"))]
    known_stages = (*CONTACT_STAGES, *DEFAULT_STAGE_MAP.values())
    return Stages(
        contact_stages=list(dict.fromkeys((*known_stages, *of_contacts))),
        account_stages=list(dict.fromkeys(("Cold", *SequenceSettings().excluded_account_stages, *of_accounts))),
    )


@router.post(
    "/suppressions",
    dependencies=[needs("operate")],
    tags=["suppressions"],
    summary="Never write to an address",
    openapi_extra=takes(SuppressionRequest, {"address": "anna@acme.example", "reason": "legal_request"}),
    responses=answers({"address": "anna@acme.example", "suppressed": True, "changed": True}),
)
async def suppress(data: Body, hands: Hands, actor: Actor) -> Suppression:
    """From the answer on no email to it leaves, from any sequence. `reason` is a code of your own."""
    wanted = parse(SuppressionRequest, data)
    address = same_key(check_address(wanted.address, "address"))
    async with hands.database.transaction() as connection:
        changed = await catalog.suppress(
            connection, address, wanted.reason, by=said_by(data, actor)[1], now=hands.now()
        )
    actor.audit.add("suppress", "address", address)
    return Suppression(address=address, suppressed=True, changed=changed)


@router.delete(
    "/suppressions/{address}",
    dependencies=[needs("admin")],
    tags=["suppressions"],
    summary="Allow an address again",
    responses=answers({"address": "anna@acme.example", "suppressed": False, "changed": True}),
)
async def unsuppress(address: str, hands: Hands) -> Suppression:
    """Only the contact can take an unsubscribe back: do this when they have."""
    key = same_key(address)
    async with hands.database.transaction() as connection:
        changed = await catalog.unsuppress(connection, key)
    return Suppression(address=key, suppressed=False, changed=changed)
