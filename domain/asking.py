"""What a question is about: its terms without the words that ask, and what a follow-up keeps of the one before."""

from __future__ import annotations

import re
from typing import Final

from domain.text import base_terms, has_han

ASKING: Final = re.compile(
    r"\b(?:what|who|where|when|how)['’]s\b|\b(?:what|which) (?:kind|sort|type)s?\b|\bhow \w+\b"
    r"|\b(?:how|called|named?|tell|give|please|there|does)\b"
    r"|\b(?:documents?|files?|say|says|said|mention(?:s|ed)?|about|anything|according)\b"
    r"|\b(?:quote|cite|contain(?:s|ed)?|of (?:the|these|both) (?:two )?files)\b|引用|摘录|原文|原话|包含|哪份"
    "|为什么|什么时候|什么样|什么|哪[一些个位种类里儿年天家座条]*|谁|多少|多久|多[大长高远深宽重]|几[个位种点次]?|怎么样?|怎样|如何|为何"
    "|是否|有没有|能不能|可以|请问|告诉|关于|根据|分别|具体|文档|文件|提到|[吗呢吧呀啊请的了是在有叫我它他她那]",
    re.IGNORECASE,
)
"""Words that ask, or name the file asked in, and say nothing of what is asked about."""

_NAME = re.compile(r"(?<=[\w,;] )(?:[A-Z][\w&.'’-]*(?: (?=[A-Z]))?)+")
_NUMBER = re.compile(r"\d[\d.,]*(?:年|月|号|日|st|nd|rd|th)?")
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|hers|that|this)\b|[它他她其该]", re.IGNORECASE)
_VERB = re.compile(r"\b(?:wh(?:o|at|y|en|ere|ich)|how|is|are|was|were|do|does|did|has|have|the)\b", re.IGNORECASE)


def carried(before: str, question: str) -> str:
    """Return what a question keeps of those that it leans on: their subject, without names and numbers that it renews.

    >>> carried("What is the total for Ann Lee?", "And for Bob Day?"), carried("Who built Tern Bridge?", "Is it long?")
    ('total for', 'Tern Bridge')
    >>> carried("云栖塔是谁主持修建的？", "它有多高？"), carried("2020年的净利润是多少？", "2019年呢？")
    ('云栖塔', '净利润')
    """
    if _PRONOUN.search(question):
        last = before.rstrip("?？ ").replace("？", "?").rpartition("?")[2]
        before = (
            " ".join(_NAME.findall(last)) or (ASKING.sub("\n", last).split() or [last])[0] * has_han(last) or before
        )
    for shape in (_NAME, _NUMBER):
        if shape.search(question):
            before = shape.sub(" ", before)
    return " ".join(_VERB.sub(" ", ASKING.sub(" ", before)).split()).strip("?？ ")


def content(text: str) -> list[str]:
    """Return the distinct terms of a question that say what it is about, in order.

    >>> content("How much is the deposit?"), content("押金是多少？")
    (['deposit'], ['押', '金', '押金'])
    """
    return list(dict.fromkeys(base_terms(ASKING.sub("\n", text))))
