"""The conversation at the prompt: lines, commands, history."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from terminal.api import Failed
from terminal.conversation import Conversation, Turn
from terminal.screen import safe
from terminal.texts import say

HISTORY = 1000


class Prompt:
    """The conversation at the prompt."""

    def __init__(self, conversation: Conversation) -> None:
        self._chat, self._screen = conversation, conversation.screen
        self._files: list[tuple[str, Path]] = []
        self._listed: list[str] = []
        self._commands: dict[str, Callable[[str], None]] = {
            "/file": lambda given: self._attach("file", given), "/image": lambda given: self._attach("image", given),
            "/sessions": self._sessions, "/open": self._open, "/new": lambda _: self._switch(None),
            "/clear": self._clear, "/stop": lambda _: self._chat.stop(), "/help": self._help,
        }  # fmt: skip

    def run(self, files: Sequence[tuple[str, Path]]) -> None:
        """Read lines until the end of input or /quit."""
        self._files = list(files)
        self._screen.note(say("welcome"))
        while True:
            try:
                line = input("> ").strip()
            except EOFError:
                return
            except KeyboardInterrupt:
                print()
                continue
            if line in ("/quit", "/exit"):
                return
            with self._told():
                self._line(line)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except Failed as failed:
            self._screen.failure(failed)
        except KeyboardInterrupt:
            print()

    def _line(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if line.startswith("/"):
            command = self._commands.get(name)
            if command is None:
                raise Failed(say("unknown", command=name))
            command(rest.strip())
        elif line or self._files:
            self._chat.ask(line, self._files)
            self._files = []

    def _attach(self, kind: str, given: str) -> None:
        for name in shlex.split(given):
            path = Path(name).expanduser()
            if not path.is_file():
                raise Failed(say("no_file", path=path), say("check_path"))
            self._files.append((kind, path))
        self._screen.note(say("attached", names=", ".join(path.name for _, path in self._files) or "-"))

    def _sessions(self, _: str) -> None:
        found = self._chat.api.call("GET", "/sessions", params={"limit": 20})["sessions"]
        self._listed = [item["session_id"] for item in found]
        for number, item in enumerate(found, 1):
            here = "*" if item["session_id"] == self._chat.session else " "
            print(safe(f"{here}{number:3}  {item.get('title') or '-'}  ({item['session_id']})"))
        if not found:
            self._screen.note(say("no_sessions"))

    def _open(self, given: str) -> None:
        chosen = self._listed[int(given) - 1] if given.isdigit() and 0 < int(given) <= len(self._listed) else given
        found = self._chat.api.call("GET", f"/sessions/{chosen}", params={"newest": True, "limit": 2})
        for item in found["messages"]:
            print(safe(f"{'> ' if item.get('role') == 'user' else ''}{item.get('text', '')}"))
        self._switch(chosen)

    def _help(self, _: str) -> None:
        print(say("help"))

    def _switch(self, session: str | None) -> None:
        self._chat.session = session
        self._chat.turn = Turn()
        if session:
            self._screen.note(say("session", session=session))

    def _clear(self, _: str) -> None:
        session = self._chat.session
        if not session:
            raise Failed(say("no_session"))
        receipt = self._chat.api.call("POST", "/clear_current_chat_history", json={"session_id": session})
        self._screen.note(say("cleared", count=receipt["removed"], session=session))


def remember_lines() -> None:
    """Give the prompt line editing, and the lines of earlier conversations where the state folder can be written."""
    try:
        import atexit
        import readline
    except ImportError:
        return
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    path = base / "llmchat_history"
    with contextlib.suppress(OSError):
        readline.read_history_file(path)
    readline.set_history_length(HISTORY)

    def save() -> None:
        with contextlib.suppress(OSError):
            base.mkdir(parents=True, exist_ok=True)
            readline.write_history_file(path)
            path.chmod(0o600)

    atexit.register(save)
