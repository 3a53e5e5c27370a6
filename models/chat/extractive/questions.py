"""What a message asks: several questions in one, or about a subject in a file ("what does it say about X?")."""

from __future__ import annotations

import re
from typing import Final

from models.chat.extractive.arguments import zh_number
from models.chat.extractive.text import question_terms

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
        rf"\b(?:(?:on )?which (?:page|section|chapter|part)s?|where)\b.{{0,12}}?\b(?:{_FILE}\b.{{0,6}})?"
        r"(?:talks?|speaks?|mentions?|deals?|says?|discuss(?:es)?|cover(?:s|ed)?|mentioned|discussed)"
        r"(?: (?:about|of|with))? (?P<topic>.+)",
        r"第?(?:哪|几)(?:一)?(?:页|章|节|部分|段).{0,4}?(?:提到|提及|讲到?|说到?|写到?|介绍)了?(?P<topic>.{1,20})$",
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


_PAGE_COUNT = re.compile(
    rf"\bhow many pages (?:are there|long|(?:does|do|is|are|in)\b.{{0,15}}?\b{_FILE})\b"
    rf"|\bhow long (?:is|are) (?:the |this |that |my )?{_FILE}\W*$|\bnumber of pages\b"
    r"|^.{0,12}?(?:有|共|是)(?:多少|几)页[？?。吗呢]*$|页数",
    re.IGNORECASE,
)
_PAGE = re.compile(r"\bpage (\d{1,4})\b|第\s*(\d{1,4}|[一二三四五六七八九十]{1,3})\s*页", re.IGNORECASE)
_ABOUT_PAGE = re.compile(
    rf"\W|\b(?:what(?:'s| is| are| does| do)?|is|on|in|of|the|this|that|please|give|me|show|tell|summar\w+|say"
    rf"|says|about|written|there|content|contents|contain|contains|overview|an?|{_FILE})\b"
    r"|这份|文档|文件|里|中|上|面|的|内容|讲|写|说|了|着|有|是|些|什么|啥|哪些|主要|总结|概括|一下|请|呢|吗",
    re.IGNORECASE,
)


def asks_page_count(question: str) -> bool:
    """Tell whether a question asks how many pages a file has."""
    return bool(_PAGE_COUNT.search(question))


def page_meant(question: str) -> int:
    """Return the number of the page that a question is about as a whole, 0 when it is about something else.

    >>> page_meant("What is on page 12?"), page_meant("第三页讲了什么？"), page_meant("Who is named on page 12?")
    (12, 3, 0)
    """
    found = _PAGE.search(question)
    if not found or _ABOUT_PAGE.sub("", _PAGE.sub("", question)):
        return 0
    written = found[1] or found[2]
    return int(written) if written.isdigit() else zh_number(written)


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
