"""The bundled chat model: an extractive reader behind LangChain's chat model interface.

It cannot invent: it quotes sentences of what was retrieved, read or recognised, with their citation numbers, or says
that there is nothing. Small talk in English goes to SmolLM2-135M-Instruct, where its package is installed.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, cast

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import ConfigDict, PrivateAttr

from domain.tokens import count_message_tokens, count_tokens
from domain.words import Words
from models.chat.extractive.answers import Answerer, Talk
from models.chat.extractive.calls import Call, Tools
from models.chat.extractive.summary import summarize_conversation, summarize_document
from models.chat.extractive.talk import SMALL_MODEL, talk
from models.chat.extractive.turn import Turn, plain_turn, turn_of
from models.chat.interface import Chat
from models.chat.llama import LlamaEngine, smollm2_path
from models.chat.streaming_chat import StreamingChat
from models.embeddings.interface import Embedder
from settings import Settings

NAME = "bundled-reader"
SMALL_MODEL_CONTEXT = 2048
CONTEXT_TOKENS = 32_000

_PIECES = re.compile(r"\S+\s*|\s+")
_ZH_PIECES = re.compile(r"[^，。！？；、\n]*[，。！？；、\n]+|[^，。！？；、\n]+")


class ExtractiveReader(StreamingChat):
    """Answers by quotation. Streams, calls tools and reports usage like a hosted model."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    model_name: str = NAME
    _answerer: Answerer = PrivateAttr()
    _engine: LlamaEngine | None = PrivateAttr()

    def __init__(self, embedder: Embedder, engine: LlamaEngine | None) -> None:
        super().__init__()
        self._answerer = Answerer(embedder)
        self._engine = engine

    @property
    def _llm_type(self) -> str:
        return "extractive-reader"

    async def warm(self) -> None:
        """Load the small model and embed what routing needs, so that the first turn does not wait for it.

        Raises:
            Unavailable: A model cannot be loaded.
        """
        await self._answerer.router.warm()
        if self._engine is not None:
            await self._engine.warm()

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Offer tools; `tool_choice="none"` takes them back."""
        offered = [] if tool_choice == "none" else [convert_to_openai_tool(tool) for tool in tools]
        return cast("Runnable[LanguageModelInput, AIMessage]", self.bind(tools=offered, **kwargs))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        turn = turn_of(kwargs.get("turn") or plain_turn(messages))
        outcome = await self._outcome(turn, _parameters(kwargs.get("tools", ())))
        name, written = NAME, ""
        if isinstance(outcome, Call):
            yield _call_chunk(outcome)
            written = f"{outcome.tool}{outcome.arguments}"
        elif isinstance(outcome, Talk):
            async with aclosing(self._talk(turn, outcome.fallback)) as spoken:
                async for piece, speaker in spoken:
                    name = speaker
                    written += piece
                    yield _text_chunk(piece)
        else:
            for piece in pieces(outcome):
                written += piece
                yield _text_chunk(piece)
                await asyncio.sleep(0)
        yield _last_chunk(name, count_message_tokens(messages), count_tokens(written), isinstance(outcome, Call))

    async def _outcome(self, turn: Turn, tools: Tools) -> str | Call | Talk:
        if turn.task == "summarize_document":
            return await asyncio.to_thread(summarize_document, turn.text, turn.max_tokens)
        if turn.task == "summarize_conversation":
            return await asyncio.to_thread(summarize_conversation, turn.text, turn.max_tokens)
        return await self._answerer.outcome(turn, tools)

    async def _talk(self, turn: Turn, fallback: str) -> AsyncGenerator[tuple[str, str], None]:
        """Yield pieces of small talk, each with the name of who says it."""
        if self._engine is not None:
            spoken = False
            async with aclosing(talk(self._engine, turn)) as sentences:
                async for sentence in sentences:
                    spoken = True
                    yield sentence, SMALL_MODEL
            if spoken:
                return
        for piece in pieces(fallback):
            yield piece, NAME


def pieces(text: str) -> list[str]:
    """Cut an answer into what is streamed at a time: words, or clauses of Chinese."""
    return [
        piece
        for word in _PIECES.findall(text)
        for piece in (_ZH_PIECES.findall(word) if not word.isascii() else [word])
    ]


def reader_chat(settings: Settings, embedder: Embedder) -> Chat:
    """Return the bundled reader. Nothing is loaded yet."""
    path = smollm2_path()
    engine = LlamaEngine(path, threads=settings.embedded_threads, context_tokens=SMALL_MODEL_CONTEXT) if path else None
    model = ExtractiveReader(embedder, engine)
    return Chat(
        model=model,
        name=NAME,
        kind="reader",
        context_tokens=CONTEXT_TOKENS,
        max_output_tokens=settings.llm_max_output_tokens,
        detail=Words(
            "Extractive reader, bundled, because no language model is configured: it quotes documents and tool results"
            + (f", with {SMALL_MODEL} for English small talk" if engine else "")
            + "; change it with LLM_BASE_URL, LLM_API_KEY and LLM_MODEL, or EMBEDDED_GGUF.",
            "内置的摘录式阅读器，因为未配置语言模型：它引用文档和工具结果的原文"
            + (f"，英文闲聊由 {SMALL_MODEL} 回答" if engine else "")
            + "；可通过 LLM_BASE_URL、LLM_API_KEY 和 LLM_MODEL，或 EMBEDDED_GGUF 更改。",
        ),
        warm=model.warm,
        takes_turn=True,
    )


def _parameters(tools: Sequence[dict[str, Any]]) -> Tools:
    """Return the parameter names of each offered tool."""
    functions = [tool.get("function", tool) for tool in tools]
    return {f["name"]: list(f.get("parameters", {}).get("properties", {})) for f in functions}


def _text_chunk(text: str) -> ChatGenerationChunk:
    return ChatGenerationChunk(message=AIMessageChunk(content=text))


def _call_chunk(call: Call) -> ChatGenerationChunk:
    arguments = json.dumps(call.arguments, ensure_ascii=False)
    chunk = tool_call_chunk(name=call.tool, args=arguments, id=f"call_{uuid.uuid4().hex[:24]}", index=0)
    return ChatGenerationChunk(message=AIMessageChunk(content="", tool_call_chunks=[chunk]))


def _last_chunk(name: str, input_tokens: int, output_tokens: int, called: bool) -> ChatGenerationChunk:
    usage = UsageMetadata(
        input_tokens=input_tokens, output_tokens=output_tokens, total_tokens=input_tokens + output_tokens
    )
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            usage_metadata=usage,
            response_metadata={"model_name": name, "finish_reason": "tool_calls" if called else "stop"},
            chunk_position="last",
        )
    )
