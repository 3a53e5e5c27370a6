"""What a user says of how they want to be answered: few explicit forms, in English and Chinese.

It is held to what `stores.memories.statements` holds memories to: the user's own words, no question, nothing supposed
or quoted. How answers are to look counts where it is meant to last ("from now on", "I prefer", 以后): a request about
one answer is none.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from domain.text import sentences
from privacy.structured import holds_secret
from stores.memories.statements import MOST_MESSAGE, MOST_SENTENCE, is_statement, own_words
from stores.people.profiles import ProfileField

MOST_VALUE: Final = 60
_LASTING = re.compile(
    r"\b(?:always|from now on|from here on|going forward|in (?:the )?future|by default|every time|in general|generally"
    r"|never|i(?: really)? prefer|i like)\b"
    "|以后|今后|往后|从现在(?:起|开始)|一直|总是|始终|默认|每次|永远|我(?:更|比较|很)?(?:喜欢|偏好|希望)",
    re.IGNORECASE,
)
_VERB = "(?:use|be|keep|avoid|answer|reply|respond|write|speak|talk|give|format|explain)"
_OF_ANSWERS = re.compile(
    r"\b(?:answers?|repl(?:y|ies)|respon(?:d|ses?)|explanations?|(?:talk|speak|write) to me|with me|your tone)\b"
    r"|^\W*(?:and |please )*(?:(?:always|never|from now on|going forward|in (?:the )?future|by default),? )?"
    rf"(?:please )?{_VERB}\b"
    "|回答|回复|答复|解释|语气|口吻|[跟和对]我(?:说|讲)|^\\W*(?:请|麻烦|你)*(?:以后|今后|往后|从现在(?:起|开始)|一直|总是|始终|默认"
    "|每次)[都请]*(?:不要|别)?(?:使?用|说|列)",
    re.IGNORECASE,
)
"""What is about answers: it names them, or tells the assistant what to do."""
_OWN_HABIT = re.compile(r"\bi (?:always|never|generally)\b|我(?:一直|总是|始终|每次|永远)", re.IGNORECASE)
_SELF = re.compile(r"\b(?:i|my|call me)\b|我", re.IGNORECASE)


def _form(*patterns: str, exact: bool = False) -> re.Pattern[str]:
    return re.compile("|".join(patterns), 0 if exact else re.IGNORECASE)


_STYLE: Final[dict[ProfileField, tuple[tuple[str, re.Pattern[str]], ...]]] = {
    "language": (
        ("en", _form(r"\bin english\b", "用英[文语]")),
        ("zh", _form(r"\bin (?:chinese|mandarin)\b", "用(?:中文|汉语|普通话)")),
    ),
    "length": (
        ("short", _form(r"\b(?:short|shorter|brief|briefly|concise|concisely|to the point)\b", "简短|简洁|精简|简明")),
        ("long", _form(r"\b(?:long|longer|detailed|thorough|thoroughly|in[ -]depth|in detail)\b", "详细|详尽|深入")),
    ),
}
_TONES = _form(
    r"\b(formal|informal|casual|friendly|polite|direct|blunt|humorous|professional|warm|serious|playful|neutral)(?:ly)?\b",
    "(正式|随意|友好|亲切|幽默|专业|严肃|直接|轻松|礼貌|活泼)",
)
_FORMATS = _form(
    r"\b((?:(?:no|without|avoid|never use|don['’]t use) )?(?:bullet points|bulleted lists?|numbered lists?|lists|tables"
    r"|plain text|markdown|headings|emojis?|step[ -]by[ -]step))\b",
    "((?:不要|别|不|避免)?(?:使?用|带)?(?:要点|列表|表格|纯文本|表情符号|表情|标题|分点|分步骤))",
)
_FACTS: Final[tuple[tuple[ProfileField, re.Pattern[str]], ...]] = (
    (
        "name",
        _form(
            r"(?:\b[Mm]y name(?:['’]s| is)|\b[Cc]all me|\bI go by) ([A-Z][\w'’-]*(?: [A-Z][\w'’-]*)?)",
            "(?:叫我|我叫|我的名字[是叫])([^做我你它这什不吧就了，。！？,.!?\\s]{1,8}?)(?:吧|就好|就行|就可以)*(?=\\W|$)",
            exact=True,
        ),
    ),
    (
        "expertise",
        _form(
            r"\bi(?:['’]m| am) an? (?:expert|specialist) (?:in|on|at|with) ([^,.;!?]{2,60})",
            r"\bi know ([^,.;!?]{2,50}?) (?:very |quite |really )?well\b",
            r"\bi have (?:\d+|many|several) years of experience (?:in|with|as an?) ([^,.;!?]{2,60})",
            r"\bi(?:['’]m| am) an? (?:senior|experienced) ([^,.;!?]{2,50})",
            "我(?:很|非常)?(?:精通|熟悉|擅长)([^，。！？,.]{2,30})",
            "我(?:有|做了?)[\\d一二三四五六七八九十]+年的?([^，。！？,.]{2,20}?)的?经验",
        ),
    ),
    (
        "interests",
        _form(
            r"\bi(?:['’]m| am)(?: very| really)? (?:interested in|passionate about|keen on)"
            r" (?!(?:know|see|learn|hear|find|buy|gett)ing\b)([^,.;!?]{2,60})",
            r"\bmy hobb(?:y is|ies are) ([^.;!?]{2,60})",
            "我对([^，。！？,.]{1,20}?)(?:很|非常|特别|比较)?(?:感兴趣|有兴趣)",
            "我的(?:爱好|兴趣)是([^，。！？,.]{2,30})",
        ),
    ),
    ("time_zone", _form(r"\bmy time ?zone is ([\w/+ -]{2,40})", "我(?:在|的)?的?时区是([^，。！？,.]{2,20})")),
)
_TAIL = re.compile(r"\s+(?:and i|but|because|so|from now on|please)\b.*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Wish:
    """How a user wants to be answered, and the sentence that says so."""

    field: ProfileField
    value: str
    said: str


def may_wish(text: str) -> bool:
    """Tell at a glance whether a message may hold a wish: cheap, and never false where `wishes` finds one."""
    return len(text) <= MOST_MESSAGE and bool(_LASTING.search(text) or _SELF.search(text))


def wishes(text: str) -> list[Wish]:
    """Return how a user wants to be answered, as a message says it.

    >>> [(one.field, one.value) for one in wishes("Call me Ann. From now on keep answers short. 以后请用中文回答我。")]
    [('name', 'Ann'), ('length', 'short'), ('language', 'zh')]
    >>> wishes("Answer in Chinese: what is a tide?") or wishes("I like short stories.") or wishes("以后会下雨吗？")
    []
    """
    if not may_wish(text):
        return []
    found: list[Wish] = []
    for sentence in sentences(own_words(text)):
        if len(sentence) > MOST_SENTENCE or not is_statement(sentence) or holds_secret(sentence):
            continue
        said = sentence.strip()
        for field, pattern in _FACTS:
            if (match := pattern.search(sentence)) and (value := _value(match)):
                found.append(Wish(field, value, said))
        if _LASTING.search(sentence) and _OF_ANSWERS.search(sentence) and not _OWN_HABIT.search(sentence):
            found += _style(sentence, said)
    return found


def _style(sentence: str, said: str) -> list[Wish]:
    found = [
        Wish(field, value, said)
        for field, forms in _STYLE.items()
        for value, pattern in forms
        if pattern.search(sentence)
    ]
    for field, pattern in (("tone", _TONES), ("format", _FORMATS)):
        if (match := pattern.search(sentence)) and (value := _value(match)):
            found.append(Wish(field, value.lower(), said))  # type: ignore[arg-type]
    return found


def _value(match: re.Match[str]) -> str:
    value = next((group for group in match.groups() if group), "")
    return " ".join(_TAIL.sub("", value).split()).strip(" .，。")[:MOST_VALUE]
