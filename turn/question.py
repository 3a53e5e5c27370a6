"""What the user's newest message asks: found out once a turn, by rules that look at its frame, not at its subject.

A message is taken apart into what frames a request (function words, words for files, verbs of telling) and the rest.
Where nothing is left beside the frame, the request is about a file or page as a whole; what is left is its subject. The
rules know both languages at once: a message that mixes them needs no decision.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from domain.asking import content
from domain.language import language_of
from domain.text import sentences
from domain.types import Question, QuestionKind
from domain.words import Language
from readers.formats import FORMATS
from stores.memories.statements import statements

LAST_PAGE: Final = -1
"""Page number that means the last page of a document."""
MOST_BEFORE: Final = 2
"""Most earlier messages that a question may lean on."""
LONGEST: Final = {"en": 90, "zh": 30}
"""Longer messages, in characters, stand by themselves."""
FRAME_CHARS: Final = 300
"""Longer messages bring their own subject."""
SUMMARISED: Final = 3
"""Most Chinese characters, or one English word, that may name the file in a request for a summary ("这份租赁合同")."""

_COURTESY = re.compile(
    r"\b(?:hi+|hello|hey|howdy|greetings|good (?:morning|afternoon|evening|night|day)|how are (?:you|things)"
    r"|how(?:'s| is) it going|how do you do|what'?s up|(?:nice|pleased|good) to (?:meet|see) you|thanks|thank (?:you|u)"
    r"|thx|ty|cheers|appreciated?|good ?bye|bye(?:-bye)?|farewell|see (?:you|ya)|take care"
    r"|have a (?:nice|good|great|lovely) \w+|ok(?:ay)?|great|perfect|cool|nice|excellent|awesome|wonderful|well done"
    r"|good job|got it|i see|understood|never ?mind|you(?:'re| are) welcome|no (?:problem|worries)|sorry|helpful)\b"
    r"|你好吗|你好|您好|大家好|哈[喽啰罗]|嗨|早上好|早安|上午好|中午好|下午好|晚上好|在吗|最近(?:怎么样|好吗|如何)"
    r"|谢谢|谢[啦了]|多谢|感谢|辛苦|麻烦[你您]了|再见|拜拜|晚安|回见|(?:明天|回头|下次|改天)再?[见聊]|好[的吧呀]|没问题"
    r"|明白|知道了|了解|收到|懂了|原来如此|不错|太[好棒]了|很好|真棒|厉害|没事|没关系|不客气|对不起|不好意思|抱歉|打扰"
    r"|^\W*(?:早|嗯+|哦+|行|好)\W*$",
    re.I,
)
_AROUND_COURTESY = re.compile(
    r"\b(?:there|everyone|all|again|so|very|really|much|many|a lot|a million|for|your|the|this|that|it|help|helping"
    r"|today|tonight|now|then|later|soon|tomorrow|next time|my|friend|assistant|oh|ah|well|and|you|me|was|is|that's"
    r"|too|answer|explanation|quick|time|just|wanted|to|say|i|be|doing|of)\b"
    r"|非常|十分|真的|特别|帮了?我?大忙|帮[助忙]|[回解]答|解释|耐心|助手|朋友|老师|各位|今天|一切|这[么样]|下次|有空"
    r"|[你您我们的了啊呀哦呢吧吗哈啦很真太都那先再也多得]",
    re.I,
)

_NUMBERS: Final = {
    word: number for number, word in enumerate("one two three four five six seven eight nine".split(), 1)
}
_DIGITS_ZH: Final = "零一二三四五六七八九"
_PAGE = re.compile(
    rf"\b(?:page|pg\.?|p\.) ?(?P<number>\d{{1,4}}|{'|'.join(_NUMBERS)})\b(?!\s*(?:[-–—/,&]|to|and)\s*\d)"
    r"|(?<!到)(?<!至)第\s*(?P<number_zh>\d{1,4}|[一二三四五六七八九十百零]{1,5})\s*页(?!\s*[到至~—–-])"
    r"|(?P<first>\bfirst page\b|首页)|(?P<last>\b(?:last|final) page\b|最后一页|末页)",
    re.I,
)
_ENDS: Final = [end[1:] for row in FORMATS for end in row.extensions.split()]
_FILE = re.compile(
    r"\b(?:document|doc|file|pdf|report|contract|agreement|paper|article|letter|e-?mail|attachment|manual|handbook"
    r"|book|essay|slide|presentation|spreadsheet|cv|resume|note|thesis)s?\b"
    r"|文档|文件|文章|报告|合同|协议|资料|材料|手册|说明书|论文|附件|书籍|表格|简历|邮件|通知|幻灯片|课件|[全本]文|这封信|这本书"
    rf"|[\w()（）-]+\.(?:{'|'.join(_ENDS)})(?![A-Za-z0-9])",
    re.I,
)
_SUMMARY = re.compile(
    r"\b(?:summar[iy]\w*|overview|outline|gist|tl;?dr|recap|sum (?:it |this |that |them )?up|synopsis|takeaways?"
    r"|(?:main|key|central) (?:points?|ideas?|messages?|findings?|topics?))\b"
    r"|总结|概括|概述|摘要|大意|归纳|梗概|要点|重点|综述|中心思想|主旨|主要(?:内容|观点)|核心内容",
    re.I,
)
_TELLING = re.compile(
    r"\b(?:about|says?|tells?|describe|explain|contains?|contents?|covers?|discuss(?:es)?|look at|read|review"
    r"|analy[sz]e|introduce|written|inside|(?:is|are|.s) in|text|topics?|subject|purpose)\b"
    r"|内容|介绍|描述|讨论|关于|包含|包括|解读|分析|阅读|说明|主题|[讲说写谈看读]",
    re.I,
)
_FUNCTION = re.compile(
    r"\b(?:in (?:\w+ )?(?:words?|sentences?|lines?|paragraphs?|bullet points|english|chinese)"
    r"|an?|the|this|that|these|those|it|its|they|them|all|both|of|on|in|into|at|to|for|from|with|by|and|or|so|also|is"
    r"|are|was|were|be|do|does|did|have|has|there|here|what(?:'?s)?|which|how|can|could|would|will|you|your|i|me|my|we|us"
    r"|our|please|give|show|let|know|want|need|like|make|take|help|just|quick(?:ly)?|brief(?:ly)?|short(?:ly)?|main(?:ly)?"
    r"|key|whole|entire|full|some|anything|something|everything|attached|uploaded|sent|first|second|third|last|two|compare|hi|hello|hey|thanks|ok(?:ay)?)\b"
    r"|请问|请|麻烦|帮[忙我]?|给|我们|[我你您它]|一下|告诉|知道|想|能不能|能否|可以|能|这[些个]|那[些个]|第[一二三四五][份篇个封本张]?|[这那各每两几][份篇个封本张]?|比较|最后"
    r"|一[份篇个句段些]|什么|哪些|啥|怎么样|怎么|如何|主要|大概|简要|简单|简短|详细|整[个体]|全部|所有|分别|上传|发送|刚才"
    r"|[里上][面头]?|其中|是|都|的|了|些|在|有|吗|呢|吧|啊|用|把|对|和|就|又|还|也|到底|做|出|几?句?话|[中英]文|列出|页|字",
    re.I,
)
_LISTED = re.compile(r"\b(?:files|documents|uploads|pages)\b|哪些|列[出表]|几[个份页]|多少|上传了?什么", re.IGNORECASE)
"""Without one of these words no list of files is asked for, but what is in one."""
_PICTURE = re.compile(
    r"\b(?:picture|image|photo|photograph|screenshot|snapshot)s?\b"
    r"|\b(?:the|this|that|these|those|my|on an?) (?:\w+ )?(?:poster|sign|label|drawing|whiteboard|receipt|ticket|logo"
    r"|scan|screen|plaque|banner)s?\b"
    r"|图片|照片|相片|截[图屏]|图像|(?<!地)图[里中上]|[这那两几][张幅]?图|[张幅]图|海报|标签|招牌|牌子|画面|扫描件|小票|白板",
    re.I,
)
_CONNECTED = re.compile(
    r"^\W*(?:and|but|or|so|also|then|what about|how about|(?:what|who|where|anything) else)\b|^\W*which \w+\W*$"
    r"|^\W*(?:那么?(?!里)|还有|另外|以及|并且|然后|接着|而且|又)|^.{1,10}呢\W*$",
    re.I,
)
_GO_ON = re.compile(
    r"^\W*(?:(?:yes|yeah|no|sure|please|right|go on|continue|tell me more|more(?: details?| examples?)?|elaborate"
    r"|explain(?: more| further| again)?|in (?:more )?detail|can you (?:elaborate|explain)|give me (?:an example|more)"
    r"|shorter|again)\W*)+$"
    r"|^\W*(?:是的?|对的?|不是|不对|继续|请|再|详细|具体|展开|举个?例子?|一?[点些遍次]|[说讲](?:一下|说|讲)?|更多|多|短|长)+\W*$",
    re.I,
)
_POINTING = re.compile(
    r"\b(?:(?<!time is )it|its|they|them|their|theirs|he|she|him|his|her|hers|th(?:at|is) one|the (?:same|other) one"
    r"|the (?:first|second|third|last|latter|former) one)\b"
    r"|(?<!is )(?<!are )(?<!was )(?<!were )\bthere\b(?! (?:is|are|was|were|an?|any)\b)"
    r"|\b(?:does|did|is|was|mean by|about|for) th(?:at|is)\W*$|\b(?:does|did|is|was) th(?:at|is) (?!\w* ?"
    + _FILE.pattern
    + ")"
    r"|它|他|她|该(?!怎么|如何)|此(?!外)|其(?![中实余他它次])|[那这][个里种位些](?!文|报|合|图|表|材|资)",
    re.I,
)
_WH = r"(?:who|whom|what|when|where|which|why|whose|how(?: (?:much|many|long|far|old|big|come))?)"
_WH_ZH = "(?:哪[个些里儿年]?|谁|什么(?:时候)?|几|多少|多[久长]|怎么|为什么|为何|如何|何时)"
_ASKING = re.compile(rf"\b(?:{_WH}|not|exactly|one|then)\b|{_WH_ZH}", re.I)
_ELLIPTIC = re.compile(
    rf"^\W*(?P<after>in|at|on|by|for|from|with|to|since|until|of)? ?\b{_WH}\b"
    rf"|^\W*[在从由给跟和到用为是归按]?{_WH_ZH}",
    re.I,
)
_WHERE = re.compile(
    r"\b(?:which|what) (?:page|chapter|section)s?\b(?: number)?"
    r"|\bwhere (?:exactly )?(?:is|does) (?:it|that) (?:say|stand|written)\w*"
    r"|[这那它是]*(?:在|出自)?(?:第几|哪一?)[页章节]",
    re.IGNORECASE,
)
_QUOTE = re.compile(r"\b(?:quote|cite|exact (?:words|wording|sentence))\b|引用|摘录|原[文话]", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_HAN = re.compile(r"[\u3400-\u9fff]")


def question_of(text: str, language: Language, earlier: Sequence[str] = ()) -> Question:
    """Return what a message asks.

    Args:
        text: The message.
        language: Its language.
        earlier: The user's messages before it, oldest first.
    """
    if len(text) > FRAME_CHARS:
        return Question(text=text, kind="passages", page=0, follows="")
    page = _page_named(text)
    kind = (_of_answer(text) if earlier else None) or _kind(text, page)
    follows = "" if kind in ("social", "overview", "files") else _leans_on(text, language, earlier)
    return Question(text=text, kind=kind, page=page, follows=follows)


def only_tells(text: str) -> bool:
    """Tell whether a message asks nothing: it states something of its writer, or asks to remember something.

    >>> [only_tells(text) for text in ("Remember that I am vegan", "记住：我吃素", "Hi! I am vegan.", "Remember me?")]
    [True, True, True, False]
    >>> [only_tells(text) for text in ("I live in Oslo. Is it warm there?", "I live in Oslo. Find me a flat.")]
    [False, False]
    """
    found = statements(text)
    if found and found[0].asked:
        return not found[0].text.endswith(("?", "？"))
    stated = {one.text for one in found}
    rest = [sentence for sentence in sentences(text) if not any(one in sentence for one in stated)]
    return bool(stated) and all(question_of(sentence, language_of(sentence))["kind"] == "social" for sentence in rest)


def _of_answer(text: str) -> Literal["place", "words"] | None:
    """Tell whether a question is about the answer before it: where it stands, or in which words.

    >>> _of_answer("Which page is that on?"), _of_answer("引用原文"), _of_answer("Quote the rule.")
    ('place', 'words', None)
    """
    rest, places = _WHERE.subn(" ", text)
    if content(rest) or not (places or _QUOTE.search(text)):
        return None
    return "place" if places else "words"


def _kind(text: str, page: int) -> QuestionKind:
    if _is_courtesy(text):
        return "social"
    if page and not any(_subject(_PAGE.sub(" ", text))):
        return "page"
    if _PICTURE.search(text) and not _FILE.search(text):
        return "picture"
    if not _asks_for_the_whole(text):
        return "passages"
    listed = _LISTED.search(text) and _FILE.search(text) and not (_SUMMARY.search(text) or _TELLING.search(text))
    return "files" if listed else "overview"


def _is_courtesy(text: str) -> bool:
    """Tell whether a message is a greeting, thanks or farewell and nothing else."""
    rest, found = _COURTESY.subn(" ", text)
    return bool(found) and not _WORD.search(_AROUND_COURTESY.sub(" ", rest))


def _asks_for_the_whole(text: str) -> bool:
    """Tell whether a request names a file and what is wanted of it, and nothing in it."""
    words, han = _subject(text)
    if _SUMMARY.search(text):
        return words + han <= 1 or (not words and han <= SUMMARISED)
    return not (words or han) and bool(
        _FILE.search(text) or _TELLING.search(text) or re.search(r"\bthis\b|这是", text, re.I)
    )


def _subject(text: str) -> tuple[int, int]:
    """Return how much a request names beside its frame: words in Latin letters or digits, and Chinese characters."""
    for frame in (_SUMMARY, _FILE, _TELLING, _FUNCTION):
        text = frame.sub(" ", text)
    han = len(_HAN.findall(text))
    return len(_WORD.findall(_HAN.sub(" ", text))), han


def _page_named(text: str) -> int:
    """Return the number of the one page that a message names, `LAST_PAGE` for the last one, 0 without any."""
    named = list(_PAGE.finditer(text))
    if len(named) != 1:
        return 0
    if named[0]["first"] or named[0]["last"]:
        return 1 if named[0]["first"] else LAST_PAGE
    written = (named[0]["number"] or named[0]["number_zh"]).lower()
    return _NUMBERS.get(written) or (int(written) if written.isdecimal() else _number_zh(written))


def _number_zh(written: str) -> int:
    """Return a number below 1000 that is written in Chinese: 十二 is 12, 一百零五 is 105."""
    total, digit = 0, 0
    for character in written:
        if character in _DIGITS_ZH:
            digit = _DIGITS_ZH.index(character)
        else:
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
    return total + digit


def _leans_on(text: str, language: Language, earlier: Sequence[str]) -> str:
    """Return the earlier messages that a question needs to be understood, oldest first."""
    taken: list[str] = []
    asked = text
    for before in reversed(earlier):
        if len(taken) == MOST_BEFORE or not _depends(asked, language):
            break
        asked = before.strip()
        taken.insert(0, asked)
    return " ".join(before for before in taken if len(before) <= LONGEST["en"])


def _depends(text: str, language: Language) -> bool:
    """Tell whether a question begins in the middle: with a connective, a pronoun, or nothing but what it asks for."""
    if len(text) > LONGEST[language]:
        return False
    if _CONNECTED.search(text) or _GO_ON.search(text):
        return True
    if (pointing := _POINTING.search(text)) and sum(_subject(_ASKING.sub(" ", text[: pointing.start()]))) <= 1:
        return True
    if not (elliptic := _ELLIPTIC.search(text)):
        return False
    words, han = _subject(_ASKING.sub(" ", text[elliptic.end() :]))
    return words <= bool(elliptic["after"]) and han <= 2
