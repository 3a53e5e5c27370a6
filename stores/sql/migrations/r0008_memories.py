"""What is remembered of users over all their conversations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0008"
down_revision = "r0007"


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "memories",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("persona", sa.Text, nullable=False, server_default=""),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("slot", sa.Text, nullable=False, server_default=""),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("origin", sa.Text, nullable=False),
        sa.Column("session_id", sa.Text, nullable=False, server_default=""),
        sa.Column("turn_id", sa.Text, nullable=False, server_default=""),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("valid_to", sa.Double, nullable=False, server_default="0"),
        sa.Column("superseded_by", sa.Text, nullable=False, server_default=""),
        sa.Column("sensitive", sa.Boolean, nullable=False),
        sa.Column("confidence", sa.Double, nullable=False),
        sa.Column("mark", sa.Text, nullable=False),
        sa.Column("vector", sa.LargeBinary),
        sa.Column("model", sa.Text, nullable=False, server_default=""),
        sqlite_with_rowid=False,
    )
    op.create_index("memories_mark", "memories", ["user_id", "mark"])
    op.create_table(
        "memory_users",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forgotten_memories",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("turn_id", sa.Text, primary_key=True),
        sa.Column("mark", sa.Text, primary_key=True),
        sqlite_with_rowid=False,
    )
