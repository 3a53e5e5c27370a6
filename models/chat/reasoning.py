"""Keeps what a model thinks apart from what it says, however its server marks the thinking."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

KEYS = ("reasoning_content", "reasoning")
"""DashScope, DeepSeek and vLLM say the first, Ollama, OpenRouter and newer vLLM the second."""

OPEN, CLOSE = "<think>", "</think>"


def delta_reasoning(delta: Mapping[str, object]) -> str:
    """Return the thinking in one streamed delta."""
    found = (delta.get(key) for key in KEYS)
    return next((text for text in found if isinstance(text, str) and text), "")


class ThinkTags:
    """Splits streamed content that begins with `<think>...</think>`, as servers send it that do not parse thinking.

    Tags anywhere else are content: an answer may speak of them.
    """

    def __init__(self) -> None:
        self._state: Literal["start", "thinking", "after", "content"] = "start"
        self._held = ""

    def feed(self, text: str) -> tuple[str, str]:
        """Return (thinking, content) that `text` completes; what may still become a tag is held back."""
        if self._state == "content":
            return "", text
        self._held += text
        thinking = ""
        if self._state == "start":
            self._look_for_opening()
        if self._state == "thinking":
            thinking = self._take_thinking()
        if self._state == "after" and self._held.lstrip():
            self._state, self._held = "content", self._held.lstrip()
        return thinking, self._consume() if self._state == "content" else ""

    def rest(self) -> tuple[str, str]:
        """Return (thinking, content) that is still held back when the stream ends."""
        held = self._consume()
        return (held, "") if self._state == "thinking" else ("", "" if self._state == "after" else held)

    def _look_for_opening(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(OPEN):
            self._state, self._held = "thinking", begun.removeprefix(OPEN).lstrip()
        elif not OPEN.startswith(begun):
            self._state = "content"

    def _take_thinking(self) -> str:
        thinking, closing, rest = self._held.partition(CLOSE)
        if closing:
            self._state, self._held = "after", rest
            return thinking
        keep = next(size for size in range(len(CLOSE) - 1, -1, -1) if self._held.endswith(CLOSE[:size]))
        cut = len(self._held) - keep
        thinking, self._held = self._held[:cut], self._held[cut:]
        return thinking

    def _consume(self) -> str:
        taken, self._held = self._held, ""
        return taken
