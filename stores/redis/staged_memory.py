"""A thread's memory while a turn holds the thread: read at its start, written at its end, each with other commands."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol

import orjson

from stores.redis.exchange import ScriptCall

ROOT = ""
"""Namespace of the turn's own graph; those of specialists inside it have others."""


class RowKey(NamedTuple):
    """What names a pending write."""

    ns: str
    checkpoint_id: str
    task_id: str
    idx: int


Rows = Mapping[RowKey, bytes]


class Put:
    """A checkpoint that is written down when somebody needs it."""

    def __init__(self, checkpoint_id: str, make: Callable[[], bytes], storing: Callable[[bytes], ScriptCall]) -> None:
        """Keep how its document is made, and the call that stores it."""
        self.checkpoint_id, self._make, self._storing = checkpoint_id, make, storing

    @cached_property
    def document(self) -> bytes:
        """What is stored of it."""
        return self._make()

    @property
    def call(self) -> ScriptCall:
        """What stores it."""
        return self._storing(self.document)


class Write:
    """What a task wrote, written down when somebody needs it."""

    def __init__(self, make: Callable[[], Rows], storing: Callable[[Rows], ScriptCall]) -> None:
        """Keep how its rows are made, and the call that stores them."""
        self._make, self._storing = make, storing

    @cached_property
    def rows(self) -> Rows:
        """What is stored of it."""
        return self._make()

    @property
    def call(self) -> ScriptCall:
        """What stores it."""
        return self._storing(self.rows)


class StepStore(Protocol):
    """Where the steps of a turn that takes long are kept until it ends, apart from the memory of its thread."""

    async def checkpoint(self, ns: str, put: Put) -> None:
        """Keep a checkpoint in place of the one before it; one of `ROOT` in place of all.

        Raises:
            AppError: It cannot be kept: the turn must not go on.
        """

    async def writes(self, write: Write) -> None:
        """Keep what a task of the newest checkpoint of its namespace wrote, as far as that can be done."""


class StagedMemory:
    """What a saver reads and writes instead of Redis, until `calls` are sent.

    Args:
        found: What the saver's `reading` call gave: document and pending writes, nothing, or None when it was not sent.

    Attributes:
        steps: Where each step is kept as well; None: nowhere.
    """

    def __init__(self, found: Sequence[bytes] | None) -> None:
        self._found = found
        document = orjson.loads(found[0]) if found else {}
        self._run_id, self._newest = str(document.get("run_id", "")), str(document.get("checkpoint_id", ""))
        self._puts: dict[str, Put] = {}
        self._writes: dict[str, list[Write]] = {}
        self.steps: StepStore | None = None

    @property
    def run_id(self) -> str:
        """Run that wrote the checkpoint that was read; empty without one."""
        return self._run_id

    def read(self, ns: str = ROOT) -> Sequence[bytes] | None:
        """Return the newest document and its pending writes, nothing, or None when only Redis knows."""
        if ns in self._puts:
            put = self._puts[ns]
            return [put.document, *self._rows(put.checkpoint_id).values()]
        if ns != ROOT:
            return None
        if not self._found or not (rows := self._rows(self.newest())):
            return self._found
        return [self._found[0], *(_by_place(self._found[1:]) | _by_place(list(rows.values()))).values()]

    def newest(self, ns: str = ROOT) -> str:
        """Return the id of the newest checkpoint of a namespace; empty without one."""
        if ns in self._puts:
            return self._puts[ns].checkpoint_id
        return self._newest if ns == ROOT else ""

    def put(self, put: Put, ns: str = ROOT) -> None:
        """Replace the checkpoint; with one of `ROOT` the work inside the step before it is over."""
        if ns == ROOT:
            self._puts.clear()
        self._puts[ns] = put

    def put_writes(self, checkpoint_id: str, write: Write) -> None:
        """Keep the writes of a task; they count only while its checkpoint is the newest."""
        self._writes.setdefault(checkpoint_id, []).append(write)

    def forget(self) -> None:
        """Drop everything of the thread."""
        self._found, self._run_id, self._newest = [], "", ""
        self._puts.clear()
        self._writes.clear()

    def written(self) -> tuple[dict[str, bytes], dict[RowKey, bytes]]:
        """Return what the turn has written: its newest checkpoints by namespace, and what their tasks wrote."""
        newest = {self.newest(), *(put.checkpoint_id for put in self._puts.values())}
        rows = {key: row for checkpoint_id in newest for key, row in self._rows(checkpoint_id).items()}
        return {ns: put.document for ns, put in self._puts.items()}, rows

    def calls(self) -> list[ScriptCall]:
        """Return the calls to be sent to Redis; none when the turn wrote nothing."""
        puts = list(self._puts.values())
        kept = {put.checkpoint_id for put in puts} if ROOT in self._puts else set(self._writes)
        written = [write.call for at, writes in self._writes.items() if at in kept for write in writes]
        return [*(put.call for put in puts), *written]

    def _rows(self, checkpoint_id: str) -> dict[RowKey, bytes]:
        return {key: row for write in self._writes.get(checkpoint_id, ()) for key, row in write.rows.items()}


def _by_place(rows: Sequence[bytes]) -> dict[tuple[str, int], bytes]:
    """Return rows of one checkpoint by task and index."""
    return {(row["task_id"], row["idx"]): text for text in rows for row in [orjson.loads(text)]}
