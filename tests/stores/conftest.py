"""A real Redis and a library of documents for the tests of the stores."""

from tests.library import library
from tests.redis_fixture import redis, redis_server

__all__ = ["library", "redis", "redis_server"]
