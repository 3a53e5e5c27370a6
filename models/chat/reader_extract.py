"""Finds the one to three sentences of the given passages that answer a question, and decides whether they do.

A sentence is ranked by what it shares with the question (rare terms count more), what its neighbours and its passage
share, the passage's retrieval rank, whether it holds the kind of answer that is asked for, and how close its embedding
is to the question's. Only the sentences that rank best without embeddings are embedded, so that an answer takes well
below a second on one core.
"""

from __future__ import annotations

import math
from collections import Counter, OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.chat.reader_cues import cue_match, negation_mismatch, opposite_terms
from models.chat.reader_text import Sentence, is_chinese, question_terms, split_sentences, terms
from models.embeddings.interface import Embedder, Vectors

OWN: Final = 3.0
CONTEXT: Final = 1.0
PASSAGE: Final = 1.5
RANK: Final = 0.7
CUE: Final = 0.35
LENGTH: Final = 0.15
QUESTION: Final = -1.0
CLOSENESS: Final = 10.0
"""Weights of a sentence's score, set by hand. A softmax regression over 350 questions (SQuAD, CMRC2018, CMRC2018 trial)
ranked no better on 200 others, six retrieved passages each: answer in the first sentence 0.87 en, 0.73 zh fitted, 0.85
en, 0.73 zh with these; in the first three 0.95 and 0.88 fitted, 0.96 and 0.92 with these."""

MAX_CANDIDATES: Final = 12
MIN_CANDIDATES: Final = 5
EMBED_COST: Final = 330.0
"""Estimated tokens embedded for one answer, at about 1.7 ms each on one core of 2026."""
EMBED_CHARS: Final = 320
SECOND_WITHIN: Final = 1.3
THIRD_WITHIN: Final = 0.6
"""A second and third sentence are quoted when their score is within this of the best one's."""


class Thresholds(NamedTuple):
    """Least closeness (cosine of multilingual-e5-small) of a sentence that answers, by the language of the question.

    `cross` is for a sentence in the other language. `short` is taken off for English sentences below `SHORT`
    characters: a line of a form, a table or a sign stands further from its question than prose does.
    """

    en: float
    zh: float
    cross: float
    short: float


THRESHOLDS: Final = Thresholds(en=0.860, zh=0.880, cross=0.765, short=0.03)
"""Chosen on questions of SQuAD 2, CMRC2018 and XQuAD: half of SQuAD 2's unanswerable questions are declined, and 15 %
of the answerable ones in English, 4 % in Chinese."""
SAID_THRESHOLDS: Final = Thresholds(en=0.815, zh=0.870, cross=0.810, short=0.0)
"""The same for what the user said of themselves: first person there, second person in the question."""
SHORT: Final = 60
CUE_SHIFT: Final = 0.02
"""The threshold is this much lower when the wanted kind of answer is in the sentence, higher when it is missing."""
VECTORS_KEPT: Final = 4000


@dataclass(frozen=True, slots=True)
class Passage:
    """Text that may be quoted. `number` is its citation number; None: a message of the user, quoted without one."""

    text: str
    number: int | None
    name: str = ""
    context: str = ""
    """Heading and name: they count as neighbours of every sentence."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence worth quoting."""

    text: str
    passage: Passage
    position: int
    score: float


@dataclass(frozen=True, slots=True)
class Finding:
    """The sentences found, best passage first and in the order of the text, and whether they answer the question."""

    quotes: list[Quote]
    answered: bool
    closeness: float
    best: str = ""


@dataclass(slots=True)
class _Candidate:
    sentence: Sentence
    passage: int
    position: int
    lexical: float = 0.0
    score: float = 0.0
    closeness: float = 0.0


class SentenceFinder:
    """Ranks sentences. Vectors of sentences are kept for the next question, the least recently used dropped first."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._vectors: OrderedDict[str, NDArray[np.float32]] = OrderedDict()

    async def find(
        self, question: str, vector: Vectors, passages: Sequence[Passage], thresholds: Thresholds = THRESHOLDS
    ) -> Finding:
        """Return the best sentences of `passages` (best first by retrieval) for `question`, embedded as `vector`.

        Raises:
            Unavailable: The embedding model failed.
        """
        candidates = _affordable(_lexical(question, passages))
        if not candidates:
            return Finding([], answered=False, closeness=0.0)
        texts = [candidate.sentence.text[:EMBED_CHARS] for candidate in candidates]
        closeness = await self._embed(texts) @ vector
        for candidate, near in zip(candidates, closeness, strict=True):
            candidate.closeness = float(near)
            candidate.score = candidate.lexical + CLOSENESS * float(near)
        candidates.sort(key=lambda candidate: -candidate.score)
        best = candidates[0]
        chosen = _chosen(candidates)
        quotes = [Quote(c.sentence.text, passages[c.passage], c.position, c.score) for c in _reading_order(chosen)]
        return Finding(
            quotes,
            answers(question, best.sentence.text, best.closeness, thresholds),
            best.closeness,
            best.sentence.text,
        )

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


def answers(question: str, sentence: str, closeness: float, thresholds: Thresholds = THRESHOLDS) -> bool:
    """Decide whether the best sentence answers the question, rather than only being about the same thing."""
    if negation_mismatch(question, sentence) or opposite_terms(question, sentence):
        return False
    asked, said = is_chinese(question), is_chinese(sentence)
    least = thresholds.cross if asked != said else thresholds.zh if asked else thresholds.en
    least -= CUE_SHIFT * cue_match(question, sentence)
    if not said and len(sentence) < SHORT:
        least -= thresholds.short
    return closeness >= least


def _lexical(question: str, passages: Sequence[Passage]) -> list[_Candidate]:
    candidates: list[_Candidate] = []
    sentence_terms: list[set[str]] = []
    for number, passage in enumerate(passages):
        for position, sentence in enumerate(split_sentences(passage.text)):
            candidates.append(_Candidate(sentence, number, position))
            sentence_terms.append(set(terms(sentence.text)))
    weights = _rarity(question_terms(question), sentence_terms)
    passage_terms = [set(terms(f"{passage.context}\n{passage.text}")) for passage in passages]
    context_terms = [set(terms(passage.context)) for passage in passages]
    for index, candidate in enumerate(candidates):
        around = context_terms[candidate.passage].union(
            *(
                sentence_terms[near]
                for near in (index - 1, index, index + 1)
                if 0 <= near < len(candidates) and candidates[near].passage == candidate.passage
            )
        )
        own = _coverage(weights, sentence_terms[index])
        candidate.lexical = (
            OWN * own
            + CONTEXT * (_coverage(weights, around) - own)
            + PASSAGE * _coverage(weights, passage_terms[candidate.passage])
            + RANK / (1 + candidate.passage)
            + CUE * cue_match(question, candidate.sentence.text)
            + LENGTH * math.log1p(len(sentence_terms[index]) / 10)
            + QUESTION * candidate.sentence.text.endswith(("?", "？"))
        )
    return sorted(candidates, key=lambda candidate: -candidate.lexical)


def _rarity(wanted: Sequence[str], sentences: Sequence[set[str]]) -> dict[str, float]:
    """Weight each term of the question by how few sentences hold it; the weights sum to 1."""
    counts = Counter(term for held in sentences for term in held)
    raw = {term: math.log1p((len(sentences) + 0.5) / (counts[term] + 0.5)) for term in wanted}
    total = sum(raw.values()) or 1.0
    return {term: weight / total for term, weight in raw.items()}


def _coverage(weights: dict[str, float], held: set[str]) -> float:
    return sum(weight for term, weight in weights.items() if term in held)


def _affordable(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Keep the best candidates, one of each text, as long as embedding them stays in the budget."""
    kept: dict[str, _Candidate] = {}
    cost = 0.0
    for candidate in candidates:
        text = candidate.sentence.text[:EMBED_CHARS]
        cost += 4 + (0.7 if is_chinese(text) else 0.27) * len(text)
        if len(kept) >= MAX_CANDIDATES or (len(kept) >= MIN_CANDIDATES and cost > EMBED_COST):
            break
        kept.setdefault(candidate.sentence.text, candidate)
    return list(kept.values())


def _chosen(ranked: Sequence[_Candidate]) -> list[_Candidate]:
    best = ranked[0].score
    chosen = [ranked[0]]
    for candidate, within in zip(ranked[1:3], (SECOND_WITHIN, THIRD_WITHIN), strict=False):
        if best - candidate.score < within:
            chosen.append(candidate)
    return chosen


def _reading_order(chosen: Sequence[_Candidate]) -> list[_Candidate]:
    """Put sentences of one passage in the order of the text, passages in the order of their best sentence."""
    first = {candidate.passage: rank for rank, candidate in reversed(list(enumerate(chosen)))}
    return sorted(chosen, key=lambda candidate: (first[candidate.passage], candidate.position))
