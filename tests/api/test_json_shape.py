"""JSON bodies whose shape costs too much are refused before anything is built of them."""

from __future__ import annotations

import asyncio
import base64
import json
import random
import time

import httpx
import pytest
from pydantic import ValidationError

from api.edge import json_shape, middleware
from api.edge.json_shape import JSON_BYTES, MOST_DEPTH, MOST_VALUES, check_shape
from api.schemas import ChatBody
from domain.errors import BadInput, BodyTooLarge
from tests.api.test_middleware import begin
from tests.live_server import LiveServer
from tests.standins.openai_server import OpenAIServer

LISTS = "[" + "[]," * 200_000 + "[]]"
BODIES = {
    "/api/v1/chat": '{"message":"a","tools":%s}',
    "/v1/chat/completions": '{"messages":%s}',
    "/v1/embeddings": '{"input":%s}',
    "/agent/invoke": '{"input":{"messages":%s}}',
    "/agent/batch": '{"inputs":%s}',
    "/api/v1/sessions/import": '{"messages":%s}',
    "/api/v1/documents/search": '{"query":"a","document_ids":%s}',
}


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"message": 'Say "hi" \\ then "bye"\\', "list": [1, "a,[{", {"b": "}]"}]}),
        "[" * MOST_DEPTH + "]" * MOST_DEPTH,
        json.dumps(["[" * 100, "{" * 100, '"' * 1000, "\\" * 1001]),
        json.dumps([0] * (MOST_VALUES - 1)),
        json.dumps([[]] * (MOST_VALUES // 2 - 1)),
        "[" * 60 + "[[[]]]," * 1000 + "[]" + "]" * 60,
        json.dumps({"file": base64.b64encode(bytes(2 * JSON_BYTES)).decode()}),
        "",
        '"',
        '{"a": "no end',
        "\\",
    ],
)
def test_these_shapes_are_taken(text: str) -> None:
    check_shape(text.encode())


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("[" * (MOST_DEPTH + 1), "nested deeper than 64"),
        ('{"a":' * (MOST_DEPTH + 1), "nested deeper than 64"),
        ("[" * 60 + "[]," * 1000 + "[" * 5 + "]" * 65, "nested deeper than 64"),
        ("[" * 60 + "[]," * 1000 + '"a",' + "[]," * 1000 + "[" * 5 + "]" * 65, "nested deeper than 64"),
        (json.dumps([0] * (MOST_VALUES + 1)), "more than 100,000"),
        (json.dumps([""] * (MOST_VALUES + 1)), "more than 100,000"),
        ('""' * (2 * MOST_VALUES + 1) + "[", "more than 100,000"),
        (json.dumps({"a\\": [[]] * (MOST_VALUES // 2 + 1)}), "more than 100,000"),
        (json.dumps(['"' * 33] * 6_000), "more than 100,000"),
        (json.dumps({"a": '"' * 300_000, "b": [[]] * (MOST_VALUES // 2 + 1)}), "more than 100,000"),
    ],
)
def test_these_shapes_are_refused(text: str, error: str) -> None:
    with pytest.raises(BadInput, match=error):
        check_shape(text.encode())


@pytest.mark.parametrize("window", [1, 2, 3, 7, 64])
def test_the_end_of_a_string_is_found_whatever_is_escaped_in_it(monkeypatch: pytest.MonkeyPatch, window: int) -> None:
    monkeypatch.setattr(json_shape, "_WINDOW", window)
    monkeypatch.setattr(json_shape, "_STRETCHES", 1)
    chance = random.Random(window)
    for _ in range(300):
        said = "".join(chance.choice('"\\\\a') for _ in range(chance.randrange(40)))
        string = json.dumps(said)
        found = json_shape._after_string(f'[{string},"next"]'.encode(), 2)
        assert (found[0], found[1] > 0) == (1 + len(string), string != f'"{said}"')
    assert json_shape._after_string(b'"\\"\\"\\\\\\"', 1)[0] == 9, "it has no end"


@pytest.mark.parametrize("name", ["tools", "permissions", "budget"])
def test_many_wrong_entries_are_one_problem(name: str) -> None:
    wrong = [[]] * 40_000 if name == "tools" else {str(n): [] for n in range(40_000)}
    with pytest.raises(ValidationError) as caught:
        ChatBody.model_validate({"message": "a", name: wrong})
    assert caught.value.error_count() < 4


@pytest.mark.parametrize(
    "text", ["1" * (JSON_BYTES + 1), '["' + "\\n" * JSON_BYTES + '"]', ('"' + "a" * 50_000 + '" ') * 90]
)
def test_only_long_plain_strings_may_be_larger(text: str) -> None:
    with pytest.raises(BodyTooLarge):
        check_shape(text.encode())


@pytest.mark.parametrize("path", BODIES)
async def test_a_body_of_many_values_stops_nobody(client: httpx.AsyncClient, model: OpenAIServer, path: str) -> None:
    slowest, stopped = 0.0, asyncio.Event()

    async def others() -> None:
        nonlocal slowest
        while not stopped.is_set():
            began = time.monotonic()
            await client.get("/api/v1/personas")
            slowest = max(slowest, time.monotonic() - began)

    watching = asyncio.create_task(others())
    body = BODIES[path] % LISTS
    response = await client.post(path, content=body, headers={"content-type": "application/json"})
    stopped.set()
    await watching
    assert response.status_code in (400, 422) and response.json()["error"]["code"] == "bad_input"
    assert "100,000" in response.json()["error"]["message"]
    assert slowest < 1.0


async def test_json_without_files_has_a_limit_of_its_own(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "JSON_BYTES", 50_000)
    monkeypatch.setattr(json_shape, "JSON_BYTES", 50_000)
    file = base64.b64encode(bytes(90_000)).decode()
    blocks = [{"type": "text", "text": "Hi"}, {"type": "file", "base64": file, "filename": "a.bin"}]
    small = {"input": {"messages": [{"type": "human", "content": blocks}]}}
    answer = await client.post("/agent/invoke", json=small)
    assert answer.status_code == 200 and answer.json()["output"]["attachments"][0]["size"] == 90_000
    for path, body in (
        ("/api/v1/chat", {"message": "Hi", "system_prompt": file}),
        ("/api/v1/documents/search", {"query": file}),
        ("/agent/invoke", small | {"config": {"metadata": {str(n): "a" * 1000 for n in range(60)}}}),
    ):
        response = await client.post(path, json=body)
        assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large"), path


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/chat", {"message": "a", **{f"k{n}": 1 for n in range(5000)}}),
        ("/api/v1/chat", {"message": "a", "tools": [[]] * 5000}),
        ("/api/v1/chat", {"message": "a", "attachment_ids": [1] * 5000}),
        ("/api/v1/tts", {"text": "a", **{f"k{n}": 1 for n in range(5000)}}),
        ("/api/v1/sessions/import", {"messages": [[]] * 19_000}),
        ("/api/v1/sessions/import", {"messages": [{"role": "user", "text": "a", "citations": [1] * 9000}]}),
        ("/v1/chat/completions", {"messages": [[]] * 5000}),
        ("/v1/chat/completions", {"messages": [{"role": "user", "content": "a"}] * 2001}),
        ("/agent/invoke", {"input": {"messages": [{"type": "human", "content": "a"}] * 20_001}}),
        ("/agent/batch", {"inputs": [{"messages": [{"type": "human", "content": "a"}]}] * 101}),
    ],
)
async def test_long_lists_are_refused_at_once(client: httpx.AsyncClient, path: str, body: object) -> None:
    content = json.dumps(body)
    began = time.process_time()
    response = await client.post(path, content=content, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422) and response.json()["error"]["code"] == "bad_input", response.text
    assert len(response.text) < 2000
    assert time.process_time() - began < 0.5


@pytest.mark.parametrize("path", ["/api/v1/chat", "/agent/invoke", "/api/v1/documents/search", "/v1/chat/completions"])
@pytest.mark.parametrize("body", ["9" * 5000, '{"a": 1' + "0" * 5000 + "}", "[" * 60 + "]" * 60, "\x00", "\ud800"])
async def test_odd_json_is_the_clients_mistake(client: httpx.AsyncClient, path: str, body: str) -> None:
    data = body.encode("utf-8", "surrogatepass")
    response = await client.post(path, content=data, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422) and response.json()["error"]["code"] == "bad_input"


async def test_a_body_that_drips_is_given_up(server: LiveServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.3)
    reader, writer = await begin(server, "/api/v1/chat")
    answer = asyncio.create_task(reader.readuntil(b'"body_timed_out"'))
    for _ in range(100):
        writer.write(b" ")
        await asyncio.sleep(0.02)
        if answer.done():
            break
    assert (await asyncio.wait_for(answer, 5)).startswith(b"HTTP/1.1 408")
    writer.close()
