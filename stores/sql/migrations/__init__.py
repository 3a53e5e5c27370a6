"""Alembic revisions, oldest first: one file a change of the tables, named by its number."""
