"""What was learned of how users want to be answered, and what of it they had forgotten."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0013"
down_revision = "r0012"


def upgrade() -> None:
    """Add the columns."""
    op.add_column("profiles", sa.Column("learned", sa.Text))
    op.add_column("profiles", sa.Column("forgotten", sa.Text))
