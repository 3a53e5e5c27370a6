"""Text embeddings: bundled multilingual-e5-small, OpenAI-compatible, DashScope."""
