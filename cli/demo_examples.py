"""The demo's data: what lies in examples/, loaded once."""

from __future__ import annotations

from typing import Any

import yaml

from cli.demo_cast import CAST, MAILBOX
from cli.demo_servers import ROOT
from cli.output import Code, Failure
from client import definitions
from mail.definitions import check_mailbox, spelling
from store import catalog
from store.catalog import NotFound
from store.csv_files import parse_accounts_csv, parse_contacts_csv
from store.database import Database

EXAMPLES = ROOT / "examples"


def example(name: str) -> str:
    """The text of a file in examples/. Raises Failure `examples_missing`."""
    try:
        return (EXAMPLES / name).read_text(encoding="utf-8")
    except OSError as error:
        raise Failure(
            Code.INVALID, "examples_missing", f"{EXAMPLES / name} cannot be read", fix="run the demo from a clone"
        ) from error


def mailbox() -> dict[str, Any]:
    """The definition of the demo's mailbox, as it lies in examples/."""
    found: dict[str, Any] = yaml.safe_load(example("mailbox.yaml"))
    return found


async def prepare(database_url: str, *, smtp_port: int, imap_port: int, imap_password: str) -> None:
    """Load the examples where they are missing; each time, tell the mailbox where its servers are now. `imap_password`: a reference."""
    database = await Database.connect(database_url, size=2)
    try:
        mine = mailbox()
        async with database.read() as connection:
            try:
                stored = await catalog.mailbox(connection, MAILBOX)
                mine = {"imap": mine["imap"], **stored.definition.model_dump(mode="json", exclude_defaults=True)}
                for member in CAST:
                    await catalog.contact(connection, member.contact)
                complete = True
            except NotFound:
                complete = False
        if not complete:
            await _load(database)
        # Last, since it is the mark by which the next run sees that everything is loaded.
        mine["smtp"]["port"] = smtp_port
        mine["imap"] |= {"port": imap_port, "password": imap_password}
        await definitions.apply_mailbox(database, mine, check=check_mailbox)
    finally:
        await database.close()


async def _load(database: Database) -> None:
    await definitions.apply_schedule(database, yaml.safe_load(example("schedule.yaml")))
    accounts = parse_accounts_csv(example("accounts.csv"))
    await definitions.import_accounts(database, accounts.rows, lines=accounts.lines)
    contacts = parse_contacts_csv(example("contacts.csv"))
    await definitions.import_contacts(database, contacts.rows, spelling=spelling, lines=contacts.lines)
