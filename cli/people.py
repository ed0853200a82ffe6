"""`onward contacts`, `contact`, `account`: the people, their companies and their stages."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.output import Code, Failure, emit
from cli.session import AsOption, JsonOption, actor, changing, given, open_database, read_text, run
from client import definitions
from domain.sequences import parse_definition
from mail.definitions import check_address, spelling
from store import catalog, finding
from store.catalog import AccountChanges, ContactChanges, Put, StoredContact
from store.csv_files import parse_accounts_csv, parse_contacts_csv

contacts = typer.Typer(no_args_is_help=True, help="Contacts and accounts from CSV files.")
contact = typer.Typer(no_args_is_help=True, help="One contact.")
account = typer.Typer(no_args_is_help=True, help="One account: a contact's company.")

FieldOption = Annotated[
    list[str] | None, typer.Option("--field", metavar="NAME=VALUE", help="A field of your own; NAME= takes it away.")
]


def add_to(app: typer.Typer) -> None:
    """Add the groups of commands."""
    for name, group in (("contacts", contacts), ("contact", contact), ("account", account)):
        app.add_typer(group, name=name, rich_help_panel="People")


@contacts.command("import")
def contacts_import(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Contacts as CSV; - reads standard input.")
    ] = None,
    accounts: Annotated[Path | None, typer.Option(help="Accounts as CSV, imported first.")] = None,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add and update contacts and accounts, all rows of a file or none. Blank cells leave what is stored as it is."""
    if file is None and accounts is None:
        raise Failure(Code.INVALID, "usage", "name a file of contacts, or --accounts FILE", field="file")
    companies = parse_accounts_csv(read_text(accounts)) if accounts is not None else None
    people = parse_contacts_csv(read_text(file)) if file is not None else None

    async def work() -> None:
        done: dict[str, Any] = {}
        lines: list[str] = []
        async with open_database() as database:
            if companies is not None:
                async with changing(database, "import_accounts", by):
                    put = await definitions.import_accounts(database, companies.rows, lines=companies.lines)
                done["accounts"] = asdict(put)
                lines.append(_counted("accounts", put))
            if people is not None:
                async with changing(database, "import_contacts", by):
                    imported = await definitions.import_contacts(
                        database, people.rows, spelling=spelling, lines=people.lines
                    )
                done["contacts"] = {**asdict(imported.rows), "malformed_addresses": list(imported.malformed)}
                lines.append(_counted("contacts", imported.rows))
                if imported.malformed:
                    lines.append(f"  malformed addresses, refused at enrollment: {', '.join(imported.malformed)}")
        emit(done, lines, as_json=as_json)

    run(work())


def _counted(kind: str, put: Put) -> str:
    return f"{kind}: {put.inserted} new, {put.updated} changed, {put.unchanged} unchanged"


@contact.command("show")
def contact_show(key: Annotated[str, typer.Argument(metavar="CONTACT")], as_json: JsonOption = False) -> None:
    """Show a contact (by ID, address or name) as it is."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.contact(connection, await finding.contact(connection, key))
        emit(asdict(found), _contact_lines(found), as_json=as_json)

    run(work())


def _contact_lines(found: StoredContact) -> list[str]:
    lines = [f"{found.name or found.id} ({found.id}), stage {found.stage}"]
    lines.append(f"  address  {found.email or 'none'} ({found.email_status})")
    if found.suppressed:
        lines.append(f"  suppressed: {found.suppressed}")
    if found.account:
        lines.append(f"  account  {found.account_name} ({found.account}), stage {found.account_stage}")
    if found.zone or found.country:
        lines.append(f"  place    {', '.join(filter(None, (found.zone, found.country)))}")
    lines += [f"  {name}  {value}" for name, value in found.fields.items()]
    return lines


@contact.command("set")
def contact_set(
    key: Annotated[str, typer.Argument(metavar="CONTACT")],
    stage: Annotated[str | None, typer.Option(help="The contact's stage, such as Cold or Interested.")] = None,
    email: Annotated[str | None, typer.Option(help="A new address; empty takes it away.")] = None,
    email_status: Annotated[str | None, typer.Option(help="unknown, verified, unverified or bounced.")] = None,
    first_name: Annotated[str | None, typer.Option()] = None,
    last_name: Annotated[str | None, typer.Option()] = None,
    account: Annotated[str | None, typer.Option(help="The account's ID; empty takes it away.")] = None,
    consent: Annotated[bool | None, typer.Option("--consent/--no-consent")] = None,
    changed_job: Annotated[bool | None, typer.Option("--changed-job/--same-job")] = None,
    zone: Annotated[str | None, typer.Option(help="Time zone, such as Europe/Berlin; empty takes it away.")] = None,
    country: Annotated[str | None, typer.Option(help="ISO 3166 code, such as DE; empty takes it away.")] = None,
    field: FieldOption = None,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is given of a contact; its open enrollments' stories say who did."""
    changes = given(
        stage=stage,
        email_status=email_status,
        first_name=first_name,
        last_name=last_name,
        consent=consent,
        changed_job=changed_job,
        fields=_fields(field),
    )
    if email is not None:
        changes["email"] = check_address(email) if email else None
    for name, value in (("account", account), ("zone", zone), ("country", country)):
        if value is not None:
            changes[name] = value or None
    parsed = parse_definition(ContactChanges, _some(changes))

    async def work() -> None:
        async with open_database() as database:
            async with database.read() as connection:
                found = await finding.contact(connection, key)
            async with (
                changing(database, "patch_contact", by, "contact", found),
                database.transaction() as connection,
            ):
                after = await catalog.set_contact(connection, found, parsed, by=actor(by), now=datetime.now(UTC))
        emit(asdict(after), _contact_lines(after), as_json=as_json)

    run(work())


@account.command("show")
def account_show(key: Annotated[str, typer.Argument(metavar="ACCOUNT")], as_json: JsonOption = False) -> None:
    """Show an account as it is."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await catalog.account(connection, key)
        emit(asdict(found), f"{found.name} ({found.id}), stage {found.stage}", as_json=as_json)

    run(work())


@account.command("set")
def account_set(
    key: Annotated[str, typer.Argument(metavar="ACCOUNT")],
    stage: Annotated[str | None, typer.Option(help="The account's stage, such as Current Client.")] = None,
    name: Annotated[str | None, typer.Option()] = None,
    field: FieldOption = None,
    by: AsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Change what is given of an account."""
    changes = parse_definition(AccountChanges, _some(given(stage=stage, name=name, fields=_fields(field))))

    async def work() -> None:
        async with (
            open_database() as database,
            changing(database, "patch_account", by, "account", key),
            database.transaction() as connection,
        ):
            after = await catalog.set_account(connection, key, changes, by=actor(by), now=datetime.now(UTC))
        emit(asdict(after), f"{after.name} ({after.id}), stage {after.stage}", as_json=as_json)

    run(work())


def _some(changes: dict[str, Any]) -> dict[str, Any]:
    if not changes:
        raise Failure(Code.INVALID, "usage", "nothing to change", fix="give --stage or another option; see --help")
    return changes


def _fields(pairs: list[str] | None) -> dict[str, str | None] | None:
    if not pairs:
        return None
    fields: dict[str, str | None] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip():
            raise Failure(Code.INVALID, "usage", f"{pair[:80]!r} is not NAME=VALUE", field="field")
        fields[name.strip()] = value or None
    return fields
