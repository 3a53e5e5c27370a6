"""What the user said of themselves earlier: statements only, no greetings, requests or questions."""

from __future__ import annotations

import re
from collections.abc import Sequence

from models.chat.extractive.text import split_sentences

_KEPT_IN_MIND = re.compile(
    r"^\W*(?:please |do )?(?:remember|note|keep in mind|don't forget)\b|^\W*请?(?:记住|记得|注意)", re.I
)
_GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|howdy|thanks?|thank you|ok(?:ay)?|great|cool|sure|yes|no|bye|goodbye|good (?:morning"
    r"|afternoon|evening"
    r"|night)|nice to meet you)\b[^,.!]{0,15}\W*$"
    r"|^\W*(?:你好|您好|嗨|早上好|早安|下午好|晚上好|谢谢|多谢|好的?|行|再见|在吗|不客气|嗯+).{0,4}$",
    re.I,
)
_REQUEST = re.compile(
    r"^\W*(?:(?:please|kindly|now|then|and|also|just|can you|could you|would you|will you|can i|may i|let's|let me"
    r"|i want you to"
    r"|i(?:'d| would) like you to)\W+)*(?:look|read|see|check|summari[sz]e|sum|tell|give|show|list|find|search"
    r"|explain|describe"
    r"|translate|write|open|calculate|compute|compare|extract|try|answer|help|make|draft|convert|analy[sz]e|review"
    r"|use|stop"
    r"|repeat|continue|ignore|send|take|have a look|quote|count|here(?:'s| is| are)|speak|say|reply|respond|act|be)\b"
    r"|\bplease\W*$"
    r"|^\W*(?:(?:请|麻烦|帮我?|给我|替我|你|能|可以|再|先|现在|那|一下)+)?(?:看|读|总结|概括|归纳|告诉|列出|找|查|搜"
    r"|解释|描述|翻译|写"
    r"|打开|计算|算|比较|提取|分析|回答|介绍|识别|见附件|这是附件|帮|扮演|用.{1,6}回答)",
    re.I,
)
_QUESTION = re.compile(
    r"[?？]\s*$|^\W*(?:who|what|when|where|which|why|how|whose|is|are|was|were|do|does|did|can|could|would|will|has"
    r"|have) "
    r"(?!to\b)|(?:吗|呢|什么|多少|哪里|哪儿|怎么样)[。！\s]*$|^(?:什么|谁|哪|几点|多少|怎么|为什么|如何)|叫什么|是什么|什么名字|是谁|在哪",
    re.I,
)
_FIRST = re.compile(
    r"\bmy (?:very )?first (?:question|message|sentence)\b|\bdid i (?:first|start by) (?:ask|say)"
    r"|\bdid i (?:ask|say|write)(?: you)? (?:at )?(?:first|the beginning)\b|我(?:最先|最初|最开始|一开始|首先)(?:问|说)"
    r"|我(?:的|问的"
    r"|说的)?第一(?:个问题|句话|条消息|个问的)",
    re.I,
)
_LATEST = re.compile(
    r"\bwhat (?:did|have) i (?:just )?(?:say|said|ask|asked|write|wrote)(?: you)?(?: just now| before| last)?\W*$"
    r"|\bmy (?:last|previous) (?:question|message)\b|我(?:刚才|刚刚|之前|上一?次|上一?句)(?:说|问|讲|提"
    r"|发)了?你?(?:的?是)?(?:什么|啥|哪)"
    r"|我(?:的)?上一?(?:个问题|句话|条消息)",
    re.I,
)
_HEARD = re.compile(
    r"^\W*(?:(?:hm+|ah|oh|ok(?:ay)?|i see|got it|great|cool|nice|all ?right|fine|good|perfect|understood"
    r"|interesting|never ?mind|forget (?:it|that)|no problem|no worries)\W*)+$"
    r"|^\W*(?:(?:嗯+|哦+|噢|好的?|行|可以|明白了?|知道了?|了解了?|收到|懂了|原来如此|不错|算了|没事|没关系)\W*)+$",
    re.I,
)
_EVERYTHING = re.compile(
    r"\bwhat (?:do|did|have|else do) you (?:know|remember|learn(?:ed|t)?|heard?)(?: \w+)? (?:about|of) me\b"
    r"|\bwhat (?:have|did) i (?:told?|tell) you(?: so far| about (?:me|myself))?\W*$"
    r"|你(?:都|还)?(?:知道|记得|了解)(?:关于)?我的?(?:哪些|什么|多少|啥)|我(?:都)?告诉过?(?:了)?你(?:哪些|什么|啥)",
    re.I,
)
_MINE = re.compile(r"\b(?:i|my|me|mine|i'm|we|our|us)\b|我|咱|俺", re.I)


def statements(said: Sequence[str]) -> list[str]:
    """Return the sentences that state something, newest message first.

    >>> statements(["Hello! My name is Ann.", "Please read this.", "Who wrote it?"])
    ['My name is Ann.']
    """
    return [
        sentence.text for message in reversed(said) for sentence in split_sentences(message) if _states(sentence.text)
    ]


def recalled(question: str, said: Sequence[str]) -> str:
    """Return the message that a question like "what was my first question?" asks for, empty when it asks for none."""
    if said and _FIRST.search(question):
        return said[0]
    return said[-1] if said and _LATEST.search(question) else ""


def asks_everything(question: str) -> bool:
    """Tell whether a question wants all that the user said of themselves."""
    return bool(_EVERYTHING.search(question))


def acknowledges(text: str) -> bool:
    """Tell whether a message only says that the answer was heard ("hm, ok")."""
    return bool(_HEARD.match(text))


def about_the_user(question: str) -> bool:
    """Tell whether a question speaks of the user."""
    return bool(_MINE.search(question))


def _states(sentence: str) -> bool:
    if _KEPT_IN_MIND.search(sentence):
        return True
    if sentence.isascii() and len(sentence.split()) < 2:
        return False
    return not any(pattern.search(sentence) for pattern in (_GREETING, _REQUEST, _QUESTION))
