"""What a message asks: several questions in one, or about a subject in a file ("what does it say about X?")."""

from __future__ import annotations

import re
from typing import Final

from models.chat.reader_text import question_terms

MAX_QUESTIONS: Final = 3
TOPIC_CHARS: Final = 60

_NEXT_QUESTION = re.compile(
    r"(?<=[?？])\s*(?=\S)|,?\s+and (?=(?:what|who|when|where|which|how|why)\b)|[，,；;]\s*(?:以及|还有|并且|同时|另外)",
    re.IGNORECASE,
)
_FILE = (
    r"(?:documents?|files?|reports?|contracts?|papers?|articles?|texts?|letters?|pdfs?|attachments?|pages?"
    r"|manual|handbook|it|they)"
)
_TRAILING = re.compile(r"(?:有什么|有哪些|是什么|有没有|没有|的内容|的规定|的部分|怎么|如何|了).*$|[ ,，“”\"'的]+$")
_TOPIC = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\bwhat (?:does|do|did|is|was)\b.{{0,25}}?\b{_FILE}\b.{{0,15}}?\b(?:say|says|said|mention|state|tell"
        rf"|written|write|have)\b"
        r"(?: (?:us|me|anything|something))? (?:about|on|regarding|concerning|of) (?P<topic>.+)",
        rf"\b(?:does|do|did)\b.{{0,25}}?\b{_FILE}\b (?:say|mention|contain|state|have) (?:anything"
        rf"|something)? ?(?:about|on|regarding) (?P<topic>.+)",
        rf"\b(?:does|do|did) (?:{_FILE}|(?:the|this|my) \w+) mention (?P<topic>.+)",
        r"\b(?:is|are) there (?:anything|something|any information|information|a (?:section|passage|word)) (?:about"
        r"|on|regarding) (?P<topic>.+)",
        r"\b(?:tell me|find|show me|search for|look for|quote)(?: \w+){0,3}? (?:about|on|regarding"
        r"|mentioning) (?P<topic>.+)",
        r"(?:关于|对于?|有关|就)(?P<topic>.{1,20}?)(?:，|,)?(?:文档|文件|合同|报告|文中|里面|里|手册|它)?(?:里|中"
        r"|上)?(?:是|有)?(?:怎么|如何|咋)?(?:说|写|规定|提到|讲|描述)"
        r"(?:了|的|过)?(?:什么|哪些|啥)?(?:内容|规定|信息)?(?:的|吗)?$",
        r"(?:文档|文件|合同|报告|文中|里面|文章|手册|它)(?:里|中|上)?(?:对|关于|有没有|是否|有)?(?:关于|提到|提及"
        r"|写到|说到|讲到|写|说|讲)(?:了|过)?(?P<topic>.{1,20}?)(?:的(?:内容|部分|信息|规定))?(?:吗|没有|没)?$",
        r"(?:文档|文件|合同|报告|文中|里面|文章|手册|它)(?:里|中|上)?(?:对|关于"
        r"|对于)(?P<topic>.{1,20}?)(?:是)?(?:怎么|如何|有什么|有哪些|说|写)",
        r"(?:讲讲|说说|介绍一?下?|谈谈)(?:文档|文件|文中|里面)?(?:里|中)?(?:的|关于)?(?P<topic>.{1,20})$",
    )
]  # fmt: skip


def split_questions(text: str) -> list[str]:
    """Split a message that asks several things; a part too short to be a question stays with the one before."""
    parts: list[str] = []
    for part in _NEXT_QUESTION.split(text):
        if parts and len(question_terms(part)) < 1:
            parts[-1] += part
        elif part.strip():
            parts.append(part.strip())
    return parts if 1 < len(parts) <= MAX_QUESTIONS else [text]


def topic_of(question: str) -> str:
    """Return the subject that a question asks what the files say about, empty when it asks something else.

    >>> topic_of("What does the document say about parking fees?")
    'parking fees'
    >>> topic_of("关于违约金，合同里是怎么规定的？")
    '违约金'
    """
    plain = question.strip().rstrip("?？.。!！ ")
    for pattern in _TOPIC:
        if found := pattern.search(plain):
            topic = _TRAILING.sub("", found["topic"].strip()).strip(" ,，“”\"'的")
            return topic if question_terms(topic) and len(topic) <= TOPIC_CHARS else ""
    return ""
