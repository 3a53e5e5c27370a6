"""Personal data with a form: numbers by their checksums, addresses and secrets by their shape.

Checksums are python-stdnum's (Luhn, ISO 7064 of Chinese identity numbers), telephone numbers are those that the
numbering plans of `phonenumbers` (Google's libphonenumber) know.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from domain.text import HAN

Kind = Literal["KEY", "EMAIL", "ID", "CARD", "PHONE", "PASSPORT", "ADDRESS", "NAME"]


class Span(NamedTuple):
    """Where a text holds personal data, in characters, and of which kind."""

    start: int
    end: int
    kind: Kind


REGIONS: Final = ("CN", "US", "GB")
"""Whose numbers are known without a country code."""

_BEGIN, _END = r"(?<![A-Za-z0-9])", r"(?![A-Za-z0-9])"
_NOT_BEHIND, _NOT_BEFORE = r"(?<!\d)", r"(?!\d)"
"""Around what has a checksum: OCR reads "My card is4111..." as one word."""
_KEY = re.compile(
    rf"{_BEGIN}(?:(?:sk|pk|rk)[-_](?:[A-Za-z]+[-_])*[A-Za-z0-9_-]{{16,}}|(?:AKIA|ASIA)[A-Z0-9]{{16}}"
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}|glpat-[\w-]{20,}|xox[abeprs]-[\w-]{10,}|AIza[\w-]{35}"
    r"|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|LTAI[A-Za-z0-9]{12,}|hf_[A-Za-z0-9]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,8000}?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))"
    r"|(?<=[a-z])sk-(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}"
    r"|(?i:(?:password|passwd|pwd|secret|token|api[ _-]?key|密码|口令|密钥)(?:\s*(?:is|=|:|：|是|为)\s*)[\"'“]?)"
    r"(?P<value>(?=[^\s\"'”，。；,;]*\d)(?=[^\s\"'”，。；,;]*[A-Za-z])[^\s\"'”，。；,;<>]{8,})",
    re.ASCII,
)
_EMAIL = re.compile(
    rf"(?<![A-Za-z0-9.+_-])[A-Za-z0-9][A-Za-z0-9.+_-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{{2,}}(?![A-Za-z0-9{HAN}]*@)"
)
_ID = re.compile(
    rf"{_NOT_BEHIND}[1-9]\d{{5}} ?(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]) ?\d{{3}}[\dXx]{_NOT_BEFORE}"
)
_CARD = re.compile(rf"{_NOT_BEHIND}\d(?:[ -]?\d){{12,18}}{_NOT_BEFORE}")
_ACCOUNT = re.compile(
    r"(?i:卡号|账号|账户|银行卡|account (?:no\.?|number))(?:[是为]|is)?\s*[:：]?\s*"
    rf"(?P<value>\d(?:[ -]?\d){{11,18}}){_END}"
)
_PASSPORT = re.compile(
    r"(?i:护照(?:号码?)?(?:是|为)?\s*[:：]?\s*|passport\s*(?:no\.?|num(?:ber)?|#)?\s*(?:is)?\s*[:：]?\s*)"
    rf"(?P<value>[A-Za-z]{{1,2}}\d{{7,8}}|\d{{9}}){_END}"
)
_ISSUED = re.compile(r"[34569]|(?:222[1-9]|22[3-9]|2[3-6]|27[01]|2720)\d*(?<=^\d{16})$")
"""How card numbers of the usual issuers begin."""
_USUAL_PHONE = re.compile(
    r"(?:(?<![\d.-])\([2-9]\d\d\) ?|(?<![\w.-])(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-]))"
    r"\d{3}[ .-]\d{4}(?![\d-])"
    r"|(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"
)
"""As they are written in North America, and mobile ones in China, assigned or not."""
_PHONE = re.compile(r"\d(?:[^\w\n]{0,3}\d){6}")
"""What may be one: seven digits and little between them."""
_NO_PHONE = re.compile(r"\d+\.\d+|\(?(?:1\d|20)\d\d\s*[-–—]\s*(?:1\d|20)\d\d\)?")
"""Decimals and spans of years."""
_ADDRESS_ZH = re.compile(
    rf"(?:[{HAN}]{{2,8}}?(?:省|自治区|特别行政区))?(?:[{HAN}]{{2,6}}?(?:市|自治州|地区))?(?:[{HAN}]{{1,6}}?(?:区|县|市|旗))?"
    rf"[{HAN}A-Za-z0-9]{{1,12}}?(?:路|街|道|巷|弄|胡同|里|村|镇|段|园|小区|苑)[东西南北中]?[{HAN}]?\d{{1,5}}(?:[-—]\d{{1,4}})?(?:号|弄|栋|幢|座)"
    rf"(?:院|楼|附\d+号|[{HAN}A-Za-z\d-]{{0,8}}?(?:号楼|楼|室|单元|层|座|栋|幢|号|房|园|大厦|广场))*"
)
_STREET = (
    "St|Street|Ave|Avenue|Rd|Road|Blvd|Boulevard|Lane|Ln|Drive|Dr|Terrace|Court|Ct|Way|Place|Pl|Square|Sq|Close"
    "|Crescent|Parkway|Pkwy|Highway|Hwy|Row|Gardens|Grove|Mews|Quay|Circle"
)
_ADDRESS_EN = re.compile(
    rf"\b\d{{1,5}}[A-Za-z]?(?:-\d+)?,?\s+(?:(?:[NSEW]|North|South|East|West|\d{{1,3}}(?:st|nd|rd|th)|[A-Z][a-z'’]+)\.?\s){{1,4}}"
    rf"(?:{_STREET})\b\.?(?:\s(?:NW|NE|SW|SE|N|S|E|W)\b)?"
    r"(?:,?\s(?:Apt|Apartment|Suite|Ste|Unit|Floor|Fl|#)\.?\s?#?\w{1,6})?"
    r"(?:,\s[A-Z][a-z.'’]+(?:\s[A-Z][a-z.'’]+){0,2})*(?:,?\s[A-Z]{2}\s\d{5}(?:-\d{4})?|,?\s[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2})?"
)


def structured(text: str) -> Iterator[Span]:
    """Yield what the form of a text tells, in no order; spans may overlap.

    >>> sorted({span.kind for span in structured("我的手机是13812345678，邮箱 li@example.cn")})
    ['EMAIL', 'PHONE']
    """
    for found in _KEY.finditer(text):
        yield Span(found.start("value"), found.end("value"), "KEY") if found["value"] else Span(*found.span(), "KEY")
    if "@" in text:
        yield from (Span(*found.span(), "EMAIL") for found in _EMAIL.finditer(text))
    yield from (Span(*found.span("value"), "PASSPORT") for found in _PASSPORT.finditer(text))
    yield from (Span(*found.span(), "ADDRESS") for found in (*_ADDRESS_ZH.finditer(text), *_ADDRESS_EN.finditer(text)))
    if _PHONE.search(text):
        yield from _numbers(text)


def _numbers(text: str) -> Iterator[Span]:
    import phonenumbers  # here, as its numbering plans are loaded with it
    from stdnum import luhn
    from stdnum.iso7064 import mod_11_2

    for found in _ID.finditer(text):
        if mod_11_2.is_valid(found[0].replace(" ", "").upper()):
            yield Span(*found.span(), "ID")
    for found in _CARD.finditer(text):
        digits = re.sub(r"\D", "", found[0])
        if _ISSUED.match(digits) and len(set(digits)) > 2 and luhn.is_valid(digits):
            yield Span(*found.span(), "CARD")
    yield from (Span(*found.span(), "PHONE") for found in _USUAL_PHONE.finditer(text))
    yield from (Span(*found.span("value"), "CARD") for found in _ACCOUNT.finditer(text))
    for region in REGIONS:
        matcher = phonenumbers.PhoneNumberMatcher(text, region, leniency=phonenumbers.Leniency.VALID)
        yield from (
            Span(match.start, match.end, "PHONE") for match in matcher if not _NO_PHONE.fullmatch(match.raw_string)
        )


def holds_secret(text: str) -> bool:
    """Tell whether a text holds a key, a password or the number of a bank card.

    >>> holds_secret("my password is hunter2hunter2"), holds_secret("I have a card")
    (True, False)
    """
    return any(span.kind in ("KEY", "CARD") for span in structured(text))


def without_personal_data(text: str) -> str:
    """Return a text with the kind in place of what has a form, for logs; names of people are not looked for.

    >>> without_personal_data("sent to li@example.cn")
    'sent to <EMAIL>'
    """
    parts: list[str] = []
    at = 0
    for start, end, kind in sorted(structured(text)):
        if start >= at:
            parts += (text[at:start], f"<{kind}>")
            at = end
    return "".join([*parts, text[at:]])
