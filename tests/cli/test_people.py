"""Contacts and accounts: imported all or none, shown, changed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.harness import World

HEADER = "id,first_name,email,account,consent\n"


async def test_contacts_and_accounts_are_imported_and_the_counts_told(idle: Shell, tmp_path: Path) -> None:
    accounts, contacts = tmp_path / "accounts.csv", tmp_path / "contacts.csv"
    accounts.write_text("id,name,stage\nacme,Acme,Cold\n")
    contacts.write_text(f"{HEADER}anna,Anna,anna@acme.test,acme,yes\nbert,Bert,bert at acme,acme,\n")
    text = await idle.text("contacts", "import", str(contacts), "--accounts", str(accounts))
    assert text.splitlines() == [
        "accounts: 1 new, 0 changed, 0 unchanged",
        "contacts: 2 new, 0 changed, 0 unchanged",
        "  malformed addresses, refused at enrollment: bert",
    ]
    assert (await idle.json("contacts", "import", str(contacts)))["contacts"]["unchanged"] == 2

    shown = await idle.json("contact", "show", "ANNA@acme.test")
    assert (shown["id"], shown["account_name"], shown["stage"]) == ("anna", "Acme", "Cold")
    changed = await idle.json("contact", "set", "anna", "--stage", "Interested", "--field", "plan=gold")
    assert (changed["stage"], changed["fields"]["plan"]) == ("Interested", "gold")
    assert "plan" not in (await idle.json("contact", "set", "anna", "--field", "plan=", "--email", ""))["fields"]
    placed = await idle.json("contact", "set", "anna", "--zone", "Europe/Oslo", "--country", "no")
    assert (placed["zone"], placed["country"]) == ("Europe/Oslo", "NO")
    assert "place    Europe/Oslo, NO" in await idle.text("contact", "show", "anna")
    assert (await idle.json("contact", "set", "anna", "--zone", ""))["zone"] is None
    assert "address  none" in await idle.text("contact", "show", "anna")
    assert (await idle.json("account", "set", "acme", "--stage", "Current Client"))["stage"] == "Current Client"
    assert "stage Current Client" in await idle.text("account", "show", "acme")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("anna,Anna,anna@acme.test,,maybe\n", ("line 3", "consent", "write yes or no")),
        ("anna,Anna,anna@acme.test\n", ("line 3", "3 cells where the header has 5", "keep empty cells")),
        ('anna,"Anna,anna@acme.test,,\n', ("line 3", "a quoted cell ends with a quote")),
        ("bert,Bert,other@acme.test,,\n", ("line 3", "id", "keep one of them")),
        ("anna,Anna,anna@acme.test,nowhere,\n", ("line 3", "account", "nowhere")),
        (f"anna,{'x' * 65_536},anna@acme.test,,\n", ("line 3", "first_name", "shorten it")),
        ('anna,"Anna\nBcc: eve@acme.test",anna@acme.test,,\n', ("line 3", "first_name", "write it on one line")),
    ],
    ids=["wrong cell", "too few cells", "open quote", "twice", "unknown account", "64 KB", "header injection"],
)
async def test_a_broken_row_names_line_column_and_fix_and_nothing_is_written(
    idle: Shell, tmp_path: Path, rows: str, words: tuple[str, ...]
) -> None:
    file = tmp_path / "contacts.csv"
    file.write_text(f"{HEADER}bert,Bert,bert@acme.test,,yes\n{rows}")
    error = await idle.error("contacts", "import", str(file), code=2)
    assert error["code"] == "invalid_rows"
    for word in words:
        assert word in error["message"]
    assert len(error["message"]) < 500
    assert (await idle.error("contact", "show", "bert", code=2))["code"] == "contact_unknown"


async def test_wrong_changes_are_named(idle: Shell, workerless: World) -> None:
    await workerless.add_contact("anna")
    await workerless.add_contact("anna2", first_name="Anna")
    assert (await idle.error("contact", "set", "anna", code=2))["message"] == "nothing to change"
    assert (await idle.error("contact", "set", "anna", "--email", "not one", code=2))["field"] == "email"
    assert (await idle.error("contact", "set", "anna", "--field", "plan", code=2))["field"] == "field"
    assert (await idle.error("contact", "set", "anna", "--email-status", "fine", code=2))["field"] == "email_status"
    assert (await idle.error("contact", "set", "anna", "--zone", "Oslo", code=2))["field"] == "zone"
    assert (await idle.error("contact", "set", "anna", "--account", "nowhere", code=2))["field"] == "account"
    assert (await idle.error("contact", "set", "nobody", "--stage", "Cold", code=2))["code"] == "contact_unknown"
    assert "anna2" in ((await idle.error("contact", "show", "Anna Test", code=2))["fix"] or "")
    assert (await workerless.contact("anna")).email == workerless.address("anna")
