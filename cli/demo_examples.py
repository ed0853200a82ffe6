"""The demo's data: what lies in examples/, loaded once."""

from __future__ import annotations

import yaml

from cli.demo_cast import MAILBOX
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


async def prepare(database_url: str, smtp_port: int) -> None:
    """Load the examples, the first time; each time, tell the mailbox where its server is now."""
    database = await Database.connect(database_url, size=2)
    try:
        mailbox = yaml.safe_load(example("mailbox.yaml"))
        async with database.read() as connection:
            try:
                stored = await catalog.mailbox(connection, MAILBOX)
                mailbox = stored.definition.model_dump(mode="json", exclude_defaults=True)
                first = False
            except NotFound:
                first = True
        if first:
            await _load(database)
        # Last, since it is the mark by which the next run sees that everything is loaded.
        mailbox["smtp"]["port"] = smtp_port
        await definitions.apply_mailbox(database, mailbox, check=check_mailbox)
    finally:
        await database.close()


async def _load(database: Database) -> None:
    await definitions.apply_schedule(database, yaml.safe_load(example("schedule.yaml")))
    accounts = parse_accounts_csv(example("accounts.csv"))
    await definitions.import_accounts(database, accounts.rows, lines=accounts.lines)
    contacts = parse_contacts_csv(example("contacts.csv"))
    await definitions.import_contacts(database, contacts.rows, spelling=spelling, lines=contacts.lines)
