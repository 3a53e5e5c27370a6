"""Reranking of search results: hosted models."""
