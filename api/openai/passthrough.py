"""Chat completions with the caller's own tools: the chat model alone, whose tool calls go back to the caller."""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

from fastapi import Response
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage
from langchain_core.runnables import Runnable

from api.edge.responses import EventStream, json_response
from api.openai.schemas import CompletionBody
from api.openai.wire import Completion, error_chunk, finish_reason
from domain.errors import AppError
from domain.types import Usage
from models.chat.interface import Chat


async def complete_directly(body: CompletionBody, messages: list[AnyMessage], chat: Chat) -> Response:
    """Ask the chat model itself.

    Raises:
        ModelUnavailable: It failed.
        ModelTimedOut: It was silent for too long.
    """
    model = _bound(body, chat)
    completion = Completion(uuid.uuid4().hex, chat.name)
    if body.stream:
        chunks = _chunks(model, messages, body, completion, chat)
        return EventStream(chunks)
    message: AIMessage = await model.ainvoke(messages)
    calls = [_tool_call(call) for call in message.tool_calls]
    return json_response(
        completion.whole(
            str(message.text) or None, usage=_usage(message, chat), finish=finish_reason(message), tool_calls=calls
        )
    )


def _bound(body: CompletionBody, chat: Chat) -> Runnable[Any, Any]:
    options: dict[str, Any] = {}
    if body.temperature is not None:
        options["temperature"] = body.temperature
    if body.stop_sequences:
        options["stop"] = body.stop_sequences
    if body.most_tokens is not None:
        options["max_tokens"] = body.most_tokens
    if not body.tools:
        return chat.model.bind(**options)
    return chat.model.bind_tools(body.tools, tool_choice=body.tool_choice, **options)  # type: ignore[arg-type]


async def _chunks(
    model: Runnable[Any, Any], messages: list[AnyMessage], body: CompletionBody, completion: Completion, chat: Chat
) -> AsyncIterator[bytes]:
    whole: AIMessageChunk | None = None
    yield completion.delta({"role": "assistant", "content": ""})
    try:
        async for chunk in model.astream(messages):
            whole = chunk if whole is None else whole + chunk
            if text := str(chunk.text):
                yield completion.delta({"content": text})
            if chunk.tool_call_chunks:
                yield completion.delta({"tool_calls": [_call_chunk(call) for call in chunk.tool_call_chunks]})
    except AppError as exc:
        yield error_chunk(exc.body())
        return
    yield completion.delta({}, finish=finish_reason(whole))
    if whole is not None and body.stream_options and body.stream_options.include_usage:
        yield completion.usage(_usage(whole, chat))
    yield b"data: [DONE]\n\n"


def _tool_call(call: Any) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": json.dumps(call["args"], ensure_ascii=False)}
    return {"id": call["id"] or f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


def _call_chunk(call: Any) -> dict[str, Any]:
    part: dict[str, Any] = {"index": call["index"] or 0, "function": {"arguments": call["args"] or ""}}
    if call["id"]:
        part |= {"id": call["id"], "type": "function"}
    if call["name"]:
        part["function"]["name"] = call["name"]
    return part


def _usage(message: AIMessage, chat: Chat) -> Usage:
    used = message.usage_metadata
    return Usage(
        input_tokens=used["input_tokens"] if used else 0,
        output_tokens=used["output_tokens"] if used else 0,
        model=chat.name,
    )
