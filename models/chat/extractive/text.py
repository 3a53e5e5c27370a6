"""Text for the bundled reader: sentences with their offsets, and the terms by which two texts are compared."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

CJK = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_CJK_RUN = re.compile(f"[{CJK}]+")
_CJK_GAP = re.compile(rf"(?<=[{CJK}，。；：、！？）】」』])\s*\n\s*(?=[{CJK}（【「『])")
_WORD = re.compile(r"[A-Za-z0-9\u00c0-\u024f]+(?:[.,'’-][A-Za-z0-9\u00c0-\u024f]+)*%?")
_TITLE = (
    r"[ \t]*(?:第[一二三四五六七八九十百零〇\d]{1,4}[章节篇编][ \t\u3000]*[^\n。，；：！？]{0,15}|(?:Chapter"
    r"|CHAPTER) [^\n.;!?]{1,60})$"
)
"""A chapter title on a line of its own, where the text has no markup."""
_ITEM = r"[ \t]*(?:[|#>•·▪*+-]|\d{1,3}[.)、]|[（(]\d{1,2}[）)]|```)"
_BLOCK = re.compile(
    rf"^(?:[ \t]*(?:#{{1,6}}[ \t]|\|)[^\n]*|{_TITLE})\n|\n[ \t]*\n|\n(?={_ITEM}|{_TITLE})", re.MULTILINE
)
"""What parts blocks: the end of a heading or table row, a blank line, the start of a list item or other markup."""
_HEADING = re.compile(r"[ \t]*#{1,6}[ \t]+\S|" + _TITLE)
_ROW = re.compile(r"[ \t]*\|.*\|[ \t]*$", re.DOTALL)
_RULE = re.compile(r"[\s|:=_*~#+`-]*$")
_SENTENCE_END = re.compile(
    r"""(?<=[。！？；])[”’」』）)\]]*
      | (?<=[.!?])["'”’)\]]*(?:\[\d+\])*\s+(?=["'“‘(\[]?[A-Z0-9\u00c0-\u00de\u4e00-\u9fff])""",
    re.VERBOSE,
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:Mr|Mrs|Ms|Dr|Prof|St|Jr|Sr|vs|v|etc|Inc|Ltd|Co|Corp|No|Fig|Eq|Sec|Vol|pp|approx|ca|cf|al|Gen|Col|Lt|Rev"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec)|\b[A-Z]|\b(?:e\.g|i\.e|U\.S|U\.K|a\.m|p\.m))\.\s*$"
)
_LEADING_MARKUP = re.compile(r"\s*(?:(?:#{1,6}|[>*+•·▪-])[ \t]+)*")
_REFERENCE = re.compile(r"[ \t]*[\[【]\d{1,3}[\]】]")
_NUMBERED = re.compile(r"^\s*\d{1,3}[.)]\s*$")

STOP_WORDS = frozenset(
    """a about above after all also am an and any are as at be because been before being between both but by can could
    did do does doing during each few for from further had has have having he her here hers him his how i if in into
    is it its itself just me might more most must my no nor not of off on once only or other our out over own same
    she should so some such than that the their them then there these they this those through to too under until up
    us very was we were what when where which while who whom whose why will with would you your according called
    named name many much often please tell give say says said following kind type does't don't didn't isn't wasn't
    upon within without among whether one thing things used use using happen happened""".split()
)
ZH_STOP = re.compile(
    "什么时候|什么|哪一年|哪一|哪里|哪儿|哪些|哪个|哪位|哪|谁|几|多少|多久|多长|多大|多高|怎么样|怎么|怎样|如何|为何"
    "|为什么|是否|"
    "请问|告诉我|请|一下|关于|根据|其中|以及|或者|还是|以|及|和|与|或|的|了|是|在|有|被|把|由|于|对|从|到|向|为|吗"
    "|呢|呀|吧|啊|"
    "也|都|就|又|而|且|之|其|这|那|该|此|我|你|您|他|她|它|们|个|位|种|次|年|月|日|时"
)
_SUFFIXES = (
    "ization", "isation", "ational", "fulness", "iveness", "ements", "ations", "ators", "ities", "ingly", "ments",
    "ement", "ation", "ator", "ness", "ment", "ists", "ions", "ious", "able", "ible", "ally", "edly", "ity", "ive",
    "ing", "ers", "ors", "ied", "ies", "ion", "ist", "ous", "ant", "ent", "al", "ic", "ed", "er", "or", "es", "ly",
    "s", "e", "y",
)  # fmt: skip


Kind = Literal["prose", "heading", "row", "header"]
"""Headings and header rows say what the text below them is about; they are no statements."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a text: `text[start:end]`, and the same with line breaks inside it closed."""

    text: str
    start: int
    end: int
    kind: Kind = "prose"


def is_chinese(text: str) -> bool:
    """Tell whether Chinese characters are at least a quarter of the letters of `text`."""
    hanzi = sum(len(run) for run in _CJK_RUN.findall(text))
    latin = sum(character.isalpha() and character.isascii() for character in text)
    return hanzi > 0 and hanzi * 3 >= latin


def unwrap(text: str) -> str:
    """Close the line breaks inside a passage: nothing between Chinese characters, one space elsewhere."""
    return re.sub(r"\s*\n\s*", " ", _CJK_GAP.sub("", text)).strip()


def split_sentences(text: str) -> list[Sentence]:
    """Split prose, lists, tables and OCR lines into sentences, in order; none is empty or a mere line of marks."""
    found: list[Sentence] = []
    for block_start, block_end in _spans(text, 0, len(text), _BLOCK):
        kind = _kind(text[block_start:block_end])
        spans = [(block_start, block_end)] if kind != "prose" else _spans(text, block_start, block_end, _SENTENCE_END)
        for start, end in _join_abbreviations(text, spans):
            start += len(_LEADING_MARKUP.match(text[start:end]).group())  # type: ignore[union-attr]
            stripped = text[start:end].strip()
            if not _RULE.match(stripped):
                found.append(Sentence(unwrap(stripped), start, start + len(stripped), kind))
            elif found and found[-1].kind == "row" and "-" in stripped and "|" in stripped:
                found[-1] = replace(found[-1], kind="header")
    return found


def row_cells(row: str) -> list[str]:
    """Return the cells of a Markdown table row."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]


def without_markers(text: str) -> str:
    """Return `text` without the reference numbers (`[3]`) of its own: beside citations they would mislead."""
    return _REFERENCE.sub("", text)


def _kind(block: str) -> Kind:
    if _HEADING.match(block.rstrip()):
        return "heading"
    return "row" if _ROW.match(block.rstrip()) else "prose"


def _spans(text: str, start: int, end: int, boundary: re.Pattern[str]) -> list[tuple[int, int]]:
    spans = []
    for match in boundary.finditer(text, start, end):
        if match.end() > start:
            spans.append((start, match.end()))
            start = match.end()
    return [*spans, (start, end)] if start < end else spans


def _join_abbreviations(text: str, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in spans:
        before = text[joined[-1][0] : joined[-1][1]] if joined else ""
        if joined and (_ABBREVIATION.search(before) or _NUMBERED.match(before)):
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


_IRREGULAR = dict(pair.split("/") for pair in (
    "led/lead wrote/write written/write built/build sold/sell bought/buy won/win began/begin begun/begin held/hold "
    "paid/pay made/make took/take taken/take gave/give given/give found/find left/leave lost/lose met/meet sent/send "
    "spent/spend taught/teach thought/think told/tell grew/grow grown/grow knew/know known/know chose/choose "
    "chosen/choose drew/draw drawn/draw drove/drive driven/drive flew/fly flown/fly rose/rise risen/rise ran/run "
    "spoke/speak spoken/speak stood/stand wore/wear worn/wear kept/keep brought/bring caught/catch fought/fight "
    "became/become came/come went/go gone/go fell/fall fallen/fall felt/feel laid/lay lent/lend meant/mean rode/ride "
    "sang/sing sat/sit shook/shake shot/shoot slept/sleep stole/steal stolen/steal struck/strike swam/swim "
    "threw/throw thrown/throw understood/understand broke/break broken/break ate/eat eaten/eat saw/see seen/see "
    "children/child men/man women/woman feet/foot teeth/tooth mice/mouse lives/life wives/wife"
).split())  # fmt: skip
"""Forms that share no ending with their base."""


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """Strip the commonest English endings, at most two, leaving at least three letters."""
    word = word.lower().replace("’", "'").removesuffix("'s")
    word = _IRREGULAR.get(word, word)
    if not word.isascii() or not word.isalpha():
        return word
    for _ in range(2):
        for suffix in _SUFFIXES:
            if word.endswith(suffix) and len(word) - len(suffix) >= 3:
                word = word[: -len(suffix)]
                break
        else:
            break
    return word


def terms(text: str) -> list[str]:
    """Return comparable terms in order: stems of English words, numbers, and pairs of Chinese characters."""
    found = [stem(word) for word in _WORD.findall(text) if word.lower() not in STOP_WORDS and len(word) > 1]
    for run in _CJK_RUN.findall(text):
        found += [run[i : i + 2] for i in range(len(run) - 1)] or [run]
    return found


def question_terms(question: str) -> list[str]:
    """Return the distinct terms of a question that carry meaning, in order."""
    return list(dict.fromkeys(terms(ZH_STOP.sub("\n", question))))


def words(text: str) -> list[str]:
    """Return the English words and numbers of `text` as written."""
    return _WORD.findall(text)
