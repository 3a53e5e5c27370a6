"""A library for the tests of ingestion."""

from tests.library import library

__all__ = ["library"]
