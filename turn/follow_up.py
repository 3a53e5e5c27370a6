"""Which earlier questions a short question leans on ("And in which room?"): they are part of what is looked for."""

from __future__ import annotations

import re
from collections.abc import Sequence

from langchain_core.messages import AnyMessage, HumanMessage

from domain.language import language_of
from models.chat.extractive.text import question_terms

MOST_BEFORE = 2
"""Most earlier questions that are taken along."""
LONGEST = {"en": 90, "zh": 30}
"""Longer messages, in characters, stand by themselves."""

_CONNECTED = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|what else|who else|anything else)\b"
    r"|^\W*(?:那么?|还有|另外|以及|并且|然后|接着|而|又)|.{1,10}呢\W*$",
    re.I,
)
_POINTING = re.compile(
    r"\b(?:it|its|they|them|their|theirs|he|she|him|his|her|hers|(?<!is )(?<!are )(?<!was )(?<!were )there(?! (?:is"
    r"|are|was|were)\b)|that one|this one|those|these ones)\b"
    r"|\b(?:does|is|was|did|do) (?:that|this)\b(?! \w*(?:document|file|report|text|page|picture|image|paper|article))"
    r"|它|他|她|该(?!怎么|如何|不该)|此(?!外)|其(?![中实余他它])|那[个里儿种]|这[个里种](?!文|报|合|图|表|P)",
    re.I,
)
_ELLIPTIC = re.compile(
    r"^\W*(?:in|at|on|by|for|from|with|to|since|until|of|about) (?:who|whom|what|when|where|which|whose|how)\b"
    r"|^\W*(?:who|what|when|where|which(?: one)?|why|whose|how(?: (?:much|many|long|far|old|big|so|come))?)(?: not"
    r"| exactly)?\W*$"
    r"|^(?:在|从|由|给|跟|和|到|用|为|是|归|按)?(?:哪|谁|什么|几|多少|多久|多长|怎么|为什么|为何|如何|何时)",
    re.I,
)


def leans_on(messages: Sequence[AnyMessage], question: str) -> str:
    """Return the earlier questions that `question` leans on, oldest first; empty when it stands by itself.

    Args:
        messages: The conversation before the question.
        question: The newest message of the user.
    """
    earlier: list[str] = []
    asked = question
    for message in reversed(messages):
        if not isinstance(message, HumanMessage):
            continue
        if len(earlier) == MOST_BEFORE or not depends(asked):
            break
        asked = str(message.text).strip()
        earlier.insert(0, asked)
    return " ".join(text for text in earlier if len(text) <= LONGEST["en"])


def depends(question: str) -> bool:
    """Tell whether a question needs the one before it to be understood."""
    if len(question) > LONGEST[language_of(question)]:
        return False
    if _CONNECTED.search(question) or _POINTING.search(question):
        return True
    return bool(_ELLIPTIC.search(question)) and len(question_terms(question)) <= 1
