"""Main text of web pages, found in a killable child: a crafted page can keep an HTML parser busy for a minute."""

from __future__ import annotations

from dataclasses import dataclass

from domain.errors import AttachmentError
from domain.invisible import seen
from net.failures import NothingToRead
from workers.sandbox import Sandbox

MAX_HTML_BYTES = 3_000_000
MAX_TEXT_CHARS = 400_000
SECONDS = 10


@dataclass(frozen=True, slots=True)
class PageText:
    """Title and main text (Markdown) of a page, both may be empty; `hidden` counts characters that it does not show."""

    title: str
    text: str
    hidden: int = 0


def main_text(html: bytes, encoding: str | None) -> tuple[str, str, str]:
    """Return title, main text and hidden text of a page. Runs in a sandbox child, which alone loads the parsers."""
    from readers.text import html as reader

    return reader.main_text(html, encoding)


class PageReader:
    """Reads pages in children of `sandbox`."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Keep the sandbox; it is opened and closed by its owner."""
        self._sandbox = sandbox

    async def read(self, html: bytes, url: str, encoding: str | None = None) -> PageText:
        """Return title and main text of a page; only its first `MAX_HTML_BYTES` are looked at.

        Raises:
            NothingToRead: It could not be read within time and memory.
        """
        arguments = (main_text, html[:MAX_HTML_BYTES], encoding)
        try:
            title, text, hidden = await self._sandbox.run(*arguments, name=url, seconds=SECONDS)
        except AttachmentError as exc:
            raise NothingToRead(url=url) from exc
        return seen_page(title[:300], text[:MAX_TEXT_CHARS], hidden)


def seen_page(title: str, text: str, hidden: str = "") -> PageText:
    """Return a page as its reader sees it; `hidden` is what it does not show."""
    found = seen(text)
    return PageText(seen(title).text, found.text, len("".join(f"{hidden}{found.spelt}".split())))
