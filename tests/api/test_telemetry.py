from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from settings import Settings
from tests.api.conftest import events_of
from tests.live_server import LiveServer
from tests.standins.openai_server import Answer, Failure, Hang, OpenAIServer, Recorded, ToolCall

ROOT = Path(__file__).resolve().parents[2]
SECRET = "kingfisher"


class Collector:
    """An OTLP/HTTP collector; it takes what LangSmith is sent as well."""

    def __init__(self) -> None:
        self.requests: list[tuple[str, dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                outer.requests.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.send_header("content-length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            do_GET = do_PATCH = do_POST

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def spans(self) -> list[dict[str, Any]]:
        """All spans so far, flat."""
        found = []
        for path, _, body in self.requests:
            assert path == "/otel/v1/traces"
            request = ExportTraceServiceRequest.FromString(body)
            for resource in request.resource_spans:
                service = {item.key: value_of(item.value) for item in resource.resource.attributes}["service.name"]
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        found.append({
                            "service": service, "name": span.name, "id": span.span_id, "parent": span.parent_span_id,
                            "trace": span.trace_id, "kind": span.kind, "failed": span.status.code == 2,
                            "ended": span.end_time_unix_nano >= span.start_time_unix_nano > 0,
                            **{item.key: value_of(item.value) for item in span.attributes},
                        })  # fmt: skip
        return found

    def turn(self, run_id: str, timeout: float = 10) -> list[dict[str, Any]]:
        """The spans of one turn, its root first, once the root is there."""
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            spans = self.spans()
            root = next((span for span in spans if span.get("llmchat.run.id") == run_id), None)
            if root:
                return [root, *(s for s in spans if s["trace"] == root["trace"] and s is not root)]
            time.sleep(0.05)
        raise AssertionError(f"no trace of {run_id}")


def value_of(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [value_of(item) for item in value.array_value.values]
    return getattr(value, kind)


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


def traced_settings(base: Settings, collector: Collector, folder: Path, **more: Any) -> Settings:
    given = base.model_dump(exclude={"data_dir"})
    return Settings(
        **{**given, "data_dir": folder, "otel_exporter_otlp_endpoint": f"{collector.url}/otel/",
           "otel_exporter_otlp_headers": "Authorization=Basic%20cGs6c2s=,x-team=a", **more},
        _env_file=None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def traced(
    api_settings: Settings, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveServer]:
    with LiveServer(traced_settings(api_settings, collector, tmp_path_factory.mktemp("traced"))) as live:
        yield live


async def answer(live: LiveServer, message: str, **more: Any) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=live.url, timeout=30) as http:
        response = await http.post("/api/v1/chat", json={"message": message, **more})
        assert response.status_code == 200, response.text
        answered: dict[str, Any] = response.json()
        return answered


def by_name(spans: list[dict[str, Any]], name: str) -> dict[str, Any]:
    return next(span for span in spans if span["name"] == name)


async def test_a_turn_with_a_tool_is_one_trace(traced: LiveServer, collector: Collector, model: OpenAIServer) -> None:
    model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]), Answer(f"42, {SECRET}.")])
    done = await answer(traced, f"How much is 6*7? {SECRET}", session_id="traced-1")
    spans = collector.turn(done["run_id"])
    root, by_id = spans[0], {span["id"]: span for span in spans}
    assert root["name"] == "invoke_agent agent" and root["gen_ai.conversation.id"] == "traced-1" == root["session.id"]
    assert not root["parent"] and root["service"] == "llm-chat-backend" and root["user.id"] == "local"
    assert all(span["parent"] in by_id for span in spans[1:]) and all(span["ended"] for span in spans)
    nodes = [span["name"] for span in spans if span["name"].startswith("node ")]
    assert sorted(set(nodes)) == sorted(
        f"node {name}" for name in ("detect_modality", "select_tools", "generate_answer", "run_tool", "gather_results",
                                    "verify_citations", "remember")
    )  # fmt: skip
    chats = [span for span in spans if span["name"] == "chat stand-in"]
    assert len(chats) == 2 and {by_id[span["parent"]]["name"] for span in chats} == {"node generate_answer"}
    first, second = chats
    assert first["gen_ai.operation.name"] == "chat" and first["gen_ai.provider.name"] == first["gen_ai.system"]
    assert first["gen_ai.request.model"] == "stand-in" == first["gen_ai.response.model"] and first["kind"] == 3
    assert first["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert second["gen_ai.response.finish_reasons"] == ["stop"]
    assert second["gen_ai.response.time_to_first_chunk"] > 0
    used = (
        sum(span["gen_ai.usage.input_tokens"] for span in chats),
        sum(span["gen_ai.usage.output_tokens"] for span in chats),
    )
    assert used == (done["usage"]["input_tokens"], done["usage"]["output_tokens"])
    assert used == (root["gen_ai.usage.input_tokens"], root["gen_ai.usage.output_tokens"])
    tool = by_name(spans, "execute_tool calculate")
    assert by_id[tool["parent"]]["name"] == "node run_tool" and tool["gen_ai.tool.name"] == "calculate"
    assert tool["gen_ai.operation.name"] == "execute_tool" and tool["llmchat.tool.status"] == "ok"
    headers = collector.requests[-1][1]
    assert headers["authorization"] == "Basic cGs6c2s=" and headers["x-team"] == "a"


async def test_calls_of_a_specialist_lie_below_it(
    traced: LiveServer, collector: Collector, model: OpenAIServer
) -> None:
    """Two calls side by side in the graph inside a node: each has its own task there, and its own span."""

    def respond(request: Recorded) -> Answer:
        if "calculate" not in request.tools or request.messages[-1]["role"] == "tool":
            return Answer("It is 3 and 7.")
        wanted = [ToolCall("calculate", {"expression": text}, id=f"c{text[0]}") for text in ("1+2", "3+4")]
        return Answer(tool_calls=wanted)

    model.respond = respond
    done = await answer(traced, "How much is 1+2, and 3+4?", agent="analyst")
    assert [run["call_id"] for run in done["tools"]] == ["c1", "c3"] and done["state"] == "done"
    spans = collector.turn(done["run_id"])
    by_id = {span["id"]: span for span in spans}

    def above(span: dict[str, Any]) -> list[str]:
        names = []
        while span["parent"]:
            span = by_id[span["parent"]]
            names.append(span["name"])
        return names

    tools = [span for span in spans if span["name"] == "execute_tool calculate"]
    assert {span["gen_ai.tool.call.id"] for span in tools} == {"c1", "c3"} and len({s["parent"] for s in tools}) == 2
    assert {tuple(above(span)) for span in tools} == {("node run_tool", "node analyst", "invoke_agent agent")}
    chats = [above(span)[:2] for span in spans if span["name"] == "chat stand-in"]
    assert chats[:2] == [["node think", "node analyst"]] * 2


async def test_files_and_retrieval_have_spans(traced: LiveServer, collector: Collector, model: OpenAIServer) -> None:
    model.script([Answer('Nine weeks [1 "nine weeks"].')])
    async with httpx.AsyncClient(base_url=traced.url, timeout=30) as http:
        response = await http.post(
            "/api/v1/chat_with_file", data={"message": "How long is the notice period?"},
            files=[("file", ("lease.txt", b"The notice period is nine weeks.")),
                   ("file", ("bad.docx", b"PK\x03\x04x"))],
        )  # fmt: skip
    spans = collector.turn(response.json()["run_id"])
    by_id = {span["id"]: span for span in spans}
    read = [span for span in spans if span["name"] == "ingest document"]
    assert {by_id[span["parent"]]["name"] for span in read} == {"node ingest_document"}
    assert sorted(span["llmchat.document.status"] for span in read) == ["failed", "ready"]
    assert [span["failed"] for span in read if span["llmchat.document.status"] == "failed"] == [True]
    found = by_name(spans, "retrieval passages")
    assert by_id[found["parent"]]["name"] == "node recall" and found["gen_ai.operation.name"] == "retrieval"
    assert found["llmchat.retrieval.count"] == 1 and json.loads(found["gen_ai.retrieval.documents"])[0]["id"]


async def test_failed_and_stopped_turns_say_so(traced: LiveServer, collector: Collector, model: OpenAIServer) -> None:
    model.script([Failure(500), Hang()])
    async with httpx.AsyncClient(base_url=traced.url, timeout=30) as http:
        started = (await http.post("/api/v1/runs", json={"message": "Fail"})).json()
        spans = collector.turn(started["run_id"])
        assert spans[0]["failed"] and spans[0]["error.type"] == "model_unavailable"
        assert by_name(spans, "chat stand-in")["failed"] and by_name(spans, "node generate_answer")["failed"]
        async with http.stream("POST", "/api/v1/chat/stream", json={"message": "Hang"}) as response:
            async for _, name, data in events_of(response):
                if name == "node" and data["name"] == "generate_answer":
                    break
            run_id = response.headers["x-run-id"]
        await http.post(f"/api/v1/runs/{run_id}/stop")
    spans = collector.turn(run_id)
    assert spans[0]["llmchat.stopped"] is True and not spans[0]["failed"]
    assert all(span["ended"] for span in spans)


async def test_langserve_turns_are_traced_with_their_own_callbacks(
    traced: LiveServer, collector: Collector, model: OpenAIServer
) -> None:
    model.script([Answer("Hello.")])
    before = len([span for span in collector.spans() if span["name"] == "invoke_agent agent"])
    async with httpx.AsyncClient(base_url=traced.url, timeout=30) as http:
        body = {"input": {"messages": [{"type": "human", "content": "Hi"}]},
                "config": {"configurable": {"thread_id": "traced-serve"}}}  # fmt: skip
        async with http.stream("POST", "/agent/stream_events", json=body) as response:
            text = "".join([part async for part in response.aiter_text()])
    assert "on_chat_model_stream" in text
    deadline = time.monotonic() + 10
    while len([s for s in collector.spans() if s["name"] == "invoke_agent agent"]) == before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert collector.spans()[-1]["service"] == "llm-chat-backend"


def test_nothing_that_was_written_is_exported(traced: LiveServer, collector: Collector) -> None:
    assert collector.requests and not any(SECRET.encode() in body for _, _, body in collector.requests)


async def test_content_is_exported_where_it_is_asked_for(
    api_settings: Settings, collector: Collector, model: OpenAIServer, tmp_path: Path
) -> None:
    model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*7"})]), Answer("四十二。")])
    with LiveServer(traced_settings(api_settings, collector, tmp_path / "data", log_content=True)) as live:
        done = await answer(live, "请计算 6*7 等于多少？")
        model.script([Answer(tool_calls=[ToolCall("calculate", {"expression": "6*8"})]), Answer(f"{SECRET}, 四十八。")])
        await answer(live, f"请计算 6*8 等于多少？{SECRET}", temporary=True)
    spans = collector.turn(done["run_id"])
    first, second = [span for span in spans if span["name"] == "chat stand-in"]
    asked = json.loads(first["gen_ai.input.messages"])
    assert asked[0]["role"] == "system" and asked[-1]["parts"][-1]["content"].endswith("请计算 6*7 等于多少？")
    said = json.loads(second["gen_ai.output.messages"])[0]
    assert said == {"role": "assistant", "parts": [{"type": "text", "content": "四十二。"}], "finish_reason": "stop"}
    tool = by_name(spans, "execute_tool calculate")
    assert json.loads(tool["gen_ai.tool.call.arguments"]) == {"expression": "6*7"}
    assert "42" in tool["gen_ai.tool.call.result"]
    sent = b"".join(body for _, _, body in collector.requests)
    assert b"6*7" in sent and b"6*8" not in sent and SECRET.encode() not in sent, "a temporary turn shows no content"


def server_process(folder: Path, code: str, *, temporary: bool = False, **env: str) -> subprocess.CompletedProcess[str]:
    """Take one turn in a fresh process with these variables of the environment, then run `code`."""
    program = f"""
import asyncio, sys, httpx
from server import create_app
from settings import Settings
async def main():
    settings = Settings(ocr_engine="off", tts_engine="off", web_search="off", _env_file=None)
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app=app)
        async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=30) as http:
            response = await http.post("/api/v1/chat", json={{"message": "Hello", "temporary": {temporary}}})
            assert response.status_code == 200, response.text
asyncio.run(main())
{code}
"""
    quiet = {"OMP_NUM_THREADS": "1", "MODEL_TITLES": "no", "MEMORY_EXTRACTION": "rules"}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=90, check=False,
        env={**kept, **quiet, "DATA_DIR": str(folder), **env},
    )  # fmt: skip


@pytest.fixture
def langsmith() -> Iterator[Collector]:
    made = Collector()
    yield made
    made.close()


@pytest.mark.parametrize(
    ("tracing", "temporary", "pii"),
    [
        (False, False, "off"),
        pytest.param(True, False, "off", marks=pytest.mark.slow),
        pytest.param(True, True, "off", marks=pytest.mark.slow),
        pytest.param(True, False, "mask", marks=pytest.mark.slow),
    ],
)
def test_langsmith_by_its_own_variables_but_no_temporary_turn_and_no_private_one(
    model: OpenAIServer, langsmith: Collector, tmp_path: Path, tracing: bool, temporary: bool, pii: str
) -> None:
    model.script([Answer("Hello.")])
    code = """
from langchain_core.tracers.langchain import wait_for_all_tracers
wait_for_all_tracers()
print([name for name in sys.modules if name.startswith("api.edge.telemetry")])
"""
    env = {"LLM_BASE_URL": model.base_url, "LLM_API_KEY": "key", "LLM_MODEL": "m", "LANGSMITH_PROJECT": "p",
           "LANGSMITH_ENDPOINT": langsmith.url, "LANGSMITH_API_KEY": "lsv2"}  # fmt: skip
    env |= {"PII": pii} | ({"LANGSMITH_TRACING": "true"} if tracing else {})
    done = server_process(tmp_path, code, temporary=temporary, **env)
    assert done.stdout.splitlines()[-1] == "[]", done.stderr
    runs = [path for path, headers, _ in langsmith.requests if "/runs" in path and headers.get("x-api-key") == "lsv2"]
    assert bool(runs) is (tracing and not temporary and pii == "off") and (tracing or not langsmith.requests)


def test_a_collector_that_is_down_does_not_hold_up_the_end(
    api_settings: Settings, collector: Collector, tmp_path: Path
) -> None:
    settings = traced_settings(
        api_settings, collector, tmp_path / "data", otel_exporter_otlp_endpoint="http://127.0.0.1:9"
    )
    with LiveServer(settings) as live:
        httpx.get(f"{live.url}/api/v1/health")
        began = time.monotonic()
    assert time.monotonic() - began < 10
