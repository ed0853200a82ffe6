"""Serving the API: one address, one port, until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import structlog
import uvicorn

from api.app import create_app
from api.authentication import is_loopback
from api.services import open_services
from settings import Settings, SettingsError, configure_logging
from store.access import any_live_key
from store.database import Database

_log = structlog.get_logger(__name__)

GRACE = 15
"""Seconds that requests under way have when the server stops."""


class _Server(uvicorn.Server):
    """Uvicorn without signal handlers of its own: it would raise the signal again after its end."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the process's signals alone."""
        yield


def check_token(settings: Settings) -> None:
    """Raises SettingsError `api_token_empty`: an empty key would be everybody's."""
    if settings.api_token is not None and not settings.api_token.get_secret_value().strip():
        raise SettingsError("api_token_empty", "ONWARD_API_TOKEN", "it is empty; set it (`openssl rand -hex 32`)")


async def check_address(settings: Settings, database: Database) -> None:
    """Raises SettingsError `api_key_missing` for an address beyond this machine while no key exists: nobody could call, and an
    address that was opened by mistake shows at once."""
    host = settings.api_host
    if settings.api_token is not None or is_loopback(host):
        return
    async with database.read() as connection:
        if not await any_live_key(connection, datetime.now(UTC)):
            raise SettingsError(
                "api_key_missing",
                "ONWARD_API_TOKEN",
                f"set it (`openssl rand -hex 32`), or make a key (`onward keys create`), to serve on {host}",
            )


async def run(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises SettingsError, OSError (port in use, server away), RuntimeError."""
    configure_logging(settings)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    await serve(settings, stop)


async def serve(settings: Settings, stop: asyncio.Event, started: Callable[[str], None] | None = None) -> None:
    """Serve until `stop` is set. `started` is told the base URL once the port is open."""
    check_token(settings)
    async with open_services(settings) as services:
        await check_address(settings, services.database)
        listener = _listen(settings.api_host, settings.api_port)
        port = listener.getsockname()[1]
        name = f"[{settings.api_host}]" if ":" in settings.api_host else settings.api_host
        server = _Server(
            uvicorn.Config(
                create_app(services),
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=bool(settings.trusted_proxies),
                forwarded_allow_ips=settings.trusted_proxies or "",
                timeout_graceful_shutdown=GRACE,
            )
        )
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        stopping = asyncio.create_task(stop.wait())
        try:
            # The socket listens already: a request that comes now waits for the server.
            _log.info("api_started", url=f"http://{name}:{port}", pid=os.getpid())
            if started is not None:
                started(f"http://{name}:{port}")
            await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            services.stopping.set()
            server.should_exit = True
            stopping.cancel()
            await serving
            listener.close()
    _log.info("api_stopped")


def _listen(host: str, port: int) -> socket.socket:
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    listener.setblocking(False)
    return listener
