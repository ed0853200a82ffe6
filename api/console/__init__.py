"""The console: server-rendered pages for sales teams and support staff, served by the API under `/`.

An app of its own inside the API's: its errors are pages, not problem details. It does nothing that the API cannot do too,
and by the same client.
"""

from __future__ import annotations

from fastapi import FastAPI

from api.console import (
    attention,
    audit,
    bulk,
    contacts_tab,
    enrollment,
    inbound,
    live,
    mailboxes,
    problems,
    sequence,
    sequences,
    settings_form,
    static,
)
from api.services import Services

ROUTERS = tuple(
    part.router
    for part in (
        static,
        sequences,
        contacts_tab,
        bulk,
        sequence,
        settings_form,
        enrollment,
        inbound,
        attention,
        mailboxes,
        audit,
        live,
    )
)


def create_console(services: Services) -> FastAPI:
    """The console on these services."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.services = services
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    return app
