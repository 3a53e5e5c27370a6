"""Main text of HTML pages, found in a child process that can be killed.

A crafted page of a few megabytes can keep an HTML parser busy for a minute with the interpreter locked; a thread could
not be stopped. The child is started on first use, kept warm, and replaced when it was killed.
Run as `python -m tools.page_text` it is that child: frames of a 4-byte length and JSON on stdin and stdout.
"""

from __future__ import annotations

import asyncio
import json
import resource
import signal
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

MAX_HTML_CHARS = 2_000_000
MAX_TEXT_CHARS = 400_000
_SECONDS = 10
_MEMORY = 1536 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_ROOT = Path(__file__).resolve().parents[1]


class PageTooHard(Exception):
    """The child was killed over this page: too slow, or too much memory."""


@dataclass(frozen=True, slots=True)
class PageText:
    """Title and main text (Markdown) of a page; both may be empty."""

    title: str
    text: str


class PageReader:
    """One warm child; pages are read one at a time."""

    def __init__(self) -> None:
        self._child: asyncio.subprocess.Process | None = None
        self._turn = asyncio.Lock()

    async def read(self, html: str, url: str) -> PageText:
        """Return title and main text of a page; only its first `MAX_HTML_CHARS` are looked at.

        Raises:
            PageTooHard: It could not be read within time and memory.
        """
        async with self._turn:
            try:
                async with asyncio.timeout(_SECONDS):
                    return await self._ask({"html": html[:MAX_HTML_CHARS], "url": url})
            except BaseException as exc:
                await self._kill()
                if isinstance(exc, (TimeoutError, OSError, EOFError)):
                    raise PageTooHard from exc
                raise

    async def aclose(self) -> None:
        """End the child."""
        await self._kill()

    async def _ask(self, page: dict[str, str]) -> PageText:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tools.page_text"),
                cwd=_ROOT,
                env={"PYTHONUTF8": "1"},
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
            )
        stdin, stdout = self._child.stdin, self._child.stdout
        assert stdin is not None and stdout is not None
        body = json.dumps(page).encode()
        stdin.write(_LENGTH.pack(len(body)) + body)
        await stdin.drain()
        (length,) = _LENGTH.unpack(await stdout.readexactly(_LENGTH.size))
        return PageText(**json.loads(await stdout.readexactly(length)))

    async def _kill(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        if child.returncode is None:
            child.kill()
        await child.wait()


def main_text(html: str, url: str) -> PageText:
    """Take title and main text out of a page, with trafilatura."""
    import trafilatura

    tree = trafilatura.load_html(html)
    if tree is None:
        return PageText("", "")
    metadata = trafilatura.extract_metadata(tree, default_url=url)
    text = trafilatura.extract(html, url=url, output_format="markdown", include_tables=True, include_comments=False)
    return PageText((metadata.title or "").strip()[:300], (text or trafilatura.html2txt(html))[:MAX_TEXT_CHARS])


def _serve() -> None:
    """Answer pages until stdin ends; the alarm ends a child whose parent is gone."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    while header := sys.stdin.buffer.read(_LENGTH.size):
        page = json.loads(sys.stdin.buffer.read(*_LENGTH.unpack(header)))
        signal.alarm(2 * _SECONDS)
        found = main_text(page["html"], page["url"])
        signal.alarm(0)
        body = json.dumps({"title": found.title, "text": found.text}).encode()
        sys.stdout.buffer.write(_LENGTH.pack(len(body)) + body)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
