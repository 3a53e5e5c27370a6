"""Tools of installed Python packages: entry points of the group `llm_chat_backend.tools`.

An entry point names a `ToolSpec`, a LangChain tool, a list of these, or a function without arguments that returns one
of these. A plain LangChain tool may write: only a `ToolSpec` says otherwise.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from langchain_core.tools import BaseTool

from domain.words import Words
from tools.interface import Found, ToolContext, ToolSpec
from tools.sources import texts
from tools.sources.interface import Changed, Listed, SourceState, ToolChanged

GROUP = "llm_chat_backend.tools"
logger = logging.getLogger(__name__)


def installed() -> dict[str, EntryPoint]:
    """Return the entry points of installed packages, by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


class Plugin:
    """A `Source`: one entry point."""

    kind = "plugin"

    def __init__(self, name: str, point: EntryPoint, changed: Changed) -> None:
        """Prepare it; its code is loaded by `start`."""
        self.name = name
        self.state: SourceState = "starting"
        self.failure, self.detail = texts.STARTING, ""
        self.listed: Mapping[str, Listed] = {}
        self._point, self._changed = point, changed
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Load its code in a thread."""
        self._task = asyncio.create_task(self._load(), name=f"plugin-{self.name}")

    def relist(self) -> None:
        """What is installed stays as it is."""

    def reopen(self) -> None:
        """Code that is loaded stays as it is: a new version takes a restart."""

    async def call(self, name: str, version: str, arguments: Mapping[str, Any], context: ToolContext) -> Found:
        """Plugins bring tools of their own, which are called without this.

        Raises:
            ToolChanged: Always.
        """
        raise ToolChanged(name=name)

    async def aclose(self) -> None:
        """Stop waiting for it."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _load(self) -> None:
        try:
            specs = await asyncio.to_thread(_specs, self._point)
        except Exception as exc:
            logger.exception("plugin %s cannot be loaded", self.name)
            self.state, self.failure = "failed", texts.NOT_LOADED
            self.detail = f"{type(exc).__name__}: {exc}"[:500]
        else:
            self.listed, self.state = {spec.name: _listed(spec) for spec in specs}, "ready"
        self._changed()


def _specs(point: EntryPoint) -> list[ToolSpec]:
    found = point.load()
    if callable(found) and not isinstance(found, BaseTool):
        found = found()
    return [_spec(it) for it in (found if isinstance(found, list | tuple) else [found])]


def _spec(found: object) -> ToolSpec:
    if isinstance(found, BaseTool):
        return ToolSpec(tool=found, title=Words(found.name, found.name), permission="write")
    if isinstance(found, ToolSpec):
        return found
    raise TypeError(f"{type(found).__name__} is neither a ToolSpec nor a LangChain tool")


def _listed(spec: ToolSpec) -> Listed:
    function = spec.schema["function"]
    return Listed(
        name=spec.name, description=function.get("description", ""), schema=function["parameters"],
        definition={**function, "permission": spec.permission}, claimed=spec.permission, ready=spec,
    )  # fmt: skip
