"""Text of pages that a reader of the document does not see."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0015"
down_revision = "r0014"


def upgrade() -> None:
    """Create the column."""
    op.add_column("pages", sa.Column("hidden", sa.Text, nullable=False, server_default=""))
