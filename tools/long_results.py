"""Results that are too long for a prompt: what the model gets of them, and how the rest is cut into pages."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from domain.tokens import count_tokens
from domain.types import Source
from domain.words import Language, Words

PAGE_CHARS_A_TOKEN = 1.2
"""Characters of a page by tokens allowed: Chinese has about 1.3 to a token, English 4."""
END_CHARS = 400
KEPT = Words(
    "The result is long: {chars} characters, about {tokens} tokens. All of it is kept as {id!r}; "
    "read_result gives its {pages} pages. {shape}It begins:",
    "结果较长：{chars} 个字符，约 {tokens} 个 token。全文已保存为 {id!r}，"
    "可用 read_result 按页读取，共 {pages} 页。{shape}开头如下：",
)
CUT = Words(
    "The result is long: {chars} characters, about {tokens} tokens; the rest could not be kept. {shape}It begins:",
    "结果较长：{chars} 个字符，约 {tokens} 个 token；其余部分未能保存。{shape}开头如下：",
)
ENDS = Words("It ends:", "结尾如下：")
LIST = Words("It is a JSON list of {count} items. ", "内容是含 {count} 项的 JSON 列表。")
RECORDS = Words(
    "It is a JSON list of {count} objects with {names}. ", "内容是含 {count} 个对象的 JSON 列表，字段有 {names}。"
)
OBJECT = Words("It is a JSON object with {names}. ", "内容是 JSON 对象，字段有 {names}。")
MOST_NAMES = 20


def page_chars(budget: int) -> int:
    """Return how many characters a page has, so that `budget` tokens hold it in either language."""
    return int(budget * PAGE_CHARS_A_TOKEN)


def is_long(text: str, sources: Sequence[Source], budget: int) -> bool:
    """Tell whether a result takes more than `budget` tokens; counts nothing where its length says it already."""
    chars = len(text) + sum(len(source["text"]) for source in sources)
    return chars > budget and count_tokens(text) + sum(count_tokens(item["text"]) for item in sources) > budget


def whole_text(text: str, sources: Sequence[Source]) -> str:
    """Return everything that a result says."""
    return "\n\n".join([text, *(f"{source['name']}\n{source['text']}" for source in sources)])


def synopsis(whole: str, result_id: str, budget: int, language: Language) -> str:
    """Return what the model gets instead: size, shape, beginning and end, within about half of `budget` tokens.

    Without an id the rest is lost, and the text says so.
    """
    chars = page_chars(budget) // 2
    words = KEPT if result_id else CUT
    head = words.text(language).format(
        chars=len(whole), tokens=count_tokens(whole), id=result_id, pages=-(-len(whole) // page_chars(budget)),
        shape=_shape(whole, language),
    )  # fmt: skip
    return f"{head}\n{whole[:chars]}\n…\n{ENDS.text(language)}\n{whole[-END_CHARS:]}"


def _shape(text: str, language: Language) -> str:
    """Say what JSON it is; nothing of other text."""
    if not text.lstrip().startswith(("[", "{")):
        return ""
    try:
        value: Any = json.loads(text)
    except ValueError:
        return ""
    first = value[0] if isinstance(value, list) and value else value
    names = ", ".join(list(map(str, first))[:MOST_NAMES]) if isinstance(first, dict) else ""
    if isinstance(value, list):
        return (RECORDS if names else LIST).text(language).format(count=len(value), names=names)
    return OBJECT.text(language).format(names=names) if names else ""
