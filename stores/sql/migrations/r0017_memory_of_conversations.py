"""Conversations of which nothing goes into long-term memory, and in which it is not used."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0017"
down_revision = "r0016"


def upgrade() -> None:
    """Add the column."""
    op.add_column("conversations", sa.Column("memory", sa.Boolean, nullable=False, server_default=sa.true()))
