"""How questions are understood: what they are about, which kind of answer they want, what they keep of those before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from domain.text import STOPWORDS, base_terms, has_han
from domain.types import NESTING

_WHAT = r"\b(?:what|which) (?:\w+ )?"

ANSWER_TYPES: Final = [(re.compile(asked, re.IGNORECASE), re.compile(held, re.IGNORECASE)) for asked, held in (
    (rf"\bwhen\b|{_WHAT}(?:time|year|date|day|month|century|percentage|number|amount|share|price|cost|age|size|rate)\b"
     r"|\bhow (?:long|old|often|many|much|far|high|tall|big|large|fast|deep|heavy|wide)\b"
     "|什么时候|何时|[多几][^乎]|[哪几]一?个?[年天月日号点]|年份|日期|时间|数量|金额|价格|比例|面积",
     r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|twelve|hundred|thousand|million|half|dozen|century|noon"
     r"|midnight|\w+day|January|February|March|April|May|June|July|August|September|October|November|December"
     r"|(?:year|month|week|day|hour|minute)s?)\b|[零〇一二三四五六七八九十百千万亿两半]|世纪"),
    (r"\b(?:who|whose|whom)\b|谁|哪位|何人|[哪什]么?[些个]?人",
     r"(?-i:(?<=[a-z,;:] )[A-Z][\w.'’-]+|^[A-Z]\w+ [A-Z]\w+)|[\u4e00-\u9fff]"),
    (rf"\bwhere\b|{_WHAT}(?:city|country|state|place|town|region|river)\b|哪里|哪儿|何[地处]|什么地方"
     "|哪个?(?:城市|国家|省|市|县|地区)",
     r"(?-i:\b(?:in|at|from|to|near|of|on|into|across) (?:the )?[A-Z0-9])"
     r"|\b(?:located|behind|under|near|opposite)\b|[省市县区镇乡村国州岛洲山河湖街路港号楼室]"),
)]  # fmt: skip
"""How kinds of answer (figure, person, place) are asked for, and how a sentence that holds one looks."""

ASKING: Final = re.compile(
    r"\b(?:what|who|where|when|how)['’]s\b|\b(?:what|which) (?:kind|sort|type)s?\b|\bhow \w+\b"
    r"|\b(?:called|named?|tell|give|please)\b"
    r"|\b(?:documents?|files?|say|says|said|mention(?:s|ed)?|about|anything|according)\b"
    r"|\b(?:quote|cite|exact|words|wording|sentence|original|contain(?:s|ed)?|happen(?:s|ed)?)\b"
    r"|\bof (?:the|these|both) (?:two )?files\b"
    "|引用|摘录|原[文话]|出来|[一两]句话?|[说讲]过?的话|包含|发生|哪份"
    "|为什么|什么时候|什么样|什么|哪[一些个位种类里儿年天家座条]*|谁|多少|多久|多[大长高远深宽重]|几[个位种点次]?|怎么样?|怎样|如何|为何"
    "|是否|有没有|能不能|可以|请问|告诉|关于|根据|分别|具体|文档|文件|提到|[吗呢吧呀啊请的了是在有叫我它他她那]",
    re.IGNORECASE,
)
"""Words that ask, or name the file asked in, and say nothing of what is asked about."""

FILE_WORDS: Final = r"(?:files?|documents?|attachments?|文件|文档|附件|材料|资料)"
_ORDINALS: Final = (
    "first|1st|第[一1]",
    "second|2nd|第[二2两]",
    "third|3rd|第[三3]",
    "fourth|4th|第[四4]",
    "fifth|5th|第[五5]",
)
_COUNTED = "|".join(_ORDINALS)
_IN_FILE = re.compile(
    rf"\b(?:in |from |of )?the (?P<en>{_COUNTED}|last) (?:\w+ )?{FILE_WORDS}\b,?"
    rf"|在?(?P<zh>{_COUNTED}|最后一)[个份篇]{FILE_WORDS}[里中内上]?[，,]?",
    re.IGNORECASE,
)


def files_named(question: str, names: Sequence[str]) -> list[int]:
    """Return the places, among the `names` of the files that were sent, of those that a question names or counts out.

    Files inside files are not counted.

    >>> files_named("Who leads it in the second file?", ["a.pdf", "b.pdf"]), files_named("a.pdf讲了什么？", ["a.pdf"])
    ([1], [0])
    """
    if found := _IN_FILE.search(question):
        said, sent = found["en"] or found["zh"], [place for place, name in enumerate(names) if NESTING not in name]
        counted = [place for place, words in enumerate(_ORDINALS) if re.fullmatch(words, said, re.IGNORECASE)]
        return sent[counted[0] :][:1] if counted else sent[-1:]
    return [place for place, name in enumerate(names) if "." in name and name.lower() in question.lower()]


def without_file(question: str) -> str:
    """Return a question without the words that count out a file, as it is looked for in that file.

    >>> without_file("第二个文件里，西区仓库由谁管理？"), without_file("In the second file, what is the revenue?")
    ('西区仓库由谁管理？', 'what is the revenue?')
    """
    return _IN_FILE.sub(" ", question).strip()


LONGEST_APART: Final = 2000
"""A longer message, in characters, is looked for whole: it brings text of its own, and patterns have to end in time."""
MOST_APART: Final = 3
"""Questions of one message, or things to compare, that are looked for one by one."""
_NEXT_QUESTION = re.compile(r"(?<=[?？])\s*(?=\S)|,?\s+and (?=(?:what|who|when|where|which|how|why)\b)", re.IGNORECASE)
_COMPARES = re.compile(
    r"\b(?:compar|differ)|\b(?:or|versus|vs|the two of them)\b|\b(?:between|both)\b.*\band\b"
    "|比较|对比|区别|不同|差别|相比|还是|哪[个家种位].{0,4}更",
    re.IGNORECASE,
)
_THING = r"(?:the |an? )?((?:[A-Z][\w.&'’-]*(?: [A-Z][\w.&'’-]*)*)|[\w-]+(?: [\w-]+)?)"
_PAIR = re.compile(
    rf"(?:(?<=between )|(?<=of )|(?<=compare )|(?<=, )){_THING},? (?:and|or|with|to|vs\.?|versus) {_THING}(?=\W*$)"
)
_PAIR_ZH = re.compile(
    r"(?:比较|对比)?(?:一下)?([^，。？、\s]{1,12}?)(?:和|与|跟|还是)([^，。？、\s]{1,12}?)(?=的|有|哪|谁|相比|之间|在|分别|$|[，？?])"
)

_NAME = re.compile(r"(?<=[\w,;] )(?:[A-Z][\w&.'’-]*(?: (?=[A-Z]))?)+")
_NUMBER = re.compile(r"\d[\d.,]*(?:年|月|号|日|st|nd|rd|th)?")
_PRONOUN = re.compile(r"\b(?:it|its|they|them|their|he|him|his|she|her|hers|that|this)\b|[它他她其该]", re.IGNORECASE)


def carried(before: str, question: str) -> str:
    """Return what a question keeps of those that it leans on: their subject, without names and numbers that it renews.

    >>> carried("What is the total for Ann Lee?", "And for Bob Day?"), carried("Who built Tern Bridge?", "Is it long?")
    ('total', 'Tern Bridge')
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
    kept = ASKING.sub(" ", before).split()
    return " ".join(word for word in kept if word.lower() not in STOPWORDS).strip("?？ ")


def content(text: str) -> list[str]:
    """Return the distinct terms of a question that say what it is about, in order.

    >>> content("How much is the deposit?"), content("押金是多少？")
    (['deposit'], ['押', '金', '押金'])
    """
    return list(dict.fromkeys(base_terms(ASKING.sub("\n", text))))


def asked_apart(question: str, follows: str = "") -> list[tuple[str, str]]:
    """Return what is to be looked for one by one, each with what it leans on: questions, or things to compare.

    >>> asked_apart("比较一下甲店和乙店的销量"), asked_apart("押金和租金是多少？")
    ([('甲店', '的销量'), ('乙店', '的销量')], [('押金和租金是多少？', '')])
    """
    if len(question) > LONGEST_APART:
        return [(question, follows)]
    questions = [part.strip() for part in _NEXT_QUESTION.split(question) if content(part)]
    if 1 < len(questions) <= MOST_APART:
        return [(part, "") for part in questions]
    if not _COMPARES.search(question):
        return [(question, follows)]
    pair = _PAIR_ZH.search(question) or _PAIR.search(question)
    names = list(dict.fromkeys(name.strip() for name in _NAME.findall(f"{follows} {question}")))
    things = [group.rstrip(".") for group in pair.groups() if group] if pair else names
    if not 1 < len(things) <= MOST_APART:
        return [(question, follows)]
    rest = question.replace(pair[0], " ") if pair else question
    return [(thing, f"{_NAME.sub(' ', follows)} {rest}".strip()) for thing in things]
