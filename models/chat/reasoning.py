"""Keeps what a model thinks apart from what it says, however its server marks the thinking."""

from __future__ import annotations

from collections.abc import Mapping

from domain.thinking import CLOSINGS, MARKS

KEYS = ("reasoning_content", "reasoning", "thinking", "thought")
"""DashScope, DeepSeek and vLLM say the first, Ollama, OpenRouter and newer vLLM the second."""

_ANSWER_START, _NEXT_CHANNEL = "<|channel|>final<|message|>", "<|start|>assistant"
_ALOUD = ("okay,", "ok,", "alright,", "hmm", "let me", "we need", "the user", "user ", "i need", "first,",
          "so the user", "好的，", "嗯", "首先，", "用户", "我们需要", "我需要", "让我")  # fmt: skip
"""How models begin to think aloud."""


def delta_reasoning(delta: Mapping[str, object]) -> str:
    """Return the thinking in one streamed delta."""
    found = (delta.get(key) for key in KEYS)
    return next((text for text in found if isinstance(text, str) and text), "") or _details(delta)


def _details(delta: Mapping[str, object]) -> str:
    """Thinking in blocks, as OpenRouter (`reasoning_details`) and Mistral (in `content`) send it."""
    content = delta.get("content")
    blocks = delta.get("reasoning_details") or (content if isinstance(content, list) else ())
    texts = []
    for block in blocks if isinstance(blocks, list) else ():
        if isinstance(block, Mapping) and str(block.get("type", "")).startswith(("reasoning", "thinking")):
            inner = block.get("thinking") or block.get("text") or block.get("summary") or ""
            parts = inner if isinstance(inner, list) else [{"text": inner}]
            texts += [str(part.get("text") or "") for part in parts if isinstance(part, Mapping)]
    return "".join(texts)


class ThinkTags:
    """Splits streamed content into thinking and answer, as servers send it that do not parse thinking.

    Thinking stands at the beginning, between two marks; marks anywhere else are content: an answer may speak of them.
    Where the chat template writes the beginning itself, only the end comes: such a server is recognised by it, and a
    first answer that begins like thinking aloud is held back until it is clear which it is.

    Args:
        unopened: Whether this server leaves out the beginning; None: not known yet.
    """

    def __init__(self, unopened: bool | None = False) -> None:
        self._state: str = "start"
        """`start`, `thinking`, `aloud` (it may be thinking), `after` thinking, `content`."""
        self._unopened = unopened
        self._held = ""
        self._searched = 0
        self._closing = MARKS["<think>"]
        self.unopened_end = False
        """Thinking ended that had no beginning."""

    def feed(self, text: str) -> tuple[str, str]:
        """Return (thinking, content) that `text` completes; what may still become a mark is held back."""
        if self._state == "content":
            return "", text
        self._held += text
        thinking, before = "", ""
        while self._state != before:
            before = self._state
            if before == "start":
                self._look_for_opening()
            elif before == "aloud":
                thinking += self._look_for_unopened_end()
            elif before == "thinking":
                thinking += self._take_thinking()
            elif before == "after":
                self._look_for_answer()
        return thinking, self._consume() if self._state == "content" else ""

    def rest(self) -> tuple[str, str]:
        """Return (thinking, content) that is still held back when the stream ends."""
        state, held = self._state, self._consume()
        return (held, "") if state == "thinking" else ("", "" if state == "after" else held)

    def _look_for_opening(self) -> None:
        begun = self._held.lstrip()
        opening = next((mark for mark in MARKS if begun.startswith(mark)), None)
        if opening is not None:
            self._state, self._held, self._closing = "thinking", begun.removeprefix(opening).lstrip(), MARKS[opening]
        elif begun.startswith(_ANSWER_START):
            self._state, self._held = "after", begun.removeprefix(_ANSWER_START)
        elif any(mark.startswith(begun) for mark in (*MARKS, _ANSWER_START)):
            return
        elif self._unopened is None:
            lower = begun.lower()
            if not any(word.startswith(lower) for word in _ALOUD if len(lower) < len(word)):
                self._state = "aloud" if lower.startswith(_ALOUD) else "content"
        else:
            self._state = "aloud" if self._unopened else "content"

    def _look_for_answer(self) -> None:
        begun = self._held.lstrip()
        if begun.startswith(_NEXT_CHANNEL):
            self._state, self._held = "start", begun.removeprefix(_NEXT_CHANNEL)
        elif begun and not _NEXT_CHANNEL.startswith(begun):
            self._state, self._held = "content", begun

    def _look_for_unopened_end(self) -> str:
        """Hold everything back until thinking ends; at the end of the stream it was the answer."""
        start = max(0, self._searched - max(map(len, CLOSINGS)))
        places = [(place, mark) for mark in CLOSINGS if (place := self._held.find(mark, start)) >= 0]
        self._searched = len(self._held)
        if not places:
            return ""
        place, mark = min(places)
        thinking, self._held = self._held[:place], self._held[place + len(mark) :]
        self._state, self.unopened_end = "after", True
        return thinking

    def _take_thinking(self) -> str:
        thinking, closing, rest = self._held.partition(self._closing)
        if closing:
            self._state, self._held = "after", rest
            return thinking
        keep = next(size for size in range(len(self._closing) - 1, -1, -1) if self._held.endswith(self._closing[:size]))
        cut = len(self._held) - keep
        thinking, self._held = self._held[:cut], self._held[cut:]
        return thinking

    def _consume(self) -> str:
        taken, self._held = self._held, ""
        return taken
