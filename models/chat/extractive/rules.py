"""The words by which a question is understood: which kind of answer it wants, and what it says beside its subject."""

from __future__ import annotations

import re
from typing import Final

_MONTHS = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBERS = "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|hundred|thousand|million|half|dozen"
_WHAT = r"\b(?:what|which) (?:\w+ )?"

ANSWER_TYPES: Final = [(re.compile(asked, re.IGNORECASE), re.compile(held, re.IGNORECASE)) for asked, held in (
    (rf"\bwhen\b|{_WHAT}(?:time|year|date|day|month|decade|century|period)\b|\bhow (?:long|old|often)\b"
     "|什么时候|何时|多久|[哪几]一?个?(?:年|天|月|日|号|点|世纪|年代|时期)|年份|日期|时间",
     rf"\d|\b(?:{_MONTHS}|\w+day|noon|midnight|century|(?:year|month|week|day|hour|minute)s?)\b"
     "|[零〇一二三四五六七八九十]+[年月日天]|世纪"),
    (rf"\bhow (?:many|much|far|high|tall|big|large|fast|deep|heavy|wide)\b|{_WHAT}(?:percentage|number|amount|share"
     r"|age|price|cost|temperature|population|size|rate)\b|多少|几[^乎]|多[大长高远深宽重]|比例|数量|金额|价格|面积",
     rf"\d|\b(?:{_NUMBERS})\b|[零一二两三四五六七八九十百千万亿半]"),
    (r"\b(?:who|whose|whom)\b|谁|哪位|何人|[哪什]么?[些个]?人",
     r"(?-i:(?<=[a-z,;:] )[A-Z][\w.'’-]+|^[A-Z]\w+ [A-Z]\w+)|[\u4e00-\u9fff]"),
    (rf"\bwhere\b|{_WHAT}(?:city|country|state|place|town|region|river)\b|哪里|哪儿|何[地处]|什么地方"
     "|哪个?(?:城市|国家|省|市|县|地区)",
     r"(?-i:\b(?:in|at|from|to|near|of|on|into|across) (?:the )?[A-Z0-9])|\blocated\b"
     r"|\b(?:behind|beneath|beside|inside|under|near|opposite|next to)\b|[省市县区镇乡村国州岛洲山河湖街路港号楼室]"),
    (r"\bwhy\b|为什么|为何|原因",
     r"\b(?:because|due to|so that|since|reason|cause|therefore|result)|因|由于|所以|为了|导致|使得"),
)]  # fmt: skip
"""How kinds of answer (time, number, person, place, reason) are asked for, and how a sentence that holds one looks."""

ASKING: Final = re.compile(
    r"\b(?:what|who|where|when|how)['’]s\b|\b(?:what|which) (?:kind|sort|type)s?\b|\bhow \w+\b"
    r"|\b(?:how|called|named?|tell|give|please|there|does)\b"
    r"|\b(?:documents?|files?|say|says|said|mention(?:s|ed)?|about|anything|according)\b"
    "|什么时候|什么样|什么|哪[一些个位种类里儿年天家座条]*|谁|多少|多久|多[大长高远深宽重]|几[个位种点次]?|怎么样?|怎样|如何|为何"
    "|是否|有没有|能不能|可以|请问|告诉|关于|根据|分别|具体|文档|文件|提到|[吗呢吧呀啊请的了是在有叫我]",
    re.IGNORECASE,
)
"""Words that ask, or name the file asked in, and say nothing of what is asked about."""

PLACE_ASKED: Final = re.compile(
    r"\b(?:which|what) (?:page|chapter|section)s?\b(?: number)?|[这那它是]*(?:在|出自)?(?:第几|哪一?)[页章节]",
    re.IGNORECASE,
)
"""How one asks where an answer stands; nothing of a subject is left beside it."""

_DENIES = re.compile(r"\b(?:not|never|cannot|except)\b|n['’]t\b|没有|不(?!同|过|久|但|仅|断|少)", re.IGNORECASE)
_DENIED = re.compile(
    r"\b(?:no|not|never|cannot|without|none|neither|nor|nothing|unable|except|rarely|un(?!der|i|til)\w{4,}|non-?\w{3,})\b"
    "|n['’]t\\b|[不没未无非勿禁]",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)\b|第[一二三四五六七八九十\d]+")
_PREFIXES: Final = ("un", "in", "im", "ir", "dis", "non", "non-", "anti", "anti-", "ab", "mis")
_OPPOSITES: Final = [pair.split("/") for pair in (
    "before/after strong/weak higher/lower highest/lowest most/least increase/decrease male/female men/women "
    "former/current minimum/maximum north/south east/west northern/southern eastern/western older/newer oldest/newest "
    "larger/smaller largest/smallest earliest/latest best/worst win/lose won/lost buy/sell import/export above/below "
    "internal/external longest/shortest 最高/最低 最大/最小 最多/最少 最早/最晚 最长/最短 男性/女性 "
    "以上/以下 之前/之后 增加/减少 上升/下降 南部/北部 东部/西部 买方/卖方 进口/出口 收入/支出"
).split()]  # fmt: skip


def contradicts(question: str, sentence: str) -> bool:
    """Tell whether a question denies, counts or turns round something that the sentence says otherwise.

    >>> contradicts("Which pets are not allowed?", "Dogs are allowed."), contradicts("第二名是谁？", "第一名是周蕙。")
    (True, True)
    """
    if _DENIES.search(question) and not _DENIED.search(sentence):
        return True
    asked, said = set(re.findall(r"[a-z-]{4,}", question.lower())), set(re.findall(r"[a-z-]{4,}", sentence.lower()))
    turned = any(
        prefix + one in other - mine
        for mine, other in ((asked, said), (said, asked))
        for one in mine
        for prefix in _PREFIXES
    )
    for pair in _OPPOSITES:
        asks, says = ([re.search(rf"(?<![a-z]){word}(?![a-z])", text.lower()) is None for word in pair]
                      for text in (question, sentence))  # fmt: skip
        turned |= sum(asks) == sum(says) == 1 and asks != says
    first, second = set(_ORDINAL.findall(question.lower())), set(_ORDINAL.findall(sentence.lower()))
    return turned or bool(first and second and first.isdisjoint(second))
