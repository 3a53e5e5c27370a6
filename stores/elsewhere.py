"""Whether an id is somebody else's: asked behind a 404, which itself tells nobody."""

from __future__ import annotations

from sqlalchemy import Connection, select

from stores.sql.database import Database
from stores.sql.tables import api_keys, attachments


async def belongs_to_another(database: Database, identity: str, user_id: str) -> bool:
    """Tell whether a file or key of this id is that of another user; ids are random, so nobody meets one by chance.

    Raises:
        Unavailable: The database does not answer.
    """

    def look(db: Connection) -> bool:
        return any(
            db.scalar(select(table.c.id).where(table.c.id == identity, table.c.user_id != user_id)) is not None
            for table in (attachments, api_keys)
        )

    return await database.read(look)
