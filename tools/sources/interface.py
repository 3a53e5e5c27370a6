"""What every source of foreign tools is: it lists tools, runs their calls, and says how it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, Protocol

from domain.errors import AppError, BadInput
from domain.words import Words
from tools.interface import Found, Permission, ToolContext, ToolSpec, digest

SourceState = Literal["starting", "ready", "failed"]


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A tool as its source lists it.

    Attributes:
        name: Its name there.
        description: What the model reads.
        schema: JSON schema of its arguments.
        definition: All that the source says of it; an approval covers every byte.
        claimed: What a call may do, as the source says.
        title: Its name for people.
        ready: The tool itself, where the source brings one.
    """

    name: str
    description: str
    schema: Mapping[str, Any]
    definition: Mapping[str, Any]
    claimed: Permission
    title: str = ""
    ready: ToolSpec | None = field(default=None, compare=False)

    @cached_property
    def version(self) -> str:
        """Hash of the definition."""
        return digest(self.definition)


class Source(Protocol):
    """A source that is open.

    Attributes:
        kind: `mcp`, `openapi` or `plugin`.
        state: `starting` before the first listing and while it is opened again; what was listed stays meanwhile.
        failure: Why it is not `ready`, for the model and for people; it names no host, path or key.
        detail: The same for administrators, with what the source itself said.
        listed: Its tools by their own names.
    """

    kind: str
    state: SourceState
    failure: Words
    detail: str
    listed: Mapping[str, Listed]

    def start(self) -> None:
        """Open it in the background, and keep it open."""
        ...

    def relist(self) -> None:
        """Ask it for its tools again, in the background."""
        ...

    def reopen(self) -> None:
        """Open it anew, in the background."""
        ...

    async def call(self, name: str, version: str, arguments: Mapping[str, Any], context: ToolContext) -> Found:
        """Run the tool `name` whose definition has the hash `version`.

        Raises:
            AppError: It failed, is not there, or has changed.
            ToolException: The tool itself reports a failure.
        """
        ...

    async def aclose(self) -> None:
        """Close it and end what it started."""
        ...


Changed = Callable[[], None]
"""Called when the state or the tools of a source have changed; must not block."""
Call = Callable[[str, str, Mapping[str, Any], ToolContext], Awaitable[Found]]


class SourceDown(AppError, code="tool_source_down"):
    """The source of a tool cannot be reached. Details: `name`, `reason`.

    Its cause is a `ConnectionRefusedError` where nothing of a call was sent.
    """

    transient = True


class ToolChanged(AppError, code="tool_changed"):
    """A tool is not, or no longer, what was approved. Details: `name`."""


class ForeignFailure(AppError, code="tool_source_failed"):
    """A source answered something that is no result. Details: `name`, `reason`."""


class UnknownToolSource(BadInput, code="unknown_tool_source"):
    """No source has this name. Details: `name`."""


class SourceFixed(BadInput, code="tool_source_fixed"):
    """The source is named where the administrators' API does not reach. Details: `name`."""


class ApprovalOutdated(BadInput, code="approval_outdated"):
    """What would be approved is not what the source lists now. Details: `tool`."""
