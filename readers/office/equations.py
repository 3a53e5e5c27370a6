"""Equations of Office files (OMML, ECMA-376 part 1, chapter 22.1) as LaTeX.

Letters and signs stay as they are written (`ρ`, `×`), which LaTeX reads and people search for; only structure becomes
commands.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from lxml import etree

MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"

_SPECIAL = re.compile(r"[%#$_{}]")
_SIMPLE = re.compile(r"\w|\\[A-Za-z]+")
_NARY = {
    "∑": r"\sum",
    "∏": r"\prod",
    "∫": r"\int",
    "∬": r"\iint",
    "∭": r"\iiint",
    "∮": r"\oint",
    "⋃": r"\bigcup",
    "⋂": r"\bigcap",
}
_ACCENTS = {
    "\u0300": "grave", "\u0301": "acute", "\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0305": "overline",
    "\u0306": "breve", "\u0307": "dot", "\u0308": "ddot", "\u030c": "check", "\u20d7": "vec", "\u20db": "dddot",
}  # fmt: skip
_BRACES = {"\u23de": "overbrace", "\u23df": "underbrace", "\u23b4": "overbracket", "\u23b5": "underbracket"}
_FUNCTIONS = frozenset(
    "arccos arcsin arctan arg cos cosh cot coth csc deg det dim exp gcd hom inf ker lg lim ln log max min sec sin sinh"
    " sup tan tanh".split()
)


def latex(equation: etree._Element) -> str:
    """Return an `m:oMath` or `m:oMathPara` element, or anything inside one, as LaTeX without its dollar signs."""
    return " ".join(_content(equation).split())


def _content(element: etree._Element) -> str:
    return "".join(_one(child) for child in element.iterchildren(etree.Element))


def _one(element: etree._Element) -> str:
    name = etree.QName(element).localname
    if name == "r":
        return _run(element)
    if name in _FORMS:
        return _FORMS[name](element)
    return "" if name.endswith("Pr") else _content(element)


def _part(element: etree._Element, name: str) -> str:
    part = element.find(MATH + name)
    return "" if part is None else _content(part).strip()


def _value(element: etree._Element, name: str, default: str) -> str:
    """Return the value of a property; one that is there without a value is empty."""
    found = element.find(f"{MATH}{etree.QName(element).localname}Pr/{MATH}{name}")
    return default if found is None else str(found.get(f"{MATH}val") or "")


def _run(element: etree._Element) -> str:
    text = "".join(str(part.text or "") for part in element.iter("{*}t"))
    if element.getparent() is not None and any(True for _ in element.iterancestors(f"{MATH}eqArr")):
        text = text.replace("&", "")
    return _SPECIAL.sub(r"\\\g<0>", text.replace("–", "-"))


def _grouped(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else "{" + text + "}"


def _script(mark: str, text: str) -> str:
    return mark + _grouped(text) if text else ""


def _base(element: etree._Element) -> str:
    text = _part(element, "e")
    return text if re.fullmatch(r"[\w.]+|\\\w+|\(.*\)", text) else "{" + text + "}"


def _fraction(element: etree._Element) -> str:
    above, below = _part(element, "num"), _part(element, "den")
    kind = _value(element, "type", "bar")
    if kind == "lin":
        return f"{_grouped(above)}/{_grouped(below)}"
    return f"{{{above} \\atop {below}}}" if kind == "noBar" else f"\\frac{{{above}}}{{{below}}}"


def _root(element: etree._Element) -> str:
    degree = _part(element, "deg")
    return f"\\sqrt{f'[{degree}]' if degree else ''}{{{_part(element, 'e')}}}"


def _nary(element: etree._Element) -> str:
    sign = _value(element, "chr", "∫")
    limits = _script("_", _part(element, "sub")) + _script("^", _part(element, "sup"))
    return f"{_NARY.get(sign, sign)}{limits} {_part(element, 'e')}"


def _function(element: etree._Element) -> str:
    name = _part(element, "fName")
    word = re.match(r"[A-Za-z]+", name)
    known = word is not None and word[0] in _FUNCTIONS
    return f"{chr(92) if known else ''}{name} {_part(element, 'e')}"


def _fenced(element: etree._Element) -> str:
    start, end = _value(element, "begChr", "("), _value(element, "endChr", ")")
    parts = [_content(part).strip() for part in element.iterchildren(f"{MATH}e")]
    if start == "{" and not end and element.find(f"{MATH}e/{MATH}eqArr") is not None:
        return parts[0].replace("{aligned}", "{cases}")
    body = _value(element, "sepChr", "|").join(parts)
    return _SPECIAL.sub(r"\\\g<0>", start) + body + _SPECIAL.sub(r"\\\g<0>", end)


def _rows(kind: str, rows: list[str]) -> str:
    return rf"\begin{{{kind}}} " + r" \\ ".join(rows) + rf" \end{{{kind}}}"


def _matrix(element: etree._Element) -> str:
    rows = ([_content(cell).strip() for cell in row] for row in element.iterchildren(f"{MATH}mr"))
    return _rows("matrix", [" & ".join(row) for row in rows])


def _equations(element: etree._Element) -> str:
    lines = [_content(line).strip() for line in element.iterchildren(f"{MATH}e")]
    return _rows("aligned", lines) if len(lines) > 1 else "".join(lines)


def _accent(element: etree._Element) -> str:
    return f"\\{_ACCENTS.get(_value(element, 'chr', chr(0x302)), 'hat')}{{{_part(element, 'e')}}}"


def _brace(element: etree._Element) -> str:
    sign, text = _value(element, "chr", "\u23df"), _part(element, "e")
    return f"\\{_BRACES[sign]}{{{text}}}" if sign in _BRACES else f"\\overset{{{sign}}}{{{text}}}"


_FORMS: dict[str, Callable[[etree._Element], str]] = {
    "f": _fraction,
    "rad": _root,
    "nary": _nary,
    "func": _function,
    "d": _fenced,
    "m": _matrix,
    "eqArr": _equations,
    "acc": _accent,
    "groupChr": _brace,
    "bar": lambda one: f"\\{'underline' if _value(one, 'pos', 'bot') == 'bot' else 'overline'}{{{_part(one, 'e')}}}",
    "borderBox": lambda one: f"\\boxed{{{_part(one, 'e')}}}",
    "sSup": lambda one: _base(one) + _script("^", _part(one, "sup")),
    "sSub": lambda one: _base(one) + _script("_", _part(one, "sub")),
    "sSubSup": lambda one: _base(one) + _script("_", _part(one, "sub")) + _script("^", _part(one, "sup")),
    "sPre": lambda one: "{}" + _script("_", _part(one, "sub")) + _script("^", _part(one, "sup")) + _base(one),
    "limLow": lambda one: _part(one, "e") + _script("_", _part(one, "lim")),
    "limUpp": lambda one: _part(one, "e") + _script("^", _part(one, "lim")),
}
