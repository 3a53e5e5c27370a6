"""Text formats to pages of Markdown."""
