"""The conversation at the prompt: lines, commands, history."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from terminal.client import Failed
from terminal.conversation import Conversation, Files, Followed
from terminal.texts import say


class Prompt:
    """The conversation at the prompt."""

    def __init__(self, conversation: Conversation, files: Files = ()) -> None:
        self._chat, self._screen = conversation, conversation.screen
        self._files = list(files)
        self._listed: list[str] = []
        self._commands: dict[str, Callable[[str], None]] = {
            "/file": lambda given: self._attach("file", given), "/image": lambda given: self._attach("image", given),
            "/sessions": lambda _: self._sessions(), "/open": self._open, "/new": lambda _: self._switch(None),
            "/clear": lambda _: self._clear(), "/stop": lambda _: self._chat.stop(),
            "/help": lambda _: self._screen.say(say("help")),
        }  # fmt: skip

    def run(self) -> None:
        """Read lines until the end of input or /quit."""
        lines: PromptSession[str] = PromptSession("> ", history=history())
        self._screen.note(say("welcome"))
        while True:
            try:
                line = lines.prompt().strip()
                if line in ("/quit", "/exit"):
                    return
                self._line(line)
            except EOFError:
                return
            except Failed as failed:
                self._screen.failure(failed)
            except KeyboardInterrupt:
                self._screen.say("")

    def _line(self, line: str) -> None:
        name, _, rest = line.partition(" ")
        if line.startswith("/"):
            if name not in self._commands:
                raise Failed(say("unknown", command=name))
            self._commands[name](rest.strip())
        elif line or self._files:
            self._chat.ask(line, self._files)
            self._files = []

    def _attach(self, kind: str, given: str) -> None:
        for path in paths(given):
            if not path.is_file():
                raise Failed(say("no_file", path=path), say("check_path"))
            self._files.append((kind, path))
        self._screen.note(say("attached", names=", ".join(path.name for _, path in self._files) or "-"))

    def _sessions(self) -> None:
        found = self._chat.client.call("GET", "/sessions", params={"limit": 20})["sessions"]
        self._listed = [item["session_id"] for item in found]
        for number, item in enumerate(found, 1):
            here = "*" if item["session_id"] == self._chat.session else " "
            self._screen.say(f"{here}{number:3}  {item.get('title') or '-'}  ({item['session_id']})")
        if not found:
            self._screen.note(say("no_sessions"))

    def _open(self, given: str) -> None:
        chosen = self._listed[int(given) - 1] if given.isdecimal() and 0 < int(given) <= len(self._listed) else given
        path = f"/sessions/{quote(chosen, safe='')}"
        found = self._chat.client.call("GET", path, params={"newest": True, "limit": 2})
        for item in found["messages"]:
            self._screen.say(f"{'> ' if item.get('role') == 'user' else ''}{item.get('text', '')}")
        self._switch(chosen)
        if waiting := found.get("waiting"):
            self._chat.answer(waiting["run_id"], waiting["questions"])

    def _switch(self, session: str | None) -> None:
        self._chat.session, self._chat.run = session, Followed()
        if session:
            self._screen.note(say("session", session=session))

    def _clear(self) -> None:
        session = self._chat.session
        if not session:
            raise Failed(say("no_session"))
        receipt = self._chat.client.call("POST", "/clear_current_chat_history", json={"session_id": session})
        self._screen.note(say("cleared", count=receipt["removed"], session=session))


def paths(given: str) -> list[Path]:
    """Return the paths of a line: one as it stands where there is such a file, else words as in a shell."""
    whole = Path(given).expanduser()
    if whole.is_file():
        return [whole]
    try:
        return [Path(word).expanduser() for word in shlex.split(given)]
    except ValueError:
        return [whole]


def history() -> History:
    """Return the lines of earlier conversations, kept in the state folder where that can be written."""
    path = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state") / "llmchat_history"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(path)
