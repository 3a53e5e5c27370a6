"""People on SQLite and on PostgreSQL."""

from tests.postgresql import postgresql
from tests.stores.library.conftest import database, settings

__all__ = ["database", "postgresql", "settings"]
