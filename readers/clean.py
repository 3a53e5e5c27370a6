"""Makes text storable: no NULs, no lone surrogates, nothing that nobody sees, one kind of line break."""

from __future__ import annotations

import re
from dataclasses import replace

from domain.invisible import Seen, seen

_UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_TRAILING = re.compile(r"[ \t\u00a0\u3000]+$", re.M)
_BLANK_LINES = re.compile(r"\n{3,}")


def cleaned(text: str) -> Seen:
    """Return `text` with what cannot be stored or seen taken out, and at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\x85", "\n")
    found = seen(_UNWANTED.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n\n")))
    return replace(found, text=_BLANK_LINES.sub("\n\n", _TRAILING.sub("", found.text)).strip("\n"))


def clean(text: str) -> str:
    """Return the text of `cleaned`."""
    return cleaned(text).text
