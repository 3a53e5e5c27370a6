"""Hybrid search in what one owner sees: scope by ownership, both methods side by side, fusion, then texts."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NotRequired

import numpy as np
from typing_extensions import TypedDict

from domain.errors import Unavailable
from domain.owner import Owner
from domain.types import Source
from models.embeddings.interface import Embedder
from stores.library import keywords, ranking
from stores.library.catalog import Catalog
from stores.library.keywords import KeywordMatches
from stores.library.passages import Passage, passages
from stores.library.ranking import Key, Mode, Ranked, Reranker
from stores.library.vectors import VectorStore

CANDIDATES = 50
"""Chunks of each method that the fusion may choose."""
KEYWORD_HITS = 200
"""Keyword hits that are looked at for the coverage of those candidates."""


class Hit(TypedDict):
    """A chunk that was found: characters `start` to `end` of its page, and a `score` of 0..1 within this query.

    `similarity` (cosine of the vectors, where the chunk has one) and `coverage` (share of the query's term weight that
    the chunk holds, 0..1) can be compared between queries.
    """

    document_id: str
    name: str
    page: int
    label: str
    heading: str
    text: str
    start: int
    end: int
    score: float
    similarity: NotRequired[float]
    coverage: float


Scope = dict[int, sqlite3.Row]
"""What one query may see: by content id, the newest document of it (id, name, kind, number of vectors)."""


@dataclass(frozen=True, slots=True)
class Found:
    """Ranked chunks with their evidence."""

    ranked: list[Ranked]
    similarity: dict[Key, float] = field(default_factory=dict)
    coverage: dict[Key, float] = field(default_factory=dict)


class Search:
    """Finds chunks and passages."""

    def __init__(
        self, catalog: Catalog, vectors: VectorStore | None, embedder: Embedder, reranker: Reranker | None
    ) -> None:
        self._catalog = catalog
        self._vectors = vectors
        self._embedder = embedder
        self._reranker = reranker

    async def hits(self, query: str, scope: Scope, *, top_k: int, mode: Mode) -> list[Hit]:
        """Return the `top_k` best chunks.

        Raises:
            Unavailable: `mode` is `dense`, and the vector store or the embedding model does not answer.
        """
        found = await self._find(query, scope, mode)
        return await self._catalog.read(lambda db: _hits(db, found, scope, top_k))

    async def sources(self, query: str, scope: Scope, *, token_budget: int) -> list[Source]:
        """Return numbered passages around the best chunks, together at most `token_budget` tokens."""
        found = await self._find(query, scope, "hybrid")
        ranked = [(item.key, item.score) for item in found.ranked]
        near = await self._catalog.read(lambda db: passages(db, ranked, token_budget))
        return [_source(number, passage, scope[passage.content_id]) for number, passage in enumerate(near, 1)]

    async def scope(self, owner: Owner, document_ids: Sequence[str] | None) -> Scope:
        """Return what `owner` sees, or what of that is in `document_ids`."""
        where, values = visible(owner, library=True)
        if document_ids is not None:
            where += " AND a.id IN (SELECT value FROM json_each(?))"
            values = (*values, json.dumps(list(document_ids)))
        query = (
            "SELECT a.id, a.name, a.kind, d.content_id, c.embedded FROM attachments a JOIN documents d ON d.id = a.id"
            f" JOIN contents c ON c.id = d.content_id WHERE {where} AND c.chunks > 0 ORDER BY a.created"
        )
        rows = await self._catalog.read(lambda db: db.execute(query, values).fetchall())
        return {row["content_id"]: row for row in rows}

    async def _find(self, query: str, scope: Scope, mode: Mode) -> Found:
        if not scope or not query.strip():
            return Found([])
        if mode == "keyword":
            matches = await self._by_keyword(query, scope)
            return Found(_relative(matches), coverage=_coverage(matches))
        if mode == "dense":
            similarity = await self._by_vector(query, scope)
            return Found([Ranked(key, max(0.0, cosine)) for key, cosine in similarity.items()], similarity)
        matches, similarity = await asyncio.gather(self._by_keyword(query, scope), self._if_possible(query, scope))
        ranked = ranking.fuse(similarity, matches, depth=CANDIDATES)
        return Found(await self._reranked(query, ranked), similarity, _coverage(matches))

    async def _by_keyword(self, query: str, scope: Scope) -> KeywordMatches:
        return await self._catalog.read(lambda db: keywords.search(db, list(scope), query, KEYWORD_HITS))

    async def _by_vector(self, query: str, scope: Scope) -> dict[Key, float]:
        """Return the cosines of the nearest chunks, nearest first."""
        sizes = {content_id: row["embedded"] for content_id, row in scope.items() if row["embedded"]}
        if self._vectors is None or not sizes:
            return {}
        near, cosines = await self._vectors.search(sizes, await self._embedder.query(query), CANDIDATES)
        return dict(zip(near, cosines.tolist(), strict=True))

    async def _if_possible(self, query: str, scope: Scope) -> dict[Key, float]:
        try:
            return await self._by_vector(query, scope)
        except Unavailable:
            return {}

    async def _reranked(self, query: str, ranked: list[Ranked]) -> list[Ranked]:
        if self._reranker is None or not ranked:
            return ranked
        rows = await self._catalog.read(lambda db: [_chunk(db, item.key) for item in ranked])
        kept = [(item, row["text"]) for item, row in zip(ranked, rows, strict=True) if row is not None]
        scores = await self._reranker.rank(query, [text for _, text in kept])
        rated = [Ranked(item.key, float(score)) for (item, _), score in zip(kept, scores, strict=True)]
        return sorted(rated, key=lambda item: -item.score)


def visible(owner: Owner, *, library: bool) -> tuple[str, tuple[str, ...]]:
    """Return the WHERE clause, on `attachments a`, of what `owner` sees."""
    if owner.thread_id is None:
        return "a.user_id = ? AND a.thread_id IS NULL", (owner.user_id,)
    if library:
        return "a.user_id = ? AND (a.thread_id = ? OR a.thread_id IS NULL)", (owner.user_id, owner.thread_id)
    return "a.user_id = ? AND a.thread_id = ?", (owner.user_id, owner.thread_id)


def _relative(matches: KeywordMatches) -> list[Ranked]:
    best = float(np.max(matches.scores, initial=1e-9))
    return [Ranked(key, float(score) / best) for key, score in zip(matches.chunks, matches.scores, strict=True)]


def _coverage(matches: KeywordMatches) -> dict[Key, float]:
    return dict(zip(matches.chunks, matches.coverage.tolist(), strict=True))


def _chunk(db: sqlite3.Connection, key: Key) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(
        'SELECT c.*, p.label, substr(p.text, c.start + 1, c."end" - c.start) AS text FROM chunks c'
        " JOIN pages p ON p.content_id = c.content_id AND p.number = c.page WHERE c.content_id = ? AND c.ordinal = ?",
        key,
    ).fetchone()
    return row


def _hits(db: sqlite3.Connection, found: Found, scope: Scope, top_k: int) -> list[Hit]:
    """Return the best chunks with their texts; one that was deleted since it was ranked is left out."""
    rows = ((item, _chunk(db, item.key)) for item in found.ranked[:top_k])
    return [_hit(row, item, scope[item.key[0]], found) for item, row in rows if row is not None]


def _hit(row: sqlite3.Row, item: Ranked, document: sqlite3.Row, found: Found) -> Hit:
    hit = Hit(
        document_id=document["id"], name=document["name"], page=row["page"], label=row["label"],
        heading=row["heading"], text=row["text"], start=row["start"], end=row["end"], score=round(item.score, 6),
        coverage=round(found.coverage.get(item.key, 0.0), 4),
    )  # fmt: skip
    if item.key in found.similarity:
        hit["similarity"] = round(found.similarity[item.key], 4)
    return hit


def _source(number: int, passage: Passage, document: sqlite3.Row) -> Source:
    return Source(
        number=number, origin="image" if document["kind"] == "image" else "document", document_id=document["id"],
        name=document["name"], page=passage.page, label=passage.label, heading=passage.heading, start=passage.start,
        end=passage.end, text=passage.text, score=round(passage.score, 6),
    )  # fmt: skip
