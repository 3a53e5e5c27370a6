"""Puts streamed tool calls in order, however a server numbers, names and cuts them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import ToolCallChunk
from langchain_core.messages.tool import tool_call_chunk

from domain.call_arguments import call_arguments

MOST_CALLS = 32
"""Tool calls of one answer that are looked at; what comes after them is left out."""


@dataclass
class _Call:
    place: int
    index: object
    given_id: str
    name: str = ""
    args: str = ""
    told: bool = False


class CallChunks:
    """Turns raw `tool_calls` of deltas into chunks with one index, one id and one name for each call.

    Servers leave out ids and indexes, give the same index to all calls, repeat the name or the whole arguments in every
    chunk, and send arguments as an object or not at all.
    """

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def feed(self, raw: Sequence[object]) -> list[ToolCallChunk]:
        """Return what these parts of calls add; a name is told together with the first arguments."""
        found: list[ToolCallChunk] = []
        for position, part in enumerate(raw):
            if not isinstance(part, Mapping):
                continue
            given = part.get("function")
            function: Mapping[str, Any] = given if isinstance(given, Mapping) else part
            args = _text(function.get("arguments"))
            call = self._call(part, str(function.get("name") or ""), args, position if len(raw) > 1 else None)
            if call.place >= MOST_CALLS:
                continue
            new = _added(call.args, args)
            call.args += new
            if call.name and new:
                found.append(self._chunk(call, new))
        return found

    def end(self) -> list[ToolCallChunk]:
        """Return the calls that came without arguments."""
        return [self._chunk(call, "") for call in self._calls[:MOST_CALLS] if call.name and not call.told]

    def _call(self, part: Mapping[str, Any], name: str, args: str, position: int | None) -> _Call:
        """Return the call that this part belongs to; a new one where it is the first."""
        given_id, index = str(part.get("id") or ""), part.get("index", position)
        if index is None:
            index = position
        fitting = [it for it in self._calls if it.index == index] if index is not None else self._calls
        same = [it for it in fitting if given_id and it.given_id == given_id]
        call = next(iter((same or fitting)[-1:]), None)
        if call is None or not same and _begins_another(call, given_id, name, args):
            call = _Call(len(self._calls), index, given_id)
            self._calls.append(call)
        call.given_id = call.given_id or given_id
        if name and not call.told and name != call.name:
            call.name = name if name.startswith(call.name) else call.name + name
        return call

    def _chunk(self, call: _Call, args: str) -> ToolCallChunk:
        if call.told:
            return tool_call_chunk(args=args, index=call.place)
        call.told = True
        taken = any(it.told and it is not call and it.given_id == call.given_id for it in self._calls)
        call_id = f"call_{uuid.uuid4().hex[:24]}" if taken or not call.given_id else call.given_id
        return tool_call_chunk(name=call.name, args=args, id=call_id, index=call.place)


def _begins_another(call: _Call, given_id: str, name: str, args: str) -> bool:
    """Whether a part with the index of `call`, or without any, belongs to a further call."""
    if given_id and call.given_id:
        return bool(name)
    return bool(name and call.args and args and args != call.args and call_arguments(call.args) is not None)


def _text(args: object) -> str:
    if args is None:
        return ""
    return args if isinstance(args, str) else json.dumps(args, ensure_ascii=False)


def _added(before: str, args: str) -> str:
    """Return what `args` adds to the arguments so far; some servers repeat them from the start."""
    return args[len(before) :] if len(before) > 1 and args.startswith(before) else args
