"""Keyword search: BM25 over an inverted index that is cut into segments, one or more per content.

A search touches only the segments it may see, so its cost follows the owner's documents and not the store, and term
statistics never mix owners. Terms are stored as 64-bit hashes: no readable text is in the index.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, insert, select

from domain.bm25 import K1, B
from domain.text import terms
from stores.sql.database import among, insert_rows, rows
from stores.sql.tables import postings, segments


@dataclass(frozen=True, slots=True)
class KeywordMatches:
    """Chunks that hold at least one term of a query, best first.

    Attributes:
        chunks: (content id, ordinal) of each.
        scores: BM25, same order.
        coverage: Share of the query's term weight (idf) that the chunk holds, 0..1, same order.
    """

    chunks: list[tuple[int, int]]
    scores: NDArray[np.float64]
    coverage: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Segment:
    """The index of some chunks, ready to be stored: `lengths` as uint16, `hits` by key of a term as uint32."""

    lengths: bytes
    hits: dict[int, bytes]


def segment_of(texts: Sequence[str]) -> Segment:
    """Return the index of `texts`, chunks that follow each other."""
    lengths = np.zeros(len(texts), np.uint16)
    hits: dict[int, list[int]] = {}
    for position, text in enumerate(texts):
        counts = Counter(terms(text))
        lengths[position] = min(sum(counts.values()), 65_535)
        for term, count in counts.items():
            hits.setdefault(_term_key(term), []).append(position << 8 | min(count, 255))
    return Segment(lengths.tobytes(), {key: np.array(hits[key], np.uint32).tobytes() for key in sorted(hits)})


def insert_segment(db: Connection, content_id: int, first: int, segment: Segment) -> None:
    """Write `segment`, the chunks of `content_id` from ordinal `first` on."""
    row = insert(segments).values(content_id=content_id, first=first, lengths=segment.lengths)
    number = db.execute(row.returning(segments.c.id)).scalar_one()
    if segment.hits:
        insert_rows(db, postings, ((number, key, hits) for key, hits in segment.hits.items()))


_SEGMENTS = (
    select(segments.c.id, segments.c.content_id, segments.c.first, segments.c.lengths)
    .where(among(segments.c.content_id, "contents"))
    .order_by(segments.c.id)
)
_POSTINGS = select(postings.c.segment_id, postings.c.term, postings.c.hits).where(
    among(postings.c.segment_id, "segments"), among(postings.c.term, "terms")
)


def search(db: Connection, content_ids: Sequence[int], query: str, limit: int) -> KeywordMatches:
    """Return the `limit` best chunks of `content_ids` by BM25."""
    wanted = sorted({_term_key(term) for term in terms(query)})
    found = rows(db, _SEGMENTS, {"contents": content_ids}) if wanted and content_ids else []
    if not found:
        return KeywordMatches([], np.zeros(0), np.zeros(0))
    ids, contents, firsts, packed_lengths = zip(*found, strict=True)
    lengths = np.frombuffer(b"".join(packed_lengths), np.uint16).astype(np.float64)
    offsets = np.cumsum([0, *(len(packed) // 2 for packed in packed_lengths)])
    place = {segment: number for number, segment in enumerate(ids)}
    term_place = {term: number for number, term in enumerate(wanted)}
    hits = [
        (place[segment], term_place[term], packed)
        for segment, term, packed in rows(db, _POSTINGS, {"segments": ids, "terms": wanted})
    ]
    scores, coverage = _bm25(hits, offsets, lengths, wanted)
    best = np.argsort(-scores, kind="stable")[:limit]
    best = best[scores[best] > 0]
    places = np.searchsorted(offsets, best, side="right") - 1
    ordinals = np.array(firsts)[places] + best - offsets[places]
    chunks = list(zip(np.array(contents)[places].tolist(), ordinals.tolist(), strict=True))
    return KeywordMatches(chunks, scores[best], coverage[best])


def _bm25(
    postings: list[tuple[int, int, bytes]], offsets: NDArray[np.int64], lengths: NDArray[np.float64], wanted: list[int]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return score and coverage of every chunk of the segments."""
    total = len(lengths)
    packed = np.frombuffer(b"".join(hits for _, _, hits in postings), np.uint32)
    runs = [len(hits) // 4 for _, _, hits in postings]
    term = np.repeat(np.array([number for _, number, _ in postings], np.int64), runs)
    chunk = np.repeat(np.array([offsets[place] for place, _, _ in postings], np.int64), runs) + (packed >> 8)
    frequency = (packed & 255).astype(np.float64)
    documents = np.bincount(term, minlength=len(wanted))
    idf = np.log1p((total - documents + 0.5) / (documents + 0.5))
    norm = K1 * (1 - B + B * lengths[chunk] / max(lengths.mean(), 1.0))
    weights = idf[term] * frequency * (K1 + 1) / (frequency + norm)
    scores: NDArray[np.float64] = np.bincount(chunk, weights, minlength=total).astype(np.float64)
    coverage = np.bincount(chunk, idf[term], minlength=total) / max(float(idf.sum()), math.ulp(1.0))
    return scores, coverage


@lru_cache(maxsize=100_000)
def _term_key(term: str) -> int:
    return int.from_bytes(blake2b(term.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big", signed=True)
