"""Numbers as Word writes them in lists and captions (ST_NumberFormat, ECMA-376 part 1, 17.18.59)."""

from __future__ import annotations

from collections.abc import Callable

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"))
_SMALL_ROMAN = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
_DIGITS, _UNITS = "零一二三四五六七八九", "十百千"
_LEGAL_DIGITS, _LEGAL_UNITS = "零壹贰叁肆伍陆柒捌玖", "拾佰仟"
_OLD_LEGAL_DIGITS = "零壹貳參肆伍陸柒捌玖"
_STEMS, _BRANCHES = "甲乙丙丁戊己庚辛壬癸", "子丑寅卯辰巳午未申酉戌亥"
_GANADA, _CHOSUNG = "가나다라마바사아자차카타파하", "ㄱㄴㄷㄹㅁㅂㅅㅇㅈㅊㅋㅌㅍㅎ"
_AIUEO = "アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワヲン"
_RUSSIAN = "абвгдежзиклмнопрстуфхцчшщыэюя"


def numeral(value: int, form: str) -> str:
    """Return `value` in the number format `form`; in digits where the format is unknown or ends before it.

    Example:
        >>> numeral(23, "chineseCounting"), numeral(4, "upperRoman"), numeral(28, "lowerLetter")
        ('二十三', 'IV', 'bb')
    """
    if form == "none":
        return ""
    return _FORMS[form](value) if form in _FORMS and value > 0 else str(value)


def _roman(value: int) -> str:
    if value > 3999:
        return str(value)
    text = ""
    for size, letters in _ROMAN:
        text += letters * (value // size)
        value %= size
    return text + _SMALL_ROMAN[value]


def _letters(letters: str) -> Callable[[int], str]:
    """Return how lists go on: a to z, then aa, bb, cc."""
    return lambda value: letters[(value - 1) % len(letters)] * min((value - 1) // len(letters) + 1, 10)


def _series(signs: str) -> Callable[[int], str]:
    return lambda value: signs[value - 1] if value <= len(signs) else str(value)


def _block(first: str, length: int) -> Callable[[int], str]:
    return lambda value: chr(ord(first) + value - 1) if value <= length else str(value)


def _chinese(digits: str, units: str, *, bare_ten: bool = False) -> Callable[[int], str]:
    """Return how numbers up to 9999 are spoken; `bare_ten` has 十 for 一十."""

    def spoken(value: int) -> str:
        if value > 9999:
            return str(value)
        text, gap = "", False
        for place, digit in zip(range(len(str(value)) - 1, -1, -1), map(int, str(value)), strict=True):
            if digit:
                text += (digits[0] if gap else "") + digits[digit] + (units[place - 1] if place else "")
            gap = not digit and bool(text)
        return text[1:] if bare_ten and text.startswith(digits[1] + units[0]) else text

    return spoken


def _replaced(digits: str) -> Callable[[int], str]:
    return lambda value: "".join(digits[int(digit)] for digit in str(value))


def _ordinal(value: int) -> str:
    ending = "th" if 10 < value % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


_SPOKEN = _chinese(_DIGITS, _UNITS, bare_ten=True)
_FORMS: dict[str, Callable[[int], str]] = {
    "decimalZero": lambda value: f"{value:02}",
    "upperRoman": lambda value: _roman(value).upper(),
    "lowerRoman": _roman,
    "upperLetter": _letters("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
    "lowerLetter": _letters("abcdefghijklmnopqrstuvwxyz"),
    "russianLower": _letters(_RUSSIAN),
    "russianUpper": _letters(_RUSSIAN.upper()),
    "ordinal": _ordinal,
    "hex": lambda value: f"{value:X}",
    "numberInDash": lambda value: f"- {value} -",
    "decimalFullWidth": _replaced("０１２３４５６７８９"),
    "decimalFullWidth2": _replaced("０１２３４５６７８９"),
    "decimalEnclosedCircle": _block("①", 20),
    "decimalEnclosedCircleChinese": _block("①", 20),
    "decimalEnclosedParen": _block("⑴", 20),
    "decimalEnclosedFullstop": _block("⒈", 20),
    "ideographEnclosedCircle": _block("㊀", 10),
    "chineseCounting": _SPOKEN,
    "chineseCountingThousand": _SPOKEN,
    "taiwaneseCounting": _SPOKEN,
    "taiwaneseCountingThousand": _SPOKEN,
    "japaneseCounting": _SPOKEN,
    "chineseLegalSimplified": _chinese(_LEGAL_DIGITS, _LEGAL_UNITS),
    "ideographLegalTraditional": _chinese(_OLD_LEGAL_DIGITS, _LEGAL_UNITS),
    "ideographDigital": _replaced("〇一二三四五六七八九"),
    "japaneseDigitalTenThousand": _replaced("〇一二三四五六七八九"),
    "taiwaneseDigital": _replaced("〇一二三四五六七八九"),
    "ideographTraditional": _series(_STEMS),
    "ideographZodiac": _series(_BRANCHES),
    "ganada": _series(_GANADA),
    "chosung": _series(_CHOSUNG),
    "aiueo": _series(_AIUEO),
    "aiueoFullWidth": _series(_AIUEO),
}
