"""The tools of the process: registered, offered to turns, run and counted."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, Literal

from domain.words import Language, Words
from net.client import GuardedHttp
from settings import Settings
from tools import texts
from tools.breaker import State
from tools.counters import Counters
from tools.file_pages import FileReader
from tools.interface import Caller, ToolContext, ToolOutcome, ToolResources, ToolSpec, TurnFacts
from tools.outcomes import not_done
from tools.page_text import PageReader
from tools.runner import CallStores, ToolRunner
from tools.search_providers import SearchProvider, open_search
from tools.selection import FIND_TOOLS, OFFERED_OF_MANY, OFFERED_WHOLE, SCHEMA_TOKENS, ToolIndex
from workers.sandbox import Sandbox

if TYPE_CHECKING:
    from stores.library.documents import Documents
    from stores.memories.memories import Memories

BUILT_IN = (
    "search_documents",
    "list_documents",
    "read_document",
    "query_table",
    "current_time",
    "calculate",
    "fetch_url",
    "web_search",
    "remember",
    "recall",
    "forget",
    "find_tools",
    "read_result",
)
"""Modules of this room that hold a tool in `SPEC`, in the order in which models see them."""
LISTED_SECONDS = 15.0
"""Longest time that turns which go on after a start wait for tools of others."""


def built_in() -> list[ToolSpec]:
    """Return the tools that come with the product."""
    return [importlib.import_module(f"tools.{name}").SPEC for name in BUILT_IN]


@dataclass(frozen=True, slots=True)
class Absent:
    """A tool that cannot be called now: its address, its name for people, and why."""

    address: str
    title: Words
    reason: Words


@dataclass(frozen=True, slots=True)
class Note:
    """A sentence about a source that is not whole, and the names of the tools that it lacks."""

    names: frozenset[str]
    text: Words


class ToolRegistry:
    """Offers, runs and describes tools. A failing tool never raises: its outcome says what failed."""

    def __init__(
        self,
        settings: Settings,
        documents: Documents,
        http: GuardedHttp | None = None,
        specs: Iterable[ToolSpec] | None = None,
        sandbox: Sandbox | None = None,
        index: ToolIndex | None = None,
    ) -> None:
        """Register the tools; nothing is opened before the first call.

        Args:
            settings: Time limit, search service, sizes.
            documents: What `search_documents` and `list_documents` read.
            http: The guarded client to share; without one the registry makes and closes its own.
            specs: The tools; default: those that come with the product.
            sandbox: Where web pages are parsed; as `http`.
            index: Finds tools where there are many; without one by keyword alone. The registry closes it.
        """
        self._owns_http = http is None
        self._owns_sandbox = sandbox is None
        self._sandbox = sandbox or Sandbox(settings)
        self._resources = ToolResources(
            settings=settings,
            documents=documents,
            http=http or GuardedHttp(settings),
            pages=PageReader(self._sandbox),
            files=FileReader(settings, self._sandbox),
            sandbox=self._sandbox,
            search=open_search(settings),
            find_tools=self.found,
        )
        self._index = index or ToolIndex()
        self._own = {spec.name: spec for spec in (built_in() if specs is None else specs)}
        self._foreign: Mapping[str, ToolSpec] = {}
        self._absent: Mapping[str, Absent] = {}
        self._notes: Sequence[Note] = ()
        self._listed = asyncio.Event()
        self._listed.set()
        self._runner = ToolRunner(settings)
        self.memories: Memories | None = None
        """What is remembered of users, for tools that keep or find it; set before the first call."""

    def read_files_with(self, files: FileReader) -> None:
        """Read files that are fetched by `files`; until then pictures and scans among them have no text."""
        self._resources = replace(self._resources, files=files)

    def set_foreign(
        self,
        specs: Iterable[ToolSpec],
        absent: Mapping[str, Absent] | None = None,
        notes: Sequence[Note] = (),
        *,
        opening: bool = False,
    ) -> None:
        """Replace all tools that do not come with the product; each call of this registry sees all of them or none.

        Args:
            specs: Those that can be called, in the order in which models see them.
            absent: Those that cannot be called now, by name.
            notes: What to tell the model and the user of sources that are not whole.
            opening: Some sources have not been heard of yet.
        """
        self._foreign, self._absent, self._notes = {spec.name: spec for spec in specs}, absent or {}, notes
        if not opening:
            self._listed.set()

    def expect_foreign(self) -> None:
        """Note that tools are to come: `foreign_listed` waits for them."""
        self._listed.clear()

    async def foreign_listed(self) -> None:
        """Wait until each source was heard of after the start: what goes on needs the tools it had.

        A source that hangs is waited for once, for `LISTED_SECONDS`, and not by each turn.
        """
        try:
            async with asyncio.timeout(LISTED_SECONDS):
                await self._listed.wait()
        except TimeoutError:
            self._listed.set()

    def missing(self, names: Collection[str] | None, language: Language) -> list[str]:
        """Return a sentence for each source that is not whole, if a turn may use what it lacks.

        Args:
            names: Tools that the request allows; None: all.
            language: Language of the sentences.
        """
        told = (note for note in self._notes if names is None or not note.names.isdisjoint(names))
        return [note.text.text(language) for note in told]

    def keep_in(self, stores: CallStores) -> None:
        """Keep what calls leave behind; without, nothing is cached, and a repeated call repeats its effect."""
        self._runner.stores = stores
        self._resources = replace(self._resources, results=stores.results)

    @property
    def _specs(self) -> dict[str, ToolSpec]:
        return self._own | {name: spec for name, spec in self._foreign.items() if name not in self._own}

    def offered(self, *, documents: bool, names: Collection[str] | None = None) -> list[str]:
        """Return the tools that fit a turn, in a stable order.

        Args:
            documents: The turn can search documents.
            names: Tools that the request allows; None: all.
        """
        facts = self._facts(documents)
        return [name for name, spec in self._specs.items() if (names is None or name in names) and spec.fits(facts)]

    async def found(self, request: str, *, documents: bool, names: Collection[str] | None) -> list[ToolSpec]:
        """Return the tools that fit a turn, as `offered`, but nearest to `request` first."""
        specs = self._specs
        fitting = self.offered(documents=documents, names=names)
        return [specs[name] for name in await self._index.ranked(request, list(specs.values()), fitting)]

    async def selected(
        self, request: str, *, documents: bool, names: Collection[str] | None = None, kept: Sequence[str] = ()
    ) -> list[str]:
        """Return the tools to offer for `request`, in a stable order: all of a few, of many the nearest.

        Args:
            request: What the turn is about.
            documents: The turn can search documents.
            names: Tools that the request allows; None: all.
            kept: Tools to offer before others, such as those that the conversation has used.
        """
        offered = self.offered(documents=documents, names=names)
        if len(offered) <= OFFERED_WHOLE:
            return offered
        found = [spec.name for spec in await self.found(request, documents=documents, names=names)]
        first = [name for name in (FIND_TOOLS, *kept) if name in found]
        return self.narrowed([*first, *found[:OFFERED_OF_MANY]])

    def narrowed(self, names: Sequence[str]) -> list[str]:
        """Return of tools, best first, those whose schemas fit into a prompt together, in a stable order."""
        specs, left, kept = self._specs, SCHEMA_TOKENS, set[str]()
        for name in dict.fromkeys(names):
            if name in specs and specs[name].tokens <= left:
                kept.add(name)
                left -= specs[name].tokens
        return [name for name in specs if name in kept]

    def unknown(self, names: Collection[str]) -> list[str]:
        """Return those of the names that no tool has."""
        specs = self._specs
        return [name for name in names if name not in specs and name not in self._absent]

    def schemas(self, names: Collection[str]) -> list[dict[str, Any]]:
        """Return the schemas of the tools in `names`, in a stable order."""
        return [spec.schema for name, spec in self._specs.items() if name in names]

    def tokens(self, names: Collection[str]) -> int:
        """Return how many tokens of a prompt these schemas take."""
        return sum(spec.tokens for name, spec in self._specs.items() if name in names)

    def spec(self, name: str) -> ToolSpec | None:
        """Return the tool of this name, if there is one."""
        return self._specs.get(name)

    def note_asked(self, name: str) -> None:
        """Count a question to a person about a call of this tool."""
        self._runner.counters[name].asked += 1

    async def not_permitted(self, outcome: ToolOutcome, caller: Caller) -> ToolOutcome:
        """Count and log a call that is not made, and return its outcome: an open end where it had begun before."""
        outcome = await self._runner.unless_begun(outcome, caller)
        return self._runner.noted(self._specs.get(outcome.run["name"]), outcome, caller)

    def receivers(self, spec: ToolSpec) -> list[str]:
        """Return who gets what a tool sends, when its arguments name nobody."""
        if spec.name == "web_search" and self.search is not None:
            return [self.search.name]
        return [] if spec.source == "builtin" else [spec.source]

    def specs(self) -> list[ToolSpec]:
        """Return all tools, in a stable order."""
        return list(self._specs.values())

    def describe(self, language: Language = "en") -> list[dict[str, Any]]:
        """Return, for each tool: names, description, permission, whether it is offered, limits and counters.

        `title`, `detail` and `reason` are for people and in `language`; `description` is what the model reads.
        """
        described = [self._description(spec, language) for spec in self._specs.values()]
        return described + [_absent_row(name, tool, language) for name, tool in self._absent.items()]

    @property
    def search(self) -> SearchProvider | None:
        """The web search service, if there is one."""
        return self._resources.search

    def counters(self) -> Mapping[str, Counters]:
        """Return the counters by tool name."""
        return self._runner.counters

    def numbers(self) -> dict[str, tuple[Counters, State]]:
        """Return counters and state of the breaker by tool, of all tools."""
        return {
            name: (self._runner.counters[name], self._runner.breaker(spec).state) for name, spec in self._specs.items()
        }

    def context(self, caller: Caller) -> ToolContext:
        """Return what the tools get as `runtime.context` on behalf of `caller`."""
        given = {field.name: getattr(caller, field.name) for field in fields(Caller)}
        return ToolContext(**given, resources=self._resources, memories=self.memories)

    async def preview(self, spec: ToolSpec, arguments: Mapping[str, Any], caller: Caller) -> str:
        """Return in words what a call would do; empty where its arguments say it."""
        return await spec.preview(self.context(caller), arguments) if spec.preview is not None else ""

    async def call(
        self, name: str, arguments: Mapping[str, object], caller: Caller, *, refused: bool = False
    ) -> ToolOutcome:
        """Run one tool.

        Args:
            name: Tool name, as the model wrote it.
            arguments: Arguments, as the model wrote them.
            caller: Who asks, and in which language.
            refused: The turn does not offer this tool: the model gets an error and nothing is run.

        Returns:
            The result, or a message about the failure with `run["status"]` `error`, `refused` or `unknown`.
        """
        spec = self._specs.get(name)
        outcome = await self._called(spec, name, arguments, caller, refused=refused)
        if outcome.run["status"] == "refused":
            return await self.not_permitted(outcome, caller)
        return self._runner.noted(spec, outcome, caller)

    async def _called(
        self, spec: ToolSpec | None, name: str, arguments: Mapping[str, object], caller: Caller, *, refused: bool
    ) -> ToolOutcome:
        if spec is None:
            missing = self._absent.get(name)
            words, code = (texts.ABSENT, "tool_unavailable") if missing else (texts.UNKNOWN, "unknown_tool")
            reason = missing.reason.text(caller.language) if missing else ""
            text = words.text(caller.language).format(name=name, reason=reason)
            return not_done(text, name, arguments, "refused", code)
        if refused or self._state(spec) == "off":
            text = texts.REFUSED.text(caller.language).format(name=name)
            return not_done(text, name, arguments, "refused", "tool_refused")
        return await self._runner.run(spec, arguments, self.context(caller))

    async def aclose(self) -> None:
        """Close what the tools opened."""
        await self._index.aclose()
        if self._owns_sandbox:
            await self._sandbox.aclose()
        if self._resources.search is not None:
            await self._resources.search.aclose()
        if self._owns_http:
            await self._resources.http.aclose()

    def _facts(self, documents: bool, long_results: bool = False) -> TurnFacts:
        many = len(self._own) + len(self._foreign) > OFFERED_WHOLE
        return TurnFacts(
            documents=documents, many_tools=many, long_results=long_results, memories=self.memories is not None,
            resources=self._resources,
        )  # fmt: skip

    def _state(self, spec: ToolSpec) -> Literal["offered", "conditional", "off"]:
        """Whether turns are offered the tool: all, some, or none."""
        fits = [spec.fits(self._facts(there, there)) for there in (False, True)]
        return "offered" if all(fits) else "conditional" if any(fits) else "off"

    def _description(self, spec: ToolSpec, language: Language) -> dict[str, Any]:
        state = self._state(spec)
        counters, breaker = self._runner.counters[spec.name], self._runner.breaker(spec)
        search = self._resources.search if spec.name == "web_search" else None
        return {
            "name": spec.name,
            "title": spec.title.text(language),
            "titles": spec.title._asdict(),
            "description": spec.tool.description,
            "arguments": spec.schema["function"]["parameters"],
            "examples": list(spec.examples),
            "permission": spec.permission,
            "source": spec.source,
            "address": spec.address,
            "version": spec.version,
            "policy": "off" if state == "off" else "allowed",
            "state": state,
            "reason": "" if state == "offered" else spec.needs.text(language),
            "detail": search.detail.text(language) if search else "",
            "timeout": self._runner.timeout(spec),
            "cache_seconds": spec.cache_seconds,
            "calls": counters.calls,
            "errors": counters.errors,
            "unknown": counters.unknown,
            "refused": counters.refused,
            "asked": counters.asked,
            "cached": counters.cached,
            "seconds": round(counters.seconds, 3),
            "breaker": {"state": breaker.state, "failures": breaker.failures, "retry_after": round(breaker.rest(), 1)},
        }


def _absent_row(name: str, tool: Absent, language: Language) -> dict[str, Any]:
    """Return the row of a tool that cannot be called; it has the fields of the others."""
    return {
        "name": name,
        "title": tool.title.text(language),
        "titles": tool.title._asdict(),
        "description": "",
        "arguments": {},
        "examples": [],
        "permission": "write",
        "source": tool.address.rpartition(":")[0],
        "address": tool.address,
        "version": "",
        "policy": "off",
        "state": "off",
        "reason": tool.reason.text(language),
        "detail": "",
        "timeout": 0,
        "cache_seconds": 0,
        "calls": 0,
        "errors": 0,
        "unknown": 0,
        "refused": 0,
        "asked": 0,
        "cached": 0,
        "seconds": 0,
        "breaker": {"state": "closed", "failures": 0, "retry_after": 0},
    }
