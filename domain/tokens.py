"""Counts tokens offline, with the byte-pair encoding of Qwen that the `dashscope` package ships.

Other models cut text a little differently: for them the count is an estimate, good enough for the budgets it serves.
"""

from __future__ import annotations

import base64
import json
import threading
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.messages import AIMessage, BaseMessage

from domain.packages import package_dir

if TYPE_CHECKING:
    from tiktoken import Encoding

IMAGE_TOKENS = 1280
"""Counted for a picture of any size: the upper end of the 256-1280 that Qwen2-VL's model card advises for one."""

MESSAGE_TOKENS = 4
"""Role and separators around one message, as ChatML writes them."""

SLICE = 50_000
"""Characters encoded at a time: longer runs may overflow the encoder's stack."""

QWEN_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Pre-tokenizer of Qwen, from `dashscope/tokenizers/qwen_tokenizer.py`."""

REMEMBERED_CHARS = 4000
"""Counts of texts up to this length are remembered: prompts and messages of a thread are counted in every turn."""

IDEOGRAPHS = ("\u2e80", "\u9fff")
TOKENS_PER_IDEOGRAPH = 0.75
TOKENS_PER_OTHER = 0.3

_loading = threading.Lock()


def count_tokens(text: str) -> int:
    """Return the number of tokens of `text`. Safe to call from any thread; the first call loads the vocabulary."""
    return _remembered(text) if len(text) <= REMEMBERED_CHARS else _count(text)


@lru_cache(maxsize=4096)
def _remembered(text: str) -> int:
    return _count(text)


def _count(text: str) -> int:
    encoding = _encoding()
    if encoding is None:
        return approximate_tokens(text)
    text = unicodedata.normalize("NFC", text)
    slices = (text[start : start + SLICE] for start in range(0, len(text), SLICE))
    return sum(len(encoding.encode_ordinary(piece)) for piece in slices)


def count_message_tokens(messages: Sequence[BaseMessage]) -> int:
    """Return the number of tokens of `messages` as a prompt: texts, tool calls, and a fixed sum for each picture."""
    return sum(MESSAGE_TOKENS + _content_tokens(message.content) + _call_tokens(message) for message in messages)


def approximate_tokens(text: str) -> int:
    """Estimate the tokens of `text` without a vocabulary: 0.75 an ideograph, 0.3 any other character, rounded up."""
    ideographs = sum(IDEOGRAPHS[0] <= char <= IDEOGRAPHS[1] for char in text)
    return -int(-(ideographs * TOKENS_PER_IDEOGRAPH + (len(text) - ideographs) * TOKENS_PER_OTHER) // 1)


def _content_tokens(content: str | list[Any]) -> int:
    if isinstance(content, str):
        return count_tokens(content)
    return sum(_block_tokens(block) for block in content)


def _block_tokens(block: str | dict[str, Any]) -> int:
    if isinstance(block, str):
        return count_tokens(block)
    if block.get("type") in {"image", "image_url"}:
        return IMAGE_TOKENS
    return count_tokens(str(block.get("text") or ""))


def _call_tokens(message: BaseMessage) -> int:
    calls = message.tool_calls if isinstance(message, AIMessage) else ()
    return sum(count_tokens(call["name"] + json.dumps(call["args"], ensure_ascii=False)) for call in calls)


def _encoding() -> Encoding | None:
    with _loading:
        return _load()


@cache
def _load() -> Encoding | None:
    package = package_dir("dashscope")
    vocabulary = package / "resources" / "qwen.tiktoken" if package else None
    if vocabulary is None or not vocabulary.is_file():
        return None
    try:
        return _read(vocabulary)
    except ImportError:
        return None


def _read(vocabulary: Path) -> Encoding:
    """Build the encoding straight from its file: importing `dashscope` for it would take a second and 60 MB."""
    from tiktoken import Encoding

    lines = (line.split() for line in vocabulary.read_bytes().splitlines() if line)
    ranks = {base64.b64decode(token): int(rank) for token, rank in lines}
    return Encoding("qwen", pat_str=QWEN_PATTERN, mergeable_ranks=ranks, special_tokens={})
