"""The sentences of some passages that could answer a question, ranked by words alone: no model is asked here.

A sentence is ranked by what it shares with the question (rare terms count more), what its neighbours, its headings and
its passage share, the passage's retrieval rank, and whether it holds the kind of answer that is asked for.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from models.chat.extractive.cues import cue_match
from models.chat.extractive.text import Sentence, is_chinese, question_terms, row_cells, split_sentences, terms

OWN: Final = 3.0
CONTEXT: Final = 1.0
PASSAGE: Final = 1.5
RANK: Final = 0.7
CUE: Final = 0.35
LENGTH: Final = 0.15
QUESTION: Final = -1.0
"""Weights of a sentence's score, set by hand. A softmax regression over 350 questions (SQuAD, CMRC2018, CMRC2018 trial)
ranked no better on 200 others, six retrieved passages each: answer in the first sentence 0.87 en, 0.73 zh fitted, 0.85
en, 0.73 zh with these; in the first three 0.95 and 0.88 fitted, 0.96 and 0.92 with these."""

MAX_CANDIDATES: Final = 12
MIN_CANDIDATES: Final = 5
EMBED_COST: Final = 330.0
"""Estimated tokens embedded for one answer, at about 1.7 ms each on one core of 2026."""
EMBED_CHARS: Final = 320


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that may be quoted. `number` is its citation number; None: a message of the user, quoted without one."""

    text: str
    number: int | None
    name: str = ""
    context: str = ""
    """Counts as a neighbour of every sentence: the name of the file."""
    heading: str = ""
    """The heading that the passage stands under."""


@dataclass(slots=True)
class Candidate:
    """A sentence that may be quoted.

    Attributes:
        text: The sentence; a table row is written out with the names of its columns.
        exact: The words as they stand in the passage, where `text` differs from them.
        passage: Place of its passage among those given.
        position: Place of the sentence in its passage.
        own: Share (0..1) of the question's term weight that the sentence holds.
        around: The same for the sentence with its neighbours and headings.
        heading: The heading that it stands under.
        lexical: Score by words alone.
        closeness: Cosine to the question.
        score: Score with closeness.
    """

    text: str
    exact: str
    passage: int
    position: int
    heading: str = ""
    own: float = 0.0
    around: float = 0.0
    lexical: float = 0.0
    closeness: float = 0.0
    score: float = 0.0
    terms: set[str] = field(default_factory=set)
    context: set[str] = field(default_factory=set)

    def in_context(self, question: set[str]) -> str:
        """Return the sentence as it is compared: under its heading when that is what the question names."""
        wanted = question - self.terms
        named = f"{self.heading}: {self.text}" if self.heading and wanted & set(terms(self.heading)) else self.text
        return named[:EMBED_CHARS]


def rank_by_words(question: str, wanted: str, passages: Sequence[Passage]) -> list[Candidate]:
    """Return all candidates of `passages` (best first by retrieval), best first.

    Args:
        question: What is looked for, with the words of earlier questions where it leans on them.
        wanted: The newest question alone: it tells the kind of answer.
        passages: Where to look.
    """
    found = [item for number, passage in enumerate(passages) for item in _candidates(number, passage)]
    weights = _rarity(question_terms(question), [item.terms for item in found])
    whole = [
        _coverage(weights, set(terms(f"{passage.context}\n{passage.heading}\n{passage.text}"))) for passage in passages
    ]
    for index, item in enumerate(found):
        near = [other.terms for other in found[max(0, index - 1) : index + 2] if other.passage == item.passage]
        item.own = _coverage(weights, item.terms)
        item.around = _coverage(weights, item.context.union(*near))
        item.lexical = (
            OWN * item.own
            + CONTEXT * (item.around - item.own)
            + PASSAGE * whole[item.passage]
            + RANK / (1 + item.passage)
            + CUE * cue_match(wanted, item.text)
            + LENGTH * math.log1p(len(item.terms) / 10)
            + QUESTION * item.text.endswith(("?", "？"))
        )
    return sorted(found, key=lambda item: -item.lexical)


def affordable(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Keep the best candidates, one of each text, as long as embedding them stays in the budget."""
    kept: dict[str, Candidate] = {}
    cost = 0.0
    for candidate in candidates:
        text = candidate.text[:EMBED_CHARS]
        cost += 4 + (0.7 if is_chinese(text) else 0.27) * len(text)
        if len(kept) >= MAX_CANDIDATES or (len(kept) >= MIN_CANDIDATES and cost > EMBED_COST):
            break
        kept.setdefault(candidate.text, candidate)
    return list(kept.values())


def _candidates(number: int, passage: Passage) -> list[Candidate]:
    """Return the sentences of a passage; headings and header rows are context of what follows them."""
    found: list[Candidate] = []
    given = set(terms(passage.context))
    heading = passage.heading
    header: list[str] = []
    sentences = split_sentences(passage.text)
    for position, sentence in enumerate(sentences):
        if sentence.kind == "heading":
            heading = sentence.text
        elif sentence.kind == "header":
            header = row_cells(sentence.text)
        else:
            header = header if sentence.kind == "row" else []
            text = _row_text(header, sentence)
            exact = sentence.text if text != sentence.text else ""
            found.append(
                Candidate(
                    text, exact, number, position, heading, terms=set(terms(text)), context=given | set(terms(heading))
                )
            )
    if found or not sentences:
        return found
    only = sentences[-1].text
    return [Candidate(only, "", number, 0, terms=set(terms(only)), context=given)]


def _row_text(header: Sequence[str], sentence: Sentence) -> str:
    """Write a table row as `column: cell; column: cell`."""
    if sentence.kind != "row":
        return sentence.text
    cells = row_cells(sentence.text)
    if len(header) != len(cells):
        return " · ".join(cell for cell in cells if cell)
    named = (f"{name}: {cell}" if name else cell for name, cell in zip(header, cells, strict=True) if cell)
    return "; ".join(named)


def _rarity(wanted: Sequence[str], sentences: Sequence[set[str]]) -> dict[str, float]:
    """Weight each term of the question by how few sentences hold it; the weights sum to 1."""
    counts = Counter(term for held in sentences for term in held)
    raw = {term: math.log1p((len(sentences) + 0.5) / (counts[term] + 0.5)) for term in wanted}
    total = sum(raw.values()) or 1.0
    return {term: weight / total for term, weight in raw.items()}


def _coverage(weights: dict[str, float], held: set[str]) -> float:
    return sum(weight for term, weight in weights.items() if term in held)
