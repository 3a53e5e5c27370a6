"""Finds the one to three sentences of some passages that answer a question, and tells whether they do."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from domain.asking import ANSWER_TYPES, carried, content, without_file
from domain.citations import citation_of
from domain.clauses import clause_asked, in_clause
from domain.opposites import contradicts
from domain.text import base_terms, has_han
from domain.tokens import count_tokens
from domain.types import Source
from domain.units import END, Unit, header_of, units
from models.chat.extractive.texts import UNRELATED
from models.embeddings.kept import KeptVectors

AROUND, OWN, KIND, CLOSENESS = 5.0, 1.0, 1.0, 50.0
"""Weights of a sentence's signs (see `Sentence`), which decide the order."""
IN_WORDS, LEAST = {False: AROUND / CLOSENESS, True: 0.03}, {False: 0.188, True: 0.12}
"""A sentence answers where closeness and `around`, in its weight, reach the least; of a question in Chinese or not."""
LEAST_ACROSS = {False: 0.03, True: 0.01}
"""Least closeness across languages, where no words compare, of a question that is in Chinese or not."""
LEAST_OWN, LEAST_SAID, LEAST_SURE = 0.5, 0.065, 0.03
"""Share of the terms that a row, or an answer to a follow-up, has to hold by itself; least closeness of what a user
said, and of what holds the words asked for."""
SHORT_EN, SHORT_ZH = 3, 7
"""So few terms or fewer make a short question: it is close to few texts, and all of its words must be there."""
NEAR = 2.0
"""How near to the best one further quoted sentences are."""
MOST_EMBEDDED, EMBEDDED_TOKENS, EMBEDDED_CHARS = 12, 330, 320
"""Bounds of what is embedded for one question: sentences, tokens of all together, characters of each."""

_YEAR = re.compile(r"\d{3,}")


@dataclass(slots=True)
class Sentence:
    """A sentence, row or line (`unit`) that may be quoted.

    Attributes:
        place: Places of its passage among those given, best first by retrieval, and of the sentence in it.
        around: Share (0..1) of the weight of the question's terms that it holds together with its neighbours, heading
            and file name; rare terms weigh more. `own` is what it holds by itself, `new` of what a follow-up brings.
        kind: 1 if it holds the kind of answer that is asked for, -1 if not, 0 if any kind would do.
        closeness: Cosine to the question, less the mean cosine of the question to unrelated texts.
        score: Weighted sum of these.
    """

    unit: Unit
    passage: Source
    place: tuple[int, int]
    terms: frozenset[str]
    around: float = 0.0
    own: float = 0.0
    new: float = 0.0
    kind: int = 0
    closeness: float = 0.0
    score: float = 0.0


def quotable(passages: Sequence[Source]) -> list[Sentence]:
    """Return what may be quoted of passages; a row has the header of its file's table, found in whichever of them."""
    headers = {one["name"]: header for one in reversed(passages) if (header := header_of(one["text"]))}
    return [
        Sentence(unit, one, (number, unit.place), frozenset(base_terms(f"{unit.text}\n{unit.means}")))
        for number, one in enumerate(passages)
        for unit in units(
            one["text"], heading=one.get("heading", "").split(" › ")[-1], header=headers.get(one["name"], "")
        )
    ]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for.

    Attributes:
        text: The question with what it keeps of those that it leans on; `terms` are its index terms.
        question: The question alone.
        new: Terms of its own that a question brings which leans on others; None for one that stands by itself.
        own: What is looked for was said by the user, so that "my" is a word as any.
    """

    text: str
    terms: Sequence[str]
    question: str
    new: Sequence[str] | None = None
    own: bool = False

    @classmethod
    def of(cls, question: str, follows: str = "", *, own: bool = False) -> Asked:
        """Read a question that may lean on others."""
        question = without_file(question)
        text = f"{carried(follows, question)} {question}".strip() if follows else question
        terms = base_terms(text) if own else content(text)
        return cls(text, terms, question, content(question) if follows else None, own)


def weigh(asked: Asked, found: list[Sentence]) -> list[Sentence]:
    """Return the sentences that hold more than the terms asked for, best first by signs of words."""
    counts, new = Counter(term for one in found for term in one.terms), asked.new or ()
    weights = {term: math.log1p((len(found) + 0.5) / (counts[term] + 0.5)) for term in asked.terms}
    total, all_new = sum(weights.values()) or 1.0, sum(weights[term] for term in new)
    wanted = [held for kind, held in ANSWER_TYPES if kind.search(asked.question)]
    for index, one in enumerate(found):
        beside = [one] if one.unit.cells else found[max(0, index - 1) : index + 2]
        near = [other.terms for other in beside if other.passage is one.passage]
        above = base_terms(f"{re.sub('[._-]+', ' ', one.passage['name'])}\n{one.unit.heading}")
        one.around = round(sum(weights.get(term, 0.0) for term in frozenset(above).union(*near)) / total, 6)
        one.own = sum(weights.get(term, 0.0) for term in one.terms) / total
        one.new = sum(weights[term] for term in {*one.terms, *above} & set(new)) / all_new if all_new else 1.0
        one.kind = (1 if any(held.search(one.unit.text) for held in wanted) else one.unit.cells - 1) if wanted else 0
        one.score = AROUND * one.around + OWN * one.own + KIND * one.kind
    if asked.new is not None:
        found = [one for one in found if one.new >= LEAST_OWN and one.kind >= 0] or found
    more = (one for one in found if asked.own or not one.terms.issubset(asked.terms))
    return sorted(more, key=lambda one: -one.score)


async def find(vectors: KeptVectors, asked: Asked, passages: Sequence[Source]) -> list[Sentence]:
    """Return the sentences of `passages` (best first) that answer, in the order of the text."""
    every, clause = quotable(passages), clause_asked(asked.question)
    lines = [(one.unit.text, one.unit.heading, one.place[0]) for one in every if clause]
    inside = [one for one, held in zip(every, in_clause(clause, lines), strict=False) if held]
    ranked = await rank(vectors, asked.text, weigh(asked, inside or every))
    if not ranked or not (inside or answers(asked, ranked[0])):
        return []
    chosen = [one for one in ranked[:3] if inside or ranked[0].score - one.score < NEAR]
    first = {one.place[0]: rank for rank, one in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda one: (first[one.place[0]], one.place))


async def rank(vectors: KeptVectors, question: str, found: Sequence[Sentence]) -> list[Sentence]:
    """Return the best of `found` (best first by words) with their closeness to `question`, best first."""
    kept: dict[str, Sentence] = {}
    written, cost, asked = list[str](), 0, frozenset(content(question))
    for one in found:
        if one.unit.text in kept or len(kept) >= MOST_EMBEDDED or cost > EMBEDDED_TOKENS:
            continue
        under = not (asked - one.terms).isdisjoint(base_terms(one.unit.heading))
        written.append(": ".join(filter(None, (one.unit.heading * under, one.unit.text)))[:EMBEDDED_CHARS])
        kept[one.unit.text] = one
        cost += count_tokens(written[-1])
    if not kept:
        return []
    (query,) = await vectors.of("query", [question])
    far = await vectors.of("passage", UNRELATED) @ query
    chinese = has_han(question)
    across = float(far[[has_han(text) is not chinese for text in UNRELATED]].mean())
    usual = {chinese: float(far.mean()), not chinese: across}
    for one, cosine in zip(kept.values(), await vectors.of("passage", written) @ query, strict=True):
        one.closeness = float(cosine) - usual[has_han(one.unit.text)]
        one.score += CLOSENESS * one.closeness
    return sorted(kept.values(), key=lambda one: -one.score)


def answers(asked: Asked, best: Sentence) -> bool:
    """Decide whether the best sentence answers the question, rather than only being about the same thing."""
    chinese, passage = has_han(asked.text), best.passage
    if asked.own:
        return best.around >= LEAST_OWN or best.closeness >= LEAST_SAID
    told = "\n".join((passage["text"], best.unit.text, best.unit.heading, passage["name"]))
    if contradicts(asked.text, best.unit.text) or set(_YEAR.findall(asked.question)) - set(_YEAR.findall(told)):
        return False
    if has_han(asked.question) != has_han(best.unit.text) and not (best.unit.means and best.own >= LEAST_OWN):
        return best.kind >= 0 and best.closeness >= LEAST_ACROSS[chinese]
    if asked.new is not None:
        return best.kind >= 0 and best.new >= LEAST_OWN and best.closeness >= LEAST_SURE
    short = best.around == 1.0 and best.own and len(asked.terms) <= (SHORT_ZH if chinese else SHORT_EN)
    if short or (best.unit.cells and best.own >= LEAST_OWN):
        return best.closeness >= LEAST_SURE
    return best.closeness + IN_WORDS[chinese] * best.around >= LEAST[chinese]


def quoted(quotes: Sequence[Sentence], *, label: bool) -> str:
    """Write quotations, each followed by `[n "its exact words"]`; with `label`, under the name of their file."""
    said, before, ended = "", "", False
    for one in quotes:
        name = one.passage["name"]
        if name != before or not ended:
            said += f"\n\n**{name}**:\n" if label and name not in ("", before) else "\n\n"
        elif not has_han(one.unit.text):
            said += " "
        said += one.unit.text + citation_of(one.passage["number"] or None, one.unit.exact)
        before, ended = name, END.search(one.unit.text) is not None
    return said.strip()
