"""`onward worker`, `api`, `migrate`, `stack`: what runs as a process of its own, and the schema."""

from __future__ import annotations

import asyncio
import signal
import threading
from typing import Annotated, Any

import typer

from cli.output import emit
from cli.session import JsonOption, run
from settings import Settings, load_settings
from store.migrate import migrate as apply_migrations


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    panel = "Processes"
    app.command(rich_help_panel=panel)(worker)
    app.command(rich_help_panel=panel)(api)
    app.command(rich_help_panel=panel)(migrate)
    app.command(rich_help_panel=panel)(stack)


def worker() -> None:
    """Run a worker until SIGTERM or Ctrl-C; it finishes the emails under way."""
    import worker as program  # heavy, and only needed here

    run(program.run(load_settings()))


def api(
    host: Annotated[
        str | None,
        typer.Option(help="Address to bind; beyond 127.0.0.1 it needs a key (`onward keys create`, ONWARD_API_TOKEN)."),
    ] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.", min=0, max=65535)] = None,
) -> None:
    """Run the HTTP API until SIGTERM or Ctrl-C."""
    from api import server  # heavy, and only needed here

    given: dict[str, Any] = {"api_host": host, "api_port": port}
    settings = load_settings(**{name: value for name, value in given.items() if value is not None})
    run(server.run(settings))


def migrate(as_json: JsonOption = False) -> None:
    """Bring the database's schema up to date. Safe to repeat, and from several processes at once."""

    async def work() -> None:
        applied = await apply_migrations(load_settings().require_database())
        emit({"applied": applied}, [f"applied {name}" for name in applied] or "nothing to do", as_json=as_json)

    run(work())


def stack() -> None:
    """Run the embedded servers (PostgreSQL, Temporal) until SIGTERM or Ctrl-C; the data stays."""
    from embedded.stack import start_stack  # an extra that a deployment against real servers leaves out

    settings = Settings()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    with start_stack(settings.home, lambda line: print(line, flush=True)) as running:
        asyncio.run(apply_migrations(running.database_url))
        print(f"PostgreSQL  {running.database_url}\nTemporal    {running.temporal_address}")
        print(
            f"Temporal UI {running.ui_url}\nOther `onward` commands of this user find them. Ctrl-C stops.", flush=True
        )
        while not stopped.wait(1.0):
            running.check()
