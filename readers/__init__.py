"""Bytes to pages of Markdown: one file a format, run in limited worker processes."""
