"""Finds tool calls that a server without a tool parser leaves in the text of an answer."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

_MARKS = ("<tool_call>", "<tool_calls>", "<function_call>", "<function=", "[TOOL_CALLS]", "<|python_tag|>",
          "<|tool_call_begin|>", "<|tool_calls_section_begin|>", "<｜tool▁call")  # fmt: skip
"""How a call begins in the text: Hermes and Qwen, Llama, Qwen-Coder, Mistral, Kimi, DeepSeek."""
_BARE = re.compile(r'\s*(?:```(?:json)?\s*)?\[?\s*\{\s*"(?:name|function)"\s*:')
"""A whole answer that is a call, as Llama writes it."""
_BARE_CHARS = 40
_PARAMETER = re.compile(r"<parameter=([\w.-]+)>\s*(.*?)\s*</parameter>", re.S)
_DECODER = json.JSONDecoder(strict=False)


class TextCalls:
    """Passes on text, and holds back what may be a call until the end shows whether it is one.

    Args:
        offered: Names of the tools that may be called.
    """

    def __init__(self, offered: Collection[str]) -> None:
        self._offered = offered
        self._held = ""
        self._shown = False
        self._calling = False

    def feed(self, text: str) -> str:
        """Return what may be shown now."""
        if not self._offered:
            return text
        self._held += text
        if self._calling:
            return ""
        if not self._shown and (begun := self._held.lstrip()) and begun[0] in "{[`":
            self._calling = _BARE.match(self._held) is not None
            if self._calling or len(begun) < _BARE_CHARS:
                return ""
        places = [place for mark in _MARKS if (place := self._held.find(mark)) >= 0]
        self._calling = bool(places)
        return self._take(min(places) if places else len(self._held) - self._beginning_of_mark())

    def rest_after(self, text: str) -> tuple[str, list[tuple[str, str]]]:
        """Take the last text; return what is text after all, and the calls: name and arguments as JSON."""
        shown = self.feed(text)
        calls = list(_calls_in(self._held, self._offered)) if self._held else []
        return (shown if calls else shown + self._take(len(self._held))), calls

    def _take(self, length: int) -> str:
        taken, self._held = self._held[:length], self._held[length:]
        self._shown = self._shown or bool(taken.strip())
        return taken

    def _beginning_of_mark(self) -> int:
        longest = max(map(len, _MARKS))
        ends = (self._held[-size:] for size in range(min(longest, len(self._held)), 0, -1))
        return next((len(end) for end in ends if any(mark.startswith(end) for mark in _MARKS)), 0)


def _calls_in(text: str, offered: Collection[str]) -> Iterator[tuple[str, str]]:
    """Calls as JSON objects with a name, else a name with its arguments behind it."""
    found = [call for value in _objects(text) for call in _named(value, offered)]
    if found:
        yield from found
        return
    names = "|".join(re.escape(name) for name in sorted(offered, key=len, reverse=True))
    for match in re.finditer(rf"(?<![\w-])({names})(?![\w-])", text):
        behind = text[match.end() :]
        parameters = dict(_PARAMETER.findall(behind.partition("</function>")[0]))
        first = next(_objects(behind), None)
        if parameters or isinstance(first, dict):
            yield match[1], json.dumps(parameters or first, ensure_ascii=False)


def _objects(text: str) -> Iterator[Any]:
    """Every JSON object or list of objects in `text`, the outermost ones."""
    place = 0
    while match := re.compile(r"\{|\[(?=\s*\{)").search(text, place):
        try:
            value, place = _DECODER.raw_decode(text, match.start())
            yield value
        except ValueError:
            place = match.end()


def _named(value: Any, offered: Collection[str]) -> Iterator[tuple[str, str]]:
    for item in value if isinstance(value, list) else [value]:
        inner = item.get("function") if isinstance(item, Mapping) else None
        call = inner if isinstance(inner, Mapping) else item
        name = call.get("name") or inner if isinstance(call, Mapping) else None
        if isinstance(name, str) and name in offered:
            given: Any = next((call[key] for key in ("arguments", "parameters", "args", "input") if key in call), {})
            yield name, given if isinstance(given, str) else json.dumps(given or {}, ensure_ascii=False)
