from __future__ import annotations

import time
from typing import Any

import pytest

from tools.argument_check import ArgumentCheck

TREE: dict[str, Any] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "properties": {"tree": {"$ref": "#/definitions/node"}, "pair": {"type": "array", "items": [{"type": "string"}]}},
    "definitions": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"type": "string"},
                "parts": {"type": "array", "items": {"$ref": "#/definitions/node"}},
            },
            "required": ["name"],
        }
    },
}


def test_schemas_are_of_their_own_draft_and_may_be_recursive() -> None:
    check = ArgumentCheck(TREE)
    assert check.problems({"tree": {"name": "a", "parts": [{"name": "b", "parts": []}]}, "pair": ["x", 2]}) == []
    [problem] = check.problems({"tree": {"name": "a", "parts": [{}]}})
    assert problem.startswith("tree.parts.0: ") and "name" in problem
    newer = ArgumentCheck({"type": "object", "properties": {"pair": {"prefixItems": [{"type": "string"}]}}})
    assert newer.problems({"pair": [1]}) and not newer.problems({"pair": ["x", 2]})
    assert len(ArgumentCheck({"type": "object", "additionalProperties": {"type": "null"}}).problems(
        {str(number): number for number in range(20)}
    )) == 5  # fmt: skip


@pytest.mark.parametrize(
    "schema", [{"type": "objct"}, {"$ref": "http://127.0.0.1:9/schema.json"}, {"$ref": "file:///etc/passwd"}]
)
def test_what_is_no_schema_or_lies_elsewhere_is_refused(schema: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"objct|refers to"):
        ArgumentCheck(schema)


def test_a_hostile_pattern_ends() -> None:
    check = ArgumentCheck({"type": "object", "properties": {"a": {"pattern": r"^(?=(a+)+$)(a|aa)+$"}}})
    started = time.thread_time()
    assert check.problems({"a": "a" * 50 + "!"})
    assert time.thread_time() - started < 1
