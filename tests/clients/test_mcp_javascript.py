"""The official MCP client for JavaScript, unchanged."""

from __future__ import annotations

import httpx

from tests.clients.conftest import Call
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer

SCRIPT = "mcp.mjs"


def test_tools_and_resources(javascript: Call, server: LiveServer, model: OpenAIServer) -> None:
    assert {"search_documents", "read_document", "ask", "list_sessions"} <= set(javascript(SCRIPT, "tools"))
    files, library = {"file": ("窗.txt", "窗户朝南。".encode())}, {"scope": "library"}
    document = httpx.post(f"{server.url}/api/v1/documents", files=files, data=library).json()[0]
    found = javascript(SCRIPT, "call", name="read_document", arguments={"document": "窗.txt"})["result"]
    assert "窗户朝南" in found["content"][0]["text"] and found["structuredContent"]["sources"][0]["page"] == 1
    assert "窗户朝南" in "".join(content["text"] for content in javascript(SCRIPT, "resources"))
    httpx.delete(f"{server.url}/api/v1/documents/{document['id']}")


def test_the_agent_answers_with_progress(javascript: Call, model: OpenAIServer) -> None:
    model.script([Answer("The sky is blue because short waves scatter most.", pace=0.02)])
    made = javascript(SCRIPT, "call", name="ask", arguments={"question": "Why is the sky blue?"})
    assert made["result"]["structuredContent"]["answer"].startswith("The sky is blue")
    assert (
        len(made["told"]) > 1
        and "".join(step["message"] for step in made["told"]) in made["result"]["content"][0]["text"]
    )
    failed = javascript(SCRIPT, "call", name="ask", arguments={"question": ""})["result"]
    assert failed["isError"] and failed["structuredContent"]["error"]["code"] == "bad_input"
