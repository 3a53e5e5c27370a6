"""Hybrid search in what one owner sees: scope by ownership, both methods side by side, fusion, then texts."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NotRequired

import numpy as np
from sqlalchemy import Connection, Select, bindparam, select
from typing_extensions import TypedDict

from domain.errors import Unavailable
from domain.owner import Owner
from domain.types import Source
from models.embeddings.interface import Embedder
from models.rerank.interface import Reranker
from stores.library import keywords, ranking
from stores.library.keywords import KeywordMatches
from stores.library.pages import CHUNK_TEXT, with_heading
from stores.library.passages import Passage, passages
from stores.library.ranking import Key, Mode, Ranked, by_content
from stores.library.vectors import VectorStore
from stores.library.visibility import VISIBLE, Sight, parameters, sight
from stores.sql.database import Database, among, rows
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


LeanOf = Callable[[str], Awaitable[float]]
"""Tells how much more than by default keywords count for a user; see `ranking.fuse`."""
Scope = dict[int, Any]
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
        self,
        database: Database,
        vectors: VectorStore | None,
        embedder: Embedder,
        reranker: Reranker | None,
        lean_of: LeanOf | None = None,
    ) -> None:
        self._database = database
        self._vectors = vectors
        self._embedder = embedder
        self._reranker = reranker
        self._lean_of = lean_of

    async def hits(
        self, query: str, owner: Owner, document_ids: Sequence[str] | None, *, top_k: int, mode: Mode
    ) -> list[Hit]:
        """Return the `top_k` best chunks of what `owner` sees, or of what of that is in `document_ids`.

        Raises:
            Unavailable: `mode` is `dense`, and the vector store or the embedding model does not answer.
        """
        if mode == "keyword":
            return await self._database.read(lambda db: _keyword_hits(db, query, owner, document_ids, top_k))
        scope = await self._database.read(lambda db: _scope(db, owner, document_ids))
        found = await self._find(query, scope, mode, await self._lean(owner))
        return await self._database.read(lambda db: _hits(db, found, scope, top_k)) if found.ranked else []

    async def sources(
        self, query: str, owner: Owner, document_ids: Sequence[str] | None, *, token_budget: int
    ) -> list[Source]:
        """Return numbered passages around the best chunks, together at most `token_budget` tokens."""
        scope = await self._database.read(lambda db: _scope(db, owner, document_ids))
        found = await self._find(query, scope, "hybrid", await self._lean(owner))
        if not found.ranked:
            return []
        ranked = [(item.key, item.score) for item in found.ranked]
        near = await self._database.read(lambda db: passages(db, ranked, token_budget))
        return [_source(number, passage, scope[passage.content_id]) for number, passage in enumerate(near, 1)]

    async def placings(
        self, query: str, owner: Owner, leans: Sequence[float], depth: int
    ) -> list[list[tuple[str, int]]]:
        """Return for each lean the documents and pages that a hybrid search would find, best first.

        Nothing is reranked: a reranker orders what the fusion finds by itself, whatever the lean.
        """
        scope = await self._database.read(lambda db: _scope(db, owner, None))
        if not scope or not query.strip():
            return [[] for _ in leans]
        matches, similarity = await self._matches(query, scope)
        fused = [ranking.fuse(similarity, matches, depth=CANDIDATES, lean=lean)[:depth] for lean in leans]
        texts = await self._database.read(lambda db: _chunks(db, [item for one in fused for item in one]))
        return [[(scope[item.key[0]].id, texts[item.key].page) for item in one if item.key in texts] for one in fused]

    async def _lean(self, owner: Owner) -> float:
        return 1.0 if self._lean_of is None else await self._lean_of(owner.user_id)

    async def _find(self, query: str, scope: Scope, mode: Mode, lean: float) -> Found:
        if not scope or not query.strip():
            return Found([])
        if mode == "dense":
            similarity = await self._by_vector(query, scope)
            return Found([Ranked(key, max(0.0, cosine)) for key, cosine in similarity.items()], similarity)
        matches, similarity = await self._matches(query, scope)
        ranked = ranking.fuse(similarity, matches, depth=CANDIDATES, lean=lean)
        return Found(await self._reranked(query, ranked), similarity, _coverage(matches))

    async def _matches(self, query: str, scope: Scope) -> tuple[KeywordMatches, dict[Key, float]]:
        return await asyncio.gather(
            self._database.read(lambda db: keywords.search(db, list(scope), query, KEYWORD_HITS)),
            self._if_possible(query, scope),
        )

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
        best = ranked[:CANDIDATES]
        found = await self._database.read(lambda db: _chunks(db, best))
        kept = [item.key for item in best if item.key in found]
        try:
            scores = await self._reranker.rank(
                query, [with_heading(found[key].heading, found[key].text) for key in kept]
            )
        except Unavailable:
            return ranked
        order = sorted(zip(kept, scores, strict=True), key=lambda item: -item[1])
        return [Ranked(key, min(max(score, 0.0), 1.0)) for key, score in order]


@cache
def _seen(seen: Sight, narrowed: bool) -> Select[Any]:
    """Return the query of what is searched; with `narrowed` the parameter `documents` lists ids."""
    query = (
        select(attachments.c.id, attachments.c.name, attachments.c.kind, documents.c.content_id, contents.c.embedded)
        .join(documents, documents.c.id == attachments.c.id)
        .join(contents, contents.c.id == documents.c.content_id)
        .where(VISIBLE[seen], contents.c.chunks > 0)
        .order_by(attachments.c.created, attachments.c.id)
    )
    return query.where(among(attachments.c.id, "documents")) if narrowed else query


def _scope(db: Connection, owner: Owner, document_ids: Sequence[str] | None) -> Scope:
    query = _seen(sight(owner, library=True), document_ids is not None)
    return {row.content_id: row for row in rows(db, query, {**parameters(owner), "documents": document_ids})}


def _keyword_hits(
    db: Connection, query: str, owner: Owner, document_ids: Sequence[str] | None, top_k: int
) -> list[Hit]:
    scope = _scope(db, owner, document_ids)
    matches = keywords.search(db, list(scope), query, KEYWORD_HITS)
    best = float(np.max(matches.scores, initial=1e-9))
    ranked = [Ranked(key, score / best) for key, score in zip(matches.chunks, matches.scores.tolist(), strict=True)]
    return _hits(db, Found(ranked, coverage=_coverage(matches)), scope, top_k)


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


def _chunks(db: Connection, ranked: Sequence[Ranked]) -> dict[Key, Any]:
    """Return the chunks with their texts by key; one that was deleted since it was ranked is not there."""
    return {
        (content_id, row.ordinal): row
        for content_id, ordinals in by_content(item.key for item in ranked).items()
        for row in rows(db, _CHUNKS, {"content_id": content_id, "ordinals": ordinals})
    }


def _hits(db: Connection, found: Found, scope: Scope, top_k: int) -> list[Hit]:
    best = found.ranked[:top_k]
    texts = _chunks(db, best)
    return [_hit(texts[item.key], item, scope[item.key[0]], found) for item in best if item.key in texts]


def _hit(row: Any, item: Ranked, document: Any, found: Found) -> Hit:
    hit = Hit(
        document_id=document.id, name=document.name, page=row.page, label=row.label, heading=row.heading,
        text=row.text, start=row.start, end=row.end, score=round(item.score, 6),
        coverage=round(found.coverage.get(item.key, 0.0), 4),
    )  # fmt: skip
    if item.key in found.similarity:
        hit["similarity"] = round(found.similarity[item.key], 4)
    return hit


def _source(number: int, passage: Passage, document: Any) -> Source:
    return Source(
        number=number, origin="image" if document.kind == "image" else "document", document_id=document.id,
        name=document.name, page=passage.page, label=passage.label, heading=passage.heading, start=passage.start,
        end=passage.end, text=passage.text, score=round(passage.score, 6),
    )  # fmt: skip
