"""Hybrid search in what one owner sees: scope by ownership, both methods side by side, fusion, then texts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NotRequired

import numpy as np
from sqlalchemy import Connection, Row, Select, bindparam, select
from typing_extensions import TypedDict

from domain.errors import Unavailable
from domain.owner import Owner
from domain.types import Source
from models.embeddings.interface import Embedder
from stores.library import keywords, ranking
from stores.library.keywords import KeywordMatches
from stores.library.pages import CHUNK_TEXT
from stores.library.passages import Passage, passages
from stores.library.ranking import Key, Mode, Ranked, Reranker, by_content
from stores.library.vectors import VectorStore
from stores.library.visibility import VISIBLE, Sight, parameters, sight
from stores.sql.database import Database, among
from stores.sql.tables import attachments, chunks, contents, documents, pages

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


Scope = dict[int, Row[Any]]
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
        self, database: Database, vectors: VectorStore | None, embedder: Embedder, reranker: Reranker | None
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._embedder = embedder
        self._reranker = reranker

    async def hits(self, query: str, scope: Scope, *, top_k: int, mode: Mode) -> list[Hit]:
        """Return the `top_k` best chunks.

        Raises:
            Unavailable: `mode` is `dense`, and the vector store or the embedding model does not answer.
        """
        found = await self._find(query, scope, mode)
        return await self._database.read(lambda db: _hits(db, found, scope, top_k))

    async def sources(self, query: str, scope: Scope, *, token_budget: int) -> list[Source]:
        """Return numbered passages around the best chunks, together at most `token_budget` tokens."""
        found = await self._find(query, scope, "hybrid")
        ranked = [(item.key, item.score) for item in found.ranked]
        near = await self._database.read(lambda db: passages(db, ranked, token_budget))
        return [_source(number, passage, scope[passage.content_id]) for number, passage in enumerate(near, 1)]

    async def scope(self, owner: Owner, document_ids: Sequence[str] | None) -> Scope:
        """Return what `owner` sees, or what of that is in `document_ids`."""
        query = _scope(sight(owner, library=True), document_ids is not None)
        values = {**parameters(owner), "documents": document_ids}
        rows = await self._database.read(lambda db: db.execute(query, values).all())
        return {row.content_id: row for row in rows}

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
        return await self._database.read(lambda db: keywords.search(db, list(scope), query, KEYWORD_HITS))

    async def _by_vector(self, query: str, scope: Scope) -> dict[Key, float]:
        """Return the cosines of the nearest chunks, nearest first."""
        sizes = {content_id: row.embedded for content_id, row in scope.items() if row.embedded}
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
        rows = await self._database.read(lambda db: _chunks(db, ranked))
        kept = [(item, rows[item.key].text) for item in ranked if item.key in rows]
        scores = await self._reranker.rank(query, [text for _, text in kept])
        rated = [Ranked(item.key, float(score)) for (item, _), score in zip(kept, scores, strict=True)]
        return sorted(rated, key=lambda item: -item.score)


@cache
def _scope(seen: Sight, narrowed: bool) -> Select[Any]:
    """Return the query of what is searched; with `narrowed` the parameter `documents` lists ids."""
    query = (
        select(attachments.c.id, attachments.c.name, attachments.c.kind, documents.c.content_id, contents.c.embedded)
        .join(documents, documents.c.id == attachments.c.id)
        .join(contents, contents.c.id == documents.c.content_id)
        .where(VISIBLE[seen], contents.c.chunks > 0)
        .order_by(attachments.c.created, attachments.c.id)
    )
    return query.where(among(attachments.c.id, "documents")) if narrowed else query


def _relative(matches: KeywordMatches) -> list[Ranked]:
    best = float(np.max(matches.scores, initial=1e-9))
    return [Ranked(key, float(score) / best) for key, score in zip(matches.chunks, matches.scores, strict=True)]


def _coverage(matches: KeywordMatches) -> dict[Key, float]:
    return dict(zip(matches.chunks, matches.coverage.tolist(), strict=True))


_CHUNKS = (
    select(
        chunks.c.ordinal, chunks.c.page, chunks.c.start, chunks.c.end, chunks.c.heading,
        pages.c.label, CHUNK_TEXT.label("text"),
    )
    .join(pages, (pages.c.content_id == chunks.c.content_id) & (pages.c.number == chunks.c.page))
    .where(chunks.c.content_id == bindparam("content_id"), among(chunks.c.ordinal, "ordinals"))
)  # fmt: skip


def _chunks(db: Connection, ranked: Sequence[Ranked]) -> dict[Key, Row[Any]]:
    """Return the chunks with their texts by key; one that was deleted since it was ranked is not there."""
    return {
        (content_id, row.ordinal): row
        for content_id, ordinals in by_content(item.key for item in ranked).items()
        for row in db.execute(_CHUNKS, {"content_id": content_id, "ordinals": ordinals})
    }


def _hits(db: Connection, found: Found, scope: Scope, top_k: int) -> list[Hit]:
    best = found.ranked[:top_k]
    rows = _chunks(db, best)
    return [_hit(rows[item.key], item, scope[item.key[0]], found) for item in best if item.key in rows]


def _hit(row: Row[Any], item: Ranked, document: Row[Any], found: Found) -> Hit:
    hit = Hit(
        document_id=document.id, name=document.name, page=row.page, label=row.label, heading=row.heading,
        text=row.text, start=row.start, end=row.end, score=round(item.score, 6),
        coverage=round(found.coverage.get(item.key, 0.0), 4),
    )  # fmt: skip
    if item.key in found.similarity:
        hit["similarity"] = round(found.similarity[item.key], 4)
    return hit


def _source(number: int, passage: Passage, document: Row[Any]) -> Source:
    return Source(
        number=number, origin="image" if document.kind == "image" else "document", document_id=document.id,
        name=document.name, page=passage.page, label=passage.label, heading=passage.heading, start=passage.start,
        end=passage.end, text=passage.text, score=round(passage.score, 6),
    )  # fmt: skip
