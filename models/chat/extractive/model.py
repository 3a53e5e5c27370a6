"""The bundled chat model: extractive question answering behind LangChain's chat model interface.

It cannot invent: it quotes sentences of what was retrieved, read or recognised, with their citation numbers, or says
that there is nothing. Small talk in English goes to SmolLM2-135M-Instruct, where its package is installed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from pydantic import ConfigDict, PrivateAttr

from domain.tokens import count_message_tokens, count_tokens
from models.chat.extractive.answer import Answerer
from models.chat.extractive.calls import Call
from models.chat.extractive.texts import DETAIL, REPLIES
from models.chat.interface import Chat, TurnInput
from models.chat.small_talk import MODEL, SmallTalk
from models.chat.streaming_chat import InProcessChat, call_chunk, last_chunk, pieces
from models.embeddings.interface import Embedder
from settings import Settings

NAME, CONTEXT_TOKENS = "bundled-extractive", 32_000


class ExtractiveChat(InProcessChat):
    """Answers by quotation. Streams, calls tools and reports usage like a hosted model."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model_name: str = NAME
    _answerer: Answerer = PrivateAttr()
    _talk: SmallTalk = PrivateAttr()

    def __init__(self, embedder: Embedder, talk: SmallTalk) -> None:
        super().__init__()
        self._answerer = Answerer(embedder)
        self._talk = talk

    @property
    def _llm_type(self) -> str:
        return "extractive"

    async def warm(self, requests: Sequence[str]) -> None:
        """Load the small model and embed what messages are compared with, `requests` of tools too."""
        await self._answerer.warm(requests)
        await self._talk.warm()

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        functions = [tool.get("function", tool) for tool in kwargs.get("tools", ())]
        offered = {function["name"]: function for function in functions if kwargs.get("tool_choice") != "none"}
        turn = kwargs.get("turn") or TurnInput.of(messages)
        outcome = await self._answerer.outcome(turn, offered)
        speaker, written = NAME, ""
        if isinstance(outcome, Call):
            written = json.dumps(outcome.arguments, ensure_ascii=False)
            yield call_chunk(outcome.tool, written)
        elif outcome == REPLIES["small_talk"].text.en:
            async with aclosing(self._talk.reply(turn.question, turn.persona)) as sentences:
                async for sentence in sentences:
                    speaker, written = MODEL, written + sentence
                    yield ChatGenerationChunk(message=AIMessageChunk(content=sentence))
        if not isinstance(outcome, Call) and not written:
            written = outcome
            for piece in pieces(written):
                yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
                await asyncio.sleep(0)
        given, made = count_message_tokens(messages), count_tokens(written)
        yield last_chunk(speaker, given, made, called=isinstance(outcome, Call))


def extractive_chat(settings: Settings, embedder: Embedder) -> Chat:
    """Return the bundled model. Nothing is loaded yet."""
    talk = SmallTalk(settings.embedded_threads)
    model = ExtractiveChat(embedder, talk)
    return Chat(
        model=model, name=NAME, kind="extractive", context_tokens=CONTEXT_TOKENS, detail=DETAIL, warm=model.warm,
        max_output_tokens=settings.llm_max_output_tokens, aclose=talk.aclose, takes_turn=True,
    )  # fmt: skip
