"""A thread's memory while a turn holds the thread: read at its start, written at its end, each with other commands."""

from __future__ import annotations

from collections.abc import Sequence

import orjson

from stores.redis.exchange import ScriptCall


class StagedMemory:
    """What a saver reads and writes instead of Redis, until `calls` are sent.

    Args:
        found: What the saver's `reading` call gave: document and pending writes, nothing, or None when it was not sent.
    """

    def __init__(self, found: Sequence[bytes] | None) -> None:
        self._found = found
        self._put: tuple[str, bytes, ScriptCall] | None = None
        self._writes: dict[str, list[tuple[list[bytes], ScriptCall]]] = {}

    @property
    def run_id(self) -> str:
        """Run that wrote the checkpoint that was read; empty without one."""
        return str(orjson.loads(self._found[0])["run_id"]) if self._found else ""

    def read(self) -> Sequence[bytes] | None:
        """Return the newest document and its pending writes, nothing, or None when only Redis knows."""
        if self._put is None:
            return self._found
        checkpoint_id, document, _ = self._put
        return [document, *(row for rows, _ in self._writes.get(checkpoint_id, ()) for row in rows)]

    @property
    def checkpoint_id(self) -> str:
        """Id of the newest checkpoint; empty without one."""
        if self._put is not None:
            return self._put[0]
        return str(orjson.loads(self._found[0])["checkpoint_id"]) if self._found else ""

    def put(self, checkpoint_id: str, document: bytes, call: ScriptCall) -> None:
        """Replace the checkpoint."""
        self._put = checkpoint_id, document, call

    def put_writes(self, checkpoint_id: str, rows: list[bytes], call: ScriptCall) -> None:
        """Keep the writes of a task; they count only while its checkpoint is the newest."""
        self._writes.setdefault(checkpoint_id, []).append((rows, call))

    def forget(self) -> None:
        """Drop everything of the thread."""
        self._found, self._put = [], None
        self._writes.clear()

    def calls(self) -> list[ScriptCall]:
        """Return the calls to be sent to Redis; none when the turn wrote nothing."""
        if self._put is None:
            return [call for taken in self._writes.values() for _, call in taken]
        checkpoint_id, _, call = self._put
        return [call, *(call for _, call in self._writes.get(checkpoint_id, ()))]
