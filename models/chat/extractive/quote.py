"""Finds the one to three sentences of some passages that answer a question, and tells whether they do."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domain.summary import one_line
from domain.text import has_han, sentences, terms
from models.chat.extractive.rules import ANSWER_TYPES, ASKING, contradicts
from models.embeddings.kept import KeptVectors

AROUND, KIND, CLOSENESS = 5.0, 1.0, 50.0
"""Weights of a sentence's signs (see `Sentence`), which decide the order."""
IN_WORDS, LEAST_EN, LEAST_ZH, LEAST_ACROSS, LEAST_SHORT = 0.03, 0.15, 0.125, 0.0, 0.065
"""A sentence answers where closeness and `IN_WORDS` of `around` reach the least; across languages no words compare."""
SHORT_EN, SHORT_ZH = 2, 7
"""So few terms or fewer make a short question: it is close to few texts, and all of its words must be there."""
FIRST, NEAR = 0.7, 2.0
"""Bonus of the first passage before closeness is known; how near to the best one further quoted sentences are."""
MOST_EMBEDDED, EMBEDDED_TOKENS, EMBEDDED_CHARS = 12, 330, 320
"""Bounds of what is embedded for one question: sentences, tokens of all together (about), characters of each."""

_HEADING = re.compile(
    r"#{1,6}[ \t]|(?:第[一二三四五六七八九十百零〇\d]{1,4}[章节篇编]|Chapter \w+)[^。.;；!?！？]{0,60}$"
)
_RULE = re.compile(r"[\s|:=_*~#+`-]*$")
_MARKUP = re.compile(r"\s*(?:[>*+•·▪-][ \t]+)*")
_REFERENCE = re.compile(r"[ \t]*[\[【]\d{1,3}[\]】]")


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that may be quoted; `number` is its citation number, None for text that is quoted without one."""

    text: str
    number: int | None = None
    name: str = ""
    heading: str = ""


@dataclass(slots=True)
class Sentence:
    """A sentence that may be quoted.

    Attributes:
        text: The sentence; a table row is written out with the names of its columns, and `exact` has the row itself.
        place: Places of its passage among those given, best first by retrieval, and of the sentence in it.
        around: Share (0..1) of the weight of the question's terms that it holds together with its neighbours, heading
            and file name; rare terms weigh more.
        kind: 1 if it holds the kind of answer that is asked for, -1 if not, 0 if any kind would do.
        closeness: Cosine to the question, less the mean cosine of the question to unrelated texts.
        score: Weighted sum of these.
    """

    text: str
    exact: str
    passage: Passage
    place: tuple[int, int]
    heading: str
    terms: frozenset[str]
    around: float = 0.0
    kind: int = 0
    closeness: float = 0.0
    score: float = 0.0


def content(text: str) -> list[str]:
    """Return the distinct terms of a question that say what it is about, in order.

    >>> content("How much is the deposit?"), content("押金是多少？")
    (['deposit'], ['押', '金', '押金'])
    """
    return list(dict.fromkeys(terms(ASKING.sub("\n", text))))


def quotable(passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences of passages; headings and header rows are only told with what stands under them."""
    found: list[Sentence] = []
    for number, passage in enumerate(passages):
        heading, header = passage.heading, ""
        lines = [line.strip() for line in sentences(passage.text)]
        for position, line in enumerate(lines):
            row = line.startswith("|")
            header = header if row else ""
            if _HEADING.match(line):
                heading = line.strip("# \t")
            elif row and not header and position + 1 < len(lines) and _RULE.match(lines[position + 1]):
                header = line
            elif not _RULE.match(line):
                text = one_line(_REFERENCE.sub("", _row(header, line) if row else _MARKUP.sub("", line, count=1)))
                place, exact = (number, position), line if row else ""
                found.append(Sentence(text, exact, passage, place, heading, frozenset(terms(text))))
    return found


def _row(header: str, row: str) -> str:
    """Write a table row as `column: cell; column: cell`."""
    names, cells = ([cell.strip() for cell in line.strip("| ").split("|")] for line in (header, row))
    if len(names) != len(cells):
        return " · ".join(cell for cell in cells if cell)
    return "; ".join(f"{name}: {cell}" if name else cell for name, cell in zip(names, cells, strict=True) if cell)


def weigh(asked: Sequence[str], question: str, passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences that hold more than `asked`, best first by signs of words; `question` tells the kind."""
    found = quotable(passages)
    counts = Counter(term for one in found for term in one.terms)
    weights = {term: math.log1p((len(found) + 0.5) / (counts[term] + 0.5)) for term in asked}
    total = sum(weights.values()) or 1.0
    wanted = [held for pattern, held in ANSWER_TYPES if pattern.search(question)]
    for index, one in enumerate(found):
        near = [other.terms for other in found[max(0, index - 1) : index + 2] if other.passage is one.passage]
        above = terms(f"{re.sub('[._-]+', ' ', one.passage.name)}\n{one.passage.heading}\n{one.heading}")
        one.around = round(sum(weights.get(term, 0.0) for term in frozenset(above).union(*near)) / total, 6)
        one.kind = (1 if any(held.search(one.text) for held in wanted) else -1) if wanted else 0
        one.score = AROUND * one.around + KIND * one.kind - 2.0 * one.text.endswith(("?", "？"))
    known = frozenset(asked)
    found.sort(key=lambda one: -one.score - FIRST / (1 + one.place[0]))
    return [one for one in found if not one.terms <= known]


@dataclass(frozen=True, slots=True)
class Finder:
    """Ranks sentences; `unrelated` texts, of no document, tell how near a question is to any text."""

    vectors: KeptVectors
    unrelated: Sequence[str]

    async def find(
        self, question: str, passages: Sequence[Passage], *, follows: str = "", own: bool = False
    ) -> list[Sentence]:
        """Return the sentences of `passages` that answer `question`, in the order of the text; none where none does.

        Args:
            question: What is asked.
            passages: Where to look, best first by retrieval.
            follows: Earlier questions that this one leans on.
            own: The passages are what the user said: "my name" there is what "my name" is in the question.
        """
        whole = f"{follows} {question}".strip()
        ranked = await self.rank(whole, weigh(terms(whole) if own else content(whole), question, passages))
        if not ranked or not (
            ranked[0].around >= 0.5 or ranked[0].closeness >= LEAST_SHORT if own else answers(whole, ranked[0])
        ):
            return []
        best, new = ranked[0], content(question)
        if follows and not (new and not best.terms.isdisjoint(new) or not new and best.kind >= 0):
            return []
        chosen = [best, *(one for one in ranked[1:3] if best.score - one.score < NEAR)]
        first = {one.place[0]: rank for rank, one in reversed(list(enumerate(chosen)))}
        return sorted(chosen, key=lambda one: (first[one.place[0]], one.place))

    async def rank(self, question: str, found: Sequence[Sentence]) -> list[Sentence]:
        """Return the best of `found` (best first by words) with their closeness to `question`, best first."""
        kept: dict[str, Sentence] = {}
        cost, asked, given = 0.0, frozenset(content(question)), set[str]()
        for one in found:
            if len(kept) >= MOST_EMBEDDED or cost > EMBEDDED_TOKENS:
                break
            under = one.heading and not (asked - one.terms).isdisjoint(terms(one.heading))
            text = (f"{one.heading}: {one.text}" if under else one.text)[:EMBEDDED_CHARS]
            if one.text not in given:
                kept.setdefault(text, one)
            given.add(one.text)
            cost += 4 + len(text) * (0.7 if has_han(text) else 0.27)
        if not kept:
            return []
        (query,) = await self.vectors.of("query", [question])
        usual = float((await self.vectors.of("passage", self.unrelated) @ query).mean())
        for one, cosine in zip(kept.values(), await self.vectors.of("passage", list(kept)) @ query, strict=True):
            one.closeness = float(cosine) - usual
            one.score += CLOSENESS * one.closeness
        return sorted(kept.values(), key=lambda one: -one.score)


def answers(question: str, best: Sentence) -> bool:
    """Decide whether the best sentence answers the question, rather than only being about the same thing."""
    if contradicts(question, best.text):
        return False
    if has_han(question) != has_han(best.text):
        return best.closeness >= LEAST_ACROSS
    chinese = has_han(question)
    if best.around == 1.0 and len(content(question)) <= (SHORT_ZH if chinese else SHORT_EN):
        return best.closeness >= LEAST_SHORT
    return best.closeness + IN_WORDS * best.around >= (LEAST_ZH if chinese else LEAST_EN)


def quoted(quotes: Sequence[Sentence], *, label: bool) -> str:
    """Write quotations, each followed by `[n]`; with `label`, under the name of their file."""
    lines: list[str] = []
    before = ""
    for one in quotes:
        exact = f' "{one.exact}"' if one.exact and '"' not in one.exact else ""
        text = one.text if one.passage.number is None else f"{one.text} [{one.passage.number}{exact}]"
        same = bool(lines) and before == one.passage.name
        if same and re.search(r"[.!?。！？；…][\"'”’」』）)*]*(?: \[.*\])?$", lines[-1]):
            lines[-1] += ("" if has_han(one.text) else " ") + text
        else:
            lines.append(f"**{one.passage.name}**:\n{text}" if label and one.passage.name and not same else text)
        before = one.passage.name
    return "\n\n".join(lines)
