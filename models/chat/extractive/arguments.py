"""Arguments of tool calls, taken out of what the user wrote: URLs, arithmetic, places."""

from __future__ import annotations

import re
import unicodedata

_URL = re.compile(r"https?://[^\s<>\"'，。；！？、）】》」』]+", re.IGNORECASE)
_ZH_DIGITS = dict(zip("零〇一二两三四五六七八九", (0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9), strict=True))
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}
_ZH_NUMBER = re.compile(r"[零〇一二两三四五六七八九十百千万亿]+(?:点[零〇一二三四五六七八九]+)?")
_DIGITS_UNIT = re.compile(r"(\d+(?:\.\d+)?)\s*([万亿])")
_EN_NUMBERS = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen "
        "eighteen nineteen twenty".split()
    )
} | {"thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_NUMBER = r"(?:\d+(?:\.\d+)?|\([^()]*\))"

_REWRITES = [
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"(?<=\d),(?=\d{3}(?!\d))", ""),
        (r"(?<=[\d)])\s*(?:x|×|·|∗|\*|times|multiplied by|乘以|乘上|乘)\s*(?=[\d(√])", "*"),
        (r"\s*(?:÷|divided by|除以)\s*", "/"),
        (r"\s*(?:\bplus\b|加上|加)\s*", "+"),
        (r"\s*(?:\bminus\b|减去|减|−|–)\s*", "-"),
        (r"pct\s*(\d+(?:\.\d+)?)", r"\1%"),
        (r"(\d+(?:\.\d+)?)\s*(?:percent|per cent)\b", r"\1%"),
        (rf"({_NUMBER})\s*的\s*(\d+(?:\.\d+)?)\s*%", r"\2/100*\1"),
        (rf"(\d+(?:\.\d+)?)\s*%\s*(?:of|的)\s*({_NUMBER})", r"\1/100*\2"),
        (rf"({_NUMBER})\s*(?:%|％)(?!\s*[\d(])", r"(\1/100)"),
        (rf"(?:the )?(?:square root of|sqrt(?: of)?|√|根号)\s*({_NUMBER})", r"sqrt(\1)"),
        (rf"({_NUMBER})\s*的(?:算术)?平方根|对?({_NUMBER})\s*开(?:平)?方", r"sqrt(\1\2)"),
        (rf"({_NUMBER})\s*(?:squared|的?平方)", r"\1**2"),
        (rf"({_NUMBER})\s*(?:cubed|的?立方)", r"\1**3"),
        (rf"({_NUMBER})\s*(?:\^|to the power of|的)\s*(\d+)(?:次方)?", r"\1**\2"),
        (rf"({_NUMBER})\s*除\s*({_NUMBER})", r"\2/\1"),
    )
]
_EXPRESSION = re.compile(r"(?:sqrt|[-\d.+*/()%\s])+")
_MEANINGFUL = re.compile(r"\d\s*\)*\s*(?:\*\*|[-+*/%])\s*\(*\s*(?:\d|sqrt)|sqrt")
_DATE = re.compile(r"^\d{4}-\d{1,4}(?:-\d{1,2})?$|^\d{1,2}/\d{1,2}/\d{2,4}$|^\d{3}-\d{3,}")

_PLACE_EN = re.compile(
    r"\b(?:in|at|for)\s+(?!the\b|an?\b|my\b|this\b|\d)([A-Za-z][A-Za-z .'/_-]*?)\s*(?:\b(?:right now|now|today"
    r"|please|local)\b|[?,.!]|$)",
    re.IGNORECASE,
)
_PLACE_ZH = re.compile(
    r"([\u4e00-\u9fff]{2,6}?)(?:那边|当地)?(?:此刻|现在|目前|今天)?(?:的)?(?:当地)?(?:是|的)?(?:几点|时间|什么时间"
    r"|星期几|周几|几号|日期)"
)
_NO_PLACE = re.compile(
    "^(?:现在|今天|目前|此刻|当前|请问|告诉我|是|的|那|您|你|知道|想|帮我|看看|看|查|一下|什么|我|要|问|下|明天"
    "|昨天|这个)+"
)
_ZONE = re.compile(r"\b(?:Africa|America|Asia|Atlantic|Australia|Europe|Indian|Pacific)/[A-Za-z_/]+")


def find_urls(text: str) -> list[str]:
    """Return the http(s) URLs of `text`, without closing punctuation."""
    return [url.rstrip(".,;:!?)]}*_") for url in _URL.findall(text)]


def find_place(text: str) -> str:
    """Return the city, country or IANA zone of a question about the time, empty when it names none."""
    if zone := _ZONE.search(text):
        return zone.group()
    if found := _PLACE_EN.search(text):
        return found.group(1).strip()
    if found := _PLACE_ZH.search(_NO_PLACE.sub("", text)):
        return _NO_PLACE.sub("", found.group(1))
    return ""


def zh_number(text: str) -> int:
    """Return the whole number that Chinese numerals write."""
    return int(_zh_decimal(text))


def find_expression(text: str) -> str | None:
    """Return the arithmetic that `text` asks for as `+ - * / ** % ( ) sqrt()`, or None when there is none.

    >>> find_expression("what is 12.5% of 80?")
    '12.5/100*80'
    >>> find_expression("3的平方加4")
    '3**2+4'
    """
    plain = unicodedata.normalize("NFKC", text).lower()
    normal = _spelled_numbers(plain)
    for pattern, replacement in _REWRITES:
        normal = pattern.sub(replacement, normal)
    found = [match.group().strip() for match in _EXPRESSION.finditer(normal)]
    usable = [_balanced(item.rstrip(".+-*/ ")) for item in found if _MEANINGFUL.search(item)]
    usable = [item for item in usable if not (item in plain and _DATE.match(item))]
    return max(usable, key=len) if usable else None


def _balanced(expression: str) -> str:
    expression = re.sub(r"\s+", "", expression).lstrip("*/+.")
    while expression.count("(") > expression.count(")") and expression.startswith("("):
        expression = expression[1:]
    while expression.count(")") > expression.count("(") and expression.endswith(")"):
        expression = expression[:-1]
    return expression


def _spelled_numbers(text: str) -> str:
    text = _DIGITS_UNIT.sub(lambda match: f"({match[1]}*{10_000 if match[2] == '万' else 100_000_000})", text)
    text = _ZH_NUMBER.sub(lambda match: _zh_decimal(match.group()), text.replace("百分之", "pct"))
    return re.sub(r"[a-z]+(?:-[a-z]+)?", lambda match: _en_number(match.group()), text)


def _en_number(word: str) -> str:
    tens, _, ones = word.partition("-")
    if tens not in _EN_NUMBERS or (ones and ones not in _EN_NUMBERS):
        return word
    return str(_EN_NUMBERS[tens] + (_EN_NUMBERS[ones] if ones else 0))


def _zh_decimal(text: str) -> str:
    """Turn `一百二十点五` into `120.5`."""
    whole, _, decimals = text.partition("点")
    total = section = digit = 0
    for character in whole:
        if character in _ZH_DIGITS:
            digit = _ZH_DIGITS[character] + (digit * 10 if digit and len(whole) > 1 and not _has_units(whole) else 0)
        elif character in _ZH_UNITS:
            section += (digit or 1) * _ZH_UNITS[character]
            digit = 0
        else:
            total = (total + section + digit) * (10_000 if character == "万" else 100_000_000)
            section = digit = 0
    number = str(total + section + digit)
    return number + ("." + "".join(str(_ZH_DIGITS[c]) for c in decimals) if decimals else "")


def _has_units(text: str) -> bool:
    return any(character in "十百千万亿" for character in text)
