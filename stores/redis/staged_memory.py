"""A thread's memory while a turn holds the thread: read at its start, written at its end, each with other commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


class StepStore(Protocol):
    """Where the steps of a turn that takes long are kept until it ends, apart from the memory of its thread."""

    async def checkpoint(self, ns: str, document: bytes) -> None:
        """Keep a checkpoint in place of the one before it; one of `ROOT` in place of all.

        Raises:
            AppError: It cannot be kept: the turn must not go on.
        """

    async def writes(self, rows: Mapping[RowKey, bytes]) -> None:
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
        self._puts: dict[str, tuple[str, bytes, ScriptCall]] = {}
        self._writes: dict[str, list[tuple[Sequence[bytes], ScriptCall]]] = {}
        self.steps: StepStore | None = None

    @property
    def run_id(self) -> str:
        """Run that wrote the checkpoint that was read; empty without one."""
        return str(orjson.loads(self._found[0])["run_id"]) if self._found else ""

    def read(self, ns: str = ROOT) -> Sequence[bytes] | None:
        """Return the newest document and its pending writes, nothing, or None when only Redis knows."""
        if ns in self._puts:
            checkpoint_id, document, _ = self._puts[ns]
            return [document, *(row for rows, _ in self._writes.get(checkpoint_id, ()) for row in rows)]
        if ns != ROOT:
            return None
        if not self._found or not (written := self._writes.get(self.newest())):
            return self._found
        return [self._found[0], *_newest([self._found[1:], *(rows for rows, _ in written)])]

    def newest(self, ns: str = ROOT) -> str:
        """Return the id of the newest checkpoint of a namespace; empty without one."""
        if ns in self._puts:
            return self._puts[ns][0]
        return str(orjson.loads(self._found[0])["checkpoint_id"]) if self._found and ns == ROOT else ""

    def put(self, checkpoint_id: str, document: bytes, call: ScriptCall, ns: str = ROOT) -> None:
        """Replace the checkpoint; with one of `ROOT` the work inside the step before it is over."""
        if ns == ROOT:
            self._puts.clear()
        self._puts[ns] = checkpoint_id, document, call

    def put_writes(self, checkpoint_id: str, rows: Sequence[bytes], call: ScriptCall) -> None:
        """Keep the writes of a task; they count only while its checkpoint is the newest."""
        self._writes.setdefault(checkpoint_id, []).append((rows, call))

    def forget(self) -> None:
        """Drop everything of the thread."""
        self._found = []
        self._puts.clear()
        self._writes.clear()

    def calls(self) -> list[ScriptCall]:
        """Return the calls to be sent to Redis; none when the turn wrote nothing."""
        puts = [call for _, _, call in self._puts.values()]
        kept = {checkpoint_id for checkpoint_id, _, _ in self._puts.values()} if ROOT in self._puts else self._writes
        return [*puts, *(call for at, written in self._writes.items() if at in kept for _, call in written)]


def _newest(written: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Return the rows; of two of the same task and index the later one."""
    rows = {(row["task_id"], row["idx"]): text for texts in written for text in texts for row in [orjson.loads(text)]}
    return list(rows.values())
