"""The words by which a question is understood: which kind of answer it wants, or what else."""

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
     r"|\b(?:behind|beneath|beside|inside|under|near|opposite|next to)\b|[省市县区镇乡村国州岛洲山河湖街路港号楼室]"
     "|人(?=[，。、；]|$)"),
    (r"\bwhy\b|为什么|为何|原因",
     r"\b(?:because|due to|so that|since|reason|cause|therefore|result)|因|由于|所以|为了|导致|使得"),
)]  # fmt: skip
"""How kinds of answer (time, number, person, place, reason) are asked for, and how a sentence that holds one looks."""

FILE_ASKED: Final = re.compile(
    r"\b(?:which|what) (?:one )?(?:of [\w ]{3,12} )?(?:files?|documents?)\b|哪[一个份篇]*(?:文件|文档)", re.IGNORECASE
)
MENTIONED: Final = re.compile(
    rf"\b(?:quote|cite)\b|\bmention|\bsays? about\b|引用|摘录|原文|原话|提到|{FILE_ASKED.pattern}", re.IGNORECASE
)
"""How one asks for words, or for the file that has them, rather than for an answer."""
