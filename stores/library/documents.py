"""Documents of one owner: their pages, and hybrid search in them. Every query goes through ownership first."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, func, select

from domain.errors import UnknownDocument
from domain.owner import Owner
from domain.types import Attachment, Source
from models.embeddings.interface import Embedder
from models.rerank.interface import Reranker
from settings import Settings
from stores.library.attachments import Attachments, as_ref, find_attachment
from stores.library.backlog import Backlog
from stores.library.cache import ResultCache
from stores.library.contents import ContentGone, Contents
from stores.library.deletions import Deletions
from stores.library.ranking import Mode
from stores.library.records import PageRecord, attachment, page_record, select_documents
from stores.library.removal import Receipt, Removal
from stores.library.search import Hit, LeanOf, Search
from stores.library.table_store import Tables, TableStore
from stores.library.vectors import VectorStore
from stores.library.visibility import VISIBLE, Sight, parameters, sight
from stores.sql.database import Database, rows
from stores.sql.tables import attachments, contents, documents, pages
from workers.sandbox import Sandbox

_CONTENT = (
    select(documents.c.content_id)
    .join(attachments, attachments.c.id == documents.c.id)
    .where(documents.c.id == bindparam("document_id"), attachments.c.user_id == bindparam("user_id"))
)
_PAGE_TEXT = select(pages.c.text).where(
    pages.c.content_id == bindparam("content_id"), pages.c.number == bindparam("number")
)
_PAGES = (
    select(pages)
    .where(pages.c.content_id == bindparam("content_id"), pages.c.number.between(bindparam("first"), bindparam("last")))
    .order_by(pages.c.number)
)
LAST_PAGE = 2**31 - 1


_VERSIONS: dict[Sight, Any] = {
    name: select(
        func.count(), func.max(attachments.c.created), func.sum(attachments.c.created), func.sum(contents.c.pages_done),
        func.sum(contents.c.embedded), func.sum(contents.c.id), func.max(contents.c.status),
        func.min(attachments.c.name), func.max(attachments.c.name), func.sum(func.length(attachments.c.name)),
    )
    .select_from(attachments)
    .join(documents, documents.c.id == attachments.c.id)
    .join(contents, contents.c.id == documents.c.content_id)
    .where(visible)
    for name, visible in VISIBLE.items()
}  # fmt: skip


class Documents:
    """The documents that were read, for all owners."""

    def __init__(
        self, database: Database, files: Attachments, vectors: VectorStore | None, search: Search, tables: TableStore
    ) -> None:
        """Use `open` instead."""
        self._database = database
        self._removal = Removal(database, vectors, files, tables)
        self.tables = tables
        self._search = search
        self.attachments = files
        self.vectors = vectors
        self.contents = Contents(database)
        self.backlog = Backlog(database)
        self.cache = ResultCache(database)
        self.deletions = Deletions(database)

    @classmethod
    async def open(
        cls,
        settings: Settings,
        database: Database,
        embedder: Embedder,
        reranker: Reranker | None = None,
        lean_of: LeanOf | None = None,
    ) -> Documents:
        """Open files and vectors beside `database`, and finish deletions that were cut short.

        Args:
            settings: Where files and vectors are, and their limits.
            database: Where all else is.
            embedder: What makes vectors.
            reranker: What orders what a search found.
            lean_of: Tells how much more than by default keywords count for a user.

        Raises:
            Unavailable: The Chroma server does not answer.
        """
        vectors = await VectorStore.open(settings, embedder, await database.uid()) if embedder.dimensions else None
        files = Attachments(
            settings.data_dir / "attachments", database, settings.max_file_bytes, user_bytes=settings.max_user_bytes,
            user_files=settings.max_user_documents, keyring=settings.keyring,
        )  # fmt: skip
        search, tables = (
            Search(database, vectors, embedder, reranker, lean_of),
            TableStore(database, settings.data_dir / "tables", settings.keyring),
        )
        opened = cls(database, files, vectors, search, tables)
        await opened.finish_deletions()
        await files.tidy()
        await tables.tidy()
        return opened

    async def finish_deletions(self) -> None:
        """Resume deletions that were cut short, by a kill or a vector store that did not answer.

        Raises:
            Unavailable: The Chroma server does not answer.
        """
        await self._removal.finish()

    async def aclose(self) -> None:
        """Close everything that `open` opened."""
        if self.vectors is not None:
            await self.vectors.aclose()

    async def list(self, owner: Owner, *, library: bool = True) -> list[Attachment]:
        """Return the thread's documents and, with `library`, the user's lasting ones, oldest first.

        Recognised text and descriptions of pictures are left out; `get` has them.
        """
        query, values = select_documents(sight(owner, library=library)), parameters(owner)
        return await self._database.read(lambda db: [attachment(row) for row in rows(db, query, values)])

    async def version(self, owner: Owner) -> str:
        """Return what changes when a document that `owner` sees is added, removed, renamed, or read further."""
        query, values = _VERSIONS[sight(owner, library=True)], parameters(owner)
        return await self._database.read(lambda db: repr(tuple(db.execute(query, values).one())))

    async def get(self, document_id: str, owner: Owner) -> Attachment:
        """Return one document with its progress; a file that waits to be read is `queued`.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """

        def query(db: Connection) -> Attachment | None:
            values = {"document_id": document_id, "user_id": owner.user_id}
            for row in rows(db, select_documents("one"), values):
                return attachment(row)
            row = find_attachment(db, document_id, owner)
            return None if row is None else Attachment(**as_ref(row), status="queued")  # type: ignore[typeddict-item]  # optional keys

        found = await self._database.read(query)
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

        def query(db: Connection) -> builtins.list[PageRecord]:
            content_id = _content_of(db, document_id, owner)
            span = {"content_id": content_id, "first": first, "last": last or LAST_PAGE}
            return [page_record(row) for row in rows(db, _PAGES, span)]

        return await self._database.read(query)

    async def table_file(self, document_id: str, owner: Owner, sandbox: Sandbox) -> Tables:
        """Return where the tables of a document are, which are made now if they are not there; see `TableStore`.

        Raises:
            UnknownDocument: There is no such document, or it is another user's.
            AppError: They could not be made.
        """
        content_id = await self._database.read(lambda db: _content_of(db, document_id, owner))
        try:
            return await self.tables.tables(content_id, sandbox)
        except ContentGone:
            raise UnknownDocument(id=document_id) from None

    async def page_text(self, document_id: str, page: int, owner: Owner) -> str:
        """Return the text that offsets of this page count in.

        Raises:
            UnknownDocument: There is no such document or page, or it is another user's.
        """

        def query(db: Connection) -> str:
            place = {"content_id": _content_of(db, document_id, owner), "number": page}
            for row in rows(db, _PAGE_TEXT, place):
                return str(row.text)
            raise UnknownDocument(id=document_id)

        return await self._database.read(query)

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
        return await self._search.hits(query, owner, document_ids, top_k=top_k, mode=mode)

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
        return await self._search.sources(query, owner, document_ids, token_budget=token_budget)

    async def placings(
        self, query: str, owner: Owner, leans: Sequence[float], depth: int
    ) -> builtins.list[builtins.list[tuple[str, int]]]:
        """Return for each lean the documents and pages that a hybrid search would find, best first, unranked by models.

        A lean is how much more than by default keywords count against vectors.
        """
        return await self._search.placings(query, owner, leans, depth)

    async def family(self, document_id: str, owner: Owner) -> builtins.list[str]:
        """Return the ids of a document and of the files that came out of it.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        return await self._removal.family(document_id, owner)

    async def delete(self, document_id: str, owner: Owner) -> Receipt:
        """Delete a document with everything derived from it that no other document shares.

        Raises:
            UnknownDocument: There is none, or it is another user's.
        """
        return await self._removal.document(document_id, owner)

    async def delete_owner(self, owner: Owner) -> Receipt:
        """Delete all documents of a thread, or of a user with all threads where `owner.thread_id` is `None`."""
        return await self._removal.owner(owner)


def _content_of(db: Connection, document_id: str, owner: Owner) -> int:
    for row in rows(db, _CONTENT, {"document_id": document_id, "user_id": owner.user_id}):
        return int(row.content_id)
    raise UnknownDocument(id=document_id)
