"""Opens the live parts of the process in order, and closes them in reverse."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis

from ingestion.pictures import Pictures
from ingestion.pipeline import Ingestion
from models.chat.registry import open_chat
from models.chat.summarizer import ChatSummarizer
from models.embeddings.registry import open_embedder
from models.ocr.pool import open_ocr
from models.speech.registry import open_listener, open_speaker
from models.vision.registry import open_vision
from net.client import GuardedHttp
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from stores.library.documents import Documents
from stores.redis.summaries import Summaries
from stores.redis.transcripts import Transcripts
from tools.registry import ToolRegistry
from turn.background import Background
from turn.context import Services, publish_services
from workers.sandbox import Sandbox


@asynccontextmanager
async def open_services(settings: Settings, redis: Redis) -> AsyncIterator[Services]:
    """Open every service of a process.

    Models and the reading process load behind it, on first use or in the background. The services are published, so
    that a `Context` made without any (LangGraph Studio) gets them.
    """
    async with AsyncExitStack() as stack:
        services = await _open(settings, redis, stack)
        publish_services(services)
        stack.callback(publish_services, None)
        yield services


async def _open(settings: Settings, redis: Redis, stack: AsyncExitStack) -> Services:
    sandbox = Sandbox(settings, MODULES)
    stack.push_async_callback(sandbox.aclose)
    await sandbox.open()
    ocr = open_ocr(settings, sandbox.zygote)
    stack.push_async_callback(ocr.aclose)
    embedder = await asyncio.to_thread(open_embedder, settings)
    chat = await asyncio.to_thread(open_chat, settings, embedder)
    summarizer = ChatSummarizer(chat)
    vision = open_vision(settings)
    documents = await Documents.open(settings, embedder)
    stack.push_async_callback(documents.aclose)
    http = GuardedHttp(settings)
    stack.push_async_callback(http.aclose)
    tools = ToolRegistry(settings, documents, http, sandbox=sandbox)
    stack.push_async_callback(tools.aclose)
    listener = open_listener(settings)
    pictures = Pictures(settings, sandbox, ocr, vision, documents.cache)
    ingestion = Ingestion(
        settings,
        readers=Readers(settings, sandbox),
        listener=listener,
        sandbox=sandbox,
        ocr=ocr,
        pictures=pictures,
        attachments=documents.attachments,
        documents=documents,
        embedder=embedder,
        summarizer=summarizer,
    )
    stack.push_async_callback(ingestion.aclose)
    await ingestion.start()
    background = Background()
    stack.push_async_callback(background.aclose)
    if chat.warm is not None:
        background.spawn("warm the chat model", chat.warm())
    return Services(
        settings=settings,
        chat=chat,
        summarizer=summarizer,
        embedder=embedder,
        vision=vision,
        ocr=ocr,
        speaker=open_speaker(settings),
        listener=listener,
        attachments=documents.attachments,
        documents=documents,
        ingestion=ingestion,
        summaries=Summaries(redis, settings),
        transcripts=Transcripts(redis, settings),
        tools=tools,
        http=http,
        background=background,
    )
