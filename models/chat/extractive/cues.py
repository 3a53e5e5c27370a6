"""What kind of answer a question wants, and signs that a sentence contradicts what the question takes for granted."""

from __future__ import annotations

import re
from dataclasses import dataclass

from models.chat.extractive.text import stem, words

_MONTH = "January|February|March|April|May|June|July|August|September|October|November|December"
_NUMBER_WORD = (
    "one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fifteen|twenty|thirty|forty|fifty|sixty"
    "|seventy|eighty|ninety|hundred|thousand|million|billion|half|third|quarter|dozen|double|twice|first|second"
)
_ZH_NUMBER = (
    r"[0-9０-９]|[一二三四五六七八九十百千万亿两半]+[个位名人次年月日天岁元米公里吨种条座部家所间只层%％]"
    r"|[一二三四五六七八九十百]+分之"
)
_TIME_EN = (
    rf"\b1\d{{3}}s?\b|\b20\d\ds?\b|\b(?:{_MONTH})\b|\bcentur|\d{{1,2}}:\d\d|\b(?:Mon|Tues|Wednes|Thurs|Fri|Satur"
    rf"|Sun)day"
    r"|\b(?:o'clock|noon|midnight|morning|evening|daily|weekly|monthly|annual|month|week|day|year|during|until"
    r"|since|after)\b"
)
_TIME_ZH = r"[0-9０-９]{1,4}\s*[年月日]|[一二三四五六七八九十〇零元]+[年月日]|世纪|年间|年代|初期|末期|时期"


@dataclass(frozen=True, slots=True)
class Cue:
    """A question pattern and the pattern that a sentence which answers it usually holds."""

    question: re.Pattern[str]
    answer: re.Pattern[str]


def _cue(question: str, answer: str, *, ignore_case: bool = True) -> Cue:
    return Cue(re.compile(question, re.IGNORECASE), re.compile(answer, re.IGNORECASE if ignore_case else 0))


CUES = (
    _cue(r"\bwhen\b|\b(?:what|which)\s+(?:\w+\s+)?(?:year|date|day|month|decade|century|period|era)\b", _TIME_EN),
    _cue(r"\bhow (?:long"
    r"|old)\b", rf"(?:\d|\b(?:{_NUMBER_WORD})\b).*\b(?:year|month|week|day|hour|minute|second|decade|centur)"),
    _cue(
        r"\bhow (?:many|much|far|high|tall|big|large|fast|deep|often)\b|\b(?:what|which) (?:percent|percentage|number|"
        r"amount|proportion|share|fraction|age|price|cost|temperature|population|size|rate|distance)\b",
        rf"\d|\b(?:{_NUMBER_WORD})\b",
    ),
    _cue(r"\bwho\b|\bwhose\b|\bwhom\b", r"(?<=[a-z,;:] )[A-Z][\w.'’-]+|^[A-Z]\w+ [A-Z]\w+", ignore_case=False),
    _cue(
        r"\bwhere\b|\b(?:what|which) (?:city|country|state|place|town|region|location|continent|river|province)\b",
        r"\b(?:in|at|from|to|near|of|on|into|around|across) (?:the )?[A-Z]|\blocated\b",
        ignore_case=False,
    ),
    _cue(r"\bwhy\b|\bwhat (?:is|was|were) the (?:reason|cause"
    r"|purpose)", r"because|due to|in order|so that|since|reason|cause|therefore|result"),
    _cue(r"\bhow heavy\b|\bweigh", r"\d.*\b(?:kg|kilos?|kilograms?|grams?|g|lbs?|pounds?|tons?|tonnes?|ounces?|oz)\b"),
    _cue(
        r"\b(?:what|which) colou?r",
        r"\b(?:red|green|blue|yellow|black|white|gr[ae]y|brown|orange|purple|pink|gold(?:en)?|silver|colou?r\w*)\b",
    ),
    _cue("什么时候|何时|哪一?年|几年|哪一?天|几月|几号|年份|日期|时间|哪个?世纪|哪个?年代|哪个?时期", _TIME_ZH),
    _cue("多少|几[个位名人次天岁元米公里吨种条座部家所间只层级点]|多[大长高远久深宽重]|比例|人数|数量|金额|价格"
    "|面积", _ZH_NUMBER),
    _cue("谁|哪位|哪些人|哪个人|何人|什么人", r"[\u4e00-\u9fff]·[\u4e00-\u9fff]|[《]|[由被为是、，]|[A-Z]"),
    _cue("哪里|哪儿|何地|何处|什么地方|哪个?(?:城市|国家|省|市|县|地区|地方|洲|岛)"
    "|位于", "[省市县区镇乡村国州岛洲山河湖街路港]"),
    _cue("为什么|为何|原因|缘故", "因为|由于|因此|因而|所以|为了|原因|故|导致|使得|因"),
)  # fmt: skip

_NEGATION = re.compile(
    r"\b(?:not|never|cannot|without|none|neither|nor|no|nothing|nobody|unable|fail(?:s|ed)?|lacks?|except|rarely|hardly"
    r"|un\w{4,}|non-?\w{3,}|in(?:ability|valid|capable|sufficient)\w*|prevent\w*|avoid\w*|refus\w+|reject\w*"
    r"|den(?:y|ied))\b"
    r"|n['’]t\b|不|没|未|无|非|勿|莫|拒|禁",
    re.IGNORECASE,
)
_QUESTION_NEGATION = re.compile(
    r"\b(?:not|never|cannot)\b|n['’]t\b|不(?!同|过|久|但|仅|是|断|少)|没有|未(?!来)", re.IGNORECASE
)

_OPPOSITES = [pair.split("/") for pair in (
    "increase/decrease raise/lower rise/fall grow/shrink more/less most/least highest/lowest higher/lower high/low "
    "large/small "
    "largest/smallest bigger/smaller maximum/minimum first/last early/late earlier/later earliest/latest "
    "before/after begin/end "
    "start/finish start/end old/new oldest/newest older/younger oldest/youngest male/female man/woman men/women "
    "king/queen father/mother "
    "son/daughter brother/sister north/south east/west northern/southern eastern/western left/right inside/outside "
    "internal/external "
    "inner/outer upper/lower above/below over/under top/bottom strong/weak stronger/weaker strongest/weakest "
    "static/dynamic "
    "active/passive positive/negative direct/indirect public/private formal/informal legal/illegal "
    "natural/artificial simple/complex "
    "single/multiple major/minor majority/minority rich/poor cheap/expensive fast/slow hot/cold warm/cool wet/dry "
    "heavy/light light/dark "
    "black/white day/night open/closed accept/reject allow/prohibit allow/forbid support/oppose agree/disagree "
    "include/exclude "
    "win/lose won/lost success/failure gain/loss import/export buy/sell attack/defend enter/leave arrive/depart "
    "join/leave create/destroy "
    "create/abolish build/demolish expand/contract strengthen/weaken improve/worsen encourage/discourage love/hate "
    "best/worst "
    "better/worse good/bad good/evil true/false common/rare common/uncommon frequent/rare permanent/temporary "
    "ancient/modern "
    "urban/rural domestic/foreign national/international theory/practice cause/prevent stimulate/suppress "
    "promote/inhibit promote/demote "
    "hire/fire teacher/student employer/employee parent/child husband/wife ally/enemy victory/defeat winner/loser "
    "long/short "
    "longest/shortest near/far nearest/farthest deep/shallow wide/narrow thick/thin always/never all/none "
    "same/different "
    "primary/secondary major/minor advantage/disadvantage benefit/harm voluntary/compulsory "
    "voluntary/mandatory liberal/conservative democrat/republican winter/summer life/death alive/dead birth/death "
    "born/died"
).split()]  # fmt: skip
_ZH_OPPOSITES = [pair.split("/") for pair in (
    "增加/减少 上升/下降 提高/降低 最大/最小 最高/最低 最多/最少 最早/最晚 最早/最后 首次/末次 第一/最后 之前/之后 "
    "以前/以后 开始/结束 成立/解散 "
    "建立/废除 支持/反对 同意/拒绝 允许/禁止 成功/失败 胜利/失败 男性/女性 父亲/母亲 儿子/女儿 丈夫/妻子 哥哥/弟弟 "
    "姐姐/妹妹 北部/南部 东部/西部 "
    "内部/外部 上游/下游 左侧/右侧 直接/间接 主动/被动 公立/私立 国内/国外 进口/出口 出生/去世 古代/现代 长期/短期 "
    "优点/缺点 合法/非法 自然/人工"
).split()]  # fmt: skip
_PREFIXES = ("un", "in", "im", "ir", "il", "dis", "non", "non-", "anti", "anti-", "ab", "de", "mis")


_ORDINALS = re.compile(
    r"\b(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth)\b|第[一二三四五六七八九十0-9]+"
)


def _opposite_map() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for one, other in _OPPOSITES:
        found.setdefault(stem(one), set()).add(stem(other))
        found.setdefault(stem(other), set()).add(stem(one))
    return found


_OPPOSITE_OF = _opposite_map()


def cue_match(question: str, sentence: str) -> float:
    """Return 1 if the sentence holds the kind of answer that is asked for, -1 if not, 0 if any kind would do."""
    wanted = [cue.answer for cue in CUES if cue.question.search(question)]
    if not wanted:
        return 0.0
    return 1.0 if any(pattern.search(sentence) for pattern in wanted) else -1.0


def negation_mismatch(question: str, sentence: str) -> bool:
    """Tell whether the question denies something which the sentence, holding no denial, cannot be about."""
    return bool(_QUESTION_NEGATION.search(question)) and not _NEGATION.search(sentence)


def opposite_terms(question: str, sentence: str) -> int:
    """Count words of the question whose opposite, but not the word itself, stands in the sentence."""
    asked = {stem(word) for word in words(question)}
    said = {stem(word) for word in words(sentence)}
    count = sum(bool(_OPPOSITE_OF.get(word, set()) & said) for word in asked - said)
    count += sum(_negated(word, said) for word in asked - said if len(word) > 3)
    for one, other in _ZH_OPPOSITES:
        for here, there in ((one, other), (other, one)):
            count += here in question and here not in sentence and there in sentence
    return count


def other_ordinal(question: str, sentence: str) -> bool:
    """Tell whether the question asks about the second of something and the sentence is about another one."""
    asked, said = set(_ORDINALS.findall(question.lower())), set(_ORDINALS.findall(sentence.lower()))
    return bool(asked and said) and not asked & said


def _negated(word: str, said: set[str]) -> bool:
    return any(
        prefix + word in said
        or (word.startswith(prefix) and len(word) - len(prefix) > 3 and word[len(prefix) :] in said)
        for prefix in _PREFIXES
    )
