"""The OpenAPI document: valid, complete, with an example of every body and answer that the models accept."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.api.conftest import ok


@pytest.fixture
async def document(idle: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = ok(await idle.get("/openapi.json"))
    return found


def _operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in _references(value)]
    return [found for value in node for found in _references(value)] if isinstance(node, list) else []


async def test_the_document_is_complete_and_its_examples_fit_their_schemas(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    operations = _operations(document)
    assert len({operation["operationId"] for _, _, operation in operations}) == len(operations) > 50
    for reference in set(_references(document)):
        assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"], reference
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert name
    for path, method, operation in operations:
        where = f"{method} {path}"
        assert operation["summary"], where
        assert operation["description"], where
        bodies = [operation["requestBody"]] if "requestBody" in operation else []
        answers = [answer for status, answer in operation["responses"].items() if status != "default"]
        assert answers, where
        for part in bodies + answers:
            assert part["content"], where
            for kind, content in part["content"].items():
                assert "example" in content, where
                if kind == "application/json" and content.get("schema"):
                    whole = {**content["schema"], "components": document["components"]}
                    problems = [error.message for error in Draft202012Validator(whole).iter_errors(content["example"])]
                    assert not problems, (where, problems)


async def test_every_write_shows_its_headers_and_every_route_its_errors(document: dict[str, Any]) -> None:
    for path, method, operation in _operations(document):
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        assert "422" not in operation["responses"]
        named = [one["name"] for one in operation.get("parameters", []) if one["in"] == "header"]
        if path.startswith("/v1/") and method != "get":
            assert named == ["Idempotency-Key", "Onward-Actor"], (method, path)


async def test_bodies_are_those_that_the_domain_knows(document: dict[str, Any]) -> None:
    body = document["paths"]["/v1/sequences/{id}"]["put"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/Sequence"}
    assert set(document["components"]["schemas"]["Pause"]["properties"]) == {"id", "by", "at", "origin", "until"}


async def test_every_route_shows_which_key_it_takes(document: dict[str, Any]) -> None:
    security = {(method, path): operation["security"] for path, method, operation in _operations(document)}
    assert security["get", "/health"] == security["post", "/u/{token}"] == []
    assert security["get", "/v1/contacts"] == [{"key": ["read"]}]
    assert security["post", "/v1/enrollments/{id}/commands/pause"] == [{"key": ["operate"]}]
    assert security["post", "/v1/enrollments/{id}/facts/reply"] == [{"key": ["operate"]}, {"key": ["inbound"]}]
    assert security["put", "/v1/sequences/{id}"] == [{"key": ["admin"]}]
    assert {"signature": []} in security["post", "/inbound/messages"]
    assert all(asked for (_, path), asked in security.items() if path.startswith("/v1/"))
    assert set(document["components"]["securitySchemes"]) == {"key", "signature"}
