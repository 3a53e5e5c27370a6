"""Odd values to every route of /openapi.json: none fails inside, and every refusal has the one shape."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

ODD: list[Any] = [
    None, True, 0, -1, 2**63, 2**70, 1e308, float("inf"), "", "\x00", "\ud800", "../../etc/passwd", "%2e%2e", "\u202e",
    "x" * 300, "你好" * 50, "<script>", "NaN", "null", [], {}, [[]], [None], {"a": None}, ["x"] * 50,
]  # fmt: skip
BODIES = [b"", b"{", b"null", b"[]", b"\xff\xfe", b'{"a":' * 2000, b"1e999"]
FILES = [("", b""), ("../x", b"hi"), ("a\x00.pdf", b"%PDF-1.4"), ("x" * 300, b"\x89PNG\r\n\x1a\n"), ("b.zip", b"PK")]
ROUNDS = 6


class Requests:
    """Draws requests from an OpenAPI document."""

    def __init__(self, document: dict[str, Any], seed: int) -> None:
        self._document, self._random = document, random.Random(seed)

    def all(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield (method, path, options for httpx), each route once."""
        for path, methods in self._document["paths"].items():
            for method, route in methods.items():
                filled = re.sub(r"{[^}]+}", lambda _: quote(_text(self._odd()), safe="") or "x", path)
                wanted = [p for p in route.get("parameters", []) if p["in"] == "query" and self._random.random() < 0.7]
                query = {p["name"]: _text(self._value(p["schema"])) for p in wanted}
                yield method.upper(), filled, {"params": query, **self._body(route)}

    def _body(self, route: dict[str, Any]) -> dict[str, Any]:
        content = route.get("requestBody", {}).get("content")
        if not content:
            return {}
        kind, body = self._random.choice(list(content.items()))
        if self._random.random() < 0.2:
            return {"content": self._random.choice(BODIES), "headers": {"content-type": kind}}
        value = self._value(body["schema"])
        if "json" in kind:
            return {"content": json.dumps(value), "headers": {"content-type": kind}}
        fields = {key: _text(item) for key, item in value.items()} if isinstance(value, dict) else {}
        name, data = self._random.choice(FILES)
        return {"data": fields, "files": {self._random.choice(["file", "image", "x"]): (name, data)}}

    def _value(self, schema: dict[str, Any], depth: int = 0) -> Any:
        for part in schema.get("$ref", "").split("/")[1:]:
            schema = schema[part] if part in schema else self._document[part]
        if self._random.random() < 0.25 or depth > 6:
            return self._odd()
        if options := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
            return self._value(self._random.choice(options), depth + 1)
        if "enum" in schema:
            return self._random.choice(schema["enum"])
        if schema.get("type") == "object":
            parts = schema.get("properties", {}).items()
            return {name: self._value(part, depth + 1) for name, part in parts if self._random.random() < 0.7}
        if schema.get("type") == "array":
            return [self._value(schema.get("items", {}), depth + 1) for _ in range(self._random.randrange(3))]
        plain: dict[str, list[Any]] = {
            "integer": [0, 1, 5, -1],
            "number": [0.5, -1],
            "boolean": [True, False],
            "string": ["hello", "s1"],
        }
        return self._random.choice(plain.get(str(schema.get("type")), ODD))

    def _odd(self) -> Any:
        return self._random.choice(ODD)


def _text(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value)).encode("utf-8", "replace").decode()


@pytest.fixture(scope="module")
def odd_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """A server of its own: what these requests start and delete is no other test's business."""
    with OpenAIServer() as model:
        settings = Settings(
            data_dir=tmp_path_factory.mktemp("odd") / "data", llm_base_url=model.base_url, llm_api_key="key",
            llm_model="stand-in", ocr_engine="off", tts_engine="off", web_search="off", _env_file=None,
        )  # fmt: skip
        with LiveServer(settings) as live:
            yield live


@pytest.mark.parametrize("seed", range(ROUNDS))
async def test_odd_values_are_refused_in_the_one_shape(odd_server: LiveServer, seed: int) -> None:
    async with httpx.AsyncClient(base_url=odd_server.url, timeout=30) as client:
        await _send_all(client, seed, str(odd_server.settings.data_dir))


async def _send_all(client: httpx.AsyncClient, seed: int, folder: str) -> None:
    document, count = (await client.get("/openapi.json")).json(), 0
    for method, path, options in Requests(document, seed).all():
        response = await client.request(method, path, **options)
        told, text = (method, path, str(options)[:500], response.text[:500]), response.text
        assert "internal_error" not in text and "Traceback" not in text and folder not in text, told
        is_page = path.startswith("/shared/") and response.headers["content-type"].startswith("text/html")
        if response.status_code >= 400 and not is_page:
            error = response.json()["error"]
            assert all(error[key] for key in ("code", "message", "remedy", "request_id")), told
        count += 1
    assert count > 45


@pytest.mark.parametrize("endpoint", ["invoke", "batch", "stream", "stream_log", "stream_events"])
async def test_a_config_of_null_is_none(client: httpx.AsyncClient, model: OpenAIServer, endpoint: str) -> None:
    body: dict[str, Any] = {"input": {"message": "Hi"}, "config": None}
    if endpoint == "batch":
        body["inputs"] = [body.pop("input")]
    response = await client.post(f"/agent/{endpoint}", json=body)
    assert response.status_code == 200 and "You said: Hi" in response.text
