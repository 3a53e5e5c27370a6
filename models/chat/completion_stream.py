"""From the bytes of a chat completion to its JSON chunks, however the server frames them."""

from __future__ import annotations

import json
from typing import Any

DONE: dict[str, Any] = {}
"""Stands for `[DONE]`, the end that some servers send instead of a finish reason."""
MOST_BYTES = 20_000_000
"""Bytes after which one object counts as endless."""


class ChunkReader:
    r"""Takes bytes as they come and returns the JSON objects that they complete.

    Reads Server-Sent Events with any line end, with or without blank lines between them, with comments, pings and other
    fields; JSON lines; and one JSON object. Bytes that are no UTF-8 become U+FFFD: one of them costs a character, not
    the answer.

    >>> reader = ChunkReader()
    >>> reader.feed(b': ping\n\ndata: {"a": 1}\n\ndata:{"b"'), reader.feed(b": 2}\r\ndata: [DONE]\n"), reader.end()
    ([{'a': 1}], [{'b': 2}, {}], [])
    """

    def __init__(self) -> None:
        self._rest = b""
        self._begun: list[str] = []
        self._in_event = False

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """Return the objects that `data` completes; `DONE` for `[DONE]`.

        Raises:
            ValueError: What begins as a JSON object is none, or does not end.
        """
        lines = (self._rest + data).splitlines(keepends=True)
        self._rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        if len(self._rest) + sum(map(len, self._begun)) > MOST_BYTES:
            raise ValueError("an object of the answer does not end")
        return [chunk for line in lines for chunk in self._line(line.decode("utf-8", "replace").rstrip("\r\n"))]

    def end(self) -> list[dict[str, Any]]:
        """Return what the last line completes.

        Raises:
            ValueError: An object was begun and not ended.
        """
        chunks = self._line(self._rest.decode("utf-8", "replace"))
        if self._begun:
            raise ValueError("the answer ends inside an object")
        return chunks

    def _line(self, line: str) -> list[dict[str, Any]]:
        line = line.removeprefix("\ufeff")
        in_event = line.startswith("data:")
        text = line.removeprefix("data:").strip() if in_event else line.strip()
        if in_event and text.startswith("[DONE]"):
            return [DONE]
        if self._begun and self._in_event and not text:
            raise ValueError("an event of the answer is no JSON object")
        if not text.startswith("{") if not self._begun else self._in_event and not in_event:
            return []
        self._in_event = in_event
        self._begun.append(text)
        if not text.endswith("}"):
            return []
        try:
            value = json.loads("\n".join(self._begun), strict=False)
        except ValueError:
            return []
        self._begun = []
        return [value]
