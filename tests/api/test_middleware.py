from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
import pytest

from api.edge import middleware
from api.edge.middleware import _path_only
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall

MB = 1_000_000


async def blocks(count: int) -> AsyncIterator[bytes]:
    yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    for _ in range(count):
        yield b"x" * 100_000


@pytest.mark.parametrize("path", ["/api/v1/chat", "/api/v1/documents", "/agent/invoke", "/v1/chat/completions"])
@pytest.mark.parametrize("declared", [True, False])
async def test_large_bodies_are_refused_while_they_stream_in(
    client: httpx.AsyncClient, model: OpenAIServer, path: str, declared: bool
) -> None:
    kind = "multipart/form-data; boundary=b" if "documents" in path else "application/json"
    content = b"x" * (2 * MB) if declared else blocks(20)
    response = await client.post(path, content=content, headers={"content-type": kind})
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")
    assert response.headers["x-request-id"]


async def test_request_ids(client: httpx.AsyncClient) -> None:
    ours = await client.get("/api/v1/health")
    assert len(ours.headers["x-request-id"]) == 32
    theirs = await client.get("/api/v1/health", headers={"x-request-id": "abc-1"})
    assert theirs.headers["x-request-id"] == "abc-1"
    broken = await client.get("/api/v1/health", headers={"x-request-id": "a b<script>"})
    assert len(broken.headers["x-request-id"]) == 32


async def test_unknown_paths_and_methods(client: httpx.AsyncClient) -> None:
    for method, path, status, code in (
        ("GET", "/nothing", 404, "not_found"),
        ("POST", "/nothing", 404, "not_found"),
        ("GET", "/api/v1/nothing", 404, "not_found"),
        ("PUT", "/api/v1/chat", 405, "method_not_allowed"),
    ):
        response = await client.request(method, path)
        assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_metrics_and_tools(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    async def calculate() -> dict[str, Any]:
        tools = (await client.get("/api/v1/tools")).json()["tools"]
        return next(tool for tool in tools if tool["name"] == "calculate")

    before = (await calculate())["calls"]  # counted a process, whatever ran in it before
    model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]), Answer("42")])
    await client.post("/api/v1/chat", json={"message": "How much is 6*7?"})
    text = (await client.get("/metrics")).text
    assert 'llmchat_turns_total{state="done"}' in text and "llmchat_first_token_seconds_count" in text
    tool = await calculate()
    for name in ("errors", "unknown", "refused", "asked", "cached"):
        assert f'llmchat_tool_{name}_total{{name="calculate"}} {float(tool[name])}' in text
    assert f'llmchat_tool_seconds_count{{name="calculate"}} {tool["calls"] - tool["cached"]:.1f}' in text
    assert 'llmchat_tool_breaker{name="calculate"} 0.0' in text and tool["breaker"]["state"] == "closed"
    assert tool["permission"] == "read" and tool["calls"] == before + 1
    assert tool["titles"] == {"en": "Calculate", "zh": "计算"}
    rows = (await client.get("/api/v1/tools", headers={"Accept-Language": "zh-CN"})).json()["tools"]
    documents = next(row for row in rows if row["name"] == "search_documents")
    assert (documents["title"], documents["state"]) == ("搜索文档", "conditional") and "文档" in documents["reason"]
    assert (await client.get("/api/v1/health")).json()["tools"]["calculate"] == {"en": "Calculate", "zh": "计算"}


async def test_the_page_is_served_strictly(client: httpx.AsyncClient) -> None:
    page = await client.get("/")
    assert page.status_code == 200 and "script-src 'self';" in page.headers["content-security-policy"]
    again = await client.get("/", headers={"if-none-match": page.headers["etag"]})
    assert again.status_code == 304
    for path in ("/vendor/..%2f..%2fsettings.py", "/vendor/../settings.py", "/js/%2e%2e/%2e%2e/settings.py"):
        assert (await client.get(path)).status_code == 404


async def test_openapi_is_complete(client: httpx.AsyncClient) -> None:
    document = (await client.get("/openapi.json")).json()
    paths = document["paths"]
    chat = paths["/api/v1/chat"]["post"]
    assert chat["requestBody"]["content"]["application/json"]["examples"]
    assert "multipart/form-data" in paths["/api/v1/chat_with_image"]["post"]["requestBody"]["content"]
    assert "multipart/form-data" in paths["/api/v1/stt"]["post"]["requestBody"]["content"]
    assert document["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    for path, operations in paths.items():
        for operation in operations.values():
            said = operation["responses"]
            for code in ("400" if path.startswith("/v1/") else "422", "401", "403", "429"):
                assert said[code]["content"]["application/json"]["schema"]["$ref"].endswith("/Failure"), path
            good = next(answer for code, answer in said.items() if code.startswith(("2", "3")))
            untyped = good.get("content", {}).get("application/json", {"schema": "none"})["schema"] == {}
            assert not untyped or path.startswith(("/v1/", "/agent/")) or path.endswith(("/export", "/pages")), path
    for path in ("/api/v1/chat/stream", "/agent/stream", "/agent/tokens/stream"):
        assert list(paths[path]["post"]["responses"]["200"]["content"]) == ["text/event-stream"], path


async def begin(server: LiveServer, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send a request whose body stops in the middle."""
    address = urlsplit(server.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    kind = "multipart/form-data; boundary=b" if path.endswith("documents") else "application/json"
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 500\r\n\r\n"
    writer.write(head.encode() + (b"--b\r\n" if path.endswith("documents") else b'{"me'))
    await writer.drain()
    return reader, writer


PATHS = ["/api/v1/chat", "/api/v1/documents", "/api/v1/documents/search", "/agent/invoke", "/v1/chat/completions"]


@pytest.mark.parametrize("path", PATHS)
async def test_a_body_that_stops_coming_is_refused(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.2)
    reader, writer = await begin(server, path)
    answer = (await asyncio.wait_for(reader.read(), 5)).decode()
    writer.close()
    assert answer.startswith("HTTP/1.1 408 ") and '"body_timed_out"' in answer


@pytest.mark.parametrize("path", PATHS)
async def test_a_client_that_leaves_in_the_middle_of_its_body_is_no_error(
    server: LiveServer, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    caplog.set_level(logging.INFO)
    caplog.clear()
    _, writer = await begin(server, path)
    await asyncio.sleep(0.1)
    writer.close()
    for _ in range(100):
        if any(record.message == "request" for record in caplog.records):
            break
        await asyncio.sleep(0.02)
    assert [record.message for record in caplog.records if record.name.startswith("api.")] == ["request"]
    assert not [record for record in caplog.records if record.exc_info or record.levelno >= logging.ERROR]


async def test_what_the_server_keeps_is_its_owners_alone(server: LiveServer) -> None:
    assert server.settings.data_dir.stat().st_mode & 0o777 == 0o700


async def test_head_is_get_without_a_body(client: httpx.AsyncClient) -> None:
    for path in ("/api/v1/health", "/api/v1/sessions", "/v1/models", "/"):
        head, get = await client.head(path), await client.get(path)
        assert (head.status_code, head.content) == (200, b"") and get.content, path
        assert head.headers["content-type"] == get.headers["content-type"]
    assert (await client.head("/api/v1/runs/none")).status_code == 404


async def test_a_wrong_method_is_told_the_right_ones(client: httpx.AsyncClient) -> None:
    for method, path, allowed in (
        ("PUT", "/api/v1/chat", "POST"),
        ("GET", "/api/v1/chat/stream", "POST"),
        ("PUT", "/api/v1/sessions/x", "DELETE, GET, HEAD, PATCH"),
        ("POST", "/api/v1/health", "GET, HEAD"),
    ):
        response = await client.request(method, path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


async def test_a_redirect_names_a_path(client: httpx.AsyncClient) -> None:
    response = await client.post("/api/v1/chat/?a=b", json={}, headers={"host": "localhost"})
    assert (response.status_code, response.headers["location"]) == (307, "/api/v1/chat?a=b")
    assert _path_only(b"http://chat.example//evil.example/x?a=b") == b"/evil.example/x?a=b"


async def test_a_field_of_null_is_left_out(client: httpx.AsyncClient, model: OpenAIServer) -> None:
    names = ("system_prompt", "attachment_ids", "language", "stream", "tools", "persona", "session_id", "on_busy")
    response = await client.post("/api/v1/chat", json={"message": "Hi", **dict.fromkeys(names)})
    assert response.status_code == 200 and response.json()["answer"] == "You said: Hi"
    refused = await client.post("/api/v1/documents/search", json={"query": None, "top_k": None})
    assert refused.status_code == 422 and "query is required" in refused.json()["error"]["message"]


@pytest.mark.parametrize("name", ["a/b", "..", ".", "a?b", "a#b", "50%", "a\\b", "a\nb", "x" * 129])
async def test_a_session_that_could_not_be_asked_for_is_refused(client: httpx.AsyncClient, name: str) -> None:
    answers = [
        await client.post("/api/v1/chat", json={"message": "Hi", "session_id": name}),
        await client.post(
            "/agent/invoke", json={"input": {"message": "Hi"}, "config": {"configurable": {"thread_id": name}}}
        ),
        await client.post(
            "/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "Hi"}], "metadata": {"session_id": name}},
        ),
    ]
    assert [(answer.status_code, answer.json()["error"]["code"]) for answer in answers] == [
        (422, "bad_input"), (422, "bad_input"), (400, "bad_input"),
    ]  # fmt: skip
    gone = await client.post("/api/v1/clear_current_chat_history", json={"session_id": name[:128]})
    assert gone.status_code == 200


@pytest.mark.parametrize("name", ["s-1", "合同 2026", "a.b", "..a", ".a", "user@example.com:1"])
async def test_other_sessions_are_found_by_their_name(
    client: httpx.AsyncClient, model: OpenAIServer, name: str
) -> None:
    await client.post("/api/v1/chat", json={"message": "Hi", "session_id": name})
    found = await client.get(f"/api/v1/sessions/{quote(name, safe='')}")
    assert found.status_code == 200 and found.json()["session_id"] == name
