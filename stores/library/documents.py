"""Documents of one owner: their pages, and hybrid search in them. Every query goes through ownership first."""

from __future__ import annotations

import builtins
import sqlite3
from collections.abc import Sequence

from domain.errors import UnknownDocument
from domain.owner import Owner
from domain.types import Attachment, Source
from models.embeddings.interface import Embedder
from settings import Settings
from stores.library.attachments import Attachments, as_ref
from stores.library.cache import ResultCache
from stores.library.catalog import Catalog
from stores.library.contents import Contents
from stores.library.deletions import Deletions
from stores.library.ranking import Mode, Reranker
from stores.library.records import SELECT, PageRecord, attachment, page_record
from stores.library.removal import Receipt, Removal
from stores.library.search import Hit, Search, visible
from stores.library.vectors import VectorStore


class Documents:
    """The documents that were read, for all owners."""

    def __init__(self, catalog: Catalog, vectors: VectorStore | None, attachments: Attachments, search: Search) -> None:
        """Use `open` instead."""
        self._catalog = catalog
        self._removal = Removal(catalog, vectors, attachments)
        self._search = search
        self.attachments = attachments
        self.vectors = vectors
        self.contents = Contents(catalog)
        self.cache = ResultCache(catalog)
        self.deletions = Deletions(catalog)

    @classmethod
    async def open(cls, settings: Settings, embedder: Embedder, reranker: Reranker | None = None) -> Documents:
        """Open catalog and vectors, and finish deletions that were cut short.

        Raises:
            Unavailable: The Chroma server does not answer.
        """
        catalog = Catalog(settings.data_dir / "catalog.sqlite3")
        uid = await catalog.uid()
        vectors = await VectorStore.open(settings, embedder, uid) if embedder.dimensions else None
        attachments = Attachments(settings.data_dir / "attachments", catalog, settings.max_file_bytes)
        documents = cls(catalog, vectors, attachments, Search(catalog, vectors, embedder, reranker))
        await documents.finish_deletions()
        await attachments.tidy()
        return documents

    async def finish_deletions(self) -> None:
        """Go on with deletions that were cut short, by a kill or a vector store that did not answer.

        Raises:
            Unavailable: The Chroma server does not answer.
        """
        await self._removal.finish()

    async def aclose(self) -> None:
        """Close everything that `open` opened."""
        if self.vectors is not None:
            await self.vectors.aclose()
        await self._catalog.aclose()

    async def list(self, owner: Owner, *, library: bool = True) -> list[Attachment]:
        """Return the thread's documents and, with `library`, the user's lasting ones, oldest first.

        Recognised text and descriptions of pictures are left out; `get` has them.
        """
        where, values = visible(owner, library=library)
        query = f"{SELECT} WHERE {where} ORDER BY a.created, a.rowid"
        return await self._catalog.read(lambda db: [attachment(row, detail=False) for row in db.execute(query, values)])

    async def get(self, document_id: str, owner: Owner) -> Attachment:
        """Return one document with its progress; a file that nobody has begun to read is `queued`.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """

        def query(db: sqlite3.Connection) -> Attachment | None:
            values = (document_id, owner.user_id)
            row = db.execute(f"{SELECT} WHERE a.id = ? AND a.user_id = ?", values).fetchone()
            if row is not None:
                return attachment(row, detail=True)
            row = db.execute("SELECT * FROM attachments WHERE id = ? AND user_id = ?", values).fetchone()
            return None if row is None else Attachment(**as_ref(row), status="queued")  # type: ignore[typeddict-item]  # optional keys

        found = await self._catalog.read(query)
        if found is None:
            raise UnknownDocument(id=document_id)
        return found

    async def pages(
        self, document_id: str, owner: Owner, first: int = 1, last: int | None = None
    ) -> builtins.list[PageRecord]:
        """Return the pages `first` to `last` (both included) that have been read.

        Raises:
            UnknownDocument: There is no such document, or it is another user's.
        """

        def query(db: sqlite3.Connection) -> builtins.list[PageRecord]:
            content_id = _content_of(db, document_id, owner)
            rows = db.execute(
                "SELECT * FROM pages WHERE content_id = ? AND number BETWEEN ? AND ? ORDER BY number",
                (content_id, first, last or 2**31),
            )
            return [page_record(row) for row in rows]

        return await self._catalog.read(query)

    async def page_text(self, document_id: str, page: int, owner: Owner) -> str:
        """Return the text that offsets of this page count in.

        Raises:
            UnknownDocument: There is no such document or page, or it is another user's.
        """

        def query(db: sqlite3.Connection) -> str:
            values = (_content_of(db, document_id, owner), page)
            row = db.execute("SELECT text FROM pages WHERE content_id = ? AND number = ?", values).fetchone()
            if row is None:
                raise UnknownDocument(id=document_id)
            return str(row["text"])

        return await self._catalog.read(query)

    async def search(
        self,
        query: str,
        owner: Owner,
        *,
        top_k: int = 8,
        mode: Mode = "hybrid",
        document_ids: Sequence[str] | None = None,
    ) -> builtins.list[Hit]:
        """Return the chunks that fit `query` best, in what `owner` sees or in `document_ids` of that.

        Raises:
            Unavailable: `mode` is `dense` and the vector store or embedding model does not answer. A hybrid search then
                goes on by keyword.
        """
        scope = await self._search.scope(owner, document_ids)
        return await self._search.hits(query, scope, top_k=top_k, mode=mode)

    async def sources(
        self, query: str, owner: Owner, *, token_budget: int, document_ids: Sequence[str] | None = None
    ) -> builtins.list[Source]:
        """Return passages for an answer, numbered from 1, best first: each best chunk with its surroundings.

        Args:
            query: The question.
            owner: Who asks, in which thread.
            token_budget: Most tokens of all passages together.
            document_ids: Look only in these.
        """
        scope = await self._search.scope(owner, document_ids)
        return await self._search.sources(query, scope, token_budget=token_budget)

    async def family(self, document_id: str, owner: Owner) -> builtins.list[str]:
        """Return the ids of a document and of the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        return await self._removal.family(document_id, owner)

    async def delete(self, document_id: str, owner: Owner) -> Receipt:
        """Delete a document with everything derived from it that nobody else owns.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        return await self._removal.document(document_id, owner)

    async def delete_owner(self, owner: Owner) -> Receipt:
        """Delete all documents of a thread, or of a user with all threads where `owner.thread_id` is `None`."""
        return await self._removal.owner(owner)


def _content_of(db: sqlite3.Connection, document_id: str, owner: Owner) -> int:
    row = db.execute(
        "SELECT d.content_id FROM documents d JOIN attachments a ON a.id = d.id WHERE d.id = ? AND a.user_id = ?",
        (document_id, owner.user_id),
    ).fetchone()
    if row is None:
        raise UnknownDocument(id=document_id)
    return int(row["content_id"])
