"""The SQLite catalog below DATA_DIR: who owns which file, and the pages, chunks and keyword postings of documents.

Text is stored once per content; ownership is a relation. The file is kept free of deleted text: `secure_delete` zeroes
freed cells, and `scrub` empties the write-ahead log.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SCHEMA = """
CREATE TABLE IF NOT EXISTS catalog (uid TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS attachments (
  id TEXT PRIMARY KEY, user_id TEXT NOT NULL, thread_id TEXT, name TEXT NOT NULL, kind TEXT NOT NULL,
  media_type TEXT NOT NULL, size INTEGER NOT NULL, sha256 TEXT NOT NULL, created REAL NOT NULL);
CREATE INDEX IF NOT EXISTS attachments_owner ON attachments (user_id, thread_id, created);
CREATE INDEX IF NOT EXISTS attachments_sha256 ON attachments (sha256);
CREATE TABLE IF NOT EXISTS contents (
  id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, origin TEXT NOT NULL, status TEXT NOT NULL,
  unit TEXT NOT NULL DEFAULT 'page', title TEXT NOT NULL DEFAULT '', language TEXT NOT NULL DEFAULT '',
  pages_total INTEGER NOT NULL DEFAULT 0, pages_done INTEGER NOT NULL DEFAULT 0, tokens INTEGER NOT NULL DEFAULT 0,
  chunks INTEGER NOT NULL DEFAULT 0, embedded INTEGER NOT NULL DEFAULT 0, embedder TEXT NOT NULL DEFAULT '',
  summary TEXT, picture TEXT, notes TEXT NOT NULL DEFAULT '[]', gaps TEXT NOT NULL DEFAULT '[]', error TEXT,
  lease REAL NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS contents_unfinished ON contents (status) WHERE status != 'failed';
CREATE TABLE IF NOT EXISTS documents (
  id TEXT PRIMARY KEY, content_id INTEGER NOT NULL, parent_id TEXT, language TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS documents_content ON documents (content_id);
CREATE INDEX IF NOT EXISTS documents_parent ON documents (parent_id);
CREATE TABLE IF NOT EXISTS pages (
  content_id INTEGER NOT NULL, number INTEGER NOT NULL, label TEXT NOT NULL, text TEXT NOT NULL,
  ocr INTEGER NOT NULL, confidence REAL, lines TEXT, PRIMARY KEY (content_id, number));
CREATE TABLE IF NOT EXISTS chunks (
  content_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, page INTEGER NOT NULL, start INTEGER NOT NULL,
  "end" INTEGER NOT NULL, tokens INTEGER NOT NULL, heading TEXT NOT NULL,
  PRIMARY KEY (content_id, ordinal)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS chunks_page ON chunks (content_id, page, start);
CREATE TABLE IF NOT EXISTS segments (
  id INTEGER PRIMARY KEY AUTOINCREMENT, content_id INTEGER NOT NULL, first INTEGER NOT NULL, lengths BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS segments_content ON segments (content_id);
CREATE TABLE IF NOT EXISTS postings (
  segment_id INTEGER NOT NULL, term INTEGER NOT NULL, hits BLOB NOT NULL,
  PRIMARY KEY (segment_id, term)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS embedded_files (
  content_id INTEGER NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, kind TEXT NOT NULL, media_type TEXT NOT NULL,
  size INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS embedded_files_content ON embedded_files (content_id);
CREATE TABLE IF NOT EXISTS cache (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deletions (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, user_id TEXT NOT NULL, target TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS tombstones (id INTEGER PRIMARY KEY, contents TEXT NOT NULL, files TEXT NOT NULL);
"""

READERS = 3
BUSY_SECONDS = 10.0


class Catalog:
    """One SQLite file, opened on first use: one thread of this process writes, a few read.

    Other processes may have the same file open; their writes and these wait for each other.

    Queries are plain functions of a connection, so that a whole search or change is one hop to a thread.
    """

    def __init__(self, path: Path) -> None:
        """Keep `path`; nothing is opened yet."""
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._guard = threading.Lock()
        self._ready = False
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="catalog-read")
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="catalog-write")

    async def read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        """Run `query` on a reading connection, in one snapshot."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self._query, query)

    async def write(self, change: Callable[[sqlite3.Connection], T]) -> T:
        """Run `change` in one transaction; an exception rolls it back."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._change, change)

    async def uid(self) -> str:
        """Return the id that this catalog was born with."""
        return await self.read(lambda db: str(db.execute("SELECT uid FROM catalog").fetchone()[0]))

    async def scrub(self) -> None:
        """Move the write-ahead log into the file and cut it to zero bytes, so that no deleted text stays in it."""
        await asyncio.get_running_loop().run_in_executor(self._writer, self._truncate_log)

    async def aclose(self) -> None:
        """Finish running queries and close every connection."""
        await asyncio.to_thread(self._close)

    def _connection(self) -> sqlite3.Connection:
        existing = getattr(self._local, "connection", None)
        if existing is not None:
            return existing  # type: ignore[no-any-return]
        with self._guard:
            if not self._ready:
                self._path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
            db.row_factory = sqlite3.Row
            _use_wal(db)
            db.execute("PRAGMA secure_delete=ON")
            db.execute("PRAGMA synchronous=NORMAL")
            db.execute("PRAGMA cache_size=-16000")
            if not self._ready:
                _create(db)
                self._ready = True
            self._connections.append(db)
        self._local.connection = db
        return db

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        db = self._connection()
        db.execute("BEGIN")
        try:
            return query(db)
        finally:
            db.execute("ROLLBACK")

    def _change(self, change: Callable[[sqlite3.Connection], T]) -> T:
        db = self._connection()
        db.execute("BEGIN IMMEDIATE")
        try:
            result = change(db)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
        return result

    def _truncate_log(self) -> None:
        db = self._connection()
        deadline = time.monotonic() + BUSY_SECONDS
        while db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] and time.monotonic() < deadline:
            time.sleep(0.02)

    def _close(self) -> None:
        self._readers.shutdown(wait=True)
        self._writer.shutdown(wait=True)
        for db in self._connections:
            db.close()
        self._connections.clear()


def _create(db: sqlite3.Connection) -> None:
    db.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA.split(";\n"):
        if statement.strip():
            db.execute(statement)
    if db.execute("SELECT count(*) FROM catalog").fetchone()[0] == 0:
        db.execute("INSERT INTO catalog VALUES (?)", (uuid.uuid4().hex,))
    db.execute("COMMIT")


def _use_wal(db: sqlite3.Connection) -> None:
    """Switch to the write-ahead log; while another connection does the same, SQLite fails without waiting."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            db.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.01)
