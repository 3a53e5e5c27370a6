"""The result of a model call: the message to keep, its usage, and the replacement for a missing answer."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from typing import cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, ToolCall, ToolCallChunk
from langchain_core.messages.ai import UsageMetadata, add_ai_message_chunks
from langchain_core.runnables import Runnable

from domain.agents import AgentResult
from domain.call_arguments import call_arguments
from domain.errors import ModelUnavailable
from domain.surrogates import cleaned
from domain.thinking import without_unopened
from domain.tokens import count_message_tokens, count_tokens
from domain.types import Usage
from turn.material import results_text
from turn.state import State
from turn.texts import EMPTY_ANSWER, NOTHING_RETURNED, TOOLS_ONLY

RESULT_CHARS = 4000
"""Most characters of tool results in an answer that is nothing else."""


async def streamed(
    model: Runnable[LanguageModelInput, AIMessage], prompt: Sequence[AnyMessage], seconds: float
) -> tuple[AIMessage, bool]:
    """Stream one model call of at most `seconds`; return what it said, and whether that is all of it.

    The tokens of one that is cut off are counted here: its endpoint tells them at the end alone.

    Raises:
        ModelUnavailable: The model failed, or returned nothing.
        TimeoutError: The time ended before its first word.
    """
    chunks: list[AIMessageChunk] = []
    whole = True
    try:
        async with asyncio.timeout(seconds):
            async for chunk in model.astream(list(prompt)):
                chunks.append(cast("AIMessageChunk", chunk))
    except TimeoutError:
        if not any(str(chunk.text).strip() for chunk in chunks):
            raise
        said = "".join(str(chunk.text) for chunk in chunks)
        read, written = count_message_tokens(prompt), count_tokens(said)
        used = UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)
        chunks, whole = [AIMessageChunk(content=said, usage_metadata=used)], False
    if not chunks:
        raise ModelUnavailable(reason=NOTHING_RETURNED)
    first, *rest = chunks
    return finished_message(add_ai_message_chunks(first, *rest)), whole


def finished_message(chunk: AIMessageChunk) -> AIMessage:
    """Return the message without what a checkpoint does not need.

    A tool call whose arguments are no whole JSON object becomes one that is refused when it is run: LangChain would
    complete arguments that were cut short, and the tool would run with something else than the model wanted.
    """
    thinking, text = without_unopened(str(chunk.text))
    reasoning = "\n".join(part for part in (chunk.additional_kwargs.get("reasoning_content"), thinking) if part)
    return AIMessage(
        content=text,
        id=chunk.id,
        tool_calls=[_call(call) for call in chunk.tool_call_chunks],
        usage_metadata=chunk.usage_metadata,
        response_metadata={k: v for k, v in chunk.response_metadata.items() if k in ("model_name", "finish_reason")},
        additional_kwargs={"reasoning_content": reasoning} if reasoning else {},
    )


def _call(chunk: ToolCallChunk) -> ToolCall:
    arguments = call_arguments(chunk["args"] or "")
    return ToolCall(
        name=chunk["name"] or "unknown",
        args={"_malformed": chunk["args"]} if arguments is None else cleaned(arguments),
        id=chunk["id"] or f"call_{uuid.uuid4().hex[:24]}",
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


def with_usage_of(before: Usage, agent: AgentResult | None) -> Usage:
    """Return the tokens of the turn with those of a specialist."""
    used = agent["usage"] if agent else Usage(input_tokens=0, output_tokens=0, model="")
    return Usage(
        input_tokens=before["input_tokens"] + used["input_tokens"],
        output_tokens=before["output_tokens"] + used["output_tokens"],
        model=before["model"],
    )
