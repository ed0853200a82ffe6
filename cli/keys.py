"""`onward keys` and `onward audit`: who may call, and who did what."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from cli import words
from cli.output import Code, Failure, emit, table
from cli.session import AsOption, JsonOption, actor, changing, moment, open_database, run
from domain.ids import ACTOR_FORM, check_id, is_actor
from settings import Settings, load_settings
from store import access
from store import audit as records
from store.access import SCOPES, Key

group = typer.Typer(no_args_is_help=True, help="API keys: made, listed, revoked; sign-in links for the console.")
KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key's name or ID.")]
PANEL = "Access"


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(group, name="keys", rich_help_panel=PANEL)
    app.command(rich_help_panel=PANEL)(audit)


@group.command("create")
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What the key is called, such as crm or ana-laptop.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="read, operate, admin or inbound; may be given several times.")
    ],
    acts_as: Annotated[
        str | None,
        typer.Option("--as", metavar="ACTOR", help="Who acts with it, such as person:ana; default key:NAME."),
    ] = None,
    expires: Annotated[
        str | None, typer.Option(metavar="WHEN", help="When it ends: 90d, or an instant with offset.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key and print it, once: only a hash of it is kept."""
    check_id(name, "name")
    for one in scope:
        if one not in SCOPES:
            raise Failure(
                Code.INVALID, "usage", f"no scope {one[:40]!r}", field="scope", fix=f"one of {', '.join(SCOPES)}"
            )
    acting = acts_as if acts_as is not None else f"key:{name}"
    if not is_actor(acting):
        raise Failure(Code.INVALID, "usage", "not an actor", field="as", fix=ACTOR_FORM)
    now = datetime.now(UTC)
    ends = _end(expires, now)

    async def work() -> None:
        async with (
            open_database() as database,
            changing(database, "create_key", None) as trail,
            database.transaction() as connection,
        ):
            key, text = await access.create_key(
                connection, name, scope, actor=acting, by=actor(None), now=now, expires_at=ends
            )
            trail.add("create_key", "key", key.id)
        emit(
            {**_json(key, now), "text": text},
            [text, f"  key {key.id} ({name}), {', '.join(key.scopes)}, acts as {acting}. It is shown this once."],
            as_json=as_json,
        )

    run(work())


def _end(text: str | None, now: datetime) -> datetime | None:
    if text is None:
        return None
    try:
        ends = datetime.fromisoformat(moment(text) or "")
    except ValueError:
        ends = None
    if ends is None or ends.tzinfo is None or ends <= now:
        raise Failure(
            Code.INVALID, "usage", "not a time to come", field="expires", fix="write 90d, or 2027-01-01T00:00:00Z"
        )
    return ends


@group.command("list")
def list_keys(as_json: JsonOption = False) -> None:
    """List all keys, with when each was last used. Their text is not kept."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found = await access.keys(connection)
        now = datetime.now(UTC)
        lines = table("key", "name", "scopes", "acts as", "last used", "state")
        for key in found:
            used = words.moment_of(key.last_used_at, now) if key.last_used_at else "never"
            lines.add_row(key.id, key.name, ", ".join(key.scopes), key.actor, used, _state(key, now))
        emit({"keys": [_json(key, now) for key in found]}, lines if found else "no keys", as_json=as_json)

    run(work())


def _state(key: Key, now: datetime) -> str:
    if key.revoked_at is not None:
        return f"revoked by {key.revoked_by} {words.moment_of(key.revoked_at, now)}"
    if key.expires_at is None:
        return "live"
    return f"{'expires' if key.live(now) else 'expired'} {words.moment_of(key.expires_at, now)}"


def _json(key: Key, now: datetime) -> dict[str, Any]:
    told = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in asdict(key).items()}
    return {**told, "scopes": list(key.scopes), "live": key.live(now)}


@group.command("revoke")
def revoke(which: KeyArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Revoke a key: from the answer on it opens nothing, and whoever is signed in with it is signed out."""

    async def work() -> None:
        async with open_database() as database:
            async with database.read() as connection:
                key = await access.find_key(connection, which)
            now = datetime.now(UTC)
            async with changing(database, "revoke_key", by, "key", key.id), database.transaction() as connection:
                changed = await access.revoke_key(connection, key.id, by=actor(by), now=now)
        text = f"{key.name} ({key.id}) is revoked" if changed else f"{key.name} ({key.id}) was revoked already"
        emit({"key": key.id, "name": key.name, "changed": changed}, text, as_json=as_json)

    run(work())


@group.command("link")
def link(which: KeyArgument, by: AsOption = None, as_json: JsonOption = False) -> None:
    """Print a link that signs one browser in to the console with this key: once, within ten minutes."""

    async def work() -> None:
        settings = load_settings()
        async with open_database(settings) as database:
            async with database.read() as connection:
                key = await access.find_key(connection, which)
            now = datetime.now(UTC)
            async with changing(database, "create_link", by, "key", key.id):
                _check_opens_console(key, now)
                async with database.transaction() as connection:
                    token = await access.create_link(connection, key.id, now)
        url = f"{_console(settings)}/sign-in/{token}"
        until = now + access.LINK
        emit({"key": key.id, "url": url, "expires_at": until.isoformat()}, url, as_json=as_json)

    run(work())


def _check_opens_console(key: Key, now: datetime) -> None:
    if not key.live(now):
        raise Failure(Code.REFUSED, "key_ended", f"the key is {_state(key, now)}", field="key", fix="make another one")
    if key.scopes == ("inbound",):
        raise Failure(
            Code.REFUSED,
            "scope_missing",
            "a key that may not read opens no console",
            field="key",
            fix="use another key",
        )


def _console(settings: Settings) -> str:
    if settings.public_url is not None:
        return settings.public_url.rstrip("/")
    host = settings.api_host if settings.api_host not in ("0.0.0.0", "::", "") else "127.0.0.1"  # noqa: S104
    return f"http://[{host}]:{settings.api_port}" if ":" in host else f"http://{host}:{settings.api_port}"


def audit(
    by_actor: Annotated[
        str | None, typer.Option("--actor", help="Only of keys of this actor, such as person:ana.")
    ] = None,
    key: Annotated[str | None, typer.Option(help="Only of this key: its ID, token or cli.")] = None,
    action: Annotated[str | None, typer.Option(help="Only this action, such as pause.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only on this kind, such as enrollment.")] = None,
    target: Annotated[str | None, typer.Option(help="Only on this one, by its ID.")] = None,
    cursor: Annotated[str | None, typer.Option(help="next_cursor of the page before.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=records.MAX_LIMIT)] = 50,
    as_json: JsonOption = False,
) -> None:
    """Show who did what, on whom, from where, and what came of it, newest first."""

    async def work() -> None:
        async with open_database() as database, database.read() as connection:
            found, next_cursor = await records.page(
                connection, cursor=cursor, key=key, actor=by_actor, action=action, kind=kind, target=target, limit=limit
            )
        lines = table("when (UTC)", "who", "key", "from", "action", "on", "result")
        for one in found:
            who = one.actor or "nobody known"
            on = f"{one.kind} {one.target}" if one.target else (one.kind or "")
            result = one.result or "cut off or still running"
            lines.add_row(
                f"{one.at:%Y-%m-%d %H:%M:%S}",
                f"{who} for {one.by}" if one.by else who,
                one.key or "",
                one.origin,
                one.action,
                on,
                f"{result}: {one.code}" if one.code else result,
            )
        if next_cursor and not as_json:
            lines.caption = f"more: --cursor {next_cursor}"
        told = {"items": [one.as_json() for one in found], "next_cursor": next_cursor}
        emit(told, lines if found else "nothing", as_json=as_json)

    run(work())
