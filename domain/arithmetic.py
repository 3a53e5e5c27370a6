"""Arithmetic as people write it, in both languages, rewritten to digits and signs; what no rule knows stays as is."""

from __future__ import annotations

import re
import unicodedata
from math import prod

import cn2an
from text_to_num import alpha2digit

_SIGNS = str.maketrans({
    "²": "**2", "³": "**3", "½": "(1/2)", "¼": "(1/4)", "¾": "(3/4)", "×": "*", "·": "*", "⋅": "*", "∙": "*", "÷": "/",
    "−": "-", "–": "-", "—": "-", "^": "**", "【": "(", "】": ")", "√": " sqrt ", "π": " pi ", "〇": "零", "两": "二",
})  # fmt: skip
_SCALES = {"百": 100, "千": 1000, "万": 10**4, "亿": 10**8,
           "thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}  # fmt: skip
_ZH = "零一二三四五六七八九十百千万亿"
_SCALED = re.compile(rf"(?<![\d.{_ZH}])(\d+(?:\.\d+)?)\s*([百千万亿]+|(?:thousand|[mb]illion|trillion)\b)(?![\d{_ZH}])")
_ZH_NUMBER = re.compile(rf"[\d.]*[{_ZH}][{_ZH}\d.点]*")
_MONEY = re.compile(
    rf"([$€£¥])(?=\s*\d)|(?<=[\d{_ZH}])\s*(元|块钱?|美元|欧元|英镑|日元|(?:dollar|euro|pound)s?\b|yuan\b)", re.I
)
_ASKED = re.compile(
    r"^(?:(?:please|can you|could you|tell me|what(?:'s| is| are)|how much (?:is|are)|calculate|compute|work out)\b"
    r"|[\s:,])+"
    r"|^(?:请问?|帮我|麻烦|你|[能可]以?|计算|算(?:一下|一算|算)?|求|一下|[\s:：,，])+"
    r"|(?:\s|[=＝]|equals?|等于|是|得|有|多少|几|结果|呢|吗|[?？。])+$",
    re.I,
)
_N = r"((?<![\d,])\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?|\([^()]*\))"
_P = r"((?<!\d)\d+(?:\.\d+)?%)"
"""Numbers from their first digit on: from each later one the search would cost the square of a long one."""
_PHRASES = (
    (r"(\d+)分之(\d+(?:\.\d+)?)", r"(\2/\1)"),
    (r"\b(\d+) and (?:a|1) half\b", r"(\1+1/2)"),
    (r"(?:\b(?:an?|1) )?\bhalf(?= of\b)", "(1/2)"),
    (r"\bhalf a dozen\b", "6"),
    (r"\b(?:an?|(\d+)) dozen\b(?! of\b)", lambda match: f"({match[1] or 1}*12)"),
    (rf"\b(?:twice|double)\s+{_N}", r"((2)*\1)"),
    (rf"\b(?:thrice|triple)\s+{_N}", r"((3)*\1)"),
    (r"\bquarter(s?)(?= of\b)", r"4th\1"),
    (r"\ban? (?:(\d+)(?:rd|th)|(third))(?= of\b)", lambda match: f"(1/{match[1] or 3})"),
    (r"\b(\d+) (\d+)(?:rd|th)s?(?= of\b)|\b(\d+)\s*/\s*(\d+)(?= of\b)", r"(\1\3/\2\4)"),
    (r"\s*(?:percent|per cent)\b|(?<=\d) +%(?!\s*[\w(.])| *%(?= *(?:of|off|on|tip|tax|more|less)\b)", "%"),
    (rf"{_P} off (?:of )?{_N}|{_P} less than {_N}", r"(\2\4*(1-\1\3))"),
    (rf"{_P} more than {_N}", r"(\2*(1+\1))"),
    (rf"{_P} (?:tip|tax|vat|commission) on {_N}", r"(\1*\2)"),
    (rf"{_N} (?:increased|raised) by {_P}|(?:increase|raise) {_N} by {_P}", r"(\1\3*(1+\2\4))"),
    (rf"{_N} (?:decreased|reduced) by {_P}|(?:decrease|reduce) {_N} by {_P}", r"(\1\3*(1-\2\4))"),
    (rf"{_N}\s*(?:增加|上涨|提高|增长)了?\s*{_P}(?:之?后)?", r"(\1*(1+\2))"),
    (rf"{_N}\s*(?:减少|下降|降低|下调)了?\s*{_P}(?:之?后)?", r"(\1*(1-\2))"),
    (rf"{_N}(?:打|的)(\d)\.?(\d?)折", r"(\1*0.\2\3)"),
    (rf"{_N}的(\d)成(\d?)", r"(\1*0.\2\3)"),
    (rf"{_N}的{_N}倍", r"((\1)*\2)"),
    (r"(?<=[%)])\s*of\b", "*"),
    (rf"{_N}\s*的\s*{_N}\s*次方|{_N} to the (?:power (?:of )?{_N}|{_N}(?:th|nd|rd|st) power)", r"((\1\3)**(\2\4\5))"),
    (rf"{_N}\s*的?(?:算术)?平方根|根号\s*{_N}|\bsqrt\s+{_N}|(?:the )?square root of {_N}", r"sqrt(\1\2\3\4)"),
    (rf"{_N}\s*的?立方根|(?:the )?cube root of {_N}", r"cbrt(\1\2)"),
    (rf"{_N}(?: squared|\s*的?平方)", r"((\1)**2)"),
    (rf"{_N}(?: cubed|\s*的?立方)", r"((\1)**3)"),
    (rf"{_N}\s*的\s*(?={_P}|\()", r"\1*"),
    (rf"{_N}\s*除\s*(?!以){_N}", r"(\2/\1)"),
    (r"\btimes\b|\bmultiplied by\b|乘以|乘上|乘|(?<=[\d)%])(?<!\b0)\s*x\s*(?=[\d(])", "*"),
    (r"\bdivided by\b|除以", "/"),
    (r"\bplus\b|加上|加", "+"),
    (r"\bminus\b|减去|减", "-"),
)
_READ = re.compile(r"\de[+-]?\d|[\d\s.,()+\-*/%]|\b(?:sqrt|cbrt|pi)\b")
_ONE_NUMBER = re.compile(r"\(\d+(?:\.\d+)?[*/]\d+\)")
"""A fraction or a scaled number, such as 12万: computing it would only say it again."""
_OPERATION = re.compile(r"[-+*/%]|sqrt|cbrt")
MAX_CHARS = 500
_RULES = [(re.compile(pattern), replacement) for pattern, replacement in _PHRASES]


def find_expression(text: str) -> str:
    """Return a message that is arithmetic and nothing else, as its writer put it; empty for any other.

    >>> find_expression("What is a third of 90?"), find_expression("计算三十五乘以十二"), find_expression("Is 9/11 on?")
    ('a third of 90', '三十五乘以十二', '')
    """
    asked = without_asking(text.rstrip(" .!！。")) if len(text) <= MAX_CHARS else ""
    try:
        signs = with_signs(asked)
    except ValueError:
        return ""
    computes = re.search(r"\d", signs) and _OPERATION.search(_ONE_NUMBER.sub("1", signs))
    return asked if computes and not _READ.sub("", signs) else ""


def without_asking(text: str) -> str:
    """Return `text` without what only asks for the result: 'what is 2+2?' is '2+2'."""
    return _ASKED.sub("", text.strip()).strip()


def with_signs(text: str) -> str:
    """Return arithmetic in words as digits and signs.

    >>> with_signs("20% of 1.5 million"), with_signs("12万元的15%")
    ('20%* (1.5*1000000)', '(12*10000)*15%')

    Raises:
        ValueError: A Chinese numeral is malformed, or there is money of two currencies.
    """
    text = re.sub(r"(\d+)\s*([½¼¾])", r"(\1+\2)", text)
    text = unicodedata.normalize("NFKC", text.translate(_SIGNS)).lower().replace("⁄", "/").replace("一半", "(1/2)")
    if len({match[0].strip() for match in _MONEY.finditer(text)}) > 1:
        raise ValueError("money of two currencies")
    text = re.sub("([百千万])分之", lambda match: f"{_SCALES[match[1]]}分之", _MONEY.sub("", text))
    text = alpha2digit(_SCALED.sub(_scaled, text), "en", threshold=0)
    text = _ZH_NUMBER.sub(lambda match: str(cn2an.cn2an(match[0], "smart")), text)
    text = re.sub(r"(?<!\d)100分之(\d+(?:\.\d+)?)", r"\1%", text)
    for pattern, replacement in _RULES:
        text = pattern.sub(replacement, text)
    return text


def _scaled(match: re.Match[str]) -> str:
    scale = _SCALES.get(match[2]) or prod(_SCALES[sign] for sign in match[2])
    return f"({match[1]}*{scale})"
