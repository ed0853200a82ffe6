"""What requests carry: strict JSON bodies, who says it, and how the OpenAPI document shows them.

Bodies are judged by the domain's own rules, so that HTTP, CLI and files refuse the same things in the same words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, NoReturn, TypeVar

from fastapi import Depends, Request
from pydantic import BaseModel

from api.access import DEFAULT_ACTOR, ScopeMissing, caller_of, trail_of
from api.problems import InvalidRequest
from domain.errors import InvalidDefinition
from domain.ids import ACTOR_FORM, check_id, is_actor
from domain.sequences import Definition, parse_definition
from store.audit import Trail
from store.catalog import NotFound

D = TypeVar("D", bound=Definition)


_DOCUMENTED: dict[str, type[BaseModel]] = {}


async def json_object(request: Request) -> dict[str, Any]:
    """The body as a JSON object; an empty body is an empty object. Raises InvalidRequest."""
    data = await json_value(request)
    if not isinstance(data, dict):
        raise InvalidRequest(f"the body is a JSON object, not {type(data).__name__}")
    return data


async def json_value(request: Request) -> Any:
    """The body as JSON. Raises InvalidRequest, also for text that nothing can store."""
    body = await request.body()
    if not body:
        return {}
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    # Also what keeps a form on another web page from writing here: a browser asks before it sends JSON.
    if kind != "application/json" and not kind.endswith("+json"):
        raise InvalidRequest("the body is JSON", field="Content-Type", fix="send Content-Type: application/json")
    try:
        data = json.loads(body, parse_constant=_no_constant)
        if b"\\u" in body:
            json.dumps(data, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise InvalidRequest("holds half a character (a lone surrogate)", fix="write it again") from None
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"the body is not JSON: {str(error)[:200]}") from None
    return data


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


Body = Annotated[dict[str, Any], Depends(json_object)]


def parse(kind: type[D], data: Mapping[str, Any]) -> D:
    """A request's body as its model. Raises InvalidRequest that names the field."""
    try:
        return parse_definition(kind, data)
    except InvalidDefinition as error:
        raise InvalidRequest(error.message, field=error.field, fix=error.fix) from None


def with_id(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A definition whose ID is its path's. Raises InvalidDefinition when it is no ID or the body names another one."""
    check_id(key, "id")
    if data.get("id", key) != key:
        raise InvalidDefinition(f"the path says {key!r}", field="id", fix="leave it out of the body, or write the same")
    return {**data, "id": key}


def known(kind: str, key: str) -> str:
    """An ID in a path of something that must exist. Raises NotFound for what can be no ID."""
    try:
        return check_id(key, "id")
    except InvalidDefinition:
        raise NotFound(kind, key) from None


def check_actor(value: object) -> str:
    """Who says it, as an ID. Raises InvalidRequest."""
    if not isinstance(value, str) or not is_actor(value):
        raise InvalidRequest("not an actor", field="by", fix=ACTOR_FORM)
    return value


@dataclass(frozen=True)
class Acting:
    """Who says what a request says: the caller's own actor; or, where the caller may operate and comes with a key, whom the
    request names: a backend acts for its users. A console session always acts as its key's actor."""

    request: Request

    def by(self, named: object = None) -> str:
        """The actor: `by` of the body before the header `Onward-Actor`. Raises InvalidRequest, ScopeMissing."""
        caller = caller_of(self.request)
        if named is None:
            named = self.request.headers.get("onward-actor")
        own = DEFAULT_ACTOR if caller is None else caller.actor
        if named is None or (caller is not None and caller.session is not None):
            return own
        actor = check_actor(named)
        if actor != own and (caller is None or not caller.may("operate")):
            raise ScopeMissing(
                f"this key speaks as {own} only", field="by", fix="leave `by` out, or use a key that may operate"
            )
        if actor != own:
            self.audit.by = actor
        return actor

    @property
    def audit(self) -> Trail:
        """What is noted of the request."""
        return trail_of(self.request)


async def _acting(request: Request) -> Acting:
    return Acting(request)


Actor = Annotated[Acting, Depends(_acting)]


def said_by(data: dict[str, Any], actor: Acting) -> tuple[dict[str, Any], str]:
    """The body without `by`, and who says it. Raises InvalidRequest, ScopeMissing."""
    rest = {name: value for name, value in data.items() if name != "by"}
    return rest, actor.by(data.get("by"))


# OpenAPI


def takes(kind: type[BaseModel], example: Any, *, required: bool = True) -> dict[str, Any]:
    """A route's `openapi_extra`: its body has this shape."""
    _DOCUMENTED[kind.__name__] = kind
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {
        "requestBody": {"required": required, "content": {"application/json": {"schema": schema, "example": example}}}
    }


def answers(example: Any, *, status: int = 200, description: str = "Done") -> dict[int | str, dict[str, Any]]:
    """A route's `responses`: an example of its answer."""
    return {status: {"description": description, "content": {"application/json": {"example": example}}}}


def documented() -> list[type[BaseModel]]:
    """Every model that `takes` named."""
    return list(_DOCUMENTED.values())
