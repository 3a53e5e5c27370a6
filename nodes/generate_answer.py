"""Ask the model: once for a plain turn, again after each round of tools."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import cast

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, HumanMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.runnables import Runnable
from langgraph.runtime import Runtime

from domain.errors import BudgetExceeded, ModelUnavailable
from domain.tokens import count_message_tokens, count_tokens
from domain.types import Usage
from models.chat.interface import Chat
from turn.context import Context, Services
from turn.material import results_text
from turn.model_input import turn_input
from turn.progress import emit
from turn.prompts import answer_prompt
from turn.state import State, Update
from turn.texts import LAST_ROUND

RESULT_CHARS = 4000
SPARE_TOKENS = 64
"""Kept free for the note of the last round and what providers add around messages."""
SHORTEST_ANSWER = 32
"""Tokens without which it is not worth asking."""
CUT = {
    "en": "The answer was cut at its longest length.",
    "zh": "回答已达到最大长度，被截断。",
}
TOOLS_ONLY = {
    "en": "I looked this up but could not put an answer together. What the tools returned:",
    "zh": "我查询了相关内容，但未能组织出回答。工具返回的内容如下：",
}


async def generate_answer(state: State, runtime: Runtime[Context]) -> Update:
    """Stream one model call.

    Raises:
        ModelUnavailable: The model failed after its retries and its fallback, or returned nothing.
        ModelTimedOut: It was silent for too long.
        BudgetExceeded: The caller's budget has no room for an answer.
    """
    services = runtime.context.services
    offered = state["offered_tools"] if state["tool_rounds"] < services.settings.max_tool_rounds else []
    try:
        message = await _ask(state, runtime, offered)
    except BudgetExceeded:
        if not state["tool_rounds"]:
            raise
        message = AIMessage(_tools_only(state))
    if message.tool_calls and not offered:
        message = message.model_copy(update={"tool_calls": [], "invalid_tool_calls": []})
    text = str(message.text)
    if not message.tool_calls and not text.strip():
        text = _tools_only(state)
        message = message.model_copy(update={"content": text})
    usage = _add_usage(state["usage"], message, services)
    warnings = [*state.get("warnings", [])]
    if not message.tool_calls:
        emit(runtime, "usage", usage)
        if message.response_metadata.get("finish_reason") == "length":
            warnings.append(CUT[state["language"]])
            emit(runtime, "warning", {"code": "answer_cut", "message": warnings[-1]})
    reasoning = str(message.additional_kwargs.get("reasoning_content") or "")
    return Update(messages=[message], answer=text, reasoning=reasoning, usage=usage, warnings=warnings)


async def _ask(state: State, runtime: Runtime[Context], offered: list[str]) -> AIMessage:
    services = runtime.context.services
    chat = services.chat
    schemas = services.tools.schemas(offered) if offered else []
    tools = count_tokens(json.dumps(schemas)) if schemas else 0
    left = _left(runtime.context.budget, state["usage"])
    room = _room(chat, left) - tools
    prompt = answer_prompt(state, system_prompt=runtime.context.system_prompt, budget=room)
    if state["tool_rounds"] and not offered:
        prompt = [*prompt, HumanMessage(LAST_ROUND.text(state["language"]))]
    model: Runnable[LanguageModelInput, AIMessage] = chat.model
    if offered:
        model = chat.model.bind_tools(schemas)
    lengths = [] if runtime.context.answer_tokens is None else [runtime.context.answer_tokens]
    if left is not None:
        lengths.append(_answer_length(runtime.context.budget, left, prompt, tools))
    if chat.takes_turn:
        model = model.bind(turn=turn_input(state, system_prompt=runtime.context.system_prompt))
    if lengths:
        model = model.bind(max_tokens=min(lengths))
    chunks = [chunk async for chunk in model.astream(prompt)]
    if not chunks:
        raise ModelUnavailable(reason="it returned nothing")
    first, *rest = cast("list[AIMessageChunk]", chunks)
    return _finished(add_ai_message_chunks(first, *rest))


def _left(budget: int | None, used: Usage) -> int | None:
    """Tokens that the caller's budget still allows; None without a budget."""
    return None if budget is None else budget - used["input_tokens"] - used["output_tokens"]


def _room(chat: Chat, left: int | None) -> int:
    """Tokens for the prompt; the answer never takes more than half of a small window, or of what is left."""
    answer = min(chat.max_output_tokens, chat.context_tokens // 2)
    room = chat.context_tokens - answer - SPARE_TOKENS
    return room if left is None else min(room, left - min(answer, left // 2))


def _answer_length(budget: int | None, left: int, prompt: Sequence[AnyMessage], tools: int) -> int:
    """Tokens that are left for the answer.

    Raises:
        BudgetExceeded: None to speak of.
    """
    asked = count_message_tokens(prompt) + tools
    if left - asked < SHORTEST_ANSWER:
        raise BudgetExceeded(budget=budget, needed=(budget or 0) - left + asked + SHORTEST_ANSWER)
    return left - asked


def _finished(chunk: AIMessageChunk) -> AIMessage:
    """The message without what a checkpoint does not need, malformed tool calls turned into ordinary ones."""
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


def _tools_only(state: State) -> str:
    """The answer of a model that ends without one: what its tools returned, said to be just that.

    Raises:
        ModelUnavailable: There were no tools either.
    """
    results = results_text(state["messages"], RESULT_CHARS)
    if not results:
        raise ModelUnavailable(reason="it returned an empty answer")
    return f"{TOOLS_ONLY[state['language']]}\n\n{results}"


def _add_usage(before: Usage, message: AIMessage, services: Services) -> Usage:
    used = message.usage_metadata
    return Usage(
        input_tokens=before["input_tokens"] + (used["input_tokens"] if used else 0),
        output_tokens=before["output_tokens"] + (used["output_tokens"] if used else 0),
        model=str(message.response_metadata.get("model_name") or services.chat.name),
    )
