"""One order of archived conversations and others, so that a search of all need not sort them."""

from __future__ import annotations

from alembic import op

revision = "r0019"
down_revision = "r0018"


def upgrade() -> None:
    """Build the index anew."""
    op.drop_index("conversations_order", "conversations")
    op.create_index("conversations_order", "conversations", ["user_id", "pinned", "active", "id", "archived"])
