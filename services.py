"""Opens the live parts of the process in order, and closes them in reverse."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from redis.asyncio import Redis

from agents.crew import Crew
from agents.registry import load_agents
from ingestion.page_views import PageViews
from ingestion.pictures import Pictures
from ingestion.pipeline import Ingestion
from models.chat.interface import Chat
from models.chat.registry import open_chat
from models.chat.summarizer import ChatSummarizer
from models.embeddings.interface import Embedder
from models.embeddings.registry import open_embedder
from models.ocr.pool import OcrPool, open_ocr
from models.rerank.interface import Reranker
from models.rerank.registry import open_reranker
from models.speech.interface import Listener, Speaker
from models.speech.registry import open_listener, open_speaker
from models.vision.registry import open_vision
from net.client import GuardedHttp
from readers.formats import MODULES
from readers.reader import Readers
from settings import Settings
from stores.conversations.conversations import Conversations
from stores.conversations.shares import Shares
from stores.feedback.changes import Changes
from stores.feedback.learning import Learner
from stores.feedback.votes import Votes
from stores.grants import Grants
from stores.library.documents import Documents
from stores.memories.memories import Memories
from stores.people.personas import Personas
from stores.people.profiles import Profiles
from stores.people.usage import UsageBook
from stores.people.users import Users
from stores.redis.attempts import Attempts
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
SEALING = ("cryptography.hazmat.primitives.ciphers.aead",)
"""What reading processes need besides for encrypted files."""
T = TypeVar("T")


@asynccontextmanager
async def open_services(settings: Settings, redis: Redis) -> AsyncIterator[Services]:
    """Open every service of a process.

    Models and the reading process load behind it, on first use or in the background. The services are published, so
    that a `Context` made without any (LangGraph Studio) gets them.
    """
    async with AsyncExitStack() as stack:
        services = await Opening(settings, redis, stack).services()
        publish_services(services)
        stack.callback(publish_services, None)
        yield services


@dataclass(frozen=True)
class _Models:
    ocr: OcrPool
    embedder: Embedder
    chat: Chat
    reranker: Reranker | None
    speaker: Speaker | None
    listener: Listener | None


@dataclass(frozen=True)
class _Stores:
    database: Database
    actions: ActionLog
    memories: Memories
    users: Users
    profiles: Profiles
    personas: Personas
    votes: Votes
    changes: Changes
    learner: Learner
    usage: UsageBook
    grants: Grants
    shares: Shares
    documents: Documents


@dataclass(frozen=True)
class _Tools:
    registry: ToolRegistry
    agents: Crew
    call_stores: CallStores
    sources: ToolSources


class Opening:
    """Opens the parts one after the other; what holds something open is closed with the stack, in reverse."""

    def __init__(self, settings: Settings, redis: Redis, stack: AsyncExitStack) -> None:
        self._settings, self._redis, self._stack = settings, redis, stack

    def hold(self, part: T) -> T:
        """Return `part`, which is closed with the stack if it has an `aclose`."""
        if (close := getattr(part, "aclose", None)) is not None:
            self._stack.push_async_callback(_close, type(part).__name__, close)
        return part

    async def services(self) -> Services:
        """Open all of them."""
        settings, redis, hold = self._settings, self._redis, self.hold
        sandbox = hold(Sandbox(settings, [*MODULES, *(SEALING if settings.keyring else ())]))
        await sandbox.open()
        models = await self._models(sandbox)
        stores = await self._stores(models)
        http = hold(GuardedHttp(settings))
        vision = hold(open_vision(settings, stores.usage.add_answer))
        pictures = Pictures(settings, sandbox, models.ocr, vision, stores.documents.cache)
        files = FileReader(settings, sandbox, models.ocr, pictures)
        tools = await self._tools(http, sandbox, files, models, stores)
        summarizer = ChatSummarizer(models.chat, stores.usage.add_answer)
        ingestion = hold(
            Ingestion(
                settings,
                readers=Readers(settings, sandbox),
                listener=models.listener,
                sandbox=sandbox,
                ocr=models.ocr,
                pictures=pictures,
                attachments=stores.documents.attachments,
                documents=stores.documents,
                embedder=models.embedder,
                summarizer=summarizer,
            )
        )
        await ingestion.start()
        attempts = hold(Attempts(redis, settings))
        await attempts.start()
        background = hold(Background())
        if models.chat.warm is not None:
            examples = [example for spec in tools.registry.specs() for example in spec.examples]
            background.spawn("warm the chat model", models.chat.warm(examples))
        return Services(
            settings=settings,
            chat=models.chat,
            summarizer=summarizer,
            embedder=models.embedder,
            reranker=models.reranker,
            database=stores.database,
            actions=stores.actions,
            vision=vision,
            ocr=models.ocr,
            speaker=models.speaker,
            listener=models.listener,
            attachments=stores.documents.attachments,
            documents=stores.documents,
            ingestion=ingestion,
            page_views=PageViews(settings, sandbox, stores.documents),
            memories=stores.memories,
            users=stores.users,
            usage=stores.usage,
            profiles=stores.profiles,
            personas=stores.personas,
            votes=stores.votes,
            changes=stores.changes,
            learner=stores.learner,
            summaries=Summaries(redis, settings),
            conversations=Conversations(stores.database, OldTranscripts(redis)),
            shares=stores.shares,
            personal_data=(
                stores.grants,
                stores.memories,
                stores.profiles,
                stores.personas,
                stores.usage,
                stores.votes,
                stores.changes,
                stores.shares,
            ),
            tools=tools.registry,
            agents=tools.agents,
            call_stores=tools.call_stores,
            tool_sources=tools.sources,
            permissions=Permissions(settings, stores.grants, tools.sources.rules),
            http=http,
            background=background,
            attempts=attempts,
        )

    async def _models(self, sandbox: Sandbox) -> _Models:
        settings, hold = self._settings, self.hold
        ocr = hold(open_ocr(settings, sandbox.zygote))
        embedder = hold(await asyncio.to_thread(open_embedder, settings))
        return _Models(
            ocr=ocr,
            embedder=embedder,
            chat=hold(await asyncio.to_thread(open_chat, settings, embedder)),
            reranker=hold(open_reranker(settings)),
            speaker=hold(open_speaker(settings)),
            listener=hold(open_listener(settings, sandbox)),
        )

    async def _stores(self, models: _Models) -> _Stores:
        settings, hold = self._settings, self.hold
        database = hold(await Database.open(settings))
        users = Users(database)
        changes = Changes(database, learning=settings.feedback_learning)
        documents = hold(
            await Documents.open(settings, database, models.embedder, models.reranker, lean_of=changes.lean)
        )
        return _Stores(
            database=database,
            actions=hold(await ActionLog.open(settings, database)),
            memories=hold(Memories(database, models.embedder)),
            users=users,
            profiles=Profiles(database),
            personas=Personas(database),
            votes=Votes(database),
            changes=changes,
            learner=Learner(database, changes, documents, reranked=models.reranker is not None),
            usage=hold(UsageBook(settings, database, users)),
            grants=Grants(database),
            shares=Shares(database),
            documents=documents,
        )

    async def _tools(
        self, http: GuardedHttp, sandbox: Sandbox, files: FileReader, models: _Models, stores: _Stores
    ) -> _Tools:
        settings, redis, hold = self._settings, self._redis, self.hold
        agents = Crew(await asyncio.to_thread(load_agents, settings.agents_file))
        specs = [*built_in(), delegate_spec(agents.descriptions)]
        index = ToolIndex(models.embedder, TextVectors(stores.database))
        registry = hold(ToolRegistry(settings, stores.documents, http, specs=specs, sandbox=sandbox, index=index))
        call_stores = CallStores(
            cache=ToolCache(redis, settings.memory_keyring),
            results=ToolResults(redis, settings),
            effects=EffectLedger(redis, settings.memory_keyring),
            actions=stores.actions,
        )
        registry.read_files_with(files)
        registry.keep_in(call_stores)
        registry.memories = stores.memories
        sources = hold(ToolSources(settings, ToolSourceStore(stores.database), redis, http, registry))
        await sources.start()
        return _Tools(registry, agents, call_stores, sources)


async def _close(name: str, close: Callable[[], Awaitable[None]]) -> None:
    """Close one part; its failure is logged and does not keep the others open."""
    try:
        await close()
    except Exception:
        logger.exception("closing %s failed", name)
