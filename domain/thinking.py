"""The marks between which models think aloud in their answers."""

from __future__ import annotations

import re

MARKS = {
    "<think>": "</think>",
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",
    "[THINK]": "[/THINK]",
    "◁think▷": "◁/think▷",
    "<|channel|>analysis<|message|>": "<|end|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
}
"""How thinking begins and ends in the content: DeepSeek and Qwen, Claude's and Gemini's habit, Seed, Magistral, Kimi,
gpt-oss."""
CLOSINGS = tuple(mark for mark in MARKS.values() if mark != "<|end|>")
_CLOSING = "|".join(map(re.escape, CLOSINGS))
_UNOPENED = re.compile(rf"(?:(?<=[\n.!?。！？…])|^)[ \t]*(?:{_CLOSING})|(?:{_CLOSING})(?=\s*\n)")
"""An end of thinking that no beginning goes before, in a place where an answer does not speak about tags."""


def without_unopened(text: str) -> tuple[str, str]:
    r"""Return (thinking, content) of a finished text whose thinking has an end but no beginning.

    >>> without_unopened("They ask for 6 * 7.\n</think>\n\n42")
    ('They ask for 6 * 7.', '42')
    >>> without_unopened("Close it with </think> here.")
    ('', 'Close it with </think> here.')
    """
    found = [match for match in _UNOPENED.finditer(text) if text.count("```", 0, match.start()) % 2 == 0]
    if not found or any(mark in text for mark in MARKS):
        return "", text
    return text[: found[-1].start()].strip(), text[found[-1].end() :].lstrip()
