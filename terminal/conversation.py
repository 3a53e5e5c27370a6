"""One session: asks, follows the answer over dropped connections, stops it."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from terminal.api import Api, Failed, events
from terminal.screen import Screen
from terminal.texts import say

ATTEMPTS = 8
TERMINAL = {"done", "error"}


@dataclass
class Turn:
    """One turn as this side has seen it."""

    run_id: str = ""
    session_id: str = ""
    last_event: int = 0
    shown: str = ""
    outcome: dict[str, Any] | None = None


class Conversation:
    """Asks, shows the answer, and keeps the session."""

    def __init__(self, api: Api, screen: Screen, session: str | None, system: str | None) -> None:
        self.api, self.screen, self.session, self.system = api, screen, session, system
        self.turn = Turn()

    def ask(self, message: str, files: Sequence[tuple[str, Path]] = ()) -> bool:
        """Take one turn; return whether it came to its end.

        Raises:
            Failed: It could not be taken, or the server ended it with an error.
        """
        for _, path in files:
            if not path.is_file():
                raise Failed(say("no_file", path=path), say("check_path"))
        fields = {"message": message, "session_id": self.session, "system_prompt": self.system}
        self.turn = Turn()
        try:
            response = self.api.ask({name: value for name, value in fields.items() if value}, files, self.screen.sent)
            self.turn.run_id = response.headers.get("x-run-id", "")
            self._follow(response)
        except KeyboardInterrupt:
            if self.turn.run_id:
                self.stop()
            return False
        self.screen.outcome(self.turn.outcome or {}, self.turn.shown)
        return True

    def stop(self) -> None:
        """Stop the turn on the server and show what is kept of it."""
        if not self.turn.run_id or self.turn.outcome is not None:
            self.screen.note(say("nothing_to_stop"))
            return
        ended = self.api.call("POST", f"/runs/{self.turn.run_id}/stop")
        self.turn.outcome = ended.get("result") or {}
        self.turn.shown += self.screen.flush()
        self.session = self.session or ended.get("session_id")
        self.screen.outcome(self.turn.outcome or {}, self.turn.shown)
        self.screen.note(say("stopped"))

    def _follow(self, response: httpx.Response | None) -> None:
        """Show events to the last one, over dropped connections."""
        attempt = 0
        while self.turn.outcome is None:
            before = self.turn.last_event
            try:
                if response is None:
                    response = self.api.resume(self.turn.run_id, self.turn.last_event)
                for number, name, data in events(response):
                    self.turn.last_event = number or self.turn.last_event
                    self._take(name, data)
            except (httpx.TransportError, json.JSONDecodeError):
                pass
            finally:
                if response is not None:
                    response.close()
            response = None
            if self.turn.outcome is None:
                attempt = 1 if self.turn.last_event > before else attempt + 1
                self._wait(attempt)

    def _wait(self, attempt: int) -> None:
        if not self.turn.run_id or attempt > ATTEMPTS:
            raise Failed(say("gave_up"), say("kept", session=self.session or self.turn.session_id))
        if attempt == 1:
            self.screen.note(say("lost"))
        time.sleep(min(8.0, 0.25 * 2**attempt))

    def _take(self, name: str, data: Any) -> None:
        turn, screen = self.turn, self.screen
        if name == "run":
            turn.session_id = data["session_id"]
            self.session = self.session or data["session_id"]
        elif name == "attachment":
            screen.attachment(data)
        elif name == "node":
            self._node(data)
        elif name == "token":
            turn.shown += screen.token(data["text"])
        elif name == "gap":
            screen.note(say("gap"))
            turn.outcome = data.get("result")
        elif name in TERMINAL:
            self._end(data)

    def _node(self, data: dict[str, Any]) -> None:
        """An answer that begins anew, after tools were called, does not go on from what was said before."""
        if data["state"] == "start" and data["name"] == "generate_answer" and self.turn.shown:
            self.screen.token("\n\n")
            self.turn.shown = ""

    def _end(self, data: dict[str, Any]) -> None:
        self.turn.shown += self.screen.flush()
        self.turn.outcome = data
        if "error" in data:
            error = data["error"]
            raise Failed(error["message"], error.get("remedy", ""), {"error": error})
