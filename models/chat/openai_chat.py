"""A chat model at an OpenAI-compatible endpoint that always ends, whatever the endpoint does."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import openai
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_openai.chat_models.base import BaseChatOpenAI
from pydantic import PrivateAttr, SecretStr, SkipValidation

from domain.errors import ModelUnavailable
from models.chat.answer_reader import AnswerReader
from models.chat.completion_stream import ChunkReader
from models.chat.concessions import Concessions
from models.chat.restored import AnswerRestorer
from models.endpoint import BROKEN_OFF, ENDLESS, FAILURES, model_error, provider_words
from privacy.outbound import Privacy

logger = logging.getLogger(__name__)

MOST_CHARS = 500_000
"""Characters after which an answer counts as endless: more than the 128,000 tokens that any model writes at once."""


class OpenAICompatibleChat(BaseChatOpenAI):
    """An OpenAI-compatible chat model that always ends, with an answer or an `AppError`.

    `BaseChatOpenAI` writes the requests, `answer_reader` reads the answers of all kinds of servers. What an endpoint
    refuses it is asked without, once and from then on (`concessions`); what a caller brought (the call option
    `callers_own`) teaches nothing, so that nobody's odd tool takes the tools from all others. An answer that neither
    gives a finish reason nor says `[DONE]` broke off; the silence between two tokens (keep-alive comments and empty
    deltas are silence), the length and the number of tool calls are bounded. Reasoning is kept apart, in
    `additional_kwargs["reasoning_content"]`.

    Raises:
        PersonalDataRefused: The request holds personal data, and none may leave.
        ModelUnavailable: The endpoint failed, after its retries, or does not stop writing.
        ModelTimedOut: No token came for `silence` seconds.
    """

    silence: float
    privacy: SkipValidation[Privacy]
    _concessions: Concessions = PrivateAttr(default_factory=Concessions)
    _thinks_unopened: bool | None = PrivateAttr(default=None)
    """Whether this endpoint ends its thinking without having begun it; None until its first answer."""

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        concessions = self._concessions.copy() if kwargs.pop("callers_own", False) else self._concessions
        body = self._get_request_payload(messages, stop=stop, **kwargs)
        tools = () if "response_format" in body else body.get("tools", ())  # what looks like a call is JSON then
        offered = [tool["function"]["name"] for tool in tools if "function" in tool]
        body, masker = await self.privacy.request(body)
        restorer = AnswerRestorer(masker) if masker and masker.values else None
        reader, written = AnswerReader(self.model_name, offered, unopened=self._thinks_unopened), 0
        async with aclosing(self._read(body, reader, concessions)) as chunks:
            async for chunk in chunks:
                written += _length(chunk)
                if written > MOST_CHARS:
                    raise ModelUnavailable(reason=ENDLESS)
                if restorer is not None:
                    chunk = restorer.take(chunk)
                if run_manager:
                    await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
                yield chunk
                await asyncio.sleep(0)  # a model that writes faster than it is read must not keep others waiting
        self._thinks_unopened = reader.unopened

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
        """Return the body of the request; a longest length of the call lowers that of the model."""
        most = kwargs.pop("max_tokens", None)
        payload: dict[str, Any] = super()._get_request_payload(input_, stop=stop, **kwargs)
        if most is not None:
            name = "max_completion_tokens" if "max_completion_tokens" in payload else "max_tokens"
            payload[name] = min(most, payload.get(name) or most)
        for message, sent in zip(self._convert_input(input_).to_messages(), payload["messages"], strict=True):
            # Models that think between two calls of tools want to see again what they thought before the first.
            if sent.get("tool_calls") and (thought := message.additional_kwargs.get("reasoning_content")):
                sent["reasoning_content"] = thought
        extra = payload.pop("extra_body", None) or {}
        return {**payload, "stream": True, "stream_options": {"include_usage": True}, **extra}

    async def _read(
        self, body: dict[str, Any], reader: AnswerReader, concessions: Concessions
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        """Yield the answer, and translate the endpoint's errors; what they say is logged."""
        try:
            async with aclosing(self._without_silence(self._chunks(body, concessions), reader)) as chunks:
                async for chunk in chunks:
                    yield chunk
            if not reader.finished:
                raise ModelUnavailable(reason=BROKEN_OFF)
            for chunk in reader.end():
                yield chunk
        except FAILURES as exc:
            key = self.openai_api_key.get_secret_value() if isinstance(self.openai_api_key, SecretStr) else ""
            status = getattr(exc, "status_code", None)
            logger.warning(
                "%s failed: %s", self.model_name, provider_words(exc, key) or type(exc).__name__,
                extra={"status": status, "error": type(exc).__name__},
            )  # fmt: skip
            raise model_error(exc) from exc

    async def _without_silence(
        self, source: AsyncGenerator[Mapping[str, Any], None], reader: AnswerReader
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        """Yield what the chunks of the endpoint say, as long as they say something."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + self.silence
        async with aclosing(source) as chunks:
            while True:
                async with asyncio.timeout_at(deadline):
                    raw = await anext(chunks, None)
                if raw is None:
                    return
                if not reader.take(raw):
                    continue
                for chunk in reader.ready():
                    yield chunk
                deadline = clock() + self.silence

    async def _chunks(self, body: dict[str, Any], concessions: Concessions) -> AsyncGenerator[Mapping[str, Any], None]:
        """Yield the JSON chunks of an answer; before the first one, ask again without what the endpoint refuses."""
        while True:
            asked, begun = concessions.adapted(body), False
            try:
                async for chunk in self._chunks_of_one_request(asked):
                    begun = True
                    yield chunk
                return
            except openai.APIError as exc:
                given_up = "" if begun else concessions.learn(exc, asked)
                if not given_up:
                    raise
                logger.warning("%s refuses %s and is asked without: %s", self.model_name, given_up, provider_words(exc))

    async def _chunks_of_one_request(self, body: dict[str, Any]) -> AsyncGenerator[Mapping[str, Any], None]:
        # All of the body goes as `extra_body`: the library walks through what it is given as arguments and holds every
        # part against every type of message, which took 5 ms for twenty messages.
        reader = ChunkReader()
        request = self.async_client.with_streaming_response.create(
            model=body["model"], messages=[], stream=True, extra_body=body
        )
        async with request as response:
            async with aclosing(response.iter_bytes()) as pieces:
                async for piece in pieces:
                    for chunk in reader.feed(piece):
                        yield _sound(chunk, response)
            for chunk in reader.end():
                yield _sound(chunk, response)


def _sound(chunk: Mapping[str, Any], response: Any) -> Mapping[str, Any]:
    """Return a chunk that reports no error.

    Raises:
        openai.APIError: It does; some servers answer 200 with one.
    """
    error = chunk.get("error") or next((it["error"] for it in chunk.get("choices") or () if it.get("error")), None)
    if not error and "choices" not in chunk and ("message" in chunk or "detail" in chunk) and "usage" not in chunk:
        error = chunk
    if not error:
        return chunk
    message = error.get("message") or error.get("detail") if isinstance(error, Mapping) else error
    raise openai.APIError(str(message or error), response.http_response.request, body=error)


def _length(chunk: ChatGenerationChunk) -> int:
    message = chunk.message
    assert isinstance(message, AIMessageChunk)
    arguments = sum(len(call["args"] or "") for call in message.tool_call_chunks)
    return len(message.content) + len(message.additional_kwargs.get("reasoning_content", "")) + arguments
