"""How privately the work that is left on a content is to be done."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0018"
down_revision = "r0017"


def upgrade() -> None:
    """Add the column."""
    op.add_column("contents", sa.Column("pii", sa.Text, nullable=False, server_default="off"))
