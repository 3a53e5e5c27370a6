"""Sources of foreign tools, and the definitions that an administrator has approved."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0006"
down_revision = "r0005"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "tool_sources",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("config", sa.Text),
        sa.Column("changed_by", sa.Text, nullable=False, server_default=""),
        sa.Column("changed", sa.Double, nullable=False, server_default="0"),
        sa.Column("approved", sa.Double),
    )
    op.create_table(
        "tool_pins",
        sa.Column("source", sa.Text, primary_key=True),
        sa.Column("tool", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text, nullable=False),
        sa.Column("approved", sa.Double, nullable=False),
    )
