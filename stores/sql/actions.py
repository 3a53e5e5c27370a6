"""The action log: what was done for whom, entry by entry, in a chain that tells when it was changed.

It lies in the SQL database, which outlives Redis and is shared by all processes. Entries hold ids, hashes and sizes;
what users and models wrote is in them with LOG_CONTENT alone. Writing is off the path of a turn: entries are gathered
and written together, and a clean stop writes what is left. `record` waits: for what must be known before it happens.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, Literal

from sqlalchemy import Connection, delete, insert, select

from domain.owner import Owner
from settings import Settings
from stores.sql.action_chain import Chain, Head
from stores.sql.database import Database, lock
from stores.sql.tables import UNSTORABLE, actions

logger = logging.getLogger(__name__)

ActionKind = Literal["call", "question", "answer", "memory", "deletion", "policy", "share", "trim", "attempts"]
"""A tool call; a question to the user, and its answer; a change of memory; a deletion; a change of rules, tools, users
or keys; a link that was made or revoked; the removal of what is past its time; attempts that passed a limit."""
LINGER = 0.2
"""Seconds within which entries are gathered."""
BATCH = 500
RETRY_SECONDS = 1.0
CLOSING_TRIES = 3
DAY = 86_400.0


@dataclass(eq=False, slots=True)
class _Action:
    kind: ActionKind
    user_id: str
    facts: dict[str, Any]
    at: float = field(default_factory=time.time)
    written: asyncio.Future[None] | None = None


class ActionLog:
    """Appends to the log of an installation; any number of processes do."""

    def __init__(self, database: Database, chain: Chain, settings: Settings) -> None:
        """Use `open` instead."""
        self._database, self._chain = database, chain
        self._content, self._days = settings.log_content, settings.action_log_days
        self._queue: deque[_Action] = deque()
        self._wake, self._urgent = asyncio.Event(), asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trimmed = 0.0
        self._closing = False

    @classmethod
    async def open(cls, settings: Settings, database: Database) -> ActionLog:
        """Open the log; its secret is made if there is none."""
        return cls(database, await asyncio.to_thread(Chain, settings.data_dir), settings)

    def append(
        self, kind: ActionKind, owner: Owner, *, content: Mapping[str, object] | None = None, **facts: object
    ) -> None:
        """Add an entry; it is written within a second, without anybody waiting for it.

        Args:
            kind: What was done.
            owner: For whom; the thread is kept as an opaque id, since clients name threads in words.
            content: What somebody wrote, by name: kept as size and keyed hash, and whole with LOG_CONTENT alone; of a
                temporary thread not at all.
            facts: Ids, names of ours, states, counts: JSON-native values without a word of a user.
        """
        self._add(self._action(kind, owner, content, facts))

    async def record(
        self, kind: ActionKind, owner: Owner, *, content: Mapping[str, object] | None = None, **facts: object
    ) -> None:
        """Add an entry and wait until it is in the database; arguments as for `append`.

        Raises:
            Unavailable: The database does not answer; there is no entry.
        """
        action = self._action(kind, owner, content, facts)
        action.written = asyncio.get_running_loop().create_future()
        self._add(action)
        self._urgent.set()
        await action.written

    async def trim(self, before: float) -> int:
        """Remove the entries older than `before` (Unix time), unless one of them is not whole; return how many.

        An entry of its own says where the log begins from then on.
        """

        def change(db: Connection) -> tuple[int, Head]:
            lock(db, actions.name)
            cut = self._chain.end_of_old(db, before)
            if not cut.id:
                return 0, cut
            entry = _Action("trim", "", {"through": cut.id, "hash": cut.hash})
            head = self._insert(db, [entry])
            return db.execute(delete(actions).where(actions.c.id <= cut.id)).rowcount, head

        removed, head = await self._database.write(change)
        if removed and head.id:
            await asyncio.to_thread(self._chain.record_head, head)
        return removed

    async def aclose(self) -> None:
        """Write what is left and stop."""
        self._closing = True
        self._wake.set()
        self._urgent.set()
        if self._task is not None:
            await self._task

    def _action(
        self, kind: ActionKind, owner: Owner, content: Mapping[str, object] | None, facts: dict[str, object]
    ) -> _Action:
        kept = {name: value for name, value in facts.items() if value not in (None, "")}
        if owner.thread_id is not None:
            kept["thread"] = owner.memory_key
        for name, value in (content or {}).items():
            if value == "" or owner.temporary:
                continue
            text = value if isinstance(value, str) else json.dumps(value, sort_keys=True, default=repr)
            kept[name] = {"chars": len(text), "hash": self._chain.mark(text)} | (
                {"text": text} if self._content else {}
            )
        return _Action(kind, UNSTORABLE.sub("\ufffd", owner.user_id), json.loads(json.dumps(kept)))

    def _add(self, action: _Action) -> None:
        self._queue.append(action)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._work(), name="action-log")

    async def _work(self) -> None:
        failures = 0
        while self._queue or not self._closing:
            await self._wake.wait()
            with suppress(TimeoutError):
                async with asyncio.timeout(LINGER):
                    await self._urgent.wait()
            try:
                await self._flush()
                failures = 0
            except Exception:
                failures += 1
                logger.exception("the action log cannot be written")
                if self._closing and failures > CLOSING_TRIES:
                    logger.error("entries of the action log were lost", extra={"entries": len(self._queue)})
                    return
                await asyncio.sleep(RETRY_SECONDS)

    async def _flush(self) -> None:
        """Write all that is waiting, and once a day remove what is past its time."""
        while self._queue:
            await self._write(list(islice(self._queue, BATCH)))
        if not self._closing:
            self._wake.clear()
            self._urgent.clear()
        if self._days and time.time() - self._trimmed > DAY:
            self._trimmed = time.time()
            await self.trim(time.time() - self._days * DAY)

    async def _write(self, batch: Sequence[_Action]) -> None:
        """Write the first of what is waiting; whoever waits for an entry that could not be written is told."""
        try:
            head = await self._database.write(partial(self._append, batch=batch))
        except Exception as exc:
            for action in batch:
                if action.written is not None:
                    self._queue.remove(action)
                    _settle(action, exc)
            raise
        for action in batch:
            self._queue.popleft()
            _settle(action)
        if head.id:
            await asyncio.to_thread(self._chain.record_head, head)

    def _append(self, db: Connection, batch: Sequence[_Action]) -> Head:
        lock(db, actions.name)
        return self._insert(db, batch)

    def _insert(self, db: Connection, batch: Sequence[_Action]) -> Head:
        """Chain the entries to the newest one; return the new end for the record.

        A log whose end on record is gone or another one goes on, but keeps that record: it is the proof.
        """
        known = self._chain.known_head()
        newest = db.execute(select(actions.c.id, actions.c.hash).order_by(actions.c.id.desc()).limit(1)).first()
        head = Head(newest.id, newest.hash) if newest else Head()
        rows = []
        for action in batch:
            entry = [head.id + 1, action.at, action.kind, action.user_id, action.facts]
            head = Head(head.id + 1, self._chain.seal(head.hash, entry))
            rows.append(dict(zip(("id", "at", "kind", "user_id", "facts", "hash"), [*entry, head.hash], strict=True)))
        db.execute(insert(actions), rows)
        if known is not None and db.scalar(select(actions.c.hash).where(actions.c.id == known.id)) != known.hash:
            logger.error("the end of the action log is not the one on record", extra={"entry": known.id})
            return Head()
        return head


def _settle(action: _Action, error: Exception | None = None) -> None:
    if action.written is None or action.written.done():
        return
    if error is None:
        action.written.set_result(None)
    else:
        action.written.set_exception(error)
