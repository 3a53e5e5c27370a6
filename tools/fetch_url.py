"""Tool: the text of a web page."""

from __future__ import annotations

import asyncio
import re

from pydantic import BaseModel, Field

from domain.tokens import count_tokens
from domain.types import Source
from net.client import Fetched
from net.failures import NothingToRead, NotText
from tools.interface import ToolContext, ToolResources, ToolResult, plain_line
from tools.page_text import PageText, PageTooHard
from tools.text_encoding import decode

_ACCEPT = "text/html, application/xhtml+xml, text/plain, text/markdown, application/json;q=0.9, */*;q=0.1"
_HTML = ("text/html", "application/xhtml+xml")
_TEXT = re.compile(r"text/.+|application/(.+\+)?(json|xml|yaml|x-yaml|javascript|x-ndjson|toml)")
_AROUND = " \t\n<>\"'“”‘’《》【】（）.,;!?。，；：！？、"
_MORE = {
    "en": "Characters {start} to {end} of {total} are shown. Call fetch_url again with start={end} for more.",
    "zh": "显示第 {start} 至 {end} 个字符，共 {total} 个。需要更多内容时，请以 start={end} 再次调用 fetch_url。",
}
_DONE = {"en": "The page {name}:", "zh": "网页 {name} 的内容："}
_END = {"en": "The page {name} ends before character {start}.", "zh": "网页 {name} 不足 {start} 个字符。"}


class FetchUrl(BaseModel):
    """Arguments of `fetch_url`."""

    url: str = Field(min_length=4, max_length=4096, description="Full http or https address, as the user wrote it.")
    start: int = Field(0, ge=0, description="Character to start from, to read on in a long page.")


async def fetch_url(arguments: FetchUrl, context: ToolContext, resources: ToolResources) -> ToolResult:
    """Open a public web page and return its main text.

    Use it when the user gives a URL or asks about a certain page (打开网址、总结这个网页、链接里说了什么).
    """
    fetched = await resources.http.fetch(_tidy(arguments.url), accept=_ACCEPT)
    page = await _text_of(fetched, resources)
    if not page.text.strip():
        raise NothingToRead(url=fetched.url)
    name = plain_line(page.title) or fetched.url
    part = await asyncio.to_thread(fit, page.text[arguments.start :], resources.settings.context_tokens_for_sources)
    end = arguments.start + len(part)
    if not part.strip():
        return ToolResult(_END[context.language].format(name=name, start=arguments.start))
    source = Source(number=0, origin="web", url=fetched.url, name=name, start=arguments.start, end=end, text=part)
    lines = [_DONE[context.language].format(name=name)]
    if arguments.start or end < len(page.text):
        lines.append(_MORE[context.language].format(start=arguments.start, end=end, total=len(page.text)))
    return ToolResult("\n".join(lines), [source])


def fit(text: str, budget: int) -> str:
    """Return the longest beginning of `text` within `budget` tokens that ends at a paragraph, line or sentence."""
    part = text[: budget * 8]
    while (tokens := count_tokens(part)) > budget:
        part = part[: min(len(part) - 1, int(len(part) * budget / tokens))]
    if len(part) == len(text):
        return part
    cut = max(part.rfind("\n"), *(part.rfind(mark) + len(mark) - 1 for mark in (". ", "。", "！", "？")))
    return part[: cut + 1] if cut > len(part) // 2 else part


async def _text_of(fetched: Fetched, resources: ToolResources) -> PageText:
    media_type = fetched.media_type or "text/html"
    if media_type in _HTML:
        try:
            return await resources.pages.read(decode(fetched.body, fetched.encoding), fetched.url)
        except PageTooHard as exc:
            raise NothingToRead(url=fetched.url) from exc
    if not _TEXT.fullmatch(media_type):
        raise NotText(url=fetched.url, media_type=media_type)
    return PageText("", decode(fetched.body, fetched.encoding))


def _tidy(url: str) -> str:
    """Undo what surrounds an address in running text: spaces, quotes, brackets, full stops; add a missing scheme."""
    url = url.strip(_AROUND)
    if url.count(")") > url.count("("):
        url = url.removesuffix(")")
    return url if "://" in url else f"https://{url}"
