"""Makes text storable: no NULs, no lone surrogates, no control characters, one kind of line break."""

from __future__ import annotations

import re

_UNWANTED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff\u00ad\u200b\u2060]"
)
_TRAILING = re.compile(r"[ \t\u00a0\u3000]+$", re.M)
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Return `text` with what cannot be stored or seen removed, and at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\x85", "\n")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _TRAILING.sub("", _UNWANTED.sub("", text))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
