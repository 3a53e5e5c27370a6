"""Functions and constants of the calculator: exact where the result is rational, else 34-digit decimals."""

from __future__ import annotations

import math
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction

from domain.words import Words
from tools.number_syntax import BadExpression

Number = Fraction | Decimal
CONSTANTS: dict[str, Decimal] = {
    "pi": Decimal("3.141592653589793238462643383279503"),
    "e": Decimal("2.718281828459045235360287471352662"),
}
_MAX_FACTORIAL = 1000
_EXACT_ZERO = Decimal("1e-15")
"""Results of binary floating point below this are rounding noise of zero: sin(pi)."""


def decimal(value: Number) -> Decimal:
    """Turn a value into a decimal of the present precision."""
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def power(base: Number, exponent: Number, max_bits: int) -> Number:
    """Raise to a power; exact for a whole exponent of an exact base.

    Raises:
        BadExpression: The exact result would have more than `max_bits` bits.
    """
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if (bits > 1 or base.denominator > 1) and bits * abs(exponent.numerator) > max_bits + bits:
            raise BadExpression(reason=Words("the result has too many digits", "结果位数过多"))
        return Fraction(base**exponent.numerator)
    if exponent == Fraction(1, 2):
        return sqrt(base)
    return decimal(base) ** decimal(exponent)


def sqrt(value: Number) -> Number:
    """Square root; exact for squares of rationals."""
    if value < 0:
        raise BadExpression(reason=Words("square root of a negative number", "负数没有实平方根"))
    if isinstance(value, Fraction):
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return decimal(value).sqrt()


def _whole(value: Number) -> int:
    if value != int(value):
        raise BadExpression(reason=Words(f"{value} must be a whole number", f"{value} 必须是整数"))
    return int(value)


def _factorial(value: Number) -> Number:
    number = _whole(value)
    if not 0 <= number <= _MAX_FACTORIAL:
        raise BadExpression(
            reason=Words(f"factorials go from 0 to {_MAX_FACTORIAL}", f"阶乘仅支持 0 到 {_MAX_FACTORIAL}")
        )
    return Fraction(math.factorial(number))


def _choose(count: Callable[[int, int], int]) -> Callable[[Number, Number], Number]:
    def choose(n: Number, k: Number) -> Number:
        if max(abs(_whole(n)), abs(_whole(k))) > _MAX_FACTORIAL:
            raise BadExpression(reason=Words(f"only up to {_MAX_FACTORIAL}", f"仅支持到 {_MAX_FACTORIAL}"))
        return Fraction(count(_whole(n), _whole(k)))

    return choose


def _log(value: Number, base: Number | None = None) -> Number:
    return decimal(value).ln() if base is None else decimal(value).ln() / decimal(base).ln()


def _log10(value: Number) -> Number:
    return decimal(value).log10()


def _round(value: Number, digits: Number = Fraction(0)) -> Number:
    """Half away from zero, as people round."""
    scale = Fraction(10) ** max(-50, min(50, _whole(digits)))
    scaled = Fraction(value) * scale
    whole = math.floor(abs(scaled) + Fraction(1, 2))
    return Fraction(whole if scaled >= 0 else -whole) / scale


def _of_float(function: Callable[[float], float]) -> Callable[[Number], Number]:
    def call(value: Number) -> Number:
        result = Decimal(repr(function(float(value))))
        return Decimal(0) if abs(result) < _EXACT_ZERO else result

    return call


def _tan(value: float) -> float:
    if abs(math.cos(value)) < _EXACT_ZERO:
        raise ValueError("a pole of the tangent")
    return math.tan(value)


def _mean(*values: Number) -> Number:
    return _sum(*values) / len(values)


def _sum(*values: Number) -> Number:
    if all(isinstance(value, Fraction) for value in values):
        return sum((Fraction(value) for value in values), Fraction(0))
    return sum((decimal(value) for value in values), Decimal(0))


FUNCTIONS: dict[str, Callable[..., Number]] = {
    "sqrt": sqrt,
    "cbrt": _of_float(math.cbrt),
    "abs": abs,
    "round": _round,
    "floor": lambda value: Fraction(math.floor(value)),
    "ceil": lambda value: Fraction(math.ceil(value)),
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    "sum": _sum,
    "mean": _mean,
    "avg": _mean,
    "exp": lambda value: decimal(value).exp(),
    "ln": _log,
    "log": _log,
    "log10": _log10,
    "lg": _log10,
    "log2": lambda value: _log(value, Fraction(2)),
    "sin": _of_float(math.sin),
    "cos": _of_float(math.cos),
    "tan": _of_float(_tan),
    "asin": _of_float(math.asin),
    "acos": _of_float(math.acos),
    "atan": _of_float(math.atan),
    "degrees": lambda value: decimal(value) * 180 / CONSTANTS["pi"],
    "radians": lambda value: decimal(value) * CONSTANTS["pi"] / 180,
    "factorial": _factorial,
    "gcd": lambda a, b: Fraction(math.gcd(_whole(a), _whole(b))),
    "lcm": lambda a, b: Fraction(math.lcm(_whole(a), _whole(b))),
    "comb": _choose(math.comb),
    "perm": _choose(math.perm),
}
