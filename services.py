"""Opens the live parts of the process in order, and closes them in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from redis.asyncio import Redis

from agents.crew import Crew
from agents.registry import load_agents
from ingestion.page_views import PageViews
from ingestion.pictures import Pictures
from ingestion.pipeline import Ingestion
from models.chat.registry import open_chat
from models.chat.summarizer import ChatSummarizer
from models.embeddings.registry import open_embedder
from models.ocr.pool import open_ocr
from models.rerank.registry import open_reranker
from models.speech.registry import open_listener, open_speaker
from models.vision.registry import open_vision
from net.client import GuardedHttp
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from stores.conversations.conversations import Conversations
from stores.grants import Grants
from stores.library.documents import Documents
from stores.memories.memories import Memories
from stores.people.profiles import Profiles
from stores.people.usage import UsageBook
from stores.people.users import Users
from stores.redis.effects import EffectLedger
from stores.redis.old_transcripts import OldTranscripts
from stores.redis.summaries import Summaries
from stores.redis.tool_cache import ToolCache
from stores.redis.tool_results import ToolResults
from stores.sql.actions import ActionLog
from stores.sql.database import Database
from stores.sql.text_vectors import TextVectors
from stores.tool_sources import ToolSourceStore
from tools.delegate import delegate_spec
from tools.file_pages import FileReader
from tools.permissions import Permissions
from tools.registry import ToolRegistry, built_in
from tools.runner import CallStores
from tools.selection import ToolIndex
from tools.sources.sources import ToolSources
from turn.background import Background
from turn.context import Services, publish_services
from workers.sandbox import Sandbox

logger = logging.getLogger(__name__)


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
    closes(stack, sandbox)
    await sandbox.open()
    ocr = open_ocr(settings, sandbox.zygote)
    closes(stack, ocr)
    embedder = await asyncio.to_thread(open_embedder, settings)
    closes(stack, embedder)
    chat = await asyncio.to_thread(open_chat, settings, embedder)
    closes(stack, chat)
    summarizer = ChatSummarizer(chat)
    vision = open_vision(settings)
    closes(stack, vision)
    database = await Database.open(settings)
    closes(stack, database)
    actions = await ActionLog.open(settings, database)
    closes(stack, actions)
    reranker = open_reranker(settings)
    closes(stack, reranker)
    memories = Memories(database, embedder)
    closes(stack, memories)
    users, profiles = Users(database), Profiles(database)
    usage = UsageBook(settings, database, users)
    closes(stack, usage)
    documents = await Documents.open(settings, database, embedder, reranker)
    closes(stack, documents)
    http = GuardedHttp(settings)
    closes(stack, http)
    index = ToolIndex(embedder, TextVectors(database))
    agents = Crew(await asyncio.to_thread(load_agents, settings.agents_file))
    specs = [*built_in(), delegate_spec(agents.descriptions)]
    tools = ToolRegistry(settings, documents, http, specs=specs, sandbox=sandbox, index=index)
    pictures = Pictures(settings, sandbox, ocr, vision, documents.cache)
    tools.read_files_with(FileReader(settings, sandbox, ocr, pictures))
    closes(stack, tools)
    call_stores = CallStores(
        cache=ToolCache(redis), results=ToolResults(redis, settings), effects=EffectLedger(redis), actions=actions
    )
    tools.keep_in(call_stores)
    sources = ToolSources(settings, ToolSourceStore(database), redis, http, tools)
    closes(stack, sources)
    await sources.start()
    tools.memories = memories
    speaker, listener = open_speaker(settings), open_listener(settings, sandbox)
    closes(stack, speaker)
    closes(stack, listener)
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
    closes(stack, ingestion)
    await ingestion.start()
    page_views = PageViews(settings, sandbox, documents)
    background = Background()
    closes(stack, background)
    if chat.warm is not None:
        background.spawn(
            "warm the chat model", chat.warm([example for spec in tools.specs() for example in spec.examples])
        )
    grants = Grants(database)
    permissions = Permissions(settings, grants, sources.rules)
    return Services(
        settings=settings,
        chat=chat,
        summarizer=summarizer,
        embedder=embedder,
        reranker=reranker,
        database=database,
        actions=actions,
        vision=vision,
        ocr=ocr,
        speaker=speaker,
        listener=listener,
        attachments=documents.attachments,
        documents=documents,
        ingestion=ingestion,
        page_views=page_views,
        memories=memories,
        users=users,
        usage=usage,
        profiles=profiles,
        summaries=Summaries(redis, settings),
        conversations=Conversations(database, OldTranscripts(redis)),
        personal_data=(grants, memories, profiles, usage),
        tools=tools,
        agents=agents,
        call_stores=call_stores,
        tool_sources=sources,
        permissions=permissions,
        http=http,
        background=background,
    )


def closes(stack: AsyncExitStack, part: object) -> None:
    """Close `part` with the stack, if it has an `aclose`."""
    if (close := getattr(part, "aclose", None)) is not None:
        stack.push_async_callback(_close, type(part).__name__, close)


async def _close(name: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close one part; its failure is logged and does not keep the others open."""
    try:
        await close()
    except Exception:
        logger.exception("closing %s failed", name)
