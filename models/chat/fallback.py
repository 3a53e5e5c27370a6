"""Two chat models as one: the second answers where the first cannot."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable

from domain.errors import ModelTimedOut, ModelUnavailable
from models.chat.openai_chat import OpenAICompatibleChat
from models.chat.streaming_chat import StreamingChat

logger = logging.getLogger(__name__)


class FallbackChat(StreamingChat):
    """Asks `primary`, and `fallback` where the first fails before its first token.

    Once a token is out, an error is an error: a second answer appended to half of the first would be no answer.
    `response_metadata["model_name"]` says who answered.
    """

    primary: OpenAICompatibleChat
    fallback: OpenAICompatibleChat

    @property
    def _llm_type(self) -> str:
        return "fallback-chat"

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Bind tools to both models."""
        bound = self.primary.bind_tools(tools, tool_choice=tool_choice, **kwargs)
        return self.bind(**bound.kwargs)  # type: ignore[attr-defined]

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

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        raise NotImplementedError("FallbackChat is asynchronous: use ainvoke or astream")
