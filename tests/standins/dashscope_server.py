"""DashScope's speech services, played at protocol level on a real port.

    with DashScopeServer() as server:
        ...  # DASHSCOPE_HTTP_URL = server.http_url, DASHSCOPE_WEBSOCKET_URL = server.websocket_url

Spoken is a tone of 440 Hz, 0.05 s a character. Faults go by voice (`bad-voice`: refused; `drop`: the socket closes
in the middle; `silent`: nothing more comes; `throttled`: 429) and by key (`bad-key`: 401). A recording sent to
Qwen ASR is answered with its length in seconds.
"""

from __future__ import annotations

import asyncio
import base64
import io
import json
import math
import struct
import uuid
import wave
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from tests.standins.listening import Listening

SECONDS_A_CHARACTER = 0.05
_PIECE = 9600


class DashScopeServer(Listening):
    """The stand-in. `messages` holds every websocket message and HTTP body so far."""

    def __init__(self) -> None:
        super().__init__(
            Starlette(
                routes=[
                    WebSocketRoute("/api-ws/v1/inference", self._inference),
                    Route("/api/v1/services/aigc/multimodal-generation/generation", self._generation, methods=["POST"]),
                    Route("/audio/{name}", self._audio),
                ]
            )
        )
        self.messages: list[dict[str, Any]] = []
        self.hung_up = 0
        self._files: dict[str, bytes] = {}

    @property
    def http_url(self) -> str:
        """For `DASHSCOPE_HTTP_URL`."""
        return f"http://{self.address}/api/v1"

    @property
    def websocket_url(self) -> str:
        """For `DASHSCOPE_WEBSOCKET_URL`."""
        return f"ws://{self.address}/api-ws/v1/inference"

    def actions(self) -> list[str]:
        """Actions of the websocket messages, in order."""
        return [row["header"]["action"] for row in self.messages if "header" in row]

    async def _inference(self, socket: WebSocket) -> None:
        if not _known_key(socket.headers.get("authorization")):
            await socket.send_denial_response(_error(401, "InvalidApiKey", "Invalid API-key provided."))
            return
        await socket.accept()
        try:
            await self._task(socket)
        except WebSocketDisconnect:
            self.hung_up += 1

    async def _task(self, socket: WebSocket) -> None:
        parameters: dict[str, Any] = {}
        while True:
            message = json.loads(await socket.receive_text())
            self.messages.append(message)
            task, payload = message["header"]["task_id"], message["payload"]
            match message["header"]["action"]:
                case "run-task":
                    parameters = payload["parameters"]
                    if parameters["voice"] == "bad-voice":
                        await _event(socket, task, "task-failed", error_code="InvalidParameter", error_message="418")
                        await socket.close()
                        return
                    await _event(socket, task, "task-started")
                case "continue-task":
                    if parameters["voice"] == "silent":
                        continue
                    pcm = tone(payload["input"]["text"], parameters["sample_rate"], parameters["rate"])
                    await _event(socket, task, "result-generated", {"output": {"sentence": {"index": 0}}})
                    if parameters["voice"] == "drop":
                        await socket.send_bytes(pcm[:_PIECE])
                        await socket.close(code=1011)
                        return
                    for at in range(0, len(pcm), _PIECE):
                        await socket.send_bytes(pcm[at : at + _PIECE])
                case "finish-task" if parameters["voice"] != "silent":
                    await _event(socket, task, "task-finished", {"output": {}, "usage": {"characters": 1}})

    async def _generation(self, request: Request) -> Response:
        if not _known_key(request.headers.get("authorization")):
            return _error(401, "InvalidApiKey", "Invalid API-key provided.")
        body = await request.json()
        self.messages.append(body)
        given = body["input"]
        if "messages" in given:
            return _heard(given["messages"])
        if given["voice"] == "bad-voice":
            return _error(400, "InvalidParameter", "voice not supported")
        if given["voice"] == "throttled":
            return _error(429, "Throttling.RateQuota", "Requests rate limit exceeded.")
        pcm, name = tone(given["text"], 24_000), f"audio_{uuid.uuid4().hex}"
        self._files[name] = pcm
        done = {"url": f"http://{self.address}/audio/{name}", "data": "", "id": name, "expires_at": 4102444800}
        if request.headers.get("x-dashscope-sse") != "enable":
            return JSONResponse(_answer({"finish_reason": "stop", "audio": done}))
        return StreamingResponse(_events(pcm, name, done, given["voice"]), media_type="text/event-stream")

    async def _audio(self, request: Request) -> Response:
        sink = io.BytesIO()
        with wave.open(sink, "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(24_000)
            file.writeframes(self._files[request.path_params["name"]])
        return Response(sink.getvalue(), media_type="audio/wav")


def tone(text: str, rate: int, speed: float = 1.0) -> bytes:
    """PCM of 440 Hz, as long as the text."""
    count = int(rate * SECONDS_A_CHARACTER * len(text.strip()) / speed)
    return struct.pack(f"<{count}h", *(int(8000 * math.sin(2 * math.pi * 440 * n / rate)) for n in range(count)))


async def _events(pcm: bytes, name: str, done: dict[str, Any], voice: str) -> AsyncIterator[str]:
    for number, at in enumerate(range(0, len(pcm), _PIECE), 1):
        if number == 2 and voice == "drop":
            raise ConnectionError("dropped on purpose")
        if number == 2 and voice == "silent":
            await asyncio.sleep(30)
        audio = {"data": base64.b64encode(pcm[at : at + _PIECE]).decode(), "id": name}
        yield _line(number, {"finish_reason": "null", "audio": audio})
    yield _line(9999, {"finish_reason": "stop", "audio": done})


def _heard(messages: list[dict[str, Any]]) -> Response:
    data = messages[-1]["content"][0]["audio"]
    head, _, encoded = data.partition(",")
    assert head == "data:audio/wav;base64"
    with wave.open(io.BytesIO(base64.b64decode(encoded))) as file:
        seconds = file.getnframes() / file.getframerate()
    content = [{"text": f"heard {seconds:.1f} seconds"}]
    choice = {"finish_reason": "stop", "message": {"role": "assistant", "content": content}}
    return JSONResponse(_answer({"choices": [choice]}))


def _answer(output: dict[str, Any]) -> dict[str, Any]:
    return {"request_id": uuid.uuid4().hex, "output": output, "usage": {"characters": 1}}


def _line(number: int, output: dict[str, Any]) -> str:
    return f"id:{number}\nevent:result\n:HTTP_STATUS/200\ndata:{json.dumps(_answer(output))}\n\n"


async def _event(socket: WebSocket, task: str, name: str, payload: object = None, **header: str) -> None:
    await socket.send_text(
        json.dumps({"header": {"task_id": task, "event": name, "attributes": {}, **header}, "payload": payload or {}})
    )


def _known_key(authorization: str | None) -> bool:
    return (authorization or "").lower().removeprefix("bearer ") not in ("", "bad-key")


def _error(status: int, code: str, message: str) -> JSONResponse:
    return JSONResponse({"code": code, "message": message, "request_id": uuid.uuid4().hex}, status_code=status)
