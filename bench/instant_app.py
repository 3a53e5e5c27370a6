"""Two servers around one graph and an instant model: ours, and a bare FastAPI route without memory.

python -m bench.instant_app served|bare      (PORT and DATA_DIR as for the server)
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult

from domain.words import Words
from graph.builder import build_graph
from models.chat.interface import Chat
from models.chat.registry import PROVIDERS
from server import create_app
from services import open_services
from settings import Settings
from stores.redis.server import open_redis
from turn.context import Context

TEXT = "This is the answer of a model that needs no time."


class InstantModel(BaseChatModel):
    """Says the same three pieces at once."""

    @property
    def _llm_type(self) -> str:
        return "instant"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        """Take tools and never call them."""
        return self

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=AIMessage(TEXT))])

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in (TEXT[:20], TEXT[20:35], TEXT[35:]):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=piece))
            if run_manager:
                await run_manager.on_llm_new_token(piece, chunk=chunk)
            yield chunk


def bare_app(settings: Settings) -> FastAPI:
    """Return the peer: the same graph, called from one route, without a checkpointer."""
    graph = build_graph()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with await open_redis(settings) as redis, open_services(settings, redis.client):
            yield

    app = FastAPI(lifespan=lifespan)

    @app.get("/api/v1/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/agent/invoke")
    async def invoke(body: dict[str, Any]) -> dict[str, Any]:
        output = await graph.ainvoke(body["input"], context=Context())
        return {"output": {**output, "messages": [message.model_dump() for message in output["messages"]]}}

    return app


def main() -> None:
    """Serve."""
    PROVIDERS.clear()
    PROVIDERS["instant"] = lambda *_: Chat(InstantModel(), "instant", "hosted", 32_000, 2048, Words("instant", "即时"))
    settings = Settings()
    app = create_app(settings) if sys.argv[1] == "served" else bare_app(settings)
    uvicorn.run(app, port=settings.port, loop="uvloop", log_config=None, access_log=False)


if __name__ == "__main__":
    main()
