"""The interface of tools: what a tool declares, what a call receives, and what it returns.

A tool is a LangChain tool and a `ToolSpec` around it, in one file. A tool of ours takes its arguments, typed and
limited by its signature, and `runtime: ToolRuntime[ToolContext]`, which LangChain agents inject too: what
`ToolRegistry.context` returns is the context of such an agent.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal, Protocol

from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import InstanceOf

from domain.approvals import Permission as Permission
from domain.errors import Unavailable
from domain.labels import OF_DOCUMENT, OF_WEB, Label
from domain.owner import Owner
from domain.tokens import count_tokens
from domain.types import Source, ToolRun
from domain.words import Language, Words
from stores.memories.items import GENERAL, MemoryScope
from stores.memories.memories import Memories

if TYPE_CHECKING:
    from net.client import GuardedHttp
    from settings import Settings
    from stores.library.documents import Documents
    from stores.redis.tool_results import ToolResults
    from tools.argument_check import ArgumentCheck
    from tools.file_pages import FileReader
    from tools.page_text import PageReader
    from tools.search_providers import SearchProvider
    from workers.sandbox import Sandbox


class ToolFinder(Protocol):
    """Finds tools by what has to be done."""

    async def __call__(self, request: str, *, documents: bool, names: Collection[str] | None) -> list[ToolSpec]:
        """Return the tools that fit a turn, nearest to `request` first.

        Args:
            request: What has to be done.
            documents: The turn can search documents.
            names: Tools that the request allows; None: all.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolResources:
    """The live parts that all calls share."""

    settings: Settings
    documents: Documents
    http: GuardedHttp
    pages: PageReader
    files: FileReader
    sandbox: Sandbox
    search: SearchProvider | None
    find_tools: ToolFinder
    results: ToolResults | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The user for whom a call is made.

    Attributes:
        owner: The user and the thread.
        language: Language of messages.
        time_zone: IANA name of the user's own time zone; empty: that of the server.
        run_id: The run, which stays the same when it is paused and goes on.
        call_id: Id of the call in the model's message; empty: the call has none, and is never the same as another.
        seconds: How long the request lets a call take.
        tools: Names of the tools that the request allows; None: all.
        memory_scope: Which memories of the user it sees.
        said_before: Whether the message that the call serves was said before.
    """

    owner: Owner
    language: Language
    time_zone: str = ""
    run_id: str = ""
    call_id: str = ""
    seconds: float = float("inf")
    tools: Collection[str] | None = None
    memory_scope: MemoryScope = GENERAL
    said_before: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolContext(Caller):
    """What the `runtime.context` of a tool holds.

    Attributes:
        idempotency_key: Names the effect of a tool that takes it: the same whenever the same call is made again.
    """

    idempotency_key: str = ""
    resources: InstanceOf[ToolResources]
    memories: InstanceOf[Memories] | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TurnFacts:
    """Facts of a turn; a tool's `fits` depends on nothing else.

    Attributes:
        documents: There are documents that the turn can search.
        many_tools: There are more tools than a turn is offered.
        long_results: Results are kept that are read page by page.
        memories: Things are remembered of users.
        resources: The live parts, and the settings.
    """

    documents: bool
    many_tools: bool = False
    long_results: bool = False
    memories: bool = False
    resources: ToolResources


@dataclass(frozen=True, kw_only=True)
class ToolSpec:
    """A LangChain tool and its declaration.

    Attributes:
        tool: Its name, description and arguments are what the model reads.
        title: Its name for people.
        permission: What a call may do.
        examples: Requests that it serves, in both languages.
        fits: Whether a turn is offered the tool.
        needs: What has to be there for `fits`, for people.
        timeout: Longest time of a call in seconds, where TOOL_TIMEOUT is longer.
        cache_seconds: How long an equal call of the same user may be answered by the same result; 0: never.
        cache_scope: Whose equal calls those are: `user`, or `shared` by all where a result is the same for everybody.
        reads_documents: A result holds only while the user's documents stay what they are.
        repeatable: A second equal call does no harm: it is retried when the other side was away, and not kept in the
            effect ledger. None: as `permission` is `read`. Fetching and searching send something out, but change
            nothing there.
        takes_idempotency_key: It hands `ToolContext.idempotency_key` on, by which the other side knows a repetition:
            a call whose end is not known is then made again.
        target: Whom a call depends on, by its arguments: one that does not answer is left alone, and no other.
        preview: Says in words what a call would do, for the person who is asked, where its arguments are ids.
        of_user: What it changes is kept of the user here, for the user to see and to take back.
        source: Where it comes from: `builtin`, `mcp:github`, `openapi:shop`, `plugin:weather`.
        own_name: Its name there, when models know it by another.
        definition: What its source says of it, every byte that an approval covers; None: its schema.
    """

    tool: BaseTool
    title: Words
    permission: Permission
    examples: Sequence[str] = ()
    fits: Callable[[TurnFacts], bool] = lambda _: True
    needs: Words = Words("", "")
    timeout: float = float("inf")
    cache_seconds: float = 0
    cache_scope: Literal["user", "shared"] = "user"
    reads_documents: bool = False
    repeatable: bool | None = None
    takes_idempotency_key: bool = False
    target: Callable[[Mapping[str, Any]], str] = lambda _: ""
    preview: Callable[[ToolContext, Mapping[str, Any]], Awaitable[str]] | None = None
    of_user: bool = False
    source: str = "builtin"
    own_name: str = ""
    definition: Mapping[str, Any] | None = None

    @property
    def name(self) -> str:
        """What the model calls it."""
        return self.tool.name

    @property
    def has_effect(self) -> bool:
        """Whether a call changes something, so that it must not be made twice."""
        return not (self.permission == "read" if self.repeatable is None else self.repeatable)

    @property
    def address(self) -> str:
        """Source and own name, for patterns in rules: `mcp:github:create_issue`, `builtin:calculate`."""
        return f"{self.source}:{self.own_name or self.name}"

    @property
    def fetches(self) -> bool:
        """Whether a call brings something from outside and changes nothing there."""
        return self.permission == "egress" and not self.has_effect

    @property
    def label(self) -> Label:
        """That of its results: what was fetched from outside is public, all else the user's own."""
        return OF_WEB if self.fetches else OF_DOCUMENT

    @property
    def about(self) -> str:
        """Its names, description and example requests: what requests for it may say."""
        return "\n".join([self.name.replace("_", " "), *self.title, self.tool.description, *self.examples])

    @cached_property
    def version(self) -> str:
        """Hash of the definition: of name, description and arguments at least."""
        return digest(self.definition if self.definition is not None else self.schema["function"])

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema in OpenAI's form, for `bind_tools`."""
        return convert_to_openai_tool(self.tool)

    @cached_property
    def argument_check(self) -> ArgumentCheck:
        """The JSON schema of its arguments, compiled; for tools that have no pydantic model of them."""
        from tools.argument_check import ArgumentCheck

        schema = self.tool.tool_call_schema
        return ArgumentCheck(schema if isinstance(schema, dict) else self.schema["function"]["parameters"])

    @cached_property
    def tokens(self) -> int:
        """How many tokens of a prompt the schema takes."""
        return count_tokens(json.dumps(self.schema, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Found:
    """What a tool found.

    Attributes:
        text: For the model; does not repeat the text of the sources.
        sources: Passages that the answer may cite. `number` is 0: `gather_results` numbers, fences and shows them.
        data: The same as values, for code.
        label: That of the tool when it found this; an earlier result keeps it. None: the tool has not run.
    """

    text: str
    sources: list[Source] = field(default_factory=list)
    data: Mapping[str, Any] = field(default_factory=dict)
    label: Label | None = None

    def answer(self) -> tuple[str, Found]:
        """Return content and artifact, as LangChain's `content_and_artifact` wants them."""
        passages = (f"{source['name']}\n{source['text']}" for source in self.sources)
        return "\n\n".join([self.text, *passages]), self


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """What a tool found, or the message about a failure, and the record of the call."""

    text: str
    sources: list[Source]
    run: ToolRun
    data: Mapping[str, Any] = field(default_factory=dict)
    code: str = ""
    """Why the call failed or was refused."""
    label: Label | None = None
    """That of what was found."""


def digest(definition: Mapping[str, Any]) -> str:
    """Return a hash of a definition that any changed byte changes; the order of keys is none."""
    text = json.dumps(definition, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def plain_line(text: str, most: int = 200) -> str:
    """Return a name or summary from elsewhere as one short line that cannot be taken for markup around it."""
    return " ".join(text.split()).replace("<", "‹").replace(">", "›")[:most]


def memories_of(context: ToolContext) -> Memories:
    """Return what is remembered of users, for a tool that is offered only where there is such a thing.

    Raises:
        Unavailable: There is not.
    """
    if context.memories is None:
        raise Unavailable(reason=Words("nothing is remembered here", "此处不保存记忆"))
    return context.memories
