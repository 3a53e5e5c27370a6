"""Finds the one to three sentences of the given passages that answer a question, and decides whether they do.

Sentences are ranked by words first (`reader_candidates`). Only the best are embedded, so that an answer takes well
below a second on one core; how close their embeddings are to the question's settles the order.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.chat.extractive.accept import Evidence, answers, said_answers
from models.chat.extractive.candidates import Candidate, Passage, affordable, rank_by_words
from models.chat.extractive.coverage import coverage, units_of
from models.chat.extractive.cues import cue_match
from models.chat.extractive.routing import Router
from models.chat.extractive.text import question_terms
from models.embeddings.interface import Embedder, Vectors

CLOSENESS: Final = 10.0
"""Weight of the cosine beside the score by words."""
NARROW: Final = (1.3, 1.3)
BROAD: Final = (3.5, 3.5)
"""A second and third sentence are quoted when their score is within this of the best one's."""
VECTORS_KEPT: Final = 4000


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence worth quoting; `exact` holds the words of the passage where `text` writes them out differently."""

    text: str
    passage: Passage
    position: int
    score: float
    exact: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """The sentences found, best passage first and in the order of the text, and whether they answer the question."""

    quotes: list[Quote]
    answered: bool
    best: str = ""


class SentenceFinder:
    """Ranks sentences. Vectors of sentences are kept for the next question, the least recently used dropped first."""

    def __init__(self, embedder: Embedder, router: Router) -> None:
        self._embedder = embedder
        self._router = router
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    async def find(
        self,
        question: str,
        vector: Vectors,
        passages: Sequence[Passage],
        *,
        before: str = "",
        broad: bool = False,
    ) -> Finding:
        """Return the best sentences of `passages` (best first by retrieval) for `question`.

        Args:
            question: What is asked.
            vector: The query vector of `before` and `question` together.
            passages: Where to look.
            before: Earlier questions that this one leans on.
            broad: `question` is a subject: quote more of what is said about it.

        Raises:
            Unavailable: The embedding model failed.
        """
        ranked = await self._ranked(question, vector, passages, before)
        if not ranked:
            return Finding([], answered=False)
        best = ranked[0]
        beside = _beside(best, ranked, whole := f"{before} {question}".strip())
        said = f"{best.text} {beside.text}" if beside else best.text
        passage = passages[best.passage]
        evidence = Evidence(
            best.closeness,
            usual=await self._router.usual(vector),
            in_passage=coverage(whole, f"{passage.context}\n{passage.heading}\n{passage.text}"),
            in_sentence=coverage(whole, said),
            around=best.around,
        )
        answered = answers(whole, said, evidence) and (not before or _adds(question, said))
        if broad:
            ranked = [best, *(c for c in ranked[1:] if coverage(question, f"{c.heading} {c.text}") > 0)]
        within = BROAD if broad else NARROW
        if beside:
            ranked = [best, beside, *(c for c in ranked[1:] if c is not beside)]
            within = (np.inf, within[1])
        return Finding(_quotes(ranked, passages, within), answered, best.text)

    async def find_said(self, question: str, vector: Vectors, said: Sequence[str]) -> str:
        """Return the statement of the user (newest first in `said`) that answers `question`, or nothing.

        Raises:
            Unavailable: The embedding model failed.
        """
        ranked = await self._ranked(question, vector, [Passage(text, None) for text in said], "")
        if not ranked or not said_answers(question, ranked[0].text, ranked[0].closeness):
            return ""
        return ranked[0].text

    async def _ranked(
        self, question: str, vector: Vectors, passages: Sequence[Passage], before: str
    ) -> list[Candidate]:
        whole = f"{before} {question}".strip()
        candidates = affordable(rank_by_words(whole, question, passages))
        if not candidates:
            return []
        wanted = set(question_terms(whole))
        closeness = await self._embed([candidate.in_context(wanted) for candidate in candidates]) @ vector
        for candidate, near in zip(candidates, closeness, strict=True):
            candidate.closeness = float(near)
            candidate.score = candidate.lexical + CLOSENESS * float(near)
        return sorted(candidates, key=lambda candidate: -candidate.score)

    async def _embed(self, texts: Sequence[str]) -> Vectors:
        missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
        if missing:
            for text, made in zip(missing, await self._embedder.passages(missing), strict=True):
                self._vectors[text] = made
        found = np.stack([self._vectors[text] for text in texts])
        for text in texts:
            self._vectors.move_to_end(text)
        while len(self._vectors) > VECTORS_KEPT:
            self._vectors.popitem(last=False)
        return found


def _beside(best: Candidate, ranked: Sequence[Candidate], question: str) -> Candidate | None:
    """Return the next sentence where it has the kind of answer wanted and the best one only names what it is about."""
    if best.around < 1 or cue_match(question, best.text) >= 0:
        return None
    following = (c for c in ranked if c.passage == best.passage and c.position == best.position + 1)
    return next((c for c in following if cue_match(question, c.text) > 0), None)


def _adds(question: str, sentence: str) -> bool:
    """Tell whether a sentence answers the newest question too, and not only the one that it leans on."""
    cue, own = cue_match(question, sentence), len(units_of(question))
    if own == 0:
        return cue >= 0
    return coverage(question, sentence) > 0 or (own == 1 and cue > 0)


def _quotes(ranked: Sequence[Candidate], passages: Sequence[Passage], within: Sequence[float]) -> list[Quote]:
    chosen = _reading_order(_chosen(ranked, within))
    return [Quote(c.text, passages[c.passage], c.position, c.score, c.exact) for c in chosen]


def _chosen(ranked: Sequence[Candidate], within: Sequence[float]) -> list[Candidate]:
    best = ranked[0].score
    chosen = [ranked[0]]
    for candidate, gap in zip(ranked[1:3], within, strict=False):
        if best - candidate.score < gap:
            chosen.append(candidate)
    return chosen


def _reading_order(chosen: Sequence[Candidate]) -> list[Candidate]:
    """Put sentences of one passage in the order of the text, passages in the order of their best sentence."""
    first = {candidate.passage: rank for rank, candidate in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda candidate: (first[candidate.passage], candidate.position))
