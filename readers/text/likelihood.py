"""How likely a decoding of bytes is: the log-probability of its characters in the languages written in an encoding.

All candidates explain the same bytes, so their sums can be compared as they are. A damaged byte costs about as much as
two rare characters, and a wrong alphabet costs something for every character: a few U+FFFD never lose against it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from math import exp, log

DOUBTFUL = -10.0
"""What damage may have made: at least as unlikely as a lost byte."""
ASCII_TEXT = -3.5
"""Of letters, digits, marks and spaces in ASCII: the same in every encoding."""
LOST = -10.5
"""Of a damaged byte: one in a hundred, whatever it is."""
FOREIGN = -11.0
"""Of a letter that the languages of the encoding do not use."""
SYMBOL = -9.0
RARE_HANZI = -17.0
NOT_TEXT = -14.0
"""Of control characters, private and unassigned ones."""
OF_ANY_SCRIPT = -1.5
"""What each character of a Unicode encoding costs beside its probability in the script that has it."""

_ALPHABETS: dict[str, tuple[str, ...]] = {
    "cyrillic": ("оеаинтсрвлкмдпуяыьгзбчйхжшюцщэфъё", "іїєґўјљњћђџ"),
    "greek": ("αοιετσνηυρπκμλςόίάέωδγήύχθώφβξζψϊΐϋΰ",),
    "hebrew": ("יוהלאמרתבנשדקעחפטצגכםןסזףךץ",),
    "arabic": ("اليمونرتبةعدسفهكقحجأشصطىخإضذزثئءغظآؤ", "پچژگکی"),
    "thai": ("านรกอเงมยลว่ดทสต้ะัป็บิคหีแจพชขใไโผ์ืุูำซธถฟศณภษญฐฉๆฏฎฒฑฆฌฤฬฮ",),
    "western": ("éäöüèàáíóñçßãêúôåøâîûëïõæœìòùýÿðþ",),
    "central": ("éáíóěšřžčýąłęöůúżśćüńäőâňăťďűźôîșşțţđĺľŕ",),
    "turkish": ("ıüşçğöâîûé",),
}
"""Letters of each alphabet from the most to the least frequent, then those of its other languages."""
_SHARES = {"western": 0.05, "central": 0.1, "turkish": 0.15}
"""How many of the characters the letters outside ASCII are, where not nearly all."""
_MARKS = "“”‘’–—…€«»°§№·„•"
_LATIN_SIGNS = "¿¡ºª²³½¼®©™£¥×±"
_WIDE_MARKS = ("，。、", "：；“”（）《》「」！？・ー", "‘’『』【】〈〉…—－～·　％／０１２３４５６７８９")

_FREQUENT_HANZI = (
    "的一是不了在人有我他这這个個们們中来來上大为為和国國地到以说說时時要就出会會可也你对對生能而子那得于於着著下自之年过過发發后後作里裡"
    "用道行所然家种種事成方多经經么麼去法学學如都同现現当當没沒动動面起看定天分还還进進好小部其些主样樣理心她本前开開但因只从從想实實日"
    "军軍者意无無力它与與长長把机機十民第公此已工使情明性知全三又关關点點正业業外将將两兩高间間由问問很最重并並物手应應战戰向头頭文体體政美"
    "相见見被利什二等产產或新己制身果加西斯月话話合回特代内內信表化老给給世位次度门門任常先海通教儿兒原东東声聲提立及比员員解水名真论論"
    "处處走义義各入几幾口认認条條平系气氣题題活尔爾更别別打女变變四神总總何电電数數安少报報才结結反受目太量再感建务務做接必场場件计計管"
    "期市直德资資命山金指克许許统統区區保至队隊形社便空决決治展马馬科司五基眼书書非则則听聽白却卻界达達光放强強即像难難且权權思王象完"
    "设設式色路记記南品住告类類求据據程北边邊死张張该該交规規万萬取拉格望觉覺术術领領共确確传傳师師观觀清今切院让讓识識候带帶导導争爭运運"
    "京请請邮郵货貨款元价價您台臺湾灣"
)
_FREQUENT_HANGUL = "이다는을가의에하고한지기사도로서은를자인대어시리나있아해그일전수정보요니안라여부세게제들과만것습"
_HIRAGANA = "のにたいをはしがとてでなるかれらもすっりこさまあきんくだけよせどそちめおえみわやうつじばげずべ"
_KATAKANA = "ンスルイトリアクラッドシフタムレジコテプマロメデサカニオグバィキチパブ"

_MIXED = re.compile("[a-zA-Z](?=[\u0370-\u06ff\u0e00-\u0e7f])|[\u0370-\u06ff\u0e00-\u0e7f](?=[a-zA-Z])")
"""Two alphabets in one word."""
_ALONE = re.compile("(?<![\u0370-\u06ff\u0e00-\u0e7f])[\u0370-\u06ff\u0e00-\u0e7f](?![\u0370-\u06ff\u0e00-\u0e7f])")
"""A single letter of another alphabet than Latin."""
_UPPER_INSIDE = re.compile("[a-zà-öø-ÿα-ωά-ώа-яѐ-џ](?=[À-ÖØ-ÞΑ-ΩА-ЯЀ-Џ])|[à-öø-ÿα-ωά-ώа-яѐ-џ](?=[A-Z])")
"""A capital after a small letter."""
_SIGN_INSIDE = re.compile(
    "[a-zA-Zß-ÿ\u0370-\u06ff](?:[¡¢¤¥¦§¨¬¯±µ¶¸¿Œœ†‡‰ˆ˜]|[¹²³ªº°´·«»](?=[a-zA-Zß-ÿ\u0370-\u06ff]))"
)
"""A sign at the end of a word, or inside one."""
_HANZI_IN_WORD = re.compile("[a-z](?=[\u3040-\u9fff\uac00-\ud7a3])|[\u3040-\u9fff\uac00-\ud7a3](?=[a-z])")
"""Latin and East Asian writing without a space between."""
_MARKED_PAIR = re.compile("[\u00c0-\u024f](?=[\u00c0-\u024f])")
"""Two letters with marks side by side, which words in Latin letters rarely have."""


class Likelihood:
    """Log-probabilities of text in one encoding."""

    def __init__(self, codec: str) -> None:
        """Take the languages that are written in `codec`; of an unknown codec, any."""
        self._wide = codec in _WRITTEN or codec.startswith("utf")
        self._of = _Table(codec)

    def __getitem__(self, char: str) -> float:
        """Return the log-probability of one character."""
        return self._of[char]

    def of(self, text: str) -> float:
        """Return the log-probability of `text`, in nats."""
        total = sum(count * self._of[char] for char, count in Counter(text).items())
        if self._wide:
            return total - 2.5 * len(_HANZI_IN_WORD.findall(text))
        for pattern, cost in (
            (_MIXED, 9.0),
            (_ALONE, 4.0),
            (_UPPER_INSIDE, 5.0),
            (_SIGN_INSIDE, 6.0),
            (_MARKED_PAIR, 2.5),
        ):
            total -= cost * len(pattern.findall(text))
        return total


@lru_cache(maxsize=64)
def likelihood(codec: str) -> Likelihood:
    """Return the log-probabilities of `codec`, made once."""
    return Likelihood(codec)


class _Table(dict[str, float]):
    """Log-probability of each character; what no language lists is weighed by its category, and remembered."""

    def __init__(self, codec: str) -> None:
        super().__init__()
        if codec in CODECS[1:]:
            self |= _hanzi_table(codec) if codec in _WRITTEN else _letter_table(_SINGLE_BYTE[codec])
            return
        cost = OF_ANY_SCRIPT if codec.startswith("utf") else 0.0
        for listed in (*map(_hanzi_table, _WRITTEN), *map(_letter_table, _ALPHABETS)):
            for char, value in listed.items():
                self[char] = max(value + cost, self.get(char, NOT_TEXT))

    def __missing__(self, char: str) -> float:
        self[char] = value = _unlisted(char)
        return value


def _unlisted(char: str) -> float:
    if " " <= char <= "~" or char in "\t\r\n\f\x1a\x1b":
        return ASCII_TEXT
    if char == "\ufffd":
        return LOST
    category = unicodedata.category(char)
    if category in ("Cc", "Cn", "Co", "Cs"):
        return NOT_TEXT
    if category == "Lo" and char >= "\u3400":
        return RARE_HANZI
    return FOREIGN if category[0] in "LM" else SYMBOL


def _shared(chars: str, share: float) -> dict[str, float]:
    """Return equal parts of `share` for the characters."""
    return dict.fromkeys(chars, log(share / len(chars))) if chars else {}


def _ranked(chars: str, share: float) -> dict[str, float]:
    """Return parts of `share` that fall exponentially with the rank, as frequencies of letters do."""
    parts = [exp(-3.5 * rank / len(chars)) for rank in range(len(chars))]
    return {char: log(share * part / sum(parts)) for char, part in zip(chars, parts, strict=True)}


@lru_cache(maxsize=16)
def _letter_table(alphabet: str) -> dict[str, float]:
    first, *others = _ALPHABETS[alphabet]
    share = _SHARES.get(alphabet, 0.9)
    small = _ranked(first, share)
    for more in others:
        small |= _shared(more, share / 30)
    latin = alphabet in _SHARES
    table = _shared(_LATIN_SIGNS, 0.01 if latin else 0.0005) | _shared(_MARKS, 0.03)
    table |= {large: value - 2.0 for char, value in small.items() if len(large := char.upper()) == 1 and large > "\x7f"}
    return table | small | {"\u00a0": -7.0}


@lru_cache(maxsize=8)
def _hanzi_table(codec: str) -> dict[str, float]:
    """Return the table of a Chinese, Japanese or Korean encoding."""
    standard, first, last, end = _WRITTEN[codec]
    common, further = _level(standard, first, last), _level(standard, last + 1, end)
    frequent = "".join(char for char in _FREQUENT_HANZI if char in common or char in further)
    if codec == "cp949":
        table = _shared(further, 0.003) | _shared(common, 0.4) | _ranked(_FREQUENT_HANGUL, 0.45)
    elif codec in ("cp932", "euc_jp"):
        table = _shared(further, 0.002) | _shared(common, 0.25) | _shared(frequent, 0.1)
        table |= _ranked(_HIRAGANA, 0.5) | _ranked(_KATAKANA, 0.12)
        table |= {char: -8.5 for char in map(chr, range(0x3041, 0x30FB)) if char not in table}
    else:
        table = _shared(further, 0.005) | _shared(common, 0.22) | _shared(frequent, 0.7)
    for marks, share in zip(_WIDE_MARKS, (0.1, 0.03, 0.01), strict=True):
        table |= _shared(marks, share)
    return table


def _level(standard: str, first: int, last: int) -> str:
    """Return the characters of the rows `first` to `last` of a national standard."""
    trails = [*range(0xA1, 0xFF), *(range(0x40, 0x7F) if standard == "big5" else ())]
    pairs = (bytes((lead, trail)) for lead in range(first, last + 1) for trail in trails)
    return "".join(char for pair in pairs if len(char := pair.decode(standard, "ignore")) == 1 and char > "\x7f")


_WRITTEN = {
    "gb18030": ("gb2312", 0xB0, 0xD7, 0xF7),
    "big5hkscs": ("big5", 0xA4, 0xC6, 0xF9),
    "cp932": ("euc_jp", 0xB0, 0xCF, 0xF4),
    "euc_jp": ("euc_jp", 0xB0, 0xCF, 0xF4),
    "cp949": ("euc_kr", 0xB0, 0xC8, 0xFD),
}
"""Chinese, Japanese and Korean encodings: the standard, and the rows of its common and further characters."""
_SINGLE_BYTE = {
    "cp1251": "cyrillic",
    "cp866": "cyrillic",
    "koi8_u": "cyrillic",
    "cp1253": "greek",
    "cp1255": "hebrew",
    "cp1256": "arabic",
    "cp874": "thai",
    "cp1252": "western",
    "cp1250": "central",
    "cp1254": "turkish",
}
CODECS = ("utf-8", *_WRITTEN, *_SINGLE_BYTE)
"""What can be told apart, beside UTF-16."""
