"""Tool: exact arithmetic.

A Pratt parser over `number_syntax` tokens. Values are fractions as long as they are exact, else decimals of 34 digits;
size is bounded before each step, so that no expression costs more than a few milliseconds.
"""

import math
from collections.abc import Callable
from decimal import Context, Decimal, DecimalException, localcontext
from fractions import Fraction
from typing import Annotated

from langchain_core.tools import tool
from pydantic import Field

from domain.words import Words
from tools.interface import Found, ToolSpec
from tools.number_functions import CONSTANTS, FUNCTIONS, Number, decimal, power
from tools.number_syntax import MAX_CHARS, BadExpression, Token, tokenize

MAX_BITS = 13_000
"""Largest numerator or denominator: 3,900 digits, below Python's own limit for printing."""
_MAX_DEPTH = 60
_UNITS = {"百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_BINARY = {"+": 10, "-": 10, "*": 20, "/": 20, "//": 20, "%": 20, "**": 40}
_SIGN = 30
_PRECISION = Context(prec=34, Emax=9999, Emin=-9999)


@tool(response_format="content_and_artifact", parse_docstring=True)
async def calculate(expression: Annotated[str, Field(min_length=1, max_length=MAX_CHARS)]) -> tuple[str, Found]:
    """Compute an arithmetic expression exactly; do not compute in your head.

    Use it for sums, percentages, powers, roots, logarithms, trigonometry (计算、百分比、平方根、总价、平均数).

    Args:
        expression: Arithmetic only, numbers written out: '1299 * (1 - 15%)', '2**64', 'sqrt(2)', '3.5亿 ÷ 1200万'.
            n% is n/100. Angles are radians, or write 30°. log(x) is natural; log10, log2 and log(x, base) exist.
    """
    value = show(evaluate(expression))
    data = {"expression": expression.strip(), "value": value}
    return Found(f"{expression.strip()} = {value}", data=data).answer()


def evaluate(expression: str) -> Number:
    """Return the value of `expression`: a fraction when it is exact, else a decimal.

    Raises:
        BadExpression: It is not arithmetic, is undefined, or its value is too large.
    """
    with localcontext(_PRECISION):
        try:
            return _Parser(tokenize(expression)).parse()
        except ZeroDivisionError as exc:
            raise BadExpression(reason=Words("division by zero", "除数为零")) from exc
        except (ValueError, OverflowError, DecimalException) as exc:
            raise BadExpression(reason=Words("the result is undefined or too large", "结果无定义或过大")) from exc


def show(value: Number) -> str:
    """Write a value: exact where it ends, else its fraction and 18 digits; decimals to 15 digits."""
    with localcontext(_PRECISION):
        if isinstance(value, Decimal):
            return f"≈ {_plain(round_to(value, 15))}"
        if value.denominator == 1:
            return str(value.numerator)
        digits = _decimal_places(value.denominator)
        if digits is not None:
            sign, whole = "-" if value < 0 else "", abs(value.numerator) * 10**digits // value.denominator
            return f"{sign}{whole // 10**digits}.{whole % 10**digits:0{digits}d}"
        approximation = _plain(round_to(decimal(value), 18))
        return f"{value} ≈ {approximation}" if value.denominator < 10**6 else f"≈ {approximation}"


def round_to(value: Decimal, digits: int) -> Decimal:
    """Round to significant digits."""
    return Context(prec=digits).plus(value).normalize()


def _plain(value: Decimal) -> str:
    return f"{value:f}" if -7 <= value.adjusted() < 21 else f"{value}"


def _decimal_places(denominator: int) -> int | None:
    """Digits after the point of a fraction that ends within 40 of them, else None."""
    twos = (denominator & -denominator).bit_length() - 1
    rest, fives = denominator >> twos, 0
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    return places if rest == 1 and places <= 40 else None


class _Parser:
    """Precedence climbing; `**` binds to the right and stronger than a sign before it."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def parse(self) -> Number:
        value = self._expression(0)
        if self._next.kind != "end":
            raise _unexpected(self._next)
        return value

    @property
    def _next(self) -> Token:
        return self._tokens[self._at]

    def _take(self) -> Token:
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, symbol: str) -> bool:
        if self._next.kind == "symbol" and self._next.text == symbol:
            self._at += 1
            return True
        return False

    def _expression(self, strength: int) -> Number:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise BadExpression(reason=Words("it is nested too deeply", "嵌套层数过多"))
        left = self._postfix(self._operand())
        while (mine := _BINARY.get(self._next.text, 0)) > strength:
            operator = self._take().text
            right = self._expression(mine - 1 if operator == "**" else mine)
            left = _bounded(_apply(operator, left, right))
        self._depth -= 1
        return left

    def _operand(self) -> Number:
        token = self._take()
        if token.kind == "number":
            return _bounded(token.value)
        if token.kind == "name":
            return self._named(token.text)
        if token.text in ("-", "+"):
            value = self._expression(_SIGN)
            return -value if token.text == "-" else value
        if token.text == "(":
            value = self._expression(0)
            self._close()
            return value
        raise _unexpected(token)

    def _named(self, name: str) -> Number:
        if name in CONSTANTS:
            return CONSTANTS[name]
        function = FUNCTIONS.get(name)
        if function is None:
            raise BadExpression(reason=Words(f"{name!r} is not known", f"不认识 {name!r}"))
        if name == "sqrt" and not (self._next.text == "("):
            return _bounded(function(self._expression(_SIGN)))
        return _bounded(_call(name, function, self._arguments()))

    def _arguments(self) -> list[Number]:
        if not self._accept("("):
            raise _unexpected(self._next)
        values = [self._expression(0)]
        while self._accept(","):
            values.append(self._expression(0))
        self._close()
        return values

    def _close(self) -> None:
        if not self._accept(")"):
            raise BadExpression(reason=Words("a closing parenthesis is missing", "缺少右括号"))

    def _postfix(self, value: Number) -> Number:
        while True:
            if self._next.kind == "unit":
                value = _bounded(_unit(self._take().text, value))
            elif self._next.text == "%" and not self._starts_operand(self._tokens[self._at + 1]):
                self._at += 1
                value = value / 100
            else:
                return value

    @staticmethod
    def _starts_operand(token: Token) -> bool:
        """After `%`: a number, name or parenthesis makes it the remainder, anything else a percentage."""
        return token.kind in ("number", "name") or token.text == "("


def _unit(unit: str, value: Number) -> Number:
    if unit == "!":
        return FUNCTIONS["factorial"](value)
    if unit == "°":
        return decimal(value) * CONSTANTS["pi"] / 180
    return value * _UNITS[unit]


def _apply(operator: str, left: Number, right: Number) -> Number:
    if operator == "**":
        return power(left, right, MAX_BITS)
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        left, right = decimal(left), decimal(right)
    return _OPERATIONS[operator](left, right)


_OPERATIONS: dict[str, Callable[[Number, Number], Number]] = {
    "+": lambda a, b: a + b,  # type: ignore[operator]
    "-": lambda a, b: a - b,  # type: ignore[operator]
    "*": lambda a, b: a * b,  # type: ignore[operator]
    "/": lambda a, b: a / b,  # type: ignore[operator]
    "//": lambda a, b: Fraction(math.floor(a / b)),  # type: ignore[operator]
    "%": lambda a, b: a - b * math.floor(a / b),  # type: ignore[operator]
}


def _call(name: str, function: Callable[..., Number], values: list[Number]) -> Number:
    try:
        return function(*values)
    except TypeError as exc:
        reason = Words(f"{name} does not take {len(values)} arguments", f"{name} 的参数个数不是 {len(values)}")
        raise BadExpression(reason=reason) from exc


def _bounded(value: Number) -> Number:
    if isinstance(value, Decimal) and not value.is_finite():
        raise BadExpression(reason=Words("the result is undefined or too large", "结果无定义或过大"))
    if isinstance(value, Fraction) and max(value.numerator.bit_length(), value.denominator.bit_length()) > MAX_BITS:
        raise BadExpression(reason=Words("the result has too many digits", "结果位数过多"))
    return value


def _unexpected(token: Token) -> BadExpression:
    if token.kind == "end":
        return BadExpression(reason=Words("the expression is incomplete", "算式不完整"))
    return BadExpression(reason=Words(f"unexpected {token.text!r}", f"{token.text!r} 的位置不对"))


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
