"""What a user says of themselves in a message: statements that may be remembered, told apart from everything else.

Only sentences in the first person count that state something in the user's own voice. Questions, requests, what is
supposed or played, and what is quoted, pasted or to be worked on do not: it is about somebody else, or about nothing.
A hosted model may find more (`turn.remembering`), and is held to the same text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from domain.text import sentences
from domain.words import Language, Words
from privacy.structured import holds_secret
from stores.memories.items import MemoryKind

MOST_MESSAGE: Final = 2000
"""Longer messages bring text of others."""
MOST_SENTENCE: Final = 300

_FIRST_PERSON = re.compile(r"\b(?:i|i['’](?:m|ve|d)|my|me|mine|we|our)\b|我|咱", re.IGNORECASE)
_ASKED = re.compile(
    r"^\W*(?:(?:please|pls|can you|could you|also) )*(?:remember|note|keep in mind|don['’]t forget)(?: that\b|:|,)? *"
    r"(?P<en>.{3,})|^\W*(?:请|麻烦|帮我|你)*(?:记住|记一下|记下来?|牢记|别忘了|不要忘记)[：:，,]? *(?P<zh>.{2,})",
    re.IGNORECASE | re.DOTALL,
)
_WORK = re.compile(
    r"\b(?:translate|proofread|re(?:write|phrase)|paraphrase|summari[sz]e|correct|polish|grammar|subtitle|caption)\b"
    r"|\b(?:write|draft|compose|continue|generate|make up) (?:me |us )?(?:an?|the|this|some|\d+) "
    r"|翻译|译成|改写|润色|校对|[续扩缩]写|改错|语法|写一?[篇封段首个份条]|编一?个|造句|总结一?下",
    re.IGNORECASE,
)
_FORGET = re.compile(
    r"^\W*(?:(?:please|pls|can you|could you|now|also) )*(?:forget|erase|delete)\b"
    r"|^\W*(?:请|麻烦|帮我|你)*(?:把.*)?(?:忘|删|别再?记|不要再?记)",
    re.IGNORECASE,
)
_SUPPOSED = re.compile(
    r"\b(?:if|suppose|imagine|pretend|assume|let['’]s say|act as|role-?play|would|could|might|wish|example)\b"
    r"|假如|如果|假设|要是|假装|扮演|比如|例如|想象|万一|可能会|但愿",
    re.IGNORECASE,
)
_QUESTION = re.compile(
    r"[?？]\W*$|[吗呢]\W*$|^\W*(?:who|what|when|where|which|why|how|(?:am|do|did|should|can) i)\b", re.IGNORECASE
)
_OTHERS_WORDS = re.compile(
    r"```.*?(?:```|\Z)|^[ \t]*>.*$|“[^”]{0,2000}”|「[^」]{0,2000}」|\"[^\"\n]{12,2000}\"", re.DOTALL | re.MULTILINE
)
_PASTE = re.compile(r"\n[ \t]*\n|[:：][ \t]*\n|-{3,}|={3,}")
_SENSITIVE = re.compile(
    r"\b(?:allerg|diabet|pregnan|cancer|hiv|depress|disease|diagnos|medic|religio|salary|debt|income|gay|lesbian|trans)"
    r"|过敏|糖尿病|怀孕|癌|抑郁|疾?病|确诊|服药|信教|信仰|工资|负债|收入|欠款",
    re.IGNORECASE,
)

_SOON = r"(?: (?:now|just|also|still|really|currently|recently|absolutely|already))*"
_I = rf"\bi(?:['’](?:m|ve)| am| have)?{_SOON}"
_ZH_SOON = "(?:现在|目前|最近|刚刚?|已经|今年|去年|正?在|还|也|很|真的|比较|特别|非常|更|最|一直|从来?)*"
_KIN = (
    "wife|husband|partner|son|daughter|mother|mom|mum|father|dad|brother|sister|dog|cat|boss|manager|doctor|girlfriend"
    "|boyfriend|roommate|landlord|child|kid|baby|老婆|妻子|太太|老公|丈夫|儿子|女儿|妈妈|母亲|爸爸|父亲|[哥姐弟妹]{2}|孩子"
    "|女朋友|男朋友|狗|猫|老板|领导|室友|房东"
)
_FORMS: Final = {
    "name": (
        r"\bmy name(?:['’]s| is) \w|\bcall me [A-Z]|\bi go by \w",
        "我(?:的名字)?叫[^做我你它这什]|我的名字是|我姓.|叫我.",
    ),
    "home": (
        rf"\b(?:i|we)(?:['’](?:m|ve|re)| am| are| have)?{_SOON} (?:liv(?:e|ing)|moved|moving|relocated|settled)\b.*?"
        r" (?:in|to|near|at|on)\b|\bmy (?:home|house|flat|apartment|address) is\b",
        f"[我咱](?:们|家)*{_ZH_SOON}(?:住|搬[到去来回]|定居)|我(?:的)?家在",
    ),
    "origin": (
        r"\bi(?:['’]m| am| come| was born)(?: originally)? (?:from|in) [A-Z]",
        "我是\\w{2,6}人(?=\\W|$)|我来自|我的?老家",
    ),
    "birthday": (r"\bmy birthday(?:['’]s| is)|\bi was born on\b", "我的?生日"),
    "age": (rf"{_I}(?: turned)? \d{{1,3}}(?: years old\b|(?=\W*$))", f"我{_ZH_SOON}\\d{{1,3}}岁"),
    "work": (
        rf"{_I} work(?:ing)? (?:at|for|as|in)\b|\bmy (?:job|profession|employer) is\b|{_I} (?:joined|run|own)\b"
        r"|\bi(?:['’]m| am) an? (?:\w+[ -]){0,3}\w+(?= (?:at|by|in|for) |\W*$)",
        f"我{_ZH_SOON}在[^，。]{{1,20}}(?:工作|上班|任职|当.)|我的(?:工作|职业|公司)是|我{_ZH_SOON}(?:入职|加入|跳槽)"
        "|我是(?:一[名个位])?[^，。的]{0,12}(?:[师员者家医民]|医生|学生|经理|会计|老板|主管|总监|护士|司机)(?=\\W|$)",
    ),
    "diet": (
        rf"{_I} (?:allergic|intolerant) to\b|{_I}(?: an?)?(?: strict)? (?:vegetarian|vegan|diabetic)"
        r"|\bi (?:don['’]t|do not|can['’]t|cannot|never) (?:eat|drink)\b",
        f"我对[^，。]{{1,16}}过敏|我{_ZH_SOON}(?:不能?|不可以)[吃喝]|我{_ZH_SOON}(?:吃素|是素食)",
    ),
    "kin": (
        rf"\b(?:my|our) (?:\w+ )?(?:{_KIN})(?:['’]s name| \w+)?(?:['’]s| is| are| has| have| works?| lives?)\b"
        rf"|\bi have (?:an?|one|two|three|\d+) (?:\w+ )?(?:{_KIN})s?\b",
        f"我(?:的|家的?)?(?:{_KIN})(?:的名字)?(?:[叫是在今有]|对)|我(?:有|养了?)[^，。]{{0,8}}(?:{_KIN})",
    ),
    "favourite": (r"\bmy favou?rite [\w ]{2,30}(?:is|are)\b", "我最(?:喜欢|爱)的[^，。]{1,12}是"),
    "likes": (
        rf"{_I} (?:(?:don['’]t|do not) )?(?:like|love|enjoy|prefer|adore|hate|dislike|(?:can['’]t|cannot) stand)\b"
        r"(?! (?:to know|it if|you to|(?:that|this|your) answer))",
        f"我{_ZH_SOON}不?(?:喜欢|爱|偏好|热爱|讨厌|受不了)(?!的)",
    ),
    "doing": (
        rf"{_I} (?:(?:started|begun|began) )?(?:learning|studying|training|preparing|building|planning|getting married"
        r"|expecting)\b",
        f"我{_ZH_SOON}(?:打算|准备|计划)?(?:学习?|备考|筹备|训练|装修)(?=.{{2}})",
    ),
}
"""How people state things of themselves: the most usual forms, English and Chinese."""
_PATTERNS: Final = {slot: re.compile("|".join(forms), re.IGNORECASE) for slot, forms in _FORMS.items()}
_KINDS: Final[dict[str, MemoryKind]] = {"favourite": "preference", "likes": "preference", "doing": "episode"}
_SEVERAL: Final = frozenset({"likes", "kin", "diet", "doing", "favourite"})
"""Of these several hold side by side, told apart by what they are about."""
_OF_KIN: Final = {
    "name": re.compile(r"\b(?:called|named?)\b|叫|名字", re.IGNORECASE),
    "home": re.compile(r"\blives?\b|住|搬", re.IGNORECASE),
    "work": re.compile(r"\bworks?\b|工作|上班", re.IGNORECASE),
    "age": re.compile(r"\d+ years?\b|岁", re.IGNORECASE),
    "number": re.compile(r"\bi have\b|我(?:有|养)", re.IGNORECASE),
}
"""Of one relative several things hold side by side as well."""
_CLAUSE = re.compile(
    r"[,;]? (?:and|but) (?=(?:i|my)\b)|[,;] (?=(?:i|my)\b)|[，；、,;]\s*(?:而且|并且|但是?)?(?=我)", re.IGNORECASE
)
"""Where one sentence states two things: each may be superseded, and forgotten, by itself."""
_LINK = re.compile(r"(,? (?:and|but) (?:also )?|, |[，；、](?:而且|并且|但是?|也|还)?)")
SPEAKER = Words("I ", "我")
_OF_SELF: Final = frozenset({"name", "home", "origin", "age", "work"})
_POINTS = re.compile(r"^\w+ing\b|\b(?:it|that|this|them|there|here)\b|[这那它]", re.IGNORECASE)
"""What goes on about something else than the speaker."""
_IS = re.compile(r"(?:am|is|are)\b|[是在]", re.IGNORECASE)
"""What may go on about what the speaker likes: 我喜欢姚明，是运动员."""
_QUESTIONS: Final = {
    "name": (r"\bmy (?:full |first |last )?name\b|\bwho am i\b", "我(?:的名字|叫(?:什么|啥)|姓什么|是谁)"),
    "home": (
        r"\b(?:where|(?:which|what) (?:city|town|country|place|part))\b.*\bi\b.*\b(?:lived?|living|moved?|based)\b"
        r"|\bmy (?:home|address|(?:home ?)?town|city)\b",
        "我[^，。]{0,8}(?:住|搬[到去])[^，。]{0,8}(?:哪|什么|何)|我(?:的)?(?:家|住址|地址)(?:在|是)(?:哪|什么)",
    ),
    "origin": (
        r"\bwhere (?:am|do|was) i (?:come )?(?:originally )?(?:from|born)\b",
        "我是哪里?的?人|我来自哪|我的?老家",
    ),
    "birthday": (r"\bmy birthday\b|\bwhen was i born\b", "我的?生日|我(?:是)?(?:哪天|什么时候)(?:出生|生的)"),
    "age": (r"\bhow old am i\b|\bmy age\b", "我(?:今年)?(?:几岁|多大|多少岁)|我的?年龄"),
    "work": (
        r"\b(?:what|which|who)\b.*\bmy (?:job|work|profession|occupation|employer)\b|\b(?:where|who) do i work\b"
        r"|\bwhat (?:do )?i do (?:for a living|for work)",
        r"我(?:现在)?(?:是做什么|做什么工作|在哪[里儿家]?(?:个?公司)?(?:工作|上班))|我的?(?:工作|职业|公司|单位)(?=[是在叫]|\W*$)",
    ),
    "doing": (
        r"\bwhat\b.*\bam i (?:learning|studying|training|preparing|building|planning)\b",
        "我在?(?:学|备考|准备)(?:什么|啥)",
    ),
    "diet": (
        r"\b(?:can|can['’]t|cannot|should|shouldn['’]t) i (?:not )?(?:eat|drink|cook)\b|\ballerg|\bfood\b.*\bavoid\b",
        "过敏|忌口|我(?:不?能|可以)[吃喝]",
    ),
}
"""How people ask for what the statements of a slot tell."""
_MATTERS: Final = {
    "diet": re.compile(
        r"\b(?:recommend|suggest|ideas?|cook|plan|what|where|give me)\b"
        r".*\b(?:restaurant|recipe|dinner|lunch|snack|meal)s?\b|[吃喝](?:什么|点啥|啥)"
        "|(?:推荐|建议|安排|做).{0,12}(?:餐厅|饭店|菜|[早午晚][餐饭]|零食)",
        re.IGNORECASE,
    )
}
"""Where it matters unasked: what somebody cannot eat."""
_ASKS: Final = {slot: re.compile("|".join(forms), re.IGNORECASE) for slot, forms in _QUESTIONS.items()}
_FILLER = re.compile(
    r"\b(?:really|also|still|absolutely|a|an|the|very|much|so|to|do|don['’]t|not|like|love|enjoy|prefer|adore|hate|dislike"
    r"|can['’]t|cannot|stand|i|my|favou?rite|is|are|anymore|any more|now|no longer|used to)\b"
    r"|真的|还是|也|很|比较|特别|非常|更|最|喜欢|爱好|爱|偏好|热爱|讨厌|不|受不了|我|的|是|了|现在|再",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence of a user that may be remembered; `asked` tells that the user asked for it."""

    text: str
    kind: MemoryKind
    slot: str
    sensitive: bool
    asked: bool = False

    @property
    def base_slot(self) -> str:
        """The slot without what tells apart several of its statements."""
        return self.slot.partition(":")[0]


def may_state(text: str) -> bool:
    """Tell at a glance whether a message may hold a statement: cheap, and never false where `statements` finds one."""
    return len(text) <= MOST_MESSAGE and bool(_FIRST_PERSON.search(text) or _ASKED.search(text))


def own_words(text: str) -> str:
    """Return what of a message is the user's own: nothing of one that brings text to be worked on.

    >>> own_words('I live in Oslo. "I live in Rome, he said." Go on.')
    'I live in Oslo.   Go on.'
    """
    if len(text) > MOST_MESSAGE or _WORK.search(text):
        return ""
    own = _OTHERS_WORDS.sub(" ", text)
    pasted = _PASTE.search(own)
    return own[: pasted.start()] if pasted else own


def is_statement(sentence: str) -> bool:
    """Tell whether a sentence states something: it asks nothing and supposes nothing.

    >>> [is_statement(text) for text in ("I live in Oslo.", "Do I live in Oslo?", "If I lived in Oslo, ...")]
    [True, False, False]
    """
    return not (_SUPPOSED.search(sentence) or _QUESTION.search(sentence) or _FORGET.search(sentence))


def statements(text: str) -> list[Statement]:
    """Return what a user states of themselves in a message, sentence by sentence.

    >>> [(one.slot, one.text) for one in statements("I moved to Chengdu. Is it warm there? 我对花生过敏。")]
    [('home', 'I moved to Chengdu.'), ('diet:对花生过敏', '我对花生过敏。')]
    """
    if not may_state(text):
        return []
    if asked := _ASKED.match(text):
        kept = (asked["en"] or asked["zh"]).strip()
        return [] if holds_secret(kept) or len(kept) > MOST_SENTENCE else [statement_of(kept, asked=True)]
    found: list[Statement] = []
    supposed = False
    for sentence in sentences(own_words(text)):
        supposed = bool(_SUPPOSED.search(sentence)) or (
            supposed and not re.match(r"\W*(?:but|however|但|不过)", sentence)
        )
        if supposed or not is_statement(sentence) or len(sentence) > MOST_SENTENCE or holds_secret(sentence):
            continue
        if _FIRST_PERSON.search(sentence):
            found += [one for clause in _clauses(sentence) if (one := statement_of(clause)).slot]
    return found


def statement_of(text: str, *, asked: bool = False) -> Statement:
    """Return a text as a statement: what it is about, by its form; nothing (no slot) where it has none of the usual.

    >>> [statement_of(text).slot for text in ("I live in Chengdu now", "我对花生过敏", "The key is under the mat")]
    ['home', 'diet:对花生过敏', '']
    """
    slot = next((slot for slot, pattern in _PATTERNS.items() if pattern.search(text)), "")
    about = f":{_about(slot, text)}" if slot in _SEVERAL else ""
    kind = _KINDS.get(slot, "fact")
    return Statement(text.strip(), kind, slot + about, bool(_SENSITIVE.search(text)), asked)


def slots_asked(question: str) -> frozenset[str]:
    """Return the slots whose items a question asks for, whatever its words have in common with theirs.

    >>> [sorted(slots_asked(text)) for text in ("Which city do I live in?", "我住在哪个城市？", "What is 2+2?")]
    [['home'], ['home'], []]
    """
    return _slots(question, _ASKS)


def slots_needed(question: str) -> frozenset[str]:
    """Return the slots that a question asks for, and those whose items matter to its answer unasked.

    >>> sorted(slots_needed("Recommend a restaurant")), sorted(slots_asked("Recommend a restaurant"))
    (['diet'], [])
    """
    return slots_asked(question) | _slots(question, _MATTERS)


def _slots(question: str, patterns: Mapping[str, re.Pattern[str]]) -> frozenset[str]:
    if _WORK.search(question):
        return frozenset()
    return frozenset(slot for slot, pattern in patterns.items() if pattern.search(question))


def _clauses(sentence: str) -> list[str]:
    """Return the parts of a sentence that state something by themselves; the sentence where only one does."""
    parts = [part.strip() for part in _CLAUSE.split(sentence)]
    slots = [statement_of(part).slot for part in parts]
    return [one for part in (parts if sum(map(bool, slots)) > 1 else [sentence]) for one in _with_subjects(part)]


def _with_subjects(clause: str) -> list[str]:
    """Return a clause whose subject says several things of itself as so many, each with the subject.

    >>> _with_subjects("I live in Bonn and work as a nurse."), _with_subjects("我叫小明，住在成都")
    (['I live in Bonn', 'I work as a nurse.'], ['我叫小明', '我住在成都'])
    >>> _with_subjects("I work at Marks and Spencer"), _with_subjects("我养了一只猫，叫豆豆")
    (['I work at Marks and Spencer'], ['我养了一只猫，叫豆豆'])
    """
    subject = re.match(r"\W*(?:(?P<en>i\b|my name\b)|我(?!们))", clause, re.IGNORECASE)
    first, *rest = _LINK.split(clause) if subject else [clause]
    language: Language = "en" if subject and subject["en"] else "zh"
    parts, before = [first], statement_of(first)
    for link, said in zip(rest[::2], rest[1::2], strict=True):
        whole = SPEAKER.text(language) + said
        stated = statement_of(whole)
        goes_on = stated.base_slot not in ("", "name") and stated.slot != before.slot
        goes_on = goes_on and before.base_slot not in ("", "kin") and not _POINTS.search(said)
        if goes_on and (before.base_slot in _OF_SELF or not _IS.match(said)):
            parts.append(whole)
            before = stated
        else:
            parts[-1] += link + said
    return parts


def _about(slot: str, text: str) -> str:
    """Return what tells apart the statements of one slot: liking and hating one thing are about the same thing."""
    if slot == "kin":
        found = re.search(_KIN, text, re.IGNORECASE)
        kind = next((kind for kind, pattern in _OF_KIN.items() if pattern.search(text)), "")
        said = kind or " ".join(re.findall(r"\w+", text[found.end() :].lower() if found else ""))
        return f"{found[0].lower() if found else ''} {said}"[:60]
    if slot == "favourite":
        found = re.search(
            r"favou?rite ([\w ]{2,30}?) (?:is|are)\b|最(?:喜欢|爱)的([^，。]{1,12}?)是", text, re.IGNORECASE
        )
        return (found[1] or found[2]).lower() if found else ""
    return " ".join(re.findall(r"\w+", _FILLER.sub(" ", text.lower())))[:60]
