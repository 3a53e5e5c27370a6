"""Which of the two languages a text is in: one way of counting words, for what people ask and for what is read."""

from __future__ import annotations

import re

from domain.text import HAN, KANA, LATIN, has_han
from domain.words import Language

HAN_PER_WORD = 1.6
"""Characters of a Chinese word, on average."""

_HAN_RUN = re.compile(f"[{HAN}]+")
_KANA = re.compile(f"[{KANA}]")
_LETTER = re.compile(f"[{HAN}{LATIN}]")
_LATIN_WORD = re.compile(rf"[{LATIN}][{LATIN}'’]*")
MOST_READ = 2000
"""Characters at each end of a long text that are looked at: a request stands before or after what it is about."""
_MENTIONED = re.compile(
    r"```.*?(?:```|\Z)|`[^`\n]{0,300}`|“[^”]{0,300}”|‘[^’]{0,300}’|「[^」]{0,300}」|『[^』]{0,300}』|《[^》]{0,300}》"
    r"|«[^»]{0,300}»|\"[^\"]{0,300}\"|(?<!\w)'[^'\n]{0,300}'(?!\w)|（[^）]{0,300}）|\([^)]{0,300}\)"
    r"|(?:https?://|www\.)[^\s，。；、）]+|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64})+"
    rf"|[^\s，。、：；！？“”《》{HAN}]{{1,80}}\.[a-z][a-z0-9]{{1,4}}\b",
    re.S | re.A,
)
"""What a sentence speaks of rather than with: code, quotations, titles, addresses, names of files."""
_OPENING = re.compile(r"(.{1,200}?)(?:[:：](?!\d)|\n)(.*)", re.S)
_GRAMMAR = frozenset(
    "a an the this that these those it its is are was were be been am do does did can could will would shall should may"
    " might must have has had i me my we us our you your he him his she her they them their who whom whose what which"
    " when where why how what's who's how's it's i'm i'd don't doesn't isn't let's of in on at to for from with by"
    " about into than as and or but if so not no there here".split()
)
"""English words that carry a sentence, and are not carried into a Chinese one."""
_REQUESTS = frozenset(
    "translate explain define describe summarise summarize pronounce spell write tell show give find list compare read"
    " answer convert draft rewrite paraphrase correct search look calculate use".split()
)
"""English verbs that, in front, make a request of whatever follows."""
_JOINS = frozenset("of the and in for on a an to at with".split())
"""English words of grammar that names of several words hold: "The Lord of the Rings"."""
_PARTICLES = re.compile(
    "什么|什麼|怎么|怎麼|怎样|如何|为什么|為什麼|多少|哪[个個里裡些]?|一下|一个|一個|这[个個些]?|這[个個些]?|那[个個些]?|可以|翻译|翻譯|意思"
    "|我们?|我們|你们?|你們|他们?|他們|她|它|[的了是吗嗎呢吧啊谁誰几幾请請帮幫把被在和与與对對给給用有没沒不会會能要想就都也还還将將从從让讓里裡上说說写寫]"
)
"""Chinese words and particles that carry a sentence."""


class Script:
    """The letters of a text counted by script, page after page."""

    def __init__(self, text: str = "") -> None:
        """Count the letters of `text`."""
        self.han = self.kana = self.words = self._latin = self._letters = 0
        self.add(text)

    def add(self, text: str) -> None:
        """Count the letters of `text` too."""
        words = _LATIN_WORD.findall(text)
        self.han += sum(map(len, _HAN_RUN.findall(text)))
        self.kana += len(_KANA.findall(text))
        self.words += len(words)
        self._latin += sum(map(len, words))
        self._letters += sum(map(str.isalpha, text))

    @property
    def language(self) -> str:
        """`zh` where there are at least as many Chinese as Latin words, `en` where letters are mostly Latin.

        Else `other`; empty without letters. Other languages of Latin script count as `en`, for they are read and cut in
        the same way.
        """
        if not self._letters:
            return ""
        if self.han + self.kana > 0 and self.han + self.kana >= self.words * HAN_PER_WORD:
            return "zh" if self.kana <= self.han * 0.1 and self.han * 2 > self._letters - self._latin else "other"
        return "en" if self._latin * 2 > self._letters else "other"


def written_language(text: str, default: Language = "en") -> Language:
    """Return the language that most words of a passage are in; `default` for a text without letters."""
    language = Script(text).language
    return default if not language else "zh" if language == "zh" else "en"


def language_of(text: str, default: Language = "en") -> Language:
    """Return the language that a person speaks in `text`; `default` for a text with neither.

    It is the language that the grammar of the request is in. What is quoted, named or pasted does not count, and what a
    sentence is put together with counts for more than what it names.

    >>> language_of("What does 合同 mean?"), language_of("用 Python 写一个 quicksort 函数")
    ('en', 'zh')
    """
    if len(text) > 2 * MOST_READ:
        text = f"{text[:MOST_READ]}\n{text[-MOST_READ:]}"
    spoken = _MENTIONED.sub(" ", text)
    for part in (_frame(spoken), spoken, text):
        chinese, english = _chinese(part), _english(part)
        if chinese or english:
            return "zh" if chinese >= english else "en"
    return default


def _frame(text: str) -> str:
    """The request of a text that has one beside what it is about: before a colon or line break, or in the last line.

    The shorter of the two is the request, the longer is the matter.
    """
    first = _OPENING.match(text.strip())
    if first is None:
        return text
    last = text.rstrip().rpartition("\n")[2] if "\n" in text.strip() else first[1]
    requests = [part for part in (first[1], last) if _has_grammar(part)]
    return min(requests, key=len) if requests else text


def _has_grammar(text: str) -> bool:
    """Whether a text has the grammar of a request, in one of the languages, and is not a mere name or label."""
    words = _words(text)
    if words and words[0].lower() in _REQUESTS or _PARTICLES.search(text):
        return True
    return any(word.lower() in _GRAMMAR and not _is_name(word, place) for place, word in enumerate(words))


def _chinese(text: str) -> float:
    """The weight of the Chinese words of a text: a particle counts twice, and so does what surrounds all the rest."""
    if _KANA.search(text):
        return 0.0
    letters = _LETTER.findall(text)
    surrounds = len(letters) > 1 and has_han(letters[0]) and has_han(letters[-1])
    runs = _HAN_RUN.findall(text)
    return 2.0 * surrounds + sum(max(1, len(run) / HAN_PER_WORD) + len(_PARTICLES.findall(run)) for run in runs)


def _english(text: str) -> float:
    """The weight of the English words of a text: a name is half a word, a word of grammar one and a half."""
    words = _words(text)
    names = [_is_name(word, place) for place, word in enumerate(words)]
    total = 0.0
    for place, word in enumerate(words):
        after_name = place > 0 and names[place - 1]
        if names[place]:
            total += 0.0 if after_name else 0.5
        elif word.lower() in _JOINS and (after_name or word.istitle()) and any(names[place + 1 : place + 3]):
            names[place] = True
        elif place == 0 and word.lower() in _REQUESTS:
            total += 4.0
        else:
            total += 1.5 if word.lower().replace("’", "'") in _GRAMMAR else 1.0
    return total


def _words(text: str) -> list[str]:
    words: list[str] = _LATIN_WORD.findall(text)
    return words[1:] if words and words[0].lower() == "please" and len(words) > 1 else words


def _is_name(word: str, place: int) -> bool:
    """Whether a word is written as a name: with a capital letter, and no word of grammar that opens a sentence."""
    if word.islower() or word == "I" or place == 0 and word.lower() in _REQUESTS:
        return False
    return word.lower() not in _GRAMMAR or word.isupper() and place > 0
