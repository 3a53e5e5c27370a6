"""What every node receives: the options of the call, and the live services of the process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pydantic import InstanceOf
from pydantic.json_schema import SkipJsonSchema

from domain.limits import Spent
from domain.owner import LOCAL_USER
from domain.types import Attachment
from stores.memories.items import GENERAL, MemoryScope
from tools.interface import ToolSpec
from turn.budget import Meter, limits_of
from turn.durability import Durability
from turn.model_options import ModelOptions
from turn.options import TurnOptions

if TYPE_CHECKING:
    from agents.crew import Crew
    from domain.personal_data import PersonalData
    from ingestion.page_views import PageViews
    from ingestion.pipeline import Ingestion
    from models.chat.interface import Chat
    from models.chat.summarizer import ChatSummarizer
    from models.embeddings.interface import Embedder
    from models.ocr.pool import OcrPool
    from models.rerank.interface import Reranker
    from models.speech.interface import Listener, Speaker
    from models.vision.interface import VisionModel
    from net.client import GuardedHttp
    from settings import Settings
    from stores.conversations.conversations import Conversations
    from stores.conversations.shares import Shares
    from stores.feedback.changes import Changes
    from stores.feedback.learning import Learner
    from stores.feedback.votes import Votes
    from stores.library.attachments import Attachments
    from stores.library.documents import Documents
    from stores.memories.memories import Memories
    from stores.people.personas import Personas
    from stores.people.profiles import Profiles
    from stores.people.usage import UsageBook
    from stores.people.users import Users
    from stores.redis.attempts import Attempts
    from stores.redis.summaries import Summaries
    from stores.sql.actions import ActionLog
    from stores.sql.database import Database
    from tools.permissions import Permissions
    from tools.registry import ToolRegistry
    from tools.runner import CallStores
    from tools.sources.sources import ToolSources
    from turn.background import Background


@dataclass(frozen=True, kw_only=True)
class Services:
    """The live parts of one process, opened once and shared by all turns."""

    settings: Settings
    chat: Chat
    summarizer: ChatSummarizer
    embedder: Embedder
    reranker: Reranker | None
    database: Database
    actions: ActionLog
    vision: VisionModel | None
    ocr: OcrPool
    speaker: Speaker | None
    listener: Listener | None
    attachments: Attachments
    documents: Documents
    ingestion: Ingestion
    page_views: PageViews
    summaries: Summaries
    memories: Memories
    users: Users
    usage: UsageBook
    profiles: Profiles
    personas: Personas
    votes: Votes
    changes: Changes
    learner: Learner
    conversations: Conversations
    shares: Shares
    personal_data: Sequence[PersonalData]
    tools: ToolRegistry
    agents: Crew
    call_stores: CallStores
    tool_sources: ToolSources
    permissions: Permissions
    http: GuardedHttp
    background: Background
    attempts: Attempts


_opened: list[Services] = []


def publish_services(services: Services | None) -> None:
    """Set the default services of a `Context`; `None` when they are closed."""
    _opened.clear()
    if services is not None:
        _opened.append(services)


def services_are_open() -> bool:
    """Tell whether the services of this process are open."""
    return bool(_opened)


def default_services() -> Services:
    """Return the services of this process.

    Raises:
        RuntimeError: None are open: `services.open_services` has not run in this process.
    """
    if not _opened:
        raise RuntimeError("no services are open in this process: use services.open_services")
    return _opened[0]


@dataclass(frozen=True, kw_only=True)
class Context(TurnOptions):
    """What one call brings to every node: the caller's options, whose turn it is, and the live services."""

    user_id: str = field(default=LOCAL_USER, metadata={"description": "Whose turn this is."})
    thread_id: str | None = field(
        default=None, metadata={"description": "Conversation, as the client names it; empty: the checkpointer's id."}
    )
    run_id: str = field(default="", metadata={"description": "Id of the run, for logs and traces."})
    handled: SkipJsonSchema[tuple[Attachment, ...]] = ()
    """Files of this turn that were handled before it: refused uploads, documents that needed a password."""
    agent_run: SkipJsonSchema[str] = ""
    """Run of the specialist whose call this is; empty: the turn's own."""
    said: SkipJsonSchema[str] = ""
    """What the user said, for a specialist: its own messages are those of the model that asks it."""
    functions: SkipJsonSchema[InstanceOf[Sequence[ToolSpec]]] = ()
    """What a specialist's model may call beside tools: steps of the specialist's own graph."""
    before: SkipJsonSchema[Spent | None] = None
    """What the request had used before a pause."""
    share: SkipJsonSchema[InstanceOf[Meter] | None] = None
    """What an agent may use of the request's budget; None: all of it."""
    role: SkipJsonSchema[str] = "user"
    """Role of the user, for rules about tools."""
    memory_scope: SkipJsonSchema[InstanceOf[MemoryScope]] = GENERAL
    """Which memories of the user the turn sees, as its persona has it."""
    durability: SkipJsonSchema[InstanceOf[Durability] | None] = None
    """When the run is saved; None: it cannot go on in another process."""
    said_before: SkipJsonSchema[bool] = False
    """Whether the message is answered again, or another version of one: what the user had forgotten stays away."""
    can_ask: SkipJsonSchema[bool] = True
    """Whether the turn can wait for a person: only a thread that is remembered can."""
    model_options: SkipJsonSchema[InstanceOf[ModelOptions]] = field(default_factory=ModelOptions)
    services: SkipJsonSchema[InstanceOf[Services]] = field(default_factory=default_services, repr=False)

    def allows(self, tool: str) -> bool:
        """Tell whether the request allows a tool."""
        return self.tools is None or tool in self.tools

    @cached_property
    def meter(self) -> Meter:
        """What counts the use of this request and says what is left of its budget."""
        settings = self.services.settings
        if self.share is not None:
            return self.share
        meter = Meter(limits_of(self.budget, settings), settings.model_prices)
        if self.before is not None:
            meter.restore(self.before)
        return meter
