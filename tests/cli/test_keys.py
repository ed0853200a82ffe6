"""`onward keys` and `onward audit`: who may call, and that whatever the command line changes is on record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from api.app import create_app
from api.services import services_of
from cli.main import _command
from store import audit
from tests.cli.conftest import Shell
from tests.harness import World, plain_step

EXAMPLES = Path(__file__).parents[2] / "examples"

READ_ONLY = {
    "demo", "inbox", "stack", "worker", "api", "migrate",  # processes; the schema, which the audit's tables are of
    "show", "explain", "history", "enrollments list", "enrollments show", "enrollments explain", "enrollments history",
    "plan", "forecast", "simulate", "sequence show", "sequence list", "schedule show", "mailbox list", "mailbox check",
    "contact show", "account show", "inbound list", "inbound show", "mail classify", "mail refusal",
    "keys list", "audit",
}  # fmt: skip
"""Commands that change nothing that the audit tells of."""


def client_of(world: World, key: str) -> httpx.AsyncClient:
    """A caller of the API with this key."""
    app = create_app(services_of(world.settings, world.database, world.client))
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://onward.test", headers=headers)


async def test_a_key_is_made_shown_once_listed_and_revoked(idle: Shell, workerless: World) -> None:
    made = await idle.json("keys", "create", "crm", "--scope", "read", "--scope", "inbound", "--as", "key:crm-sync")
    assert (made["name"], made["actor"], made["scopes"]) == ("crm", "key:crm-sync", ["inbound", "read"])
    assert made["text"].startswith(f"onward_{made['id']}_")
    async with client_of(workerless, made["text"]) as client:
        assert (await client.get("/v1/switch")).status_code == 200
        listed = await idle.json("keys", "list")
        assert made["text"] not in str(listed)
        assert "hash" not in str(listed)
        (key,) = listed["keys"]
        assert (key["id"], key["live"]) == (made["id"], True)
        assert key["last_used_at"]
        assert "crm" in await idle.text("keys", "list")
        assert (await idle.json("keys", "revoke", "crm", "--as", "person:ana"))["changed"] is True
        assert (await client.get("/v1/switch")).status_code == 401
    assert (await idle.json("keys", "revoke", made["id"]))["changed"] is False
    assert "revoked by person:ana" in await idle.text("keys", "list")
    text = await idle.text("keys", "create", "crm", "--scope", "operate")
    assert text.startswith("onward_")
    assert "acts as key:crm." in text


async def test_a_key_can_end_by_itself(idle: Shell) -> None:
    made = await idle.json("keys", "create", "visit", "--scope", "read", "--expires", "90d")
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=89) < left <= timedelta(days=90)
    for wrong in ("yesterday", "2020-01-01T00:00:00Z", "2099-01-01", "1bd"):
        await idle.error("keys", "create", "other", "--scope", "read", "--expires", wrong, code=2)


async def test_wrong_input_names_the_field(idle: Shell) -> None:
    await idle.text("keys", "create", "crm", "--scope", "read")
    for words, field in (
        (("create", "crm", "--scope", "read"), "name"),
        (("create", "a b", "--scope", "read"), "name"),
        (("create", "x", "--scope", "root"), "scope"),
        (("create", "x", "--scope", "read", "--as", "Ana Ruiz"), "as"),
        (("revoke", "nobody"), "key"),
        (("link", "nobody"), "key"),
    ):
        error = await idle.error("keys", *words, code=2)
        assert (error["field"], bool(error["fix"])) == (field, True)


async def test_a_link_opens_the_console_once(idle: Shell, workerless: World) -> None:
    await idle.text("keys", "create", "ana", "--scope", "operate", "--as", "person:ana")
    await idle.text("keys", "create", "inbox", "--scope", "inbound")
    link = await idle.json("keys", "link", "ana")
    assert link["url"].startswith("http://127.0.0.1:8000/sign-in/")
    async with client_of(workerless, "") as client:
        del client.headers["Authorization"]
        path = httpx.URL(link["url"]).path
        assert (await client.get(path)).status_code == 303
        assert (await client.get(path)).status_code == 410
    assert (await idle.error("keys", "link", "inbox", code=3))["code"] == "scope_missing"
    ana = (await idle.json("keys", "revoke", "ana"))["key"]
    assert (await idle.error("keys", "link", ana, code=3))["code"] == "key_ended"


def _every(command: Any, path: str = "") -> list[str]:
    """All commands, as they are called."""
    inner = getattr(command, "commands", None)
    if inner is None:
        return [path]
    return [name for word, one in inner.items() for name in _every(one, f"{path} {word}".strip())]


async def test_every_command_that_changes_something_is_on_record(onward: Shell, world: World, tmp_path: Path) -> None:
    """A new command belongs into READ_ONLY or among those that are run here."""
    await world.add_sequence(steps=[plain_step(1, wait="1h"), plain_step(2, wait="1h"), plain_step(3, wait="1h")])
    sequence, mailbox = world.sequence, world.mailbox
    await world.add_contact("anna")
    await world.add_account("acme")
    (tmp_path / "mail.eml").write_bytes(b"From: x@elsewhere.test\r\nTo: y@sender.test\r\nSubject: Hi\r\n\r\nHi\r\n")
    (tmp_path / "sequence.yaml").write_text(f"id: {sequence}\n")
    contacts, accounts = str(EXAMPLES / "contacts.csv"), str(EXAMPLES / "accounts.csv")

    done: set[str] = set()

    async def gives(
        *words: str, action: str, kind: str | None = None, target: str | None = None, code: int | None = 0
    ) -> Any:
        """Run it as person:ana; the newest entries are its own."""
        done.add(next(name for name in commands if f"{' '.join(words)} ".startswith(f"{name} ")))
        said = await onward.run(*words, *(() if words[:2] == ("keys", "create") else ("--as", "person:ana")))
        assert code is None or said.code == code, said
        async with world.database.read() as connection:
            found, _ = await audit.page(connection, limit=20)
        mine = [one for one in found if one.request == found[0].request]
        whole = mine[-1]
        assert (whole.action, whole.kind, whole.target) == (action, kind, target), words
        assert (whole.key, whole.origin) == ("cli", "cli")
        assert whole.actor == "person:ana" or words[0] == "keys"
        assert whole.result == ("refused" if code and words[0] != "enroll" else "done")
        return mine

    commands = _every(_command(False))

    await gives(
        "schedule", "apply", str(EXAMPLES / "schedule.yaml"), action="put_schedule", kind="schedule", target="always"
    )
    await gives("mailbox", "add", str(EXAMPLES / "mailbox.yaml"), action="put_mailbox", kind="mailbox", target="alex")
    wrong = str(tmp_path / "sequence.yaml")
    await gives("sequence", "apply", wrong, action="put_sequence", kind="sequence", target=sequence, code=2)
    await gives("sequence", "off", sequence, action="switch_off", kind="sequence", target=sequence)
    await gives("sequence", "on", sequence, action="switch_on", kind="sequence", target=sequence)
    await gives("mailbox", "pause", mailbox, action="pause", kind="mailbox", target=mailbox)
    await gives("mailbox", "up", mailbox, action="up", kind="mailbox", target=mailbox)
    await gives("contacts", "import", "--accounts", accounts, contacts, action="import_contacts")
    await gives("contact", "set", "anna", "--stage", "Cold", action="patch_contact", kind="contact", target="anna")
    await gives("account", "set", "acme", "--stage", "Cold", action="patch_account", kind="account", target="acme")
    parts = await gives("enroll", sequence, "anna", "nobody", action="enroll", kind="sequence", target=sequence, code=3)
    assert [(one.target, one.result) for one in parts[:2]] == [("nobody", "refused"), ("anna", "done")]
    enrollment = (await onward.json("show", "anna"))["enrollment"]

    async def tells(*words: str, code: int = 0) -> None:
        action = (words[1] if words[0] == "report" else words[0]).replace("-", "_")
        await gives(*words, action=action, kind="enrollment", target=enrollment, code=code)

    await tells("pause", "anna", "--until", "2h")
    await tells("resume-at", "anna", "--until", "3h")
    await tells("resume", "anna")
    await tells("skip", "anna")
    await tells("retry", "anna", code=3)
    await tells("settle-delivery", "anna", "--verdict", "sent", code=3)
    await tells("send-now", "anna")
    await world.until_sent(enrollment, 1)
    await tells("report", "out-of-office", "anna", "--return", "3d")
    await tells("report", "bounce", "anna")
    await tells("report", "account-reply", "anna")
    await tells("report", "contact-gone", "anna")
    await tells("finish", enrollment, code=3)
    for fact in ("reply", "meeting-booked", "complaint", "unsubscribe"):
        await tells("report", fact, enrollment)
    await tells("remove", enrollment)

    await gives("inbound", "take", str(tmp_path / "mail.eml"), action="post_mail")
    (mail,) = (await onward.json("inbound", "list"))["items"]
    correct = ("inbound", "correct", mail["id"], "--kind", "human_reply")
    await gives(*correct, action="correct_mail", kind="mail", target=mail["id"], code=2)  # nobody's, so far
    await gives("inbound", "settle", mail["id"], action="settle_mail", kind="mail", target=mail["id"])
    made, _ = await gives("keys", "create", "crm", "--scope", "read", action="create_key")
    assert (made.action, made.kind) == ("create_key", "key")
    await gives("keys", "link", "crm", action="create_link", kind="key", target=made.target)
    await gives("keys", "revoke", "crm", action="revoke_key", kind="key", target=made.target)
    await gives("check", "--repair", action="repair", code=None)  # other tests' workflows are there, too
    assert done | READ_ONLY == set(commands)
    assert not done & READ_ONLY


async def test_the_audit_is_shown_by_actor_action_and_target(idle: Shell, workerless: World) -> None:
    await workerless.add_sequence()
    sequence = workerless.sequence
    await idle.text("sequence", "off", sequence, "--as", "person:ana")
    await idle.error("sequence", "on", "nowhere", code=2)
    shown = await idle.json("audit")
    assert [(one["action"], one["result"]) for one in shown["items"][-1:]] == [("switch_off", "done")]
    (mine,) = (await idle.json("audit", "--actor", "person:ana"))["items"]
    assert (mine["target"], mine["from"], mine["key"]) == (sequence, "cli", "cli")
    (refused, _) = (await idle.json("audit", "--action", "switch_on"))["items"]
    assert (refused["result"], refused["code"]) == ("refused", "sequence_unknown")
    assert (await idle.json("audit", "--target", sequence, "--kind", "sequence"))["items"] == [mine]
    text = await idle.text("audit", "--limit", "1")
    assert "switch_on" in text
    assert "more: --cursor" in text
    assert await idle.text("audit", "--key", "nobody") == "nothing\n"
    assert (await idle.error("audit", "--cursor", "x", code=2))["field"] == "cursor"
