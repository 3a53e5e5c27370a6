"""What a question is about: its terms without the words that ask, and what a follow-up keeps of the one before."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from domain.text import base_terms, has_han
from domain.types import NESTING

ASKING: Final = re.compile(
    r"\b(?:what|who|where|when|how)['’]s\b|\b(?:what|which) (?:kind|sort|type)s?\b|\bhow \w+\b"
    r"|\b(?:how|called|named?|tell|give|please|there|does)\b"
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


_PLACE = re.compile(
    r"\b(?:which|what) (?:page|chapter|section)s?\b(?: number)?"
    r"|\bwhere (?:exactly )?(?:is|does) (?:it|that) (?:say|stand|written)\w*"
    r"|[这那它是]*(?:在|出自)?(?:第几|哪一?)[页章节]",
    re.IGNORECASE,
)
_WORDS = re.compile(r"\b(?:quote|cite|exact (?:words|wording|sentence))\b|引用|摘录|原[文话]", re.IGNORECASE)

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


def asked_of_answer(question: str) -> Literal["", "place", "words"]:
    """Tell whether a question is about the answer before it: where it stands, or in which words.

    >>> asked_of_answer("Which page is that on?"), asked_of_answer("引用原文"), asked_of_answer("Quote the rule.")
    ('place', 'words', '')
    """
    rest, places = _PLACE.subn(" ", question)
    if content(rest) or not (places or _WORDS.search(question)):
        return ""
    return "place" if places else "words"
