"""All sources of foreign tools of one process: opened, listed, held against what was approved, handed to the registry.

Sources are named by TOOLS_FILE, by installed packages and, in the database, by administrators. A change in the database
is signalled through Redis, and every process opens and closes what it has to. One task does all of this, in order.

An approval covers every byte of a definition. What a new source lists first is approved with it; a tool that it adds or
changes later is not offered, and not called, until an administrator approves exactly that definition.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from typing import Any, Literal

from pydantic import ValidationError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from domain.errors import AppError
from domain.words import Language, Words
from net.client import GuardedHttp
from settings import Settings
from stores.redis.signals import Signals
from stores.redis.tasks import end_tasks
from stores.tool_sources import Approval, Pin, StoredSources, ToolSourceStore
from tools.interface import digest
from tools.permissions import Rule
from tools.registry import Absent, Note, ToolRegistry
from tools.sources import plugins, texts
from tools.sources.approval import Judged, Status, difference, judged
from tools.sources.config import SOURCE_NAME, BadSource, SourceConfig, ToolsFile, read_tools_file
from tools.sources.interface import ApprovalOutdated, Source, SourceFixed, SourceState, UnknownToolSource

logger = logging.getLogger(__name__)
CHANNEL = "tool-sources"
RETRY_SECONDS = 5.0
Origin = Literal["file", "plugin", "admin"]


@dataclass(frozen=True, slots=True)
class Named:
    """A source as it is named: where, and as what."""

    origin: Origin
    config: SourceConfig
    point: EntryPoint | None = None

    @property
    def key(self) -> str:
        """Differs when the source has to be opened anew."""
        return digest({"origin": self.origin, "config": self.config.model_dump(mode="json"), "point": str(self.point)})


@dataclass(slots=True)
class Open:
    """A source that is open, and how it was named."""

    named: Named
    source: Source
    judged: tuple[Judged, ...] = ()
    seen: frozenset[str] = frozenset()
    """Versions of its last listing."""


class ToolSources:
    """Keeps the sources of this process as they are named."""

    def __init__(
        self, settings: Settings, store: ToolSourceStore, redis: Redis, http: GuardedHttp, registry: ToolRegistry
    ) -> None:
        """Take the parts; nothing is opened before `start`."""
        self._settings, self._store, self._redis, self._http = settings, store, redis, http
        self._registry = registry
        self._signals = Signals(redis)
        self._open: dict[str, Open] = {}
        self._file = ToolsFile(permissions=(Rule(tool="*", decision="ask"),))
        """Before TOOLS_FILE was read once, everything is asked: it may deny something."""
        self._points: Mapping[str, EntryPoint] = {}
        self._stored = StoredSources({}, frozenset(), {})
        self._woken = asyncio.Event()
        self._lock = asyncio.Lock()
        self._unread = True
        self._told: set[tuple[str, str]] = set()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Read TOOLS_FILE, and begin to open the sources, in the background."""
        with suppress(BadSource):  # told by what works in the background
            self._file = await asyncio.to_thread(read_tools_file, self._settings.tools_file)
        self._registry.expect_foreign()
        self._woken.set()
        self._task = asyncio.create_task(self._work(), name="tool-sources")
        await self._signals.listen(CHANNEL, self._heard)

    def rules(self) -> Sequence[Rule]:
        """Return the rules about tools that TOOLS_FILE names."""
        return self._file.permissions

    async def aclose(self) -> None:
        """Close every source; no program that was started is left."""
        await end_tasks([self._task])
        await self._signals.aclose()
        await asyncio.gather(*(entry.source.aclose() for entry in self._open.values()), return_exceptions=True)
        self._open.clear()

    def states(self) -> dict[str, tuple[SourceState, Words, int]]:
        """Return state, failure and number of tools that wait for approval, of each source by name."""
        return {
            name: (entry.source.state, entry.source.failure, sum(it.status.waits for it in entry.judged))
            for name, entry in sorted(self._open.items())
        }

    def describe(self, language: Language) -> list[dict[str, Any]]:
        """Return every source for administrators: how it is named and how it is, its tools, and what has changed."""
        return [self._description(name, language) for name in sorted(self._open)]

    def description(self, name: str, language: Language) -> dict[str, Any]:
        """Return one source.

        Raises:
            UnknownToolSource: There is none of this name.
        """
        self._known(name)
        return self._description(name, language)

    async def put(self, name: str, config: SourceConfig, by: str) -> bool:
        """Add a source or change one, on every process; return whether it is new.

        Raises:
            BadSource: Its name is none, or a reference has no value.
            SourceFixed: It is named by TOOLS_FILE or an installed package.
        """
        try:
            SOURCE_NAME.validate_python(name)
        except ValidationError as exc:
            raise BadSource(name=name, reason=texts.BAD_NAME) from exc
        self._refuse_fixed(name)
        if config.command and not self._commands_allowed():
            raise BadSource(name=name, reason=texts.NO_COMMANDS)
        await asyncio.to_thread(config.filled, own_settings=False)
        new = await self._store.put(name, config.model_dump(mode="json", exclude_defaults=True), by)
        await self._changed("changed")
        return new

    async def remove(self, name: str) -> None:
        """Remove a source with its approvals, on every process.

        Raises:
            UnknownToolSource: There is none of this name.
            SourceFixed: It is named by TOOLS_FILE or an installed package.
        """
        self._refuse_fixed(name)
        if not await self._store.remove(name):
            raise UnknownToolSource(name=name)
        await self._changed("changed")

    async def approve(self, name: str, tools: Mapping[str, str], by: str) -> None:
        """Approve definitions of a source by their hashes.

        Raises:
            UnknownToolSource: There is none of this name.
            ApprovalOutdated: The source lists something else now; nothing is approved.
        """
        listed = self._known(name).source.listed
        for tool, version in tools.items():
            if tool not in listed or listed[tool].version != version:
                raise ApprovalOutdated(tool=tool)
        approvals = {tool: Approval(listed[tool].version, listed[tool].definition) for tool in tools}
        await self._store.approve(name, approvals, by)
        await self._changed("changed")

    async def reopen(self, name: str) -> None:
        """Open a source anew, on every process.

        Raises:
            UnknownToolSource: There is none of this name.
        """
        self._known(name).source.reopen()
        await self._signal(f"reopen:{name}")

    async def reload(self) -> None:
        """Read TOOLS_FILE again, on every process.

        Raises:
            BadSource: It is not as it should be; what was read before stays.
        """
        await asyncio.to_thread(read_tools_file, self._settings.tools_file)
        self._unread = True
        await self._changed("reload")

    def _known(self, name: str) -> Open:
        if name not in self._open:
            raise UnknownToolSource(name=name)
        return self._open[name]

    def _refuse_fixed(self, name: str) -> None:
        entry = self._open.get(name)
        if name in self._file.sources or (entry is not None and entry.named.origin != "admin"):
            raise SourceFixed(name=name)

    def _commands_allowed(self) -> bool:
        allowed = self._settings.admin_commands
        return allowed == "on" or (allowed == "auto" and not self._settings.has_users)

    async def _changed(self, message: str) -> None:
        """Follow a change here at once, and tell the other processes."""
        await self._sync()
        await self._signal(message)

    async def _signal(self, message: str) -> None:
        try:
            await self._redis.publish(CHANNEL, message)
        except (RedisError, OSError) as exc:  # the others see it when they subscribe again
            logger.warning("other processes are not told of tools", extra={"error": type(exc).__name__})

    def _heard(self, message: bytes | None) -> None:
        what, _, name = (message or b"").decode(errors="replace").partition(":")
        if what == "reload":
            self._unread = True
        if name in self._open and what in ("relist", "reopen"):
            getattr(self._open[name].source, what)()
        else:
            self._woken.set()

    async def _work(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            try:
                await self._sync()
            except AppError as exc:
                logger.warning("tool sources: %s", exc)
                await asyncio.sleep(RETRY_SECONDS)
                self._woken.set()
            except Exception:
                logger.exception("tool sources")

    async def _sync(self) -> None:
        async with self._lock:
            self._stored = await self._store.load()
            if self._unread:
                await self._read_names()
            await self._open_and_close(self._named())
            await self._adopt()
            self._publish()
        await self._tell_of_changes()

    async def _read_names(self) -> None:
        self._points = await asyncio.to_thread(plugins.installed)
        self._file = await asyncio.to_thread(read_tools_file, self._settings.tools_file)
        self._unread = False

    def _named(self) -> dict[str, Named]:
        """Return every source; a name means the file's source first, then a package's, then an administrator's."""
        found: dict[str, Named] = {}
        for name, config in self._stored.configs.items():
            with suppress(ValidationError):
                found[name] = Named("admin", SourceConfig.model_validate(config))
        for name, point in self._points.items():
            with suppress(ValidationError):
                if self._file.plugin_wanted(name):
                    found[SOURCE_NAME.validate_python(name)] = Named("plugin", SourceConfig.of_plugin(), point)
        return found | {name: Named("file", config) for name, config in self._file.sources.items()}

    async def _open_and_close(self, named: Mapping[str, Named]) -> None:
        ended = [name for name, it in self._open.items() if name not in named or named[name].key != it.named.key]
        await asyncio.gather(*(self._open[name].source.aclose() for name in ended), return_exceptions=True)
        new = {
            name: Open(it, await self._source(name, it))
            for name, it in named.items()
            if name in ended or name not in self._open
        }
        self._open = {name: entry for name, entry in self._open.items() if name in named} | new
        for entry in new.values():
            entry.source.start()

    async def _source(self, name: str, named: Named) -> Source:
        if named.point is not None:
            return plugins.Plugin(name, named.point, self._woken.set)
        by_operator = named.origin == "file"
        places = (named.config.url, named.config.openapi, named.config.base_url)
        urls = [place for place in places if place and place.startswith(("http://", "https://"))]
        http = self._http.reaching(*urls if by_operator else ())
        # `mcp` is large: it is imported where a source needs it
        module = "openapi_service" if named.config.kind == "openapi" else "mcp_server"
        room = await asyncio.to_thread(importlib.import_module, f"tools.sources.{module}")
        kind = room.OpenApiService if named.config.kind == "openapi" else room.McpServer
        made: Source = kind(name, named.config, http, self._woken.set, own_settings=by_operator)
        return made

    async def _adopt(self) -> None:
        """Approve what new sources list first; sources that come up meanwhile are new as well."""
        while new := [
            name
            for name, entry in self._open.items()
            if (entry.source.state == "ready" or entry.source.listed) and name not in self._stored.approved
        ]:
            for name in new:
                listed = self._open[name].source.listed
                approvals = {tool: Approval(it.version, it.definition) for tool, it in listed.items()}
                await self._store.adopt(name, approvals, self._open[name].named.origin)
            self._stored = await self._store.load()

    def _publish(self) -> None:
        """Hand to the registry what is approved and there, and say what is not."""
        for name, entry in self._open.items():
            pins = self._stored.pins.get(name, {})
            entry.judged = judged(name, entry.source, entry.named.config, pins, entry.judged)
        every = [(name, it) for name, entry in sorted(self._open.items()) for it in entry.judged]
        absent = {it.name: Absent(it.address, it.title, it.reason) for _, it in every if it.status is not Status.READY}
        ready = [it.spec for _, it in every if it.spec is not None and it.status is Status.READY]
        opening = any(it.source.state == "starting" and not it.source.listed for it in self._open.values())
        self._registry.set_foreign(ready, absent, self._notes(), opening=opening)
        for name, it in every:
            if it.status.waits and (name, it.version) not in self._told:
                self._told.add((name, it.version))
                logger.warning("tool %s of %s waits for approval: %s", it.own_name, name, it.status.value)

    def _notes(self) -> list[Note]:
        notes: list[Note] = []
        for name, entry in sorted(self._open.items()):
            down = frozenset(it.name for it in entry.judged if it.status is Status.DOWN)
            waiting = frozenset(it.name for it in entry.judged if it.status.waits)
            if down or (entry.source.state != "ready" and not entry.judged):
                reason = texts.SOURCE_DOWN.filled(source=name, reason=entry.source.failure)
                notes.append(Note(down, reason))
            if waiting:
                notes.append(Note(waiting, texts.SOME_WAIT.filled(source=name, count=len(waiting))))
        return notes

    async def _tell_of_changes(self) -> None:
        """Let the other processes list again what was found changed here: a server may tell only some of them."""
        for name, entry in self._open.items():
            seen = frozenset(it.version for it in entry.source.listed.values())
            if entry.seen and seen != entry.seen:
                await self._signal(f"relist:{name}")
            entry.seen = seen

    def _description(self, name: str, language: Language) -> dict[str, Any]:
        entry = self._open[name]
        source, pins = entry.source, self._stored.pins.get(name, {})
        return {
            "name": name,
            "kind": source.kind,
            "origin": entry.named.origin,
            "config": entry.named.config.shown() if entry.named.point is None else {"plugin": entry.named.point.value},
            "state": source.state,
            "reason": "" if source.state == "ready" else source.failure.text(language),
            "detail": source.detail,
            "tools": [_tool_row(it, pins.get(it.own_name), source, language) for it in entry.judged],
        }


def _tool_row(it: Judged, pin: Pin | None, source: Source, language: Language) -> dict[str, Any]:
    listed = source.listed.get(it.own_name)
    return {
        "name": it.name,
        "own_name": it.own_name,
        "address": it.address,
        "status": it.status.value,
        "reason": it.reason.text(language),
        "permission": it.permission,
        "version": it.version,
        "definition": dict(listed.definition) if listed is not None else None,
        "approved_version": pin.version if pin else None,
        "approved_by": pin.approved_by if pin else None,
        "approved": pin.approved if pin else None,
        "difference": difference(pin.definition if pin else {}, listed.definition)
        if it.status.waits and listed
        else "",
    }
