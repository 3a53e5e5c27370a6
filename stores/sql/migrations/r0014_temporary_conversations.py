"""Conversations of which nothing is kept."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0014"
down_revision = "r0013"


def upgrade() -> None:
    """Add the column."""
    op.add_column("conversations", sa.Column("temporary", sa.Boolean, nullable=False, server_default=sa.false()))
