"""Personas of users, and which one a conversation is held with."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0010"
down_revision = "r0009"


def upgrade() -> None:
    """Create the table and the column."""
    op.create_table(
        "personas",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("prompt", sa.Text, nullable=False),
        sa.Column("tone", sa.Text, nullable=False),
        sa.Column("tools", sa.Text),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("memory", sa.Text, nullable=False),
        sa.Column("opening", sa.Text, nullable=False),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("changed", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_index("personas_owner", "personas", ["user_id", "name"], unique=True)
    op.add_column("conversations", sa.Column("persona", sa.Text, nullable=False, server_default=""))
