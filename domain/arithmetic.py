"""Tells whether a message is arithmetic and nothing else, in signs or in words of either language."""

from __future__ import annotations

import re

_ASKED = re.compile(
    r"^\W*(?:(?:please|what(?:'s)?|how much|can you|calculate|compute|is)\b\s*)+|^(?:请问?|帮我|计算|算一?下?)+"
    r"|[\s=]*(?:等于|是)?(?:多少|几)?[\s=?？。.!！]*$",
    re.IGNORECASE,
)
_OPERATION = re.compile(
    r"[-+*/×÷^%％√]|\b(?:plus|minus|times|divided|multiplied|percent|squared|cubed|root|power)\b|[加减乘除]|[次平立开]方"
    "|分之",
    re.IGNORECASE,
)
_OPERANDS = re.compile(
    r"\b(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\w+teen|\w+ty|hundred|thousand|million|of"
    r"|by|the|to|and|per|cent|square|cube|sqrt)\b|[\d\s.,()（）=零一二两三四五六七八九十百千万亿点上去以的根次]",
    re.IGNORECASE,
)


def find_expression(text: str) -> str:
    """Return a message that is arithmetic and nothing else, as its writer put it; empty for any other.

    >>> find_expression("What is 12.5 % of 80?"), find_expression("计算三十五乘以十二"), find_expression("Is 9/11 on?")
    ('12.5 % of 80', '三十五乘以十二', '')
    """
    asked = _ASKED.sub("", text).strip()
    operations = _OPERATION.sub(" ", asked)
    return asked if operations != asked and not _OPERANDS.sub("", operations).strip("- ") else ""
