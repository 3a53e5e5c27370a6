"""What a part of the service has to be able to do with the data that it keeps of people."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Protocol


class PersonalData(Protocol):
    """Data of one kind: profiles, memories. Conversations and documents go their own way, for they belong to threads.

    `turn.context.Services.personal_data` names all there are; a new kind is added in `services.py`.
    """

    def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield all of a user's: name of a file (with `/` between folders), and what is in it.

        Values become JSON; a path is copied as it is.
        """
        ...

    async def forget(self, user_id: str) -> dict[str, int]:
        """Delete all of a user's; return what there was, by store. Called again, it deletes what is left."""
        ...
