"""Makes text storable: no NULs, no lone surrogates, no control characters, one kind of line break."""

from __future__ import annotations

import re

_UNWANTED = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff\u00ad\u200b\u2060"
    r"\u202a-\u202e\u2066-\u2069]"  # orders of the direction of writing, which show a text as another than it is
)
_TAGS = re.compile(r"(\U0001f3f4[\U000e0030-\U000e007a]{4,6}\U000e007f)|[\U000e0000-\U000e007f]+")
"""Tag characters, which nobody sees and models read; flags such as that of Scotland are made of a few (UTS 51)."""
_TRAILING = re.compile(r"[ \t\u00a0\u3000]+$", re.M)
_BLANK_LINES = re.compile(r"\n{3,}")


def clean(text: str) -> str:
    """Return `text` with what cannot be stored or seen removed, and at most one blank line in a row."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x0b", "\n").replace("\x85", "\n")
    text = text.replace("\u2028", "\n").replace("\u2029", "\n\n")
    text = _TRAILING.sub("", _TAGS.sub(r"\1", _UNWANTED.sub("", text)))
    return _BLANK_LINES.sub("\n\n", text).strip("\n")
