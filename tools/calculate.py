"""Tool: exact arithmetic.

`domain.arithmetic` turns words into signs; here each number becomes the name of an exact fraction, and `simpleeval`
evaluates what is left: names, signs and the functions below, nothing else. Values are fractions as long as they are
exact, else decimals of 34 digits; size is bounded before each step, so that no expression takes more than milliseconds.
"""

import re
from decimal import Decimal, localcontext
from fractions import Fraction
from typing import Annotated

from langchain_core.tools import tool
from pydantic import Field
from simpleeval import InvalidExpression, SimpleEval

from domain.arithmetic import MAX_CHARS, with_signs, without_asking
from domain.words import Words
from tools.exact_numbers import (
    CONSTANTS,
    FUNCTIONS,
    OPERATORS,
    PRECISION,
    UNDEFINED,
    BadExpression,
    Number,
    exact,
    show,
)
from tools.interface import Found, ToolSpec

UNCLEAR = Words("it is not understood as a whole; write it in numbers and signs", "未能完整理解，请用数字和符号书写")
VAGUE = Words(
    "a percentage is added or taken off, but it is not said of what", "加上或减去了百分比，但没有说明以什么为基数"
)
_TOKEN = re.compile(
    r"\s*(?:(?P<name>[a-z_]\w*)|(?P<number>(?!0\d)(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d*)?(?:e[+-]?\d+)?"
    r"|\.\d+(?:e[+-]?\d+)?)(?P<unit>[!°]|%(?!\s*[\w(.]))?|(?P<percent>(?<=\))%(?!\s*[\w(.]))|(?P<sign>\*\*|//|[-+*/%(),]))"
)
_VAGUE = re.compile(r"(?<![.,\d])(?!1\s*[-+])(?:\d[\d,.]*|\))\s*[-+]\s*\d[\d.]*%\s*(?:$|[-+)])")
"""A percentage added to a number: of that number, or a hundredth?"""


@tool(response_format="content_and_artifact", parse_docstring=True)
async def calculate(expression: Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]) -> tuple[str, Found]:
    """Compute an arithmetic expression exactly; do not compute in your head.

    Use it for sums, percentages, powers, roots, logarithms, trigonometry (计算、百分比、平方根、总价、平均数).

    Args:
        expression: Arithmetic only, numbers written out: '1299 * (1 - 15%)', '2**64', 'sqrt(2)', '3.5亿 ÷ 1200万'.
            n% is n/100. Angles are radians, or write 30°. log(x) is natural; log10, log2 and log(x, base) exist.
    """
    asked = without_asking(expression)
    value = show(evaluate(asked))
    equals = "" if value.startswith("≈") else "= "
    return Found(f"{asked} {equals}{value}", data={"expression": asked, "value": value}).answer()


def evaluate(text: str) -> Number:
    """Return the value of arithmetic in signs or words: a fraction when it is exact, else a decimal.

    Raises:
        BadExpression: It is not understood as a whole, is undefined, or its value is too large.
    """
    if len(text) > MAX_CHARS:
        raise BadExpression(reason=Words(f"it is longer than {MAX_CHARS} characters", f"超过 {MAX_CHARS} 个字符"))
    with localcontext(PRECISION):
        try:
            expression, numbers = _named_numbers(with_signs(without_asking(text)))
            evaluator = SimpleEval(operators=OPERATORS, functions=FUNCTIONS, names={**CONSTANTS, **numbers})
            value = evaluator.eval(expression)
        except ZeroDivisionError as exc:
            raise BadExpression(reason=Words("division by zero", "除数为零")) from exc
        except (ArithmeticError, RecursionError, MemoryError) as exc:
            raise BadExpression(reason=UNDEFINED) from exc
        except (InvalidExpression, SyntaxError, TypeError, ValueError, LookupError) as exc:
            raise BadExpression(reason=UNCLEAR) from exc
    if not isinstance(value, Fraction | Decimal):
        raise BadExpression(reason=UNCLEAR)
    return value


def _named_numbers(text: str) -> tuple[str, dict[str, Number]]:
    """Replace each number by a name, so that the evaluator sees exact values and no literals.

    Raises:
        BadExpression: A percentage can mean two things.
        ValueError: There is something that is neither a number, nor a known name, nor a sign of arithmetic.
    """
    if _VAGUE.search(text):
        raise BadExpression(reason=VAGUE)
    parts: list[str] = []
    numbers: dict[str, Number] = {}
    if re.search(r"[a-z]\w*\s*\(", text):
        text = text.replace(",", ", ")  # between arguments, never between thousands
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or (match["name"] and match["name"] not in CONSTANTS | FUNCTIONS):
            raise ValueError(text[at:])
        at = match.end()
        if match["number"]:
            name = f"n{len(numbers)}"
            numbers[name] = exact(match["number"]) / (100 if match["unit"] == "%" else 1)
            parts.append({"!": f"factorial({name})", "°": f"radians({name})"}.get(match["unit"], name))
        else:
            parts.append("*percent" if match["percent"] else match["name"] or match["sign"])
    return " ".join(parts), numbers


SPEC = ToolSpec(
    tool=calculate,
    title=Words("Calculate", "计算"),
    permission="read",
    examples=(
        "What is 15% of 240?",
        "Calculate (3 + 4) * 12",
        "What is 144 divided by 12?",
        "How much is 25 times 16?",
        "计算 35 乘以 12",
        "(8+2)*5 等于多少？",
        "100 的百分之二十是多少？",
    ),
    timeout=5,
    cache_seconds=3600,
)
