"""Links that show conversations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0012"
down_revision = "r0011"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "shares",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True),
        sa.Column("user_id", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False, unique=True),
        sa.Column("created", sa.Double, nullable=False),
        sa.Column("expires", sa.Double, nullable=False),
        sa.Column("opened", sa.BigInteger, nullable=False),
        sa.Column("with_files", sa.Boolean, nullable=False),
        sa.Column("with_quotes", sa.Boolean, nullable=False),
        sa.Column("shown", sa.Text, nullable=False),
        sa.Column("files", sa.Text, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("shares_thread", "shares", ["user_id", "thread_id"])
