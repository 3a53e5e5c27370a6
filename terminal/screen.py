"""What the terminal shows: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn

from terminal.client import Failed
from terminal.texts import say

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MARKER = re.compile(r"[\[【](\d{1,3})\s*[:：,，]?\s*[\"“”「『'‘].{1,12000}?[\"“”」』'’]\s*[\]】]", re.S)
BEGUN = re.compile(r"[\[【](?:\d{1,3}\s*[:：,，]?\s*(?:[\"“”「『'‘].*)?)?$", re.S)
HELD = 4000
"""Most characters that are held back while a citation is still being written."""


def safe(text: object) -> str:
    """Return text without characters that would steer the terminal."""
    return CONTROL.sub("", str(text))


class Screen:
    """Writes answers to standard output, and everything else to standard error."""

    def __init__(self, *, stream: bool, as_json: bool) -> None:
        self.stream = stream and not as_json
        self.as_json = as_json
        self._out, self._err = Console(), Console(stderr=True)
        self._progress: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._told: set[str] = set()
        self._held = ""
        self._mid_line = False

    def say(self, text: str, end: str = "\n") -> None:
        """Write text as it is to standard output."""
        self.settle()
        self._out.out(safe(text), end=end, highlight=False)
        self._out.file.flush()
        self._mid_line = not f"{text}{end}".endswith("\n")

    def note(self, text: str) -> None:
        """Write a line beside the answer."""
        if self._mid_line and self._out.is_terminal:
            self.say("")
        self.settle()
        self._err.out(safe(text), highlight=False)

    def failure(self, failed: Failed) -> None:
        """Tell what went wrong and what helps."""
        if self.as_json:
            self._json(failed.body)
            return
        self.note(f"✗ {failed.message}")
        if failed.remedy:
            self.note(f"  → {failed.remedy}")

    def progress(self) -> Progress:
        """Return the running progress display; it draws nothing where standard error is no terminal."""
        if self._progress is None:
            columns = TextColumn("{task.description}", markup=False), BarColumn(20), TaskProgressColumn()
            self._progress = Progress(
                *columns, console=self._err, transient=True, disable=not self._err.is_terminal,
                redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._progress.start()
        return self._progress

    def settle(self) -> None:
        """Take the progress display off the terminal."""
        if self._progress is not None:
            self._progress.stop()
            self._progress, self._tasks = None, {}

    def attachment(self, item: dict[str, Any]) -> None:
        """Show how far a file is read, and once how that ended."""
        name, status = safe(item.get("name", "")), item.get("status")
        done, total = item.get("pages_done") or 0, item.get("pages_total") or 0
        key = str(item.get("id") or name)
        if status in ("queued", "reading"):
            text = f"{name[:40]} {say('pages', done=done, total=total or '?')}"
            if key not in self._tasks:
                self._tasks[key] = self.progress().add_task(text, total=None)
            self.progress().update(self._tasks[key], description=text, completed=done, total=total or None)
        elif key not in self._told:
            self._told.add(key)
            if status == "failed":
                error = item.get("error") or {}
                self.note(f"✗ {name}: {error.get('message', '')} {error.get('remedy', '')}")
            elif status == "ready":
                self.note(f"✓ {name} {say('ready')}" + (f" ({say('pages', done=done, total=total)})" if total else ""))

    def token(self, text: str) -> str:
        """Show a piece of the answer, quotes inside citations left out; return what was shown."""
        self._held = MARKER.sub(r"[\1]", self._held + text)
        begun = BEGUN.search(self._held)
        cut = begun.start() if begun and len(self._held) - begun.start() <= HELD else len(self._held)
        ready, self._held = self._held[:cut], self._held[cut:]
        if self.stream and ready:
            self.say(ready, end="")
        return ready

    def flush(self) -> str:
        """Show what was held back."""
        ready, self._held = self._held, ""
        if self.stream and ready:
            self.say(ready, end="")
        return ready

    def outcome(self, answer: dict[str, Any], shown: str) -> None:
        """Show the end of a turn: the answer where it was not shown, its sources, files and warnings."""
        if self.as_json:
            self._json(answer)
            return
        final = str(answer.get("answer", ""))
        if not self.stream:
            self.say(final)
        else:
            self.say("")
            if final.strip() and _bare(final) != _bare(shown):
                self.say(f"\n{say('checked')}\n{final}" if shown.strip() else final)
        citations = answer.get("citations") or []
        if citations:
            self.say(f"\n{say('sources')}:")
        for item in citations:
            label = item.get("label") or item.get("page")
            quote = " ".join(safe(item.get("quote", "")).split())[:300]
            place = str(item.get("name") or item.get("url") or "?") + (f", {say('page', page=label)}" if label else "")
            mark = "" if item.get("verified") else f" ({say('unchecked')})"
            self.say(f"  [{item.get('number')}] {place}{f' — “{quote}”' if quote else ''}{mark}")
        for file in answer.get("artifacts") or []:
            self.say(f"\n{say('made', name=file['name'], path='/api/v1/documents/' + file['id'] + '/content')}")
        for warning in answer.get("warnings") or []:
            self.note(f"! {warning}")

    def _json(self, body: dict[str, Any]) -> None:
        self._out.out(CONTROL.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(body, ensure_ascii=False)))


def _bare(text: str) -> str:
    return "".join(MARKER.sub(r"[\1]", text).split())
