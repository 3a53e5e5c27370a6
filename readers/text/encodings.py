"""Finds the encoding of text: byte order mark, UTF-8, then the candidate whose decoding reads most like language.

General detectors need a few hundred bytes; a short note in GBK or CP1251 has twenty. A wrong decoding of it gives rare
characters, a right one the characters everybody uses, so each candidate is scored by how common its characters are.
"""

from __future__ import annotations

import codecs
import re
import unicodedata
from functools import lru_cache

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
    **dict.fromkeys(("big5", "big5-hkscs", "cn-big5"), "big5hkscs"),
    **dict.fromkeys(("shift_jis", "shift-jis", "sjis", "windows-31j", "ms_kanji"), "cp932"),
    **dict.fromkeys(("iso-8859-1", "latin1", "us-ascii", "ascii", "windows-1252", "cp1252"), "cp1252"),
    **{name: name for name in ("euc-jp", "iso-2022-jp", "utf-16", "utf-16le", "utf-16be", "koi8-r", "koi8-u", "cp866")},
    **dict.fromkeys(("euc-kr", "ks_c_5601-1987", "windows-949"), "cp949"),
    **{f"windows-{page}": f"cp{page}" for page in range(1250, 1259) if page != 1252},
    **{f"iso-8859-{part}": f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 9, 10, 13, 14, 15, 16)},
}
"""Labels of the WHATWG Encoding standard to codecs: a closed list, as some of Python's codecs take quadratic time."""
_SAMPLE = 32_768
_CANDIDATES = (
    "gb18030",
    "cp950",
    "cp932",
    "euc_jp",
    "euc_kr",
    "cp1251",
    "cp866",
    "koi8_r",
    "cp1252",
    "utf-16-le",
    "utf-16-be",
)
_SHOWN = {"cp950": "big5", "cp932": "shift_jis", "utf-16-le": "utf-16", "utf-16-be": "utf-16"}
_HANZI_LEVELS = {
    "gb18030": ("gb2312", 0xB0, 0xD7),
    "cp950": ("big5", 0xA4, 0xC6),
    "cp932": ("euc_jp", 0xB0, 0xCF),
    "euc_jp": ("euc_jp", 0xB0, 0xCF),
}
_FREQUENT_HANZI = frozenset(
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過发發后後作里裡"
    "用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心她本前开開但因只从從想实實日"
    "军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重并並物手应應战戰向头頭文体體政美"
    "相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論"
    "处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管"
    "期市直德资資命山金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放强強即像难難且权權思王象完"
    "设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观觀清今切院让讓识識候带帶导導争爭运運"
    "京请請邮郵货貨款元价價您台臺湾灣"
)
_FREQUENT_HANGUL = frozenset(
    "이다는을가의에하고한지기사도로서은를자인대어시리나있아해그일전수정보요니안라여부세게제들과만것습"
)
_WIDE_PUNCTUATION = frozenset("，。、！？：；（）《》〈〉「」『』【】“”‘’…—－～·　％／")
_LATIN_MARKS = frozenset("“”‘’–—…€•™©®°«»£§²³½¼¾¿¡´·")


def decode(data: bytes) -> tuple[str, str, bool]:
    """Return the text of `data`, the name of its encoding, and whether that is beyond doubt."""
    for mark, codec, shown in _BOMS:
        if data.startswith(mark):
            return data.decode(codec, "replace"), shown, True
    if b"\x1b$" in data[:_SAMPLE]:
        try:
            return data.decode("iso2022_jp"), "iso2022_jp", True
        except UnicodeDecodeError:
            pass
    utf8 = _utf8(data)
    if utf8 is not None and b"\0" not in data[:_SAMPLE]:
        return utf8, "utf-8", True
    ranked = sorted(((_score(data, codec), -order, codec) for order, codec in enumerate(_CANDIDATES)), reverse=True)
    (best, _, codec), (second, _, _) = ranked[:2]
    if best < 0.2:
        return (data.decode("latin-1"), "latin-1", False) if utf8 is None else (utf8, "utf-8", False)
    shown = _SHOWN.get(codec, codec)
    if codec == "gb18030":
        shown = "gbk" if _decodes(data, "gbk") else codec
    return data.decode(codec, "replace"), shown, best >= 0.6 and best - second >= 0.15


def decode_page(data: bytes, claimed: str | None = None) -> str:
    """Return the text of a web page: by byte order mark, header (`claimed`) or meta tag, else as `decode` finds it."""
    marked = any(data.startswith(mark) for mark, _, _ in _BOMS)
    meta = _META.search(data[:_META_BYTES])
    labels = [] if marked else [claimed, meta[1].decode("ascii", "ignore") if meta else None]
    for label in labels:
        codec = _LABELS.get((label or "").strip().lower())
        if codec is not None:
            text = data.decode(codec, "replace")
            if text.count("\ufffd") * 1000 <= len(text):  # real pages have a broken character or two
                return text
    return decode(data)[0]


def _utf8(data: bytes) -> str | None:
    """Decode as UTF-8; one broken sequence in two hundred good ones is damage, more is another encoding."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("utf-8", "replace")
        broken = text.count("\ufffd")
        if sum(1 for char in text if char > "\x7f") < 200 * broken:
            return None
    return text


def _decodes(data: bytes, codec: str) -> bool:
    try:
        data.decode(codec)
    except UnicodeDecodeError:
        return False
    return True


def _score(data: bytes, codec: str) -> float:
    """Return how much the decoding reads like language: about 1 for the right one, below 0.5 for others."""
    if codec.startswith("utf-16") and len(data) % 2:
        return 0.0
    sample = data[:_SAMPLE]
    try:
        text = codecs.getincrementaldecoder(codec)("strict").decode(sample, len(data) <= _SAMPLE)
    except UnicodeDecodeError:
        return 0.0
    if codec in ("cp932", "euc_jp"):
        return _mean(text, codec) * _japanese(text)
    return _mean(text, codec)


def _mean(text: str, codec: str) -> float:
    wide = codec.startswith("utf-16")
    total, count = 0.0, 0
    before = " "
    for char in text:
        if char > "\x7f":
            total += _weight(char, before, codec)
            count += 1
        elif char < " " and char not in "\t\r\n\f\x1a":
            total, count = total - 2.0, count + 1
        elif wide:
            total, count = total + 0.9, count + 1
        before = char
    return total / count if count else 0.0


def _japanese(text: str) -> float:
    """Japanese without kana is rare, but names and headings are."""
    kanji = sum(1 for char in text if "\u4e00" <= char <= "\u9fff")
    kana = sum(1 for char in text if "\u3041" <= char <= "\u30ff")
    return 1.0 if kana * 10 >= kanji else 0.8


def _weight(char: str, before: str, codec: str) -> float:
    if codec in ("cp1251", "cp866", "koi8_r"):
        return _cyrillic(char, before)
    if codec == "cp1252":
        return _latin(char, before)
    if "\u4e00" <= char <= "\u9fff":
        return _hanzi(char, codec)
    if char in _WIDE_PUNCTUATION:
        return 1.0
    if "\u3041" <= char <= "\u30ff":
        return 1.0 if codec in ("cp932", "euc_jp", "utf-16-le", "utf-16-be") else 0.2
    if "\uac00" <= char <= "\ud7a3":
        return 1.0 if char in _FREQUENT_HANGUL else 0.6
    return _other(char, codec)


def _other(char: str, codec: str) -> float:
    category = unicodedata.category(char)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return -1.0
    if "\uff01" <= char <= "\uff5e":
        return 0.8
    if codec.startswith("utf-16"):
        return 0.7 if category in ("Ll", "Lu") and char < "\u0530" else 0.2
    return 0.4 if category in ("So", "Sm", "Po", "No") else 0.1


def _hanzi(char: str, codec: str) -> float:
    if char in _FREQUENT_HANZI:
        return 0.4 if codec == "euc_kr" else 1.0
    if codec == "euc_kr":
        return 0.1
    return 0.75 if char in _common_hanzi(codec) else 0.1


def _cyrillic(char: str, before: str) -> float:
    if before.isascii() and before.isalpha():
        return 0.1
    if "а" <= char <= "я" or char == "ё":
        return 0.9
    if "А" <= char <= "Я" or char == "Ё":
        return 0.8 if not before.isalpha() or before.isupper() else 0.0
    return 0.4 if char in _LATIN_MARKS or char == "№" else 0.1


def _latin(char: str, before: str) -> float:
    category = unicodedata.category(char)
    if category == "Cc":
        return -1.0
    if category in ("Ll", "Lu"):
        alone = before <= "\x7f"
        return 0.85 if alone and (category == "Ll" or not before.islower()) else 0.3
    if before > "\x7f":
        return 0.1
    return 0.7 if char in _LATIN_MARKS or char == "\u00a0" else 0.1


@lru_cache(maxsize=8)
def _common_hanzi(codec: str) -> frozenset[str]:
    """Characters of the first, everyday level of the national standard behind `codec`."""
    if codec not in _HANZI_LEVELS:
        return _common_hanzi("gb18030") | _common_hanzi("cp950")
    standard, first, last = _HANZI_LEVELS[codec]
    trails = [*range(0xA1, 0xFF), *(range(0x40, 0x7F) if standard == "big5" else ())]
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in trails)
    return frozenset(pair.decode(standard, "ignore") for pair in pairs) - {""}
