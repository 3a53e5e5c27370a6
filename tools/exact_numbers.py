"""Numbers of the calculator: fractions while exact, else decimals of 34 digits, none larger than `MAX_BITS`."""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from decimal import Context, Decimal, Inexact, InvalidOperation
from fractions import Fraction

from domain.errors import ToolFailure
from domain.words import Words

Number = Fraction | Decimal
MAX_BITS = 13_000
"""Largest numerator or denominator: 3,900 digits, below Python's own limit for printing."""
MAX_FACTORIAL = 1000
PRECISION = Context(prec=34, Emax=9999, Emin=-9999)
_EXACT = Context(prec=4200, traps=[Inexact, InvalidOperation])
NOISE = Decimal("1e-15")
"""Results of binary floating point below this are rounding noise of zero: sin(pi)."""
NOT_A_NUMBER = Words("a number is missing", "缺少数字")
UNDEFINED = Words("the result is undefined or too large", "结果无定义或过大")


class BadExpression(ToolFailure, code="bad_expression"):
    """The expression cannot be computed. Details: `reason`."""


def exact(number: str) -> Fraction:
    """Return the value of a number in digits, such as `1,234.5` or `2e-3`."""
    mantissa, _, exponent = number.replace(",", "").partition("e")
    if exponent and abs(int(exponent)) > 2000:
        raise BadExpression(reason=UNDEFINED)
    return Fraction(mantissa.rstrip(".")) * Fraction(10) ** int(exponent or 0)


def show(value: Number) -> str:
    """Write a value: exact where it ends within 40 places, else its fraction and 18 digits; decimals to 15 digits."""
    if isinstance(value, Decimal):
        return f"≈ {_rounded(value, 15)}"
    if value.denominator == 1:
        return str(value.numerator)
    try:
        ended = _EXACT.divide(Decimal(value.numerator), Decimal(value.denominator))
        if int(ended.as_tuple().exponent) >= -40:
            return f"{ended:f}"
    except Inexact:
        pass
    approximation = _rounded(PRECISION.divide(Decimal(value.numerator), Decimal(value.denominator)), 18)
    return f"{value} ≈ {approximation}" if value.denominator < 10**6 else f"≈ {approximation}"


def _rounded(value: Decimal, digits: int) -> str:
    rounded = Context(prec=digits).plus(value).normalize()
    return f"{rounded:f}" if -7 <= rounded.adjusted() < 21 else f"{rounded}"


def decimal(value: Number) -> Decimal:
    """Turn a value into a decimal of the present precision."""
    return value if isinstance(value, Decimal) else Decimal(value.numerator) / Decimal(value.denominator)


def _step(function: Callable[..., Number | int]) -> Callable[..., Number]:
    """Make a step of a computation: its values are of one kind, its result is bounded."""

    def step(*values: Number) -> Number:
        if not all(isinstance(value, Fraction | Decimal) for value in values):
            raise BadExpression(reason=NOT_A_NUMBER)
        if any(isinstance(value, Decimal) for value in values):
            values = tuple(decimal(value) for value in values)
        result = function(*values)
        if isinstance(result, Decimal):
            if not result.is_finite():
                raise BadExpression(reason=UNDEFINED)
            return result
        result = Fraction(result)
        if max(result.numerator.bit_length(), result.denominator.bit_length()) > MAX_BITS:
            raise BadExpression(reason=Words("the result has too many digits", "结果位数过多"))
        return result

    return step


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, Fraction) and isinstance(exponent, Fraction) and exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if (bits > 1 or base.denominator > 1) and bits * abs(exponent.numerator) > MAX_BITS + bits:
            raise BadExpression(reason=Words("the result has too many digits", "结果位数过多"))
        return Fraction(base**exponent.numerator)
    return _sqrt(base) if exponent == Fraction(1, 2) else decimal(base) ** decimal(exponent)


def _sqrt(value: Number) -> Number:
    if isinstance(value, Fraction) and value >= 0:
        top, bottom = math.isqrt(value.numerator), math.isqrt(value.denominator)
        if top * top == value.numerator and bottom * bottom == value.denominator:
            return Fraction(top, bottom)
    return decimal(value).sqrt()


def _round(value: Number, digits: Number = Fraction(0)) -> Number:
    """Half away from zero, as people round."""
    scale = Fraction(10) ** max(-50, min(50, _whole(digits)))
    whole = math.floor(abs(Fraction(value)) * scale + Fraction(1, 2))
    return Fraction(whole if value >= 0 else -whole) / scale


def _whole(value: Number, most: int | None = None) -> int:
    if value != int(value) or (most is not None and not 0 <= value <= most):
        limit = Words("", "") if most is None else Words(f" from 0 to {most}", f" 0 到 {most} 之间的")
        raise BadExpression(reason=Words(f"a whole number{limit.en} is needed", f"需要{limit.zh}整数"))
    return int(value)


def _of_whole(function: Callable[..., int], most: int | None = None) -> Callable[..., int]:
    return lambda *values: function(*(_whole(value, most) for value in values))


def _of_float(function: Callable[[float], float]) -> Callable[[Number], Number]:
    def call(value: Number) -> Number:
        try:
            result = Decimal(repr(function(float(value))))
        except ValueError as exc:
            raise ArithmeticError from exc
        return Decimal(0) if abs(result) < NOISE else result

    return call


def _tan(value: float) -> float:
    if abs(math.cos(value)) < NOISE:
        raise ArithmeticError("a pole of the tangent")
    return math.tan(value)


def _log(value: Number, base: Number | None = None) -> Number:
    return decimal(value).ln() if base is None else decimal(value).ln() / decimal(base).ln()


def _sum(*values: Number) -> Number:
    return sum(values[1:], values[0])


_PI = Decimal("3.141592653589793238462643383279503")
CONSTANTS: dict[str, Number] = {
    "pi": _PI,
    "e": Decimal("2.718281828459045235360287471352662"),
    "percent": Fraction(1, 100),
}
OPERATORS: dict[type[ast.AST], Callable[..., Number]] = {
    ast.Add: _step(operator.add),
    ast.Sub: _step(operator.sub),
    ast.Mult: _step(operator.mul),
    ast.Div: _step(operator.truediv),
    ast.FloorDiv: _step(lambda a, b: math.floor(a / b)),
    ast.Mod: _step(lambda a, b: a - b * math.floor(a / b)),
    ast.Pow: _step(_power),
    ast.USub: _step(operator.neg),
    ast.UAdd: _step(operator.pos),
}
FUNCTIONS: dict[str, Callable[..., Number]] = {
    name: _step(function)
    for names, function in (
        ("sqrt", _sqrt),
        ("cbrt", _of_float(math.cbrt)),
        ("abs", abs),
        ("round", _round),
        ("floor", math.floor),
        ("ceil", math.ceil),
        ("min", lambda *values: min(values)),
        ("max", lambda *values: max(values)),
        ("sum", _sum),
        ("mean avg average", lambda *values: _sum(*values) / len(values)),
        ("exp", lambda value: decimal(value).exp()),
        ("ln log", _log),
        ("log10 lg", lambda value: decimal(value).log10()),
        ("log2", lambda value: _log(value, Fraction(2))),
        ("sin", _of_float(math.sin)),
        ("cos", _of_float(math.cos)),
        ("tan", _of_float(_tan)),
        ("asin", _of_float(math.asin)),
        ("acos", _of_float(math.acos)),
        ("atan", _of_float(math.atan)),
        ("degrees", lambda value: decimal(value) * 180 / _PI),
        ("radians", lambda value: decimal(value) * _PI / 180),
        ("factorial", _of_whole(math.factorial, MAX_FACTORIAL)),
        ("gcd", _of_whole(math.gcd)),
        ("lcm", _of_whole(math.lcm)),
        ("comb", _of_whole(math.comb, MAX_FACTORIAL)),
        ("perm", _of_whole(math.perm, MAX_FACTORIAL)),
    )
    for name in names.split()
}
