from __future__ import annotations

import json
from typing import Any

import pytest

from tools.argument_check import ArgumentCheck
from tools.sources.config import BadSource
from tools.sources.openapi import Operation, operations

DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "servers": [{"url": "/{stage}/", "variables": {"stage": {"default": "v1"}}}],
    "components": {
        "securitySchemes": {"key": {"type": "apiKey", "in": "query", "name": "token"}},
        "parameters": {"Lang": {"in": "query", "name": "lang", "schema": {"type": "string", "nullable": True}}},
        "schemas": {
            "Part": {
                "type": "object",
                "required": ["name"],
                "properties": {
                    "name": {"type": "string"},
                    "size": {"type": "number", "minimum": 0, "exclusiveMinimum": True},
                    "parts": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}},
                },
            }
        },
    },
    "paths": {
        "/things/{thing_id}": {
            "parameters": [{"in": "path", "name": "thing_id", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "get_thing",
                "summary": "Read one",
                "description": "Reads a thing. 读取。",
                "parameters": [
                    {"$ref": "#/components/parameters/Lang"},
                    {"in": "query", "name": "tag", "schema": {"type": "array", "items": {"type": "string"}}},
                    {"in": "query", "name": "ids", "explode": False, "schema": {"type": "array"}},
                    {"in": "query", "name": "filter", "style": "deepObject", "schema": {"type": "object"}},
                    {"in": "query", "name": "token", "schema": {"type": "string"}},
                    {"in": "header", "name": "Authorization", "schema": {"type": "string"}},
                    {"in": "header", "name": "X-Trace", "schema": {"type": "string"}},
                    {"in": "cookie", "name": "session", "schema": {"type": "string"}},
                ],
            },
            "delete": {},
        },
        "/things": {
            "post": {
                "operationId": "make",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Part"}}},
                },
            },
            "put": {
                "operationId": "form",
                "requestBody": {"content": {"application/x-www-form-urlencoded": {"schema": {"type": "object"}}}},
            },
            "patch": {"requestBody": {"content": {"multipart/form-data": {"schema": {}}}}},
        },
    },
}


@pytest.fixture(scope="module")
def known() -> dict[str, Operation]:
    found = operations(DOCUMENT, at="https://shop.example/docs/openapi.json", base=None)
    return {operation.name: operation for operation in found}


def test_operations_have_names_permissions_and_schemas(known: dict[str, Operation]) -> None:
    permissions = {name: operation.permission for name, operation in known.items()}
    assert permissions == {
        "get_thing": "read", "delete/things/{thing_id}": "write", "make": "write", "form": "write"
    }  # fmt: skip
    read = known["get_thing"]
    assert read.description == "Read one. Reads a thing. 读取。"
    assert list(read.schema["properties"]) == ["thing_id", "lang", "tag", "ids", "filter", "X-Trace"]
    assert read.schema["required"] == ["thing_id"] and read.schema["properties"]["lang"]["type"] == ["string", "null"]


def test_requests_go_where_the_operation_is(known: dict[str, Operation]) -> None:
    request = known["get_thing"].request(
        {"thing_id": "a/b 的", "lang": "zh", "tag": ["x&y", "z"], "ids": [1, 2], "filter": {"on": True},
         "X-Trace": "t\r\nHost: e"},
        {"token": "secret"},
    )  # fmt: skip
    assert request.method == "GET" and request.body is None
    assert request.url == (
        "https://shop.example/v1/things/a%2Fb%20%E7%9A%84"
        "?token=secret&lang=zh&tag=x%26y&tag=z&ids=1%2C2&filter%5Bon%5D=true"
    )
    assert request.headers == {"X-Trace": "t  Host: e"}
    made = known["make"].request({"body": {"name": "轮", "parts": []}}, {})
    assert json.loads(made.body or b"") == {"name": "轮", "parts": []}
    assert made.headers["Content-Type"] == "application/json" and made.url == "https://shop.example/v1/things"
    assert known["form"].request({"body": {"a": ["1", "2"], "b": "x&"}}, {}).body == b"a=1&a=2&b=x%26"


@pytest.mark.parametrize("bent", ["..", ".", "", "../../admin?x=1#", "x/../../admin", "{other}", "%2e%2e", "a\\..\\b"])
def test_no_argument_leaves_the_path(known: dict[str, Operation], bent: str) -> None:
    operation = known["delete/things/{thing_id}"]
    if bent in ("..", ".", ""):
        with pytest.raises(ValueError, match="may not be"):
            operation.request({"thing_id": bent}, {})
        return
    url = operation.request({"thing_id": bent}, {}).url
    segment = url.removeprefix("https://shop.example/v1/things/")
    assert url != segment and not set("/?#\\{}") & set(segment) and segment not in (".", "..")


def test_recursive_schemas_are_finite_and_still_check(known: dict[str, Operation]) -> None:
    check = ArgumentCheck(known["make"].schema)
    assert not check.problems({"body": {"name": "a", "size": 1, "parts": [{"anything": 1}]}})
    assert check.problems({"body": {"size": 1}}) and check.problems({"body": {"name": "a", "size": 0}})
    assert check.problems({}) and check.problems({"body": {"name": "a"}, "more": 1})


def test_a_document_that_grows_without_end_is_cut() -> None:
    schemas = {
        f"S{level}": {
            "type": "object", "properties": {f"p{i}": {"$ref": f"#/components/schemas/S{level + 1}"} for i in range(10)}
        }
        for level in range(12)
    }  # fmt: skip
    schemas["S12"] = {"type": "string"}
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/S0"}}}}
    document = {
        "openapi": "3.1.0", "paths": {"/a": {"post": {"requestBody": body}}}, "components": {"schemas": schemas},
    }  # fmt: skip
    [operation] = operations(document, at="https://a.example/", base="https://b.example/api")
    assert operation.base == "https://b.example/api" and len(json.dumps(operation.schema)) < 1_000_000


@pytest.mark.parametrize(
    "document",
    [
        {"swagger": "2.0", "paths": {}},
        {"openapi": "3.1.0"},
        {"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "https://elsewhere.example/p"}]}}}},
        {"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{"$ref": "#/no/where"}]}}}},
        {"openapi": "3.1.0", "paths": {"/a": {"get": {"parameters": [{}]}}}},
    ],
)
def test_what_is_no_openapi_3_document_is_refused(document: dict[str, Any]) -> None:
    with pytest.raises(BadSource):
        operations(document, at="https://a.example/", base=None)


def test_a_document_in_a_file_has_to_name_its_server() -> None:
    with pytest.raises(BadSource, match="base_url"):
        operations({"openapi": "3.1.0", "paths": {"/a": {"get": {}}}}, at="/srv/openapi.yaml", base=None)
