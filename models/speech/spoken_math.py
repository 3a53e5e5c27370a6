"""Formulas as a person would read them aloud: the LaTeX that answers usually hold, in English and Chinese."""

from __future__ import annotations

import re

from domain.words import Language

_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}")
_ROOT = re.compile(r"\\sqrt\s*\{([^{}]*)\}")
_POWER = re.compile(r"\^\s*(?:\{([^{}]*)\}|(\\?\w))")
_INDEX = re.compile(r"_\s*(?:\{([^{}]*)\}|(\w))")
_STYLE = re.compile(
    r"\\(?:text|mathrm|mathbf|mathit|mathbb|mathcal|operatorname|bm|boldsymbol|hat|bar|vec)\s*\{([^{}]*)\}"
)
_LAYOUT = re.compile(
    r"\\(?:left|right|big|Big|quad|qquad|displaystyle|limits|,|;|!|:| )|\\begin\{\w+\*?\}|\\end\{\w+\*?\}|&"
)
_SIGNS: dict[Language, dict[str, str]] = {
    "en": {
        r"\times": "times", r"\cdot": "times", "×": "times", "*": "times", r"\div": "divided by", "÷": "divided by",
        "+": "plus", "-": "minus", "−": "minus", "=": "equals", r"\neq": "is not equal to", "≠": "is not equal to",
        r"\leq": "is at most", r"\le": "is at most", "≤": "is at most", r"\geq": "is at least", r"\ge": "is at least",
        "≥": "is at least", "<": "is less than", ">": "is greater than", r"\approx": "is about", "≈": "is about",
        r"\pm": "plus or minus", "±": "plus or minus", r"\infty": "infinity", "∞": "infinity", r"\sum": "the sum of",
        r"\int": "the integral of", r"\prod": "the product of", r"\partial": "partial", r"\to": "to",
        r"\rightarrow": "to", r"\in": "in", r"\cup": "union", r"\cap": "intersection", "%": "percent", r"\%": "percent",
        "/": "over", "√": "the square root of", "°": "degrees",
    },
    "zh": {
        r"\times": "乘以", r"\cdot": "乘以", "×": "乘以", "*": "乘以", r"\div": "除以", "÷": "除以", "+": "加",
        "-": "减", "−": "减", "=": "等于", r"\neq": "不等于", "≠": "不等于", r"\leq": "小于等于", r"\le": "小于等于",
        "≤": "小于等于",
        r"\geq": "大于等于", r"\ge": "大于等于", "≥": "大于等于", "<": "小于", ">": "大于", r"\approx": "约等于",
        "≈": "约等于", r"\pm": "正负", "±": "正负", r"\infty": "无穷", "∞": "无穷", r"\sum": "求和", r"\int": "积分",
        r"\prod": "连乘", r"\partial": "偏", r"\to": "趋于", r"\rightarrow": "趋于", r"\in": "属于", r"\cup": "并",
        r"\cap": "交", "%": "百分号", r"\%": "百分号", "/": "除以", "√": "根号", "°": "度",
    },
}  # fmt: skip
_SHAPES: dict[Language, dict[str, str]] = {
    "en": {"fraction": "{0} over {1}", "root": "the square root of {0}", "2": "squared", "3": "cubed",
           "power": "to the power of {0}", "index": "{0}"},
    "zh": {"fraction": "{1}分之{0}", "root": "根号{0}", "2": "的平方", "3": "的三次方",
           "power": "的{0}次方", "index": "{0}"},
}  # fmt: skip
_SIGN_PATTERN = {
    language: re.compile("|".join(re.escape(sign) + (r"(?![A-Za-z])" if sign[0] == "\\" and sign[-1].isalpha() else "")
                                  for sign in sorted(signs, key=len, reverse=True)))
    for language, signs in _SIGNS.items()
}  # fmt: skip
_PASSES = 4


def spoken_math(formula: str, language: Language) -> str:
    """Read a LaTeX formula aloud; what is not known is dropped or read by its name (Greek letters)."""
    text = _LAYOUT.sub(" ", formula)
    shapes = _SHAPES[language]
    for _ in range(_PASSES):
        text = _STYLE.sub(r" \1 ", text)
        text = _INDEX.sub(lambda m: " " + (m[1] or m[2]) + " ", text)
        text = _POWER.sub(lambda m: f" {_power((m[1] or m[2]).strip(), shapes)} ", text)
        text = _ROOT.sub(lambda m: f" {shapes['root'].format(m[1])} ", text)
        text = _FRACTION.sub(lambda m: f" {shapes['fraction'].format(m[1], m[2])} ", text)
    text = _SIGN_PATTERN[language].sub(lambda m: f" {_SIGNS[language][m[0]]} ", text)
    text = re.sub(r"\\([A-Za-z]+)", r" \1 ", text)
    return " ".join(re.sub(r"[{}\\$|^_]", " ", text).split())


def _power(exponent: str, shapes: dict[str, str]) -> str:
    return shapes[exponent] if exponent in ("2", "3") else shapes["power"].format(exponent)
