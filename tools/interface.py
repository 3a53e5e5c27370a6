"""The door to tools: what one call gets, what it gives, and how it fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from domain.errors import ToolFailure
from domain.owner import Owner
from domain.types import Source, ToolRun
from domain.words import Language, Words

if TYPE_CHECKING:
    from net.client import GuardedHttp
    from settings import Settings
    from stores.library.documents import Documents
    from tools.page_text import PageReader

Recency = Literal["day", "week", "month", "year"]


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One result of a web search."""

    title: str
    url: str
    snippet: str


class SearchProvider(Protocol):
    """A web search service."""

    name: str
    detail: Words
    """One plain sentence: what it is and how to change it."""

    async def search(self, query: str, *, count: int, recency: Recency | None, language: Language) -> list[SearchHit]:
        """Return at most `count` results, best first.

        Raises:
            ToolFailure: The service refused, failed, or was too slow.
        """

    async def aclose(self) -> None:
        """Close the connections."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolContext:
    """On whose behalf one call is made, and in which language its messages are."""

    owner: Owner
    language: Language


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolResources:
    """The live parts that all calls share."""

    settings: Settings
    documents: Documents
    http: GuardedHttp
    pages: PageReader
    search: SearchProvider | None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a tool found.

    Attributes:
        text: For the model; does not repeat the text of the sources.
        sources: Passages that the answer may cite. `number` is 0: `run_tools` numbers, fences and shows them.
    """

    text: str
    sources: list[Source] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ToolOutcome:
    """A `ToolResult`, or the message about a failure, and the record of the call."""

    text: str
    sources: list[Source]
    run: ToolRun


def plain_line(text: str, most: int = 200) -> str:
    """Return a name or summary from elsewhere as one short line that cannot be taken for markup around it."""
    return " ".join(text.split()).replace("<", "‹").replace(">", "›")[:most]


class SearchFailed(ToolFailure):
    """The search service gave nothing usable. Details: `service`, `reason`."""

    code = "search_failed"
    en = "Web search through {service} failed: {reason}. Answer without it and say that the web could not be searched."
    zh = "通过 {service} 搜索网络失败：{reason}。请不依赖网络作答，并说明未能搜索网络。"
