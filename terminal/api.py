"""The calls of the server that a chat needs, and what they fail with."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from terminal.texts import is_chinese, say

SILENCE = httpx.Timeout(60, connect=10)
"""The server sends a sign of life every 10 s; a minute without one is a dead connection."""
Progress = Callable[[int, int], None]
"""Called with the bytes sent and the bytes in all."""


class Failed(Exception):
    """Something that the user is told: message and remedy, and the error as the server gave it."""

    def __init__(self, message: str, remedy: str = "", body: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.message, self.remedy = message, remedy
        self.body = body or {"error": {"code": "client_error", "message": message, "remedy": remedy}}


class Watched(io.FileIO):
    """A file that reports how much of it was read."""

    def __init__(self, path: Path, seen: Callable[[int], None]) -> None:
        super().__init__(path, "rb")
        self._seen = seen

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and report it."""
        data = super().read(-1 if size is None else size) or b""
        self._seen(len(data))
        return data


@dataclass
class Api:
    """The calls of the server that a chat needs."""

    url: str
    key: str = ""
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        """Keep one connection pool."""
        headers = {"Accept-Language": "zh-CN" if is_chinese() else "en"}
        headers |= {"Authorization": f"Bearer {self.key}"} if self.key else {}
        self.http = httpx.Client(base_url=self.url.rstrip("/"), headers=headers, timeout=SILENCE)

    def call(self, method: str, path: str, **given: Any) -> dict[str, Any]:
        """Make a call and return its JSON.

        Raises:
            Failed: The server cannot be reached, or refuses.
        """
        try:
            response = self.http.request(method, f"/api/v1{path}", **given)
        except httpx.TransportError as exc:
            raise Failed(say("unreachable", url=self.url), say("start_it")) from exc
        self.check(response)
        body: dict[str, Any] = response.json()
        return body

    def check(self, response: httpx.Response) -> None:
        """Read a refusal.

        Raises:
            Failed: It is one.
        """
        if response.is_success:
            return
        try:
            body = json.loads(response.read())
            error = body["error"]
            message, remedy = str(error["message"]), str(error.get("remedy", ""))
        except (ValueError, KeyError, TypeError) as exc:
            raise Failed(say("not_ours", url=self.url), say("check_url")) from exc
        raise Failed(message, remedy, body)

    def ask(self, fields: dict[str, str], files: Sequence[tuple[str, Path]], sent: Progress) -> httpx.Response:
        """Start a turn and return its open stream of events.

        Raises:
            Failed: The server cannot be reached, or refuses.
        """
        with contextlib.ExitStack() as opened:
            body = _multipart(files, sent, opened)
            given: dict[str, Any] = {"data": fields, "files": body} if files else {"json": fields}
            request = self.http.build_request("POST", "/api/v1/chat/stream", **given)
            try:
                response = self.http.send(request, stream=True)
            except httpx.TransportError as exc:
                raise Failed(say("unreachable", url=self.url), say("start_it")) from exc
        self.check(response)
        return response

    def resume(self, run_id: str, last_event: int) -> httpx.Response:
        """Return the events of a run behind the last one that was seen."""
        headers = {"Last-Event-ID": str(last_event)}
        request = self.http.build_request("GET", f"/api/v1/runs/{run_id}/stream", headers=headers)
        response = self.http.send(request, stream=True)
        self.check(response)
        return response


def _multipart(
    files: Sequence[tuple[str, Path]], report: Progress, opened: contextlib.ExitStack
) -> list[tuple[str, tuple[str, IO[bytes]]]]:
    total = sum(path.stat().st_size for _, path in files) or 1
    sent = 0

    def seen(size: int) -> None:
        nonlocal sent
        sent += size
        report(sent, total)

    return [(kind, (path.name, opened.enter_context(Watched(path, seen)))) for kind, path in files]


def events(response: httpx.Response) -> Iterator[tuple[int, str, Any]]:
    """Yield (number, name, data) of the events of a stream."""
    number, name = 0, ""
    for line in response.iter_lines():
        key, _, value = line.partition(": ")
        if key == "id":
            number = int(value)
        elif key == "event":
            name = value
        elif key == "data":
            yield number, name, json.loads(value)
            number, name = 0, ""
