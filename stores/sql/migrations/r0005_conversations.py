"""Conversations are kept in the database; threads that have files and no conversation get an empty one."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0005"
down_revision = "r0004"

ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "conversations",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("title", sa.Text, nullable=False, server_default=""),
        sa.Column("titled", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("active", sa.Double, nullable=False),
        sa.Column("pinned", sa.Boolean, nullable=False),
        sa.Column("archived", sa.Boolean, nullable=False),
        sa.Column("leaf", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("length", sa.Integer, nullable=False, server_default="0"),
        sa.Column("running", sa.Text, nullable=False, server_default=""),
        sa.Column("newest", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("indexed", sa.BigInteger, nullable=False, server_default="0"),
        sqlite_autoincrement=True,
    )
    op.create_index("conversations_owner", "conversations", ["user_id", "thread_id"], unique=True)
    op.create_index("conversations_order", "conversations", ["user_id", "archived", "pinned", "active", "id"])
    unindexed = sa.text("newest > indexed")
    op.create_index(
        "conversations_unindexed", "conversations", ["user_id"], sqlite_where=unindexed, postgresql_where=unindexed
    )
    op.create_table(
        "messages",
        sa.Column("id", ROW_ID, primary_key=True),
        sa.Column("conversation_id", sa.BigInteger, nullable=False),
        sa.Column("parent_id", sa.BigInteger, nullable=False),
        sa.Column("depth", sa.Integer, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("summary", sa.Text),
        sa.Column("notes", sa.Text),
        sqlite_autoincrement=True,
    )
    op.create_index("messages_parent", "messages", ["conversation_id", "parent_id"])
    op.create_table(
        "words",
        sa.Column("owner", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("word", sa.LargeBinary, primary_key=True),
        sa.Column("conversation_id", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("message_id", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("words_conversation", "words", ["conversation_id"])
    op.execute(
        "INSERT INTO conversations (user_id, thread_id, title, created, active, pinned, archived) "
        "SELECT user_id, thread_id, min(name), min(created), max(created), false, false FROM attachments "
        "WHERE thread_id IS NOT NULL GROUP BY user_id, thread_id"
    )
