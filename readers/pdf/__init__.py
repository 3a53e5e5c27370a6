"""PDF to pages of Markdown."""
