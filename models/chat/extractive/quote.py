"""Finds the one to three sentences of some passages that answer a question, and tells whether they do."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.asking import ANSWER_TYPES, MENTIONED, carried, content, without_file
from domain.citations import citation_of
from domain.clauses import clause_asked, in_clause
from domain.opposites import contradicts
from domain.text import HAN, base_terms, has_han
from domain.units import END, Unit, header_of, units
from models.embeddings.kept import KeptVectors

AROUND, OWN, KIND, CLOSENESS = 5.0, 1.0, 1.0, 50.0
"""Weights of a sentence's signs (see `Sentence`), which decide the order."""
IN_WORDS, LEAST, LEAST_SHORT = {False: AROUND / CLOSENESS, True: 0.03}, {False: 0.188, True: 0.12}, 0.03
"""A sentence answers where closeness and `around`, in its weight, reach the least; of a question in Chinese or not."""
LEAST_ACROSS = {False: 0.03, True: 0.01}
"""Least closeness across languages, where no words compare, of a question that is in Chinese or not."""
LEAST_OWN, LEAST_SAID, LEAST_AGAIN = 0.5, 0.065, 0.03
"""What a row or line of a form holds of the question's terms, being close to none; closeness of what a user said, and
of what answers a follow-up."""

SHORT_EN, SHORT_ZH = 3, 7
"""So few terms or fewer make a short question: it is close to few texts, and all of its words must be there."""
FIRST, BESIDE, NEAR = 0.7, 1.0, 2.0
"""Bonus of the first passage before closeness is known, and of the page of the answer before; how near to the best one
further quoted sentences are."""
MOST_EMBEDDED, EMBEDDED_TOKENS, EMBEDDED_CHARS = 12, 330, 320
"""Bounds of what is embedded for one question: sentences, tokens of all together (about), characters of each."""

_YEAR = re.compile(r"\d{3,}")
_GOES_ON = re.compile(rf"[a-z0-9({HAN}]")


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that may be quoted.

    Attributes:
        number: Its citation number; None for text that is quoted without one.
    """

    text: str
    number: int | None = None
    name: str = ""
    heading: str = ""
    page: int = 0
    start: int = 0


@dataclass(slots=True)
class Sentence:
    """A sentence, row or line (`unit`) that may be quoted.

    Attributes:
        place: Places of its passage among those given, best first by retrieval, and of the sentence in it.
        rest: What goes on with it on the next page.
        around: Share (0..1) of the weight of the question's terms that it holds together with its neighbours, heading
            and file name; rare terms weigh more. `own` is what it holds by itself, `new` of what a follow-up brings.
        kind: 1 if it holds the kind of answer that is asked for, -1 if not, 0 if any kind would do.
        clause: Whether it belongs to the numbered clause that is asked for.
        closeness: Cosine to the question, less the mean cosine of the question to unrelated texts.
        score: Weighted sum of these.
    """

    unit: Unit
    passage: Passage
    place: tuple[int, int]
    terms: frozenset[str]
    rest: Sentence | None = None
    around: float = 0.0
    own: float = 0.0
    new: float = 0.0
    kind: int = 0
    clause: bool = False
    closeness: float = 0.0
    score: float = 0.0

    @property
    def text(self) -> str:
        """What is quoted."""
        return self.unit.text


def quotable(passages: Sequence[Passage]) -> list[Sentence]:
    """Return what may be quoted of passages; a row has the header of its file's table, found in whichever of them."""
    headers = {one.name: header for one in reversed(passages) if (header := header_of(one.text))}
    found = [
        Sentence(unit, one, (number, unit.place), frozenset(base_terms(f"{unit.text}\n{unit.means}")))
        for number, one in enumerate(passages)
        for unit in units(one.text, heading=one.heading, header=headers.get(one.name, ""))
    ]
    first = {(one.passage.name, one.passage.page): one for one in reversed(found) if not one.passage.start}
    for one in {one.place[0]: one for one in found}.values():
        rest = first.get((one.passage.name, one.passage.page + 1)) if one.passage.page else None
        if rest and not one.unit.cells and not END.search(one.text) and _GOES_ON.match(rest.unit.exact):
            one.rest = rest
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for.

    Attributes:
        text: The question with what it keeps of those that it leans on; `terms` are its index terms.
        question: The question alone, which tells the kind of answer.
        new: Terms of its own that a question brings which leans on others; None for one that stands by itself.
        near: Names and pages of the files where the answer before stood.
        by: What makes a sentence an answer: evidence, that it only mentions the terms, or that the user said it.
    """

    text: str
    terms: Sequence[str]
    question: str
    new: Sequence[str] | None = None
    near: Collection[tuple[str, int]] = ()
    by: Literal["evidence", "mention", "own"] = "evidence"

    @classmethod
    def of(
        cls, question: str, follows: str = "", near: Collection[tuple[str, int]] = (), *, own: bool = False
    ) -> Asked:
        """Read a question; `own` are those about what the user said, where "my" is a word as any."""
        mention, question = MENTIONED.search(question) is not None, without_file(question)
        new = content(question)
        text = f"{carried(follows, question)} {question}".strip() if follows else question
        by: Literal["evidence", "mention", "own"] = "own" if own else "mention" if mention else "evidence"
        return cls(text, base_terms(text) if own else content(text), question, new if follows else None, near, by)


def weigh(asked: Asked, passages: Sequence[Passage]) -> list[Sentence]:
    """Return the sentences that hold more than the terms asked for, or state them, best first by signs of words."""
    found, new = _of_clause(asked.question, quotable(passages)), asked.new or ()
    counts = Counter(term for one in found for term in one.terms)
    weights = {
        term: math.log1p((len(found) + 0.5) / (counts[term] + 0.5)) * (1 + (term in new)) for term in asked.terms
    }
    total, all_new = sum(weights.values()) or 1.0, sum(weights[term] for term in new)
    wanted = [held for pattern, held in ANSWER_TYPES if pattern.search(asked.question)]
    for index, one in enumerate(found):
        beside = [one] if one.unit.cells else found[max(0, index - 1) : index + 2]
        near = [other.terms for other in beside if other.passage is one.passage]
        above = base_terms(f"{re.sub('[._-]+', ' ', one.passage.name)}\n{one.passage.heading}\n{one.unit.heading}")
        one.around = round(sum(weights.get(term, 0.0) for term in frozenset(above).union(*near)) / total, 6)
        one.own = sum(weights.get(term, 0.0) for term in one.terms) / total
        one.new = sum(weights[term] for term in {*one.terms, *above} & set(new)) / all_new if all_new else 1.0
        one.kind = (1 if any(held.search(one.text) for held in wanted) else one.unit.cells - 1) if wanted else 0
        one.score = AROUND * one.around + OWN * one.own + KIND * one.kind - 2.0 * one.text.endswith(("?", "？"))
        one.score += BESIDE * ((one.passage.name, one.passage.page) in asked.near)
    if asked.new is not None:
        found = [one for one in found if one.new >= LEAST_OWN and one.kind >= 0] or found
    known = frozenset(asked.terms)
    found.sort(key=lambda one: -one.score - FIRST / (1 + one.place[0]))
    return [one for one in found if asked.by == "own" or not one.terms <= known]


def _of_clause(question: str, found: list[Sentence]) -> list[Sentence]:
    """Return the sentences of the clause that a question names; all where it names none, or it is not there."""
    clause = clause_asked(question)
    lines = [(one.text, one.unit.heading or one.passage.heading, one.place[0]) for one in found] if clause else []
    held = [one for one, inside in zip(found, in_clause(clause, lines), strict=False) if inside]
    for one in held:
        one.clause = True
    return held or found


@dataclass(frozen=True, slots=True)
class Finder:
    """Ranks sentences; `unrelated` texts, of no document, tell how near a question is to any text."""

    vectors: KeptVectors
    unrelated: Sequence[str]

    async def find(self, asked: Asked, passages: Sequence[Passage]) -> list[Sentence]:
        """Return the sentences of `passages` (best first) that answer, in the order of the text."""
        ranked = await self.rank(asked.text, weigh(asked, passages))
        if not ranked or not ((best := ranked[0]).clause or answers(asked, best)):
            return []
        near = [one for one in ranked[1:3] if best.score - one.score < NEAR and one.kind >= best.kind]
        near = [one for one in near if asked.by == "evidence" or one.own >= best.own]
        chosen = [best, *(one for one in ranked[1:3] if one.clause or one in near)]
        first = {one.place[0]: rank for rank, one in reversed(list(enumerate(chosen)))}
        return sorted(chosen, key=lambda one: (first[one.place[0]], one.place))

    async def rank(self, question: str, found: Sequence[Sentence]) -> list[Sentence]:
        """Return the best of `found` (best first by words) with their closeness to `question`, best first."""
        kept: dict[str, Sentence] = {}
        cost, asked, given = 0.0, frozenset(content(question)), set[str]()
        for one in found:
            if len(kept) >= MOST_EMBEDDED or cost > EMBEDDED_TOKENS:
                break
            under = not (asked - one.terms).isdisjoint(base_terms(one.unit.heading))
            text = ": ".join(filter(None, (one.unit.means, one.unit.heading * under, one.text)))[:EMBEDDED_CHARS]
            if one.text not in given:
                kept.setdefault(text, one)
            given.add(one.text)
            cost += 4 + len(text) * (0.7 if has_han(text) else 0.27)
        if not kept:
            return []
        (query,) = await self.vectors.of("query", [question])
        far = await self.vectors.of("passage", self.unrelated) @ query
        chinese = has_han(question)
        across = float(far[[has_han(text) is not chinese for text in self.unrelated]].mean())
        usual = {chinese: float(far.mean()), not chinese: across}
        for one, cosine in zip(kept.values(), await self.vectors.of("passage", list(kept)) @ query, strict=True):
            one.closeness = float(cosine) - usual[has_han(one.text)]
            one.score += CLOSENESS * one.closeness
        return sorted(kept.values(), key=lambda one: -one.score)


def answers(asked: Asked, best: Sentence) -> bool:
    """Decide whether the best sentence answers the question, rather than only being about the same thing."""
    chinese, passage = has_han(asked.text), best.passage
    told = "\n".join((passage.text, best.text, passage.heading, passage.name))
    if asked.by == "own":
        return best.around >= 0.5 or best.closeness >= LEAST_SAID
    if contradicts(asked.text, best.text) or set(_YEAR.findall(asked.question)) - set(_YEAR.findall(told)):
        return False
    if has_han(asked.question) != has_han(best.text) and not (best.unit.means and best.own >= LEAST_OWN):
        return best.kind >= 0 and best.closeness >= LEAST_ACROSS[chinese]
    if asked.by == "mention":
        return best.around >= LEAST_OWN
    if asked.new is not None:
        return best.kind >= 0 and best.new >= LEAST_OWN and best.closeness >= LEAST_AGAIN
    if best.unit.cells and best.own >= LEAST_OWN:
        return best.closeness >= LEAST_SHORT
    known = best.around == 1.0 and best.own and best.kind >= 0
    if known and len(asked.terms) <= (SHORT_ZH if chinese else SHORT_EN):
        return best.closeness >= LEAST_SHORT
    return best.closeness + IN_WORDS[chinese] * best.around >= LEAST[chinese]


def quoted(quotes: Sequence[Sentence], *, label: bool) -> str:
    """Write quotations, each followed by `[n "its exact words"]`; with `label`, under the name of their file."""
    lines: list[str] = []
    before, ended = "", None
    for one in quotes:
        parts = [one, one.rest] if one.rest else [one]
        text = " ".join(part.text + citation_of(part.passage.number, part.unit.exact) for part in parts)
        same = bool(lines) and before == one.passage.name
        if same and ended:
            lines[-1] += ("" if has_han(one.text) else " ") + text
        else:
            lines.append(f"**{one.passage.name}**:\n{text}" if label and one.passage.name and not same else text)
        before, ended = one.passage.name, END.search(parts[-1].text)
    return "\n\n".join(lines)
