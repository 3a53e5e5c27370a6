"""Formulas as a person would read them aloud: the LaTeX that answers usually hold, in English and Chinese."""

from __future__ import annotations

import re

from domain.words import Language, Words

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
_SIGNS = {
    sign: words
    for signs, words in (
        (r"\times \cdot × *", Words("times", "乘以")),
        (r"\div ÷", Words("divided by", "除以")),
        (r"+", Words("plus", "加")),
        (r"- −", Words("minus", "减")),
        (r"=", Words("equals", "等于")),
        (r"\neq ≠", Words("is not equal to", "不等于")),
        (r"\leq \le ≤", Words("is at most", "小于等于")),
        (r"\geq \ge ≥", Words("is at least", "大于等于")),
        (r"<", Words("is less than", "小于")),
        (r">", Words("is greater than", "大于")),
        (r"\approx ≈", Words("is about", "约等于")),
        (r"\pm ±", Words("plus or minus", "正负")),
        (r"\infty ∞", Words("infinity", "无穷")),
        (r"\sum", Words("the sum of", "求和")),
        (r"\int", Words("the integral of", "积分")),
        (r"\prod", Words("the product of", "连乘")),
        (r"\partial", Words("partial", "偏")),
        (r"\to \rightarrow", Words("to", "趋于")),
        (r"\in", Words("in", "属于")),
        (r"\cup", Words("union", "并")),
        (r"\cap", Words("intersection", "交")),
        (r"% \%", Words("percent", "百分号")),
        (r"/", Words("over", "除以")),
        (r"√", Words("the square root of", "根号")),
        (r"°", Words("degrees", "度")),
    )
    for sign in signs.split()
}
_SHAPES = {
    "fraction": Words("{0} over {1}", "{1}分之{0}"),
    "root": Words("the square root of {0}", "根号{0}"),
    "2": Words("squared", "的平方"),
    "3": Words("cubed", "的三次方"),
    "power": Words("to the power of {0}", "的{0}次方"),
    "index": Words("{0}", "{0}"),
}
_SIGN_PATTERN = re.compile(
    "|".join(
        re.escape(sign) + (r"(?![A-Za-z])" if sign[0] == "\\" and sign[-1].isalpha() else "")
        for sign in sorted(_SIGNS, key=len, reverse=True)
    )
)
_PASSES = 4


def spoken_math(formula: str, language: Language) -> str:
    """Read a LaTeX formula aloud; what is not known is dropped or read by its name (Greek letters)."""
    text = _LAYOUT.sub(" ", formula)
    shapes = {name: words.text(language) for name, words in _SHAPES.items()}
    for _ in range(_PASSES):
        text = _STYLE.sub(r" \1 ", text)
        text = _INDEX.sub(lambda m: " " + (m[1] or m[2]) + " ", text)
        text = _POWER.sub(lambda m: f" {_power((m[1] or m[2]).strip(), shapes)} ", text)
        text = _ROOT.sub(lambda m: f" {shapes['root'].format(m[1])} ", text)
        text = _FRACTION.sub(lambda m: f" {shapes['fraction'].format(m[1], m[2])} ", text)
    text = _SIGN_PATTERN.sub(lambda m: f" {_SIGNS[m[0]].text(language)} ", text)
    text = re.sub(r"\\([A-Za-z]+)", r" \1 ", text)
    return " ".join(re.sub(r"[{}\\$|^_]", " ", text).split())


def _power(exponent: str, shapes: dict[str, str]) -> str:
    return shapes[exponent] if exponent in ("2", "3") else shapes["power"].format(exponent)
