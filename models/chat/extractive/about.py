"""Questions about the bundled reader itself, and requests that it cannot serve: answered by a fixed text."""

from __future__ import annotations

import re
from typing import Final

from domain.words import Words
from models.chat.extractive import replies
from models.chat.extractive.text import words

WRITING_CHARS: Final = 300
"""A longer message brings a text of its own and is no mere request."""

_POLITE = r"^\W*(?:(?:please|kindly|can you|could you|would you|will you|i want you to|help me(?: to)?|now)\W+)*"
_POLITE_ZH = "^(?:请|麻烦|帮我?|给我|替我|你|能不能|能|可以|再|用.{1,6}?|一下|来)*"
_OBJECT = r"(?: me)?(?: (?:an?|the|this|that|some|my|your))? "
_PATTERNS: Final = tuple(
    (re.compile(pattern, re.IGNORECASE), text)
    for pattern, text in (
        (
            r"^\W*(?:hi|hello|hey)?\W*how (?:are you(?: doing)?(?: today)?|is it going|do you do)\W*$"
            r"|^\W*how's it going\W*$|^\W*what's up\W*$"
            r"|^\W*(?:你好吗|最近(?:怎么样|好吗|如何)|你(?:最近|今天)?(?:怎么样|还好吗|过得好吗))\W*$",
            replies.HOW_ARE_YOU,
        ),
        (
            r"\bhow (?:do|can|could|should) (?:i|we|one) (?:upload|attach|send|add|share)(?: (?:you|an?|my|the|some))*"
            r" (?:files?|documents?|pdfs?|pictures?|images?|photos?)\b"
            r"|(?:怎么|怎样|如何)(?:上传|发送|添加)(?:我的|一?个|一?份|一?张)?(?:文件|文档|图片|照片|资料|PDF)?[？?呢吗]*$",
            replies.UPLOADING,
        ),
        (
            r"\b(?:what|which) languages? (?:do|can) you\b"
            r"|\b(?:do|can) you (?:speak|understand|talk|answer|read) (?:in )?(?:english|chinese|mandarin|french|german"
            r"|spanish|japanese|other languages)\b"
            r"|你(?:会|能|可以|懂)(?:不会|不能)?[说讲听用]?(?:什么|哪些|几种)?(?:中文|英文|英语|汉语|普通话|法语|德语|日语|语言)",
            replies.LANGUAGES,
        ),
        (
            rf"{_POLITE}(?:(?:translate|rewrite|paraphrase|proofread)\b|(?:compose|draft|invent|write|code|program)"
            rf"(?!.{{0,30}}\b(?:summar\w+|overview)\b){_OBJECT})"
            rf"|{_POLITE_ZH}(?:翻译(?!者|家|的|了)|改写|润色|续写|作诗|编(?:一?个|一?段|故事)"
            r"|写(?!.{0,8}(?:总结|概括|概述|摘要))(?:一|首|篇|段|个|封|份|代码|诗)"
            r"|把.{1,40}(?:翻译|译|改写)成)",
            replies.NO_WRITING,
        ),
    )
)


def about_itself(question: str) -> Words | None:
    """Return what to say to a question about the reader itself or a request to write, None for any other message."""
    if len(question) > WRITING_CHARS:
        return None
    return next((text for pattern, text in _PATTERNS if pattern.search(question)), None)


def says_nothing(question: str) -> bool:
    """Tell whether a message holds no word at all ("?", "...")."""
    return not words(question) and not any(character.isalpha() for character in question)
