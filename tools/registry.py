"""The tools of the process: who may call what, how long, how often, and what came of it."""

from __future__ import annotations

import asyncio
import inspect
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, ValidationError

from domain.errors import AppError, ToolFailure
from domain.types import ToolRun
from domain.words import Language
from net.client import GuardedHttp
from settings import Settings
from tools.calculate import Calculate, calculate
from tools.current_time import CurrentTime, current_time
from tools.fetch_url import FetchUrl, fetch_url
from tools.interface import SearchProvider, ToolContext, ToolOutcome, ToolResources, ToolResult
from tools.list_documents import ListDocuments, list_documents
from tools.page_text import PageReader
from tools.search_documents import SearchDocuments, search_documents
from tools.search_providers import open_search
from tools.web_search import WebSearch, web_search

if TYPE_CHECKING:
    from stores.library.documents import Documents

logger = logging.getLogger(__name__)
Arguments = TypeVar("Arguments", bound=BaseModel)
Permission = Literal["nothing", "own documents", "public web"]
CACHE_ENTRIES = 256
_TEXTS: dict[Language, dict[str, str]] = {
    "en": {
        "unknown": "There is no tool {name!r} here.",
        "refused": "The tool {name!r} may not be used in this turn.",
        "arguments": "The arguments of {name!r} do not fit: {problems}. Correct them and call it again.",
        "timeout": "The tool {name!r} took longer than {seconds:g} seconds and was stopped.",
        "crashed": "The tool {name!r} failed. Answer without it and say so.",
    },
    "zh": {
        "unknown": "这里没有工具 {name!r}。",
        "refused": "本轮对话不允许使用工具 {name!r}。",
        "arguments": "工具 {name!r} 的参数有误：{problems}。请改正后重新调用。",
        "timeout": "工具 {name!r} 超过 {seconds:g} 秒，已停止。",
        "crashed": "工具 {name!r} 执行失败。请不使用它作答，并如实说明。",
    },
}


@dataclass(slots=True)
class Counters:
    """What happened to one tool since the process started; `seconds` is the sum over calls that were not cached."""

    calls: int = 0
    errors: int = 0
    refused: int = 0
    cached: int = 0
    seconds: float = 0.0


@dataclass(frozen=True)
class Tool:
    """One registered tool: the docstring of `run` is what the model reads."""

    run: Callable[[Any, ToolContext, ToolResources], Awaitable[ToolResult]]
    arguments: type[BaseModel]
    permission: Permission
    cache_seconds: float = 0
    counters: Counters = field(default_factory=Counters)

    @property
    def name(self) -> str:
        """Name of the function."""
        return self.run.__name__

    @property
    def description(self) -> str:
        """What the model reads."""
        return " ".join((inspect.getdoc(self.run) or "").split())

    @cached_property
    def schema(self) -> dict[str, Any]:
        """JSON schema in OpenAI's form, for `bind_tools`."""
        tool = convert_to_openai_tool(self.arguments)
        tool["function"] |= {"name": self.name, "description": self.description}
        return tool


class ToolRegistry:
    """Offers, checks, runs, caches and counts calls. A failing tool never raises: its outcome says what failed."""

    def __init__(self, settings: Settings, documents: Documents, http: GuardedHttp | None = None) -> None:
        """Register the tools; nothing is opened before the first call.

        Args:
            settings: Time limit, search service, sizes.
            documents: What `search_documents` and `list_documents` read.
            http: The guarded client to share; without one the registry makes and closes its own.
        """
        self._settings = settings
        self._owns_http = http is None
        self._resources = ToolResources(
            settings=settings,
            documents=documents,
            http=http or GuardedHttp(settings),
            pages=PageReader(),
            search=open_search(settings),
        )
        tools = (
            Tool(search_documents, SearchDocuments, "own documents"),
            Tool(list_documents, ListDocuments, "own documents"),
            Tool(current_time, CurrentTime, "nothing"),
            Tool(calculate, Calculate, "nothing", cache_seconds=3600),
            Tool(fetch_url, FetchUrl, "public web", cache_seconds=300),
            Tool(web_search, WebSearch, "public web", cache_seconds=300),
        )
        self._tools = {tool.name: tool for tool in tools}
        self._cache: OrderedDict[tuple[str, ...], tuple[float, ToolResult]] = OrderedDict()

    def allowed(self, names: Collection[str] | None = None) -> list[str]:
        """Return the tools that can be used here, only those in `names` when given."""
        return [name for name in self._tools if self._available(name) and (names is None or name in names)]

    def schemas(self, names: Collection[str] | None = None) -> list[dict[str, Any]]:
        """Return the schemas of the tools in `names` (default: all that can be used here), in a stable order."""
        return [self._tools[name].schema for name in self.allowed(names)]

    def describe(self, language: Language = "en") -> list[dict[str, Any]]:
        """Return, for each tool: name, description, permission, policy, arguments, limits and counters.

        `detail` is for people and in `language`; `description` is what the model reads.
        """
        return [self._description(tool, language) for tool in self._tools.values()]

    @property
    def search(self) -> SearchProvider | None:
        """Who searches the web, if anyone."""
        return self._resources.search

    def counters(self) -> Mapping[str, Counters]:
        """Return the counters by tool name."""
        return {name: tool.counters for name, tool in self._tools.items()}

    async def call(
        self, name: str, arguments: Mapping[str, object], context: ToolContext, *, refused: bool = False
    ) -> ToolOutcome:
        """Run one tool.

        Args:
            name: Tool name, as the model wrote it.
            arguments: Arguments, as the model wrote them.
            context: Who asks, and in which language.
            refused: The turn does not offer this tool: the model is told so, nothing is run.

        Returns:
            The result, or a message about the failure with `run["status"]` `error` or `refused`.
        """
        texts, tool = _TEXTS[context.language], self._tools.get(name)
        if tool is None or refused or not self._available(name):
            if tool is not None:
                tool.counters.refused += 1
            text = texts["unknown" if tool is None else "refused"].format(name=name)
            return _outcome(ToolResult(text), name, arguments, "refused")
        try:
            checked = tool.arguments.model_validate(_without_nulls(arguments))
        except ValidationError as exc:
            tool.counters.calls += 1
            tool.counters.errors += 1
            text = texts["arguments"].format(name=name, problems=_problems(exc))
            return _outcome(ToolResult(text), name, arguments, "error")
        return await self._run_cached(tool, checked, context)

    async def aclose(self) -> None:
        """Close what the tools opened."""
        await self._resources.pages.aclose()
        if self._resources.search is not None:
            await self._resources.search.aclose()
        if self._owns_http:
            await self._resources.http.aclose()

    def _available(self, name: str) -> bool:
        return name in self._tools and (name != web_search.__name__ or self._resources.search is not None)

    async def _run_cached(self, tool: Tool, arguments: BaseModel, context: ToolContext) -> ToolOutcome:
        given = arguments.model_dump(exclude_unset=True)
        key = (tool.name, arguments.model_dump_json(), context.owner.user_id, context.language)
        tool.counters.calls += 1
        if (result := self._cached(key)) is not None:
            tool.counters.cached += 1
            return _outcome(result, tool.name, given, "ok", cached=True)
        started = time.perf_counter()
        try:
            result, ok = await self._guarded(tool, arguments, context)
        finally:
            seconds = time.perf_counter() - started
            tool.counters.seconds += seconds
        tool.counters.errors += not ok
        if ok and tool.cache_seconds:
            self._keep(key, result, tool.cache_seconds)
        return _outcome(result, tool.name, given, "ok" if ok else "error", seconds=seconds)

    async def _guarded(self, tool: Tool, arguments: BaseModel, context: ToolContext) -> tuple[ToolResult, bool]:
        """Run within the time limit; a failure becomes its message for the model."""
        texts, limit = _TEXTS[context.language], self._settings.tool_timeout
        try:
            async with asyncio.timeout(limit):
                return await tool.run(arguments, context, self._resources), True
        except ToolFailure as exc:
            return ToolResult(exc.message(context.language)), False
        except AppError as exc:
            body = exc.body(context.language)
            return ToolResult(f"{body['message']} {body['remedy']}"), False
        except TimeoutError:
            return ToolResult(texts["timeout"].format(name=tool.name, seconds=limit)), False
        except Exception:
            logger.exception("tool %s failed", tool.name)
            return ToolResult(texts["crashed"].format(name=tool.name)), False

    def _cached(self, key: tuple[str, ...]) -> ToolResult | None:
        entry = self._cache.get(key)
        if entry is None or entry[0] < time.monotonic():
            self._cache.pop(key, None)
            return None
        self._cache.move_to_end(key)
        return entry[1]

    def _keep(self, key: tuple[str, ...], result: ToolResult, seconds: float) -> None:
        self._cache[key] = (time.monotonic() + seconds, result)
        while len(self._cache) > CACHE_ENTRIES:
            self._cache.popitem(last=False)

    def _description(self, tool: Tool, language: Language) -> dict[str, Any]:
        function = tool.schema["function"]
        search = self._resources.search if tool.name == web_search.__name__ else None
        return {
            "name": tool.name,
            "description": tool.description,
            "arguments": function["parameters"],
            "permission": tool.permission,
            "policy": "allowed" if self._available(tool.name) else "off",
            "detail": search.detail.text(language) if search else "",
            "timeout": self._settings.tool_timeout,
            "cache_seconds": tool.cache_seconds,
            "calls": tool.counters.calls,
            "errors": tool.counters.errors,
            "refused": tool.counters.refused,
            "cached": tool.counters.cached,
            "seconds": round(tool.counters.seconds, 3),
        }


def _outcome(
    result: ToolResult,
    name: str,
    arguments: Mapping[str, object],
    status: Literal["ok", "error", "refused"],
    *,
    seconds: float = 0.0,
    cached: bool = False,
) -> ToolOutcome:
    run = ToolRun(name=name, arguments=dict(arguments), status=status, seconds=round(seconds, 3), cached=cached)
    return ToolOutcome(result.text, list(result.sources), run)


def _without_nulls(arguments: Mapping[str, object]) -> dict[str, object]:
    """Drop nulls: models send them for arguments that they leave out."""
    return {name: value for name, value in arguments.items() if value is not None}


def _problems(error: ValidationError) -> str:
    rows = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(str(part) for part in row['loc']) or '-'}: {row['msg']}" for row in rows[:5])
