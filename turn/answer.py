"""The result of a model call: the message to keep, its usage, and the replacement for a missing answer."""

from __future__ import annotations

from langchain_core.messages import AIMessage, AIMessageChunk

from domain.errors import ModelUnavailable
from domain.types import Usage
from turn.material import results_text
from turn.state import State
from turn.texts import EMPTY_ANSWER, TOOLS_ONLY

RESULT_CHARS = 4000
"""Most characters of tool results in an answer that is nothing else."""


def finished_message(chunk: AIMessageChunk) -> AIMessage:
    """Return the message without what a checkpoint does not need, malformed tool calls turned into ordinary ones."""
    broken = [
        {"name": call.get("name") or "unknown", "args": {"_malformed": call.get("args")}, "id": call.get("id") or "0"}
        for call in chunk.invalid_tool_calls
    ]
    return AIMessage(
        content=str(chunk.text),
        id=chunk.id,
        tool_calls=[*chunk.tool_calls, *broken],
        usage_metadata=chunk.usage_metadata,
        response_metadata={k: v for k, v in chunk.response_metadata.items() if k in ("model_name", "finish_reason")},
        additional_kwargs={k: v for k, v in chunk.additional_kwargs.items() if k == "reasoning_content"},
    )


def tools_only(state: State) -> str:
    """Return the answer of a model that ends without one: what its tools returned, said to be just that.

    Raises:
        ModelUnavailable: There were no tools either.
    """
    results = results_text(state["messages"], RESULT_CHARS)
    if not results:
        raise ModelUnavailable(reason=EMPTY_ANSWER)
    return f"{TOOLS_ONLY.text(state['language'])}\n\n{results}"


def add_usage(before: Usage, message: AIMessage, model: str) -> Usage:
    """Return the tokens of the turn with those of one more call; `model` names it where its answer does not."""
    used = message.usage_metadata
    return Usage(
        input_tokens=before["input_tokens"] + (used["input_tokens"] if used else 0),
        output_tokens=before["output_tokens"] + (used["output_tokens"] if used else 0),
        model=str(message.response_metadata.get("model_name") or model),
    )
