"""Files inside files get a number: their order was that of SQLite's rows, which PostgreSQL does not keep."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "r0002"
down_revision = "r0001"

COLUMNS = "content_id, name, sha256, kind, media_type, size"


def upgrade() -> None:
    """Copy the table into one with a number."""
    op.drop_index("embedded_files_content", "embedded_files")
    op.rename_table("embedded_files", "embedded_files_without_id")
    op.create_table(
        "embedded_files",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("content_id", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("sha256", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
    )
    op.create_index("embedded_files_content", "embedded_files", ["content_id"])
    if op.get_bind().dialect.name == "sqlite":  # no PostgreSQL database has rows from before this revision
        rows = f"SELECT {COLUMNS} FROM embedded_files_without_id ORDER BY rowid"
        op.execute(f"INSERT INTO embedded_files ({COLUMNS}) {rows}")
    op.drop_table("embedded_files_without_id")
