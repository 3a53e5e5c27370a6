"""A real Redis for the tests of the stores."""

from tests.redis_fixture import redis, redis_server

__all__ = ["redis", "redis_server"]
