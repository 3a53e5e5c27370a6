"""How much of what a question is about stands in a sentence: stems of English words, characters of Chinese words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from models.chat.extractive.text import CJK, terms

ALONE: Final = 0.4
"""What a Chinese character counts that a sentence holds, but in another word."""

_RUN = re.compile(f"[{CJK}]+")
_ASKED = re.compile(
    r"\bhow (?:long|old|far|tall|big|large|high|deep|fast|often|soon|late|heavy|wide|come|about|well)\b|\b(?:what"
    r"|which) (?:time|kind"
    r"|sort|type|year|date|day|month|colou?r)\b|\bwhat about\b",
    re.IGNORECASE,
)
_PHRASES = re.compile(
    "什么时候|什么地方|什么样|什么|哪一年|哪一天|哪一个|哪一|哪里|哪儿|哪些|哪个|哪位|哪天|哪年|哪家|哪种|哪类|哪座"
    "|哪条|哪|谁|几点|几个|几|多少|多久|怎么样|怎么办"
    "|怎么|怎样|如何|为何|为什么|是否|是不是|有没有|能不能|可不可以|可以|能够|能否|需要|应该|请问|告诉我|请|一下"
    "|关于|根据|其中|以及|或者"
    "|还是|分别|具体|这份|这个|那个|该|吗|呢|呀|吧|啊"
)
_EMPTY = frozenset(
    "的了是在有被把由于对从向为也都就又而且之其这那此我你您他她它们以及和与或要会能得给让着过没做个位种次多长大高远深久宽重去来上下里叫"
)
"""Characters that carry nothing by themselves, though they do as part of a word."""


@dataclass(frozen=True, slots=True)
class Held:
    """A text that is looked into."""

    text: str
    terms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that is looked for: a term as it is, or a Chinese character with the pairs it stands in."""

    text: str
    pairs: tuple[str, ...] = ()

    def found(self, held: Held) -> float:
        """Return how much of this unit `held` has, 0..1."""
        if not self.pairs:
            return float(self.text in held.terms or (not self.text.isascii() and self.text in held.text))
        return 1.0 if any(pair in held.text for pair in self.pairs) else ALONE * (self.text in held.text)


def held(text: str) -> Held:
    """Prepare a text to be looked into."""
    return Held(text, frozenset(terms(text)))


def units_of(question: str) -> list[Unit]:
    """Return what a question is about, in order, each thing once.

    >>> [unit.text for unit in units_of("年假有几天？")]
    ['年', '假', '天']
    >>> [unit.text for unit in units_of("How long is the guarantee?")]
    ['guarant']
    """
    latin = [Unit(term) for term in terms(_RUN.sub(" ", _ASKED.sub(" ", question)))]
    hanzi = [unit for run in chinese_runs(question) for unit in _characters(run)]
    return list(dict.fromkeys([*latin, *hanzi]))


def chinese_runs(question: str) -> list[str]:
    """Return the stretches of Chinese that carry meaning: what is left without the words that ask."""
    return [run for run in _RUN.findall(_PHRASES.sub("\n", question)) if not _EMPTY.issuperset(run)]


def coverage(question: str, text: str) -> float:
    """Return the share (0..1) of what `question` is about that stands in `text`; 1 when it is about nothing."""
    units = units_of(question)
    if not units:
        return 1.0
    looked_into = held(text)
    return sum(unit.found(looked_into) for unit in units) / len(units)


def _characters(run: str) -> list[Unit]:
    if len(run) == 1:
        return [] if run in _EMPTY else [Unit(run)]
    found = []
    for place, character in enumerate(run):
        if character not in _EMPTY:
            pairs = tuple(run[at : at + 2] for at in (place - 1, place) if 0 <= at < len(run) - 1)
            found.append(Unit(character, pairs))
    return found
