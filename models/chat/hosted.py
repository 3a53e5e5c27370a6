"""Chat models behind an OpenAI-compatible endpoint."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import SecretStr

from errors import ModelTimedOut, ModelUnavailable
from models.chat.interface import Chat
from models.endpoint import (
    BROKEN_OFF,
    FAILURES,
    NO_KEY,
    Asked,
    Defaults,
    Endpoint,
    http_client,
    model_error,
    request_timeout,
    resolve,
)
from settings import Settings

__all__ = ["FallbackChat", "HostedChat", "chat_model", "hosted_chat", "model_error"]

logger = logging.getLogger(__name__)

DEFAULTS = Defaults(openai="gpt-5.4-mini", dashscope="qwen3.7-plus", setting="LLM_MODEL")
REASONING_KEYS = ("reasoning_content", "reasoning")
"""DashScope, DeepSeek and vLLM say the first, Ollama, OpenRouter and newer vLLM the second."""


class HostedChat(BaseChatOpenAI):
    """An OpenAI-compatible chat model that ends: by an answer, or by an `AppError`.

    Beyond `BaseChatOpenAI` it keeps reasoning apart in `additional_kwargs["reasoning_content"]`, counts usage once
    where a server repeats it in every chunk, takes an answer without `finish_reason` for one that broke off, and bounds
    the silence between two tokens (keep-alive comments and empty deltas are silence).

    Raises:
        ModelUnavailable: The endpoint failed, after its retries.
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
        usage = None
        finished = False
        source = super()._astream(messages, stop=stop, **kwargs)
        async with aclosing(_without_silence(source, self.silence)) as chunks:
            async for chunk in chunks:
                message = chunk.message
                assert isinstance(message, AIMessageChunk)
                usage, message.usage_metadata = message.usage_metadata or usage, None
                finished = finished or _finish(chunk, self.model_name, already=finished)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
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

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        delta = _delta(chunk)
        delta["role"] = "assistant"
        for position, call in enumerate(delta.get("tool_calls") or ()):
            if call.get("index") is None:
                call["index"] = position
        generation = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        reasoning = next((delta[key] for key in REASONING_KEYS if isinstance(delta.get(key), str)), "")
        if generation is not None and reasoning:
            generation.message.additional_kwargs["reasoning_content"] = reasoning
        return generation


def _delta(chunk: Mapping[str, Any]) -> dict[str, Any]:
    choices = chunk.get("choices") or chunk.get("chunk", {}).get("choices") or [{}]
    return choices[0].get("delta") or {}


def _finish(chunk: ChatGenerationChunk, model_name: str, *, already: bool) -> bool:
    """Return whether `chunk` ends the answer, and see to it that the end says once who answered."""
    info = chunk.generation_info or {}
    if not info.get("finish_reason"):
        return False
    if already:
        chunk.generation_info = None
    else:
        info["model_name"] = info.get("model_name") or model_name
    return True


def _says_nothing(chunk: ChatGenerationChunk) -> bool:
    message = chunk.message
    assert isinstance(message, AIMessageChunk)
    said = message.content or message.tool_call_chunks or message.additional_kwargs or message.usage_metadata
    return not said and not (chunk.generation_info or {}).get("finish_reason")


async def _without_silence(
    source: AsyncIterator[ChatGenerationChunk], silence: float
) -> AsyncGenerator[ChatGenerationChunk, None]:
    """Yield the chunks of `source` that say something, with the errors of the endpoint translated."""
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


class FallbackChat(BaseChatModel):
    """Asks `primary`, and `fallback` where the first fails before its first token.

    Once a token is out, an error is an error: a second answer appended to half of the first would be no answer.
    `response_metadata["model_name"]` says who answered.
    """

    primary: HostedChat
    fallback: HostedChat

    @property
    def _llm_type(self) -> str:
        return "fallback-chat"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools to both models."""
        bound = self.primary.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        return self.bind(**bound.kwargs)  # type: ignore[attr-defined, return-value]

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        async with aclosing(self.primary._astream(messages, stop, run_manager, **kwargs)) as chunks:  # type: ignore[type-var]
            started = False
            try:
                async for chunk in chunks:
                    started = True
                    yield chunk
                return
            except (ModelUnavailable, ModelTimedOut) as error:
                if started:
                    raise
                logger.warning("%s failed (%s): asking %s", self.primary.model_name, error, self.fallback.model_name)
        async with aclosing(self.fallback._astream(messages, stop, run_manager, **kwargs)) as chunks:  # type: ignore[type-var]
            async for chunk in chunks:
                yield chunk

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
        raise NotImplementedError("FallbackChat is asynchronous: use ainvoke or astream")


def chat_model(
    endpoint: Endpoint, settings: Settings, *, max_tokens: int, extra_body: Mapping[str, object]
) -> HostedChat:
    """Return the model of `endpoint` with the timeouts and retries of the settings.

    Args:
        endpoint: Address, key and model.
        settings: For `llm_timeout` and `llm_max_retries`.
        max_tokens: Most tokens of one answer.
        extra_body: Merged into every request. At DashScope thinking is off unless this says otherwise.
    """
    length: dict[str, Any] = (
        {"model_kwargs": {"max_completion_tokens": max_tokens}} if endpoint.is_openai else {"max_tokens": max_tokens}
    )
    thinking_off = {"enable_thinking": False} if endpoint.is_dashscope else {}
    return HostedChat(
        model=endpoint.model,
        base_url=endpoint.base_url,
        api_key=SecretStr(endpoint.api_key),
        timeout=request_timeout(settings.llm_timeout),
        http_async_client=http_client(settings.llm_timeout),
        max_retries=settings.llm_max_retries,
        silence=settings.llm_timeout,
        stream_chunk_timeout=None,
        stream_usage=True,
        use_responses_api=False,
        extra_body={**thinking_off, **extra_body} or None,
        **length,
    )


def hosted_chat(settings: Settings) -> Chat | None:
    """Return the chat model that LLM_* or DASHSCOPE_API_KEY name, or None where neither is set."""
    endpoint = resolve(Asked(settings.llm_base_url, settings.llm_api_key, settings.llm_model), settings, DEFAULTS)
    if endpoint is None:
        return None
    fallback = _fallback_endpoint(endpoint, settings)
    return Chat(
        model=_with_fallback(endpoint, fallback, settings),
        name=endpoint.model,
        kind="hosted",
        context_tokens=settings.llm_context_tokens,
        max_output_tokens=settings.llm_max_output_tokens,
        detail=_detail(endpoint, fallback, settings),
    )


def _with_fallback(endpoint: Endpoint, fallback: Endpoint | None, settings: Settings) -> BaseChatModel:
    primary, *spare = (
        chat_model(it, settings, max_tokens=settings.llm_max_output_tokens, extra_body=settings.llm_extra_body)
        for it in (endpoint, fallback)
        if it is not None
    )
    return FallbackChat(primary=primary, fallback=spare[0]) if spare else primary


def _fallback_endpoint(primary: Endpoint, settings: Settings) -> Endpoint | None:
    if not settings.llm_fallback_model:
        return None
    base_url = settings.llm_fallback_base_url or primary.base_url
    given = settings.llm_fallback_api_key
    own_key = primary.api_key if base_url == primary.base_url else NO_KEY
    return Endpoint(base_url, settings.llm_fallback_model, given.get_secret_value() if given else own_key)


def _detail(endpoint: Endpoint, fallback: Endpoint | None, settings: Settings) -> str:
    asked = settings.llm_base_url or settings.llm_api_key or settings.llm_model
    why = "LLM_* is set" if asked else "DASHSCOPE_API_KEY is set"
    spare = f", with {fallback.model} at {fallback.host} when it fails" if fallback else ""
    return (
        f"{endpoint.model} at {endpoint.host}{spare}, because {why}; "
        "change it with LLM_BASE_URL, LLM_API_KEY and LLM_MODEL."
    )
