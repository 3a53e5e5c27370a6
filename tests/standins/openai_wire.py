"""What the OpenAI-compatible stand-in can say, and how each of it looks on the wire."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
import threading
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE = 6
"""Characters of a delta."""


@dataclass(frozen=True)
class Recorded:
    """One request as it arrived."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any] = field(repr=False)
    at: float

    @property
    def model(self) -> str:
        """Model asked for."""
        return str(self.body.get("model", ""))

    @property
    def key(self) -> str:
        """Key of the `Authorization` header."""
        return self.headers.get("authorization", "").removeprefix("Bearer ")

    @property
    def messages(self) -> list[dict[str, Any]]:
        """Messages of a chat request."""
        return list(self.body.get("messages", ()))

    @property
    def tools(self) -> list[str]:
        """Names of the tools offered."""
        return [tool["function"]["name"] for tool in self.body.get("tools", ())]

    @property
    def text(self) -> str:
        """All text of all messages, for searching."""
        return "\n".join(_text(message) for message in self.messages)

    @property
    def user_text(self) -> str:
        """Text of the last user message."""
        return next((_text(message) for message in reversed(self.messages) if message["role"] == "user"), "")

    @property
    def images(self) -> list[bytes]:
        """Pictures sent as data URLs, decoded."""
        urls = [part["image_url"]["url"] for part in _parts(self.messages) if part.get("type") == "image_url"]
        return [base64.b64decode(url.partition(",")[2]) for url in urls if url.startswith("data:")]


def _parts(messages: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [part for message in messages if isinstance(message.get("content"), list) for part in message["content"]]


def _text(message: dict[str, Any]) -> str:
    if isinstance(message.get("content"), str):
        return str(message["content"])
    return "\n".join(part["text"] for part in _parts([message]) if part.get("type") == "text")


@dataclass(frozen=True)
class ToolCall:
    """A tool that the model wants called. `arguments` as text is sent as it is, for malformed JSON."""

    name: str
    arguments: dict[str, Any] | str = field(default_factory=dict)
    id: str = "call_1"

    @property
    def json(self) -> str:
        """Arguments as they are sent."""
        return self.arguments if isinstance(self.arguments, str) else json.dumps(self.arguments, ensure_ascii=False)


@dataclass(frozen=True)
class Answer:
    """A complete answer, plain or streamed as the client asks.

    Attributes:
        text: Content.
        tool_calls: Tool calls, after the content.
        reasoning: Thinking before the content, under `reasoning_key`.
        wait: Seconds before the first byte.
        pace: Seconds before each delta.
        hold: What the last delta of the content waits for, at most 20 seconds.
        piece: Characters of each delta of the content.
        repeat_usage: Send the usage so far in every chunk, as some servers do.
        finish: Finish reason; None derives it from the content.
        cut_after: Drop the connection after so many deltas.
        end_after: End the stream politely, but unfinished, after so many deltas.
        error_after: Report an error inside the stream after so many deltas.
    """

    text: str = ""
    tool_calls: Sequence[ToolCall] = ()
    reasoning: str = ""
    reasoning_key: Literal["reasoning_content", "reasoning"] = "reasoning_content"
    wait: float = 0
    pace: float = 0
    hold: threading.Event | None = None
    piece: int = PIECE
    repeat_usage: bool = False
    finish: str | None = None
    cut_after: int | None = None
    end_after: int | None = None
    error_after: int | None = None


@dataclass(frozen=True)
class Failure:
    """An HTTP error with OpenAI's error body."""

    status: int
    code: str | None = None
    message: str = "stand-in failure"
    retry_after: float | None = None


@dataclass(frozen=True)
class Hang:
    """Accept the request and say nothing; with `headers`, begin the stream first."""

    headers: bool = False


@dataclass(frozen=True)
class Drip:
    """Keep the connection alive for ever with nothing: comments, empty deltas, or single bytes of a long line."""

    what: Literal["comments", "empty", "bytes"] = "comments"
    every: float = 0.1


@dataclass(frozen=True)
class Garbled:
    """Send `body` with status 200, whatever was asked for; with `piece`, in pieces of so many bytes."""

    body: str | bytes = "data: {not json\n\n"
    content_type: str = "text/event-stream"
    piece: int = 0


Step = Answer | Failure | Hang | Drip | Garbled


class Cut(Exception):
    """Raised to make uvicorn drop the connection in the middle of a body."""


class Wire(Response):
    """Plays one step to one client, and notes when the client leaves before the end."""

    def __init__(self, step: Step, request: Recorded, disconnects: list[float]) -> None:
        super().__init__()
        self.step, self.request, self.disconnects = step, request, disconnects

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the step; stop at once when the client hangs up."""
        playing = asyncio.ensure_future(self._play(send))
        leaving = asyncio.ensure_future(self._left(receive))
        await asyncio.wait({playing, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not playing.done():
            self.disconnects.append(time.monotonic())
        for task in (playing, leaving):
            task.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        if playing.done() and not playing.cancelled():
            playing.result()

    @staticmethod
    async def _left(receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    async def _play(self, send: Send) -> None:
        step = self.step
        match step:
            case Failure():
                await self._fail(send, step)
            case Garbled():
                await _start(send, 200, step.content_type)
                data = step.body.encode() if isinstance(step.body, str) else step.body
                for start in range(0, len(data), step.piece or len(data) or 1):
                    piece = data[start : start + (step.piece or len(data))]
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                await _body(send, "", more=False)
            case Hang():
                if step.headers:
                    await _start(send, 200, "text/event-stream")
                await asyncio.Event().wait()
            case Drip():
                await _start(send, 200, "text/event-stream")
                await self._drip(send, step)
            case Answer():
                await self._answer(send, step)

    async def _fail(self, send: Send, step: Failure) -> None:
        error = {"message": step.message, "type": "error", "code": step.code, "param": None}
        retry = {} if step.retry_after is None else {"retry-after": f"{step.retry_after:g}"}
        await _start(send, step.status, "application/json", retry)
        await _body(send, json.dumps({"error": error}), more=False)

    async def _drip(self, send: Send, step: Drip) -> None:
        drop = {"comments": ": ping\n\n", "bytes": "x", "empty": self._chunk({"role": "assistant", "content": ""})}
        while True:
            await _body(send, drop[step.what])
            await asyncio.sleep(step.every)

    async def _answer(self, send: Send, step: Answer) -> None:
        await asyncio.sleep(step.wait)
        if not self.request.body.get("stream"):
            await _start(send, 200, "application/json")
            await _body(send, json.dumps(self._plain(step)), more=False)
            return
        await _start(send, 200, "text/event-stream")
        async for event in self._events(step):
            await _body(send, event)
        await _body(send, "", more=False)

    async def _events(self, step: Answer) -> AsyncIterator[str]:
        deltas = _deltas(step)
        for position, delta in enumerate(deltas):
            await asyncio.sleep(step.pace if position else 0)
            if step.hold is not None and position == len(deltas) - 1:
                await asyncio.to_thread(step.hold.wait, 20)
            if position == step.cut_after:
                raise Cut
            if position == step.end_after:
                return
            if position == step.error_after:
                yield _event({"error": {"message": "overloaded", "code": "server_error"}})
                return
            yield self._chunk(delta, usage=_usage(self.request, step) if step.repeat_usage else None)
        yield self._chunk(
            {}, finish=_finish_reason(step), usage=_usage(self.request, step) if step.repeat_usage else None
        )
        if (self.request.body.get("stream_options") or {}).get("include_usage"):
            yield _event({**self._head("chat.completion.chunk"), "choices": [], "usage": _usage(self.request, step)})
        yield "data: [DONE]\n\n"

    def _chunk(self, delta: dict[str, Any], finish: str | None = None, usage: dict[str, int] | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return _event({**self._head("chat.completion.chunk"), "choices": [choice], "usage": usage})

    def _plain(self, step: Answer) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": step.text or None}
        if step.reasoning:
            message[step.reasoning_key] = step.reasoning
        if step.tool_calls:
            message["tool_calls"] = [
                {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.json}}
                for call in step.tool_calls
            ]
        choice = {"index": 0, "message": message, "finish_reason": _finish_reason(step)}
        return {**self._head("chat.completion"), "choices": [choice], "usage": _usage(self.request, step)}

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": "chatcmpl-standin", "object": kind, "created": 1_700_000_000, "model": self.request.model}


async def _start(send: Send, status: int, content_type: str, headers: dict[str, str] | None = None) -> None:
    pairs = {"content-type": content_type, **(headers or {})}
    raw = [(name.encode(), value.encode()) for name, value in pairs.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})


async def _body(send: Send, text: str, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": more})


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def _pieces(text: str, length: int = PIECE) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]


def _deltas(step: Answer) -> list[dict[str, Any]]:
    deltas: list[dict[str, Any]] = [{"role": "assistant", "content": ""}]
    deltas += [{step.reasoning_key: piece, "content": None} for piece in _pieces(step.reasoning)]
    deltas += [{"content": piece} for piece in _pieces(step.text, step.piece)]
    for index, call in enumerate(step.tool_calls):
        first = {"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}}
        rest = [{"index": index, "function": {"arguments": piece}} for piece in _pieces(call.json)]
        deltas += [{"content": None, "tool_calls": [part]} for part in (first, *rest)]
    return deltas


def _finish_reason(step: Answer) -> str:
    return step.finish or ("tool_calls" if step.tool_calls else "stop")


def _usage(request: Recorded, step: Answer) -> dict[str, int]:
    asked = len(request.text) // 4 + 1
    said = len(step.text + step.reasoning + "".join(call.json for call in step.tool_calls)) // 4 + 1
    return {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def vectors(inputs: Sequence[object], body: dict[str, Any], dimensions: int) -> dict[str, Any]:
    """Return the body of an embedding answer: bag-of-words vectors, deliberately not of unit length."""
    size = body.get("dimensions") or dimensions
    rows = [_vector(str(text), size) for text in inputs]
    as_text = body.get("encoding_format") == "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": base64.b64encode(row.tobytes()).decode() if as_text else row.tolist(),
        }
        for index, row in enumerate(rows)
    ]
    tokens = sum(len(str(text)) for text in inputs) // 4 + 1
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "model": body["model"], "data": data, "usage": usage}


def _vector(text: str, size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    row = np.zeros(size, np.float32)
    for word in re.findall(r"[a-z0-9]+|[^\W\da-z]", text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode("utf-8", "replace"), digest_size=8).digest()
        row[int.from_bytes(digest[:4], "big") % size] += 1 if digest[4] % 2 else -1
    return row if row.any() else np.ones(size, np.float32)
