"""Arithmetic as people type it, in both languages, to tokens."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from fractions import Fraction

from domain.errors import ToolFailure
from domain.words import Words

MAX_CHARS = 500
_REWRITES = (
    ("²", "**2"), ("³", "**3"), ("½", "(1/2)"), ("¼", "(1/4)"), ("¾", "(3/4)"),
    ("×", "*"), ("·", "*"), ("⋅", "*"), ("∙", "*"), ("÷", "/"), ("−", "-"), ("–", "-"), ("—", "-"), ("^", "**"),
    ("【", "("), ("】", ")"), ("√", "sqrt "), ("π", "pi"),
    ("乘以", "*"), ("除以", "/"), ("加上", "+"), ("减去", "-"), ("乘", "*"), ("加", "+"), ("减", "-"),
)  # fmt: skip
_REST = (
    r"(?:\.\d*)?(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?)"
    r"|(?P<name>[a-z_][a-z0-9_]*)|(?P<unit>[百千万亿°!])|(?P<symbol>\*\*|//|[-+*/%(),]))"
)
_TOKEN = re.compile(r"\s*(?:(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)" + _REST, re.I)
_ARGUMENT_TOKEN = re.compile(r"\s*(?:(?P<number>\d+" + _REST, re.I)
_ENDING = re.compile(r"\s*(?:=|等于)\s*(?:\?|多少\??)?\s*$")
_LARGEST_EXPONENT = 2000


class BadExpression(ToolFailure):
    """The expression cannot be computed. Details: `reason`."""

    code = "bad_expression"
    en = "Cannot compute this: {reason}."
    zh = "无法计算：{reason}。"


@dataclass(frozen=True, slots=True)
class Token:
    """`kind` is number, name, unit, symbol or end; a number's exact value is in `value`."""

    kind: str
    text: str
    value: Fraction = Fraction(0)


def tokenize(expression: str) -> list[Token]:
    """Split `expression` into tokens; full-width and Chinese signs become the usual ones.

    Raises:
        BadExpression: It is too long, empty, or holds a sign that means nothing here.
    """
    if len(expression) > MAX_CHARS:
        raise BadExpression(reason=Words(f"it is longer than {MAX_CHARS} characters", f"超过 {MAX_CHARS} 个字符"))
    text = _ENDING.sub("", _plain(expression))
    tokens: list[Token] = []
    at, calls = 0, [False]
    while at < len(text.rstrip()):
        match = (_ARGUMENT_TOKEN if calls[-1] else _TOKEN).match(text, at)
        if match is None:
            sign = text[at:].lstrip()[0]
            raise BadExpression(reason=Words(f"unexpected {sign!r}", f"不认识的符号 {sign!r}"))
        _track(calls, match, tokens)
        tokens.append(_token(match))
        at = match.end()
    if not tokens:
        raise BadExpression(reason=Words("the expression is empty", "算式为空"))
    return [*tokens, Token("end", "")]


def _track(calls: list[bool], match: re.Match[str], before: list[Token]) -> None:
    """Keep, for each open parenthesis, whether it holds arguments: there a comma never groups thousands."""
    if match["symbol"] == "(":
        calls.append(bool(before) and before[-1].kind == "name")
    elif match["symbol"] == ")" and len(calls) > 1:
        calls.pop()


def _plain(expression: str) -> str:
    for sign, replacement in _REWRITES:
        expression = expression.replace(sign, replacement)
    return unicodedata.normalize("NFKC", expression).replace("⁄", "/")


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or ""
    text = match[kind]
    if kind != "number":
        return Token(kind, text.lower())
    mantissa, _, exponent = text.replace(",", "").lower().partition("e")
    if exponent and abs(int(exponent)) > _LARGEST_EXPONENT:
        raise BadExpression(reason=Words(f"{text} is out of range", f"{text} 超出范围"))
    return Token(kind, text, Fraction(mantissa.rstrip(".")) * Fraction(10) ** int(exponent or 0))
