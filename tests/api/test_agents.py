"""Specialists through the real server: a deep question over six documents, with a scripted model at the endpoint."""

from __future__ import annotations

import io
import re
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest
import pytest_asyncio
from docx import Document
from langchain_core.tools import tool

from domain.words import Words
from settings import Settings
from tests.api.conftest import events_of
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tools.interface import ToolSpec

NAMES = ("Alder", "Birch", "Cedar", "Damson", "Elm", "Fir")
DEEP = {
    "en": (
        "Compare the six contracts clause by clause",
        ["notice period", "monthly rent"],
        "Contract {name}. Either party may end it with {n} weeks of written notice. The monthly rent is {n}40 pounds.",
        r"\d weeks of written notice",
        r"The monthly rent is \d+ pounds",
    ),
    "zh": (
        "逐条比较这六份合同",
        ["通知期", "月租金"],
        "合同 {name}。任何一方可提前 {n} 周书面通知终止合同。每月租金为 {n}40 元。",
        r"提前 \d 周书面通知",
        r"每月租金为 \d+ 元",
    ),
}


SECRETARY = """
secretary:
  description: writes to people
  prompt: You are a secretary.
  tools: [send_note]
  permissions: [write]
  model: stand-in-large
"""


@pytest.fixture(scope="module")
def patient(
    server: LiveServer, api_settings: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    """A server on the same Redis and folder whose turns may take a while, with a specialist of its operator."""
    path = tmp_path_factory.mktemp("agents") / "agents.yaml"
    path.write_text(SECRETARY, "utf-8")
    changed = {"turn_timeout": 60.0, "max_files": 6, "agents_file": path}
    with LiveServer(api_settings.model_copy(update=changed)) as live:
        yield live


@pytest_asyncio.fixture(loop_scope="session")
async def http(patient: LiveServer) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=patient.url, timeout=60) as client:
        yield client


def researching(points: list[str], *patterns: str) -> Callable[[Recorded], Answer]:
    """Return a model that delegates, plans the comparison, and reads each document it is shown."""

    def reader(text: str) -> Answer:
        lines = []
        for number, pattern in enumerate(patterns, 1):
            place, quote = next(
                (passage[1], found[0])
                for passage in re.finditer(r"^\[(\d+)\] .*\n((?:.+\n?)+?)(?=\n|$)", text, re.M)
                if (found := re.search(pattern, passage[2]))
            )
            lines.append(f'{number}. {quote} [{place} "{quote}"]')
        return Answer("\n".join(lines))

    def respond(request: Recorded) -> Answer:
        if "compare_documents" in request.tools:
            return Answer(tool_calls=[ToolCall("compare_documents", {"points": points})])
        if "delegate" in request.tools:
            task = {"agent": "researcher", "task": request.user_text[-60:], "direct": True}
            return Answer(tool_calls=[ToolCall("delegate", task)])
        return reader(request.user_text)

    return respond


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_deep_question_over_six_documents_ends_in_one_cited_table(
    http: httpx.AsyncClient, model: OpenAIServer, language: str
) -> None:
    question, points, text, *patterns = DEEP[language]
    files = [("file", (f"{name}.txt", text.format(name=name, n=n).encode())) for n, name in enumerate(NAMES, 2)]
    model.respond = researching(points, *patterns)
    session = f"deep-{language}"
    response = await http.post("/api/v1/chat_with_file", data={"message": question, "session_id": session}, files=files)
    answer = response.raise_for_status().json()
    head, _, *rows = answer["answer"].splitlines()
    assert [cell.strip() for cell in head.strip("|").split("|")][1:] == [f"{name}.txt" for name in NAMES]
    cells = [cell.strip() for row in rows for cell in row.strip("|").split("|")[1:]]
    assert len(cells) == 12 and all(re.search(r"\[\d+\]$", cell) for cell in cells), answer["answer"]
    assert answer["warnings"] == [] and all(citation["verified"] for citation in answer["citations"])
    assert {citation["name"] for citation in answer["citations"]} == {f"{name}.txt" for name in NAMES}
    assert [(run["agent"], run["status"]) for run in answer["agents"]] == [("researcher", "ok")]
    assert len(model.chats) == 8, "one that delegates, one that plans, one a document"
    kept = (await http.get(f"/api/v1/sessions/{session}")).json()["messages"][-1]
    assert kept["agents"] == answer["agents"] and kept["text"] == answer["answer"]


async def test_a_stream_tells_who_does_what(http: httpx.AsyncClient, model: OpenAIServer) -> None:
    def respond(request: Recorded) -> Answer | str:
        if "draw_chart" not in request.tools:
            return "Here is the chart."
        if request.messages[-1]["role"] == "tool":
            return "Drawn."
        chart = {"kind": "bar", "title": "Sales", "labels": ["east"], "series": [{"values": [3]}]}
        return Answer(tool_calls=[ToolCall("calculate", {"expression": "1+2"}), ToolCall("draw_chart", chart, id="c2")])

    model.respond = respond
    body = {"message": "Draw the sales", "session_id": "who", "agent": "analyst"}
    async with http.stream("POST", "/api/v1/chat/stream", json=body) as response:
        events = [(name, data) async for _, name, data in events_of(response)]
    told = [(data["agent"], data["status"]) for name, data in events if name == "agent"]
    assert told == [("analyst", "running"), ("analyst", "ok")]
    done = events[-1][1]
    run = done["agents"][0]
    tools = [data for name, data in events if name == "tool"]
    assert {tool["name"] for tool in tools} == {"calculate", "draw_chart"} and {tool["agent"] for tool in tools} == {
        run["id"]
    }
    assert [(made["name"], made["status"], made["agent"]) for made in done["tools"]] == [
        ("calculate", "ok", run["id"]), ("draw_chart", "ok", run["id"])
    ]  # fmt: skip
    assert done["answer"] == "Drawn." and "".join(data["text"] for name, data in events if name == "token") == "Drawn."
    [file] = done["artifacts"]
    content = await http.get(f"/api/v1/documents/{file['id']}/content")
    assert content.status_code == 200 and b"<svg" in content.content
    receipt = (await http.post("/api/v1/clear_current_chat_history", json={"session_id": "who"})).json()
    assert receipt["removed"] > 0
    assert (await http.get(f"/api/v1/documents/{file['id']}/content")).status_code == 404


async def test_a_long_document_is_handed_out_as_files(http: httpx.AsyncClient, model: OpenAIServer) -> None:
    def respond(request: Recorded) -> Answer | str:
        if "write_document" in request.tools:
            plan = {"title": "Plan", "sections": [{"heading": "Aims"}, {"heading": "Costs", "brief": "in pounds"}]}
            return Answer(tool_calls=[ToolCall("write_document", plan)])
        return "As **short** as can be."

    model.respond = respond
    body = {"message": "Write a plan", "session_id": "long", "agent": "writer"}
    answer = (await http.post("/api/v1/chat", json=body)).raise_for_status().json()
    assert [file["name"] for file in answer["artifacts"]] == ["Plan.docx", "Plan.md"]
    content = (await http.get(f"/api/v1/documents/{answer['artifacts'][0]['id']}/content")).content
    assert [line.text for line in Document(io.BytesIO(content)).paragraphs][:3] == [
        "Plan",
        "Aims",
        "As short as can be.",
    ]


async def test_there_is_no_such_specialist(http: httpx.AsyncClient, model: OpenAIServer) -> None:
    refused = await http.post("/api/v1/chat", json={"message": "你好", "agent": "astrologer"})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (422, "unknown_agent") and "researcher" in error["remedy"]


SENT: list[tuple[str, str]] = []


@tool
async def send_note(to: str, text: str) -> str:
    """Send a note to a person."""
    SENT.append((to, text))
    return f"sent to {to}"


async def test_a_question_of_one_specialist_pauses_the_turn_and_the_others_are_not_run_again(
    http: httpx.AsyncClient, patient: LiveServer, model: OpenAIServer
) -> None:
    spec = ToolSpec(tool=send_note, title=Words("Send a note", "发送便条"), permission="write")
    patient.app.state.backend.services.tools.set_foreign([spec], {})
    asked: list[str] = []

    def respond(request: Recorded) -> Answer | str:
        told = [str(message["content"]) for message in request.messages if message["role"] == "tool"]
        role = next((name for name in ("secretary", "developer") if f"You are a {name}" in request.text), "")
        if role == "secretary" or "software developer" in request.text:
            asked.append(role or "coder")
            call = ToolCall("send_note", {"to": "bob", "text": "I am late"})
            return "Sent." if told else Answer(tool_calls=[call]) if role else "pass  # done"
        tasks = [("secretary", "Tell Bob that I am late"), ("coder", "Nothing, in Python")]
        calls = [ToolCall("delegate", {"agent": name, "task": task}, id=f"c-{name}") for name, task in tasks]
        return " ".join(told) if told else Answer(tool_calls=calls)

    model.respond = respond
    body = {"message": "Tell Bob that I am late, and write me nothing in Python", "session_id": "secretary"}
    waiting = (await http.post("/api/v1/chat", json=body)).raise_for_status().json()
    assert waiting["state"] == "waiting" and SENT == [] and sorted(asked) == ["coder", "secretary"]
    [question] = waiting["questions"]
    assert question["tool"] == "send_note" and {origin["kind"] for origin in question["origins"]} == {"user"}
    answers = {"answers": {question["id"]: {"decision": "approve"}}, "stream": True}
    events = [it async for it in events_of(await http.post(f"/api/v1/runs/{waiting['run_id']}/answers", json=answers))]
    done = events[-1][2]
    assert done["state"] == "done" and SENT == [("bob", "I am late")]
    assert sorted(asked) == ["coder", "secretary", "secretary"]
    assert "Sent." in done["answer"] and "pass  # done" in done["answer"]
    assert sorted((run["agent"], run["status"]) for run in done["agents"]) == [("coder", "ok"), ("secretary", "ok")]
    assert [chat.model for chat in model.chats if "You are a secretary" in chat.text] == ["stand-in-large"] * 2
    assert (done["spent"]["calls"], done["spent"]["agents"]) == (6, 2), "the budget goes on over the pause"
