"""A sandbox for all tests of the room."""

from tests.readers.conftest import sandbox  # noqa: F401
