"""The base of our chat models: each writes `_astream` alone, and all else follows from it."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

_PIECES = re.compile(r"[^\s，。！？；、]*(?:[，。！？；、]+|\s+|$)")


class StreamingChat(BaseChatModel):
    """A chat model that streams always: only a stream shows that the model is still at work."""

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return asyncio.run(self._agenerate(messages, stop, **kwargs))


class InProcessChat(StreamingChat):
    """A chat model that runs in this process and reads offered tools from its call options itself."""

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | dict[str, Any] | bool | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools; `tool_choice` is `auto`, `none`, `any` (or `required`), or the name of one tool."""
        offered = [convert_to_openai_tool(tool) for tool in tools]
        bound = self.bind(tools=offered, tool_choice=tool_choice, **kwargs)
        return cast("Runnable[LanguageModelInput, AIMessage]", bound)


def pieces(text: str) -> list[str]:
    """Split a finished text into streamable pieces: words, or clauses of Chinese."""
    return [piece for piece in _PIECES.findall(text) if piece]


def call_chunk(name: str, arguments: str) -> ChatGenerationChunk:
    """Return a whole call of a tool; `arguments` is a JSON object."""
    call = tool_call_chunk(name=name, args=arguments, id=f"call_{uuid.uuid4().hex[:24]}", index=0)
    return ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[call]))


def last_chunk(model: str, input_tokens: int, output_tokens: int, *, called: bool) -> ChatGenerationChunk:
    """Return the end of a stream: who answered, with how many tokens, and whether it called a tool."""
    total = input_tokens + output_tokens
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            usage_metadata=UsageMetadata(input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=total),
            response_metadata={"model_name": model, "finish_reason": "tool_calls" if called else "stop"},
            chunk_position="last",
        )
    )
