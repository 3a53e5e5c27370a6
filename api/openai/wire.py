"""Chat completions as they go over the wire."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AIMessage

from api.edge.failures import openai_type
from api.edge.responses import json_bytes
from domain.error_texts import ERRORS
from domain.types import Citation, Usage


class Completion:
    """One completion: the same id, time and model in each of its parts."""

    def __init__(self, run_id: str, model: str) -> None:
        self._head = {"id": f"chatcmpl-{run_id}", "created": int(time.time()), "model": model}

    def whole(self, message: Mapping[str, Any], *, usage: Usage, finish: str, logprobs: object) -> dict[str, Any]:
        """Return the completion as one object."""
        said = {"role": "assistant", "content": None, "refusal": None, "annotations": [], **message}
        choice = {"index": 0, "message": said, "logprobs": logprobs, "finish_reason": finish}
        return {**self._head, "object": "chat.completion", "choices": [choice], "usage": usage_counts(usage)}

    def delta(self, delta: Mapping[str, Any], finish: str | None = None, **extra: object) -> bytes:
        """Return one chunk of a stream."""
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return _data({**self._head, "object": "chat.completion.chunk", "choices": [choice], **extra})

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk with the token counts, which comes last."""
        return _data({**self._head, "object": "chat.completion.chunk", "choices": [], "usage": usage_counts(usage)})


def cited(citations: Sequence[Citation], base_url: str) -> list[dict[str, Any]]:
    """Return citations as OpenAI's annotations; a document is named by the address of its file.

    Where they stand in the answer is not told: both offsets are 0.
    """
    return [{"type": "url_citation", "url_citation": {"start_index": 0, "end_index": 0, "title": citation["name"],
             "url": address(citation, base_url)}} for citation in citations]  # fmt: skip


def address(citation: Citation, base_url: str) -> str:
    """Return where a cited text can be read."""
    page = f"#page={citation['page']}" if citation.get("page") else ""
    return citation.get("url") or f"{base_url}api/v1/documents/{citation.get('document_id', '')}/content{page}"


def tool_calls(message: AIMessage) -> list[dict[str, Any]]:
    """Return the calls of a message; arguments that are no JSON object as the model wrote them."""
    return [
        {"id": call["id"], "type": "function", "function": {"name": call["name"], "arguments": arguments(call["args"])}}
        for call in message.tool_calls
    ]


def arguments(args: Mapping[str, Any]) -> str:
    """Return the arguments of a call as JSON, or as the model wrote them where that is none."""
    return str(args["_malformed"]) if "_malformed" in args else json.dumps(args, ensure_ascii=False)


def call_delta(chunk: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part of a call as it stands in a chunk of a stream."""
    part: dict[str, Any] = {"index": chunk["index"] or 0, "function": {"arguments": chunk["args"] or ""}}
    if chunk["id"]:
        part |= {"id": chunk["id"], "type": "function"}
    if chunk["name"]:
        part["function"]["name"] = chunk["name"]
    return part


def finish_reason(message: AIMessage | None) -> str:
    """Return why the model ended `message`, in OpenAI's words."""
    reason = message.response_metadata.get("finish_reason") if message is not None else None
    if reason in ("length", "content_filter"):
        return str(reason)
    return "tool_calls" if message is not None and message.tool_calls else "stop"


def usage_counts(usage: Usage) -> dict[str, int]:
    """Return token counts under OpenAI's names."""
    sent, received = usage["input_tokens"], usage["output_tokens"]
    return {"prompt_tokens": sent, "completion_tokens": received, "total_tokens": sent + received}


def error_chunk(error: Mapping[str, Any]) -> bytes:
    """Return what ends a stream that failed."""
    return _data({"error": openai_error(error)})


def openai_error(error: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of an error with the fields that OpenAI's clients look for."""
    return {"type": openai_type(ERRORS[error["code"]].status), "param": None, **error}


def _data(value: object) -> bytes:
    return b"data: " + json_bytes(value) + b"\n\n"
