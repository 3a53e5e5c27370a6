"""What is remembered of users: written, superseded, found and forgotten, always for one user.

Items lie in the SQL database with their vectors in the same row, so that what is forgotten is gone from both in one
transaction. A user's items are ranked in memory: they are few, and the search is exact (docs/decisions/0018).
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Collection, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, and_, delete, select

from domain.errors import AppError, UnknownMemory
from domain.language import language_of
from domain.words import Language
from models.embeddings.interface import Embedder
from models.embeddings.typical_requests import TYPICAL
from stores.memories import rows
from stores.memories.items import GENERAL, MOST_CHARS, Memory, MemoryScope
from stores.memories.ranking import Floats, MemoryRanking
from stores.sql.database import Database
from stores.sql.tables import forgotten_memories, memories, memory_users
from stores.sql.text_vectors import Line, TextVectors

logger = logging.getLogger(__name__)

KEPT_USERS: Final = 64
"""Users whose items are ready to be searched in a process."""
EMPTY_SECONDS: Final = 5.0
"""How long a process believes that a user has no items: another process may be writing the first."""
CANDIDATES: Final = 24
CLOSE, CLOSE_AND_HELD, COVERED = 0.30, 0.18, 0.5
"""An item fits where it is this close; or this close and holds a quarter of the question's terms by weight; or holds
half of them. Chosen on bench/long_memory.py's recall part."""
HELD: Final = 0.25
MOST_OF_SLOTS: Final = 4
"""Items that are recalled for what a question is about alone: half of what a turn gets."""
QUERY_SECONDS: Final = 1.0
EMBED_BATCH: Final = 32


@dataclass(frozen=True, slots=True)
class _User:
    """A user's items in this process."""

    version: int
    items: Sequence[Memory] = ()
    ranking: MemoryRanking = field(default_factory=lambda: MemoryRanking((), None, ()))
    read_at: float = field(default_factory=time.monotonic)


class Memories:
    """The memories of all users.

    Args:
        database: Where they lie; its owner closes it.
        embedder: What makes vectors; without any, keywords decide.
    """

    def __init__(self, database: Database, embedder: Embedder) -> None:
        self._database, self._embedder = database, embedder
        self._lines = TextVectors(database)
        self._users: OrderedDict[str, _User] = OrderedDict()
        self._common: dict[Language, Floats] = {}
        self._embedding: dict[str, asyncio.Task[None]] = {}
        self._unembedded: set[str] = set()

    async def any(self, user_id: str) -> bool:
        """Tell whether a user has any item. Costs nothing for a user whose items this process knows."""
        known = self._users.get(user_id)
        if known is not None and (known.items or time.monotonic() - known.read_at < EMPTY_SECONDS):
            return bool(known.items)
        return bool((await self._user(user_id)).items)

    async def enabled(self, user_id: str) -> bool:
        """Tell whether the user lets things be remembered."""
        query = select(memory_users.c.enabled).where(memory_users.c.user_id == user_id)
        return await self._database.read(lambda db: db.scalar(query)) is not False

    async def enable(self, user_id: str, enabled: bool) -> None:
        """Switch memory on or off for a user; what is kept stays, and is not used while it is off."""
        await self._database.write(lambda db: rows.touch(db, user_id, enabled=enabled))

    async def write(self, memory: Memory, *, said_before: bool = False, replaces: str = "") -> rows.Written:
        """Keep an item, in place of those with its slot; one with the same words is renewed instead.

        Args:
            memory: The item.
            said_before: Whether its message was said before: nothing comes back that the user had forgotten since.
            replaces: Id of one that holds no more, whatever its slot.

        Returns:
            The item as it is kept. Its `id` and `created` are set where they were empty.

        Raises:
            UnknownMemory: No such item of this persona holds that it could replace.
        """
        made = replace(
            memory,
            id=memory.id or uuid.uuid4().hex,
            created=memory.created or time.time(),
            text=memory.text.strip()[:MOST_CHARS],
        )
        written = await self._database.write(
            partial(rows.write, memory=made, said_before=said_before, replaces=replaces)
        )
        if written.memory is not None:
            if (known := self._users.get(made.user_id)) is not None and not known.items:
                del self._users[made.user_id]  # the next turn asks for this one
            self._embed_soon(made.user_id)
        return written

    async def edit(self, user_id: str, identity: str, text: str) -> Memory:
        """Change the words of an item.

        Raises:
            UnknownMemory: The user has no such item.
        """
        words = text.strip()[:MOST_CHARS]
        if not await self._database.write(partial(rows.reword, user_id=user_id, identity=identity, text=words)):
            raise UnknownMemory(id=identity)
        self._embed_soon(user_id)
        return await self.get(user_id, identity)

    async def get(self, user_id: str, identity: str) -> Memory:
        """Return an item.

        Raises:
            UnknownMemory: The user has no such item.
        """
        found = await self._database.read(
            lambda db: db.execute(select(*rows.COLUMNS).where(rows.own(user_id, identity))).first()
        )
        if found is None:
            raise UnknownMemory(id=identity)
        return Memory(**found._mapping)

    async def items(self, user_id: str, *, past: bool = False, scope: MemoryScope | None = None) -> list[Memory]:
        """Return a user's items, newest first.

        Args:
            user_id: Whose.
            past: Whether those that hold no more are listed as well.
            scope: Which of them; None: all.
        """
        items = (await self._user(user_id)).items
        return [item for item, seen in zip(items, _seen(items, scope, past=past), strict=True) if seen][::-1]

    async def left_by(self, user_id: str, runs: Collection[str]) -> dict[str, list[dict[str, str]]]:
        """Return what turns left, by their runs: `id` and `text` of each item, in the order of its writing."""
        own = (memories.c.user_id == user_id, memories.c.turn_id.in_({*runs} - {""}))
        query = select(*rows.COLUMNS).where(*own).order_by(memories.c.created, memories.c.id)
        left: dict[str, list[dict[str, str]]] = {}
        for found in await self._database.read(lambda db: db.execute(query).all()):
            left.setdefault(found.turn_id, []).append({"id": found.id, "text": found.text})
        return left

    async def remove(self, user_id: str, identities: Collection[str] | None = None) -> list[Memory]:
        """Remove items, with their vectors; the turn in which one was said does not bring it back.

        Args:
            user_id: Whose.
            identities: Ids; None: all of the user's.

        Returns:
            What was removed. What an item took the place of goes with it: it would hold again.
        """
        gone: list[Memory] = await self._database.write(partial(rows.remove, user_id=user_id, identities=identities))
        await self._database.scrub()
        self._users.pop(user_id, None)
        return gone

    async def export(self, user_id: str) -> AsyncIterator[tuple[str, Any]]:
        """Yield all that is remembered of a user; see `PersonalData`."""
        if items := await self.items(user_id, past=True):
            yield "memories.json", [asdict(item) for item in items]

    async def forget(self, user_id: str) -> dict[str, int]:
        """Remove everything about a user, the marks of what was forgotten too; see `PersonalData`."""
        gone = await self.remove(user_id)

        def change(db: Connection) -> None:
            for table in (forgotten_memories, memory_users):
                db.execute(delete(table).where(table.c.user_id == user_id))

        await self._database.write(change)
        return {"memories": len(gone)}

    async def search(
        self, user_id: str, query: str, *, past: bool = False, most: int = 20, scope: MemoryScope | None = None,
        slots: Collection[str] = (),
    ) -> list[Memory]:  # fmt: skip
        """Return the items nearest to a query, best first; `scope` as in `items`, `slots` as in `recall`."""
        user, vector = await self._user(user_id), await self._query(query)
        seen = _seen(user.items, scope, past=past)
        found = await asyncio.to_thread(user.ranking.find, query, vector, most, seen)
        first = _newest_of(slots, user.items, seen)
        return [*first, *(item for one in found if (item := user.items[one.place]) not in first)][:most]

    async def recall(
        self, user_id: str, question: str, scope: MemoryScope = GENERAL, *, past: bool = False,
        slots: Collection[str] = (),
    ) -> list[Memory]:  # fmt: skip
        """Return the items that fit a question, best first.

        Args:
            user_id: Whose turn it is.
            question: What is asked, with what it leans on.
            scope: What the turn sees: no other items are found.
            past: Whether what holds no more is asked for.
            slots: What it is about: the newest items of these slots come first, whatever their words.
        """
        user = await self._user(user_id)
        seen = _seen(user.items, scope, past=past)
        if not any(seen):
            return []
        vector = await self._query(question)
        found = await asyncio.to_thread(user.ranking.find, question, vector, CANDIDATES, seen)
        kept = _newest_of(slots, user.items, seen) if slots else []
        for one in found:
            item = user.items[one.place]
            fits = one.closeness >= CLOSE or (one.closeness >= CLOSE_AND_HELD and one.coverage >= HELD)
            if (fits or one.coverage >= COVERED) and item not in kept:
                kept.append(item)
        return kept

    async def settle(self) -> None:
        """Wait until everything that was written has its vector, or could not get one."""
        while self._embedding:
            await asyncio.wait(list(self._embedding.values()))

    async def aclose(self) -> None:
        """Stop embedding; what has no vector yet gets one after the next write of its user."""
        for task in self._embedding.values():
            task.cancel()
        await self.settle()

    async def _user(self, user_id: str) -> _User:
        """Return a user's items as they are in the database, read again only where they have changed."""
        version = await self._database.read(partial(rows.version_of, user_id=user_id))
        known = self._users.get(user_id)
        if known is None or known.version != version:
            usual = await self._usual() if version else None
            known = await self._database.read(lambda db: self._load(db, user_id, usual))
        else:
            known = replace(known, read_at=time.monotonic())
        self._users[user_id] = known
        self._users.move_to_end(user_id)
        while len(self._users) > KEPT_USERS:
            self._users.popitem(last=False)
        return known

    def _load(self, db: Connection, user_id: str, usual: Floats | None) -> _User:
        version = rows.version_of(db, user_id)
        query = select(*rows.COLUMNS, memories.c.vector, memories.c.model).where(memories.c.user_id == user_id)
        found = db.execute(query.order_by(memories.c.created, memories.c.id)).all()
        items = [Memory(**{name: getattr(row, name) for name in Memory.__dataclass_fields__}) for row in found]
        vectors = np.zeros((len(found), self._embedder.dimensions), np.float32)
        for place, row in enumerate(found):
            if row.vector and row.model == self._embedder.name:
                vectors[place] = np.frombuffer(row.vector, np.float16)
        ranking = MemoryRanking(
            [item.text for item in items],
            vectors if self._embedder.dimensions else None,
            [item.session_id for item in items],
            usual,
        )
        return _User(version, items, ranking)

    async def _query(self, question: str) -> Floats | None:
        """Return the vector of a question without what those of its language have in common; None without any."""
        if not self._embedder.dimensions:
            return None
        language = language_of(question)
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                vector = await self._embedder.query(question)
                return vector - await self._common_of(language)
        except (AppError, TimeoutError) as exc:
            logger.warning("memories are found by keyword alone", extra={"error": type(exc).__name__})
            return None

    async def _usual(self) -> Floats | None:
        """Return what everyday requests of both languages have in common; None where that cannot be had now."""
        if not self._embedder.dimensions:
            return None
        try:
            async with asyncio.timeout(QUERY_SECONDS):
                usual: Floats = np.mean([await self._common_of(language) for language in TYPICAL], axis=0)
                return usual
        except (AppError, TimeoutError):
            return None

    async def _common_of(self, language: Language) -> Floats:
        if language not in self._common:
            lines: list[Line] = [("query", text) for text in TYPICAL[language]]
            known = await self._lines.get(self._embedder.name, lines)
            made = {line: await self._embedder.query(line[1]) for line in lines if line not in known}
            if made:
                await self._lines.put(self._embedder.name, made)
            self._common[language] = np.mean([*known.values(), *made.values()], axis=0)
        return self._common[language]

    def _embed_soon(self, user_id: str) -> None:
        if not self._embedder.dimensions:
            return
        self._unembedded.add(user_id)
        if user_id in self._embedding:
            return
        task = asyncio.create_task(self._embed(user_id), name="embed-memories")
        self._embedding[user_id] = task
        task.add_done_callback(lambda done: self._embedded(user_id, done))

    def _embedded(self, user_id: str, task: asyncio.Task[None]) -> None:
        del self._embedding[user_id]
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.warning("a memory has no vector yet", extra={"error": type(error).__name__})

    async def _embed(self, user_id: str) -> None:
        """Give a vector of the present model to all items of a user that have none."""
        for language in TYPICAL:  # here, so that no question waits for them
            await self._common_of(language)
        lacking = and_(memories.c.user_id == user_id, memories.c.model != self._embedder.name)
        query = select(memories.c.id, memories.c.text).where(lacking).limit(EMBED_BATCH)
        while user_id in self._unembedded:
            self._unembedded.discard(user_id)
            while bare := await self._database.read(lambda db: db.execute(query).all()):
                made = await self._embedder.passages([row.text for row in bare])
                await self._database.write(partial(rows.set_vectors, user_id=user_id, made=self._packed(bare, made)))

    def _packed(self, items: Sequence[Any], made: Floats) -> list[dict[str, Any]]:
        name = self._embedder.name
        return [
            {"key": row.id, "said": row.text, "vector": vector.astype(np.float16).tobytes(), "model": name}
            for row, vector in zip(items, made, strict=True)
        ]


def _newest_of(slots: Collection[str], items: Sequence[Memory], seen: Sequence[bool]) -> list[Memory]:
    """Return the newest items of slots that are seen, newest first."""
    fitting = (item for item, may in zip(items, seen, strict=True) if may and item.slot.partition(":")[0] in slots)
    return list(fitting)[: -MOST_OF_SLOTS - 1 : -1]


def _seen(items: Sequence[Memory], scope: MemoryScope | None, *, past: bool) -> list[bool]:
    """Tell of each item whether it is seen."""
    return [(past or not item.valid_to) and (scope is None or item.persona in scope.sees) for item in items]
