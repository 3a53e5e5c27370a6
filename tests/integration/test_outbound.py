"""What a user keeps from hosted services is in no byte that leaves: every service stands behind a recording proxy."""

from __future__ import annotations

import base64
import json
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import pytest

from settings import Settings
from tests.integration.conftest import ROOT, free_port, make_picture
from tests.live_server import LiveServer
from tests.standins.callback_receiver import CallbackReceiver
from tests.standins.dashscope_server import DashScopeServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.standins.recording_proxy import RecordingProxy
from tests.standins.rerank_server import RerankServer
from tests.standins.tavily_server import TavilyServer

RAW = ("王伟", "13812345678", "wei@example.cn", "Sarah Connor")
SAID = f"我叫{RAW[0]}，手机{RAW[1]}，邮箱 {RAW[2]}. My doctor is {RAW[3]}."
TOOLS = {"web_search": "query", "talk__echo": "text"}


def written(raw: str) -> set[bytes]:
    """Return the ways in which a text may stand in what is sent."""
    escaped = json.dumps(raw)[1:-1]
    shifted = (base64.b64encode(b"x" * at + raw.encode())[4:-4] for at in range(3))
    return {form.encode() for form in (raw, escaped, quote(raw), quote_plus(raw))} | {
        form for form in shifted if len(form) > 6
    }


def leaked(sent: bytes) -> set[str]:
    return {raw for raw in RAW if any(form in sent for form in written(raw))}


@contextmanager
def mcp_server(port: int) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.standins.mcp_server", str(port)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                httpx.get(f"http://127.0.0.1:{port}/mcp", trust_env=False)
                break
            except httpx.TransportError:
                time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def answers(request: Recorded) -> Answer | str:
    """Call each tool with what the user said, then repeat it."""
    called = sum(message["role"] == "tool" for message in request.messages)
    offered = {tool["function"]["name"] for tool in request.body.get("tools", ())}
    left = list(TOOLS)[called:]
    if left and set(TOOLS) <= offered:
        return Answer(tool_calls=[ToolCall(left[0], json.dumps({TOOLS[left[0]]: request.user_text}))])
    return f"You said: {request.user_text}"


@pytest.mark.parametrize("wanted", [pytest.param("", marks=pytest.mark.slow), "mask"])
def test_nothing_personal_is_in_any_byte_that_leaves(
    tmp_path: Path, wanted: str, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with ExitStack() as stack:
        model, hook = stack.enter_context(OpenAIServer()), stack.enter_context(CallbackReceiver())
        tavily, rerank, speech, trace = (
            stack.enter_context(one()) for one in (TavilyServer, RerankServer, DashScopeServer, OpenAIServer)
        )
        stack.enter_context(mcp_server(port))
        targets = {
            "chat": model.address, "embedding": model.address, "vision": model.address, "rerank": rerank.address,
            "search": tavily.address, "speech": speech.address, "mcp": f"127.0.0.1:{port}", "callback": hook.address,
            "trace": trace.address,
        }  # fmt: skip
        proxies = {name: stack.enter_context(RecordingProxy(target)) for name, target in targets.items()}
        at = {name: f"http://{proxy.address}" for name, proxy in proxies.items()}
        model.respond = answers
        (tmp_path / "tools.yaml").write_text(
            f'sources:\n  talk:\n    url: {at["mcp"]}/mcp\n    permissions: {{"*": read}}\n'
        )
        settings = Settings(
            data_dir=tmp_path / "data", llm_base_url=f"{at['chat']}/v1", llm_model="m", llm_api_key="k",
            embedding_base_url=f"{at['embedding']}/v1", embedding_model="e", embedding_api_key="k",
            vision_base_url=f"{at['vision']}/v1", vision_model="v", vision_api_key="k",
            rerank_base_url=f"{at['rerank']}/v1", rerank_model="r", rerank_api_key="k",
            tavily_base_url=at["search"], tavily_api_key="k", web_search="tavily",
            dashscope_api_key="k", dashscope_http_url=f"{at['speech']}/api/v1",
            dashscope_websocket_url=f"ws://{proxies['speech'].address}/api-ws/v1/inference",
            tts_engine="dashscope", callback_secret="secret",
            fetch_allow_hosts=tuple(proxies[name].address for name in ("callback", "mcp")),
            otel_exporter_otlp_endpoint=at["trace"], log_content=True, tools_file=tmp_path / "tools.yaml",
            permissions=({"tool": "*", "decision": "allow"},), _env_file=None,
        )  # fmt: skip
        with LiveServer(settings) as live, httpx.Client(base_url=live.url, timeout=120, trust_env=False) as http:
            http.put("/api/v1/profile", json={"pii": wanted}).raise_for_status()
            files = [("file", ("lease.txt", f"The lease. {SAID}".encode())),
                     ("file", ("card.png", make_picture(f"Call {RAW[1]} today")))]  # fmt: skip
            given = {"message": f"Read this. {SAID}", "session_id": "s"}
            first = http.post("/api/v1/chat_with_file", data=given, files=files)
            assert first.status_code == 200, first.text
            http.post("/api/v1/documents/search", json={"query": SAID, "session_id": "s"}).raise_for_status()
            talk = http.post("/api/v1/chat", json={"message": SAID, "session_id": "s2"})
            assert talk.json()["answer"] == f"You said: {SAID}", "the user has the values back"
            assert {run["name"] for run in talk.json()["tools"]} == set(TOOLS), talk.text
            run = http.post("/api/v1/runs", json={"message": SAID, "callback_url": f"{at['callback']}/hook"}).json()
            spoken = http.post("/api/v1/tts", json={"text": SAID})
            assert spoken.status_code == (503 if wanted else 200), spoken.text
            deadline = time.monotonic() + 30
            while not hook.callbacks and time.monotonic() < deadline:
                time.sleep(0.05)
            assert hook.callbacks and run["run_id"].encode() in hook.callbacks[0].body
    sent = {name: bytes(proxy.sent) for name, proxy in proxies.items()}
    logs = "".join(capfd.readouterr())
    silent = {name for name, bytes_sent in sent.items() if not bytes_sent}
    found: dict[str, Any] = {name: leaked(bytes_sent) for name, bytes_sent in sent.items()}
    assert silent == ({"speech"} if wanted else set())
    if wanted:
        assert not any(found.values()), found
        assert not leaked(logs.encode())
        assert re.search(rb"PHONE_\w{6}", sent["chat"])
    else:
        assert all(leaks for name, leaks in found.items() if name != "speech"), f"what the recorders see: {found}"
