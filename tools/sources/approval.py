"""What a source lists, held against what was approved of it."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from domain.words import Words
from stores.tool_sources import Pin
from tools.argument_check import ArgumentCheck
from tools.interface import Permission, ToolSpec
from tools.sources import texts
from tools.sources.config import SourceConfig
from tools.sources.interface import Listed, Source
from tools.sources.remote_tool import offered_name, spec_of

MOST_DEFINITION = 64 * 1024
"""Most bytes of a definition."""
_UNSEEN = re.compile(
    r"[\u007f-\u00a0\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3164"
    r"\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc\U000e0000-\U0010ffff\ue000-\uf8ff]"
)
"""Control, format, blank, variation, tag and private characters."""
_NOTHING = Pin("", {}, "", 0)


class Status(Enum):
    """What became of a tool. Only one that is `ready` is offered and called."""

    READY = "ready"
    NEW = "new"
    CHANGED = "changed"
    GONE = "gone"
    UNUSABLE = "unusable"
    DOWN = "down"

    @property
    def waits(self) -> bool:
        """Whether an administrator has to approve it."""
        return self in (Status.NEW, Status.CHANGED)


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A tool that a source lists, or that was approved of it.

    Attributes:
        own_name: Its name at its source.
        name: Its name for models.
        address: For patterns in rules.
        title: Its name for people.
        status: What became of it.
        reason: Why it cannot be called; empty when it can.
        permission: What a call may do.
        version: Hash of what is listed, else of what was approved.
        spec: Its declaration, where it is listed and usable.
    """

    own_name: str
    name: str
    address: str
    title: Words
    status: Status
    reason: Words
    permission: Permission
    version: str
    spec: ToolSpec | None = None


def judged(
    name: str, source: Source, config: SourceConfig, pins: Mapping[str, Pin], before: Sequence[Judged] = ()
) -> tuple[Judged, ...]:
    """Return every wanted tool of the source `name`, by its own name, that is listed or approved.

    Declarations of `before`, what this returned last for the same source, stay the same objects if nothing changed.
    """
    made = {(it.own_name, it.version, it.permission): it.spec for it in before}
    down = source.state == "failed" or (source.state == "starting" and not source.listed)
    wanted = sorted(tool for tool in {*source.listed, *pins} if config.wants(tool))
    found: list[Judged] = []
    for tool in wanted:
        listed, pin = source.listed.get(tool), pins.get(tool)
        status, reason = _status(listed, pin, name, source if down else None)
        permission = config.permission(tool, listed.claimed if listed else "write")
        spec = made.get((tool, listed.version, permission)) if listed else None
        if spec is None and listed is not None and status is not Status.UNUSABLE:
            spec = spec_of(
                listed, source=name, kind=source.kind, permission=permission, call=source.call, timeout=config.timeout
            )
        title = (listed.title if listed else "") or tool
        found.append(Judged(
            own_name=tool, name=offered_name(name, tool), address=f"{source.kind}:{name}:{tool}",
            title=spec.title if spec else Words(f"{title} ({name})", f"{title}（{name}）"), status=status,
            reason=reason, permission=permission, version=(listed or pin or _NOTHING).version, spec=spec,
        ))  # fmt: skip
    return tuple(found)


def difference(approved: Mapping[str, Any], listed: Mapping[str, Any]) -> str:
    """Return what differs between two definitions, line by line, as `diff -u` shows it.

    Letters that nobody sees, and those that turn the direction of others, are written as their numbers.
    """
    dumped = (json.dumps(it, ensure_ascii=False, indent=1, sort_keys=True) for it in (approved, listed))
    before, after = (_UNSEEN.sub(lambda match: f"\\U{ord(match[0]):08x}", it).split("\n") for it in dumped)
    return "\n".join(difflib.unified_diff(before, after, "approved", "listed", lineterm=""))


def _status(listed: Listed | None, pin: Pin | None, name: str, down: Source | None) -> tuple[Status, Words]:
    if down is not None:
        return Status.DOWN, texts.SOURCE_DOWN.filled(source=name, reason=down.failure)
    if listed is None:
        return Status.GONE, texts.GONE.filled(source=name)
    if (problem := _unusable(listed)) is not None:
        return Status.UNUSABLE, texts.UNUSABLE.filled(reason=problem)
    if pin is None:
        return Status.NEW, texts.WAITS
    if pin.version != listed.version:
        return Status.CHANGED, texts.CHANGED
    return Status.READY, Words("", "")


def _unusable(listed: Listed) -> Words | None:
    if len(json.dumps(listed.definition)) > MOST_DEFINITION:
        return texts.TOO_LARGE.filled(limit=MOST_DEFINITION)
    try:
        ArgumentCheck(listed.schema)
    except ValueError:
        return texts.BAD_SCHEMA
    return None
