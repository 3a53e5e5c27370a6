"""A server whose every hosted service is a stand-in behind a recording proxy.

with EveryService(folder) as outside, LiveServer(outside.settings) as live:
    ...  # ask the server for something
    outside.sent()["search"]
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, quote_plus

import httpx

from settings import Settings
from tests.standins.callback_receiver import CallbackReceiver
from tests.standins.dashscope_server import DashScopeServer
from tests.standins.openai_server import Answer, OpenAIServer, Recorded, ToolCall
from tests.standins.recording_proxy import RecordingProxy
from tests.standins.rerank_server import RerankServer
from tests.standins.tavily_server import TavilyServer

ROOT = Path(__file__).parents[2]
TOOLS = {"web_search": "query", "talk__echo": "text"}
CRASHES = "crash"
"""A tool that is called last where the server has one of this name."""


def written(raw: str) -> set[bytes]:
    """Return the ways in which a text may stand in what is sent."""
    escaped = json.dumps(raw)[1:-1]
    shifted = (base64.b64encode(b"x" * at + raw.encode())[4:-4] for at in range(3))
    return {form.encode() for form in (raw, escaped, quote(raw), quote_plus(raw))} | {
        form for form in shifted if len(form) > 6
    }


class EveryService:
    """Chat, embedding, vision, reranking, search, speech, an MCP server, callbacks and traces, each recorded.

    The model calls a search and a tool of the MCP server with what the user said, then repeats it.

    Attributes:
        settings: Of a server that uses all of them.
        hook: Where callbacks arrive; their address is `hook_url`.
    """

    def __init__(self, folder: Path, **more: Any) -> None:
        """Nothing listens yet.

        Args:
            folder: For the server's data and its TOOLS_FILE.
            more: Further settings.
        """
        self._folder, self._more, self._stack = folder, more, ExitStack()

    def __enter__(self) -> Self:
        enter = self._stack.enter_context
        self._model, self.hook = enter(OpenAIServer()), enter(CallbackReceiver())
        model = self._model
        model.respond = _use_tools
        tavily, rerank, trace = (enter(one()) for one in (TavilyServer, RerankServer, OpenAIServer))
        speech = self._speech = enter(DashScopeServer())
        targets = {
            "chat": model.address, "embedding": model.address, "vision": model.address, "rerank": rerank.address,
            "search": tavily.address, "speech": speech.address, "mcp": enter(_mcp_server()),
            "callback": self.hook.address, "trace": trace.address,
        }  # fmt: skip
        self._proxies = {name: enter(RecordingProxy(target)) for name, target in targets.items()}
        at = {name: f"http://{proxy.address}" for name, proxy in self._proxies.items()}
        self.hook_url = f"{at['callback']}/hook"
        tools_file = self._folder / "tools.yaml"
        tools_file.write_text(f'sources:\n  talk:\n    url: {at["mcp"]}/mcp\n    permissions: {{"*": read}}\n')
        given: dict[str, Any] = {
            "data_dir": self._folder / "data",
            "llm_base_url": f"{at['chat']}/v1", "llm_model": "m", "llm_api_key": "k",
            "embedding_base_url": f"{at['embedding']}/v1", "embedding_model": "e", "embedding_api_key": "k",
            "vision_base_url": f"{at['vision']}/v1", "vision_model": "v", "vision_api_key": "k",
            "rerank_base_url": f"{at['rerank']}/v1", "rerank_model": "r", "rerank_api_key": "k",
            "tavily_base_url": at["search"], "tavily_api_key": "k", "web_search": "tavily",
            "dashscope_api_key": "k", "dashscope_http_url": f"{at['speech']}/api/v1",
            "dashscope_websocket_url": f"ws://{self._proxies['speech'].address}/api-ws/v1/inference",
            "tts_engine": "dashscope", "callback_secret": "secret",
            "fetch_allow_hosts": tuple(self._proxies[name].address for name in ("callback", "mcp")),
            "otel_exporter_otlp_endpoint": at["trace"], "log_content": True, "tools_file": tools_file,
            "permissions": ({"tool": "*", "decision": "allow"},),
        }  # fmt: skip
        self.settings = Settings(_env_file=None, **given, **self._more)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def sent(self) -> dict[str, bytes]:
        """Return all bytes so far, by service; some leave as late as the server closes (traces).

        What goes through a websocket stands there as it is read: on the wire each frame is XORed with its own key.
        """
        sent = {name: bytes(proxy.sent) for name, proxy in self._proxies.items()}
        spoken = "".join(json.dumps(message, ensure_ascii=False) for message in self._speech.messages)
        return {**sent, "speech": sent["speech"] + spoken.encode()}

    def pictures(self) -> list[bytes]:
        """Return the pictures that the vision model was shown."""
        shown = (request for request in self._model.chats if request.model == "v")
        return [image for request in shown for image in request.images]


def _use_tools(request: Recorded) -> Answer | str:
    called = sum(message["role"] == "tool" for message in request.messages)
    offered = {tool["function"]["name"] for tool in request.body.get("tools", ())}
    calls = [*TOOLS.items(), *((name, "text") for name in {CRASHES} & offered)][called:]
    if calls and set(TOOLS) <= offered:
        name, argument = calls[0]
        return Answer(tool_calls=[ToolCall(name, json.dumps({argument: request.user_text}))])
    return f"You said: {request.user_text}"


@contextmanager
def _mcp_server() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
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
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        process.wait()
