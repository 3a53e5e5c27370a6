"""Finds the encoding of text: byte order mark, UTF-8, then the candidate whose decoding is the likeliest language.

General detectors need a few hundred sound bytes; a short note in GBK or CP1251 has twenty, and one of them may be
damaged. So every candidate decodes with replacement, and `readers.text.likelihood` weighs what comes out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable
from functools import lru_cache

from readers.text.likelihood import CODECS, DOUBTFUL, Likelihood, likelihood

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig", "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "utf-16"),
)
_META = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{2,30})", re.I)
_META_BYTES = 2048
_LABELS = {
    **dict.fromkeys(("utf-8", "utf8", "unicode-1-1-utf-8"), "utf-8"),
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "gb_2312-80", "x-gbk", "cp936"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5", "x-x-big5"), "big5hkscs"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "x-sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("euc-jp", "x-euc-jp"), "euc_jp"),
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "windows-949"), "cp949"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"), "cp1252"),
    **dict.fromkeys(("koi8-r", "koi8-u"), "koi8_u"),
    **dict.fromkeys(("utf-16", "utf-16le"), "utf-16-le"),
    **{"utf-16be": "utf-16-be", "ibm866": "cp866", "cp866": "cp866", "tis-620": "cp874", "windows-874": "cp874"},
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259) if page != 1252},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
}
"""Labels of the WHATWG Encoding standard to codecs: a closed list, as some of Python's codecs take quadratic time."""
_CONTROLS = re.compile(rb"[\0-\x08\x0e-\x19\x1c-\x1f]")
_SAMPLE = 4096
"""Bytes that are weighed; of longer files the first lines that are not ASCII."""
_LEAST_EVIDENCE = 64
_DECLARED = 25.0
"""Nats that a declared encoding has ahead: it holds unless a text of some length speaks against it."""
_MAIN = 16.0
"""Nats that the encoding of the file has ahead in each of its lines."""
_PRIORS = {"cp1252": 4.0, "gb18030": 2.0, "cp1251": 1.0} | dict.fromkeys(("cp1253", "cp1255", "cp1256", "cp874"), -3.0)
_PRIORS |= dict.fromkeys(("utf-16-le", "utf-16-be"), -6.0)
_CERTAIN = 12.0
"""Nats between the best and the next candidate beyond which there is no doubt."""
_LANGUAGE = -10.0
"""Nats a character above which a decoding reads like language at all."""
_MOST_MENDED = 1 << 19
"""Bytes of lines that are looked at one by one: about three seconds."""
_RUN = 4096
_SKIPPED = -18.0
"""Nats that it costs to leave a byte out: more than the rarest character, less than a few wrong ones."""
_WIDE = ("utf-16-le", "utf-16-be")
_UNITS = {"gb18030": (1, 2, 4), "euc_jp": (1, 2, 3)} | dict.fromkeys(("big5hkscs", "cp932", "cp949"), (1, 2))
_UNITS |= dict.fromkeys(_WIDE, (2, 4))
"""Bytes of the characters of encodings in which a stray byte shifts what follows."""
_WORD = re.compile(rb"[^\0-/]{1,%d}|[\0-/]+" % _RUN)
"""What no character of these encodings reaches over: runs between spaces, line breaks and the like."""
_SHOWN = {"big5hkscs": "big5", "cp932": "shift_jis", "cp949": "euc_kr", "koi8_u": "koi8_r"} | dict.fromkeys(
    _WIDE, "utf-16"
)


def decode(data: bytes, declared: str | None = None) -> tuple[str, str, bool]:
    """Return the text of `data`, the name of its encoding, and whether that is beyond doubt.

    Damaged bytes become U+FFFD. Lines in another encoding than the rest are read in theirs.

    Args:
        data: All bytes of a text.
        declared: The label of the encoding that its sender states.
    """
    for mark, codec, shown in _BOMS:
        if data.startswith(mark):
            return data.decode(codec, "replace"), shown, True
    if b"\x1b$" in data[:_SAMPLE]:
        text = data.decode("iso2022_jp", "replace")
        if text.count("\ufffd") * 20 <= len(text):
            return text, "iso2022_jp", True
    utf8 = _strict_utf8(data)
    if utf8 is not None and len(_CONTROLS.findall(data[:_SAMPLE])) * 50 <= len(data[:_SAMPLE]):
        return utf8, "utf-8", True
    codec, ahead, sound = _weighed(data, _LABELS.get((declared or "").strip().lower()))
    text = _aligned(data, codec) if codec in _WIDE else _by_lines(data, codec)
    shown = _SHOWN.get(codec, codec)
    if codec == "gb18030" and data.decode("gbk", "replace") == text:
        shown = "gbk"
    return text, shown, sound and ahead >= _CERTAIN


def is_utf16(data: bytes) -> bool:
    """Whether bytes that hold control characters are text in UTF-16 without a byte order mark."""
    codec, _, sound = _weighed(data, None)
    return sound and codec in _WIDE


def decode_page(data: bytes, claimed: str | None = None) -> str:
    """Return the text of a web page: by byte order mark, header (`claimed`) or meta tag, else as `decode` finds it."""
    meta = _META.search(data[:_META_BYTES])
    labels = (claimed, meta[1].decode("ascii", "ignore") if meta else None)
    return decode(data, next((label for label in labels if (label or "").strip().lower() in _LABELS), None))[0]


def _weighed(data: bytes, label: str | None) -> tuple[str, float, bool]:
    """Return the likeliest codec, how many nats it is ahead of the next, and whether its text reads like language."""
    sample = _sample(data)
    candidates = dict.fromkeys((*CODECS, *_WIDE, *([label] if label else ())))
    (best, codec), (second, _) = _ranked(sample, candidates, label, _DECLARED)[:2]
    text = _aligned(sample, codec)
    sound = best >= _LANGUAGE * len(text) and text.count("\ufffd") * 10 <= len(text)
    return codec, best - second, sound


def _strict_utf8(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _sample(data: bytes) -> bytes:
    """Return what is weighed of `data`: its beginning, or where that is plain ASCII, the first lines that are not."""
    head = data[:_SAMPLE]
    if len(data) <= _SAMPLE or len(head) - len(head.decode("ascii", "ignore")) >= _LEAST_EVIDENCE or b"\0" in head:
        return head
    lines: list[bytes] = []
    size = 0
    for line in data.split(b"\n"):
        if not line.isascii():
            lines.append(line)
            size += len(line)
            if size >= _SAMPLE:
                break
    return b"\n".join(lines)[:_SAMPLE]


def _aligned(data: bytes, codec: str) -> str:
    """Decode with `codec`; where a byte is lost or added, find again where characters begin.

    UTF-8 and the encodings of one byte do so by themselves. In the others a stray byte makes other characters of all
    that follows it up to the next space or line; there the likeliest way to cut bytes into characters is taken.
    """
    if codec not in _UNITS:
        return data.decode(codec, "replace")
    table, parts, at, budget = likelihood(codec), [], 0, _MOST_MENDED
    while at < len(data):
        run = data[at : at + _RUN] if codec in _WIDE else _WORD.match(data, at)[0]  # type: ignore[index]
        at += len(run)
        text = run.decode(codec, "replace")
        if budget > 0 and not run.isascii() and any(table[char] <= DOUBTFUL for char in set(text)):
            budget -= len(run)
            text = _likeliest(run, codec, table)
            if codec in _WIDE and text.endswith("\ufffd") and at < len(data):
                text, at = text[:-1], at - 1
        parts.append(text)
    return "".join(parts)


def _likeliest(data: bytes, codec: str, table: Likelihood) -> str:
    """Return the characters of the likeliest way to read `data`, lost bytes as U+FFFD."""
    best: list[tuple[float, int, str]] = [(0.0, 0, "")]
    for end in range(1, len(data) + 1):
        ways = [(best[end - 1][0] + _SKIPPED, end - 1, "\ufffd")]
        for width in _UNITS[codec]:
            if end >= width and len(char := _char(data[end - width : end], codec)) == 1:
                ways.append((best[end - width][0] + table[char], end - width, char))
        best.append(max(ways))
    chars, at = [], len(data)
    while at:
        _, at, char = best[at]
        chars.append(char)
    return "".join(reversed(chars))


@lru_cache(maxsize=50_000)
def _char(data: bytes, codec: str) -> str:
    """Return the character that `data` is in `codec`, empty when it is none."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        return ""


def _ranked(sample: bytes, candidates: Iterable[str], favoured: str | None, ahead: float) -> list[tuple[float, str]]:
    """Return (log-probability, codec) of the candidates, the best first; `favoured` is so many nats `ahead`."""
    priors = _PRIORS | ({favoured: _PRIORS.get(favoured, 0.0) + ahead} if favoured else {})
    scores = ((likelihood(codec).of(_aligned(sample, codec)) + priors.get(codec, 0.0), codec) for codec in candidates)
    return sorted(scores, reverse=True)


def _by_lines(data: bytes, codec: str) -> str:
    """Decode with `codec`, but lines that it damages, or that are UTF-8, in what explains them better."""
    table, budget = likelihood(codec), _MOST_MENDED
    found = set(data.decode(codec, "replace"))
    doubtful = {char for char in found if table[char] <= DOUBTFUL} if codec in _UNITS else {"\ufffd"}
    lines = []
    for line in data.split(b"\n"):
        text = line.decode(codec, "replace")
        if budget > 0 and not line.isascii() and (not doubtful.isdisjoint(text) or _may_be_utf8(line, codec)):
            budget -= len(line)
            best = _ranked(line[:_SAMPLE], CODECS, codec, _MAIN)[0][1] if len(line) <= _SAMPLE else codec
            text = _aligned(line, best)
        lines.append(text)
    return "\n".join(lines)


def _may_be_utf8(line: bytes, codec: str) -> bool:
    return codec != "utf-8" and _strict_utf8(line) is not None
