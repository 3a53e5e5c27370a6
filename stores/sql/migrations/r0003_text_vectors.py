"""Vectors of short texts, such as the lines that describe a tool: a restart does not embed them again."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0003"
down_revision = "r0002"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "text_vectors",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("used", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
