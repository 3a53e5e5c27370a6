"""One conversation: asks, follows the answer over dropped connections, stops it."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import EventSource, SSEError

from domain.runs import TERMINAL_EVENTS
from terminal.approvals import answers_to, can_ask
from terminal.client import Client, Failed, Unreachable
from terminal.screen import Screen, safe
from terminal.texts import say

ATTEMPTS = 8
Files = Sequence[tuple[str, Path]]
"""Form field (`file` or `image`) and path of each."""


@dataclass
class Followed:
    """How far the events of a run were followed, and what of its answer was shown."""

    run_id: str = ""
    session_id: str = ""
    last_event: str = ""
    shown: str = ""
    waiting: dict[str, Any] | None = None
    """What it waits for, until that is answered."""
    outcome: dict[str, Any] | None = None


class Conversation:
    """Asks, shows the answer, and keeps the session."""

    def __init__(self, client: Client, screen: Screen, session: str | None = None, system: str | None = None) -> None:
        self.client, self.screen, self.session, self.system = client, screen, session, system
        self.run = Followed()

    def ask(self, message: str, files: Files = ()) -> bool:
        """Take one turn; return whether it came to its end.

        Raises:
            Failed: It could not be taken, or the server ended it with an error.
        """
        fields = {"message": message, "session_id": self.session, "system_prompt": self.system}
        self.run = Followed()
        return self._shown(lambda: self._send({name: value for name, value in fields.items() if value}, files))

    def answer(self, run_id: str, questions: Sequence[dict[str, Any]]) -> bool:
        """Answer what a run waits for, and follow it on; return whether it came to its end.

        Raises:
            Failed: It cannot be answered, or the server ended it with an error.
        """
        self.run = Followed(run_id=run_id, session_id=self.session or "", waiting={"questions": questions})
        return self._shown(lambda: None)

    def _shown(self, begin: Callable[[], httpx.Response | None]) -> bool:
        try:
            response = begin()
            if response is not None:
                self.run.run_id = response.headers.get("x-run-id", "")
            self._follow(response)
        except KeyboardInterrupt:
            if self.run.run_id:
                self.stop()
            return False
        finally:
            self.screen.settle()
        self.screen.outcome(self.run.outcome or {}, self.run.shown)
        return True

    def stop(self) -> None:
        """Stop the turn on the server and show what is kept of it."""
        if not self.run.run_id or self.run.outcome is not None:
            self.screen.note(say("nothing_to_stop"))
            return
        ended = self.client.call("POST", f"/runs/{self.run.run_id}/stop")
        self.run.outcome = ended.get("result") or {}
        self.run.shown += self.screen.flush()
        self.session = self.session or ended.get("session_id")
        self.screen.outcome(self.run.outcome or {}, self.run.shown)
        self.screen.note(say("stopped"))

    def _send(self, fields: dict[str, str], files: Files) -> httpx.Response:
        if not files:
            return self.client.open("POST", "/chat/stream", json=fields)
        with contextlib.ExitStack() as opened:
            parts = []
            for kind, path in files:
                if not path.is_file():
                    raise Failed(say("no_file", path=path), say("check_path"))
                try:
                    text = say("upload", name=safe(path.name)[:40])
                    file = opened.enter_context(self.screen.progress().open(path, "rb", description=text))
                except OSError as exc:
                    raise Failed(say("unreadable", path=path), say("check_path")) from exc
                parts.append((kind, (path.name, file)))
            return self.client.open("POST", "/chat/stream", data=fields, files=parts)

    def _follow(self, source: httpx.Response | None) -> None:
        """Show events to the last one, over dropped connections and questions."""
        attempt = 0
        while self.run.outcome is None:
            seen = self.run.last_event
            if self.run.waiting is not None:
                source = self._answered(self.run.waiting)
                if source is None:
                    return
            with contextlib.suppress(httpx.TransportError, json.JSONDecodeError, Unreachable):
                if source is None:
                    headers = {"Last-Event-ID": seen or "0"}
                    source = self.client.open("GET", f"/runs/{self.run.run_id}/stream", headers=headers)
                with contextlib.closing(source):
                    for name, data in self._events(source):
                        self._take(name, data)
            source = None
            if self.run.outcome is None and self.run.waiting is None:
                attempt = 1 if self.run.last_event != seen else attempt + 1
                self._wait(attempt)

    def _answered(self, waiting: dict[str, Any]) -> httpx.Response | None:
        """Ask the person and return what follows; nobody there: the turn ends here, and goes on another time."""
        self.run.shown += self.screen.flush()
        answers = answers_to(waiting["questions"], self.screen) if can_ask(self.screen) else {}
        if not answers:
            self.run.outcome = waiting
            return None
        self.run.waiting = None
        body = {"answers": answers, "stream": True}
        return self.client.open("POST", f"/runs/{self.run.run_id}/answers", json=body)

    def _events(self, source: httpx.Response) -> Iterator[tuple[str, Any]]:
        try:
            for event in EventSource(source).iter_sse():
                self.run.last_event = event.id or self.run.last_event
                yield event.event, json.loads(event.data)
        except SSEError as exc:
            raise self.client.not_ours() from exc

    def _wait(self, attempt: int) -> None:
        if not self.run.run_id or attempt > ATTEMPTS:
            raise Failed(say("gave_up"), say("kept", session=self.session or self.run.session_id))
        if attempt == 1:
            self.screen.note(say("lost"))
        time.sleep(min(8.0, 0.25 * 2**attempt))

    def _take(self, name: str, data: Any) -> None:
        run, screen = self.run, self.screen
        if name == "run":
            self._begin(data)
        elif name == "attachment":
            screen.attachment(data)
        elif name == "node" and data["state"] == "start" and data["name"] == "generate_answer" and run.shown:
            screen.token("\n\n")  # an answer after tool calls does not continue what was said before them
            run.shown = ""
        elif name == "token":
            run.shown += screen.token(data["text"])
        elif name == "gap":
            screen.note(say("gap"))
            run.outcome = data.get("result")
        elif name == "waiting":
            run.waiting = data
        elif name in TERMINAL_EVENTS:
            self._end(data)

    def _begin(self, data: dict[str, Any]) -> None:
        self.run.session_id = data["session_id"]
        self.session = self.session or data["session_id"]
        if data.get("begins_again"):  # another server goes on: what its last step had said is said again
            self.screen.note(say("taken_over"))
            self.run.shown = ""

    def _end(self, data: dict[str, Any]) -> None:
        self.run.shown += self.screen.flush()
        self.run.outcome = data
        if "error" in data:
            raise Failed(data["error"]["message"], data["error"].get("remedy", ""), {"error": data["error"]})
