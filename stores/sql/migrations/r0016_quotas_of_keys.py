"""Quotas of keys, and what was used with each key."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0016"
down_revision = "r0015"

COUNTED = ("turns", "tokens", "calls", "money")


def upgrade() -> None:
    """Add the column; what was used before was used with no known key."""
    op.add_column("api_keys", sa.Column("quota", sa.Text))
    op.rename_table("usage", "old_usage")
    op.drop_index("usage_day", "old_usage")
    op.create_table(
        "usage",
        sa.Column("user_id", sa.Text, primary_key=True),
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("day", sa.Text, primary_key=True),
        sa.Column("turns", sa.BigInteger, nullable=False),
        sa.Column("tokens", sa.BigInteger, nullable=False),
        sa.Column("calls", sa.BigInteger, nullable=False),
        sa.Column("money", sa.Double, nullable=False),
        sqlite_with_rowid=False,
    )
    names = ", ".join(COUNTED)
    op.execute(f"INSERT INTO usage (user_id, key_id, day, {names}) SELECT user_id, '', day, {names} FROM old_usage")
    op.drop_table("old_usage")
    op.create_index("usage_day", "usage", ["day"])
