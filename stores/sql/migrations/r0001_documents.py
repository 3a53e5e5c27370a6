"""The tables of documents, as they were before the database had revisions; what a catalog has already stays."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "r0001"
down_revision = None

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UNFINISHED = sa.text("status != 'failed'")


def _table(name: str, *columns: sa.Column[Any], **options: Any) -> None:
    op.create_table(name, *columns, if_not_exists=True, **options)


def _index(name: str, table: str, *columns: str, **options: Any) -> None:
    op.create_index(name, table, list(columns), if_not_exists=True, **options)


def upgrade() -> None:
    """Create what is missing."""
    _table("catalog", sa.Column("uid", sa.Text, nullable=False))
    _files()
    _contents()
    _keywords()
    _table(
        "cache",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
    _table(
        "deletions",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
    )
    _table(
        "tombstones",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("contents", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
    )
    db = op.get_bind()
    if db.scalar(sa.text("SELECT count(*) FROM catalog")) == 0:
        db.execute(sa.text("INSERT INTO catalog (uid) VALUES (:uid)"), {"uid": uuid.uuid4().hex})


def _files() -> None:
    _table(
        "attachments",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
    )
    _index("attachments_owner", "attachments", "user_id", "thread_id", "created")
    _index("attachments_sha256", "attachments", "sha256")
    _table(
        "documents",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("content_id", sa.BigInteger, nullable=False),
        sa.Column("parent_id", sa.Text),
        sa.Column("language", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    _index("documents_content", "documents", "content_id")
    _index("documents_parent", "documents", "parent_id")
    _table(
        "embedded_files",
        sa.Column("content_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    _index("embedded_files_content", "embedded_files", "content_id")


def _contents() -> None:
    counts = ("pages_total", "pages_done", "tokens", "chunks", "embedded")
    _table(
        "contents",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False, server_default="page"),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("language", sa.Text, nullable=False, server_default=""),
        *(sa.Column(name, sa.Integer, nullable=False, server_default="0") for name in counts),
        sa.Column("embedder", sa.Text, nullable=False, server_default=""),
        sa.Column("summary", sa.Text),
        sa.Column("picture", sa.Text),
        sa.Column("notes", sa.Text, nullable=False, server_default="[]"),
        sa.Column("gaps", sa.Text, nullable=False, server_default="[]"),
        sa.Column("error", sa.Text),
        sa.Column("lease", sa.Double, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    _index("contents_unfinished", "contents", "status", sqlite_where=UNFINISHED, postgresql_where=UNFINISHED)
    _table(
        "pages",
        sa.Column("content_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("ocr", sa.Boolean, nullable=False),
        sa.Column("confidence", sa.Double),
        sa.Column("lines", sa.Text),
    )
    _table(
        "chunks",
        sa.Column("content_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("ordinal", sa.Integer, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("page", "start", "end", "tokens")),
        sa.Column("heading", sa.Text, nullable=False),
        sqlite_with_rowid=False,
    )
    _index("chunks_page", "chunks", "content_id", "page", "start")


def _keywords() -> None:
    _table(
        "segments",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("content_id", sa.BigInteger, nullable=False),
        sa.Column("first", sa.Integer, nullable=False),
        sa.Column("lengths", sa.LargeBinary, nullable=False),
        sqlite_autoincrement=True,
    )
    _index("segments_content", "segments", "content_id")
    _table(
        "postings",
        sa.Column("segment_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("term", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("hits", sa.LargeBinary, nullable=False),
        sqlite_with_rowid=False,
    )
