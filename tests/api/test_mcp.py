"""`/mcp` with the official Python client, and what a client is refused."""

from __future__ import annotations

import subprocess
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import pytest
from mcp import ClientSession
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError
from pydantic import AnyUrl

from settings import Settings
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, ToolCall
from tools.permissions import RULES

PAGES = "The deposit is 900 pounds.\f\nThe notice period is nine weeks.\f\nThe cellar belongs to flat three."
HEADERS = {"content-type": "application/json", "accept": "application/json, text/event-stream"}
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


@asynccontextmanager
async def connected(url: str, **headers: str) -> AsyncIterator[ClientSession]:
    async with (
        httpx.AsyncClient(headers=headers, timeout=30) as http,
        streamable_http_client(f"{url}/mcp", http_client=http) as (reading, writing, _),
        ClientSession(reading, writing, read_timeout_seconds=timedelta(seconds=30)) as session,
    ):
        await session.initialize()
        yield session


async def uploaded(client: httpx.AsyncClient, name: str, text: str, **fields: str) -> str:
    response = await client.post("/api/v1/documents", files={"file": (name, text.encode())}, data=fields)
    assert response.status_code == 201, response.text
    document = response.json()[0]
    while document["status"] in ("queued", "reading"):
        document = (await client.get(f"/api/v1/documents/{document['id']}")).json()
    return str(document["id"])


async def test_tools_have_schemas_titles_and_say_what_they_change(server: LiveServer) -> None:
    async with connected(server.url, **{"accept-language": "zh"}) as session:
        tools = {tool.name: tool for tool in (await session.list_tools()).tools}
    assert list(tools) == ["search_documents", "list_documents", "read_document", "query_table", "ask", "list_sessions"]
    assert tools["ask"].title == "向助手提问" and tools["ask"].inputSchema["required"] == ["question"]
    assert tools["search_documents"].inputSchema["required"] == ["query"]
    for tool in tools.values():
        assert tool.annotations is not None and tool.annotations.readOnlyHint is (tool.name != "ask")
        assert tool.description and "session_id" in tool.inputSchema["properties"] or tool.name == "list_sessions"
        assert "runtime" not in tool.inputSchema["properties"]


def test_a_server_without_mcp_clients_does_not_load_the_library() -> None:
    check = "import sys, api.mcp.endpoint; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", check], check=False).returncode == 0


async def test_documents_are_searched_listed_and_read(server: LiveServer, client: httpx.AsyncClient) -> None:
    thread = f"mcp-{uuid.uuid4().hex}"
    document = await uploaded(client, "lease.txt", PAGES, session_id=thread)
    async with connected(server.url) as session:
        found = await session.call_tool("search_documents", {"query": "notice period", "session_id": thread})
        assert not found.isError and found.structuredContent
        assert found.structuredContent["sources"][0]["document_id"] == document
        assert "nine weeks" in _text(found) and "[1] lease.txt" in _text(found)
        everywhere = await session.call_tool("search_documents", {"query": "notice period"})
        assert "nine weeks" not in _text(everywhere), "a session's document is not in the library"
        rows = (await session.call_tool("list_documents", {"session_id": thread})).structuredContent
        assert rows and [row["name"] for row in rows["documents"]] == ["lease.txt"]
        read = await session.call_tool("read_document", {"document": "lease.txt", "session_id": thread})
        assert "900 pounds" in _text(read) and "cellar" in _text(read)


async def test_documents_of_the_library_are_resources(server: LiveServer, client: httpx.AsyncClient) -> None:
    document = await uploaded(client, "房屋.txt", "押金为九百元。", scope="library")
    async with connected(server.url) as session:
        uris = {resource.name: resource.uri for resource in (await session.list_resources()).resources}
        content = (await session.read_resource(uris["房屋.txt"])).contents[0]
        assert "押金为九百元" in getattr(content, "text", "") and content.mimeType == "text/markdown"
        for wrong in ("document://nobody", "file:///etc/passwd"):
            with pytest.raises(McpError) as failure:
                await session.read_resource(AnyUrl(wrong))
            assert failure.value.error.code == -32002
    await client.delete(f"/api/v1/documents/{document}")


async def test_the_agent_answers_in_a_session_and_tells_how_far_it_is(server: LiveServer, model: OpenAIServer) -> None:
    model.script([
        Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]),
        Answer("It is forty-two, which is the product of six and seven.", pace=0.02),
        "You asked for six times seven.",
    ])  # fmt: skip
    told: list[tuple[float, str]] = []

    async def tell(progress: float, total: float | None, message: str | None) -> None:
        told.append((progress, message or ""))

    async with connected(server.url) as session:
        first = await session.call_tool("ask", {"question": "What is six times seven?"}, progress_callback=tell)
        assert first.structuredContent and first.structuredContent["answer"].startswith("It is forty-two")
        assert first.structuredContent["tools"][0]["name"] == "calculate" and first.structuredContent["state"] == "done"
        assert [done for done, _ in told] == sorted({done for done, _ in told}) and len(told) > 2
        assert told[0][1] == "Calculate…\n"
        assert "".join(text for _, text in told[1:]) == first.structuredContent["answer"]
        thread = first.structuredContent["session_id"]
        second = await session.call_tool("ask", {"question": "What did I ask?", "session_id": thread})
        assert _text(second) == "You asked for six times seven."
        assert "six times seven?" in model.chats[-1].text
        listed = (await session.call_tool("list_sessions", {"query": "six times"})).structuredContent
        assert listed and thread in [row["session_id"] for row in listed["sessions"]]


async def test_a_call_that_waits_for_approval_is_told(server: LiveServer, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("fetch_url", {"url": "https://example.org/?told=secret"})])])
    async with connected(server.url) as session:
        result = (await session.call_tool("ask", {"question": "What is new?"})).structuredContent
    assert result and result["state"] == "waiting" and result["run_id"] in result["answer"]
    assert result["questions"][0]["arguments"] == {"url": "https://example.org/?told=secret"}


async def test_failures_are_results_in_the_language_of_the_call(server: LiveServer, model: OpenAIServer) -> None:
    calls: list[tuple[str, dict[str, Any], str]] = [
        ("ask", {}, "question"),
        ("ask", {"question": "Hi", "colour": "red"}, "colour"),
        ("ask", {"question": "Hi", "session_id": "a/b"}, "session_id"),
        ("search_documents", {"query": "x", "session_id": "a/b"}, "session_id"),
        ("search_documents", {"query": ""}, "query"),
        ("query_table", {"sql": "SELECT 1", "table": "t1"}, "no argument 'table'"),
        ("read_document", {"document": "nobody.pdf", "session_id": uuid.uuid4().hex}, "no documents"),
        ("read_document", {"document": "没有.pdf", "session_id": uuid.uuid4().hex}, "没有任何文档"),
        ("web_search", {"query": "x"}, "no tool"),
    ]
    async with connected(server.url) as session:
        for name, arguments, said in calls:
            result = await session.call_tool(name, arguments)
            assert result.isError and said in _text(result), (name, arguments, result)
            assert result.structuredContent and result.structuredContent["error"]["code"]


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
async def test_foreign_pages_and_other_methods_are_refused(client: httpx.AsyncClient, path: str) -> None:
    own = str(client.base_url)
    for headers, status in [
        ({}, 200),
        ({"origin": own}, 200),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"host": "evil.example"}, 403),
        ({"accept": "text/html"}, 406),
    ]:
        response = await client.post(path, json=LIST, headers={**HEADERS, **headers})
        assert response.status_code == status, (headers, response.text)
    assert (await client.get(path, headers=HEADERS)).status_code == 405
    assert (await client.delete(path)).headers["allow"] == "POST"
    assert (await client.post(path, content=b"{nonsense", headers=HEADERS)).status_code == 400
    plain = await client.post(path, json=LIST, headers={**HEADERS, "accept": "application/json"})
    assert plain.headers["content-type"] == "application/json" and len(plain.json()["result"]["tools"]) == 6


async def test_each_key_has_its_own_documents_and_sessions(api_settings: Settings, model: OpenAIServer) -> None:
    settings = api_settings.model_copy(
        update={"api_keys": ("first-key", "second-key"), "data_dir": api_settings.data_dir.parent / "keyed"}
    )
    settings = Settings.model_validate(settings.model_dump(), context=None)
    with LiveServer(settings) as live:
        headers = {"authorization": "Bearer first-key"}
        async with httpx.AsyncClient(base_url=live.url, headers=headers, timeout=30) as client:
            document = await uploaded(client, "secret.txt", "The safe opens with 4711.", scope="library")
            foreign = {**HEADERS, "origin": "https://evil.example"}
            assert (await client.post("/mcp", json=LIST, headers=foreign)).status_code == 403
            assert (await client.post("/mcp", json=LIST, headers={"authorization": "Bearer no"})).status_code == 401
        async with connected(live.url, **{"x-api-key": "first-key"}) as session:
            assert "4711" in _text(await session.call_tool("search_documents", {"query": "safe"}))
            asked = await session.call_tool("ask", {"question": "Hello there"})
            assert asked.structuredContent
        thread = asked.structuredContent["session_id"]
        async with connected(live.url, **{"x-api-key": "second-key"}) as session:
            assert "4711" not in _text(await session.call_tool("search_documents", {"query": "safe"}))
            assert (await session.call_tool("read_document", {"document": document})).isError
            assert (await session.list_resources()).resources == []
            with pytest.raises(McpError):
                await session.read_resource(AnyUrl(f"document://{document}"))
            listed = (await session.call_tool("list_sessions", {})).structuredContent
            assert listed and listed["sessions"] == []
            await session.call_tool("ask", {"question": "What did I say?", "session_id": thread})
            assert "Hello there" not in model.chats[-1].text


def _text(result: Any) -> str:
    return "\n".join(part.text for part in result.content)


@pytest.mark.parametrize(("decision", "code"), [("deny", "not_permitted"), ("ask", "needs_approval")])
async def test_rules_of_the_operator_hold_for_tools_that_clients_call_themselves(
    server: LiveServer, monkeypatch: pytest.MonkeyPatch, decision: str, code: str
) -> None:
    permissions = server.app.state.backend.services.permissions
    rules = [{"tool": "list_*", "decision": decision, "roles": ["admin"]}]
    monkeypatch.setattr(permissions, "_rules", RULES.validate_python(rules))
    async with connected(server.url) as session:
        refused = await session.call_tool("list_documents", {})
        found = await session.call_tool("search_documents", {"query": "anything"})
    assert refused.isError and refused.structuredContent and refused.structuredContent["error"]["code"] == code
    assert not found.isError
