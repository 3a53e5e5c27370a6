"""A chat model at an OpenAI-compatible endpoint that always ends, whatever the endpoint does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import BaseChatOpenAI

from domain.errors import ModelUnavailable
from models.chat.reasoning import ThinkTags, delta_reasoning
from models.endpoint import BROKEN_OFF, ENDLESS, FAILURES, model_error

MOST_CALLS = 32
"""Tool calls of one answer that are looked at; what comes after them is left out."""
MOST_CHARS = 500_000
"""Characters after which an answer counts as endless: more than the 128,000 tokens that any model writes at once."""


class OpenAICompatibleChat(BaseChatOpenAI):
    """An OpenAI-compatible chat model that always ends, with an answer or an `AppError`.

    Beyond `BaseChatOpenAI` it keeps reasoning apart in `additional_kwargs["reasoning_content"]`, counts usage once
    where a server repeats it in every chunk, takes an answer without `finish_reason` for one that broke off, and bounds
    the silence between two tokens (keep-alive comments and empty deltas are silence), the length and the tool calls.

    Raises:
        ModelUnavailable: The endpoint failed, after its retries, or does not stop writing.
        ModelTimedOut: No token came for `silence` seconds.
    """

    silence: float

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        usage, finished, tags, written = None, False, ThinkTags(), 0
        source = super()._astream(messages, stop=stop, **kwargs)
        async with aclosing(_without_silence(source, self.silence)) as chunks:
            async for chunk in chunks:
                message = chunk.message
                assert isinstance(message, AIMessageChunk)
                usage, message.usage_metadata = message.usage_metadata or usage, None
                ends = _finish(chunk, self.model_name, already=finished)
                finished = finished or ends
                chunk = _without_tags(chunk, tags, ends=ends)
                if _says_nothing(chunk):
                    continue
                written += _length(message)
                if written > MOST_CHARS:
                    raise ModelUnavailable(reason=ENDLESS)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
                await asyncio.sleep(0)  # a model that writes faster than it is read must not keep others waiting
        if not finished:
            raise ModelUnavailable(reason=BROKEN_OFF)
        if usage:
            yield ChatGenerationChunk(message=AIMessageChunk(content="", usage_metadata=usage))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        """Stream always: only a stream shows that the model is still at work."""
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _get_request_payload(
        self, input_: LanguageModelInput, *, stop: list[str] | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Return what the client library is called with.

        Messages and tools are plain JSON and go as `extra_body`: the library walks through what it is given as
        arguments and holds every part against every type of message, which took 5 ms for twenty messages.
        """
        most = kwargs.pop("max_tokens", None)
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if most is not None:
            name = "max_completion_tokens" if "max_completion_tokens" in payload else "max_tokens"
            payload[name] = min(most, payload.get(name) or most)
        plain = {name: payload.pop(name) for name in ("messages", "tools") if name in payload}
        return {**payload, "messages": [], "extra_body": {**plain, **(payload.get("extra_body") or {})}}

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        delta = _delta(chunk)
        delta["role"] = "assistant"
        for position, call in enumerate(delta.get("tool_calls") or ()):
            if call.get("index") is None:
                call["index"] = position
        if delta.get("tool_calls"):
            delta["tool_calls"] = [call for call in delta["tool_calls"] if call["index"] < MOST_CALLS]
        generation = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        if generation is not None and (reasoning := delta_reasoning(delta)):
            generation.message.additional_kwargs["reasoning_content"] = reasoning
        return generation


def _delta(chunk: Mapping[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices") or chunk.get("chunk", {}).get("choices") or [{}]
    return choices[0].get("delta") or {}


def _finish(chunk: ChatGenerationChunk, model_name: str, *, already: bool) -> bool:
    """Return whether `chunk` ends the answer; name the model once, at the end."""
    info = chunk.generation_info or {}
    if not info.get("finish_reason"):
        return False
    if already:
        chunk.generation_info = None
    else:
        info["model_name"] = info.get("model_name") or model_name
    return True


def _without_tags(chunk: ChatGenerationChunk, tags: ThinkTags, *, ends: bool) -> ChatGenerationChunk:
    """Move thinking between tags from the content of `chunk` to its reasoning."""
    message = chunk.message
    if not isinstance(message.content, str):
        return chunk
    thinking, content = tags.feed(message.content)
    if ends:
        thinking, content = (part + rest for part, rest in zip((thinking, content), tags.rest(), strict=True))
    if content == message.content and not thinking:
        return chunk
    if thinking:
        message.additional_kwargs["reasoning_content"] = delta_reasoning(message.additional_kwargs) + thinking
    message.content = content
    return ChatGenerationChunk(message=message, generation_info=chunk.generation_info)


def _length(message: AIMessageChunk) -> int:
    arguments = sum(len(call["args"] or "") for call in message.tool_call_chunks)
    return len(message.content) + len(delta_reasoning(message.additional_kwargs)) + arguments


def _says_nothing(chunk: ChatGenerationChunk) -> bool:
    message = chunk.message
    assert isinstance(message, AIMessageChunk)
    said = message.content or message.tool_call_chunks or message.additional_kwargs or message.usage_metadata
    return not said and not (chunk.generation_info or {}).get("finish_reason")


async def _without_silence(
    source: AsyncIterator[ChatGenerationChunk], silence: float
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """Yield the chunks of `source` that have content; translate the endpoint's errors."""
    clock = asyncio.get_running_loop().time
    deadline = clock() + silence
    async with aclosing(source) as chunks:  # type: ignore[type-var]
        while True:
            try:
                async with asyncio.timeout_at(deadline):
                    chunk = await anext(chunks, None)
            except FAILURES as exc:
                raise model_error(exc) from exc
            if chunk is None:
                return
            if not _says_nothing(chunk):
                yield chunk
                deadline = clock() + silence
