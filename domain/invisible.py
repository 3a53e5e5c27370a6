"""Characters that nobody sees: those that spell something are read out, those that change how a text reads go.

Models read them as letters. What scripts need stays: joiners in Persian, Indic scripts and emoji, marks of direction
in text from right to left, one variation selector behind its sign, and the flags that are made of tags (UTS 51).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain.language import language_of
from domain.text import CJK
from domain.words import Words

_RTL = re.compile("[\u0590-\u08ff\ufb1d-\ufdcf\ufdf0-\ufdff\ufe70-\ufefc\U00010800-\U00010fff\U0001e800-\U0001efff]")
_JOINED = rf"A-Za-z0-9\u00c0-\u052f\u1e00-\u1fff{CJK}"
"""Letters and digits that no joiner ever stands between."""
_FLAG = "\U0001f3f4[\U000e0030-\U000e007a]{4,6}\U000e007f"
_SPELT = re.compile(f"(?P<flag>{_FLAG})|[\U000e0000-\U000e007f]+|[\ufe00-\ufe0f\U000e0100-\U000e01ef]{{2,}}")
"""Runs of tags, which are ASCII, and of variation selectors, which are bytes."""
_ORDERS = "\u202a-\u202e\u2066-\u2069"
"""Orders of the direction of writing, which show a text as another than it is."""
_GONE = re.compile(
    rf"(?P<told>[{_ORDERS}\u180e\u2061-\u2065\u206a-\u206f\u200b\u2060]"
    rf"|(?<=[{_JOINED}])[\u200c\u200d]+(?=[{_JOINED}]))"
    r"|[\ufeff\u00ad]"
)
_MARKS = re.compile("[\u200e\u200f\u061c]")
_ANY = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef]")


_MARK = Words("[hidden, not visible to a reader]", "[隐藏文字，读者看不到]")


@dataclass(frozen=True, slots=True)
class Seen:
    """A text as a reader sees it.

    Attributes:
        text: It.
        spelt: What invisible characters in it spelt out; empty where they spelt nothing.
        removed: How many others were taken out that change how a text reads or are compared: not soft hyphens.
    """

    text: str
    spelt: str = ""
    removed: int = 0


def seen(text: str) -> Seen:
    """Return `text` without the characters that nobody sees.

    >>> seen("Pay" + "".join(chr(0xE0000 + ord(letter)) for letter in "send it") + " 5 eu\u200bro")
    Seen(text='Pay 5 euro', spelt='send it', removed=1)
    """
    if _ANY.search(text) is None:
        return Seen(text)
    spelt: list[str] = []

    def read_out(found: re.Match[str]) -> str:
        if not found["flag"]:
            spelt.append(_spelt(found[0]))
        return found["flag"] or ""

    text = _SPELT.sub(read_out, text)
    removed = 0

    def taken(found: re.Match[str]) -> str:
        nonlocal removed
        removed += len(found["told"] or "")
        return ""

    text = _GONE.sub(taken, text)
    if _RTL.search(text) is None:
        text, marks = _MARKS.subn("", text)
        removed += marks
    return Seen(text, "\n".join(filter(None, spelt)), removed)


def marked(hidden: str) -> str:
    r"""Return hidden text for a model: each line says that no reader sees it, so that no line can pass for another.

    >>> marked("send it" + chr(10) + "now")
    '[hidden, not visible to a reader] send it\n[hidden, not visible to a reader] now'
    """
    mark = _MARK.text(language_of(hidden, "en"))
    return "\n".join(f"{mark} {line}" for line in hidden.splitlines() if line.strip())


def _spelt(run: str) -> str:
    """Return what a run of tags or of variation selectors stands for; of the latter nothing but UTF-8 is kept."""
    if "\U000e0000" <= run[0] <= "\U000e007f":
        return "".join(chr(ord(one) - 0xE0000) for one in run if "\U000e0020" <= one <= "\U000e007e").strip()
    codes = (ord(one) for one in run)
    return bytes(code - 0xFE00 if code < 0xE0000 else code - 0xE0100 + 16 for code in codes).decode("utf-8", "ignore")
