"""What the terminal shows: the answer on standard output, everything else on standard error."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Sequence
from typing import Any

from terminal.api import Failed
from terminal.texts import say

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
MARKER = re.compile(r"[\[【](\d{1,3})\s*[:：,，]?\s*[\"“”「『'‘].{1,12000}?[\"“”」』'’]\s*[\]】]", re.S)
BEGUN = re.compile(r"[\[【](?:\d{1,3}\s*[:：,，]?\s*(?:[\"“”「『'‘].*)?)?$", re.S)
HELD = 4000
"""Most characters that are held back while a citation is still being written."""


def safe(text: str) -> str:
    """Return text without characters that would steer the terminal."""
    return CONTROL.sub("", text)


class Screen:
    """Writes answers to standard output, and everything else to standard error."""

    def __init__(self, *, stream: bool, as_json: bool) -> None:
        self.stream = stream and not as_json
        self.as_json = as_json
        self._bar = False
        self._held = ""
        self._told: set[str] = set()

    def note(self, text: str) -> None:
        """Write a line beside the answer."""
        self._wipe()
        print(safe(text), file=sys.stderr, flush=True)

    def failure(self, failed: Failed) -> None:
        """Tell what went wrong and what helps."""
        if self.as_json:
            print(json.dumps(failed.body, ensure_ascii=False), flush=True)
            return
        self.note(f"✗ {failed.message}")
        if failed.remedy:
            self.note(f"  → {failed.remedy}")

    def bar(self, name: str, share: float, text: str) -> None:
        """Draw a progress bar in place; nothing where standard error is no terminal."""
        if not sys.stderr.isatty():
            return
        filled = round(20 * min(1.0, max(0.0, share)))
        line = safe(f"{name[:40]}  [{'█' * filled}{'░' * (20 - filled)}] {text}")
        print(f"\r\x1b[K{line[: shutil.get_terminal_size().columns - 1]}", end="", file=sys.stderr, flush=True)
        self._bar = True

    def sent(self, done: int, total: int) -> None:
        """Show how much of an upload is sent."""
        scale, unit = (1e6, "MB") if total >= 1e6 else (1e3, "kB")
        self.bar(say("upload"), done / total, f"{done / scale:.1f}/{total / scale:.1f} {unit}")

    def attachment(self, item: dict[str, Any]) -> None:
        """Show how far a file is read, and once how that ended."""
        name, status = str(item.get("name", "")), item.get("status")
        done, total = item.get("pages_done") or 0, item.get("pages_total") or 0
        key = item.get("id") or name
        if status == "failed" and key not in self._told:
            error = item.get("error") or {}
            self.note(f"✗ {name}: {error.get('message', '')} {error.get('remedy', '')}")
            self._told.add(key)
        elif status == "ready" and key not in self._told:
            pages = f" ({say('pages', done=done, total=total)})" if total else ""
            self.note(f"✓ {name} {say('ready')}{pages}")
            self._told.add(key)
        elif status in ("queued", "reading"):
            self.bar(name, done / total if total else 0, say("pages", done=done, total=total or "?"))

    def token(self, text: str) -> str:
        """Show a piece of the answer, quotes inside citations left out; return what was shown."""
        self._held = MARKER.sub(r"[\1]", self._held + text)
        begun = BEGUN.search(self._held)
        cut = begun.start() if begun and len(self._held) - begun.start() <= HELD else len(self._held)
        ready, self._held = self._held[:cut], self._held[cut:]
        return self._write(ready)

    def flush(self) -> str:
        """Show what was held back."""
        ready, self._held = self._held, ""
        return self._write(ready)

    def _write(self, text: str) -> str:
        if self.stream and text:
            self._wipe()
            print(safe(text), end="", flush=True)
        return text

    def outcome(self, answer: dict[str, Any], shown: str) -> None:
        """Show the end of a turn: the answer where it was not shown, its sources, its warnings."""
        if self.as_json:
            print(json.dumps(answer, ensure_ascii=False), flush=True)
            return
        self._wipe()
        final = str(answer.get("answer", ""))
        if not self.stream:
            print(safe(final))
        else:
            print()
            if final.strip() and _bare(final) != _bare(shown):
                print(f"\n{say('checked')}\n{safe(final)}" if shown.strip() else safe(final))
        self._sources(answer.get("citations") or [])
        for warning in answer.get("warnings") or []:
            self.note(f"! {warning}")
        sys.stdout.flush()

    def _sources(self, citations: Sequence[dict[str, Any]]) -> None:
        if citations:
            print(f"\n{say('sources')}:")
        for item in citations:
            place = safe(str(item.get("name") or item.get("url") or "?"))
            label = item.get("label") or item.get("page")
            place += f", {say('page', page=safe(str(label)))}" if label else ""
            quote = " ".join(safe(str(item.get("quote", ""))).split())
            quote = f" — “{quote[:300]}”" if quote else ""
            mark = "" if item.get("verified") else f" ({say('unchecked')})"
            print(f"  [{item.get('number')}] {place}{quote}{mark}")

    def _wipe(self) -> None:
        if self._bar:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._bar = False


def _bare(text: str) -> str:
    return "".join(MARKER.sub(r"[\1]", text).split())
