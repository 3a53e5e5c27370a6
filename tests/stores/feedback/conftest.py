"""Every test of votes runs on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from redis.asyncio import Redis

from stores.conversations.conversations import Conversations
from stores.redis.old_transcripts import OldTranscripts
from stores.sql.database import Database
from tests.postgresql import postgresql
from tests.redis_fixture import redis, redis_server
from tests.stores.library.conftest import database, settings

__all__ = ["database", "postgresql", "redis", "redis_server", "settings"]


@pytest.fixture
def conversations(database: Database, redis: Redis) -> Conversations:
    return Conversations(database, OldTranscripts(redis))
