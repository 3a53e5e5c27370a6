"""Chat completions as they go over the wire."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from langchain_core.messages import AIMessage

from api.edge.responses import json_bytes
from domain.types import Usage


class Completion:
    """One completion: the same id, time and model in each of its parts."""

    def __init__(self, run_id: str, model: str) -> None:
        self._head = {"id": f"chatcmpl-{run_id}", "created": int(time.time()), "model": model}

    def whole(
        self, text: str | None, *, usage: Usage, finish: str, tool_calls: list[dict[str, Any]] | None = None
    ) -> dict[str, Any]:
        """Return the completion as one object."""
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None}
        if tool_calls:
            message["tool_calls"] = tool_calls
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage_counts(usage)}

    def delta(self, delta: Mapping[str, Any], finish: str | None = None) -> bytes:
        """Return one chunk of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head, "object": "chat.completion.chunk", "choices": [choice]})

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk with the token counts, which comes last."""
        return _data({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage_counts(usage)})


def finish_reason(message: AIMessage | None) -> str:
    """Return why the model ended `message`, in OpenAI's words."""
    if message is not None and message.tool_calls:
        return "tool_calls"
    reason = message.response_metadata.get("finish_reason") if message is not None else None
    return reason if reason in ("length", "content_filter") else "stop"


def usage_counts(usage: Usage) -> dict[str, int]:
    """Return token counts under OpenAI's names."""
    sent, received = usage["input_tokens"], usage["output_tokens"]
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


def error_chunk(error: Mapping[str, Any]) -> bytes:
    """Return what ends a stream that failed."""
    return _data({"error": {"type": "server_error", "param": None, **error}})


def _data(value: object) -> bytes:
    return b"data: " + json_bytes(value) + b"\n\n"
