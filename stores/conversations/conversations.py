"""Conversations of all users: a tree of messages each, kept until it is deleted."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import count
from typing import Any, TypeVar, cast

from sqlalchemy import Connection, and_, select, update

from domain.errors import SessionIsKept
from domain.owner import Owner
from stores.conversations import search, tree, writing
from stores.conversations.entries import (
    TITLE_CHARS,
    Conversation,
    Entry,
    Found,
    Kept,
    Listing,
    Message,
    Page,
    Part,
    Recollection,
    Spot,
    Whole,
    Wish,
    shortened_title,
)
from stores.redis.old_transcripts import OldTranscripts
from stores.sql.database import Database
from stores.sql.tables import conversations, messages

T = TypeVar("T")
INDEX_SECONDS = 10.0
RECALLED = 200
"""Messages at the end of a path that are looked at to remember it."""


class Conversations:
    """All conversations. Every method raises `Unavailable` when the database fails; an owner needs a thread.

    What an older version left in Redis is taken over when its user is first heard of.

    Args:
        database: Where they are.
        old: Transcripts that an older version left.
    """

    def __init__(self, database: Database, old: OldTranscripts) -> None:
        self._database, self._old = database, old
        self._indexed_soon: set[str] = set()

    async def spot(self, owner: Owner, wish: Wish) -> Spot:
        """Return where a turn goes on.

        Raises:
            UnknownMessage: There is no message of the wish's `parent`.
            UnknownRun: There is no run that it `replaces`.
            UnknownSession: There is no conversation that they could be in.
        """
        return await self._read(owner, lambda db: tree.spot(db, owner, wish))

    async def append(
        self,
        owner: Owner,
        place: Spot,
        entries: Sequence[Entry],
        *,
        running: str = "",
        kept: Kept | None = None,
        persona: str | None = None,
    ) -> Spot:
        """Write messages that follow each other from `place` on, and show the path that ends in them.

        Args:
            owner: The thread.
            place: Where they go; without entries that place is shown.
            entries: The messages.
            running: Run that answers the last of them. What it writes itself at its end is refused to it when another
                run has taken the thread meanwhile.
            kept: What is kept with the last one.
            persona: The persona that the conversation is held with from now on; None: as before.

        Returns:
            The place behind them.

        Raises:
            RunLost: Another run has taken the thread.
        """

        def write(db: Connection) -> Spot:
            spot = writing.append(db, owner, place, entries, running, kept or {})
            if persona is not None:
                other = and_(conversations.c.id == spot.conversation, conversations.c.persona != persona)
                db.execute(update(conversations).where(other).values(persona=persona))
            return spot

        return await self._database.write(write)

    async def answer_of(self, place: Spot, run_id: str) -> Message | None:
        """Return the answer that a run has written to the question behind which `place` is; None: it is to write it.

        Raises:
            RunLost: The conversation went on without it, or is no more.
        """
        return await self._database.read(lambda db: tree.answer_of(db, place.conversation, run_id))

    async def withdraw(self, place: Spot, run_id: str) -> None:
        """Take back what a run wrote, and show what was shown at `place`."""

        def change(db: Connection) -> None:
            tree.drop(db, place.conversation, run_id, place.shown)
            leaf = tree.message(db, place.conversation, place.shown) if place.shown else None
            tree.point(db, place.conversation, leaf)

        await self._database.write(change)

    async def recollect(self, place: Spot) -> Recollection:
        """Return what a model should remember where a turn goes on at `place`."""

        def query(db: Connection) -> Recollection:
            if not place.memory:
                return Recollection([])
            last = tree.message(db, place.conversation, place.memory)
            first = max(0, last.depth + 1 - RECALLED)
            found = tree.path(db, place.conversation, last.id, first)
            newest = tree.last_summary(db, place.conversation, last.id)
            turns = 0
            for at in range(newest.depth - first if newest else -1, -1, -1):
                turns += found[at].role == "user"
                if turns == newest.summary["turns"]:
                    found = found[at:]
                    break
            entries = [{**tree.placed(row), **({"notes": row.notes} if row.notes else {})} for row in found]
            return Recollection(cast("list[Message]", entries), newest.summary["text"] if newest else "")

        return await self._database.read(query)

    async def question(self, owner: Owner, *, run_id: str | None = None, message_id: str | None = None) -> Message:
        """Return the question that a run or message answers, or that it is; without either, the last one shown.

        Raises:
            UnknownMessage: There is no such message.
            UnknownRun: There is no such run.
            UnknownSession: There is no such conversation.
        """

        def query(db: Connection) -> Message:
            row = tree.known(db, owner)
            if run_id is not None:
                return tree.placed(tree.question_of(db, row, run_id))
            place = tree.message(db, row.id, row.leaf if message_id is None else message_id)
            if place.role != "user":
                place = tree.message(db, row.id, place.parent_id)
            return tree.placed(place)

        return await self._read(owner, query)

    async def page(self, owner: Owner, part: Part) -> Page:
        """Return messages of the path that is shown.

        Raises:
            UnknownMessage: There is no message that the path is to go through.
            UnknownSession: There is no such conversation.
        """

        def query(db: Connection) -> Page:
            row = tree.known(db, owner)
            leaf, total, found_at = row.leaf, row.length, None
            if part.through is not None:
                wanted = tree.message(db, row.id, part.through)
                end = tree.newest_below(db, row.id, wanted)
                leaf, total, found_at = end.id, end.depth + 1, wanted.depth
            last = max(0, total - part.offset) if part.newest else min(total, part.offset + part.limit)
            first = max(0, last - part.limit) if part.newest else min(part.offset, total)
            found = tree.path(db, row.id, leaf, first, last) if last > first else []
            entries, unanswered = tree.shown(db, row.id, found)
            running = row.running if leaf == row.leaf else ""
            return Page(thread=search.conversation(row), offset=first, total=total, entries=entries,
                        unanswered=unanswered, found=found_at, running=running)  # fmt: skip

        return await self._read(owner, query)

    async def whole(self, owner: Owner) -> Whole:
        """Return a conversation with all its messages.

        Raises:
            UnknownSession: There is no such conversation.
        """

        def query(db: Connection) -> Whole:
            row = tree.known(db, owner)
            current = str(row.leaf) if row.leaf else None
            return Whole(thread=search.conversation(row), entries=tree.whole(db, row.id), current=current)

        return await self._read(owner, query)

    async def find(self, user_id: str, wanted: Listing) -> tuple[list[Found], int, str]:
        """Return a user's conversations: pinned ones first, then the last active ones.

        Returns:
            The conversations, how many there are on all pages, and the cursor of the next page; empty on the last.

        Raises:
            BadInput: The cursor is none of ours.
        """
        await self._take_over(user_id)
        if wanted.query.strip():
            await self.index(user_id)
        return await self._database.read(lambda db: search.page(db, user_id, wanted))

    async def index(self, user_id: str, thread_id: str | None = None) -> None:
        """Index the messages of a user, or of one thread, that are not found by their words yet."""
        while await self._database.write(lambda db: search.index(db, user_id, thread_id)) == search.BATCH:
            pass

    async def index_soon(self, owner: Owner) -> None:
        """Index a thread in a while, so that a search has little left to do: once for all turns of that while."""
        if owner.memory_key in self._indexed_soon:
            return
        self._indexed_soon.add(owner.memory_key)
        try:
            await asyncio.sleep(INDEX_SECONDS)
        finally:
            self._indexed_soon.discard(owner.memory_key)
        await self.index(owner.user_id, owner.thread_id)

    async def threads(self, user_id: str) -> list[str]:
        """Return the ids of all threads of a user."""
        await self._take_over(user_id)
        ids = select(conversations.c.thread_id).where(conversations.c.user_id == user_id).order_by(conversations.c.id)
        return await self._database.read(lambda db: list(db.scalars(ids)))

    async def change(
        self,
        owner: Owner,
        *,
        title: str | None = None,
        titled: str = "user",
        pinned: bool | None = None,
        archived: bool | None = None,
        shown: str | None = None,
    ) -> Conversation:
        """Change what is given, and return the conversation.

        Args:
            owner: The thread.
            title: Its title; a model's does not replace the user's.
            titled: Who gave it: `user` or `model`.
            pinned: Whether it stands before the others.
            archived: Whether it is left out of the list.
            shown: Message that is to be shown, with the newest of what came after it.

        Raises:
            UnknownMessage: There is no such message.
            UnknownSession: There is no such conversation.
        """

        def write(db: Connection) -> Conversation:
            row = tree.known(db, owner)
            mine = conversations.c.id == row.id
            values: dict[str, Any] = {"pinned": pinned, "archived": archived}
            if title is not None and (titled == "user" or row.titled != "user"):
                values |= {"title": shortened_title(title), "titled": titled}
                search.index_title(db, row.id, owner.user_id, title)
            if given := {name: value for name, value in values.items() if value is not None}:
                db.execute(update(conversations).where(mine).values(**given))
            if shown is not None:
                tree.point(db, row.id, tree.newest_below(db, row.id, tree.message(db, row.id, shown)))
            return search.conversation(tree.known(db, owner))

        await self._take_over(owner.user_id)
        return await self._database.write(write)

    async def hold_with(self, owner: Owner, *, persona: str | None = None, memory: bool | None = None) -> None:
        """Let a conversation go on as is given.

        Args:
            owner: The thread.
            persona: A persona by id or name; empty: none.
            memory: Whether it uses and fills long-term memory.

        Raises:
            UnknownSession: There is no such conversation.
        """

        def write(db: Connection) -> None:
            mine = conversations.c.id == tree.known(db, owner).id
            given = {name: value for name, value in (("persona", persona), ("memory", memory)) if value is not None}
            db.execute(update(conversations).where(mine).values(**given))

        await self._take_over(owner.user_id)
        await self._database.write(write)

    async def add(self, owner: Owner, given: Sequence[Message], title: str, current: str | None = None) -> int:
        """Make a conversation of messages that come from elsewhere; return how many messages are shown.

        A message whose `parent_message_id` is that of one before it follows that; one without the key the one before.
        """
        return await self._database.write(lambda db: writing.add(db, owner, given, title, current))

    async def free_title(self, user_id: str, title: str) -> str:
        """Return the title for a copy: with the next number behind it that is free: "Lease (2)", "Lease (3)"."""
        base = re.sub(r" \(\d+\)$", "", title)[: TITLE_CHARS - 6].rstrip()
        like = select(conversations.c.title).where(
            conversations.c.user_id == user_id, conversations.c.title.startswith(base, autoescape=True)
        )
        taken = set(await self._database.read(lambda db: list(db.scalars(like))))
        return next(made for number in count(2) if (made := f"{base} ({number})") not in taken)

    async def naming(self, user_id: str, ids: Sequence[str]) -> dict[str, list[Message]]:
        """Return the messages of a user in whose JSON one of these ids stands, by thread."""
        await self._take_over(user_id)
        query = (
            select(messages, conversations.c.thread_id)
            .join(conversations, conversations.c.id == messages.c.conversation_id)
            .where(conversations.c.user_id == user_id)
        )

        def read(db: Connection) -> dict[str, list[Message]]:
            found: dict[str, list[Message]] = {}
            for part in ids:
                for row in db.execute(query.where(messages.c.entry.contains(part, autoescape=True))):
                    found.setdefault(row.thread_id, []).append(tree.placed(row))
            return found

        return await self._database.read(read)

    async def replace(self, owner: Owner, changed: Sequence[Message]) -> None:
        """Overwrite messages, and forget what was summarised of the conversation.

        Raises:
            UnknownSession: There is no such conversation.
        """
        await self._database.write(lambda db: writing.replace(db, owner, changed))

    async def delete(self, owner: Owner) -> dict[str, int]:
        """Forget a conversation; return how many rows of it each table held."""
        await self._take_over(owner.user_id)
        held = await self._database.write(lambda db: writing.remove(db, owner))
        await self._database.scrub()
        return held

    async def unused_since(self, before: float) -> list[Owner]:
        """Return the threads that were last active before this Unix time and are not pinned."""
        old = select(conversations.c.user_id, conversations.c.thread_id).where(
            conversations.c.active < before, ~conversations.c.pinned
        )
        return await self._database.read(lambda db: [Owner(*row) for row in db.execute(old)])

    async def empty_since(self, before: float) -> list[Owner]:
        """Return the threads without messages and files that were made before this Unix time."""
        empty = select(conversations.c.user_id, conversations.c.thread_id).where(
            conversations.c.newest == 0, conversations.c.active < before, ~search.HAS_FILES
        )
        return await self._database.read(lambda db: [Owner(*row) for row in db.execute(empty)])

    async def begin(self, owner: Owner, title: str) -> None:
        """Let a thread be found that has files and no messages yet; its first question gives it another title."""
        await self._database.write(lambda db: writing.new(db, owner, shortened_title(title), time.time()))

    async def begin_temporary(self, owner: Owner) -> Spot:
        """Note that nothing of a thread is to be kept; return where it goes on.

        Raises:
            SessionIsKept: It is there already, and is kept.
        """

        def write(db: Connection) -> Spot:
            row = tree.find(db, owner)
            if row is None:
                return Spot(writing.new(db, owner, "", time.time(), temporary=True), temporary=True)
            if not row.temporary:
                raise SessionIsKept(id=owner.thread_id)
            return Spot(row.id, persona=row.persona, temporary=True)

        await self._take_over(owner.user_id)
        return await self._database.write(write)

    async def temporary(self, user_id: str) -> dict[str, Conversation]:
        """Return the temporary threads of a user, by id."""
        mine = select(conversations).where(conversations.c.user_id == user_id, conversations.c.temporary)
        return await self._database.read(
            lambda db: {row.thread_id: search.conversation(row) for row in db.execute(mine)}
        )

    async def running(self, user_id: str) -> list[tuple[str, str]]:
        """Return the threads of a user that a run has not answered yet, with that run, which may be gone."""
        mine = select(conversations.c.thread_id, conversations.c.running).where(
            conversations.c.user_id == user_id, conversations.c.running != ""
        )
        return await self._database.read(lambda db: [(row.thread_id, row.running) for row in db.execute(mine)])

    async def temporary_since(self, before: float) -> list[Owner]:
        """Return the temporary threads that were last active before this Unix time."""
        old = select(conversations.c.user_id, conversations.c.thread_id).where(
            conversations.c.temporary, conversations.c.active < before
        )
        return await self._database.read(lambda db: [Owner(*row, temporary=True) for row in db.execute(old)])

    async def _read(self, owner: Owner, query: Callable[[Connection], T]) -> T:
        await self._take_over(owner.user_id)
        return await self._database.read(query)

    async def _take_over(self, user_id: str) -> None:
        async for thread in self._old.of(user_id):
            owner = Owner(user_id, thread.thread_id)
            await self._database.write(partial(writing.add, owner=owner, given=thread.entries, title=thread.title))
            await self._old.forget(owner)
