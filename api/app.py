"""The HTTP API: its routes by subject, its door, its problems, its OpenAPI document."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.routing import Match, Mount
from starlette.types import Scope

from api import (
    audit,
    commands,
    contacts,
    enrollments,
    health,
    inbound,
    mailboxes,
    planning,
    problems,
    sequences,
    signin,
    unsubscribe,
)
from api.access import declared, every_route, needs
from api.audit import Audit
from api.bodies import documented
from api.console import create_console
from api.door import Door, of_api
from api.idempotency import Idempotency
from api.problems import MEDIA_TYPE, ProblemDetails
from api.services import Services

_DESCRIPTION = """Sales email sequences as durable processes.

Every write takes an `Idempotency-Key`: repeated with the same key and body it answers the same and has no second effect.
Every error is a problem (RFC 9457) with a stable `code`. Times are RFC 3339 with an offset; answers are in UTC."""

_PROBLEM = {
    "type": "urn:onward:problem:not_paused",
    "title": "Not paused",
    "status": 409,
    "detail": "there is nothing to resume",
    "code": "not_paused",
    "field": None,
    "fix": None,
    "allowed_actions": ["pause", "send_now", "skip", "finish", "remove"],
    "errors": [],
}
_PARTS = (health, sequences, enrollments, planning, commands, contacts, mailboxes, inbound, audit, unsubscribe, signin)
_ROUTERS = tuple(part.router for part in _PARTS)
_SCHEMES = {
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key (`onward keys create`) with the scope named, or a wider one: admin includes operate, which "
        "includes read.",
    },
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Onward-Signature",
        "description": 't=<Unix seconds>,v1=<hex HMAC-SHA256 of "<t>." and the body> under ONWARD_INBOUND_SECRET.',
    },
}
_REF = "#/components/schemas/{model}"


def create_app(services: Services) -> FastAPI:
    """The API on these services; the caller opens and closes them."""
    app = FastAPI(
        title="Onward",
        version=version("onward"),
        description=_DESCRIPTION,
        openapi_url=None,
        # The usual pages load scripts from elsewhere, into a page that may write here; the document serves any viewer.
        docs_url=None,
        redoc_url=None,
        responses={
            "default": {
                "description": "Refused or failed",
                "content": {MEDIA_TYPE: {"schema": {"$ref": _REF.format(model="ProblemDetails")}, "example": _PROBLEM}},
            }
        },
    )
    app.state.services = services
    app.add_middleware(Idempotency, services=services)
    app.add_middleware(Audit, services=services)
    app.add_middleware(Door, services=services)
    problems.install(app)
    for router in _ROUTERS:
        app.include_router(router)
    app.openapi = lambda: _openapi(app)  # type: ignore[method-assign]

    @app.get("/openapi.json", dependencies=[needs("read")], include_in_schema=False)
    async def document() -> JSONResponse:
        return JSONResponse(app.openapi())

    app.routes.append(_Console("/", create_console(services)))
    return app


class _Console(Mount):
    """Answers whatever path is not the API's: there what is wrong is a problem, not a page."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        return (Match.NONE, {}) if of_api(scope["path"]) else super().matches(scope)


def _openapi(app: FastAPI) -> dict[str, Any]:
    """FastAPI's document with what it cannot know: bodies that the domain judges, the headers of writes, the token."""
    if app.openapi_schema is None:
        document = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
            separate_input_output_schemas=True,
        )
        models: list[type[BaseModel]] = [ProblemDetails, *documented()]
        _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=_REF)
        components = document.setdefault("components", {})
        components.setdefault("schemas", {}).update(schemas["$defs"])
        components["securitySchemes"] = _SCHEMES
        _put_examples(document)
        security = _security(app)
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                operation["security"] = security[path, method]
                _complete(path, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _put_examples(document: dict[str, Any]) -> None:
    """FastAPI leaves every null out of the document, also out of examples, where it is part of the answer."""
    for route in (route for router in _ROUTERS for route in router.routes):
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            for status, answer in route.responses.items():
                for kind, content in answer.get("content", {}).items():
                    operation["responses"][str(status)]["content"][kind]["example"] = content["example"]


def _security(app: FastAPI) -> dict[tuple[str, str], list[dict[str, list[str]]]]:
    """What each path and method asks for: one of these; nothing where it is open."""
    found: dict[tuple[str, str], list[dict[str, list[str]]]] = {}
    for path, route in every_route(app.routes):
        says = declared(route)
        for method in route.methods or ():
            asked: list[dict[str, list[str]]] = [{"key": [scope]} for scope in says.scopes] if says else []
            found[path, method.lower()] = asked + ([{"signature": []}] if says and says.signed else [])
    return found


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    operation["responses"]["default"]["content"][MEDIA_TYPE]["example"] = _PROBLEM
    if method == "get" or not path.startswith("/v1/"):
        return
    parameters = [one for one in operation.get("parameters", []) if one["in"] != "header"]
    parameters += [
        _header(
            "Idempotency-Key", "The same key and body: the same answer, no second effect.", "7b1d9c52-enroll-march"
        ),
        _header("Onward-Actor", "Who says it, as an ID; the key's own actor by default.", "person:ana"),
    ]
    operation["parameters"] = parameters


def _header(name: str, description: str, example: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"},
        "example": example,
    }
