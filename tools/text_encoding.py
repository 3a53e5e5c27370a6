"""Bytes of a web page to text, as browsers do it: byte order mark, header, meta tag, then what decodes."""

from __future__ import annotations

import re

_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,30})", re.I)
_META_BYTES = 2048
_CODECS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5"), "big5hkscs"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"), "cp1252"),
    **{name: name for name in ("euc-jp", "iso-2022-jp", "utf-16", "utf-16le", "utf-16be", "koi8-r", "koi8-u", "cp866")},
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "windows-949"), "cp949"),
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259) if page != 1252},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
}
"""Labels of the WHATWG Encoding standard to codecs: a closed list, as some of Python's codecs take quadratic time."""


def decode(body: bytes, claimed: str | None) -> str:
    """Decode `body`; `claimed` is the charset of the header. Bytes that fit no encoding become U+FFFD."""
    for mark, codec in _MARKS:
        if body.startswith(mark):
            return body.decode(codec, "replace")
    meta = _META.search(body[:_META_BYTES])
    labels = [claimed, meta[1].decode("ascii", "ignore") if meta else None]
    for label in labels:
        codec = _CODECS.get((label or "").strip().lower(), "")
        if codec and (text := _try(body, codec)) is not None:
            return text
    for codec in ("utf-8", "gb18030", "cp1252"):
        if (text := _try(body, codec)) is not None:
            return text
    return body.decode("utf-8", "replace")


def _try(body: bytes, codec: str) -> str | None:
    """Decode, forgiving up to one broken character in a thousand, as real pages have them."""
    text = body.decode(codec, "replace")
    return text if text.count("\ufffd") * 1000 <= len(text) else None
